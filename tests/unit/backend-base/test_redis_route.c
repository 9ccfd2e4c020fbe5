/* test_redis_route.c - where Redis is: the words of the configuration, slots of keys, and what nodes and sentinels say, true or not. */
#include "backend/base/redis_int.h"
#include "tests/mutate.h"
#include "tests/unit.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- words ------------------------------------------------------------------------------------------------------------------------------------------ */
TEST(targets)
{
    struct redis_target t;
    char why[REDIS_WHY], text[300];
    CHECK(redis_target_parse("run/redis.sock", &t, why) && t.mode == REDIS_ONE && t.seed[0].port == 0);
    CHECK_STR(t.seed[0].host, "run/redis.sock");
    CHECK(redis_target_parse("redis.example.com:6379", &t, why) && t.mode == REDIS_ONE && t.seed[0].port == 6379);
    CHECK_STR(t.seed[0].host, "redis.example.com");
    CHECK(redis_target_parse("[::1]:6380", &t, why) && t.seed[0].port == 6380);
    CHECK_STR(t.seed[0].host, "::1");
    CHECK_STR(redis_address_text(&t.seed[0], text), "[::1]:6380");
    CHECK(redis_target_parse("sentinel sessions 10.0.0.1:26379, 10.0.0.2:26379 c:1", &t, why) && t.mode == REDIS_SENTINEL && t.seeds == 3);
    CHECK_STR(t.master, "sessions");
    CHECK_STR(t.seed[2].host, "c");
    CHECK(redis_target_parse("cluster a:1 b:2", &t, why) && t.mode == REDIS_CLUSTER && t.seeds == 2 && t.seed[1].port == 2);
    CHECK(redis_target_parse("/run/cluster of/redis.sock", &t, why) && t.mode == REDIS_ONE);
}

TEST(targets_that_cannot_be_used)
{
    static const struct { const char *text, *words; } bad[] = {
        { "", "path of a socket" },
        { "host:", "neither" },
        { "host:0", "neither" },
        { "host:65536", "neither" },
        { ":6379", "neither" },
        { "host:63x", "neither" },
        { "[[]]:1", "neither" },
        { "[::1:6379", "neither" },
        { "sentinel", "name of the master" },
        { "sentinel 10.0.0.1:26379 10.0.0.2:26379", "name of the master" },
        { "sentinel sessions", "no address" },
        { "sentinel sessions 10.0.0.1", "\"10.0.0.1\" is not host:port" },
        { "cluster", "no address" },
        { "cluster run/redis.sock", "is not host:port" },
        { "cluster a:1 b", "\"b\" is not host:port" },
        { "cluster a:1 b:1 c:1 d:1 e:1 f:1 g:1 h:1 i:1 j:1 k:1 l:1 m:1 n:1 o:1 p:1 q:1 r:1 s:1 t:1 u:1 v:1 w:1 x:1 y:1 z:1 a:2 b:2 c:2 d:2 e:2 f:2 g:2", "more than 32" },
        { "/a/path/that/is/longer/than/the/hundred/and/seven/bytes/which/the/address/of/a/unix/socket/has/room/for/redis.sock", "path of a socket" },
    };
    struct arena *a = arena_new(1 << 20);
    const char *why = "";
    struct config c = *config_load(a, NULL, &why);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.redis = bad[i].text;
        why = "";
        CHECK(!redis_config_check(&c, a, &why));
        unit_check(strstr(why, bad[i].words) != NULL && strncmp(why, "redis: ", 7) == 0, __FILE__, __LINE__, "\"%s\" says %s", bad[i].text, why);
    }
    c.redis = "127.0.0.1:6379";
    CHECK(redis_config_check(&c, a, &why));
    c.redis_user = "mapihttpd";
    CHECK(!redis_config_check(&c, a, &why) && strstr(why, "needs a password") != NULL);
    c.redis_password = "x";
    CHECK(redis_config_check(&c, a, &why));
    c.redis_sentinel_password = arena_alloc(a, 300);
    memset((char *)c.redis_sentinel_password, 'x', 299);
    CHECK(!redis_config_check(&c, a, &why) && strstr(why, "redis_sentinel_password") != NULL);
    c.redis_sentinel_password = "";
    c.redis_tls = true;
    c.redis = "run/redis.sock";
    CHECK(!redis_config_check(&c, a, &why) && strncmp(why, "redis_tls: ", 11) == 0);
    arena_free(a);
}

TEST(slots)
{
    CHECK_INT(redis_slot(blob_str("123456789")), 0x31C3);
    CHECK_INT(redis_slot(blob_str("")), 0);
    CHECK_INT(redis_slot(blob_str("foo")), 12182);
    CHECK_INT(redis_slot(blob_str("{foo}bar")), 12182);
    CHECK_INT(redis_slot(blob_str("bar{foo}{other}")), 12182);
    CHECK(redis_slot(blob_str("{}foo")) != 12182); /* empty braces are no tag */
    CHECK_INT(redis_slot(blob_str("foo{{bar}}zap")), redis_slot(blob_str("{bar")));
    CHECK_INT(redis_slot(blob_str("{user1000}.following")), redis_slot(blob_str("{user1000}.followers")));
}

/* --- a node that says what it is told to ---------------------------------------------------------------------------------------------------------- */
struct node { int fd; unsigned port; pthread_t thread; struct blob slots, evalsha; };

static const char info[] = "run_id:0123456789012345678901234567890123456789\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nrole:master\r\n";

static void put(int fd, struct blob b)
{
    if (write(fd, b.p, b.n) < 0)
        return;
}

