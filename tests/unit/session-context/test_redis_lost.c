/* test_redis_lost.c - a Redis that dies, restarts, forgets its last writes, or is another one while a request runs. */
#include "backend/base/metric.h"
#include "tests/unit/session-context/bench.h"
#include "backend/base/filetime.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

/* --- Redis dies ------------------------------------------------------------------------------------------------------------------------------ */
TEST(redis_restarts_between_requests)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "cursor", NULL, &t);
    context_put(t.c, 1, blob_str("moved"));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    bench_restart(b);
    bench_check_state(b, &k, "moved");
    before = k;
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    REQUIRE(bench_end(&t, &k, "sent") == CONTEXT_DONE);
    bench_restart(b);
    bench_begin(&b->env, b, &before, "send", NULL, &t);
    CHECK(t.begin == BEGIN_ANSWER);
    CHECK_BLOB(t.answer, blob_str("sent"));
    bench_leave(&t);
    CHECK_INT(bench_effects(b, "mail"), 1);
    bench_restart(b);
    bench_begin(&b->env, b, &before, "old", NULL, &t);
    CHECK(t.begin == BEGIN_SEQUENCE);
    bench_leave(&t);
    bench_check_state(b, &k, "moved");
    arena_free(b->a);
}

TEST(redis_restarts_within_a_request)
{
    for (int effect = 0; effect < 2; effect++) {
        struct bench *b = bench_open();
        struct client k = { 0 };
        struct turn t;
        bench_connect(b, &k);
        bench_begin(&b->env, b, &k, "send", NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        if (effect)
            bench_effect(b, &t, "mail");
        context_put(t.c, 1, blob_str("new"));
        bench_restart(b);
        CHECK(bench_end(&t, &k, "sent") == CONTEXT_DONE);
        CHECK_INT(bench_effects(b, "mail"), effect);
        bench_check_state(b, &k, "new");
        arena_free(b->a);
    }
}

TEST(redis_stays_down)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    b->config.lock_lease = 200;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    context_put(t.c, 1, blob_str("new"));
    redis_server_kill(&b->server);
    CHECK(bench_end(&t, &k, "sent") == CONTEXT_DONE); /* the store has it: it succeeded */
    bench_begin(&b->env, b, &k, "down", NULL, &t);
    CHECK(t.begin == BEGIN_DOWN && t.why != NULL);
    bench_leave(&t);
    REQUIRE(redis_server_start(&b->server, b->server.dir));
    bench_nap(250);
    bench_begin(&b->env, b, &before, "send", NULL, &t);
    CHECK(t.begin == BEGIN_ANSWER);
    CHECK_BLOB(t.answer, blob_str("sent"));
    bench_leave(&t);
    CHECK_INT(bench_effects(b, "mail"), 1);
    bench_check_state(b, &k, "new");
    arena_free(b->a);
}

TEST(context_change_with_redis_down_fails)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    struct blob s;
    b->config.lock_lease = 200;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "cursor", NULL, &t);
    context_put(t.c, 1, blob_str("new"));
    redis_server_kill(&b->server);
    CHECK(bench_end(&t, &k, "") == CONTEXT_FAILED);
    REQUIRE(redis_server_start(&b->server, b->server.dir));
    bench_nap(250);
    bench_begin(&b->env, b, &before, "cursor", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    CHECK(context_block(t.c, 1, &s));
    CHECK_BLOB(s, blob_str("logon"));
    bench_leave(&t);
    arena_free(b->a);
}

TEST(redis_loses_everything)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    bench_connect(b, &k);
    bench_redis(b, "FLUSHALL");
    bench_begin(&b->env, b, &k, "x", NULL, &t);
    CHECK(t.begin == BEGIN_NOT_FOUND);
    bench_leave(&t);
    arena_free(b->a);
}

/* --- Redis forgets its last writes: the key as it was before, and another run id ------------------------------------------------------------ */
struct old { struct blob dump; struct blob key; };

static struct old remember(struct bench *b, const struct client *k)
{
    const char *key = bench_key(b, k);
    struct redis_value v = bench_redis(b, arena_printf(b->a, "DUMP %s", key));
    return (struct old){ v.s, blob_str(key) };
}

