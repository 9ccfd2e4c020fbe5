/* keep.h - what the log line of a parked request needs, packed: its strings one behind the other, since ten thousand requests wait. */
#ifndef FCGI_KEEP_H
#define FCGI_KEEP_H
#include "fcgi/access.h"

/* Bytes of `out` (NULL: only counted). */
size_t keep_pack(const struct access *x, char *out);

/* The other way.  `x` and what hangs on it borrow from the packed bytes; result, sizes and times are the caller's. */
struct kept { struct access x; struct request rq; struct person who; struct session_note note; };
void keep_unpack(const char *packed, struct kept *out);
#endif
