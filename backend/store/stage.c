/* stage.c - bytes that are not committed yet, under (context, object): pieces of 64 KiB over a large value that they started from.
 *
 * A write touches the pieces that it covers and nothing else, so writing a stream of n bytes costs n, however many writes it takes. */
#include "backend/store/stage_int.h"
#include "backend/base/must.h"

STMT(STAGE_FIND, "SELECT id, size, base, base_size FROM stage WHERE context = ?1 AND object = ?2");
STMT(STAGE_ADD, "INSERT INTO stage (context, object, size, touched) VALUES (?1, ?2, 0, ?3) RETURNING id");
STMT(STAGE_SET, "UPDATE stage SET size = ?2, base = ?3, base_size = ?4, touched = ?5 WHERE id = ?1");
STMT(STAGE_GONE, "DELETE FROM stage WHERE id = ?1");
STMT(STAGE_OF_CONTEXT, "SELECT object FROM stage WHERE context = ?1 LIMIT 64");
STMT(STAGE_PIECE_GET, "SELECT bytes FROM stage_piece WHERE stage = ?1 AND n = ?2");
STMT(STAGE_PIECE_PUT, "INSERT INTO stage_piece (stage, n, bytes) VALUES (?1, ?2, ?3) ON CONFLICT (stage, n) DO UPDATE SET bytes = excluded.bytes");
STMT(STAGE_PIECES_CUT, "DELETE FROM stage_piece WHERE stage = ?1 AND n >= ?2");
STMT(STAGE_PINS, "SELECT large FROM stage_pin WHERE stage = ?1");
STMT(STAGE_PIN_ADD, "INSERT INTO stage_pin (stage, large) VALUES (?1, ?2) ON CONFLICT (stage, large) DO NOTHING RETURNING large");
STMT(STAGE_PINS_GONE, "DELETE FROM stage_pin WHERE stage = ?1");

/* --- the row -------------------------------------------------------------------------------------------------------------------- */
ec_t stage_find(struct mailbox *m, const struct stage_key *k, struct stage *out)
{
    DB_QUERY(q, m->db, STAGE_FIND);
    db_put_blob(&q, blob_of(k->context, sizeof k->context));
    db_put_i64(&q, k->object);
    TRY(db_one(&q));
    *out = (struct stage){ .id = db_i64(&q, 0), .size = db_u64(&q, 1), .has_base = !db_null(&q, 2), .base = db_i64(&q, 2), .base_size = db_u64(&q, 3) };
    return out->size <= STAGE_MAX && out->base_size <= out->size ? ecNone : store_damaged(m, "staging row");
}

static ec_t find_or_add(struct mailbox *m, const struct stage_key *k, struct stage *out)
{
    TRY(store_writing(m));
    ec_t ec = stage_find(m, k, out);
    if (ec != ecNotFound)
        return ec;
    DB_QUERY(q, m->db, STAGE_ADD);
    db_put_blob(&q, blob_of(k->context, sizeof k->context));
    db_put_i64(&q, k->object);
    db_put_u64(&q, m->now);
    TRY(db_one(&q));
    *out = (struct stage){ .id = db_i64(&q, 0) };
    return ecNone;
}

static ec_t set(struct mailbox *m, const struct stage *s)
{
    DB_QUERY(q, m->db, STAGE_SET);
    db_put_i64(&q, s->id);
    db_put_u64(&q, s->size);
    if (s->has_base)
        db_put_i64(&q, s->base);
    else
        db_put_null(&q);
    db_put_u64(&q, s->base_size);
    db_put_u64(&q, m->now);
    return db_run(&q);
}

/* --- pieces --------------------------------------------------------------------------------------------------------------------- */
/* Piece n whole, with zeros where nothing was written. */
ec_t stage_piece(struct mailbox *m, const struct stage *s, uint64_t n, uint8_t out[LARGE_PIECE])
{
    uint64_t start = n * LARGE_PIECE;
    memset(out, 0, LARGE_PIECE);
    {
        DB_QUERY(q, m->db, STAGE_PIECE_GET);
        db_put_i64(&q, s->id);
        db_put_u64(&q, n);
        if (db_row(&q)) {
            struct blob b = db_bytes(&q, 0);
            if (b.n > LARGE_PIECE)
                return store_damaged(m, "staging piece");
            if (b.n != 0)
                memcpy(out, b.p, b.n);
            return ecNone;
        }
        TRY(db_ec(&q));
    }
    if (start >= s->base_size)
        return ecNone;
    uint64_t left = s->base_size - start;
    return large_range(m, s->base, start, left < LARGE_PIECE ? (size_t)left : LARGE_PIECE, out);
}

