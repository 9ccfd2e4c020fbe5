/* message_move.c - messages moved and copied between folders of one mailbox. A moved message gets a new id as a copy does: what was known of the
 * old one ends in a tombstone.  MS-OXCFOLD 2.2.1.6, MS-OXCFXICS 3.1.5.3. */
#include "backend/mapi/pcl.h"
#include "backend/store/message_int.h"

STMT(MOVE_FOLDER, "SELECT type, deleted FROM folder WHERE fid = ?1");
STMT(MOVE_MESSAGE, "UPDATE message SET mid = ?2 WHERE mid = ?1");
STMT(MOVE_BODY, "UPDATE message_body SET mid = ?2 WHERE mid = ?1");
STMT(MOVE_ATTACHMENTS, "UPDATE attachment SET mid = ?2 WHERE mid = ?1");
STMT(COPY_ATTACHMENTS, "INSERT INTO attachment (mid, num, method, size, props, embedded) SELECT ?2, num, method, size, props, embedded FROM attachment WHERE mid = ?1");

struct moving { uint64_t to; bool copy; struct folder_delta delta; size_t done; };

static ec_t run2(struct mailbox *m, const struct stmt *s, uint64_t from, uint64_t to)
{
    DB_QUERY(q, m->db, *s);
    db_put_u64(&q, from);
    db_put_u64(&q, to);
    return db_run(&q);
}

/* A key that an upload brought belongs to the old id. */
static ec_t drop_foreign_key(struct message_bulk *b, struct message_row *now)
{
    struct propval v;
    if (!props_pick(now->props, b->a, PidTagSourceKey, &v))
        return ecNone;
    const struct props *all = message_row_unpacked(now, b->a);
    if (all == NULL)
        return store_damaged(b->m, "packed parts of a message");
    props_del(&now->unpacked, PidTagSourceKey);
    now->props = message_pack_props(b->a, &now->unpacked);
    return ecNone;
}

static ec_t make_row(struct message_bulk *b, const struct message_row *was, struct message_row *now)
{
    const struct moving *mv = b->own;
    uint64_t cn = counter_cn(b->m);
    *now = *was;
    now->is_unpacked = false;
    now->mid = counter_id(b->m);
    now->change_key = blob_of(NULL, 0);
    now->pcl = pcl_add(b->a, mv->copy ? blob_of(NULL, 0) : was->pcl, &b->m->info.replica, cn);
    message_row_int(now, MCOL_fid, (int64_t)mv->to);
    message_row_int(now, MCOL_cn, (int64_t)cn);
    message_row_int(now, MCOL_read_cn, 0);
    message_row_int(now, MCOL_committed, (int64_t)b->m->now);
    return drop_foreign_key(b, now);
}

static ec_t count_copy(struct message_bulk *b, struct message_row *r)
{
    struct msg msg = { 0 };
    const struct props *rest = message_row_unpacked(r, b->a);
    if (rest == NULL || !rcpts_unpack(r->rcpts, b->a, &msg))
        return store_damaged(b->m, "packed parts of a message");
    msg.set = *rest;
    TRY(attach_load(b->m, b->a, r->mid, &msg));
    return large_count_msg(b->m, &msg, 1);
}

static ec_t check_quota(struct message_bulk *b, const struct message_row *r)
{
    int64_t limit = b->m->info.quota_receive;
    struct moving *mv = b->own;
    return limit >= 0 && b->m->sum.bytes + mv->delta.bytes + r->i[MCOL_size] > limit * 1024 ? EC(ecQuotaExceeded) : ecNone;
}

static ec_t write_rows(struct message_bulk *b, struct message_row *was, const struct message_row *now)
{
    const struct moving *mv = b->own;
    if (mv->copy) {
        TRY(check_quota(b, was));
        TRY(count_copy(b, was));
        TRY(run2(b->m, &COPY_ATTACHMENTS, was->mid, now->mid));
    } else {
        TRY(run2(b->m, &MOVE_MESSAGE, was->mid, now->mid));
        TRY(run2(b->m, &MOVE_BODY, was->mid, now->mid));
        TRY(run2(b->m, &MOVE_ATTACHMENTS, was->mid, now->mid));
    }
    return message_row_save(b->m, now);
}

