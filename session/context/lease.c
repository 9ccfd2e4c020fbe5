/* lease.c - held locks -> RENEW, every third of their lease. */
#include "session/context/lease.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include <pthread.h>

enum { ARENA = 1 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lease   *held;
static _Atomic uint64_t shortest = 6000; /* of the leases seen so far; the thread wakes six times in it.  Nobody wakes it: that would cost each request */

static void renew(struct lease *l)
{
    struct arena *a = arena_new(ARENA);
    struct redis_conn *r = redis_take(l->redis, a);
    struct args x = { a, NULL, 0, 0 };
    struct redis_value v;
    args_bytes(&x, l->token, TOKEN);
    args_num(&x, l->lease_ms);
    args_num(&x, l->retention_ms);
    uint64_t asked = clock_ms();
    struct call c = { SCRIPT_RENEW, l->key, x.v, x.n, NULL, 0, FAULT_COUNT };
    if (r != NULL && script_call(r, &c, &v, NULL) == REDIS_DONE && v.type == REDIS_INT) {
        atomic_store(&l->renewed, asked);
        if (v.i != 1)
            atomic_store(&l->lost, true);
    }
    arena_free(a);
}

/* Holds the mutex while it talks to Redis: a lease that is being renewed cannot end under it. */
static void renew_due(void)
{
    pthread_mutex_lock(&lock);
    for (struct lease *l = held; l != NULL; l = l->next)
        if (!atomic_load(&l->lost) && clock_ms() - atomic_load(&l->renewed) >= l->lease_ms / 3)
            renew(l);
    pthread_mutex_unlock(&lock);
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
