/* message_read.c - read state and status: kept outside of the message's own changes, so its change number stays. MS-OXCMSG 2.2.3.8-2.2.3.11. */
#include "backend/store/message_int.h"

STMT(MESSAGE_READ_SET, "UPDATE message SET is_read = ?2, flags = ?3, read_cn = ?4, committed = ?5 WHERE mid = ?1");
STMT(MESSAGE_STATUS_SET, "UPDATE message SET status = ?2 WHERE mid = ?1");

enum { RF_SUPPRESS = 0x01, RF_CLEAR_READ = 0x04, RF_RECEIPT_ONLY = 0x10, RF_CLEAR_NOTIFY_READ = 0x20, RF_CLEAR_NOTIFY_UNREAD = 0x40 };
enum { MS_IN_CONFLICT = 0x800 }; /* read-only for the client (OXCMSG R545) */

/* OXCMSG R815-R829.  A receipt that is asked for stays pending in MF_NOTIFYREAD until somebody has sent it, or the client cancels it. */
static uint32_t next_flags(uint32_t flags, uint8_t rf)
{
    bool others = (rf & (RF_CLEAR_READ | RF_RECEIPT_ONLY | RF_CLEAR_NOTIFY_READ | RF_CLEAR_NOTIFY_UNREAD)) != 0;
    bool set = !others || ((rf & RF_SUPPRESS) != 0 && (rf & (RF_CLEAR_READ | RF_RECEIPT_ONLY)) == 0);
    if (set)
        flags |= MF_READ | MF_EVERREAD;
    else if ((rf & (RF_CLEAR_READ | RF_RECEIPT_ONLY)) == RF_CLEAR_READ)
        flags &= ~(uint32_t)MF_READ;
    if ((rf & (RF_SUPPRESS | RF_CLEAR_NOTIFY_READ)) != 0)
        flags &= ~(uint32_t)MF_NOTIFYREAD;
    if ((rf & RF_CLEAR_NOTIFY_UNREAD) != 0)
        flags &= ~(uint32_t)MF_NOTIFYUNREAD;
    return flags;
}

static ec_t tell_views(struct message_bulk *b, struct message_row *was, struct message_row *now, const struct tags *changed)
{
    if (!view_wants(b->m, b->fid, was->i[MCOL_assoc] != 0, changed))
        return ecNone;
    struct message_src w = { .m = b->m, .a = b->a, .row = was, .mid = was->mid, .fid = b->fid, .rights = RIGHTS_ALL, .many = true }, n = w;
    struct view_msg vw, vn;
    n.row = now;
    message_view(&w, &vw);
    message_view(&n, &vn);
    return view_message_changed(b->m, &vw, &vn, changed);
}

struct reading { uint8_t rf; bool changed; };

static uint32_t read_tags[] = { PidTagMessageFlags, PidTagRead, PidTagLocalCommitTime };
static const struct tags read_changed = { read_tags, 3, 3 };

static ec_t read_one(struct message_bulk *b, uint64_t mid)
{
    struct reading *s = b->own;
    struct message_row r, now;
    ec_t ec;
    if (!message_bulk_row(b, mid, 0, ACCESS_READ, false, &r, &ec)) {
        b->partial |= b->expected != SIZE_MAX;
        return ec;
    }
    uint32_t was = (uint32_t)r.i[MCOL_flags], flags = next_flags(was, s->rf);
    if (flags == was)
        return ecNone;
    s->changed |= ((flags ^ was) & MF_READ) != 0;
    now = r;
    message_row_int(&now, MCOL_flags, flags);
    message_row_int(&now, MCOL_is_read, (flags & MF_READ) != 0);
    message_row_int(&now, MCOL_read_cn, (int64_t)counter_cn(b->m));
    message_row_int(&now, MCOL_committed, (int64_t)b->m->now); /* OXCMSG R1889 */
    DB_QUERY(q, b->m->db, MESSAGE_READ_SET);
    db_put_u64(&q, mid);
    db_put_i64(&q, now.i[MCOL_is_read]);
    db_put_i64(&q, flags);
    db_put_i64(&q, now.i[MCOL_read_cn]);
    db_put_u64(&q, b->m->now);
    TRY(db_run(&q));
    folder_delta_add(&b->delta, &r, -1);
    folder_delta_add(&b->delta, &now, 1);
    TRY(tell_views(b, &r, &now, &read_changed));
    bool assoc = r.i[MCOL_assoc] != 0;
    return message_bulk_event(b, &(struct event){ .kind = EVENT_MODIFIED, .assoc = assoc, .fid = b->fid, .mid = mid, .changed = read_changed });
}

ec_t messages_set_read(struct mailbox *m, uint64_t fid, const uint64_t *mids, size_t n, uint8_t read_flags, bool *changed, bool *partial)
{
    struct reading s = { .rf = read_flags };
    struct message_bulk b;
    TRY(message_bulk_begin(m, fid, n != 0 ? n : SIZE_MAX, &b));
    b.own = &s;
    TRY(n != 0 ? message_bulk_ids(&b, mids, n, read_one) : message_bulk_folder(&b, false, false, read_one));
    *changed |= s.changed;
    *partial |= b.partial;
    return message_bulk_end(&b);
}

/* --- status -------------------------------------------------------------------------------------------------------------------- */
static ec_t load(struct mailbox *m, uint64_t fid, uint64_t mid, uint32_t access, struct message_row *r)
{
    struct message_src s = { .m = m, .a = m->arena, .row = r, .mid = mid, .fid = fid };
    TRY(message_row_load(m, m->arena, mid, MCOLS_ALL, r));
    if ((uint64_t)r->i[MCOL_fid] != fid || r->i[MCOL_deleted] != 0)
        return EC(ecNotFound);
    TRY(rights_of(m, fid, &s.rights));
    bool may = (message_access(&s) & access) == access;
    return s.ec != ecNone ? s.ec : may ? ecNone : EC(ecAccessDenied);
}

ec_t message_status(struct mailbox *m, uint64_t fid, uint64_t mid, uint32_t *status)
{
    struct message_row r;
    TRY(load(m, fid, mid, ACCESS_READ, &r));
    *status = (uint32_t)r.i[MCOL_status];
    return ecNone;
}

/* OXCMSG R416, R1500, R1501 */
ec_t message_set_status(struct mailbox *m, uint64_t fid, uint64_t mid, uint32_t flags, uint32_t mask, uint32_t *old)
{
    static uint32_t tags[] = { PidTagMessageStatus };
    static const struct tags changed = { tags, 1, 1 };
    struct message_row r, now;
    TRY(store_writing(m));
    TRY(load(m, fid, mid, ACCESS_MODIFY, &r));
    *old = (uint32_t)r.i[MCOL_status];
    mask &= ~(uint32_t)MS_IN_CONFLICT;
    uint32_t status = (*old & ~mask) | (flags & mask);
    if (status == *old)
        return ecNone;
    now = r;
    message_row_int(&now, MCOL_status, status);
    {
        DB_QUERY(q, m->db, MESSAGE_STATUS_SET);
        db_put_u64(&q, mid);
        db_put_i64(&q, status);
        TRY(db_run(&q));
    }
    struct message_bulk b = { .m = m, .a = m->arena, .fid = fid };
    TRY(tell_views(&b, &r, &now, &changed));
    bool assoc = r.i[MCOL_assoc] != 0;
    return event_write(m, &(struct event){ .kind = EVENT_MODIFIED, .assoc = assoc, .fid = fid, .mid = mid, .total = UINT32_MAX, .unread = UINT32_MAX, .changed = changed });
}
