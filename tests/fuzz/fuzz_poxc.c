/* fuzz_poxc.c - an Autodiscover answer from any bytes, as mapictl probe reads it: bounded texts, or refused. */
#include "tests/client/poxc.c"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* poxc.c also has what goes over the wire, which is not called here. */
bool mapic_call(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, struct mapic_reply *out, const char **why)
{
    (void)c, (void)a, (void)type, (void)body, (void)odd, (void)out, (void)why;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct poxc_answer r;
    if (poxc_read(a, blob_of(p, n), &r)) {
        const char *text[] = { r.error, r.message, r.action, r.redirect_url, r.redirect_address, r.name, r.dn, r.smtp, r.mail[0], r.mail[1], r.book[0], r.book[1], r.offline[0], r.offline[1] };
        for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
            must(text[i] == NULL || strlen(text[i]) <= TEXT_MOST);
        must(r.mapi || (r.mail[0] == NULL && r.book[1] == NULL));
    }
    arena_free(a);
    return 0;
}
