/* message_copy.c - messages copied into another mailbox: their large values and named properties move to where those live there. */
#include "backend/store/message_int.h"
#include "backend/store/named.h"

/* --- named properties: ids differ from mailbox to mailbox, names do not ---------------------------------------------------------- */
struct ids { uint16_t *from, *to; size_t n, cap; };

static void each_props(struct msg *msg, void (*fn)(void *ctx, struct props *p), void *ctx)
{
    fn(ctx, &msg->set);
    for (size_t i = 0; i < msg->nrcpt; i++)
        fn(ctx, &msg->rcpt[i].props);
    for (size_t i = 0; i < msg->natt; i++) {
        fn(ctx, &msg->att[i].set);
        if (msg->att[i].embedded != NULL)
            each_props(msg->att[i].embedded, fn, ctx); /* as deep as what was unpacked, which has a limit */
    }
}

struct collecting { struct arena *a; struct ids *ids; };

static size_t at(const struct ids *ids, uint16_t id)
{
    size_t i = 0;
    while (i < ids->n && ids->from[i] != id)
        i++;
    return i;
}

static void collect(void *ctx, struct props *p)
{
    struct collecting *c = ctx;
    for (size_t i = 0; i < p->n; i++) {
        uint16_t id = prop_id(p->v[i].tag);
        if (!prop_named(p->v[i].tag) || at(c->ids, id) < c->ids->n)
            continue;
        c->ids->from = arena_grow(c->a, c->ids->from, &c->ids->cap, c->ids->n, sizeof *c->ids->from);
        c->ids->from[c->ids->n++] = id;
    }
}

/* A value whose name cannot be made over there stays behind. */
static void rename_all(void *ctx, struct props *p)
{
    const struct ids *ids = ctx;
    size_t kept = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct propval v = p->v[i];
        uint16_t id = prop_named(v.tag) ? ids->to[at(ids, prop_id(v.tag))] : prop_id(v.tag);
        v.tag = PROP_TAG(id, prop_type(v.tag));
        if (id != 0)
            p->v[kept++] = v;
    }
    p->n = kept;
}

static ec_t move_names(struct mailbox *from, struct mailbox *to, struct msg *msg)
{
    struct arena *a = to->arena;
    struct ids ids = { 0 };
    bool missing = false;
    each_props(msg, collect, &(struct collecting){ a, &ids });
    if (ids.n == 0)
        return ecNone;
    struct propname *names = arena_array(a, struct propname, ids.n);
    ids.to = arena_array(a, uint16_t, ids.n);
    TRY(named_names(from, ids.from, ids.n, names));
    TRY(named_ids(to, names, ids.n, true, ids.to, &missing));
    each_props(msg, rename_all, &ids);
    return ecNone;
}

/* --- large values: named by their content, so they keep their names --------------------------------------------------------------- */
struct carrying { struct mailbox *from, *to; ec_t ec; };

static void carry(void *ctx, const struct large_ref *ref)
{
    struct carrying *c = ctx;
    struct large_ref there;
    struct blob bytes;
    if (c->ec == ecNone)
        c->ec = large_read(c->from, ref, 0, (size_t)ref->size, &bytes);
    if (c->ec == ecNone && bytes.n != ref->size)
        c->ec = EC(ecDiskError);
    if (c->ec == ecNone)
        c->ec = large_put(c->to, bytes, &there);
    if (c->ec == ecNone && arena_over(c->from->arena))
        c->ec = EC(ecOutOfMemory);
}

static ec_t copy_one(struct mailbox *from, struct mailbox *to, uint64_t fid, uint64_t mid, const struct message_info *i)
{
    struct msg msg;
    TRY(message_load(from, mid, LOAD_ALL, &msg));
    props_del(&msg.set, PidTagSourceKey);
    TRY(move_names(from, to, &msg));
    struct carrying c = { from, to, ecNone };
    msg_each_large(&msg, carry, &c);
    TRY(c.ec);
    for (size_t k = 0; k < msg.natt; k++)
        msg.att[k].fresh = true;
    struct message_save s = { .fid = fid, .assoc = i->assoc, .over = &msg, .keep_times = true };
    return message_save(to, &s);
}

ec_t messages_copy_to(struct mailbox *from, uint64_t from_fid, struct mailbox *to, uint64_t to_fid, const uint64_t *mids, size_t n, bool *partial)
{
    TRY(store_writing(to));
    for (size_t k = 0; k < n; k++) {
        struct message_info i;
        ec_t ec = message_open(from, from_fid, mids[k], false, &i);
        if (ec == (ec_t)ecNotFound || ec == (ec_t)ecAccessDenied) {
            *partial = true;
            continue;
        }
        TRY(ec);
        TRY(copy_one(from, to, to_fid, mids[k], &i));
    }
    return ecNone;
}
