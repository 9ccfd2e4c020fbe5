/* draft.h - open messages and attachments as their handles show them: what is stored with the unsaved changes over it; and how those change.
 *
 * A message object is stored, new, or embedded.  A stored or new one keeps an overlay.  An embedded one keeps nothing while it is unchanged (it is read
 * where it is stored), and all of it as soon as it changes or if it was never stored: `whole`.  An attachment object keeps an overlay over what its
 * message object shows.  Each handle sees its own changes only (MS-OXCMSG 3.2.1.3), until a save hands them to the next outer object or to the store.
 *
 * An embedded message behind `attachment.embedded` is shared and never changed in place. */
#ifndef ROP_DRAFT_H
#define ROP_DRAFT_H
#include "session/object/attachment.h"
#include "session/object/message.h"
#include "session/rop/rop.h"

/* How strings of this object are coded on the wire: the code page given at opening, else the session's (OXCPRPT R461-R465). */
struct pv_codec draft_codec(const struct rop_ctx *c, const struct object *o);

/* The message with its changes: parts (LOAD_*) of what is stored and the draft over it.  Read only. */
ec_t draft_message(struct rop_ctx *c, struct object *o, unsigned parts, struct msg *out);

/* The attachment with its changes; one of a message object by number (ecNotFound). */
ec_t draft_attachment(struct rop_ctx *c, struct object *o, struct attachment *out);
ec_t draft_attachment_of(struct rop_ctx *c, struct object *message, uint32_t num, struct attachment *out);

/* Properties of a message or attachment object, computed ones too, in the order asked. */
ec_t draft_props(struct rop_ctx *c, struct object *o, const uint32_t *tags, size_t n, struct props *out);
ec_t draft_props_all(struct rop_ctx *c, struct object *o, struct props *out);

/* May it be changed?  ecAccessDenied for one that was opened for reading. */
ec_t draft_may(const struct object *o);
/* The same, and makes it ready to be changed.  Before draft_set and draft_del; draft_close must follow. */
ec_t draft_open(struct rop_ctx *c, struct object *o);
void draft_set(struct rop_ctx *c, struct object *o, struct propval v);
void draft_del(struct rop_ctx *c, struct object *o, uint32_t tag);
/* After changes: large values go to the store and are kept alive there, the object is dirty.  ecMessageTooBig, ecTooComplex: more than a draft may hold. */
ec_t draft_close(struct rop_ctx *c, struct object *o);
/* After the draft went on (saved, merged): nothing large is held by it any more. */
ec_t draft_unpin(struct rop_ctx *c, struct object *o);

/* A deep copy of the structure of a message; bytes are shared. */
struct msg *draft_dup(struct arena *a, const struct msg *m);
#endif
