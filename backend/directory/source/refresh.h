/* refresh.h - the address book brought up to date with the directory server of the configuration (book_ldap_*). */
#ifndef SOURCE_REFRESH_H
#define SOURCE_REFRESH_H
#include "backend/base/config.h"
#include "backend/directory/source/sync.h"

/* The name of this source in the rows. */
#define REFRESH_SOURCE "ldap"

/* Reads everything and makes the rows equal to it; what the server no longer has goes, if all was read.  `o` may be NULL: nobody is told.  *why on errors. */
ec_t refresh_now(struct directory *d, struct arena *a, const struct config *c, const struct sync_options *o, struct sync_count *out, const char **why);

/* Is it this process' turn?  Of all workers of all hosts one gets it per interval, whether it then succeeds or dies. */
ec_t refresh_turn(struct directory *d, uint64_t now_ms, uint64_t interval_ms, bool *mine);
#endif
