/* test_execute.c - bodies, extended buffers, limits, the handle table, answers that do not fit, packed answers and uploads. */
#include "backend/mapi/lzxpress.h"
#include "session/object/folder.h"
#include "tests/mutate.h"
#include "tests/unit/session-rop/desk.h"

static struct blob logon_rop(struct desk *d)
{
    struct wr w = wr_in(d->life, 4096);
    wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&w, (uint16_t)(strlen(d->ada.dn) + 1));
    wr_bytes(&w, d->ada.dn, strlen(d->ada.dn) + 1);
    return wr_blob(&w);
}

static uint32_t login(struct desk *d)
{
    uint32_t table[1] = { 0xFFFFFFFF };
    desk_rops(d, logon_rop(d), table, 1);
    REQUIRE_EC(d->error, ecNone);
    REQUIRE(table[0] != 0xFFFFFFFF);
    return table[0];
}

static void open_folder_rop(struct desk *d, struct wr *w, uint8_t in, uint8_t out, uint64_t fid)
{
    (void)d;
    uint8_t head[4] = { 0x02, 0, in, out };
    wr_bytes(w, head, sizeof head);
    wr_u64(w, id_wire(REPLID_OWN, fid));
    wr_u8(w, 0);
}

static ec_t head(struct rd *r, uint8_t rop, uint8_t index)
{
    CHECK_INT(rd_u8(r), rop);
    CHECK_INT(rd_u8(r), index);
    return rd_u32(r);
}

/* An Execute body around a ROP buffer. */
static struct blob body_of(struct desk *d, uint32_t flags, struct blob buffer, uint32_t max_out, size_t aux)
{
    struct wr w = wr_in(d->life, 1 << 20);
    wr_u32(&w, flags);
    wr_u32(&w, (uint32_t)buffer.n);
    wr_put(&w, buffer);
    wr_u32(&w, max_out);
    wr_u32(&w, (uint32_t)aux);
    for (size_t i = 0; i < aux; i++)
        wr_u8(&w, 0);
    return wr_blob(&w);
}

static struct blob payload_of(struct desk *d, struct blob rops, const uint32_t *table, size_t n)
{
    struct wr p = wr_in(d->life, 1 << 20);
    wr_u16(&p, (uint16_t)(rops.n + 2));
    wr_put(&p, rops);
    for (size_t i = 0; i < n; i++)
        wr_u32(&p, table[i]);
    return wr_blob(&p);
}

static struct blob buffer_of(struct desk *d, struct blob payload, unsigned flags)
{
    struct wr w = wr_in(d->life, 1 << 20);
    rpcext_wrap(&w, d->life, payload, flags | RPCEXT_LAST);
    return wr_blob(&w);
}

/* --- sizes and forms of the body (OXCRPC R1373, R666001, R678, R663, R1379, R1367; code 12) ------------------------------------------- */

static void expect(struct desk *d, struct blob body, bool bad, uint32_t status, ec_t error)
{
    struct blob answer = desk_execute(d, body);
    CHECK_INT(answer.n == 0, bad);
    if (bad)
        return;
    REQUIRE(desk_open_answer(d, answer));
    CHECK_INT(d->status, status);
    CHECK_EC(d->error, error);
    CHECK(status == 0 || answer.n == 8);
    CHECK_INT(d->result.failed, status != 0 || error != ecNone);
}

TEST(sizes_of_the_body)
{
    struct desk *d = desk_new();
    uint32_t none[1] = { 0xFFFFFFFF };
    struct blob good = buffer_of(d, payload_of(d, blob_of(NULL, 0), none, 0), 0);
    uint8_t *big = arena_alloc(d->life, ROPBUFFER_MAX + 1);
    expect(d, body_of(d, 3, good, 0x10008, 0), false, 0, ecNone);
    expect(d, body_of(d, 3, blob_of(NULL, 0), 0x10008, 0), false, 0, ecNone);
    expect(d, body_of(d, 3, blob_of(big, ROPBUFFER_MAX + 1), 0x10008, 0), false, 0x6F7, ecNone);
    expect(d, body_of(d, 3, good, MAXROPOUT_MAX, 0), false, 0, ecNone);
    expect(d, body_of(d, 3, good, MAXROPOUT_MAX + 1, 0), false, 0x6F7, ecNone);
    expect(d, body_of(d, 3, good, 7, 0), false, 0, ecRpcFailed);
    expect(d, body_of(d, 3, good, 0x10008, AUX_MAX), false, 0, ecNone);
    expect(d, body_of(d, 3, good, 0x10008, AUX_MAX + 1), false, 0x6F7, ecNone);
    expect(d, body_of(d, 3, good, 0x10008, 7), false, 0, ecRpcFailed);
    expect(d, body_of(d, 3, blob_of(big, 7), 0x10008, 0), false, 0, ecRpcFailed);
    expect(d, body_of(d, 3, blob_of(big, 40), 0x10008, 0), false, 0, ecRpcFormat);
    struct blob body = body_of(d, 3, good, 0x10008, 0);
    for (size_t n = 0; n < body.n; n++)
        expect(d, blob_of(body.p, n), true, 0, ecNone);
    desk_end(d);
}

