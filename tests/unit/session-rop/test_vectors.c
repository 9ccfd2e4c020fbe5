/* test_vectors.c - every file of tests/vectors; and that each ROP that is said to be done has one and was run. */
#include "tests/unit/session-rop/vector.h"

static void run(void *ctx, const char *path, const char *rop)
{
    (void)rop;
    vector_run(path, *(bool *)ctx);
}

TEST(every_vector_answers_as_written)
{
    bool mutate = false;
    vector_each(run, &mutate);
}

TEST_LIMIT(every_truncation_and_bit_flip_of_a_vector_is_survived, 600)
{
    bool mutate = true;
    vector_each(run, &mutate);
}

static void mark(void *ctx, const char *path, const char *rop)
{
    bool *seen = ctx;
    (void)path;
    for (unsigned id = 0; id < 256; id++)
        if (strcmp(rop_find((uint8_t)id)->name, rop) == 0)
            seen[id] = true;
}

/* RopAbort has nothing to abort, RopExpandRow and RopCollapseRow have no categories, RopGetStoreState is refused as by servers since Exchange 2010. */
static bool only_refuses(unsigned id) { return id == 0x38 || id == 0x59 || id == 0x5A || id == 0x7B; }

/* In all tests of this program together: some refuse every ROP, so a refusal does not count. */
TEST(every_done_rop_has_a_vector_and_was_run)
{
    bool seen[256] = { false };
    vector_each(mark, seen);
    for (unsigned id = 0; id < 256; id++) {
        const struct rop_def *d = rop_find((uint8_t)id);
        if (d->state != ROP_DONE)
            continue;
        unit_check(seen[id], __FILE__, __LINE__, "no tests/vectors/Rop%s.hex", d->name);
        struct rop_stat stat = rop_stat((uint8_t)id);
        unit_check(stat.calls > (only_refuses(id) ? 0 : stat.errors), __FILE__, __LINE__, "Rop%s was not run with success", d->name);
    }
}
