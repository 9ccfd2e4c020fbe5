/* notify_table.c - events in a folder -> what they mean for the rows of a table: added, gone, changed, where they stand now; or "table changed".
 *
 * Values and place of a row are those of now, so a row is told once, at the first event about it: what came later is in it.  It is said to stand behind a row
 * whose place the client knows: not one that is still to be told.  A row that may have
 * entered or left a restriction, of which nobody knows whether the client has it, is told as deleted and added: right for who has it and for who has not. */
#include "session/rop/cursor.h"
#include "session/rop/notify_int.h"
#include "session/rop/tablerow.h"

struct row {
    uint64_t id, parent;         /* parent: of a folder that is gone */
    size_t   first;              /* event */
    bool     arrived, left;      /* it was not there before; it went */
    bool     unsure;             /* it may have entered or left the restriction, or the tree */
    bool     told;
};

struct tell_table {
    struct object *object;
    struct tags    looked_at;    /* by the restriction */
    bool           restricted;
    bool           changed;      /* single rows are useless: many, or instances, or events that name none */
    size_t         first;        /* event */
    struct row    *row; size_t rows, cap;
    struct view   *view;
};

/* --- what the events mean for a table ------------------------------------------------------------------------------------------------------- */
/* What concerns a table moves the position on even if nothing of it is told: it would keep the client awake. */
static bool concerns(struct tell *t, const struct watch *w, const struct event *e)
{
    uint64_t told = w->since > t->from ? w->since : t->from;
    if (e->seq <= told || !notify_concerns(w, e))
        return false;
    t->matched = true;
    return e->seq <= t->own || (w->flags & WATCH_NOT_OWN) == 0;
}

static struct row *row_of(struct tell *t, struct tell_table *p, size_t i, uint64_t id)
{
    for (size_t k = 0; k < p->rows; k++)
        if (p->row[k].id == id)
            return &p->row[k];
    p->row = arena_grow(t->x->a, p->row, &p->cap, p->rows, sizeof *p->row);
    p->row[p->rows] = (struct row){ .id = id, .first = i };
    return &p->row[p->rows++];
}

static void arrives(struct tell *t, struct tell_table *p, size_t i, uint64_t id)
{
    struct row *r = row_of(t, p, i, id);
    r->arrived |= r->first == i;
}

static void leaves(struct tell *t, struct tell_table *p, size_t i, uint64_t id, uint64_t parent)
{
    struct row *r = row_of(t, p, i, id);
    r->left = true;
    r->parent = parent;
}

/* Where computed properties may have changed with those that are named, anything may. */
static bool touches(const struct tell_table *p, const struct event *e)
{
    bool anything = e->changed.n == 0 || tags_has(&e->changed, PidTagLastModificationTime);
    for (size_t i = 0; i < e->changed.n && !anything; i++)
        for (size_t k = 0; k < p->looked_at.n; k++)
            anything |= prop_id(e->changed.v[i]) == prop_id(p->looked_at.v[k]);
    return p->restricted && anything;
}

static void changes(struct tell *t, struct tell_table *p, size_t i, uint64_t id, bool unsure)
{
    struct row *r = row_of(t, p, i, id);
    r->unsure |= unsure;
}

static void plan_message(struct tell *t, const struct watch *w, struct tell_table *p, size_t i)
{
    const struct event *e = &t->e[i];
    if (e->mid == 0)
        p->changed = true;
    else if (e->kind == EVENT_DELETED)
        leaves(t, p, i, e->mid, 0);
    else if (e->kind == EVENT_MODIFIED)
        changes(t, p, i, e->mid, touches(p, e));
    else {
        if (e->kind == EVENT_MOVED && e->old_fid == w->fid)
            leaves(t, p, i, e->old_mid, 0);
        if (e->fid == w->fid)
            arrives(t, p, i, e->mid);
    }
}

static void plan_moved_folder(struct tell *t, const struct watch *w, struct tell_table *p, size_t i)
{
    const struct event *e = &t->e[i];
    bool from = e->old_parent == w->fid, to = e->parent == w->fid;
    if ((w->flags & WATCH_DEEP) != 0 || from == to)
        changes(t, p, i, e->fid, true);
    else if (to)
        arrives(t, p, i, e->fid);
    else
        leaves(t, p, i, e->fid, e->old_parent);
}

static void plan_folder(struct tell *t, const struct watch *w, struct tell_table *p, size_t i)
{
    const struct event *e = &t->e[i];
    if (e->fid == w->fid)
        p->changed |= e->kind == EVENT_DELETED;
    else if (e->kind == EVENT_DELETED)
        leaves(t, p, i, e->fid, e->parent);
    else if (e->kind == EVENT_MODIFIED)
        changes(t, p, i, e->fid, touches(p, e));
    else if (e->kind == EVENT_MOVED)
        plan_moved_folder(t, w, p, i);
    else
        arrives(t, p, i, e->fid);
}

