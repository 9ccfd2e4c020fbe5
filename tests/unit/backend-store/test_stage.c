/* test_stage.c - staged bytes: like a file, whatever the order of writes; linear; shared between leases. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/base/filetime.h"
#include "backend/store/large.h"
#include "backend/store/store_int.h"
#include <stdio.h>

static const struct stage_key key = { { 1, 2, 3 }, 7 };

static uint32_t next(uint32_t *seed) { return *seed = *seed * 1664525u + 1013904223u, *seed >> 8; }

static void write_begin(struct mbox *b) { REQUIRE_EC(mailbox_write(b->m), ecNone); }
static void write_end(struct mbox *b) { REQUIRE_EC(mailbox_commit(b->m), ecNone); }

static void same(struct mbox *b, const uint8_t *model, size_t n)
{
    uint64_t size;
    struct blob got;
    CHECK_EC(stage_size(b->m, &key, &size), ecNone);
    CHECK_INT(size, n);
    CHECK_EC(stage_read(b->m, &key, 0, SIZE_MAX, &got), ecNone);
    CHECK(got.n == n && (n == 0 || memcmp(got.p, model, n) == 0));
}

TEST(nothing_is_empty)
{
    struct mbox b = mbox_new();
    same(&b, NULL, 0);
    write_begin(&b);
    CHECK_EC(stage_drop(b.m, &key), ecNone);
    mbox_end(&b);
}

/* Random writes, cuts and growths, compared with a plain array; half of the runs start from a large value. */
TEST(behaves_like_a_file)
{
    enum { MAX = 5 * LARGE_PIECE };
    static uint8_t model[MAX], chunk[MAX];
    uint32_t seed = 42;
    struct mbox b = mbox_new();
    for (int run = 0; run < 12; run++) {
        size_t n = 0;
        memset(model, 0, sizeof model);
        write_begin(&b);
        CHECK_EC(stage_drop(b.m, &key), ecNone);
        if (run % 2 == 1) {
            struct large_ref r;
            n = next(&seed) % MAX;
            for (size_t i = 0; i < n; i++)
                model[i] = (uint8_t)next(&seed);
            REQUIRE_EC(large_put(b.m, blob_of(model, n), &r), ecNone);
            REQUIRE_EC(stage_from_large(b.m, &key, &r), ecNone);
        }
        for (int i = 0; i < 20; i++) {
            size_t at = next(&seed) % MAX, len = next(&seed) % (MAX - at);
            if (next(&seed) % 3 != 0) {
                memset(chunk, (int)(next(&seed) % 255 + 1), len);
                REQUIRE_EC(stage_write(b.m, &key, at, blob_of(chunk, len)), ecNone);
                memcpy(model + at, chunk, len);
                n = len != 0 && at + len > n ? at + len : n;
            } else {
                REQUIRE_EC(stage_resize(b.m, &key, at), ecNone);
                if (at < n)
                    memset(model + at, 0, n - at);
                n = at;
            }
            same(&b, model, n);
        }
        write_end(&b);
        mbox_again(&b);
        same(&b, model, n);
    }
    mbox_end(&b);
}

TEST(becomes_a_large_value_and_back)
{
    struct mbox b = mbox_new();
    struct large_ref r, direct;
    struct blob got;
    uint8_t *p = arena_alloc(b.a, 150000);
    memset(p, 'q', 150000);
    write_begin(&b);
    REQUIRE_EC(stage_write(b.m, &key, 0, blob_of(p, 150000)), ecNone);
    REQUIRE_EC(stage_to_large(b.m, &key, &r), ecNone);
    REQUIRE_EC(large_put(b.m, blob_of(p, 150000), &direct), ecNone);
    CHECK(memcmp(&r, &direct, sizeof r) == 0);
    REQUIRE_EC(large_read(b.m, &r, 0, SIZE_MAX, &got), ecNone);
    CHECK_BLOB(got, blob_of(p, 150000));
    struct stage_key other = { { 9 }, 1 };
    REQUIRE_EC(stage_from_large(b.m, &other, &r), ecNone);
    REQUIRE_EC(stage_write(b.m, &other, 149999, blob_str("xy")), ecNone);
    REQUIRE_EC(stage_read(b.m, &other, 149998, 10, &got), ecNone);
    CHECK_BLOB(got, blob_str("qxy"));
    write_end(&b);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage_piece p JOIN stage s ON s.id = p.stage WHERE s.object = 1"), 1);  /* the rest by reference */
    CHECK_INT(mbox_sql(&b, "SELECT refs FROM large"), 1);
    write_begin(&b);
    CHECK_EC(stage_drop(b.m, &other), ecNone);
    write_end(&b);
    CHECK_INT(mbox_sql(&b, "SELECT refs FROM large"), 0);
    mbox_end(&b);
}

