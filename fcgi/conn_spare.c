/* conn_spare.c - a worker thread waits for a Redis that is failing -> another one serves in its place, until it goes on. */
#include "fcgi/conn_int.h"
#include "backend/base/filetime.h"
#include "backend/base/metric.h"
#include <time.h>

enum { SPARE_STAYS = 1000, LOOK_MS = 10 };  /* ms that a spare thread stays after it was needed last; between two looks whether all have gone */

static void *spare(void *front)
{
    conn_work_spare(front);
    return NULL;
}

static bool start(struct front *f)
{
    pthread_t t;
    if (pthread_create(&t, NULL, spare, f) != 0)
        return false;
    pthread_detach(t);
    metric_add(METRIC_spare_threads, 1);
    return true;
}

/* As many as wait, no more. */
static bool begun(void *front)
{
    struct front *f = front;
    const struct config *c = atomic_load(&f->config);
    unsigned waiting = atomic_fetch_add(&f->stalled, 1) + 1, n = atomic_load(&f->spares);
    if (waiting > c->redis_failover_waiters) {
        atomic_fetch_sub(&f->stalled, 1);
        return false;
    }
    while (n < waiting)
        if (atomic_compare_exchange_weak(&f->spares, &n, n + 1)) {
            if (!start(f))
                atomic_fetch_sub(&f->spares, 1);
            break;
        }
    return true;
}

static void ended(void *front)
{
    struct front *f = front;
    atomic_store(&f->stalled_at, clock_ms());
    atomic_fetch_sub(&f->stalled, 1);
}

static bool full(void *front)
{
    struct front *f = front;
    const struct config *c = atomic_load(&f->config);
    return atomic_load(&f->stalled) >= c->redis_failover_waiters;
}

void conn_spare_begin(struct front *f)
{
    f->pool = (struct stall_pool){ begun, ended, full, f };
}

bool conn_spare_over(struct front *f)
{
    unsigned n = atomic_load(&f->spares);
    bool over = atomic_load(&f->finished);
    while (!over && n > atomic_load(&f->stalled) && clock_ms() - atomic_load(&f->stalled_at) > SPARE_STAYS)
        if (atomic_compare_exchange_weak(&f->spares, &n, n - 1))
            return true; /* the front may be gone by the next line */
    if (over)
        atomic_fetch_sub(&f->spares, 1);
    return over;
}

void conn_spare_end(struct front *f)
{
    const struct timespec t = { 0, LOOK_MS * 1000000 };
    while (atomic_load(&f->spares) != 0)
        nanosleep(&t, NULL);
}
