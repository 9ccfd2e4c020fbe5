/* arena.c - what a request allocates, chunk by chunk, until it ends. */
#include "backend/base/arena.h"
#include "backend/base/must.h"
#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 16384, ALIGN = alignof(max_align_t) };

struct chunk {
    struct chunk *next;
    size_t        used, size;
    alignas(max_align_t) uint8_t data[];
};

struct deferred {
    struct deferred *next;
    void           (*fn)(void *);
    void            *ptr;
};

struct arena {
    struct chunk    *chunk;
    struct deferred *deferred;
    size_t           used, ceiling;
};

static struct chunk *chunk_new(struct arena *a, size_t room)
{
    struct chunk *c = calloc(1, sizeof *c + room);
    must(c != NULL);
    c->size = room;
    c->next = a->chunk;
    a->chunk = c;
    return c;
}

struct arena *arena_new(size_t ceiling)
{
    struct arena *a = calloc(1, sizeof *a);
    must(a != NULL);
    a->ceiling = ceiling;
    return a;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    /* a clean-up may register another one, so take them one by one */
    while (a->deferred != NULL) {
        struct deferred *d = a->deferred;
        a->deferred = d->next;
        d->fn(d->ptr);
    }
    for (struct chunk *c = a->chunk, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
    must(n < SIZE_MAX / 2);
    size_t need = (n + !n + ALIGN - 1) / ALIGN * ALIGN;
    a->used += need;
#ifdef ARENA_PER_ALLOCATION /* sanitizer builds: each allocation is its own heap block, so that overruns are seen */
    struct chunk *c = chunk_new(a, n + !n);
    c->used = c->size;
    return c->data;
#else
    struct chunk *c = a->chunk;
    if (c == NULL || c->size - c->used < need) {
        if (need > CHUNK / 4) { /* a large one of its own, behind the current chunk, whose rest stays in use */
            struct chunk *big = chunk_new(a, need);
            big->used = need;
            if (c != NULL) {
                a->chunk = c;
                big->next = c->next;
                c->next = big;
            }
            return big->data;
        }
        c = chunk_new(a, CHUNK);
    }
    void *p = c->data + c->used;
    c->used += need;
    return p;
#endif
}

void *arena_alloc_array(struct arena *a, size_t n, size_t each)
{
    must(each == 0 || n <= SIZE_MAX / 2 / each);
    return arena_alloc(a, n * each);
}

void *arena_dup(struct arena *a, const void *p, size_t n)
{
    void *q = arena_alloc(a, n);
    if (n != 0)
        memcpy(q, p, n);
    return q;
}

char *arena_str(struct arena *a, struct blob s)
{
    char *q = arena_alloc(a, s.n + 1);
    if (s.n != 0)
        memcpy(q, s.p, s.n);
    return q;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_str(a, blob_str(s)); }

struct blob arena_blob(struct arena *a, struct blob b) { return blob_of(arena_dup(a, b.p, b.n), b.n); }

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    must(n >= 0);
    char *s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}

char *arena_lower(struct arena *a, const char *s)
{
    char *t = arena_strdup(a, s);
    for (char *p = t; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return t;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *ptr)
{
    struct deferred *d = arena_one(a, struct deferred);
    d->fn = fn;
    d->ptr = ptr;
    d->next = a->deferred;
    a->deferred = d;
}

bool   arena_over(const struct arena *a) { return a->used > a->ceiling; }
size_t arena_used(const struct arena *a) { return a->used; }

void *arena_grow(struct arena *a, void *v, size_t *cap, size_t n, size_t each)
{
    if (n < *cap) { /* there may be an element that was taken out before */
        memset((char *)v + n * each, 0, each);
        return v;
    }
    size_t more = *cap == 0 ? 8 : *cap * 2;
    void  *q = arena_alloc_array(a, more, each);
    if (n != 0)
        memcpy(q, v, n * each);
    *cap = more;
    return q;
}
