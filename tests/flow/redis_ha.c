/* redis_ha.c - starting, breaking and rearranging real Redis servers. */
#include "tests/flow/stack.h"
#include "tests/flow/redis_ha.h"
#include "backend/base/must.h"
#include "tests/unit.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 1500, TICK_US = 10000, FIRST_SENTINEL = 3, SENTINELS = 3, MASTERS = 3, SLOTS = 16384 };

/* --- processes --------------------------------------------------------------------------------------------------------------------------------- */
bool ha_listens(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return ok;
}

pid_t ha_spawn(struct ha *h, const char *name, char *const argv[])
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    char path[300];
    snprintf(path, sizeof path, "%s/%s.log", h->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(argv[0], argv);
    _exit(127);
}

void ha_end(pid_t *pid, int signal)
{
    if (*pid <= 0)
        return;
    kill(*pid, SIGCONT);
    kill(*pid, signal);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void tick(int *left, const char *what)
{
    if (--*left > 0) {
        usleep(TICK_US);
        return;
    }
    fprintf(stderr, "redis_ha: waited in vain: %s\n", what);
    REQUIRE(!"the servers did what was waited for");
}

/* --- files --------------------------------------------------------------------------------------------------------------------------------------- */
struct change { const char *from, *to; };

/* A file of deploy/ with the passwords of the test in place of CHANGE-..., and `more` changes; `behind` at its end. */
static const char *file_of(struct ha *h, const char *from, const char *to, const struct change *more, size_t n, const char *behind)
{
    static const struct change passwords[] = { { "CHANGE-WORKERS", "secret-workers" }, { "CHANGE-REPLICA", "secret-replica" }, { "CHANGE-SENTINEL", "secret-sentinel" } };
    char line[1000];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    must(in != NULL && out != NULL);
    while (fgets(line, sizeof line, in) != NULL) {
        for (size_t i = 0; i < 3 + n; i++) {
            const struct change *c = i < 3 ? &passwords[i] : &more[i - 3];
            char *at = strstr(line, c->from);
            if (at != NULL)
                snprintf(line, sizeof line, "%s", arena_printf(h->a, "%.*s%s%s", (int)(at - line), line, c->to, at + strlen(c->from)));
        }
        fputs(line, out);
    }
    fputs(behind, out);
    fclose(in);
    must(fclose(out) == 0);
    return to;
}

/* --- servers ------------------------------------------------------------------------------------------------------------------------------------- */
static void start_sentinel(struct ha *h, size_t i)
{
    struct ha_server *s = &h->server[i];
    const char *dir = arena_printf(h->a, "%s/%zu", h->dir, i), *conf = arena_printf(h->a, "%s/sentinel.conf", dir);
    const struct change more[] = {
        { "port 26379", arena_printf(h->a, "port %u", s->port) }, { "dir .", arena_printf(h->a, "dir %s", dir) },
        { "127.0.0.1 6379 2", arena_printf(h->a, "127.0.0.1 %u 2", h->server[0].port) }, { "sessions 3000", "sessions 500" }, { "sessions 20000", "sessions 1000" },
    };
    if (mkdir(dir, 0700) == 0) /* started again, it goes on with what it wrote there */
        file_of(h, "deploy/redis-sentinel.conf", conf, more, sizeof more / sizeof *more, "");
    char *argv[] = { "redis-server", (char *)conf, "--sentinel", NULL };
    s->pid = ha_spawn(h, arena_printf(h->a, "redis%zu", i), argv);
}

static void start_server(struct ha *h, size_t i)
{
    struct ha_server *s = &h->server[i];
    const char *dir = arena_printf(h->a, "%s/%zu", h->dir, i);
    const char *conf = arena_printf(h->a, "%s/redis.conf", dir);
    if (mkdir(dir, 0700) == 0) /* the sentinels have it written anew */
        file_of(h, "deploy/redis-ha.conf", conf, NULL, 0, "");
    const char *acl = file_of(h, "deploy/redis-users.acl", arena_printf(h->a, "%s/users.acl", dir), NULL, 0, "user admin on >secret-admin ~* &* +@all\n");
    char *argv[32] = { "redis-server", (char *)conf, "--port", arena_printf(h->a, "%u", s->port), "--dir", (char *)dir, "--aclfile", (char *)acl,
                       "--maxmemory", "100mb" };
    size_t n = 10;
    if (s->cluster) {
        argv[n++] = "--cluster-enabled";
        argv[n++] = "yes";
        argv[n++] = "--cluster-port";
        argv[n++] = arena_printf(h->a, "%u", s->bus);
        argv[n++] = "--cluster-node-timeout";
        argv[n++] = "1000";
        argv[n++] = "--cluster-replica-validity-factor";
        argv[n++] = "0";
        argv[n++] = "--cluster-require-full-coverage";
        argv[n++] = "no";
        argv[n++] = "--cluster-allow-replica-migration"; /* a master whose last slot moves away stays one */
        argv[n++] = "no";
    }
    if (s->master[0] != '\0' && !s->started) {
        argv[n++] = "--replicaof";
        argv[n++] = "127.0.0.1";
        argv[n++] = s->master;
    }
    s->started = true;
    s->pid = ha_spawn(h, arena_printf(h->a, "redis%zu", i), argv);
}

static void answers(struct ha *h, size_t i)
{
    int left = PATIENCE;
    struct redis_value v;
    while (!ha_listens(h->server[i].port) || !ha_try(h, i, &v, "PING"))
        tick(&left, "PING");
}

void ha_start(struct ha *h, size_t i)
{
    if (h->server[i].sentinel)
        start_sentinel(h, i);
    else
        start_server(h, i);
    answers(h, i);
}

void ha_kill(struct ha *h, size_t i) { ha_end(&h->server[i].pid, SIGKILL); }
void ha_signal(struct ha *h, size_t i, int signal) { kill(h->server[i].pid, signal); }

void ha_stop(struct ha *h)
{
    for (size_t i = 0; i < h->n; i++)
        ha_kill(h, i);
    arena_free(h->a);
}

static struct ha *ha_new(size_t servers, bool cluster)
{
    static unsigned number;
    if (access("/usr/bin/redis-server", X_OK) != 0 && access("/usr/local/bin/redis-server", X_OK) != 0)
        SKIP("no redis-server");
    struct arena *a = arena_new((size_t)1 << 30);
    struct ha *h = arena_one(a, struct ha);
    h->a = a;
    h->n = servers;
    snprintf(h->dir, sizeof h->dir, "%s/ha%u", unit_tmpdir(), ++number);
    must(mkdir(h->dir, 0755) == 0);
    for (size_t i = 0; i < servers; i++)
        h->server[i] = (struct ha_server){ .port = stack_free_port(), .bus = stack_free_port(), .cluster = cluster };
    return h;
}

/* --- asking them ----------------------------------------------------------------------------------------------------------------------------------- */
/* Bytes of the whole reply at `at`; 0: not all of it is there. */
static size_t whole(const char *at)
{
    const char *end = strstr(at, "\r\n");
    if (end == NULL)
        return 0;
    size_t n = (size_t)(end - at) + 2;
    long count = strtol(at + 1, NULL, 10);
    if (at[0] == '$' && count >= 0) {
        n += (size_t)count + 2;
        return strnlen(at, n) == n ? n : 0;
    }
    for (long i = 0; at[0] == '*' && i < count; i++) {
        size_t one = whole(at + n);
        if (one == 0)
            return 0;
        n += one;
    }
    return n;
}

/* By hand: a replica, a sentinel, a node without slots is no server for the worker's own connections. */
bool ha_try(struct ha *h, size_t i, struct redis_value *out, const char *command)
{
    enum { ROOM = 1 << 18 };
    const struct ha_server *s = &h->server[i];
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)s->port) };
    struct timeval tv = { 3, 0 };
    char line[2000], *buf = arena_alloc(h->a, ROOM);
    int fd = socket(AF_INET, SOCK_STREAM, 0), len = snprintf(line, sizeof line, "AUTH %s\r\n%s\r\n", s->sentinel ? "secret-workers" : "admin secret-admin", command);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    bool ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && write(fd, line, (size_t)len) == len;
    size_t n = 0, first = 0, second = 0;
    while (ok && second == 0) {
        ssize_t got = read(fd, buf + n, ROOM - 1 - n);
        ok = got > 0;
        n += ok ? (size_t)got : 0;
        first = whole(buf);
        second = first != 0 ? whole(buf + first) : 0;
    }
    close(fd);
    if (ok && buf[first] == '-')
        fprintf(stderr, "redis_ha: server %zu says %.200s", i, buf + first);
    if (!ok || buf[0] != '+' || buf[first] == '-')
        return false;
    *out = (struct redis_value){ .type = REDIS_STRING, .s = blob_of(buf + first, second), .i = buf[first] == ':' ? strtoll(buf + first + 1, NULL, 10) : 0 };
    return true;
}

