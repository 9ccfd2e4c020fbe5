/* nspi_list.c - address lists and templates as objects of the address book: what a Minimal Entry ID of one names (MS-OXOABK 2.2.2, MS-OXOABKT 2.2.1). */
#include "session/nspi/nspi_row.h"

/* The lists of the installation, asked for once per request. */
static ec_t lists(struct nspi_ctx *c) { return c->lists != 0 ? ecNone : container_list(c->reader, c->a, &c->list, &c->lists); }

static const struct container *find(const struct nspi_ctx *c, int64_t row)
{
    for (size_t i = 0; i < c->lists; i++)
        if (c->list[i].row == row)
            return &c->list[i];
    return NULL;
}

const char *nspi_list_parent(const struct nspi_object *o)
{
    const struct container *parent = o->list != NULL && o->list->parent != 0 ? find(o->c, o->list->parent) : NULL;
    return parent != NULL ? parent->dn : NULL;
}

static void list_object(struct nspi_ctx *c, const struct container *l, uint32_t flags, struct nspi_object *out)
{
    *out = (struct nspi_object){ .c = c, .flags = flags, .there = true, .what = OF_LISTS, .list = l };
    out->e = (struct entry){ .row = l->row, .kind = ENTRY_CONTAINER, .dn = l->dn, .display_name = l->name, .smtp = "", .filter = "", .source = "", .external = "" };
}

ec_t nspi_list_objects(struct nspi_ctx *c, struct nspi_object **out, size_t *n)
{
    TRY(lists(c));
    *n = c->lists;
    *out = arena_array(c->a, struct nspi_object, c->lists);
    for (size_t i = 0; i < c->lists; i++)
        list_object(c, &c->list[i], 0, &(*out)[i]);
    return ecNone;
}

void nspi_template_object(struct nspi_ctx *c, const struct template *t, uint32_t flags, struct nspi_object *out)
{
    *out = (struct nspi_object){ .c = c, .flags = flags, .there = true, .what = t->purpose == TEMPLATE_CREATE ? OF_FORMS : OF_DIALOGS, .form = t };
    out->e = (struct entry){ .row = t->row, .kind = ENTRY_TEMPLATE, .dn = t->dn, .display_name = t->name, .smtp = "", .filter = "", .source = "", .external = "" };
}

static ec_t template_object(struct nspi_ctx *c, const char *dn, uint32_t flags, struct nspi_object *out)
{
    struct template *t = arena_one(c->a, struct template);
    TRY(template_by_dn(c->reader, c->a, dn, t));
    nspi_template_object(c, t, flags, out);
    return ecNone;
}

ec_t nspi_list_object(struct nspi_ctx *c, uint32_t mid, uint32_t flags, struct nspi_object *out)
{
    struct entry e = { .kind = ENTRY_CONTAINER };
    int64_t row = mid != 0 ? (int64_t)mid - MID_FIRST : 0;
    if (mid != 0 && mid <= MID_FIRST) /* positions name nobody (OXNSPI R349) */
        return ecNone;
    ec_t ec = row != 0 ? entry_brief(c->reader, c->a, row, &e) : ecNone;
    if (ec != ecNone || e.kind < ENTRY_CONTAINER) /* of others, or gone */
        return ec == ecNotFound ? ecNone : ec;
    if (e.kind == ENTRY_TEMPLATE)
        return template_object(c, e.dn, flags, out);
    TRY(lists(c));
    const struct container *l = find(c, row);
    if (l != NULL)
        list_object(c, l, flags, out);
    return ecNone;
}
