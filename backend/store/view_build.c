/* view_build.c - all messages of a folder, by MID, some thousand at a time -> the rows of a view. */
#include "backend/store/view_own.h"
#include "backend/store/view_value.h"
#include <stdlib.h>

enum { STEP = 8192, STEP_ARENA = 64 << 20 };

struct step {
    struct mailbox *m;
    const struct view_def *def;
    struct view_kept *kept;
    struct message_plan plan;
    const char *sql;
    struct arena *a;               /* of the step */
    struct view_at *row;
    size_t rows, cap;
    uint64_t mid, last;            /* message at hand, last one seen */
    size_t seen;
    struct view_vals vals;
};

static const struct propval *get(void *ctx, uint32_t tag) { return view_vals_get(&((struct step *)ctx)->vals, tag); }

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct step *s = ctx;
    return message_row_sub(s->m, s->mid, subobject, r, s->a);
}

static ec_t take(void *ctx, const struct view_key *key, bool in)
{
    struct step *s = ctx;
    if (!in)
        return ecNone;
    s->row = arena_grow(s->a, s->row, &s->cap, s->rows, sizeof *s->row);
    s->row[s->rows++] = (struct view_at){ arena_blob(s->a, view_key_blob(key)), s->mid };
    return ecNone;
}

static ec_t read_rows(struct step *s)
{
    struct propval *val = arena_array(s->a, struct propval, s->def->tags.n + 1);
    struct res_row row = { s, get, sub };
    s->vals = (struct view_vals){ s->def->tags.v, val, s->def->tags.n };
    DB_QUERY_TEXT(q, s->m->db, "VIEW_BUILD", s->sql);
    db_put_u64(&q, s->kept->fid);
    db_put_i64(&q, s->kept->assoc);
    db_put_u64(&q, s->kept->built);
    db_put_i64(&q, STEP);
    while (!arena_over(s->a) && db_row(&q)) {
        s->mid = s->last = db_u64(&q, 0);
        s->seen++;
        TRY(message_row_read(s->m, &s->plan, &q, 1, s->mid, s->a, val));
        TRY(view_value_each(s->m, &row, s->def, true, take, s));
    }
    return db_ec(&q);
}

static int by_place(const void *a, const void *b) { return view_at_cmp(a, b); }

/* A full arena ends a step early; the next goes on from there. */
static ec_t run(struct step *s)
{
    s->last = s->kept->built;
    TRY(read_rows(s));
    if (s->rows != 0)
        qsort(s->row, s->rows, sizeof *s->row, by_place);
    TRY(view_bucket_insert_many(s->m->db, s->kept->id, s->row, s->rows));
    return view_list_advance(s->m, s->kept, s->last, s->seen < STEP && !arena_over(s->a));
}

static ec_t step(struct mailbox *m, const struct view_def *d, const struct message_plan *plan, const char *sql, struct view_kept *k)
{
    struct arena *a = arena_new(STEP_ARENA);
    struct step s = { .m = m, .def = d, .kept = k, .plan = *plan, .sql = sql, .a = a };
    ec_t ec = run(&s);
    arena_free(a);
    return ec;
}

/* Whoever comes while it is being built goes on where the last step ended, so each step looks again where that is. */
static ec_t look_and_step(struct mailbox *m, const struct view_kept *want, const struct message_plan *plan, const char *sql, struct view_kept *k)
{
    bool found;
    TRY(view_list_find(m, want->fid, want->assoc, want->def, k, &found));
    if (!found)
        TRY(view_list_begin(m, want->fid, want->assoc, want->def, k));
    return k->state == VIEW_READY ? ecNone : step(m, want->def, plan, sql, k);
}

static ec_t own_step(struct mailbox *m, const struct view_kept *want, const struct message_plan *plan, const char *sql, struct view_kept *k)
{
    TRY(db_begin(m->db));
    ec_t ec = look_and_step(m, want, plan, sql, k);
    if (ec == ecNone)
        return db_commit(m->db);
    db_rollback(m->db);
    return ec;
}

ec_t view_build(struct mailbox *m, uint64_t fid, bool assoc, const struct view_def *d, struct view_kept *out)
{
    struct view_kept want = { .fid = fid, .assoc = assoc, .def = d };
    struct message_plan plan;
    TRY(message_plan(m, fid, d->tags.v, d->tags.n, &plan));
    const char *sql = arena_printf(m->arena, "SELECT m.mid, %s FROM message m %s WHERE m.fid = ?1 AND m.assoc = ?2 AND m.deleted = 0"
                                   " AND m.mid > ?3 ORDER BY m.mid LIMIT ?4", plan.select, plan.join);
    do
        TRY(db_writing(m->db) ? look_and_step(m, &want, &plan, sql, out) : own_step(m, &want, &plan, sql, out));
    while (out->state != VIEW_READY);
    return ecNone;
}
