/* stream.c - the stream ROPs: a property read and written in pieces. MS-OXCPRPT 2.2.14-2.2.20, 3.2.5.11-3.2.5.18. */
#include "session/rop/stream.h"
#include "backend/base/utf.h"
#include "backend/store/large.h"
#include "session/object/folder.h"
#include "session/rop/draft.h"
#include "session/rop/stream_int.h"

enum { OPEN_READWRITE = 0x01, OPEN_CREATE = 0x02 };

/* --- opening ------------------------------------------------------------------------------------------------------------------- */
static bool is_bytes(uint16_t type) { return type == PtypBinary || type == PtypObject; }

/* Which types can be streams (OXCPRPT R255, R25501, R256). */
static ec_t streamable(const struct object *owner, uint32_t tag)
{
    uint16_t type = prop_type(tag);
    if (owner->kind == OBJ_FOLDER)
        return type == PtypBinary ? ecNone : EC(ecNotSupported);
    if (owner->kind != OBJ_MESSAGE && owner->kind != OBJ_ATTACHMENT)
        return EC(ecNotSupported);
    return is_bytes(type) || type == PtypString || type == PtypString8 ? ecNone : EC(ecNotSupported);
}

static ec_t may_write(struct rop_ctx *c, struct object *owner, uint32_t tag)
{
    struct folder f;
    switch (owner->kind) {
    case OBJ_MESSAGE:
        TRY(message_prop_settable(tag, owner->message->saved_once));
        return draft_may(owner);
    case OBJ_ATTACHMENT:
        TRY(attachment_prop_settable(tag));
        return draft_may(owner);
    default:
        TRY(folder_open(c->m, owner->folder->fid, false, &f));
        return (f.rights & RIGHT_FOLDER_OWNER) != 0 ? ecNone : EC(ecAccessDenied);
    }
}

static ec_t one_value(struct rop_ctx *c, struct object *owner, uint32_t tag, struct propval *out)
{
    struct props p;
    TRY(owner->kind == OBJ_FOLDER ? folder_props(c->m, owner->folder->fid, &tag, 1, &p) : draft_props(c, owner, &tag, 1, &p));
    if (p.n != 1)
        return EC(ecNotFound);
    *out = p.v[0];
    return prop_type(out->tag) == PtypErrorCode ? out->v.err : ecNone;
}

/* PidTagAttachDataObject and PidTagAttachDataBinary are one property with two types; an embedded message is opened as a message. */
static ec_t current(struct rop_ctx *c, struct object *owner, uint32_t tag, struct propval *out)
{
    ec_t ec = one_value(c, owner, tag, out);
    if (ec != (ec_t)ecNotFound || owner->kind != OBJ_ATTACHMENT || prop_id(tag) != prop_id(PidTagAttachDataObject))
        return ec;
    struct attachment att;
    TRY(draft_attachment(c, owner, &att));
    if (att.embedded != NULL)
        return EC(ecNotSupported);
    return one_value(c, owner, tag == PidTagAttachDataObject ? PidTagAttachDataBinary : PidTagAttachDataObject, out);
}

/* The value as the stream's bytes: text in the coding asked for. */
static ec_t fill(struct rop_ctx *c, struct object *o, const struct propval *v)
{
    struct obj_stream *s = o->stream;
    struct propval here;
    if (v->large && prop_type(s->tag) != PtypString8) {
        s->where = STREAM_LARGE;
        s->large = v->v.large;
        s->size = s->large.size;
        return ecNone;
    }
    TRY(large_load(c->m, v, &here));
    if (prop_type(s->tag) == PtypString)
        return stream_place(c, o, utf16_from_utf8(c->a, here.v.s));
    if (prop_type(s->tag) == PtypString8)
        return stream_place(c, o, codepage_from_utf8(c->a, s->code_page, here.v.s));
    return stream_place(c, o, here.v.bin);
}

