/* test_recover.c - two at once, takeovers, stalled owners, workers that die at each fault point, Redis that restarts or forgets. */
#include "backend/base/metric.h"
#include "tests/unit/session-context/bench.h"
#include "backend/base/filetime.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static void nap(unsigned ms) { nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL); }

static void stall(struct turn *t) { lease_end(&t->c->p->lease); } /* nobody renews its lock any more, as if the process stood still */

static enum begin try(struct bench *b, const struct client *k, const char *body, struct blob *answer)
{
    struct turn t;
    bench_begin(&b->env, b, k, body, NULL, &t);
    *answer = arena_blob(b->a, t.answer);
    enum begin got = t.begin;
    bench_leave(&t);
    return got;
}

static void check_state(struct bench *b, struct client *k, const char *want)
{
    struct turn t;
    struct blob s;
    bench_begin(&b->env, b, k, arena_printf(b->a, "look %llu", (unsigned long long)clock_us()), NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    CHECK(context_block(t.c, 1, &s));
    CHECK_BLOB(s, blob_str(want));
    REQUIRE(bench_end(&t, k, "") == CONTEXT_DONE);
}

/* --- at once ---------------------------------------------------------------------------------------------------------------------------- */
TEST(other_request_waits_shortly_then_15)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, next;
    struct turn t, u;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "long", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    uint64_t start = clock_ms();
    bench_begin(&b->env, b, &k, "same cookies, other body", NULL, &u);
    CHECK(u.begin == BEGIN_SEQUENCE);
    bench_leave(&u);
    bench_take_cookies(&t, &next);
    bench_begin(&b->env, b, &next, "next", NULL, &u);
    CHECK(u.begin == BEGIN_SEQUENCE);
    uint64_t took = clock_ms() - start;
    CHECK(took >= 90 && took < 1000);
    bench_leave(&u);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    check_state(b, &k, "logon");
    arena_free(b->a);
}

struct racer { struct bench *b; struct client k; const char *body; enum begin begin; bool same_answer; pthread_t thread; };

static void *race(void *ptr)
{
    struct racer *r = ptr;
    struct turn t;
    bench_begin(&r->b->env, r->b, &r->k, r->body, "{g}:race", &t);
    r->begin = t.begin;
    r->same_answer = t.begin == BEGIN_ANSWER && blob_eq(t.answer, blob_str("answer of the first"));
    if (t.begin == BEGIN_RUN)
        context_abandon(t.c);
    bench_leave(&t);
    return NULL;
}

TEST(repeat_waits_for_the_running_one)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    bench_connect(b, &k);
    struct racer r[3];
    bench_begin(&b->env, b, &k, "send", "{g}:race", &t);
    REQUIRE(t.begin == BEGIN_RUN);
    for (size_t i = 0; i < 3; i++) {
        r[i] = (struct racer){ .b = b, .k = k, .body = "send" };
        pthread_create(&r[i].thread, NULL, race, &r[i]);
    }
    nap(300); /* longer than an ordinary request waits */
    bench_effect(b, &t, "once");
    REQUIRE(bench_end(&t, &k, "answer of the first") == CONTEXT_DONE);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(r[i].thread, NULL);
        CHECK_INT(r[i].begin, BEGIN_ANSWER);
        CHECK(r[i].same_answer);
    }
    CHECK_INT(bench_effects(b, "once"), 1);
    arena_free(b->a);
}

TEST(many_at_once_one_runs)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    struct racer r[8];
    for (size_t i = 0; i < 8; i++) {
        r[i] = (struct racer){ .b = b, .k = k, .body = arena_printf(b->a, "body %zu", i) };
        pthread_create(&r[i].thread, NULL, race, &r[i]);
    }
    unsigned refused = 0;
    for (size_t i = 0; i < 8; i++) {
        pthread_join(r[i].thread, NULL);
        CHECK(r[i].begin == BEGIN_RUN || r[i].begin == BEGIN_SEQUENCE);
        refused += r[i].begin == BEGIN_SEQUENCE;
    }
    CHECK(refused < 8);
    arena_free(b->a);
}

