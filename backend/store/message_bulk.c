/* message_bulk.c - many messages of one folder, a batch at a time: each batch has an arena of its own, counters and the folder's event come last. */
#include "backend/store/message_int.h"

enum { BATCH = 256, SCRATCH = 64 << 20, EVENTS_EACH = 1000 };

STMT(BULK_FOLDER, "SELECT total + assoc + deleted_total + deleted_assoc FROM folder WHERE fid = ?1");
STMT(BULK_NEXT, "SELECT mid FROM message WHERE fid = ?1 AND assoc = ?2 AND deleted = ?3 AND mid > ?4 ORDER BY mid LIMIT ?5");

ec_t message_bulk_begin(struct mailbox *m, uint64_t fid, size_t expected, struct message_bulk *b)
{
    *b = (struct message_bulk){ .m = m, .fid = fid, .expected = expected };
    TRY(store_writing(m));
    DB_QUERY(q, m->db, BULK_FOLDER);
    db_put_u64(&q, fid);
    TRY(db_one(&q));
    b->silent = (expected != SIZE_MAX ? expected : (size_t)db_i64(&q, 0)) > EVENTS_EACH;
    return rights_of(m, fid, &b->rights);
}

static ec_t batch(struct message_bulk *b, const uint64_t *mids, size_t n, message_bulk_fn fn)
{
    ec_t ec = ecNone;
    b->a = arena_new(SCRATCH);
    for (size_t i = 0; i < n && ec == ecNone; i++)
        ec = fn(b, mids[i]);
    arena_free(b->a);
    b->a = NULL;
    return ec;
}

ec_t message_bulk_ids(struct message_bulk *b, const uint64_t *mids, size_t n, message_bulk_fn fn)
{
    for (size_t i = 0; i < n; i += BATCH)
        TRY(batch(b, mids + i, n - i < BATCH ? n - i : BATCH, fn));
    return ecNone;
}

static ec_t next_ids(struct message_bulk *b, bool assoc, bool deleted, uint64_t after, uint64_t *mids, size_t *n)
{
    *n = 0;
    DB_QUERY(q, b->m->db, BULK_NEXT);
    db_put_u64(&q, b->fid);
    db_put_i64(&q, assoc);
    db_put_i64(&q, deleted);
    db_put_u64(&q, after);
    db_put_i64(&q, BATCH);
    while (*n < BATCH && db_row(&q))
        mids[(*n)++] = db_u64(&q, 0);
    return db_ec(&q);
}

ec_t message_bulk_folder(struct message_bulk *b, bool assoc, bool deleted, message_bulk_fn fn)
{
    uint64_t mids[BATCH], after = 0;
    for (size_t n = BATCH; n == BATCH; after = mids[n - 1]) {
        TRY(next_ids(b, assoc, deleted, after, mids, &n));
        if (n == 0)
            break;
        TRY(batch(b, mids, n, fn));
    }
    return ecNone;
}

bool message_bulk_row(struct message_bulk *b, uint64_t mid, colmask want, uint32_t access, bool deleted_too, struct message_row *r, ec_t *ec)
{
    *ec = message_row_load(b->m, b->a, mid, want | MCOLS_ALL, r);
    bool gone = *ec == (ec_t)ecNotFound || (*ec == ecNone && ((uint64_t)r->i[MCOL_fid] != b->fid || (r->i[MCOL_deleted] != 0 && !deleted_too)));
    if (gone)
        *ec = ecNone;
    if (gone || *ec != ecNone)
        return false;
    struct message_src s = { .m = b->m, .a = b->a, .row = r, .mid = mid, .fid = b->fid, .rights = b->rights };
    bool may = (message_access(&s) & access) == access;
    *ec = s.ec;
    b->partial |= !may;
    return may && *ec == ecNone;
}

ec_t message_bulk_event(struct message_bulk *b, const struct event *e)
{
    b->done++;
    if (b->silent)
        return ecNone;
    struct event one = *e;
    one.total = one.unread = UINT32_MAX;
    return event_write(b->m, &one);
}

ec_t message_bulk_end(struct message_bulk *b)
{
    if (b->done == 0)
        return ecNone;
    TRY(folder_delta_apply(b->m, b->fid, &b->delta));
    struct event e = { .kind = EVENT_MODIFIED, .fid = b->fid, .bulk = b->silent };
    TRY(folder_delta_event(b->m, &b->delta, &e));
    return event_write(b->m, &e);
}
