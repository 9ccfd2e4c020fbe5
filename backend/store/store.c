/* store.c - the store of a process: its driver and its pool. */
#include "backend/store/store_int.h"
#include "backend/store/fault/dbfault.h"
#include "backend/base/must.h"
#include <stdlib.h>
#include <string.h>

static const struct db_ops *const drivers[] = { &db_sqlite, &db_fault };

static const struct db_ops *driver(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}

static char *own(const char *s)
{
    char *copy = strdup(s);
    must(copy != NULL);
    return copy;
}

/* Waits are measured on the clock that never steps. */
static void init_lock(struct store *s)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->freed, &attr);
    pthread_condattr_destroy(&attr);
}

struct store *store_new(const struct store_options *o, struct arena *a, const char **why)
{
    const struct db_ops *ops = driver(o->fault_call != 0 ? "fault" : o->driver);
    const char *reason = NULL;
    if (ops == NULL) {
        *why = arena_printf(a, "unknown store driver \"%s\"", o->driver);
        return NULL;
    }
    if (!ops->usable(o->path, &reason)) {
        *why = arena_printf(a, "the store directory %s %s", o->path, reason);
        return NULL;
    }
    struct store *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->o = *o;
    s->o.driver = own(o->driver);
    s->o.path = own(o->path);
    s->o.pool_files = o->pool_files != 0 ? o->pool_files : 256;
    s->o.busy_ms = o->busy_ms != 0 ? o->busy_ms : 5000;
    s->ops = ops;
    init_lock(s);
    if (o->fault_call != 0)
        dbfault_arm(o->fault_call);
    return s;
}

void store_free(struct store *s)
{
    if (s == NULL)
        return;
    must(s->leases == NULL);
    while (s->newest != NULL) {
        struct guid id = s->newest->id;
        pool_forget(s, &id);
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->freed);
    free((char *)s->o.driver);
    free((char *)s->o.path);
    free(s);
}
