/* policy.c - mapictl org and mailbox set/show: the switches, blocking from outside, and how long sessions are kept. */
#include "backend/directory/policy.h"
#include "deploy/mapictl/ctl.h"
#include <stdlib.h>
#include <strings.h>

/* --- values of options: false with a message ------------------------------------------------------------------------------------------------ */

static bool read_switch(struct ctl *c, const char *option, bool null_too, enum tristate *out)
{
    const char *v = ctl_option(c, option);
    if (v == NULL)
        return true;
    if (strcasecmp(v, "true") == 0)
        *out = TRI_TRUE;
    else if (strcasecmp(v, "false") == 0)
        *out = TRI_FALSE;
    else if (null_too && strcasecmp(v, "null") == 0)
        *out = TRI_NULL;
    else {
        ctl_fail(c, option, arena_printf(c->a, "\"%s\" is not one of: true false%s", v, null_too ? " null" : ""));
        return false;
    }
    return true;
}

static bool read_retention(struct ctl *c, uint64_t *out)
{
    const char *v = ctl_option(c, "--retention");
    char *end = NULL;
    if (v == NULL)
        return true;
    unsigned long long s = *v >= '0' && *v <= '9' ? strtoull(v, &end, 10) : 0;
    if (strcasecmp(v, "default") == 0)
        *out = 0;
    else if (end != NULL && *end == '\0' && s >= RETENTION_MIN_S && s <= RETENTION_MAX_S)
        *out = s;
    else {
        ctl_fail(c, "--retention", arena_printf(c->a, "\"%s\" is out of range: %d to %d seconds, or default", v, RETENTION_MIN_S, RETENTION_MAX_S));
        return false;
    }
    return true;
}

/* --- sessions of those for whom it is off now: they end at once, not only at their next request --------------------------------------------- */

static void close_session(void *p) { session_env_free(p); }

/* How many ended; null where Redis cannot be asked: then each ends at its next request. */
static json_t *end_sessions(struct ctl *c)
{
    const char *why = NULL;
    size_t ended;
    struct session_env *e = session_env_new(c->config, c->a, &why);
    if (e == NULL)
        return json_null();
    arena_defer(c->a, close_session, e);
    return session_end_disabled(e, c->a, &ended) == ecNone ? json_integer((json_int_t)ended) : json_null();
}

static json_t *seconds(uint64_t s) { return s != 0 ? json_integer((json_int_t)s) : json_null(); }
static json_t *tristate(enum tristate t) { return t == TRI_NULL ? json_null() : json_boolean(t == TRI_TRUE); }

/* --- organizations -------------------------------------------------------------------------------------------------------------------------- */

/* A list for programs, one line for people. */
static json_t *domains(struct ctl *c, const struct org *o)
{
    json_t *list = json_array();
    const char *line = "";
    for (size_t i = 0; i < o->domains; i++) {
        json_array_append_new(list, json_string(o->domain[i]));
        line = arena_printf(c->a, "%s%s%s", line, i != 0 ? " " : "", o->domain[i]);
    }
    if (c->json)
        return list;
    json_decref(list);
    return json_string(line);
}

static json_t *org_json(struct ctl *c, const struct org *o)
{
    return json_pack("{s:s, s:b, s:o, s:I, s:o}", "organization", o->name, "mapi_http_enabled", o->mapi_http, "retention_s", seconds(o->retention_s),
                     "effective_retention_s", (json_int_t)(o->retention_s != 0 ? o->retention_s : c->config->session_retention), "domains", domains(c, o));
}

int cmd_org_list_(struct ctl *c)
{
    struct org *v;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = org_list(ctl_directory(c), c->a, &v, &n);
    if (ec != ecNone)
        return ctl_ec(c, "directory", ec);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, org_json(c, &v[i]));
    return ctl_table(c, "organization mapi_http_enabled effective_retention_s domains", list);
}

/* The one named by the only argument, or the configuration's. */
static bool org_named(struct ctl *c, struct org *out)
{
    const char *name = c->argc != 0 ? c->argv[0] : c->config->organization;
    ec_t ec = org_get(ctl_directory(c), c->a, name, out);
    if (ec == ecNotFound)
        ctl_fail(c, name, "no such organization");
    else if (ec != ecNone)
        ctl_ec(c, name, ec);
    return ec == ecNone;
}

int cmd_org_show(struct ctl *c)
{
    struct org o;
    if (c->argc > 1)
        return ctl_usage(c);
    return org_named(c, &o) ? ctl_show(c, org_json(c, &o)) : CTL_FAILED;
}

