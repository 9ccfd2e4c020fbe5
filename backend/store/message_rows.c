/* message_rows.c - messages as rows of tables: many of them in one statement, and one before and after a change. See view_int.h. */
#include "backend/store/message_int.h"

struct plan { colmask want; const uint32_t *tags; size_t n; uint64_t fid; uint32_t rights; };

ec_t message_plan(struct mailbox *m, uint64_t fid, const uint32_t *tags, size_t n, struct message_plan *out)
{
    struct plan *p = arena_one(m->arena, struct plan);
    *p = (struct plan){ .want = message_needs(tags, n), .n = n, .fid = fid };
    p->tags = arena_dup(m->arena, tags, n * sizeof *tags);
    TRY(rights_of(m, fid, &p->rights));
    out->select = message_row_select(m->arena, p->want);
    out->join = (p->want & MCOLS_BODY) != 0 ? "JOIN message_body b ON b.mid=m.mid" : "";
    out->own = p;
    return ecNone;
}

ec_t message_row_read(struct mailbox *m, const struct message_plan *mp, const struct query *q, unsigned col, uint64_t mid, struct arena *a, struct propval *out)
{
    const struct plan *p = mp->own;
    struct message_row row = { .mid = mid };
    message_row_read_cols(&row, q, col, p->want, a);
    struct message_src s = { .m = m, .a = a, .row = &row, .mid = mid, .fid = p->fid, .rights = p->rights, .many = p->n > 3 };
    if ((p->want & MCOL_BIT(fid)) != 0)
        s.fid = (uint64_t)row.i[MCOL_fid];
    for (size_t i = 0; i < p->n; i++)
        out[i] = message_value(&s, p->tags[i]);
    return s.ec;
}

/* --- one message before or after a change ---------------------------------------------------------------------------------- */
static const struct propval *get(void *ctx, uint32_t tag)
{
    struct message_src *s = ctx;
    struct propval *v = arena_one(s->a, struct propval);
    *v = message_value(s, tag);
    return prop_type(v->tag) == PtypErrorCode ? NULL : v;
}

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r);

void message_view(struct message_src *s, struct view_msg *out)
{
    *out = (struct view_msg){ .mid = s->mid, .fid = s->fid, .assoc = s->row->i[MCOL_assoc] != 0, .row = { s, get, sub } };
}

/* --- recipients and attachments as rows -------------------------------------------------------------------------------------- */
struct part { struct mailbox *m; struct arena *a; const struct recipient *rcpt; const struct attachment *att; };

static const struct propval *rcpt_get(void *ctx, uint32_t tag)
{
    struct part *p = ctx;
    struct propval *v = arena_one(p->a, struct propval);
    if (prop_id(tag) == prop_id(PidTagRecipientType))
        *v = pv_i32(PidTagRecipientType, p->rcpt->type);
    else if (prop_id(tag) == prop_id(PidTagRowid))
        *v = pv_i32(PidTagRowid, (int32_t)p->rcpt->row);
    else
        return props_find(&p->rcpt->props, tag);
    return v;
}

static const struct propval *att_get(void *ctx, uint32_t tag)
{
    struct part *p = ctx;
    struct propval *v = arena_one(p->a, struct propval);
    *v = attach_value(p->m, p->att, tag);
    return prop_type(v->tag) == PtypErrorCode ? NULL : v;
}

static size_t match_rcpts(struct part *p, const struct message_row *row, const struct restriction *r)
{
    struct msg msg = { 0 };
    size_t found = 0;
    if (!rcpts_unpack(row->rcpts, p->a, &msg))
        return 0;
    for (size_t i = 0; i < msg.nrcpt; i++) {
        p->rcpt = &msg.rcpt[i];
        found += restriction_match(r, &(struct res_row){ p, rcpt_get, NULL });
    }
    return found;
}

static size_t match_atts(struct part *p, const struct msg *msg, const struct restriction *r)
{
    size_t found = 0;
    for (size_t i = 0; i < msg->natt; i++) {
        p->att = &msg->att[i];
        found += restriction_match(r, &(struct res_row){ p, att_get, NULL });
    }
    return found;
}

static bool of_rcpts(uint32_t subobject) { return prop_id(subobject) == prop_id(PidTagMessageRecipients); }
static bool of_atts(uint32_t subobject)  { return prop_id(subobject) == prop_id(PidTagMessageAttachments); }

size_t message_row_sub(struct mailbox *m, uint64_t mid, uint32_t subobject, const struct restriction *r, struct arena *a)
{
    struct part p = { .m = m, .a = a };
    struct message_row row;
    struct msg msg = { 0 };
    if (of_rcpts(subobject) && message_row_load(m, a, mid, MCOLS_RCPTS, &row) == ecNone)
        return match_rcpts(&p, &row, r);
    if (of_atts(subobject) && attach_load(m, a, mid, &msg) == ecNone)
        return match_atts(&p, &msg, r);
    return 0;
}

/* The recipients of the row at hand, and the attachments that were there at that time if they are not the ones stored now. */
static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct message_src *s = ctx;
    struct part p = { .m = s->m, .a = s->a };
    if (of_rcpts(subobject) && (s->row->have & MCOLS_RCPTS) != 0)
        return match_rcpts(&p, s->row, r);
    if (of_atts(subobject) && s->atts != NULL)
        return match_atts(&p, s->atts, r);
    return message_row_sub(s->m, s->mid, subobject, r, s->a);
}
