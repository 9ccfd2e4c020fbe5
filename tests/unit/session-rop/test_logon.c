/* test_logon.c - who may log on to what, and the properties of logons. MS-OXCSTOR 3.2.5.1, 2.2.2.1. */
#include "session/rop/auxbuf.h"
#include "session/rop/logon.h"
#include "tests/unit/session-rop/desk.h"

static ec_t log_on(struct desk *d, const struct person *whose, uint8_t *flags)
{
    uint32_t table[1] = { 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 4096);
    wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&w, (uint16_t)(strlen(whose->dn) + 1));
    wr_bytes(&w, whose->dn, strlen(whose->dn) + 1);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    REQUIRE_EC(d->error, ecNone);
    rd_u16(&r);
    ec_t ec = rd_u32(&r);
    rd_blob(&r, 1 + 13 * 8);
    *flags = rd_u8(&r);
    return ec;
}

TEST(full_access_makes_an_owner_who_sends_as_himself)
{
    struct desk *d = desk_new();
    uint8_t flags;
    d->user = &d->bob;
    CHECK_EC(log_on(d, &d->ada, &flags), ecAccessDenied);
    CHECK_INT(d->logons, 0);
    CHECK_EC(directory_grant(d->env.directory, d->ada.login, d->bob.login, true), ecNone);
    CHECK_EC(log_on(d, &d->ada, &flags), ecNone);
    CHECK_INT(flags, 0x03);
    CHECK(d->logon[0].owner);
    CHECK_EC(log_on(d, &d->bob, &flags), ecNone);
    CHECK_INT(flags, 0x07);
    desk_end(d);
}

TEST(a_shared_folder_lets_a_delegate_in_but_not_everywhere)
{
    struct desk *d = desk_new();
    uint8_t flags;
    struct arena *a = arena_new(1 << 20);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(permission_set(m, d->fid[SF_CALENDAR], d->bob.dn, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    d->user = &d->bob;
    REQUIRE_EC(log_on(d, &d->ada, &flags), ecNone);
    CHECK_INT(flags, 0x01);
    CHECK(!d->logon[0].owner);
    uint32_t table[3] = { d->logon[0].handle, 0xFFFFFFFF, 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 256);
    wr_bytes(&w, "\x02\x00\x00\x01", 4);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_CALENDAR]));
    wr_bytes(&w, "\x00\x02\x00\x00\x02", 5);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_INBOX]));
    wr_u8(&w, 0);
    struct rd r = desk_rops(d, wr_blob(&w), table, 3);
    rd_u16(&r);
    CHECK_EC(rd_u32(&r), ecNone);
    rd_u16(&r);
    rd_u16(&r);
    CHECK_EC(rd_u32(&r), ecNotFound);          /* OXCFOLD R470 */
    desk_end(d);
}

