/* filter.h - which objects an address list or a dynamic group holds, as the administrator writes it.
 *
 *   kind=user,room               one of these kinds (words of entrykind.def)
 *   PidTagDepartmentName=Sales   the property has this value (without case); "Sales*": begins so; "*": has any
 *   domain=example.com           the primary address is there
 * Terms are joined by " & ": all hold.  "" matches everything. */
#ifndef DIRECTORY_FILTER_H
#define DIRECTORY_FILTER_H
#include "backend/directory/entry.h"

struct filter;
/* In the arena; NULL with *why. */
struct filter *filter_parse(struct arena *a, const char *text, const char **why);
/* Does it look at properties other than kind and address (which costs a read of the row)? */
bool filter_needs_props(const struct filter *f);
bool filter_match(const struct filter *f, const struct entry *e);
#endif
