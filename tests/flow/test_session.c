/* test_session.c - cookies, sequence, identity, retention, Redis that goes away: MS-OXCMAPIHTTP 3.2.5. */
#include "backend/base/filetime.h"
#include "tests/flow/walk.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

static struct blob empty_execute(struct arena *a)
{
    struct mapic_rops r;
    rops_init(&r, a);
    return mapic_execute_body(a, rops_buffer(&r), 3, 0x10008);
}

static int execute_code(struct walk *w, const struct mapic_odd *odd)
{
    struct mapic_reply reply;
    const char *why = NULL;
    if (!mapic_call(&w->c, w->a, "Execute", empty_execute(w->a), odd, &reply, &why)) {
        fprintf(stderr, "execute: %s\n", why);
        return -2;
    }
    return reply.code;
}

TEST(cookies_missing_forged_foreign_ended)
{
    struct stack *st = stack_shared();
    struct walk ana, bob;
    walk_begin(&ana, st, &st->ana);
    walk_begin(&bob, st, &st->bob);
    struct mapic_odd none = { .context = "", .sequence = "", .keep_cookies = true };
    struct mapic_odd text = { .context = "Invalid cookie", .sequence = "Invalid cookie", .keep_cookies = true };
    struct mapic_odd foreign = { .context = ana.c.context, .sequence = ana.c.sequence, .keep_cookies = true };
    char bent[512];
    snprintf(bent, sizeof bent, "%s", ana.c.context);
    bent[5] = bent[5] == 'A' ? 'B' : 'A';
    struct mapic_odd flipped = { .context = bent, .keep_cookies = true };
    CHECK_INT(execute_code(&ana, &none), 13);
    CHECK_INT(execute_code(&ana, &text), 6);
    CHECK_INT(execute_code(&ana, &flipped), 6);
    CHECK_INT(execute_code(&bob, &foreign), 10);
    /* errors voided nothing */
    CHECK_INT(execute_code(&ana, NULL), 0);
    CHECK_INT(execute_code(&bob, NULL), 0);
    char context[512], sequence[512];
    snprintf(context, sizeof context, "%s", ana.c.context);
    snprintf(sequence, sizeof sequence, "%s", ana.c.sequence);
    STEP(&ana, step_disconnect(&ana.s));
    struct mapic_odd ended = { .context = context, .sequence = sequence, .keep_cookies = true };
    CHECK_INT(execute_code(&ana, &ended), 10);
    walk_end(&ana);
    walk_end(&bob);
}

TEST(old_sequence_is_15_and_the_right_one_still_works)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_begin(&w, st, &st->ana);
    char old[512];
    snprintf(old, sizeof old, "%s", w.c.sequence);
    CHECK_INT(execute_code(&w, NULL), 0);
    CHECK_INT(execute_code(&w, NULL), 0);
    struct mapic_odd stale = { .sequence = old, .keep_cookies = true };
    CHECK_INT(execute_code(&w, &stale), 15);
    CHECK_INT(execute_code(&w, NULL), 0);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

TEST(connect_with_old_cookies_replaces_the_session)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_begin(&w, st, &st->ana);
    char context[512], sequence[512];
    snprintf(context, sizeof context, "%s", w.c.context);
    snprintf(sequence, sizeof sequence, "%s", w.c.sequence);
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    CHECK(strcmp(context, w.c.context) != 0);
    struct mapic_odd old = { .context = context, .sequence = sequence, .keep_cookies = true };
    CHECK_INT(execute_code(&w, &old), 10);
    /* a stale, forged or sequence-less cookie on Connect is no error */
    snprintf(w.c.context, sizeof w.c.context, "%s", context);
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    snprintf(w.c.context, sizeof w.c.context, "Invalid cookie");
    w.c.sequence[0] = '\0';
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    CHECK_INT(execute_code(&w, NULL), 0);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

