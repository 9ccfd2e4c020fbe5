/* msgpack.c - whole messages and recipient lists in packed form.
 *
 *   recipients: u8 'r', u8 version, u16 0, u32 n, then n times {u32 row, u8 type, u16 code page, u8 deleted, u32 size, packed properties}
 *   message:    u8 'm', u8 version, u16 0, then sections {u8 tag, u32 size, bytes}, each at most once but ATTACHMENT
 *
 * A section that this version does not know is damage: a new section is a new version. */
#include "backend/mapi/msg.h"

enum { RCPTS_KIND = 'r', MSG_KIND = 'm', VERSION = 1 };
enum section { SET = 1, DEL = 2, RCPTS = 3, REPLACED = 4, ATTACHMENT = 5, NEXT_ATT = 6, NUM = 7, FLAGS = 8, EMBEDDED = 9 };
enum { ATT_DELETED = 1, ATT_FRESH = 2 };

/* --- packing --- */

static size_t open_section(struct wr *w, enum section tag)
{
    wr_u8(w, (uint8_t)tag);
    wr_u32(w, 0);
    return wr_mark(w);
}

static void close_section(struct wr *w, size_t start)
{
    size_t n = wr_mark(w) - start;
    if (n > UINT32_MAX)
        w->full = true;
    if (!w->full)
        wr_patch_u32(w, start - 4, (uint32_t)n);
}

static void header(struct wr *w, uint8_t kind)
{
    wr_u8(w, kind);
    wr_u8(w, VERSION);
    wr_u16(w, 0);
}

static void pack_changes(struct wr *w, const struct props *set, const struct tags *del)
{
    if (set->n != 0) {
        size_t s = open_section(w, SET);
        props_pack(w, set);
        close_section(w, s);
    }
    if (del->n != 0) {
        size_t s = open_section(w, DEL);
        for (size_t i = 0; i < del->n; i++)
            wr_u32(w, del->v[i]);
        close_section(w, s);
    }
}

void rcpts_pack(struct wr *w, const struct msg *m)
{
    header(w, RCPTS_KIND);
    wr_u32(w, (uint32_t)m->nrcpt);
    for (size_t i = 0; i < m->nrcpt && !w->full; i++) {
        const struct recipient *r = &m->rcpt[i];
        wr_u32(w, r->row);
        wr_u8(w, r->type);
        wr_u16(w, r->code_page);
        wr_u8(w, r->deleted);
        wr_u32(w, 0);
        size_t start = wr_mark(w);
        props_pack(w, &r->props);
        close_section(w, start);
    }
}

static void pack_u32(struct wr *w, enum section tag, uint32_t v)
{
    size_t s = open_section(w, tag);
    wr_u32(w, v);
    close_section(w, s);
}

static void pack_attachment(struct wr *w, const struct attachment *t)
{
    size_t s = open_section(w, ATTACHMENT);
    pack_u32(w, NUM, t->num);
    uint32_t flags = (t->deleted ? ATT_DELETED : 0u) | (t->fresh ? ATT_FRESH : 0u);
    if (flags != 0)
        pack_u32(w, FLAGS, flags);
    pack_changes(w, &t->set, &t->del);
    if (t->embedded != NULL) {
        size_t e = open_section(w, EMBEDDED);
        msg_pack(w, t->embedded);
        close_section(w, e);
    }
    close_section(w, s);
}

void msg_pack(struct wr *w, const struct msg *m)
{
    header(w, MSG_KIND);
    pack_changes(w, &m->set, &m->del);
    if (m->rcpts_replaced)
        pack_u32(w, REPLACED, 1);
    if (m->nrcpt != 0) {
        size_t s = open_section(w, RCPTS);
        rcpts_pack(w, m);
        close_section(w, s);
    }
    for (size_t i = 0; i < m->natt && !w->full; i++)
        pack_attachment(w, &m->att[i]);
    if (m->next_att != 0)
        pack_u32(w, NEXT_ATT, m->next_att);
}

/* --- unpacking --- */

static void read_header(struct rd *r, uint8_t kind)
{
    uint8_t  k = rd_u8(r), version = rd_u8(r);
    uint16_t zero = rd_u16(r);
    if (k != kind || version != VERSION || zero != 0)
        rd_fail(r, "packed header");
}

static void unpack_set(struct rd *r, struct arena *a, struct props *out)
{
    if (!props_unpack(rd_rest(r), a, out))
        rd_fail(r, "packed properties");
}

static void unpack_del(struct rd *r, struct arena *a, struct tags *out)
{
    size_t n = r->n / 4;
    *out = (struct tags){ arena_array(a, uint32_t, n), 0, n };
    while (out->n < n)
        out->v[out->n++] = rd_u32(r);
}