/* --- leases ------------------------------------------------------------------------------------------------------------------------------ */
TEST(lease_is_renewed)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t, u;
    b->config.lock_lease = 400;
    bench_connect(b, &k);
    check_state(b, &k, "logon");
    nap(1100); /* the timer thread has learnt how short the lease is */
    bench_begin(&b->env, b, &k, "long", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    for (int i = 0; i < 4; i++) {
        nap(300);
        bench_begin(&b->env, b, &k, "other", NULL, &u);
        CHECK(u.begin == BEGIN_SEQUENCE);
        bench_leave(&u);
        CHECK(!context_lost(t.c));
    }
    bench_effect(b, &t, "long");
    CHECK(bench_end(&t, &k, "") == CONTEXT_DONE);
    CHECK_INT(bench_effects(b, "long"), 1);
    arena_free(b->a);
}

/* The stalled worker changes neither store nor context when it wakes up. */
static int64_t counted(struct bench *b, enum metric m)
{
    size_t n;
    const struct metric_value *v = metric_read(b->a, &n);
    for (size_t i = 0; i < n; i++)
        if (v[i].metric == m)
            return v[i].n;
    return 0;
}

TEST(stalled_owner_is_overtaken)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t, u;
    b->config.lock_lease = 150;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "send", "{g}:9", &t);
    REQUIRE(t.begin == BEGIN_RUN);
    context_put(t.c, 1, blob_str("stalled"));
    stall(&t);
    int64_t recoveries = counted(b, METRIC_recoveries);
    bench_begin(&b->env, b, &before, "send", "{g}:9", &u); /* the client repeats it: waits for the lease, then takes over */
    REQUIRE(u.begin == BEGIN_RUN);
    CHECK_INT(counted(b, METRIC_recoveries), recoveries + 1);
    CHECK_INT(u.c->sequence, t.c->sequence);
    CHECK(u.c->epoch > t.c->epoch);
    CHECK(context_lost(t.c));
    bench_effect(b, &u, "mail");
    context_put(u.c, 1, blob_str("taken over"));
    REQUIRE(bench_end(&u, &k, "second") == CONTEXT_DONE);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &before, "first") == CONTEXT_OVERTAKEN);
    CHECK_INT(bench_effects(b, "mail"), 1);
    check_state(b, &k, "taken over");
    arena_free(b->a);
}

TEST(stalled_owner_wakes_while_the_other_runs)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t, u;
    b->config.lock_lease = 150;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    stall(&t);
    nap(200);
    bench_begin(&b->env, b, &before, "send", NULL, &u);
    REQUIRE(u.begin == BEGIN_RUN);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &before, "first") == CONTEXT_OVERTAKEN); /* with effects: the journal's fence */
    bench_effect(b, &u, "mail");
    CHECK(bench_end(&u, &k, "second") == CONTEXT_DONE);
    CHECK_INT(bench_effects(b, "mail"), 1);
    /* the same without an effect: the lock refuses */
    before = k;
    bench_begin(&b->env, b, &k, "cursor", NULL, &t);
    context_put(t.c, 1, blob_str("first"));
    stall(&t);
    nap(200);
    bench_begin(&b->env, b, &before, "cursor", NULL, &u);
    REQUIRE(u.begin == BEGIN_RUN);
    CHECK(bench_end(&t, &before, "") == CONTEXT_OVERTAKEN);
    context_put(u.c, 1, blob_str("second"));
    CHECK(bench_end(&u, &k, "") == CONTEXT_DONE);
    check_state(b, &k, "second");
    arena_free(b->a);
}

