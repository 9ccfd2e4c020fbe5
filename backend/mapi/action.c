/* action.c - rule actions between the wire and memory (MS-OXORULE 2.2.5). */
#include "backend/mapi/action.h"

static bool wide(const struct pv_codec *c) { return c->counts != PV_COUNTS_ROP; }
static uint32_t read_narrow_or_wide(struct rd *r, const struct pv_codec *c) { return wide(c) ? rd_u32(r) : rd_u16(r); }

/* --- reading --- */

static void read_move(struct rd *r, const struct pv_codec *c, struct rule_action *out)
{
    out->move.in_this_store = wide(c) ? 1 : rd_u8(r);
    out->move.store = rd_blob(r, read_narrow_or_wide(r, c));
    out->move.folder = rd_blob(r, read_narrow_or_wide(r, c));
}

static void read_reply(struct rd *r, const struct pv_codec *c, struct rule_action *out)
{
    if (wide(c)) {
        out->reply.message = rd_blob(r, rd_u32(r));
    } else {
        out->reply.fid = rd_u64(r);
        out->reply.mid = rd_u64(r);
    }
    rd_copy(r, out->reply.template.b, sizeof out->reply.template.b);
}

static void read_recipient(struct rd *r, const struct pv_codec *c, struct action_recipient *out)
{
    out->reserved = rd_u8(r);
    size_t n = rd_count(r, rd_u32(r), sizeof(uint32_t)), cap = 0;
    for (size_t i = 0; i < n && rd_ok(r); i++) {
        out->v = arena_grow(c->a, out->v, &cap, out->n, sizeof *out->v);
        propval_read_tagged(r, c, &out->v[out->n++]);
        if (arena_over(c->a))
            rd_fail(r, "rule action too large");
    }
}

static void read_forward(struct rd *r, const struct pv_codec *c, struct rule_action *out)
{
    size_t n = rd_count(r, rd_u32(r), 5), cap = 0;
    for (size_t i = 0; i < n && rd_ok(r); i++) {
        out->forward.v = arena_grow(c->a, out->forward.v, &cap, out->forward.n, sizeof *out->forward.v);
        read_recipient(r, c, &out->forward.v[out->forward.n++]);
    }
}

static void read_data(struct rd *r, const struct pv_codec *c, struct rule_action *out)
{
    switch (out->type) {
    case OP_MOVE:
    case OP_COPY:
        read_move(r, c, out);
        break;
    case OP_REPLY:
    case OP_OOF_REPLY:
        read_reply(r, c, out);
        break;
    case OP_DEFER_ACTION: /* the client's own, kept as it is (OXORULE R320) */
        out->defer = rd_rest(r);
        break;
    case OP_BOUNCE:
        out->bounce = rd_u32(r);
        break;
    case OP_FORWARD:
    case OP_DELEGATE:
        read_forward(r, c, out);
        break;
    case OP_TAG:
        propval_read_tagged(r, c, &out->tag);
        break;
    case OP_DELETE:
    case OP_MARK_AS_READ:
        break;
    default:
        rd_fail(r, "unknown rule action");
    }
}

static void read_block(struct rd *r, const struct pv_codec *c, struct rule_action *out)
{
    struct rd block = rd_sub(r, read_narrow_or_wide(r, c));
    out->type = rd_u8(&block);
    out->flavor = rd_u32(&block);
    out->flags = rd_u32(&block);
    read_data(&block, c, out);
    rd_join(r, &block);
    if (rd_ok(r) && block.n != 0)
        rd_fail(r, "rule action longer than its data");
}

struct rule_actions *action_read(struct rd *r, const struct pv_codec *c)
{
    struct rule_actions *out = arena_one(c->a, struct rule_actions);
    size_t               least = (wide(c) ? 4 : 2) + 9, cap = 0;
    if (rd_enter(r)) { /* OP_TAG may hold actions again */
        size_t n = rd_count(r, read_narrow_or_wide(r, c), least);
        if (n == 0)
            rd_fail(r, "rule without actions");
        for (size_t i = 0; i < n && rd_ok(r); i++) {
            out->v = arena_grow(c->a, out->v, &cap, out->n, sizeof *out->v);
            read_block(r, c, &out->v[out->n++]);
        }
    }
    rd_leave(r);
    return out;
}

