/* health.c - counters of the process as OpenMetrics text, liveness, readiness. */
#include "fcgi/health.h"
#include "backend/base/wr.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { ROUTES_MOST = 64, CODES = 20, NO_ROUTE = ROUTES_MOST - 1 };

static struct { atomic_ulong code[CODES], us, n; } counted[ROUTES_MOST]; /* code CODES - 1: no X-ResponseCode */
static atomic_ulong refused_401;

void health_count(const struct route *r, int code, int http, uint64_t us)
{
    size_t at = r != NULL ? (size_t)(r - route_table) : NO_ROUTE;
    if (at >= ROUTES_MOST)
        at = NO_ROUTE;
    atomic_fetch_add_explicit(&counted[at].code[code >= 0 && code < CODES - 1 ? code : CODES - 1], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counted[at].us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&counted[at].n, 1, memory_order_relaxed);
    if (http == 401)
        atomic_fetch_add_explicit(&refused_401, 1, memory_order_relaxed);
}

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

static const char *labels(struct arena *a, size_t at)
{
    if (at >= route_count)
        return "endpoint=\"none\",type=\"none\"";
    return arena_printf(a, "endpoint=\"%s\",type=\"%s\"", route_table[at].endpoint == ENDPOINT_MAILBOX ? "emsmdb" : "nspi", route_table[at].type);
}

static void put_requests(struct wr *w, struct arena *a)
{
    put(w, "# TYPE mapihttpd_requests counter\n# HELP mapihttpd_requests Requests answered, by X-ResponseCode.\n");
    for (size_t at = 0; at < ROUTES_MOST; at++)
        for (int code = 0; code < CODES; code++) {
            unsigned long n = atomic_load(&counted[at].code[code]);
            if (n == 0)
                continue;
            const char *text = code < CODES - 1 ? arena_printf(a, "%d", code) : "none";
            put(w, arena_printf(a, "mapihttpd_requests_total{%s,code=\"%s\"} %lu\n", labels(a, at), text, n));
        }
}

static void put_seconds(struct wr *w, struct arena *a)
{
    put(w, "# TYPE mapihttpd_request_seconds summary\n# HELP mapihttpd_request_seconds Time from the request's last byte to its answer.\n");
    for (size_t at = 0; at < ROUTES_MOST; at++) {
        unsigned long n = atomic_load(&counted[at].n), us = atomic_load(&counted[at].us);
        if (n != 0)
            put(w, arena_printf(a, "mapihttpd_request_seconds_sum{%s} %lu.%06lu\nmapihttpd_request_seconds_count{%s} %lu\n", labels(a, at),
                                us / 1000000, us % 1000000, labels(a, at), n));
    }
}

static struct blob metrics(struct front *f, struct arena *a)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    put_requests(&w, a);
    put_seconds(&w, a);
    put(&w, arena_printf(a,
                         "# TYPE mapihttpd_unauthorized counter\nmapihttpd_unauthorized_total %lu\n"
                         "# TYPE mapihttpd_busy gauge\nmapihttpd_busy %u\n"
                         "# TYPE mapihttpd_connections gauge\nmapihttpd_connections %u\n# EOF\n",
                         atomic_load(&refused_401), conn_busy(f), conn_open(f)));
    return wr_blob(&w);
}

static const char *not_ready(struct session_env *e, struct front *f, struct arena *a)
{
    const char *redis = conn_draining(f) ? NULL : redis_unready(e->redis, a);
    return conn_draining(f)                                ? "draining\n"
         : redis != NULL                                   ? arena_printf(a, "redis: %s\n", redis)
         : access(e->config->store, R_OK | W_OK | X_OK) != 0 ? "the store's directory cannot be used\n"
                                                           : NULL;
}

bool health_answer(const char *path, struct session_env *e, struct front *f, struct arena *a, int *status, const char **type, struct blob *text)
{
    const char *words = "ok\n";
    *status = 200;
    *type = "text/plain; charset=utf-8";
    if (path == NULL)
        return false;
    if (strcmp(path, "/metrics") == 0) {
        *type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        *text = metrics(f, a);
        return true;
    }
    bool live = strcmp(path, "/healthz/live") == 0, ready = strcmp(path, "/healthz") == 0 || strcmp(path, "/healthz/ready") == 0;
    if (ready && (words = not_ready(e, f, a)) != NULL)
        *status = 503;
    *text = blob_str(words != NULL ? words : "ok\n");
    return live || ready;
}
