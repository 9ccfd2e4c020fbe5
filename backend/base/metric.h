/* metric.h - what the workers of this host count: plain numbers that any room may raise and that /metrics shows.
 *
 * Counters only rise, also through a restart of the worker; gauges rise and fall, and go with their process; timers are histograms with fixed bounds,
 * summaries count and sum.  All are summed over the host (board.h), are changed without a lock, and cost one atomic addition (a timer two).  The list is
 * metric.def.  What has labels is counted by rows, which the caller keeps. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H
#include "backend/base/arena.h"

enum metric {
#define COUNTER(name, help)   METRIC_##name,
#define GAUGE(name, help)     METRIC_##name,
#define TIMER(name, help)     METRIC_##name,
#define COUNTERS(name, help)  METRIC_##name,
#define TIMERS(name, help)    METRIC_##name,
#define SUMMARIES(name, help) METRIC_##name,
#include "backend/base/metric.def"
    METRICS
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_TIMER, METRIC_SUMMARY };
enum { METRIC_BOUNDS = 14 };                            /* of a timer; one more bucket has what is above the last */
extern const uint64_t metric_bound_us[METRIC_BOUNDS];   /* upper bounds, inclusive */

void metric_begin(void);                     /* after board_open: all series without labels exist, at 0; happens by itself at the first count */
void metric_add(enum metric m, int64_t n);   /* counter, gauge */
void metric_set(enum metric m, uint64_t n);  /* gauge */
void metric_us(enum metric m, uint64_t us);  /* timer */

/* A row of a metric with labels, `labels` as OpenMetrics writes them (a="b",c="d"), values from tables only.  Lives as long as the process. */
struct metric_row;
struct metric_row *metric_row(enum metric m, const char *labels);
void metric_row_add(struct metric_row *r, uint64_t n);
uint64_t metric_row_cell(const struct metric_row *r, size_t i);   /* counter: 0; summary: count, microseconds; timer: microseconds, buckets */
void metric_row_us(enum metric m, struct metric_row *r, uint64_t us);

/* What this thread has spent in a timer since the reset: a request runs on one thread, so this is its share, for its log line. */
uint64_t metric_spent(enum metric m);
void     metric_spent_reset(void);

/* For the pages that show them: all series of the host, summed over its workers, those of a family one after another.  In `a`. */
struct metric_value {
    enum metric metric;
    enum metric_kind kind;
    const char *name, *help;
    const char *labels;                      /* "" if it has none */
    int64_t     n;                           /* counter, gauge: its value; timer, summary: how many */
    uint64_t    us;                          /* timer, summary: their sum */
    uint64_t    bucket[METRIC_BOUNDS + 1];   /* timer: how many in each, not cumulated */
};
struct metric_value *metric_read(struct arena *a, size_t *n);
void metric_family(enum metric m, struct metric_value *out);   /* kind, name and help alone */
#endif
