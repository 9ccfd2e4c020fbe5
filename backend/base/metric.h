/* metric.h - what this process counts: plain numbers that any room may raise and that /metrics shows.
 *
 * Counters only rise, gauges rise and fall, timers are histograms with fixed bounds.  All are process-wide, without a lock, and cost one atomic addition
 * (a timer three).  The list is metric.def. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H
#include <stdint.h>

enum metric {
#define COUNTER(name, help) METRIC_##name,
#define GAUGE(name, help)   METRIC_##name,
#define TIMER(name, help)   METRIC_##name,
#include "backend/base/metric.def"
    METRICS
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_TIMER };
enum { METRIC_BOUNDS = 14 };                            /* of a timer; one more bucket has what is above the last */
extern const uint64_t metric_bound_us[METRIC_BOUNDS];   /* upper bounds, inclusive */

void metric_add(enum metric m, int64_t n);   /* counter, gauge */
void metric_us(enum metric m, uint64_t us);  /* timer */

/* What this thread has spent in a timer since the reset: a request runs on one thread, so this is its share, for its log line. */
uint64_t metric_spent(enum metric m);
void     metric_spent_reset(void);

/* For the page that shows them. */
struct metric_value {
    enum metric_kind kind;
    const char *name, *help;
    int64_t     n;                           /* counter, gauge: its value; timer: how many */
    uint64_t    us;                          /* timer: their sum */
    uint64_t    bucket[METRIC_BOUNDS + 1];   /* timer: how many in each, not cumulated */
};
void metric_read(enum metric m, struct metric_value *out);
#endif
