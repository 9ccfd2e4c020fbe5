/* test_turns.c - the ordinary life of a session: connect, requests, repeats, ping, end. */
#include "tests/unit/session-context/bench.h"
#include "backend/base/filetime.h"
#include "session/context/cookie.h"
#include <stdio.h>

static void one_request(struct bench *b, struct client *k, const char *body)
{
    struct turn t;
    bench_begin(&b->env, b, k, body, NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE(bench_end(&t, k, "answer") == CONTEXT_DONE);
}

TEST(connect_then_request)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    struct turn t;
    bench_begin(&b->env, b, &k, "one", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    CHECK_INT(t.c->sequence, 1);
    CHECK_STR(t.c->user, "u@example.com");
    CHECK_STR(t.c->user_dn, b->who.dn);
    CHECK_INT(t.c->logons, 1);
    CHECK(guid_eq(&t.c->logon[0].mailbox, &b->mailbox));
    struct blob s;
    CHECK(context_block(t.c, 1, &s));
    CHECK_BLOB(s, blob_str("logon"));
    CHECK(!context_block(t.c, 99, &s));
    CHECK(bench_end(&t, &k, "x") == CONTEXT_DONE);
    one_request(b, &k, "two");
    one_request(b, &k, "three");
    arena_free(b->a);
}

TEST(objects_survive_and_go)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    struct blob s;
    uint32_t h[40];
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "open", NULL, &t);
    for (size_t i = 0; i < 40; i++) {
        REQUIRE_EC(context_add(t.c, 2, 0, 1, &h[i]), ecNone);
        context_put(t.c, h[i], blob_str(arena_printf(t.a, "state %zu", i)));
    }
    CHECK_INT(h[0], 2);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    for (unsigned round = 0; round < 4; round++) {
        bench_begin(&b->env, b, &k, arena_printf(b->a, "round %u", round), NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        REQUIRE(context_fetch(t.c, h, 40));
        for (size_t i = 0; i < 40; i++) {
            const char *want = round == 0 || i % 4 >= round ? arena_printf(t.a, "state %zu", i) : arena_printf(t.a, "state %zu of round %zu", i, i % 4);
            bool gone = i % 4 == 0 && round > 0;
            CHECK(context_block(t.c, h[i], &s) == !gone);
            if (!gone && i % 4 != 0)
                CHECK_BLOB(s, blob_str(i % 4 < round ? arena_printf(t.a, "state %zu of round %zu", i, i % 4) : want));
            if (i % 4 == round && round == 0)
                context_drop(t.c, h[i]);
            else if (i % 4 == round)
                context_put(t.c, h[i], blob_str(arena_printf(t.a, "state %zu of round %u", i, round)));
        }
        REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    }
    bench_begin(&b->env, b, &k, "drop all", NULL, &t);
    for (size_t i = 0; i < 40; i++)
        context_drop(t.c, h[i]);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    bench_begin(&b->env, b, &k, "touch", NULL, &t);
    context_touch(t.c);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    /* control, service, two headers, the logon: nothing is left lying */
    CHECK_INT(bench_redis(b, arena_printf(b->a, "HLEN %s", bench_key(b, &k))).i, 5);
    arena_free(b->a);
}

TEST(handle_quota)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    uint32_t h;
    b->config.handles_max = 3;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "open", NULL, &t);
    CHECK_EC(context_add(t.c, 2, 0, 1, &h), ecNone);
    CHECK_EC(context_add(t.c, 2, 0, 1, &h), ecNone);
    CHECK_EC(context_add(t.c, 2, 0, 1, &h), ecServerBusy);
    context_drop(t.c, 2);
    CHECK_EC(context_add(t.c, 2, 0, 1, &h), ecNone);
    CHECK_INT(h, 4);
    bench_leave(&t);
    arena_free(b->a);
}

/* --- repeats -------------------------------------------------------------------------------------------------------------------------- */
TEST(repeat_of_a_store_change_is_answered)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    bench_connect(b, &k);
    one_request(b, &k, "first");
    before = k;
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    REQUIRE(bench_end(&t, &k, "the answer") == CONTEXT_DONE);
    for (int i = 0; i < 3; i++) {
        struct client again = before;
        bench_begin(&b->env, b, &again, "send", NULL, &t);
        REQUIRE(t.begin == BEGIN_ANSWER);
        CHECK_BLOB(t.answer, blob_str("the answer"));
        CHECK_STR(context_sequence_cookie(t.c), k.sequence);
        bench_leave(&t);
    }
    CHECK_INT(bench_effects(b, "mail"), 1);
    one_request(b, &k, "next");
    arena_free(b->a);
}