static ec_t piece_put(struct mailbox *m, const struct stage *s, uint64_t n, const uint8_t *bytes, size_t len)
{
    DB_QUERY(q, m->db, STAGE_PIECE_PUT);
    db_put_i64(&q, s->id);
    db_put_u64(&q, n);
    db_put_blob(&q, blob_of(bytes, len));
    return db_run(&q);
}

static ec_t pieces_cut(struct mailbox *m, const struct stage *s, uint64_t from)
{
    DB_QUERY(q, m->db, STAGE_PIECES_CUT);
    db_put_i64(&q, s->id);
    db_put_u64(&q, from);
    return db_run(&q);
}

/* Bytes that piece n has in a stage of that size. */
size_t stage_piece_size(uint64_t size, uint64_t n)
{
    uint64_t left = size - n * LARGE_PIECE;
    return left < LARGE_PIECE ? (size_t)left : LARGE_PIECE;
}

ec_t stage_write(struct mailbox *m, const struct stage_key *k, uint64_t offset, struct blob bytes)
{
    struct stage s;
    if (offset > STAGE_MAX || bytes.n > STAGE_MAX - offset)
        return EC(ecStreamSizeError);
    TRY(find_or_add(m, k, &s));
    if (bytes.n == 0)
        return ecNone;
    uint64_t end = offset + bytes.n;
    if (end > s.size)
        s.size = end;
    uint8_t *buf = arena_alloc(m->arena, LARGE_PIECE);
    for (uint64_t n = offset / LARGE_PIECE; n * LARGE_PIECE < end; n++) {
        uint64_t start = n * LARGE_PIECE, from = offset > start ? offset : start, to = end < start + LARGE_PIECE ? end : start + LARGE_PIECE;
        TRY(stage_piece(m, &s, n, buf));
        memcpy(buf + (from - start), bytes.p + (from - offset), to - from);
        TRY(piece_put(m, &s, n, buf, stage_piece_size(s.size, n)));
    }
    return set(m, &s);
}

ec_t stage_read(struct mailbox *m, const struct stage_key *k, uint64_t offset, size_t n, struct blob *out)
{
    struct stage s;
    *out = blob_of(NULL, 0);
    ec_t ec = stage_find(m, k, &s);
    if (ec == ecNotFound || (ec == ecNone && offset >= s.size))
        return ecNone;
    TRY(ec);
    if (n > s.size - offset)
        n = (size_t)(s.size - offset);
    uint64_t end = offset + n;
    uint8_t *p = arena_alloc(m->arena, n), *buf = arena_alloc(m->arena, LARGE_PIECE);
    for (uint64_t i = offset / LARGE_PIECE; i * LARGE_PIECE < end; i++) {
        uint64_t start = i * LARGE_PIECE, from = offset > start ? offset : start, to = end < start + LARGE_PIECE ? end : start + LARGE_PIECE;
        TRY(stage_piece(m, &s, i, buf));
        memcpy(p + (from - offset), buf + (from - start), to - from);
    }
    *out = blob_of(p, n);
    return ecNone;
}

/* What is cut off must read as zeros if the stage grows again, so the piece at the cut is shortened and the base no longer reaches beyond. */
static ec_t cut(struct mailbox *m, struct stage *s, uint64_t size)
{
    uint64_t last = size / LARGE_PIECE;
    if (s->base_size > size)
        s->base_size = size;
    if (size % LARGE_PIECE == 0)
        return pieces_cut(m, s, last);
    TRY(pieces_cut(m, s, last + 1));
    uint8_t *buf = arena_alloc(m->arena, LARGE_PIECE);
    TRY(stage_piece(m, s, last, buf));
    return piece_put(m, s, last, buf, (size_t)(size % LARGE_PIECE));
}

