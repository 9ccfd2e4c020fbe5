/* large_msg.c - the large values of a whole message: taken out, counted. */
#include "backend/mapi/msg.h"
#include "backend/store/large_int.h"
#include "backend/base/utf.h"

/* --- taking ------------------------------------------------------------------------------------------------------------------- */
static ec_t take_value(struct mailbox *m, struct propval *v)
{
    struct large_ref ref;
    uint16_t type = prop_type(v->tag);
    if (v->large || (type != PtypString && type != PtypBinary && type != PtypObject))
        return ecNone;
    struct blob b = type == PtypString ? v->v.s : v->v.bin;
    if ((type == PtypString ? utf16_size(b) : b.n) <= LARGE_MIN)
        return ecNone;
    TRY(large_put(m, type == PtypString ? utf16_from_utf8(m->arena, b) : b, &ref));
    v->large = true;
    v->v.large = ref;
    return ecNone;
}

static ec_t take_props(struct mailbox *m, struct props *p)
{
    for (size_t i = 0; i < p->n; i++)
        TRY(take_value(m, &p->v[i]));
    return ecNone;
}

/* Embedded messages were decoded under a limit of depth, so this recursion has one. */
ec_t large_take(struct mailbox *m, struct msg *msg)
{
    TRY(take_props(m, &msg->set));
    for (size_t i = 0; i < msg->natt; i++) {
        TRY(take_props(m, &msg->att[i].set));
        if (msg->att[i].embedded != NULL)
            TRY(large_take(m, msg->att[i].embedded));
    }
    return ecNone;
}

/* --- counting ------------------------------------------------------------------------------------------------------------------- */
struct counting { struct mailbox *m; int delta; ec_t ec; };

static void count_one(void *ctx, const struct large_ref *ref)
{
    struct counting *c = ctx;
    if (c->ec == ecNone)
        c->ec = large_count(c->m, ref, c->delta);
}

ec_t large_count_msg(struct mailbox *m, const struct msg *msg, int delta)
{
    struct counting c = { m, delta, ecNone };
    msg_each_large(msg, count_one, &c);
    return c.ec;
}
