/* lease.h - the locks that this process holds, kept alive by one timer thread, independent of PENDING. */
#ifndef CONTEXT_LEASE_H
#define CONTEXT_LEASE_H
#include "session/context/script.h"
#include <stdatomic.h>

struct lease {
    struct lease *next, **link;  /* of the process' list; link NULL: not in it */
    struct redis *redis;
    struct blob   key;
    uint8_t       token[TOKEN];
    uint64_t      lease_ms, retention_ms;
    uint64_t      asked;         /* clock_ms() before the lock was asked for: it cannot be younger than that */
    _Atomic uint64_t renewed;    /* clock_ms() likewise */
    atomic_bool   lost;
};
/* The lease, its key included, stays where it is until lease_end; both may be called from any thread. */
void lease_begin(struct lease *l);
void lease_end(struct lease *l);
bool lease_lost(const struct lease *l);
#endif