TEST(new_request_after_a_takeover)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, head;
    struct turn t, u;
    b->config.lock_lease = 150;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "never ends", NULL, &t);
    bench_take_cookies(&t, &head); /* its head had left */
    stall(&t);
    nap(200);
    bench_begin(&b->env, b, &head, "another", NULL, &u);
    REQUIRE(u.begin == BEGIN_RUN);
    CHECK_INT(u.c->sequence, 2);
    CHECK(bench_end(&u, &k, "") == CONTEXT_DONE);
    context_abandon(t.c);
    bench_leave(&t);
    check_state(b, &k, "logon");
    arena_free(b->a);
}

TEST(reconnect_fences_out_what_still_runs)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    bench_connect(b, &k); /* with the old cookie, while the old session works */
    bench_effect(b, &t, "late");
    CHECK(bench_end(&t, &k, "") == CONTEXT_OVERTAKEN);
    CHECK_INT(bench_effects(b, "late"), 0);
    check_state(b, &k, "logon");
    arena_free(b->a);
}

/* --- workers that die ------------------------------------------------------------------------------------------------------------------------ */
static const char *const points[] = {
    "begin_sent", "begin_done", "commit_before", "commit_journal", "commit_store", "commit_sent", "commit_redis", "recover_fenced",
};

/* A worker dies at each place of a request that changes the store; the repeat has the effect exactly once, whichever worker. */
static void die_and_repeat(const char *point, bool effect)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    b->config.lock_lease = 100;
    bench_connect(b, &k);
    REQUIRE(bench_worker_process(b, &k, "prelude", "{g}:1", "prelude", "zero", ""));
    before = k;
    bool done = bench_worker_process(b, &k, "send", "{g}:2", effect ? "mail" : NULL, "one", arena_printf(b->a, "%s:1:kill", point));
    CHECK(!done || strcmp(point, "recover_fenced") == 0 || (!effect && (strcmp(point, "commit_journal") == 0 || strcmp(point, "commit_store") == 0)));
    k = before;
    CHECK(bench_worker_process(b, &k, "send", "{g}:3", effect ? "mail" : NULL, "one", ""));
    CHECK(bench_worker_process(b, &k, "after", "{g}:4", "after", NULL, ""));
    CHECK_INT(bench_effects(b, "mail"), effect);
    CHECK_INT(bench_effects(b, "prelude"), 1);
    CHECK_INT(bench_effects(b, "after"), 1);
    check_state(b, &k, "one");
    arena_free(b->a);
}

TEST(worker_dies_in_a_request_that_changes_the_store)
{
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        die_and_repeat(points[i], true);
}

TEST(worker_dies_in_a_request_that_changes_the_context)
{
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        die_and_repeat(points[i], false);
}

/* It dies after the head went out: the client has the next number and repeats with it, or goes on with something else. */
TEST(worker_dies_after_the_head_left)
{
    for (int again = 0; again < 2; again++) {
        struct bench *b = bench_open();
        struct client k = { 0 }, head;
        struct turn t;
        b->config.lock_lease = 200;
        bench_connect(b, &k);
        REQUIRE(bench_worker_process(b, &k, "prelude", "{g}:1", NULL, NULL, ""));
        bench_begin(&b->env, b, &k, "peep", "{g}:x", &t); /* only to make the cookie of the next request */
        bench_take_cookies(&t, &head);
        context_abandon(t.c);
        bench_leave(&t);
        CHECK(!bench_worker_process(b, &k, "send", "{g}:2", "mail", "one", "commit_store:1:kill"));
        nap(250);
        CHECK(bench_worker_process(b, &head, again ? "send" : "other", again ? "{g}:2" : "{g}:3", "mail", again ? "one" : "two", ""));
        CHECK_INT(bench_effects(b, "mail"), again ? 1 : 2);
        check_state(b, &head, again ? "one" : "two");
        arena_free(b->a);
    }
}