struct parallel { struct walk *w; struct mapic c; int code; const char *id; };
static void *run_parallel(void *p)
{
    struct parallel *x = p;
    struct arena *a = arena_new(1 << 24);
    struct mapic_odd odd = { .request_id = x->id, .keep_cookies = true };
    struct mapic_reply reply;
    const char *why;
    x->code = mapic_call(&x->c, a, "Execute", empty_execute(a), &odd, &reply, &why) ? reply.code : -2;
    arena_free(a);
    return NULL;
}

/* The same body twice at once.  Another X-RequestId: two requests, one gets 15.  The same X-RequestId: a repeat, which waits for the same answer. */
static void at_once(const char *second_id, int want)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_begin(&w, st, &st->ana);
    stack_arm(st, 0, "begin_done:1:sleep=1200");
    struct parallel p[2] = { { .w = &w, .c = w.c, .id = "{11111111-2222-3333-4444-555555555555}:100" }, { .w = &w, .c = w.c, .id = second_id } };
    pthread_t t;
    for (int i = 0; i < 2; i++) {
        p[i].c.conn = NULL;
        p[i].c.route = stack_route[i];
    }
    pthread_create(&t, NULL, run_parallel, &p[0]);
    usleep(300000);
    run_parallel(&p[1]);
    pthread_join(t, NULL);
    CHECK_INT(p[0].code, 0);
    CHECK_INT(p[1].code, want);
    stack_arm(st, 0, NULL);
    mapic_close(&p[0].c);
    mapic_close(&p[1].c);
    walk_end(&w);
}

TEST(two_requests_at_once_one_gets_15)
{
    at_once("{11111111-2222-3333-4444-555555555555}:101", 15);
}

TEST(repeat_of_a_running_request_waits_for_its_answer)
{
    at_once("{11111111-2222-3333-4444-555555555555}:100", 0);
}

TEST(another_request_beside_a_running_one_gets_15)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_begin(&w, st, &st->ana);
    stack_arm(st, 0, "begin_done:1:sleep=1200");
    struct parallel p = { .w = &w, .c = w.c, .id = "{11111111-2222-3333-4444-555555555555}:100" };
    p.c.conn = NULL;
    p.c.route = stack_route[0];
    pthread_t t;
    pthread_create(&t, NULL, run_parallel, &p);
    usleep(300000);
    struct mapic_rops r;
    struct mapic_reply reply;
    const char *why;
    rops_init(&r, w.a);
    rops_head(&r, 0x01, rops_handle(&r, w.s.logon + 7));
    struct mapic_odd keep = { .keep_cookies = true };
    struct mapic second = w.c;
    second.conn = NULL;
    second.route = stack_route[1];
    CHECK(mapic_call(&second, w.a, "Execute", mapic_execute_body(w.a, rops_buffer(&r), 3, 0x10008), &keep, &reply, &why));
    CHECK_INT(reply.code, 15);
    pthread_join(t, NULL);
    CHECK_INT(p.code, 0);
    stack_arm(st, 0, NULL);
    mapic_close(&p.c);
    mapic_close(&second);
    walk_end(&w);
}

TEST(ping_keeps_a_session_alive_and_silence_ends_it)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "session_retention = 2\n" });
    struct walk w;
    walk_begin(&w, st, &st->ana);
    for (int i = 0; i < 4; i++) {
        struct mapic_reply reply;
        const char *why;
        usleep(900000);
        CHECK(mapic_call(&w.c, w.a, "PING", blob_of(NULL, 0), NULL, &reply, &why));
        CHECK_INT(reply.code, 0);
        CHECK_STR(http_header(&reply.http, "X-ExpirationInfo"), "2000");
    }
    CHECK_INT(execute_code(&w, NULL), 0);
    usleep(2600000);
    CHECK_INT(execute_code(&w, NULL), 10);
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    walk_end(&w);
    stack_stop(st);
}

static size_t cookies_of(const struct http_reply *r, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->headers; i++)
        n += strcasecmp(r->header[i].name, "Set-Cookie") == 0 && strncmp(r->header[i].value, name, strlen(name)) == 0;
    return n;
}

