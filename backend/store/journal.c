/* journal.c - the last change of each session context, written under its fence. */
#include "backend/store/store_int.h"
#include "backend/store/journal.h"

STMT(JOURNAL_GET, "SELECT epoch, seq, digest, running, cursor, delta, answer FROM journal WHERE context = ?1");
STMT(JOURNAL_PUT, "INSERT INTO journal (context, epoch, seq, digest, running, cursor, delta, answer, touched) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
                  "ON CONFLICT (context) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, digest = excluded.digest, running = excluded.running, "
                  "cursor = excluded.cursor, delta = excluded.delta, answer = excluded.answer, touched = excluded.touched "
                  "WHERE journal.epoch <= excluded.epoch AND (journal.seq < excluded.seq OR (journal.seq = excluded.seq AND journal.running = 1)) "
                  "RETURNING seq");
/* A fence without a change: a row with an empty digest, older than any. */
STMT(JOURNAL_FENCE, "INSERT INTO journal (context, epoch, seq, digest, running, cursor, delta, answer, touched) VALUES (?1, ?2, -1, ?3, 0, ?3, ?3, ?3, ?4) "
                    "ON CONFLICT (context) DO UPDATE SET epoch = CASE WHEN journal.epoch < excluded.epoch THEN excluded.epoch ELSE journal.epoch END, "
                    "touched = excluded.touched");
STMT(JOURNAL_DROP, "DELETE FROM journal WHERE context = ?1");

static void put_context(struct query *q, const uint8_t context[CONTEXT_ID]) { db_put_blob(q, blob_of(context, CONTEXT_ID)); }

ec_t journal_get(struct mailbox *m, const uint8_t context[CONTEXT_ID], struct journal_row *out)
{
    DB_QUERY(q, m->db, JOURNAL_GET);
    put_context(&q, context);
    TRY(db_one(&q));
    struct blob digest = db_bytes(&q, 2);
    if (digest.n == 0)
        return EC(ecNotFound);
    if (digest.n != DIGEST)
        return store_damaged(m, "journal row");
    *out = (struct journal_row){ .epoch = db_u64(&q, 0), .seq = db_u64(&q, 1), .running = db_bool(&q, 3) };
    memcpy(out->digest, digest.p, DIGEST);
    out->cursor = db_blob(&q, 4, m->arena);
    out->delta = db_blob(&q, 5, m->arena);
    out->answer = db_blob(&q, 6, m->arena);
    return ecNone;
}

ec_t journal_put(struct mailbox *m, const uint8_t context[CONTEXT_ID], const struct journal_row *row)
{
    TRY(store_writing(m));
    DB_QUERY(q, m->db, JOURNAL_PUT);
    put_context(&q, context);
    db_put_u64(&q, row->epoch);
    db_put_u64(&q, row->seq);
    db_put_blob(&q, blob_of(row->digest, DIGEST));
    db_put_i64(&q, row->running);
    db_put_blob(&q, row->cursor);
    db_put_blob(&q, row->delta);
    db_put_blob(&q, row->answer);
    db_put_u64(&q, m->now);
    if (db_row(&q))
        return ecNone;
    TRY(db_ec(&q));
    return EC(ecInvalidObject);
}

static ec_t fence(struct mailbox *m, const uint8_t context[CONTEXT_ID], uint64_t epoch)
{
    DB_QUERY(q, m->db, JOURNAL_FENCE);
    put_context(&q, context);
    db_put_u64(&q, epoch);
    db_put_blob(&q, blob_of(NULL, 0));
    db_put_u64(&q, m->now);
    return db_run(&q);
}

ec_t journal_fence(struct mailbox *m, const uint8_t context[CONTEXT_ID], uint64_t epoch)
{
    if (m->writing)
        return fence(m, context, epoch);
    TRY(mailbox_write(m));
    ec_t ec = fence(m, context, epoch);
    if (ec == ecNone)
        return mailbox_commit(m);
    mailbox_abort(m);
    return ec;
}

ec_t journal_drop(struct mailbox *m, const uint8_t context[CONTEXT_ID])
{
    TRY(store_writing(m));
    DB_QUERY(q, m->db, JOURNAL_DROP);
    put_context(&q, context);
    return db_run(&q);
}
