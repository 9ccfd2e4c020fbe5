/* restriction.c - restrictions between the wire and memory (MS-OXCDATA 2.12). */
#include "backend/mapi/restriction.h"
#include "backend/base/must.h"

static size_t read_count(struct rd *r, const struct pv_codec *c)
{
    /* the smallest restriction is one byte */
    return rd_count(r, c->counts != PV_COUNTS_ROP ? rd_u32(r) : rd_u16(r), 1);
}

static void read_one(struct rd *r, const struct pv_codec *c, struct restriction *out);

static struct restriction *read_inner(struct rd *r, const struct pv_codec *c)
{
    struct restriction *inner = arena_one(c->a, struct restriction);
    read_one(r, c, inner);
    return inner;
}

/* Grows with what was really read: a count inside a count inside a count would otherwise multiply. */
static void read_list(struct rd *r, const struct pv_codec *c, struct restriction *out)
{
    size_t n = read_count(r, c), cap = 0;
    for (size_t i = 0; i < n && rd_ok(r); i++) {
        out->list.v = arena_grow(c->a, out->list.v, &cap, out->list.n, sizeof *out->list.v);
        read_one(r, c, &out->list.v[out->list.n++]);
        if (arena_over(c->a)) /* a node of one byte takes a hundred here */
            rd_fail(r, "restriction too large");
    }
}

static void read_comment(struct rd *r, const struct pv_codec *c, struct restriction *out)
{
    size_t n = rd_count(r, rd_u8(r), sizeof(uint32_t));
    out->comment.v = arena_array(c->a, struct propval, n);
    for (; out->comment.n < n && rd_ok(r); out->comment.n++)
        propval_read_tagged(r, c, &out->comment.v[out->comment.n]);
    if (rd_u8(r) != 0)
        out->comment.r = read_inner(r, c);
}

static void read_body(struct rd *r, const struct pv_codec *c, struct restriction *out)
{
    switch (out->kind) {
    case RES_AND:
    case RES_OR:
        read_list(r, c, out);
        break;
    case RES_NOT:
        out->one.r = read_inner(r, c);
        break;
    case RES_CONTENT:
        out->content.level = rd_u16(r);
        out->content.fuzzy = rd_u16(r);
        out->content.tag = prop_unicode(rd_u32(r));
        propval_read_tagged(r, c, &out->content.value);
        break;
    case RES_PROPERTY:
        out->property.relop = rd_u8(r);
        out->property.tag = prop_unicode(rd_u32(r));
        propval_read_tagged(r, c, &out->property.value);
        break;
    case RES_COMPAREPROPS:
        out->compare.relop = rd_u8(r);
        out->compare.tag1 = prop_unicode(rd_u32(r));
        out->compare.tag2 = prop_unicode(rd_u32(r));
        break;
    case RES_BITMASK:
        out->bitmask.relop = rd_u8(r);
        out->bitmask.tag = rd_u32(r);
        out->bitmask.mask = rd_u32(r);
        break;
    case RES_SIZE:
        out->size.relop = rd_u8(r);
        out->size.tag = prop_unicode(rd_u32(r));
        out->size.size = rd_u32(r);
        break;
    case RES_EXIST:
        out->exist.tag = prop_unicode(rd_u32(r));
        break;
    case RES_SUBRESTRICTION:
        out->sub.subobject = rd_u32(r);
        out->sub.r = read_inner(r, c);
        break;
    case RES_COMMENT:
        read_comment(r, c, out);
        break;
    case RES_COUNT:
        out->count.count = rd_u32(r);
        out->count.r = read_inner(r, c);
        break;
    case RES_NULL:
        break;
    default:
        rd_fail(r, "unknown restriction");
    }
}

static void read_one(struct rd *r, const struct pv_codec *c, struct restriction *out)
{
    *out = (struct restriction){ .kind = RES_NULL };
    if (rd_enter(r)) {
        out->kind = rd_u8(r);
        read_body(r, c, out);
    }
    rd_leave(r);
}

struct restriction *restriction_read(struct rd *r, const struct pv_codec *c) { return read_inner(r, c); }

/* --- writing --- */

static void write_list(struct wr *w, const struct pv_codec *c, const struct restriction *r)
{
    if (c->counts != PV_COUNTS_ROP)
        wr_u32(w, (uint32_t)r->list.n);
    else if (r->list.n <= UINT16_MAX)
        wr_u16(w, (uint16_t)r->list.n);
    else
        w->full = true;
    for (size_t i = 0; i < r->list.n; i++)
        restriction_write(w, c, &r->list.v[i]);
}

static void write_comment(struct wr *w, const struct pv_codec *c, const struct restriction *r)
{
    must(r->comment.n <= UINT8_MAX);
    wr_u8(w, (uint8_t)r->comment.n);
    for (size_t i = 0; i < r->comment.n; i++)
        propval_write_tagged(w, c, &r->comment.v[i]);
    wr_u8(w, r->comment.r != NULL);
    if (r->comment.r != NULL)
        restriction_write(w, c, r->comment.r);
}

void restriction_write(struct wr *w, const struct pv_codec *c, const struct restriction *r)
{
    wr_u8(w, (uint8_t)r->kind);
    switch (r->kind) {
    case RES_AND:
    case RES_OR:
        write_list(w, c, r);
        break;
    case RES_NOT:
        restriction_write(w, c, r->one.r);
        break;
    case RES_CONTENT:
        wr_u16(w, r->content.level);
        wr_u16(w, r->content.fuzzy);
        wr_u32(w, r->content.tag);
        propval_write_tagged(w, c, &r->content.value);
        break;
    case RES_PROPERTY:
        wr_u8(w, r->property.relop);
        wr_u32(w, r->property.tag);
        propval_write_tagged(w, c, &r->property.value);
        break;
    case RES_COMPAREPROPS:
        wr_u8(w, r->compare.relop);
        wr_u32(w, r->compare.tag1);
        wr_u32(w, r->compare.tag2);
        break;
    case RES_BITMASK:
        wr_u8(w, r->bitmask.relop);
        wr_u32(w, r->bitmask.tag);
        wr_u32(w, r->bitmask.mask);
        break;
    case RES_SIZE:
        wr_u8(w, r->size.relop);
        wr_u32(w, r->size.tag);
        wr_u32(w, r->size.size);
        break;
    case RES_EXIST:
        wr_u32(w, r->exist.tag);
        break;
    case RES_SUBRESTRICTION:
        wr_u32(w, r->sub.subobject);
        restriction_write(w, c, r->sub.r);
        break;
    case RES_COMMENT:
        write_comment(w, c, r);
        break;
    case RES_COUNT:
        wr_u32(w, r->count.count);
        restriction_write(w, c, r->count.r);
        break;
    case RES_NULL:
        break;
    }
}
