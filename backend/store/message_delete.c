/* message_delete.c - messages softly deleted (marked, and kept for recovery) or deleted for good. MS-OXCFOLD 3.2.5.11, 3.2.5.12. */
#include "backend/store/folder_int.h"
#include "backend/store/message_int.h"

STMT(MESSAGE_SOFT_DELETE, "UPDATE message SET deleted = 1, deleted_at = ?2 WHERE mid = ?1");

struct deleting { bool hard, whole; }; /* whole: the folder's views are emptied at once */

static ec_t tell_views(struct message_bulk *b, struct message_row *r)
{
    const struct deleting *d = b->own;
    bool assoc = r->i[MCOL_assoc] != 0;
    if (d->whole || r->i[MCOL_deleted] != 0 || !view_wants(b->m, b->fid, assoc, NULL))
        return ecNone;
    struct message_src was = { .m = b->m, .a = b->a, .row = r, .mid = r->mid, .fid = b->fid, .rights = RIGHTS_ALL, .many = true };
    struct view_msg w;
    message_view(&was, &w);
    return view_message_removed(b->m, &w);
}

static ec_t soft(struct message_bulk *b, struct message_row *r)
{
    DB_QUERY(q, b->m->db, MESSAGE_SOFT_DELETE);
    db_put_u64(&q, r->mid);
    db_put_u64(&q, b->m->now);
    TRY(db_run(&q));
    struct message_row now = *r;
    message_row_int(&now, MCOL_deleted, 1);
    folder_delta_add(&b->delta, &now, 1);
    return ecNone;
}

static ec_t hard(struct message_bulk *b, struct message_row *r)
{
    struct msg msg = { 0 };
    const struct props *rest = message_row_unpacked(r, b->a);
    if (rest == NULL || !rcpts_unpack(r->rcpts, b->a, &msg))
        return store_damaged(b->m, "packed parts of a message");
    msg.set = *rest;
    TRY(attach_load(b->m, b->a, r->mid, &msg));
    TRY(large_count_msg(b->m, &msg, -1));
    TRY(attach_delete_all(b->m, r->mid));
    return message_row_delete(b->m, r->mid);
}

static ec_t delete_one(struct message_bulk *b, uint64_t mid)
{
    const struct deleting *d = b->own;
    struct message_row r;
    ec_t ec;
    if (!message_bulk_row(b, mid, MCOLS_BODY, ACCESS_DELETE, d->hard, &r, &ec))
        return ec;
    bool assoc = r.i[MCOL_assoc] != 0, was_deleted = r.i[MCOL_deleted] != 0;
    folder_delta_add(&b->delta, &r, -1);
    b->delta.ever_deleted += !was_deleted;
    TRY(tell_views(b, &r));
    TRY(d->hard ? hard(b, &r) : soft(b, &r));
    enum tombstone_kind kind = (enum tombstone_kind)((assoc ? TOMB_ASSOC : TOMB_MESSAGE) | (d->hard ? 0 : TOMB_SOFT));
    TRY(tombstone_add(b->m, kind, b->fid, mid, counter_cn(b->m)));
    if (was_deleted) { /* told when it was deleted softly */
        b->done++;
        return ecNone;
    }
    return message_bulk_event(b, &(struct event){ .kind = EVENT_DELETED, .assoc = assoc, .fid = b->fid, .mid = mid });
}

ec_t messages_delete(struct mailbox *m, uint64_t fid, const uint64_t *mids, size_t n, bool hard_too, bool *partial)
{
    struct deleting d = { .hard = hard_too };
    struct message_bulk b;
    TRY(message_bulk_begin(m, fid, n, &b));
    b.own = &d;
    TRY(message_bulk_ids(&b, mids, n, delete_one));
    *partial |= b.partial;
    return message_bulk_end(&b);
}

ec_t messages_delete_all(struct mailbox *m, uint64_t fid, bool assoc, bool hard_too, bool *partial)
{
    struct deleting d = { .hard = hard_too };
    struct message_bulk b;
    TRY(message_bulk_begin(m, fid, SIZE_MAX, &b));
    d.whole = (b.rights & RIGHT_DELETE_ANY) != 0;
    b.own = &d;
    TRY(message_bulk_folder(&b, assoc, false, delete_one));
    if (hard_too)
        TRY(message_bulk_folder(&b, assoc, true, delete_one));
    *partial |= b.partial;
    if (d.whole && b.done != 0)
        TRY(view_folder_emptied(m, fid, assoc));
    return message_bulk_end(&b);
}
