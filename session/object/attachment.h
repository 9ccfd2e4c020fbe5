/* attachment.h - an open attachment: of a stored message or of a draft. */
#ifndef OBJECT_ATTACHMENT_H
#define OBJECT_ATTACHMENT_H
#include "session/object/message.h"

struct obj_attachment {
    uint32_t message;            /* handle of the message object it was opened on */
    uint64_t mid;                /* of the stored (outer) message, 0: none */
    struct att_path path;        /* where it is stored in mid, its own number last; n 0: not stored */
    uint32_t num;
    bool     fresh;              /* made here and never merged into the message object */
    bool     writable;
    uint64_t pinned;             /* as in obj_message */
    uint16_t code_page;
    struct attachment draft;     /* overlay over what the message object shows */
};
#endif
