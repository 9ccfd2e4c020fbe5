/* metrics.h - /metrics: what all workers of this host have counted, as OpenMetrics text. */
#ifndef FCGI_METRICS_H
#define FCGI_METRICS_H
#include "fcgi/conn.h"
#include "fcgi/route.h"

/* Counts one answered request: its route (NULL: none), X-ResponseCode (-1: none), HTTP status and duration. */
void metrics_count(const struct route *r, int code, int http, uint64_t us);

/* From now on the gauges of this process are kept up to date, every second. The front outlives the timers. */
void metrics_start(struct front *f, struct timers *ts, const struct config *c);

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
struct blob metrics_text(struct session_env *e, struct arena *a);
#endif
