/* test_stream.c - properties as streams, every ROP in a request of its own. MS-OXCPRPT 3.2.5.11-3.2.5.18. */
#include "backend/base/crypto.h"
#include "tests/unit/session-rop/steps.h"

static ec_t seek(struct rig *g, uint32_t s, uint8_t origin, int64_t offset, uint64_t *to)
{
    struct rd r;
    ec_t ec = rig_rop(g, s, ROP_SEEK_STREAM, rig_args(g, "bq", (uint64_t)origin, (uint64_t)offset), &r, NULL);
    if (ec == ecNone && to != NULL)
        *to = rd_u64(&r);
    return ec;
}

static uint32_t size_of(struct rig *g, uint32_t s)
{
    struct rd r;
    REQUIRE_EC(rig_rop(g, s, ROP_STREAM_SIZE, blob_of(NULL, 0), &r, NULL), ecNone);
    return rd_u32(&r);
}

static void commit(struct rig *g, uint32_t s) { CHECK_EC(rig_rop(g, s, ROP_COMMIT_STREAM, blob_of(NULL, 0), NULL, NULL), ecNone); }

TEST(text_goes_as_utf16)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s;
    set_text(g, m, PidTagBody, "Ada");
    s = open_stream(g, m, PidTagBody, 0, &size);
    CHECK_INT(size, 6);
    CHECK_BYTES(read_stream(g, s, 4), "41 00 64 00");
    CHECK_BYTES(read_stream(g, s, 4), "61 00");
    CHECK_BYTES(read_stream(g, s, 4), "");
    s = open_stream(g, m, (PidTagBody & 0xFFFF0000u) | PtypString8, 0, &size);
    CHECK_INT(size, 3);
    CHECK_BYTES(read_stream(g, s, 100), "41 64 61");
    rig_end(g);
}

TEST(what_is_written_is_the_value_at_once)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s;
    s = open_stream(g, m, PidTagBody, 2, &size);
    CHECK_INT(size, 0);
    write_stream(g, s, unhex("41 00 64 00"));
    CHECK_STR(text_of(g, m, PidTagBody), "Ad");
    write_stream(g, s, unhex("61 00"));
    CHECK_STR(text_of(g, m, PidTagBody), "Ada");
    uint64_t mid = save_message(g, m);
    CHECK_STR(text_of(g, open_message(g, mid, 0), PidTagBody), "Ada");
    set_text(g, m, PidTagBody, "other");
    CHECK_STR(text_of(g, m, PidTagBody), "other");
    rig_end(g);
}

TEST(a_property_set_otherwise_forgets_the_stream)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagBody, 2, &size);
    write_stream(g, s, unhex("41 00"));
    set_text(g, m, PidTagBody, "set");
    CHECK_STR(text_of(g, m, PidTagBody), "set");
    write_stream(g, s, unhex("42 00"));
    CHECK_STR(text_of(g, m, PidTagBody), "AB");
    delete_property(g, m, PidTagBody);
    CHECK(text_of(g, m, PidTagBody) == NULL);
    rig_end(g);
}

TEST(a_released_stream_keeps_what_was_written)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagBody, 2, &size);
    write_stream(g, s, unhex("41 00 42 00"));
    release(g, s);
    CHECK_STR(text_of(g, m, PidTagBody), "AB");
    rig_end(g);
}

TEST(modes_and_what_they_refuse)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size;
    struct rd r;
    CHECK_EC(rig_rop(g, m, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagBody, 0ull), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, m, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagBody, 1ull), NULL, NULL), ecNotFound);
    CHECK_EC(rig_rop(g, m, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagImportance, 0ull), NULL, NULL), ecNotSupported);
    CHECK_EC(rig_rop(g, m, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagEntryId, 1ull), NULL, NULL), ecAccessDenied);
    CHECK_EC(rig_rop(g, RIG_LOGON, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagBody, 0ull), NULL, NULL), ecNotSupported);
    set_text(g, m, PidTagBody, "x");
    uint64_t mid = save_message(g, m);
    uint32_t ro = open_message(g, mid, 0);
    CHECK_EC(rig_rop(g, ro, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagBody, 1ull), NULL, NULL), ecAccessDenied);
    uint32_t s = open_stream(g, ro, PidTagBody, 0, &size);
    CHECK_EC(rig_rop(g, s, ROP_WRITE_STREAM, rig_args(g, "ww", 2ull, 0ull), &r, NULL), 0x80030005);
    CHECK_BYTES(rd_rest(&r), "00 00");
    CHECK_EC(rig_rop(g, s, ROP_SET_SIZE, rig_args(g, "q", 0ull), NULL, NULL), 0x80030005);
    commit(g, s);
    rig_end(g);
}