/* Any folder will do, also one that its owner made. */
TEST(one_shared_folder_of_any_kind_is_enough)
{
    struct desk *d = desk_new();
    uint8_t flags;
    uint64_t fid;
    bool existed;
    struct arena *a = arena_new(1 << 20);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(folder_create(m, d->fid[SF_IPM_SUBTREE], "Project", "", false, false, &fid, &existed), ecNone);
    REQUIRE_EC(permission_set(m, fid, d->bob.dn, RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    d->user = &d->bob;
    CHECK_EC(log_on(d, &d->ada, &flags), ecNone);
    desk_end(d);
}

/* OXCSTOR R3102. */
TEST(a_session_with_an_unknown_code_page)
{
    struct desk *d = desk_new();
    uint8_t flags;
    d->code_page = 12345;
    CHECK_EC(log_on(d, &d->ada, &flags), ecUnknownCodePage);
    d->code_page = 932;
    CHECK_EC(log_on(d, &d->ada, &flags), ecNone);
    desk_end(d);
}

/* OXCSTOR R59746. */
TEST(a_person_without_a_mailbox)
{
    struct desk *d = desk_new();
    struct person nobody;
    struct person_new n = { .login = "eve@example.com", .display_name = "Eve", .password = "secret", .locale = 0x0409, .with_mailbox = false };
    uint8_t flags;
    REQUIRE_EC(directory_add(d->env.directory, d->life, &n, &nobody), ecNone);
    CHECK_EC(log_on(d, &nobody, &flags), ecUnknownUser);
    desk_end(d);
}

/* --- properties of the logon object, through RopGetPropertiesSpecific --------------------------------------------------------------------------------- */

static struct propval property(struct desk *d, uint32_t tag)
{
    uint32_t table[1] = { d->logon[0].handle };
    struct wr w = wr_in(d->life, 64);
    struct propval v = { .tag = PROP_TAG(0, PtypErrorCode) };
    struct pv_codec codec = { d->life, 1252, PV_COUNTS_ROP };
    wr_bytes(&w, "\x07\x00\x00\x00\x00\x01\x00\x01\x00", 9);
    wr_u32(&w, tag);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    rd_u16(&r);
    CHECK_EC(rd_u32(&r), ecNone);
    if (rd_u8(&r) == 0)
        propval_read(&r, &codec, tag, &v);
    return v;
}

TEST(properties_that_depend_on_the_session)
{
    struct desk *d = desk_new();
    uint8_t flags;
    CHECK_EC(directory_grant(d->env.directory, d->ada.login, d->bob.login, true), ecNone);
    d->user = &d->bob;
    d->code_page = 1250;
    REQUIRE_EC(log_on(d, &d->ada, &flags), ecNone);
    CHECK_BLOB(property(d, PidTagUserEntryId).v.bin, entryid_addressbook(d->life, 0, d->bob.dn));
    CHECK_BLOB(property(d, PidTagMailboxOwnerEntryId).v.bin, entryid_addressbook(d->life, 0, d->ada.dn));
    CHECK_BLOB(property(d, PidTagMailboxOwnerName).v.s, blob_str("Ada Lovelace"));
    CHECK_INT(property(d, PidTagCodePageId).v.i32, 1250);
    CHECK_INT(property(d, PidTagLocaleId).v.i32, 0x0409);
    CHECK_INT(property(d, PidTagSortLocaleId).v.i32, 0x0409);
    CHECK_INT(property(d, PidTagStoreState).v.i32, 0);
    CHECK(!property(d, PidTagOutOfOfficeState).v.b);
    CHECK(property(d, PidTagMaximumSubmitMessageSize).tag == PidTagMaximumSubmitMessageSize);
    CHECK(property(d, PidTagExtendedRuleSizeLimit).tag == PidTagExtendedRuleSizeLimit);
    desk_end(d);
}

/* OXCSTOR R128, R129: the answer tells that the owner is out of office. */
TEST(out_of_office_is_told_at_logon)
{
    struct desk *d = desk_new();
    uint8_t flags;
    REQUIRE_EC(log_on(d, &d->ada, &flags), ecNone);
    CHECK_INT(flags, 0x07);
    uint32_t table[1] = { d->logon[0].handle };
    struct rd r = desk_rops(d, blob_of("\x0A\x00\x00\x07\x00\x01\x00\x0B\x00\x1D\x66\x01", 12), table, 1);
    rd_u16(&r);
    CHECK_EC(rd_u32(&r), ecNone);
    CHECK_INT(rd_u16(&r), 0);
    REQUIRE_EC(log_on(d, &d->ada, &flags), ecNone);
    CHECK_INT(flags, 0x17);
    desk_end(d);
}

/* --- auxiliary buffers of clients --------------------------------------------------------------------------------------------------------------------------- */

TEST(auxiliary_blocks_that_nobody_knows_are_passed_over)
{
    struct arena *a = arena_new(1 << 20);
    struct auxbuf_block *v;
    size_t n;
    auxbuf_read(unhex("0000 0400 1200 1200  0800 01 16 01020304  0500 09 FE 07  0900 01 02 00"), a, &v, &n); /* the last says 9, 4 are there */
    REQUIRE(n == 2);
    CHECK_INT(v[0].type, 0x16);
    CHECK_BYTES(v[0].data, "01 02 03 04");
    CHECK_INT(v[1].version, 9);
    CHECK_INT(v[1].data.n, 1);
    auxbuf_read(unhex("0000 0400 0400 0400  0300 01 16"), a, &v, &n);
    CHECK_INT(n, 0);
    auxbuf_read(blob_of(NULL, 0), a, &v, &n);
    CHECK_INT(n, 0);
    CHECK_INT(auxbuf_size(0), AUXBUF_FINE);
    CHECK_INT(auxbuf_size(7), AUXBUF_ERROR);
    CHECK_INT(auxbuf_size(8), AUXBUF_FINE);
    CHECK_INT(auxbuf_size(0x1008), AUXBUF_FINE);
    CHECK_INT(auxbuf_size(0x1009), AUXBUF_STATUS);
    arena_free(a);
}
