/* view_read.c - pages of rows, and where the row of a position is now. */
#include "backend/store/view_own.h"
#include "backend/store/view_value.h"

/* --- pages --------------------------------------------------------------------------------------------------------------------------------- */
struct page {
    struct view *v;
    struct table_pos *pos;
    bool      forward;
    size_t    left;
    struct propval *val;
    view_sink sink;
    void     *ctx;
    ec_t      ec;
};

static ec_t load_beginnings(struct view *v, struct propval *val, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (val[i].large && prop_type(val[i].tag) != PtypErrorCode)
            TRY(view_value_beginning(v->m, &val[i], LARGE_PREFIX, v->m->arena, &val[i]));
    return ecNone;
}

/* The row goes to the sink; false if it did not take it. */
static bool give(struct page *p, struct view_hit *hit)
{
    struct table_row row = { hit->at.id, { p->val, hit->ntags, hit->ntags } };
    p->ec = view_scan_values(hit, p->v->m->arena, p->val);
    if (p->ec == ecNone)
        p->ec = load_beginnings(p->v, p->val, hit->ntags);
    if (p->ec != ecNone || !p->sink(p->ctx, &row))
        return false;
    p->left--;
    return true;
}

/* Forward, the position is before the first row that was not given; backward, before the last that was. */
static bool page_row(void *ctx, struct view_hit *hit)
{
    struct page *p = ctx;
    bool given = p->left > 0 && give(p, hit);
    if (p->ec == ecNone && given != p->forward)
        view_pos_set(p->v, p->pos, &hit->at);
    return given;
}

ec_t view_read(struct view *v, struct table_pos *pos, bool forward, size_t n, const uint32_t *tags, size_t ntags, view_sink row, void *ctx)
{
    struct page p = { v, pos, forward, n, arena_array(v->m->arena, struct propval, ntags + 1), row, ctx, ecNone };
    struct view_at from = view_at_of(pos);
    bool ended;
    if (n == 0)
        return ecNone;
    VIEW_HOLD(hold, v);
    size_t one_more = n < INT32_MAX ? n + 1 : INT32_MAX; /* tells whether the table ends here; SIZE_MAX asks for all */
    TRY(view_scan(v, &from, forward, one_more, tags, ntags, page_row, &p, &ended));
    TRY(p.ec);
    if (ended)
        *pos = (struct table_pos){ .end = forward };
    return ecNone;
}

/* --- the row of a position -------------------------------------------------------------------------------------------------------------------- */
static bool is_row(const struct table_pos *pos) { return !pos->end && pos->key.n != 0; }

static ec_t has(struct view *v, const struct view_at *at, bool *there)
{
    if (v->kept)
        return view_bucket_has(v->m->db, v->id, at, there);
    size_t i = view_mem_rank(v, at);
    struct view_at here = i < v->n ? view_mem_at(&v->row[i]) : *at;
    *there = i < v->n && view_at_cmp(&here, at) == 0;
    return ecNone;
}

struct place { struct view *v; uint64_t id; struct view_key key; bool there; };

static ec_t look_there(void *ctx, const struct view_key *key, bool in)
{
    struct place *p = ctx;
    struct view_at at = { view_key_blob(key), p->id };
    (void)in;
    if (p->there)
        return ecNone;
    p->key.n = key->n;
    memcpy(p->key.p, key->p, key->n);
    return has(p->v, &at, &p->there);
}

/* Where the order puts the row now (the first, if it has instances), and whether the table has it there. */
static ec_t follow_kept(struct place *p)
{
    struct view *v = p->v;
    size_t n = v->def.tags.n;
    struct propval *val = arena_array(v->m->arena, struct propval, n + 1);
    struct view_hit hit = { .v = v, .at = { .id = p->id }, .tags = v->def.tags.v, .ntags = n };
    struct view_vals vals = { hit.tags, val, n };
    struct res_row row = { &vals, view_vals_row, NULL };
    ec_t ec = view_scan_stored(&hit, v->m->arena, val);
    if (ec == ecNotFound)
        return ecNone;
    TRY(ec);
    return view_value_each(v->m, &row, &v->def, false, look_there, p);
}

static void follow_mem(struct place *p)
{
    for (size_t i = 0; i < p->v->n && !p->there; i++)
        if (p->v->row[i].id == p->id) {
            p->key.n = p->v->row[i].key->n;
            memcpy(p->key.p, p->v->row[i].key->p, p->key.n);
            p->there = true;
        }
}

/* Under VIEW_HOLD. */
static ec_t locate(struct view *v, uint64_t id, struct table_pos *pos, bool *there)
{
    struct place p = { .v = v, .id = id };
    if (v->kept)
        TRY(follow_kept(&p));
    else
        follow_mem(&p);
    *there = p.there;
    if (p.there)
        view_pos_set(v, pos, &(struct view_at){ view_key_blob(&p.key), id });
    return ecNone;
}

ec_t view_locate(struct view *v, uint64_t id, struct table_pos *pos, bool *there)
{
    VIEW_HOLD(hold, v);
    return locate(v, id, pos, there);
}

ec_t view_follow(struct view *v, struct table_pos *pos, bool *there)
{
    struct view_at at = view_at_of(pos);
    *there = true;
    if (!is_row(pos))
        return ecNone;
    VIEW_HOLD(hold, v);
    TRY(has(v, &at, there));
    return *there ? ecNone : locate(v, pos->id, pos, there);
}

ec_t view_has(struct view *v, const struct table_pos *pos, bool *there)
{
    struct table_pos copy = *pos;
    return view_follow(v, &copy, there);
}

static bool mark_row(void *ctx, struct view_hit *hit)
{
    struct page *p = ctx;
    view_pos_set(p->v, p->pos, &hit->at);
    return false;
}

ec_t view_mark(struct view *v, struct table_pos *pos)
{
    struct page p = { .v = v, .pos = pos };
    struct view_at from = view_at_of(pos);
    bool ended;
    VIEW_HOLD(hold, v);
    TRY(view_scan(v, &from, true, 1, NULL, 0, mark_row, &p, &ended));
    if (ended)
        *pos = (struct table_pos){ .end = true };
    return ecNone;
}
