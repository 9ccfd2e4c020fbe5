/* test_redis.c - connections to a real redis-server: pipelines, errors told apart, outages, reconnecting. */
#include "backend/base/redis.h"
#include "tests/unit.h"
#include "tests/unit/session-context/redis_server.c"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct redis_server server;
static struct config config;

static struct redis *open_redis(struct arena *a, unsigned number)
{
    const char *why = "", *dir = arena_printf(a, "%s/r%u", unit_tmpdir(), number);
    mkdir(dir, 0700);
    if (!redis_server_start(&server, dir))
        SKIP("no redis-server");
    config = *config_load(a, NULL, &why);
    config.redis = server.socket;
    config.redis_timeout = 300;
    return redis_new(&config);
}

static enum redis_result say(struct redis_conn *c, struct arena *a, const char *line, struct redis_value *v)
{
    struct blob argv[16];
    size_t n = 0;
    char *save = NULL;
    for (char *w = strtok_r(arena_strdup(a, line), " ", &save); w != NULL && n < 16; w = strtok_r(NULL, " ", &save))
        argv[n++] = blob_str(w);
    return redis_cmd(c, n, argv, v);
}

static void close_redis(struct redis *r, struct arena *a)
{
    arena_free(a);
    redis_free(r);
    redis_server_kill(&server);
}

TEST(values)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = open_redis(a, 1);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    uint8_t binary[256];
    for (size_t i = 0; i < sizeof binary; i++)
        binary[i] = (uint8_t)i;
    REQUIRE(c != NULL);
    uint8_t run[REDIS_RUN], none[REDIS_RUN] = { 0 };
    redis_run(c, run);
    CHECK(memcmp(run, none, sizeof run) != 0);
    struct blob set[] = { blob_str("SET"), blob_str("k"), blob_of(binary, sizeof binary) }, empty[] = { blob_str("SET"), blob_str("e"), blob_of(NULL, 0) };
    CHECK(redis_cmd(c, 3, set, &v) == REDIS_DONE && v.type == REDIS_STATUS_OK);
    CHECK(redis_cmd(c, 3, empty, &v) == REDIS_DONE);
    CHECK(say(c, a, "GET k", &v) == REDIS_DONE && v.type == REDIS_STRING);
    CHECK_BLOB(v.s, blob_of(binary, sizeof binary));
    CHECK(say(c, a, "GET nothing", &v) == REDIS_DONE && v.type == REDIS_NIL);
    CHECK(say(c, a, "INCR n", &v) == REDIS_DONE && v.type == REDIS_INT && v.i == 1);
    CHECK(say(c, a, "MGET k e nothing", &v) == REDIS_DONE && v.type == REDIS_ARRAY && v.n == 3);
    CHECK(v.v[0].type == REDIS_STRING && v.v[1].type == REDIS_STRING && v.v[1].s.n == 0 && v.v[2].type == REDIS_NIL);
    CHECK(say(c, a, "HGET k x", &v) == REDIS_REFUSED && v.type == REDIS_ERROR); /* wrong type */
    CHECK(say(c, a, "NOSUCHCOMMAND", &v) == REDIS_REFUSED);
    CHECK(say(c, a, "EVALSHA 0123456789012345678901234567890123456789 0", &v) == REDIS_NOSCRIPT);
    close_redis(r, a);
}

TEST(pipelines)
{
    struct arena *a = arena_new(1 << 20), *other = arena_new(1 << 20);
    struct redis *r = open_redis(a, 2);
    struct redis_conn *c = redis_take(r, other);
    struct redis_value v;
    struct blob incr[] = { blob_str("INCR"), blob_str("n") };
    REQUIRE(c != NULL);
    for (int i = 0; i < 100; i++)
        redis_queue(c, 2, incr);
    CHECK(redis_flush(c) == REDIS_DONE);
    for (int i = 1; i <= 60; i++)
        CHECK(redis_next(c, &v) == REDIS_DONE && v.i == i);
    redis_forget(c); /* the other 40 are not wanted */
    CHECK(say(c, a, "INCR n", &v) == REDIS_DONE && v.i == 101);
    redis_queue(c, 2, incr); /* nobody reads this one: the next user of the connection does not see it */
    CHECK(redis_flush(c) == REDIS_DONE);
    arena_free(other);
    struct redis_conn *again = redis_take(r, a);
    CHECK(say(again, a, "INCR n", &v) == REDIS_DONE && v.i == 103);
    close_redis(r, a);
}