static void forget(struct bench *b, const struct old *o)
{
    struct redis_conn *r = redis_take(b->env.redis, b->a);
    struct blob argv[] = { blob_str("RESTORE"), o->key, blob_str("900000"), o->dump, blob_str("REPLACE") };
    struct redis_value v;
    REQUIRE(r != NULL && redis_cmd(r, 5, argv, &v) == REDIS_DONE);
    bench_restart(b);
}

static void send(struct bench *b, struct client *k, const char *body, const char *effect, const char *state)
{
    struct turn t;
    bench_begin(&b->env, b, k, body, NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    if (effect != NULL)
        bench_effect(b, &t, effect);
    if (state != NULL)
        context_put(t.c, 1, blob_str(state));
    REQUIRE(bench_end(&t, k, body) == CONTEXT_DONE);
}

TEST(one_lost_store_change_is_put_back)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct blob answer;
    bench_connect(b, &k);
    send(b, &k, "first", "mail", "one");
    struct old o = remember(b, &k);
    before = k;
    send(b, &k, "second", "mail", "two");
    forget(b, &o);
    CHECK(bench_try(b, &before, "second", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("second"));
    bench_check_state(b, &k, "two");
    /* the same, the client goes on with the next number */
    o = remember(b, &k);
    send(b, &k, "third", "mail", "three");
    forget(b, &o);
    bench_check_state(b, &k, "three");
    CHECK_INT(bench_effects(b, "mail"), 3);
    arena_free(b->a);
}

TEST(lost_read_between_is_no_gap)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    send(b, &k, "first", "mail", "one");
    struct old o = remember(b, &k);
    send(b, &k, "only reads", NULL, NULL);
    send(b, &k, "second", "mail", "two");
    forget(b, &o);
    bench_check_state(b, &k, "two");
    arena_free(b->a);
}

TEST(gaps_end_the_session)
{
    static const struct { const char *effect, *state; } lost[][2] = {
        { { NULL, "cursor" }, { NULL, NULL } },          /* a cursor moved, nobody knows where to */
        { { NULL, "cursor" }, { "mail", "cursor 2" } },  /* the delta stands on what was lost */
        { { "mail", "a" }, { "mail", "b" } },            /* two steps */
        { { "mail", "a" }, { NULL, "b" } },
    };
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        struct bench *b = bench_open();
        struct client k = { 0 }, before;
        struct blob answer;
        bench_connect(b, &k);
        send(b, &k, "first", "mail", "one");
        struct old o = remember(b, &k);
        before = k;
        send(b, &k, "x", lost[i][0].effect, lost[i][0].state);
        send(b, &k, "y", lost[i][1].effect, lost[i][1].state);
        unsigned effects = bench_effects(b, "mail");
        forget(b, &o);
        CHECK(bench_try(b, &k, "z", &answer) == BEGIN_NOT_FOUND);
        CHECK(bench_try(b, &k, "z", &answer) == BEGIN_NOT_FOUND);
        CHECK(bench_try(b, &before, "x", &answer) == BEGIN_NOT_FOUND);
        CHECK_INT(bench_effects(b, "mail"), effects);
        arena_free(b->a);
    }
}

/* A takeover that Redis forgot must not give two workers the same epoch. */
TEST(forgotten_takeover)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t, u;
    bench_connect(b, &k);
    send(b, &k, "first", "mail", "one");
    struct old o = remember(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "second", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    forget(b, &o); /* the grant is forgotten, its holder is not */
    bench_begin(&b->env, b, &before, "second", NULL, &u);
    REQUIRE(u.begin == BEGIN_RUN);
    CHECK(u.c->epoch > t.c->epoch);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &before, "") == CONTEXT_OVERTAKEN);
    bench_effect(b, &u, "mail");
    CHECK(bench_end(&u, &k, "") == CONTEXT_DONE);
    CHECK_INT(bench_effects(b, "mail"), 2);
    arena_free(b->a);
}

/* Redis goes back to the same moment twice: the second time the journals know newer locks than it does. */
TEST(forgets_twice)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    send(b, &k, "first", "mail", "one");
    struct old o = remember(b, &k);
    send(b, &k, "second", "mail", "two");
    struct client next = k;
    for (int i = 0; i < 2; i++) {
        forget(b, &o);
        k = next;
        bench_check_state(b, &k, "two");
    }
    send(b, &k, "third", "mail", "three");
    bench_check_state(b, &k, "three");
    CHECK_INT(bench_effects(b, "mail"), 3);
    arena_free(b->a);
}

