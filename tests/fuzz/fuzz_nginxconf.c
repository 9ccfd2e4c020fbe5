/* fuzz_nginxconf.c - any text as an nginx configuration. */
#include "deploy/mapictl/nginxconf.c"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new((size_t)1 << 28);
    const char *why = NULL;
    size_t found;
    struct directive *top = nginxconf_parse(a, blob_of(p, n), &why);
    if (top != NULL)
        nginxconf_all(a, top, "server", &found);
    arena_free(a);
    return 0;
}
