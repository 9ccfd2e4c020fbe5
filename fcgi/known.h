/* known.h - who logged in within the last second: the same proof (Authorization header, certificate) again costs a MAC and no question to the directory.
 *
 * Entries are found by a MAC under a key of the process; neither header nor password is kept.  A second is also the time after which a change in
 * the directory (password, disabled user) counts at the latest. */
#ifndef FCGI_KNOWN_H
#define FCGI_KNOWN_H
#include "backend/directory/directory.h"

struct known;

enum { KNOWN_MS = 1000 };

struct known *known_new(void);
void known_free(struct known *k);

/* True with the person, strings in `a`, if this proof was kept until a moment after `now` (clock_ms); at most KNOWN_MS by who keeps it. */
bool known_find(struct known *k, struct arena *a, const char *authorization, uint64_t now, struct person *out);
void known_keep(struct known *k, const char *authorization, uint64_t until, const struct person *p);
#endif
