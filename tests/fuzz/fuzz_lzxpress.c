/* fuzz_lzxpress.c - LZ77 and compressed RTF: any bytes unpacked, any bytes packed and unpacked again. */
#include "backend/base/must.h"
#include "backend/mapi/lzxpress.h"
#include "backend/mapi/rtfcp.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void both_ways(struct blob in)
{
    uint8_t *out = malloc(in.n + 1), *again = malloc(in.n + 1);
    size_t   size = lzxpress_compress(in, out);
    must(size == 0 || size < in.n);
    must(size == 0 || (lzxpress_decompress(blob_of(out, size), again, in.n) && memcmp(again, in.p, in.n) == 0));
    free(out);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 2)
        return 0;
    struct blob in = blob_of(p + 2, n - 2), out;
    size_t      room = p[0] | (size_t)p[1] << 8;
    uint8_t    *plain = malloc(room + 1);
    (void)lzxpress_decompress(in, plain, room);
    free(plain);
    both_ways(in);

    struct arena *a = arena_new(SIZE_MAX);
    (void)rtfcp_decompress(a, in, &out);
    must(rtfcp_decompress(a, rtfcp_compress(a, in), &out) && blob_eq(out, in));
    arena_free(a);
    return 0;
}
