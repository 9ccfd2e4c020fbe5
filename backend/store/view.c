/* view.c - a table's definition -> an open table; its rows by number and by place. */
#include "backend/store/view_own.h"
#include "backend/base/log.h"
#include "backend/store/view_rank.h"
#include <time.h>

/* --- opening ------------------------------------------------------------------------------------------------------------------------------- */

/* Folders come by name, as real servers do it, parents before children. */
static struct sortorder default_order(const struct table_def *d)
{
    if (d->kind == TABLE_CONTENTS)
        return view_list_default(d->assoc);
    if (d->deep)
        return (struct sortorder){ .n = 2, .col = { { PidTagDepth, SORT_ASCENDING }, { PidTagDisplayName, SORT_ASCENDING } } };
    return (struct sortorder){ .n = 1, .col = { { PidTagDisplayName, SORT_ASCENDING } } };
}

/* At most once an hour, and never worth an error. */
static void note_use(struct mailbox *m, const struct view_kept *k)
{
    if (k->usual || (int64_t)time(NULL) - k->used < VIEW_TOUCH_SECONDS)
        return;
    bool own = !db_writing(m->db);
    if (own && db_begin(m->db) != ecNone)
        return;
    ec_t ec = view_list_touch(m, k);
    if (own && (ec != ecNone || db_commit(m->db) != ecNone))
        db_rollback(m->db);
}

static ec_t open_contents(struct view *v, const struct folder *f)
{
    struct view_kept k;
    bool found;
    TRY(view_list_find(v->m, v->table.fid, v->table.assoc, &v->def, &k, &found));
    if (found && k.state == VIEW_READY) {
        note_use(v->m, &k);
    } else {
        bool fits = !found && (v->table.assoc ? f->assoc : f->total) <= VIEW_SMALL;
        if (fits)
            TRY(view_mem_contents(v, &fits));
        if (fits)
            return ecNone;
        v->row = NULL;
        v->n = 0;
        TRY(view_build(v->m, v->table.fid, v->table.assoc, &v->def, &k));
    }
    v->kept = true;
    v->id = k.id;
    return ecNone;
}

static ec_t open_rows(struct view *v)
{
    struct folder f;
    TRY(folder_open(v->m, v->table.fid, false, &f));
    if (v->table.kind == TABLE_HIERARCHY)
        return view_mem_hierarchy(v);
    if ((f.rights & RIGHT_READ_ANY) == 0)
        return EC(ecAccessDenied);
    if (v->m->actor.kind == ACTOR_DELEGATE && (tags_has(&v->def.tags, PidTagAccess) || tags_has(&v->def.tags, PidTagAccessLevel)))
        return EC(ecTooComplex); /* views are shared: they are those of the owner */
    return open_contents(v, &f);
}

ec_t view_open(struct mailbox *m, const struct table_def *d, struct view **out)
{
    struct view *v = arena_one(m->arena, struct view);
    struct sortorder order = d->sort.n != 0 ? d->sort : default_order(d);
    *v = (struct view){ .m = m, .table = *d };
    TRY(view_def_make(m->arena, &order, d->locale, d->filter, d->instance, &v->def));
    TRY(open_rows(v));
    *out = v;
    return ecNone;
}

ec_t view_hold(struct view *v, struct query *hold)
{
    while (v->kept) {
        bool ready;
        TRY(view_list_hold(v->m, v->id, hold, &ready));
        if (ready)
            return ecNone;
        db_end(hold); /* opening may write */
        v->kept = false;
        TRY(open_rows(v));
    }
    return ecNone;
}

/* --- places -------------------------------------------------------------------------------------------------------------------------------- */
struct view_at view_at_of(const struct table_pos *pos)
{
    return pos->end ? view_at_end() : pos->key.n == 0 ? view_at_begin() : (struct view_at){ pos->key, pos->id };
}

void view_pos_set(struct view *v, struct table_pos *pos, const struct view_at *at)
{
    *pos = (struct table_pos){ .key = arena_blob(v->m->arena, at->key), .id = at->id };
}

const struct propval *view_vals_get(const struct view_vals *v, uint32_t tag)
{
    for (size_t i = 0; i < v->n; i++)
        if (prop_id(v->tags[i]) == prop_id(tag))
            return prop_type(v->val[i].tag) == PtypErrorCode || v->val[i].tag == 0 ? NULL : &v->val[i];
    return NULL;
}

const struct propval *view_vals_row(void *vals, uint32_t tag) { return view_vals_get(vals, tag); }

/* --- numbers ------------------------------------------------------------------------------------------------------------------------------- */
static ec_t rank(struct view *v, const struct view_at *at, uint64_t *before, uint64_t *rows)
{
    if (v->kept)
        return view_rank_of(v->m->db, v->id, at, before, rows);
    *before = view_mem_rank(v, at);
    *rows = v->n;
    return ecNone;
}

