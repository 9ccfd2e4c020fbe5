/* fuzz_pox.c - the body of an Autodiscover request from any bytes: what is accepted is bounded text, and survives being written as XML and read again. */
#include "session/discover/discover_int.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void again(struct arena *a, const char *text)
{
    struct pox_request q;
    struct xml *x = xml_new(a);
    xml_open(x, "Autodiscover", "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006");
    xml_open(x, "Request", NULL);
    xml_attribute(x, "a", text);
    xml_leaf(x, "EMailAddress", text);
    must(pox_read(a, xml_end(x), &q));
    must((q.address != NULL) == (*text != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct pox_request q;
    if (pox_read(a, blob_of(p, n), &q)) {
        const char *text[] = { q.address, q.dn, q.schema };
        for (size_t i = 0; i < 3; i++)
            if (text[i] != NULL) {
                must(strlen(text[i]) <= 2048 && utf8_valid(blob_str(text[i])));
                again(a, text[i]);
            }
    }
    struct discover_call c = { .a = a, .query = arena_str(a, blob_of(p, n)) };
    const char *v = discover_parameter(&c, "Email");
    must(v == NULL || utf8_valid(blob_str(v)));
    again(a, c.query[0] != '\0' && n < 2000 ? c.query : "x"); /* any bytes can be written */
    arena_free(a);
    return 0;
}
