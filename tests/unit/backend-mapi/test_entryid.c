/* test_entryid.c - ids and their long forms (MS-OXCDATA 2.2). */
#include "backend/mapi/entryid.h"
#include "tests/unit/backend-mapi/wire.h"

static const struct guid provider = { { 0xA0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };
static const struct guid replica = { { 0xB0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };

#define PROVIDER "a0 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f "
#define REPLICA  "b0 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f "

/* OXCDATA R2175-R2189 */
TEST(wire_ids)
{
    fresh();
    CHECK_INT(id_wire(1, 0x0102030405), 0x0504030201000001);
    CHECK_INT(id_replid(0x0504030201000001), 1);
    CHECK_INT(id_gc(0x0504030201000001), 0x0102030405);
    struct wr w = fresh_wr();
    wr_u64(&w, id_wire(5, 0x060504030201));
    CHECK_BYTES(wr_blob(&w), "05 00 06 05 04 03 02 01");
    CHECK_INT(id_gc(id_wire(0xFFFF, GLOBCNT_MAX)), GLOBCNT_MAX);
    w = fresh_wr();
    longtermid_write(&w, &replica, 0x0102);
    CHECK_BYTES(wr_blob(&w), REPLICA "00 00 00 00 01 02 00 00");
    CHECK_INT(wr_mark(&w), LONGTERMID);
    struct rd   r = rd_blob_of(wr_blob(&w));
    struct guid g;
    uint64_t    gc;
    longtermid_read(&r, &g, &gc);
    CHECK(rd_done(&r) && guid_eq(&g, &replica) && gc == 0x0102);
    w = fresh_wr();
    xid_write(&w, &replica, 0x0102);
    CHECK_INT(wr_mark(&w), XID);
    CHECK(xid_read(wr_blob(&w), &g, &gc) && gc == 0x0102);
    CHECK(!xid_read(blob_of(w.p, 21), &g, &gc));
}

static const char folder_bytes[] = "00 00 00 00 " PROVIDER "01 00 " REPLICA "00 00 00 00 01 02 00 00";
static const char message_bytes[] = "00 00 00 00 " PROVIDER "07 00 " REPLICA "00 00 00 00 01 02 00 00 " REPLICA "00 00 00 00 03 04 00 00";

/* OXCDATA R2225-R2246 */
TEST(folders_and_messages)
{
    fresh();
    struct entryid e;
    struct blob    f = entryid_folder(arena, &provider, &replica, 0x0102);
    CHECK_BYTES(f, folder_bytes);
    CHECK_INT(f.n, 46);
    CHECK_INT(entryid_parse(f, &e), ENTRYID_FOLDER);
    CHECK_INT(e.fid, 0x0102);
    CHECK(guid_eq(&e.provider, &provider) && guid_eq(&e.replica, &replica));
    struct blob m = entryid_message(arena, &provider, &replica, 0x0102, 0x0304);
    CHECK_BYTES(m, message_bytes);
    CHECK_INT(m.n, 70);
    CHECK_INT(entryid_parse(m, &e), ENTRYID_MESSAGE);
    CHECK_INT(e.fid, 0x0102);
    CHECK_INT(e.mid, 0x0304);
}

TEST(what_is_no_entry_id)
{
    fresh();
    struct entryid e;
    struct blob    m = hex(message_bytes), f = hex(folder_bytes);
    CHECK_INT(entryid_parse(blob_of(NULL, 0), &e), ENTRYID_BAD);
    CHECK_INT(entryid_parse(blob_of(m.p, 69), &e), ENTRYID_BAD);
    CHECK_INT(entryid_parse(blob_of(f.p, 45), &e), ENTRYID_BAD);
    CHECK_INT(entryid_parse(blob_of(m.p, 46), &e), ENTRYID_BAD);          /* a message without its message */
    uint8_t other[70];
    memcpy(other, m.p, 70);
    other[50] ^= 1; /* another replica */
    CHECK_INT(entryid_parse(blob_of(other, 70), &e), ENTRYID_BAD);
    memcpy(other, m.p, 70);
    other[20] = 3; /* a public folder */
    CHECK_INT(entryid_parse(blob_of(other, 70), &e), ENTRYID_BAD);
    CHECK_INT(e.fid, 0);
}

/* OXCDATA R2319-R2323 */
TEST(address_book)
{
    fresh();
    struct blob b = entryid_addressbook(arena, 0, "/o=X/cn=a"), dn;
    CHECK_BYTES(b, "00 00 00 00 dc a7 40 c8 c0 42 10 1a b4 b9 08 00 2b 2f e1 82 01 00 00 00 00 00 00 00 2f 6f 3d 58 2f 63 6e 3d 61 00");
    uint32_t type;
    CHECK(entryid_addressbook_parse(b, &type, &dn));
    CHECK_BLOB(dn, blob_str("/o=X/cn=a"));
    CHECK(!entryid_addressbook_parse(blob_of(b.p, b.n - 1), &type, &dn));
    CHECK(!entryid_addressbook_parse(hex(folder_bytes), &type, &dn));
}

TEST(one_off)
{
    fresh();
    struct oneoff o;
    struct blob   b = entryid_oneoff(arena, "\xC3\x84", "SMTP", "a@b");
    CHECK_BYTES(b, "00 00 00 00 81 2b 1f a4 be a3 10 19 9d 6e 00 dd 01 0f 54 02 00 00 01 90 c4 00 00 00 53 00 4d 00 54 00 50 00 00 00 61 00 40 00 62 00 00 00");
    CHECK(entryid_oneoff_parse(arena, b, &o));
    CHECK_BLOB(o.display, blob_str("\xC3\x84"));
    CHECK_BLOB(o.addrtype, blob_str("SMTP"));
    CHECK_BLOB(o.address, blob_str("a@b"));
    CHECK(entryid_oneoff_parse(arena, hex("00 00 00 00 81 2b 1f a4 be a3 10 19 9d 6e 00 dd 01 0f 54 02 00 00 01 10 c4 00 53 00 61 00"), &o));
    CHECK_BLOB(o.display, blob_str("\xC3\x84"));
    CHECK(!entryid_oneoff_parse(arena, blob_of(b.p, b.n - 1), &o));
}

/* OXCDATA R2249-R2265 */
TEST(stores)
{
    fresh();
    CHECK_BYTES(entryid_store(arena, "S", "/o=X"),
                "00 00 00 00 38 a1 bb 10 05 e5 10 1a a1 bb 08 00 2b 2a 56 c2 00 00 45 4d 53 4d 44 42 2e 44 4c 4c 00 00 00 00 "
                "00 00 00 00 1b 55 fa 20 aa 66 11 cd 9b c8 00 aa 00 2f c4 5a 0c 00 00 00 53 00 2f 6f 3d 58 00");
}

/* OXORULE R979-R987 */
TEST(server_entry_ids)
{
    fresh();
    struct blob b = svreid(arena, id_wire(1, 5), id_wire(1, 6), 7);
    CHECK_BYTES(b, "01 01 00 00 00 00 00 00 05 01 00 00 00 00 00 00 06 07 00 00 00");
    uint64_t fid, mid;
    uint32_t instance;
    CHECK(svreid_parse(b, &fid, &mid, &instance));
    CHECK_INT(id_gc(fid), 5);
    CHECK_INT(id_gc(mid), 6);
    CHECK_INT(instance, 7);
    CHECK(!svreid_parse(blob_of(b.p, 20), &fid, &mid, &instance));
    CHECK(!svreid_parse(hex("00 01 00 00 00 00 00 00 05 01 00 00 00 00 00 00 06 07 00 00 00"), &fid, &mid, &instance));
}

TEST(search_keys)
{
    fresh();
    CHECK_BLOB(search_key(arena, "smtp", "user@host"), blob_of("SMTP:USER@HOST", 15));
}

static void parse_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    struct entryid e;
    struct oneoff  o;
    struct blob    dn;
    uint32_t       type;
    entryid_parse(b, &e);
    entryid_addressbook_parse(b, &type, &dn);
    entryid_oneoff_parse(arena, b, &o);
}

TEST(damaged_bytes_stay_inside)
{
    mutate_all(unhex(message_bytes), parse_anything, NULL);
    mutate_all(unhex("00 00 00 00 81 2b 1f a4 be a3 10 19 9d 6e 00 dd 01 0f 54 02 00 00 01 90 c4 00 00 00 53 00 00 00 61 00 00 00"), parse_anything, NULL);
    mutate_all(unhex("00 00 00 00 dc a7 40 c8 c0 42 10 1a b4 b9 08 00 2b 2f e1 82 01 00 00 00 00 00 00 00 2f 6f 00"), parse_anything, NULL);
}
