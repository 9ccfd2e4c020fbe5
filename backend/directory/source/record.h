/* record.h - one object of the address book as a source tells it: names of attributes and their values, not yet understood.
 *
 * LDIF, CSV and LDAP readers make records; attr.h turns one into an entry, sync.h brings the address book up to date with them. */
#ifndef SOURCE_RECORD_H
#define SOURCE_RECORD_H
#include "backend/base/arena.h"

struct record_value { const char *name; struct blob value; };   /* an attribute with several values stands here several times */

struct record {
    const char *key;        /* how the source names the object for ever (entryUUID, objectGUID in hex, address); "" none */
    const char *name;       /* how other records of the source name it (distinguished name, address), without regard to case */
    size_t      line;       /* where it begins in its file, for messages; 0: no file */
    struct record_value *v; size_t n, cap;
};

void record_add(struct arena *a, struct record *r, const char *name, struct blob value);

/* First value of an attribute (name without case); NULL: it has none. */
const struct blob *record_first(const struct record *r, const char *name);

/* What directory servers name an object by for ever, also when it is renamed; its distinguished name is better than nothing.  NULL-terminated. */
extern const char *const record_keys[];
const char *record_key(struct arena *a, const struct record *r);

/* A reader of files gives one record at a time.  Records live in the arena of the call. */
enum record_next { RECORD_READ, RECORD_END, RECORD_BAD };   /* BAD: *why; the reader cannot go on */

/* Bounds of one record, so that a broken file does not take all memory. */
enum { RECORD_VALUES_MAX = 100000, RECORD_LINE_MAX = 16 << 20 };
#endif