/* A takeover that dies itself. */
TEST(recovery_dies_too)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    b->config.lock_lease = 200;
    bench_connect(b, &k);
    before = k;
    CHECK(!bench_worker_process(b, &k, "send", "{g}:2", "mail", "one", "commit_store:1:kill"));
    for (int i = 0; i < 2; i++) {
        k = before;
        CHECK(!bench_worker_process(b, &k, "send", "{g}:2", "mail", "one", "recover_fenced:1:kill"));
    }
    k = before;
    CHECK(bench_worker_process(b, &k, "send", "{g}:2", "mail", "one", ""));
    CHECK_INT(bench_effects(b, "mail"), 1);
    check_state(b, &k, "one");
    arena_free(b->a);
}

/* What took down two workers is not tried a third time; the session goes on with something else. */
TEST(request_that_kills_workers_is_refused)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct blob answer;
    b->config.lock_lease = 100;
    bench_connect(b, &k);
    before = k;
    for (int i = 0; i < 2; i++) {
        k = before;
        CHECK(!bench_worker_process(b, &k, "poison", "{g}:2", NULL, NULL, "begin_done:1:kill"));
        nap(120);
    }
    CHECK(try(b, &before, "poison", &answer) == BEGIN_DOWN);
    CHECK(try(b, &before, "poison", &answer) == BEGIN_DOWN);
    k = before;
    CHECK(bench_worker_process(b, &k, "something else", "{g}:3", "mail", "one", ""));
    CHECK_INT(bench_effects(b, "mail"), 1);
    check_state(b, &k, "one");
    arena_free(b->a);
}

/* Redis that answers nothing: an error in bounded time, and all is well when it goes on. */
TEST(redis_stalls)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct blob answer;
    b->config.lock_lease = 300;
    bench_connect(b, &k);
    b->config.redis_timeout = 200;
    struct session_env slow = bench_worker(b), normal = b->env;
    b->env = slow;
    check_state(b, &k, "logon");
    kill(b->server.pid, SIGSTOP);
    uint64_t start = clock_ms();
    CHECK(try(b, &k, "x", &answer) == BEGIN_DOWN);
    CHECK(clock_ms() - start < 2000);
    kill(b->server.pid, SIGCONT);
    CHECK(try(b, &k, "x", &answer) == BEGIN_RUN);
    b->env = normal;
    redis_free(slow.redis);
    arena_free(b->a);
}

/* --- Redis dies ------------------------------------------------------------------------------------------------------------------------------ */
static void restart(struct bench *b)
{
    redis_server_kill(&b->server);
    REQUIRE(redis_server_start(&b->server, b->server.dir));
}

TEST(redis_restarts_between_requests)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "cursor", NULL, &t);
    context_put(t.c, 1, blob_str("moved"));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    restart(b);
    check_state(b, &k, "moved");
    before = k;
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    REQUIRE(bench_end(&t, &k, "sent") == CONTEXT_DONE);
    restart(b);
    bench_begin(&b->env, b, &before, "send", NULL, &t);
    CHECK(t.begin == BEGIN_ANSWER);
    CHECK_BLOB(t.answer, blob_str("sent"));
    bench_leave(&t);
    CHECK_INT(bench_effects(b, "mail"), 1);
    restart(b);
    bench_begin(&b->env, b, &before, "old", NULL, &t);
    CHECK(t.begin == BEGIN_SEQUENCE);
    bench_leave(&t);
    check_state(b, &k, "moved");
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
        restart(b);
        CHECK(bench_end(&t, &k, "sent") == CONTEXT_DONE);
        CHECK_INT(bench_effects(b, "mail"), effect);
        check_state(b, &k, "new");
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
    nap(250);
    bench_begin(&b->env, b, &before, "send", NULL, &t);
    CHECK(t.begin == BEGIN_ANSWER);
    CHECK_BLOB(t.answer, blob_str("sent"));
    bench_leave(&t);
    CHECK_INT(bench_effects(b, "mail"), 1);
    check_state(b, &k, "new");
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
    nap(250);
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
    restart(b);
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
    CHECK(try(b, &before, "second", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("second"));
    check_state(b, &k, "two");
    /* the same, the client goes on with the next number */
    o = remember(b, &k);
    send(b, &k, "third", "mail", "three");
    forget(b, &o);
    check_state(b, &k, "three");
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
    check_state(b, &k, "two");
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
        CHECK(try(b, &k, "z", &answer) == BEGIN_NOT_FOUND);
        CHECK(try(b, &k, "z", &answer) == BEGIN_NOT_FOUND);
        CHECK(try(b, &before, "x", &answer) == BEGIN_NOT_FOUND);
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
        check_state(b, &k, "two");
    }
    send(b, &k, "third", "mail", "three");
    check_state(b, &k, "three");
    CHECK_INT(bench_effects(b, "mail"), 3);
    arena_free(b->a);
}

