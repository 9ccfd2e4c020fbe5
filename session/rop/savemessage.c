/* savemessage.c - the draft of a message goes to the store, that of an embedded one into its attachment. MS-OXCMSG 2.2.3.3, 3.2.5.3. */
#include "backend/mapi/entryid.h"
#include "session/rop/draft.h"
#include "session/rop/save.h"
#include "session/rop/stream.h"

/* What goes on existing at the same handle: which access it has then.  Without a flag it stays as it was. */
void save_access(uint8_t flags, bool *writable)
{
    if ((flags & (SAVE_READWRITE | SAVE_FORCE)) != 0)
        *writable = true;
    else if ((flags & SAVE_READONLY) != 0)
        *writable = false;
}

static ec_t to_store(struct rop_ctx *c, struct object *o, uint8_t flags)
{
    struct obj_message *s = o->message;
    s->draft.next_att = s->next_att;
    struct message_save save = { .fid = s->fid, .mid = s->mid, .assoc = s->assoc, .base_cn = s->base_cn, .force = (flags & SAVE_FORCE) != 0,
                                 .over = &s->draft };
    TRY(rop_write(c));
    TRY(message_save(c->m, &save));
    s->mid = save.mid;
    s->base_cn = save.cn;
    s->saved_once = true;
    s->draft = (struct msg){ 0 };
    s->next_att = 0;
    s->draft_serial++;
    return draft_unpin(c, o);
}

/* R481: the attachment has it from now on, the store when that and the outer message are saved. */
static ec_t to_attachment(struct rop_ctx *c, struct object *o)
{
    ec_t ec;
    struct object *att = rop_object(c, o->parent, &ec);
    if (att == NULL)
        return ec;
    if (att->kind != OBJ_ATTACHMENT)
        return EC(ecInvalidObject);
    TRY(draft_open(c, att));
    TRY(draft_open(c, o));
    struct msg *whole = draft_dup(c->a, &o->message->draft);
    if (whole == NULL)
        return EC(ecOutOfMemory);
    att->attachment->draft.embedded = whole;
    o->message->saved_once = true;
    TRY(draft_close(c, o));
    return draft_close(c, att);
}

/* OXCMSG R3020: a message that was opened or saved for reading has no changes; saving those is no error. */
ec_t rop_SaveChangesMessage(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    rop_note(c, "flags=%02x", flags);

    struct object *o = c->object;
    struct obj_message *s = o->message;
    if (s->writable) {
        TRY(stream_flush(c, o));
        TRY(s->embedded ? to_attachment(c, o) : to_store(c, o, flags));
        save_access(flags, &s->writable);
        object_dirty(o);
    }

    wr_u8(c->out, c->in_index);
    wr_u64(c->out, s->embedded ? 0 : id_wire(REPLID_OWN, s->mid));
    return ecNone;
}