static int add_domain(struct ctl *c, const char *name)
{
    const char *domain = ctl_option(c, "--domain"), *gone = ctl_option(c, "--remove-domain");
    ec_t ec = domain != NULL ? org_add_domain(ctl_directory(c), name, domain) : ecNone;
    if (ec == ecCollidingNames)
        return ctl_fail(c, domain, "belongs to an organization already");
    if (ec != ecNone)
        return ctl_ec(c, domain, ec);
    ec = gone != NULL ? org_drop_domain(ctl_directory(c), name, gone) : ecNone;
    return ec == ecNone ? CTL_OK : ec == ecNotFound ? ctl_fail(c, gone, "is not a domain of this organization") : ctl_ec(c, gone, ec);
}

int cmd_org_add_(struct ctl *c)
{
    struct org o;
    if (c->argc != 1)
        return ctl_usage(c);
    ec_t ec = org_add(ctl_directory(c), c->argv[0]);
    if (ec != ecNone)
        return ctl_ec(c, c->argv[0], ec);
    if (add_domain(c, c->argv[0]) != CTL_OK)
        return CTL_FAILED;
    return org_named(c, &o) ? ctl_show(c, org_json(c, &o)) : CTL_FAILED;
}

int cmd_org_set(struct ctl *c)
{
    struct org o;
    enum tristate on = TRI_NULL;
    uint64_t retention = UINT64_MAX;
    if (c->argc > 1 || c->options == 0)
        return ctl_usage(c);
    if (!read_switch(c, "--mapi-http-enabled", false, &on) || !read_retention(c, &retention) || !org_named(c, &o))
        return CTL_FAILED;
    ec_t ec = on != TRI_NULL ? org_set_mapi_http(ctl_directory(c), o.name, on == TRI_TRUE) : ecNone;
    if (ec == ecNone && retention != UINT64_MAX)
        ec = org_set_retention(ctl_directory(c), o.name, retention);
    if (ec != ecNone)
        return ctl_ec(c, o.name, ec);
    if (add_domain(c, o.name) != CTL_OK || !org_named(c, &o))
        return CTL_FAILED;
    json_t *out = org_json(c, &o);
    if (on == TRI_FALSE)
        json_object_set_new(out, "sessions_ended", end_sessions(c));
    return ctl_show(c, out);
}

/* --- mailboxes ------------------------------------------------------------------------------------------------------------------------------ */

static int show_mailbox(struct ctl *c, const struct person *p, bool switched_off)
{
    struct mailbox_policy own;
    struct policy all;
    char guid[GUID_TEXT];
    ec_t ec = mailbox_policy_get(ctl_directory(c), p->login, &own);
    if (ec == ecNone)
        ec = policy_of(ctl_directory(c), c->a, p, &all);
    if (ec != ecNone)
        return ctl_ec(c, p->login, ec);
    json_t *out = json_pack("{s:s, s:o, s:s, s:o, s:b, s:b, s:o, s:I}", "login", p->login, "mailbox",
                            p->has_mailbox ? json_string(guid_text(&p->mailbox, guid)) : json_null(), "organization", all.organization,
                            "mapi_http_enabled", tristate(own.mapi_http), "effective_mapi_http_enabled", all.mapi_http, "block_external",
                            all.block_external, "retention_s", seconds(own.retention_s), "effective_retention_s",
                            (json_int_t)(all.retention_s != 0 ? all.retention_s : c->config->session_retention));
    if (switched_off && !all.mapi_http)
        json_object_set_new(out, "sessions_ended", end_sessions(c));
    return ctl_show(c, out);
}

int cmd_mailbox_show(struct ctl *c)
{
    struct person p;
    if (c->argc != 1)
        return ctl_usage(c);
    return ctl_person(c, c->argv[0], &p) ? show_mailbox(c, &p, false) : CTL_FAILED;
}

int cmd_mailbox_set(struct ctl *c)
{
    struct person p;
    struct mailbox_policy m;
    if (c->argc != 1 || c->options == 0)
        return ctl_usage(c);
    if (!ctl_person(c, c->argv[0], &p))
        return CTL_FAILED;
    ec_t ec = mailbox_policy_get(ctl_directory(c), p.login, &m);
    if (ec != ecNone)
        return ctl_ec(c, p.login, ec);
    enum tristate block = m.block_external ? TRI_TRUE : TRI_FALSE;
    if (!read_switch(c, "--mapi-http-enabled", true, &m.mapi_http) || !read_switch(c, "--block-external", false, &block) ||
        !read_retention(c, &m.retention_s))
        return CTL_FAILED;
    m.block_external = block == TRI_TRUE;
    ec = mailbox_policy_set(ctl_directory(c), p.login, &m);
    return ec == ecNone ? show_mailbox(c, &p, ctl_option(c, "--mapi-http-enabled") != NULL) : ctl_ec(c, p.login, ec);
}
