/* readiness.c - mapictl readiness: is everything around the workers as they need it? */
#include "deploy/mapictl/readiness.h"
#include <stdio.h>

void readiness_say(struct readiness *r, enum verdict v, const char *what, const char *reason, const char *remedy)
{
    static const char *const words[] = { [GOOD] = "ok", [WARN] = "warn", [FAIL] = "fail" };
    r->count[v]++;
    json_array_append_new(r->lines, json_pack("{s:s, s:s, s:s, s:s}", "verdict", words[v], "check", what, "reason", reason, "remedy", remedy));
    if (r->c->json)
        return;
    printf("%-5s %-24s %s\n", words[v], what, reason);
    if (*remedy != '\0')
        printf("%-5s %-24s -> %s\n", "", "", remedy);
}

int cmd_readiness(struct ctl *c)
{
    struct readiness r = { .c = c, .a = c->a, .lines = json_array() };
    if (c->argc != 0)
        return ctl_usage(c);
    readiness_switches(&r);
    readiness_nginx(&r, ctl_option(c, "--nginx"));
    readiness_redis(&r);
    readiness_host(&r);
    bool ready = r.count[FAIL] == 0;
    if (c->json)
        ctl_show(c, json_pack("{s:b, s:i, s:i, s:o}", "ready", ready, "warnings", (int)r.count[WARN], "faults", (int)r.count[FAIL], "checks", r.lines));
    else {
        json_decref(r.lines);
        printf("%s: %u ok, %u warnings, %u faults\n", ready ? "ready" : "NOT READY", r.count[GOOD], r.count[WARN], r.count[FAIL]);
    }
    return ready ? CTL_OK : CTL_FAULT;
}
