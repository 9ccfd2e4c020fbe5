/* stream.c - the state of an open stream: into its block and back. */
#include "session/object/stream.h"

enum { S_WRITABLE = 1, S_CHANGED = 2 };

void obj_stream_save(struct wr *w, const struct obj_stream *s)
{
    wr_u32(w, s->owner);
    wr_u32(w, s->tag);
    wr_u16(w, s->code_page);
    wr_u8(w, s->where);
    wr_u8(w, (uint8_t)((s->writable ? S_WRITABLE : 0) | (s->changed ? S_CHANGED : 0)));
    wr_u64(w, s->size);
    wr_u64(w, s->position);
    if (s->where == STREAM_INLINE)
        wr_put(w, s->bytes);
    else if (s->where == STREAM_LARGE) {
        wr_bytes(w, s->large.key, sizeof s->large.key);
        wr_u64(w, s->large.size);
    }
}

static void load_large(struct rd *r, struct large_ref *out)
{
    rd_copy(r, out->key, sizeof out->key);
    out->size = rd_u64(r);
}

bool obj_stream_load(struct rd *r, struct arena *a, struct obj_stream *out)
{
    *out = (struct obj_stream){ .owner = rd_u32(r) };
    out->tag = rd_u32(r);
    out->code_page = rd_u16(r);
    out->where = rd_u8(r);
    uint8_t flags = rd_u8(r);
    out->writable = (flags & S_WRITABLE) != 0;
    out->changed = (flags & S_CHANGED) != 0;
    out->size = rd_u64(r);
    out->position = rd_u64(r);
    if (out->where == STREAM_INLINE)
        out->bytes = arena_blob(a, rd_blob(r, (size_t)out->size));
    else if (out->where == STREAM_LARGE)
        load_large(r, &out->large);
    else if (out->where != STREAM_STAGED)
        rd_fail(r, "unknown place of bytes");
    return rd_ok(r);
}

const char *obj_stream_describe(struct arena *a, const struct obj_stream *s)
{
    static const char *const place[] = { "here", "stored", "staged" };
    const char *name = proptag_name(s->tag);
    return arena_printf(a, "stream tag=%08x (%s) owner=%u%s%s size=%llu at=%llu %s", s->tag, name != NULL ? name : "?", s->owner,
                        s->writable ? " writable" : "", s->changed ? " changed" : "", (unsigned long long)s->size, (unsigned long long)s->position,
                        place[s->where]);
}
