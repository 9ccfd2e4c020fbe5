/* message.h - what the answers of OpenMessage, ReloadCachedInformation and OpenEmbeddedMessage have in common. */
#ifndef ROP_MESSAGE_H
#define ROP_MESSAGE_H
#include "session/rop/draft.h"

/* HasNamedProperties, subject prefix, normalized subject and recipients (MS-OXCMSG 2.2.3.1.2). */
ec_t message_write_opened(struct rop_ctx *c, struct object *o);

/* CodePageId of an opening ROP -> code page of the object, 0: the session's.  ecUnknownCodePage. */
ec_t message_code_page(uint16_t id, uint16_t *out);

enum { OPEN_MODE_WRITE = 0x01, OPEN_MODE_CREATE = 0x02, OPEN_MODE_BEST = 0x03, OPEN_MODE_DELETED = 0x04 };
#endif