ec_t stage_resize(struct mailbox *m, const struct stage_key *k, uint64_t size)
{
    struct stage s;
    if (size > STAGE_MAX)
        return EC(ecStreamSizeError);
    TRY(find_or_add(m, k, &s));
    if (size < s.size)
        TRY(cut(m, &s, size));
    s.size = size;
    return set(m, &s);
}

ec_t stage_size(struct mailbox *m, const struct stage_key *k, uint64_t *size)
{
    struct stage s;
    *size = 0;
    ec_t ec = stage_find(m, k, &s);
    if (ec == ecNone)
        *size = s.size;
    return ec == ecNotFound ? ecNone : ec;
}

/* --- large values named by it --------------------------------------------------------------------------------------------------- */
static ec_t base_release(struct mailbox *m, struct stage *s)
{
    if (s->has_base)
        TRY(large_count_id(m, s->base, -1));
    s->has_base = false;
    s->base = 0;
    s->base_size = 0;
    return ecNone;
}

ec_t stage_from_large(struct mailbox *m, const struct stage_key *k, const struct large_ref *ref)
{
    struct stage s;
    int64_t id;
    TRY(large_id(m, ref, &id));
    if (ref->size > STAGE_MAX)
        return EC(ecStreamSizeError);
    TRY(find_or_add(m, k, &s));
    TRY(large_count_id(m, id, 1));
    TRY(base_release(m, &s));
    TRY(pieces_cut(m, &s, 0));
    s.has_base = true;
    s.base = id;
    s.base_size = s.size = ref->size;
    return set(m, &s);
}

static ec_t unpin(struct mailbox *m, const struct stage *s)
{
    {
        DB_QUERY(q, m->db, STAGE_PINS);
        db_put_i64(&q, s->id);
        while (db_row(&q))
            TRY(large_count_id(m, db_i64(&q, 0), -1));
        TRY(db_ec(&q));
    }
    DB_QUERY(q, m->db, STAGE_PINS_GONE);
    db_put_i64(&q, s->id);
    return db_run(&q);
}

static ec_t pin(struct mailbox *m, const struct stage *s, const struct large_ref *ref)
{
    int64_t id;
    TRY(large_id(m, ref, &id));
    {
        DB_QUERY(q, m->db, STAGE_PIN_ADD);
        db_put_i64(&q, s->id);
        db_put_i64(&q, id);
        if (!db_row(&q))
            return db_ec(&q);  /* pinned already */
    }
    return large_count_id(m, id, 1);
}

ec_t stage_pin(struct mailbox *m, const struct stage_key *k, const struct large_ref *refs, size_t n)
{
    struct stage s;
    TRY(find_or_add(m, k, &s));
    TRY(unpin(m, &s));
    for (size_t i = 0; i < n; i++)
        TRY(pin(m, &s, &refs[i]));
    return set(m, &s);
}

/* --- the end -------------------------------------------------------------------------------------------------------------------- */
ec_t stage_drop(struct mailbox *m, const struct stage_key *k)
{
    struct stage s;
    TRY(store_writing(m));
    ec_t ec = stage_find(m, k, &s);
    if (ec == ecNotFound)
        return ecNone;
    TRY(ec);
    TRY(unpin(m, &s));
    TRY(base_release(m, &s));
    TRY(pieces_cut(m, &s, 0));
    DB_QUERY(q, m->db, STAGE_GONE);
    db_put_i64(&q, s.id);
    return db_run(&q);
}

static ec_t objects_of(struct mailbox *m, const uint8_t context[16], uint32_t object[64], size_t *n)
{
    *n = 0;
    DB_QUERY(q, m->db, STAGE_OF_CONTEXT);
    db_put_blob(&q, blob_of(context, 16));
    while (*n < 64 && db_row(&q))
        object[(*n)++] = (uint32_t)db_i64(&q, 0);
    return db_ec(&q);
}

ec_t stage_drop_context(struct mailbox *m, const uint8_t context[16])
{
    uint32_t object[64];
    size_t n;
    do {
        TRY(objects_of(m, context, object, &n));
        for (size_t i = 0; i < n; i++) {
            struct stage_key k = { .object = object[i] };
            memcpy(k.context, context, sizeof k.context);
            TRY(stage_drop(m, &k));
        }
    } while (n != 0);
    return ecNone;
}