TEST(repeat_of_a_context_change_runs_on_the_old_state)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    struct blob s;
    uint32_t h, again_h;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "open", NULL, &t);
    REQUIRE_EC(context_add(t.c, 5, 0, 1, &h), ecNone);
    context_put(t.c, h, blob_str("row 0"));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    before = k;
    for (int i = 0; i < 3; i++) {
        struct client again = before;
        bench_begin(&b->env, b, &again, "read", NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        REQUIRE(context_block(t.c, h, &s));
        CHECK_BLOB(s, blob_str("row 0"));
        context_put(t.c, h, blob_str("row 50"));
        REQUIRE_EC(context_add(t.c, 3, 0, 1, &again_h), ecNone);
        CHECK_INT(again_h, h + 1);
        context_put(t.c, again_h, blob_str("made"));
        REQUIRE(bench_end(&t, &k, "rows") == CONTEXT_DONE);
    }
    bench_begin(&b->env, b, &k, "read on", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE(context_block(t.c, h, &s));
    CHECK_BLOB(s, blob_str("row 50"));
    context_put(t.c, h, blob_str("row 100"));
    REQUIRE(bench_end(&t, &k, "rows") == CONTEXT_DONE);
    struct client late = before; /* two requests old: not a repeat any more */
    bench_begin(&b->env, b, &late, "read", NULL, &t);
    CHECK(t.begin == BEGIN_SEQUENCE);
    bench_leave(&t);
    bench_begin(&b->env, b, &k, "still usable", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    context_touch(t.c);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    /* control, service, two headers, three objects: the runs that were taken back left nothing */
    CHECK_INT(bench_redis(b, arena_printf(b->a, "HLEN %s", bench_key(b, &k))).i, 7);
    one_request(b, &k, "reads");
    bench_begin(&b->env, b, &k, "touch again", NULL, &t);
    context_touch(t.c);
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    CHECK_INT(bench_redis(b, arena_printf(b->a, "HLEN %s", bench_key(b, &k))).i, 7);
    arena_free(b->a);
}

TEST(repeat_with_the_next_number_needs_changing_ids)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    bench_connect(b, &k);
    /* request ids change: the same id, body and the new cookie (its head had arrived) is a repeat */
    bench_begin(&b->env, b, &k, "send", "{g}:7", &t);
    bench_effect(b, &t, "changing");
    REQUIRE(bench_end(&t, &k, "one") == CONTEXT_DONE);
    bench_begin(&b->env, b, &k, "send", "{g}:7", &t);
    CHECK(t.begin == BEGIN_ANSWER);
    bench_leave(&t);
    bench_begin(&b->env, b, &k, "send", "{g}:8", &t); /* another id: another request */
    REQUIRE(t.begin == BEGIN_RUN);
    bench_effect(b, &t, "changing");
    REQUIRE(bench_end(&t, &k, "two") == CONTEXT_DONE);
    CHECK_INT(bench_effects(b, "changing"), 2);
    arena_free(b->a);
}

TEST(constant_request_ids)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t;
    bench_connect(b, &k); /* id {g}:0 */
    for (int i = 0; i < 3; i++) {
        before = k;
        bench_begin(&b->env, b, &k, "send", "{g}:0", &t);
        REQUIRE(t.begin == BEGIN_RUN);
        bench_effect(b, &t, "constant");
        REQUIRE(bench_end(&t, &k, "done") == CONTEXT_DONE);
    }
    CHECK_INT(bench_effects(b, "constant"), 3);
    bench_begin(&b->env, b, &before, "send", "{g}:0", &t);
    CHECK(t.begin == BEGIN_ANSWER);
    bench_leave(&t);
    arena_free(b->a);
}

TEST(wrong_numbers)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, old;
    struct turn t;
    bench_connect(b, &k);
    old = k;
    one_request(b, &k, "a");
    bench_begin(&b->env, b, &old, "b", NULL, &t); /* number of the last request, other body */
    REQUIRE(t.begin == BEGIN_SEQUENCE);
    CHECK_STR(context_sequence_cookie(t.c), k.sequence);
    bench_leave(&t);
    one_request(b, &k, "b");
    arena_free(b->a);
}

