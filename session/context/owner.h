/* owner.h - the sessions of one user: an index in Redis, so that any worker can count them.
 *
 * A sorted set per user, `<prefix>user{<identity>}`: ids of contexts by the time of their Connect.  It is a hint and not the truth: a context that
 * expired stands in it until somebody looks, one that the index lost is only not counted.  Whoever finds it full looks at each, so it mends itself. */
#ifndef CONTEXT_OWNER_H
#define CONTEXT_OWNER_H
#include "session/context/context.h"

enum owner {
    OWNER_ROOM,       /* the new session may be made, and is counted */
    OWNER_FULL,       /* `max` others are all in use: a request runs in each, or a NotificationWait is pending */
    OWNER_DOWN        /* Redis does not answer */
};

/* Before a context of `who` with this id is made.  Beyond `max` (0: no limit) those that are gone are taken out of the index; if that is not enough, the one
 * that was idle longest ends, and *ended (a digest in `a`, else NULL) names it: Outlook seldom says Disconnect, and a new Connect must not suffer
 * from what it left behind. */
enum owner owner_enter(const struct session_env *e, struct arena *a, const struct person *who, const uint8_t id[CONTEXT_ID], uint64_t max, const char **ended);

/* A context of `login` has ended.  Best effort. */
void owner_leave(const struct session_env *e, struct arena *a, const char *login, const uint8_t id[CONTEXT_ID]);
#endif
