/* test_utf.c - UTF-16 <-> UTF-8 for every character and every 16-bit input, cleaning, cutting, folding. */
#include "backend/base/utf.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena *arena;
static void fresh(void) { arena_free(arena); arena = arena_new(1 << 20); }

static void both_ways(const char *utf16, const char *utf8)
{
    fresh();
    struct blob wide = unhex(utf16), narrow = unhex(utf8);
    CHECK_BLOB(utf8_from_utf16(arena, wide), narrow);
    CHECK_BLOB(utf16_from_utf8(arena, narrow), wide);
    CHECK_INT(utf16_size(narrow), wide.n);
    CHECK(utf8_valid(narrow));
}

TEST(known_pairs)
{
    both_ways("", "");
    both_ways("41 00", "41");
    both_ways("61 00 62 00 63 00 64 00 65 00 66 00 67 00 68 00 69 00", "61 62 63 64 65 66 67 68 69");
    both_ways("e4 00 7f 00 80 00 ff 07 00 08 ff ff", "c3 a4 7f c2 80 df bf e0 a0 80 ef bf bf");
    both_ways("3d d8 00 de", "f0 9f 98 80");
    both_ways("00 d8 00 dc ff db ff df", "f0 90 80 80 f4 8f bf bf");
    both_ways("61 00 62 00 63 00 e4 00 64 00 65 00 66 00 67 00 68 00 69 00 6a 00 6b 00",
              "61 62 63 c3 a4 64 65 66 67 68 69 6a 6b");
}

TEST(lone_surrogates_go_back_as_they_came)
{
    both_ways("00 d8", "ed a0 80");
    both_ways("00 dc 00 d8 41 00", "ed b0 80 ed a0 80 41");
    both_ways("3d d8 3d d8 00 de", "ed a0 bd f0 9f 98 80");
}

TEST(an_odd_last_byte_is_dropped)
{
    fresh();
    CHECK_BYTES(utf8_from_utf16(arena, unhex("41 00 42")), "41");
}

TEST(every_unit_and_every_pair_start_survives)
{
    static uint8_t wide[0x10000 * 2], again[sizeof wide];
    for (uint32_t u = 0; u < 0x10000; u++) {
        wide[2 * u] = (uint8_t)u;
        wide[2 * u + 1] = (uint8_t)(u >> 8);
    }
    fresh();
    struct blob narrow = utf8_from_utf16(arena, blob_of(wide, sizeof wide));
    REQUIRE(utf16_size(narrow) == sizeof wide);
    utf16_put(again, narrow);
    CHECK(memcmp(wide, again, sizeof wide) == 0);
}

TEST(every_character_survives)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint8_t     b[4];
        size_t      n = utf8_put(b, c), i = 0;
        struct blob s = blob_of(b, n);
        if (utf8_next(s, &i) != c || i != n || !utf8_valid(s) || utf16_size(s) != (c > 0xFFFF ? 4u : 2u)) {
            CHECK_INT(c, -1);
            return;
        }
    }
}

TEST(bad_utf8_is_seen_and_cleaned)
{
    static const struct { const char *bad, *clean; } t[] = {
        { "80", "ef bf bd" },
        { "41 c3", "41 ef bf bd" },
        { "c0 80", "ef bf bd ef bf bd" },             /* overlong NUL */
        { "e0 80 80", "ef bf bd ef bf bd ef bf bd" },
        { "f4 90 80 80", "ef bf bd ef bf bd ef bf bd ef bf bd" }, /* beyond U+10FFFF */
        { "f8 88 80 80 80", "ef bf bd ef bf bd ef bf bd ef bf bd ef bf bd" },
        { "61 62 63 64 65 66 67 68 ff 69", "61 62 63 64 65 66 67 68 ef bf bd 69" },
        { "e2 82 41", "ef bf bd ef bf bd 41" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        fresh();
        struct blob bad = unhex(t[i].bad);
        CHECK(!utf8_valid(bad));
        CHECK_BLOB(utf8_clean(arena, bad), unhex(t[i].clean));
        CHECK_INT(utf16_size(bad), utf16_from_utf8(arena, bad).n);
    }
}

static void convert_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    utf16_from_utf8(arena, b);
    CHECK(utf8_valid(utf8_clean(arena, b)));
    CHECK_BLOB(utf16_from_utf8(arena, utf8_from_utf16(arena, b)), blob_of(b.p, b.n & ~(size_t)1));
    utf8_fold(arena, b);
    utf8_contains(b, blob_str("\xC3\x84" "b"), UTF_FOLD | UTF_BASE);
    utf8_cut(b, 3);
}

