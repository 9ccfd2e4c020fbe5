/* mutate.c - truncations and bit flips. */
#include "tests/mutate.h"
#include "backend/base/must.h"
#include <stdlib.h>

size_t mutate_all(struct blob b, void (*fn)(void *ctx, struct blob variant), void *ctx)
{
    size_t count = 0;
    for (size_t n = 0; n <= b.n; n++, count++) {
        uint8_t *exact = malloc(n != 0 ? n : 1);
        must(exact != NULL);
        if (n != 0)
            memcpy(exact, b.p, n);
        fn(ctx, blob_of(exact, n));
        free(exact);
    }
    uint8_t *whole = malloc(b.n != 0 ? b.n : 1);
    must(whole != NULL);
    if (b.n != 0)
        memcpy(whole, b.p, b.n);
    for (size_t bit = 0; bit < b.n * 8; bit++, count++) {
        whole[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fn(ctx, blob_of(whole, b.n));
        whole[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(whole);
    return count;
}
