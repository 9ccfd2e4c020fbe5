/* notify_tell.c - after the last ROP: events behind the session's positions -> RopNotify responses; the positions move on behind what was told. */
#include "backend/base/metric.h"
#include "session/rop/notify_int.h"

enum { PENDING_BYTES = 3, SESSION_INDEX = 0 };

/* Events that concern nobody here need not be looked at again and again, but neither is each of them worth a write to Redis. */
enum { LAG = 16 };

/* --- writing ------------------------------------------------------------------------------------------------------------------------------- */
bool tell_put(struct tell *t, const struct watch *w, struct notify_data *n)
{
    struct wr *out = &t->x->out;
    size_t mark = wr_mark(out);
    n->handle = w->handle;
    n->logon_id = w->logon_id;
    notify_data_write(out, t->x->a, n);
    t->matched = true;
    if (!out->full) {
        metric_add(METRIC_notifications, 1);
        return true;
    }
    wr_rewind(out, mark);
    t->full = true;
    return false;
}

bool tell_changed(struct tell *t, const struct watch *w)
{
    return tell_put(t, w, &(struct notify_data){ .flags = NOTIFY_TABLE, .table_event = TABLE_CHANGED });
}

/* --- subscriptions --------------------------------------------------------------------------------------------------------------------------- */
static uint64_t wire(uint64_t gc) { return gc != 0 ? id_wire(REPLID_OWN, gc) : 0; }

/* Changed properties are not named, as the servers do whose version is announced (R199). */
static struct notify_data data_of(const struct event *e, const struct context *c)
{
    bool counts = e->kind == EVENT_MODIFIED && e->mid == 0;
    unsigned flags = e->kind | (e->mid != 0 ? NOTIFY_M : 0u);
    if (counts)
        flags |= (e->total != UINT32_MAX ? NOTIFY_T : 0u) | (e->unread != UINT32_MAX ? NOTIFY_U : 0u);
    return (struct notify_data){
        .flags = (uint16_t)flags, .fid = wire(e->fid), .mid = wire(e->mid), .parent = wire(e->parent), .old_fid = wire(e->old_fid),
        .old_mid = wire(e->old_mid), .old_parent = wire(e->old_parent), .total = e->total, .unread = e->unread,
        .message_flags = e->flags, .unicode = c->client_mode != CLIENT_CACHED, .message_class = e->message_class,
    };
}

/* --- one event ---------------------------------------------------------------------------------------------------------------------------------- */
static bool of_mailbox(const struct tell *t, const struct watch *w)
{
    const struct guid *g = notify_mailbox(t->x->context, w);
    return g != NULL && guid_eq(g, t->mailbox);
}

static uint64_t told_upto(const struct tell *t, const struct watch *w) { return w->since > t->from ? w->since : t->from; }

/* What a bulk change did to a message that is watched, its own state has to tell. */
static ec_t tell_subscription(struct tell *t, const struct watch *w, const struct event *e, bool *done)
{
    if (e->bulk && w->mid != 0)
        return tell_gap(t, w, done);
    struct notify_data n = data_of(e, t->x->context);
    *done = tell_put(t, w, &n);
    return ecNone;
}

/* All parts of the event that concern the watch, or none if there is no room for all. */
static ec_t tell_watch(struct tell *t, struct watch *w, size_t number, size_t i, size_t upto)
{
    size_t mark = wr_mark(&t->x->out);
    bool done = true;
    for (; i < upto && done; i++) {
        if (notify_is_table(w))
            TRY(tell_table(t, w, number, i, &done));
        else if (notify_concerns(w, &t->e[i]))
            TRY(tell_subscription(t, w, &t->e[i], &done));
    }
    if (!done)
        wr_rewind(&t->x->out, mark);
    if (!done && mark == 0 && notify_is_table(w)) { /* an answer has no more room than that: these rows never fit */
        w->since = t->last;
        t->full = !tell_changed(t, w);
    }
    return ecNone;
}

/* The watches that were told already note it, so that the event can come again for the others. */
static ec_t tell_event(struct tell *t, size_t i, size_t upto)
{
    struct watching *v = watches(t->x->context);
    uint64_t seq = t->e[i].seq;
    for (size_t k = 0; k < v->n; k++) {
        struct watch *w = &v->v[k];
        if (!of_mailbox(t, w) || told_upto(t, w) >= seq)
            continue;
        TRY(tell_watch(t, w, k, i, upto));
        if (t->full)
            return ecNone;
        if (w->since < seq)
            w->since = seq;
    }
    return ecNone;
}

