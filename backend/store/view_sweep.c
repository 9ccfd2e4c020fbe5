/* view_sweep.c - what dropped views leave behind, taken away bit by bit. */
#include "backend/store/view_int.h"
#include "backend/store/view_list.h"
#include <time.h>

enum { UNUSED_SECONDS = 14 * 86400 };

STMT(VIEW_OLD, "SELECT id FROM view WHERE state < 2 AND used < ?1 AND usual = 0 LIMIT 1");
STMT(VIEW_GONE, "SELECT id FROM view WHERE state = 2 LIMIT 1");
STMT(VIEW_DELETE, "DELETE FROM view WHERE id = ?1");
STMT(VIEW_DELETE_BUCKETS, "DELETE FROM view_bucket WHERE view = ?1");
STMT(VIEW_DELETE_ROWS, "DELETE FROM view_row WHERE view = ?1 AND (key, id) IN"
    " (SELECT key, id FROM view_row WHERE view = ?1 ORDER BY key, id LIMIT ?2) RETURNING id");

static ec_t one_id(struct mailbox *m, const struct stmt *s, int64_t before, int64_t *id, bool *found)
{
    struct query q __attribute__((cleanup(db_end))) = db_query(m->db, s);
    if (before != 0)
        db_put_i64(&q, before);
    *found = db_row(&q);
    *id = *found ? db_i64(&q, 0) : 0;
    return db_ec(&q);
}

static ec_t run_id(struct mailbox *m, const struct stmt *s, int64_t id)
{
    struct query q __attribute__((cleanup(db_end))) = db_query(m->db, s);
    db_put_i64(&q, id);
    return db_run(&q);
}

static ec_t delete_rows(struct mailbox *m, int64_t id, unsigned budget, unsigned *deleted)
{
    DB_QUERY(q, m->db, VIEW_DELETE_ROWS);
    db_put_i64(&q, id);
    db_put_i64(&q, budget);
    for (*deleted = 0; db_row(&q); )
        ++*deleted;
    return db_ec(&q);
}

/* Views outlive the sessions that made them: the age that is asked for is that of sessions. */
static ec_t drop_old(struct mailbox *m, uint32_t max_age)
{
    int64_t id, before = (int64_t)time(NULL) - (int64_t)(max_age > UNUSED_SECONDS ? max_age : UNUSED_SECONDS);
    bool found;
    TRY(one_id(m, &VIEW_OLD, before > 0 ? before : 1, &id, &found));
    return found ? view_list_drop(m, id) : ecNone;
}

ec_t view_sweep(struct mailbox *m, uint32_t max_age, unsigned budget, bool *more)
{
    int64_t id;
    TRY(drop_old(m, max_age));
    for (;;) {
        unsigned deleted;
        TRY(one_id(m, &VIEW_GONE, 0, &id, more));
        if (!*more || budget == 0)
            return ecNone;
        TRY(delete_rows(m, id, budget, &deleted));
        if (deleted < budget) {
            TRY(run_id(m, &VIEW_DELETE_BUCKETS, id));
            TRY(run_id(m, &VIEW_DELETE, id));
        }
        budget -= deleted;
    }
}
