/* conn_source.c - answers that are larger than what one holds in memory: a piece is read when the one before has gone.
 *
 * After each piece epoll decides who is next, so that a download keeps a thread for the reading and the copying of a piece and no longer, however fast the
 * peer takes it. */
#include "fcgi/conn_int.h"
#include "fcgi/record.h"
#include "backend/base/must.h"

enum { PIECE_ARENA = 16 * CONN_PIECE_MOST };

void conn_answer_from(struct conn *c, struct blob head, const struct conn_source *s)
{
    must(c->out == NULL && c->state == BUSY);
    conn_settle(c);
    c->out = record_part(c->arena, c->id, &head, 1, &c->out_n);
    c->source = *s;
}

void conn_source_end(struct conn *c, bool whole)
{
    if (c->source.more == NULL)
        return;
    c->source.more = NULL;
    c->source.ended(c->source.ctx, whole);
}

/* What the next piece is sent from; the last one lies there no more. */
static struct arena *fresh(struct conn *c)
{
    arena_free(c->piece);
    return c->piece = arena_new(PIECE_ARENA);
}

bool conn_source_next(struct conn *c)
{
    struct blob piece = blob_of(NULL, 0);
    if (c->source.more == NULL)
        return false;
    struct arena *a = fresh(c);
    if (atomic_load(&c->front->parting) || !c->source.more(c->source.ctx, a, &piece)) {
        conn_drop(c);
        return true;
    }
    if (piece.n != 0) {
        c->out = record_part(a, c->id, &piece, 1, &c->out_n);
        conn_write_later(c);
        return true;
    }
    conn_source_end(c, true);
    c->out = record_answer(a, c->id, NULL, 0, &c->out_n);
    if (c->keep && atomic_load(&c->front->draining))
        conn_give_back(c, a);
    conn_write_on(c);
    return true;
}

void conn_source_part_locked(struct conn *c)
{
    if (c->source.more != NULL)
        conn_give_up_locked(c);
}
