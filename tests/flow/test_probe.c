/* test_probe.c - mapictl probe against a real installation: all steps, their report, what it says when something is broken; nothing of it stays in the mailbox. */
#include "tests/flow/ctl.h"
#include "tests/flow/walk.h"
#include "backend/base/filetime.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const enum special_folder SCRATCH = SF_SPOOLER_QUEUE; /* where the probe keeps its message */

/* --- running it ---------------------------------------------------------------------------------------------------------------------------- */

static FILE *start(struct stack *st, struct arena *a, const char *arguments, const char *password)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    FILE *f = popen(arena_printf(a, "printf '%%s' '%s' | %s/mapictl --config %s/a.conf probe %s --password-stdin 2>&1", password, self, st->dir, arguments), "r");
    REQUIRE(f != NULL);
    return f;
}

static const char *rest(struct arena *a, FILE *f, int *rc)
{
    char *text = arena_alloc(a, 1 << 16);
    text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
    int status = pclose(f);
    *rc = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return text;
}

static json_t *probe(struct stack *st, struct arena *a, const char *arguments, const char *password, int *rc)
{
    const char *text = rest(a, start(st, a, arena_printf(a, "%s --json", arguments), password), rc);
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

static void expect(json_t *o, const char *name, const char *result, const char *words, const char *file, int line)
{
    json_t *s = step(o, name);
    if (unit_check(s != NULL, file, line, "there is no step %s", name))
        unit_check(strcmp(field(s, "result"), result) == 0 && strstr(field(s, "detail"), words) != NULL, file, line, "%s: %s: %s", name, field(s, "result"), field(s, "detail"));
}
#define STEP_IS(o, name, result, words) expect((o), (name), (result), (words), __FILE__, __LINE__)

/* It failed, and says so in the fields of the report. */
static void check_failed(json_t *o, int rc, const char *error, int line)
{
    unit_int(rc, 3, "exit code", __FILE__, line);
    unit_check(strcmp(field(o, "Result"), "Failed") == 0 && json_is_false(json_object_get(o, "ok")), __FILE__, line, "Result is %s", field(o, "Result"));
    unit_check(strncmp(field(o, "Error"), error, strlen(error)) == 0, __FILE__, line, "Error is %s", field(o, "Error"));
}
#define FAILED(o, rc, error) check_failed((o), (rc), (error), __LINE__)

static unsigned left_over(struct stack *st) { return walk_count(st, &st->ana, SCRATCH, NULL); }

static const char *url(struct stack *st) { return arena_printf(st->a, "http://127.0.0.1:%u", st->port); }
static const char *ana(struct stack *st, const char *more) { return arena_printf(st->a, "ana --url %s --pause 0 %s", url(st), more); }

/* --- good ------------------------------------------------------------------------------------------------------------------------------------ */

static const char *const all_steps[] = { "Autodiscover", "Connect", "Logon", "Inbox page", "NotificationWait", "Begin a message", "Pause", "Resume", "Finish the message",
                                         "NSPI Bind", "NSPI ResolveNames", "NSPI GetProps", "Offline address book", "NSPI Unbind", "Clean up", "Disconnect" };
enum { ALL_STEPS = sizeof all_steps / sizeof all_steps[0] };

static void check_good(json_t *o, int rc)
{
    CHECK_INT(rc, 0);
    CHECK(json_is_true(json_object_get(o, "ok")));
    CHECK_STR(field(o, "Result"), "Succeeded");
    CHECK_STR(field(o, "Error"), "");
    CHECK_STR(field(o, "Exception"), "");
    CHECK_INT(json_array_size(json_object_get(o, "steps")), ALL_STEPS);
    for (size_t i = 0; i < ALL_STEPS; i++) {
        STEP_IS(o, all_steps[i], "ok", "");
        CHECK(json_is_real(json_object_get(step(o, all_steps[i]), "ms")));
    }
}

TEST_LIMIT(all_steps_and_the_report, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .config = "offline_address_book_interval = 0\n" });
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    walk_fill(st, &st->ana, SF_INBOX, "mail", 120);
    json_t *o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    check_good(o, rc);
    STEP_IS(o, "Offline address book", "ok", "not there yet");
    json_decref(o);
    ctl_must(st, "offline make");
    o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    check_good(o, rc);
    STEP_IS(o, "Offline address book", "ok", "generation 1, ");
    CHECK_STR(field(o, "MonitorIdentity"), "OutlookMapiHttp.Protocol\\OutlookMapiHttpSelfTestProbe");
    CHECK_INT(strlen(field(o, "StartTime")), 24);
    CHECK(strcmp(field(o, "StartTime"), field(o, "EndTime")) <= 0);
    STEP_IS(o, "Inbox page", "ok", "120 messages, 50 rows read");
    STEP_IS(o, "NotificationWait", "ok", "after the change");
    STEP_IS(o, "Resume", "ok", "cursor at row 50 of 120");
    STEP_IS(o, "NSPI ResolveNames", "ok", "ana@example.com is \"Ana Example\"");
    STEP_IS(o, "Clean up", "ok", "nothing of the probe is left");
    CHECK(*field(o, "WorkerBefore") != '\0' && *field(o, "WorkerAfter") != '\0' && strcmp(field(o, "WorkerBefore"), field(o, "WorkerAfter")) != 0);
    CHECK_INT(left_over(st), 0);
    CHECK_INT(walk_findings(st, &st->ana), 0);
    json_decref(o);
    const char *text = rest(a, start(st, a, ana(st, ""), "secret-ana"), &rc); /* for people */
    CHECK_INT(rc, 0);
    CHECK(strstr(text, "Result                 Succeeded\n") != NULL && strstr(text, "ok: the session works\n") != NULL);
    CHECK(strstr(text, "secret-ana") == NULL);
    stack_stop(st);
    arena_free(a);
}

