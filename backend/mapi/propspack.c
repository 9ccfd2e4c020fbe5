/* propspack.c - properties in packed form, in which one value is found without the rest.
 *
 *   u8 'p', u8 version, u16 n
 *   n times in the order of the ids: u32 tag, u32 end of its bytes in the area below | LARGE
 *   the bytes of the values, one after the other
 *
 * A string is its UTF-8, a binary its bytes, a number its little-endian bytes, an array of fixed size its elements; an array of strings or
 * binaries is u32 n, n lengths of u32, then their bytes; a large value is its key and u64 size; trees are as on the wire with wide counts. */
#include "backend/base/must.h"
#include "backend/mapi/msg.h"
#include "backend/mapi/propval_int.h"
#include <stdlib.h>

enum { KIND = 'p', VERSION = 1, HEADER = 4, ENTRY = 8 };
#define LARGE 0x80000000u

/* --- packing --- */

static void pack_array(struct wr *w, const struct propval *v, size_t fixed)
{
    if (fixed != 0) {
        wr_bytes(w, v->v.mv.i16, v->v.mv.n * fixed);
        return;
    }
    wr_u32(w, (uint32_t)v->v.mv.n);
    for (size_t i = 0; i < v->v.mv.n; i++)
        wr_u32(w, (uint32_t)v->v.mv.s[i].n);
    for (size_t i = 0; i < v->v.mv.n; i++)
        wr_put(w, v->v.mv.s[i]);
}

/* Numbers and trees are written as on the wire; the arena of the writer serves for what that needs. */
static void pack_other(struct wr *w, const struct propval *v)
{
    struct pv_codec c = { w->a, 0, PV_COUNTS_WIDE };
    propval_write(w, &c, prop_type(v->tag), v);
}

static void pack_value(struct wr *w, const struct propval *v)
{
    uint16_t type = type_single(prop_type(v->tag));
    if (v->large) {
        wr_bytes(w, v->v.large.key, LARGE_KEY);
        wr_u64(w, v->v.large.size);
    } else if (type_array(prop_type(v->tag))) {
        pack_array(w, v, type_fixed_size(type));
    } else if (type == PtypString || type == PtypBinary || type == PtypObject || type == PtypServerId) {
        wr_put(w, v->v.s);
    } else {
        pack_other(w, v);
    }
}

static int by_tag(const void *a, const void *b)
{
    const struct propval *const *x = a, *const *y = b;
    return ((*x)->tag > (*y)->tag) - ((*x)->tag < (*y)->tag);
}

void props_pack(struct wr *w, const struct props *p)
{
    must(p->n <= UINT16_MAX && w->a != NULL);
    const struct propval **sorted = arena_array(w->a, const struct propval *, p->n);
    for (size_t i = 0; i < p->n; i++)
        sorted[i] = &p->v[i];
    qsort(sorted, p->n, sizeof *sorted, by_tag);
    for (size_t i = 1; i < p->n; i++)
        must(prop_id(sorted[i - 1]->tag) != prop_id(sorted[i]->tag));

    wr_u8(w, KIND);
    wr_u8(w, VERSION);
    wr_u16(w, (uint16_t)p->n);
    size_t index = wr_mark(w);
    for (size_t i = 0; i < p->n; i++)
        wr_u64(w, sorted[i]->tag);
    size_t area = wr_mark(w);
    for (size_t i = 0; i < p->n && !w->full; i++) {
        pack_value(w, sorted[i]);
        size_t end = wr_mark(w) - area;
        if (end >= LARGE)
            w->full = true; /* 2 GiB do not belong here */
        wr_patch_u32(w, index + i * ENTRY + 4, (uint32_t)end | (sorted[i]->large ? LARGE : 0));
    }
}

/* --- unpacking --- */

struct packed { struct blob index, area; size_t n; };

