/* health.h - /healthz and /metrics: is the process alive, can it work, what has it done.  No session, no authentication; nginx decides who may ask. */
#ifndef FCGI_HEALTH_H
#define FCGI_HEALTH_H
#include "fcgi/route.h"
#include "fcgi/conn.h"

/* Counts one answered request: its route (NULL: none), X-ResponseCode (-1: none), HTTP status and duration. */
void health_count(const struct route *r, int code, int http, uint64_t us);

/* True if the path is one of ours: then *status, *type and *text (in `a`) are the answer. */
bool health_answer(const char *path, struct session_env *e, struct front *f, struct arena *a, int *status, const char **type, struct blob *text);
#endif
