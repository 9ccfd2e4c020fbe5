/* view_find.c - the next row that matches: by its id or its key where the restriction allows it, else by looking at row after row. */
#include "backend/store/view_own.h"
#include "backend/store/view_value.h"

enum { BATCH_FIRST = 64, BATCH = 512, BATCH_ARENA = 64 << 20 };

struct search {
    struct view *v;
    const struct restriction *r;
    bool forward;
    struct view_at from;             /* forward: at and behind; backward: before */
    bool ranged;                     /* only rows with keys in `range` can match */
    bool certain;                    /* ... and all of them do */
    struct view_key_range range;
    bool named;                      /* only the row `id` can match */
    uint64_t id;
    struct tags tags;

    struct arena *a;                 /* of a batch */
    struct propval *val;
    struct view_hit *hit;
    struct view_vals vals;
    struct view_key start;           /* of the batch, if it is not the first */
    struct view_key last;            /* the row looked at last */
    uint64_t last_id;
    bool found, beyond;
    ec_t ec;
};

/* --- what the restriction says about keys and ids ----------------------------------------------------------------------------------------- */
static bool fixed_size(uint16_t type)
{
    return type != PtypString && type != PtypBinary && type != PtypServerId && !type_multi(type);
}

static void narrow(struct search *s, const struct view_key_range *r)
{
    if (s->ranged)
        view_key_meet(&s->range, r);
    else
        s->range = *r;
    s->ranged = true;
}

/* Relations of strings mean the order that the user sees, but only where the whole restriction is one: among others they are compared as the
 * restriction does it, and keys say nothing safe about that. */
static void use_property(struct search *s, const struct restriction *r, bool alone)
{
    const struct sortcol *col = &s->v->def.sort.col[0];
    struct view_key_range range;
    uint16_t type = prop_type(prop_unicode(r->property.tag));
    bool safe = fixed_size(type) || r->property.relop == RELOP_EQ || (alone && type == PtypString);
    if (s->v->def.sort.n == 0 || prop_unicode(r->property.tag) != col->tag || !safe)
        return;
    if (view_key_relation(&range, col, s->v->def.collator, r->property.relop, &r->property.value)) {
        narrow(s, &range);
        s->certain = alone && (fixed_size(type) || (type == PtypString && r->property.relop != RELOP_EQ));
    }
}

/* Case and accents that the restriction ignores are below the level of the keys' range, others are looked at row by row. */
static void use_content(struct search *s, const struct restriction *r)
{
    const struct sortcol *col = &s->v->def.sort.col[0];
    struct view_key_range range;
    if (s->v->def.sort.n == 0 || prop_unicode(r->content.tag) != col->tag || r->content.value.large || prop_type(r->content.value.tag) != PtypString)
        return;
    if ((r->content.level == FL_PREFIX || r->content.level == FL_FULLSTRING) && view_key_prefix(&range, col, s->v->def.collator, r->content.value.v.s))
        narrow(s, &range);
}

/* The row that such a value names, 0 if none. */
static uint64_t id_of(const struct search *s, const struct propval *v)
{
    bool folders = s->v->table.kind == TABLE_HIERARCHY;
    struct entryid e;
    if (v->large)
        return 0;
    if (prop_type(v->tag) == PtypInteger64)
        return id_gc((uint64_t)v->v.i64);
    switch (entryid_parse(v->v.bin, &e)) {
    case ENTRYID_FOLDER:  return folders ? e.fid : 0;
    case ENTRYID_MESSAGE: return folders ? 0 : e.mid;
    default:              return 0;
    }
}

static void use_id(struct search *s, const struct restriction *r)
{
    uint32_t tag = r->property.tag, folders = s->v->table.kind == TABLE_HIERARCHY;
    bool names_row = tag == PidTagEntryId || tag == PidTagInstID || tag == (folders ? PidTagFolderId : PidTagMid);
    if (names_row && r->property.relop == RELOP_EQ && prop_type(r->property.value.tag) == prop_type(tag)) {
        s->named = true;
        s->id = id_of(s, &r->property.value);
    }
}

