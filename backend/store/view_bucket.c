/* view_bucket.c - rows of a view come and go; the counts above them follow. */
#include "backend/store/view_bucket_int.h"

enum {
    ROWS_MAX = 512, ROWS_SPLIT = 256, ROWS_MIN = 96,       /* of a bucket: split above, merged below */
    BUCKETS_MAX = 128, BUCKETS_SPLIT = 64
};

STMT(BUCKET_NEW, "INSERT INTO view_bucket (view, level, key, id, n) VALUES (?1, ?2, ?3, ?4, ?5)");
STMT(BUCKET_DROP, "DELETE FROM view_bucket WHERE view = ?1 AND level = ?2 AND key = ?3 AND id = ?4");
STMT(BUCKET_ADD, "UPDATE view_bucket SET n = n + ?5 WHERE view = ?1 AND level = ?2 AND (key, id) ="
    " (SELECT key, id FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) <= (?3, ?4) ORDER BY key DESC, id DESC LIMIT 1)"
    " RETURNING key, id, n");
STMT(BUCKET_OF, "SELECT key, id, n FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) <= (?3, ?4) ORDER BY key DESC, id DESC LIMIT 1");
STMT(BUCKET_BEFORE, "SELECT key, id, n FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) < (?3, ?4) ORDER BY key DESC, id DESC LIMIT 1");
STMT(BUCKET_AFTER, "SELECT key, id, n FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) > (?3, ?4) ORDER BY key, id LIMIT 1");
STMT(BUCKETS_FROM, "SELECT key, id, n FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) >= (?3, ?4) ORDER BY key, id");
STMT(BUCKETS_DROP, "DELETE FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) >= (?3, ?4) AND (key, id) < (?5, ?6)");
STMT(BUCKETS_SUM, "SELECT coalesce(sum(n), 0) FROM view_bucket WHERE view = ?1 AND level = 1 AND (key, id) >= (?2, ?3) AND (key, id) < (?4, ?5)");

STMT(ROW_NEW, "INSERT INTO view_row (view, key, id) VALUES (?1, ?2, ?3)");
STMT(ROW_DROP, "DELETE FROM view_row WHERE view = ?1 AND key = ?2 AND id = ?3 RETURNING id");
STMT(ROW_HAS, "SELECT id FROM view_row WHERE view = ?1 AND key = ?2 AND id = ?3");
STMT(ROW_NTH, "SELECT key, id FROM view_row WHERE view = ?1 AND (key, id) >= (?2, ?3) ORDER BY key, id LIMIT 1 OFFSET ?4");

/* Keys begin with one of 01, 02, FD, FE (view_key.h). */
struct view_at view_at_begin(void) { return (struct view_at){ blob_of("", 0), 0 }; }
struct view_at view_at_end(void)   { return (struct view_at){ blob_of("\xFF", 1), 0 }; }

static bool is_first(const struct bucket *b) { return b->nkey == 0 && b->id == 0; }

/* One of BUCKET_OF, BUCKET_BEFORE, BUCKET_AFTER. */
static ec_t find(struct db *db, const struct stmt *s, int64_t view, int level, const struct view_at *at, struct bucket *out)
{
    struct query q __attribute__((cleanup(db_end))) = db_query(db, s);
    bucket_put(&q, view, level, at);
    out->there = false;
    if (db_row(&q))
        bucket_take(&q, out);
    return db_ec(&q);
}

static ec_t add(struct db *db, int64_t view, int level, const struct view_at *at, int64_t delta, struct bucket *out)
{
    DB_QUERY(q, db, BUCKET_ADD);
    bucket_put(&q, view, level, at);
    db_put_i64(&q, delta);
    out->there = false;
    while (db_row(&q))
        bucket_take(&q, out);
    TRY(db_ec(&q));
    return out->there ? ecNone : EC(ecCorruptData);
}

static ec_t make(struct db *db, int64_t view, int level, const struct view_at *at, int64_t n)
{
    DB_QUERY(q, db, BUCKET_NEW);
    bucket_put(&q, view, level, at);
    db_put_i64(&q, n);
    return db_run(&q);
}

