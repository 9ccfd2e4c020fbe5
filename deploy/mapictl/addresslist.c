/* addresslist.c - mapictl addresslist: the lists that clients choose from in the address book, by filters. */
#include "backend/directory/book.h"
#include "backend/directory/filter.h"
#include "deploy/mapictl/ctl.h"
#include <strings.h>

static json_t *list_json(const struct container *l)
{
    return json_pack("{s:s, s:i, s:s, s:s}", "name", l->name, "depth", (int)l->depth, "filter", l->filter, "dn", l->dn);
}

int cmd_addresslist_list(struct ctl *c)
{
    struct container *v;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = container_list(ctl_directory(c), c->a, &v, &n);
    if (ec != ecNone)
        return ctl_ec(c, "address lists", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, list_json(&v[i]));
    return ctl_table(c, "depth name filter", list);
}

/* By its name, which may stand in several places only if the DN is given instead. */
static bool find(struct ctl *c, const char *name, struct container *out)
{
    struct container *v;
    size_t n, hits = 0;
    ec_t ec = container_list(ctl_directory(c), c->a, &v, &n);
    for (size_t i = 0; ec == ecNone && i < n; i++)
        if (strcasecmp(v[i].name, name) == 0 || strcasecmp(v[i].dn, name) == 0) {
            *out = v[i];
            hits++;
        }
    if (ec != ecNone)
        ctl_ec(c, name, ec);
    else if (hits != 1)
        ctl_fail(c, name, hits == 0 ? "no such address list" : "several lists have this name: give the DN");
    return hits == 1;
}

static bool sound(struct ctl *c, const char *filter)
{
    const char *why = NULL;
    if (filter_parse(c->a, filter, &why) != NULL)
        return true;
    ctl_fail(c, filter, why);
    return false;
}

int cmd_addresslist_add(struct ctl *c)
{
    const char *parent = ctl_option(c, "--parent"), *filter = ctl_option(c, "--filter");
    struct container l = { .filter = filter != NULL ? filter : "" }, up;
    if (c->argc != 1)
        return ctl_usage(c);
    l.name = c->argv[0];
    if (!sound(c, l.filter) || (parent != NULL && !find(c, parent, &up)))
        return CTL_FAILED;
    l.parent = parent != NULL ? up.row : 0;
    ec_t ec = container_add(ctl_directory(c), c->a, &l);
    if (ec != ecNone)
        return ctl_ec(c, l.name, ec);
    return find(c, l.dn, &l) ? ctl_show(c, list_json(&l)) : CTL_FAILED; /* with its place in the hierarchy */
}

int cmd_addresslist_set(struct ctl *c)
{
    const char *name = ctl_option(c, "--name"), *filter = ctl_option(c, "--filter");
    struct container l;
    if (c->argc != 1 || (name == NULL && filter == NULL))
        return ctl_usage(c);
    if (!find(c, c->argv[0], &l) || (filter != NULL && !sound(c, filter)))
        return CTL_FAILED;
    l.name = name != NULL ? name : l.name;
    l.filter = filter != NULL ? filter : l.filter;
    ec_t ec = container_set(ctl_directory(c), c->a, &l);
    return ec == ecNone ? ctl_show(c, list_json(&l)) : ctl_ec(c, c->argv[0], ec);
}

int cmd_addresslist_remove(struct ctl *c)
{
    struct container l;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!find(c, c->argv[0], &l))
        return CTL_FAILED;
    if (l.row == 0)
        return ctl_fail(c, l.name, "is always there");
    ec_t ec = container_remove(ctl_directory(c), l.row);
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:b}", "name", l.name, "removed", 1)) : ctl_ec(c, l.name, ec);
}