/* Redis never hears of the end of a request (its connection broke behind our back): the client's next one does not wait for the lease, since its cookie
 * says that the one before has ended.  A cookie that left with an early head does not say so: two at once, as far as anybody knows. */
TEST(an_end_that_redis_did_not_hear_of)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    bench_connect(b, &k);
    for (int ended = 1; ended >= 0; ended--) {
        bench_begin(&b->env, b, &k, "read", NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        lease_end(&t.c->p->lease);
        t.c->p->ended = ended != 0 ? COOKIE_ENDED | COOKIE_CLEAN : 0;
        bench_take_cookies(&t, &k);
        bench_leave(&t);
        uint64_t before = clock_ms();
        bench_begin(&b->env, b, &k, "next", NULL, &t);
        CHECK_INT(t.begin, ended != 0 ? BEGIN_RUN : BEGIN_SEQUENCE);
        CHECK(clock_ms() - before < 1000);
        if (ended != 0)
            CHECK_INT(bench_end(&t, &k, ""), CONTEXT_DONE);
        else
            bench_leave(&t);
    }
    arena_free(b->a);
}

/* A repeat that comes late, its client having the answer and being about to go on: it takes the effect back to run again.  Whether it dies, is let go, or still
 * runs: the next request goes on from behind the effect. */
TEST(a_late_repeat_takes_nothing_back_for_good)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, before;
    struct turn t, late;
    struct blob s;
    uint32_t h;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "open", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    REQUIRE_EC(context_add(t.c, 3, 0, 1, &h), ecNone);
    context_put(t.c, h, blob_str("row 0"));
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    for (int how = 0; how < 3; how++) {
        const char *row = arena_printf(b->a, "row %d", how + 1), *was = arena_printf(b->a, "row %d", how);
        before = k;
        bench_begin(&b->env, b, &k, "read", "{g}:77", &t);
        REQUIRE(t.begin == BEGIN_RUN);
        context_put(t.c, h, blob_str(row));
        REQUIRE(bench_end(&t, &k, "rows") == CONTEXT_DONE);
        bench_begin(&b->env, b, &before, "read", "{g}:77", &late);
        REQUIRE(late.begin == BEGIN_RUN);
        REQUIRE(context_block(late.c, h, &s));
        CHECK_BLOB(s, blob_str(was));
        if (how == 0)
            lease_end(&late.c->p->lease);
        else if (how == 1)
            context_abandon(late.c);
        bench_begin(&b->env, b, &k, "look", NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        REQUIRE(context_block(t.c, h, &s));
        CHECK_BLOB(s, blob_str(row));
        CHECK_INT(bench_end(&t, &k, ""), CONTEXT_DONE);
        if (how == 2) {
            context_put(late.c, h, blob_str("nonsense"));
            CHECK_INT(context_finish(late.c, NULL, 0, blob_str("rows")), CONTEXT_OVERTAKEN);
        }
        bench_leave(&late);
    }
    arena_free(b->a);
}

/* The same with a Redis that died before it heard: what is missing is known to be nothing, if the cookie says that the request changed nothing. */
TEST(an_end_that_died_with_redis)
{
    for (int clean = 1; clean >= 0; clean--) {
        struct bench *b = bench_open();
        struct client k = { 0 };
        struct turn t;
        bench_connect(b, &k);
        bench_begin(&b->env, b, &k, "read", NULL, &t);
        REQUIRE(t.begin == BEGIN_RUN);
        lease_end(&t.c->p->lease);
        t.c->p->ended = COOKIE_ENDED | (clean != 0 ? COOKIE_CLEAN : 0);
        bench_take_cookies(&t, &k);
        bench_leave(&t);
        redis_server_kill(&b->server);
        REQUIRE(redis_server_start(&b->server, b->server.dir));
        bench_begin(&b->env, b, &k, "next", NULL, &t);
        CHECK_INT(t.begin, clean != 0 ? BEGIN_RUN : BEGIN_NOT_FOUND);
        bench_leave(&t);
        arena_free(b->a);
    }
}

