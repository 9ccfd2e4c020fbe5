/* view_list.c - rows of the table view: a folder's views, what they mean, when they go. */
#include "backend/store/view_list.h"
#include "backend/store/view_bucket.h"
#include <time.h>

STMT(VIEWS_OF, "SELECT id, state, built, usual, used, def FROM view WHERE fid = ?1 AND assoc = ?2 AND def IS NOT NULL ORDER BY id LIMIT 64");
STMT(VIEW_FIND, "SELECT id, state, built, usual, used FROM view WHERE fid = ?1 AND assoc = ?2 AND def = ?3");
STMT(VIEW_STATE, "SELECT state FROM view WHERE id = ?1");
STMT(VIEW_NEW, "INSERT INTO view (fid, assoc, def, state, built, usual, used) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6) RETURNING id");
STMT(VIEW_ADVANCE, "UPDATE view SET built = ?2, state = ?3 WHERE id = ?1");
STMT(VIEW_TOUCH, "UPDATE view SET used = ?2 WHERE id = ?1");
STMT(VIEW_DROP, "UPDATE view SET state = 2, def = NULL WHERE id = ?1");
STMT(VIEW_DROP_ALL, "UPDATE view SET state = 2, def = NULL WHERE fid = ?1 AND assoc = ?2");
STMT(VIEW_UNUSED, "SELECT id FROM view WHERE fid = ?1 AND assoc = ?2 AND def IS NOT NULL AND usual = 0 ORDER BY used DESC, id DESC LIMIT 1000 OFFSET ?3");

struct sortorder view_list_default(bool assoc)
{
    if (assoc)
        return (struct sortorder){ .n = 0 };
    return (struct sortorder){ .n = 1, .col = { { PidTagMessageDeliveryTime, SORT_DESCENDING } } };
}

/* --- what a definition means is worked out once per lease ------------------------------------------------------------------------------- */
struct known { int64_t id; struct view_def def; bool good; struct known *next; };

/* Ids of views are given again when the newest is gone, so the definition is compared too. */
static const struct view_def *def_of(struct mailbox *m, int64_t id, struct blob packed)
{
    for (struct known *k = m->views; k != NULL; k = k->next)
        if (k->id == id && blob_eq(k->def.packed, packed))
            return k->good ? &k->def : NULL;
    struct known *k = arena_one(m->arena, struct known);
    k->id = id;
    k->good = view_def_unpack(m->arena, arena_blob(m->arena, packed), &k->def);
    k->next = m->views;
    m->views = k;
    return k->good ? &k->def : NULL;
}

static void take(const struct query *q, uint64_t fid, bool assoc, struct view_kept *out)
{
    *out = (struct view_kept){ .id = db_i64(q, 0), .fid = fid, .assoc = assoc, .usual = db_bool(q, 3), .built = db_u64(q, 2),
                               .used = db_i64(q, 4), .state = db_i64(q, 1) == VIEW_READY ? VIEW_READY : VIEW_BUILDING };
}

ec_t view_list_load(struct mailbox *m, uint64_t fid, bool assoc, struct view_list *out)
{
    out->n = 0;
    DB_QUERY(q, m->db, VIEWS_OF);
    db_put_u64(&q, fid);
    db_put_i64(&q, assoc);
    while (db_row(&q) && out->n < VIEW_LIST_MAX) {
        struct view_kept *k = &out->v[out->n];
        take(&q, fid, assoc, k);
        k->def = def_of(m, k->id, db_bytes(&q, 5));
        out->n += k->def != NULL;
    }
    return db_ec(&q);
}

ec_t view_list_find(struct mailbox *m, uint64_t fid, bool assoc, const struct view_def *d, struct view_kept *out, bool *found)
{
    DB_QUERY(q, m->db, VIEW_FIND);
    db_put_u64(&q, fid);
    db_put_i64(&q, assoc);
    db_put_blob(&q, d->packed);
    *found = db_row(&q);
    if (*found) {
        take(&q, fid, assoc, out);
        out->def = d;
    }
    return db_ec(&q);
}