/* --- all events --------------------------------------------------------------------------------------------------------------------------------------- */
static ec_t take_parts(struct tell *t, const struct event *e)
{
    struct event part[EVENT_PARTS];
    size_t n = event_parts(e, part);
    for (size_t i = 0; i < n; i++) {
        bool seen;
        TRY(event_seen(t->m, &part[i], &seen));
        if (!seen)
            continue;
        t->e = arena_grow(t->x->a, t->e, &t->cap, t->n, sizeof *t->e);
        t->e[t->n++] = part[i];
    }
    return ecNone;
}

/* Only who knows all of them can say where a row stands that the client does not know yet. */
static ec_t tell_taken(struct tell *t)
{
    TRY(tell_tables(t));
    for (size_t i = 0, upto; i < t->n && !t->full; i = upto) {
        for (upto = i + 1; upto < t->n && t->e[upto].seq == t->e[i].seq; )
            upto++;
        TRY(tell_event(t, i, upto));
        if (!t->full)
            t->from = t->e[i].seq;
    }
    if (!t->full)
        t->from = t->last;
    return ecNone;
}

/* --- debts: watches that missed events --------------------------------------------------------------------------------------------------------------- */
static void owe(struct tell *t, uint64_t missed, uint64_t since)
{
    struct watching *v = watches(t->x->context);
    for (size_t k = 0; k < v->n; k++)
        if (of_mailbox(t, &v->v[k]) && told_upto(t, &v->v[k]) < missed) {
            v->v[k].flags |= WATCH_OWED;
            v->v[k].since = since;
        }
    t->matched = true;
}

static ec_t pay(struct tell *t)
{
    struct watching *v = watches(t->x->context);
    for (size_t k = 0; k < v->n && !t->full; k++) {
        struct watch *w = &v->v[k];
        bool done = true;
        if ((w->flags & WATCH_OWED) == 0 || !of_mailbox(t, w))
            continue;
        if (!notify_is_table(w))
            TRY(tell_gap(t, w, &done));
        else if (notify_speaks(t->x->context, w))
            done = tell_changed(t, w);
        if (!done)
            break;
        metric_add(METRIC_notifications_missed, 1);
        w->flags &= (uint8_t)~WATCH_OWED;
        w->since = t->last;
        t->matched = true;
    }
    return ecNone;
}

static bool owes(const struct tell *t)
{
    const struct watching *v = watches(t->x->context);
    for (size_t k = 0; k < v->n; k++)
        if ((v->v[k].flags & WATCH_OWED) != 0 && of_mailbox(t, &v->v[k]))
            return true;
    return false;
}

/* --- one mailbox ---------------------------------------------------------------------------------------------------------------------------------------- */

static ec_t fill_gap(struct tell *t, uint64_t missed)
{
    owe(t, missed, t->last);
    t->from = missed;
    return pay(t);
}

/* Events that were trimmed are owed. */
static ec_t tell_events(struct tell *t)
{
    struct event *e = arena_array(t->x->a, struct event, TELL_READ);
    uint64_t at = t->from;
    for (size_t n = TELL_READ; n == TELL_READ && at < t->last && !t->full; at = n != 0 ? e[n - 1].seq : t->last) {
        bool gap;
        TRY(event_read(t->m, at, TELL_READ, e, &n, &gap));
        if (gap)
            TRY(fill_gap(t, n != 0 ? e[0].seq - 1 : t->last));
        for (size_t i = 0; i < n; i++)
            TRY(take_parts(t, &e[i]));
    }
    return t->full ? ecNone : tell_taken(t);
}

/* A table that is not told of this session's own changes, and did not get as far as they are, would not know them later for what they are. */
static void forget_own(struct tell *t)
{
    struct watching *v = watches(t->x->context);
    for (size_t k = 0; k < v->n; k++) {
        struct watch *w = &v->v[k];
        if ((w->flags & WATCH_NOT_OWN) == 0 || !of_mailbox(t, w) || told_upto(t, w) >= t->last || t->own >= t->last)
            continue;
        w->flags |= told_upto(t, w) < t->own ? WATCH_OWED : 0;
        w->since = t->last;
    }
}

static void move_on(struct tell *t, struct position *p)
{
    struct watching *v = watches(t->x->context);
    if (t->full)
        forget_own(t);
    if (!t->matched && t->from - p->seq < LAG)
        return;
    for (size_t k = 0; k < v->n; k++)
        if (v->v[k].since <= t->from && of_mailbox(t, &v->v[k]))
            v->v[k].since = 0;
    p->owed = owes(t);
    watch_position_set(t->x->context, t->mailbox, t->from);
}

