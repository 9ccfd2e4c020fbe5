/* test_race.c - the same request sent over several connections at once, to workers of which some die or stall: one effect, one answer. */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/store/large.h"
#include "tests/unit/session-context/bench.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 40, LEASE = 150 };

struct round {
    struct bench *b;
    struct client k;              /* cookies of the request that all send */
    const char   *body, *id;
    bool          effect;
    int           state;          /* of object 1 before it */
    atomic_int    deaths;         /* how many workers may still die or stall */
    atomic_int    wrong, answered, overtaken;
    struct client after;          /* cookies of an answer; written by every thread alike, read at the end */
};
struct sender { struct round *r; unsigned seed; pthread_t thread; };

static unsigned roll(struct sender *s, unsigned n)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % n;
}

/* No REQUIRE here: these are other threads than the test's. */
static bool work(struct round *r, struct turn *t)
{
    struct actor owner = { ACTOR_OWNER, r->b->who.dn };
    struct stage_key key = { .object = 7 };
    struct blob s;
    uint64_t size;
    uint8_t sha[SHA256];
    if (!context_block(t->c, 1, &s))
        return false;
    int state = blob_eq(s, blob_str("logon")) ? 0 : (int)strtol(arena_str(t->a, s), NULL, 10);
    if (state != r->state)
        atomic_fetch_add(&r->wrong, 1);
    context_put(t->c, 1, blob_str(arena_printf(t->a, "%d", state + 1)));
    if (!r->effect)
        return true;
    crypto_sha256(blob_str(r->body), sha);
    memcpy(key.context, sha, sizeof key.context);
    return mailbox_open(r->b->store, t->a, &r->b->mailbox, &owner, &t->m) == ecNone && mailbox_write(t->m) == ecNone &&
           stage_size(t->m, &key, &size) == ecNone && stage_write(t->m, &key, size, blob_str("x")) == ecNone;
}

static bool may_die(struct sender *s) { return roll(s, 2) == 0 && atomic_fetch_sub(&s->r->deaths, 1) > 0; }

/* One attempt; true when this sender has its answer. */
static bool attempt(struct sender *s)
{
    struct round *r = s->r;
    struct turn t;
    bool done = false;
    bench_begin(&r->b->env, r->b, &r->k, r->body, r->id, &t);
    if (t.begin == BEGIN_ANSWER) {
        done = true;
        if (!blob_eq(t.answer, blob_str(r->body)))
            atomic_fetch_add(&r->wrong, 1);
    } else if (t.begin != BEGIN_RUN) {
        atomic_fetch_add(&r->wrong, 1);
        fprintf(stderr, "%s: begin %d %s\n", r->body, t.begin, t.why != NULL ? t.why : "");
        done = true;
    } else {
        bool dies = may_die(s), stalls = dies && roll(s, 2) == 0;
        if (dies)
            lease_end(&t.c->p->lease);
        if (stalls)
            nanosleep(&(struct timespec){ 0, (LEASE + 100) * 1000000L }, NULL);
        if (dies && !stalls) {
            bench_leave(&t);
            return false;
        }
        enum finish f = work(r, &t) ? context_finish(t.c, &t.m, t.m != NULL, blob_str(r->body)) : CONTEXT_FAILED;
        if (f == CONTEXT_FAILED)
            context_abandon(t.c);
        if (f == CONTEXT_OVERTAKEN)
            atomic_fetch_add(&r->overtaken, 1);
        done = f == CONTEXT_DONE;
    }
    if (done && t.c != NULL) {
        bench_take_cookies(&t, &r->after);
        atomic_fetch_add(&r->answered, 1);
    }
    bench_leave(&t);
    return done;
}

static void *sender(void *ptr)
{
    for (int i = 0; i < 8 && !attempt(ptr); i++)
        ;
    return NULL;
}

static unsigned effects(struct bench *b, const char *body)
{
    struct arena *a = arena_new(1 << 24);
    struct actor system = { ACTOR_SYSTEM, NULL };
    struct stage_key key = { .object = 7 };
    struct mailbox *m;
    uint64_t size = 0;
    uint8_t sha[SHA256];
    crypto_sha256(blob_str(body), sha);
    memcpy(key.context, sha, sizeof key.context);
    REQUIRE_EC(mailbox_open(b->store, a, &b->mailbox, &system, &m), ecNone);
    REQUIRE_EC(stage_size(m, &key, &size), ecNone);
    arena_free(a);
    return (unsigned)size;
}

TEST(the_same_request_many_times_at_once)
{
    struct bench *b = bench_open();
    struct sender s[THREADS];
    struct client k = { 0 };
    unsigned seed = (unsigned)clock_us(), overtaken = 0;
    b->config.lock_lease = LEASE;
    bench_connect(b, &k);
    for (int i = 0; i < ROUNDS; i++) {
        struct round r = { .b = b, .k = k, .body = arena_printf(b->a, "round %d", i), .id = arena_printf(b->a, "{g}:%d", i), .effect = i % 3 != 0, .state = i };
        atomic_store(&r.deaths, i % 5 == 0 ? 1 : 0);
        for (unsigned j = 0; j < THREADS; j++) {
            s[j] = (struct sender){ .r = &r, .seed = seed + 31 * (unsigned)i + j };
            REQUIRE(pthread_create(&s[j].thread, NULL, sender, &s[j]) == 0);
        }
        for (unsigned j = 0; j < THREADS; j++)
            pthread_join(s[j].thread, NULL);
        CHECK_INT(atomic_load(&r.wrong), 0);
        CHECK_INT(atomic_load(&r.answered), THREADS);
        if (r.effect)
            CHECK_INT(effects(b, r.body), 1);
        overtaken += (unsigned)atomic_load(&r.overtaken);
        k = r.after;
    }
    printf("seed %u: %u workers were overtaken\n", seed, overtaken);
    arena_free(b->a);
}
