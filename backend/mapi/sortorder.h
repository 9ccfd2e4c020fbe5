/* sortorder.h - sort orders (MS-OXCDATA 2.13). */
#ifndef MAPI_SORTORDER_H
#define MAPI_SORTORDER_H
#include "backend/mapi/propval.h"

enum { SORT_ASCENDING = 0, SORT_DESCENDING = 1, SORT_MAX_CATEGORY = 4 };
enum { SORT_MAX_COLUMNS = 16 };

struct sortcol   { uint32_t tag; uint8_t order; };
struct sortorder { uint16_t n, categories, expanded; struct sortcol col[SORT_MAX_COLUMNS]; };

/* SortOrderCount u16, CategoryCount u16, ExpandedCount u16, then {type u16, id u16, Order u8}.  Latches if more than SORT_MAX_COLUMNS. */
void sortorder_read(struct rd *r, struct sortorder *out);
void sortorder_write(struct wr *w, const struct sortorder *s);
#endif