/* A store that was put back to an older state counts again from there. */
static void set_back(struct tell *t)
{
    struct watching *v = watches(t->x->context);
    for (size_t k = 0; k < v->n; k++)
        if (of_mailbox(t, &v->v[k]) && v->v[k].since > t->last)
            v->v[k].since = 0;
    t->from = 0;
    owe(t, UINT64_MAX, t->last);
    t->from = t->last;
    t->matched = true;
}

static ec_t tell_all(struct tell *t, struct position *p)
{
    if (t->last < p->seq)
        set_back(t);
    TRY(pay(t));
    if (!t->full)
        TRY(tell_events(t));
    move_on(t, p);
    return ecNone;
}

/* If it fails, the watches are as they were. */
static ec_t tell_mailbox(struct tell *t, struct position *p)
{
    struct watching *v = watches(t->x->context);
    const struct watch *were = arena_dup(t->x->a, v->v, v->n * sizeof *were);
    t->x->damaged |= v->damaged;
    t->from = p->seq;
    t->own = event_begun(t->m);
    ec_t ec = tell_all(t, p);
    for (size_t k = 0; ec != ecNone && k < v->n; k++)
        v->v[k] = were[k];
    return ec;
}

/* --- all of them ------------------------------------------------------------------------------------------------------------------------------------------ */

/* Of several mailboxes that this request changes only the first one's commit decides; the others' events are told when they are there for certain. */
static bool uncertain(const struct exec *x, const struct mailbox *m)
{
    if (!mailbox_writing(m) || !mailbox_changed(m))
        return false;
    for (size_t i = 0; i < x->leases; i++)
        if (mailbox_writing(x->lease[i].m) && mailbox_changed(x->lease[i].m))
            return x->lease[i].m != m;
    return false;
}

static const struct logon_entry *logon_of(const struct context *c, const struct guid *mailbox)
{
    for (size_t i = 0; i < c->logons; i++)
        if (guid_eq(&c->logon[i].mailbox, mailbox))
            return &c->logon[i];
    return NULL;
}

static bool is_open(const struct exec *x, const struct guid *mailbox)
{
    for (size_t i = 0; i < x->leases; i++)
        if (guid_eq(&x->lease[i].id, mailbox))
            return true;
    return false;
}

/* A mailbox that no ROP asked for is not even opened if nothing happened there. */
static ec_t look(struct tell *t, const struct logon_entry *l)
{
    t->m = NULL;
    if (!is_open(t->x, t->mailbox)) {
        TRY(event_newest(t->x->env->store, t->mailbox, &t->last));
        if (t->last == t->from)
            return ecNone;
    }
    TRY(rop_mailbox(&t->c, l->logon_id, false, &t->m));
    t->c.m = t->m;
    return event_last(t->m, &t->last);
}

/* *pending: there is more. */
static ec_t visit(struct exec *x, struct position *p, bool *pending)
{
    const struct logon_entry *l = logon_of(x->context, &p->mailbox);
    struct tell t = { .x = x, .mailbox = &p->mailbox, .from = p->owed ? UINT64_MAX : p->seq };
    if (l == NULL)
        return ecNone;
    t.c = (struct rop_ctx){ .a = x->a, .x = x, .out = &x->out, .codec = x->codec, .context = x->context, .logon = l, .logon_id = l->logon_id };
    TRY(look(&t, l));
    if (t.m == NULL || t.last == t.from)
        return ecNone;
    if (uncertain(x, t.m)) {
        *pending = true;
        return ecNone;
    }
    ec_t ec = tell_mailbox(&t, p);
    *pending |= t.full;
    return ec;
}

/* An error here does not undo what the ROPs did, unless it broke their transaction: what could not be told comes with the next Execute. */
static void failed(struct exec *x, ec_t ec, size_t mark)
{
    wr_rewind(&x->out, mark);
    for (size_t i = 0; i < x->leases; i++)
        if (ec == ecDiskError && mailbox_writing(x->lease[i].m))
            x->error = ec;
}

void notify_append(struct exec *x)
{
    struct context *c = x->context;
    bool pending = false;
    watch_settle(c);
    if (c->positions == 0 || x->out.n + PENDING_BYTES > x->ceiling)
        return;
    x->out.max = x->ceiling - PENDING_BYTES;
    for (size_t i = 0; i < c->positions && !pending; i++) {
        size_t mark = wr_mark(&x->out);
        ec_t ec = visit(x, &c->position[i], &pending);
        if (ec != ecNone)
            failed(x, ec, mark);
    }
    x->damaged |= objects_damaged(x->objects);
    x->out.max = x->ceiling;
    if (pending) {
        metric_add(METRIC_notifications_pending, 1);
        wr_u8(&x->out, ROP_PENDING);
        wr_u16(&x->out, SESSION_INDEX);
    }
}