struct redis_value ha_say(struct ha *h, size_t i, const char *command)
{
    struct redis_value v = { 0 };
    bool ok = ha_try(h, i, &v, command);
    if (!ok)
        fprintf(stderr, "redis_ha: server %zu refused: %s\n", i, command);
    REQUIRE(ok);
    return v;
}

bool ha_says(struct ha *h, size_t i, const char *command, const char *word)
{
    struct redis_value v;
    return ha_try(h, i, &v, command) && strstr((const char *)v.s.p, word) != NULL;
}

void ha_await(struct ha *h, size_t i, const char *command, const char *word)
{
    int left = PATIENCE;
    while (!ha_says(h, i, command, word))
        tick(&left, arena_printf(h->a, "%s of %s at %zu", word, command, i));
}

/* --- installations ------------------------------------------------------------------------------------------------------------------------------------- */
static const char credentials[] = "redis_user = mapihttpd\nredis_password = secret-workers\nredis_sentinel_password = secret-workers\nredis_timeout = 1000\n";

struct ha *ha_one(void)
{
    struct ha *h = ha_new(1, false);
    ha_start(h, 0);
    h->config = arena_printf(h->a, "redis = 127.0.0.1:%u\n%s", h->server[0].port, credentials);
    return h;
}

struct ha *ha_sentinel(void)
{
    struct ha *h = ha_new(FIRST_SENTINEL + SENTINELS, false);
    const char *list = "";
    ha_start(h, 0);
    for (size_t i = 1; i < FIRST_SENTINEL; i++) {
        snprintf(h->server[i].master, sizeof h->server[i].master, "%u", h->server[0].port);
        ha_start(h, i);
    }
    for (size_t i = 1; i < FIRST_SENTINEL; i++)
        ha_await(h, i, "INFO replication", "master_link_status:up");
    for (size_t i = FIRST_SENTINEL; i < h->n; i++) {
        h->server[i].sentinel = true;
        ha_start(h, i);
        list = arena_printf(h->a, "%s 127.0.0.1:%u", list, h->server[i].port);
    }
    for (size_t i = FIRST_SENTINEL; i < h->n; i++) /* each knows the replicas and the others */
        ha_await(h, i, "INFO sentinel", "slaves=2,sentinels=3");
    h->config = arena_printf(h->a, "redis = sentinel sessions 127.0.0.1:1%s\n%s", list, credentials); /* the first is dead: passed over */
    return h;
}

