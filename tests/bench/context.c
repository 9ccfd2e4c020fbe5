/* context.c - what a session costs by itself: begin and commit with some state, on the worker that served it before and on another one. */
#include "backend/base/filetime.h"
#include "session/context/context.h"
#include "tests/bench/bench.h"
#include "tests/bench/cpu.h"
#include "tests/unit.h"
#include <stdio.h>
#include <time.h>

enum { STATE = 4096, WARM = 500, TURNS = 5000, PLACES = 2 };

struct client { char context[80], sequence[80]; };

static uint64_t own_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void take_cookies(struct client *k, struct context *c)
{
    snprintf(k->context, sizeof k->context, "%s", context_cookie(c));
    snprintf(k->sequence, sizeof k->sequence, "%s", context_sequence_cookie(c));
}

/* A session with one object that has STATE bytes. */
static uint32_t make(const struct session_env *e, const struct person *who, struct client *k)
{
    struct arena *a = arena_new(1 << 20);
    struct begin_args args = { .who = who, .type = "Connect", .request_id = "{b}:0" };
    struct context *c;
    const char *why;
    uint32_t h;
    REQUIRE(context_create(e, a, &args, &c, &why) == BEGIN_RUN);
    REQUIRE_EC(context_add(c, 2, 0, 1, &h), ecNone);
    context_put(c, h, blob_of(arena_alloc(a, STATE), STATE));
    REQUIRE(context_finish(c, NULL, 0, blob_of(NULL, 0)) == CONTEXT_DONE);
    take_cookies(k, c);
    arena_free(a);
    return h;
}

/* One request that reads the state and replaces it. */
static void turn(const struct session_env *e, const struct person *who, struct client *k, uint32_t h, unsigned n)
{
    struct arena *a = arena_new(1 << 20);
    struct begin_args args = { .who = who, .context_cookie = k->context, .sequence_cookie = k->sequence, .type = "Execute",
                               .request_id = arena_printf(a, "{b}:%u", n + 1), .body = blob_of(&n, sizeof n), .handles = &h, .nhandles = 1 };
    struct context *c;
    struct blob state, answer;
    const char *why;
    REQUIRE(context_begin(e, a, &args, &c, &answer, &why) == BEGIN_RUN);
    REQUIRE(context_block(c, h, &state) && state.n == STATE);
    uint8_t *changed = arena_dup(a, state.p, state.n);
    memcpy(changed, &n, sizeof n);
    context_put(c, h, blob_of(changed, state.n));
    REQUIRE(context_finish(c, NULL, 0, blob_of(NULL, 0)) == CONTEXT_DONE);
    take_cookies(k, c);
    arena_free(a);
}

static double measure(struct stack *s, struct session_env *const *e, unsigned places, const char *name)
{
    struct client k;
    uint32_t h = make(e[0], &s->ana, &k);
    for (unsigned i = 0; i < WARM; i++)
        turn(e[i % places], &s->ana, &k, h, i);
    uint64_t own = own_ns(), redis = cpu_ns(s->redis);
    for (unsigned i = 0; i < TURNS; i++)
        turn(e[i % places], &s->ana, &k, h, WARM + i);
    double us = (double)(own_ns() - own) / TURNS / 1000, them = (double)(cpu_ns(s->redis) - redis) / TURNS / 1000;
    printf("| %-60s | %6.1f | %6.1f | %6.1f |\n", name, us, them, us + them);
    return us + them;
}

void bench_context(struct stack *s)
{
    struct session_env *e[PLACES];
    const char *why = "";
    for (int i = 0; i < PLACES; i++) {
        e[i] = session_env_new(s->config, s->a, &why);
        if (e[i] == NULL)
            fprintf(stderr, "bench: %s\n", why);
        REQUIRE(e[i] != NULL);
    }
    printf("\n| begin + commit, 4 KiB of state read and replaced (CPU us each) | worker | Redis | sum |\n|---|---|---|---|\n");
    double same = measure(s, e, 1, "always the same worker"), other = measure(s, e, PLACES, "each request on another worker than the one before");
    printf("\nOn another worker: %.2f times the cost.\n", other / same);
    fflush(stdout);
    for (int i = 0; i < PLACES; i++)
        session_env_free(e[i]);
}
