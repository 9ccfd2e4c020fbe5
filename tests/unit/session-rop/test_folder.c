/* test_folder.c - folders deleted and opened again, names that are taken, mailboxes of delegates, bulk work that is partial. */
#include "tests/unit/session-rop/desk.h"

static ec_t head(struct rd *r, uint8_t rop)
{
    CHECK_INT(rd_u8(r), rop);
    rd_u8(r);
    return rd_u32(r);
}

/* Logon, Inbox at index 1. */
static void start(struct desk *d, const struct person *whose, uint32_t *table)
{
    struct wr w = wr_in(d->life, 4096);
    for (size_t i = 0; i < 4; i++)
        table[i] = 0xFFFFFFFF;
    wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&w, (uint16_t)(strlen(whose->dn) + 1));
    wr_bytes(&w, whose->dn, strlen(whose->dn) + 1);
    wr_bytes(&w, "\x02\x00\x00\x01", 4);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_INBOX]));
    wr_u8(&w, 0);
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    REQUIRE_EC(d->error, ecNone);
    REQUIRE_EC(head(&r, 0xFE), ecNone);
    rd_blob(&r, 160);
    REQUIRE_EC(head(&r, 0x02), ecNone);
}

static ec_t create(struct desk *d, uint32_t *table, const char *name, uint64_t *wire)
{
    struct wr w = wr_in(d->life, 256);
    wr_bytes(&w, "\x1C\x00\x01\x02\x01\x00\x00\x00", 8);
    wr_bytes(&w, name, strlen(name) + 1);
    wr_u8(&w, 0);
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    ec_t ec = head(&r, 0x1C);
    *wire = rd_u64(&r);
    return ec;
}

static ec_t delete(struct desk *d, uint32_t *table, uint64_t wire, uint8_t flags, uint8_t *partial)
{
    struct wr w = wr_in(d->life, 64);
    wr_bytes(&w, "\x1D\x00\x01", 3);
    wr_u8(&w, flags);
    wr_u64(&w, wire);
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    ec_t ec = head(&r, 0x1D);
    *partial = rd_u8(&r);
    CHECK(rd_done(&r));
    return ec;
}

static ec_t reopen(struct desk *d, uint32_t *table, uint64_t wire, uint8_t flags)
{
    struct wr w = wr_in(d->life, 64);
    wr_bytes(&w, "\x02\x00\x00\x03", 4);
    wr_u64(&w, wire);
    wr_u8(&w, flags);
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    return head(&r, 0x02);
}

/* OXCFOLD R471, R22, R498. */
TEST(a_soft_deleted_folder_opens_only_when_asked_for)
{
    struct desk *d = desk_new();
    uint32_t table[4];
    uint64_t fid;
    uint8_t partial;
    start(d, &d->ada, table);
    REQUIRE_EC(create(d, table, "gone", &fid), ecNone);
    CHECK_EC(reopen(d, table, fid, 0), ecNone);
    CHECK_EC(delete(d, table, fid, 0, &partial), ecNone);
    CHECK_INT(partial, 0);
    CHECK_EC(reopen(d, table, fid, 0), ecNotFound);
    CHECK_EC(reopen(d, table, fid, 4), ecNone);
    desk_end(d);
}

/* OXCFOLD R497. */
TEST(a_hard_deleted_folder_is_gone)
{
    struct desk *d = desk_new();
    uint32_t table[4];
    uint64_t fid;
    uint8_t partial;
    start(d, &d->ada, table);
    REQUIRE_EC(create(d, table, "gone", &fid), ecNone);
    CHECK_EC(delete(d, table, fid, DELETE_HARD_DELETE, &partial), ecNone);
    CHECK_EC(reopen(d, table, fid, 4), ecNotFound);
    CHECK_EC(create(d, table, "gone", &fid), ecNone);
    desk_end(d);
}

