/* oab.c - the bytes of an offline address book -> what a client sees in it. */
#include "tests/oab.h"
#include <mspack.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ENDLESS = 1 << 30 };

/* --- the container ---------------------------------------------------------------------------------------------------------------------------- */

/* Bit by bit, as the polynomial says. */
static uint32_t crc_of(struct blob b)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < b.n; i++) {
        crc ^= b.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return crc;
}

/* --- libmspack, on memory: "in" is read, "out" written ------------------------------------------------------------------------------------------ */

struct memory { struct mspack_system system; struct arena *a; struct blob in; struct wr out; };
struct mem_file { struct mspack_file base; struct memory *m; struct rd r; };

static struct mem_file *mine(struct mspack_file *f) { return (struct mem_file *)(void *)f; }

static struct mspack_file *mem_open(struct mspack_system *self, const char *name, int mode)
{
    struct memory *m = (struct memory *)(void *)self;
    struct mem_file *f = arena_one(m->a, struct mem_file);
    (void)name, (void)mode;
    f->m = m;
    f->r = rd_blob_of(m->in);
    return &f->base;
}

static void mem_close(struct mspack_file *f) { (void)f; }

static int mem_read(struct mspack_file *f, void *to, int n)
{
    struct rd *r = &mine(f)->r;
    size_t have = r->n < (size_t)n ? r->n : (size_t)n;
    rd_copy(r, to, have);
    return (int)have;
}

static int mem_write(struct mspack_file *f, void *from, int n)
{
    wr_bytes(&mine(f)->m->out, from, (size_t)n);
    return mine(f)->m->out.full ? -1 : n;
}

static int mem_seek(struct mspack_file *f, off_t at, int mode) { return (void)f, (void)at, (void)mode, -1; }
static off_t mem_tell(struct mspack_file *f) { return (void)f, 0; }
static void mem_message(struct mspack_file *f, const char *format, ...) { (void)f, (void)format; }
static void *mem_alloc(struct mspack_system *self, size_t n) { return (void)self, malloc(n); }
static void mem_free(void *p) { free(p); }
static void mem_copy(void *from, void *to, size_t n) { memcpy(to, from, n); }

int oab_open_mspack(struct arena *a, struct blob container, struct blob *out)
{
    struct memory m = { { mem_open, mem_close, mem_read, mem_write, mem_seek, mem_tell, mem_message, mem_alloc, mem_free, mem_copy, NULL }, a, container, wr_in(a, ENDLESS) };
    struct msoab_decompressor *d = mspack_create_oab_decompressor(&m.system);
    if (d == NULL)
        return -1;
    int error = d->decompress(d, "in", "out");
    mspack_destroy_oab_decompressor(d);
    *out = wr_blob(&m.out);
    return error;
}

/* One block, in a container of its own. */
static struct blob inflate(struct arena *a, uint32_t most, struct blob head, struct blob packed, uint32_t n)
{
    struct wr w = wr_in(a, ENDLESS);
    struct blob out;
    wr_u32(&w, 3);
    wr_u32(&w, 1);
    wr_u32(&w, most);
    wr_u32(&w, n);
    wr_put(&w, head);
    wr_put(&w, packed);
    return oab_open_mspack(a, wr_blob(&w), &out) == MSPACK_ERR_OK ? out : blob_of(NULL, 0);
}

bool oab_open(struct arena *a, struct blob container, struct blob *out)
{
    struct rd r = rd_blob_of(container);
    struct wr w = wr_in(a, ENDLESS);
    bool good = rd_u32(&r) == 3 && rd_u32(&r) == 1;
    uint32_t most = rd_u32(&r), size = rd_u32(&r);
    while (good && r.n != 0) {
        struct blob head = rd_blob(&r, 16);
        struct rd   h = rd_blob_of(head);
        uint32_t flags = rd_u32(&h), packed = rd_u32(&h), n = rd_u32(&h), crc = rd_u32(&h);
        struct blob b = rd_blob(&r, packed);
        good = rd_ok(&r) && flags <= 1 && n != 0 && n <= most && (flags == 1 ? packed < n : packed == n);
        if (good && flags == 1)
            b = inflate(a, most, head, b, n);
        good = good && b.n == n && crc_of(b) == crc;
        wr_put(&w, b);
    }
    *out = wr_blob(&w);
    return good && rd_done(&r) && out->n == size;
}

