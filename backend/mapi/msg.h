/* msg.h - a whole message in memory, or the changes to one.
 *
 * The one form in which messages travel between the rooms: mail conversion makes one, the session keeps the unsaved changes of an
 * open message as one (an overlay over what is stored), the store saves and loads them.  In an overlay `set` and `del` are changes; in a
 * loaded message `del` is empty.  All in one arena. */
#ifndef MAPI_MSG_H
#define MAPI_MSG_H
#include "backend/mapi/propval.h"

struct msg;

struct recipient {
    uint32_t     row;      /* RowId */
    uint8_t      type;     /* RecipientType with its flags (MS-OXCMSG 2.2.3.1.2) */
    uint16_t     code_page;
    bool         deleted;  /* overlay: this row goes */
    struct props props;    /* PidTagDisplayName, AddressType, EmailAddress, SmtpAddress, EntryId, ... and further columns */
};

struct attachment {
    uint32_t     num;      /* PidTagAttachNumber */
    bool         deleted;  /* overlay */
    bool         fresh;    /* overlay: not in the store yet */
    struct props set;
    struct tags  del;
    struct msg  *embedded; /* NULL: none (or, in an overlay, unchanged) */
};

struct msg {
    struct props       set;
    struct tags        del;
    bool               rcpts_replaced;  /* overlay: RopRemoveAllRecipients, the rows here are all there are */
    struct recipient  *rcpt;
    size_t             nrcpt, rcpt_cap;
    struct attachment *att;
    size_t             natt, att_cap;
    uint32_t           next_att;        /* next PidTagAttachNumber to give out; 0 = not set */
};

struct recipient  *msg_rcpt(struct msg *m, uint32_t row);             /* NULL if not there */
struct recipient  *msg_rcpt_add(struct arena *a, struct msg *m, uint32_t row);    /* finds or makes */
struct attachment *msg_att(struct msg *m, uint32_t num);
struct attachment *msg_att_add(struct arena *a, struct msg *m, uint32_t num);

/* Applies the changes of `over` to `base` (properties, recipients, attachments and their embedded messages), shallow: `base` may share
 * values with `over` afterwards.  A recipient row of `over` replaces the whole row.  `base` is a loaded message: it keeps no record of what
 * was deleted. */
void msg_apply(struct arena *a, struct msg *base, const struct msg *over);

/* --- packed form: versioned, tagged, little-endian; for store blobs, session drafts, staging (layout in msgpack.c) ---
 * Properties come back in the order of their ids, recipients and attachments in theirs.  Packing no properties gives 4 bytes.
 * The builder must be one that grows in an arena (wr_in). */
void msg_pack(struct wr *w, const struct msg *m);
void props_pack(struct wr *w, const struct props *p);
void rcpts_pack(struct wr *w, const struct msg *m);

/* False on damaged bytes (never an assert).  Decoded values borrow from the blob where they can, else live in `a`. */
bool msg_unpack(struct blob b, struct arena *a, struct msg *out);
bool props_unpack(struct blob b, struct arena *a, struct props *out);
bool rcpts_unpack(struct blob b, struct arena *a, struct msg *out);

/* Gives the one value `tag` (by id) of packed properties without unpacking the rest; false if absent or damaged. */
bool props_pick(struct blob packed, struct arena *a, uint32_t tag, struct propval *out);

/* Calls fn for every large value named anywhere in the message, attachments and embedded messages included. */
void msg_each_large(const struct msg *m, void (*fn)(void *ctx, const struct large_ref *), void *ctx);
#endif
