/* waiter.h - a NotificationWait in a thread of the test: what of its answer has come, and how it ended. */
#ifndef FLOW_WAITER_H
#define FLOW_WAITER_H
#include "tests/flow/walk.h"
#include <pthread.h>
#include <stdatomic.h>

enum { WAITER_FAILED = 99 };

struct waiter {
    struct mapic  c;
    struct arena *a;
    struct mapic_odd odd;
    uint32_t      flags;
    pthread_t     thread;
    atomic_uint   processing, pendings;  /* lines seen so far */
    atomic_bool   over;
    uint64_t      begun, head, ended;    /* clock_ms(); head: when PROCESSING came */
    bool          answered;              /* a whole answer came */
    struct mapic_reply r;
    uint32_t      event;                 /* EventPending; WAITER_FAILED: no success body */
    const char   *why;
};

/* Sends it beside the session, to the worker of that name (NULL: any). */
void waiter_start(struct waiter *w, const struct mapic *session, const char *route);
/* PROCESSING has come, so many PENDINGs have: within 5 s. */
bool waiter_processing(struct waiter *w);
bool waiter_pending(struct waiter *w, unsigned n);
/* Still nothing but that after so many ms. */
bool waiter_waits(struct waiter *w, unsigned ms);
/* Its end, within 10 s: EventPending, or WAITER_FAILED (see r.code, why). */
uint32_t waiter_end(struct waiter *w);
/* The client's side of the network breaks. */
void waiter_break(struct waiter *w);
void waiter_free(struct waiter *w);
#endif