size_t ha_await_master(struct ha *h, size_t old)
{
    for (int left = PATIENCE;; tick(&left, "another master"))
        for (size_t s = FIRST_SENTINEL; s < h->n; s++)
            for (size_t i = 0; i < FIRST_SENTINEL; i++)
                if (i != old && h->server[s].pid > 0 && h->server[i].pid > 0 &&
                    ha_says(h, s, "SENTINEL get-master-addr-by-name sessions", arena_printf(h->a, "\n%u\r", h->server[i].port)) &&
                    ha_says(h, i, "INFO replication", "role:master"))
                    return i;
}

static const char *node_id(struct ha *h, size_t i) { return arena_str(h->a, blob_of(strchr((const char *)ha_say(h, i, "CLUSTER MYID").s.p, '\n') + 1, 40)); }

struct ha *ha_cluster(void)
{
    struct ha *h = ha_new(2 * MASTERS + 1, true);
    for (size_t i = 0; i < h->n; i++)
        ha_start(h, i);
    for (unsigned i = 0; i < MASTERS; i++)
        ha_say(h, i, arena_printf(h->a, "CLUSTER ADDSLOTSRANGE %u %u", i * SLOTS / MASTERS, (i + 1) * SLOTS / MASTERS - 1));
    for (unsigned i = 0; i < h->n; i++) {
        ha_say(h, i, arena_printf(h->a, "CLUSTER SET-CONFIG-EPOCH %u", i + 1));
        if (i != 0)
            ha_say(h, i, arena_printf(h->a, "CLUSTER MEET 127.0.0.1 %u %u", h->server[0].port, h->server[0].bus));
    }
    for (size_t i = 0; i < h->n; i++)
        ha_await(h, i, "CLUSTER INFO", "cluster_known_nodes:7");
    for (size_t i = 0; i < MASTERS; i++) {
        int left = PATIENCE;
        struct redis_value v;
        const char *replicate = arena_printf(h->a, "CLUSTER REPLICATE %s", node_id(h, i));
        while (!ha_try(h, MASTERS + i, &v, replicate))
            tick(&left, replicate);
    }
    for (size_t i = 0; i < MASTERS; i++)
        ha_await(h, MASTERS + i, "INFO replication", "master_link_status:up");
    for (size_t i = 0; i < h->n; i++) {
        ha_await(h, i, "CLUSTER INFO", "cluster_state:ok");
        for (size_t m = 0; m < MASTERS; m++) /* everybody knows who would take over */
            ha_await(h, i, arena_printf(h->a, "CLUSTER REPLICAS %s", node_id(h, m)), "slave");
    }
    h->config = arena_printf(h->a, "redis = cluster 127.0.0.1:%u 127.0.0.1:%u\n%s", h->server[1].port, h->server[4].port, credentials);
    return h;
}