static ec_t tell_views(struct message_bulk *b, struct message_row *was, struct message_row *now)
{
    struct moving *mv = b->own;
    bool assoc = was->i[MCOL_assoc] != 0;
    struct message_src w = { .m = b->m, .a = b->a, .row = was, .mid = was->mid, .fid = b->fid, .rights = RIGHTS_ALL, .many = true }, n = w;
    struct view_msg vw, vn;
    n.row = now;
    n.mid = now->mid;
    n.fid = mv->to;
    message_view(&w, &vw);
    message_view(&n, &vn);
    if (!mv->copy && view_wants(b->m, b->fid, assoc, NULL))
        TRY(view_message_removed(b->m, &vw));
    return view_wants(b->m, mv->to, assoc, NULL) ? view_message_added(b->m, &vn) : ecNone;
}

static ec_t account(struct message_bulk *b, const struct message_row *was, const struct message_row *now)
{
    struct moving *mv = b->own;
    bool assoc = was->i[MCOL_assoc] != 0;
    folder_delta_add(&mv->delta, now, 1);
    mv->done++;
    if (!mv->copy) {
        folder_delta_add(&b->delta, was, -1);
        TRY(tombstone_add(b->m, assoc ? TOMB_ASSOC : TOMB_MESSAGE, b->fid, was->mid, (uint64_t)now->i[MCOL_cn]));
    }
    return message_bulk_event(b, &(struct event){ .kind = mv->copy ? EVENT_COPIED : EVENT_MOVED, .assoc = assoc, .fid = mv->to, .mid = now->mid,
                                                  .old_fid = b->fid, .old_mid = was->mid });
}

static ec_t move_one(struct message_bulk *b, uint64_t mid)
{
    struct moving *mv = b->own;
    struct message_row was, now;
    ec_t ec;
    if (!message_bulk_row(b, mid, MCOLS_BODY, mv->copy ? ACCESS_READ : ACCESS_READ | ACCESS_DELETE, false, &was, &ec)) {
        b->partial = true;
        return ec;
    }
    TRY(make_row(b, &was, &now));
    ec = write_rows(b, &was, &now);
    if (ec == (ec_t)ecQuotaExceeded && mv->done != 0) {
        b->partial = true;
        return ecNone;
    }
    TRY(ec);
    TRY(tell_views(b, &was, &now));
    return account(b, &was, &now);
}

static ec_t check_target(struct mailbox *m, uint64_t to)
{
    DB_QUERY(q, m->db, MOVE_FOLDER);
    db_put_u64(&q, to);
    TRY(db_one(&q));
    if (db_bool(&q, 1))
        return EC(ecNotFound);
    return db_i64(&q, 0) == 2 ? EC(ecSearchFolder) : need_rights(m, to, RIGHT_CREATE); /* OXCFOLD R1246 */
}

static ec_t end_target(struct message_bulk *b, struct moving *mv)
{
    if (mv->done == 0)
        return ecNone;
    TRY(folder_delta_apply(b->m, mv->to, &mv->delta));
    struct event e = { .kind = EVENT_MODIFIED, .fid = mv->to, .bulk = b->silent };
    TRY(folder_delta_event(b->m, &mv->delta, &e));
    return event_write(b->m, &e);
}

static ec_t transfer(struct mailbox *m, uint64_t from, const uint64_t *mids, size_t n, bool *partial, struct moving *mv)
{
    struct message_bulk b;
    TRY(message_bulk_begin(m, from, n, &b));
    TRY(check_target(m, mv->to));
    b.own = mv;
    TRY(message_bulk_ids(&b, mids, n, move_one));
    *partial |= b.partial;
    TRY(end_target(&b, mv));
    if (mv->copy)
        return ecNone;
    return message_bulk_end(&b);
}

ec_t messages_move(struct mailbox *m, uint64_t from, uint64_t to, const uint64_t *mids, size_t n, bool *partial)
{
    return transfer(m, from, mids, n, partial, &(struct moving){ .to = to });
}

ec_t messages_copy(struct mailbox *m, uint64_t from, uint64_t to, const uint64_t *mids, size_t n, bool *partial)
{
    return transfer(m, from, mids, n, partial, &(struct moving){ .to = to, .copy = true });
}
