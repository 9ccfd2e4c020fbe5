/* table.c - an open table's block: definition, cursor, bookmarks. */
#include "session/object/table.h"

enum { T_COLUMNS = 1, T_VIEW = 2, T_END = 4 };

static void blob_save(struct wr *w, struct blob b)
{
    wr_u32(w, (uint32_t)b.n);
    wr_put(w, b);
}

static struct blob blob_load(struct rd *r) { return rd_blob(r, rd_u32(r)); }

static unsigned bits(const struct obj_table *s)
{
    return (s->columns_set ? T_COLUMNS : 0u) | (s->view_exists ? T_VIEW : 0u) | (s->end ? T_END : 0u);
}

void obj_table_save(struct wr *w, const struct obj_table *s)
{
    wr_u8(w, s->source);
    wr_u8(w, s->flags);
    wr_u64(w, s->fid);
    wr_u32(w, s->message);
    wr_u8(w, (uint8_t)bits(s));
    wr_u32(w, (uint32_t)s->columns.n);
    for (size_t i = 0; i < s->columns.n; i++)
        wr_u32(w, s->columns.v[i]);
    sortorder_write(w, &s->sort);
    blob_save(w, s->restriction);
    wr_u16(w, s->code_page);
    blob_save(w, s->key);
    wr_u64(w, s->id);
    wr_u32(w, s->next_bookmark);
    wr_u32(w, (uint32_t)s->nbookmark);
    for (size_t i = 0; i < s->nbookmark; i++) {
        wr_u32(w, s->bookmark[i].number);
        wr_u8(w, s->bookmark[i].end);
        wr_u64(w, s->bookmark[i].id);
        blob_save(w, s->bookmark[i].key);
    }
}

static void columns_load(struct rd *r, struct arena *a, struct obj_table *s)
{
    size_t n = rd_count(r, rd_u32(r), 4);
    s->columns = (struct tags){ .v = arena_array(a, uint32_t, n), .n = n, .cap = n };
    for (size_t i = 0; i < n; i++)
        s->columns.v[i] = rd_u32(r);
}

static void bookmarks_load(struct rd *r, struct arena *a, struct obj_table *s)
{
    s->next_bookmark = rd_u32(r);
    s->nbookmark = s->bookmark_cap = rd_count(r, rd_u32(r), 17);
    s->bookmark = arena_array(a, struct bookmark, s->nbookmark);
    for (size_t i = 0; i < s->nbookmark; i++) {
        s->bookmark[i].number = rd_u32(r);
        s->bookmark[i].end = rd_u8(r) != 0;
        s->bookmark[i].id = rd_u64(r);
        s->bookmark[i].key = blob_load(r);
    }
}

bool obj_table_load(struct rd *r, struct arena *a, struct obj_table *s)
{
    s->source = rd_u8(r);
    s->flags = rd_u8(r);
    s->fid = rd_u64(r);
    s->message = rd_u32(r);
    unsigned b = rd_u8(r);
    s->columns_set = (b & T_COLUMNS) != 0;
    s->view_exists = (b & T_VIEW) != 0;
    s->end = (b & T_END) != 0;
    columns_load(r, a, s);
    sortorder_read(r, &s->sort);
    s->restriction = blob_load(r);
    s->code_page = rd_u16(r);
    s->key = blob_load(r);
    s->id = rd_u64(r);
    bookmarks_load(r, a, s);
    return rd_ok(r) && s->source < TABLE_SOURCES;
}

const char *obj_table_describe(struct arena *a, const struct obj_table *s)
{
    static const char *const source[TABLE_SOURCES] = { "contents", "hierarchy", "attachments" };
    return arena_printf(a, "table of %s fid=%llx flags=%02x columns=%zu sort=%u restriction=%zu bytes at=%s bookmarks=%zu", source[s->source],
                        (unsigned long long)s->fid, s->flags, s->columns.n, s->sort.n, s->restriction.n,
                        s->end ? "end" : s->key.n == 0 ? "begin" : "row", s->nbookmark);
}
