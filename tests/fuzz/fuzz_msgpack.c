/* fuzz_msgpack.c - packed messages, recipients and properties, entry ids, change lists and sets of ids from any bytes. */
#include "backend/base/must.h"
#include "backend/mapi/idset.h"
#include "backend/mapi/msg.h"
#include "backend/mapi/pcl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void count(void *ctx, const struct large_ref *ref)
{
    (void)ref;
    ++*(size_t *)ctx;
}

static struct blob packed(struct arena *a, const struct msg *m)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    msg_pack(&w, m);
    must(!w.full);
    return wr_blob(&w);
}

static void a_message(struct arena *a, struct blob in)
{
    struct msg m, again, base = { 0 };
    size_t     large = 0;
    if (!msg_unpack(in, a, &m))
        return;
    struct blob b = packed(a, &m);
    must(msg_unpack(b, a, &again) && blob_eq(packed(a, &again), b));
    msg_each_large(&m, count, &large);
    msg_apply(a, &base, &m);
    msg_apply(a, &again, &m);
}

static void some_properties(struct arena *a, struct blob in)
{
    struct props   p;
    struct propval v;
    props_pick(in, a, PidTagSubject, &v);
    if (!props_unpack(in, a, &p))
        return;
    for (size_t i = 0; i < p.n; i++)
        must(props_pick(in, a, p.v[i].tag, &v) && v.tag == p.v[i].tag);
}

static void a_set(struct arena *a, struct blob in, enum idset_form form)
{
    struct idset s, again;
    struct rd    r = rd_blob_of(in);
    idset_read(&r, a, form, &s);
    if (!rd_ok(&r))
        return;
    struct wr w = wr_in(a, SIZE_MAX / 4), w2 = wr_in(a, SIZE_MAX / 4);
    idset_write(&w, a, form, &s);
    r = rd_blob_of(wr_blob(&w));
    idset_read(&r, a, form, &again);
    must(rd_done(&r));
    idset_write(&w2, a, form, &again);
    must(blob_eq(wr_blob(&w2), wr_blob(&w)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena     *a = arena_new(SIZE_MAX);
    struct blob       in = blob_of(p, n);
    struct msg        m = { 0 };
    struct entryid    eid;
    struct oneoff     one;
    struct blob       dn;
    uint32_t          type;
    const struct guid g = { { 7 } };
    a_message(a, in);
    a_set(a, in, IDSET_REPLID);
    a_set(a, in, IDSET_GUID);
    some_properties(a, in);
    rcpts_unpack(in, a, &m);
    entryid_parse(in, &eid);
    entryid_oneoff_parse(a, in, &one);
    entryid_addressbook_parse(in, &type, &dn);
    struct blob merged = pcl_add(a, in, &g, 5);
    must(pcl_contains(merged, pcl_add(a, blob_of(NULL, 0), &g, 5)));
    arena_free(a);
    return 0;
}
