/* test_cut.c - the connection to Redis breaks at each pipeline of a session's life, before or after Redis got it, and another server answers from then on: one
 * that has everything, or one that lacks what this request did. */
#include "tests/unit/session-context/bench.h"
#include "session/context/cookie.h"
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ARENA = 64 << 20, CUTS_MAX = 200, TRIES = 4 };
enum cut { CUT_BEFORE, CUT_AFTER };                 /* the pipeline reached Redis */
enum after { SAME, IN_STEP, BEHIND };               /* who answers then */

/* --- between the worker and its server ------------------------------------------------------------------------------------------------------------- */
struct between {
    struct redis_server *server[2];
    struct config  config[2];                       /* straight to each, for copying */
    int            fd, sentinel;
    unsigned       port, sentinel_port;
    pthread_mutex_t lock;
    unsigned       at, trips, cut_at;               /* server that answers; pipelines seen since `count`; the one that is cut, 0 none */
    enum cut       cut;
    enum after     after;
    bool           counting, done;
};

static int dial(const char *path)
{
    struct sockaddr_un u = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(u.sun_path, sizeof u.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&u, sizeof u) == 0)
        return fd;
    close(fd);
    return -1;
}

static int listen_on(unsigned *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 64) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static enum redis_result say(struct redis_conn *c, struct redis_value *v, const char *word, struct blob key, struct blob third)
{
    struct blob argv[] = { blob_str(word), key, blob_str("900000"), third, blob_str("REPLACE") };
    return redis_cmd(c, third.n != 0 ? 5 : key.n != 0 ? 2 : 1, argv, v);
}

/* All keys of one server to the other. */
static void copy(struct between *b, unsigned from, unsigned to)
{
    struct arena *a = arena_new(ARENA);
    struct redis *source = redis_new(&b->config[from]), *target = redis_new(&b->config[to]);
    struct redis_conn *s = redis_take(source, a), *t = redis_take(target, a);
    struct redis_value keys, dump, v;
    if (s != NULL && t != NULL && say(t, &v, "FLUSHDB", blob_of(NULL, 0), blob_of(NULL, 0)) == REDIS_DONE &&
        say(s, &keys, "KEYS", blob_str("*"), blob_of(NULL, 0)) == REDIS_DONE)
        for (size_t i = 0; i < keys.n; i++)
            if (say(s, &dump, "DUMP", keys.v[i].s, blob_of(NULL, 0)) == REDIS_DONE && dump.type == REDIS_STRING)
                say(t, &v, "RESTORE", keys.v[i].s, dump.s);
    arena_free(a);
    redis_free(source);
    redis_free(target);
}

/* Is this the pipeline? */
static bool comes(struct between *b)
{
    pthread_mutex_lock(&b->lock);
    bool cut = b->counting && ++b->trips == b->cut_at;
    pthread_mutex_unlock(&b->lock);
    return cut;
}

static void cut(struct between *b)
{
    pthread_mutex_lock(&b->lock);
    if (b->after == IN_STEP)
        copy(b, b->at, !b->at);
    if (b->after != SAME)
        b->at = !b->at;
    b->done = true;
    pthread_mutex_unlock(&b->lock);
}

struct pair { struct between *b; int client; };

/* Bytes of one pipeline come in one write; a connection to a server that does not answer any more is cut, too. */
static void *pump(void *ptr)
{
    static __thread char buf[1 << 20];
    struct pair p = *(struct pair *)ptr;
    free(ptr);
    pthread_mutex_lock(&p.b->lock);
    unsigned mine = p.b->at;
    pthread_mutex_unlock(&p.b->lock);
    int server = dial(p.b->server[mine]->socket);
    for (struct pollfd f[] = { { p.client, POLLIN, 0 }, { server, POLLIN, 0 } }; server >= 0 && poll(f, 2, -1) > 0; ) {
        int from = f[0].revents != 0 ? p.client : server, to = from == server ? p.client : server;
        ssize_t n = read(from, buf, sizeof buf);
        bool now = n > 0 && from == p.client && comes(p.b);
        if (n <= 0 || p.b->at != mine || (now && p.b->cut == CUT_BEFORE) || write(to, buf, (size_t)n) != n) {
            if (now)
                cut(p.b);
            break;
        }
        if (now) {
            if (read(server, buf, sizeof buf) > 0) /* it was done; nobody hears of it */
                cut(p.b);
            break;
        }
    }
    close(p.client);
    close(server);
    return NULL;
}

static void *accept_all(void *ptr)
{
    struct between *b = ptr;
    for (int fd; (fd = accept(b->fd, NULL, NULL)) >= 0; ) {
        struct pair *p = malloc(sizeof *p);
        pthread_t t;
        *p = (struct pair){ b, fd };
        if (pthread_create(&t, NULL, pump, p) == 0)
            pthread_detach(t);
    }
    return NULL;
}

