/* shared.h - memory that all workers of a host see: files in one directory, mapped. */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H
#include "backend/base/arena.h"

/* The file `name` of `dir` (which is made if need be), at least `size` bytes, zeroed where it is new.  Lives as long as the process; what it holds outlives it.
 * Another process can write there at any time, so that it is read like any other input.  NULL with *why. */
void *shared_map(const char *dir, const char *name, size_t size, struct arena *a, const char **why);
#endif
