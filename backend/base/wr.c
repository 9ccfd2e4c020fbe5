/* wr.c - growth, rewind and patching of the builder. */
#include "backend/base/wr.h"
#include "backend/base/must.h"

static void grow(struct wr *w, size_t need)
{
    size_t cap = w->cap < 128 ? 128 : w->cap;
    while (cap < need)
        cap *= 2;
    if (cap > w->max)
        cap = w->max;
    uint8_t *p = arena_alloc(w->a, cap);
    if (w->n != 0)
        memcpy(p, w->p, w->n);
    w->p = p;
    w->cap = cap;
}

uint8_t *wr_need(struct wr *w, size_t n)
{
    if (n > wr_room(w)) {
        w->full = true;
        return NULL;
    }
    if (n > w->cap - w->n)
        grow(w, w->n + n);
    uint8_t *p = w->n != 0 ? w->p + w->n : w->p; /* nothing may be written to nothing */
    w->n += n;
    return p;
}

void wr_rewind(struct wr *w, size_t mark)
{
    must(mark <= w->n);
    w->n = mark;
    w->full = false;
}

void wr_bytes(struct wr *w, const void *p, size_t n)
{
    uint8_t *q = wr_need(w, n);
    if (q != NULL && n != 0)
        memcpy(q, p, n);
}

void wr_patch(struct wr *w, size_t at, uint64_t v, size_t width)
{
    if (w->full && at + width > w->n)
        return; /* the reserved field itself did not fit */
    must(at <= w->n && width <= w->n - at);
    for (size_t i = 0; i < width; i++, v >>= 8)
        w->p[at + i] = (uint8_t)v;
}
