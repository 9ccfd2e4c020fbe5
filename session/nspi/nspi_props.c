/* nspi_props.c - one object: its list of properties, their values, its number by DN. */
#include "session/nspi/nspi_row.h"
#include "session/nspi/nspi_table.h"

enum { TAGS_MAX = 10000 };

/* The properties of the object of a Minimal Entry ID; of 0 everything that the server knows, as servers have it, though the global address list has few of them. */
static void listed(struct nspi_object *o, uint32_t mid, uint32_t flags, uint16_t string_type, uint32_t **tag, size_t *n)
{
    if (mid == 0)
        nspi_known(o->c->a, string_type, tag, n);
    else
        nspi_list(o, flags, string_type, tag, n);
}

/* OXNSPI 3.1.4.1.6 */
ec_t nspi_GetPropList(struct nspi_ctx *c)
{
    struct nspi_object o;
    uint32_t mid = c->in->arg[0];
    TRY(nspi_object(c, mid, 0, &o));
    c->out->has_tags = true;
    listed(&o, mid, c->in->flags, PtypString8, &c->out->tag, &c->out->tags);
    return nspi_failed(&o);
}

/* The list that a client leaves to the server, which is that of GetPropList (R1693); in a session in Unicode strings come as such. */
static void choose_tags(struct nspi_object *o, uint32_t **tag, size_t *n)
{
    const struct nspi_args *q = o->c->in;
    uint16_t string_type = q->stat.code_page == CP_WINUNICODE ? PtypString : PtypString8;
    *tag = q->tag;
    *n = q->tags;
    if (!q->has_tags)
        listed(o, q->stat.current, q->flags, string_type, tag, n);
}

/* A container that is an object is the list that GetMatches made of it (OXNSPI R1146). */
static ec_t check_container(struct nspi_ctx *c)
{
    const struct book_view *v;
    int64_t row = 0;
    TRY(nspi_container(c->in->stat.container, &row));
    return row != 0 && book_exists(&c->look, row, NULL) ? ecNone : book_view(&c->look, row, BOOK_BY_NAME, c->in->stat.sort_locale, &v);
}

/* OXNSPI 3.1.4.1.7 */
ec_t nspi_GetProps(struct nspi_ctx *c)
{
    struct nspi_object o;
    struct nspi_values *out = &c->out->values;
    uint32_t *tag;
    bool      errors = false;
    c->out->code_page = c->in->stat.code_page;
    TRY(check_container(c));
    if (c->in->tags > TAGS_MAX)
        return EC(ecTableTooBig);
    TRY(nspi_object(c, c->in->stat.current, c->in->flags, &o));
    choose_tags(&o, &tag, &out->n);
    out->v = arena_array(c->a, struct propval, out->n);
    for (size_t i = 0; i < out->n; i++) {
        nspi_value(&o, tag[i], &out->v[i]);
        errors |= prop_type(out->v[i].tag) == PtypErrorCode;
    }
    c->out->has_values = true;
    TRY(nspi_failed(&o));
    return errors ? EC(ecErrorsReturned) : ecNone;
}

/* OXNSPI 3.1.4.1.13 */
ec_t nspi_DNToMId(struct nspi_ctx *c)
{
    c->out->has_mids = true;
    c->out->mids = c->in->names;
    c->out->mid = arena_array(c->a, uint32_t, c->in->names);
    for (size_t i = 0; i < c->in->names; i++) {
        struct entry e;
        ec_t ec = entry_by_dn(c->reader, c->a, arena_str(c->a, c->in->name[i]), &e);
        if (ec != ecNone && ec != ecNotFound)
            return ec;
        if (arena_over(c->a))
            return EC(ecOutOfMemory);
        if (ec == ecNone && (e.kind >= ENTRY_CONTAINER || book_exists(&c->look, e.row, NULL)))
            c->out->mid[i] = entry_mid(e.row);
    }
    return ecNone;
}
