/* test_conform_logon.c - logons, receive folders, ids, sentence by sentence. MS-OXCSTOR 2.2.1, 3.2.5. */
#include "session/rop/auxbuf.h"
#include "tests/unit/session-rop/vector.h"
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

/* --- what is asked and answered (R59, R79, R84, R96, R118, R1062, R140, R2001002; OXCROPS R4677, R4678, R4683) ------------------------------------ */

#define ANY_8 "????????????????"
#define ANY_104 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8 ANY_8

SESSION(flags_come_back_and_the_rest_is_ignored,
    "> FE 00 00 01 00000000 00000000 {dn}",
    "  FE 01 01 07 0D010121 FFFFFFFF {dn}",
    "  FE 02 02 03 00000100 12345678 {dn}",
    "< FE 00 00000000 01 " ANY_104 " 07 {mailbox} 0500 {mapping} ???????????????? 0100000000000000 00000000",
    "  FE 01 00000000 07 " ANY_104 " 07 {mailbox} 0500 {mapping} ???????????????? 0100000000000000 00000000",
    "  FE 02 00000000 03 *")

/* --- helpers of the longer ones -------------------------------------------------------------------------------------------------------------------- */

enum { NOBODY = 0x00ABCDEF };

static void put_logon(struct wr *w, uint8_t id, uint32_t open_flags, const char *dn)
{
    uint8_t head[4] = { 0xFE, id, id, 0x01 };
    wr_bytes(w, head, sizeof head);
    wr_u32(w, open_flags);
    wr_u32(w, 0);
    wr_u16(w, (uint16_t)(strlen(dn) + 1));
    wr_bytes(w, dn, strlen(dn) + 1);
}

static ec_t log_on(struct desk *d, const char *dn, uint32_t *table)
{
    struct wr w = wr_in(d->life, 4096);
    put_logon(&w, 0, 0, dn);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    REQUIRE_EC(d->error, ecNone);
    rd_u16(&r);
    return rd_u32(&r);
}

/* R119, R821: thirteen folders, all different, all there. */
TEST(thirteen_folders_that_can_be_opened)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { NOBODY };
    uint64_t fid[13];
    struct wr w = wr_in(d->life, 4096);
    put_logon(&w, 0, 0, d->ada.dn);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    rd_blob(&r, 7);
    for (size_t i = 0; i < 13; i++) {
        fid[i] = rd_u64(&r);
        for (size_t k = 0; k < i; k++)
            CHECK(fid[i] != fid[k]);
    }
    for (size_t i = 0; i < 13; i++) {
        uint32_t places[2] = { table[0], NOBODY };
        struct wr o = wr_in(d->life, 64);
        wr_bytes(&o, "\x02\x00\x00\x01", 4);
        wr_u64(&o, fid[i]);
        wr_u8(&o, 0);
        struct rd a = desk_rops(d, wr_blob(&o), places, 2);
        rd_u16(&a);
        CHECK_EC(rd_u32(&a), ecNone);
    }
    desk_end(d);
}

/* R138; OXCROPS R77 - R90. */
TEST(the_time_of_the_logon_is_now_in_utc)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { NOBODY };
    struct wr w = wr_in(d->life, 4096);
    put_logon(&w, 0, 0, d->ada.dn);
    time_t before = time(NULL);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    rd_blob(&r, 6 + 1 + 104 + 1 + 16 + 2 + 16);
    struct tm t = { .tm_sec = rd_u8(&r), .tm_min = rd_u8(&r), .tm_hour = rd_u8(&r) };
    int weekday = rd_u8(&r);
    t.tm_mday = rd_u8(&r);
    t.tm_mon = rd_u8(&r) - 1;
    t.tm_year = rd_u16(&r) - 1900;
    time_t said = timegm(&t);
    CHECK(said >= before && said <= time(NULL));
    CHECK_INT(t.tm_wday, weekday);
    CHECK_INT(rd_u64(&r), 1);
    CHECK_INT(rd_u32(&r), 0);
    CHECK(rd_done(&r));
    desk_end(d);
}

