/* rd.h - the one bounded little-endian reader over borrowed bytes.
 *
 * A failed read latches r->err (a static string), empties the reader and yields zeros, so that a decoder is a flat list of reads
 * followed by one rd_ok().  Length-prefixed parts become readers of their own (rd_sub): a nested decoder cannot leave
 * its section.  Nothing outside rd.h and wr.h does pointer arithmetic on wire bytes.
 * `depth` limits nesting: a decoder of a nested structure enters with rd_enter and leaves with rd_leave. */
#ifndef BASE_RD_H
#define BASE_RD_H
#include "backend/base/blob.h"

struct rd { const uint8_t *p; size_t n; const char *err; unsigned depth; };

enum { RD_MAX_DEPTH = 128 };

static inline struct rd rd_over(const void *p, size_t n) { return (struct rd){ p, n, NULL, 0 }; }
static inline struct rd rd_blob_of(struct blob b) { return rd_over(b.p, b.n); }
static inline bool rd_ok(const struct rd *r) { return r->err == NULL; }

/* Everything was well-formed and nothing is left over. */
static inline bool rd_done(const struct rd *r) { return r->err == NULL && r->n == 0; }

static inline void rd_fail(struct rd *r, const char *why)
{
    if (r->err == NULL)
        r->err = why;
    r->n = 0;
}

/* The only place where the window moves.  Compares n with what is left; never p + n with the end. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
    if (n > r->n || r->err != NULL) {
        rd_fail(r, "short");
        return NULL;
    }
    const uint8_t *p = r->p;
    if (n != 0)
        r->p += n;
    r->n -= n;
    return p;
}

static inline uint64_t rd_le(struct rd *r, size_t width)
{
    const uint8_t *p = rd_take(r, width);
    uint64_t v = 0;
    for (size_t i = width; p != NULL && i-- > 0; )
        v = v << 8 | p[i];
    return v;
}
static inline uint8_t  rd_u8(struct rd *r)  { return (uint8_t)rd_le(r, 1); }
static inline uint16_t rd_u16(struct rd *r) { return (uint16_t)rd_le(r, 2); }
static inline uint32_t rd_u32(struct rd *r) { return (uint32_t)rd_le(r, 4); }
static inline uint64_t rd_u64(struct rd *r) { return rd_le(r, 8); }

/* n bytes, borrowed from the reader's bytes. */
static inline struct blob rd_blob(struct rd *r, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    return blob_of(p, p != NULL ? n : 0);
}

/* n bytes into `to`; zeros if they are not there. */
static inline void rd_copy(struct rd *r, void *to, size_t n)
{
    const uint8_t *p = rd_take(r, n);
    if (p != NULL)
        memcpy(to, p, n);
    else
        memset(to, 0, n);
}

/* All that is left. */
static inline struct blob rd_rest(struct rd *r) { return rd_blob(r, r->n); }

/* The next n bytes as a reader of their own; an error in it does not latch here: check it, or use rd_join. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
    struct blob b = rd_blob(r, n);
    return (struct rd){ b.p, b.n, r->err, r->depth };
}

/* Takes over the error of a sub-reader. */
static inline void rd_join(struct rd *r, const struct rd *sub)
{
    if (sub->err != NULL)
        rd_fail(r, sub->err);
}

/* A count is believed only if `each` bytes per element are really there. */
static inline size_t rd_count(struct rd *r, uint64_t count, size_t each)
{
    if (count > r->n / each) {
        rd_fail(r, "count exceeds data");
        return 0;
    }
    return (size_t)count;
}

/* Bytes up to the next NUL, which is consumed but not part of the blob. */
static inline struct blob rd_asciiz(struct rd *r)
{
    const uint8_t *end = r->n != 0 ? memchr(r->p, 0, r->n) : NULL;
    if (end == NULL) {
        rd_fail(r, "string without end");
        return blob_of(NULL, 0);
    }
    struct blob b = rd_blob(r, (size_t)(end - r->p));
    rd_take(r, 1);
    return b;
}

/* UTF-16LE bytes up to the next 16-bit NUL, which is consumed but not part of the blob. */
static inline struct blob rd_utf16z(struct rd *r)
{
    for (size_t i = 0; i + 1 < r->n; i += 2)
        if (r->p[i] == 0 && r->p[i + 1] == 0) {
            struct blob b = rd_blob(r, i);
            rd_take(r, 2);
            return b;
        }
    rd_fail(r, "string without end");
    return blob_of(NULL, 0);
}

static inline bool rd_enter(struct rd *r)
{
    if (++r->depth > RD_MAX_DEPTH)
        rd_fail(r, "nested too deep");
    return rd_ok(r);
}
static inline void rd_leave(struct rd *r) { r->depth--; }
#endif