TEST(damaged_bytes_stay_inside)
{
    mutate_all(unhex("41 c3 a4 e2 82 ac f0 9f 98 80 ed a0 80 7a 65 cc 88 00 d8 00 dc 41 00"), convert_anything, NULL);
}

TEST(cut_keeps_characters_whole)
{
    struct blob s = blob_str("a\xC3\xA4\xF0\x9F\x98\x80z");
    CHECK_INT(utf8_cut(s, 0).n, 0);
    CHECK_INT(utf8_cut(s, 1).n, 1);
    CHECK_INT(utf8_cut(s, 2).n, 3);
    CHECK_INT(utf8_cut(s, 3).n, 3);
    CHECK_INT(utf8_cut(s, 4).n, 7);
    CHECK_INT(utf8_cut(s, 5).n, 8);
    CHECK_INT(utf8_cut(s, 500).n, 8);
}

TEST(folding_and_upper_case_fit_their_room)
{
    static uint8_t all[0x110000 * 4];
    size_t         n = 0;
    for (uint32_t c = 1; c < 0x110000; c++)
        n += utf8_put(all + n, c);
    for (uint32_t c = 1; c < 0x110000; c++) {
        uint8_t b[4], f[4];
        size_t  len = utf8_put(b, c);
        CHECK(utf8_put(f, utf_fold(c)) <= len + len / 2);
    }
    fresh();
    CHECK(utf8_valid(utf8_fold(arena, blob_of(all, n))));
    CHECK(utf8_valid(utf8_upper(arena, blob_of(all, n))));
    CHECK_BLOB(utf8_fold(arena, blob_str("Stra\xC3\x9F" "E \xC3\x84\xCE\xA3")), blob_str("stra\xC3\x9F" "e \xC3\xA4\xCF\x83"));
    CHECK_BLOB(utf8_upper(arena, blob_str("user@h\xC3\xB6st")), blob_str("USER@H\xC3\x96ST"));
}

TEST(comparing)
{
    CHECK(utf8_cmp(blob_str("a"), blob_str("B"), UTF_EXACT) > 0);
    CHECK(utf8_cmp(blob_str("a"), blob_str("B"), UTF_FOLD) < 0);
    CHECK(utf8_cmp(blob_str("ab"), blob_str("A"), UTF_FOLD) > 0);
    CHECK(utf8_cmp(blob_str(""), blob_str("A"), UTF_FOLD) < 0);
    CHECK_INT(utf8_cmp(blob_str("\xC3\x84pfel"), blob_str("\xC3\xA4PFEL"), UTF_FOLD), 0);
    CHECK(utf8_cmp(blob_str("\xC3\x84pfel"), blob_str("apfel"), UTF_FOLD) != 0);
    CHECK_INT(utf8_cmp(blob_str("\xC3\x84pfel"), blob_str("apfel"), UTF_FOLD | UTF_BASE), 0);
    CHECK_INT(utf8_cmp(blob_str("A\xCC\x88pfel"), blob_str("Apfel"), UTF_BASE), 0);
    CHECK(utf8_starts(blob_str("\xC3\x84pfel"), blob_str("APF"), UTF_FOLD | UTF_BASE));
    CHECK(!utf8_starts(blob_str("Ap"), blob_str("apf"), UTF_FOLD));
    CHECK(utf8_starts(blob_str("x"), blob_str(""), UTF_EXACT));
}

TEST(searching)
{
    CHECK(utf8_contains(blob_str("abcabcabd"), blob_str("ABCABD"), UTF_FOLD));
    CHECK(!utf8_contains(blob_str("abcabcabd"), blob_str("abcabe"), UTF_FOLD));
    CHECK(utf8_contains(blob_str("R\xC3\xA9sum\xC3\xA9"), blob_str("sume"), UTF_BASE));
    CHECK(!utf8_contains(blob_str("R\xC3\xA9sum\xC3\xA9"), blob_str("sume"), UTF_FOLD));
    CHECK(utf8_contains(blob_str("abc"), blob_str("bc"), UTF_EXACT));
    CHECK(utf8_contains(blob_str(""), blob_str(""), UTF_FOLD));
    CHECK(!utf8_contains(blob_str(""), blob_str("x"), UTF_FOLD));
}

TEST_LIMIT(searching_takes_linear_time, 10)
{
    static char text[1 << 20], part[1 << 15];
    memset(text, 'a', sizeof text);
    memset(part, 'A', sizeof part);
    part[sizeof part - 1] = 'b';
    CHECK(!utf8_contains(blob_of(text, sizeof text), blob_of(part, sizeof part), UTF_FOLD));
    text[sizeof text - 1] = 'B';
    CHECK(utf8_contains(blob_of(text, sizeof text), blob_of(part, sizeof part), UTF_FOLD | UTF_BASE));
}