/* R133, R1046, R1205: two logons on one mailbox have one ReplGuid, one number for a replica and one id for a name. */
TEST(logons_on_one_mailbox_share_their_numbers)
{
    struct desk *d = desk_new();
    uint32_t table[2] = { NOBODY, NOBODY };
    struct wr w = wr_in(d->life, 4096);
    put_logon(&w, 0, 0, d->ada.dn);
    put_logon(&w, 1, 0, d->ada.dn);
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t id[] = { 0x44, i, i }, name[] = { 0x56, i, i, 0x02, 1, 0, 0 };
        wr_bytes(&w, id, sizeof id);
        wr_bytes(&w, "0123456789abcdef\x00\x00\x00\x00\x01\x23\x00\x00", 24);
        wr_bytes(&w, name, sizeof name);
        wr_bytes(&w, "0123456789abcdef\x07\x00\x00\x00", 20);
    }
    struct rd r = desk_rops(d, wr_blob(&w), table, 2);
    struct blob guid[2], number[2], name_id[2];
    for (size_t i = 0; i < 2; i++) {
        rd_blob(&r, 6 + 1 + 104 + 1 + 16);
        guid[i] = rd_blob(&r, 18);
        rd_blob(&r, 8 + 8 + 4);
    }
    for (size_t i = 0; i < 2; i++) {
        CHECK_INT(rd_u16(&r), 0x44 | i << 8);
        number[i] = rd_blob(&r, 4 + 8);
        CHECK_INT(rd_u16(&r), 0x56 | i << 8);
        name_id[i] = rd_blob(&r, 4 + 2 + 2);
    }
    CHECK(rd_done(&r));
    CHECK_BLOB(guid[1], guid[0]);
    CHECK_BLOB(number[1], number[0]);
    CHECK_BLOB(name_id[1], name_id[0]);
    CHECK(name_id[0].n == 8 && name_id[0].p[4] == 1 && name_id[0].p[7] >= 0x80);
    desk_end(d);
}

/* --- who is not let in (R788, R3100, R3108, R59746, R59747) ------------------------------------------------------------------------------------------ */

TEST(a_person_without_a_mailbox_is_unknown)
{
    struct desk *d = desk_new();
    struct person eve;
    uint32_t table[1] = { NOBODY };
    struct person_new n = { .login = "eve@example.com", .display_name = "Eve", .password = "secret", .locale = 0x0409, .with_mailbox = false };
    REQUIRE_EC(directory_add(d->env.directory, d->life, &n, &eve), ecNone);
    CHECK_EC(log_on(d, eve.dn, table), ecUnknownUser);
    CHECK_EC(log_on(d, "/o=nobody", table), ecUnknownUser);
    CHECK_INT(d->logons, 0);
    desk_end(d);
}

TEST(a_mailbox_that_cannot_be_opened_is_a_login_failure)
{
    struct desk *d = desk_new();
    struct person eve;
    uint32_t table[1] = { NOBODY };
    struct person_new n = { .login = "eve@example.com", .display_name = "Eve", .password = "secret", .locale = 0x0409, .with_mailbox = true };
    REQUIRE_EC(directory_add(d->env.directory, d->life, &n, &eve), ecNone); /* and no mailbox is made */
    d->user = &eve;
    CHECK_EC(log_on(d, eve.dn, table), ecLoginFailure);
    CHECK_INT(d->logons, 0);
    desk_end(d);
}

