/* pcl.c - predecessor change lists: merged, compared (MS-OXCFXICS 2.2.2.3). */
#include "backend/mapi/pcl.h"

enum { NAMESPACE = 16, LOCAL_MAX = 8 };

struct xid { struct blob ns, local; };

/* The next SizedXid; false at the end.  Latches if the list is malformed (OXCFXICS R170-R173). */
static bool next(struct rd *r, struct xid *out)
{
    if (r->n == 0)
        return false;
    size_t size = rd_u8(r);
    if (size <= NAMESPACE || size > NAMESPACE + LOCAL_MAX)
        rd_fail(r, "size of an XID");
    struct rd x = rd_sub(r, size);
    out->ns = rd_blob(&x, NAMESPACE);
    out->local = rd_rest(&x);
    rd_join(r, &x);
    return rd_ok(r);
}

static bool well_formed(struct blob b)
{
    struct rd  r = rd_blob_of(b);
    struct xid x;
    while (next(&r, &x))
        ;
    return rd_ok(&r);
}

static void put(struct wr *w, struct xid x)
{
    wr_u8(w, (uint8_t)(x.ns.n + x.local.n));
    wr_put(w, x.ns);
    wr_put(w, x.local);
}

/* Local ids of one namespace are big-endian and of one length (R2737); a longer one would be later. */
static bool newer_or_same(struct blob a, struct blob b) { return a.n != b.n ? a.n > b.n : blob_cmp(a, b) >= 0; }

struct blob pcl_add(struct arena *a, struct blob old, const struct guid *replica, uint64_t cn)
{
    if (!well_formed(old))
        old = blob_of(NULL, 0);
    struct wr local = wr_in(a, XID), w = wr_in(a, old.n + 1 + NAMESPACE + LOCAL_MAX);
    xid_write(&local, replica, cn);
    struct blob whole = wr_blob(&local);
    struct xid  mine = { blob_of(whole.p, NAMESPACE), blob_of(whole.p + NAMESPACE, whole.n - NAMESPACE) }, x;
    bool        placed = false;
    for (struct rd r = rd_blob_of(old); next(&r, &x); )
        if (blob_eq(x.ns, mine.ns) && newer_or_same(x.local, mine.local))
            mine.local = x.local;
    for (struct rd r = rd_blob_of(old); next(&r, &x); ) {
        if (blob_eq(x.ns, mine.ns))
            continue;
        if (!placed && blob_cmp(x.ns, mine.ns) > 0) { /* binary order of namespaces (R169) */
            put(&w, mine);
            placed = true;
        }
        put(&w, x);
    }
    if (!placed)
        put(&w, mine);
    return wr_blob(&w);
}

static bool contains_one(struct blob list, struct xid want)
{
    struct xid x;
    for (struct rd r = rd_blob_of(list); next(&r, &x); )
        if (blob_eq(x.ns, want.ns) && newer_or_same(x.local, want.local))
            return true;
    return false;
}

bool pcl_contains(struct blob a, struct blob b)
{
    if (!well_formed(a) || !well_formed(b))
        return false;
    struct xid x;
    for (struct rd r = rd_blob_of(b); next(&r, &x); )
        if (!contains_one(a, x))
            return false;
    return true;
}