static void unpack_recipient(struct rd *r, struct arena *a, struct recipient *out)
{
    out->row = rd_u32(r);
    out->type = rd_u8(r);
    out->code_page = rd_u16(r);
    out->deleted = rd_u8(r) != 0;
    struct blob props = rd_blob(r, rd_u32(r));
    if (rd_ok(r) && !props_unpack(props, a, &out->props))
        rd_fail(r, "packed properties");
}

static void read_rcpts(struct rd *r, struct arena *a, struct msg *out)
{
    enum { LEAST = 4 + 1 + 2 + 1 + 4 + 4 };
    read_header(r, RCPTS_KIND);
    size_t n = rd_count(r, rd_u32(r), LEAST);
    out->rcpt = arena_array(a, struct recipient, n);
    out->rcpt_cap = n;
    for (out->nrcpt = 0; out->nrcpt < n && rd_ok(r); out->nrcpt++)
        unpack_recipient(r, a, &out->rcpt[out->nrcpt]);
}

static void read_msg(struct rd *r, struct arena *a, struct msg *out);

static void att_section(struct rd *s, struct arena *a, enum section tag, struct attachment *out)
{
    uint32_t flags;
    switch (tag) {
    case NUM:
        out->num = rd_u32(s);
        break;
    case FLAGS:
        flags = rd_u32(s);
        out->deleted = (flags & ATT_DELETED) != 0;
        out->fresh = (flags & ATT_FRESH) != 0;
        break;
    case SET:
        unpack_set(s, a, &out->set);
        break;
    case DEL:
        unpack_del(s, a, &out->del);
        break;
    case EMBEDDED:
        out->embedded = arena_one(a, struct msg);
        read_msg(s, a, out->embedded);
        break;
    default:
        rd_fail(s, "packed section");
    }
}

/* The next section's tag and its reader; each tag at most once, except `many`. */
static enum section next_section(struct rd *r, struct rd *out, unsigned *seen, enum section many)
{
    unsigned tag = rd_u8(r);
    *out = rd_sub(r, rd_u32(r));
    if (tag > EMBEDDED || (tag != many && (*seen & 1u << tag) != 0))
        rd_fail(out, "packed section");
    *seen |= 1u << (tag & 31);
    return (enum section)tag;
}

static void end_section(struct rd *r, struct rd *s)
{
    if (rd_ok(s) && s->n != 0)
        rd_fail(s, "packed section too long");
    rd_join(r, s);
}

static void unpack_attachment(struct rd *r, struct arena *a, struct attachment *out)
{
    unsigned seen = 0;
    while (r->n != 0) {
        struct rd    s;
        enum section tag = next_section(r, &s, &seen, 0);
        if (rd_ok(&s))
            att_section(&s, a, tag, out);
        end_section(r, &s);
    }
}

static void msg_section(struct rd *s, struct arena *a, enum section tag, struct msg *out)
{
    switch (tag) {
    case SET:
        unpack_set(s, a, &out->set);
        break;
    case DEL:
        unpack_del(s, a, &out->del);
        break;
    case REPLACED:
        out->rcpts_replaced = rd_u32(s) != 0;
        break;
    case RCPTS:
        read_rcpts(s, a, out);
        break;
    case ATTACHMENT:
        out->att = arena_grow(a, out->att, &out->att_cap, out->natt, sizeof *out->att);
        unpack_attachment(s, a, &out->att[out->natt++]);
        break;
    case NEXT_ATT:
        out->next_att = rd_u32(s);
        break;
    default:
        rd_fail(s, "packed section");
    }
}

static void read_msg(struct rd *r, struct arena *a, struct msg *out)
{
    unsigned seen = 0;
    if (rd_enter(r))
        read_header(r, MSG_KIND);
    while (r->n != 0) {
        struct rd    s;
        enum section tag = next_section(r, &s, &seen, ATTACHMENT);
        if (rd_ok(&s))
            msg_section(&s, a, tag, out);
        end_section(r, &s);
    }
    rd_leave(r);
}

bool msg_unpack(struct blob b, struct arena *a, struct msg *out)
{
    struct rd r = rd_blob_of(b);
    *out = (struct msg){ 0 };
    read_msg(&r, a, out);
    if (rd_ok(&r))
        return true;
    *out = (struct msg){ 0 };
    return false;
}

bool rcpts_unpack(struct blob b, struct arena *a, struct msg *out)
{
    struct rd  r = rd_blob_of(b);
    struct msg m = { 0 };
    read_rcpts(&r, a, &m);
    if (!rd_done(&r))
        return false;
    out->rcpt = m.rcpt;
    out->nrcpt = m.nrcpt;
    out->rcpt_cap = m.rcpt_cap;
    return true;
}
