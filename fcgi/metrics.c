/* metrics.c - requests -> counters; counters of the host, and what Redis knows -> OpenMetrics text. */
#include "fcgi/metrics.h"
#include "fcgi/history.h"
#include "fcgi/serve.h"
#include "backend/base/filetime.h"
#include "backend/base/metric.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum { ROUTES_MOST = 64, CODES = 20, NO_ROUTE = ROUTES_MOST - 1, NO_CODE = CODES - 1, TICK = 1000 };

/* --- counting ------------------------------------------------------------------------------------------------------ */

static struct metric_row *_Atomic requests[ROUTES_MOST][CODES];
static struct metric_row *_Atomic seconds[ROUTES_MOST];

static void labels_of(const struct route *r, char out[128])
{
    if (r == NULL)
        snprintf(out, 128, "endpoint=\"none\",type=\"none\"");
    else
        snprintf(out, 128, "endpoint=\"%s\",type=\"%s\"", route_short(r->endpoint), r->type);
}

static struct metric_row *request_row(const struct route *r, size_t at, int code)
{
    char labels[128], all[160], text[8] = "none";
    struct metric_row *row = atomic_load_explicit(&requests[at][code], memory_order_relaxed);
    if (row != NULL)
        return row;
    labels_of(r, labels);
    if (code != NO_CODE)
        snprintf(text, sizeof text, "%d", code);
    snprintf(all, sizeof all, "%s,code=\"%s\"", labels, text);
    row = metric_row(METRIC_requests, all);
    atomic_store(&requests[at][code], row);
    return row;
}

static struct metric_row *seconds_row(const struct route *r, size_t at)
{
    char labels[128];
    struct metric_row *row = atomic_load_explicit(&seconds[at], memory_order_relaxed);
    if (row != NULL)
        return row;
    labels_of(r, labels);
    row = metric_row(METRIC_request_seconds, labels);
    atomic_store(&seconds[at], row);
    return row;
}

void metrics_count(const struct route *r, int code, int http, uint64_t us)
{
    size_t at = r != NULL ? (size_t)(r - route_table) : NO_ROUTE;
    bool waited = r != NULL && strcmp(r->type, "NotificationWait") == 0;
    if (at >= NO_ROUTE) {
        r = NULL;
        at = NO_ROUTE;
    }
    metric_row_add(request_row(r, at, code >= 0 && code < NO_CODE ? code : NO_CODE), 1);
    metric_row_us(METRIC_request_seconds, seconds_row(r, at), us);
    metric_add(METRIC_unauthorized, http == 401);
    history_count(code > 0 || http >= 500, waited, us);
}

/* --- gauges of this process ---------------------------------------------------------------------------------------- */

static struct { struct timer timer; struct timers *timers; struct front *front; const struct config *config; } ticker;

static void tick(struct timer *t)
{
    metric_set(METRIC_requests_in_progress, conn_busy(ticker.front));
    metric_set(METRIC_connections, conn_open(ticker.front));
    metric_set(METRIC_workers_draining, conn_draining(ticker.front));
    timer_set(ticker.timers, t, clock_ms() + TICK, tick);
}

