/* notify_data.h - RopNotify as bytes: one notification. MS-OXCNOTIF 2.2.1.4.1. */
#ifndef ROP_NOTIFY_DATA_H
#define ROP_NOTIFY_DATA_H
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include "backend/mapi/propval.h"

enum { ROP_NOTIFY = 0x2A, ROP_PENDING = 0x6E };

/* NotificationType (R102): enum event_kind, and: */
enum { NOTIFY_TABLE = 0x0100, NOTIFY_NOTHING = 0x0400 };
/* NotificationFlags above it. */
enum { NOTIFY_T = 0x1000, NOTIFY_U = 0x2000, NOTIFY_S = 0x4000, NOTIFY_M = 0x8000 };
/* TableEventType. */
enum { TABLE_CHANGED = 1, TABLE_ROW_ADDED = 3, TABLE_ROW_DELETED = 4, TABLE_ROW_MODIFIED = 5, TABLE_RESTRICTION_CHANGED = 7 };
enum { NOTIFY_TAGS_NONE = 0xFFFF };

/* Ids as on the wire; which fields are there is told by flags and table_event. */
struct notify_row { uint64_t fid, mid; uint32_t instance; };

struct notify_data {
    uint32_t handle;
    uint8_t  logon_id;
    uint16_t flags;              /* NotificationFlags */
    uint16_t table_event;
    struct notify_row row, after;/* the row; the one that it now stands behind, zeros: it is the first */
    struct blob values;          /* PropertyRow */
    uint64_t fid, mid, parent, old_fid, old_mid, old_parent;
    uint16_t ntags;              /* 0xFFFF: none follow */
    const uint32_t *tags;
    uint32_t total, unread;
    uint32_t message_flags;
    bool     unicode;
    const char *message_class;   /* UTF-8 */
};

/* RopId, handle, LogonId and all that follows.  The arena is for the class. */
void notify_data_write(struct wr *w, struct arena *a, const struct notify_data *n);

/* The same, from RopId on; false: not a RopNotify, or damaged.  `values` is borrowed. */
bool notify_data_read(struct rd *r, struct arena *a, struct notify_data *out);

/* One line. */
const char *notify_data_text(struct arena *a, const struct notify_data *n);
#endif
