/* mutate.h - every truncation and every single-bit flip of some bytes, each in a heap block of exactly its size. */
#ifndef TESTS_MUTATE_H
#define TESTS_MUTATE_H
#include "backend/base/blob.h"

/* Calls fn(ctx, variant) for each truncation (including the empty and the whole) and each bit flip.  Under ASan an over-read of one byte
 * is seen.  Returns the number of variants. */
size_t mutate_all(struct blob b, void (*fn)(void *ctx, struct blob variant), void *ctx);
#endif