ec_t rop_OpenStream(struct rop_ctx *c)
{
    uint32_t tag = rd_u32(c->in);
    uint8_t flags = rd_u8(c->in);
    rop_note(c, "tag=%08x flags=%02x", tag, flags);

    struct object *owner = c->object;
    struct propval v = { .tag = tag };
    bool create = (flags & OPEN_CREATE) != 0, writable = create || (flags & OPEN_READWRITE) != 0;
    ec_t ec;
    TRY(streamable(owner, tag));
    if (writable)
        TRY(may_write(c, owner, tag));
    if (!create)
        TRY(current(c, owner, tag, &v));
    struct object *o = rop_output(c, OBJ_STREAM, &ec);
    if (o == NULL)
        return ec;
    *o->stream = (struct obj_stream){ .owner = owner->handle, .tag = tag, .code_page = draft_codec(c, owner).code_page, .writable = writable,
                                      .changed = create };
    if (!create)
        TRY(fill(c, o, &v));

    wr_u32(c->out, (uint32_t)o->stream->size);
    return ecNone;
}

/* --- reading and writing ------------------------------------------------------------------------------------------------------- */
ec_t rop_ReadStream(struct rop_ctx *c)
{
    enum { LONG_COUNT = 0xBABE };
    uint64_t want = rd_u16(c->in);
    bool packs = want == LONG_COUNT; /* the form whose data may go on in further buffers (OXCPRPT R285) */
    if (packs)
        want = rd_u32(c->in);
    if (want > 0x80000000u) /* OXCROPS R3215 */
        rd_fail(c->in, "MaximumByteCount");
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "count=%llu", (unsigned long long)want);

    struct obj_stream *s = c->object->stream;
    struct blob b;
    size_t room = wr_room(c->out), n = room > 2 ? room - 2 : 0;
    uint64_t left = s->position < s->size ? s->size - s->position : 0;
    want -= c->sent < want ? c->sent : want;
    n = n > 0xFFFF ? 0xFFFF : n;
    n = n > want ? (size_t)want : n;
    if (n == 0 && want != 0 && left != 0) {
        c->out->full = true;
        return ecNone;
    }
    TRY(stream_peek(c, c->object, n, &b));

    wr_u16(c->out, (uint16_t)b.n);
    wr_put(c->out, b);
    s->position += b.n;
    c->got = b.n;
    c->more = packs && b.n < want && b.n < left;
    object_dirty(c->object);
    return ecNone;
}

static ec_t write_bytes(struct rop_ctx *c)
{
    struct blob b = rd_blob(c->in, rd_u16(c->in));
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (c->upload.p != NULL)
        b = c->upload;
    rop_note(c, "bytes=%zu", b.n);
    if (!c->object->stream->writable)
        return EC(ecStorageAccessDenied);
    TRY(stream_put(c, c->object, b));
    c->got = b.n;
    return ecNone;
}

ec_t rop_WriteStream(struct rop_ctx *c)
{
    TRY(write_bytes(c));
    wr_u16(c->out, (uint16_t)c->got);
    return ecNone;
}

ec_t rop_WriteStreamExtended(struct rop_ctx *c)
{
    TRY(write_bytes(c));
    wr_u32(c->out, (uint32_t)c->got);
    return ecNone;
}

ec_t rop_WriteAndCommitStream(struct rop_ctx *c)
{
    TRY(write_bytes(c));
    TRY(stream_commit(c, c->object));
    wr_u16(c->out, (uint16_t)c->got);
    return ecNone;
}

ec_t rop_CommitStream(struct rop_ctx *c)
{
    return stream_commit(c, c->object);
}

ec_t rop_GetStreamSize(struct rop_ctx *c)
{
    wr_u32(c->out, (uint32_t)c->object->stream->size);
    return ecNone;
}

ec_t rop_SetStreamSize(struct rop_ctx *c)
{
    uint64_t size = rd_u64(c->in);
    rop_note(c, "size=%llu", (unsigned long long)size);
    if (!c->object->stream->writable)
        return EC(ecStorageAccessDenied);
    return stream_resize(c, c->object, size);
}