ec_t view_list_hold(struct mailbox *m, int64_t id, struct query *hold, bool *ready)
{
    *hold = db_query(m->db, &VIEW_STATE);
    db_put_i64(hold, id);
    *ready = db_row(hold) && db_i64(hold, 0) == VIEW_READY;
    return db_ec(hold);
}

/* --- beginning and dropping ----------------------------------------------------------------------------------------------------------------- */
static ec_t drop_unused(struct mailbox *m, uint64_t fid, bool assoc)
{
    DB_QUERY(q, m->db, VIEW_UNUSED);
    db_put_u64(&q, fid);
    db_put_i64(&q, assoc);
    db_put_i64(&q, VIEW_KEEP - 1);
    int64_t id[VIEW_LIST_MAX];
    size_t n = 0;
    while (n < VIEW_LIST_MAX && db_row(&q))
        id[n++] = db_i64(&q, 0);
    TRY(db_ec(&q));
    for (size_t i = 0; i < n; i++)
        TRY(view_list_drop(m, id[i]));
    return ecNone;
}

static ec_t begin(struct mailbox *m, const struct view_kept *k, int64_t *id)
{
    DB_QUERY(q, m->db, VIEW_NEW);
    db_put_u64(&q, k->fid);
    db_put_i64(&q, k->assoc);
    db_put_blob(&q, k->def->packed);
    db_put_i64(&q, k->state);
    db_put_i64(&q, k->usual);
    db_put_i64(&q, k->used);
    while (db_row(&q))
        *id = db_i64(&q, 0);
    return db_ec(&q);
}

static bool is_default(const struct view_def *d, bool assoc)
{
    struct sortorder s = view_list_default(assoc);
    if (d->filter != NULL || d->instance != 0 || d->sort.n != s.n)
        return false;
    return s.n == 0 || (d->sort.col[0].tag == s.col[0].tag && d->sort.col[0].order == s.col[0].order);
}

ec_t view_list_begin(struct mailbox *m, uint64_t fid, bool assoc, const struct view_def *d, struct view_kept *out)
{
    TRY(drop_unused(m, fid, assoc));
    *out = (struct view_kept){ .fid = fid, .assoc = assoc, .state = VIEW_BUILDING, .used = (int64_t)time(NULL), .def = d };
    out->usual = is_default(d, assoc);
    TRY(begin(m, out, &out->id));
    return view_bucket_start(m->db, out->id);
}

ec_t view_list_usual(struct mailbox *m, uint64_t fid, bool assoc)
{
    if (assoc)
        return ecNone;
    struct view_kept k;
    struct view_def *d = arena_one(m->arena, struct view_def);
    struct sortorder s = view_list_default(assoc);
    TRY(view_def_make(m->arena, &s, 0, NULL, 0, d));
    TRY(view_list_begin(m, fid, assoc, d, &k));
    return view_list_advance(m, &k, 0, true);
}

ec_t view_list_advance(struct mailbox *m, struct view_kept *k, uint64_t built, bool ready)
{
    k->built = built;
    k->state = ready ? VIEW_READY : VIEW_BUILDING;
    DB_QUERY(q, m->db, VIEW_ADVANCE);
    db_put_i64(&q, k->id);
    db_put_u64(&q, built);
    db_put_i64(&q, k->state);
    return db_run(&q);
}

ec_t view_list_touch(struct mailbox *m, const struct view_kept *k)
{
    DB_QUERY(q, m->db, VIEW_TOUCH);
    db_put_i64(&q, k->id);
    db_put_i64(&q, (int64_t)time(NULL));
    return db_run(&q);
}

ec_t view_list_drop(struct mailbox *m, int64_t id)
{
    DB_QUERY(q, m->db, VIEW_DROP);
    db_put_i64(&q, id);
    return db_run(&q);
}

ec_t view_list_drop_all(struct mailbox *m, uint64_t fid, bool assoc)
{
    DB_QUERY(q, m->db, VIEW_DROP_ALL);
    db_put_u64(&q, fid);
    db_put_i64(&q, assoc);
    return db_run(&q);
}
