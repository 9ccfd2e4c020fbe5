/* message.c - the state of an open message: into its block and back. */
#include "session/object/message.h"

enum { M_ASSOC = 1, M_WRITABLE = 2, M_SAVED = 4, M_EMBEDDED = 8, M_WHOLE = 16 };

void att_path_save(struct wr *w, const struct att_path *p)
{
    wr_u8(w, p->n);
    for (size_t i = 0; i < p->n; i++)
        wr_u32(w, p->num[i]);
}

void att_path_load(struct rd *r, struct att_path *out)
{
    out->n = rd_u8(r);
    if (out->n > ATT_DEPTH) {
        rd_fail(r, "path too deep");
        out->n = 0;
    }
    for (size_t i = 0; i < out->n; i++)
        out->num[i] = rd_u32(r);
}

void draft_save(struct wr *w, const struct msg *m)
{
    size_t at = wr_mark(w);
    wr_u32(w, 0);
    msg_pack(w, m);
    if (!w->full)
        wr_patch_u32(w, at, (uint32_t)(wr_mark(w) - at - 4));
}

void draft_load(struct rd *r, struct arena *a, struct msg *out)
{
    struct blob b = rd_blob(r, rd_u32(r));
    if (rd_ok(r) && !msg_unpack(b, a, out))
        rd_fail(r, "damaged draft");
}

void obj_message_save(struct wr *w, const struct obj_message *s)
{
    wr_u64(w, s->fid);
    wr_u64(w, s->mid);
    wr_u64(w, s->base_cn);
    wr_u8(w, (uint8_t)((s->assoc ? M_ASSOC : 0) | (s->writable ? M_WRITABLE : 0) | (s->saved_once ? M_SAVED : 0) |
                       (s->embedded ? M_EMBEDDED : 0) | (s->whole ? M_WHOLE : 0)));
    wr_u64(w, s->pinned);
    wr_u16(w, s->code_page);
    att_path_save(w, &s->path);
    wr_u32(w, s->next_att);
    wr_u64(w, s->draft_serial);
    draft_save(w, &s->draft);
}

bool obj_message_load(struct rd *r, struct arena *a, struct obj_message *out)
{
    *out = (struct obj_message){ .fid = rd_u64(r) };
    out->mid = rd_u64(r);
    out->base_cn = rd_u64(r);
    uint8_t flags = rd_u8(r);
    out->assoc = (flags & M_ASSOC) != 0;
    out->writable = (flags & M_WRITABLE) != 0;
    out->saved_once = (flags & M_SAVED) != 0;
    out->embedded = (flags & M_EMBEDDED) != 0;
    out->whole = (flags & M_WHOLE) != 0;
    out->pinned = rd_u64(r);
    out->code_page = rd_u16(r);
    att_path_load(r, &out->path);
    out->next_att = rd_u32(r);
    out->draft_serial = rd_u64(r);
    draft_load(r, a, &out->draft);
    return rd_ok(r);
}

const char *obj_message_describe(struct arena *a, const struct obj_message *s)
{
    return arena_printf(a, "message mid=%llx fid=%llx%s%s%s draft: set=%zu deleted=%zu recipients=%zu attachments=%zu", (unsigned long long)s->mid,
                        (unsigned long long)s->fid, s->embedded ? " embedded" : "", s->assoc ? " associated" : "", s->writable ? " writable" : "",
                        s->draft.set.n, s->draft.del.n, s->draft.nrcpt, s->draft.natt);
}