static void plan(struct tell *t, const struct watch *w, struct tell_table *p)
{
    for (size_t i = p->first; i < t->n && !p->changed; i++) {
        if (!concerns(t, w, &t->e[i]))
            continue;
        if (w->what == WATCH_CONTENTS)
            plan_message(t, w, p, i);
        else
            plan_folder(t, w, p, i);
        p->changed |= p->rows > TELL_ROWS;
    }
}

/* --- the tables -------------------------------------------------------------------------------------------------------------------- */
static struct tell_table *first_look(struct tell *t, const struct watch *w)
{
    for (size_t i = 0; i < t->n; i++)
        if (concerns(t, w, &t->e[i])) {
            struct tell_table *p = arena_one(t->x->a, struct tell_table);
            p->first = i;
            return p;
        }
    return NULL;
}

static bool has_instances(const struct obj_table *o)
{
    for (size_t i = 0; i < o->sort.n; i++)
        if ((prop_type(o->sort.col[i].tag) & PtypMultipleInstance) == PtypMultipleInstance)
            return true;
    return cursor_instance(&o->columns) != 0;
}

static ec_t load(struct tell *t, const struct watch *w, struct tell_table *p)
{
    ec_t ec;
    p->object = rop_object(&t->c, w->handle, &ec);
    if (p->object == NULL || p->object->kind != OBJ_TABLE)
        return p->object == NULL ? ec : EC(ecInvalidObject);
    const struct obj_table *o = p->object->table;
    p->changed = has_instances(o);
    p->restricted = o->restriction.n != 0;
    if (!p->restricted)
        return ecNone;
    struct rd r = rd_blob_of(o->restriction);
    struct pv_codec codec = t->c.codec;
    codec.code_page = o->code_page;
    const struct restriction *filter = restriction_read(&r, &codec);
    if (filter != NULL)
        restriction_tags(t->x->a, filter, &p->looked_at);
    return ecNone;
}

/* The objects of all tables concerned come in one round trip. */
ec_t tell_tables(struct tell *t)
{
    struct context *c = t->x->context;
    const struct watching *v = watches(c);
    uint32_t *want = arena_array(t->x->a, uint32_t, v->n);
    size_t n = 0;
    t->table = arena_array(t->x->a, struct tell_table *, v->n);
    for (size_t k = 0; k < v->n; k++) {
        const struct watch *w = &v->v[k];
        const struct guid *of = notify_mailbox(c, w);
        if (!notify_is_table(w) || of == NULL || !guid_eq(of, t->mailbox) || !notify_speaks(c, w))
            continue;
        t->table[k] = first_look(t, w);
        if (t->table[k] != NULL)
            want[n++] = w->handle;
    }
    if (n > 1 && !context_fetch(c, want, n))
        return EC(ecServerBusy);
    for (size_t k = 0; k < v->n; k++)
        if (t->table[k] != NULL) {
            TRY(load(t, &v->v[k], t->table[k]));
            plan(t, &v->v[k], t->table[k]);
        }
    return ecNone;
}

/* --- a row as it is now ---------------------------------------------------------------------------------------------------------------------------- */
struct taken { struct tell *t; struct tell_table *p; const struct tags *columns; struct blob values; uint64_t id; bool fits; };

static bool take_values(void *ctx, const struct table_row *row)
{
    struct taken *k = ctx;
    struct wr w = wr_in(k->t->x->a, UINT16_MAX);
    k->fits = tablerow_write(&w, &k->t->c.codec, k->columns, row);
    k->values = wr_blob(&w);
    return true;
}

/* Does the client know where this row stands? */
static bool is_settled(const struct tell_table *p, uint64_t id)
{
    for (size_t i = 0; i < p->rows; i++)
        if (p->row[i].id == id)
            return p->row[i].told;
    return true;
}

static bool take_settled(void *ctx, const struct table_row *row)
{
    struct taken *k = ctx;
    if (is_settled(k->p, row->id))
        k->id = row->id;
    return k->id == 0;
}

static struct notify_row name_of(const struct watch *w, uint64_t id)
{
    if (id == 0)
        return (struct notify_row){ .fid = 0 };
    uint64_t wire = id_wire(REPLID_OWN, id);
    bool message = w->what == WATCH_CONTENTS;
    return (struct notify_row){ .fid = message ? id_wire(REPLID_OWN, w->fid) : wire, .mid = message ? wire : 0 };
}

