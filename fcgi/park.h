/* park.h - the front's side of a NotificationWait: what is kept of the request while it waits, and the rest of its answer. */
#ifndef FCGI_PARK_H
#define FCGI_PARK_H
#include "fcgi/access.h"
#include "fcgi/conn.h"
#include "fcgi/route.h"

/* In place of an answer.  `head`: the first bytes, empty if they went out; `x`: what is known for the log line, NULL if none is written. */
void park_wait(struct conn *c, struct session_wait *w, const struct request *rq, const struct route *route, struct blob head, const struct access *x);

/* Of struct conn_service. */
void park_parked(void *park);
void park_pending(void *park);
void park_gone(void *park);
#endif