TEST(abandoned_request_does_not_void_the_session)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, old;
    struct turn t;
    bench_connect(b, &k);
    old = k;
    bench_begin(&b->env, b, &k, "cannot be parsed", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    context_put(t.c, 1, blob_str("never"));
    context_abandon(t.c);
    bench_take_cookies(&t, &k);
    bench_leave(&t);
    struct client same = old; /* the client kept its cookies */
    one_request(b, &same, "good");
    bench_begin(&b->env, b, &same, "look", NULL, &t);
    struct blob s;
    CHECK(context_block(t.c, 1, &s));
    CHECK_BLOB(s, blob_str("logon"));
    context_abandon(t.c);
    bench_take_cookies(&t, &same);
    bench_leave(&t);
    one_request(b, &same, "after new cookies"); /* ... or took the new ones */
    arena_free(b->a);
}

/* --- identity, ping, end ----------------------------------------------------------------------------------------------------------------- */
TEST(identity_and_cookies)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, other = { 0 }, mix;
    struct turn t;
    bench_connect(b, &k);
    bench_connect(b, &other);
    struct person me = b->who, mallory = b->who;
    mallory.login = "m@example.com";
    b->who = mallory;
    bench_begin(&b->env, b, &k, "x", NULL, &t);
    CHECK(t.begin == BEGIN_NOT_FOUND); /* R1225: another identity is code 10 */
    bench_leave(&t);
    b->who = me;
    mix = k;
    memcpy(mix.sequence, other.sequence, sizeof mix.sequence);
    bench_begin(&b->env, b, &mix, "x", NULL, &t);
    CHECK(t.begin == BEGIN_FORGED); /* the number is bound to its context */
    bench_leave(&t);
    struct begin_args none = { .who = &b->who, .type = "Execute", .request_id = "r" };
    struct arena *a = arena_new(1 << 20);
    struct context *c;
    struct blob answer;
    const char *why = "";
    CHECK(context_begin(&b->env, a, &none, &c, &answer, &why) == BEGIN_MISSING);
    none.context_cookie = none.sequence_cookie = "Invalid cookie";
    CHECK(context_begin(&b->env, a, &none, &c, &answer, &why) == BEGIN_FORGED);
    none.context_cookie = k.context;
    none.sequence_cookie = NULL;
    CHECK(context_begin(&b->env, a, &none, &c, &answer, &why) == BEGIN_MISSING);
    arena_free(a);
    one_request(b, &k, "still mine");
    arena_free(b->a);
}

TEST(ping_consumes_nothing)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    bench_connect(b, &k);
    b->config.session_retention = 100;
    for (int i = 0; i < 3; i++) {
        struct begin_args args = { .who = &b->who, .context_cookie = k.context, .sequence_cookie = k.sequence, .type = "PING", .request_id = "p" };
        int64_t ms;
        const char *cookie, *why;
        struct arena *a = arena_new(1 << 20);
        REQUIRE(context_ping(&b->env, a, &args, &ms, &cookie, &why) == BEGIN_RUN);
        CHECK_INT(ms, 100000);
        CHECK_STR(cookie, k.context);
        args.context_cookie = "AAAA";
        CHECK(context_ping(&b->env, a, &args, &ms, &cookie, &why) == BEGIN_FORGED);
        args.context_cookie = NULL;
        CHECK(context_ping(&b->env, a, &args, &ms, &cookie, &why) == BEGIN_MISSING);
        arena_free(a);
    }
    int64_t ttl = bench_redis(b, arena_printf(b->a, "PTTL %s", bench_key(b, &k))).i;
    CHECK(ttl > 90000 && ttl <= 100000);
    one_request(b, &k, "x");
    arena_free(b->a);
}

TEST(idle_session_expires)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    b->config.session_retention = 1;
    bench_connect(b, &k);
    one_request(b, &k, "x");
    nanosleep(&(struct timespec){ 1, 200000000 }, NULL);
    bench_begin(&b->env, b, &k, "y", NULL, &t);
    CHECK(t.begin == BEGIN_NOT_FOUND);
    bench_leave(&t);
    arena_free(b->a);
}

TEST(disconnect)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, old;
    struct turn t;
    bench_connect(b, &k);
    bench_begin(&b->env, b, &k, "send", NULL, &t);
    bench_effect(b, &t, "mail");
    REQUIRE(bench_end(&t, &k, "a") == CONTEXT_DONE);
    old = k;
    bench_begin(&b->env, b, &k, "bye", NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    CHECK(context_destroy(t.c) == CONTEXT_DONE);
    CHECK(context_cookie(t.c) != NULL); /* R1255 */
    bench_leave(&t);
    bench_begin(&b->env, b, &old, "bye", NULL, &t);
    CHECK(t.begin == BEGIN_NOT_FOUND);
    bench_leave(&t);
    arena_free(b->a);
}

