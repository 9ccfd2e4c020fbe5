/* cursor.c - one way to walk the rows of all kinds of tables. */
#include "session/rop/cursor.h"
#include "session/rop/attach.h"
#include "session/rop/notify.h"

enum { ASSOCIATED = 0x02, DEPTH = 0x04 };

/* The restriction as the client sent it; it was readable when it was set. */
static const struct restriction *filter_of(struct rop_ctx *c, const struct obj_table *t)
{
    if (t->restriction.n == 0)
        return NULL;
    struct rd r = rd_blob_of(t->restriction);
    struct pv_codec codec = c->codec;
    codec.code_page = t->code_page;
    return restriction_read(&r, &codec);
}

uint32_t cursor_instance(const struct tags *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        if ((prop_type(columns->v[i]) & PtypMultipleInstance) == PtypMultipleInstance)
            return columns->v[i];
    return 0;
}

/* A sort key with the instance bit makes the rows already. */
static uint32_t instance_of(const struct obj_table *t)
{
    for (size_t i = 0; i < t->sort.n; i++)
        if ((prop_type(t->sort.col[i].tag) & PtypMultipleInstance) == PtypMultipleInstance)
            return 0;
    return cursor_instance(&t->columns);
}

ec_t cursor_view(struct rop_ctx *c, const struct obj_table *t, struct view **out)
{
    *out = NULL;
    if (t->source == TABLE_OF_ATTACHMENTS)
        return ecNone;
    bool contents = t->source == TABLE_OF_CONTENTS;
    struct table_def d = { .kind = contents ? TABLE_CONTENTS : TABLE_HIERARCHY, .fid = t->fid, .assoc = contents && (t->flags & ASSOCIATED) != 0,
                           .deep = !contents && (t->flags & DEPTH) != 0, .locale = c->context->lcid_sort, .sort = t->sort,
                           .filter = filter_of(c, t), .instance = contents ? instance_of(t) : 0 };
    return view_open(c->m, &d, out);
}

/* The first look at its rows makes the table's view, without which nobody is told of changes (OXCNOTIF R243). */
static ec_t note_view(struct rop_ctx *c, struct obj_table *t)
{
    return t->view_exists ? ecNone : notify_view_made(c);
}

ec_t cursor_open(struct rop_ctx *c, const struct tags *columns, struct cursor *out)
{
    struct obj_table *t = c->object->table;
    TRY(note_view(c, t));
    *out = (struct cursor){ .c = c, .t = t, .pos = { t->key, t->id, t->end } };
    if (t->source != TABLE_OF_ATTACHMENTS)
        return cursor_view(c, t, &out->view);
    ec_t ec;
    struct object *message = rop_object(c, t->message, &ec);
    if (message == NULL || message->kind != OBJ_MESSAGE)
        return message == NULL ? ec : EC(ecInvalidObject);
    return attach_rows(c, message, columns->v, columns->n, &out->row, &out->rows);
}

void cursor_store(struct cursor *k)
{
    k->t->key = k->pos.key;
    k->t->id = k->pos.id;
    k->t->end = k->pos.end;
    object_dirty(k->c->object);
}

/* --- attachments: rows in memory by number; a position before a row has a key that is not empty -------------------------------------------- */

static struct table_pos mem_pos(const struct cursor *k, size_t i)
{
    static const uint8_t row_key[1] = { 1 };
    if (i >= k->rows)
        return cursor_end();
    return (struct table_pos){ .key = blob_of(row_key, sizeof row_key), .id = k->row[i].id };
}

static size_t mem_index(const struct cursor *k, const struct table_pos *p)
{
    size_t i = 0;
    if (p->end)
        return k->rows;
    while (p->key.n != 0 && i < k->rows && k->row[i].id < p->id)
        i++;
    return i;
}

static void mem_read(struct cursor *k, bool forward, size_t n, view_sink row, void *ctx)
{
    size_t i = mem_index(k, &k->pos);
    for (; n > 0 && (forward ? i < k->rows : i > 0); n--) {
        if (!row(ctx, &k->row[forward ? i : i - 1]))
            break;
        i = forward ? i + 1 : i - 1;
    }
    k->pos = !forward && i == 0 ? cursor_begin() : mem_pos(k, i);
}

static void mem_seek(struct cursor *k, int32_t delta, int32_t *moved)
{
    int64_t from = (int64_t)mem_index(k, &k->pos), to = from + delta;
    to = to < 0 ? 0 : to > (int64_t)k->rows ? (int64_t)k->rows : to;
    *moved = (int32_t)(to - from);
    k->pos = mem_pos(k, (size_t)to);
}

/* --- both --------------------------------------------------------------------------------------------------------------------------------- */

ec_t cursor_read(struct cursor *k, bool forward, size_t n, const struct tags *columns, view_sink row, void *ctx)
{
    if (k->view != NULL)
        return view_read(k->view, &k->pos, forward, n, columns->v, columns->n, row, ctx);
    mem_read(k, forward, n, row, ctx);
    return ecNone;
}

ec_t cursor_seek(struct cursor *k, int32_t delta, int32_t *moved)
{
    if (k->view != NULL)
        return view_seek(k->view, &k->pos, delta, moved);
    mem_seek(k, delta, moved);
    return ecNone;
}

ec_t cursor_position(struct cursor *k, uint32_t *row, uint32_t *rows)
{
    if (k->view != NULL)
        return view_position(k->view, &k->pos, row, rows);
    *row = (uint32_t)mem_index(k, &k->pos);
    *rows = (uint32_t)k->rows;
    return ecNone;
}

ec_t cursor_count(struct cursor *k, uint32_t *rows)
{
    if (k->view != NULL)
        return view_count(k->view, rows);
    *rows = (uint32_t)k->rows;
    return ecNone;
}

ec_t cursor_seek_to(struct cursor *k, uint32_t row)
{
    if (k->view != NULL)
        return view_seek_to(k->view, row, &k->pos);
    k->pos = mem_pos(k, row);
    return ecNone;
}

ec_t cursor_follow(struct cursor *k, struct table_pos *pos, bool *there)
{
    if (k->view != NULL)
        return view_follow(k->view, pos, there);
    size_t i = mem_index(k, pos);
    *there = i < k->rows && (pos->key.n == 0 || k->row[i].id == pos->id);
    return ecNone;
}

ec_t cursor_columns(struct cursor *k, struct tags *out)
{
    if (k->view != NULL)
        return view_columns(k->view, out);
    ec_t ec;
    struct object *message = rop_object(k->c, k->t->message, &ec);
    return message != NULL ? attach_columns(k->c, message, out) : ec;
}
