/* rpcext.c - chains of extended buffers <-> plain payloads. */
#include "session/rop/rpcext.h"
#include "backend/mapi/lzxpress.h"

static struct blob xored(struct arena *a, struct blob b)
{
    uint8_t *p = arena_dup(a, b.p, b.n);
    lzxpress_xor(p, b.n);
    return blob_of(p, b.n);
}

static bool unpacked(struct arena *a, struct blob b, size_t n, struct blob *out)
{
    uint8_t *p = arena_alloc(a, n);
    *out = blob_of(p, n);
    return lzxpress_decompress(b, p, n);
}

/* Sizes agree unless compressed (OXCRPC R33 - R46). */
static bool unwrap_one(struct rd *r, struct arena *a, struct blob *out, bool *last)
{
    uint16_t version = rd_u16(r), flags = rd_u16(r), size = rd_u16(r), actual = rd_u16(r);
    *out = rd_blob(r, size);
    *last = (flags & RPCEXT_LAST) != 0;
    if (!rd_ok(r) || version != 0)
        return false;
    if ((flags & RPCEXT_XOR) != 0)
        *out = xored(a, *out);
    if ((flags & RPCEXT_COMPRESSED) != 0)
        return unpacked(a, *out, actual, out);
    return size == actual;
}

bool rpcext_unwrap(struct blob b, struct arena *a, struct blob **out, size_t *n)
{
    struct rd r = rd_blob_of(b);
    bool last = false;
    size_t cap = 0;
    *out = NULL;
    for (*n = 0; !last; (*n)++) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        if (*n == RPCEXT_PAYLOADS || !unwrap_one(&r, a, &(*out)[*n], &last))
            return false;
    }
    return rd_done(&r);
}

void rpcext_wrap(struct wr *w, struct arena *a, struct blob payload, unsigned flags)
{
    struct blob packed = payload;
    unsigned as = flags & RPCEXT_LAST;
    uint8_t *smaller = (flags & RPCEXT_COMPRESSED) != 0 ? arena_alloc(a, payload.n) : NULL;
    size_t n = smaller != NULL ? lzxpress_compress(payload, smaller) : 0;
    if (n != 0) {
        packed = blob_of(smaller, n);
        as |= RPCEXT_COMPRESSED;
    } else if ((flags & RPCEXT_XOR) != 0) {
        packed = xored(a, payload);
        as |= RPCEXT_XOR;
    }
    wr_u16(w, 0);
    wr_u16(w, (uint16_t)as);
    wr_u16(w, (uint16_t)packed.n);
    wr_u16(w, (uint16_t)payload.n);
    wr_put(w, packed);
}
