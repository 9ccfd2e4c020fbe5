/* bookmark.h - places in a table that a request names: its beginning, its cursor, its end, or a bookmark. */
#ifndef ROP_BOOKMARK_H
#define ROP_BOOKMARK_H
#include "session/rop/cursor.h"

enum { ORIGIN_BEGINNING = 0, ORIGIN_CURRENT = 1, ORIGIN_END = 2, ORIGIN_CUSTOM = 3 };

/* Moves the cursor there.  ecInvalidParameter: no such origin; ecInvalidBookmark.  *gone: the bookmark's row is not in the table any more; the
 * cursor then stands where it was. */
ec_t bookmark_goto(struct cursor *k, uint8_t origin, struct blob bookmark, bool *gone);
#endif
