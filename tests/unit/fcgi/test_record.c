/* FastCGI framing. */
#include "tests/unit.h"
#include "tests/mutate.h"
#include "fcgi/record.h"

static struct blob joined(struct arena *a, const struct iovec *v, size_t n)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    for (size_t i = 0; i < n; i++)
        wr_bytes(&w, v[i].iov_base, v[i].iov_len);
    return wr_blob(&w);
}

TEST(a_small_answer)
{
    size_t n;
    struct arena *a = arena_new(SIZE_MAX);
    const struct blob piece[] = { blob_str("ab"), blob_str(""), blob_str("c") };
    struct iovec *v = record_answer(a, 0x0102, piece, 3, &n);
    CHECK_BYTES(joined(a, v, n), "01 06 01 02 00 03 00 00 61 62 63  01 06 01 02 00 00 00 00  01 03 01 02 00 08 00 00  00 00 00 00 00 00 00 00");
    v = record_answer(a, 1, NULL, 0, &n);
    CHECK_BYTES(joined(a, v, n), "01 06 00 01 00 00 00 00  01 03 00 01 00 08 00 00  00 00 00 00 00 00 00 00");
    arena_free(a);
}

TEST(large_answers_are_split)
{
    static uint8_t large[200000];
    struct arena *a = arena_new(SIZE_MAX);
    for (size_t size = RECORD_MOST - 1; size <= sizeof large; size = size < RECORD_MOST + 2 ? size + 1 : size * 2 - 7) {
        size_t n, content = 0, at = 0;
        for (size_t i = 0; i < size; i++)
            large[i] = (uint8_t)(i * 7 + i / 251);
        const struct blob piece[] = { blob_of(large, 10), blob_of(large + 10, size - 10) };
        struct iovec *v = record_answer(a, 1, piece, 2, &n);
        struct blob all = joined(a, v, n);
        bool same = true;
        while (all.p[at + 1] == 6) {
            size_t length = (size_t)all.p[at + 4] << 8 | all.p[at + 5];
            same = same && content + length <= size && memcmp(all.p + at + 8, large + content, length) == 0;
            content += length;
            at += 8 + length;
            if (length == 0)
                break;
        }
        CHECK(same);
        CHECK_INT(content, size);
        CHECK_INT(all.n - at, 16);
    }
    arena_free(a);
}

TEST(one_stdout_record)
{
    uint8_t p[32];
    struct wr w = wr_over(p, sizeof p);
    record_stdout(&w, 7, blob_str("PENDING\r\n"));
    CHECK_BYTES(wr_blob(&w), "01 06 00 07 00 09 00 00 50 45 4e 44 49 4e 47 0d 0a");
}

static const char request[] = "01 01 00 01 00 08 00 00 00 01 01 00 00 00 00 00"   /* BEGIN */
                              "01 04 00 01 00 04 02 00 01 01 41 42 00 00"         /* PARAMS A=B, 2 of padding */
                              "01 04 00 01 00 00 00 00"                           /* their end */
                              "01 05 00 01 00 00 00 00";

static void one_variant(void *ctx, struct blob variant)
{
    size_t *seen = ctx;
    *seen += record_params_end(variant);
}

TEST(end_of_parameters)
{
    struct blob all = unhex(request);
    CHECK(record_params_end(all));
    CHECK(record_params_end(blob_of(all.p, 38)));
    CHECK(!record_params_end(blob_of(all.p, 37)));
    CHECK(!record_params_end(blob_of(all.p, 16)));
    CHECK(!record_params_end(blob_of(NULL, 0)));
    size_t seen = 0;
    CHECK(mutate_all(all, one_variant, &seen) > 300);
    CHECK(seen > 0);
}
