/* test_teletex.c - T.61 there and back (MS-OXNSPI R440). */
#include "backend/base/utf.h"
#include "tests/unit.h"

static void both(const char *utf8, const char *hex)
{
    struct arena *a = arena_new(1 << 16);
    CHECK_BYTES(codepage_from_utf8(a, 20261, blob_str(utf8)), hex);
    CHECK_BLOB(utf8_from_codepage(a, 20261, unhex(hex)), blob_str(utf8));
    arena_free(a);
}

TEST(letters_and_accents)
{
    CHECK(codepage_known(20261));
    both("Anna 12/3", "416e6e612031322f33");
    both("M\xc3\xbcller", "4dc8756c6c6572");
    both("\xc3\x85ngstr\xc3\xb6m", "ca416e67737472c86f6d");
    both("\xc5\x81\xc3\xb3\x64\xc5\xba", "e8c26f64c27a");
    both("stra\xc3\x9f" "e", "73747261fb65");
}

TEST(what_cannot_be_said)
{
    struct arena *a = arena_new(1 << 16);
    CHECK_BLOB(codepage_from_utf8(a, 20261, blob_str("\xe6\x97\xa5")), blob_str("?"));
    for (unsigned x = 0; x < 256; x++)
        for (unsigned y = 0; y < 256; y++) {
            uint8_t two[2] = { (uint8_t)x, (uint8_t)y };
            CHECK(utf8_valid(utf8_from_codepage(a, 20261, blob_of(two, 2))));
        }
    arena_free(a);
}