static void harmless(void *ctx, struct blob body)
{
    desk_execute(ctx, body);
}

TEST(bent_bodies_do_no_harm)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { 0xFFFFFFFF };
    d->dry = true;
    struct blob payload = payload_of(d, logon_rop(d), table, 1);
    mutate_all(body_of(d, 7, buffer_of(d, payload, 0), 0x10008, 0), harmless, d);
    mutate_all(body_of(d, 0, buffer_of(d, payload, RPCEXT_COMPRESSED), 0x10008, 0), harmless, d);
    CHECK_INT(d->logons, 0);
    desk_end(d);
}

/* A logon and much of the same behind it, so that compressing helps. */
static struct blob long_list(struct desk *d)
{
    struct wr w = wr_in(d->life, 4096);
    wr_put(&w, logon_rop(d));
    for (int i = 0; i < 40; i++)
        wr_bytes(&w, "\x01\x00\x09", 3);
    return wr_blob(&w);
}

/* --- extended buffers ------------------------------------------------------------------------------------------------------------------------------ */

TEST(obfuscated_and_compressed_requests)
{
    struct desk *d = desk_new();
    uint32_t table[2] = { 0xFFFFFFFF, 0xFFFFFFFF };
    struct blob payload = payload_of(d, long_list(d), table, 1);
    static const unsigned ways[] = { 0, RPCEXT_XOR, RPCEXT_COMPRESSED };
    for (size_t i = 0; i < 3; i++) {
        struct rd r = rd_blob_of(buffer_of(d, payload, ways[i]));
        rd_u16(&r);
        CHECK_INT(rd_u16(&r), ways[i] | RPCEXT_LAST);
        expect(d, body_of(d, 3, buffer_of(d, payload, ways[i]), 0x10008, 0), false, 0, ecNone);
        struct rd answer = desk_answer(d, 0, table, 2);
        CHECK_EC(head(&answer, 0xFE, 0), ecNone);
    }
    desk_end(d);
}

/* First compressed, then obfuscated (OXCRPC R4860). */
TEST(a_request_that_is_both)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { 0xFFFFFFFF };
    struct blob payload = payload_of(d, long_list(d), table, 1);
    uint8_t *p = arena_alloc(d->life, payload.n);
    size_t n = lzxpress_compress(payload, p);
    REQUIRE(n > 0);
    lzxpress_xor(p, n);
    struct wr w = wr_in(d->life, 4096);
    wr_u16(&w, 0);
    wr_u16(&w, RPCEXT_COMPRESSED | RPCEXT_XOR | RPCEXT_LAST);
    wr_u16(&w, (uint16_t)n);
    wr_u16(&w, (uint16_t)payload.n);
    wr_bytes(&w, p, n);
    expect(d, body_of(d, 3, wr_blob(&w), 0x10008, 0), false, 0, ecNone);
    CHECK_INT(d->logons, 1);
    desk_end(d);
}

static uint16_t flags_of(struct desk *d)
{
    struct rd r = rd_blob_of(d->result.body);
    rd_blob(&r, 16 + 2);
    return rd_u16(&r);
}

/* OXCRPC R634, R638: what the client forbids is not done; what helps is done if it does not. */
TEST(answers_as_the_flags_allow)
{
    static const struct { uint32_t flags; unsigned want; } ways[] = {
        { 3, RPCEXT_LAST }, { 1, RPCEXT_LAST | RPCEXT_XOR }, { 2, RPCEXT_LAST | RPCEXT_COMPRESSED }, { 0, RPCEXT_LAST | RPCEXT_COMPRESSED }
    };
    struct desk *d = desk_new();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        d->flags = ways[i].flags;
        login(d);
        CHECK_INT(flags_of(d), ways[i].want);
    }
    desk_end(d);
}

