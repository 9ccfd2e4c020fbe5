/* fuzz_oabc.c - a manifest of an offline address book from any bytes, as mapictl probe reads it: every file with a name, or refused. */
#include "tests/client/oabc.c"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* oabc.c also has what goes over the wire, which is not called here. */
bool mapic_call(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, struct mapic_reply *out, const char **why)
{
    (void)c, (void)a, (void)type, (void)body, (void)odd, (void)out, (void)why;
    return false;
}

const char *http_header(const struct http_reply *r, const char *name)
{
    (void)r, (void)name;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct oabc_manifest m;
    if (oabc_read(a, blob_of(p, n), &m))
        for (size_t i = 0; i < m.n; i++)
            must(*m.file[i].name != '\0' && strlen(m.file[i].name) <= TEXT_MOST);
    arena_free(a);
    return 0;
}
