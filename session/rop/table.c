/* table.c - tables opened and defined: columns, sort order, restriction; and what is asked of asynchronous work, which there is none of. MS-OXCTABL,
 * MS-OXCFOLD 2.2.1.13, 2.2.1.14.
 *
 * A sort order or restriction that fails leaves the one before in force (OXCTABL R430, R445, R457 allow it): a client that asked for
 * something we cannot do goes on with the list that it has. */
#include "session/object/folder.h"
#include "session/rop/cursor.h"
#include "session/rop/notify.h"

enum { TBLSTAT_COMPLETE = 0x00 };
enum { ASSOCIATED = 0x02, DEPTH = 0x04, DEFERRED_ERRORS = 0x08, NO_NOTIFICATIONS = 0x10, SOFT_DELETES = 0x20, USE_UNICODE = 0x40 };
enum { SUPPRESS_NOTIFICATIONS = 0x80, CONVERSATION_MEMBERS = 0x80 };
enum { COMMON_FLAGS = DEFERRED_ERRORS | NO_NOTIFICATIONS | SOFT_DELETES | USE_UNICODE };

/* --- opening -------------------------------------------------------------------------------------------------------------------------------- */

static ec_t open_table(struct rop_ctx *c, enum table_source source, uint8_t flags)
{
    struct obj_table t = { .source = (uint8_t)source, .flags = flags, .fid = c->object->folder->fid, .code_page = c->codec.code_page };
    struct view *v;
    uint32_t rows;
    ec_t ec;
    TRY(cursor_view(c, &t, &v));
    TRY(view_count(v, &rows));
    struct object *o = rop_output(c, OBJ_TABLE, &ec);
    if (o == NULL)
        return ec;
    *o->table = t;
    wr_u32(c->out, rows);
    return ecNone;
}

/* Soft-deleted folders cannot be listed yet: ecNotSupported, which is also what invalid bits get (OXCFOLD R314). */
ec_t rop_GetHierarchyTable(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "flags=%02x", flags);
    if ((flags & ~(unsigned)(DEPTH | COMMON_FLAGS | SUPPRESS_NOTIFICATIONS)) != 0 || (flags & SOFT_DELETES) != 0)
        return EC(ecNotSupported);

    return open_table(c, TABLE_OF_HIERARCHY, flags);
}

/* OXCFOLD R330; soft-deleted messages and conversations cannot be listed yet. */
ec_t rop_GetContentsTable(struct rop_ctx *c)
{
    uint8_t flags = rd_u8(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "flags=%02x", flags);
    if ((flags & ~(unsigned)(ASSOCIATED | COMMON_FLAGS | CONVERSATION_MEMBERS)) != 0)
        return EC(ecInvalidParameter);
    if ((flags & (SOFT_DELETES | CONVERSATION_MEMBERS)) != 0)
        return EC(ecNotSupported);

    return open_table(c, TABLE_OF_CONTENTS, flags);
}

/* --- definition ------------------------------------------------------------------------------------------------------------------------------ */

static ec_t column_check(const struct obj_table *t, uint32_t tag)
{
    uint16_t type = prop_type(tag);
    bool instance = (type & PtypMultipleInstance) == PtypMultipleInstance;
    if (!type_known(instance ? type_single(type) : type) || type == PtypErrorCode || type == PtypNull)
        return EC(ecInvalidParameter);
    return instance && t->source != TABLE_OF_CONTENTS ? EC(ecTooComplex) : ecNone;
}

/* Values of one multi-value can be rows of their own, not those of two: their rows would multiply. */
static ec_t columns_check(const struct obj_table *t, const struct tags *tags)
{
    uint32_t instance = cursor_instance(tags);
    if (tags->n == 0 || tags->n > TABLE_COLUMNS_MAX)
        return EC(ecInvalidParameter);
    for (size_t i = 0; i < tags->n; i++) {
        uint32_t tag = tags->v[i];
        TRY(column_check(t, tag));
        if ((prop_type(tag) & PtypMultipleInstance) == PtypMultipleInstance && tag != instance)
            return EC(ecTooComplex);
    }
    return ecNone;
}

static void start_over(struct obj_table *t)
{
    t->key = blob_of(NULL, 0);
    t->id = 0;
    t->end = false;
    t->nbookmark = 0;
}

ec_t rop_SetColumns(struct rop_ctx *c)
{
    struct obj_table *t = c->object->table;
    rd_u8(c->in); /* asynchronous or not, the work is done when this is answered (OXCTABL R416) */
    size_t n = rd_count(c->in, rd_u16(c->in), 4);
    struct tags tags = { .v = arena_array(c->a, uint32_t, n), .n = n, .cap = n };
    for (size_t i = 0; i < n; i++)
        tags.v[i] = rd_u32(c->in);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "columns=%zu", n);

    TRY(columns_check(t, &tags));
    if (cursor_instance(&tags) != cursor_instance(&t->columns)) /* other rows than before */
        start_over(t);
    t->columns = tags;
    t->columns_set = true;
    object_dirty(c->object);

    wr_u8(c->out, TBLSTAT_COMPLETE);
    return ecNone;
}

