/* view_bucket.h - the rows of a stored view and how many there are where: insert, remove.
 *
 * Rows lie in order of (key, id).  Level 1 has a bucket for some hundred rows, level 2 one for some dozen buckets; each bucket begins at a
 * (key, id) and ends where the next begins, the first begins before everything.  Where a bucket of level 2 begins, one of level 1 begins.
 * ecCorruptData: the counts are not what they should be; the view must be built anew.
 * So a number is found by adding up some dozen counts twice and walking through part of one bucket (view_rank.h). */
#ifndef STORE_VIEW_BUCKET_H
#define STORE_VIEW_BUCKET_H
#include "backend/store/db.h"

/* A place: before the row (key, id), which need not be there. */
struct view_at { struct blob key; uint64_t id; };

/* Before the first row and behind the last. */
struct view_at view_at_begin(void);
struct view_at view_at_end(void);
static inline int view_at_cmp(const struct view_at *a, const struct view_at *b)
{
    int c = blob_cmp(a->key, b->key);
    return c != 0 ? c : (a->id > b->id) - (a->id < b->id);
}

/* The first buckets of a new, empty view. */
ec_t view_bucket_start(struct db *db, int64_t view);

ec_t view_bucket_insert(struct db *db, int64_t view, const struct view_at *row);
/* Many rows at once, in order. */
ec_t view_bucket_insert_many(struct db *db, int64_t view, const struct view_at *row, size_t n);
/* *was: it was there. */
ec_t view_bucket_remove(struct db *db, int64_t view, const struct view_at *row, bool *was);
ec_t view_bucket_has(struct db *db, int64_t view, const struct view_at *row, bool *there);
#endif
