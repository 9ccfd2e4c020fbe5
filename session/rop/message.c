/* message.c - messages opened and made. MS-OXCMSG 2.2.3.1, 2.2.3.2, 2.2.3.7, 3.2.5.1, 3.2.5.2. */
#include "session/rop/message.h"
#include "backend/base/crypto.h"
#include "backend/base/utf.h"
#include "backend/mapi/entryid.h"
#include "session/rop/recipient.h"

enum { ACCESS_MODIFY = 0x1 };

/* --- the answer ---------------------------------------------------------------------------------------------------------------- */

/* TypedString (MS-OXCDATA 2.11.7): absent, empty, one byte per character where that is enough, or UTF-16. */
static void write_typed(struct rop_ctx *c, const struct propval *v)
{
    enum { TS_NONE = 0, TS_EMPTY = 1, TS_REDUCED = 3, TS_UNICODE = 4 };
    if (prop_type(v->tag) != PtypString || v->large) {
        wr_u8(c->out, TS_NONE);
        return;
    }
    struct blob text = utf16_from_utf8(c->a, v->v.s);
    struct rd r = rd_blob_of(text);
    bool narrow = true;
    while (r.n >= 2)
        narrow &= rd_u16(&r) < 0x100;
    wr_u8(c->out, text.n == 0 ? TS_EMPTY : narrow ? TS_REDUCED : TS_UNICODE);
    r = rd_blob_of(text);
    while (r.n >= 2)
        wr_le(c->out, rd_u16(&r), narrow ? 1 : 2);
    if (text.n != 0)
        wr_le(c->out, 0, narrow ? 1 : 2);
}

ec_t message_write_opened(struct rop_ctx *c, struct object *o)
{
    static const uint32_t tags[] = { PidTagHasNamedProperties, PidTagSubjectPrefix, PidTagNormalizedSubject };
    struct props p;
    struct msg m;
    struct pv_codec codec = draft_codec(c, o);
    TRY(draft_props(c, o, tags, 3, &p));
    TRY(draft_message(c, o, LOAD_RCPTS, &m));
    wr_u8(c->out, prop_type(p.v[0].tag) == PtypBoolean && p.v[0].v.b);
    write_typed(c, &p.v[1]);
    write_typed(c, &p.v[2]);
    recipient_write_opened(c, &codec, &m);
    return ecNone;
}

ec_t message_code_page(uint16_t id, uint16_t *out)
{
    enum { OF_LOGON = 0x0FFF, UNICODE = 1200 };
    *out = id == OF_LOGON || id == UNICODE ? 0 : id;
    return *out == 0 || codepage_known(*out) ? ecNone : EC(ecUnknownCodePage);
}

/* --- opening ------------------------------------------------------------------------------------------------------------------- */

/* Other bits than those of the four modes are ignored (OXCMSG R1293). */
static ec_t may_open(const struct message_info *info, uint8_t mode, bool *writable)
{
    *writable = (mode & OPEN_MODE_WRITE) != 0 && (info->access & ACCESS_MODIFY) != 0;
    bool best = (mode & OPEN_MODE_BEST) == OPEN_MODE_BEST;
    return (mode & OPEN_MODE_WRITE) == 0 || *writable || best ? ecNone : EC(ecAccessDenied);
}

ec_t rop_OpenMessage(struct rop_ctx *c)
{
    uint16_t page = rd_u16(c->in);
    uint64_t wire_fid = rd_u64(c->in);
    uint8_t mode = rd_u8(c->in);
    uint64_t wire_mid = rd_u64(c->in), fid, mid;
    rop_note(c, "fid=%llx mid=%llx mode=%02x", (unsigned long long)id_gc(wire_fid), (unsigned long long)id_gc(wire_mid), mode);

    struct message_info info;
    bool writable;
    ec_t ec;
    TRY(message_code_page(page, &page));
    TRY(rop_id(wire_fid, &fid));
    TRY(rop_id(wire_mid, &mid));
    TRY(message_open(c->m, fid, mid, (mode & OPEN_MODE_DELETED) != 0, &info));
    TRY(may_open(&info, mode, &writable));
    struct object *o = rop_output(c, OBJ_MESSAGE, &ec);
    if (o == NULL)
        return ec;
    *o->message = (struct obj_message){ .fid = info.fid, .mid = info.mid, .base_cn = info.cn, .assoc = info.assoc, .writable = writable,
                                        .saved_once = true, .code_page = page };
    return message_write_opened(c, o);
}

ec_t rop_ReloadCachedInformation(struct rop_ctx *c)
{
    rd_u16(c->in);
    return message_write_opened(c, c->object);
}

/* --- making -------------------------------------------------------------------------------------------------------------------- */

/* The initial values that are facts of this moment and this client (OXCMSG 3.2.5.2); the constant ones are made by the store. */
static void initial(struct rop_ctx *c, struct props *p)
{
    const struct context *x = c->context;
    struct { uint8_t b[16]; } key;
    uint64_t now = filetime_now();
    crypto_random(key.b, sizeof key.b);
    props_set(c->a, p, pv_time(PidTagCreationTime, now));
    props_set(c->a, p, pv_time(PidTagLastModificationTime, now));
    props_set(c->a, p, pv_bin(PidTagSearchKey, blob_of(arena_dup(c->a, key.b, sizeof key.b), sizeof key.b)));
    props_set(c->a, p, pv_i32(PidTagMessageLocaleId, (int32_t)x->lcid_string));
    props_set(c->a, p, pv_i32(PidTagLocaleId, (int32_t)x->lcid_string));
    if (x->user_dn == NULL || x->display_name == NULL)
        return;
    struct blob id = entryid_addressbook(c->a, 0, x->user_dn);
    props_set(c->a, p, pv_str(PidTagCreatorName, x->display_name));
    props_set(c->a, p, pv_bin(PidTagCreatorEntryId, id));
    props_set(c->a, p, pv_str(PidTagLastModifierName, x->display_name));
    props_set(c->a, p, pv_bin(PidTagLastModifierEntryId, id));
}

ec_t rop_CreateMessage(struct rop_ctx *c)
{
    uint16_t page = rd_u16(c->in);
    uint64_t wire_fid = rd_u64(c->in), fid;
    bool assoc = rd_u8(c->in) != 0;
    rop_note(c, "fid=%llx assoc=%d", (unsigned long long)id_gc(wire_fid), assoc);

    struct folder f;
    ec_t ec;
    TRY(message_code_page(page, &page));
    TRY(rop_id(wire_fid, &fid));
    TRY(folder_open(c->m, fid, false, &f));
    if ((f.rights & RIGHT_CREATE) == 0 || f.search)
        return EC(ecAccessDenied);
    struct object *o = rop_output(c, OBJ_MESSAGE, &ec);
    if (o == NULL)
        return ec;
    *o->message = (struct obj_message){ .fid = fid, .assoc = assoc, .writable = true, .code_page = page };
    initial(c, &o->message->draft.set);

    wr_u8(c->out, 0); /* HasMessageId: the id is made at the first save */
    return ecNone;
}
