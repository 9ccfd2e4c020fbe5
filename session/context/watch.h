/* watch.h - what a context wants to be told of, and how far it was told. MS-OXCNOTIF.
 *
 * All of it stands in the header, so that a waiting client costs no object: the subscriptions (RopRegisterNotification) and the tables whose view exists. */
#ifndef CONTEXT_WATCH_H
#define CONTEXT_WATCH_H
#include "session/context/context.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"

enum watch_what { WATCH_SUBSCRIPTION = 1, WATCH_CONTENTS = 2, WATCH_HIERARCHY = 3 };
enum {
    WATCH_WHOLE   = 0x01,        /* subscription: the whole mailbox */
    WATCH_ASSOC   = 0x02,        /* contents: FAI messages */
    WATCH_DEEP    = 0x04,        /* hierarchy: all descendants */
    WATCH_SILENT  = 0x08,        /* table opened with NoNotifications: told only if a subscription asks for TableModified of its folder */
    WATCH_NOT_OWN = 0x10,        /* table opened with SuppressesNotifications: not told of what this session did */
    WATCH_OWED    = 0x20,        /* it missed events and is still to be told so */
    WATCH_FLAGS   = 0x3F
};

struct watch {
    uint32_t handle;             /* that its notifications carry: of the subscription, or of the table */
    uint8_t  logon_id, what, flags;
    uint16_t types;              /* subscription: NotificationTypes */
    uint64_t fid, mid;           /* counters; mid 0: the folder; fid 0: the whole mailbox */
    uint64_t since;              /* it was told of everything up to this event; 0 or less than the position of its mailbox: up to that */
};

/* Events with a higher number are still to be told; owed: to some watch, see WATCH_OWED.  A mailbox has a position while anything of it is to be told. */
struct position { struct guid mailbox; bool owed; uint64_t seq; };

/* The list, unpacked at the first call; empty, and `damaged`, if its bytes are not what we write. */
struct watching *watches(struct context *c);

/* Adds one at the end.  False: its handle is there already.  List and positions are never changed in place by adding and dropping: what undoes a ROP puts
 * c->watching back as it was. */
bool watch_add(struct context *c, const struct watch *w);
struct watch *watch_find(struct context *c, uint32_t handle);
void watch_drop(struct context *c, uint32_t handle);

/* When nothing can be undone any more: takes away what was left by watch_drop, or by the release of a logon (which sets c->watching.stale): watches whose object
 * is gone, positions of mailboxes of which nothing is to be told any more. */
void watch_settle(struct context *c);

/* The position in a mailbox; NULL: none. */
struct position *watch_position(struct context *c, const struct guid *mailbox);
struct position *watch_position_set(struct context *c, const struct guid *mailbox, uint64_t seq);

/* Can this context keep watches?  Not while its header is written in layout 1, which older programs read. */
bool watch_possible(const struct context *c);

/* For the header. */
void watching_put(struct wr *w, const struct watching *v);
const char *watching_text(struct arena *a, const struct watching *v);
#endif