/* --- another Redis while a request runs -------------------------------------------------------------------------------------------------------- */
/* The lock of a request that another Redis wrote down keeps nobody waiting: its repeat takes over at once, and it comes to nothing itself. */
TEST(failover_within_a_request_that_is_repeated)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t, u;
    b->config.lock_lease = 60000;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "send", "{g}:9", &t);
    REQUIRE(t.begin == BEGIN_RUN);
    bench_restart(b);
    uint64_t start = clock_ms();
    bench_begin(&b->env, b, &before, "send", "{g}:9", &u);
    CHECK(clock_ms() - start < 2000);
    REQUIRE(u.begin == BEGIN_RUN);
    bench_effect(b, &u, "mail");
    REQUIRE(bench_end(&u, &before, "sent") == CONTEXT_DONE);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &k, "late") == CONTEXT_OVERTAKEN);
    CHECK_INT(bench_effects(b, "mail"), 1);
    bench_check_state(b, &before, "logon");
    arena_free(b->a);
}

/* The client goes on with the next number: it had an answer, of which this Redis knows nothing. 10, not 15. */
TEST(failover_that_lost_an_end)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, next;
    struct turn t;
    struct blob answer;
    b->config.lock_lease = 60000;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "cursor", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    bench_take_cookies(&t, &next);
    bench_restart(b);
    uint64_t start = clock_ms();
    CHECK(bench_try(b, &next, "another", &answer) == BEGIN_NOT_FOUND);
    CHECK(clock_ms() - start < 2000);
    context_put(t.c, 1, blob_str("late"));
    CHECK(bench_end(&t, &k, "") == CONTEXT_GONE);
    CHECK(bench_try(b, &next, "another", &answer) == BEGIN_NOT_FOUND);
    arena_free(b->a);
}

/* A running request renews its lock at the new Redis: from then on it is held there as well as anywhere. */
TEST(lease_is_renewed_at_another_redis)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t, u;
    b->config.lock_lease = 400;
    bench_connect(b, &k);
    bench_check_state(b, &k, "logon");
    bench_nap(1100); /* the timer thread has learnt how short the lease is */
    bench_begin(&b->env, b, &k, "long", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    bench_restart(b);
    bench_nap(600);
    bench_begin(&b->env, b, &k, "other", NULL, &u);
    CHECK(u.begin == BEGIN_SEQUENCE);
    bench_leave(&u);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &k, "") == CONTEXT_DONE);
    CHECK_INT(bench_effects(b, "mail"), 1);
    arena_free(b->a);
}

/* That a recovery is under way, or died, is no client's fault: it is waited for. */
TEST(recovery_under_way_is_waited_for)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before, head;
    struct turn t;
    b->config.lock_lease = 400;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "peep", "{g}:x", &t); /* only to make the cookie of the next request */
    bench_take_cookies(&t, &head);
    context_abandon(t.c);
    bench_leave(&t);
    CHECK(!bench_worker_process(b, &k, "send", "{g}:2", "mail", "one", "commit_store:1:kill"));
    bench_nap(450);
    k = before;
    CHECK(!bench_worker_process(b, &k, "send", "{g}:2", "mail", "one", "recover_fenced:1:kill"));
    bench_begin(&b->env, b, &head, "next", NULL, &t);
    CHECK_INT(t.begin, BEGIN_RUN);
    bench_leave(&t);
    CHECK_INT(bench_effects(b, "mail"), 1);
    arena_free(b->a);
}

/* Redis forgot even that the request was to change a mailbox which no saved logon names; the journal there does not let it happen twice. */
TEST(forgotten_note_of_a_mailbox)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    b->config.lock_lease = 200;
    bench_connect(b, &k);
    before = k;
    struct old o = remember(b, &k);
    struct guid first = b->mailbox;
    b->mailbox = b->second;
    CHECK(!bench_worker_process(b, &k, "logon and send", "{g}:2", "mail", "one", "commit_store:1:kill"));
    forget(b, &o);
    bench_begin(&b->env, b, &before, "logon and send", "{g}:2", &t);
    REQUIRE(t.begin == BEGIN_RUN);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &before, "sent") == CONTEXT_GONE);
    CHECK_INT(bench_effects(b, "mail"), 1);
    b->mailbox = first;
    arena_free(b->a);
}
