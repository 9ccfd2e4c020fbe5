/* view_bucket_int.h - what changing and counting of buckets share. */
#ifndef STORE_VIEW_BUCKET_INT_H
#define STORE_VIEW_BUCKET_INT_H
#include "backend/store/view_bucket.h"
#include "backend/store/view_key.h"

enum { LEVEL_ROWS = 1, LEVEL_BUCKETS = 2 };

struct bucket { uint8_t key[VIEW_KEY_MAX]; size_t nkey; uint64_t id; int64_t n; bool there; };

static inline struct view_at bucket_begin(const struct bucket *b) { return (struct view_at){ blob_of(b->key, b->nkey), b->id }; }

static inline void bucket_put_at(struct query *q, const struct view_at *at)
{
    db_put_blob(q, at->key);
    db_put_u64(q, at->id);
}

static inline void bucket_put(struct query *q, int64_t view, int level, const struct view_at *at)
{
    db_put_i64(q, view);
    db_put_i64(q, level);
    bucket_put_at(q, at);
}

/* Columns key, id, n. */
static inline void bucket_take(const struct query *q, struct bucket *out)
{
    struct blob key = db_bytes(q, 0);
    out->nkey = key.n < sizeof out->key ? key.n : sizeof out->key;
    if (out->nkey != 0)
        memcpy(out->key, key.p, out->nkey);
    out->id = db_u64(q, 1);
    out->n = db_i64(q, 2);
    out->there = true;
}
#endif
