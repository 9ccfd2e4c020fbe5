/* test_hosts.c - two hosts (network namespaces), each with nginx and workers, one Redis over TCP, a load balancer without affinity in front: sessions alternate
 * between the hosts, and go on when one is cut off in the middle.  The mailbox directory is shared. */
#include "backend/base/filetime.h"
#include "tests/flow/waiter.h"
#include "tests/flow/walk.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOSTS = 2, WORKERS_EACH = 2, WAITS = 4, LB_PORT = 8080, NGINX_LB_PORT = 8081 };

struct host { char ns[40], link[16]; pid_t nginx, worker[WORKERS_EACH]; };

struct net {
    struct stack *st;
    struct host   host[HOSTS];
    char          front[40];         /* namespace of Redis, load balancers and clients */
    pid_t         redis, haproxy, nginx;
    int           home;              /* our own namespace */
};

/* --- namespaces ------------------------------------------------------------------------------------------------------------------------------------ */

static bool ip(struct net *n, const char *arguments)
{
    return system(arena_printf(n->st->a, "ip %s >>%s/ip.log 2>&1", arguments, n->st->dir)) == 0;
}

static void drop_namespaces(struct net *n)
{
    ip(n, arena_printf(n->st->a, "netns del %s", n->front));
    for (int i = 0; i < HOSTS; i++)
        ip(n, arena_printf(n->st->a, "netns del %s", n->host[i].ns));
}

