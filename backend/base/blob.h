/* blob.h - bytes that belong to somebody else.
 *
 * A blob never owns its bytes: it borrows from the request body, from the arena or from static data,
 * and the comment at each function that returns one says from which.  A blob of length 0 may have p == NULL. */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct blob { const uint8_t *p; size_t n; };

static inline struct blob blob_of(const void *p, size_t n) { return (struct blob){ p, n }; }
static inline struct blob blob_str(const char *s) { return blob_of(s, s != NULL ? strlen(s) : 0); }

static inline bool blob_eq(struct blob a, struct blob b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* memcmp order; a prefix sorts before the longer one. */
static inline int blob_cmp(struct blob a, struct blob b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n != 0 ? memcmp(a.p, b.p, n) : 0;
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}
#endif
