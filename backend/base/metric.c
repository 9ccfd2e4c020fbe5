/* metric.c - additions of all threads become the numbers of /metrics. */
#include "backend/base/metric.h"
#include <stdatomic.h>
#include <string.h>

const uint64_t metric_bound_us[METRIC_BOUNDS] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 30000000 };

static const struct { enum metric_kind kind; const char *name, *help; } metric[METRICS] = {
#define COUNTER(name, help) { METRIC_COUNTER, #name, help },
#define GAUGE(name, help)   { METRIC_GAUGE, #name, help },
#define TIMER(name, help)   { METRIC_TIMER, #name, help },
#include "backend/base/metric.def"
};

static struct { atomic_int_fast64_t n; atomic_uint_fast64_t us, bucket[METRIC_BOUNDS + 1]; } value[METRICS];

static _Thread_local uint64_t spent[METRICS];

void metric_add(enum metric m, int64_t n) { atomic_fetch_add_explicit(&value[m].n, n, memory_order_relaxed); }

void metric_us(enum metric m, uint64_t us)
{
    unsigned b = 0;
    spent[m] += us;
    while (b < METRIC_BOUNDS && us > metric_bound_us[b])
        b++;
    atomic_fetch_add_explicit(&value[m].n, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&value[m].us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&value[m].bucket[b], 1, memory_order_relaxed);
}

void metric_read(enum metric m, struct metric_value *out)
{
    *out = (struct metric_value){ metric[m].kind, metric[m].name, metric[m].help, atomic_load(&value[m].n), atomic_load(&value[m].us), { 0 } };
    for (unsigned b = 0; b <= METRIC_BOUNDS; b++)
        out->bucket[b] = atomic_load(&value[m].bucket[b]);
}

uint64_t metric_spent(enum metric m) { return spent[m]; }

void metric_spent_reset(void) { memset(spent, 0, sizeof spent); }
