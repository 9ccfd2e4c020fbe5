/* lease.c - held locks -> RENEW, every third of their lease. */
#include "session/context/lease.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include <pthread.h>

enum { ARENA = 1 << 20, AT_ONCE = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lease   *held;
static _Atomic uint64_t shortest = 6000; /* of the leases seen so far; the thread wakes six times in it.  Nobody wakes it: that would cost each request */

/* A lease that is due, apart from its request, which may end at any time. */
struct due { struct redis *redis; struct blob key; uint8_t token[TOKEN]; uint64_t lease_ms, retention_ms; };

static size_t collect(struct arena *a, struct due *out)
{
    size_t n = 0;
    pthread_mutex_lock(&lock);
    for (struct lease *l = held; l != NULL && n < AT_ONCE; l = l->next) {
        if (atomic_load(&l->lost) || clock_ms() - atomic_load(&l->renewed) < l->lease_ms / 3)
            continue;
        out[n] = (struct due){ l->redis, arena_blob(a, l->key), { 0 }, l->lease_ms, l->retention_ms };
        memcpy(out[n++].token, l->token, TOKEN);
    }
    pthread_mutex_unlock(&lock);
    return n;
}

/* 1 still ours, 0 not, -1 Redis does not tell. */
static int64_t renew(struct arena *a, struct due *d)
{
    struct redis_conn *r = redis_take_now(d->redis, a, d->key);
    struct args x = { a, NULL, 0, 0 };
    struct redis_value v;
    uint8_t run[RUN];
    args_bytes(&x, d->token, TOKEN);
    args_num(&x, d->lease_ms);
    args_num(&x, d->retention_ms);
    args_bytes(&x, run, RUN);
    struct call c = { SCRIPT_RENEW, d->key, x.v, x.n, NULL, 0, FAULT_COUNT, run, false };
    return r != NULL && script_call(r, &c, &v, NULL) == REDIS_DONE && v.type == REDIS_INT ? v.i : -1;
}

static void report(const struct due *d, uint64_t asked, bool ours)
{
    pthread_mutex_lock(&lock);
    for (struct lease *l = held; l != NULL; l = l->next) {
        if (memcmp(l->token, d->token, TOKEN) != 0)
            continue;
        atomic_store(&l->renewed, asked);
        if (!ours)
            atomic_store(&l->lost, true);
    }
    pthread_mutex_unlock(&lock);
}

/* Nobody waits for the mutex while Redis is asked: one that hangs would stop all requests.  A lease that ends meanwhile is renewed in vain. */
static void renew_due(void)
{
    struct arena *a = arena_new(ARENA);
    struct due *due = arena_array(a, struct due, AT_ONCE);
    size_t n = collect(a, due);
    for (size_t i = 0; i < n; i++) {
        struct arena *one = arena_new(ARENA);
        uint64_t asked = clock_ms();
        int64_t said = renew(one, &due[i]);
        arena_free(one);
        if (said >= 0)
            report(&due[i], asked, said == 1);
    }
    arena_free(a);
}

static void *timer(void *unused)
{
    (void)unused;
    for (;;) {
        uint64_t pause = atomic_load(&shortest) / 6;
        struct timespec t = { (time_t)(pause / 1000), (long)(pause % 1000) * 1000000 };
        nanosleep(&t, NULL);
        renew_due();
    }
    return NULL;
}

static void start(void)
{
    pthread_t t;
    must(pthread_create(&t, NULL, timer, NULL) == 0);
    pthread_detach(t);
}

void lease_begin(struct lease *l)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (l->lease_ms < atomic_load(&shortest))
        atomic_store(&shortest, l->lease_ms < 60 ? 60 : l->lease_ms);
    pthread_once(&once, start);
    atomic_store(&l->lost, false);
    atomic_store(&l->renewed, l->asked);
    pthread_mutex_lock(&lock);
    l->next = held;
    l->link = &held;
    if (held != NULL)
        held->link = &l->next;
    held = l;
    pthread_mutex_unlock(&lock);
}

void lease_end(struct lease *l)
{
    pthread_mutex_lock(&lock);
    if (l->link != NULL) {
        *l->link = l->next;
        if (l->next != NULL)
            l->next->link = l->link;
        l->link = NULL;
    }
    pthread_mutex_unlock(&lock);
}

bool lease_lost(const struct lease *l)
{
    return atomic_load(&l->lost) || clock_ms() - atomic_load(&l->renewed) > l->lease_ms;
}
