/* message.h - an open message: what is stored, by id, and the unsaved changes over it. */
#ifndef OBJECT_MESSAGE_H
#define OBJECT_MESSAGE_H
#include "backend/mapi/msg.h"
#include "session/object/object.h"

struct obj_message {
    uint64_t   fid, mid;         /* mid 0: not saved yet */
    uint64_t   base_cn;          /* change number at opening */
    bool       assoc, writable, saved_once;
    bool       embedded;         /* lives in the attachment `parent`; fid and mid are the outer message's */
    uint16_t   code_page;
    bool       best_access;
    struct msg draft;            /* overlay; for an embedded message the whole of it once it was changed */
    uint32_t   next_att;         /* attachment number to give out next; 0: ask the store */
    uint64_t   draft_serial;     /* raised with each change to the draft */
};
#endif
