/* stream_bytes.c - the bytes of open streams: few in the state, a large value read where it lies, many written in the staging area. */
#include "session/rop/stream_int.h"
#include "backend/base/utf.h"
#include "backend/store/large.h"

static void key_of(struct rop_ctx *c, const struct object *o, struct stage_key *out) { rop_stage_key(c, o->handle, out); }

/* The largest message that the mailbox takes bounds its streams; asked for only when a stream grows long. */
static ec_t limit(struct rop_ctx *c, uint64_t size)
{
    enum { SURE = 1024 * 1024 };
    if (size <= SURE)
        return ecNone;
    uint32_t tag = PidTagMaximumSubmitMessageSize;
    struct props p;
    TRY(mailbox_props(c->m, &tag, 1, &p));
    int32_t kib = p.n == 1 && p.v[0].tag == tag ? p.v[0].v.i32 : 0;
    uint64_t max = kib > 0 ? (uint64_t)kib * 1024 : STREAM_MAX;
    return size <= max && size <= STREAM_MAX ? ecNone : EC(ecTooBig);
}

ec_t stream_place(struct rop_ctx *c, struct object *o, struct blob bytes)
{
    struct obj_stream *s = o->stream;
    s->size = bytes.n;
    if (bytes.n <= STREAM_SMALL) {
        s->where = STREAM_INLINE;
        s->bytes = bytes;
        return ecNone;
    }
    struct stage_key key;
    key_of(c, o, &key);
    s->where = STREAM_STAGED;
    TRY(rop_write(c));
    return stage_write(c->m, &key, 0, bytes);
}

ec_t stream_peek(struct rop_ctx *c, struct object *o, size_t n, struct blob *out)
{
    struct obj_stream *s = o->stream;
    uint64_t left = s->position < s->size ? s->size - s->position : 0;
    struct stage_key key;
    *out = blob_of(NULL, 0);
    if (n > left)
        n = (size_t)left;
    if (n == 0)
        return ecNone;
    if (s->where == STREAM_LARGE)
        return large_read(c->m, &s->large, s->position, n, out);
    if (s->where == STREAM_STAGED) {
        key_of(c, o, &key);
        return stage_read(c->m, &key, s->position, n, out);
    }
    struct rd r = rd_blob_of(s->bytes);
    rd_blob(&r, (size_t)s->position);
    *out = rd_blob(&r, n);
    return ecNone;
}

/* Moves the bytes to where they can be written beyond STREAM_SMALL. */
static ec_t to_staging(struct rop_ctx *c, struct object *o, struct stage_key *key)
{
    struct obj_stream *s = o->stream;
    key_of(c, o, key);
    TRY(rop_write(c));
    if (s->where == STREAM_LARGE)
        TRY(stage_from_large(c->m, key, &s->large));
    else if (s->where == STREAM_INLINE && s->bytes.n != 0)
        TRY(stage_write(c->m, key, 0, s->bytes));
    s->where = STREAM_STAGED;
    s->bytes = blob_of(NULL, 0);
    return ecNone;
}

/* The inline bytes as a new block of `size`, what is new is zero. */
static uint8_t *renew(struct rop_ctx *c, struct obj_stream *s, size_t size)
{
    uint8_t *p = arena_alloc(c->a, size);
    struct rd r = rd_blob_of(s->bytes);
    rd_copy(&r, p, s->bytes.n < size ? s->bytes.n : size);
    s->bytes = blob_of(p, size);
    return p;
}

static void grown(struct object *o, uint64_t size)
{
    o->stream->size = size;
    o->stream->changed = true;
    object_dirty(o);
}

ec_t stream_resize(struct rop_ctx *c, struct object *o, uint64_t size)
{
    struct obj_stream *s = o->stream;
    struct stage_key key;
    if (size > s->size)
        TRY(limit(c, size));
    if (s->where == STREAM_INLINE && size <= STREAM_SMALL) {
        renew(c, s, (size_t)size);
    } else {
        TRY(to_staging(c, o, &key));
        TRY(stage_resize(c->m, &key, size));
    }
    grown(o, size);
    return ecNone;
}

ec_t stream_put(struct rop_ctx *c, struct object *o, struct blob bytes)
{
    struct obj_stream *s = o->stream;
    struct stage_key key;
    uint64_t end = s->position + bytes.n, size = end > s->size ? end : s->size;
    if (bytes.n == 0) /* does not grow a stream that was cut before its position */
        return ecNone;
    TRY(limit(c, size));
    if (s->where == STREAM_INLINE && size <= STREAM_SMALL) {
        uint8_t *p = renew(c, s, (size_t)size);
        struct rd r = rd_blob_of(bytes);
        rd_copy(&r, p + s->position, bytes.n);
    } else {
        TRY(to_staging(c, o, &key));
        TRY(stage_write(c->m, &key, s->position, bytes));
    }
    grown(o, size);
    s->position = end;
    return ecNone;
}

/* --- as a value ---------------------------------------------------------------------------------------------------------------- */
static ec_t all_bytes(struct rop_ctx *c, struct object *o, struct blob *out)
{
    struct obj_stream *s = o->stream;
    uint64_t position = s->position;
    s->position = 0;
    ec_t ec = stream_peek(c, o, (size_t)s->size, out);
    s->position = position;
    return ec == ecNone && out->n != s->size ? EC(ecDiskError) : ec;
}

static struct propval decoded(struct rop_ctx *c, const struct obj_stream *s, struct blob b)
{
    uint32_t tag = prop_unicode(s->tag);
    switch (prop_type(s->tag)) {
    case PtypString:
        return pv_strn(tag, utf8_from_utf16(c->a, b));
    case PtypString8:
        return pv_strn(tag, utf8_from_codepage(c->a, s->code_page, b));
    default:
        return pv_bin(tag, b);
    }
}

ec_t stream_value(struct rop_ctx *c, struct object *o, struct propval *out)
{
    struct obj_stream *s = o->stream;
    struct stage_key key;
    if (s->where == STREAM_LARGE) {
        *out = (struct propval){ .tag = prop_unicode(s->tag), .large = true, .v.large = s->large };
        return ecNone;
    }
    bool as_kept = prop_type(s->tag) != PtypString8 && (prop_type(s->tag) != PtypString || s->size % 2 == 0);
    if (s->where == STREAM_STAGED && s->size > LARGE_MIN && as_kept) {
        key_of(c, o, &key);
        TRY(rop_write(c));
        *out = (struct propval){ .tag = prop_unicode(s->tag), .large = true };
        return stage_to_large(c->m, &key, &out->v.large);
    }
    struct blob b;
    TRY(all_bytes(c, o, &b));
    *out = decoded(c, s, b);
    return ecNone;
}
