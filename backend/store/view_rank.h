/* view_rank.h - the rows of a stored view by number: how many, which number, which row. */
#ifndef STORE_VIEW_RANK_H
#define STORE_VIEW_RANK_H
#include "backend/store/view_bucket.h"

ec_t view_rank_total(struct db *db, int64_t view, uint64_t *rows);
/* Rows before the place, and all rows. */
ec_t view_rank_of(struct db *db, int64_t view, const struct view_at *at, uint64_t *before, uint64_t *rows);
/* The row with this number, key in the arena; *there false: the view has fewer. */
ec_t view_rank_row(struct db *db, int64_t view, uint64_t number, struct arena *a, struct view_at *out, bool *there);

/* Compares the counts with the rows: NULL, or a sentence (static). */
ec_t view_rank_check(struct db *db, int64_t view, const char **wrong);
#endif