static bool open_packed(struct blob b, struct packed *out)
{
    struct rd r = rd_blob_of(b);
    uint8_t   kind = rd_u8(&r), version = rd_u8(&r);
    out->n = rd_count(&r, rd_u16(&r), ENTRY);
    out->index = rd_blob(&r, out->n * ENTRY);
    out->area = rd_rest(&r);
    return rd_ok(&r) && kind == KIND && version == VERSION;
}

/* Half of entry i < n of the index: half 0 is its tag, half 1 the end of its bytes.  Table rows pick several values each, so this is a plain
 * load from the index, whose size was checked against n. */
static uint32_t entry(const struct packed *p, size_t i, size_t half)
{
    const uint8_t *at = &p->index.p[i * ENTRY + half * 4];
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void unpack_array(struct rd *r, struct arena *a, size_t fixed, struct propval *out)
{
    if (fixed != 0) {
        struct blob b = rd_rest(r);
        if (b.n % fixed != 0)
            rd_fail(r, "packed array is cut");
        out->v.mv.n = b.n / fixed;
        out->v.mv.i16 = arena_dup(a, b.p, b.n);
        return;
    }
    size_t    n = rd_count(r, rd_u32(r), 4);
    struct rd lengths = rd_sub(r, n * 4);
    out->v.mv.s = arena_array(a, struct blob, n);
    out->v.mv.n = n;
    for (size_t i = 0; i < n; i++)
        out->v.mv.s[i] = rd_blob(r, rd_u32(&lengths));
}

static void unpack_value(struct rd *r, struct arena *a, struct propval *out)
{
    uint16_t type = type_single(prop_type(out->tag));
    if (!type_known(prop_type(out->tag))) {
        rd_fail(r, "packed type");
    } else if (out->large) {
        if (type != PtypString && type != PtypBinary && type != PtypObject)
            rd_fail(r, "packed type of a large value");
        rd_copy(r, out->v.large.key, LARGE_KEY);
        out->v.large.size = rd_u64(r);
    } else if (type_array(prop_type(out->tag))) {
        unpack_array(r, a, type_fixed_size(type), out);
    } else if (type == PtypString || type == PtypBinary || type == PtypObject || type == PtypServerId) {
        out->v.s = rd_rest(r);
    } else {
        struct pv_codec c = { a, 0, PV_COUNTS_WIDE };
        propval_read(r, &c, out->tag, out);
    }
}

static bool unpack_entry(const struct packed *p, struct arena *a, size_t i, struct propval *out)
{
    uint32_t at = i != 0 ? entry(p, i - 1, 1) & ~LARGE : 0, end = entry(p, i, 1);
    bool     large = (end & LARGE) != 0;
    end &= ~LARGE;
    if (at > end || end > p->area.n)
        return false;
    struct rd area = rd_blob_of(p->area);
    rd_take(&area, at);
    struct rd r = rd_sub(&area, end - at);
    *out = (struct propval){ .tag = entry(p, i, 0), .large = large };
    unpack_value(&r, a, out);
    return rd_done(&r);
}

bool props_unpack(struct blob b, struct arena *a, struct props *out)
{
    struct packed p;
    *out = (struct props){ 0 };
    if (!open_packed(b, &p))
        return false;
    struct props all = { arena_array(a, struct propval, p.n), 0, p.n };
    for (; all.n < p.n; all.n++)
        if (!unpack_entry(&p, a, all.n, &all.v[all.n]) || (all.n != 0 && prop_id(all.v[all.n - 1].tag) >= prop_id(all.v[all.n].tag)))
            return false;
    if (p.n == 0 ? p.area.n != 0 : (entry(&p, p.n - 1, 1) & ~LARGE) != p.area.n)
        return false;
    *out = all;
    return true;
}

bool props_pick(struct blob packed, struct arena *a, uint32_t tag, struct propval *out)
{
    struct packed p;
    if (!open_packed(packed, &p))
        return false;
    size_t lo = 0, hi = p.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (prop_id(entry(&p, mid, 0)) < prop_id(tag))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < p.n && prop_id(entry(&p, lo, 0)) == prop_id(tag) && unpack_entry(&p, a, lo, out);
}