/* The user of another server: nothing is taken from the directory here but what Autodiscover says.  Only one worker there: told, not a fault. */
TEST_LIMIT(a_remote_server, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct arena *a = arena_new(SIZE_MAX);
    ctl_must(st, "offline make");
    const char *conf = arena_printf(a, "%s/elsewhere.conf", st->dir);
    FILE *f = fopen(conf, "w");
    REQUIRE(f != NULL);
    fprintf(f, "directory = %s/elsewhere.db\nsession_secret = %s/secret\n", st->dir, st->dir);
    fclose(f);
    REQUIRE(rename(conf, arena_printf(a, "%s/a.conf", st->dir)) == 0); /* mapictl's; the workers run already */
    int rc;
    json_t *o = probe(st, a, arena_printf(a, "bob@example.com --url %s --pause 0", url(st)), "secret-bob", &rc);
    check_good(o, rc);
    STEP_IS(o, "Resume", "ok", "before and after");
    CHECK(access(arena_printf(a, "%s/elsewhere.db", st->dir), F_OK) != 0); /* looking does not make a directory */
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* What the probe finds of earlier ones: those of an hour ago go, others may be at work. */
TEST_LIMIT(left_overs_of_others, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk w;
    uint32_t folder, message;
    uint16_t problems;
    uint64_t mid;
    int rc;
    const char *fresh = arena_printf(a, "mapictl probe 12345678-%ld", (long)time(NULL) - 60);
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SCRATCH], &folder));
    for (int i = 0; i < 3; i++) { /* another program's, a probe's of just now, a probe's of long ago */
        struct props set = { 0 };
        props_set(w.a, &set, pv_str(PidTagMessageClass, i == 0 ? "IPM.Note" : "IPM.Note.Mapictl.Probe"));
        props_set(w.a, &set, pv_str(PidTagSubject, i == 0 ? "mapictl probe 1-1" : i == 1 ? fresh : "mapictl probe 12345678-1000000000"));
        MUST_STEP(&w, step_create_message(&w.s, folder, w.s.fid[SCRATCH], &message));
        MUST_STEP(&w, step_set_props(&w.s, message, &set, &problems));
        MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));
    }
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    json_t *o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    check_good(o, rc);
    CHECK_INT(walk_count(st, &st->ana, SCRATCH, "mapictl probe 1-1"), 1);
    CHECK_INT(walk_count(st, &st->ana, SCRATCH, fresh), 1);
    CHECK_INT(left_over(st), 2);
    STEP_IS(o, "Clean up", "ok", "1 left-over message removed");
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* --- a worker ends, Redis ends, in the middle -------------------------------------------------------------------------------------------------- */

