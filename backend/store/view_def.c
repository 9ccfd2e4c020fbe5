/* view_def.c - a table's order and restriction go in, the stored form of a view comes out, and back. */
#include "backend/store/view_def.h"

enum { VERSION = 1, PACKED_MAX = 1 << 20 };

/* Is there a node of this kind in the tree? */
static bool has_kind(const struct restriction *r, enum restriction_kind kind)
{
    if (r->kind == kind)
        return true;
    switch (r->kind) {
    case RES_AND:
    case RES_OR:
        for (size_t i = 0; i < r->list.n; i++)
            if (has_kind(&r->list.v[i], kind))
                return true;
        return false;
    case RES_NOT:            return has_kind(r->one.r, kind);
    case RES_COMMENT:        return r->comment.r != NULL && has_kind(r->comment.r, kind);
    case RES_COUNT:          return has_kind(r->count.r, kind);
    case RES_SUBRESTRICTION: return has_kind(r->sub.r, kind);
    default:                 return false;
    }
}

static void collect(struct arena *a, struct view_def *d)
{
    for (size_t i = 0; i < d->sort.n; i++)
        tags_add(a, &d->tags, view_def_stored(d->sort.col[i].tag));
    if (d->instance != 0)
        tags_add(a, &d->tags, d->instance);
    if (d->filter == NULL)
        return;
    struct tags read = { 0 };
    restriction_tags(a, d->filter, &read);
    for (size_t i = 0; i < read.n; i++)
        tags_add(a, &d->tags, view_def_stored(read.v[i]));
    d->sub = has_kind(d->filter, RES_SUBRESTRICTION);
    if (d->sub) {
        tags_add(a, &d->tags, PidTagMessageRecipients);
        tags_add(a, &d->tags, PidTagMessageAttachments);
    }
}

static struct blob pack(struct arena *a, const struct view_def *d)
{
    struct wr w = wr_in(a, PACKED_MAX);
    struct blob name = blob_str(view_key_collates(&d->sort) ? view_collator_name(d->collator) : "");
    wr_u8(&w, VERSION);
    sortorder_write(&w, &d->sort);
    wr_u32(&w, d->instance);
    wr_u8(&w, (uint8_t)name.n);
    wr_put(&w, name);
    if (d->filter != NULL)
        restriction_write(&w, &(struct pv_codec){ .a = a, .counts = PV_COUNTS_WIDE }, d->filter);
    return w.full ? blob_of(NULL, 0) : wr_blob(&w);
}

/* One property can be expanded: two would make a row of each pair of their values. */
static ec_t expand(struct view_def *d, uint32_t instance)
{
    if (instance != 0 && (!view_def_is_instance(instance) || !type_known(type_single(prop_type(instance)))))
        return EC(ecInvalidParameter);
    d->instance = view_def_stored(prop_unicode(instance));
    for (size_t i = 0; i < d->sort.n; i++) {
        uint32_t tag = d->sort.col[i].tag;
        if (!view_def_is_instance(tag))
            continue;
        if (d->instance != 0 && d->instance != view_def_stored(tag))
            return EC(ecTooComplex);
        d->instance = view_def_stored(tag);
    }
    return ecNone;
}

ec_t view_def_make(struct arena *a, const struct sortorder *s, uint32_t lcid, const struct restriction *filter, uint32_t instance, struct view_def *out)
{
    TRY(view_key_check(s));
    if (filter != NULL)
        TRY(restriction_check(filter));
    if (filter != NULL && has_kind(filter, RES_COUNT))
        return EC(ecTooComplex); /* which rows are the first n changes with every row before them */
    *out = (struct view_def){ .sort = *s, .collator = view_collator(lcid), .filter = filter };
    for (size_t i = 0; i < s->n; i++)
        out->sort.col[i].tag = prop_unicode(s->col[i].tag);
    out->sort.expanded = 0;
    TRY(expand(out, instance));
    collect(a, out);
    out->packed = pack(a, out);
    return out->packed.n != 0 ? ecNone : EC(ecTooComplex);
}

bool view_def_unpack(struct arena *a, struct blob packed, struct view_def *out)
{
    struct rd r = rd_blob_of(packed);
    *out = (struct view_def){ .packed = packed };
    if (rd_u8(&r) != VERSION)
        return false;
    sortorder_read(&r, &out->sort);
    out->instance = rd_u32(&r);
    size_t len = rd_u8(&r);
    struct blob name = rd_blob(&r, len);
    if (rd_ok(&r) && r.n != 0)
        out->filter = restriction_read(&r, &(struct pv_codec){ .a = a, .counts = PV_COUNTS_WIDE });
    if (!rd_done(&r))
        return false;
    out->collator = name.n != 0 ? view_collator_named(arena_str(a, name)) : view_collator(0);
    collect(a, out);
    return out->collator != NULL;
}

bool view_def_looks_at(const struct view_def *d, const struct tags *changed)
{
    if (changed == NULL)
        return d->tags.n != 0;
    for (size_t i = 0; i < changed->n; i++)
        if (tags_has(&d->tags, changed->v[i]))
            return true;
    return false;
}