/* --- memory, staging, mailboxes without a saved logon ----------------------------------------------------------------------------------------- */
TEST(redis_out_of_memory)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    struct blob s;
    bench_connect(b, &k);
    bench_redis(b, "CONFIG SET maxmemory-policy noeviction");
    bench_redis(b, "CONFIG SET maxmemory 100000");
    bench_begin(&b->env, b, &k, "read", NULL, &t); /* reading needs no memory */
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    before = k;
    bench_begin(&b->env, b, &k, "cursor", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    context_put(t.c, 1, blob_str("new"));
    CHECK(bench_end(&t, &k, "") == CONTEXT_FAILED);
    bench_begin(&b->env, b, &before, "cursor", NULL, &t); /* nothing happened, the session is usable */
    REQUIRE(t.begin == BEGIN_RUN);
    CHECK(context_block(t.c, 1, &s));
    CHECK_BLOB(s, blob_str("logon"));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    struct begin_args args = { .who = &b->who, .type = "Connect", .request_id = "r" };
    struct turn n = { .a = arena_new(1 << 24) };
    CHECK(context_create(&b->env, n.a, &args, &n.c, &n.why) == BEGIN_DOWN); /* at once, and the session that it names goes on */
    CHECK(n.c == NULL && n.why != NULL);
    args.context_cookie = k.context;
    CHECK(context_create(&b->env, n.a, &args, &n.c, &n.why) == BEGIN_DOWN);
    bench_leave(&n);
    bench_redis(b, "CONFIG SET maxmemory 0");
    check_state(b, &k, "logon");
    arena_free(b->a);
}

TEST(out_of_memory_after_the_store)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct blob answer;
    struct turn t;
    b->config.lock_lease = 150;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    context_put(t.c, 1, blob_str("new"));
    bench_redis(b, "CONFIG SET maxmemory 100000");
    CHECK(bench_end(&t, &k, "sent") == CONTEXT_DONE);
    bench_redis(b, "CONFIG SET maxmemory 0");
    CHECK(try(b, &before, "send", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("sent"));
    check_state(b, &k, "new");
    CHECK_INT(bench_effects(b, "mail"), 1);
    arena_free(b->a);
}

/* The lock of such a request does not last until its lease ends: the session goes on with the next one. */
TEST(out_of_memory_after_the_store_keeps_nobody_waiting)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    b->config.lock_lease = 60000;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    context_put(t.c, 1, blob_str("new"));
    bench_redis(b, "CONFIG SET maxmemory 100000");
    CHECK(bench_end(&t, &k, "sent") == CONTEXT_DONE);
    bench_redis(b, "CONFIG SET maxmemory 0");
    bench_begin(&b->env, b, &k, "next", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    check_state(b, &k, "new");
    CHECK_INT(bench_effects(b, "mail"), 1);
    arena_free(b->a);
}