TEST_LIMIT(a_worker_is_killed_by_the_probe, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    for (unsigned i = 0; i < 2; i++) {
        FILE *f = fopen(arena_printf(a, "%s/%s.pid", st->dir, stack_route[i]), "w");
        REQUIRE(f != NULL);
        fprintf(f, "%d\n", (int)st->worker[i]);
        fclose(f);
    }
    json_t *o = probe(st, a, ana(st, arena_printf(a, "--kill %s", st->dir)), "secret-ana", &rc);
    unit_check(rc == 0, __FILE__, __LINE__, "exit %d: %s: %s", rc, field(o, "Error"), field(o, "Exception"));
    STEP_IS(o, "Kill the worker", "ok", "is gone");
    CHECK(strcmp(field(o, "WorkerBefore"), field(o, "WorkerAfter")) != 0);
    STEP_IS(o, "Finish the message", "ok", "read back");
    CHECK_INT(left_over(st), 0);
    CHECK_INT(stack_worker_ended(st, 0) + stack_worker_ended(st, 1), 1);
    json_decref(o);
    o = probe(st, a, ana(st, "--kill /nonexistent"), "secret-ana", &rc);
    FAILED(o, rc, "Kill the worker: no process by /nonexistent/");
    STEP_IS(o, "Resume", "skipped", "");
    STEP_IS(o, "NSPI GetProps", "ok", "ana@example.com");
    STEP_IS(o, "Disconnect", "ok", "");
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* Reads until the step was told. */
static void read_to(FILE *f, const char *title)
{
    char line[1024];
    while (fgets(line, sizeof line, f) != NULL)
        if (strstr(line, title) != NULL)
            return;
    unit_check(false, __FILE__, __LINE__, "the probe ended before \"%s\"", title);
}

TEST_LIMIT(workers_are_killed_in_the_pause, 120)
{
    struct stack *st = stack_start(NULL);
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    FILE *f = start(st, a, arena_printf(a, "ana --url %s --pause 2", url(st)), "secret-ana");
    read_to(f, "Begin a message");
    for (unsigned i = 0; i < 3; i++)
        stack_kill(st, i, SIGKILL);
    const char *text = rest(a, f, &rc);
    unit_check(rc == 0 && strstr(text, "ok: the session works") != NULL, __FILE__, __LINE__, "%s", text);
    CHECK_INT(left_over(st), 0);
    stack_stop(st);
    arena_free(a);
}

TEST_LIMIT(redis_is_away, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "redis_timeout = 500\n" });
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    FILE *f = start(st, a, arena_printf(a, "ana --url %s --pause 2 --timeout 5", url(st)), "secret-ana");
    read_to(f, "Begin a message");
    stack_redis_stop(st);
    const char *text = rest(a, f, &rc);
    CHECK_INT(rc, 3);
    unit_check(strstr(text, "Error                  Resume: ") != NULL, __FILE__, __LINE__, "%s", text);
    CHECK(strstr(text, "FAILED\n") != NULL);
    CHECK_INT(left_over(st), 0);
    json_t *o = probe(st, a, ana(st, "--timeout 5"), "secret-ana", &rc);
    FAILED(o, rc, "Connect: ");
    CHECK(*field(o, "Exception") != '\0');
    STEP_IS(o, "Autodiscover", "ok", ""); /* which needs no session */
    STEP_IS(o, "Logon", "skipped", "");
    json_decref(o);
    CHECK_INT(left_over(st), 0);
    stack_redis_start(st);
    o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    check_good(o, rc);
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* --- refused ------------------------------------------------------------------------------------------------------------------------------------ */

