/* embedded.c - a message in an attachment, opened as a message. MS-OXCMSG 2.2.3.16, 3.2.5.16. */
#include "session/rop/draft.h"
#include "session/rop/message.h"

/* One that is stored as it is seen here is read there; any other is taken along whole. */
static ec_t take(struct rop_ctx *c, const struct obj_attachment *s, const struct attachment *att, struct obj_message *out)
{
    bool stored = s->mid != 0 && s->path.n != 0 && s->draft.embedded == NULL && !out->whole;
    if (stored) {
        out->path = s->path;
        return ecNone;
    }
    out->whole = true;
    if (att->embedded == NULL)
        return ecNone;
    const struct msg *copy = draft_dup(c->a, att->embedded);
    if (copy == NULL)
        return EC(ecOutOfMemory);
    out->draft = *copy;
    return ecNone;
}

/* The message object shows a changed one in place of what is stored. */
static bool changed_above(struct rop_ctx *c, const struct obj_attachment *s)
{
    ec_t ec;
    struct object *message = rop_object(c, s->message, &ec);
    return message != NULL && msg_att(&message->message->draft, s->num) != NULL;
}

/* An attachment that was opened for writing gives its message for writing, whatever the flags (OXCMSG R3013). */
ec_t rop_OpenEmbeddedMessage(struct rop_ctx *c)
{
    uint16_t page = rd_u16(c->in);
    uint8_t mode = rd_u8(c->in);
    rop_note(c, "mode=%02x", mode);

    struct obj_attachment *s = c->object->attachment;
    struct attachment att;
    ec_t ec;
    TRY(message_code_page(page, &page));
    TRY(draft_attachment(c, c->object, &att));
    bool create = (mode & OPEN_MODE_CREATE) != 0;
    if (att.embedded == NULL && !create)
        return EC(ecNotFound);
    if ((mode & (OPEN_MODE_WRITE | OPEN_MODE_CREATE)) != 0 && !s->writable && (mode & OPEN_MODE_BEST) != OPEN_MODE_BEST)
        return EC(ecAccessDenied);
    if (att.embedded == NULL && !s->writable)
        return EC(ecAccessDenied);
    struct object *o = rop_output(c, OBJ_MESSAGE, &ec);
    if (o == NULL)
        return ec;
    *o->message = (struct obj_message){ .mid = s->mid, .writable = s->writable, .saved_once = att.embedded != NULL, .embedded = true,
                                        .whole = att.embedded == NULL || changed_above(c, s), .code_page = page != 0 ? page : s->code_page };
    TRY(take(c, s, &att, o->message));
    if (o->message->whole)
        TRY(draft_close(c, o));

    wr_u8(c->out, 0);
    wr_u64(c->out, 0); /* MessageId: it has none of its own */
    return message_write_opened(c, o);
}
