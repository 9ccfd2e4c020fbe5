/* counter.c - ids and change numbers: one sequence per mailbox, each number given once.
 *
 * The next number stands in the counter row and is taken inside the write transaction, so numbers rise in the order of commits (change
 * numbers must), no two processes have the same, and a number costs no write of its own: the row is written once before the commit.
 * A savepoint that is undone does not give numbers back.  After a rollback a transaction of its own moves the row past what was given out; if
 * even that fails, the connection remembers.  Only what dies between the two (a killed process, or another writer in that moment) may be
 * numbered alike, and its numbers never left the process: answers leave after the commit. */
#include "backend/store/store_int.h"
#include "backend/base/must.h"

STMT(COUNTER_LOAD, "SELECT next_id, last_cn, event_seq, bytes, messages, assoc_messages, deleted_bytes, deleted_messages, folders "
                   "FROM counter WHERE one = 1");
STMT(COUNTER_STORE, "UPDATE counter SET next_id = ?1, last_cn = ?2, event_seq = ?3, bytes = ?4, messages = ?5, assoc_messages = ?6, "
                    "deleted_bytes = ?7, deleted_messages = ?8, folders = ?9 WHERE one = 1");
STMT(COUNTER_KEEP, "UPDATE counter SET next_id = ?1 WHERE one = 1 AND next_id < ?1");

uint64_t counter_ids(struct mailbox *m, uint32_t n)
{
    must(m->writing);
    must(m->next_id + n <= GLOBCNT_MAX);
    uint64_t first = m->next_id;
    m->next_id += n;
    m->dirty = true;
    return first;
}

uint64_t counter_id(struct mailbox *m) { return counter_ids(m, 1); }
uint64_t counter_cn(struct mailbox *m) { return m->last_cn = counter_ids(m, 1); }

static void sums_of(const struct query *q, unsigned col, struct sums *out)
{
    *out = (struct sums){ db_i64(q, col), db_i64(q, col + 1), db_i64(q, col + 2), db_i64(q, col + 3), db_i64(q, col + 4), db_i64(q, col + 5) };
}

ec_t counter_load(struct mailbox *m)
{
    DB_QUERY(q, m->db, COUNTER_LOAD);
    TRY(db_one(&q));
    m->next_id = db_u64(&q, 0);
    if (m->next_id == 0 || m->next_id > GLOBCNT_MAX)
        return EC(ecDiskError);
    if (m->next_id < m->conn->floor)
        m->next_id = m->conn->floor;
    m->first_id = m->next_id;
    m->last_cn = db_u64(&q, 1);
    m->event_seq = m->event_seq_begun = db_u64(&q, 2);
    sums_of(&q, 3, &m->sum);
    m->sum_stored = m->sum;
    m->dirty = false;
    return ecNone;
}

ec_t counter_store(struct mailbox *m)
{
    if (!m->dirty && memcmp(&m->sum, &m->sum_stored, sizeof m->sum) == 0)
        return ecNone;
    DB_QUERY(q, m->db, COUNTER_STORE);
    db_put_u64(&q, m->next_id);
    db_put_u64(&q, m->last_cn);
    db_put_u64(&q, m->event_seq);
    db_put_i64(&q, m->sum.bytes);
    db_put_i64(&q, m->sum.messages);
    db_put_i64(&q, m->sum.assoc_messages);
    db_put_i64(&q, m->sum.deleted_bytes);
    db_put_i64(&q, m->sum.deleted_messages);
    db_put_i64(&q, m->sum.folders);
    return db_run(&q);
}

static ec_t raise_mark(struct mailbox *m)
{
    TRY(db_begin(m->db));
    {
        DB_QUERY(q, m->db, COUNTER_KEEP);
        db_put_u64(&q, m->next_id);
        db_run(&q);
    }
    return db_commit(m->db);
}

void counter_keep(struct mailbox *m)
{
    if (m->creating || m->next_id == m->first_id)
        return;
    if (raise_mark(m) != ecNone) {
        db_rollback(m->db);
        m->conn->floor = m->next_id;
    }
    m->first_id = m->next_id;
}

ec_t mailbox_take_ids(struct mailbox *m, uint32_t count, uint64_t *first)
{
    TRY(store_writing(m));
    *first = counter_ids(m, count);
    return ecNone;
}

ec_t mailbox_stat(struct mailbox *m, struct mailbox_stat *out)
{
    struct sums s = m->sum;
    uint64_t cn = m->last_cn;
    if (!m->writing) {
        DB_QUERY(q, m->db, COUNTER_LOAD);
        TRY(db_one(&q));
        cn = db_u64(&q, 1);
        sums_of(&q, 3, &s);
    }
    *out = (struct mailbox_stat){ s.bytes, s.messages, s.assoc_messages, s.deleted_bytes, s.deleted_messages, s.folders, (int64_t)cn };
    return ecNone;
}
