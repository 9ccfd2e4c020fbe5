/* test_probe.c - mapictl probe against a real installation: all steps, their report, and what it says when something is broken. */
#include "tests/flow/ctl.h"
#include "tests/flow/walk.h"
#include "backend/directory/policy.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static json_t *probe(struct stack *st, struct arena *a, const char *arguments, const char *password, int *rc)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    FILE *f = popen(arena_printf(a, "printf '%%s' '%s' | %s/mapictl --json --config %s/a.conf probe %s --password-stdin 2>/dev/null", password, self, st->dir, arguments), "r");
    REQUIRE(f != NULL);
    char *text = arena_alloc(a, 1 << 16);
    text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
    int status = pclose(f);
    *rc = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    json_t *o = json_loads(text, 0, NULL);
    if (o == NULL)
        fprintf(stderr, "probe said: %s\n", text);
    REQUIRE(o != NULL);
    return o;
}

static const char *field(json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static json_t *step(json_t *o, const char *name)
{
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(o, "steps"), i, s)
        if (strcmp(field(s, "step"), name) == 0)
            return s;
    return NULL;
}

TEST_LIMIT(all_steps_and_the_report, 120)
{
    static const char *const steps[] = { "Autodiscover", "Connect", "Logon", "Open Inbox", "Read 50 rows", "Register for notifications", "An event of our own",
                                         "NotificationWait ends by our event", "Collect it by Execute", "Pause without a connection", "Resume", "Next rows from the same cursor",
                                         "Save the message", "Read it back", "Bind to the address book", "Resolve the own address", "Unbind", "Disconnect" };
    struct stack *st = stack_start(NULL);
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    walk_fill(st, &st->ana, SF_INBOX, "mail", 120);
    json_t *o = probe(st, a, arena_printf(a, "ana --url http://127.0.0.1:%u --pause 0", st->port), "secret-ana", &rc);
    CHECK_INT(rc, 0);
    CHECK(json_is_true(json_object_get(o, "ok")));
    CHECK_STR(field(o, "MonitorIdentity"), "OutlookMapiHttp.Protocol\\OutlookMapiHttpSelfTestProbe");
    CHECK_STR(field(o, "Result"), "Succeeded");
    CHECK_STR(field(o, "Error"), "");
    CHECK_STR(field(o, "Exception"), "");
    CHECK_INT(strlen(field(o, "StartTime")), 20);
    CHECK(strcmp(field(o, "StartTime"), field(o, "EndTime")) <= 0);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        json_t *s = step(o, steps[i]);
        if (unit_check(s != NULL, __FILE__, __LINE__, "the step %s", steps[i]))
            unit_check(strcmp(field(s, "result"), "ok") == 0 && json_is_real(json_object_get(s, "ms")), __FILE__, __LINE__, "%s: %s %s", steps[i], field(s, "result"), field(s, "detail"));
    }
    json_t *resume = step(o, "Resume");
    CHECK(resume != NULL && strncmp(field(resume, "detail"), "on ", 3) == 0); /* another worker than before */
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "Probe event"), 0);          /* it leaves nothing behind */
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* The user of another server: nothing is taken from the directory here but what Autodiscover says. */
TEST_LIMIT(a_remote_server, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct arena *a = arena_new(SIZE_MAX);
    const char *conf = arena_printf(a, "%s/elsewhere.conf", st->dir);
    FILE *f = fopen(conf, "w");
    REQUIRE(f != NULL);
    fprintf(f, "directory = %s/elsewhere.db\nsession_secret = %s/secret\n", st->dir, st->dir);
    fclose(f);
    REQUIRE(rename(conf, arena_printf(a, "%s/a.conf", st->dir)) == 0); /* mapictl's; the workers run already */
    int rc;
    json_t *o = probe(st, a, arena_printf(a, "bob@example.com --url http://127.0.0.1:%u --pause 0", st->port), "secret-bob", &rc);
    CHECK_INT(rc, 0);
    CHECK_STR(field(o, "Result"), "Succeeded");
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

TEST_LIMIT(what_is_broken_is_named, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "redis_timeout = 500\n" });
    struct arena *a = arena_new(SIZE_MAX);
    const char *arguments = arena_printf(a, "ana --url http://127.0.0.1:%u --pause 0", st->port);
    int rc;
    json_t *o = probe(st, a, arguments, "wrong", &rc);
    CHECK_INT(rc, 3);
    CHECK_STR(field(o, "Result"), "Failed");
    CHECK_STR(field(o, "Error"), "Autodiscover: HTTP status 401");
    json_decref(o);
    REQUIRE_EC(mailbox_policy_set(st->directory, "ana@example.com", &(struct mailbox_policy){ .mapi_http = TRI_FALSE }), ecNone);
    o = probe(st, a, arguments, "secret-ana", &rc);
    CHECK_INT(rc, 3);
    CHECK(strstr(field(o, "Error"), "MAPI over HTTP is off") != NULL);
    json_decref(o);
    REQUIRE_EC(mailbox_policy_set(st->directory, "ana@example.com", &(struct mailbox_policy){ .mapi_http = TRI_NULL }), ecNone);
    stack_redis_stop(st);
    o = probe(st, a, arguments, "secret-ana", &rc);
    CHECK_INT(rc, 3);
    CHECK(strncmp(field(o, "Error"), "Connect: ", 9) == 0);
    CHECK(*field(o, "Exception") != '\0');
    json_decref(o);
    stack_kill(st, 0, SIGKILL);
    o = probe(st, a, arguments, "secret-ana", &rc);
    CHECK_INT(rc, 3);
    CHECK(strncmp(field(o, "Error"), "Autodiscover: ", 14) == 0);
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}
