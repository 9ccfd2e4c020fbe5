/* test_walk.c - the usual way into a mailbox, whole requests: Logon, OpenFolder, GetContentsTable, SetColumns, QueryRows. */
#include "tests/unit/session-rop/desk.h"

static struct blob logon_rop(struct arena *a, uint8_t logon_id, uint8_t index, uint8_t flags, uint32_t open_flags, const char *dn)
{
    struct wr w = wr_in(a, 4096);
    wr_u8(&w, 0xFE);
    wr_u8(&w, logon_id);
    wr_u8(&w, index);
    wr_u8(&w, flags);
    wr_u32(&w, open_flags);
    wr_u32(&w, 0);
    wr_u16(&w, (uint16_t)(strlen(dn) + 1));
    wr_bytes(&w, dn, strlen(dn) + 1);
    return wr_blob(&w);
}

static ec_t answer_head(struct rd *r, uint8_t rop, uint8_t index)
{
    CHECK_INT(rd_u8(r), rop);
    CHECK_INT(rd_u8(r), index);
    return rd_u32(r);
}

static void logon(struct desk *d, uint32_t *table)
{
    struct rd r = desk_rops(d, logon_rop(d->life, 0, 0, 1, 0x01000000, d->ada.dn), table, 1);
    REQUIRE_EC(d->error, ecNone);
    REQUIRE_EC(answer_head(&r, 0xFE, 0), ecNone);
    CHECK_INT(r.n, 160);
    CHECK(table[0] != 0xFFFFFFFF);
}

TEST(logon_answers_160_bytes_behind_its_head)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { 0xFFFFFFFF };
    logon(d, table);
    CHECK_INT(d->logons, 1);
    CHECK(d->logon[0].owner);
    desk_end(d);
}

TEST(fifty_rows_of_the_inbox)
{
    struct desk *d = desk_new();
    uint32_t table[3] = { 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF };
    for (unsigned i = 0; i < 60; i++)
        desk_mail(d, d->fid[SF_INBOX], arena_printf(d->life, "mail %02u", i), i);
    logon(d, table);
    struct wr w = wr_in(d->life, 4096);
    wr_bytes(&w, "\x02\x00\x00\x01", 4);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_INBOX]));
    wr_u8(&w, 0);
    wr_bytes(&w, "\x05\x00\x01\x02\x00", 5);
    wr_bytes(&w, "\x12\x00\x02\x00\x02\x00", 6);
    wr_u32(&w, PidTagMid);
    wr_u32(&w, PidTagSubject);
    wr_bytes(&w, "\x15\x00\x02\x00\x01\x32\x00", 7);
    struct rd r = desk_rops(d, wr_blob(&w), table, 3);
    REQUIRE_EC(d->error, ecNone);
    REQUIRE_EC(answer_head(&r, 0x02, 1), ecNone);
    rd_u16(&r);
    REQUIRE_EC(answer_head(&r, 0x05, 2), ecNone);
    CHECK_INT(rd_u32(&r), 60);
    REQUIRE_EC(answer_head(&r, 0x12, 2), ecNone);
    CHECK_INT(rd_u8(&r), 0);
    REQUIRE_EC(answer_head(&r, 0x15, 2), ecNone);
    CHECK_INT(rd_u8(&r), 1);
    CHECK_INT(rd_u16(&r), 50);
    CHECK_INT(rd_u8(&r), 0);
    rd_u64(&r);
    CHECK_INT(rd_utf16z(&r).n, 14);
    uint32_t rest[1] = { table[2] };
    r = desk_rops(d, blob_of("\x15\x00\x00\x00\x01\x32\x00", 7), rest, 1); /* another request, another worker: the cursor stands behind row 50 */
    REQUIRE_EC(answer_head(&r, 0x15, 0), ecNone);
    CHECK_INT(rd_u8(&r), 2);
    CHECK_INT(rd_u16(&r), 10);
    desk_end(d);
}
