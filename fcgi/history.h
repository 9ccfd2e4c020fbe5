/* history.h - the last hour of this host, minute by minute: for the status page, and for a mean that means now. */
#ifndef FCGI_HISTORY_H
#define FCGI_HISTORY_H
#include "backend/base/arena.h"

enum { HISTORY_MINUTES = 60 };

/* One answered request, now.  A wait's time says nothing about the server and is not counted. */
void history_count(bool failed, bool waited, uint64_t us);

struct history_sum { uint64_t requests, failed, timed, us; };   /* timed: those whose time is in `us` */

/* Minutes of all workers of the host, out[HISTORY_MINUTES - 1] the one that is running. */
void history_read(struct arena *a, struct history_sum out[HISTORY_MINUTES]);

/* The running one and those before, `minutes` in all. */
struct history_sum history_recent(struct arena *a, size_t minutes);
#endif