TEST(large_state_goes_to_the_staging_area)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    struct blob s;
    enum { N = 300000 };
    uint8_t *big = arena_alloc(b->a, N);
    bench_connect(b, &k);
    for (unsigned round = 0; round < 4; round++) {
        size_t n = round == 3 ? 100 : N - round * 7777;
        memset(big, 'a' + (int)round, N);
        bench_begin(&b->env, b, &k, arena_printf(b->a, "draft %u", round), NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        context_put(t.c, 1, blob_of(big, n));
        REQUIRE(bench_end(&t, &k, "saved") == CONTEXT_DONE);
        CHECK(bench_memory(b, &k) < 4096);
        bench_begin(&b->env, b, &k, arena_printf(b->a, "look %u", round), NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        CHECK(context_handle(t.c, 1)->staged == (round != 3));
        REQUIRE(context_block(t.c, 1, &s));
        CHECK_BLOB(s, blob_of(big, n));
        REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    }
    arena_free(b->a);
}

static bool staged(struct bench *b, const uint8_t id[CONTEXT_ID], unsigned slot)
{
    struct arena *a = arena_new(1 << 24);
    struct actor system = { ACTOR_SYSTEM, NULL };
    struct stage_key key = { .object = block_stage_key(1, slot) };
    struct mailbox *m;
    uint64_t size = 0;
    memcpy(key.context, id, CONTEXT_ID);
    REQUIRE_EC(mailbox_open(b->store, a, &b->mailbox, &system, &m), ecNone);
    CHECK_EC(stage_size(m, &key, &size), ecNone);
    arena_free(a);
    return size != 0;
}

/* Only what the header names lies there; a repeat of the request that took it away is answered, not run again. */
TEST(staging_is_cleaned)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct blob answer;
    struct turn t;
    uint8_t id[CONTEXT_ID], *big = arena_alloc(b->a, 20000);
    bench_connect(b, &k);
    for (unsigned i = 0; i < 3; i++) {
        big[0] = (uint8_t)i;
        bench_begin(&b->env, b, &k, arena_printf(b->a, "draft %u", i), NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        memcpy(id, t.c->id, sizeof id);
        context_put(t.c, 1, blob_of(big, 20000));
        REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
        CHECK(staged(b, id, 0) != staged(b, id, 1));
    }
    before = k;
    bench_begin(&b->env, b, &k, "release", NULL, &t);
    context_drop(t.c, 1);
    REQUIRE(bench_end(&t, &k, "released") == CONTEXT_DONE);
    CHECK(!staged(b, id, 0) && !staged(b, id, 1));
    CHECK(try(b, &before, "release", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("released"));
    arena_free(b->a);
}

TEST(disconnect_cleans_staging)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    uint8_t id[CONTEXT_ID], *big = arena_alloc(b->a, 20000);
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "draft", NULL, &t);
    memcpy(id, t.c->id, sizeof id);
    context_put(t.c, 1, blob_of(big, 20000));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    bench_begin(&b->env, b, &k, "bye", NULL, &t);
    CHECK(context_destroy(t.c) == CONTEXT_DONE);
    bench_leave(&t);
    CHECK(!staged(b, id, 0) && !staged(b, id, 1));
    arena_free(b->a);
}

TEST(large_state_without_a_mailbox)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    struct blob s;
    uint32_t h;
    uint8_t *big = arena_alloc(b->a, REDIS_MAX + 1);
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "x", NULL, &t);
    REQUIRE_EC(context_add(t.c, 2, 77, 1, &h), ecNone); /* logon 77 is not there */
    context_put(t.c, h, blob_of(big, REDIS_MAX));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    bench_begin(&b->env, b, &k, "y", NULL, &t);
    REQUIRE(context_block(t.c, h, &s));
    CHECK_INT(s.n, REDIS_MAX);
    context_put(t.c, h, blob_of(big, REDIS_MAX + 1));
    CHECK(bench_end(&t, &k, "") == CONTEXT_FAILED);
    arena_free(b->a);
}

/* Logon and first change in one request, whose worker dies: the takeover finds the mailbox although no saved logon names it. */
TEST(first_change_in_a_new_mailbox)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct blob answer;
    b->config.lock_lease = 200;
    bench_connect(b, &k);
    before = k;
    b->mailbox = b->second; /* where the worker has its effect; the session's logon is on the other */
    CHECK(!bench_worker_process(b, &k, "logon and send", "{g}:2", "mail", "one", "commit_store:1:kill"));
    CHECK_INT(bench_effects(b, "mail"), 1);
    CHECK(try(b, &before, "logon and send", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("logon and send"));
    arena_free(b->a);
}