static ec_t drop(struct db *db, int64_t view, int level, const struct view_at *at)
{
    DB_QUERY(q, db, BUCKET_DROP);
    bucket_put(&q, view, level, at);
    return db_run(&q);
}

ec_t view_bucket_start(struct db *db, int64_t view)
{
    struct view_at first = view_at_begin();
    TRY(make(db, view, LEVEL_ROWS, &first, 0));
    return make(db, view, LEVEL_BUCKETS, &first, 0);
}

/* --- splitting ------------------------------------------------------------------------------------------------------------------------- */

/* The end of a bucket: where the next of its level begins. */
static ec_t end_of(struct db *db, int64_t view, int level, const struct bucket *b, struct bucket *next)
{
    struct view_at at = bucket_begin(b);
    TRY(find(db, &BUCKET_AFTER, view, level, &at, next));
    if (!next->there) {
        struct view_at end = view_at_end();
        memcpy(next->key, end.key.p, end.key.n);
        next->nkey = end.key.n;
        next->id = end.id;
    }
    return ecNone;
}

static ec_t rows_of_buckets(struct db *db, int64_t view, const struct view_at *from, const struct view_at *to, int64_t *n)
{
    DB_QUERY(q, db, BUCKETS_SUM);
    db_put_i64(&q, view);
    bucket_put_at(&q, from);
    bucket_put_at(&q, to);
    TRY(db_one(&q));
    *n = db_i64(&q, 0);
    return ecNone;
}

/* Level 2: cuts off what follows the first BUCKETS_SPLIT buckets, again and again while there are too many. */
static ec_t split_above(struct db *db, int64_t view, const struct view_at *at)
{
    struct bucket over, next, cut = { .there = false };
    TRY(find(db, &BUCKET_OF, view, LEVEL_BUCKETS, at, &over));
    TRY(over.there ? ecNone : EC(ecCorruptData));
    TRY(end_of(db, view, LEVEL_BUCKETS, &over, &next));
    struct view_at from = bucket_begin(&over), to = bucket_begin(&next);
    size_t children = 0;
    {
        DB_QUERY(q, db, BUCKETS_FROM);
        bucket_put(&q, view, LEVEL_ROWS, &from);
        while (db_row(&q)) {
            struct view_at child = { db_bytes(&q, 0), db_u64(&q, 1) };
            if (view_at_cmp(&child, &to) >= 0)
                break;
            if (children++ == BUCKETS_SPLIT)
                bucket_take(&q, &cut);
        }
        TRY(db_ec(&q));
    }
    if (children <= BUCKETS_MAX)
        return ecNone;
    int64_t rows;
    struct view_at half = bucket_begin(&cut);
    TRY(rows_of_buckets(db, view, &half, &to, &rows));
    TRY(make(db, view, LEVEL_BUCKETS, &half, rows));
    TRY(add(db, view, LEVEL_BUCKETS, &from, -rows, &over));
    return split_above(db, view, &half);
}

/* Level 1: the same with rows. */
static ec_t split(struct db *db, int64_t view, struct bucket *b)
{
    while (b->n > ROWS_MAX) {
        struct view_at from = bucket_begin(b), half;
        struct bucket cut = { .n = b->n - ROWS_SPLIT };
        {
            DB_QUERY(q, db, ROW_NTH);
            db_put_i64(&q, view);
            bucket_put_at(&q, &from);
            db_put_i64(&q, ROWS_SPLIT);
            if (!db_row(&q))
                return db_ec(&q) != ecNone ? db_ec(&q) : EC(ecCorruptData);
            struct blob key = db_bytes(&q, 0);
            cut.nkey = key.n < sizeof cut.key ? key.n : sizeof cut.key;
            memcpy(cut.key, key.p, cut.nkey);
            cut.id = db_u64(&q, 1);
        }
        half = bucket_begin(&cut);
        TRY(make(db, view, LEVEL_ROWS, &half, cut.n));
        TRY(add(db, view, LEVEL_ROWS, &from, -cut.n, b));
        TRY(split_above(db, view, &half));
        *b = cut;
    }
    return ecNone;
}

/* --- rows ---------------------------------------------------------------------------------------------------------------------------------- */
static ec_t row_new(struct db *db, int64_t view, const struct view_at *row)
{
    DB_QUERY(q, db, ROW_NEW);
    db_put_i64(&q, view);
    bucket_put_at(&q, row);
    return db_run(&q);
}

