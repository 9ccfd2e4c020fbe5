/* rate.h - how fast a user may send requests to a host: one bucket per user, in memory that all its workers share.
 *
 * A bucket is one number, the moment up to which what the user has sent so far is paid at his rate; it is changed by compare-and-swap.  The table is a hint: a user who
 * finds no place in it is not limited, one who was quiet gives his place away. */
#ifndef SESSION_RATE_H
#define SESSION_RATE_H
#include "backend/base/arena.h"

struct rate;

/* In the host's directory, or of this process alone (dir NULL).  NULL with *why. */
struct rate *rate_open(const char *dir, struct arena *a, const char **why);

/* One request of `user` at `now_us` (clock_us).  0: go on; else how many ms he must wait. */
uint32_t rate_take(struct rate *r, const char *user, uint64_t per_second, uint64_t burst, uint64_t now_us);
#endif
