/* record.c - values come to a record. */
#include "backend/directory/source/record.h"
#include <strings.h>

void record_add(struct arena *a, struct record *r, const char *name, struct blob value)
{
    r->v = arena_grow(a, r->v, &r->cap, r->n, sizeof *r->v);
    r->v[r->n++] = (struct record_value){ name, value };
}

const struct blob *record_first(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcasecmp(r->v[i].name, name) == 0)
            return &r->v[i].value;
    return NULL;
}

const char *record_hex(struct arena *a, struct blob b)
{
    static const char digit[] = "0123456789abcdef";
    char *s = arena_alloc(a, 2 * b.n + 1);
    for (size_t i = 0; i < b.n; i++) {
        s[2 * i] = digit[b.p[i] >> 4];
        s[2 * i + 1] = digit[b.p[i] & 15];
    }
    return s;
}
