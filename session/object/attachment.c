/* attachment.c - the state of an open attachment: into its block and back. */
#include "session/object/attachment.h"

enum { A_FRESH = 1, A_WRITABLE = 2 };

/* The overlay travels as a message that has this one attachment. */
static struct msg as_message(const struct obj_attachment *s)
{
    return (struct msg){ .att = (struct attachment *)(uintptr_t)&s->draft, .natt = 1, .att_cap = 1 };
}

void obj_attachment_save(struct wr *w, const struct obj_attachment *s)
{
    wr_u32(w, s->message);
    wr_u64(w, s->mid);
    att_path_save(w, &s->path);
    wr_u32(w, s->num);
    wr_u8(w, (uint8_t)((s->fresh ? A_FRESH : 0) | (s->writable ? A_WRITABLE : 0)));
    wr_u64(w, s->pinned);
    wr_u16(w, s->code_page);
    struct msg m = as_message(s);
    draft_save(w, &m);
}

bool obj_attachment_load(struct rd *r, struct arena *a, struct obj_attachment *out)
{
    *out = (struct obj_attachment){ .message = rd_u32(r) };
    out->mid = rd_u64(r);
    att_path_load(r, &out->path);
    out->num = rd_u32(r);
    uint8_t flags = rd_u8(r);
    out->fresh = (flags & A_FRESH) != 0;
    out->writable = (flags & A_WRITABLE) != 0;
    out->pinned = rd_u64(r);
    out->code_page = rd_u16(r);
    struct msg m = { 0 };
    draft_load(r, a, &m);
    if (rd_ok(r) && m.natt != 1)
        rd_fail(r, "not one attachment");
    if (rd_ok(r))
        out->draft = m.att[0];
    return rd_ok(r);
}

const char *obj_attachment_describe(struct arena *a, const struct obj_attachment *s)
{
    return arena_printf(a, "attachment number=%u message=%u mid=%llx%s%s draft: set=%zu deleted=%zu%s", s->num, s->message, (unsigned long long)s->mid,
                        s->fresh ? " new" : "", s->writable ? " writable" : "", s->draft.set.n, s->draft.del.n, s->draft.embedded != NULL ? " embedded" : "");
}
