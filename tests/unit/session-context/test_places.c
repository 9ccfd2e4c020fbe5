/* test_places.c - where the state of a request lies when things go wrong: a Redis without memory, the staging area, mailboxes that no saved logon names. */
#include "backend/base/metric.h"
#include "tests/unit/session-context/bench.h"
#include "backend/base/filetime.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

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
    bench_check_state(b, &k, "logon");
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
    CHECK(bench_try(b, &before, "send", &answer) == BEGIN_ANSWER);
    CHECK_BLOB(answer, blob_str("sent"));
    bench_check_state(b, &k, "new");
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
    bench_check_state(b, &k, "new");
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
    CHECK(bench_try(b, &before, "release", &answer) == BEGIN_ANSWER);
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
    CHECK(bench_try(b, &before, "logon and send", &answer) == BEGIN_ANSWER);
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
    CHECK(bench_try(b, &before, "send and release", &answer) == BEGIN_ANSWER);
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
        enum begin got = bench_try(b, &k, "x", &answer);
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
