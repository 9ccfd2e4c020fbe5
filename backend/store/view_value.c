/* view_value.c - a row is asked for values; large ones are fetched from where they lie. */
#include "backend/store/view_value.h"
#include "backend/base/utf.h"

enum { LOADED_MAX = 256 << 20, KEY_BYTES = 2 * VIEW_STRING_UNITS };

void view_value_start(struct view_value *v, struct mailbox *m, const struct res_row *row)
{
    *v = (struct view_value){ .m = m, .row = row };
}

ec_t view_value_end(struct view_value *v)
{
    arena_free(v->a);
    v->a = NULL;
    return v->ec;
}

ec_t view_value_beginning(struct mailbox *m, const struct propval *v, size_t bytes, struct arena *a, struct propval *out)
{
    struct blob b;
    TRY(large_read(m, &v->v.large, 0, bytes, &b));
    *out = (struct propval){ .tag = v->tag };
    if (prop_type(v->tag) != PtypString) {
        out->v.bin = b;
        return ecNone;
    }
    out->v.s = utf8_from_utf16(a, b);
    if (b.n >= 2 && b.n < v->v.large.size && (b.p[b.n - 1] & 0xFC) == 0xD8) /* a pair of surrogates was cut in two */
        out->v.s = utf8_cut(out->v.s, b.n / 2 - 1);
    return ecNone;
}

static const struct propval *loaded(struct view_value *v, const struct propval *large)
{
    if (v->a == NULL)
        v->a = arena_new(LOADED_MAX);
    struct propval *out = arena_one(v->a, struct propval);
    struct arena *lease = v->m->arena;
    v->m->arena = v->a; /* what is loaded for a look at a row must not stay as long as the request: there may be a million rows */
    ec_t ec = v->whole ? large_load(v->m, large, out) : view_value_beginning(v->m, large, KEY_BYTES, v->a, out);
    v->m->arena = lease;
    if (ec == ecNone)
        return out;
    v->ec = v->ec != ecNone ? v->ec : ec;
    return NULL;
}

static const struct propval *get(void *ctx, uint32_t tag)
{
    struct view_value *v = ctx;
    if (v->instance != 0 && view_def_is_instance(tag) && prop_id(tag) == prop_id(v->instance))
        return v->has_one ? &v->one : NULL;
    const struct propval *p = v->row->get(v->row->ctx, view_def_stored(tag));
    if (p == NULL || prop_type(p->tag) == PtypErrorCode)
        return NULL;
    return p->large ? loaded(v, p) : p;
}

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct view_value *v = ctx;
    return v->row->sub != NULL ? v->row->sub(v->row->ctx, subobject, r) : 0;
}

bool view_value_meets(struct view_value *v, const struct restriction *r)
{
    struct res_row row = { v, get, sub };
    v->whole = true;
    return restriction_match(r, &row);
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------------------ */
static size_t instances(const struct view_value *v, const struct view_def *d)
{
    const struct propval *many = d->instance != 0 ? v->row->get(v->row->ctx, d->instance) : NULL;
    size_t n = many != NULL && prop_type(many->tag) == prop_type(d->instance) ? propval_count(many) : 0;
    return n == 0 ? 1 : n < VIEW_INSTANCES_MAX ? n : VIEW_INSTANCES_MAX;
}

static void show_instance(struct view_value *v, const struct view_def *d, size_t i)
{
    if (d->instance == 0)
        return;
    const struct propval *many = v->row->get(v->row->ctx, d->instance);
    v->instance = d->instance;
    v->has_one = many != NULL && prop_type(many->tag) == prop_type(d->instance) && i < propval_count(many);
    if (v->has_one)
        v->one = propval_element(many, i);
}

static void make_key(struct view_value *v, const struct view_def *d, size_t i, struct view_key *out)
{
    struct res_row row = { v, get, NULL };
    v->whole = false;
    view_key_make(out, &d->sort, d->collator, &row);
    if (d->instance != 0)
        view_key_add_instance(out, (uint32_t)i);
}

ec_t view_value_each(struct mailbox *m, const struct res_row *row, const struct view_def *d, bool judge, view_value_fn fn, void *ctx)
{
    struct view_value v;
    struct view_key key;
    view_value_start(&v, m, row);
    ec_t ec = ecNone;
    for (size_t i = 0, n = instances(&v, d); i < n && ec == ecNone && v.ec == ecNone; i++) {
        show_instance(&v, d, i);
        bool in = !judge || d->filter == NULL || view_value_meets(&v, d->filter);
        make_key(&v, d, i, &key);
        if (v.ec == ecNone)
            ec = fn(ctx, &key, in);
    }
    ec_t end = view_value_end(&v);
    return ec != ecNone ? ec : end;
}
