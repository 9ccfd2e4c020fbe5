/* stage_large.c - staged bytes become a large value: read once to name them, once more only if nobody has them yet. */
#include "backend/store/stage_int.h"
#include "backend/base/crypto.h"

static ec_t hash(struct mailbox *m, const struct stage *s, uint8_t *buf, struct large_ref *out)
{
    struct sha256 *h = sha256_new(m->arena);
    for (uint64_t n = 0; n * LARGE_PIECE < s->size; n++) {
        TRY(stage_piece(m, s, n, buf));
        sha256_add(h, blob_of(buf, stage_piece_size(s->size, n)));
    }
    sha256_end(h, out->key);
    out->size = s->size;
    return ecNone;
}

ec_t stage_to_large(struct mailbox *m, const struct stage_key *k, struct large_ref *out)
{
    struct stage s;
    int64_t id;
    bool is_new;
    TRY(store_writing(m));
    TRY(stage_find(m, k, &s));
    uint8_t *buf = arena_alloc(m->arena, LARGE_PIECE);
    TRY(hash(m, &s, buf, out));
    TRY(large_begin(m, out, &id, &is_new));
    for (uint64_t n = 0; is_new && n * LARGE_PIECE < s.size; n++) {
        TRY(stage_piece(m, &s, n, buf));
        TRY(large_piece_add(m, id, n, blob_of(buf, stage_piece_size(s.size, n))));
    }
    return ecNone;
}
