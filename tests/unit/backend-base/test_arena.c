/* test_arena.c - alignment, zeroing, growth, the soft ceiling, deferred clean-ups. */
#include "backend/base/arena.h"
#include "backend/base/wr.h"
#include "tests/unit.h"

TEST(memory_is_zeroed_and_aligned)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t n = 0; n < 9000; n = n * 2 + 1) {
        uint8_t *p = arena_alloc(a, n);
        CHECK_INT((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            if (p[i] != 0)
                CHECK(p[i] == 0);
        memset(p, 0xff, n);
    }
    arena_free(a);
}

TEST(ceiling_is_soft_and_latches)
{
    struct arena *a = arena_new(1000);
    memset(arena_alloc(a, 900), 1, 900);
    CHECK(!arena_over(a));
    memset(arena_alloc(a, 100000), 1, 100000);
    CHECK(arena_over(a));
    arena_free(a);
}

static int order[3], ran;
static void note(void *p) { order[ran++] = *(int *)p; }

TEST(clean_ups_run_newest_first)
{
    static int one = 1, two = 2, three = 3;
    struct arena *a = arena_new(1000);
    ran = 0;
    arena_defer(a, note, &one);
    arena_defer(a, note, &two);
    arena_defer(a, note, &three);
    arena_free(a);
    CHECK_INT(ran, 3);
    CHECK_INT(order[0], 3);
    CHECK_INT(order[2], 1);
}

TEST(growing_array_keeps_its_elements)
{
    struct arena *a = arena_new(1 << 20);
    int *v = NULL;
    size_t cap = 0;
    for (int i = 0; i < 100; i++) {
        v = arena_grow(a, v, &cap, (size_t)i, sizeof *v);
        CHECK_INT(v[i], 0);
        v[i] = i;
    }
    CHECK_INT(v[0], 0);
    CHECK_INT(v[57], 57);
    v = arena_grow(a, v, &cap, 57, sizeof *v); /* what was there before was taken out */
    CHECK_INT(v[57], 0);
    CHECK_INT(v[56], 56);
    arena_free(a);
}

TEST(builder_stops_at_its_ceiling)
{
    struct arena *a = arena_new(1 << 20);
    struct wr w = wr_in(a, 300);
    for (int i = 0; i < 74; i++)
        wr_u32(&w, (uint32_t)i);
    CHECK_INT(w.n, 296);
    size_t mark = wr_mark(&w);
    wr_u64(&w, 1);
    CHECK(w.full);
    wr_u8(&w, 1);
    CHECK_INT(w.n, 296);
    wr_rewind(&w, mark);
    wr_u32(&w, 0x11223344);
    CHECK(!w.full);
    wr_patch_u16(&w, 0, 0xbeef);
    CHECK_BYTES(blob_of(w.p, 2), "ef be");
    CHECK_BYTES(blob_of(w.p + 296, 4), "44 33 22 11");
    arena_free(a);
}
