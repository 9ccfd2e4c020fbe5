/* manifest.c - a generation of an offline address book -> the document that names its files, their sizes and digests.  MS-OXWOAB 2.2. */
#include "session/offline/download.h"
#include "backend/base/xml.h"
#include <inttypes.h>

/* `version`: what the file inside begins with (MS-OXOAB 2.2.1, 2.9.1), as in the example of MS-OXWOAB 4. */
static const struct { const char *element, *version, *type; } kinds[] = {
    [OFFLINE_FULL] = { "Full", "32", NULL }, [OFFLINE_TEMPLATE] = { "Template", "7", "windows" },
};

static const char *hex(struct arena *a, const uint8_t *p, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        text = arena_printf(a, "%s%02x", text, p[i]);
    return text;
}

static void put_file(struct xml *x, struct arena *a, const struct offline_file *f)
{
    xml_open(x, kinds[f->kind].element, NULL);
    xml_attribute(x, "seq", arena_printf(a, "%" PRIu32, f->sequence));
    xml_attribute(x, "ver", kinds[f->kind].version);
    xml_attribute(x, "size", arena_printf(a, "%" PRIu64, f->size));
    xml_attribute(x, "uncompressedsize", arena_printf(a, "%" PRIu64, f->uncompressed));
    xml_attribute(x, "SHA", hex(a, f->sha1, sizeof f->sha1));
    if (kinds[f->kind].type != NULL) {
        xml_attribute(x, "langid", arena_printf(a, "%04" PRIx32, f->lcid));
        xml_attribute(x, "type", kinds[f->kind].type);
    }
    xml_text(x, f->name);
    xml_close(x);
}

struct blob download_manifest(struct arena *a, const struct offline_book *b, const struct offline_file *file, size_t n)
{
    char guid[GUID_TEXT];
    struct xml *x = xml_new(a);
    xml_open(x, "OAB", NULL);
    xml_open(x, "OAL", NULL);
    xml_attribute(x, "id", guid_text(&b->guid, guid));
    xml_attribute(x, "dn", b->dn);
    xml_attribute(x, "name", b->name);
    for (size_t i = 0; i < n; i++)
        put_file(x, a, &file[i]);
    return xml_end(x);
}
