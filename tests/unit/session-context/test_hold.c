/* test_hold.c - the pending wait of a context: taken, replaced, renewed, left; the life of the context meanwhile. */
#include "tests/unit/session-context/bench.h"
#include "session/context/wait.h"
#include "tests/mutate.h"
#include <stdio.h>
#include <unistd.h>

#define ONE "aaaaaaaaaaaaaaaa"
#define TWO "bbbbbbbbbbbbbbbb"

static enum begin wait_as(struct bench *b, const struct client *k, const struct person *who, const char *process, struct wait_hold *h)
{
    struct arena *a = arena_new(1 << 24);
    struct context *c;
    struct begin_args args = { .who = who, .context_cookie = k->context[0] != '\0' ? k->context : NULL, .type = "NotificationWait", .request_id = "{x}:1" };
    const char *why = NULL;
    *h = (struct wait_hold){ .retention_ms = (int64_t)b->config.session_retention * 1000 };
    enum begin got = context_wait(&b->env, a, &args, process, &c, &h->number, &why);
    if (got == BEGIN_RUN) {
        memcpy(h->id, c->id, CONTEXT_ID);
        CHECK_STR(c->user, b->who.login);
        CHECK_INT(c->logons, 1);
    }
    arena_free(a);
    return got;
}

static struct wait_hold wait_begin(struct bench *b, const struct client *k, const char *process)
{
    struct wait_hold h;
    REQUIRE(wait_as(b, k, &b->who, process, &h) == BEGIN_RUN);
    return h;
}

static enum wait_held hold(struct bench *b, struct wait_hold *h, const char *process)
{
    context_wait_hold(&b->env, b->a, process, h, 1);
    return h->held;
}

static int64_t ttl(struct bench *b, const struct client *k) { return bench_redis(b, arena_printf(b->a, "PTTL %s", bench_key(b, k))).i; }
static bool has_wait(struct bench *b, const struct client *k) { return bench_redis(b, arena_printf(b->a, "HEXISTS %s w", bench_key(b, k))).i == 1; }

static bool leaves(struct bench *b, const struct client *k, const struct wait_hold *h, const char *process)
{
    CHECK(context_wait_end(&b->env, b->a, process, h));
    for (int i = 0; i < 1000 && has_wait(b, k); i++)
        usleep(1000);
    return !has_wait(b, k);
}

TEST(cookies_and_identity)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, none = { 0 }, forged = { .context = "AAAAAAAAAAAAAAAA" };
    struct person other = b->who;
    struct wait_hold h;
    bench_connect(b, &k);
    other.login = "v@example.com";
    CHECK(wait_as(b, &none, &b->who, ONE, &h) == BEGIN_MISSING);
    CHECK(wait_as(b, &forged, &b->who, ONE, &h) == BEGIN_FORGED);
    CHECK(wait_as(b, &k, &other, ONE, &h) == BEGIN_NOT_FOUND);
    CHECK(!has_wait(b, &k));
    CHECK(wait_as(b, &k, &b->who, ONE, &h) == BEGIN_RUN);
    bench_redis(b, arena_printf(b->a, "DEL %s", bench_key(b, &k)));
    CHECK(wait_as(b, &k, &b->who, ONE, &h) == BEGIN_NOT_FOUND);
    redis_server_kill(&b->server);
    CHECK(wait_as(b, &k, &b->who, ONE, &h) == BEGIN_DOWN);
    arena_free(b->a);
}

