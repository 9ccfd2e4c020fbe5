/* message.h - an open message: what is stored, by id, and the unsaved changes over it. */
#ifndef OBJECT_MESSAGE_H
#define OBJECT_MESSAGE_H
#include "backend/mapi/msg.h"
#include "session/object/object.h"

/* Where a part of a stored message lies: the attachment numbers from the outer message down.  Empty: the message itself. */
enum { ATT_DEPTH = 16 };
struct att_path { uint8_t n; uint32_t num[ATT_DEPTH]; };

struct obj_message {
    uint64_t   fid, mid;         /* mid 0: not saved yet.  Of an embedded message: of the outer one */
    uint64_t   base_cn;          /* change number at opening or at the last save */
    bool       assoc, writable, saved_once;
    bool       embedded;         /* lives in the attachment object that is its parent */
    bool       whole;            /* embedded: the draft is all of it (after a change, or if it was never stored), not an overlay */
    uint64_t   pinned;           /* a sum over the large values of the draft that are kept alive under this handle; 0: none */
    uint16_t   code_page;        /* for PtypString8; 0: the session's */
    struct att_path path;        /* embedded and not whole: where it is stored in mid */
    struct msg draft;            /* overlay of changes; or everything, see whole */
    uint32_t   next_att;         /* attachment number to give out next; 0: ask the store */
    uint64_t   draft_serial;     /* raised with each change to the draft */
};

/* For the other kinds that hold a part of a message. */
void att_path_save(struct wr *w, const struct att_path *p);
void att_path_load(struct rd *r, struct att_path *out);
void draft_save(struct wr *w, const struct msg *m);                        /* length and packed message */
void draft_load(struct rd *r, struct arena *a, struct msg *out);
#endif
