/* attr.h - a record becomes an entry: attribute names are understood, values converted.
 *
 * attr.def has the names that are known from the start; an installation may give attributes of its own a meaning. */
#ifndef SOURCE_ATTR_H
#define SOURCE_ATTR_H
#include "backend/directory/entry.h"
#include "backend/directory/source/record.h"

struct attr_map;

/* The known names and, before them, those of `more`: "mail=otherMailbox, PidTagTitle=role": what is known by the left name (of attr.def, or a
 * property's) is read from the attribute on the right.  In the arena; NULL with *why. */
struct attr_map *attr_map(struct arena *a, const char *more, const char **why);

/* What the values of an attribute are: one or several, text or bytes. */
enum attr_form { ATTR_UNKNOWN, ATTR_TEXT, ATTR_TEXTS, ATTR_BINARY, ATTR_BINARIES };
enum attr_form attr_form(const struct attr_map *m, const char *name);

/* Calls each attribute name that has a meaning, for asking a server for just these and for help texts. */
void attr_each(const struct attr_map *m, void (*fn)(void *ctx, const char *attribute, const char *meaning), void *ctx);

/* References to other objects, by the names that the source uses. */
struct attr_link { enum link_kind kind; const char *target; };

/* Fills what the record tells (not source, external, row) and the references.  False with *why: no name, an address or value that is none.
 * Properties come sorted by tag, proxies without repetition and without the primary address. */
bool attr_entry(const struct attr_map *m, struct arena *a, const struct record *r, struct entry *out, struct attr_link **link, size_t *links, const char **why);
#endif
