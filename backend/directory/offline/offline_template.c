/* offline_template.c - the dialogs of a language -> the file by which a client draws them without the server (MS-OXOAB 2.2). */
#include "backend/base/utf.h"
#include "backend/directory/offline/offline_int.h"
#include "backend/directory/template.h"

/* Display types in the order of the file; the two that the documents leave empty have no dialog here. */
enum { EMPTY = 0xFFFF };
static const uint32_t entry_type[] = { 0x000, 0x001, 0x002, 0x003, EMPTY, EMPTY, 0x006 };
enum { ENTRIES = sizeof entry_type / sizeof entry_type[0], ENTRY_BYTES = 32, BYTES_MAX = 1 << 22 };
/* Behind them: NAMES_STRUCT and the number of address creation templates.  Zeros: no names, no such templates; the data begins behind so many. */
enum { NOTHING_BYTES = 64, CODE_PAGE = 1252 };

ec_t offline_template_locales(struct directory *d, struct arena *a, uint32_t **lcid, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, "SELECT DISTINCT lcid FROM template WHERE purpose=0 ORDER BY lcid");
    size_t cap = 0;
    bool   row;
    ec_t   ec;
    *lcid = NULL;
    *n = 0;
    if (q == NULL)
        return EC(ecDiskError);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        *lcid = arena_grow(a, *lcid, &cap, *n, sizeof **lcid);
        (*lcid)[(*n)++] = (uint32_t)sqlite3_column_int64(q, 0);
    }
    q_end(d, q);
    return ec;
}

struct file { struct wr entries, data; uint32_t base; };

/* Offset and length of what is put behind; 0 0: nothing. */
static void refer(struct file *f, struct blob b)
{
    wr_u32(&f->entries, b.n != 0 ? f->base + (uint32_t)wr_mark(&f->data) : 0);
    wr_u32(&f->entries, (uint32_t)b.n);
    wr_put(&f->data, b);
}

/* With its NUL, in the code page of the dialogs' strings. */
static struct blob text(struct arena *a, const char *s)
{
    struct wr w = wr_in(a, BYTES_MAX);
    wr_put(&w, codepage_from_utf8(a, CODE_PAGE, blob_str(s)));
    wr_u8(&w, 0);
    return *s != '\0' ? wr_blob(&w) : blob_of(NULL, 0);
}

static ec_t add_entry(struct file *f, struct directory *d, struct arena *a, uint32_t type, uint32_t lcid)
{
    struct template t = { .dn = "", .name = "" };
    ec_t ec = type != EMPTY ? template_find(d, a, TEMPLATE_DETAILS, type, lcid, &t) : ecInvalidLocale;
    if (ec != ecNone && ec != ecInvalidLocale)
        return ec;
    refer(f, text(a, t.dn));
    refer(f, t.data.n != 0 ? template_render(a, &t, CODE_PAGE) : t.data);
    refer(f, t.script);
    refer(f, text(a, t.name));
    return ecNone;
}

ec_t offline_template_file(struct directory *d, struct arena *a, uint32_t lcid, struct blob *out)
{
    static const uint8_t nothing[NOTHING_BYTES];
    struct file f = { wr_in(a, BYTES_MAX), wr_in(a, BYTES_MAX), OFFLINE_HEADER + ENTRIES * ENTRY_BYTES + NOTHING_BYTES };
    offline_header(&f.entries, OFFLINE_VERSION_TEMPLATE, 0, 0);
    for (size_t i = 0; i < ENTRIES; i++)
        TRY(add_entry(&f, d, a, entry_type[i], lcid));
    wr_bytes(&f.entries, nothing, sizeof nothing);
    wr_put(&f.entries, wr_blob(&f.data));
    *out = wr_blob(&f.entries);
    return f.entries.full || f.data.full ? EC(ecTooBig) : ecNone;
}