void metrics_start(struct front *f, struct timers *ts, const struct config *c)
{
    ticker.front = f;
    ticker.timers = ts;
    metric_set(METRIC_workers, 1);
    metric_set(METRIC_threads, c->threads);
    tick(&ticker.timer);
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

static void put_family(struct wr *w, struct arena *a, const struct metric_value *v)
{
    static const char *const type[] = { [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_TIMER] = "histogram", [METRIC_SUMMARY] = "summary" };
    put(w, arena_printf(a, "# TYPE mapihttpd_%s %s\n", v->name, type[v->kind]));
    if (v->kind == METRIC_TIMER || v->kind == METRIC_SUMMARY)
        put(w, arena_printf(a, "# UNIT mapihttpd_%s seconds\n", v->name));
    put(w, arena_printf(a, "# HELP mapihttpd_%s %s.\n", v->name, v->help));
}

/* Name, suffix and labels; `more`: one label that the suffix brings. */
static void put_name(struct wr *w, struct arena *a, const struct metric_value *v, const char *suffix, const char *more)
{
    const char *comma = *v->labels != '\0' && *more != '\0' ? "," : "";
    bool braces = *v->labels != '\0' || *more != '\0';
    put(w, arena_printf(a, braces ? "mapihttpd_%s%s{%s%s%s} " : "mapihttpd_%s%s%s%s%s ", v->name, suffix, v->labels, comma, more));
}

static void put_us(struct wr *w, struct arena *a, uint64_t us) { put(w, arena_printf(a, "%" PRIu64 ".%06" PRIu64 "\n", us / 1000000, us % 1000000)); }

static const char *bound(struct arena *a, uint64_t us)
{
    char *text = arena_printf(a, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
    size_t n = strlen(text);
    while (text[n - 1] == '0' && text[n - 2] != '.')
        n--;
    text[n] = '\0';
    return text;
}

static void put_histogram(struct wr *w, struct arena *a, const struct metric_value *v)
{
    uint64_t sum = 0;
    for (size_t b = 0; b <= METRIC_BOUNDS; b++) {
        sum += v->bucket[b];
        put_name(w, a, v, "_bucket", b < METRIC_BOUNDS ? arena_printf(a, "le=\"%s\"", bound(a, metric_bound_us[b])) : "le=\"+Inf\"");
        put(w, arena_printf(a, "%" PRIu64 "\n", sum));
    }
}

static void put_series(struct wr *w, struct arena *a, const struct metric_value *v)
{
    switch (v->kind) {
    case METRIC_COUNTER: case METRIC_GAUGE:
        put_name(w, a, v, v->kind == METRIC_COUNTER ? "_total" : "", "");
        put(w, arena_printf(a, "%" PRId64 "\n", v->n));
        return;
    case METRIC_TIMER:
        put_histogram(w, a, v);
        break;
    case METRIC_SUMMARY:
        break;
    }
    put_name(w, a, v, "_count", "");
    put(w, arena_printf(a, "%" PRId64 "\n", v->n));
    put_name(w, a, v, "_sum", "");
    put_us(w, a, v->us);
}

static void put_gauge(struct wr *w, struct arena *a, const char *name, const char *help, uint64_t n)
{
    put(w, arena_printf(a, "# TYPE mapihttpd_%s gauge\n# HELP mapihttpd_%s %s.\nmapihttpd_%s %" PRIu64 "\n", name, name, help, name, n));
}

/* What all hosts share, and what Exchange's counters are called. */
static void put_sessions(struct wr *w, struct session_env *e, struct arena *a)
{
    struct session_census c;
    struct history_sum h = history_recent(a, 2);
    put(w, "# TYPE mapihttpd_averaged_latency_seconds gauge\n# UNIT mapihttpd_averaged_latency_seconds seconds\n"
           "# HELP mapihttpd_averaged_latency_seconds Mean time of the requests of this and the last minute, waits left out.\n");
    put(w, "mapihttpd_averaged_latency_seconds ");
    put_us(w, a, h.timed != 0 ? h.us / h.timed : 0);
    put(w, arena_printf(a, "# TYPE mapihttpd_build info\n# HELP mapihttpd_build Version of this program.\nmapihttpd_build_info{version=\"%s\"} 1\n", SERVE_VERSION));
    if (session_census(e, &c) != ecNone)
        return; /* Redis does not tell: no number is better than a wrong one */
    put_gauge(w, a, "connection_count", "Sessions, of all hosts", c.sessions);
    put_gauge(w, a, "user_count", "Users who have a session, on all hosts", c.users);
    put_gauge(w, a, "active_user_count", "Users with a request in the last two minutes or a pending wait, on all hosts", c.active_users);
}

struct blob metrics_text(struct session_env *e, struct arena *a)
{
    size_t n;
    struct wr w = wr_in(a, SIZE_MAX / 4);
    const struct metric_value *v = metric_read(a, &n);
    for (size_t m = 0; m < METRICS; m++) {
        struct metric_value family;
        metric_family((enum metric)m, &family);
        put_family(&w, a, &family);
        for (size_t i = 0; i < n; i++)
            if (v[i].metric == m)
                put_series(&w, a, &v[i]);
    }
    put_sessions(&w, e, a);
    put(&w, "# EOF\n");
    return wr_blob(&w);
}
