/* notify_int.h - what the files of notify share. */
#ifndef ROP_NOTIFY_INT_H
#define ROP_NOTIFY_INT_H
#include "backend/store/event.h"
#include "session/context/watch.h"
#include "session/rop/notify.h"

/* NotificationTypes of a subscription beyond enum event_kind (OXCNOTIF R40). */
enum { NOTIFY_TABLE_MODIFIED = 0x0100, NOTIFY_EXTENDED = 0x0400, NOTIFY_TYPES = 0x05FE };

/* --- notify_match.c: events against what is watched, by the header alone ------------------------------------------------------------------- */

/* Which mailbox a watch is about; NULL: its logon is gone. */
const struct guid *notify_mailbox(const struct context *c, const struct watch *w);

/* Is anything of this mailbox to be told at all?  Tables opened with NoNotifications do not count by themselves. */
bool notify_active(const struct context *c, const struct guid *mailbox);

/* Is this table told of changes: always, or, opened with NoNotifications, because a subscription asks for TableModified of its folder? */
bool notify_speaks(const struct context *c, const struct watch *table);

/* Does the event (a part of it) concern the watch?  For tables: may it concern a row? */
bool notify_concerns(const struct watch *w, const struct event *e);

static inline bool notify_is_table(const struct watch *w) { return w->what != WATCH_SUBSCRIPTION; }
#endif
