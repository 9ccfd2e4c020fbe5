/* throttle.h - guessing passwords is slow, and ends: failures by user and address, and by address, shared by all workers in Redis.
 *
 * What is counted are guesses: the same wrong password again (a client with an old one) is none, it only waits longer.  Three limits: guesses for a user from
 * one address, guesses for a user from all addresses, guesses from an address for all users.  Behind a limit nothing is checked for `auth_lock_time`.
 * The second and the third do not hold for a user at an address from which he logged in lately, so that nobody can shut him out from elsewhere.
 * Unknown users are counted like known ones.  While Redis does not answer, the process counts for itself. */
#ifndef DIRECTORY_THROTTLE_H
#define DIRECTORY_THROTTLE_H
#include "backend/base/config.h"
#include "backend/base/err.h"
#include "backend/base/redis.h"

struct throttle;

struct throttle *throttle_new(const struct config *c, struct redis *r);
void throttle_free(struct throttle *t);

/* Who tries: `login` canonical, or as sent where there is no such thing; `addr` the client's. */
struct attempt { const char *login, *addr; };

/* Is this attempt beyond a limit?  One round trip to Redis. */
bool throttle_locked(struct throttle *t, struct arena *a, const struct attempt *who);

/* A wrong password.  *delay_ms: how long after its beginning the request is answered (auth_fail_delay, doubled with each failure up to 16 times).  True: this was
 * the one that reached a limit. */
bool throttle_failed(struct throttle *t, struct arena *a, const struct attempt *who, const char *password, uint64_t *delay_ms);

/* The delay of an attempt that was not checked. */
uint64_t throttle_delay(const struct throttle *t);

/* The right password, after it was really checked. */
void throttle_passed(struct throttle *t, struct arena *a, const struct attempt *who);

/* Administration: what is counted now.  ecServerBusy: Redis does not answer. */
struct throttle_entry {
    const char *login, *addr;   /* "" = all */
    uint64_t    failures, guesses, locked_s;   /* locked_s: 0 = not locked */
};
ec_t throttle_list(struct throttle *t, struct arena *a, struct throttle_entry **out, size_t *n);
ec_t throttle_unlock_user(struct throttle *t, struct arena *a, const char *login);      /* everything of the user; ecNotFound: nothing is counted */
ec_t throttle_unlock_address(struct throttle *t, struct arena *a, const char *addr);
#endif
