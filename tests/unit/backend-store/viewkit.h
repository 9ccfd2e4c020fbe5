/* viewkit.h - messages and tables for the tests of views, in few words. */
#ifndef TESTS_STORE_VIEWKIT_H
#define TESTS_STORE_VIEWKIT_H
#include "backend/store/message.h"
#include "backend/store/view.h"
#include "tests/unit/backend-store/mbox.h"

enum { KIT_INT = PROP_TAG(0x6801, PtypInteger32) };   /* a property without a column */

/* A message as the tests think of it. */
struct kit_msg { uint64_t mid; const char *sender, *rcpt; int64_t time; int32_t number; bool has_number, assoc; };

uint64_t kit_folder(struct mbox *b, const char *name);
/* Saves a new one (k->mid comes back), or changes it. Each in a transaction of its own unless one is open. */
void kit_save(struct mbox *b, uint64_t fid, struct kit_msg *k);
void kit_delete(struct mbox *b, uint64_t fid, uint64_t mid, bool hard);
/* n messages by SQL, without hooks: MIDs from `first`, sender "s<n>", delivered at n; the folder's views know nothing of them. */
void kit_bulk(struct mbox *b, uint64_t fid, uint64_t first, uint64_t n);

struct table_def kit_table(uint64_t fid, uint16_t n, const struct sortcol *col);
struct view *kit_open(struct mbox *b, const struct table_def *d);

/* Up to `max` ids from a position on, which moves. */
size_t kit_ids(struct view *v, struct table_pos *pos, bool forward, size_t max, uint64_t *out);
uint32_t kit_count(struct view *v);

/* view_check finds nothing. */
void kit_clean(struct mbox *b);

struct restriction kit_equal(struct propval v);
struct restriction kit_relation(uint8_t relop, struct propval v);
struct restriction kit_content(uint16_t level, uint16_t fuzzy, struct propval v);
struct restriction kit_exist(uint32_t tag);
#endif