/* --- values ----------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t number(struct rd *r)
{
    uint8_t first = rd_u8(r);
    if (first < 0x80)
        return first;
    if (first < 0x81 || first > 0x84) {
        rd_fail(r, "a number of another width");
        return 0;
    }
    uint32_t v = (uint32_t)rd_le(r, first & 7u);
    unsigned least = first == 0x81 ? 7 : (first & 7u) * 8 - 8;
    if (v >> least == 0)
        rd_fail(r, "a number wider than it is");
    return v;
}

static struct blob bytes(struct rd *r)
{
    uint32_t n = number(r);
    return rd_blob(r, n);
}

static struct blob string(struct rd *r)
{
    struct blob s = rd_asciiz(r);
    if (s.n == 0)
        rd_fail(r, "an empty string");
    return s;
}

static bool twice(const struct blob *v, size_t n, bool fold)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (v[i].n == v[n - 1].n && (fold ? strncasecmp((const char *)v[i].p, (const char *)v[n - 1].p, v[i].n) == 0 : blob_eq(v[i], v[n - 1])))
            return true;
    return false;
}

static void many(struct rd *r, struct arena *a, uint16_t type, struct propval *v)
{
    size_t n = rd_count(r, number(r), 1);
    v->v.mv.n = n;
    v->v.mv.s = arena_array(a, struct blob, n);
    for (size_t i = 0; i < n && rd_ok(r); i++) {
        v->v.mv.s[i] = type_string(type) ? string(r) : bytes(r);
        if (n < 1000 && twice(v->v.mv.s, i + 1, type_string(type)))
            rd_fail(r, "a value twice");
    }
    if (n == 0)
        rd_fail(r, "no values");
}

static void numbers(struct rd *r, struct arena *a, struct propval *v)
{
    v->v.mv.n = rd_count(r, number(r), 1);
    v->v.mv.i32 = arena_array(a, int32_t, v->v.mv.n);
    for (size_t i = 0; i < v->v.mv.n; i++)
        v->v.mv.i32[i] = (int32_t)number(r);
}

static struct propval value(struct rd *r, struct arena *a, uint32_t tag)
{
    struct propval v = { .tag = tag };
    uint16_t type = prop_type(tag);
    uint8_t  yes;
    switch (type) {
    case 0x0003: v.v.i32 = (int32_t)number(r); break;
    case 0x000B:
        yes = rd_u8(r);
        v.v.b = yes != 0;
        if (yes > 1)
            rd_fail(r, "neither yes nor no");
        break;
    case 0x001E: case 0x001F: v.v.s = string(r); break;
    case 0x0102: v.v.bin = bytes(r); break;
    case 0x1003: numbers(r, a, &v); break;
    case 0x101E: case 0x101F: case 0x1102: many(r, a, type, &v); break;
    default: rd_fail(r, "a value of a type that has none"); break;
    }
    return v;
}

/* --- records ---------------------------------------------------------------------------------------------------------------------------------- */

static void read_record(struct rd *r, struct arena *a, const struct oab_table *t, struct oab_record *out)
{
    uint32_t size = rd_u32(r);
    struct rd body = rd_sub(r, size >= 4 ? size - 4 : SIZE_MAX);
    struct blob presence = rd_blob(&body, (t->n + 7) / 8);
    out->v = arena_array(a, struct propval, t->n);
    out->n = 0;
    for (size_t i = 0; i < presence.n * 8 && rd_ok(&body); i++) {
        bool here = (presence.p[i / 8] >> (7 - i % 8) & 1) != 0;
        if (here && i >= t->n)
            rd_fail(&body, "a property that is not in the table");
        else if (here)
            out->v[out->n++] = value(&body, a, t->v[i].tag);
        else if (i < t->n && (t->v[i].flags & 2) != 0)
            rd_fail(&body, "no value of a primary key");
    }
    if (!rd_done(&body))
        rd_fail(r, body.err != NULL ? body.err : "something behind the values");
}

