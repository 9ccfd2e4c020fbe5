/* tableread.c - rows out of tables: RopQueryRows, RopFindRow, RopQueryColumnsAll. MS-OXCTABL 2.2.2.5, 2.2.2.13, 2.2.2.14. */
#include "session/rop/bookmark.h"
#include "session/rop/cursor.h"
#include "session/rop/tablerow.h"

enum { NO_ADVANCE = 0x01 };
enum { ROWS_MAX = 0xFFFF };

/* Rows on their way into the answer.  Read backward they come nearest first and go out in the order of the table, so they are encoded apart. */
struct page {
    struct rop_ctx *c;
    const struct tags *columns;
    bool         forward, no_room;
    size_t       n, bytes;
    struct blob *back; size_t back_cap;
};

static bool page_write(struct page *p, const struct table_row *row)
{
    if (p->forward)
        return tablerow_write(p->c->out, &p->c->codec, p->columns, row);
    struct wr w = wr_in(p->c->a, wr_room(p->c->out) - p->bytes);
    if (!tablerow_write(&w, &p->c->codec, p->columns, row))
        return false;
    p->back = arena_grow(p->c->a, p->back, &p->back_cap, p->n, sizeof *p->back);
    p->back[p->n] = wr_blob(&w);
    p->bytes += w.n;
    return true;
}

static bool page_row(void *ctx, const struct table_row *row)
{
    struct page *p = ctx;
    p->no_room = !page_write(p, row);
    p->n += !p->no_room;
    return !p->no_room;
}

static void page_flush(struct page *p)
{
    for (size_t i = p->n; !p->forward && i-- > 0; )
        wr_put(p->c->out, p->back[i]);
}

/* Where the reading ended (OXCTABL R725, R784, R726): a position before the first row has no key. */
static uint8_t origin(const struct page *p, const struct table_pos *pos)
{
    if (p->forward)
        return pos->end ? ORIGIN_END : ORIGIN_CURRENT;
    return pos->key.n == 0 && !pos->end ? ORIGIN_BEGINNING : ORIGIN_CURRENT;
}

/* Not even one row fits (OXCTABL R466): more room helps, or nothing does. */
static ec_t too_small(struct rop_ctx *c, size_t head)
{
    wr_rewind(c->out, head);
    if (rop_cannot_grow(c))
        return EC(ecBufferTooSmall);
    c->out->full = true;
    return ecNone;
}

ec_t rop_QueryRows(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    bool forward = rd_u8(c->in) != 0;
    size_t asked = rd_u16(c->in);
    struct obj_table *t = c->object->table;
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (!t->columns_set)
        return EC(ecNullObject);

    struct cursor k;
    struct page p = { .c = c, .columns = &t->columns, .forward = forward };
    size_t head = wr_mark(c->out);
    wr_u8(c->out, 0);
    wr_u16(c->out, 0);
    TRY(cursor_open(c, &t->columns, &k));
    TRY(cursor_read(&k, forward, asked > c->sent ? asked - c->sent : 0, &t->columns, page_row, &p));
    if (p.n == 0 && p.no_room)
        return too_small(c, head);
    if ((flags & NO_ADVANCE) == 0)
        cursor_store(&k);
    c->got = p.n;
    c->more = p.no_room && (flags & NO_ADVANCE) == 0;
    rop_note(c, "rows=%zu/%zu %s", p.n, asked, forward ? "forward" : "backward");

    page_flush(&p);
    if (!c->out->full) {
        wr_patch_u8(c->out, head, origin(&p, &k.pos));
        wr_patch_u16(c->out, head + 1, (uint16_t)p.n);
    }
    return ecNone;
}

ec_t rop_QueryColumnsAll(struct rop_ctx *c)
{
    struct cursor k;
    struct tags none = { 0 }, tags = { 0 };
    TRY(cursor_open(c, &none, &k));
    TRY(cursor_columns(&k, &tags));
    size_t n = tags.n < ROWS_MAX ? tags.n : ROWS_MAX;

    wr_u16(c->out, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(c->out, tags.v[i]);
    return ecNone;
}

/* --- RopFindRow ---------------------------------------------------------------------------------------------------------------------------------- */

struct find { bool backward; struct restriction *what; uint8_t origin; struct blob bookmark; };

static bool find_read(struct rop_ctx *c, struct find *q)
{
    static struct restriction everything = { .kind = RES_AND };
    q->backward = (rd_u8(c->in) & 1) != 0;
    struct rd r = rd_sub(c->in, rd_u16(c->in));
    q->what = r.n != 0 ? restriction_read(&r, &c->codec) : &everything;
    q->origin = rd_u8(c->in);
    q->bookmark = rd_blob(c->in, rd_u16(c->in));
    if (!rd_done(&r))
        rd_fail(c->in, "restriction");
    return rd_ok(c->in);
}

struct one { struct rop_ctx *c; const struct tags *columns; bool written; };

static bool one_row(void *ctx, const struct table_row *row)
{
    struct one *o = ctx;
    o->written = tablerow_write(o->c->out, &o->c->codec, o->columns, row);
    return false;
}

/* The row under the cursor, if there is room for it (OXCTABL R534); the cursor stays. */
static ec_t write_row(struct cursor *k, const struct tags *columns)
{
    struct one o = { .c = k->c, .columns = columns };
    size_t mark = wr_mark(k->c->out);
    wr_u8(k->c->out, 1);
    TRY(cursor_read(k, true, 1, columns, one_row, &o));
    if (!o.written && !k->c->out->full)
        wr_patch_u8(k->c->out, mark, 0);
    return ecNone;
}

ec_t rop_FindRow(struct rop_ctx *c)
{
    struct find q;
    struct cursor k;
    bool gone = false;
    struct obj_table *t = c->object->table;
    if (!find_read(c, &q))
        return EC(ecRpcFormat);
    if (t->source == TABLE_OF_ATTACHMENTS) /* OXCTABL R544 */
        return EC(ecNotSupported);
    if (!t->columns_set)
        return EC(ecNullObject);
    TRY(restriction_check(q.what));

    TRY(cursor_open(c, &t->columns, &k));
    TRY(bookmark_goto(&k, q.origin, q.bookmark, &gone));
    ec_t ec = view_find(k.view, &k.pos, !q.backward, q.what);
    c->partial = ec == ecNotFound; /* the table has a view now, found or not */
    TRY(ec);
    cursor_store(&k);

    wr_u8(c->out, gone);
    return write_row(&k, &t->columns);
}