/* The mailbox of the journal row stays known when its logon is released. */
TEST(repeat_after_the_logon_was_released)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct blob answer;
    struct turn t;
    bench_connect(b, &k);
    before = k;
    bench_begin(&b->env, b, &k, "send and release", NULL, &t);
    bench_effect(b, &t, "mail");
    context_drop(t.c, 1);
    t.c->logons = 0;
    context_touch(t.c);
    REQUIRE(bench_end(&t, &k, "sent") == CONTEXT_DONE);
    CHECK(try(b, &before, "send and release", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("sent"));
    CHECK_INT(bench_effects(b, "mail"), 1);
    arena_free(b->a);
}

TEST(damaged_context_is_not_found)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct blob answer;
    static const char *const damage[] = { "HSET %s 0 garbage 1 garbage", "HDEL %s 0 1", "HSET %s c garbage", "HDEL %s c", "SET %s text" };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        bench_connect(b, &k);
        char *command = arena_alloc(b->a, 300);
        snprintf(command, 300, i == 0 ? "HSET %s 0 garbage 1 garbage" : i == 1 ? "HDEL %s 0 1" : i == 2 ? "HSET %s c garbage" : i == 3 ? "HDEL %s c" : "SET %s text", bench_key(b, &k));
        bench_redis(b, command);
        enum begin got = try(b, &k, "x", &answer);
        CHECK(got == BEGIN_NOT_FOUND || (i == 4 && got == BEGIN_DOWN));
        memset(&k, 0, sizeof k);
    }
    bench_connect(b, &k);
    bench_redis(b, arena_printf(b->a, "HSET %s 1a short", bench_key(b, &k)));
    struct turn t;
    struct blob s;
    bench_begin(&b->env, b, &k, "x", NULL, &t);
    CHECK(t.begin == BEGIN_RUN);
    CHECK(context_block(t.c, 1, &s)); /* same length as "logon": the object's own block tells */
    bench_leave(&t);
    bench_redis(b, arena_printf(b->a, "HSET %s 1a shorter", bench_key(b, &k)));
    bench_begin(&b->env, b, &k, "y", NULL, &t);
    CHECK(t.begin == BEGIN_RUN || t.begin == BEGIN_SEQUENCE);
    if (t.begin == BEGIN_RUN)
        CHECK(!context_block(t.c, 1, &s));
    bench_leave(&t);
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
    restart(b);
    uint64_t start = clock_ms();
    bench_begin(&b->env, b, &before, "send", "{g}:9", &u);
    CHECK(clock_ms() - start < 2000);
    REQUIRE(u.begin == BEGIN_RUN);
    bench_effect(b, &u, "mail");
    REQUIRE(bench_end(&u, &before, "sent") == CONTEXT_DONE);
    bench_effect(b, &t, "mail");
    CHECK(bench_end(&t, &k, "late") == CONTEXT_OVERTAKEN);
    CHECK_INT(bench_effects(b, "mail"), 1);
    check_state(b, &before, "logon");
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
    restart(b);
    uint64_t start = clock_ms();
    CHECK(try(b, &next, "another", &answer) == BEGIN_NOT_FOUND);
    CHECK(clock_ms() - start < 2000);
    context_put(t.c, 1, blob_str("late"));
    CHECK(bench_end(&t, &k, "") == CONTEXT_GONE);
    CHECK(try(b, &next, "another", &answer) == BEGIN_NOT_FOUND);
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
    check_state(b, &k, "logon");
    nap(1100); /* the timer thread has learnt how short the lease is */
    bench_begin(&b->env, b, &k, "long", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    restart(b);
    nap(600);
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
    nap(450);
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
