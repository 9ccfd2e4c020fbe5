/* subscription.c - a subscription's block. */
#include "session/object/subscription.h"

void obj_subscription_save(struct wr *w, const struct obj_subscription *s)
{
    wr_u16(w, s->types);
    wr_u8(w, s->whole);
    wr_u64(w, s->fid);
    wr_u64(w, s->mid);
}

bool obj_subscription_load(struct rd *r, struct arena *a, struct obj_subscription *s)
{
    (void)a;
    s->types = rd_u16(r);
    s->whole = rd_u8(r) != 0;
    s->fid = rd_u64(r);
    s->mid = rd_u64(r);
    return rd_ok(r);
}

const char *obj_subscription_describe(struct arena *a, const struct obj_subscription *s)
{
    return arena_printf(a, "subscription types=%04x whole=%d fid=%llx mid=%llx", s->types, s->whole, (unsigned long long)s->fid, (unsigned long long)s->mid);
}
