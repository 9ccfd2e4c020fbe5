/* view_rank.c - counts of buckets add up to the number of a row, and lead from a number to its row. */
#include "backend/store/view_rank.h"
#include "backend/store/view_bucket_int.h"

STMT(RANK_BUCKETS, "SELECT key, id, n FROM view_bucket WHERE view = ?1 AND level = ?2 AND (key, id) >= (?3, ?4) ORDER BY key, id");
STMT(RANK_TOTAL, "SELECT coalesce(sum(n), 0) FROM view_bucket WHERE view = ?1 AND level = 2");
STMT(RANK_BETWEEN, "SELECT count(*) FROM view_row WHERE view = ?1 AND (key, id) >= (?2, ?3) AND (key, id) < (?4, ?5)");
STMT(RANK_NTH, "SELECT key, id FROM view_row WHERE view = ?1 AND (key, id) >= (?2, ?3) ORDER BY key, id LIMIT 1 OFFSET ?4");
STMT(RANK_NTH_BACK, "SELECT key, id FROM view_row WHERE view = ?1 AND (key, id) < (?2, ?3) ORDER BY key DESC, id DESC LIMIT 1 OFFSET ?4");

ec_t view_rank_total(struct db *db, int64_t view, uint64_t *rows)
{
    DB_QUERY(q, db, RANK_TOTAL);
    db_put_i64(&q, view);
    TRY(db_one(&q));
    *rows = db_u64(&q, 0);
    return ecNone;
}

/* Adds up the buckets of a level, from `from` to the one where `at` lies (`in`, not counted); `rows` (may be NULL): on to the end. */
static ec_t count_to(struct db *db, int64_t view, int level, const struct view_at *from, const struct view_at *at,
                     struct bucket *in, uint64_t *before, uint64_t *rows)
{
    DB_QUERY(q, db, RANK_BUCKETS);
    bucket_put(&q, view, level, from);
    uint64_t sum = 0;
    in->there = false;
    while (db_row(&q)) {
        struct view_at begin = { db_bytes(&q, 0), db_u64(&q, 1) };
        bool behind = view_at_cmp(&begin, at) > 0;
        if (behind && rows == NULL)
            break;
        if (!behind) {
            *before += in->there ? (uint64_t)in->n : 0;
            bucket_take(&q, in);
        }
        sum += db_u64(&q, 2);
    }
    if (rows != NULL)
        *rows = sum;
    TRY(db_ec(&q));
    return in->there ? ecNone : EC(ecCorruptData);
}

static ec_t rows_between(struct db *db, int64_t view, const struct view_at *from, const struct view_at *to, uint64_t *n)
{
    DB_QUERY(q, db, RANK_BETWEEN);
    db_put_i64(&q, view);
    bucket_put_at(&q, from);
    bucket_put_at(&q, to);
    TRY(db_one(&q));
    *n = db_u64(&q, 0);
    return ecNone;
}

ec_t view_rank_of(struct db *db, int64_t view, const struct view_at *at, uint64_t *before, uint64_t *rows)
{
    struct bucket over, in;
    struct view_at from = view_at_begin();
    uint64_t rest;
    *before = 0;
    TRY(count_to(db, view, LEVEL_BUCKETS, &from, at, &over, before, rows));
    from = bucket_begin(&over);
    TRY(count_to(db, view, LEVEL_ROWS, &from, at, &in, before, NULL));
    from = bucket_begin(&in);
    TRY(rows_between(db, view, &from, at, &rest));
    *before += rest;
    return ecNone;
}

/* The bucket in which row *number lies, counted from `from`, and the one behind it; *number becomes its number in there. */
static ec_t descend(struct db *db, int64_t view, int level, const struct view_at *from, uint64_t *number, struct bucket *in, struct bucket *behind)
{
    DB_QUERY(q, db, RANK_BUCKETS);
    bucket_put(&q, view, level, from);
    in->there = false;
    while (!in->there && db_row(&q)) {
        uint64_t n = db_u64(&q, 2);
        if (*number < n)
            bucket_take(&q, in);
        else
            *number -= n;
    }
    behind->there = false;
    if (in->there && db_row(&q))
        bucket_take(&q, behind);
    return db_ec(&q);
}

/* Row `number` of a bucket, from the end that is nearer: what lies between is walked over. */
static ec_t row_in(struct db *db, int64_t view, const struct bucket *in, const struct bucket *behind, uint64_t number, struct arena *a, struct view_at *out)
{
    uint64_t n = (uint64_t)in->n;
    bool back = number >= n / 2;
    struct view_at from = !back ? bucket_begin(in) : behind->there ? bucket_begin(behind) : view_at_end();
    struct query q __attribute__((cleanup(db_end))) = db_query(db, back ? &RANK_NTH_BACK : &RANK_NTH);
    db_put_i64(&q, view);
    bucket_put_at(&q, &from);
    db_put_u64(&q, back ? n - 1 - number : number);
    ec_t ec = db_one(&q);
    if (ec != ecNone)
        return ec == (ec_t)ecNotFound ? EC(ecCorruptData) : ec;
    *out = (struct view_at){ db_blob(&q, 0, a), db_u64(&q, 1) };
    return ecNone;
}

ec_t view_rank_row(struct db *db, int64_t view, uint64_t number, struct arena *a, struct view_at *out, bool *there)
{
    struct bucket over, in, behind;
    struct view_at from = view_at_begin();
    *there = false;
    TRY(descend(db, view, LEVEL_BUCKETS, &from, &number, &over, &behind));
    if (!over.there)
        return ecNone;
    from = bucket_begin(&over);
    TRY(descend(db, view, LEVEL_ROWS, &from, &number, &in, &behind));
    TRY(in.there ? ecNone : EC(ecCorruptData));
    TRY(row_in(db, view, &in, &behind, number, a, out));
    *there = true;
    return ecNone;
}

/* --- checking ---------------------------------------------------------------------------------------------------------------------------- */

/* Every bucket of a level holds as many rows as it says. */
static ec_t check_level(struct db *db, int64_t view, int level, bool *right, uint64_t *total)
{
    struct bucket b = { .there = false }, next;
    struct view_at from = view_at_begin(), to;
    DB_QUERY(q, db, RANK_BUCKETS);
    bucket_put(&q, view, level, &from);
    *total = 0;
    *right = true;
    for (bool row = db_row(&q); row || b.there; row = row && db_row(&q)) {
        if (row)
            bucket_take(&q, &next);
        else
            next.there = false;
        uint64_t n = 0;
        from = bucket_begin(&b);
        to = next.there ? bucket_begin(&next) : view_at_end();
        if (b.there)
            TRY(rows_between(db, view, &from, &to, &n));
        *right = *right && (!b.there || (b.n >= 0 && (uint64_t)b.n == n));
        *total += n;
        b = next;
    }
    return db_ec(&q);
}

ec_t view_rank_check(struct db *db, int64_t view, const char **wrong)
{
    bool rows_right, buckets_right;
    uint64_t rows = 0, below = 0, above = 0;
    struct view_at from = view_at_begin(), to = { blob_of("\xFF\xFF", 2), 0 };
    TRY(rows_between(db, view, &from, &to, &rows));
    TRY(check_level(db, view, LEVEL_ROWS, &rows_right, &below));
    TRY(check_level(db, view, LEVEL_BUCKETS, &buckets_right, &above));
    *wrong = !rows_right ? "the row counts of a view are wrong" : !buckets_right ? "the bucket counts of a view are wrong"
           : rows != below || rows != above ? "rows of a view lie outside its buckets" : NULL;
    return ecNone;
}
