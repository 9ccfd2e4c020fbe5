/* event.h - what happened in a mailbox, as rows of the same transaction, numbered per mailbox, trimmed by age and count. MS-OXCNOTIF 2.2.1.1. */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H
#include "backend/store/store.h"

enum event_kind {
    EVENT_NEW_MAIL = 0x0002, EVENT_CREATED = 0x0004, EVENT_DELETED = 0x0008, EVENT_MODIFIED = 0x0010, EVENT_MOVED = 0x0020, EVENT_COPIED = 0x0040,
    EVENT_SEARCH_COMPLETE = 0x0080
};

struct event {
    uint64_t seq;
    uint16_t kind;             /* enum event_kind */
    bool     assoc;
    bool     bulk;             /* a folder modified: messages in it came, went or changed that no event names */
    uint64_t fid, mid;         /* mid 0: about the folder */
    uint64_t old_fid, old_mid; /* moved, copied */
    uint64_t parent;           /* of the folder, where it or its counts are what changed; 0: not known */
    uint64_t old_parent;       /* a folder moved or copied */
    uint32_t total, unread;    /* of the folder after it; UINT32_MAX = unchanged */
    struct tags changed;       /* modified: properties; with PidTagLastModificationTime among them also what is computed from them, else just these */
    const char *message_class; /* new mail */
    uint32_t flags;            /* new mail: message flags */
};

/* Within a write transaction: has it written events?  Then *seq is the newest of them: what the mailbox' listeners are told after the commit. */
bool event_written(const struct mailbox *m, uint64_t *seq);

/* Events above it were written by the open transaction; UINT64_MAX: none is open. */
uint64_t event_begun(const struct mailbox *m);

/* An event as those who watch know it: a message that changed the counts of its folder is also a folder modified.  Returns how many are in out. */
enum { EVENT_PARTS = 2 };
size_t event_parts(const struct event *e, struct event out[EVENT_PARTS]);

/* What the actor may see of it: a delegate is told of messages in folders that he may read, and of folders that he may see; of a move or copy with one end
 * where he may not look only the other end is left in *e.  *seen false: nothing. */
ec_t event_seen(struct mailbox *m, struct event *e, bool *seen);

/* Sequence of the newest event. */
ec_t event_last(struct mailbox *m, uint64_t *seq);
/* The same of a mailbox that the caller has no lease on, and does not want one if there is nothing new: one read.  It names nothing, so nobody's rights are asked. */
ec_t event_newest(struct store *s, const struct guid *mailbox, uint64_t *seq);
/* Events with a sequence above `after`, oldest first, at most n; *gap if some above `after` were trimmed already. */
ec_t event_read(struct mailbox *m, uint64_t after, size_t n, struct event *out, size_t *got, bool *gap);
#endif