/* A sequence cookie is sent again with a PING if it is one of this session; nothing else of the client's goes into the head of an answer, whatever its length. */
TEST(ping_sends_only_our_own_cookies)
{
    struct stack *st = stack_shared();
    struct walk w, other;
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    char *much = arena_alloc(w.a, 9001);
    memset(much, 'A', 9000);
    much[9000] = '\0';
    const char *const sequence[] = { w.c.sequence, other.c.sequence, "Invalid cookie", "", arena_str(w.a, blob_of(much, 2000)), much };
    for (size_t i = 0; i < sizeof sequence / sizeof sequence[0]; i++) {
        struct mapic_odd odd = { .sequence = sequence[i], .keep_cookies = true };
        struct mapic_reply reply = { .code = -2 };
        const char *why;
        CHECK(mapic_call(&w.c, w.a, "PING", blob_of(NULL, 0), &odd, &reply, &why));
        CHECK_INT(reply.code, 0);
        CHECK_INT(cookies_of(&reply.http, "MapiContext="), 1);
        CHECK_INT(cookies_of(&reply.http, "MapiSequence="), i == 0);
    }
    CHECK_INT(execute_code(&w, NULL), 0);
    walk_end(&w);
    walk_end(&other);
}

TEST(redis_that_dies_and_comes_back)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w;
    uint32_t inbox, message;
    uint64_t mid;
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    stack_redis_stop(st);
    struct walk other;
    walk_init(&other, st, &st->bob);
    CHECK(step_connect(&other.s, st->bob.dn) != ecNone);
    CHECK(other.s.code > 0 || other.s.code == -1);
    CHECK(execute_code(&w, &(struct mapic_odd){ .keep_cookies = true }) > 0);
    stack_redis_start(st);
    /* the append-only file brought the session back: it goes on, or is cleanly gone (10); never 15 */
    uint32_t ec = step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message);
    if (ec == STEP_LOST)
        CHECK_INT(w.s.code, 10);
    else {
        STEP(&w, ec);
        MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));
        CHECK_INT(walk_count(st, &st->ana, SF_INBOX, NULL), 1);
    }
    MUST_STEP(&other, step_connect(&other.s, st->bob.dn));
    walk_end(&w);
    walk_end(&other);
    stack_stop(st);
}

/* --- a Redis that is there and says nothing --------------------------------------------------------------------------- */

struct asker { struct walk w; pthread_t t; uint64_t ms; int code; };

static void *ask_silent(void *arg)
{
    struct asker *k = arg;
    uint64_t began = clock_ms();
    k->code = execute_code(&k->w, NULL);
    k->ms = clock_ms() - began;
    return NULL;
}

/* It holds up as many threads as wait for it, once; then there are answers again: errors, and that we live. */
TEST_LIMIT(redis_that_hangs_does_not_hang_the_workers, 60)
{
    enum { ASKERS = 12 };
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "redis_timeout = 400\nlock_lease = 1000\nthreads = 2\n" });
    static struct asker k[ASKERS];
    for (size_t i = 0; i < ASKERS; i++)
        walk_begin(&k[i].w, st, i % 2 == 0 ? &st->ana : &st->bob);
    kill(st->redis, SIGSTOP);
    for (size_t i = 0; i < ASKERS; i++)
        REQUIRE(pthread_create(&k[i].t, NULL, ask_silent, &k[i]) == 0);
    for (size_t i = 0; i < ASKERS; i++) {
        pthread_join(k[i].t, NULL);
        CHECK_INT(k[i].code, 1);
        unit_check(k[i].ms < 2500, __FILE__, __LINE__, "answered after %llu ms", (unsigned long long)k[i].ms);
    }
    kill(st->redis, SIGCONT);
    for (size_t i = 0; i < ASKERS; i++) {
        for (int n = 0; n < 100 && execute_code(&k[i].w, NULL) != 0; n++)
            usleep(50000);
        CHECK_INT(execute_code(&k[i].w, NULL), 0); /* no session is lost */
        walk_end(&k[i].w);
    }
    stack_stop(st);
}
