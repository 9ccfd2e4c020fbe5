/* fuzz_restriction.c - restrictions, rule actions, sort orders and property names from any bytes: read, checked, evaluated, written. */
#include "backend/base/must.h"
#include "backend/mapi/action.h"
#include "backend/mapi/propname.h"
#include "backend/mapi/restriction.h"
#include "backend/mapi/sortorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct propval *get(void *ctx, uint32_t tag) { return props_find(ctx, tag); }

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct res_row row = { ctx, get, sub };
    return subobject & 1 ? restriction_match(r, &row) : 0;
}

static struct blob written(const struct pv_codec *c, const struct restriction *r)
{
    struct wr w = wr_in(c->a, SIZE_MAX / 4);
    restriction_write(&w, c, r);
    must(!w.full);
    return wr_blob(&w);
}

static void a_restriction(const struct pv_codec *c, struct blob in, struct props *values)
{
    struct rd           r = rd_blob_of(in);
    struct restriction *res = restriction_read(&r, c);
    if (!rd_ok(&r))
        return;
    struct tags    tags = { 0 };
    struct res_row row = { values, get, sub };
    restriction_check(res);
    restriction_tags(c->a, res, &tags);
    restriction_match(res, &row);
    restriction_print(c->a, res);
    struct blob b = written(c, res);
    struct rd   again = rd_blob_of(b);
    must(blob_eq(written(c, restriction_read(&again, c)), b) && rd_done(&again));
}

static void an_action(const struct pv_codec *c, struct blob in)
{
    struct rd            r = rd_blob_of(in);
    struct rule_actions *a = action_read(&r, c);
    if (!rd_ok(&r))
        return;
    struct wr w = wr_in(c->a, SIZE_MAX / 4);
    action_print(c->a, a);
    action_write(&w, c, a);
    struct rd again = rd_blob_of(wr_blob(&w));
    action_read(&again, c);
    must(w.full || rd_done(&again));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct arena    *a = arena_new(SIZE_MAX);
    struct pv_codec  c = { a, 1252, p[0] & 1 ? PV_COUNTS_WIDE : PV_COUNTS_ROP };
    struct blob      in = blob_of(p + 1, n - 1);
    struct props     values = { 0 };
    struct sortorder order;
    struct propname  name;
    props_set(a, &values, pv_str(PidTagSubject, "aab\xC3\xA4" "aab"));
    props_set(a, &values, pv_i32(PidTagImportance, 1));
    props_set(a, &values, pv_bin(PidTagSearchKey, blob_str("abc")));
    a_restriction(&c, in, &values);
    an_action(&c, in);
    struct rd r = rd_blob_of(in);
    sortorder_read(&r, &order);
    r = rd_blob_of(in);
    propname_read(&r, a, &name);
    arena_free(a);
    return 0;
}