static ec_t counted(struct db *db, int64_t view, const struct view_at *at, int64_t n)
{
    struct bucket b;
    TRY(add(db, view, LEVEL_BUCKETS, at, n, &b));
    TRY(add(db, view, LEVEL_ROWS, at, n, &b));
    return split(db, view, &b);
}

ec_t view_bucket_insert(struct db *db, int64_t view, const struct view_at *row)
{
    TRY(row_new(db, view, row));
    return counted(db, view, row, 1);
}

ec_t view_bucket_insert_many(struct db *db, int64_t view, const struct view_at *row, size_t n)
{
    for (size_t i = 0, j; i < n; i = j) {
        struct bucket b, next;
        TRY(find(db, &BUCKET_OF, view, LEVEL_ROWS, &row[i], &b));
        TRY(b.there ? ecNone : EC(ecCorruptData));
        TRY(end_of(db, view, LEVEL_ROWS, &b, &next));
        struct view_at to = bucket_begin(&next);
        for (j = i; j < n && view_at_cmp(&row[j], &to) < 0; j++)
            TRY(row_new(db, view, &row[j]));
        TRY(j > i ? ecNone : EC(ecCorruptData)); /* a damaged bucket */
        TRY(counted(db, view, &row[i], (int64_t)(j - i)));
    }
    return ecNone;
}

/* Joins a small bucket with the one before it, unless a bucket of level 2 begins there. */
static ec_t merge(struct db *db, int64_t view, const struct bucket *b)
{
    struct view_at at = bucket_begin(b);
    struct bucket over, before;
    TRY(find(db, &BUCKET_OF, view, LEVEL_BUCKETS, &at, &over));
    struct view_at over_at = bucket_begin(&over);
    if (!over.there || view_at_cmp(&over_at, &at) == 0)
        return ecNone;
    TRY(find(db, &BUCKET_BEFORE, view, LEVEL_ROWS, &at, &before));
    if (!before.there || (b->n > 0 && before.n + b->n > ROWS_MAX - ROWS_MIN))
        return ecNone;
    TRY(drop(db, view, LEVEL_ROWS, &at));
    at = bucket_begin(&before);
    return b->n != 0 ? add(db, view, LEVEL_ROWS, &at, b->n, &before) : ecNone;
}

/* A bucket of level 2 without rows goes, with the empty ones below it. */
static ec_t drop_above(struct db *db, int64_t view, const struct bucket *over)
{
    struct bucket next;
    TRY(end_of(db, view, LEVEL_BUCKETS, over, &next));
    struct view_at from = bucket_begin(over), to = bucket_begin(&next);
    TRY(drop(db, view, LEVEL_BUCKETS, &from));
    DB_QUERY(q, db, BUCKETS_DROP);
    bucket_put(&q, view, LEVEL_ROWS, &from);
    bucket_put_at(&q, &to);
    return db_run(&q);
}

static ec_t row_drop(struct db *db, int64_t view, const struct view_at *row, bool *was)
{
    DB_QUERY(q, db, ROW_DROP);
    db_put_i64(&q, view);
    bucket_put_at(&q, row);
    *was = false;
    while (db_row(&q))
        *was = true;
    return db_ec(&q);
}

ec_t view_bucket_remove(struct db *db, int64_t view, const struct view_at *row, bool *was)
{
    struct bucket over, b;
    TRY(row_drop(db, view, row, was));
    if (!*was)
        return ecNone;
    TRY(add(db, view, LEVEL_BUCKETS, row, -1, &over));
    TRY(add(db, view, LEVEL_ROWS, row, -1, &b));
    if (over.n == 0 && !is_first(&over))
        return drop_above(db, view, &over);
    return b.n < ROWS_MIN ? merge(db, view, &b) : ecNone;
}

ec_t view_bucket_has(struct db *db, int64_t view, const struct view_at *row, bool *there)
{
    DB_QUERY(q, db, ROW_HAS);
    db_put_i64(&q, view);
    bucket_put_at(&q, row);
    *there = db_row(&q);
    return db_ec(&q);
}
