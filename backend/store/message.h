/* message.h - messages: open, load, save, delete, move, flags. MS-OXCMSG, MS-OXCFOLD 2.2.1.6 ff. */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H
#include "backend/mapi/msg.h"
#include "backend/store/folder.h"

struct message_info {
    uint64_t mid, fid, cn;
    bool     assoc, read, deleted;
    uint32_t flags;            /* PidTagMessageFlags as stored */
    uint32_t status;           /* PidTagMessageStatus */
    uint32_t natt, nrcpt;
    uint32_t access;           /* PidTagAccess for the actor */
};

/* fid 0: wherever it is.  ecNotFound; ecAccessDenied; a soft-deleted message only if deleted_too. */
ec_t message_open(struct mailbox *m, uint64_t fid, uint64_t mid, bool deleted_too, struct message_info *out);

enum { LOAD_PROPS = 1, LOAD_RCPTS = 2, LOAD_ATTS = 4, LOAD_ALL = 7 };
/* The stored message (computed properties not included); large values as references. */
ec_t message_load(struct mailbox *m, uint64_t mid, unsigned parts, struct msg *out);
/* One attachment of it alone, in a message that has nothing else: ecNotFound if there is no such message or attachment. */
ec_t message_attachment(struct mailbox *m, uint64_t mid, uint32_t num, struct msg *out);

/* Properties, stored and computed (messageprop.def), in the order asked; missing ones as PtypErrorCode ecNotFound; large values as references.
 * A body that is not stored is made from another form (plain text <-> HTML; both from RTF, RTF from none).  ecObjectDeleted: the message is gone; ecAccessDenied.
 * `over` (may be NULL) is an overlay of unsaved changes that wins over what is stored; mid 0 = a message that is only its overlay. */
ec_t message_props(struct mailbox *m, uint64_t mid, uint64_t fid, const struct msg *over, const uint32_t *tags, size_t n, struct props *out);
/* All properties of GetPropertiesAll: stored and the computed ones that it lists. */
ec_t message_props_all(struct mailbox *m, uint64_t mid, uint64_t fid, const struct msg *over, struct props *out);
/* The same over a message that lives only in memory (an embedded one): nothing is read from the store but large values. */
ec_t embedded_props(struct mailbox *m, const struct msg *whole, const uint32_t *tags, size_t n, struct props *out);
ec_t embedded_props_all(struct mailbox *m, const struct msg *whole, struct props *out);
/* Attachment properties, computed ones (attachprop.def: size, number, record key, mime tag ...) included. */
ec_t attachment_props(struct mailbox *m, const struct attachment *att, const uint32_t *tags, size_t n, struct props *out);
ec_t attachment_props_all(struct mailbox *m, const struct attachment *att, struct props *out);

/* May a client set or delete this property of a message / attachment?  ecNone, ecAccessDenied (read-only, computed), ecNotSupported. */
ec_t message_prop_settable(uint32_t tag, bool saved_once);
ec_t attachment_prop_settable(uint32_t tag);

struct message_save {
    uint64_t fid;              /* where a new message goes */
    uint64_t mid;              /* 0: a new one, its counter comes back here; a counter with `fresh`: a new one under this id */
    bool     fresh, assoc;
    uint64_t base_cn;          /* change number at opening; another one now: ecObjectModified, unless force */
    bool     force;
    const struct msg *over;    /* the changes */
    bool     keep_times;       /* import: take creation, modification times and flags from `over` */
    bool     arrived;          /* mail that came in from outside: in the receive folder of its class it is told as new mail */
    uint64_t cn;               /* out */
};
/* Saves in the open write transaction: new change number, PCL, change key, counters of the folder, views, event row, large values counted.
 * Computed properties in `over` are ignored, except those that a message has from its creation on (search key, creator, creation time) in a new one.
 * ecObjectChanged: another change number than base_cn (0: not checked); ecObjectDeleted: the message is gone; ecNotFound, ecSearchFolder: a folder
 * that takes no messages; ecQuotaExceeded; ecDuplicateObject, ecInvalidParameter: a `fresh` id that is taken or was never given out. */
ec_t message_save(struct mailbox *m, struct message_save *s);

/* Bulk operations run over what is given and set *partial if some could not be done; no error for a message that is gone (a deletion of it counts as
 * done, everything else as not).  A moved message gets a new id, the old one a tombstone.  Each writes an event per message with unknown counts (up to
 * 1,000 messages) and one event about the folder (mid 0, EVENT_MODIFIED) with its counts. */
ec_t messages_delete(struct mailbox *m, uint64_t fid, const uint64_t *mids, size_t n, bool hard, bool *partial);
ec_t messages_move(struct mailbox *m, uint64_t from, uint64_t to, const uint64_t *mids, size_t n, bool *partial);
ec_t messages_copy(struct mailbox *m, uint64_t from, uint64_t to, const uint64_t *mids, size_t n, bool *partial);
/* Between two mailboxes, in the write transaction of `to`; the caller deletes in `from` afterwards (of two mailboxes one decides). */
ec_t messages_copy_to(struct mailbox *from, uint64_t from_fid, struct mailbox *to, uint64_t to_fid, const uint64_t *mids, size_t n, bool *partial);

/* RopSetReadFlags / RopSetMessageReadFlag: ReadFlags bits of MS-OXCMSG 2.2.3.10.1.  n 0: every message of the folder.  *changed: the read state
 * of at least one really changed. */
ec_t messages_set_read(struct mailbox *m, uint64_t fid, const uint64_t *mids, size_t n, uint8_t read_flags, bool *changed, bool *partial);

ec_t message_status(struct mailbox *m, uint64_t fid, uint64_t mid, uint32_t *status);
ec_t message_set_status(struct mailbox *m, uint64_t fid, uint64_t mid, uint32_t flags, uint32_t mask, uint32_t *old);
#endif