TEST_LIMIT(refusals_are_named, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    json_t *o = probe(st, a, ana(st, ""), "wrong", &rc);
    FAILED(o, rc, "Autodiscover: HTTP 401: the login failed");
    STEP_IS(o, "Connect", "skipped", ""); /* one failed login, not one per step: nobody is locked out by it */
    STEP_IS(o, "NSPI Bind", "skipped", "");
    json_decref(o);
    ctl_must(st, "mailbox set ana --mapi-http-enabled false");
    o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: no mapiHttp block");
    STEP_IS(o, "Connect", "FAILED", "X-ResponseCode 16: MAPI over HTTP is switched off for this mailbox");
    STEP_IS(o, "NSPI Bind", "FAILED", "X-ResponseCode 16");
    json_decref(o);
    ctl_must(st, "mailbox set ana --mapi-http-enabled null");
    o = probe(st, a, "ana --url https://no..where", "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: no..where: DNS: ");
    json_decref(o);
    o = probe(st, a, arena_printf(a, "nobody@example.com --url %s", url(st)), "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: HTTP 401");
    json_decref(o);
    o = probe(st, a, ana(st, ""), "secret-ana", &rc); /* with a local directory --url counts, whatever is set */
    check_good(o, rc);
    json_decref(o);
    stack_kill(st, 0, SIGKILL);
    o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: HTTP 502: nginx reaches no worker");
    STEP_IS(o, "Connect", "FAILED", "X-ResponseCode 18");
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* Without --url: where the virtual directory says. */
TEST_LIMIT(urls_of_the_virtual_directory, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct arena *a = arena_new(SIZE_MAX);
    int rc;
    json_t *o = probe(st, a, "ana", "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: no URL to ask");
    STEP_IS(o, "Connect", "skipped", "");
    json_decref(o);
    ctl_must(st, arena_printf(a, "vdir set --internal-url https://127.0.0.1:%u/mapi", stack_free_port()));
    o = probe(st, a, "ana", "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: 127.0.0.1 port ");
    CHECK(strstr(field(o, "Error"), "Connection refused") != NULL);
    json_decref(o);
    o = probe(st, a, ana(st, ""), "secret-ana", &rc);
    check_good(o, rc);
    STEP_IS(o, "Autodiscover", "ok", "internal https://127.0.0.1:");
    STEP_IS(o, "Connect", "ok", url(st));
    json_decref(o);
    static const char *const bad[] = { "ana --url ftp://x", "ana --url http://192.0.2.1", "ana --url https://", "ana --url https://x:99999", "ana --url https://x:1y",
                                       "ana --timeout 0", "ana --timeout 1x", "ana --pause -1", "ana --timeout 601" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *text = rest(a, start(st, a, bad[i], "secret-ana"), &rc);
        unit_check(rc == 1 && strncmp(text, "mapictl: ", 9) == 0, __FILE__, __LINE__, "%s: %d: %s", bad[i], rc, text);
    }
    stack_stop(st);
    arena_free(a);
}

/* --- TLS, and servers that are none -------------------------------------------------------------------------------------------------------------- */

TEST_LIMIT(certificates, 120)
{
    unsigned port = stack_free_port();
    struct arena *a = arena_new(SIZE_MAX);
    const char *dir = unit_tmpdir();
    REQUIRE(system(arena_printf(a, "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
                                   "-keyout tls.key -out tls.crt 2>/dev/null", dir)) == 0);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .nginx = arena_printf(a,
        "server { listen 127.0.0.1:%1$u ssl; ssl_certificate %2$s/tls.crt; ssl_certificate_key %2$s/tls.key; set $mapi_side internal; include locations.conf; }", port, dir) });
    int rc;
    json_t *o = probe(st, a, arena_printf(a, "ana --pause 0 --url https://localhost:%u --ca %s/tls.crt", port, dir), "secret-ana", &rc);
    check_good(o, rc);
    json_decref(o);
    ctl_must(st, arena_printf(a, "vdir set --internal-url https://localhost:%u/mapi", port));
    o = probe(st, a, arena_printf(a, "ana --pause 0 --ca %s/tls.crt", dir), "secret-ana", &rc); /* all of it by Autodiscover */
    check_good(o, rc);
    json_decref(o);
    o = probe(st, a, arena_printf(a, "ana --url https://localhost:%u", port), "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: localhost port ");
    CHECK(strstr(field(o, "Error"), "TLS: certificate: self-signed certificate") != NULL);
    json_decref(o);
    o = probe(st, a, arena_printf(a, "ana --url https://127.0.0.1:%u --ca %s/tls.crt", port, dir), "secret-ana", &rc);
    FAILED(o, rc, "Autodiscover: 127.0.0.1 port ");
    CHECK(strstr(field(o, "Error"), "TLS: certificate: IP address mismatch") != NULL);
    json_decref(o);
    o = probe(st, a, arena_printf(a, "ana --url https://localhost:%u --ca /nonexistent", port), "secret-ana", &rc);
    CHECK(strstr(field(o, "Error"), "the CA certificates cannot be read") != NULL);
    json_decref(o);
    o = probe(st, a, arena_printf(a, "ana --url https://localhost:%u --ca %s/tls.crt", st->port, dir), "secret-ana", &rc); /* no TLS there */
    FAILED(o, rc, "Autodiscover: localhost port ");
    CHECK(strstr(field(o, "Error"), "TLS: ") != NULL);
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

/* A server that accepts and says nothing, or a byte now and then. */
static pid_t silent(unsigned *port, bool drips)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0 && listen(fd, 16) == 0);
    *port = ntohs(at.sin_port);
    pid_t pid = fork();
    if (pid != 0) {
        close(fd);
        return pid;
    }
    signal(SIGPIPE, SIG_IGN);
    alarm(60);
    for (;;) {
        int c = accept(fd, NULL, NULL);
        for (int i = 0; drips && i < 600 && send(c, "H", 1, MSG_NOSIGNAL) == 1; i++)
            usleep(100000);
    }
}

TEST_LIMIT(no_step_hangs, 60)
{
    struct stack *st = stack_shared();
    struct arena *a = arena_new(SIZE_MAX);
    for (int drips = 0; drips < 2; drips++)
        for (int secure = 0; secure < 2; secure++) {
            unsigned port;
            int rc;
            pid_t pid = silent(&port, drips != 0);
            uint64_t begun = clock_ms();
            json_t *o = probe(st, a, arena_printf(a, "remote@elsewhere.example --timeout 1 --url http%s://127.0.0.1:%u", secure ? "s" : "", port), "pw", &rc);
            uint64_t ms = clock_ms() - begun;
            CHECK_INT(rc, 3);
            CHECK(strncmp(field(o, "Error"), "Autodiscover: ", 14) == 0);
            unit_check(ms < 3500, __FILE__, __LINE__, "it took %llu ms: %s", (unsigned long long)ms, field(o, "Error"));
            json_decref(o);
            stack_end(&pid, SIGKILL);
        }
    arena_free(a);
}
