/* msgflags.c - status and read state of messages, written at once. MS-OXCMSG 2.2.3.8-2.2.3.11, 3.2.5.8-3.2.5.11. */
#include "session/object/folder.h"
#include "session/rop/draft.h"

ec_t rop_GetMessageStatus(struct rop_ctx *c)
{
    uint64_t mid;
    uint32_t status;
    ec_t ec = rop_id(rd_u64(c->in), &mid);
    rop_note(c, "mid=%llx", (unsigned long long)mid);
    TRY(ec);
    TRY(message_status(c->m, c->object->folder->fid, mid, &status));
    wr_u32(c->out, status);
    return ecNone;
}

ec_t rop_SetMessageStatus(struct rop_ctx *c)
{
    uint64_t mid;
    ec_t ec = rop_id(rd_u64(c->in), &mid);
    uint32_t flags = rd_u32(c->in), mask = rd_u32(c->in), old;
    rop_note(c, "mid=%llx flags=%08x mask=%08x", (unsigned long long)mid, flags, mask);
    TRY(ec);
    TRY(rop_write(c));
    TRY(message_set_status(c->m, c->object->folder->fid, mid, flags, mask, &old));
    wr_u32(c->out, old);
    return ecNone;
}

/* WantAsynchronous asks for RopProgress, which a server may always leave out (OXCMSG R426, R1509). */
ec_t rop_SetReadFlags(struct rop_ctx *c)
{
    rd_u8(c->in);
    uint8_t flags = rd_u8(c->in);
    size_t n = rd_count(c->in, rd_u16(c->in), 8), known = 0;
    bool all = n == 0, changed = false, partial = false;
    uint64_t *mids = arena_array(c->a, uint64_t, n);
    for (size_t i = 0; i < n; i++)
        known += rop_id(rd_u64(c->in), &mids[known]) == ecNone;
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "flags=%02x messages=%zu", flags, n);

    if (all || known != 0) {
        TRY(rop_write(c));
        TRY(messages_set_read(c->m, c->object->folder->fid, mids, known, flags, &changed, &partial));
    }
    wr_u8(c->out, partial || known < n);
    return ecNone;
}

/* --- of an open message -------------------------------------------------------------------------------------------------------- */
enum { RF_CLEAR_READ = 0x04, RF_RECEIPT_ONLY = 0x10, RF_CLEAR_NOTIFY_READ = 0x20, RF_CLEAR_NOTIFY_UNREAD = 0x40, MF_READ = 0x1 };

/* A message that is not in the store has its read state in the draft. */
static ec_t set_in_draft(struct rop_ctx *c, uint8_t flags)
{
    if ((flags & (RF_RECEIPT_ONLY | RF_CLEAR_NOTIFY_READ | RF_CLEAR_NOTIFY_UNREAD)) != 0)
        return ecNone;
    uint32_t tag = PidTagMessageFlags;
    struct props p;
    TRY(draft_open(c, c->object));
    TRY(draft_props(c, c->object, &tag, 1, &p));
    int32_t old = prop_type(p.v[0].tag) == PtypInteger32 ? p.v[0].v.i32 : 0;
    draft_set(c, c->object, pv_i32(tag, (flags & RF_CLEAR_READ) != 0 ? old & ~MF_READ : old | MF_READ));
    return draft_close(c, c->object);
}

/* The change is this handle's own and no conflict for its next save; that of another handle in between still is one. */
static ec_t set_in_store(struct rop_ctx *c, uint8_t flags)
{
    struct obj_message *s = c->object->message;
    struct message_info before, after;
    bool changed = false, partial = false;
    TRY(rop_write(c));
    TRY(message_open(c->m, s->fid, s->mid, true, &before));
    TRY(messages_set_read(c->m, s->fid, &s->mid, 1, flags, &changed, &partial));
    if (partial)
        return EC(ecAccessDenied);
    TRY(message_open(c->m, s->fid, s->mid, true, &after));
    if (before.cn == s->base_cn && after.cn != s->base_cn) {
        s->base_cn = after.cn;
        object_dirty(c->object);
    }
    return ecNone;
}

/* ClientData belongs to public folders, where this server has no logons yet; so ReadStatusChanged is 0 (OXCMSG R1841). */
ec_t rop_SetMessageReadFlag(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    rop_note(c, "flags=%02x", flags);
    const struct obj_message *s = c->object->message;
    TRY(s->embedded || s->mid == 0 ? set_in_draft(c, flags) : set_in_store(c, flags));
    wr_u8(c->out, 0);
    return ecNone;
}
