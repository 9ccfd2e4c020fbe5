/* recipient.h - recipients of an open message in answers. */
#ifndef ROP_RECIPIENT_H
#define ROP_RECIPIENT_H
#include "backend/mapi/msg.h"
#include "session/rop/rop.h"

/* RecipientCount, RecipientColumns and as many OpenRecipientRows as fit (MS-OXCMSG 2.2.3.1.2); `m` is the message as its handle shows it and
 * gets its recipients sorted. */
void recipient_write_opened(struct rop_ctx *c, const struct pv_codec *codec, struct msg *m);
#endif
