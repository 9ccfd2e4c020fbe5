/* vdir.c - mapictl vdir and moved: where clients reach the endpoints, how they log in there, and where those go whose mailbox is elsewhere. */
#include "backend/directory/policy.h"
#include "deploy/mapictl/ctl.h"
#include <strings.h>

static const struct { const char *name; enum auth_method method; } methods[] = {
    { "basic", METHOD_BASIC }, { "negotiate", METHOD_NEGOTIATE }, { "oauth", METHOD_OAUTH }, { "certificate", METHOD_CERTIFICATE },
};
enum { METHODS = sizeof methods / sizeof methods[0] };

/* --- methods as "basic,oauth" ------------------------------------------------------------------------------------------------------------------ */

static json_t *methods_json(struct ctl *c, unsigned m)
{
    json_t *list = json_array();
    const char *line = "";
    for (size_t i = 0; i < METHODS; i++)
        if (m & methods[i].method) {
            json_array_append_new(list, json_string(methods[i].name));
            line = arena_printf(c->a, "%s%s%s", line, *line != '\0' ? "," : "", methods[i].name);
        }
    if (c->json)
        return list;
    json_decref(list);
    return json_string(line);
}

static unsigned method_of(const char *word, size_t n)
{
    for (size_t i = 0; i < METHODS; i++)
        if (strlen(methods[i].name) == n && strncasecmp(methods[i].name, word, n) == 0)
            return methods[i].method;
    return 0;
}

static bool read_methods(struct ctl *c, const char *option, unsigned *out)
{
    const char *v = ctl_option(c, option);
    unsigned sum = 0;
    if (v == NULL)
        return true;
    for (const char *p = v; *p != '\0'; p += *p == ',') {
        size_t n = strcspn(p, ",");
        unsigned one = method_of(p, n);
        if (one == 0) {
            sum = 0;
            break;
        }
        sum |= one;
        p += n;
    }
    if (sum == 0)
        ctl_fail(c, option, arena_printf(c->a, "\"%s\" is not a list of: basic negotiate oauth certificate", v));
    else
        *out = sum;
    return sum != 0;
}

static void read_url(const struct ctl *c, const char *option, const char **out)
{
    const char *v = ctl_option(c, option);
    if (v != NULL)
        *out = strcasecmp(v, "none") == 0 ? "" : v;
}

/* --- the virtual directory ------------------------------------------------------------------------------------------------------------------------ */

static json_t *url_json(const char *url) { return *url != '\0' ? json_string(url) : json_null(); }

static int show(struct ctl *c)
{
    struct vdir v;
    ec_t ec = vdir_get(ctl_directory(c), c->a, &v);
    if (ec != ecNone)
        return ctl_ec(c, "directory", ec);
    return ctl_show(c, json_pack("{s:o, s:o, s:o, s:o}", "internal_url", url_json(v.internal_url), "external_url", url_json(v.external_url),
                                 "internal_methods", methods_json(c, v.internal_methods), "external_methods", methods_json(c, v.external_methods)));
}

int cmd_vdir_get_(struct ctl *c) { return c->argc != 0 ? ctl_usage(c) : show(c); }

int cmd_vdir_set_(struct ctl *c)
{
    struct vdir v;
    if (c->argc != 0 || c->options == 0)
        return ctl_usage(c);
    ec_t ec = vdir_get(ctl_directory(c), c->a, &v);
    if (ec != ecNone)
        return ctl_ec(c, "directory", ec);
    read_url(c, "--internal-url", &v.internal_url);
    read_url(c, "--external-url", &v.external_url);
    if (!read_methods(c, "--internal-methods", &v.internal_methods) || !read_methods(c, "--external-methods", &v.external_methods))
        return CTL_FAILED;
    ec = vdir_set(ctl_directory(c), &v);
    if (ec == ecInvalidParameter)
        return ctl_fail(c, "vdir", "an URL is https://host[:port]/path without query, for instance https://mail.example.com/mapi, or none");
    return ec == ecNone ? show(c) : ctl_ec(c, "vdir", ec);
}

/* --- moved ------------------------------------------------------------------------------------------------------------------------------------------- */

int cmd_moved_list_(struct ctl *c)
{
    struct moved *v;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = moved_list(ctl_directory(c), c->a, &v, &n);
    if (ec != ecNone)
        return ctl_ec(c, "directory", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "name", v[i].name, "url", url_json(v[i].url), "address", url_json(v[i].address)));
    return ctl_table(c, "name url address", list);
}

int cmd_moved_set_(struct ctl *c)
{
    struct moved m = { .url = "", .address = "" };
    if (c->argc != 1 || c->options != 1)
        return ctl_usage(c);
    m.name = c->argv[0];
    m.url = ctl_option(c, "--url") != NULL ? ctl_option(c, "--url") : "";
    m.address = ctl_option(c, "--address") != NULL ? ctl_option(c, "--address") : "";
    ec_t ec = moved_set(ctl_directory(c), &m);
    if (ec == ecInvalidParameter)
        return ctl_fail(c, m.name, "a domain goes to an https URL or to another domain, an address to an https URL or to another address");
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:o, s:o}", "name", m.name, "url", url_json(m.url), "address", url_json(m.address)))
                        : ctl_ec(c, m.name, ec);
}

int cmd_moved_remove(struct ctl *c)
{
    if (c->argc != 1)
        return ctl_usage(c);
    ec_t ec = moved_drop(ctl_directory(c), c->argv[0]);
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:b}", "name", c->argv[0], "removed", 1)) : ctl_ec(c, c->argv[0], ec);
}
