/* notify.c - is there anything to tell a waiting client? */
#include "session/rop/notify_int.h"

/* A backlog is told without a look at each of its events: there will be something, and the next Execute looks anyway. */
enum { LOOK = 64, BACKLOG = 512 };

static bool to_tell(struct context *c, const struct guid *mailbox, const struct event *e)
{
    const struct watching *v = watches(c);
    for (size_t i = 0; i < v->n; i++) {
        const struct watch *w = &v->v[i];
        const struct guid *of = notify_mailbox(c, w);
        if (of != NULL && guid_eq(of, mailbox) && e->seq > w->since && notify_concerns(w, e) && (!notify_is_table(w) || notify_speaks(c, w)))
            return true;
    }
    return false;
}

static ec_t event_tells(struct context *c, struct mailbox *m, const struct guid *mailbox, const struct event *e, bool *waiting)
{
    struct event part[EVENT_PARTS];
    size_t n = event_parts(e, part);
    for (size_t i = 0; i < n && !*waiting; i++) {
        bool seen;
        TRY(event_seen(m, &part[i], &seen));
        *waiting = seen && to_tell(c, mailbox, &part[i]);
    }
    return ecNone;
}

static ec_t look_through(struct context *c, struct mailbox *m, const struct position *p, uint64_t last, bool *waiting)
{
    struct event e[LOOK];
    uint64_t at = p->seq;
    for (size_t n = LOOK; n == LOOK && at < last && !*waiting; at = n != 0 ? e[n - 1].seq : last) {
        bool gap;
        TRY(event_read(m, at, LOOK, e, &n, &gap));
        *waiting = gap;
        for (size_t i = 0; i < n && !*waiting; i++)
            TRY(event_tells(c, m, &p->mailbox, &e[i], waiting));
    }
    return ecNone;
}

static const struct logon_entry *logon_of(const struct context *c, const struct guid *mailbox)
{
    for (size_t i = 0; i < c->logons; i++)
        if (guid_eq(&c->logon[i].mailbox, mailbox))
            return &c->logon[i];
    return NULL;
}

static ec_t look_closer(const struct rop_env *env, struct context *c, const struct position *p, bool *waiting)
{
    const struct logon_entry *l = logon_of(c, &p->mailbox);
    struct mailbox *m;
    uint64_t last = 0;
    if (l == NULL)
        return ecNone;
    struct actor as = { l->owner ? ACTOR_OWNER : ACTOR_DELEGATE, c->user_dn };
    TRY(mailbox_open(env->store, c->a, &p->mailbox, &as, &m));
    ec_t ec = event_last(m, &last);
    if (ec == ecNone)
        ec = look_through(c, m, p, last, waiting);
    mailbox_close(m);
    return ec;
}

static ec_t mailbox_waits(const struct rop_env *env, struct context *c, const struct position *p, bool *waiting)
{
    uint64_t last = 0;
    TRY(event_newest(env->store, &p->mailbox, &last));
    *waiting = p->owed || last < p->seq || last > p->seq + BACKLOG;
    return *waiting || last == p->seq ? ecNone : look_closer(env, c, p, waiting);
}

/* A mailbox that was removed has nothing to tell. */
ec_t notify_waiting(const struct rop_env *env, struct context *c, bool *waiting)
{
    *waiting = false;
    for (size_t i = 0; i < c->positions && !*waiting; i++) {
        ec_t ec = mailbox_waits(env, c, &c->position[i], waiting);
        if (ec != ecNone && ec != ecNotFound)
            return ec;
    }
    return ecNone;
}
