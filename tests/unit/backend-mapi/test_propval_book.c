/* Values as the address book codes them: a byte that says "there" before all that has no fixed size (MS-OXCMAPIHTTP 2.2.1.1). */
#include "backend/mapi/restriction.h"
#include "tests/unit.h"

static void round_trip(const char *hex, const char *again)
{
    struct arena   *a = arena_new(1 << 20);
    struct pv_codec c = { a, 1252, PV_COUNTS_BOOK };
    struct blob     b = arena_blob(a, unhex(hex));
    struct rd       r = rd_blob_of(b);
    struct propval  v;
    struct wr       w = wr_in(a, 1 << 16);
    propval_read_tagged(&r, &c, &v);
    CHECK(rd_done(&r));
    propval_write_tagged(&w, &c, &v);
    CHECK_BYTES(wr_blob(&w), again != NULL ? again : hex);
    arena_free(a);
}

/* OXCMAPIHTTP R2001-R2010, R2250-R2261 */
TEST(values_there_and_absent)
{
    round_trip("1f000130 ff 61000000", NULL);                                   /* a string */
    round_trip("1e000130 ff 6100", "1f000130 ff 61000000");                     /* of 8 bits */
    round_trip("1f000130 00", "1f000130 ff 0000");                              /* absent: empty */
    round_trip("0201ff0f ff 02000000 0102", NULL);                              /* a binary */
    round_trip("0211703a ff 02000000 ff 01000000 aa 00", "0211703a ff 02000000 ff 01000000 aa ff 00000000");
    round_trip("1f10ac8c ff 02000000 ff 61000000 ff 62000000", NULL);
    round_trip("03100030 ff 02000000 01000000 02000000", NULL);                 /* numbers in it have no byte of their own */
    round_trip("03000130 07000000", NULL);                                      /* no byte before what has a size */
    round_trip("0b00fbff 01", NULL);
    round_trip("0a000130 0f010480", NULL);
    round_trip("40000730 0001020304050607", NULL);
    round_trip("1e100f80 ff 02000000 ff 6100 ff 6200", "1f100f80 ff 02000000 ff 61000000 ff 62000000");
    round_trip("0d000980 00000000", NULL);                                      /* an object: 32 bits */
    round_trip("ff 1f000130 ff 61000000", "1f000130 ff 61000000");              /* one more byte before the tag, as in restrictions */
}

TEST(neither_there_nor_absent)
{
    static const char *const bad[] = { "1f000130 01 61000000", "0201ff0f", "0201ff0f ff 05000000 01", "1f10ac8c ff ffffff7f", "1f10ac8c ff 01000000 07 6100 0000" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena   *a = arena_new(1 << 20);
        struct pv_codec c = { a, 1252, PV_COUNTS_BOOK };
        struct rd       r = rd_blob_of(unhex(bad[i]));
        struct propval  v;
        propval_read_tagged(&r, &c, &v);
        unit_check(!rd_ok(&r), __FILE__, __LINE__, "%s", bad[i]);
        arena_free(a);
    }
}

TEST(restrictions_have_wide_counts)
{
    struct arena   *a = arena_new(1 << 20);
    struct pv_codec c = { a, 1252, PV_COUNTS_BOOK };
    struct blob     b = arena_blob(a, unhex("00 02000000 08 1f000130 04 04 1f000130 1f000130 ff 61000000"));
    struct rd       r = rd_blob_of(b);
    struct wr       w = wr_in(a, 1 << 16);
    struct restriction *s = restriction_read(&r, &c);
    REQUIRE(rd_done(&r));
    restriction_write(&w, &c, s);
    CHECK_BLOB(wr_blob(&w), b);
    arena_free(a);
}
