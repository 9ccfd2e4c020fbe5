/* check_blobs.c - the packed parts of a mailbox: readable, and naming exactly the large values that are counted. */
#include "backend/mapi/msg.h"
#include "backend/store/check_int.h"
#include <stdlib.h>

STMT(BLOB_FOLDERS, "SELECT fid, props FROM folder");
STMT(BLOB_BODIES, "SELECT mid, props, rcpts FROM message_body");
STMT(BLOB_ATTACHMENTS, "SELECT mid, props, embedded FROM attachment");
STMT(LARGE_STAGED, "SELECT l.hash FROM stage s JOIN large l ON l.id = s.base UNION ALL SELECT l.hash FROM stage_pin p JOIN large l ON l.id = p.large");
STMT(LARGE_ALL, "SELECT hash, refs, id FROM large ORDER BY hash");

enum { BLOB_ARENA = 64 << 20 };

/* Every reference that was met. */
struct key { uint8_t b[LARGE_KEY]; };
struct keys { struct arena *a; struct key *v; size_t n, cap; };

static void met(void *ctx, const struct large_ref *ref)
{
    struct keys *k = ctx;
    k->v = arena_grow(k->a, k->v, &k->cap, k->n, sizeof *k->v);
    memcpy(k->v[k->n++].b, ref->key, LARGE_KEY);
}

static void bad(struct check *c, const char *what, uint64_t id) { check_say(c, "%s that cannot be read: %llu", what, (unsigned long long)id); }

static void look(struct keys *k, const struct msg *m) { msg_each_large(m, met, k); }

/* One row with its own memory, which is freed before the next. */
static void row(struct check *c, struct keys *k, const struct query *q, const char *what, struct blob rcpts, struct blob embedded)
{
    struct arena *a = arena_new(BLOB_ARENA);
    struct msg m = { 0 };
    uint64_t id = db_u64(q, 0);
    if (!props_unpack(db_bytes(q, 1), a, &m.set) || (rcpts.n != 0 && !rcpts_unpack(rcpts, a, &m)))
        bad(c, what, id);
    else
        look(k, &m);
    if (embedded.n != 0) {
        struct msg in = { 0 };
        if (msg_unpack(embedded, a, &in))
            look(k, &in);
        else
            bad(c, "embedded message", id);
    }
    arena_free(a);
}

static ec_t rows(struct check *c, struct keys *k)
{
    const struct blob nothing = { NULL, 0 };
    {
        DB_QUERY(q, c->m->db, BLOB_FOLDERS);
        while (db_row(&q))
            row(c, k, &q, "folder", nothing, nothing);
        TRY(db_ec(&q));
    }
    {
        DB_QUERY(q, c->m->db, BLOB_BODIES);
        while (db_row(&q))
            row(c, k, &q, "message", db_bytes(&q, 2), nothing);
        TRY(db_ec(&q));
    }
    DB_QUERY(q, c->m->db, BLOB_ATTACHMENTS);
    while (db_row(&q))
        row(c, k, &q, "attachment", nothing, db_bytes(&q, 2));
    return db_ec(&q);
}

static ec_t staged(struct check *c, struct keys *k)
{
    DB_QUERY(q, c->m->db, LARGE_STAGED);
    while (db_row(&q)) {
        struct large_ref ref = { .size = 0 };
        struct blob b = db_bytes(&q, 0);
        if (b.n == LARGE_KEY) {
            memcpy(ref.key, b.p, LARGE_KEY);
            met(k, &ref);
        }
    }
    return db_ec(&q);
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, LARGE_KEY); }

static void unknown(struct check *c, const struct key *k)
{
    check_say(c, "large value that is named but does not exist: %02x%02x%02x%02x...", k->b[0], k->b[1], k->b[2], k->b[3]);
}

/* Both lists are in the order of the keys. */
static ec_t compare(struct check *c, const struct keys *k)
{
    size_t i = 0;
    DB_QUERY(q, c->m->db, LARGE_ALL);
    while (db_row(&q)) {
        struct blob hash = db_bytes(&q, 0);
        int64_t n = 0;
        for (; i < k->n && blob_cmp(blob_of(k->v[i].b, LARGE_KEY), hash) < 0; i++)
            unknown(c, &k->v[i]);
        for (; i < k->n && blob_eq(blob_of(k->v[i].b, LARGE_KEY), hash); i++)
            n++;
        if (n != db_i64(&q, 1))
            check_say(c, "large value with another number of references than it says: id %lld, is %lld, says %lld", (long long)db_i64(&q, 2),
                      (long long)n, (long long)db_i64(&q, 1));
    }
    for (; i < k->n; i++)
        unknown(c, &k->v[i]);
    return db_ec(&q);
}

ec_t check_blobs(struct check *c)
{
    struct keys k = { .a = arena_new(SIZE_MAX) };
    ec_t ec = rows(c, &k);
    if (ec == ecNone)
        ec = staged(c, &k);
    if (ec == ecNone) {
        if (k.n != 0)
            qsort(k.v, k.n, sizeof *k.v, by_bytes);
        ec = compare(c, &k);
    }
    arena_free(k.a);
    return ec;
}