static ec_t row_number(struct view *v, uint64_t number, struct table_pos *pos)
{
    struct view_at at;
    bool there = number < v->n;
    if (v->kept)
        TRY(view_rank_row(v->m->db, v->id, number, v->m->arena, &at, &there));
    else if (there)
        at = view_mem_at(&v->row[number]);
    if (!there)
        *pos = (struct table_pos){ .end = true };
    else if (number == 0)
        *pos = (struct table_pos){ .end = false };
    else
        view_pos_set(v, pos, &at);
    return ecNone;
}

ec_t view_count(struct view *v, uint32_t *rows)
{
    uint64_t n = v->n;
    VIEW_HOLD(hold, v);
    if (v->kept)
        TRY(view_rank_total(v->m->db, v->id, &n));
    *rows = (uint32_t)n;
    return ecNone;
}

/* A kept view whose counts are wrong is dropped and opened again: a table must not stay unreadable. */
static ec_t heal(struct view *v, ec_t ec)
{
    bool own = !db_writing(v->m->db);
    if (ec != ecCorruptData || !v->kept)
        return ec;
    log_line(LOGL_ERROR, "store", "the counts of a view are wrong; it is built again", NULL);
    if (own)
        TRY(db_begin(v->m->db));
    ec = view_list_drop(v->m, v->id);
    if (own && ec == ecNone)
        ec = db_commit(v->m->db);
    else if (own)
        db_rollback(v->m->db);
    v->kept = false;
    return ec == ecNone ? open_rows(v) : ec;
}

/* What was asked of numbers, once more if the view had to be healed. */
struct ask { struct view *v; struct table_pos *pos; int64_t number; uint64_t row, rows; };
typedef ec_t (*ask_fn)(struct ask *q);

static ec_t ask(struct ask *q, ask_fn fn)
{
    ec_t ec = fn(q);
    if (ec != ecCorruptData)
        return ec;
    TRY(heal(q->v, ec));
    return fn(q);
}

static ec_t ask_position(struct ask *q)
{
    struct view_at at = view_at_of(q->pos);
    VIEW_HOLD(hold, q->v);
    return rank(q->v, &at, &q->row, &q->rows);
}

static ec_t ask_row(struct ask *q)
{
    VIEW_HOLD(hold, q->v);
    return row_number(q->v, (uint64_t)q->number, q->pos);
}

/* `number` becomes how far it went. */
static ec_t ask_seek(struct ask *q)
{
    struct view_at at = view_at_of(q->pos);
    VIEW_HOLD(hold, q->v);
    TRY(rank(q->v, &at, &q->row, &q->rows));
    int64_t here = (int64_t)q->row, all = (int64_t)q->rows, to = here + q->number;
    to = to < 0 ? 0 : to > all ? all : to;
    if (q->number != 0)
        TRY(row_number(q->v, (uint64_t)to, q->pos));
    q->number = to - here;
    return ecNone;
}

ec_t view_position(struct view *v, const struct table_pos *pos, uint32_t *row, uint32_t *rows)
{
    struct table_pos at = *pos;
    struct ask q = { .v = v, .pos = &at };
    TRY(ask(&q, ask_position));
    *row = (uint32_t)q.row;
    *rows = (uint32_t)q.rows;
    return ecNone;
}

ec_t view_seek_to(struct view *v, uint32_t row, struct table_pos *pos)
{
    struct ask q = { .v = v, .pos = pos, .number = row };
    return ask(&q, ask_row);
}

ec_t view_seek(struct view *v, struct table_pos *pos, int32_t delta, int32_t *moved)
{
    struct ask q = { .v = v, .pos = pos, .number = delta };
    TRY(ask(&q, ask_seek));
    *moved = (int32_t)q.number;
    return ecNone;
}

/* --- columns ------------------------------------------------------------------------------------------------------------------------------- */
static const uint32_t contents[] = {
#define MCOL(number, name, kind, tag, use) tag,
#include "backend/store/message_col.def"
#undef MCOL
#define MSGPROP(tag, fn, needs, flags) tag,
#include "backend/store/messageprop.def"
#undef MSGPROP
};

static const uint32_t hierarchy[] = {
#define HIERARCHY(tag) tag,
#include "backend/store/viewcolumn.def"
#undef HIERARCHY
};

ec_t view_columns(struct view *v, struct tags *out)
{
    bool folders = v->table.kind == TABLE_HIERARCHY;
    const uint32_t *tags = folders ? hierarchy : contents;
    size_t n = folders ? sizeof hierarchy / sizeof *hierarchy : sizeof contents / sizeof *contents;
    for (size_t i = 0; i < n; i++)
        if (tags[i] != 0 && prop_type(tags[i]) != PtypObject)
            tags_add(v->m->arena, out, tags[i]);
    return ecNone;
}