TEST(seeking)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagHtml, 2, &size);
    uint64_t at = 0;
    write_stream(g, s, unhex("01 02 03 04 05"));
    CHECK_EC(seek(g, s, 0, 1, &at), ecNone);
    CHECK_INT(at, 1);
    CHECK_BYTES(read_stream(g, s, 2), "02 03");
    CHECK_EC(seek(g, s, 1, 1, &at), ecNone);
    CHECK_INT(at, 4);
    CHECK_EC(seek(g, s, 2, -5, &at), ecNone);
    CHECK_INT(at, 0);
    CHECK_EC(seek(g, s, 1, -1, NULL), 0x80030019);
    CHECK_EC(seek(g, s, 3, 0, NULL), 0x80030057);
    CHECK_EC(seek(g, s, 0, 0x80000001ll, NULL), 0x80030019);
    CHECK_EC(seek(g, s, 0, INT64_MIN, NULL), 0x80030019);
    CHECK_EC(seek(g, s, 2, 3, &at), ecNone);
    CHECK_INT(at, 8);
    CHECK_INT(size_of(g, s), 8);
    write_stream(g, s, unhex("09"));
    CHECK_EC(seek(g, s, 0, 3, NULL), ecNone);
    CHECK_BYTES(read_stream(g, s, 20), "04 05 00 00 00 09");
    CHECK_EC(rig_rop(g, s, ROP_SET_SIZE, rig_args(g, "q", 2ull), NULL, NULL), ecNone);
    CHECK_EC(rig_rop(g, s, ROP_SET_SIZE, rig_args(g, "q", 4ull), NULL, NULL), ecNone);
    seek(g, s, 0, 0, NULL);
    CHECK_BYTES(read_stream(g, s, 20), "01 02 00 00");
    rig_end(g);
}

TEST(a_stream_grows_into_staging_and_comes_back)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagHtml, 2, &size);
    uint8_t b[3000];
    for (unsigned round = 0; round < 3; round++) {
        memset(b, 'a' + (int)round, sizeof b);
        write_stream(g, s, blob_of(b, sizeof b));
    }
    CHECK(g->largest < 6000);
    CHECK_INT(size_of(g, s), 9000);
    commit(g, s);
    uint32_t t = open_stream(g, m, PidTagHtml, 1, &size);
    CHECK_INT(size, 9000);
    seek(g, t, 0, 2999, NULL);
    CHECK_BYTES(read_stream(g, t, 2), "61 62");
    write_stream(g, t, unhex("21"));
    seek(g, t, 0, 2999, NULL);
    CHECK_BYTES(read_stream(g, t, 3), "61 62 21");
    CHECK_EC(rig_rop(g, t, ROP_SET_SIZE, rig_args(g, "q", 3002ull), NULL, NULL), ecNone);
    release(g, t);
    uint64_t mid = save_message(g, m);
    uint32_t u = open_stream(g, open_message(g, mid, 0), PidTagHtml, 0, &size);
    CHECK_INT(size, 3002);
    seek(g, u, 2, -3, NULL);
    CHECK_BYTES(read_stream(g, u, 10), "61 62 21");
    rig_end(g);
}

TEST(nothing_is_written_behind_the_end)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagHtml, 2, &size);
    static uint8_t b[6000];
    write_stream(g, s, blob_of(b, sizeof b));
    CHECK_EC(rig_rop(g, s, ROP_SET_SIZE, rig_args(g, "q", 10ull), NULL, NULL), ecNone);
    write_stream(g, s, blob_of(NULL, 0));
    CHECK_INT(size_of(g, s), 10);
    commit(g, s);
    write_stream(g, s, unhex("07")); /* the pointer stayed where it was: zeros between */
    CHECK_INT(size_of(g, s), 6001);
    seek(g, s, 2, -2, NULL);
    CHECK_BYTES(read_stream(g, s, 9), "00 07");
    rig_end(g);
}

TEST(long_reads_and_their_counts)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagHtml, 2, &size);
    struct rd r;
    static uint8_t b[50000];
    write_stream(g, s, blob_of(b, sizeof b));
    seek(g, s, 0, 0, NULL);
    REQUIRE_EC(rig_rop(g, s, ROP_READ_STREAM, rig_args(g, "wd", 0xBABEull, 60000ull), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), g->room - 8);
    REQUIRE_EC(rig_rop(g, s, ROP_READ_STREAM, rig_args(g, "wd", 0xBABEull, 60000ull), &r, NULL), ecNone);
    CHECK_INT(rd_u16(&r), 50000 - (g->room - 8));
    CHECK_EC(rig_rop(g, s, ROP_READ_STREAM, rig_args(g, "wd", 0xBABEull, 0x80000001ull), NULL, NULL), ecRpcFormat);
    rig_end(g);
}

