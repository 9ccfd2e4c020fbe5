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
    uint64_t fid, mid;         /* mid 0: about the folder */
    uint64_t old_fid, old_mid; /* moved, copied */
    uint32_t total, unread;    /* of the folder after it; UINT32_MAX = unchanged */
    struct tags changed;       /* modified: properties, as far as known */
    const char *message_class; /* new mail */
    uint32_t flags;            /* new mail: message flags */
};

/* Sequence of the newest event. */
ec_t event_last(struct mailbox *m, uint64_t *seq);
/* Events with a sequence above `after`, oldest first, at most n; *gap if some above `after` were trimmed already. */
ec_t event_read(struct mailbox *m, uint64_t after, size_t n, struct event *out, size_t *got, bool *gap);
#endif