/* With the shortest retention: the life is that of the wait, and its own afterwards. */
TEST(the_life_of_the_context)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    b->config.session_retention = 1;
    bench_connect(b, &k);
    CHECK(ttl(b, &k) <= 1000);
    struct wait_hold h = wait_begin(b, &k, ONE);
    CHECK(ttl(b, &k) > 30000 && ttl(b, &k) <= 31000);
    bench_begin(&b->env, b, &k, "beside it", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE(bench_end(&t, &k, "x") == CONTEXT_DONE);
    CHECK(ttl(b, &k) > 29000);                       /* its end did not shorten it */
    bench_begin(&b->env, b, &k, "abandoned", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    bench_leave(&t);
    usleep(20000);
    CHECK(ttl(b, &k) > 29000);
    usleep(100000);
    CHECK_INT(hold(b, &h, ONE), WAIT_HELD);
    CHECK(ttl(b, &k) > 30900 && ttl(b, &k) <= 31000); /* renewed */
    CHECK(h.sequence == 2);
    CHECK(leaves(b, &k, &h, ONE));
    CHECK(ttl(b, &k) > 500 && ttl(b, &k) <= 1000);   /* R1260: from the end on */
    usleep(1100000);
    CHECK_INT(hold(b, &h, ONE), WAIT_NO_CONTEXT);
    arena_free(b->a);
}

/* Set by a request beside the wait: what it announced counts when the wait is renewed and when it ends. */
TEST(a_retention_that_changes_meanwhile)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    b->config.session_retention = 100;
    bench_connect(b, &k);
    struct wait_hold h = wait_begin(b, &k, ONE);
    b->config.session_retention = 2000;
    bench_begin(&b->env, b, &k, "beside it", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE(bench_end(&t, &k, "x") == CONTEXT_DONE);
    CHECK_INT(hold(b, &h, ONE), WAIT_HELD);
    CHECK(ttl(b, &k) > 2000000);
    CHECK(leaves(b, &k, &h, ONE));
    CHECK(ttl(b, &k) > 1900000 && ttl(b, &k) <= 2000000);
    b->config.session_retention = 300;
    h = wait_begin(b, &k, ONE);                      /* the wait itself is the newest */
    CHECK(leaves(b, &k, &h, ONE));
    CHECK(ttl(b, &k) > 200000 && ttl(b, &k) <= 300000);
    arena_free(b->a);
}

TEST(the_newer_replaces)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    struct wait_hold old = wait_begin(b, &k, ONE), new = wait_begin(b, &k, TWO);
    CHECK(new.number > old.number);
    CHECK_INT(hold(b, &old, ONE), WAIT_REPLACED);
    CHECK_INT(hold(b, &new, TWO), WAIT_HELD);
    CHECK(context_wait_end(&b->env, b->a, ONE, &old)); /* has no effect */
    CHECK_INT(hold(b, &new, TWO), WAIT_HELD);
    struct wait_hold third = wait_begin(b, &k, TWO);  /* in the same process */
    CHECK(third.number > new.number);
    CHECK_INT(hold(b, &new, TWO), WAIT_REPLACED);
    CHECK(leaves(b, &k, &third, TWO));
    arena_free(b->a);
}

/* A Redis that lost its last second may have forgotten the wait; nobody else took its place. */
TEST(a_forgotten_wait_is_taken_again)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    struct wait_hold h = wait_begin(b, &k, ONE);
    bench_redis(b, arena_printf(b->a, "HDEL %s w", bench_key(b, &k)));
    CHECK_INT(hold(b, &h, ONE), WAIT_HELD);
    CHECK(has_wait(b, &k));
    bench_redis(b, arena_printf(b->a, "HSET %s w damaged", bench_key(b, &k)));
    CHECK_INT(hold(b, &h, ONE), WAIT_HELD);
    redis_server_kill(&b->server);
    CHECK_INT(hold(b, &h, ONE), WAIT_NOT_KNOWN);
    arena_free(b->a);
}

TEST(many_are_renewed_together)
{
    enum { MANY = 300 };
    struct bench *b = bench_open();
    struct client *k = arena_array(b->a, struct client, MANY);
    struct wait_hold *h = arena_array(b->a, struct wait_hold, MANY);
    b->config.sessions_per_user = 0;
    for (size_t i = 0; i < MANY; i++) {
        bench_connect(b, &k[i]);
        h[i] = wait_begin(b, &k[i], ONE);
    }
    bench_redis(b, arena_printf(b->a, "DEL %s", bench_key(b, &k[7])));
    wait_begin(b, &k[9], TWO);
    bench_redis(b, "SCRIPT FLUSH");
    context_wait_hold(&b->env, b->a, ONE, h, MANY);
    for (size_t i = 0; i < MANY; i++)
        CHECK_INT(h[i].held, i == 7 ? WAIT_NO_CONTEXT : i == 9 ? WAIT_REPLACED : WAIT_HELD);
    arena_free(b->a);
}

/* What comes over the channel can be anything. */
TEST(words_from_other_processes)
{
    static const char *const bad[] = { "", ":", "1", "1:", "x:mapi:{00112233445566778899aabbccddeeff}", "1:mapi:{00112233445566778899aabbccddee}",
                                       "1:mapi:{00112233445566778899aabbccddeefG}", "99999999999999999999999:mapi:{00112233445566778899aabbccddeeff}" };
    uint8_t id[CONTEXT_ID];
    uint64_t number = 99;
    CHECK(context_wait_told(blob_str("0:mapi:{00112233445566778899aabbccddeeff}"), id, &number));
    CHECK_INT(number, 0);
    CHECK_BYTES(blob_of(id, CONTEXT_ID), "00112233 44556677 8899aabb ccddeeff");
    CHECK(context_wait_told(blob_str("1763817000123:other:{00112233445566778899aabbccddeeff}"), id, &number));
    CHECK(number == 1763817000123);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!context_wait_told(blob_str(bad[i]), id, &number));
}

static void hear(void *ctx, struct blob variant)
{
    uint8_t id[CONTEXT_ID];
    uint64_t number;
    *(unsigned *)ctx += context_wait_told(variant, id, &number);
}

TEST(words_cut_and_flipped)
{
    unsigned understood = 0;
    mutate_all(blob_str("1763817000123:mapi:{00112233445566778899aabbccddeeff}"), hear, &understood);
    CHECK(understood > 1); /* the whole, other digits, another prefix */
}
