/* test_codepage.c - every code page of the table opens; known characters; what cannot be mapped. */
#include "backend/base/utf.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena *arena;
static void fresh(void) { arena_free(arena); arena = arena_new(1 << 20); }

static const uint16_t pages[] = {
#define CODEPAGE(number, icu, ascii) number,
#include "backend/base/codepage.def"
#undef CODEPAGE
};

static void both_ways(uint16_t page, const char *bytes, const char *utf8)
{
    fresh();
    CHECK_BLOB(utf8_from_codepage(arena, page, unhex(bytes)), blob_str(utf8));
    CHECK_BLOB(codepage_from_utf8(arena, page, blob_str(utf8)), unhex(bytes));
}

TEST(known_characters)
{
    both_ways(1252, "e4 80 99 61", "\xC3\xA4\xE2\x82\xAC\xE2\x84\xA2" "a");
    both_ways(1251, "cf f0 e8", "\xD0\x9F\xD1\x80\xD0\xB8");
    both_ways(932, "93 fa 96 7b 5c", "\xE6\x97\xA5\xE6\x9C\xAC\\");
    both_ways(936, "d6 d0", "\xE4\xB8\xAD");
    both_ways(949, "c7 d1", "\xED\x95\x9C");
    both_ways(65001, "c3 a4", "\xC3\xA4");
    both_ways(1200, "e4 00 41 00", "\xC3\xA4" "A");
    both_ways(50220, "1b 24 42 46 7c 1b 28 42", "\xE6\x97\xA5");
    both_ways(0, "fc", "\xC3\xBC");      /* 0 and unknown ones are 1252 */
    both_ways(12345, "fc", "\xC3\xBC");
}

TEST(every_page_opens_and_takes_any_bytes)
{
    uint8_t all[256];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        fresh();
        CHECK(codepage_known(pages[i]));
        CHECK(utf8_valid(utf8_from_codepage(arena, pages[i], blob_of(all, sizeof all))));
        codepage_from_utf8(arena, pages[i], blob_str("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0\x80 z"));
        struct blob plain = blob_str("plain text 123");
        CHECK_BLOB(utf8_from_codepage(arena, pages[i], codepage_from_utf8(arena, pages[i], plain)), plain);
    }
    CHECK(!codepage_known(12345));
}

TEST(what_cannot_be_mapped_is_a_question_mark)
{
    fresh();
    CHECK_BLOB(codepage_from_utf8(arena, 1252, blob_str("a\xE6\x97\xA5z")), blob_str("a?z"));
    CHECK_BLOB(codepage_from_utf8(arena, 1252, blob_str("\xED\xA0\x80!")), blob_str("?!"));
    CHECK_BLOB(utf8_from_codepage(arena, 932, unhex("41 ff")), blob_str("A?"));
    CHECK_BLOB(utf8_from_codepage(arena, 20127, unhex("41 e4 42")), blob_str("A?B"));
}

static void convert_anything(void *ctx, struct blob b)
{
    (void)ctx;
    static const uint16_t some[] = { 932, 936, 949, 950, 1252, 50220, 54936, 65000, 65001 };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        fresh();
        CHECK(utf8_valid(utf8_from_codepage(arena, some[i], b)));
        codepage_from_utf8(arena, some[i], b);
    }
}

TEST(damaged_bytes_stay_inside)
{
    mutate_all(unhex("1b 24 42 46 7c 1b 28 42 93 fa 2b 41 4f 51 2d e4 81 30 81 30"), convert_anything, NULL);
}