TEST(connect_replaces)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, old;
    struct turn t;
    bench_connect(b, &k);
    old = k;
    bench_connect(b, &k);
    CHECK(strcmp(old.context, k.context) != 0);
    bench_begin(&b->env, b, &old, "x", NULL, &t);
    CHECK(t.begin == BEGIN_NOT_FOUND);
    bench_leave(&t);
    struct client stale = old; /* expired, or forged: never an error */
    bench_connect(b, &stale);
    snprintf(stale.context, sizeof stale.context, "nonsense");
    bench_connect(b, &stale);
    /* another user's: left alone */
    struct client foreign = k;
    struct person me = b->who;
    b->who.login = "m@example.com";
    bench_connect(b, &foreign);
    b->who = me;
    one_request(b, &k, "still there");
    arena_free(b->a);
}

struct seen { unsigned n, locked; };
static void count(void *ctx, const struct context *c, int64_t ttl, bool locked)
{
    struct seen *s = ctx;
    s->n++;
    s->locked += locked;
    CHECK_STR(c->user, "u@example.com");
    CHECK(ttl > 0);
}

TEST(administration)
{
    struct bench *b = bench_open();
    struct client k = { 0 }, other = { 0 };
    struct turn t;
    struct seen s = { 0 };
    struct context *c;
    struct blob state;
    bench_connect(b, &k);
    bench_connect(b, &other);
    bench_begin(&b->env, b, &k, "x", NULL, &t);
    bench_effect(b, &t, "never");
    CHECK_EC(context_scan(&b->env, b->a, count, &s), ecNone);
    CHECK_INT(s.n, 2);
    CHECK_INT(s.locked, 1);
    REQUIRE_EC(context_peek(&b->env, b->a, t.c->id, &c), ecNone);
    CHECK(context_block(c, 1, &state));
    CHECK_BLOB(state, blob_str("logon"));
    mailbox_abort(t.m);
    CHECK_EC(context_end(&b->env, b->a, t.c->id), ecNone);
    CHECK_EC(context_end(&b->env, b->a, t.c->id), ecNotFound);
    CHECK_EC(context_peek(&b->env, b->a, t.c->id, &c), ecNotFound);
    uint8_t id[CONTEXT_ID];
    REQUIRE(cookie_read_context(b->env.keys, b->a, other.context, id) == COOKIE_GOOD);
    bench_redis(b, arena_printf(b->a, "HSET %s c garbage", bench_key(b, &other)));
    CHECK_EC(context_peek(&b->env, b->a, id, &c), ecCorruptData);
    bench_effect(b, &t, "never");
    CHECK(context_finish(t.c, &t.m, 1, blob_str("")) == CONTEXT_OVERTAKEN);
    CHECK_INT(bench_effects(b, "never"), 0);
    bench_leave(&t);
    arena_free(b->a);
}

/* The budget: a session that has just logged on, with the handles that a client opens first. */
TEST(memory_of_a_fresh_session)
{
    struct bench *b = bench_open();
    struct client k = { 0 };
    struct turn t;
    uint8_t state[160] = { 0 };
    uint32_t h;
    bench_connect(b, &k);
    int64_t fresh = bench_memory(b, &k);
    bench_begin(&b->env, b, &k, "open", NULL, &t);
    for (int i = 0; i < 6; i++) {
        REQUIRE_EC(context_add(t.c, 2, 0, 1, &h), ecNone);
        context_put(t.c, h, blob_of(state, i % 2 ? sizeof state : 24));
    }
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    int64_t open = bench_memory(b, &k);
    printf("redis bytes: logged on %lld, with 6 objects %lld\n", (long long)fresh, (long long)open);
    CHECK(fresh > 0 && fresh <= 4096);
    CHECK(open <= 4096);
    bench_begin(&b->env, b, &k, "200", NULL, &t);
    for (int i = 0; i < 193; i++) {
        REQUIRE_EC(context_add(t.c, 2, 0, 1, &h), ecNone);
        context_put(t.c, h, blob_of(state, i % 2 ? sizeof state : 24));
    }
    REQUIRE(bench_end(&t, &k, "") == CONTEXT_DONE);
    int64_t many = bench_memory(b, &k);
    printf("redis bytes with 200 objects %lld\n", (long long)many);
    CHECK(many <= 65536);
    arena_free(b->a);
}
