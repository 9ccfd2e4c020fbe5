/* layout.c - mapictl layout: in which layout the workers of all hosts write sessions. */
#include "backend/directory/policy.h"
#include "deploy/mapictl/ctl.h"
#include <stdlib.h>

static int show(struct ctl *c)
{
    unsigned written;
    ec_t ec = policy_layout(ctl_directory(c), &written);
    if (ec != ecNone)
        return ctl_ec(c, "layout", ec);
    return ctl_show(c, json_pack("{s:i, s:i, s:b}", "written", (int)written, "newest_known", CONTEXT_LAYOUT, "can_be_raised", written < CONTEXT_LAYOUT));
}

int cmd_layout_show(struct ctl *c) { return c->argc != 0 ? ctl_usage(c) : show(c); }

/* A layout that this very program does not know would be written by nobody, and never taken back. */
int cmd_layout_raise(struct ctl *c)
{
    char *end = "";
    unsigned long to = c->argc == 1 ? strtoul(c->argv[0], &end, 10) : CONTEXT_LAYOUT;
    if (c->argc > 1 || *end != '\0' || to == 0)
        return ctl_usage(c);
    if (to > CONTEXT_LAYOUT)
        return ctl_fail(c, "layout", arena_printf(c->a, "this release knows layouts up to %d", CONTEXT_LAYOUT));
    ec_t ec = policy_layout_raise(ctl_directory(c), (unsigned)to);
    if (ec == ecInvalidParameter)
        return ctl_fail(c, "layout", "a layout is never lowered: older workers could not read the sessions that are there");
    return ec != ecNone ? ctl_ec(c, "layout", ec) : show(c);
}
