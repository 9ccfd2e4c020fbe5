/* stage_int.h - a staging row and its pieces, for stage*.c and the sweeper. */
#ifndef STORE_STAGE_INT_H
#define STORE_STAGE_INT_H
#include "backend/store/large_int.h"

struct stage {
    int64_t  id;
    uint64_t size;
    bool     has_base;      /* a large value that fills what was not written */
    int64_t  base;
    uint64_t base_size;     /* as far as it counts */
};

ec_t stage_find(struct mailbox *m, const struct stage_key *k, struct stage *out); /* ecNotFound */
ec_t stage_piece(struct mailbox *m, const struct stage *s, uint64_t n, uint8_t out[LARGE_PIECE]);
size_t stage_piece_size(uint64_t size, uint64_t n);
#endif