/* A sentinel that knows one answer: the master is at our door. */
static void *sentinel(void *ptr)
{
    struct between *b = ptr;
    char buf[4096], say_[80], port[8];
    snprintf(port, sizeof port, "%u", b->port);
    int n = snprintf(say_, sizeof say_, "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n", strlen(port), port);
    for (int fd; (fd = accept(b->sentinel, NULL, NULL)) >= 0; close(fd))
        if (read(fd, buf, sizeof buf) > 0 && write(fd, say_, (size_t)n) != n)
            break;
    return NULL;
}

/* The bench's workers reach their Redis through it, by Sentinel or, `one`, at a plain address. */
static struct between *come_between(struct bench *b, struct redis_server *second, bool one)
{
    struct between *x = arena_one(b->a, struct between);
    pthread_t t;
    const char *dir = arena_printf(b->a, "%s/second", b->server.dir);
    mkdir(dir, 0700);
    REQUIRE(redis_server_start(second, dir));
    x->server[0] = &b->server;
    x->server[1] = second;
    pthread_mutex_init(&x->lock, NULL);
    for (size_t i = 0; i < 2; i++) {
        x->config[i] = b->config;
        x->config[i].redis = x->server[i]->socket;
    }
    x->fd = listen_on(&x->port);
    x->sentinel = listen_on(&x->sentinel_port);
    REQUIRE(pthread_create(&t, NULL, accept_all, x) == 0);
    pthread_detach(t);
    REQUIRE(pthread_create(&t, NULL, sentinel, x) == 0);
    pthread_detach(t);
    b->config.redis = one ? arena_printf(b->a, "127.0.0.1:%u", x->port) : arena_printf(b->a, "sentinel m 127.0.0.1:%u", x->sentinel_port);
    b->config.redis_wait_replicas = one ? "0" : "1";
    b->config.redis_wait_timeout = 1;
    return x;
}

static void leave(struct between *x, struct redis_server *second)
{
    shutdown(x->fd, SHUT_RDWR);
    shutdown(x->sentinel, SHUT_RDWR);
    redis_server_kill(second);
    usleep(20000); /* threads that still look at it */
}

/* --- a client ---------------------------------------------------------------------------------------------------------------------------------------- */
enum heard { DONE, ENDED, NOTHING };                 /* an answer; code 10; code 1 again and again */

static enum heard one_request(struct session_env *e, struct bench *b, struct client *k, const char *body, const char *effect, const char *state)
{
    for (int i = 0; i < TRIES; i++) {
        struct turn t;
        bench_begin(e, b, k, body, NULL, &t);
        CHECK(t.begin != BEGIN_SEQUENCE); /* never for what was not the client's doing */
        if (t.begin == BEGIN_ANSWER) {
            CHECK_BLOB(t.answer, blob_str(body));
            bench_take_cookies(&t, k);
        }
        if (t.begin == BEGIN_ANSWER || t.begin == BEGIN_NOT_FOUND || t.begin == BEGIN_SEQUENCE) {
            bench_leave(&t);
            return t.begin == BEGIN_ANSWER ? DONE : ENDED;
        }
        if (t.begin != BEGIN_RUN) {
            bench_leave(&t);
            continue;
        }
        if (effect != NULL)
            bench_effect(b, &t, effect);
        if (state != NULL)
            context_put(t.c, 1, blob_str(state));
        struct client next = *k;
        bench_take_cookies(&t, &next);
        enum finish f = bench_end(&t, k, body);
        CHECK(f != CONTEXT_OVERTAKEN);
        if (f == CONTEXT_DONE || f == CONTEXT_GONE)
            return f == CONTEXT_DONE ? DONE : ENDED;
        *k = next; /* refused, with the next cookie */
    }
    return NOTHING;
}

static bool connect_client(struct session_env *e, struct bench *b, struct client *k)
{
    for (int i = 0; i < TRIES; i++) {
        struct turn t = { .a = arena_new(ARENA) };
        struct begin_args args = { .who = &b->who, .type = "Connect", .request_id = "{g}:0" };
        uint32_t h;
        t.begin = context_create(e, t.a, &args, &t.c, &t.why);
        if (t.begin != BEGIN_RUN) {
            bench_leave(&t);
            continue;
        }
        t.c->user_dn = b->who.dn;
        t.c->client_app = "";
        t.c->logon = arena_one(t.a, struct logon_entry);
        t.c->logons = 1;
        REQUIRE_EC(context_add(t.c, 1, 0, 0xFFFFFFFF, &h), ecNone);
        *t.c->logon = (struct logon_entry){ .handle = h, .mailbox = b->mailbox, .owner = true, .mailbox_dn = b->who.dn };
        context_put(t.c, h, blob_str("logon"));
        if (bench_end(&t, k, "connected") == CONTEXT_DONE)
            return true;
    }
    return false;
}