TEST(pins_are_replaced)
{
    struct mbox b = mbox_new();
    struct large_ref r[3];
    write_begin(&b);
    for (int i = 0; i < 3; i++)
        REQUIRE_EC(large_put(b.m, blob_of("abc", (size_t)i + 1), &r[i]), ecNone);
    CHECK_EC(stage_pin(b.m, &key, r, 2), ecNone);
    CHECK_EC(stage_pin(b.m, &key, (struct large_ref[]){ r[1], r[2], r[2] }, 3), ecNone);
    write_end(&b);
    CHECK_INT(mbox_sql(&b, "SELECT refs FROM large WHERE size = 1"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT refs FROM large WHERE size = 2"), 1);
    CHECK_INT(mbox_sql(&b, "SELECT refs FROM large WHERE size = 3"), 1);
    write_begin(&b);
    CHECK_EC(stage_drop_context(b.m, key.context), ecNone);
    write_end(&b);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage"), 0);
    mbox_end(&b);
}

TEST(a_context_goes_with_all_its_objects)
{
    struct mbox b = mbox_new();
    struct stage_key k = key;
    write_begin(&b);
    for (k.object = 0; k.object < 150; k.object++)
        REQUIRE_EC(stage_write(b.m, &k, 0, blob_str("x")), ecNone);
    struct stage_key other = { { 9 }, 1 };
    REQUIRE_EC(stage_write(b.m, &other, 0, blob_str("y")), ecNone);
    CHECK_EC(stage_drop_context(b.m, key.context), ecNone);
    write_end(&b);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage"), 1);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage_piece"), 1);
    mbox_end(&b);
}

TEST(there_is_a_limit)
{
    struct mbox b = mbox_new();
    write_begin(&b);
    CHECK_EC(stage_write(b.m, &key, STAGE_MAX, blob_str("x")), ecStreamSizeError);
    CHECK_EC(stage_write(b.m, &key, UINT64_MAX, blob_str("x")), ecStreamSizeError);
    CHECK_EC(stage_resize(b.m, &key, STAGE_MAX + 1), ecStreamSizeError);
    CHECK_EC(stage_resize(b.m, &key, STAGE_MAX), ecNone);
    mbox_end(&b);
}

/* 20 MB in 32 KiB writes, each in its own request.  The second half must cost about what the first does. */
TEST(twenty_megabytes_are_linear)
{
    enum { STEP = 32768, STEPS = 640 };
    static uint8_t chunk[STEP];
    struct mbox b = mbox_new();
    struct large_ref r;
    uint64_t half[2] = { 0, 0 };
    for (int i = 0; i < STEPS; i++) {
        memset(chunk, i, sizeof chunk);
        uint64_t start = clock_us();
        write_begin(&b);
        REQUIRE_EC(stage_write(b.m, &key, (uint64_t)i * STEP, blob_of(chunk, sizeof chunk)), ecNone);
        write_end(&b);
        half[i * 2 / STEPS] += clock_us() - start;
        if (i % 64 == 63)
            mbox_again(&b);
    }
    CHECK(half[1] < 4 * half[0] + 100000);
    CHECK_INT(mbox_sql(&b, "SELECT size FROM stage"), (long long)STEP * STEPS);
    write_begin(&b);
    REQUIRE_EC(stage_to_large(b.m, &key, &r), ecNone);
    REQUIRE_EC(stage_drop(b.m, &key), ecNone);
    write_end(&b);
    CHECK_INT(r.size, (long long)STEP * STEPS);
    struct blob got;
    REQUIRE_EC(large_read(b.m, &r, (uint64_t)STEP * 600 - 1, 2, &got), ecNone);
    CHECK_INT(got.p[0], 599 & 0xFF);
    CHECK_INT(got.p[1], 600 & 0xFF);
    mbox_end(&b);
}
