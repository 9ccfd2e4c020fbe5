/* large_int.h - large values by their row, for large*.c and stage*.c. */
#ifndef STORE_LARGE_INT_H
#define STORE_LARGE_INT_H
#include "backend/store/store_int.h"

/* The row of a value; ecNotFound if there is none of that hash and size. */
ec_t large_id(struct mailbox *m, const struct large_ref *ref, int64_t *id);
/* Finds or makes the row; a new one wants its pieces. */
ec_t large_begin(struct mailbox *m, const struct large_ref *ref, int64_t *id, bool *is_new);
/* Piece n: LARGE_PIECE bytes, the last one what is left. */
ec_t large_piece_add(struct mailbox *m, int64_t id, uint64_t n, struct blob bytes);
/* n bytes from offset on, all of which the value must have. */
ec_t large_range(struct mailbox *m, int64_t id, uint64_t offset, size_t n, uint8_t *out);
ec_t large_count_id(struct mailbox *m, int64_t id, int delta);
#endif
