/* base64.c - bytes as standard base64 (RFC 4648 4). */
#include "backend/base/crypto.h"

char *base64(struct arena *a, struct blob b)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(a, (b.n + 2) / 3 * 4 + 1), *o = out;
    for (size_t i = 0; i < b.n; i += 3) {
        size_t   left = b.n - i;
        uint32_t v = (uint32_t)b.p[i] << 16 | (left > 1 ? (uint32_t)b.p[i + 1] << 8 : 0) | (left > 2 ? b.p[i + 2] : 0);
        *o++ = digit[v >> 18];
        *o++ = digit[v >> 12 & 63];
        *o++ = left > 1 ? digit[v >> 6 & 63] : '=';
        *o++ = left > 2 ? digit[v & 63] : '=';
    }
    return out;
}
