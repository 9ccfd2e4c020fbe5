/* spill.c - states too large for Redis -> the staging area of their mailbox, in the transaction of the request. */
#include "session/context/context_int.h"
#include "backend/store/large.h"
#include "session/context/header.h"

/* The lease that the request writes through, or one of the system's, which becomes part of the request. */
static struct mailbox *writing(struct context *c, struct work *w, const struct guid *id)
{
    struct actor system = { ACTOR_SYSTEM, NULL };
    struct mailbox *m;
    for (size_t i = 0; i < w->n; i++)
        if (guid_eq(&mailbox_info(w->m[i])->id, id))
            return w->m[i];
    if (mailbox_open(c->p->env.store, c->a, id, &system, &m) != ecNone || mailbox_write(m) != ecNone)
        return NULL;
    w->m = arena_grow(c->a, w->m, &w->cap, w->n, sizeof *w->m);
    return w->m[w->n++] = m;
}

static struct stage_key key_of(const struct context *c, const struct handle_entry *h)
{
    struct stage_key key = { .object = block_stage_key(h->handle, h->slot) };
    memcpy(key.context, c->id, CONTEXT_ID);
    return key;
}

static ec_t spill_one(struct context *c, struct work *w, struct handle_entry *h, struct blob state)
{
    const struct logon_entry *l = block_logon(c, h->logon_id);
    struct stage_key key = key_of(c, h);
    if (l == NULL)
        return state.n > REDIS_MAX ? EC(ecTooBig) : ecNone;
    struct mailbox *m = writing(c, w, &l->mailbox);
    if (m == NULL)
        return EC(ecServerBusy);
    TRY(stage_write(m, &key, 0, state));
    TRY(stage_resize(m, &key, state.n));
    h->staged = true;
    return ecNone;
}

/* What was staged before the request and is not named any more.  Where the logon is gone, the sweep takes it. */
static ec_t drop_one(struct context *c, struct work *w, const struct context *was, const struct handle_entry *h)
{
    const struct handle_entry *now = context_handle(c, h->handle);
    const struct logon_entry *l = block_logon(was, h->logon_id);
    struct stage_key key = key_of(c, h);
    if ((now != NULL && now->staged && now->slot == h->slot) || l == NULL)
        return ecNone;
    struct mailbox *m = writing(c, w, &l->mailbox);
    return m != NULL ? stage_drop(m, &key) : EC(ecServerBusy);
}

static ec_t drop_unnamed(struct context *c, struct work *w)
{
    struct context was = { .a = c->a };
    if (!c->p->staged || !c->p->changed || !header_load(c->p->current, &was))
        return ecNone;
    for (size_t i = 0; i < was.handles; i++)
        if (was.handle[i].staged)
            TRY(drop_one(c, w, &was, &was.handle[i]));
    return ecNone;
}

ec_t spill_all(struct context *c, struct work *w)
{
    for (size_t i = 0; i < c->handles; i++) {
        struct handle_entry *h = &c->handle[i];
        const struct block *b = block_find(c, h->handle);
        if (b == NULL || !b->dirty)
            continue;
        h->staged = false;
        if (b->state.n > SPILL_MIN)
            TRY(spill_one(c, w, h, b->state));
    }
    return drop_unnamed(c, w);
}