TEST(scripts)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = open_redis(a, 3);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    static struct redis_script s = { "return {KEYS[1], ARGV[1], #ARGV}", "" };
    struct blob argv[] = { blob_str("one"), blob_of("\0\r\n", 3) };
    REQUIRE(c != NULL);
    redis_script_init(&s);
    redis_queue_script(c, &s, blob_str("key"), 2, argv);
    CHECK(redis_flush(c) == REDIS_DONE && redis_next(c, &v) == REDIS_NOSCRIPT);
    CHECK(redis_load(c, &s) == REDIS_DONE);
    redis_queue_script(c, &s, blob_str("key"), 2, argv);
    CHECK(redis_flush(c) == REDIS_DONE && redis_next(c, &v) == REDIS_DONE);
    REQUIRE(v.type == REDIS_ARRAY && v.n == 3);
    CHECK_BLOB(v.v[0].s, blob_str("key"));
    CHECK_INT(v.v[2].i, 2);
    close_redis(r, a);
}

TEST(outages)
{
    struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20);
    struct redis *r = open_redis(a, 4);
    struct redis_value v;
    struct redis_conn *c = redis_take(r, a);
    REQUIRE(c != NULL);
    uint8_t before[REDIS_RUN], now[REDIS_RUN];
    redis_run(c, before);
    redis_server_kill(&server);
    CHECK(say(c, a, "PING", &v) == REDIS_LOST);
    CHECK(say(c, a, "PING", &v) == REDIS_DOWN);
    CHECK(redis_take(r, b) == NULL);
    REQUIRE(redis_server_start(&server, server.dir));
    CHECK(say(c, a, "PING", &v) == REDIS_DONE); /* the same lease connects again */
    redis_run(c, now);
    CHECK(memcmp(before, now, sizeof now) != 0);
    /* a connection that went stale in the pool is not handed out */
    arena_free(b);
    b = arena_new(1 << 20);
    CHECK(redis_take(r, b) != NULL);
    arena_free(b);
    redis_server_kill(&server);
    REQUIRE(redis_server_start(&server, server.dir));
    b = arena_new(1 << 20);
    c = redis_take(r, b);
    CHECK(c != NULL && say(c, a, "PING", &v) == REDIS_DONE);
    arena_free(b);
    close_redis(r, a);
}

/* A pipeline whose first command found no server does not go without it when the server is back for the second. */
TEST(a_pipeline_goes_whole_or_not_at_all)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = open_redis(a, 7);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    struct blob ping[] = { blob_str("PING") };
    REQUIRE(c != NULL);
    redis_server_kill(&server);
    CHECK(say(c, a, "PING", &v) == REDIS_LOST);
    redis_queue(c, 1, ping);
    REQUIRE(redis_server_start(&server, server.dir));
    redis_queue(c, 1, ping);
    CHECK(redis_flush(c) == REDIS_DOWN);
    redis_queue(c, 1, ping);
    redis_queue(c, 1, ping);
    CHECK(redis_flush(c) == REDIS_DONE);
    CHECK(redis_next(c, &v) == REDIS_DONE && redis_next(c, &v) == REDIS_DONE);
    close_redis(r, a);
}

TEST(refusals_of_a_full_or_secondary_server)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = open_redis(a, 5);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    REQUIRE(c != NULL);
    CHECK(say(c, a, "CONFIG SET maxmemory 100000", &v) == REDIS_DONE);
    CHECK(say(c, a, "SET k v", &v) == REDIS_OOM);
    CHECK(say(c, a, "GET k", &v) == REDIS_DONE);
    CHECK(say(c, a, "CONFIG SET maxmemory 0", &v) == REDIS_DONE);
    CHECK(say(c, a, "REPLICAOF 127.0.0.1 1", &v) == REDIS_DONE);
    CHECK(say(c, a, "SET k v", &v) == REDIS_READONLY_);
    CHECK(say(c, a, "REPLICAOF NO ONE", &v) == REDIS_DONE);
    CHECK(say(c, a, "SET k v", &v) == REDIS_DONE);
    for (int i = REDIS_DONE; i <= REDIS_REFUSED; i++)
        CHECK(redis_why((enum redis_result)i)[0] != '\0');
    close_redis(r, a);
}

TEST(passwords_and_tcp)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = open_redis(a, 6);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    REQUIRE(c != NULL);
    CHECK(say(c, a, "CONFIG SET requirepass geheim", &v) == REDIS_DONE);
    struct redis *none = redis_new(&config);
    CHECK(redis_take(none, a) == NULL);
    config.redis_password = "falsch";
    struct redis *wrong = redis_new(&config);
    CHECK(redis_take(wrong, a) == NULL);
    config.redis_password = "geheim";
    struct redis *right = redis_new(&config);
    CHECK(redis_take(right, a) != NULL);
    CHECK(say(c, a, "CONFIG SET bind 127.0.0.1", &v) == REDIS_DONE);
    int port = 0;
    for (int p = 21000; p < 21100 && port == 0; p++)
        if (say(c, a, arena_printf(a, "CONFIG SET port %d", p), &v) == REDIS_DONE)
            port = p;
    config.redis = arena_printf(a, "127.0.0.1:%d", port);
    struct redis *tcp = redis_new(&config);
    struct redis_conn *over = redis_take(tcp, a);
    CHECK(over != NULL && say(over, a, "PING", &v) == REDIS_DONE);
    arena_free(a);
    redis_free(none);
    redis_free(wrong);
    redis_free(right);
    redis_free(tcp);
    redis_free(r);
    redis_server_kill(&server);
}

