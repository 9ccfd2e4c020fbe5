/* test_recipient.c - recipients of a message: changed, read, saved. MS-OXCMSG 3.2.5.4-3.2.5.6. */
#include "backend/mapi/lzxpress.h"
#include "session/rop/execute.h"
#include "tests/unit/backend-mapi/shared.h"
#include "tests/unit/session-rop/steps.h"

/* A ModifyRecipientRow: SMTP, Unicode, one column (PidTagRecipientFlags); name NULL: the row goes. */
static struct blob row(struct rig *g, uint32_t id, uint8_t type, const char *name)
{
    if (name == NULL)
        return rig_args(g, "dbw", (uint64_t)id, (uint64_t)type, 0ull);
    struct blob b = rig_args(g, "wsswbd", 0x021Bull, name, name, 1ull, 0ull, 7ull);
    return rig_args(g, "dbwB", (uint64_t)id, (uint64_t)type, (uint64_t)b.n, &b);
}

static void modify(struct rig *g, uint32_t h, uint32_t id, uint8_t type, const char *name)
{
    struct rd r;
    struct blob b = row(g, id, type, name), args = rig_args(g, "wdwB", 1ull, (uint64_t)PidTagRecipientFlags, 1ull, &b);
    REQUIRE_EC(rig_rop(g, h, ROP_MODIFY_RCPTS, args, &r, NULL), ecNone);
    CHECK(rd_done(&r));
}

/* Ids of the rows from `id` on as digits. */
static const char *rows(struct rig *g, uint32_t h, uint32_t id, ec_t *ec)
{
    struct rd r;
    *ec = rig_rop(g, h, ROP_READ_RCPTS, rig_args(g, "dw", (uint64_t)id, 0ull), &r, NULL);
    if (*ec != ecNone)
        return "";
    char *s = arena_alloc(g->a, 256);
    size_t n = rd_u8(&r);
    for (size_t i = 0; i < n; i++) {
        s[i] = (char)('0' + rd_u32(&r));
        rd_u8(&r);
        CHECK_INT(rd_u16(&r), 1252);
        rd_u16(&r);
        rd_blob(&r, rd_u16(&r));
    }
    CHECK(rd_done(&r));
    return s;
}

TEST(rows_are_added_replaced_and_deleted)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    ec_t ec;
    rows(g, h, 0, &ec);
    CHECK_EC(ec, ecNotFound);
    modify(g, h, 3, 1, "c@x");
    modify(g, h, 1, 1, "a@x");
    modify(g, h, 2, 2, "b@x");
    CHECK_STR(rows(g, h, 0, &ec), "123");
    CHECK_STR(rows(g, h, 2, &ec), "23");
    rows(g, h, 7, &ec);
    CHECK_EC(ec, ecNotFound);
    modify(g, h, 2, 0, NULL);
    CHECK_STR(rows(g, h, 0, &ec), "13");
    uint64_t mid = save_message(g, h);
    CHECK_STR(text_of(g, h, PidTagDisplayTo), "c@x; a@x");

    uint32_t o = open_message(g, mid, 1);
    modify(g, o, 1, 0, NULL);
    modify(g, o, 5, 1, "e@x");
    CHECK_STR(rows(g, o, 0, &ec), "35");
    CHECK_STR(rows(g, h, 0, &ec), "13");
    save_message(g, o);
    CHECK_STR(rows(g, open_message(g, mid, 0), 0, &ec), "35");
    rig_end(g);
}

TEST(all_recipients_go_and_new_ones_come)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    ec_t ec;
    CHECK_EC(rig_rop(g, h, ROP_REMOVE_RCPTS, rig_args(g, "d", 5ull), NULL, NULL), ecNone);
    modify(g, h, 0, 1, "a@x");
    modify(g, h, 1, 1, "b@x");
    uint64_t mid = save_message(g, h);
    uint32_t o = open_message(g, mid, 1);
    CHECK_EC(rig_rop(g, o, ROP_REMOVE_RCPTS, rig_args(g, "d", 0ull), NULL, NULL), ecNone);
    rows(g, o, 0, &ec);
    CHECK_EC(ec, ecNotFound);
    CHECK_STR(rows(g, h, 0, &ec), "01");
    modify(g, o, 4, 1, "d@x");
    modify(g, o, 6, 1, "f@x");
    modify(g, o, 6, 1, NULL);
    CHECK_STR(rows(g, o, 0, &ec), "4");
    save_message(g, o);
    CHECK_STR(rows(g, open_message(g, mid, 0), 0, &ec), "4");
    rig_end(g);
}

