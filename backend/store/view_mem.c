/* view_mem.c - tables that nobody keeps: the folders below a folder, the few messages of a small one, sorted for this request. */
#include "backend/store/view_own.h"
#include "backend/store/view_value.h"
#include <stddef.h>
#include <stdlib.h>

STMT(VIEW_CHILDREN, "SELECT fid, name FROM folder WHERE parent = ?1 AND deleted = 0 AND fid <> parent ORDER BY fid");

enum { DEEPEST = 200, FOLDERS_MAX = 100000 };

static int by_place(const void *a, const void *b)
{
    struct view_at x = view_mem_at(a), y = view_mem_at(b);
    return view_at_cmp(&x, &y);
}

void view_mem_sort(struct view_mem_row *row, size_t n)
{
    if (n > 1)
        qsort(row, n, sizeof *row, by_place);
}

size_t view_mem_rank(const struct view *v, const struct view_at *at)
{
    size_t low = 0, high = v->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct view_at here = view_mem_at(&v->row[mid]);
        if (view_at_cmp(&here, at) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* A row whose values are at hand: kept if it matches. */
struct source {
    struct view *v;
    struct arena *a;
    struct view_vals vals;
    uint64_t id;
    uint32_t depth;
    size_t cap;
};

static const struct propval *get(void *ctx, uint32_t tag) { return view_vals_get(&((struct source *)ctx)->vals, tag); }

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct source *s = ctx;
    return s->v->table.kind == TABLE_CONTENTS ? message_row_sub(s->v->m, s->id, subobject, r, s->a) : 0;
}

static ec_t add(void *ctx, const struct view_key *key, bool in)
{
    struct source *s = ctx;
    struct view *v = s->v;
    if (!in)
        return ecNone;
    size_t size = offsetof(struct view_key, p) + key->n; /* not all of VIEW_KEY_MAX */
    v->row = arena_grow(s->a, v->row, &s->cap, v->n, sizeof *v->row);
    v->row[v->n++] = (struct view_mem_row){ arena_dup(s->a, key, size), s->id, s->depth };
    return ecNone;
}

static ec_t add_rows(struct source *s)
{
    struct res_row row = { s, get, sub };
    return view_value_each(s->v->m, &row, &s->v->def, true, add, s);
}

/* --- contents ------------------------------------------------------------------------------------------------------------------------------ */
ec_t view_mem_contents(struct view *v, bool *fits)
{
    struct mailbox *m = v->m;
    struct message_plan plan;
    size_t n = v->def.tags.n;
    TRY(message_plan(m, v->table.fid, v->def.tags.v, n, &plan));
    const char *sql = arena_printf(m->arena, "SELECT m.mid, %s FROM message m %s WHERE m.fid = ?1 AND m.assoc = ?2 AND m.deleted = 0 LIMIT %d",
                                   plan.select, plan.join, VIEW_SMALL + 1);
    struct propval *val = arena_array(m->arena, struct propval, n + 1);
    struct source s = { .v = v, .a = m->arena, .vals = { v->def.tags.v, val, n } };
    DB_QUERY_TEXT(q, m->db, "VIEW_SMALL", sql);
    db_put_u64(&q, v->table.fid);
    db_put_i64(&q, v->table.assoc);
    size_t seen = 0;
    while (seen <= VIEW_SMALL && db_row(&q)) {
        s.id = db_u64(&q, 0);
        seen++;
        TRY(message_row_read(m, &plan, &q, 1, s.id, m->arena, val));
        TRY(add_rows(&s));
    }
    *fits = seen <= VIEW_SMALL;
    view_mem_sort(v->row, v->n);
    return db_ec(&q);
}

/* --- hierarchies --------------------------------------------------------------------------------------------------------------------------- */
struct child { uint64_t fid; struct blob name; };

static ec_t children_of(struct view *v, uint64_t fid, struct child **out, size_t *n)
{
    struct child *c = NULL;
    size_t cap = 0;
    *n = 0;
    DB_QUERY(q, v->m->db, VIEW_CHILDREN);
    db_put_u64(&q, fid);
    while (db_row(&q)) {
        c = arena_grow(v->m->arena, c, &cap, *n, sizeof *c);
        c[(*n)++] = (struct child){ db_u64(&q, 0), db_blob(&q, 1, v->m->arena) };
    }
    *out = c;
    return db_ec(&q);
}

static bool visible(struct view *v, uint64_t fid, ec_t *ec)
{
    uint32_t rights = RIGHTS_ALL;
    if (v->m->actor.kind == ACTOR_DELEGATE)
        *ec = rights_of(v->m, fid, &rights);
    return *ec == ecNone && (rights & (RIGHT_FOLDER_VISIBLE | RIGHT_FOLDER_OWNER)) != 0;
}

/* What the row itself knows is not asked of the folder. */
static ec_t values_of(struct view *v, const struct child *c, uint32_t depth, struct propval *out)
{
    const struct tags *tags = &v->def.tags;
    bool more = false;
    for (size_t i = 0; i < tags->n; i++)
        if (prop_id(tags->v[i]) == prop_id(PidTagDisplayName))
            out[i] = pv_strn(PidTagDisplayName, c->name);
        else if (prop_id(tags->v[i]) == prop_id(PidTagDepth))
            out[i] = pv_i32(PidTagDepth, (int32_t)depth);
        else
            more = true;
    if (!more)
        return ecNone;
    struct props p = { 0 };
    TRY(folder_props(v->m, c->fid, tags->v, tags->n, &p));
    for (size_t i = 0; i < tags->n && i < p.n; i++)
        if (prop_id(tags->v[i]) != prop_id(PidTagDepth))
            out[i] = p.v[i];
    return ecNone;
}

static ec_t walk(struct source *s, uint64_t fid, uint32_t depth)
{
    struct view *v = s->v;
    struct child *c;
    size_t n;
    ec_t ec = ecNone;
    TRY(children_of(v, fid, &c, &n));
    for (size_t i = 0; i < n; i++) {
        if (++v->fids_seen > FOLDERS_MAX)
            return EC(ecTooComplex);
        if (visible(v, c[i].fid, &ec)) {
            s->id = c[i].fid;
            TRY(values_of(v, &c[i], depth, (struct propval *)s->vals.val));
            s->depth = depth;
            TRY(add_rows(s));
        }
        TRY(ec);
        if (v->table.deep && depth < DEEPEST) /* a circle of parents in a damaged file ends here, too */
            TRY(walk(s, c[i].fid, depth + 1));
    }
    return ecNone;
}

ec_t view_mem_hierarchy(struct view *v)
{
    size_t n = v->def.tags.n;
    struct propval *val = arena_array(v->m->arena, struct propval, n + 1);
    struct source s = { .v = v, .a = v->m->arena, .vals = { v->def.tags.v, val, n } };
    TRY(walk(&s, v->table.fid, 1));
    view_mem_sort(v->row, v->n);
    return ecNone;
}
