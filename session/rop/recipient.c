/* recipient.c - the recipients of an open message: changed, read. MS-OXCMSG 2.2.3.4-2.2.3.6, 3.2.5.4-3.2.5.6. */
#include "session/rop/recipient.h"
#include "session/rop/draft.h"
#include "session/rop/recipient_row.h"
#include <stdlib.h>

enum { ROWS_OPENED = 0xFF, ROWS_READ = 0xFE };

/* --- in answers ---------------------------------------------------------------------------------------------------------------- */
static int by_row(const void *a, const void *b)
{
    uint32_t x = ((const struct recipient *)a)->row, y = ((const struct recipient *)b)->row;
    return (x > y) - (x < y);
}

/* A list of its own: the one given may be that of a draft. */
static void sort(struct arena *a, struct msg *m)
{
    m->rcpt = arena_dup(a, m->rcpt, m->nrcpt * sizeof *m->rcpt);
    if (m->nrcpt > 1)
        qsort(m->rcpt, m->nrcpt, sizeof *m->rcpt, by_row);
}

/* RecipientType, CodePageId, Reserved, RecipientRowSize and the row.  A row that its size field cannot measure goes without its columns. */
static void write_row(struct wr *w, const struct pv_codec *codec, const struct tags *cols, const struct recipient *r)
{
    wr_u8(w, r->type);
    wr_u16(w, r->code_page != 0 ? r->code_page : codec->code_page);
    wr_u16(w, 0);
    size_t at = wr_mark(w);
    wr_u16(w, 0);
    recipient_row_write(w, codec, cols->v, cols->n, &r->props);
    if (!w->full && wr_mark(w) - at - 2 > UINT16_MAX) {
        wr_rewind(w, at + 2);
        recipient_row_write(w, codec, NULL, 0, &r->props);
    }
    if (!w->full)
        wr_patch_u16(w, at, (uint16_t)(wr_mark(w) - at - 2));
}

/* As many rows as fit, at most `max`, behind their count. */
static size_t write_rows(struct wr *w, const struct pv_codec *codec, const struct tags *cols, const struct msg *m, size_t from, size_t max, bool with_id)
{
    size_t at = wr_mark(w), n = 0;
    wr_u8(w, 0);
    if (w->full)
        return 0;
    for (; n < max && from + n < m->nrcpt; n++) {
        size_t mark = wr_mark(w);
        if (with_id)
            wr_u32(w, m->rcpt[from + n].row);
        write_row(w, codec, cols, &m->rcpt[from + n]);
        if (w->full) {
            wr_rewind(w, mark);
            break;
        }
    }
    wr_patch_u8(w, at, (uint8_t)n);
    return n;
}

void recipient_write_opened(struct rop_ctx *c, const struct pv_codec *codec, struct msg *m)
{
    struct tags cols;
    sort(c->a, m);
    recipient_columns(c->a, m, &cols);
    wr_u16(c->out, (uint16_t)m->nrcpt);
    wr_u16(c->out, (uint16_t)cols.n);
    for (size_t i = 0; i < cols.n; i++)
        wr_u32(c->out, cols.v[i]);
    write_rows(c->out, codec, &cols, m, 0, ROWS_OPENED, false);
}

/* ReadRecipientRow has no columns of its own: the reader takes those that the message was opened with. */
ec_t rop_ReadRecipients(struct rop_ctx *c)
{
    uint32_t row = rd_u32(c->in);
    rd_u16(c->in);
    rop_note(c, "row=%u", row);

    struct msg m;
    struct tags cols;
    struct pv_codec codec = draft_codec(c, c->object);
    TRY(draft_message(c, c->object, LOAD_RCPTS, &m));
    sort(c->a, &m);
    size_t from = 0;
    while (from < m.nrcpt && m.rcpt[from].row != row)
        from++;
    if (row == 0 && m.nrcpt != 0) /* OXCMSG R1495: from the first, whatever its number */
        from = 0;
    if (from == m.nrcpt)
        return EC(ecNotFound);
    recipient_columns(c->a, &m, &cols);

    bool alone = rop_cannot_grow(c);
    if (write_rows(c->out, &codec, &cols, &m, from, ROWS_READ, true) != 0)
        return ecNone;
    if (alone)
        return EC(ecBufferTooSmall); /* OXCMSG R1056 */
    c->out->full = true;
    return ecNone;
}

/* --- changes ------------------------------------------------------------------------------------------------------------------- */
ec_t rop_RemoveAllRecipients(struct rop_ctx *c)
{
    rd_u32(c->in);
    TRY(draft_open(c, c->object));
    struct msg *d = &c->object->message->draft;
    d->rcpts_replaced = true;
    d->nrcpt = 0;
    return draft_close(c, c->object);
}

/* ModifyRecipientRow as it came. */
struct change { uint32_t row; uint8_t type; bool gone; struct props props; };

static void read_change(struct rd *r, const struct pv_codec *codec, const uint32_t *cols, size_t ncols, struct change *out)
{
    out->row = rd_u32(r);
    out->type = rd_u8(r);
    uint16_t size = rd_u16(r);
    out->gone = size == 0;
    if (out->gone)
        return;
    struct rd sub = rd_sub(r, size);
    recipient_row_read(&sub, codec, cols, ncols, &out->props);
    rd_join(r, &sub);
}

static void drop_row(struct msg *d, uint32_t row)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->nrcpt; i++)
        if (d->rcpt[i].row != row)
            d->rcpt[kept++] = d->rcpt[i];
    d->nrcpt = kept;
}

/* Below an overlay a deleted row stays as a mark. */
static void apply(struct rop_ctx *c, struct obj_message *s, const struct change *x, uint16_t code_page)
{
    bool all_here = s->whole || s->draft.rcpts_replaced || (s->mid == 0 && !s->embedded);
    if (x->gone && all_here)
        drop_row(&s->draft, x->row);
    else
        *msg_rcpt_add(c->a, &s->draft, x->row) = (struct recipient){ .row = x->row, .type = x->type, .code_page = code_page, .deleted = x->gone,
                                                                    .props = x->props };
}

ec_t rop_ModifyRecipients(struct rop_ctx *c)
{
    struct pv_codec codec = draft_codec(c, c->object);
    size_t ncols = rd_count(c->in, rd_u16(c->in), 4);
    uint32_t *cols = arena_array(c->a, uint32_t, ncols);
    for (size_t i = 0; i < ncols; i++)
        cols[i] = rd_u32(c->in);
    size_t n = rd_count(c->in, rd_u16(c->in), 7);
    struct change *x = arena_array(c->a, struct change, n);
    for (size_t i = 0; i < n; i++)
        read_change(c->in, &codec, cols, ncols, &x[i]);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "columns=%zu rows=%zu", ncols, n);

    TRY(draft_open(c, c->object));
    for (size_t i = 0; i < n; i++)
        apply(c, c->object->message, &x[i], codec.code_page);
    if (c->object->message->draft.nrcpt > UINT16_MAX)
        return EC(ecTooManyRecips);
    return draft_close(c, c->object);
}
