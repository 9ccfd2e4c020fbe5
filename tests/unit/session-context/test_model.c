/* test_model.c - random schedules of requests, deaths, stalls, lost answers and forgetful Redis against a model of "exactly once". */
#include "tests/unit/session-context/bench.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 50, LEASE = 100 };

struct model {
    struct bench *b;
    struct client k;             /* what the client holds */
    unsigned seed, request;      /* number of the request for the log and its effect's name */
    int      state;              /* of object 1 after the last answered request; -1: "logon" */
    struct old { struct blob dump, key; } old;
    struct turn stalled;         /* a worker that will wake up some time */
    unsigned answered, lost;
};

static unsigned roll(struct model *m, unsigned n)
{
    m->seed = m->seed * 1664525u + 1013904223u;
    return (m->seed >> 8) % n;
}

static void connect_anew(struct model *m)
{
    memset(&m->k, 0, sizeof m->k);
    m->b->config.lock_lease = LEASE;
    bench_connect(m->b, &m->k);
    m->state = -1;
    m->old.dump = blob_of(NULL, 0);
}

static int state_of(struct turn *t)
{
    struct blob s;
    REQUIRE(context_block(t->c, 1, &s));
    return blob_eq(s, blob_str("logon")) ? -1 : (int)strtol(arena_str(t->a, s), NULL, 10);
}

/* One request: what it does to store and context, and its names. */
struct request { const char *body, *id, *effect; bool cursor; };

static struct request next_request(struct model *m)
{
    struct arena *a = m->b->a;
    unsigned n = ++m->request, kind = roll(m, 4);
    return (struct request){ arena_printf(a, "body %u", n), arena_printf(a, "{g}:%u", n), kind & 1 ? arena_printf(a, "effect %u of %p", n, (void *)m) : NULL, (kind & 2) != 0 };
}

/* The worker's part: the handlers ran. */
static void work(struct model *m, const struct request *r, struct turn *t)
{
    if (r->effect != NULL)
        bench_effect(m->b, t, r->effect);
    if (r->cursor)
        context_put(t->c, 1, blob_str(arena_printf(t->a, "%d", state_of(t) + 1)));
}

static void wake_stalled(struct model *m)
{
    struct client nobody;
    if (m->stalled.a == NULL)
        return;
    enum finish f = bench_end(&m->stalled, &nobody, "stalled");
    CHECK(f != CONTEXT_FAILED);
}

static void snapshot(struct model *m)
{
    const char *key = bench_key(m->b, &m->k);
    m->old = (struct old){ bench_redis(m->b, arena_printf(m->b->a, "DUMP %s", key)).s, blob_str(key) };
}

static void forget(struct model *m)
{
    struct bench *b = m->b;
    struct redis_conn *r = redis_take(b->env.redis, b->a);
    struct blob argv[] = { blob_str("RESTORE"), m->old.key, blob_str("900000"), m->old.dump, blob_str("REPLACE") };
    struct redis_value v;
    if (m->old.dump.n != 0) {
        REQUIRE(r != NULL);
        redis_cmd(r, 5, argv, &v);
    }
    redis_server_kill(&b->server);
    REQUIRE(redis_server_start(&b->server, b->server.dir));
}

enum fate { ENDS, DIES_BEFORE, DIES_AFTER_STORE, STALLS, IS_ABANDONED, FATES };

/* One attempt.  True: the client has its answer. */
static bool attempt(struct model *m, const struct request *r, struct client *with, enum fate fate)
{
    struct turn t;
    bench_begin(&m->b->env, m->b, with, r->body, r->id, &t);
    if (t.begin == BEGIN_ANSWER) {
        CHECK(r->effect != NULL);
        CHECK_BLOB(t.answer, blob_str(r->body));
        bench_take_cookies(&t, &m->k);
        bench_leave(&t);
        return true;
    }
    if (t.begin != BEGIN_RUN) {
        if (!CHECK_INT(t.begin, BEGIN_NOT_FOUND))
            printf("%s: %s\n", r->body, t.why != NULL ? t.why : "");
        bench_leave(&t);
        return false;
    }
    CHECK_INT(state_of(&t), m->state); /* every run starts from the state after the last answered request */
    if (roll(m, 4) == 0)
        bench_take_cookies(&t, with); /* the head went out */
    work(m, r, &t);
    switch (fate) {
    case ENDS: return bench_end(&t, &m->k, r->body) == CONTEXT_DONE;
    case DIES_BEFORE: lease_end(&t.c->p->lease); break;
    case DIES_AFTER_STORE:
        if (r->effect != NULL) { /* its Redis commit reaches nobody */
            t.c->p->key = blob_str("nowhere");
            CHECK(context_finish(t.c, &t.m, 1, blob_str(r->body)) == CONTEXT_DONE);
        } else {
            lease_end(&t.c->p->lease);
        }
        break;
    case STALLS:
        lease_end(&t.c->p->lease);
        if (m->stalled.a == NULL && r->effect == NULL) { /* with an effect it would hold the write lock of the mailbox */
            m->stalled = t;
            return false;
        }
        break;
    default: context_abandon(t.c); break;
    }
    bench_leave(&t);
    return false;
}

/* The client repeats the request until it has the answer, and then sometimes once more: the answer was lost. */
static void one(struct model *m)
{
    struct request r = next_request(m);
    struct client with = m->k;
    bool forgot = false, done = false, died = false;
    for (unsigned tries = 0; !done && tries < 6; tries++) {
        enum fate fate = tries >= 4 || roll(m, 3) != 0 ? ENDS : (enum fate)roll(m, FATES);
        if (died && fate != ENDS) /* a request in which a second worker dies is refused: another test */
            fate = IS_ABANDONED;
        died |= fate != ENDS && fate != IS_ABANDONED;
        done = attempt(m, &r, &with, fate);
        if (roll(m, 5) == 0)
            wake_stalled(m);
        if (roll(m, 40) == 0 && !forgot) {
            forget(m);
            forgot = true;
            done = false;
        } else if (done && roll(m, 5) == 0) {
            done = attempt(m, &r, roll(m, 2) == 0 ? &with : &m->k, ENDS) || !CHECK(false);
        }
    }
    unsigned effects = r.effect != NULL ? bench_effects(m->b, r.effect) : 0;
    if (!done) {
        CHECK(forgot); /* only a Redis that forgets may cost a session */
        CHECK(effects <= 1);
        m->lost++;
        connect_anew(m);
        return;
    }
    CHECK_INT(effects, r.effect != NULL);
    m->answered++;
    m->state += r.cursor;
    if (roll(m, 3) == 0)
        snapshot(m);
}

static void run(unsigned seed)
{
    struct model m = { .b = bench_open(), .seed = seed };
    connect_anew(&m);
    for (unsigned i = 0; i < STEPS; i++)
        one(&m);
    wake_stalled(&m);
    printf("seed %u: %u answered, %u sessions lost to a forgetful Redis\n", seed, m.answered, m.lost);
    CHECK(m.answered > STEPS / 2);
    CHECK(m.lost < STEPS / 5);
    arena_free(m.b->a);
}

TEST(exactly_once_1) { run(1); }
TEST(exactly_once_2) { run(20261122); }
TEST(exactly_once_random)
{
    const char *given = getenv("MODEL_SEED");
    run(given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_us());
}