static void *serve(void *ptr)
{
    struct node *n = ptr;
    char buf[4096], bulk[300];
    int len = snprintf(bulk, sizeof bulk, "$%zu\r\n%s\r\n", sizeof info - 1, info);
    for (int fd; (fd = accept(n->fd, NULL, NULL)) >= 0; close(fd))
        for (ssize_t got; (got = read(fd, buf, sizeof buf - 1)) > 0; ) {
            buf[got] = '\0';
            struct blob what = strstr(buf, "INFO") != NULL ? blob_of(bulk, (size_t)len) : strstr(buf, "SLOTS") != NULL ? n->slots : n->evalsha;
            put(fd, what);
            if (what.p == n->slots.p && (what.n == 0 || n->evalsha.n == 0))
                break; /* what is cut short ends there */
        }
    return NULL;
}

static void node_open(struct node *n)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    *n = (struct node){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
    REQUIRE(bind(n->fd, (struct sockaddr *)&at, len) == 0 && listen(n->fd, 16) == 0 && getsockname(n->fd, (struct sockaddr *)&at, &len) == 0);
    n->port = ntohs(at.sin_port);
    REQUIRE(pthread_create(&n->thread, NULL, serve, n) == 0);
}

static void node_close(struct node *n)
{
    shutdown(n->fd, SHUT_RDWR);
    pthread_join(n->thread, NULL);
    close(n->fd);
}

static struct redis *cluster_at(struct arena *a, const struct node *n)
{
    static struct config c;
    const char *why = "";
    c = *config_load(a, NULL, &why);
    c.redis = arena_printf(a, "cluster 127.0.0.1:%u", n->port);
    c.redis_timeout = 100;
    c.redis_failover_wait = 0;
    return redis_new(&c);
}

/* Whatever it says of its slots is a map or none, never a crash, never a wait. */
static void map_of(struct node *n, struct blob bytes)
{
    struct arena *a = arena_new(1 << 22);
    struct redis *r = cluster_at(a, n);
    n->slots = bytes;
    struct redis_node *node = redis_route(r, (int)redis_slot(blob_str("foo")));
    if (node != NULL) {
        CHECK(node->used && node->master && node->at.host[0] != '\0' && node->at.port > 0);
        redis_node_drop(node);
    }
    arena_free(a);
    redis_free(r);
}

static void mutated_map(void *ctx, struct blob bytes) { map_of(ctx, bytes); }

TEST(maps_that_are_wrong)
{
    struct node n;
    node_open(&n);
    static const char *const maps[] = {
        "*0\r\n", "$-1\r\n", "-ERR This instance has cluster support disabled\r\n", ":1\r\n", "+OK\r\n", "*1\r\n:1\r\n", "*1\r\n*0\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n", "*1\r\n*3\r\n:-1\r\n:5\r\n*2\r\n$1\r\na\r\n:1\r\n", "*1\r\n*3\r\n:9\r\n:5\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$1\r\n?\r\n:7000\r\n", "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$1\r\na\r\n:70000\r\n", "*1\r\n*3\r\n:0\r\n:16383\r\n*1\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n:0\r\n:16383\r\n:5\r\n",
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        map_of(&n, blob_str(maps[i]));
    struct arena *a = arena_new(1 << 20);
    char *right = arena_printf(a, "*2\r\n*3\r\n:0\r\n:8000\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$2\r\nid\r\n*4\r\n:8001\r\n:16383\r\n*2\r\n$-1\r\n:%u\r\n*2\r\n$0\r\n\r\n:1\r\n", n.port, n.port);
    map_of(&n, blob_str(right));
    struct redis *r = cluster_at(a, &n);
    n.slots = blob_str(right);
    CHECK(redis_take_key(r, a, blob_str("foo")) != NULL); /* 12182: of the node that named no host */
    arena_free(a);
    redis_free(r); /* the node talks to one at a time */
    a = arena_new(1 << 20);
    right = arena_printf(a, "*1\r\n*4\r\n:0\r\n:16383\r\n*3\r\n$-1\r\n:%u\r\n$2\r\nid\r\n*2\r\n$0\r\n\r\n:7000\r\n", n.port);
    CHECK(mutate_all(blob_str(right), mutated_map, &n) > 400);
    arena_free(a);
    node_close(&n);
}

/* A redirection that leads in a circle, or nowhere, ends. */
TEST(redirections_that_are_wrong)
{
    struct node n;
    node_open(&n);
    struct arena *a = arena_new(1 << 22);
    const char *right = arena_printf(a, "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n", n.port);
    const char *const wrong[] = {
        arena_printf(a, "-MOVED 12182 127.0.0.1:%u\r\n", n.port), arena_printf(a, "-MOVED 12182 :%u\r\n", n.port), "-MOVED 12182 127.0.0.1:1\r\n", "-MOVED 99999 127.0.0.1:1\r\n",
        "-MOVED -1 127.0.0.1:1\r\n", "-MOVED \r\n", "-MOVED 1\r\n", "-MOVED 1 x\r\n", "-ASK 1 :0\r\n", "-ASK 12182 [::1]:1\r\n", "-ASK 12182 127.0.0.1:99999\r\n",
        "-TRYAGAIN x\r\n", "-CLUSTERDOWN x\r\n", "-MASTERDOWN x\r\n", "-READONLY x\r\n", "-LOADING x\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct arena *one = arena_new(1 << 22);
        struct redis *r = cluster_at(one, &n);
        struct redis_value v;
        n.slots = blob_str(right);
        n.evalsha = blob_str(wrong[i]);
        struct redis_conn *c = redis_take_key(r, one, blob_str("foo"));
        struct blob get[] = { blob_str("HGET"), blob_str("foo"), blob_str("x") };
        if (CHECK(c != NULL))
            CHECK(redis_ask(c, 3, get, &v) != REDIS_DONE);
        arena_free(one);
        redis_free(r);
    }
    arena_free(a);
    node_close(&n);
}
