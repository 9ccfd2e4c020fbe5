/* census.c - all contexts in Redis -> how many sessions, how many users. */
#include "backend/base/filetime.h"
#include "session/session.h"
#include <pthread.h>
#include <stdlib.h>

enum { FRESH_MS = 10000, ACTIVE_MS = 120000, ARENA = 256 << 20 };

struct one { uint64_t user; bool active; };
struct counting { struct arena *a; struct one *v; size_t n, cap; };

static uint64_t hash(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s != '\0'; s++)
        h = (h ^ (uint8_t)*s) * 1099511628211u;
    return h;
}

static void count_one(void *ctx, const struct context *c, int64_t ttl_ms, bool locked)
{
    struct counting *k = ctx;
    (void)ttl_ms;
    k->v = arena_grow(k->a, k->v, &k->cap, k->n, sizeof *k->v);
    k->v[k->n++] = (struct one){ hash(c->user), locked || c->state.waits || c->state.idle_ms < ACTIVE_MS };
}

/* Of a user's sessions the active ones come first. */
static int by_user(const void *a, const void *b)
{
    const struct one *x = a, *y = b;
    return x->user != y->user ? (x->user > y->user ? 1 : -1) : (int)y->active - (int)x->active;
}

static ec_t count(struct session_env *e, struct session_census *out)
{
    struct counting k = { .a = arena_new(ARENA) };
    ec_t ec = context_scan(e, k.a, count_one, &k);
    if (k.n != 0)
        qsort(k.v, k.n, sizeof *k.v, by_user);
    *out = (struct session_census){ .sessions = k.n };
    for (size_t i = 0; ec == ecNone && i < k.n; i++)
        if (i == 0 || k.v[i].user != k.v[i - 1].user) {
            out->users++;
            out->active_users += k.v[i].active;
        }
    arena_free(k.a);
    return ec;
}

ec_t session_census(struct session_env *e, struct session_census *out)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct session_census last;
    static uint64_t counted;
    ec_t ec = ecNone;
    pthread_mutex_lock(&lock);
    if (counted == 0 || clock_ms() - counted >= FRESH_MS) {
        ec = count(e, &last);
        counted = ec == ecNone ? clock_ms() : 0;
    }
    *out = last;
    pthread_mutex_unlock(&lock);
    return ec;
}
