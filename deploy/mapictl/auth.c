/* auth.c - mapictl auth: failed logins, lock-outs. */
#include "backend/directory/throttle.h"
#include "deploy/mapictl/ctl.h"

static struct throttle *throttle_of(struct ctl *c) { return throttle_new(c->config, ctl_session(c)->redis); }

int cmd_auth_list(struct ctl *c)
{
    struct throttle_entry *v = NULL;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    struct throttle *t = throttle_of(c);
    ec_t ec = throttle_list(t, c->a, &v, &n);
    throttle_free(t);
    if (ec != ecNone)
        return ctl_fail(c, "auth", "Redis does not answer");
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "login", *v[i].login != '\0' ? v[i].login : "*", "address", *v[i].addr != '\0' ? v[i].addr : "*",
                                              "failures", (json_int_t)v[i].failures, "guesses", (json_int_t)v[i].guesses, "locked_s", (json_int_t)v[i].locked_s));
    return ctl_table(c, "login address failures guesses locked_s", list);
}

int cmd_auth_unlock(struct ctl *c)
{
    const char *addr = ctl_option(c, "--address");
    if (c->argc != (addr == NULL))
        return ctl_usage(c);
    const char *name = addr != NULL ? addr : directory_login_name(ctl_directory(c), c->a, c->argv[0]);
    if (name == NULL)
        return ctl_fail(c, c->argv[0], "no such name is possible");
    struct throttle *t = throttle_of(c);
    ec_t ec = addr != NULL ? throttle_unlock_address(t, c->a, name) : throttle_unlock_user(t, c->a, name);
    throttle_free(t);
    if (ec != ecNone)
        return ctl_fail(c, name, ec == ecNotFound ? "nothing is counted" : "Redis does not answer");
    return ctl_show(c, json_pack("{s:s, s:b}", addr != NULL ? "address" : "login", name, "unlocked", 1));
}
