/* stall.c - waits of a thread -> one call when the outermost begins, one when it ends. */
#include "backend/base/stall.h"
#include <stddef.h>

static _Thread_local const struct stall_pool *pool;
static _Thread_local unsigned depth;
static _Thread_local bool     counted;   /* the pool knows of it */

void stall_join(const struct stall_pool *p) { pool = p; }

bool stall_begin(void)
{
    if (pool == NULL)
        return true;
    if (depth++ == 0)
        counted = pool->begun(pool->ctx);
    return counted;
}

void stall_end(void)
{
    if (pool == NULL || --depth != 0 || !counted)
        return;
    counted = false;
    pool->ended(pool->ctx);
}

bool stall_full(void) { return pool != NULL && !counted && pool->full(pool->ctx); }
