/* test_recover.c - two requests at once, takeovers, stalled owners, workers that die at each fault point. */
#include "backend/base/metric.h"
#include "tests/unit/session-context/bench.h"
#include "backend/base/filetime.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

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
    bench_check_state(b, &k, "logon");
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
    bench_nap(300); /* longer than an ordinary request waits */
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
    bench_check_state(b, &k, "logon");
    bench_nap(1100); /* the timer thread has learnt how short the lease is */
    bench_begin(&b->env, b, &k, "long", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    for (int i = 0; i < 4; i++) {
        bench_nap(300);
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
    bench_stall(&t);
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
    bench_check_state(b, &k, "taken over");
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
    bench_stall(&t);
    bench_nap(200);
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
    bench_stall(&t);
    bench_nap(200);
    bench_begin(&b->env, b, &before, "cursor", NULL, &u);
    REQUIRE(u.begin == BEGIN_RUN);
    CHECK(bench_end(&t, &before, "") == CONTEXT_OVERTAKEN);
    context_put(u.c, 1, blob_str("second"));
    CHECK(bench_end(&u, &k, "") == CONTEXT_DONE);
    bench_check_state(b, &k, "second");
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
    bench_stall(&t);
    bench_nap(200);
    bench_begin(&b->env, b, &head, "another", NULL, &u);
    REQUIRE(u.begin == BEGIN_RUN);
    CHECK_INT(u.c->sequence, 2);
    CHECK(bench_end(&u, &k, "") == CONTEXT_DONE);
    context_abandon(t.c);
    bench_leave(&t);
    bench_check_state(b, &k, "logon");
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
    bench_check_state(b, &k, "logon");
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
    bench_check_state(b, &k, "one");
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
        bench_nap(250);
        CHECK(bench_worker_process(b, &head, again ? "send" : "other", again ? "{g}:2" : "{g}:3", "mail", again ? "one" : "two", ""));
        CHECK_INT(bench_effects(b, "mail"), again ? 1 : 2);
        bench_check_state(b, &head, again ? "one" : "two");
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
    bench_check_state(b, &k, "one");
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
        bench_nap(120);
    }
    CHECK(bench_try(b, &before, "poison", &answer) == BEGIN_DOWN);
    CHECK(bench_try(b, &before, "poison", &answer) == BEGIN_DOWN);
    k = before;
    CHECK(bench_worker_process(b, &k, "something else", "{g}:3", "mail", "one", ""));
    CHECK_INT(bench_effects(b, "mail"), 1);
    bench_check_state(b, &k, "one");
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
    bench_check_state(b, &k, "logon");
    kill(b->server.pid, SIGSTOP);
    uint64_t start = clock_ms();
    CHECK(bench_try(b, &k, "x", &answer) == BEGIN_DOWN);
    CHECK(clock_ms() - start < 2000);
    kill(b->server.pid, SIGCONT);
    CHECK(bench_try(b, &k, "x", &answer) == BEGIN_RUN);
    b->env = normal;
    redis_free(slow.redis);
    arena_free(b->a);
}