/* --- writing --- */

static void write_narrow_or_wide(struct wr *w, const struct pv_codec *c, size_t n)
{
    if (n > (wide(c) ? UINT32_MAX : UINT16_MAX))
        w->full = true;
    wr_le(w, n, wide(c) ? 4 : 2);
}

static void write_counted(struct wr *w, const struct pv_codec *c, struct blob b)
{
    write_narrow_or_wide(w, c, b.n);
    wr_put(w, b);
}

static void write_reply(struct wr *w, const struct pv_codec *c, const struct rule_action *a)
{
    if (wide(c)) {
        write_counted(w, c, a->reply.message);
    } else {
        wr_u64(w, a->reply.fid);
        wr_u64(w, a->reply.mid);
    }
    wr_bytes(w, a->reply.template.b, sizeof a->reply.template.b);
}

static void write_forward(struct wr *w, const struct pv_codec *c, const struct rule_action *a)
{
    wr_u32(w, (uint32_t)a->forward.n);
    for (size_t i = 0; i < a->forward.n; i++) {
        const struct action_recipient *to = &a->forward.v[i];
        wr_u8(w, to->reserved);
        wr_u32(w, (uint32_t)to->n);
        for (size_t k = 0; k < to->n; k++)
            propval_write_tagged(w, c, &to->v[k]);
    }
}

static void write_data(struct wr *w, const struct pv_codec *c, const struct rule_action *a)
{
    switch (a->type) {
    case OP_MOVE:
    case OP_COPY:
        if (!wide(c))
            wr_u8(w, a->move.in_this_store);
        write_counted(w, c, a->move.store);
        write_counted(w, c, a->move.folder);
        break;
    case OP_REPLY:
    case OP_OOF_REPLY:
        write_reply(w, c, a);
        break;
    case OP_DEFER_ACTION:
        wr_put(w, a->defer);
        break;
    case OP_BOUNCE:
        wr_u32(w, a->bounce);
        break;
    case OP_FORWARD:
    case OP_DELEGATE:
        write_forward(w, c, a);
        break;
    case OP_TAG:
        propval_write_tagged(w, c, &a->tag);
        break;
    case OP_DELETE:
    case OP_MARK_AS_READ:
        break;
    }
}

static void write_block(struct wr *w, const struct pv_codec *c, const struct rule_action *a)
{
    size_t length = wr_mark(w), width = wide(c) ? 4 : 2;
    wr_le(w, 0, width);
    size_t start = wr_mark(w);
    wr_u8(w, (uint8_t)a->type);
    wr_u32(w, a->flavor);
    wr_u32(w, a->flags);
    write_data(w, c, a);
    size_t n = wr_mark(w) - start;
    if (n > (wide(c) ? UINT32_MAX : UINT16_MAX))
        w->full = true;
    wr_patch(w, length, n, width);
}

void action_write(struct wr *w, const struct pv_codec *c, const struct rule_actions *list)
{
    write_narrow_or_wide(w, c, list->n);
    for (size_t i = 0; i < list->n; i++)
        write_block(w, c, &list->v[i]);
}

const char *action_print(struct arena *a, const struct rule_actions *list)
{
    static const char *const name[] = {
        [OP_MOVE] = "OP_MOVE", [OP_COPY] = "OP_COPY", [OP_REPLY] = "OP_REPLY", [OP_OOF_REPLY] = "OP_OOF_REPLY",
        [OP_DEFER_ACTION] = "OP_DEFER_ACTION", [OP_BOUNCE] = "OP_BOUNCE", [OP_FORWARD] = "OP_FORWARD",
        [OP_DELEGATE] = "OP_DELEGATE", [OP_TAG] = "OP_TAG", [OP_DELETE] = "OP_DELETE", [OP_MARK_AS_READ] = "OP_MARK_AS_READ",
    };
    struct wr w = wr_in(a, 512); /* what does not fit is not shown */
    for (size_t i = 0; i < list->n; i++) {
        size_t      type = (size_t)list->v[i].type;
        const char *known = type < sizeof name / sizeof *name && name[type] != NULL ? name[type] : "?";
        wr_put(&w, blob_str(i != 0 ? ", " : ""));
        wr_put(&w, blob_str(known));
    }
    return arena_str(a, wr_blob(&w));
}