/* OXCFOLD R371, R816, R817, R762: contents keep a folder unless they may go too. */
TEST(a_folder_with_messages_stays_unless_they_may_go)
{
    struct desk *d = desk_new();
    uint32_t table[4];
    uint64_t fid;
    uint8_t partial;
    start(d, &d->ada, table);
    REQUIRE_EC(create(d, table, "full", &fid), ecNone);
    desk_mail(d, id_gc(fid), "inside", 1);
    CHECK_EC(delete(d, table, fid, 0, &partial), ecNone);
    CHECK_INT(partial, 1);
    CHECK_EC(reopen(d, table, fid, 0), ecNone);
    CHECK_EC(delete(d, table, fid, DEL_MESSAGES, &partial), ecNone);
    CHECK_INT(partial, 0);
    CHECK_EC(reopen(d, table, fid, 0), ecNotFound);
    desk_end(d);
}

/* OXCFOLD R489, R106601. */
TEST(a_delegate_who_may_only_read_makes_and_deletes_nothing)
{
    struct desk *d = desk_new();
    uint32_t table[4];
    uint64_t fid, mid = desk_mail(d, d->fid[SF_INBOX], "hers", 1);
    struct arena *a = arena_new(1 << 20);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(permission_set(m, d->fid[SF_INBOX], d->bob.dn, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    d->user = &d->bob;
    start(d, &d->ada, table);
    CHECK_EC(create(d, table, "mine", &fid), ecAccessDenied);
    struct wr w = wr_in(d->life, 64);
    wr_bytes(&w, "\x1E\x00\x01\x00\x00\x01\x00", 7);
    wr_u64(&w, id_wire(REPLID_OWN, mid));
    wr_bytes(&w, "\x05\x00\x01\x02\x00", 5);
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    ec_t ec = head(&r, 0x1E);
    CHECK(rd_u8(&r) == 1 || ec == (ec_t)ecAccessDenied);
    CHECK_EC(head(&r, 0x05), ecNone);
    CHECK_INT(rd_u32(&r), 1);
    desk_end(d);
}

/* What the first ROP of a list did stays when a later one is refused; what a refused one did itself does not. */
TEST(each_rop_of_a_list_stands_for_itself)
{
    struct desk *d = desk_new();
    uint32_t table[4];
    start(d, &d->ada, table);
    struct wr w = wr_in(d->life, 256);
    wr_bytes(&w, "\x1C\x00\x01\x02\x01\x00\x00\x00" "one\0", 13);
    wr_bytes(&w, "\x1C\x00\x01\x03\x01\x00\x00\x00" "one\0", 13);
    wr_bytes(&w, "\x1C\x00\x01\x03\x01\x00\x00\x00" "two\0", 13);
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    CHECK_EC(head(&r, 0x1C), ecNone);
    rd_blob(&r, 9);
    CHECK_EC(head(&r, 0x1C), ecCollidingNames);
    CHECK_EC(head(&r, 0x1C), ecNone);
    r = desk_rops(d, blob_of("\x04\x00\x01\x02\x00", 5), table, 4);
    CHECK_EC(head(&r, 0x04), ecNone);
    CHECK_INT(rd_u32(&r), 2);
    desk_end(d);
}

/* A list that turns out to be malformed takes everything back. */
TEST(a_malformed_restriction_takes_back_what_ran_before_it)
{
    struct desk *d = desk_new();
    uint32_t table[4];
    start(d, &d->ada, table);
    struct wr w = wr_in(d->life, 256);
    wr_bytes(&w, "\x1C\x00\x01\x02\x01\x00\x00\x00" "one\0", 13);
    wr_bytes(&w, "\x05\x00\x01\x03\x00", 5);
    wr_bytes(&w, "\x14\x00\x03\x00\x02\x00\x04\x04", 8);
    size_t handles = d->handles;
    desk_rops(d, wr_blob(&w), table, 4);
    CHECK_EC(d->error, ecRpcFormat);
    CHECK_INT(d->result.nchanged, 0);
    CHECK_INT(d->handles, handles);
    struct rd r = desk_rops(d, blob_of("\x04\x00\x01\x02\x00", 5), table, 4);
    CHECK_EC(head(&r, 0x04), ecNone);
    CHECK_INT(rd_u32(&r), 0);
    desk_end(d);
}
