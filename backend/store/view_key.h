/* view_key.h - sort keys: the columns of a row, one after the other, as bytes that memcmp puts in the order of the table.
 *
 *     column = presence (1 missing, 2 there), value
 *     value  = big-endian with the sign flipped | IEEE bits made to sort | 16 bytes of a GUID | collation key, 00 | escaped bytes, 00 00
 *
 * A multi-value sorts by its first value, or, if its column asks for instances, by the value of the instance.  Descending columns have
 * all their bytes inverted.  Missing values sort lowest: first when ascending, last when descending.  No encoding of a column is the
 * beginning of another, so that columns behind it decide only between equals.  Keys are cut at VIEW_KEY_MAX bytes; what is equal up to
 * there is in order of the row's id.  A key is never empty. */
#ifndef STORE_VIEW_KEY_H
#define STORE_VIEW_KEY_H
#include "backend/mapi/restriction.h"
#include "backend/mapi/sortorder.h"
#include "backend/store/view_collate.h"

enum { VIEW_KEY_MAX = 2048, VIEW_KEY_BINARY = 255 };

struct view_key { size_t n; uint8_t p[VIEW_KEY_MAX]; };
static inline struct blob view_key_blob(const struct view_key *k) { return blob_of(k->p, k->n); }

/* ecTooComplex for what cannot be sorted: objects, restrictions, categories; ecInvalidParameter for an unknown type or order. */
ec_t view_key_check(const struct sortorder *s);

/* Does a string decide anything in this order (else the locale does not matter)? */
bool view_key_collates(const struct sortorder *s);

/* The key of a row. */
void view_key_make(struct view_key *out, const struct sortorder *s, const struct view_collator *c, const struct res_row *row);

/* Appends one column; v NULL or of another type: missing. */
void view_key_add(struct view_key *k, const struct sortcol *col, const struct view_collator *c, const struct propval *v);

/* The number of an instance, where the values of a multi-value are rows of their own: the last part of a key, and read from there. */
void view_key_add_instance(struct view_key *k, uint32_t instance);
uint32_t view_key_instance(struct blob key);

/* The part of keys that a condition on one column selects, low <= key < high in the order of the table; no high: to the end. */
struct view_key_range { struct view_key low, high; bool has_high; };

/* Rows whose first column `col` is in the relation RELOP_LT..RELOP_EQ to v (of the same type), missing ones left out; RELOP_EQ may select more. */
bool view_key_relation(struct view_key_range *out, const struct sortcol *col, const struct view_collator *c, uint8_t relop, const struct propval *v);
/* Rows whose string begins with this one, in the sense of the collation. */
bool view_key_prefix(struct view_key_range *out, const struct sortcol *col, const struct view_collator *c, struct blob utf8);
/* Narrows a to what is in both. */
void view_key_meet(struct view_key_range *a, const struct view_key_range *b);
bool view_key_within(const struct view_key_range *r, struct blob key);
#endif
