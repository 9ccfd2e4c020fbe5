/* notify.h - events of mailboxes -> notifications of a session. MS-OXCNOTIF.
 *
 * What a session watches stands in its header (watch.h): subscriptions (RopRegisterNotification) and tables that were opened without NoNotifications and have a
 * view.  It has one event position per mailbox; what lies behind it and matches is appended to the next Execute as RopNotify, on whatever worker, and the
 * position moves on with the commit of that Execute. */
#ifndef ROP_NOTIFY_H
#define ROP_NOTIFY_H
#include "session/rop/execute.h"

/* Is there anything that the next Execute would tell this context?  Only reads; the context may be a look without lock (context_peek).  May say yes where
 * rows of a restricted table turn out not to be concerned; the Execute then moves the position on, so it is not said twice. */
ec_t notify_waiting(const struct rop_env *env, struct context *c, bool *waiting);

/* The table behind c->object has a view from now on: what happens to its rows later is told (OXCNOTIF R243, R256).  Nothing for tables whose rows do not come
 * from the store, or while the context cannot keep watches (it is asked again at the next look). */
ec_t notify_view_made(struct rop_ctx *c);
/* ... and is told no more, until it has a view again (OXCNOTIF R272 - R285). */
void notify_view_gone(struct rop_ctx *c);

/* The object is about to be released: nothing is told of it any more. */
void notify_released(struct rop_ctx *c);

/* After the last ROP of an Execute: appends RopNotify responses to x->out while they fit, and RopPending if not all did. */
void notify_append(struct exec *x);
#endif
