/* view_collate.h - strings -> bytes that sort as people of a locale expect: ICU sort keys from collators kept per thread.
 *
 * Case and width do not count (secondary strength), accents do.  Only the first 255 UTF-16 units of a string count. */
#ifndef STORE_VIEW_COLLATE_H
#define STORE_VIEW_COLLATE_H
#include "backend/base/blob.h"

struct view_collator;

/* The collator of a locale (LCID); unknown ones get the root collation.  Never NULL; lives as long as the thread. */
const struct view_collator *view_collator(uint32_t lcid);

/* Names the collation that is really used, and its version: "sv 153.120.0.0": locales that sort alike have the same name, and a name
 * that is gone means that keys stored under it are worthless.  Borrowed from the collator. */
const char *view_collator_name(const struct view_collator *c);

/* The collator of this name; NULL if this program has none (any more). */
const struct view_collator *view_collator_named(const char *name);

/* Writes at most `cap` bytes of the sort key, without its terminating zero; no byte of it is zero.  Returns how many. */
size_t view_collator_key(const struct view_collator *c, struct blob utf8, uint8_t *out, size_t cap);

/* The range of the sort keys of all strings that begin so: low <= key < high. Cut to cap bytes each. */
enum { VIEW_STRING_UNITS = 255, VIEW_COLLATION_KEY = 768 };
struct view_collator_range { uint8_t low[VIEW_COLLATION_KEY], high[VIEW_COLLATION_KEY]; size_t nlow, nhigh; };
bool view_collator_prefix(const struct view_collator *c, struct blob utf8, struct view_collator_range *out);
#endif
