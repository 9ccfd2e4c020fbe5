/* metric.c - additions of all threads, and of all workers of the host, become the numbers of /metrics. */
#include "backend/base/metric.h"
#include "backend/base/board.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

const uint64_t metric_bound_us[METRIC_BOUNDS] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 30000000 };

static const struct { enum metric_kind kind; bool labelled; const char *name, *help; } metric[METRICS] = {
#define COUNTER(name, help)   { METRIC_COUNTER, false, #name, help },
#define GAUGE(name, help)     { METRIC_GAUGE, false, #name, help },
#define TIMER(name, help)     { METRIC_TIMER, false, #name, help },
#define COUNTERS(name, help)  { METRIC_COUNTER, true, #name, help },
#define TIMERS(name, help)    { METRIC_TIMER, true, #name, help },
#define SUMMARIES(name, help) { METRIC_SUMMARY, true, #name, help },
#include "backend/base/metric.def"
};

/* Cells of a series: a counter or gauge has one; a summary count and microseconds; a timer microseconds and the buckets. */
static size_t cells_of(enum metric m)
{
    static const size_t n[] = { [METRIC_COUNTER] = 1, [METRIC_GAUGE] = 1, [METRIC_SUMMARY] = 2, [METRIC_TIMER] = METRIC_BOUNDS + 2 };
    return n[metric[m].kind];
}

static _Atomic uint64_t nowhere[METRIC_BOUNDS + 2];   /* for what the board has no room for */
static _Atomic uint64_t *series[METRICS];             /* of the metrics without labels */
static pthread_once_t   once = PTHREAD_ONCE_INIT;
static _Thread_local uint64_t spent[METRICS];

static _Atomic uint64_t *place(enum metric m, const char *labels)
{
    char name[BOARD_NAME + 1];
    int n = snprintf(name, sizeof name, *labels != '\0' ? "%s{%s}" : "%s", metric[m].name, labels);
    _Atomic uint64_t *p = n > 0 && n < (int)sizeof name ? board_series(metric[m].kind == METRIC_GAUGE ? BOARD_GAUGE : BOARD_COUNTER, name, cells_of(m)) : NULL;
    return p != NULL ? p : nowhere;
}

static void begin(void)
{
    for (size_t m = 0; m < METRICS; m++)
        if (!metric[m].labelled)
            series[m] = place((enum metric)m, "");
}

void metric_begin(void) { pthread_once(&once, begin); }

static void add(_Atomic uint64_t *p, uint64_t n) { atomic_fetch_add_explicit(p, n, memory_order_relaxed); }

static void add_us(enum metric m, _Atomic uint64_t *p, uint64_t us)
{
    unsigned b = 0;
    if (metric[m].kind == METRIC_SUMMARY) {
        add(&p[0], 1);
        add(&p[1], us);
        return;
    }
    while (b < METRIC_BOUNDS && us > metric_bound_us[b])
        b++;
    add(&p[0], us);
    add(&p[1 + b], 1);
}

void metric_add(enum metric m, int64_t n)
{
    metric_begin();
    add(series[m], (uint64_t)n);
}

void metric_set(enum metric m, uint64_t n)
{
    metric_begin();
    atomic_store_explicit(series[m], n, memory_order_relaxed);
}

void metric_us(enum metric m, uint64_t us)
{
    metric_begin();
    spent[m] += us;
    add_us(m, series[m], us);
}

struct metric_row *metric_row(enum metric m, const char *labels)
{
    metric_begin();
    return (struct metric_row *)place(m, labels);
}

void metric_row_add(struct metric_row *r, uint64_t n) { add((_Atomic uint64_t *)r, n); }
void metric_row_us(enum metric m, struct metric_row *r, uint64_t us) { add_us(m, (_Atomic uint64_t *)r, us); }

uint64_t metric_row_cell(const struct metric_row *r, size_t i) { return atomic_load_explicit((const _Atomic uint64_t *)r + i, memory_order_relaxed); }

uint64_t metric_spent(enum metric m) { return spent[m]; }

void metric_spent_reset(void) { memset(spent, 0, sizeof spent); }

/* --- reading ------------------------------------------------------------------------------------------------------- */

struct family { enum metric_kind kind; const char *name, *help; };

void metric_family(enum metric m, struct metric_value *out)
{
    *out = (struct metric_value){ .kind = metric[m].kind, .name = metric[m].name, .help = metric[m].help };
}

struct reading { struct arena *a; struct metric_value *v; size_t n, cap; };

static bool same_family(const char *series_name, const char *family)
{
    size_t n = strlen(family);
    return strncmp(series_name, family, n) == 0 && (series_name[n] == '\0' || series_name[n] == '{');
}

static void sum(struct metric_value *v, const uint64_t *c)
{
    switch (v->kind) {
    case METRIC_COUNTER: case METRIC_GAUGE:
        v->n += (int64_t)c[0];
        break;
    case METRIC_SUMMARY:
        v->n += (int64_t)c[0];
        v->us += c[1];
        break;
    case METRIC_TIMER:
        v->us += c[0];
        for (unsigned b = 0; b <= METRIC_BOUNDS; b++) {
            v->bucket[b] += c[1 + b];
            v->n += (int64_t)c[1 + b];
        }
        break;
    }
}

/* Series of other releases that this one does not know are passed over. */
static void take(void *ctx, const char *name, const uint64_t *cells, size_t n)
{
    struct reading *r = ctx;
    size_t m = 0;
    while (m < METRICS && (!same_family(name, metric[m].name) || cells_of((enum metric)m) != n))
        m++;
    if (m == METRICS)
        return;
    const char *labels = strchr(name, '{') != NULL ? name : "";
    struct metric_value *last = r->n != 0 ? &r->v[r->n - 1] : NULL;
    if (last == NULL || last->metric != m || strcmp(last->labels, labels) != 0) {
        r->v = arena_grow(r->a, r->v, &r->cap, r->n, sizeof *r->v);
        last = &r->v[r->n++];
        metric_family((enum metric)m, last);
        last->metric = (enum metric)m;
        last->labels = labels;
    }
    sum(last, cells);
}

struct metric_value *metric_read(struct arena *a, size_t *n)
{
    struct reading r = { .a = a };
    metric_begin();
    board_read(a, take, &r);
    for (size_t i = 0; i < r.n; i++) { /* "name{a="b"}" -> a="b" */
        const char *at = strchr(r.v[i].labels, '{');
        if (at != NULL)
            r.v[i].labels = arena_str(a, blob_of(at + 1, strlen(at + 1) - (at[strlen(at) - 1] == '}')));
    }
    *n = r.n;
    return r.v;
}
