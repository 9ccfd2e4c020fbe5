/* large.c - large values: named by the SHA-256 of their bytes, kept once, counted, in pieces of 64 KiB. */
#include "backend/store/large_int.h"
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"

STMT(LARGE_FIND, "SELECT id, size FROM large WHERE hash = ?1");
STMT(LARGE_ADD, "INSERT INTO large (hash, size, refs, touched) VALUES (?1, ?2, 0, ?3) RETURNING id");
STMT(LARGE_TOUCH, "UPDATE large SET touched = ?2 WHERE id = ?1");
STMT(LARGE_REFS, "UPDATE large SET refs = refs + ?2, touched = ?3 WHERE id = ?1 AND refs + ?2 >= 0 RETURNING id");
STMT(PIECE_ADD, "INSERT INTO large_piece (id, n, bytes) VALUES (?1, ?2, ?3)");
STMT(PIECES, "SELECT n, bytes FROM large_piece WHERE id = ?1 AND n BETWEEN ?2 AND ?3 ORDER BY n");

ec_t large_id(struct mailbox *m, const struct large_ref *ref, int64_t *id)
{
    DB_QUERY(q, m->db, LARGE_FIND);
    db_put_blob(&q, blob_of(ref->key, LARGE_KEY));
    TRY(db_one(&q));
    *id = db_i64(&q, 0);
    return db_u64(&q, 1) == ref->size ? ecNone : EC(ecNotFound);
}

/* --- writing ----------------------------------------------------------------------------------------------------------------- */
static ec_t touch(struct mailbox *m, int64_t id)
{
    DB_QUERY(q, m->db, LARGE_TOUCH);
    db_put_i64(&q, id);
    db_put_u64(&q, m->now);
    return db_run(&q);
}

ec_t large_begin(struct mailbox *m, const struct large_ref *ref, int64_t *id, bool *is_new)
{
    ec_t ec = large_id(m, ref, id);
    *is_new = ec == ecNotFound;
    if (ec == ecNone)
        return touch(m, *id);
    if (ec != ecNotFound)
        return ec;
    DB_QUERY(q, m->db, LARGE_ADD);
    db_put_blob(&q, blob_of(ref->key, LARGE_KEY));
    db_put_u64(&q, ref->size);
    db_put_u64(&q, m->now);
    TRY(db_one(&q));
    *id = db_i64(&q, 0);
    return ecNone;
}

ec_t large_piece_add(struct mailbox *m, int64_t id, uint64_t n, struct blob bytes)
{
    DB_QUERY(q, m->db, PIECE_ADD);
    db_put_i64(&q, id);
    db_put_u64(&q, n);
    db_put_blob(&q, bytes);
    return db_run(&q);
}

ec_t large_put(struct mailbox *m, struct blob bytes, struct large_ref *out)
{
    int64_t id;
    bool is_new;
    TRY(store_writing(m));
    crypto_sha256(bytes, out->key);
    out->size = bytes.n;
    TRY(large_begin(m, out, &id, &is_new));
    for (uint64_t n = 0; is_new && bytes.n != 0; n++) {
        size_t take = bytes.n < LARGE_PIECE ? bytes.n : LARGE_PIECE;
        TRY(large_piece_add(m, id, n, blob_of(bytes.p, take)));
        bytes = blob_of(bytes.p + take, bytes.n - take);
    }
    return ecNone;
}

ec_t large_count_id(struct mailbox *m, int64_t id, int delta)
{
    TRY(store_writing(m));
    DB_QUERY(q, m->db, LARGE_REFS);
    db_put_i64(&q, id);
    db_put_i64(&q, delta);
    db_put_u64(&q, m->now);
    ec_t ec = db_one(&q);
    return ec == ecNotFound ? store_damaged(m, "references of a large value") : ec;
}

ec_t large_count(struct mailbox *m, const struct large_ref *ref, int delta)
{
    int64_t id;
    TRY(large_id(m, ref, &id));
    return large_count_id(m, id, delta);
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */
ec_t large_range(struct mailbox *m, int64_t id, uint64_t offset, size_t n, uint8_t *out)
{
    uint64_t end = offset + n, next = offset / LARGE_PIECE;
    if (n == 0)
        return ecNone;
    DB_QUERY(q, m->db, PIECES);
    db_put_i64(&q, id);
    db_put_u64(&q, next);
    db_put_u64(&q, (end - 1) / LARGE_PIECE);
    while (db_row(&q)) {
        uint64_t start = db_u64(&q, 0) * LARGE_PIECE, from = offset > start ? offset : start;
        struct blob b = db_bytes(&q, 1);
        uint64_t to = end < start + LARGE_PIECE ? end : start + LARGE_PIECE;
        if (db_u64(&q, 0) != next++ || b.n < to - start)
            return store_damaged(m, "pieces of a large value");
        memcpy(out + (from - offset), b.p + (from - start), to - from);
    }
    TRY(db_ec(&q));
    return next == (end - 1) / LARGE_PIECE + 1 ? ecNone : store_damaged(m, "pieces of a large value");
}

ec_t large_read(struct mailbox *m, const struct large_ref *ref, uint64_t offset, size_t n, struct blob *out)
{
    int64_t id;
    *out = blob_of(NULL, 0);
    TRY(large_id(m, ref, &id));
    if (offset >= ref->size || n == 0)
        return ecNone;
    if (n > ref->size - offset)
        n = (size_t)(ref->size - offset);
    uint8_t *p = arena_alloc(m->arena, n);
    TRY(large_range(m, id, offset, n, p));
    *out = blob_of(p, n);
    return ecNone;
}

ec_t large_load(struct mailbox *m, const struct propval *v, struct propval *out)
{
    struct blob b;
    *out = *v;
    if (!v->large)
        return ecNone;
    TRY(large_read(m, &v->v.large, 0, (size_t)v->v.large.size, &b));
    *out = prop_type(v->tag) == PtypString ? pv_strn(v->tag, utf8_from_utf16(m->arena, b)) : pv_bin(v->tag, b);
    return ecNone;
}
