/* health.h - /healthz and /metrics: is the process alive, can it work, what has the host done.  No session, no authentication; nginx decides who may ask. */
#ifndef FCGI_HEALTH_H
#define FCGI_HEALTH_H
#include "fcgi/route.h"
#include "fcgi/conn.h"

/* True if the path is one of ours: then *status, *type and *text (in `a`) are the answer. */
bool health_answer(const char *path, struct session_env *e, struct front *f, struct arena *a, int *status, const char **type, struct blob *text);
#endif
