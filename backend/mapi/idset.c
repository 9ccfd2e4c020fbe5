/* idset.c - globsets by replica, serialized (MS-OXCFXICS 2.2.2.4). */
#include "backend/mapi/idset.h"
#include <stdlib.h>

static struct globset *add_part(struct arena *a, struct idset *s, struct idset_part part)
{
    s->v = arena_grow(a, s->v, &s->cap, s->n, sizeof *s->v);
    s->v[s->n] = part;
    return &s->v[s->n++].set;
}

struct globset *idset_by_replid(struct arena *a, struct idset *s, uint16_t replid)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].replid == replid)
            return &s->v[i].set;
    return add_part(a, s, (struct idset_part){ .replid = replid });
}

struct globset *idset_by_guid(struct arena *a, struct idset *s, const struct guid *replica)
{
    for (size_t i = 0; i < s->n; i++)
        if (guid_eq(&s->v[i].replica, replica))
            return &s->v[i].set;
    return add_part(a, s, (struct idset_part){ .replica = *replica });
}

void idset_read(struct rd *r, struct arena *a, enum idset_form form, struct idset *out)
{
    enum { MOST_REPLICAS = 4096 };
    *out = (struct idset){ 0 };
    while (r->n != 0) {
        struct guid    replica = { { 0 } };
        uint16_t       replid = 0;
        struct globset set;
        if (form == IDSET_GUID)
            rd_copy(r, replica.b, sizeof replica.b);
        else
            replid = rd_u16(r);
        globset_read(r, a, &set);
        if (rd_ok(r) && out->n < MOST_REPLICAS)
            globset_union(a, form == IDSET_GUID ? idset_by_guid(a, out, &replica) : idset_by_replid(a, out, replid), &set);
        else
            rd_fail(r, "too many replicas");
    }
    if (!rd_ok(r))
        *out = (struct idset){ 0 };
}

static int by_replid(const void *x, const void *y)
{
    const struct idset_part *const *a = x, *const *b = y;
    return ((*a)->replid > (*b)->replid) - ((*a)->replid < (*b)->replid);
}

static int by_guid(const void *x, const void *y)
{
    const struct idset_part *const *a = x, *const *b = y;
    return memcmp((*a)->replica.b, (*b)->replica.b, sizeof (*a)->replica.b);
}

void idset_write(struct wr *w, struct arena *a, enum idset_form form, const struct idset *s)
{
    const struct idset_part **order = arena_array(a, const struct idset_part *, s->n);
    size_t                    n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].set.n != 0)
            order[n++] = &s->v[i];
    qsort(order, n, sizeof *order, form == IDSET_GUID ? by_guid : by_replid); /* OXCFXICS R181, R186 */
    for (size_t i = 0; i < n; i++) {
        if (form == IDSET_GUID)
            wr_bytes(w, order[i]->replica.b, sizeof order[i]->replica.b);
        else
            wr_u16(w, order[i]->replid);
        globset_write(w, &order[i]->set);
    }
}
