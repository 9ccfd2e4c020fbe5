/* test_rd.c - the reader: latching, sub-readers, believed counts. */
#include "backend/base/rd.h"
#include "tests/unit.h"

TEST(reads_little_endian)
{
    struct blob b = unhex("01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f");
    struct rd r = rd_blob_of(b);
    CHECK_INT(rd_u8(&r), 0x01);
    CHECK_INT(rd_u16(&r), 0x0302);
    CHECK_INT(rd_u32(&r), 0x07060504);
    CHECK_INT(rd_u64(&r), 0x0f0e0d0c0b0a0908);
    CHECK(rd_done(&r));
}

TEST(latches_after_a_short_read)
{
    struct blob b = unhex("01 02 03");
    struct rd r = rd_blob_of(b);
    CHECK_INT(rd_u32(&r), 0);
    CHECK(!rd_ok(&r));
    CHECK_INT(rd_u8(&r), 0);
    CHECK_STR(r.err, "short");
}

TEST(sub_reader_cannot_leave_its_section)
{
    struct blob b = unhex("01 02 03 04");
    struct rd r = rd_blob_of(b), s = rd_sub(&r, 2);
    CHECK_INT(rd_u16(&s), 0x0201);
    CHECK_INT(rd_u8(&s), 0);
    CHECK(!rd_ok(&s));
    CHECK(rd_ok(&r));
    CHECK_INT(rd_u16(&r), 0x0403);
}

TEST(count_needs_its_elements)
{
    struct blob b = unhex("00 00 00 00 00 00 00 00");
    struct rd r = rd_blob_of(b);
    CHECK_INT(rd_count(&r, 2, 4), 2);
    CHECK_INT(rd_count(&r, 3, 4), 0);
    CHECK(!rd_ok(&r));
}

TEST(strings_need_their_end)
{
    struct blob b = unhex("61 62 00 61 00 62 00 00 00 63");
    struct rd r = rd_blob_of(b);
    CHECK_BYTES(rd_asciiz(&r), "61 62");
    CHECK_BYTES(rd_utf16z(&r), "61 00 62 00");
    CHECK_INT(rd_asciiz(&r).n, 0);
    CHECK(!rd_ok(&r));
}