/* --- TLS ------------------------------------------------------------------------------------------------------------------------------- */
static int tls_port(struct redis_conn *c, struct arena *a, const char *dir)
{
    struct redis_value v;
    if (system(arena_printf(a, "cd '%s' && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null", dir)) != 0)
        SKIP("no openssl");
    const char *files = arena_printf(a, "CONFIG SET tls-cert-file %1$s/cert.pem tls-key-file %1$s/key.pem tls-ca-cert-file %1$s/cert.pem tls-auth-clients no", dir);
    CHECK(say(c, a, files, &v) == REDIS_DONE && say(c, a, "CONFIG SET bind 127.0.0.1", &v) == REDIS_DONE);
    for (int p = 21100; p < 21200; p++)
        if (say(c, a, arena_printf(a, "CONFIG SET tls-port %d", p), &v) == REDIS_DONE)
            return p;
    return 0;
}

/* Where hiredis can: encrypted and checked; else refused before anything starts. */
TEST(tls)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = open_redis(a, 8);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    const char *why = "";
    REQUIRE(c != NULL);
    int port = tls_port(c, a, server.dir);
    REQUIRE(port != 0);
    config.redis = arena_printf(a, "127.0.0.1:%d", port);
    config.redis_tls = true;
    config.redis_tls_ca = arena_printf(a, "%s/cert.pem", server.dir);
    if (redis_config_check(&config, a, &why)) {
        struct redis *safe = redis_new(&config);
        struct redis_conn *over = redis_take(safe, a);
        CHECK(over != NULL && say(over, a, "PING", &v) == REDIS_DONE);
        config.redis_tls_ca = "/nowhere/ca.pem";
        CHECK(!redis_config_check(&config, a, &why) && strncmp(why, "redis_tls: ", 11) == 0);
        config.redis_tls_ca = ""; /* the system's authorities know nothing of this one */
        CHECK(redis_config_check(&config, a, &why));
        struct redis *strict = redis_new(&config);
        CHECK(redis_take(strict, a) == NULL);
        arena_free(a);
        redis_free(safe);
        redis_free(strict);
    } else {
        CHECK(strstr(why, "hiredis without TLS") != NULL);
        arena_free(a);
    }
    config.redis_tls = false;
    redis_free(r);
    redis_server_kill(&server);
}

/* --- a server that answers nonsense, nothing, or hangs up ------------------------------------------------------------------------------- */
struct liar { const char *say[8]; int fd; pthread_t t; };

static void *lie(void *ptr)
{
    struct liar *l = ptr;
    char buf[4096];
    for (size_t i = 0; l->say[i] != NULL; i++) {
        int fd = accept(l->fd, NULL, NULL);
        if (read(fd, buf, sizeof buf) > 0 && write(fd, l->say[i], strlen(l->say[i])) < 0)
            break;
        struct timeval tv = { 0, 400000 };
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        while (l->say[i][0] == '\0' && read(fd, buf, sizeof buf) > 0)
            ;
        close(fd);
    }
    return NULL;
}

TEST(hostile_server)
{
    struct arena *a = arena_new(1 << 22);
    const char *why = "", *path = arena_printf(a, "%s/liar.sock", unit_tmpdir());
    struct sockaddr_un u = { .sun_family = AF_UNIX };
    struct liar l = { .say = { "", "garbage\r\n", "$5\r\nab", "*-7\r\n", "$200000000000\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "$3\r\nabc\r\n" } };
    config = *config_load(a, NULL, &why);
    config.redis = path;
    config.redis_timeout = 150;
    snprintf(u.sun_path, sizeof u.sun_path, "%s", path);
    l.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(l.fd, (struct sockaddr *)&u, sizeof u) == 0 && listen(l.fd, 8) == 0);
    REQUIRE(pthread_create(&l.t, NULL, lie, &l) == 0);
    struct redis *r = redis_new(&config);
    for (size_t i = 0; l.say[i] != NULL; i++)
        CHECK(redis_take(r, a) == NULL); /* each lie is an outage, never a crash, never a wait beyond the timeout */
    pthread_join(l.t, NULL);
    close(l.fd);
    arena_free(a);
    redis_free(r);
}
