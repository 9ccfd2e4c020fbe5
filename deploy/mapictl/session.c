/* session.c - mapictl session: what lives in Redis. */
#include "deploy/mapictl/ctl.h"
#include <stdio.h>

int cmd_session_list_(struct ctl *c)
{
    struct session_info *v;
    size_t n;
    if (c->argc != 0)
        return ctl_usage(c);
    ec_t ec = session_list(ctl_session(c), c->a, &v, &n);
    if (ec != ecNone)
        return ctl_fail(c, "sessions", "Redis does not answer");
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:i, s:i, s:b}", "session", v[i].digest, "user", v[i].user, "client",
                                              v[i].client != NULL ? v[i].client : "", "product", v[i].product, "idle_s", (json_int_t)(v[i].idle_ms / 1000), "expires_s",
                                              (json_int_t)(v[i].expires_ms / 1000), "sequence", (json_int_t)v[i].sequence, "objects", (int)v[i].handles,
                                              "bytes", (int)v[i].bytes, "busy", v[i].locked));
    return ctl_table(c, "session user sequence objects bytes expires_s busy client", list);
}

static void add_line(void *ctx, const char *text) { json_array_append_new(ctx, json_string(text)); }

int cmd_session_show_(struct ctl *c)
{
    if (c->argc != 1)
        return ctl_usage(c);
    json_t *lines = json_array(), *v;
    size_t i;
    ec_t ec = session_show(ctl_session(c), c->a, c->argv[0], add_line, lines);
    if (ec != ecNone) {
        json_decref(lines);
        return ec == ecNotFound ? ctl_fail(c, c->argv[0], "no such session") : ctl_fail(c, "sessions", "Redis does not answer");
    }
    if (c->json)
        return ctl_show(c, json_pack("{s:s, s:o}", "session", c->argv[0], "lines", lines));
    json_array_foreach(lines, i, v)
        printf("%s\n", json_string_value(v));
    json_decref(lines);
    return CTL_OK;
}

int cmd_session_end_(struct ctl *c)
{
    if (c->argc != 1)
        return ctl_usage(c);
    ec_t ec = session_end(ctl_session(c), c->a, c->argv[0]);
    if (ec != ecNone)
        return ec == ecNotFound ? ctl_fail(c, c->argv[0], "no such session") : ctl_fail(c, "sessions", "Redis does not answer");
    return ctl_show(c, json_pack("{s:s, s:b}", "session", c->argv[0], "ended", 1));
}
