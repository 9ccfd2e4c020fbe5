/* notify.h - events of mailboxes -> notifications of a session. MS-OXCNOTIF.
 *
 * What a session watches stands in its header: subscriptions (RopRegisterNotification) and tables that were opened without NoNotifications and have a
 * view.  It has one event position per mailbox; what lies behind it and matches is appended to the next Execute as RopNotify, on whatever worker, and the
 * position moves on with the commit of that Execute. */
#ifndef ROP_NOTIFY_H
#define ROP_NOTIFY_H
#include "session/rop/execute.h"

/* Is there anything that the next Execute would tell this context?  Only reads; the context may be a look without lock (context_peek). */
ec_t notify_waiting(const struct rop_env *env, struct context *c, bool *waiting);
#endif
