/* folder_delta.c - what messages that come, go and change mean for the counters of their folder and of the mailbox. */
#include "backend/store/message_int.h"

STMT(FOLDER_DELTA, "UPDATE folder SET total = total + ?2, unread = unread + ?3, assoc = assoc + ?4, bytes = bytes + ?5, deleted_total = deleted_total + ?6, "
     "deleted_assoc = deleted_assoc + ?7, ever_deleted = ever_deleted + ?8, content_at = ?9 WHERE fid = ?1");
STMT(FOLDER_COUNTS, "SELECT total, unread, parent FROM folder WHERE fid = ?1");

void folder_delta_add(struct folder_delta *d, const struct message_row *r, int sign)
{
    bool assoc = r->i[MCOL_assoc] != 0;
    int64_t size = r->i[MCOL_size] * sign;
    if (r->i[MCOL_deleted] != 0) {
        d->deleted_bytes += size;
        *(assoc ? &d->deleted_assoc : &d->deleted_total) += sign;
        return;
    }
    d->bytes += size;
    *(assoc ? &d->assoc : &d->total) += sign;
    if (!assoc && r->i[MCOL_is_read] == 0)
        d->unread += sign;
}

ec_t folder_delta_apply(struct mailbox *m, uint64_t fid, const struct folder_delta *d)
{
    DB_QUERY(q, m->db, FOLDER_DELTA);
    db_put_u64(&q, fid);
    const int64_t v[] = { d->total, d->unread, d->assoc, d->bytes, d->deleted_total, d->deleted_assoc, d->ever_deleted };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        db_put_i64(&q, v[i]);
    db_put_u64(&q, m->now);
    TRY(db_run(&q));
    m->sum.bytes += d->bytes;
    m->sum.messages += d->total;
    m->sum.assoc_messages += d->assoc;
    m->sum.deleted_bytes += d->deleted_bytes;
    m->sum.deleted_messages += d->deleted_total + d->deleted_assoc;
    return ecNone;
}

ec_t folder_delta_event(struct mailbox *m, const struct folder_delta *d, struct event *e)
{
    DB_QUERY(q, m->db, FOLDER_COUNTS);
    db_put_u64(&q, e->fid);
    TRY(db_one(&q));
    bool counts = d->total != 0 || d->unread != 0;
    e->total = counts ? (uint32_t)db_i64(&q, 0) : UINT32_MAX;
    e->unread = counts ? (uint32_t)db_i64(&q, 1) : UINT32_MAX;
    e->parent = db_u64(&q, 2);
    return ecNone;
}