TEST(damaged_extended_buffers)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { 0xFFFFFFFF };
    struct blob good = buffer_of(d, payload_of(d, logon_rop(d), table, 1), 0);
    static const struct { size_t at; uint8_t value; } bends[] = {
        { 0, 1 },                   /* Version */
        { 2, 0 },                   /* not Last, and nothing behind it */
        { 4, 0xFF }, { 5, 0xFF },   /* Size */
        { 6, 0x00 },                /* SizeActual is another one, but it is not compressed */
        { 8, 0x01 },                /* RopSize below 2 */
        { 9, 0xFF },                /* RopSize beyond the payload */
        { 8, 0xA0 }                 /* the handle table is no multiple of 4 */
    };
    for (size_t i = 0; i < sizeof bends / sizeof *bends; i++) {
        uint8_t *p = arena_dup(d->life, good.p, good.n);
        p[bends[i].at] = bends[i].value;
        if (bends[i].at == 8 && bends[i].value == 0x01)
            p[9] = 0;
        expect(d, body_of(d, 3, blob_of(p, good.n), 0x10008, 0), false, 0, ecRpcFormat);
    }
    desk_end(d);
}

/* --- handles (OXCROPS R4712, R4556 - R4560, R4563, R457303) ------------------------------------------------------------------------------------------- */

TEST(the_table_grows_to_hold_what_the_answers_name)
{
    struct desk *d = desk_new();
    uint32_t table[8] = { login(d) };
    struct wr w = wr_in(d->life, 1024);
    open_folder_rop(d, &w, 0, 5, d->fid[SF_INBOX]);
    struct rd r = desk_rops(d, wr_blob(&w), table, 1);
    CHECK_EC(head(&r, 0x02, 5), ecNone);
    for (size_t i = 0; i < 8; i++)
        table[i] = 0;
    desk_answer(d, 0, table, 8);
    CHECK(table[5] != 0 && table[5] != 0xFFFFFFFF);
    CHECK_INT(table[4], 0xFFFFFFFF);
    CHECK_INT(table[6], 0);
    desk_end(d);
}

TEST(an_object_belongs_to_its_logon)
{
    struct desk *d = desk_new();
    uint32_t table[3] = { login(d), 0xFFFFFFFF, 0xFFFFFFFF };
    struct blob second = logon_rop(d);
    uint8_t *p = arena_dup(d->life, second.p, second.n);
    p[1] = 4;
    p[2] = 1;
    struct wr w = wr_in(d->life, 4096);
    wr_bytes(&w, p, second.n);
    wr_bytes(&w, "\x68\x04\x00", 3);    /* LogonId 4 with the handle of LogonId 0 */
    wr_bytes(&w, "\x68\x04\x01", 3);
    wr_bytes(&w, "\x68\x09\x01", 3);
    struct rd r = desk_rops(d, wr_blob(&w), table, 3);
    CHECK_EC(head(&r, 0xFE, 1), ecNone);
    rd_blob(&r, 160);
    CHECK_EC(head(&r, 0x68, 0), ecAccessDenied);
    CHECK_EC(head(&r, 0x68, 1), ecNone);
    desk_end(d);
}

/* OXCROPS R28, R29, R4570: the logon that had the id is replaced, and with its release everything that was opened through it goes. */
TEST(releasing_a_logon_takes_its_objects_along)
{
    struct desk *d = desk_new();
    uint32_t table[3] = { login(d), 0xFFFFFFFF, 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 4096);
    open_folder_rop(d, &w, 0, 1, d->fid[SF_INBOX]);
    open_folder_rop(d, &w, 0, 2, d->fid[SF_DRAFTS]);
    desk_rops(d, wr_blob(&w), table, 3);
    CHECK_INT(d->handles, 3);
    login(d);
    CHECK_INT(d->handles, 1);
    CHECK_INT(d->logons, 1);
    table[0] = d->handle[0].handle;
    struct rd r = desk_rops(d, blob_of("\x01\x00\x00", 3), table, 1);
    CHECK_INT(r.n, 0);
    CHECK_INT(d->handles, 0);
    CHECK_INT(d->logons, 0);
    desk_end(d);
}

/* --- answers that do not fit (OXCROPS 2.2.15.1, 3.2.4.3) ------------------------------------------------------------------------------------------------ */