static void read_table(struct rd *r, struct arena *a, struct oab_table *out)
{
    out->n = rd_count(r, rd_u32(r), 8);
    out->v = arena_array(a, struct oab_column, out->n);
    for (size_t i = 0; i < out->n; i++) {
        out->v[i] = (struct oab_column){ rd_u32(r), rd_u32(r) };
        if (out->v[i].flags > 3)
            rd_fail(r, "flags that there are not");
    }
}

bool oab_read(struct arena *a, struct blob file, struct oab *out)
{
    struct rd r = rd_blob_of(file);
    size_t cap = 0;
    *out = (struct oab){ .version = rd_u32(&r), .serial = rd_u32(&r), .records = rd_u32(&r) };
    out->crc = crc_of(blob_of(r.p, r.n));
    uint32_t size = rd_u32(&r);
    struct rd meta = rd_sub(&r, size >= 4 ? size - 4 : SIZE_MAX);
    read_table(&meta, a, &out->header);
    read_table(&meta, a, &out->object);
    if (!rd_done(&meta))
        rd_fail(&r, "something behind the tables");
    read_record(&r, a, &out->header, &out->head);
    while (r.n != 0 && rd_ok(&r)) {
        out->record = arena_grow(a, out->record, &cap, out->n, sizeof *out->record);
        read_record(&r, a, &out->object, &out->record[out->n++]);
    }
    return rd_done(&r) && out->version == 0x20 && out->n == out->records && out->serial == out->crc;
}

const struct propval *oab_value(const struct oab_record *r, uint32_t tag)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].tag == tag)
            return &r->v[i];
    return NULL;
}

struct blob oab_string(const struct oab_record *r, uint32_t tag)
{
    const struct propval *v = oab_value(r, tag);
    return v != NULL ? v->v.s : blob_of(NULL, 0);
}

const struct oab_record *oab_of(const struct oab *o, const char *dn)
{
    for (size_t i = 0; i < o->n; i++)
        if (blob_eq(oab_string(&o->record[i], 0x3003001E), blob_str(dn)))
            return &o->record[i];
    return NULL;
}

bool oab_shortened(const struct oab_record *r, uint32_t tag)
{
    const struct propval *v = oab_value(r, 0x68051003);
    for (size_t i = 0; v != NULL && i < v->v.mv.n; i++)
        if ((uint32_t)v->v.mv.i32[i] == tag)
            return true;
    return false;
}

/* --- display templates ------------------------------------------------------------------------------------------------------------------------ */

static struct blob part(struct rd *entry, struct blob file)
{
    uint32_t at = rd_u32(entry), n = rd_u32(entry);
    struct rd r = rd_blob_of(file);
    rd_take(&r, at);
    struct blob b = rd_blob(&r, n);
    if (at != 0 && !rd_ok(&r))
        rd_fail(entry, "a part outside of the file");
    return at != 0 ? b : blob_of(NULL, 0);
}

static const char *text(struct rd *entry, struct arena *a, struct blob file)
{
    struct blob b = part(entry, file);
    if (b.n != 0 && b.p[b.n - 1] != 0)
        rd_fail(entry, "a text without end");
    return b.n != 0 ? arena_str(a, blob_of(b.p, b.n - 1)) : "";
}

bool oab_read_template(struct arena *a, struct blob file, struct oab_template out[OAB_TEMPLATES])
{
    struct rd r = rd_blob_of(file);
    bool good = rd_u32(&r) == 7 && rd_u32(&r) == 0 && rd_u32(&r) == 0;
    for (size_t i = 0; i < OAB_TEMPLATES; i++) {
        out[i].dn = text(&r, a, file);
        out[i].data = part(&r, file);
        out[i].script = part(&r, file);
        out[i].name = text(&r, a, file);
    }
    return good && rd_ok(&r);
}
