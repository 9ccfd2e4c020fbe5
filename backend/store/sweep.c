/* sweep.c - what nobody needs any more, taken away a bounded piece at a time. */
#include "backend/store/stage_int.h"
#include "backend/store/journal.h"
#include "backend/store/view_int.h"

/* Clients that synchronize find deletions by comparing id sets; tombstones only make that quick, so they need not stay for ever. */
#define TOMBSTONE_AGE ((filetime_t)90 * 24 * 3600 * 10000000)
enum { CONTEXTS = 64, VALUES = 64 };

STMT(SWEEP_CONTEXTS, "SELECT context, max(touched) FROM (SELECT context, touched FROM stage WHERE context > ?1 UNION ALL "
                     "SELECT context, touched FROM journal WHERE context > ?1) AS c GROUP BY context ORDER BY context LIMIT 64");
STMT(SWEEP_STAGES, "SELECT count(*) FROM stage s LEFT JOIN stage_piece p ON p.stage = s.id WHERE s.context = ?1");
STMT(SWEEP_LARGE, "SELECT id, (size + 65535) / 65536 FROM large WHERE refs = 0 AND touched <= ?1 ORDER BY touched LIMIT 64");
STMT(SWEEP_PIECES, "DELETE FROM large_piece WHERE id = ?1");
STMT(SWEEP_VALUE, "DELETE FROM large WHERE id = ?1 AND refs = 0");
STMT(SWEEP_TOMBSTONES, "DELETE FROM tombstone WHERE id IN (SELECT id FROM tombstone WHERE at < ?1 ORDER BY at LIMIT ?2) RETURNING id");

struct context { uint8_t id[16]; uint64_t touched; };

struct sweep {
    struct mailbox *m;
    bool (*alive)(void *ctx, const uint8_t context[16]);
    void    *ctx;
    uint64_t before;    /* what was touched later stays */
    uint64_t left;      /* rows that may still be taken in this call */
    bool     more;
    struct context *dead;
    size_t   ndead;
};

/* False once the budget is used up. */
static bool spend(struct sweep *s, uint64_t rows)
{
    if (s->left == 0) {
        s->more = true;
        return false;
    }
    s->left -= rows < s->left ? rows : s->left;
    return true;
}

/* --- contexts ------------------------------------------------------------------------------------------------------------------- */
static ec_t contexts_after(struct mailbox *m, const struct context *last, struct context out[CONTEXTS], size_t *n)
{
    *n = 0;
    DB_QUERY(q, m->db, SWEEP_CONTEXTS);
    db_put_blob(&q, last != NULL ? blob_of(last->id, sizeof last->id) : blob_of(NULL, 0));
    while (*n < CONTEXTS && db_row(&q)) {
        struct blob b = db_bytes(&q, 0);
        if (b.n != sizeof out->id)
            return store_damaged(m, "session context of a row");
        memcpy(out[*n].id, b.p, sizeof out->id);
        out[(*n)++].touched = db_u64(&q, 1);
    }
    return db_ec(&q);
}

static ec_t rows_of(struct mailbox *m, const struct context *c, uint64_t *rows)
{
    DB_QUERY(q, m->db, SWEEP_STAGES);
    db_put_blob(&q, blob_of(c->id, sizeof c->id));
    TRY(db_one(&q));
    *rows = db_u64(&q, 0) + 1;
    return ecNone;
}

/* The dead contexts.  Asked before the write transaction: the answer may come over the network, and the dead stay dead. */
static ec_t find_dead(struct sweep *s)
{
    struct context c[CONTEXTS];
    size_t n, cap = 0;
    TRY(contexts_after(s->m, NULL, c, &n));
    while (n != 0) {
        for (size_t i = 0; i < n; i++)
            if (c[i].touched <= s->before && (s->alive == NULL || !s->alive(s->ctx, c[i].id))) {
                s->dead = arena_grow(s->m->arena, s->dead, &cap, s->ndead, sizeof *s->dead);
                s->dead[s->ndead++] = c[i];
            }
        struct context last = c[n - 1];
        TRY(contexts_after(s->m, &last, c, &n));
    }
    return ecNone;
}

static ec_t drop_dead(struct sweep *s)
{
    for (size_t i = 0; i < s->ndead; i++) {
        uint64_t rows;
        TRY(rows_of(s->m, &s->dead[i], &rows));
        if (!spend(s, rows))
            return ecNone;
        TRY(stage_drop_context(s->m, s->dead[i].id));
        TRY(journal_drop(s->m, s->dead[i].id));
    }
    return ecNone;
}

/* --- large values, tombstones ------------------------------------------------------------------------------------------------------ */
static ec_t drop_value(struct mailbox *m, int64_t id)
{
    {
        DB_QUERY(q, m->db, SWEEP_PIECES);
        db_put_i64(&q, id);
        TRY(db_run(&q));
    }
    DB_QUERY(q, m->db, SWEEP_VALUE);
    db_put_i64(&q, id);
    return db_run(&q);
}

static ec_t idle_values(struct sweep *s, int64_t id[VALUES], uint64_t pieces[VALUES], size_t *n)
{
    *n = 0;
    DB_QUERY(q, s->m->db, SWEEP_LARGE);
    db_put_u64(&q, s->before);
    while (*n < VALUES && db_row(&q)) {
        id[*n] = db_i64(&q, 0);
        pieces[(*n)++] = db_u64(&q, 1) + 1;
    }
    return db_ec(&q);
}

static ec_t large_values(struct sweep *s)
{
    int64_t id[VALUES];
    uint64_t pieces[VALUES];
    size_t n;
    do {
        TRY(idle_values(s, id, pieces, &n));
        for (size_t i = 0; i < n; i++) {
            if (!spend(s, pieces[i]))
                return ecNone;
            TRY(drop_value(s->m, id[i]));
        }
    } while (n != 0);
    return ecNone;
}

static ec_t tombstones(struct sweep *s)
{
    uint64_t n = 0;
    if (s->left == 0 || s->m->now < TOMBSTONE_AGE)
        return ecNone;
    DB_QUERY(q, s->m->db, SWEEP_TOMBSTONES);
    db_put_u64(&q, s->m->now - TOMBSTONE_AGE);
    db_put_u64(&q, s->left);
    while (db_row(&q))
        n++;
    spend(s, n);
    s->more = s->more || (n != 0 && s->left == 0);
    return db_ec(&q);
}

/* --- all ------------------------------------------------------------------------------------------------------------------------------ */
static ec_t sweep(struct sweep *s, uint32_t max_age)
{
    bool views = false;
    TRY(drop_dead(s));
    TRY(large_values(s));
    TRY(tombstones(s));
    TRY(event_trim(s->m));
    TRY(view_sweep(s->m, max_age, (unsigned)s->left, &views));
    s->more = s->more || views;
    return ecNone;
}

/* One transaction per call, unless the caller has one open. */
ec_t mailbox_sweep(struct mailbox *m, bool (*alive)(void *ctx, const uint8_t context[16]), void *ctx, uint32_t max_age, unsigned budget, bool *more)
{
    bool own = !m->writing;
    *more = false;
    TRY(need_owner(m));
    uint64_t age = (uint64_t)max_age * 10000000, now = filetime_now();
    struct sweep s = { .m = m, .alive = alive, .ctx = ctx, .before = now > age ? now - age : 0, .left = budget };
    TRY(find_dead(&s));
    TRY(mailbox_write(m));
    ec_t ec = sweep(&s, max_age);
    *more = s.more;
    if (!own)
        return ec;
    if (ec == ecNone)
        return mailbox_commit(m);
    mailbox_abort(m);
    return ec;
}
