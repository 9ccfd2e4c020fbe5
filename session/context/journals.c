/* journals.c - all mailboxes that know a context, asked and fenced one after the other, as the system. */
#include "session/context/context_int.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/store/large.h"

#define CLOSED ((uint64_t)INT64_MAX) /* a number that no request reaches */

static void know(struct context *c, const struct guid *g)
{
    struct context_private *p = c->p;
    for (size_t i = 0; i < p->nknown; i++)
        if (guid_eq(&p->known[i], g))
            return;
    p->known[p->nknown++] = *g;
}

void journals_of(struct context *c, struct blob noted)
{
    struct context_private *p = c->p;
    struct rd r = rd_blob_of(noted);
    p->known = arena_array(c->a, struct guid, c->logons + 1 + noted.n / sizeof(struct guid));
    p->nknown = 0;
    for (size_t i = 0; i < c->logons; i++)
        know(c, &c->logon[i].mailbox);
    if (!guid_eq(&c->journal, &(struct guid){ { 0 } }))
        know(c, &c->journal);
    while (r.n >= sizeof(struct guid)) {
        struct guid g;
        memcpy(g.b, rd_blob(&r, sizeof g.b).p, sizeof g.b);
        know(c, &g);
    }
}

/* Runs `work` on each mailbox in a lease of its own, which ends with the call. */
static ec_t each(struct context *c, ec_t (*work)(struct context *c, struct mailbox *m, void *ctx), void *ctx)
{
    struct actor system = { ACTOR_SYSTEM, NULL };
    ec_t ec = ecNone;
    for (size_t i = 0; i < c->p->nknown && ec == ecNone; i++) {
        struct arena   *a = arena_new(SYSTEM_ARENA);
        struct mailbox *m;
        ec = mailbox_open(c->p->env.store, a, &c->p->known[i], &system, &m);
        if (ec == ecNone)
            ec = work(c, m, ctx);
        else if (ec == ecNotFound)
            ec = ecNone;
        arena_free(a);
    }
    return ec;
}

/* --- fence -------------------------------------------------------------------------------------------------------------------------- */
static ec_t fence(struct context *c, struct mailbox *m, void *epoch) { return journal_fence(m, c->id, *(uint64_t *)epoch); }

ec_t journals_fence(struct context *c, uint64_t epoch) { return each(c, fence, &epoch); }

/* --- the newest row ------------------------------------------------------------------------------------------------------------------- */
struct search { struct journal_row *row; struct guid *where; bool found; };

static ec_t newest(struct context *c, struct mailbox *m, void *ctx)
{
    struct search *s = ctx;
    struct journal_row row;
    ec_t ec = journal_get(m, c->id, &row);
    if (ec == ecNotFound || (ec == ecNone && s->found && row.seq <= s->row->seq))
        return ecNone;
    TRY(ec);
    s->found = true;
    *s->where = mailbox_info(m)->id;
    *s->row = row;
    s->row->cursor = arena_blob(c->a, row.cursor);
    s->row->delta = arena_blob(c->a, row.delta);
    s->row->answer = arena_blob(c->a, row.answer);
    return ecNone;
}

ec_t journals_newest(struct context *c, struct journal_row *out, bool *found, struct guid *where)
{
    struct search s = { out, where, false };
    ec_t ec = each(c, newest, &s);
    *found = s.found;
    return ec;
}

/* --- the end --------------------------------------------------------------------------------------------------------------------------- */
/* The row stays as a fence, emptied and with the number CLOSED, until the sweep takes it.  With epoch 0 nobody can be running: only rows that
 * are there are closed; a stalled worker of an earlier takeover stands behind the fence of that one. */
static ec_t close_one(struct context *c, struct mailbox *m, void *epoch)
{
    struct journal_row row;
    ec_t ec = journal_get(m, c->id, &row);
    if (ec == ecNotFound && *(uint64_t *)epoch == 0)
        return ecNone;
    if (ec != ecNotFound)
        TRY(ec);
    bool closed = ec == ecNone && row.seq == CLOSED;
    row = (struct journal_row){ .epoch = *(uint64_t *)epoch > c->epoch ? *(uint64_t *)epoch : c->epoch, .seq = CLOSED };
    TRY(mailbox_write(m));
    if (!closed)
        TRY(journal_put(m, c->id, &row)); /* ecInvalidObject: somebody took over from us, and the context lives */
    TRY(stage_drop_context(m, c->id));
    return mailbox_commit(m);
}

ec_t journals_close(struct context *c, uint64_t epoch) { return each(c, close_one, &epoch); }
