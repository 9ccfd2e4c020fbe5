/* offline_record.c - the values of an object -> its record, with what is too long cut. */
#include "backend/base/utf.h"
#include "backend/directory/offline/offline_format.h"
#include <strings.h>

static void put_number(struct wr *w, uint32_t v)
{
    unsigned width = v < 0x80 ? 0 : v < 0x100 ? 1 : v < 0x10000 ? 2 : v < 0x1000000 ? 3 : 4;
    if (width != 0)
        wr_u8(w, (uint8_t)(0x80 | width));
    wr_le(w, v, width != 0 ? width : 1);
}

static void put_string(struct wr *w, struct blob s)
{
    wr_put(w, s);
    wr_u8(w, 0);
}

static void put_binary(struct wr *w, struct blob b)
{
    put_number(w, (uint32_t)b.n);
    wr_put(w, b);
}

/* A string ends at its first NUL. */
static struct blob text(struct blob s)
{
    const uint8_t *end = s.n != 0 ? memchr(s.p, 0, s.n) : NULL;
    return end != NULL ? blob_of(s.p, (size_t)(end - s.p)) : s;
}

/* The longest beginning of at most so many bytes that does not end within a character. */
static struct blob cut(struct blob s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    while (n < s.n && n > 0 && (s.p[n] & 0xC0) == 0x80)
        n--;
    return blob_of(s.p, n);
}

/* --- multi-values: each value once, none empty, as many as fit -------------------------------------------------------------------------------- */

static bool same(bool string, struct blob x, struct blob y)
{
    return x.n == y.n && (string ? strncasecmp((const char *)x.p, (const char *)y.p, x.n) == 0 : blob_eq(x, y));
}

struct many { struct blob *v; size_t n, bytes; bool string, whole; };

static bool has(const struct many *m, struct blob b)
{
    for (size_t i = 0; i < m->n; i++)
        if (same(m->string, m->v[i], b))
            return true;
    return false;
}

/* DNs of links differ already: thousands of them need not be compared. */
static void take(struct many *m, struct blob b, bool distinct)
{
    b = m->string ? text(b) : b;
    if (b.n == 0 || (!distinct && has(m, b)))
        return;
    if (b.n + 1 > OFFLINE_MANY_MAX - m->bytes) {
        m->whole = false;
        return;
    }
    m->v[m->n++] = b;
    m->bytes += b.n + 1;
}

static bool put_many(struct wr *w, struct arena *a, uint16_t type, const struct propval *v, bool *present)
{
    struct many m = { .v = arena_array(a, struct blob, v->v.mv.n), .string = type_string(type), .whole = true };
    for (size_t i = 0; i < v->v.mv.n; i++)
        take(&m, m.string ? v->v.mv.s[i] : v->v.mv.bin[i], type == PtypMultipleString8);
    *present = m.n != 0;
    if (*present)
        put_number(w, (uint32_t)m.n);
    for (size_t i = 0; i < m.n; i++)
        m.string ? put_string(w, m.v[i]) : put_binary(w, m.v[i]);
    return m.whole;
}

static bool put_numbers(struct wr *w, const struct propval *v, bool *present)
{
    size_t n = v->v.mv.n < OFFLINE_MANY_MAX / 5 ? v->v.mv.n : OFFLINE_MANY_MAX / 5;
    *present = n != 0;
    if (*present)
        put_number(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_number(w, (uint32_t)v->v.mv.i32[i]);
    return n == v->v.mv.n;
}

/* --- one value -------------------------------------------------------------------------------------------------------------------------------- */

/* Appends it; *present: whether there is anything.  False: not the whole value. */
static bool put_value(struct wr *w, struct arena *a, uint16_t type, const struct propval *v, bool *present)
{
    *present = true;
    switch (type) {
    case PtypInteger32:
        put_number(w, (uint32_t)v->v.i32);
        return true;
    case PtypBoolean:
        wr_u8(w, v->v.b);
        return true;
    case PtypString:
    case PtypString8: {
        struct blob all = text(v->v.s), s = cut(all, OFFLINE_STRING_MAX);
        *present = s.n != 0;
        if (*present)
            put_string(w, s);
        return s.n == all.n;
    }
    case PtypBinary:
        *present = v->v.bin.n != 0 && v->v.bin.n <= OFFLINE_BINARY_MAX;
        if (*present)
            put_binary(w, v->v.bin);
        return *present || v->v.bin.n == 0;
    case PtypMultipleInteger32:
        return put_numbers(w, v, present);
    case PtypMultipleString:
    case PtypMultipleString8:
    case PtypMultipleBinary:
        return put_many(w, a, type, v, present);
    default: /* only indicated */
        *present = false;
        return false;
    }
}

static bool same_type(uint16_t type, uint16_t of_value)
{
    return type == PtypObject || prop_type(prop_unicode(type)) == prop_type(prop_unicode(of_value));
}

/* --- the record -------------------------------------------------------------------------------------------------------------------------------- */

static struct propval list_of(struct arena *a, const struct tags *t)
{
    struct propval v = { .tag = PidTagOfflineAddressBookTruncatedProperties };
    v.v.mv.n = t->n;
    v.v.mv.i32 = arena_array(a, int32_t, t->n);
    for (size_t i = 0; i < t->n; i++)
        v.v.mv.i32[i] = (int32_t)t->v[i];
    return v;
}

void offline_record(struct wr *w, struct arena *a, const struct offline_column *c, const struct propval *v, size_t n, struct tags *shortened)
{
    size_t   begin = wr_mark(w), bits = (n + 7) / 8;
    uint8_t *presence = arena_alloc(a, bits);
    struct tags cut_here = { 0 };
    wr_u32(w, 0);
    wr_bytes(w, presence, bits);
    for (size_t i = 0; i < n; i++) {
        bool list = c[i].tag == PidTagOfflineAddressBookTruncatedProperties, present = false;
        struct propval one = list ? list_of(a, &cut_here) : v[i];
        if (!same_type(prop_type(c[i].tag), prop_type(one.tag)) || prop_type(one.tag) == PtypErrorCode)
            continue;
        if (!put_value(w, a, prop_type(c[i].tag), &one, &present))
            tags_add(a, &cut_here, c[i].tag);
        if (present)
            presence[i / 8] |= (uint8_t)(0x80u >> (i % 8));
    }
    for (size_t i = 0; i < bits; i++)
        wr_patch_u8(w, begin + sizeof(uint32_t) + i, presence[i]);
    wr_patch_u32(w, begin, (uint32_t)(wr_mark(w) - begin));
    if (shortened != NULL)
        *shortened = cut_here;
}

static void put_table(struct wr *w, const struct offline_column *c, size_t n, uint32_t not_primary)
{
    wr_u32(w, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        wr_u32(w, c[i].tag);
        wr_u32(w, c[i].tag == not_primary ? c[i].flags & ~(uint32_t)OFFLINE_PRIMARY : c[i].flags);
    }
}

void offline_meta(struct wr *w, const struct offline_column *header, size_t headers, const struct offline_column *object, size_t objects, uint32_t not_primary)
{
    size_t begin = wr_mark(w);
    wr_u32(w, 0);
    put_table(w, header, headers, 0);
    put_table(w, object, objects, not_primary);
    wr_patch_u32(w, begin, (uint32_t)(wr_mark(w) - begin));
}

void offline_header(struct wr *w, uint32_t version, uint32_t serial, uint32_t records)
{
    wr_u32(w, version);
    wr_u32(w, serial);
    wr_u32(w, records);
}