static void study(struct search *s, const struct restriction *r, bool alone)
{
    if (r->kind == RES_AND)
        for (size_t i = 0; i < r->list.n; i++)
            study(s, &r->list.v[i], alone && r->list.n == 1);
    else if (r->kind == RES_COMMENT && r->comment.r != NULL)
        study(s, r->comment.r, alone);
    else if (r->kind == RES_PROPERTY) {
        use_property(s, r, alone);
        use_id(s, r);
    } else if (r->kind == RES_CONTENT)
        use_content(s, r);
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------------------ */
static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct search *s = ctx;
    return view_scan_sub(s->hit, subobject, r, s->a);
}

static const struct propval *get(void *ctx, uint32_t tag) { return view_vals_get(&((struct search *)ctx)->vals, tag); }

static bool matches(struct search *s, struct view_hit *hit)
{
    struct res_row row = { s, get, sub };
    struct view_value value;
    if (s->certain)
        return true;
    s->hit = hit;
    s->ec = view_scan_values(hit, s->a, s->val);
    if (s->ec != ecNone)
        return false;
    view_value_start(&value, s->v->m, &row);
    bool yes = view_value_meets(&value, s->r);
    s->ec = view_value_end(&value);
    return yes && s->ec == ecNone;
}

static void remember(struct search *s, const struct view_at *at)
{
    s->last.n = at->key.n < sizeof s->last.p ? at->key.n : sizeof s->last.p;
    memcpy(s->last.p, at->key.p, s->last.n);
    s->last_id = at->id;
}

static bool look(void *ctx, struct view_hit *hit)
{
    struct search *s = ctx;
    remember(s, &hit->at);
    s->beyond = s->ranged && !view_key_within(&s->range, hit->at.key);
    if (s->beyond)
        return false;
    s->found = matches(s, hit);
    return !s->found && s->ec == ecNone && !arena_over(s->a);
}

static ec_t batch(struct search *s, size_t n, bool *ended)
{
    VIEW_HOLD(hold, s->v);
    size_t ntags = s->certain ? 0 : s->tags.n;
    s->a = arena_new(BATCH_ARENA);
    s->val = arena_array(s->a, struct propval, ntags + 1);
    s->vals = (struct view_vals){ s->tags.v, s->val, ntags };
    ec_t ec = view_scan(s->v, &s->from, s->forward, n, s->tags.v, ntags, look, s, ended);
    arena_free(s->a);
    s->start = s->last;
    s->from = (struct view_at){ view_key_blob(&s->start), s->last_id + (s->forward ? 1 : 0) };
    return ec != ecNone ? ec : s->ec;
}

/* Rows outside of the range need not be walked through. */
static void begin_in_range(struct search *s)
{
    struct view_at low = { view_key_blob(&s->range.low), 0 }, high = { view_key_blob(&s->range.high), 0 };
    if (s->forward && view_at_cmp(&s->from, &low) < 0)
        s->from = low;
    if (!s->forward && s->range.has_high && view_at_cmp(&s->from, &high) > 0)
        s->from = high;
}

static ec_t walk(struct search *s)
{
    bool ended = false;
    if (s->ranged)
        begin_in_range(s);
    for (size_t n = s->certain ? 1 : BATCH_FIRST; !s->found && !s->beyond && !ended; n = BATCH)
        TRY(batch(s, n, &ended));
    return ecNone;
}

/* The one row that can match: is it there, on the right side, and does it? */
static ec_t look_at(struct search *s)
{
    struct table_pos pos = { .end = false };
    bool there = false, ended;
    if (s->id != 0)
        TRY(view_locate(s->v, s->id, &pos, &there));
    struct view_at at = view_at_of(&pos);
    if (!there || (view_at_cmp(&at, &s->from) >= 0) != s->forward)
        return ecNone;
    s->from = at;
    s->forward = true;
    s->ranged = s->certain = false;
    TRY(batch(s, 1, &ended));
    s->found = s->found && s->last_id == s->id;
    return ecNone;
}

ec_t view_find(struct view *v, struct table_pos *pos, bool forward, const struct restriction *r)
{
    struct search s = { .v = v, .r = r, .forward = forward, .from = view_at_of(pos) };
    TRY(restriction_check(r));
    restriction_tags(v->m->arena, r, &s.tags);
    if (v->def.instance == 0)
        study(&s, r, true);
    TRY(s.named ? look_at(&s) : walk(&s));
    if (!s.found)
        return EC(ecNotFound);
    view_pos_set(v, pos, &(struct view_at){ view_key_blob(&s.last), s.last_id });
    return ecNone;
}
