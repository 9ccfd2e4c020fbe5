/* globset.c - ranges of counters: added, removed, coded with a stack of common bytes (MS-OXCFXICS 2.2.2.6, 3.1.5.4.3). */
#include "backend/mapi/idset.h"
#include "backend/base/must.h"
#include <stdlib.h>

enum { BYTES = 6, CMD_END = 0x00, CMD_BITMASK = 0x42, CMD_POP = 0x50, CMD_RANGE = 0x52 };
#define MOST 0xFFFFFFFFFFFFull

/* --- in memory --- */

/* The first range that ends at gc or behind it. */
static size_t first_reaching(const struct globset *s, uint64_t gc)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->v[mid].high < gc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool globset_has(const struct globset *s, uint64_t gc)
{
    size_t i = first_reaching(s, gc);
    return i < s->n && s->v[i].low <= gc;
}

uint64_t globset_max(const struct globset *s) { return s->n != 0 ? s->v[s->n - 1].high : 0; }

/* Puts `count` ranges (0 to 2) in the place of those from `at` to before `end`. */
static void replace(struct arena *a, struct globset *s, size_t at, size_t end, const struct idrange *with, size_t count)
{
    if (count > end - at) /* by one: there is at least one place or one new range */
        s->v = arena_grow(a, s->v, &s->cap, s->n, sizeof *s->v);
    if (s->n > end)
        memmove(&s->v[at + count], &s->v[end], (s->n - end) * sizeof *s->v);
    for (size_t i = 0; i < count; i++)
        s->v[at + i] = with[i];
    s->n = s->n - (end - at) + count;
}

void globset_add(struct arena *a, struct globset *s, uint64_t low, uint64_t high)
{
    must(low <= high && high <= MOST);
    size_t         at = first_reaching(s, low != 0 ? low - 1 : 0), end = at; /* what touches is taken in too */
    struct idrange one = { low, high };
    while (end < s->n && s->v[end].low <= high + 1) {
        one.low = s->v[end].low < one.low ? s->v[end].low : one.low;
        one.high = s->v[end].high > one.high ? s->v[end].high : one.high;
        end++;
    }
    replace(a, s, at, end, &one, 1);
}

void globset_remove(struct arena *a, struct globset *s, uint64_t low, uint64_t high)
{
    must(low <= high && high <= MOST);
    size_t         at = first_reaching(s, low), end = at, left = 0;
    struct idrange rest[2];
    while (end < s->n && s->v[end].low <= high)
        end++;
    if (at == end)
        return;
    if (s->v[at].low < low)
        rest[left++] = (struct idrange){ s->v[at].low, low - 1 };
    if (s->v[end - 1].high > high)
        rest[left++] = (struct idrange){ high + 1, s->v[end - 1].high };
    replace(a, s, at, end, rest, left);
}

void globset_union(struct arena *a, struct globset *to, const struct globset *from)
{
    for (size_t i = 0; i < from->n; i++)
        globset_add(a, to, from->v[i].low, from->v[i].high);
}

/* --- reading --- */

/* Ranges as they come; they are put in order at the end, since one at a time would be quadratic for whoever sends them backwards. */
struct decoder { struct globset found; uint8_t stack[BYTES], pushed[BYTES]; size_t height, pushes; };

static void found(struct decoder *d, struct arena *a, uint64_t low, uint64_t high)
{
    struct idrange *last = d->found.n != 0 ? &d->found.v[d->found.n - 1] : NULL;
    if (last != NULL && low == last->high + 1) {
        last->high = high;
        return;
    }
    d->found.v = arena_grow(a, d->found.v, &d->found.cap, d->found.n, sizeof *d->found.v);
    d->found.v[d->found.n++] = (struct idrange){ low, high };
}

/* A counter of the bytes on the stack and as many more as are missing. */
static uint64_t counter(struct decoder *d, struct rd *r)
{
    uint64_t v = 0;
    for (size_t i = 0; i < BYTES; i++)
        v = v << 8 | (i < d->height ? d->stack[i] : rd_u8(r));
    return v;
}

/* Six bytes on the stack are a counter of their own, and do not stay (OXCFXICS R1957). */
static void push(struct decoder *d, struct rd *r, struct arena *a, size_t n)
{
    if (n > BYTES - d->height) {
        rd_fail(r, "stack of a globset");
        return;
    }
    rd_copy(r, &d->stack[d->height], n);
    d->height += n;
    if (!rd_ok(r))
        return;
    if (d->height == BYTES) {
        uint64_t v = counter(d, r);
        found(d, a, v, v);
        d->height -= n;
    } else {
        d->pushed[d->pushes++] = (uint8_t)n;
    }
}

