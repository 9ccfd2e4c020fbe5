/* fuzz_context.c - what Redis and the journals hold of a context, from any bytes: header, control field, delta; and what comes over its channel.  What loads is saved and loaded again
 * and is then the same. */
#include "backend/base/must.h"
#include "session/context/context_int.h"
#include "session/context/header.h"
#include "session/context/wait.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct blob saved(struct context *c)
{
    struct wr w = wr_in(c->a, HEADER_MAX);
    header_save(&w, c, HEADER_LAYOUT);
    return wr_blob(&w);
}

static void header(struct arena *a, struct blob b)
{
    struct context c = { .a = a }, again = { .a = a };
    if (!header_load(b, &c))
        return;
    struct blob first = saved(&c);
    must(header_load(first, &again));
    must(blob_eq(first, saved(&again)));
}

static void control(struct blob b)
{
    struct control k;
    uint8_t bytes[CONTROL_BYTES];
    struct wr w = wr_over(bytes, sizeof bytes);
    if (!control_load(b, &k))
        return;
    control_save(&w, &k);
    must(blob_eq(wr_blob(&w), b));
}

static void delta(struct arena *a, struct blob b)
{
    struct delta d, again;
    if (!delta_load(a, b, &d))
        return;
    must(delta_load(a, delta_save(a, &d), &again));
    must(again.from == d.from && again.blocks == d.blocks && blob_eq(again.header, d.header));
    header(a, d.header);
}

static void channel(struct blob b)
{
    uint8_t id[CONTEXT_ID];
    uint64_t number;
    context_wait_told(b, id, &number);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena *a = arena_new(64 << 20);
    if (n > 0) {
        struct blob b = blob_of(p + 1, n - 1);
        if (p[0] % 4 == 0)
            header(a, b);
        else if (p[0] % 4 == 1)
            control(b);
        else if (p[0] % 4 == 2)
            delta(a, b);
        else
            channel(b);
    }
    must(!arena_over(a));
    arena_free(a);
    return 0;
}