TEST(a_directory_that_fails_is_a_login_failure)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { NOBODY };
    sqlite3 *db = NULL;
    REQUIRE(sqlite3_open(d->config->directory, &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "ALTER TABLE person RENAME TO nobody", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EC(log_on(d, d->ada.dn, table), ecLoginFailure);
    CHECK_INT(d->logons, 0);
    CHECK_INT(sqlite3_exec(db, "ALTER TABLE nobody RENAME TO person", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    CHECK_EC(log_on(d, d->ada.dn, table), ecNone);
    desk_end(d);
}

/* R794. */
TEST(a_disabled_person_is_unknown)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { NOBODY };
    sqlite3 *db = NULL;
    REQUIRE(sqlite3_open(d->config->directory, &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "UPDATE person SET disabled=1 WHERE login='ada@example.com'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    CHECK_EC(log_on(d, d->ada.dn, table), ecUnknownUser);
    desk_end(d);
}

/* --- receive folders (R202 - R207, R59785, R858, R294 - R313; OXCROPS R206 - R211) -------------------------------------------------------------------- */

#define A50 "41414141414141414141414141414141414141414141414141 41414141414141414141414141414141414141414141414141"
#define A254 A50 A50 A50 A50 A50 "41414141"

SESSION(a_message_class_has_a_form,
    "login",
    "> 27 00 00 " A254 "00", "  27 00 00 " A254 "41 00", "  27 00 00 41 1F 00", "  27 00 00 41 20 00", "  27 00 00 41 7E 00",
    "  27 00 00 41 7F 00", "  27 00 00 41 E9 00", "  27 00 00 '.A'", "  27 00 00 'A.'", "  27 00 00 'A..B'", "  27 00 00 'A.B'", "  27 00 00 ''",
    "< 27 00 00000000 {inbox} ''", "  27 00 57000780", "  27 00 57000780", "  27 00 00000000 {inbox} ''", "  27 00 00000000 {inbox} ''",
    "  27 00 57000780", "  27 00 57000780", "  27 00 57000780", "  27 00 57000780", "  27 00 57000780", "  27 00 00000000 {inbox} ''", "  27 00 00000000 {inbox} ''",
    "> 26 00 00 {drafts} " A254 "00", "  26 00 00 {drafts} " A254 "41 00", "  26 00 00 {drafts} 41 1F 00",
    "  26 00 00 {drafts} 41 7F 00", "  26 00 00 {drafts} '.A'", "  26 00 00 {drafts} 'A.'", "  26 00 00 {drafts} 'A..B'",
    "< 26 00 00000000", "  26 00 57000780", "  26 00 57000780", "  26 00 57000780", "  26 00 57000780", "  26 00 57000780", "  26 00 57000780")

/* Each row: flag 0, folder, class, time. */
SESSION(rows_of_the_receive_folder_table,
    "login",
    "> 26 00 00 {drafts} 'IPM.Task'", "  68 00 00",
    "< 26 00 00000000",
    "  68 00 00000000 05000000 00 {inbox} '' " ANY_8 " 00 {root} 'IPC' " ANY_8 " 00 {inbox} 'IPM' " ANY_8,
    "  00 {drafts} 'IPM.Task' " ANY_8 " 00 {inbox} 'REPORT.IPM' " ANY_8)

static struct { char name[GUID_TEXT + 4], path[4096]; } wanted;

static int is_wanted(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)st, (void)kind;
    if (strcmp(path + w->base, wanted.name) != 0)
        return 0;
    snprintf(wanted.path, sizeof wanted.path, "%s", path);
    return 1;
}

/* The file of a mailbox, opened beside the server. */
static sqlite3 *open_file(const struct guid *mailbox)
{
    char text[GUID_TEXT];
    sqlite3 *db = NULL;
    snprintf(wanted.name, sizeof wanted.name, "%s.db", guid_text(mailbox, text));
    REQUIRE(nftw(unit_tmpdir(), is_wanted, 8, FTW_PHYS) == 1);
    REQUIRE(sqlite3_open(wanted.path, &db) == SQLITE_OK);
    return db;
}

/* R59787, R322. */
TEST(a_mailbox_without_receive_folders)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { NOBODY };
    REQUIRE_EC(log_on(d, d->ada.dn, table), ecNone);
    sqlite3 *db = open_file(&d->ada.mailbox);
    CHECK_INT(sqlite3_exec(db, "DELETE FROM receive_folder", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct rd r = desk_rops(d, blob_of("\x68\x00\x00", 3), table, 1);
    CHECK_INT(rd_u16(&r), 0x68);
    CHECK_EC(rd_u32(&r), ecNoReceiveFolder);
    CHECK(rd_done(&r));
    desk_end(d);
}

/* --- properties of the logon (R59738) ----------------------------------------------------------------------------------------------------------------------- */

SESSION(there_is_no_message_of_an_offline_address_book,
    "login",
    "> 07 00 00 0000 0100 0100 14004F67",
    "< 07 00 00000000 01 0A 0F010480")

/* --- auxiliary buffers of Connect (OXCRPC R575, R740, R743, R748, R749, R752, R4842, R4845, R726) -------------------------------------------------------------- */

TEST(auxiliary_data_of_the_client_are_uncovered)
{
    struct arena *a = arena_new(1 << 20);
    static const unsigned ways[] = { 0, RPCEXT_XOR, RPCEXT_COMPRESSED };
    struct wr plain = wr_in(a, 1024);
    wr_bytes(&plain, "\x44\x00\x01\x16", 4);
    for (int i = 0; i < 64; i++)
        wr_u8(&plain, 'x');
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct wr w = wr_in(a, 1024);
        struct auxbuf_block *v;
        size_t n;
        rpcext_wrap(&w, a, wr_blob(&plain), ways[i] | RPCEXT_LAST);
        CHECK_INT(w.p[2], ways[i] | RPCEXT_LAST);
        auxbuf_read(wr_blob(&w), a, &v, &n);
        REQUIRE(n == 1);
        CHECK_INT(v[0].type, 0x16);
        CHECK_BLOB(v[0].data, blob_of(plain.p + 4, 64));
    }
    arena_free(a);
}

TEST(auxiliary_data_of_the_server_are_one_plain_payload)
{
    struct arena *a = arena_new(1 << 20);
    struct rd r = rd_blob_of(auxbuf_connect(a, "a host"));
    CHECK_INT(rd_u16(&r), 0);
    CHECK_INT(rd_u16(&r), RPCEXT_LAST);
    uint16_t size = rd_u16(&r);
    CHECK_INT(rd_u16(&r), size);
    CHECK_INT(r.n, size);
    while (r.n > 0 && rd_ok(&r)) {
        uint16_t block = rd_u16(&r);
        CHECK(block > 4);
        CHECK_INT(rd_u8(&r), 1);
        rd_u8(&r);
        rd_blob(&r, block - 4u);
    }
    CHECK(rd_done(&r));
    arena_free(a);
}
