/* event.c - events: written with the change that they tell of, read by whoever waits, trimmed by age and count. */
#include "backend/store/store_int.h"

/* A context that comes back later than this reads its tables anew. */
enum { EVENT_KEEP = 4096, EVENT_TRIM_EVERY = 64 };
#define EVENT_AGE ((filetime_t)24 * 3600 * 10000000)

STMT(EVENT_ADD, "INSERT INTO event (seq, at, kind, assoc, fid, mid, old_fid, old_mid, total, unread, flags, class, changed) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
STMT(EVENT_READ, "SELECT seq, kind, assoc, fid, mid, old_fid, old_mid, total, unread, flags, class, changed FROM event "
                 "WHERE seq > ?1 ORDER BY seq LIMIT ?2");
STMT(EVENT_LAST, "SELECT event_seq FROM counter WHERE one = 1");
STMT(EVENT_TRIM_COUNT, "DELETE FROM event WHERE seq <= ?1");
STMT(EVENT_OLD, "SELECT max(seq) FROM (SELECT seq, at FROM event ORDER BY seq LIMIT 256) AS oldest WHERE at < ?1");

/* A step's worth at a time: events rise in both seq and time, so the old ones are a prefix. */
ec_t event_trim(struct mailbox *m)
{
    uint64_t upto = m->event_seq > EVENT_KEEP ? m->event_seq - EVENT_KEEP : 0;
    {
        DB_QUERY(q, m->db, EVENT_OLD);
        db_put_u64(&q, m->now > EVENT_AGE ? m->now - EVENT_AGE : 0);
        TRY(db_one(&q));
        if (!db_null(&q, 0) && db_u64(&q, 0) > upto)
            upto = db_u64(&q, 0);
    }
    DB_QUERY(q, m->db, EVENT_TRIM_COUNT);
    db_put_u64(&q, upto);
    return db_run(&q);
}

/* --- columns of a row: what they hold depends on the kind ------------------------------------------------------------------------------- */
static bool transfers(const struct event *e) { return e->kind == EVENT_MOVED || e->kind == EVENT_COPIED; }
static bool folder_transfers(const struct event *e) { return transfers(e) && e->mid == 0; }

/* A folder moved or copied: both parents; else tags. */
static struct blob changed_blob(struct arena *a, const struct event *e)
{
    struct wr w = wr_in(a, 16 + e->changed.n * 4);
    if (folder_transfers(e)) {
        wr_u64(&w, e->parent);
        wr_u64(&w, e->old_parent);
    }
    for (size_t i = 0; !folder_transfers(e) && i < e->changed.n; i++)
        wr_u32(&w, e->changed.v[i]);
    return wr_blob(&w);
}

static void changed_of(struct blob b, struct arena *a, struct event *out)
{
    struct rd r = rd_blob_of(b);
    if (folder_transfers(out)) {
        out->parent = rd_u64(&r);
        out->old_parent = rd_u64(&r);
    }
    while (r.n >= 4)
        tags_add(a, &out->changed, rd_u32(&r));
}

ec_t event_write(struct mailbox *m, const struct event *e)
{
    TRY(store_writing(m));
    uint64_t seq = ++m->event_seq;
    m->dirty = true;
    {
        DB_QUERY(q, m->db, EVENT_ADD);
        db_put_u64(&q, seq);
        db_put_u64(&q, m->now);
        db_put_i64(&q, e->kind);
        db_put_i64(&q, e->assoc);
        db_put_u64(&q, e->fid);
        db_put_u64(&q, e->mid);
        db_put_u64(&q, transfers(e) ? e->old_fid : e->parent);
        db_put_u64(&q, e->old_mid);
        db_put_i64(&q, e->total);
        db_put_i64(&q, e->unread);
        db_put_i64(&q, e->kind == EVENT_NEW_MAIL ? e->flags : e->bulk);
        db_put_str(&q, e->message_class);
        db_put_blob(&q, changed_blob(m->arena, e));
        TRY(db_run(&q));
    }
    return seq % EVENT_TRIM_EVERY == 0 ? event_trim(m) : ecNone;
}

bool event_written(const struct mailbox *m, uint64_t *seq)
{
    *seq = m->event_seq;
    return m->writing && m->event_seq != m->event_seq_begun;
}

static ec_t newest(struct db *db, uint64_t *seq)
{
    DB_QUERY(q, db, EVENT_LAST);
    TRY(db_one(&q));
    *seq = db_u64(&q, 0);
    return ecNone;
}

ec_t event_last(struct mailbox *m, uint64_t *seq)
{
    if (m->writing) {
        *seq = m->event_seq;
        return ecNone;
    }
    return newest(m->db, seq);
}

ec_t event_newest(struct store *s, const struct guid *mailbox, uint64_t *seq)
{
    struct conn *c;
    TRY(pool_take(s, mailbox, false, &c));
    ec_t ec = newest(c->db, seq);
    pool_give(s, c, ec == ecNone);
    return ec;
}

uint64_t event_begun(const struct mailbox *m) { return m->writing ? m->event_seq_begun : UINT64_MAX; }

static void event_of(const struct query *q, struct arena *a, struct event *out)
{
    *out = (struct event){
        .seq = db_u64(q, 0), .kind = (uint16_t)db_i64(q, 1), .assoc = db_bool(q, 2),
        .fid = db_u64(q, 3), .mid = db_u64(q, 4), .old_mid = db_u64(q, 6), .total = (uint32_t)db_i64(q, 7), .unread = (uint32_t)db_i64(q, 8),
        .message_class = db_text(q, 10, a),
    };
    *(transfers(out) ? &out->old_fid : &out->parent) = db_u64(q, 5);
    if (out->kind == EVENT_NEW_MAIL)
        out->flags = (uint32_t)db_i64(q, 9);
    else
        out->bulk = db_bool(q, 9);
    changed_of(db_bytes(q, 11), a, out);
}

/* The first event that is there tells whether some are missing; with none there, the last number given does. */
ec_t event_read(struct mailbox *m, uint64_t after, size_t n, struct event *out, size_t *got, bool *gap)
{
    uint64_t last;
    TRY(event_last(m, &last));
    *got = 0;
    *gap = false;
    DB_QUERY(q, m->db, EVENT_READ);
    db_put_u64(&q, after);
    db_put_u64(&q, n);
    while (*got < n && db_row(&q))
        event_of(&q, m->arena, &out[(*got)++]);
    TRY(db_ec(&q));
    *gap = after < last && n != 0 && (*got == 0 || out[0].seq != after + 1);
    return ecNone;
}

/* --- for those who watch -------------------------------------------------------------------------------------------------------------------- */
size_t event_parts(const struct event *e, struct event out[EVENT_PARTS])
{
    out[0] = *e;
    if (e->mid == 0 || e->total == UINT32_MAX)
        return 1;
    out[0].total = out[0].unread = UINT32_MAX;
    out[1] = (struct event){ .seq = e->seq, .kind = EVENT_MODIFIED, .fid = e->fid, .parent = e->parent, .total = e->total, .unread = e->unread };
    return 2;
}

static ec_t has(struct mailbox *m, uint64_t fid, uint32_t rights, bool *yes)
{
    uint32_t r = 0;
    ec_t ec = fid != 0 ? rights_of(m, fid, &r) : ecNone;
    *yes = (r & rights) != 0;
    return ec;
}

static void only_new(struct event *e)
{
    e->kind = EVENT_CREATED;
    e->old_fid = e->old_mid = e->old_parent = 0;
}

static void only_old(struct event *e)
{
    *e = (struct event){ .seq = e->seq, .kind = EVENT_DELETED, .assoc = e->assoc, .fid = e->old_fid, .mid = e->old_mid, .parent = e->old_parent,
                         .total = UINT32_MAX, .unread = UINT32_MAX };
}

/* A folder that is gone for good has no permissions left to ask: who may see its parent may know. */
static ec_t folder_seen(struct mailbox *m, struct event *e, bool *seen)
{
    bool old = false;
    TRY(has(m, e->fid, RIGHT_FOLDER_VISIBLE, seen));
    if (!*seen && e->kind == EVENT_DELETED)
        TRY(has(m, e->parent, RIGHT_FOLDER_VISIBLE, seen));
    if (*seen && e->kind == EVENT_COPIED) {
        TRY(has(m, e->old_fid, RIGHT_FOLDER_VISIBLE, &old));
        if (!old)
            only_new(e);
    }
    return ecNone;
}

ec_t event_seen(struct mailbox *m, struct event *e, bool *seen)
{
    bool old = false;
    *seen = true;
    if (m->actor.kind != ACTOR_DELEGATE)
        return ecNone;
    if (e->mid == 0)
        return folder_seen(m, e, seen);
    TRY(has(m, e->fid, RIGHT_READ_ANY, seen));
    if (!transfers(e))
        return ecNone;
    TRY(has(m, e->old_fid, RIGHT_READ_ANY, &old));
    if (*seen && !old)
        only_new(e);
    else if (!*seen && old && e->kind == EVENT_MOVED) {
        only_old(e);
        *seen = true;
    }
    return ecNone;
}
