/* ctl.c - mapictl as a child process, its output as text or JSON. */
#include "tests/flow/ctl.h"
#include "tests/unit.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct ctl_run ctl_run(struct stack *st, const char *arguments)
{
    char self[400], text[65536];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    FILE *p = popen(arena_printf(st->a, "%s/mapictl --config %s/a.conf %s 2>&1 </dev/null", self, st->dir, arguments), "r");
    REQUIRE(p != NULL);
    size_t got = fread(text, 1, sizeof text, p);
    int status = pclose(p);
    return (struct ctl_run){ WIFEXITED(status) ? WEXITSTATUS(status) : -1, arena_str(st->a, blob_of(text, got)) };
}

json_t *ctl_json(struct stack *st, const char *arguments, int rc)
{
    struct ctl_run r = ctl_run(st, arena_printf(st->a, "%s --json", arguments));
    unit_check(r.rc == rc, __FILE__, __LINE__, "%s: exit %d, not %d: %.300s", arguments, r.rc, rc, r.text);
    json_t *j = json_loads(r.text, 0, NULL);
    unit_check(j != NULL, __FILE__, __LINE__, "%s: no JSON: %.300s", arguments, r.text);
    return j;
}

void ctl_must(struct stack *st, const char *arguments)
{
    struct ctl_run r = ctl_run(st, arguments);
    if (!unit_check(r.rc == 0, __FILE__, __LINE__, "mapictl %s: exit %d: %.300s", arguments, r.rc, r.text))
        unit_leave();
}
