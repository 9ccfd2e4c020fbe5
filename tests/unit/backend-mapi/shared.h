/* shared.h - files of real systems, where this machine has them: $MAPIHTTPD_SHARED or ../shared. */
#ifndef TESTS_MAPI_SHARED_H
#define TESTS_MAPI_SHARED_H
#include "backend/base/arena.h"
#include <stdio.h>
#include <stdlib.h>

/* The whole file in the arena; length 0 if it is not here. */
static inline struct blob shared_file(struct arena *a, const char *name)
{
    const char *root = getenv("MAPIHTTPD_SHARED");
    FILE       *f = fopen(arena_printf(a, "%s/%s", root != NULL ? root : "../shared", name), "rb");
    if (f == NULL)
        return blob_of(NULL, 0);
    enum { MOST = 1 << 20 };
    uint8_t *p = arena_alloc(a, MOST);
    size_t   n = fread(p, 1, MOST, f);
    fclose(f);
    return blob_of(p, n);
}
#endif