/* A table that is sorted or restricted anew starts over: cursor, bookmarks and their numbers (OXCTABL R439, R453, R864, R865). */
static ec_t redefine(struct rop_ctx *c, const struct obj_table *as)
{
    struct obj_table *t = c->object->table, next = *as;
    struct view *v;
    TRY(cursor_view(c, as, &v));
    start_over(&next);
    *t = next;
    object_dirty(c->object);
    wr_u8(c->out, TBLSTAT_COMPLETE);
    return ecNone;
}

static ec_t sort_check(const struct sortorder *s)
{
    if (s->categories > s->n || s->expanded > s->categories)
        return EC(ecInvalidParameter);
    for (size_t i = 0; i < s->n; i++) {
        if (!type_known(type_single(prop_type(s->col[i].tag))) || (s->col[i].order > SORT_DESCENDING && s->col[i].order != SORT_MAX_CATEGORY))
            return EC(ecInvalidParameter);
        if (s->col[i].order == SORT_MAX_CATEGORY && s->categories == 0)
            return EC(ecInvalidParameter);
    }
    return s->categories > 0 ? EC(ecTooComplex) : ecNone;
}

ec_t rop_SortTable(struct rop_ctx *c)
{
    rd_u8(c->in);
    struct rd ahead = *c->in;
    if (rd_u16(&ahead) > SORT_MAX_COLUMNS)
        return EC(ecTooComplex);
    struct obj_table as = *c->object->table;
    sortorder_read(c->in, &as.sort);
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "keys=%u categories=%u", as.sort.n, as.sort.categories);

    if (as.source != TABLE_OF_CONTENTS) /* OXCTABL R450 */
        return EC(ecNotSupported);
    TRY(sort_check(&as.sort));
    return redefine(c, &as);
}

ec_t rop_Restrict(struct rop_ctx *c)
{
    rd_u8(c->in);
    struct rd r = rd_sub(c->in, rd_u16(c->in));
    struct obj_table as = *c->object->table;
    as.restriction = blob_of(r.p, r.n);
    as.code_page = c->codec.code_page;
    const struct restriction *filter = r.n != 0 ? restriction_read(&r, &c->codec) : NULL;
    if (!rd_done(&r))
        rd_fail(c->in, "restriction");
    if (!rd_ok(c->in))
        return EC(ecRpcFormat);
    rop_note(c, "restriction=%zu bytes", as.restriction.n);

    if (as.source == TABLE_OF_ATTACHMENTS) /* OXCTABL R461 */
        return EC(ecNotSupported);
    if (filter != NULL)
        TRY(restriction_check(filter));
    return redefine(c, &as);
}

ec_t rop_ResetTable(struct rop_ctx *c)
{
    struct obj_table *t = c->object->table;
    if (t->source != TABLE_OF_CONTENTS) /* OXCTABL R566 */
        return EC(ecNotSupported);
    *t = (struct obj_table){ .source = t->source, .flags = t->flags, .fid = t->fid, .message = t->message, .code_page = t->code_page };
    object_dirty(c->object);
    notify_view_gone(c);
    return ecNone;
}

/* --- asynchronous work, which never is in progress ---------------------------------------------------------------------------------------------- */

ec_t rop_GetStatus(struct rop_ctx *c)
{
    wr_u8(c->out, TBLSTAT_COMPLETE);
    return ecNone;
}

ec_t rop_Abort(struct rop_ctx *c)
{
    return c->object->table->source == TABLE_OF_ATTACHMENTS ? EC(ecNotSupported) : EC(ecAbortFailed); /* OXCTABL R485, R486 */
}

/* --- categories, which no table has yet: no row is one (OXCTABL R570, R576).  The table has a view from then on (OXCNOTIF R246, R248) ----------------- */

static ec_t no_category(struct rop_ctx *c)
{
    struct cursor k;
    if (c->object->table->source != TABLE_OF_CONTENTS)
        return EC(ecNotSupported);
    if (!c->object->table->columns_set)
        return EC(ecNullObject);
    TRY(cursor_open(c, &c->object->table->columns, &k));
    c->partial = true;
    return EC(ecNotFound);
}

ec_t rop_ExpandRow(struct rop_ctx *c) { return no_category(c); }
ec_t rop_CollapseRow(struct rop_ctx *c) { return no_category(c); }
