/* test_worker.c - the worker process: options, health, logs, draining, and the shipped nginx configuration with TLS. */
#include "backend/base/filetime.h"
#include "tests/flow/walk.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t nothing[1];

/* --- command line -------------------------------------------------------------------------------------------------- */

static const char *program(struct arena *a)
{
    const char *p = getenv("MAPIHTTPD");
    if (p != NULL)
        return p;
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    return arena_printf(a, "%s/mapihttpd", self);
}

/* Output (both streams) and exit code of a run with arguments. */
static int run(struct arena *a, const char *arguments, const char **text)
{
    FILE *f = popen(arena_printf(a, "%s %s 2>&1", program(a), arguments), "r");
    REQUIRE(f != NULL);
    char *out = arena_alloc(a, 65536);
    out[fread(out, 1, 65535, f)] = '\0';
    *text = out;
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(options)
{
    const char *text;
    struct arena *a = arena_new(SIZE_MAX);
    CHECK_INT(run(a, "--version", &text), 0);
    CHECK(strncmp(text, "mapihttpd ", 10) == 0);
    CHECK_INT(run(a, "--help", &text), 0);
    CHECK(strstr(text, "--print-config") != NULL);
    CHECK_INT(run(a, "--print-config", &text), 0);
    CHECK(strstr(text, "\npending_period = 30000\n") != NULL);
    CHECK_INT(run(a, "--nonsense", &text), 2);
    CHECK_INT(run(a, "more", &text), 2);
    CHECK(strstr(text, "unexpected argument \"more\"") != NULL);
    CHECK_INT(run(a, "--config", &text), 2);
    CHECK_INT(run(a, "--config /nonexistent.conf", &text), 1);
    CHECK(strstr(text, "mapihttpd: /nonexistent.conf: No such file or directory") != NULL);
    CHECK_INT(run(a, "--print-config >/dev/full", &text), 1);
    arena_free(a);
}

TEST(configurations_that_cannot_work)
{
    const char *text;
    struct arena *a = arena_new(SIZE_MAX);
    const char *path = arena_printf(a, "%s/bad.conf", unit_tmpdir());
    static const struct { const char *line, *words; } bad[] = {
        { "threads = none", "bad.conf:1: threads: \"none\" is not a number" },
        { "log = /nonexistent/dir/log", "log /nonexistent/dir/log: No such file" },
        { "access_log = /nonexistent/dir/log", "access_log /nonexistent/dir/log: No such file" },
        { "worker_name = \"a\tb\"", "worker_name" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FILE *f = fopen(path, "w");
        REQUIRE(f != NULL);
        fprintf(f, "%s\n", bad[i].line);
        fclose(f);
        CHECK_INT(run(a, arena_printf(a, "--config %s", path), &text), 1);
        unit_check(strstr(text, bad[i].words) != NULL, __FILE__, __LINE__, "\"%s\" says %s", text, bad[i].words);
    }
    arena_free(a);
}

/* --- health -------------------------------------------------------------------------------------------------------- */

static int get(struct mapic *c, struct arena *a, const char *path, const char **text)
{
    struct mapic_reply r;
    const char *why = NULL;
    if (!mapic_call(c, a, "PING", blob_of(nothing, 0), &(struct mapic_odd){ .verb = "GET", .path = path }, &r, &why)) {
        fprintf(stderr, "%s: %s\n", path, why);
        return -1;
    }
    *text = arena_str(a, r.http.body);
    return r.http.status;
}

TEST_LIMIT(health_and_metrics, 120)
{
    const char *text;
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct arena *a = arena_new(SIZE_MAX);
    struct mapic c;
    stack_client(st, &c, &st->ana);
    c.user = NULL; /* nobody is asked who he is */
    c.mailbox_id = NULL;
    CHECK_INT(get(&c, a, "/healthz", &text), 200);
    CHECK_STR(text, "ok\n");
    CHECK_INT(get(&c, a, "/healthz/live", &text), 200);
    CHECK_INT(get(&c, a, "/healthz/ready", &text), 200);
    CHECK_INT(get(&c, a, "/mapi/emsmdb/", &text), 401);
    CHECK_INT(get(&c, a, "/metrics", &text), 200);
    CHECK(strstr(text, "mapihttpd_unauthorized_total 1\n") != NULL);
    CHECK(strstr(text, "mapihttpd_requests_total{endpoint=\"none\",type=\"none\",code=\"none\"} 1\n") != NULL);
    CHECK(strlen(text) > 6 && strcmp(text + strlen(text) - 6, "# EOF\n") == 0);
    stack_redis_stop(st);
    CHECK_INT(get(&c, a, "/healthz/ready", &text), 503);
    CHECK_STR(text, "redis: Redis cannot be reached\n");
    CHECK_INT(get(&c, a, "/healthz/live", &text), 200);
    stack_redis_start(st);
    CHECK_INT(get(&c, a, "/healthz/ready", &text), 200);
    mapic_close(&c);
    stack_stop(st);
    arena_free(a);
}

/* --- logs ---------------------------------------------------------------------------------------------------------- */

static int ping(struct mapic *c, struct arena *a)
{
    struct mapic_reply r;
    const char *why = NULL;
    return mapic_call(c, a, "PING", blob_of(nothing, 0), NULL, &r, &why) ? r.http.status * 100 + r.code : -1;
}

static const char *read_file(struct arena *a, const char *path)
{
    char *text = arena_alloc(a, 65536);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return "";
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

TEST_LIMIT(access_log_and_its_rotation, 120)
{
    struct arena *a = arena_new(SIZE_MAX);
    const char *path = arena_printf(a, "%s/access.log", unit_tmpdir()), *old = arena_printf(a, "%s.1", path);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = arena_printf(a, "access_log = %s\n", path) });
    struct mapic c;
    stack_client(st, &c, &st->ana);
    snprintf(c.context, sizeof c.context, "%s", "very-secret");
    ping(&c, a);
    const char *line = read_file(a, path);
    CHECK(strstr(line, " RequestType=PING HttpStatusCode=200 ") != NULL);
    CHECK(strstr(line, " ClientSoftware=") != NULL);
    CHECK(strstr(line, " AuthenticatedUser=ana@example.com ") != NULL);
    CHECK(strstr(line, " SessionCookie=") != NULL);
    CHECK(strstr(line, "very-secret") == NULL);
    REQUIRE(rename(path, old) == 0);
    stack_kill(st, 0, SIGHUP);
    for (int i = 0; i < 200 && access(path, F_OK) != 0; i++)
        usleep(10000);
    ping(&c, a);
    CHECK(strstr(read_file(a, path), " RequestType=PING ") != NULL);
    CHECK_STR(read_file(a, old), line);
    mapic_close(&c);
    stack_stop(st);
    arena_free(a);
}

/* --- draining ------------------------------------------------------------------------------------------------------ */

struct pinger { struct stack *st; atomic_bool stop; atomic_uint good, bad; };

static void *ping_on(void *arg)
{
    struct pinger *p = arg;
    struct mapic c;
    stack_client(p->st, &c, &p->st->ana);
    c.nturns = 0; /* whoever is there answers */
    while (!atomic_load(&p->stop)) {
        struct arena *a = arena_new(SIZE_MAX);
        atomic_fetch_add(ping(&c, a) == 20000 ? &p->good : &p->bad, 1);
        arena_free(a);
        usleep(500);
    }
    mapic_close(&c);
    return NULL;
}

/* So many more requests are served, however busy the machine is. */
static bool pings_on(struct pinger *p, unsigned n)
{
    unsigned from = atomic_load(&p->good);
    for (int i = 0; i < 3000 && atomic_load(&p->good) < from + n; i++)
        usleep(10000);
    return atomic_load(&p->good) >= from + n;
}

/* Two workers are restarted while clients go on: none of them sees it. */
TEST_LIMIT(rolling_restart_is_not_seen, 120)
{
    enum { CLIENTS = 4 };
    struct pinger p = { .st = stack_shared() };
    pthread_t t[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        REQUIRE(pthread_create(&t[i], NULL, ping_on, &p) == 0);
    CHECK(pings_on(&p, 50));
    for (unsigned i = 0; i < 2; i++) {
        uint64_t before = clock_ms();
        stack_kill(p.st, i, SIGTERM); /* returns when the process has ended */
        CHECK(clock_ms() - before < 8000);
        stack_worker(p.st, i);
        CHECK(pings_on(&p, 50));
    }
    atomic_store(&p.stop, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(t[i], NULL);
    CHECK_INT(p.bad, 0);
}

/* --- the shipped configuration ------------------------------------------------------------------------------------- */

static char *replaced(struct arena *a, char *text, const char *word, const char *value)
{
    for (char *at; (at = strstr(text, word)) != NULL; )
        text = arena_printf(a, "%.*s%s%s", (int)(at - text), text, value, at + strlen(word));
    return text;
}

static pid_t start_nginx(struct arena *a, const char *conf)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("nginx", "nginx", "-c", conf, "-e", arena_printf(a, "%s.log", conf), "-g", "daemon off;", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static const char *write_shipped(struct stack *st, struct arena *a, const char *dir, unsigned http, unsigned https)
{
    char cwd[400], *text = arena_alloc(a, 65536);
    FILE *f = fopen("deploy/nginx/nginx.conf.in", "r");
    REQUIRE(f != NULL && getcwd(cwd, sizeof cwd) != NULL);
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    text = strchr(text, '\n'); /* its explanation names the words themselves */
    while (text != NULL && text[1] == '#')
        text = strchr(text + 1, '\n');
    text = replaced(a, text, "@DIR@", dir);
    text = replaced(a, text, "@DEPLOY@", arena_printf(a, "%s/deploy", cwd));
    text = replaced(a, text, "@HTTPS@", arena_printf(a, "127.0.0.1:%u", https));
    text = replaced(a, text, "@HTTP@", arena_printf(a, "%u", http));
    text = replaced(a, text, "@PROCESSES@", "1");
    text = replaced(a, text, "@USER@", geteuid() == 0 ? "user root;" : "");
    text = replaced(a, text, "@WORKERS@", arena_printf(a, "server unix:%s/a0.sock max_fails=0;", st->dir));
    const char *path = arena_printf(a, "%s/nginx.conf", dir);
    f = fopen(path, "w");
    REQUIRE(f != NULL);
    fputs(text, f);
    fclose(f);
    return path;
}

static unsigned free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

static bool make_certificate(struct arena *a, const char *dir)
{
    return system(arena_printf(a, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
                                  "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout %s/tls.key -out %s/tls.crt 2>/dev/null", dir, dir)) == 0;
}

static bool ping_when_up(struct mapic *c, struct arena *a, struct mapic_reply *r)
{
    const char *why = NULL;
    for (int i = 0; i < 300; i++) {
        if (mapic_call(c, a, "PING", blob_of(nothing, 0), NULL, r, &why))
            return true;
        usleep(20000);
    }
    fprintf(stderr, "nginx: %s\n", why);
    return false;
}

/* TLS: identity is accepted without auth_plain_http.  Plain HTTP of the same worker: no scheme is offered, code 8. */
TEST_LIMIT(shipped_nginx_configuration, 120)
{
    struct arena *a = arena_new(SIZE_MAX);
    setenv("MAPIHTTPD_AUTH_PLAIN_HTTP", "no", 1);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    unsetenv("MAPIHTTPD_AUTH_PLAIN_HTTP");
    const char *dir = arena_printf(a, "%s/shipped", st->dir);
    REQUIRE(mkdir(dir, 0755) == 0 && mkdir(arena_printf(a, "%s/tmp", dir), 0755) == 0);
    if (!make_certificate(a, dir))
        SKIP("openssl is not there");
    unsigned https = free_port(), http = free_port();
    pid_t nginx = start_nginx(a, write_shipped(st, a, dir, http, https));
    struct mapic c;
    struct mapic_reply r;
    stack_client(st, &c, &st->ana);
    c.to = (struct tls_options){ .host = "127.0.0.1", .port = https, .secure = true, .verify = true, .ca_file = arena_printf(a, "%s/tls.crt", dir) };
    if (CHECK(ping_when_up(&c, a, &r)))
        CHECK_INT(r.code, 0);
    const char *why = NULL;
    CHECK_INT(mapic_connect(&c, a, st->ana.dn, &r, &why), ecNone);
    const char *cookie = http_header(&r.http, "Set-Cookie");
    CHECK(cookie != NULL && strncmp(cookie, "MapiContext=", 12) == 0 && strstr(cookie, "; path=/mapi/emsmdb; secure; HttpOnly") != NULL);
    c.context[0] = c.sequence[0] = '\0';
    mapic_close(&c);
    c.to = (struct tls_options){ .host = "127.0.0.1", .port = http };
    if (CHECK(ping_when_up(&c, a, &r))) {
        CHECK_INT(r.http.status, 200);
        CHECK_INT(r.code, 8);
        CHECK(http_header(&r.http, "WWW-Authenticate") == NULL);
    }
    CHECK(mapic_call(&c, a, "PING", blob_of(nothing, 0), &(struct mapic_odd){ .path = "/other" }, &r, &why));
    CHECK_INT(r.http.status, 404);
    mapic_close(&c);
    kill(nginx, SIGTERM);
    waitpid(nginx, NULL, 0);
    stack_stop(st);
    arena_free(a);
}
