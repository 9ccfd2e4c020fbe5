/* nspi_org.c - the organization that an object belongs to, and what its hierarchy is made of (MS-OXOABK 2.2.7, 2.2.8). */
#include "session/nspi/nspi_row.h"

/* The root of a hierarchy that is no organization's own. */
#define COMMON_ROOT "/o=FF46312B-D8AE-406C-B8E6-BC1A22A4C69E"

/* "/o=name": how a client that gets no property finds the organization, too. */
static bool organization(struct nspi_object *o, struct entry *e)
{
    const char *dn = o->e.dn;
    size_t n = 1 + strcspn(dn + (*dn == '/'), "/");
    return nspi_asked(o, entry_by_dn(o->c->reader, o->c->a, arena_str(o->c->a, blob_of(dn, n < strlen(dn) ? n : strlen(dn))), e))
        && e->kind == ENTRY_ORGANIZATION && book_exists(&o->c->look, e->row, NULL);
}

const char *nspi_org_dn(struct nspi_object *o)
{
    struct entry e;
    return organization(o, &e) ? e.dn : NULL;
}

static enum nspi_hierarchy of_kind(enum entry_kind k) { return k == ENTRY_DEPARTMENT ? HIERARCHY_DEPARTMENTS : HIERARCHY_GROUPS; }

enum nspi_hierarchy nspi_org_hierarchy(struct nspi_object *o)
{
    struct entry e;
    enum entry_kind k;
    int64_t *root;
    size_t   n = 0;
    if (organization(o, &e) && nspi_asked(o, link_list(o->c->reader, o->c->a, LINK_ROOT, e.row, false, &root, &n)) && n != 0 && book_exists(&o->c->look, root[0], &k))
        return of_kind(k);
    if (nspi_asked(o, entry_by_dn(o->c->reader, o->c->a, COMMON_ROOT, &e)) && book_exists(&o->c->look, e.row, &k))
        return of_kind(k);
    return HIERARCHY_NONE;
}
