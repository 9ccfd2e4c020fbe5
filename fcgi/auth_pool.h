/* auth_pool.h - threads for checks that take their time: a memory-hard hash, a directory server, PAM, fetching keys.
 *
 * Few of them, at lower priority, so that a storm of wrong passwords takes neither the worker threads nor the processor from those who are logged in.  Those who
 * wait are taken in turn by client address: a storm from one address waits for itself. */
#ifndef FCGI_AUTH_POOL_H
#define FCGI_AUTH_POOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auth_pool;

/* Part of what it belongs to; zeroed before its use, and owned by the pool until `run` is called, on one of its threads. */
struct auth_work {
    void            (*run)(struct auth_work *w);
    const char       *addr;      /* of the client; lives as long as the work */
    uint64_t          turn;
    struct auth_work *next;
};

/* `most` may wait.  NULL with errno: the threads cannot be started. */
struct auth_pool *auth_pool_start(size_t threads, size_t most);
/* What waits is run before it returns. */
void auth_pool_stop(struct auth_pool *p);

/* False: too many wait. */
bool auth_pool_put(struct auth_pool *p, struct auth_work *w);
#endif