TEST(a_stream_may_not_outgrow_the_largest_message)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), size, s = open_stream(g, m, PidTagHtml, 2, &size);
    struct propval max = property(g, RIG_LOGON, PidTagMaximumSubmitMessageSize);
    if (prop_type(max.tag) != PtypInteger32)
        SKIP("the mailbox names no largest message");
    uint64_t bytes = (uint64_t)max.v.i32 * 1024;
    struct rd r;
    CHECK_EC(rig_rop(g, s, ROP_SET_SIZE, rig_args(g, "q", bytes + 1), NULL, NULL), 0x80040305);
    CHECK_EC(seek(g, s, 0, (int64_t)bytes + 1, NULL), 0x80040305);
    CHECK_EC(rig_rop(g, s, ROP_SET_SIZE, rig_args(g, "q", bytes), NULL, NULL), ecNone);
    CHECK_EC(seek(g, s, 2, 0, NULL), ecNone);
    CHECK_EC(rig_rop(g, s, ROP_WRITE_STREAM, rig_args(g, "wb", 1ull, 0ull), &r, NULL), 0x80040305);
    CHECK_BYTES(rd_rest(&r), "00 00");
    rig_end(g);
}

TEST(folders_have_binary_streams_that_are_written_at_commit)
{
    struct rig *g = rig_new();
    uint32_t f = 0, size;
    REQUIRE_EC(rig_rop(g, RIG_LOGON, 0x02, rig_args(g, "qb", rig_wire(g->fid[SF_INBOX]), 0ull), NULL, &f), ecNone);
    CHECK_EC(rig_rop(g, f, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagComment, 0ull), NULL, NULL), ecNotSupported);
    uint32_t s = open_stream(g, f, PidTagExtendedFolderFlags, 2, &size);
    write_stream(g, s, unhex("01 02 03"));
    CHECK_EC(property(g, f, PidTagExtendedFolderFlags).v.err, ecNotFound);
    commit(g, s);
    CHECK_BYTES(property(g, f, PidTagExtendedFolderFlags).v.bin, "01 02 03");
    write_stream(g, s, unhex("04"));
    release(g, s);
    CHECK_BYTES(property(g, f, PidTagExtendedFolderFlags).v.bin, "01 02 03 04");
    rig_end(g);
}

TEST(the_data_of_an_attachment)
{
    struct rig *g = rig_new();
    uint32_t m = make_message(g), num, size;
    uint32_t a = make_attachment(g, m, &num);
    set_number(g, a, PidTagAttachMethod, 6);
    uint32_t s = open_stream(g, a, PidTagAttachDataObject, 2, &size);
    write_stream(g, s, unhex("d0 cf 11 e0"));
    commit(g, s);
    save_attachment(g, a);
    uint64_t mid = save_message(g, m);
    a = open_attachment(g, open_message(g, mid, 0), num, 0);
    s = open_stream(g, a, PidTagAttachDataObject, 0, &size);
    CHECK_INT(size, 4);
    CHECK_BYTES(read_stream(g, s, 9), "d0 cf 11 e0");
    s = open_stream(g, a, PidTagAttachDataBinary, 0, &size);
    CHECK_BYTES(read_stream(g, s, 9), "d0 cf 11 e0");
    uint32_t n = make_message(g);
    a = make_attachment(g, n, &num);
    uint32_t e = open_embedded(g, a, 2);
    save_message(g, e);
    CHECK_EC(rig_rop(g, a, ROP_OPEN_STREAM, rig_args(g, "db", (uint64_t)PidTagAttachDataObject, 0ull), NULL, NULL), ecNotSupported);
    rig_end(g);
}

TEST_LIMIT(twenty_megabytes_in_steps, 120)
{
    enum { STEP = 32000, STEPS = 656 };
    struct rig *g = rig_new();
    uint32_t m = make_message(g), num, size;
    uint32_t a = make_attachment(g, m, &num), s = open_stream(g, a, PidTagAttachDataBinary, 2, &size);
    static uint8_t b[STEP];
    uint8_t sent[SHA256], got[SHA256];
    struct arena *ha = arena_new(1 << 20);
    struct sha256 *h = sha256_new(ha), *k = sha256_new(ha);
    for (unsigned i = 0; i < STEPS; i++) {
        for (unsigned j = 0; j < STEP; j++)
            b[j] = (uint8_t)(i * 31 + j * 7 + (j >> 8));
        sha256_add(h, blob_of(b, STEP));
        write_stream(g, s, blob_of(b, STEP));
    }
    CHECK(g->largest < 8192);
    commit(g, s);
    release(g, s);
    save_attachment(g, a);
    uint64_t mid = save_message(g, m);
    s = open_stream(g, open_attachment(g, open_message(g, mid, 0), num, 0), PidTagAttachDataBinary, 0, &size);
    CHECK_INT(size, STEP * STEPS);
    for (struct blob piece; (piece = read_stream(g, s, 30000)).n != 0; )
        sha256_add(k, piece);
    sha256_end(h, sent);
    sha256_end(k, got);
    CHECK_BLOB(blob_of(got, SHA256), blob_of(sent, SHA256));
    arena_free(ha);
    rig_end(g);
}