static void pop(struct decoder *d, struct rd *r)
{
    if (d->pushes == 0)
        rd_fail(r, "stack of a globset");
    else
        d->height -= d->pushed[--d->pushes];
}

/* The starting value, and the values behind it whose bits are set. */
static void bitmask(struct decoder *d, struct rd *r, struct arena *a)
{
    if (d->height != BYTES - 1) /* R2002, R2003 */
        rd_fail(r, "bitmask in a globset");
    uint64_t start = counter(d, r);
    unsigned bits = rd_u8(r);
    if (!rd_ok(r))
        return;
    found(d, a, start, start);
    for (uint64_t i = 1; bits != 0; i++, bits >>= 1)
        if (bits & 1) {
            if ((start & 0xFF) + i > 0xFF)
                rd_fail(r, "bitmask in a globset");
            else
                found(d, a, start + i, start + i);
        }
}

static void range(struct decoder *d, struct rd *r, struct arena *a)
{
    uint64_t low = counter(d, r), high = counter(d, r);
    if (low > high) /* R214, R3393 */
        rd_fail(r, "range in a globset");
    if (rd_ok(r))
        found(d, a, low, high);
}

static int by_low(const void *x, const void *y)
{
    const struct idrange *a = x, *b = y;
    return (a->low > b->low) - (a->low < b->low);
}

static void merge(struct arena *a, struct globset *in, struct globset *out)
{
    if (in->n != 0)
        qsort(in->v, in->n, sizeof *in->v, by_low);
    for (size_t i = 0; i < in->n; i++)
        globset_add(a, out, in->v[i].low, in->v[i].high);
}

void globset_read(struct rd *r, struct arena *a, struct globset *out)
{
    struct decoder d = { 0 };
    *out = (struct globset){ 0 };
    for (uint8_t command = rd_u8(r); rd_ok(r) && command != CMD_END; command = rd_u8(r)) {
        if (command <= BYTES)
            push(&d, r, a, command);
        else if (command == CMD_POP)
            pop(&d, r);
        else if (command == CMD_BITMASK)
            bitmask(&d, r, a);
        else if (command == CMD_RANGE)
            range(&d, r, a);
        else
            rd_fail(r, "command in a globset"); /* R3391 */
    }
    if (d.height != 0) /* R1992 */
        rd_fail(r, "stack of a globset");
    if (rd_ok(r))
        merge(a, &d.found, out);
}

/* --- writing --- */

static void put_low_bytes(struct wr *w, uint64_t v, size_t n)
{
    while (n-- > 0)
        wr_u8(w, (uint8_t)(v >> 8 * n));
}

static size_t common_bytes(uint64_t a, uint64_t b)
{
    size_t n = 0;
    while (n < BYTES && a >> 8 * (BYTES - 1 - n) == b >> 8 * (BYTES - 1 - n))
        n++;
    return n;
}

/* The bytes common to all go on the stack once; those of one range that share still more do so again around it. */
static void put_range(struct wr *w, const struct idrange *g, size_t height)
{
    size_t common = common_bytes(g->low, g->high), more = common < BYTES ? common - height : 0;
    bool   push_more = more > 3; /* command, bytes, pop against twice the bytes */
    if (push_more) {
        wr_u8(w, (uint8_t)more);
        put_low_bytes(w, g->low >> 8 * (BYTES - common), more);
        height = common;
    }
    wr_u8(w, CMD_RANGE);
    put_low_bytes(w, g->low, BYTES - height);
    put_low_bytes(w, g->high, BYTES - height);
    if (push_more)
        wr_u8(w, CMD_POP);
}

void globset_write(struct wr *w, const struct globset *s)
{
    size_t height = s->n != 0 ? common_bytes(s->v[0].low, s->v[s->n - 1].high) : 0;
    if (height == BYTES)
        height--; /* a single value: a range needs a byte of its own */
    if (height != 0) {
        wr_u8(w, (uint8_t)height);
        put_low_bytes(w, s->v[0].low >> 8 * (BYTES - height), height);
    }
    for (size_t i = 0; i < s->n; i++)
        put_range(w, &s->v[i], height);
    if (height != 0)
        wr_u8(w, CMD_POP);
    wr_u8(w, CMD_END);
}