TEST(rows_come_as_far_as_they_fit)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    struct rd r;
    ec_t ec;
    char name[8] = "a@x";
    for (uint32_t i = 0; i < 9; i++, name[0]++)
        modify(g, h, i, 1, name);
    g->room = 150;
    CHECK_INT(strlen(rows(g, h, 0, &ec)), 3);
    CHECK_STR(rows(g, h, 7, &ec), "78");
    REQUIRE_EC(rig_rop(g, h, ROP_RELOAD, rig_args(g, "w", 0ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_blob(&r, 3), "00 00 00"); /* no names, no subject */
    CHECK_INT(rd_u16(&r), 9);
    rd_blob(&r, 4u * rd_u16(&r));
    CHECK_INT(rd_u8(&r), 3);
    g->room = 30;
    rows(g, h, 0, &ec);
    CHECK_EC(ec, ecBufferTooSmall);
    rig_end(g);
}

TEST(a_row_as_it_comes_back)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    struct rd r;
    modify(g, h, 0, 0x81, "a@x");
    save_message(g, h);
    REQUIRE_EC(rig_rop(g, h, ROP_RELOAD, rig_args(g, "w", 0ull), &r, NULL), ecNone);
    CHECK_BYTES(rd_rest(&r), "00 00 00  01 00  02 00  1f 00 fe 39 03 00 fd 5f  01"
                             "81 e4 04 00 00  21 00  5b 02  61 00 40 00 78 00 00 00  61 00 40 00 78 00 00 00  02 00  00  61 00 40 00 78 00 00 00"
                             "07 00 00 00");
    rig_end(g);
}

TEST(malformed_rows_fail_the_request)
{
    struct rig *g = rig_new();
    uint32_t h = make_message(g);
    struct blob args = rig_args(g, "wwdbwww", 0ull, 1ull, 0ull, 1ull, 4ull, 0x021Bull, 0ull);
    CHECK_EC(rig_rop(g, h, ROP_MODIFY_RCPTS, args, NULL, NULL), ecRpcFormat);
    rig_end(g);
}

/* The ROP list of a buffer as Outlook sent it: call header, RPC_HEADER_EXT, compressed payload. */
static struct blob outlook_list(struct arena *a, const char *name)
{
    struct rd call = rd_blob_of(shared_file(a, name));
    if (call.n == 0)
        return blob_of(NULL, 0);
    rd_blob(&call, 24);
    struct rd r = rd_sub(&call, rd_u32(&call));
    rd_u16(&r);
    uint16_t flags = rd_u16(&r), size = rd_u16(&r), actual = rd_u16(&r);
    struct blob body = rd_blob(&r, size);
    uint8_t *packed = arena_dup(a, body.p, body.n), *plain = arena_alloc(a, actual);
    if ((flags & 2) != 0)
        lzxpress_xor(packed, body.n);
    REQUIRE(lzxpress_decompress(blob_of(packed, body.n), plain, actual));
    struct rd list = rd_over(plain, actual);
    uint16_t n = rd_u16(&list);
    return rd_blob(&list, n - 2u);
}

TEST(recipients_as_outlook_sends_them)
{
    struct rig *g = rig_new();
    struct rop_request *v;
    struct rd r;
    size_t n, found = 0;
    struct blob list = outlook_list(g->life, "vectors/lzxpress/001_Outlook_2007_in_ModifyRecipients_comp.dat");
    if (list.n == 0) {
        rig_end(g);
        SKIP("no vectors here");
    }
    REQUIRE(rop_split(list, g->life, &v, &n));
    for (size_t i = 0; i < n; i++) {
        if (v[i].id != ROP_MODIFY_RCPTS)
            continue;
        found++;
        uint32_t h = make_message(g);
        struct rd q = rd_blob_of(v[i].bytes);
        rd_blob(&q, 3);
        REQUIRE_EC(rig_rop(g, h, ROP_MODIFY_RCPTS, rd_rest(&q), &r, NULL), ecNone);
        uint64_t mid = save_message(g, h);
        const char *to = text_of(g, open_message(g, mid, 0), PidTagDisplayTo);
        CHECK(to != NULL && to[0] != 0);
        REQUIRE_EC(rig_rop(g, h, ROP_READ_RCPTS, rig_args(g, "dw", 0ull, 0ull), &r, NULL), ecNone);
        CHECK(rd_u8(&r) >= 1);
    }
    CHECK(found > 0);
    rig_end(g);
}
