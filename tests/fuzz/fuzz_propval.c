/* fuzz_propval.c - tagged values, lists and rows from any bytes, in both widths of counts; what was read can be written and read again. */
#include "backend/base/must.h"
#include "backend/mapi/proprow.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void one_value(const struct pv_codec *c, struct blob in)
{
    struct rd      r = rd_blob_of(in);
    struct propval v, u;
    propval_read_tagged(&r, c, &v);
    must(arena_used(c->a) <= 400 * in.n + 4096); /* never more than the input justifies; the smallest node of a tree is one byte */
    if (!rd_ok(&r))
        return;
    propval_print(c->a, &v);
    struct propval d = propval_dup(c->a, &v);
    struct wr      w = wr_in(c->a, SIZE_MAX / 4);
    propval_write_tagged(&w, c, &d);
    must(!w.full);
    struct rd again = rd_blob_of(wr_blob(&w));
    propval_read_tagged(&again, c, &u);
    must(rd_done(&again) && u.tag == v.tag && propval_cmp(&u, &v) == 0);
    must(c->counts == PV_COUNTS_WIDE || propval_size(&v) == wr_mark(&w) - 4);
}

static void a_row(const struct pv_codec *c, struct blob in)
{
    static const uint32_t tags[] = { PidTagSubject, 0x0037001E, PidTagImportance, 0x66010000, 0x8001101F, PidTagSearchKey };
    enum { N = sizeof tags / sizeof *tags };
    struct propval v[N];
    struct rd      r = rd_blob_of(in);
    struct props   list, values = { 0 };
    props_read(&r, c, &list);
    r = rd_blob_of(in);
    proprow_read(&r, c, tags, N, v);
    if (!rd_ok(&r))
        return;
    for (size_t i = 0; i < N; i++)
        props_set(c->a, &values, v[i]);
    struct wr w = wr_in(c->a, 4096);
    proprow_write(&w, c, tags, N, &values, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct arena         *a = arena_new(SIZE_MAX);
    static const uint16_t pages[] = { 1252, 932, 65001, 65000 };
    struct pv_codec       c = { a, pages[p[0] >> 1 & 3], p[0] & 1 ? PV_COUNTS_WIDE : PV_COUNTS_ROP };
    one_value(&c, blob_of(p + 1, n - 1));
    a_row(&c, blob_of(p + 1, n - 1));
    arena_free(a);
    return 0;
}
