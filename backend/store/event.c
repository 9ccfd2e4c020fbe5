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

static struct blob tags_blob(struct arena *a, const struct tags *t)
{
    struct wr w = wr_in(a, t->n * 4);
    for (size_t i = 0; i < t->n; i++)
        wr_u32(&w, t->v[i]);
    return wr_blob(&w);
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
        db_put_u64(&q, e->old_fid);
        db_put_u64(&q, e->old_mid);
        db_put_i64(&q, e->total);
        db_put_i64(&q, e->unread);
        db_put_i64(&q, e->flags);
        db_put_str(&q, e->message_class);
        db_put_blob(&q, tags_blob(m->arena, &e->changed));
        TRY(db_run(&q));
    }
    return seq % EVENT_TRIM_EVERY == 0 ? event_trim(m) : ecNone;
}

ec_t event_last(struct mailbox *m, uint64_t *seq)
{
    if (m->writing) {
        *seq = m->event_seq;
        return ecNone;
    }
    DB_QUERY(q, m->db, EVENT_LAST);
    TRY(db_one(&q));
    *seq = db_u64(&q, 0);
    return ecNone;
}

static void event_of(const struct query *q, struct arena *a, struct event *out)
{
    *out = (struct event){
        .seq = db_u64(q, 0), .kind = (uint16_t)db_i64(q, 1), .assoc = db_bool(q, 2),
        .fid = db_u64(q, 3), .mid = db_u64(q, 4), .old_fid = db_u64(q, 5), .old_mid = db_u64(q, 6),
        .total = (uint32_t)db_i64(q, 7), .unread = (uint32_t)db_i64(q, 8), .flags = (uint32_t)db_i64(q, 9),
        .message_class = db_text(q, 10, a),
    };
    struct blob b = db_bytes(q, 11);
    struct rd r = rd_blob_of(b);
    while (r.n >= 4)
        tags_add(a, &out->changed, rd_u32(&r));
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