TEST(what_was_not_run_comes_back)
{
    struct desk *d = desk_new();
    uint32_t table[4] = { login(d), 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 4096);
    open_folder_rop(d, &w, 0, 1, d->fid[SF_INBOX]);
    size_t second = w.n;
    wr_bytes(&w, "\x68\x00\x00", 3);              /* the receive folder table: some hundred bytes */
    open_folder_rop(d, &w, 0, 2, d->fid[SF_DRAFTS]);
    d->max_out = 8 + 2 + 16 + 8 + 3 + 16 + 10;
    struct rd r = desk_rops(d, wr_blob(&w), table, 4);
    REQUIRE_EC(d->error, ecNone);
    CHECK_EC(head(&r, 0x02, 1), ecNone);
    rd_u16(&r);
    CHECK_INT(rd_u8(&r), 0xFF);
    CHECK(rd_u16(&r) > 0);
    CHECK_BLOB(rd_rest(&r), blob_of(w.p + second, w.n - second));
    CHECK(table[1] != 0xFFFFFFFF);
    CHECK_INT(table[2], 0xFFFFFFFF);
    CHECK_INT(d->handles, 2);
    desk_end(d);
}

TEST(nothing_of_a_rop_stays_whose_answer_did_not_fit)
{
    struct desk *d = desk_new();
    uint32_t table[2] = { login(d), 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 4096);
    open_folder_rop(d, &w, 0, 1, d->fid[SF_INBOX]);
    desk_rops(d, wr_blob(&w), table, 2);
    uint32_t create[2] = { table[1], 0xFFFFFFFF };
    struct wr c = wr_in(d->life, 4096);
    wr_bytes(&c, "\x1C\x00\x00\x01\x01\x00\x00\x00" "New\0\0", 13);
    d->max_out = 8 + 2 + 8 + 10;
    desk_rops(d, wr_blob(&c), create, 2);
    CHECK_INT(create[1], 0xFFFFFFFF);
    CHECK_INT(d->result.nchanged, 0);
    d->max_out = 0x10008;
    struct rd r = desk_rops(d, wr_blob(&c), create, 2);
    CHECK_EC(head(&r, 0x1C, 1), ecNone);
    CHECK_INT(d->result.nchanged, 1);
    desk_end(d);
}

/* Not even the request itself can be given back, or nothing the client could do would help (OXCROPS R4546). */
TEST(no_room_at_all_is_a_failure_of_the_execute)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { 0xFFFFFFFF };
    d->max_out = 30;
    desk_rops(d, logon_rop(d), table, 1);
    CHECK_INT(d->status, 0x47D);
    CHECK_INT(d->logons, 0);
    desk_end(d);
}

/* Whatever room there is: a valid answer or a clear failure, and never more bytes than allowed. */
TEST(every_ceiling)
{
    struct desk *d = desk_new();
    uint32_t logon = login(d);
    for (uint32_t room = 8; room < 700; room += 3) {
        uint32_t table[3] = { logon, 0xFFFFFFFF, 0xFFFFFFFF };
        struct wr w = wr_in(d->life, 1024);
        open_folder_rop(d, &w, 0, 1, d->fid[SF_IPM_SUBTREE]);
        wr_bytes(&w, "\x04\x00\x01\x02\x00", 5);
        wr_bytes(&w, "\x12\x00\x02\x00\x01\x00\x1F\x00\x01\x30", 10);
        wr_bytes(&w, "\x15\x00\x02\x00\x01\x40\x00", 7);
        d->max_out = room;
        struct rd r = desk_rops(d, wr_blob(&w), table, 3);
        CHECK(d->status == 0 || d->status == 0x47D);
        CHECK(d->payloads == 0 || d->payload[0].n + RPCEXT_HEADER <= room);
        CHECK(d->status != 0 || r.n >= 7);
        for (size_t i = 1; i < 3; i++)
            if (d->status == 0 && table[i] != 0xFFFFFFFF) {
                uint32_t handle[1] = { table[i] };
                d->max_out = 0x10008;
                desk_rops(d, blob_of("\x01\x00\x00", 3), handle, 1);
            }
    }
    CHECK_INT(d->handles, 1);
    desk_end(d);
}

/* --- streams for both directions of packing ------------------------------------------------------------------------------------------------------------- */

static struct blob chain_of(struct desk *d, const struct blob *payload, size_t n)
{
    struct wr w = wr_in(d->life, 1 << 20);
    for (size_t i = 0; i < n; i++)
        rpcext_wrap(&w, d->life, payload[i], i + 1 == n ? RPCEXT_LAST : 0);
    return wr_blob(&w);
}