static const struct { const char *effect, *state; } life[] = {
    { "a", "one" }, { NULL, "two" }, { NULL, NULL }, { "b", NULL }, { NULL, NULL }, { "c", "three" }, { NULL, "four" }, { NULL, NULL },
};
enum { LIFE = sizeof life / sizeof *life };

/* One session; false: the cut never came, that is there are no more pipelines. */
static bool live(struct bench *b, struct between *x, unsigned number, unsigned *ended)
{
    struct session_env e = bench_worker(b);
    struct client k = { 0 };
    enum heard heard[LIFE] = { DONE };
    char effect[LIFE][40];
    bool on = connect_client(&e, b, &k);
    unit_check(on, __FILE__, __LINE__, "cut %u, after %d: no session", number, (int)x->after);
    for (size_t i = 0; i < LIFE; i++) {
        snprintf(effect[i], sizeof effect[i], "%s%u.%d%d", life[i].effect != NULL ? life[i].effect : "", number, (int)x->cut, (int)x->after);
        if (x->after == BEHIND && !x->done) { /* what the other one has is a request old */
            pthread_mutex_lock(&x->lock);
            copy(x, x->at, !x->at);
            pthread_mutex_unlock(&x->lock);
        }
        heard[i] = on ? one_request(&e, b, &k, arena_printf(b->a, "request %zu", i), life[i].effect != NULL ? effect[i] : NULL, life[i].state) : ENDED;
        on = on && heard[i] != ENDED;
    }
    *ended += !on;
    if (x->after != BEHIND)
        unit_check(on, __FILE__, __LINE__, "cut %u %s, after %d: the session ended although nothing was lost", number, x->cut == CUT_BEFORE ? "before" : "after", (int)x->after);
    for (size_t i = 0; i < LIFE; i++) {
        unsigned n = life[i].effect != NULL ? bench_effects(b, effect[i]) : 0;
        unit_check(life[i].effect == NULL || n == 1 || (heard[i] != DONE && n == 0), __FILE__, __LINE__, "cut %u %s, after %d: request %zu has %u effects, heard %d",
                   number, x->cut == CUT_BEFORE ? "before" : "after", (int)x->after, i, n, (int)heard[i]);
    }
    if (on && x->after != BEHIND) {
        struct turn t;
        struct blob s;
        bench_begin(&e, b, &k, "look", NULL, &t);
        if (CHECK(t.begin == BEGIN_RUN)) {
            CHECK(context_block(t.c, 1, &s));
            CHECK_BLOB(s, blob_str("four"));
        }
        bench_leave(&t);
    }
    redis_free(e.redis);
    return x->done;
}

static void cut_everywhere(bool one, enum cut how, enum after after)
{
    struct bench *b = bench_open();
    struct redis_server second = { 0 };
    struct between *x = come_between(b, &second, one);
    unsigned ended = 0, number = 1;
    x->cut = how;
    x->after = after;
    for (; number < CUTS_MAX; number++) {
        x->trips = 0;
        x->done = false;
        x->cut_at = number;
        x->counting = true;
        bool more = live(b, x, number, &ended);
        x->counting = false;
        if (!more)
            break;
    }
    printf("cut %s a pipeline, %s: %u pipelines, %u sessions ended\n", how == CUT_BEFORE ? "before" : "after", after == SAME ? "the same server" : after == IN_STEP ? "another in step" : "another behind", number - 1, ended);
    CHECK(number > 20 && number < CUTS_MAX);
    if (after != BEHIND)
        CHECK_INT(ended, 0);
    leave(x, &second);
    arena_free(b->a);
}

/* The same server answers: Sentinel or not, nobody notices. */
TEST_LIMIT(broken_connections_are_not_noticed, 120)
{
    for (int how = CUT_BEFORE; how <= CUT_AFTER; how++) {
        cut_everywhere(false, (enum cut)how, SAME);
        cut_everywhere(true, (enum cut)how, SAME);
    }
}

/* Another one that has everything: likewise. */
TEST_LIMIT(a_master_that_was_replicated_is_not_missed, 120)
{
    for (int how = CUT_BEFORE; how <= CUT_AFTER; how++)
        cut_everywhere(false, (enum cut)how, IN_STEP);
}

/* Another one that lacks the request under way, or the one before: sessions may end, with the code for that, and nothing is done twice. */
TEST_LIMIT(a_master_that_was_not_replicated_costs_a_session, 120)
{
    for (int how = CUT_BEFORE; how <= CUT_AFTER; how++)
        cut_everywhere(false, (enum cut)how, BEHIND);
}