void ha_calm(struct ha *h)
{
    for (size_t i = 0; i < h->n; i++)
        ha_say(h, i, "CONFIG SET cluster-node-timeout 20000");
}

/* --- a migration ------------------------------------------------------------------------------------------------------------------------------------------ */
/* The keys of *n\r\n$len\r\nkey\r\n... */
static void move_keys(struct ha *h, size_t from, size_t to, unsigned slot)
{
    for (;;) {
        struct redis_value v = ha_say(h, from, arena_printf(h->a, "CLUSTER GETKEYSINSLOT %u 10", slot));
        const char *at = strchr((const char *)v.s.p, '$');
        if (at == NULL)
            return;
        for (; at != NULL; at = strchr(at + 1, '$')) {
            const char *key = strchr(at, '\n') + 1;
            ha_say(h, from, arena_printf(h->a, "MIGRATE 127.0.0.1 %u %.*s 0 2000 REPLACE AUTH2 admin secret-admin", h->server[to].port, (int)strcspn(key, "\r"), key));
        }
    }
}

void ha_migrate(struct ha *h, size_t from, size_t to, unsigned first, unsigned last, unsigned pause_us)
{
    const char *source = node_id(h, from), *target = node_id(h, to);
    for (unsigned slot = first; slot <= last; slot++) {
        ha_say(h, to, arena_printf(h->a, "CLUSTER SETSLOT %u IMPORTING %s", slot, source));
        ha_say(h, from, arena_printf(h->a, "CLUSTER SETSLOT %u MIGRATING %s", slot, target));
        usleep(pause_us);
        move_keys(h, from, to, slot);
        usleep(pause_us);
        ha_say(h, to, arena_printf(h->a, "CLUSTER SETSLOT %u NODE %s", slot, target));
        ha_say(h, from, arena_printf(h->a, "CLUSTER SETSLOT %u NODE %s", slot, target));
    }
}