/* OXCPRPT R582-R584, R902: the pointer may go beyond the end of a stream that can be written, which then grows. */
ec_t rop_SeekStream(struct rop_ctx *c)
{
    uint8_t origin = rd_u8(c->in);
    int64_t offset = (int64_t)rd_u64(c->in);
    rop_note(c, "origin=%u offset=%lld", origin, (long long)offset);

    struct obj_stream *s = c->object->stream;
    const uint64_t from[] = { 0, s->position, s->size };
    if (origin >= sizeof from / sizeof *from)
        return EC(ecStorageInvalidParameter);
    if (offset > (int64_t)STREAM_MAX || offset < -(int64_t)STREAM_MAX)
        return EC(ecStreamSeekError);
    int64_t to = (int64_t)from[origin] + offset;
    if (to < 0 || to > (int64_t)STREAM_MAX || ((uint64_t)to > s->size && !s->writable))
        return EC(ecStreamSeekError);
    if ((uint64_t)to > s->size)
        TRY(stream_resize(c, c->object, (uint64_t)to));
    s->position = (uint64_t)to;
    object_dirty(c->object);

    wr_u64(c->out, s->position);
    return ecNone;
}

/* --- into the property ---------------------------------------------------------------------------------------------------------- */
static ec_t commit_folder(struct rop_ctx *c, struct object *owner, const struct propval *v)
{
    struct props p = { 0 };
    ec_t problem = ecNone;
    props_set(c->a, &p, *v);
    TRY(rop_write(c));
    TRY(folder_props_set(c->m, owner->folder->fid, &p, &problem));
    return problem;
}

ec_t stream_commit(struct rop_ctx *c, struct object *o)
{
    struct obj_stream *s = o->stream;
    if (!s->changed)
        return ecNone;
    ec_t ec;
    struct propval v;
    struct object *owner = rop_object(c, s->owner, &ec);
    if (owner == NULL)
        return ec;
    TRY(stream_value(c, o, &v));
    if (owner->kind == OBJ_FOLDER) {
        TRY(commit_folder(c, owner, &v));
    } else {
        TRY(draft_open(c, owner));
        draft_set(c, owner, v);
        TRY(draft_close(c, owner));
    }
    s->changed = false;
    object_dirty(o);
    return ecNone;
}

/* The streams that were opened on an object. */
static struct object *stream_of(struct rop_ctx *c, const struct object *owner, size_t *i, ec_t *ec)
{
    *ec = ecNone;
    for (; *i < c->context->handles; ++*i) {
        const struct handle_entry *h = &c->context->handle[*i];
        if (h->kind == OBJ_STREAM && h->parent == owner->handle)
            return rop_object(c, c->context->handle[(*i)++].handle, ec);
    }
    return NULL;
}

ec_t stream_flush(struct rop_ctx *c, struct object *owner)
{
    ec_t ec;
    size_t i = 0;
    for (struct object *o; (o = stream_of(c, owner, &i, &ec)) != NULL; )
        TRY(stream_commit(c, o));
    return ec;
}

ec_t stream_forget(struct rop_ctx *c, struct object *owner, uint32_t tag)
{
    ec_t ec;
    size_t i = 0;
    for (struct object *o; (o = stream_of(c, owner, &i, &ec)) != NULL; )
        if (o->stream->changed && prop_id(o->stream->tag) == prop_id(tag)) {
            o->stream->changed = false;
            object_dirty(o);
        }
    return ec;
}

/* --- release -------------------------------------------------------------------------------------------------------------------- */
static ec_t drop_staged(struct rop_ctx *c, const struct object *x)
{
    struct stage_key key;
    rop_stage_key(c, x->handle, &key);
    return stage_drop(c->m, &key);
}

static bool keeps(const struct object *x)
{
    switch (x->kind) {
    case OBJ_STREAM:
        return x->stream->changed || x->stream->where == STREAM_STAGED;
    case OBJ_MESSAGE:
        return x->message->pinned != 0;
    case OBJ_ATTACHMENT:
        return x->attachment->pinned != 0;
    default:
        return false;
    }
}

void stream_release(struct rop_ctx *c, struct object *x)
{
    if (!keeps(x))
        return;
    struct mailbox *before = c->m;
    if (c->m == NULL && rop_mailbox(c, x->logon_id, true, &c->m) != ecNone) {
        c->m = before;
        return;
    }
    if (x->kind == OBJ_STREAM && stream_commit(c, x) != ecNone)
        rop_note(c, "a changed stream could not be committed");
    if ((x->kind != OBJ_STREAM || x->stream->where == STREAM_STAGED) && (rop_write(c) != ecNone || drop_staged(c, x) != ecNone))
        rop_note(c, "staged bytes are left for the sweeper");
    c->m = before;
}
