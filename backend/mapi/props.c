/* props.c - lists of values and of tags: find, set, delete, and read a common type with a default. */
#include "backend/mapi/propval.h"

static size_t props_index(const struct props *p, uint32_t tag)
{
    size_t i = 0;
    while (i < p->n && prop_id(p->v[i].tag) != prop_id(tag))
        i++;
    return i;
}

const struct propval *props_find(const struct props *p, uint32_t tag)
{
    size_t i = props_index(p, tag);
    return i < p->n ? &p->v[i] : NULL;
}

void props_set(struct arena *a, struct props *p, struct propval v)
{
    size_t i = props_index(p, v.tag);
    if (i == p->n) {
        p->v = arena_grow(a, p->v, &p->cap, p->n, sizeof *p->v);
        p->n++;
    }
    p->v[i] = v;
}

void props_del(struct props *p, uint32_t tag)
{
    size_t i = props_index(p, tag);
    if (i == p->n)
        return;
    memmove(&p->v[i], &p->v[i + 1], (p->n - i - 1) * sizeof *p->v);
    p->n--;
}

void props_copy(struct arena *a, struct props *to, const struct props *from)
{
    for (size_t i = 0; i < from->n; i++)
        props_set(a, to, from->v[i]);
}

bool tags_has(const struct tags *t, uint32_t tag)
{
    for (size_t i = 0; i < t->n; i++)
        if (prop_id(t->v[i]) == prop_id(tag))
            return true;
    return false;
}

void tags_add(struct arena *a, struct tags *t, uint32_t tag)
{
    if (tags_has(t, tag))
        return;
    t->v = arena_grow(a, t->v, &t->cap, t->n, sizeof *t->v);
    t->v[t->n++] = tag;
}

void tags_del(struct tags *t, uint32_t tag)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++)
        if (prop_id(t->v[i]) != prop_id(tag))
            t->v[kept++] = t->v[i];
    t->n = kept;
}

/* The value if it is here and of this single type. */
static const struct propval *of_type(const struct props *p, uint32_t tag, uint16_t type)
{
    const struct propval *v = props_find(p, tag);
    return v != NULL && prop_type(v->tag) == type && !v->large ? v : NULL;
}

int32_t props_i32(const struct props *p, uint32_t tag, int32_t dflt)
{
    const struct propval *v = of_type(p, tag, PtypInteger32);
    return v != NULL ? v->v.i32 : dflt;
}

int64_t props_i64(const struct props *p, uint32_t tag, int64_t dflt)
{
    const struct propval *v = of_type(p, tag, PtypInteger64);
    if (v == NULL)
        v = of_type(p, tag, PtypTime);
    if (v == NULL)
        v = of_type(p, tag, PtypCurrency);
    return v != NULL ? v->v.i64 : dflt;
}

bool props_bool(const struct props *p, uint32_t tag, bool dflt)
{
    const struct propval *v = of_type(p, tag, PtypBoolean);
    return v != NULL ? v->v.b : dflt;
}

struct blob props_str(const struct props *p, uint32_t tag)
{
    const struct propval *v = of_type(p, tag, PtypString);
    return v != NULL ? v->v.s : blob_of(NULL, 0);
}

struct blob props_bin(const struct props *p, uint32_t tag)
{
    const struct propval *v = of_type(p, tag, PtypBinary);
    if (v == NULL)
        v = of_type(p, tag, PtypObject);
    if (v == NULL)
        v = of_type(p, tag, PtypServerId);
    return v != NULL ? v->v.bin : blob_of(NULL, 0);
}
