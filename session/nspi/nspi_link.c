/* nspi_link.c - whom the links of an object lead to, as far as the client may see them; who owns a group. */
#include "session/nspi/nspi_row.h"

ec_t nspi_owns(struct nspi_ctx *c, int64_t group, bool *yes)
{
    int64_t *owner;
    size_t   n = 0;
    *yes = false;
    TRY(link_list(c->reader, c->a, LINK_OWNER, group, false, &owner, &n));
    for (size_t i = 0; i < n && !*yes; i++) {
        *yes = owner[i] == c->who->row;
        if (!*yes)
            TRY(link_has(c->reader, LINK_MEMBER, owner[i], c->who->row, yes));
    }
    return ecNone;
}

/* Who is in a group that hides its members is between it and its owners: it has none, and nobody is in it. */
ec_t nspi_hides(struct nspi_ctx *c, int64_t group, bool *yes)
{
    struct entry e;
    ec_t ec = entry_brief(c->reader, c->a, group, &e);
    *yes = false;
    if (ec != ecNone)
        return ec == ecNotFound ? ecNone : ec;
    const struct propval *v = props_find(&e.props, PidTagAddressBookHideDLMembership);
    if (v == NULL || !v->v.b)
        return ecNone;
    TRY(nspi_owns(c, group, yes));
    *yes = !*yes;
    return ecNone;
}

static ec_t seen(struct nspi_ctx *c, enum link_kind k, bool back, int64_t other, bool *yes)
{
    *yes = book_exists(&c->look, other, NULL);
    if (!*yes || k != LINK_MEMBER || !back)
        return ecNone;
    TRY(nspi_hides(c, other, yes));
    *yes = !*yes;
    return ecNone;
}

/* Departments are shown where the organization's hierarchy is not made of groups (MS-OXOABK 2.2.8). */
static ec_t of_groups(struct nspi_ctx *c, int64_t row, bool *yes)
{
    struct nspi_object o = { .c = c };
    ec_t ec = entry_brief(c->reader, c->a, row, &o.e);
    *yes = ec == ecNone && nspi_org_hierarchy(&o) == HIERARCHY_GROUPS;
    return ec == ecNotFound ? ecNone : ec != ecNone ? ec : nspi_failed(&o);
}

ec_t nspi_links(struct nspi_ctx *c, enum link_kind k, int64_t row, bool back, int64_t **out, size_t *n)
{
    bool   none = link_restricts(k); /* that somebody may not send to it is said, but not who (MS-OXOABK 2.2.4.42-2.2.4.45) */
    size_t all = 0;
    *n = 0;
    if (k == LINK_MEMBER && !back)
        TRY(nspi_hides(c, row, &none));
    if (k == LINK_PARENT || k == LINK_SHOWN_IN)
        TRY(of_groups(c, row, &none));
    if (none)
        return ecNone;
    TRY(link_list(c->reader, c->a, k, row, back, out, &all));
    for (size_t i = 0; i < all; i++) {
        bool yes = false;
        TRY(seen(c, k, back, (*out)[i], &yes));
        if (yes)
            (*out)[(*n)++] = (*out)[i];
    }
    return ecNone;
}