static bool enter(const char *ns)
{
    char path[80];
    snprintf(path, sizeof path, "/var/run/netns/%s", ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* 10.77.i.1 is the front's end of the link to host i, 10.77.i.2 the host's. */
static bool link_host(struct net *n, int i)
{
    struct host *h = &n->host[i];
    struct arena *a = n->st->a;
    return ip(n, arena_printf(a, "netns add %s", h->ns)) &&
           ip(n, arena_printf(a, "-n %s link add %s type veth peer name net0 netns %s", n->front, h->link, h->ns)) &&
           ip(n, arena_printf(a, "-n %s addr add 10.77.%d.1/24 dev %s", n->front, i, h->link)) &&
           ip(n, arena_printf(a, "-n %s addr add 10.77.%d.2/24 dev net0", h->ns, i)) &&
           ip(n, arena_printf(a, "-n %s link set %s up", n->front, h->link)) && ip(n, arena_printf(a, "-n %s link set net0 up", h->ns)) &&
           ip(n, arena_printf(a, "-n %s link set lo up", h->ns));
}

static bool make_namespaces(struct net *n)
{
    bool ok = ip(n, arena_printf(n->st->a, "netns add %s", n->front)) && ip(n, arena_printf(n->st->a, "-n %s link set lo up", n->front));
    for (int i = 0; ok && i < HOSTS; i++)
        ok = link_host(n, i);
    return ok;
}

static void cut(struct net *n, int i, bool off)
{
    REQUIRE(ip(n, arena_printf(n->st->a, "-n %s link set net0 %s", n->host[i].ns, off ? "down" : "up")));
}

/* --- processes ------------------------------------------------------------------------------------------------------------------------------------- */

static pid_t run_in(struct net *n, const char *ns, const char *log, const char *const *argv, char *const env[])
{
    char *all[24] = { "ip", "netns", "exec", (char *)(uintptr_t)ns };
    size_t at = 4;
    for (; *argv != NULL && at < 23; argv++)
        all[at++] = (char *)(uintptr_t)*argv;
    return stack_spawn(n->st, log, all, env);
}

static void write_file(struct net *n, const char *name, const char *text)
{
    FILE *f = fopen(arena_printf(n->st->a, "%s/%s", n->st->dir, name), "w");
    REQUIRE(f != NULL);
    fputs(text, f);
    REQUIRE(fclose(f) == 0);
}

static char *read_file(struct net *n, const char *path)
{
    char *text = arena_alloc(n->st->a, 65536);
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

static const char *put(struct arena *a, const char *text, const char *word, const char *value)
{
    const char *at = strstr(text, word);
    return at == NULL ? text : arena_printf(a, "%.*s%s%s", (int)(at - text), text, value, put(a, at + strlen(word), word, value));
}

static const char *http_begin(struct net *n, const char *name)
{
    struct arena *a = n->st->a;
    const char *dir = arena_printf(a, "%s/%s.d", n->st->dir, name);
    REQUIRE(mkdir(dir, 0755) == 0);
    return arena_printf(a, "user root; daemon off; worker_processes 1; pid %1$s/pid; error_log %1$s/log warn;\nevents { worker_connections 1024; }\n"
                           "http { access_log off; client_body_temp_path %1$s/b; fastcgi_temp_path %1$s/f; proxy_temp_path %1$s/p; uwsgi_temp_path %1$s/u;\n"
                           "scgi_temp_path %1$s/s; keepalive_timeout 300s; keepalive_requests 100000;\n", dir);
}

static pid_t start_nginx(struct net *n, const char *ns, const char *name, const char *rest)
{
    struct arena *a = n->st->a;
    write_file(n, arena_printf(a, "%s.nginx", name), arena_printf(a, "%s%s}\n", http_begin(n, name), rest));
    const char *argv[] = { "nginx", "-c", arena_printf(a, "%s/%s.nginx", n->st->dir, name), "-e", arena_printf(a, "%s/%s.d/log", n->st->dir, name), NULL };
    return run_in(n, ns, arena_printf(a, "%s.out", name), argv, NULL);
}

static void start_worker(struct net *n, int i, int w)
{
    struct arena *a = n->st->a;
    const char *name = arena_printf(a, "%c%d", 'A' + i, w);
    const char *argv[] = { stack_program(n->st), "--config", arena_printf(a, "%s/host%d.conf", n->st->dir, i), NULL };
    char *env[] = { arena_printf(a, "MAPIHTTPD_LISTEN=%s/%s.sock", n->st->dir, name), arena_printf(a, "MAPIHTTPD_WORKER_NAME=%s", name),
                    arena_printf(a, "MAPIHTTPD_FAULT_FILE=%s/host%d.fault", n->st->dir, i), NULL };
    n->host[i].worker[w] = run_in(n, n->host[i].ns, arena_printf(a, "%s.log", name), argv, env);
}

static void start_host(struct net *n, int i)
{
    struct arena *a = n->st->a;
    char cwd[400];
    REQUIRE(getcwd(cwd, sizeof cwd) != NULL);
    const char *conf = read_file(n, arena_printf(a, "%s/a.conf", n->st->dir));
    conf = put(a, conf, arena_printf(a, "redis = %s/redis.sock", n->st->dir), arena_printf(a, "redis = 10.77.%d.1:6379\nredis_timeout = 700", i));
    write_file(n, arena_printf(a, "host%d.conf", i), conf);
    for (int w = 0; w < WORKERS_EACH; w++)
        start_worker(n, i, w);
    n->host[i].nginx = start_nginx(n, n->host[i].ns, arena_printf(a, "host%d", i),
        arena_printf(a, "upstream mapihttpd { server unix:%1$s/%2$c0.sock max_fails=0; server unix:%1$s/%2$c1.sock max_fails=0; keepalive 16; }\n"
                        "server { listen 10.77.%3$d.2:80; set $mapi_side internal; include %4$s/deploy/nginx/mapihttpd.conf; }\n", n->st->dir, 'A' + i, i, cwd));
}

static void start_balancers(struct net *n)
{
    struct arena *a = n->st->a;
    const char *conf = read_file(n, "deploy/haproxy.cfg.in");
    conf = strstr(conf, "\nglobal"); /* its explanation names the words themselves */
    REQUIRE(conf != NULL);
    conf = put(a, put(a, put(a, conf, "@BIND@", arena_printf(a, "127.0.0.1:%d", LB_PORT)), "@SERVERS@",
                      "server a 10.77.0.2:80 inter 200ms\n    server b 10.77.1.2:80 inter 200ms\n"), "maxconn 100000", "maxconn 500");
    write_file(n, "haproxy.cfg", conf);
    const char *argv[] = { "haproxy", "-db", "-f", arena_printf(a, "%s/haproxy.cfg", n->st->dir), NULL };
    n->haproxy = run_in(n, n->front, "haproxy.log", argv, NULL);
    n->nginx = start_nginx(n, n->front, "lb",
        arena_printf(a, "upstream hosts { server 10.77.0.2:80 max_fails=1 fail_timeout=2s; server 10.77.1.2:80 max_fails=1 fail_timeout=2s; keepalive 16; }\n"
                        "server { listen 127.0.0.1:%d; client_max_body_size 8m; location / { proxy_pass http://hosts; proxy_http_version 1.1;\n"
                        "proxy_set_header Connection \"\"; proxy_set_header Host $host; proxy_buffering off; proxy_connect_timeout 1s; proxy_read_timeout 100s;\n"
                        "proxy_next_upstream error timeout; } }\n", NGINX_LB_PORT));
}

static void start_redis(struct net *n)
{
    const char *argv[] = { "redis-server", "--bind", "10.77.0.1", "10.77.1.1", "--port", "6379", "--protected-mode", "no", "--save", "", "--appendonly", "no",
                           "--maxmemory-policy", "noeviction", "--dir", n->st->dir, NULL };
    n->redis = run_in(n, n->front, "hosts-redis.log", argv, NULL);
}

static bool answers(struct net *n, unsigned port)
{
    static const uint8_t nothing[1];
    struct mapic c;
    struct mapic_reply r;
    const char *why;
    stack_client(n->st, &c, &n->st->ana);
    c.nturns = 0;
    c.to.port = port;
    c.timeout_ms = 3000;
    bool ok = mapic_call(&c, n->st->a, "PING", blob_of(nothing, 0), NULL, &r, &why) && r.code == 0;
    mapic_close(&c);
    return ok;
}

static void stop(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static struct net *opened; /* by a test that has not stopped it: it failed in the middle */

static void net_stop(struct net *n)
{
    opened = NULL;
    stop(n->haproxy);
    stop(n->nginx);
    for (int i = 0; i < HOSTS; i++) {
        if (n->host[i].nginx > 0)
            kill(n->host[i].nginx, SIGTERM); /* its workers go with it */
        if (n->host[i].nginx > 0)
            waitpid(n->host[i].nginx, NULL, 0);
        for (int w = 0; w < WORKERS_EACH; w++)
            stop(n->host[i].worker[w]);
    }
    stop(n->redis);
    if (setns(n->home, CLONE_NEWNET) != 0)
        perror("setns");
    close(n->home);
    drop_namespaces(n);
    stack_stop(n->st);
}

static void stop_opened(void)
{
    if (opened != NULL)
        net_stop(opened);
}

static struct net *net_start(void)
{
    static struct net net;
    static bool registered;
    struct net *n = &net;
    stop_opened();
    if (!registered) {
        unit_tmpdir(); /* its clean-up must run after ours */
        registered = atexit(stop_opened) == 0;
    }
    *n = (struct net){ .home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) };
    if (geteuid() != 0)
        SKIP("network namespaces need root");
    if (system("haproxy -v >/dev/null 2>&1 && ip -V >/dev/null 2>&1") != 0)
        SKIP("haproxy or iproute2 is not there");
    n->st = stack_start(&(struct stack_options){ .workers = 1, .config = "lock_lease = 1500\n" });
    snprintf(n->front, sizeof n->front, "mapi%d-front", (int)getpid());
    for (int i = 0; i < HOSTS; i++) {
        snprintf(n->host[i].ns, sizeof n->host[i].ns, "mapi%d-%c", (int)getpid(), 'a' + i);
        snprintf(n->host[i].link, sizeof n->host[i].link, "host%d", i);
    }
    if (!make_namespaces(n) || !enter(n->front)) {
        drop_namespaces(n);
        stack_stop(n->st);
        SKIP("network namespaces are not permitted here");
    }
    opened = n;
    start_redis(n);
    for (int i = 0; i < HOSTS; i++)
        start_host(n, i);
    start_balancers(n);
    for (int i = 0; i < 300 && (!answers(n, LB_PORT) || !answers(n, NGINX_LB_PORT)); i++)
        usleep(50000);
    usleep(800000); /* haproxy has seen both */
    return n;
}

/* --- sessions -------------------------------------------------------------------------------------------------------------------------------------- */

static void begin(struct net *n, struct walk *w, unsigned port)
{
    walk_init(w, n->st, &n->st->ana);
    w->c.nturns = 0;
    w->c.to.port = port;
    MUST_STEP(w, step_connect(&w->s, n->st->ana.dn));
    MUST_STEP(w, step_logon(&w->s, n->st->ana.dn));
}

struct change { unsigned requests, moves; char host; };

static void count(struct change *c, const struct walk *w)
{
    c->requests++;
    c->moves += c->host != '\0' && w->c.worker[0] != c->host;
    c->host = w->c.worker[0];
}

/* Makes a draft in three requests, each on another host than the one before. */
static uint32_t draft(struct walk *w, uint32_t inbox, const char *subject, struct change *c)
{
    uint32_t message;
    struct props set = { 0 };
    props_set(w->a, &set, pv_str(PidTagSubject, subject));
    MUST_STEP(w, step_create_message(&w->s, inbox, w->s.fid[SF_INBOX], &message));
    count(c, w);
    MUST_STEP(w, step_set_props(&w->s, message, &set, NULL));
    count(c, w);
    return message;
}

static struct blob save_body(struct walk *w, uint32_t message)
{
    struct mapic_rops r;
    rops_init(&r, w->a);
    rops_head(&r, 0x0C, 0);
    wr_u8(&r.list, rops_handle(&r, message));
    wr_u8(&r.list, 0x0A);
    return mapic_execute_body(w->a, rops_buffer(&r), 3, 0x10008);
}

/* As a client does whose connection breaks: the same bytes with the same cookies, until there is an answer. */
static bool save_until_answered(struct walk *w, struct blob body, const char *id, unsigned *attempts)
{
    struct mapic_reply reply;
    const char *why;
    char context[512], sequence[512];
    snprintf(context, sizeof context, "%s", w->c.context);
    snprintf(sequence, sizeof sequence, "%s", w->c.sequence);
    struct mapic_odd odd = { .request_id = id, .context = context, .sequence = sequence };
    w->c.timeout_ms = 4000;
    uint64_t until = clock_ms() + 40000;
    for (*attempts = 1; clock_ms() < until; ++*attempts) {
        mapic_close(&w->c);
        if (mapic_send(&w->c, w->a, "Execute", body, &odd, &why) && mapic_recv(&w->c, w->a, &reply, &odd, &why) && reply.code == 0 && reply.done) {
            struct mapic_result out = { 0 };
            struct rop_head h = { 0 };
            CHECK(mapic_decode(w->a, reply.body, &out) && mapic_rop(&out, &h));
            return CHECK_EC(h.ec, ecNone);
        }
        CHECK(reply.code != 10 && reply.code != 15);
        usleep(100000);
    }
    return CHECK(!"the save was answered");
}

static void arm(struct net *n, int i, const char *fault) { write_file(n, arena_printf(n->st->a, "host%d.fault", i), fault); }

/* Host `i` is cut off while one of its workers sleeps in the middle of the save, at `fault`. */
static void cut_within(struct net *n, struct walk *w, uint32_t inbox, int i, const char *fault)
{
    struct change c = { 0 };
    unsigned attempts = 0;
    const char *subject = arena_printf(w->a, "Cut at %s", fault);
    uint32_t message = draft(w, inbox, subject, &c);
    arm(n, i, arena_printf(w->a, "%s:1:sleep=1200", fault));
    pid_t child = fork(); /* cuts while the request is there */
    if (child == 0) {
        usleep(500000);
        _exit(ip(n, arena_printf(n->st->a, "-n %s link set net0 down", n->host[i].ns)) ? 0 : 1);
    }
    save_until_answered(w, save_body(w, message), arena_printf(w->a, "{0f0f0f0f-2222-3333-4444-%012x}:%d", message, 7), &attempts);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    arm(n, i, "");
    CHECK_INT(walk_count(n->st, &n->st->ana, SF_INBOX, subject), 1);
    STEP(w, step_release(&w->s, message)); /* the session goes on, on the host that is left */
    cut(n, i, false);
    usleep(1500000);                       /* it is back, and what its worker still had to do came to nothing */
    CHECK_INT(walk_count(n->st, &n->st->ana, SF_INBOX, subject), 1);
}

/* nginx: a balancer whose host is gone first finds out by its own time limits. */
static void alternate(struct net *n, unsigned port)
{
    struct walk w;
    struct change c = { 0 };
    uint32_t inbox, message;
    uint64_t mid;
    begin(n, &w, port);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    for (unsigned i = 0; i < 6; i++) {
        message = draft(&w, inbox, "Alternating", &c);
        MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));
        count(&c, &w);
    }
    unit_check(c.moves + 1 >= c.requests, __FILE__, __LINE__, "%u of %u requests came to another host than the one before", c.moves, c.requests);
    CHECK_INT(walk_count(n->st, &n->st->ana, SF_INBOX, "Alternating"), 6);
    cut_within(n, &w, inbox, 0, "commit_store");   /* done there, nobody heard of it */
    cut_within(n, &w, inbox, 1, "begin_done");     /* nothing done yet */
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    walk_empty(n->st, &n->st->ana, SF_INBOX);
    CHECK_INT(walk_findings(n->st, &n->st->ana), 0);
}

TEST_LIMIT(sessions_on_two_hosts_behind_haproxy, 180)
{
    struct net *n = net_start();
    alternate(n, LB_PORT);
    net_stop(n);
}

TEST_LIMIT(sessions_on_two_hosts_behind_nginx, 180)
{
    struct net *n = net_start();
    alternate(n, NGINX_LB_PORT);
    net_stop(n);
}

/* Waits of several sessions are parked on both hosts; one is cut off; their clients wait again; an event reaches them all. */
TEST_LIMIT(waits_go_on_when_a_host_is_cut_off, 180)
{
    struct net *n = net_start();
    struct walk w[WAITS];
    struct waiter v[WAITS] = { { .flags = 0 } };
    for (int i = 0; i < WAITS; i++) {
        begin(n, &w[i], LB_PORT);
        struct mapic_rops r;
        struct mapic_result out;
        struct rop_head h = { 0 };
        rops_init(&r, w[i].a);
        rops_head(&r, 0x29, rops_handle(&r, w[i].s.logon));
        wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
        wr_u8(&r.list, 0x04 | 0x02);
        wr_u8(&r.list, 0);
        wr_u8(&r.list, 1);
        MUST_STEP(&w[i], step_run(&w[i].s, &r, &out, &h));
        uint32_t folder;
        if (i % 2 != 0) /* an odd number of requests: the next turn is the other host's */
            MUST_STEP(&w[i], step_open_folder(&w[i].s, w[i].s.fid[SF_INBOX], &folder));
        waiter_start(&v[i], &w[i].c, NULL);
        CHECK(waiter_processing(&v[i]));
    }
    cut(n, 0, true);
    unsigned broken = 0;
    usleep(1500000); /* haproxy notices, and tells those whose wait was there */
    for (int i = 0; i < WAITS; i++)
        if (atomic_load(&v[i].over)) {
            waiter_end(&v[i]);
            waiter_free(&v[i]);
            broken++;
            waiter_start(&v[i], &w[i].c, NULL);
            CHECK(waiter_processing(&v[i]));
        }
    printf("%u of %d waits were on the host that was cut off\n", broken, WAITS);
    CHECK(broken != 0 && broken != WAITS);
    struct walk other;
    begin(n, &other, LB_PORT);
    uint32_t inbox;
    uint64_t mid;
    struct change c = { 0 };
    MUST_STEP(&other, step_open_folder(&other.s, other.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&other, step_save_message(&other.s, draft(&other, inbox, "Rings", &c), 0x0A, &mid));
    for (int i = 0; i < WAITS; i++) {
        CHECK_INT(waiter_end(&v[i]), 1);
        waiter_free(&v[i]);
        walk_end(&w[i]);
    }
    walk_end(&other);
    cut(n, 0, false);
    net_stop(n);
}
