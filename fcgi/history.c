/* history.c - a ring of minutes among the counters of the host. */
#include "fcgi/history.h"
#include "backend/base/board.h"
#include <pthread.h>
#include <time.h>

/* A minute's cells: its number since 1970, then these. */
enum { STAMP, REQUESTS, FAILED, TIMED, US, CELLS, SLOTS = 64 };

static _Atomic uint64_t *ring;

static void find_ring(void)
{
    static _Atomic uint64_t nowhere[SLOTS * CELLS];
    ring = board_series(BOARD_COUNTER, "history", SLOTS * CELLS);
    if (ring == NULL)
        ring = nowhere;
}

/* Whoever is first in a minute empties its place; what another worker counts at that very moment may be lost. */
static _Atomic uint64_t *place(uint64_t minute)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_ring);
    _Atomic uint64_t *p = ring + minute % SLOTS * CELLS;
    uint64_t was = atomic_load_explicit(&p[STAMP], memory_order_relaxed);
    if (was != minute && atomic_compare_exchange_strong(&p[STAMP], &was, minute))
        for (size_t i = STAMP + 1; i < CELLS; i++)
            atomic_store(&p[i], 0);
    return p;
}

static uint64_t now_minute(void) { return (uint64_t)time(NULL) / 60; }

void history_count(bool failed, bool waited, uint64_t us)
{
    _Atomic uint64_t *p = place(now_minute());
    atomic_fetch_add_explicit(&p[REQUESTS], 1, memory_order_relaxed);
    if (failed)
        atomic_fetch_add_explicit(&p[FAILED], 1, memory_order_relaxed);
    if (waited)
        return;
    atomic_fetch_add_explicit(&p[TIMED], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&p[US], us, memory_order_relaxed);
}

struct reading { uint64_t now; struct history_sum *out; };

static void take(void *ctx, const char *name, const uint64_t *cells, size_t n)
{
    struct reading *r = ctx;
    if (strcmp(name, "history") != 0 || n != SLOTS * CELLS)
        return;
    for (size_t i = 0; i < SLOTS; i++, cells += CELLS) {
        uint64_t age = r->now - cells[STAMP];
        if (age >= HISTORY_MINUTES)
            continue;
        struct history_sum *h = &r->out[HISTORY_MINUTES - 1 - age];
        h->requests += cells[REQUESTS];
        h->failed += cells[FAILED];
        h->timed += cells[TIMED];
        h->us += cells[US];
    }
}

void history_read(struct arena *a, struct history_sum out[HISTORY_MINUTES])
{
    struct reading r = { now_minute(), out };
    memset(out, 0, HISTORY_MINUTES * sizeof *out);
    board_read(a, take, &r);
}

struct history_sum history_recent(struct arena *a, size_t minutes)
{
    struct history_sum all[HISTORY_MINUTES], sum = { 0 };
    history_read(a, all);
    for (size_t i = 0; i < minutes && i < HISTORY_MINUTES; i++) {
        const struct history_sum *h = &all[HISTORY_MINUTES - 1 - i];
        sum = (struct history_sum){ sum.requests + h->requests, sum.failed + h->failed, sum.timed + h->timed, sum.us + h->us };
    }
    return sum;
}
