/* nspi_table.h - STATs and the tables that they name: which list, in which order (MS-OXNSPI 3.1.4.5). */
#ifndef NSPI_TABLE_H
#define NSPI_TABLE_H
#include "session/nspi/nspi.h"

/* The row id of an address list's Minimal Entry ID; ecInvalidBookmark: it can name none. */
ec_t nspi_container(uint32_t mid, int64_t *row);
/* How a STAT sorts; false: neither by name nor by phonetic name. */
bool nspi_sort(uint32_t sort_type, enum book_sort *sort);
/* The table of a STAT: ecInvalidBookmark, ecGeneralFailure for another sort. */
ec_t nspi_view(struct nspi_ctx *c, const struct nspi_stat *s, const struct book_view **v);
#endif
