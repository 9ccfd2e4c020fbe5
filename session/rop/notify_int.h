/* notify_int.h - what the files of notify share. */
#ifndef ROP_NOTIFY_INT_H
#define ROP_NOTIFY_INT_H
#include "backend/store/event.h"
#include "session/context/watch.h"
#include "session/rop/notify.h"
#include "session/rop/notify_data.h"

/* NotificationTypes of a subscription beyond enum event_kind (OXCNOTIF R40). */
enum { NOTIFY_TABLE_MODIFIED = 0x0100, NOTIFY_EXTENDED = 0x0400, NOTIFY_TYPES = 0x05FE };

/* --- notify_match.c: events against what is watched, by the header alone ------------------------------------------------------------------- */

/* Which mailbox a watch is about; NULL: its logon is gone. */
const struct guid *notify_mailbox(const struct context *c, const struct watch *w);

/* Is anything of this mailbox to be told at all?  Tables opened with NoNotifications do not count by themselves. */
bool notify_active(struct context *c, const struct guid *mailbox);

/* Is this table told of changes: always, or, opened with NoNotifications, because a subscription asks for TableModified of its folder? */
bool notify_speaks(struct context *c, const struct watch *table);

/* Does the event (a part of it) concern the watch?  For tables: may it concern a row? */
bool notify_concerns(const struct watch *w, const struct event *e);

static inline bool notify_is_table(const struct watch *w) { return w->what != WATCH_SUBSCRIPTION; }

/* --- telling: one mailbox of one Execute ----------------------------------------------------------------------------------------------------------- */

/* Events read at a time; all up to the newest are looked at together, a few thousand at most (event.c keeps no more). */
enum { TELL_READ = 256 };

/* Rows of one table that are told one by one in one answer: about what a window shows.  Beyond it the client has less work with a page of rows read anew
 * than with as many single changes, and the answer would be full of them. */
enum { TELL_ROWS = 64 };

struct tell_table;               /* notify_table.c: what is to be told of a table */

struct tell {
    struct exec   *x;
    struct rop_ctx c;            /* as a ROP of this mailbox would have it */
    struct mailbox *m;
    const struct guid *mailbox;
    uint64_t       from, last;   /* position, newest event */
    uint64_t       own;          /* events above it are this request's */
    struct event  *e; size_t n, cap; /* in parts that the actor may see; several may have one number */
    struct tell_table **table;   /* by number of the watch; NULL: not concerned */
    bool           matched;      /* something was told, or would have been */
    bool           full;         /* no room for the next */
};

/* One notification; false: there is no room for it, and nothing was written. */
bool tell_put(struct tell *t, const struct watch *w, struct notify_data *n);
bool tell_changed(struct tell *t, const struct watch *w);   /* "table changed" */

/* notify_table.c: rows.  tell_tables plans for all tables; tell_table says what event i means for one; *done false: no room, nothing of this
 * event was written for this table. */
ec_t tell_tables(struct tell *t);
ec_t tell_table(struct tell *t, struct watch *w, size_t number, size_t i, bool *done);

/* notify_gap.c: the answer to a watch whose events were trimmed: "table changed"; a subscription is told that what it watches was modified. */
ec_t tell_gap(struct tell *t, const struct watch *w, bool *done);
#endif
