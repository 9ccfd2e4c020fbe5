/* view_check.c - every view against the messages of its folder: does it hold what it should, where it should, and no more? */
#include "backend/store/view_own.h"
#include "backend/store/view_rank.h"
#include "backend/store/view_value.h"

STMT(VIEWS_ALL, "SELECT id, fid, assoc, state, built, usual, used, def FROM view WHERE def IS NOT NULL ORDER BY id");

enum { CHECK_ARENA = 64 << 20 };

struct check {
    struct mailbox *m;
    void (*say)(void *ctx, const char *finding);
    void *ctx;
    size_t *findings;
    const struct view_kept *k;
    uint64_t expected;            /* rows */
    struct arena *a;              /* of a message */
    uint64_t mid;
    struct view_vals vals;
};

static void tell(struct check *c, const struct view_kept *k, const char *what)
{
    ++*c->findings;
    c->say(c->ctx, arena_printf(c->m->arena, "view %lld of folder %llu: %s", (long long)k->id, (unsigned long long)k->fid, what));
}

static const struct propval *get(void *ctx, uint32_t tag) { return view_vals_get(&((struct check *)ctx)->vals, tag); }

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct check *c = ctx;
    return message_row_sub(c->m, c->mid, subobject, r, c->a);
}

static ec_t one(void *ctx, const struct view_key *key, bool in)
{
    struct check *c = ctx;
    struct view_at at = { view_key_blob(key), c->mid };
    bool there;
    in = in && view_kept_covers(c->k, c->mid);
    TRY(view_bucket_has(c->m->db, c->k->id, &at, &there));
    c->expected += in;
    if (in != there)
        tell(c, c->k, in ? "a message is missing" : "a message does not belong there");
    return ecNone;
}

static ec_t messages(struct check *c, const struct view_kept *k)
{
    struct res_row row = { c, get, sub };
    struct message_plan plan;
    const struct tags *tags = &k->def->tags;
    TRY(message_plan(c->m, k->fid, tags->v, tags->n, &plan));
    const char *sql = arena_printf(c->m->arena, "SELECT m.mid, %s FROM message m %s WHERE m.fid = ?1 AND m.assoc = ?2 AND m.deleted = 0"
                                   " ORDER BY m.mid", plan.select, plan.join);
    struct propval *val = arena_array(c->m->arena, struct propval, tags->n + 1);
    DB_QUERY_TEXT(q, c->m->db, "VIEW_CHECK", sql);
    db_put_u64(&q, k->fid);
    db_put_i64(&q, k->assoc);
    while (db_row(&q)) {
        c->mid = db_u64(&q, 0);
        c->a = arena_new(CHECK_ARENA);
        c->vals = (struct view_vals){ tags->v, val, tags->n };
        ec_t ec = message_row_read(c->m, &plan, &q, 1, c->mid, c->a, val);
        ec = ec == ecNone ? view_value_each(c->m, &row, k->def, true, one, c) : ec;
        arena_free(c->a);
        TRY(ec);
    }
    return db_ec(&q);
}

static ec_t view(struct check *c, const struct view_kept *k)
{
    const char *wrong;
    uint64_t rows;
    c->k = k;
    c->expected = 0;
    TRY(view_rank_check(c->m->db, k->id, &wrong));
    if (wrong != NULL)
        tell(c, k, wrong);
    TRY(messages(c, k));
    TRY(view_rank_total(c->m->db, k->id, &rows));
    if (rows != c->expected)
        tell(c, k, "it has rows of messages that are not there");
    return ecNone;
}

ec_t view_check(struct mailbox *m, void (*say)(void *ctx, const char *finding), void *ctx, size_t *findings)
{
    struct check c = { .m = m, .say = say, .ctx = ctx, .findings = findings };
    DB_QUERY(q, m->db, VIEWS_ALL);
    while (db_row(&q)) {
        struct view_def def;
        struct view_kept k = { .id = db_i64(&q, 0), .fid = db_u64(&q, 1), .assoc = db_bool(&q, 2), .built = db_u64(&q, 4), .def = &def,
                               .state = db_i64(&q, 3) == VIEW_READY ? VIEW_READY : VIEW_BUILDING };
        if (view_def_unpack(m->arena, db_blob(&q, 7, m->arena), &def))
            TRY(view(&c, &k));
    }
    return db_ec(&q);
}
