/* attachment.h - an open attachment: of a stored message or of a draft. */
#ifndef OBJECT_ATTACHMENT_H
#define OBJECT_ATTACHMENT_H
#include "backend/mapi/msg.h"
#include "session/object/object.h"

struct obj_attachment {
    uint32_t message;            /* handle of the message object it was opened on */
    uint64_t mid;                /* of the stored (outer) message, 0: none */
    uint32_t num;
    bool     fresh, writable;
    struct attachment draft;     /* overlay over what the message object shows */
};
#endif
