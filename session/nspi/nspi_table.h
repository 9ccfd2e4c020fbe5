/* nspi_table.h - STATs and the tables that they name: positions in, positions out (MS-OXNSPI 3.1.4.5). */
#ifndef NSPI_TABLE_H
#define NSPI_TABLE_H
#include "session/nspi/nspi.h"

/* The row id of an address list's Minimal Entry ID; ecInvalidBookmark: it can name none. */
ec_t nspi_container(uint32_t mid, int64_t *row);
/* How a STAT sorts; false: neither by name nor by phonetic name. */
bool nspi_sort(uint32_t sort_type, enum book_sort *sort);
/* The table of a STAT: ecInvalidBookmark, ecGeneralFailure for another sort. */
ec_t nspi_view(struct nspi_ctx *c, const struct nspi_stat *s, const struct book_view **v);

/* Where the STAT stands: by CurrentRec, with `fractional` also by NumPos of TotalRecs if CurrentRec is MID_CURRENT; Delta not yet applied.  ecNotFound. */
ec_t nspi_position(const struct nspi_ctx *c, const struct nspi_stat *s, const struct book_view *v, bool fractional, size_t *at);
/* `at` moved by so many rows, not beyond the first or behind the end. */
size_t nspi_moved(const struct book_view *v, size_t at, int64_t by);
/* The STAT standing there. */
void nspi_stand(struct nspi_stat *s, const struct book_view *v, size_t at);
#endif