static struct notify_data row_data(const struct watch *w, uint16_t event, uint64_t id)
{
    uint16_t flags = (uint16_t)(NOTIFY_TABLE | (w->what == WATCH_CONTENTS ? NOTIFY_M : 0u));
    return (struct notify_data){ .flags = flags, .table_event = event, .row = name_of(w, id) };
}

/* A table of which single rows cannot be told after all. */
static bool give_up(struct tell *t, struct watch *w, struct tell_table *p)
{
    p->changed = true;
    w->since = t->last;
    return tell_changed(t, w);
}

static ec_t tell_values(struct tell *t, struct watch *w, struct tell_table *p, const struct table_pos *pos, uint16_t event, uint64_t id, bool *done)
{
    const struct tags *columns = &p->object->table->columns;
    struct taken row = { .t = t, .columns = columns }, before = { .t = t, .p = p };
    struct table_pos at = *pos;
    TRY(view_read(p->view, &at, true, 1, columns->v, columns->n, take_values, &row));
    at = *pos;
    TRY(view_read(p->view, &at, false, p->rows, NULL, 0, take_settled, &before));
    struct notify_data n = row_data(w, event, id);
    n.after = name_of(w, before.id);
    n.values = row.values;
    *done = row.fits ? tell_put(t, w, &n) : give_up(t, w, p);
    return ecNone;
}

/* Was a folder that is gone in this tree?  Its parent tells, if that is still there. */
static ec_t had(struct tell *t, const struct watch *w, struct tell_table *p, const struct row *r, bool *yes)
{
    struct table_pos pos;
    struct folder f;
    *yes = true;
    if ((w->flags & WATCH_DEEP) == 0 || r->parent == w->fid || r->parent == 0)
        return ecNone;
    ec_t ec = folder_open(t->m, r->parent, false, &f);
    if (ec == ecNone)
        return view_locate(p->view, r->parent, &pos, yes);
    *yes = ec == ecNotFound;
    return ec == ecNotFound || ec == ecAccessDenied ? ecNone : ec;
}

static ec_t tell_gone(struct tell *t, struct watch *w, struct tell_table *p, const struct row *r, bool *done)
{
    bool yes = r->unsure;
    if (r->arrived)
        return ecNone;
    if (r->left)
        TRY(had(t, w, p, r, &yes));
    if (!yes)
        return ecNone;
    struct notify_data n = row_data(w, TABLE_ROW_DELETED, r->id);
    *done = tell_put(t, w, &n);
    return ecNone;
}

static ec_t tell_row(struct tell *t, struct watch *w, struct tell_table *p, const struct row *r, bool *done)
{
    struct table_pos pos;
    bool there;
    TRY(view_locate(p->view, r->id, &pos, &there));
    if (!there)
        return tell_gone(t, w, p, r, done);
    if (r->unsure && !r->arrived) {
        struct notify_data n = row_data(w, TABLE_ROW_DELETED, r->id);
        *done = tell_put(t, w, &n);
    }
    uint16_t event = r->arrived || r->unsure ? TABLE_ROW_ADDED : TABLE_ROW_MODIFIED;
    return *done ? tell_values(t, w, p, &pos, event, r->id, done) : ecNone;
}

/* --- one event ---------------------------------------------------------------------------------------------------------------------------------------- */

/* *there false: nothing can be told of its rows, or all was told: a folder that is gone has none, one that may not be read any more shows none. */
static ec_t open_view(struct tell *t, struct watch *w, struct tell_table *p, bool *there, bool *done)
{
    *there = p->view != NULL;
    if (*there)
        return ecNone;
    t->c.object = p->object;
    ec_t ec = cursor_view(&t->c, p->object->table, &p->view);
    *there = ec == ecNone;
    if (ec == ecNotFound || ec == ecTooComplex)
        *done = give_up(t, w, p);
    return ec == ecNotFound || ec == ecTooComplex || ec == ecAccessDenied ? ecNone : ec;
}

ec_t tell_table(struct tell *t, struct watch *w, size_t number, size_t i, bool *done)
{
    struct tell_table *p = t->table[number];
    bool there;
    *done = true;
    if (p != NULL && p->changed && p->first == i)
        *done = give_up(t, w, p);
    for (size_t k = 0; p != NULL && !p->changed && k < p->rows && *done; k++) {
        if (p->row[k].first != i)
            continue;
        TRY(open_view(t, w, p, &there, done));
        if (!there)
            break;
        TRY(tell_row(t, w, p, &p->row[k], done));
        p->row[k].told = true;
    }
    return ecNone;
}
