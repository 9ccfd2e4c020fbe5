/* bookmark.c - where a table's cursor is and where it goes: positions, seeks, bookmarks. MS-OXCTABL 2.2.2.8 - 2.2.2.12, 2.2.2.15. */
#include "session/rop/bookmark.h"

static struct bookmark *bookmark_find(struct obj_table *t, struct blob name)
{
    struct rd r = rd_blob_of(name);
    uint32_t number = rd_u32(&r);
    for (size_t i = 0; rd_done(&r) && i < t->nbookmark; i++)
        if (t->bookmark[i].number == number)
            return &t->bookmark[i];
    return NULL;
}

static ec_t goto_bookmark(struct cursor *k, struct blob name, bool *gone)
{
    bool there;
    const struct bookmark *b = bookmark_find(k->t, name);
    if (b == NULL)
        return EC(ecInvalidBookmark);
    k->pos = (struct table_pos){ b->key, b->id, b->end };
    if (b->end || b->key.n == 0)
        return ecNone;
    TRY(cursor_follow(k, &k->pos, &there));
    *gone = !there;
    return ecNone;
}

ec_t bookmark_goto(struct cursor *k, uint8_t origin, struct blob bookmark, bool *gone)
{
    *gone = false;
    switch (origin) {
    case ORIGIN_BEGINNING: k->pos = cursor_begin(); return ecNone;
    case ORIGIN_CURRENT:   return ecNone;
    case ORIGIN_END:       k->pos = cursor_end(); return ecNone;
    case ORIGIN_CUSTOM:    return goto_bookmark(k, bookmark, gone);
    default:               return EC(ecInvalidParameter);
    }
}

/* Tables that have bookmarks and are asked about by them (OXCTABL R512, R529, R548). */
static bool has_bookmarks(const struct obj_table *t) { return t->source != TABLE_OF_ATTACHMENTS; }

ec_t rop_QueryPosition(struct rop_ctx *c)
{
    struct cursor k;
    struct tags none = { 0 };
    uint32_t row, rows;
    TRY(cursor_open(c, &none, &k));
    TRY(cursor_position(&k, &row, &rows));

    wr_u32(c->out, row);
    wr_u32(c->out, rows);
    return ecNone;
}

static ec_t seek_write(struct rop_ctx *c, struct cursor *k, int32_t delta)
{
    int32_t moved;
    TRY(cursor_seek(k, delta, &moved));
    cursor_store(k);
    wr_u8(c->out, moved != delta);
    wr_u32(c->out, (uint32_t)moved);
    return ecNone;
}

ec_t rop_SeekRow(struct rop_ctx *c)
{
    uint8_t origin = rd_u8(c->in);
    int32_t delta = (int32_t)rd_u32(c->in);
    rd_u8(c->in); /* the count is told whether it is wanted or not (OXCTABL R156, R162) */
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (origin == ORIGIN_CUSTOM)
        return EC(ecInvalidParameter);

    struct cursor k;
    struct tags none = { 0 };
    bool gone;
    TRY(cursor_open(c, &none, &k));
    TRY(bookmark_goto(&k, origin, blob_of(NULL, 0), &gone));
    return seek_write(c, &k, delta);
}

ec_t rop_SeekRowBookmark(struct rop_ctx *c)
{
    struct blob name = rd_blob(c->in, rd_u16(c->in));
    int32_t delta = (int32_t)rd_u32(c->in);
    rd_u8(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (!has_bookmarks(c->object->table))
        return EC(ecNotSupported);
    if (!c->object->table->columns_set) /* OXCTABL R8266 */
        return EC(ecNullObject);

    struct cursor k;
    struct tags none = { 0 };
    bool gone;
    TRY(cursor_open(c, &none, &k));
    TRY(bookmark_goto(&k, ORIGIN_CUSTOM, name, &gone));
    wr_u8(c->out, gone);
    return seek_write(c, &k, delta);
}

/* OXCTABL R203, R204, R516. */
ec_t rop_SeekRowFractional(struct rop_ctx *c)
{
    uint64_t num = rd_u32(c->in), den = rd_u32(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);

    struct cursor k;
    struct tags none = { 0 };
    uint32_t rows;
    TRY(cursor_open(c, &none, &k));
    if (num == 0)
        k.pos = cursor_begin();
    else if (num >= den)
        k.pos = cursor_end();
    else {
        TRY(cursor_count(&k, &rows));
        TRY(cursor_seek_to(&k, (uint32_t)(num * rows / den)));
    }
    cursor_store(&k);
    return ecNone;
}

ec_t rop_CreateBookmark(struct rop_ctx *c)
{
    struct obj_table *t = c->object->table;
    if (!has_bookmarks(t))
        return EC(ecNotSupported);
    if (t->nbookmark >= BOOKMARKS_MAX)
        return EC(ecOutOfMemory);

    struct cursor k;
    struct tags none = { 0 };
    TRY(cursor_open(c, &none, &k));
    TRY(view_mark(k.view, &k.pos)); /* the row that is there now, not whatever will be there later */
    t->bookmark = arena_grow(c->a, t->bookmark, &t->bookmark_cap, t->nbookmark, sizeof *t->bookmark);
    t->bookmark[t->nbookmark++] = (struct bookmark){ ++t->next_bookmark, k.pos.key, k.pos.id, k.pos.end };
    object_dirty(c->object);

    wr_u16(c->out, 4);
    wr_u32(c->out, t->next_bookmark);
    return ecNone;
}

ec_t rop_FreeBookmark(struct rop_ctx *c)
{
    struct blob name = rd_blob(c->in, rd_u16(c->in));
    struct obj_table *t = c->object->table;
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    if (!has_bookmarks(t))
        return EC(ecNotSupported);
    if (!t->columns_set) /* OXCTABL R8264 */
        return EC(ecNullObject);
    struct bookmark *b = bookmark_find(t, name);
    if (b == NULL)
        return EC(ecInvalidBookmark);

    *b = t->bookmark[--t->nbookmark];
    object_dirty(c->object);
    return ecNone;
}
