/* wait.h - the NotificationWait that is pending in a context: at most one, the newest, wherever it is parked.
 *
 * It takes no lock and consumes no sequence number, so it stands in a field of its own, which names its process and says until when it is held: the context
 * does not expire before that and its retention, whatever else happens in it.  Who holds it renews it; if he dies it runs out by itself.  When another wait takes its
 * place, or the context ends, the process is told through its channel (backend/event/bell.h); if that is lost, the next renewal says so. */
#ifndef CONTEXT_WAIT_H
#define CONTEXT_WAIT_H
#include "session/context/context.h"

enum { WAIT_HOLD_MS = 30000, WAIT_RENEW_MS = 10000 };

/* Makes this the pending wait, after the cookies and the identity were checked: MISSING, FORGED, NOT_FOUND, DOWN, or RUN.  For RUN *out is a look without lock, as by
 * context_peek, and *number tells this wait from the ones before.  `process`: bell_name. */
enum begin context_wait(const struct session_env *e, struct arena *a, const struct begin_args *args, const char *process, struct context **out,
                        uint64_t *number, const char **why);

/* One of many that are renewed together. */
enum wait_held { WAIT_HELD, WAIT_REPLACED, WAIT_NO_CONTEXT, WAIT_NOT_KNOWN /* Redis does not tell */ };
struct wait_hold {
    uint8_t  id[CONTEXT_ID];
    uint64_t number;
    int64_t  retention_ms;
    enum wait_held held;         /* out */
    uint64_t sequence;           /* out: of the context's last request */
};
void context_wait_hold(const struct session_env *e, struct arena *a, const char *process, struct wait_hold *v, size_t n);

/* It has ended: the retention begins now (MS-OXCMAPIHTTP R1260).  Not waited for; if it is lost, the hold runs out by itself.  False: Redis cannot be had. */
bool context_wait_end(const struct session_env *e, struct arena *a, const char *process, const struct wait_hold *w);

/* What comes through the process' channel: another wait (its number) has come to this context, it has ended, or it has logged on to another mailbox.  False: not ours. */
enum { WAIT_TOLD_ENDED = 0, WAIT_TOLD_LOOK = 1 };
bool context_wait_told(struct blob message, uint8_t id[CONTEXT_ID], uint64_t *number);
#endif
