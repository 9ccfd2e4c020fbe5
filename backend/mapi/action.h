/* action.h - what a rule does to a message (MS-OXORULE 2.2.5): decode and encode.
 *
 * Standard rules travel in ROPs with 16-bit counts (PV_COUNTS_ROP); extended rules lie in messages with 32-bit counts
 * (PV_COUNTS_WIDE), and some of their action data has another form.  Everything in the arena; blobs borrow from what was read. */
#ifndef MAPI_ACTION_H
#define MAPI_ACTION_H
#include "backend/mapi/propval.h"

enum action_type {
    OP_MOVE = 0x01, OP_COPY = 0x02, OP_REPLY = 0x03, OP_OOF_REPLY = 0x04, OP_DEFER_ACTION = 0x05, OP_BOUNCE = 0x06,
    OP_FORWARD = 0x07, OP_DELEGATE = 0x08, OP_TAG = 0x09, OP_DELETE = 0x0A, OP_MARK_AS_READ = 0x0B
};
enum {
    ACTION_PRESERVE_SENDER = 1, ACTION_UNCHANGED = 2, ACTION_AS_ATTACHMENT = 4, ACTION_AS_SMS = 8, /* flavors of OP_FORWARD */
    ACTION_NOT_TO_SENDER = 1, ACTION_SERVER_TEXT = 2                                          /* of OP_REPLY, OP_OOF_REPLY */
};
enum { BOUNCE_TOO_LARGE = 0x0D, BOUNCE_NOT_DISPLAYABLE = 0x1F, BOUNCE_DENIED = 0x26 };

struct action_recipient { uint8_t reserved; size_t n; struct propval *v; };

struct rule_action {
    enum action_type type;
    uint32_t flavor, flags;
    union {
        struct {                          /* OP_MOVE, OP_COPY */
            uint8_t     in_this_store;    /* extended rules have no such field: 1 */
            struct blob store;            /* Store EntryID; ignored if in_this_store */
            struct blob folder;           /* ServerEid (standard) or Folder EntryID (extended) */
        } move;
        struct {                          /* OP_REPLY, OP_OOF_REPLY */
            uint64_t    fid, mid;         /* standard: the template's ids as on the wire */
            struct blob message;          /* extended: its Message EntryID */
            struct guid template;         /* PidTagReplyTemplateId */
        } reply;
        struct blob defer;                /* OP_DEFER_ACTION: the client's own bytes */
        uint32_t    bounce;               /* OP_BOUNCE: BOUNCE_* */
        struct { size_t n; struct action_recipient *v; } forward; /* OP_FORWARD, OP_DELEGATE */
        struct propval tag;               /* OP_TAG */
    };
};

struct rule_actions { size_t n; struct rule_action *v; };

/* Reads the count and so many action blocks.  Latches on malformed bytes, on a block whose data does not end where the block does, on
 * an unknown action type and on no actions at all (OXORULE R232). */
struct rule_actions *action_read(struct rd *r, const struct pv_codec *c);
void action_write(struct wr *w, const struct pv_codec *c, const struct rule_actions *a);

/* "OP_MOVE, OP_MARK_AS_READ" for decode and logs.  In the arena. */
const char *action_print(struct arena *a, const struct rule_actions *list);
#endif