static uint32_t open_stream(struct desk *d)
{
    uint32_t table[3] = { login(d), 0xFFFFFFFF, 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 1024);
    wr_bytes(&w, "\x06\x00\x00\x01\xFF\x0F", 6);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_DRAFTS]));
    wr_u8(&w, 0);
    wr_bytes(&w, "\x2B\x00\x01\x02\x02\x01\x13\x10\x02", 9);
    struct rd r = desk_rops(d, wr_blob(&w), table, 3);
    CHECK_EC(head(&r, 0x06, 1), ecNone);
    rd_u8(&r);
    CHECK_EC(head(&r, 0x2B, 2), ecNone);
    return table[2];
}

static struct blob write_rop(struct desk *d, size_t n, uint8_t fill)
{
    struct wr w = wr_in(d->life, 1 << 17);
    wr_bytes(&w, "\xA3\x00\x00", 3);
    wr_u16(&w, (uint16_t)n);
    while (n-- > 0)
        wr_u8(&w, fill);
    return wr_blob(&w);
}

/* --- packed answers (OXCRPC R959 - R973) ---------------------------------------------------------------------------------------------------------------- */

enum { MANY = 3000 };

static void fill_inbox(struct desk *d)
{
    struct arena *a = arena_new(1 << 30);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    REQUIRE_EC(mailbox_write(m), ecNone);
    for (unsigned i = 0; i < MANY; i++) {
        struct msg msg = { 0 };
        props_set(a, &msg.set, pv_str(PidTagMessageClass, "IPM.Note"));
        props_set(a, &msg.set, pv_str(PidTagSubject, arena_printf(a, "%05u and some more words to fill a row of the table", i)));
        struct message_save s = { .fid = d->fid[SF_INBOX], .over = &msg };
        REQUIRE_EC(message_save(m, &s), ecNone);
    }
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

static uint32_t open_table(struct desk *d)
{
    uint32_t table[3] = { login(d), 0xFFFFFFFF, 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 1024);
    open_folder_rop(d, &w, 0, 1, d->fid[SF_INBOX]);
    wr_bytes(&w, "\x05\x00\x01\x02\x00", 5);
    wr_bytes(&w, "\x12\x00\x02\x00\x01\x00\x1F\x00\x37\x00", 10);
    wr_bytes(&w, "\x13\x00\x02\x00\x01\x00\x00\x00\x00\x00\x1F\x00\x37\x00\x00", 15);
    desk_rops(d, wr_blob(&w), table, 3);
    REQUIRE_EC(d->error, ecNone);
    return table[2];
}

static unsigned rows_in(struct desk *d, size_t payload, unsigned from)
{
    uint32_t table[1];
    struct rd r = desk_answer(d, payload, table, 1);
    CHECK_EC(head(&r, 0x15, 0), ecNone);
    rd_u8(&r);
    unsigned n = rd_u16(&r);
    for (unsigned i = 0; i < n; i++) {
        CHECK_INT(rd_u8(&r), 0);
        struct rd s = rd_blob_of(rd_utf16z(&r));
        unsigned number = 0;
        for (int k = 0; k < 5; k++)
            number = number * 10 + (rd_u16(&s) - '0');
        CHECK_INT(number, from + i);
    }
    CHECK(rd_done(&r));
    return n;
}

TEST_LIMIT(query_rows_goes_on_in_further_buffers, 120)
{
    struct desk *d = desk_new();
    fill_inbox(d);
    uint32_t table[1] = { open_table(d) };
    d->flags = 7;
    d->max_out = 0x40000;
    desk_rops(d, blob_of("\x15\x00\x00\x02\x01\xD0\x07", 7), table, 1);   /* 2000 rows: about 220 KB */
    CHECK(d->payloads > 5);
    unsigned n = 0;
    for (size_t i = 0; i < d->payloads; i++) {
        CHECK(d->payload[i].n <= 0x8000);
        n += rows_in(d, i, n);
    }
    CHECK(d->payloads <= 96 && d->result.body.n <= 0x40000 + 20);
    CHECK_INT(n, 2000);
    desk_rops(d, blob_of("\x15\x00\x00\x02\x01\x01\x00", 7), table, 1);   /* the cursor stands behind all of them */
    CHECK_INT(rows_in(d, 0, 2000), 1);
    desk_end(d);
}

TEST_LIMIT(no_packing_unless_the_client_allows_it, 120)
{
    struct desk *d = desk_new();
    fill_inbox(d);
    uint32_t table[1] = { open_table(d) };
    d->max_out = 0x40000;
    desk_rops(d, blob_of("\x15\x00\x00\x02\x01\xD0\x07", 7), table, 1);
    CHECK_INT(d->payloads, 1);
    unsigned n = rows_in(d, 0, 0);
    CHECK(n > 100 && n < 400);
    d->flags = 7;
    d->max_out = 0x10008;                       /* less than 32 KB is left behind the first payload: R968 */
    desk_rops(d, blob_of("\x15\x00\x00\x02\x01\xD0\x07", 7), table, 1);
    CHECK_INT(d->payloads, 2);
    desk_end(d);
}

TEST(read_stream_goes_on_in_further_buffers)
{
    enum { SIZE = 90000 };
    struct desk *d = desk_new();
    uint32_t table[1] = { open_stream(d) };
    struct blob p[3];
    for (size_t i = 0; i < 3; i++)
        p[i] = payload_of(d, write_rop(d, SIZE / 3, (uint8_t)('a' + i)), table, i == 0);
    expect(d, body_of(d, 3, chain_of(d, p, 3), 0x10008, 0), false, 0, ecNone);
    desk_rops(d, blob_of("\x2E\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12), table, 1);
    d->flags = 7;
    d->max_out = 0x40000;
    desk_rops(d, blob_of("\x2C\x00\x00\xBE\xBA\x00\x00\x02\x00", 9), table, 1);
    size_t n = 0;
    for (size_t i = 0; i < d->payloads; i++) {
        struct rd r = desk_answer(d, i, table, 1);
        CHECK_EC(head(&r, 0x2C, 0), ecNone);
        size_t bytes = rd_u16(&r);
        CHECK_INT(r.n, bytes);
        for (size_t k = 0; k < bytes; k++)
            if (rd_u8(&r) != 'a' + (n + k) / (SIZE / 3))
                REQUIRE(!"bytes in their order");
        n += bytes;
    }
    CHECK(d->payloads >= 3);
    CHECK_INT(n, SIZE);
    desk_end(d);
}

/* --- packed uploads (OXCRPC R1649008 - R1649011) --------------------------------------------------------------------------------------------------------- */

TEST(a_packed_upload_is_one_write)
{
    enum { EACH = 30000 };
    struct desk *d = desk_new();
    uint32_t table[1] = { open_stream(d) };
    struct blob p[3];
    for (size_t i = 0; i < 3; i++)
        p[i] = payload_of(d, write_rop(d, EACH, (uint8_t)('a' + i)), table, i == 0);
    expect(d, body_of(d, 3, chain_of(d, p, 3), 0x10008, 0), false, 0, ecNone);
    CHECK_INT(d->payloads, 1);
    struct rd r = desk_answer(d, 0, table, 1);
    CHECK_EC(head(&r, 0xA3, 0), ecNone);
    CHECK_INT(rd_u32(&r), 3 * EACH);
    CHECK(rd_done(&r));
    r = desk_rops(d, blob_of("\x5E\x00\x00\x2E\x00\x00\x00\x5F\xEA\x00\x00\x00\x00\x00\x00\x2C\x00\x00\x02\x00", 20), table, 1);
    CHECK_EC(head(&r, 0x5E, 0), ecNone);
    CHECK_INT(rd_u32(&r), 3 * EACH);
    CHECK_EC(head(&r, 0x2E, 0), ecNone);
    CHECK_INT(rd_u64(&r), 59999);
    CHECK_EC(head(&r, 0x2C, 0), ecNone);
    CHECK_INT(rd_u16(&r), 2);
    CHECK_BYTES(rd_rest(&r), "62 63");
    desk_end(d);
}

/* A second payload is for RopWriteStreamExtended alone. */
TEST(a_second_payload_of_anything_else_is_refused)
{
    struct desk *d = desk_new();
    uint32_t table[1] = { login(d) };
    struct blob p[2] = { payload_of(d, blob_of("\x68\x00\x00", 3), table, 1), payload_of(d, blob_of("\x68\x00\x00", 3), table, 0) };
    expect(d, body_of(d, 3, chain_of(d, p, 1), 0x10008, 0), false, 0, ecNone);
    expect(d, body_of(d, 3, chain_of(d, p, 2), 0x10008, 0), false, 0, ecRpcFormat);
    p[0] = payload_of(d, write_rop(d, 2, 'a'), table, 1);
    expect(d, body_of(d, 3, chain_of(d, p, 2), 0x10008, 0), false, 0, ecRpcFormat);
    desk_end(d);
}
