/* test_table.c - tables over real folders: long values, instances of multi-values, associated messages, cursors while the folder changes. */
#include "backend/base/utf.h"
#include "backend/store/named.h"
#include "session/rop/tablerow.h"
#include "tests/unit/session-rop/desk.h"

static ec_t head(struct rd *r, uint8_t rop)
{
    CHECK_INT(rd_u8(r), rop);
    rd_u8(r);
    return rd_u32(r);
}

/* A table of the Inbox with these columns, sorted by subject if `sorted`; returns its handle. */
static uint32_t open_table(struct desk *d, uint8_t flags, const uint32_t *tags, size_t n, bool sorted)
{
    uint32_t table[3] = { 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF };
    struct wr w = wr_in(d->life, 4096);
    wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&w, (uint16_t)(strlen(d->ada.dn) + 1));
    wr_bytes(&w, d->ada.dn, strlen(d->ada.dn) + 1);
    wr_bytes(&w, "\x02\x00\x00\x01", 4);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_INBOX]));
    wr_u8(&w, 0);
    wr_bytes(&w, "\x05\x00\x01\x02", 4);
    wr_u8(&w, flags);
    wr_bytes(&w, "\x12\x00\x02\x00", 4);
    wr_u16(&w, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        wr_u32(&w, tags[i]);
    if (sorted)
        wr_bytes(&w, "\x13\x00\x02\x00\x01\x00\x00\x00\x00\x00\x1F\x00\x37\x00\x00", 15);
    struct rd r = desk_rops(d, wr_blob(&w), table, 3);
    REQUIRE_EC(d->error, ecNone);
    rd_blob(&r, 166);
    REQUIRE_EC(head(&r, 0x02), ecNone);
    return table[2];
}

/* RopQueryRows; the rows' reader stands at the first. */
static unsigned query(struct desk *d, uint32_t h, uint8_t flags, bool forward, uint16_t n, struct rd *r)
{
    uint32_t table[1] = { h };
    uint8_t q[7] = { 0x15, 0, 0, flags, forward, (uint8_t)n, (uint8_t)(n >> 8) };
    *r = desk_rops(d, blob_of(q, sizeof q), table, 1);
    REQUIRE_EC(d->error, ecNone);
    REQUIRE_EC(head(r, 0x15), ecNone);
    rd_u8(r);
    return rd_u16(r);
}

static void add(struct desk *d, bool assoc, const struct propval *v, size_t n)
{
    struct arena *a = arena_new(1 << 30);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    struct msg msg = { 0 };
    props_set(a, &msg.set, pv_str(PidTagMessageClass, "IPM.Note"));
    for (size_t i = 0; i < n; i++)
        props_set(a, &msg.set, v[i]);
    struct message_save s = { .fid = d->fid[SF_INBOX], .over = &msg, .assoc = assoc };
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(message_save(m, &s), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

/* --- cutting (OXCTABL R121, R122) --------------------------------------------------------------------------------------------------------------- */

static struct blob repeated(struct arena *a, const char *s, size_t times)
{
    struct wr w = wr_in(a, 1 << 20);
    while (times-- > 0)
        wr_bytes(&w, s, strlen(s));
    return wr_blob(&w);
}

TEST(strings_are_cut_at_255_characters)
{
    struct arena *a = arena_new(1 << 20);
    struct propval v = pv_strn(PidTagSubject, repeated(a, "x", 255));
    CHECK_INT(tablerow_cut(a, &v).v.s.n, 255);
    v = pv_strn(PidTagSubject, repeated(a, "x", 256));
    struct propval cut = tablerow_cut(a, &v);
    CHECK_INT(cut.v.s.n, 255);
    CHECK(memcmp(cut.v.s.p + 252, "...", 3) == 0);
    v = pv_strn(PidTagSubject, repeated(a, "\xF0\x9F\x98\x80", 200)); /* two units each: none is cut in halves */
    cut = tablerow_cut(a, &v);
    CHECK_INT(utf16_size(cut.v.s), 2 * (126 * 2 + 3));
    CHECK(utf8_valid(cut.v.s));
    arena_free(a);
}

TEST(other_values_are_cut_at_510_bytes)
{
    struct arena *a = arena_new(1 << 20);
    struct propval v = pv_bin(0x10130102, repeated(a, "x", 511));
    CHECK_INT(tablerow_cut(a, &v).v.bin.n, 510);
    v = pv_bin(0x10130102, repeated(a, "x", 510));
    CHECK_INT(tablerow_cut(a, &v).v.bin.n, 510);
    int32_t *many = arena_array(a, int32_t, 200);
    v = (struct propval){ .tag = 0x60011003, .v.mv = { .n = 200, .i32 = many } };
    CHECK_INT(tablerow_cut(a, &v).v.mv.n, 126);
    CHECK(propval_size(&(struct propval){ .tag = 0x60011003, .v.mv = { .n = 126, .i32 = many } }) <= 510);
    struct blob *texts = arena_array(a, struct blob, 40);
    for (size_t i = 0; i < 40; i++)
        texts[i] = blob_str("twenty characters...");
    v = (struct propval){ .tag = 0x6001101F, .v.mv = { .n = 40, .s = texts } };
    struct propval cut = tablerow_cut(a, &v);
    CHECK(cut.v.mv.n == 12 && propval_size(&cut) <= 510);
    arena_free(a);
}

TEST(a_row_with_a_long_text)
{
    struct desk *d = desk_new();
    struct propval v = pv_strn(0x6701001F, repeated(d->life, "y", 1000));
    add(d, false, &v, 1);
    const uint32_t tags[] = { 0x6701001F, PidTagInternetMessageId };
    struct rd r;
    uint32_t h = open_table(d, 0, tags, 2, false);
    CHECK_INT(query(d, h, 0, true, 5, &r), 1);
    CHECK_INT(rd_u8(&r), 1);                   /* a flagged row: the second column is missing */
    CHECK_INT(rd_u8(&r), 0);
    CHECK_INT(rd_utf16z(&r).n, 510);
    CHECK_INT(rd_u8(&r), 0x0A);
    CHECK_EC(rd_u32(&r), ecNotFound);
    CHECK(rd_done(&r));
    desk_end(d);
}

/* --- rows -------------------------------------------------------------------------------------------------------------------------------------------- */

TEST(associated_messages_have_a_table_of_their_own)
{
    struct desk *d = desk_new();
    struct propval v = pv_str(PidTagSubject, "hidden");
    const uint32_t tags[] = { PidTagSubject };
    struct rd r;
    desk_mail(d, d->fid[SF_INBOX], "seen", 1);
    uint32_t before = open_table(d, 0x02, tags, 1, false);
    unsigned n = query(d, before, 0, true, 50, &r);
    add(d, true, &v, 1);
    CHECK_INT(query(d, open_table(d, 0x02, tags, 1, false), 0, true, 50, &r), n + 1);
    CHECK_INT(query(d, open_table(d, 0, tags, 1, false), 0, true, 50, &r), 1);
    desk_end(d);
}

/* OXCTABL R433: each value a row, the others as they are. */
TEST(values_of_a_multi_value_as_rows)
{
    struct desk *d = desk_new();
    struct blob colours[3] = { blob_str("blue"), blob_str("green"), blob_str("red") };
    struct propval v[2] = { pv_str(PidTagSubject, "paint"), { .tag = 0x6705101F, .v.mv = { .n = 3, .s = colours } } };
    const uint32_t tags[] = { PidTagSubject, 0x6705301F };
    struct rd r;
    add(d, false, v, 2);
    desk_mail(d, d->fid[SF_INBOX], "plain", 1);
    CHECK_INT(query(d, open_table(d, 0, tags, 2, true), 0, true, 50, &r), 4);
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(rd_u8(&r), 0);
        CHECK_INT(rd_utf16z(&r).n, 10);
        CHECK_BLOB(utf8_from_utf16(d->life, rd_utf16z(&r)), colours[i]);
    }
    desk_end(d);
}

TEST(a_cursor_keeps_its_row_while_others_come_and_go)
{
    struct desk *d = desk_new();
    uint64_t m[4];
    static const char *const subject[] = { "b", "d", "f", "h" };
    const uint32_t tags[] = { PidTagSubject };
    struct rd r;
    for (unsigned i = 0; i < 4; i++)
        m[i] = desk_mail(d, d->fid[SF_INBOX], subject[i], i);
    uint32_t h = open_table(d, 0, tags, 1, true);
    CHECK_INT(query(d, h, 0, true, 2, &r), 2);                       /* stands before "f" */
    desk_mail(d, d->fid[SF_INBOX], "a", 5);
    desk_mail(d, d->fid[SF_INBOX], "e", 6);
    CHECK_INT(query(d, h, 1, true, 1, &r), 1);
    rd_u8(&r);
    CHECK_BYTES(rd_utf16z(&r), "66 00");
    struct arena *a = arena_new(1 << 20);                            /* "f" goes: the next row is the one behind it */
    bool partial = false;
    struct mailbox *box = desk_mailbox(d, a, &d->ada);
    REQUIRE_EC(mailbox_write(box), ecNone);
    REQUIRE_EC(messages_delete(box, d->fid[SF_INBOX], &m[2], 1, true, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(box), ecNone);
    arena_free(a);
    CHECK_INT(query(d, h, 0, true, 1, &r), 1);
    rd_u8(&r);
    CHECK_BYTES(rd_utf16z(&r), "68 00");
    desk_end(d);
}

/* A bookmark made at the beginning is the row that was first then. */
TEST(a_bookmark_at_the_beginning_stays_with_its_row)
{
    struct desk *d = desk_new();
    const uint32_t tags[] = { PidTagSubject };
    struct rd r;
    desk_mail(d, d->fid[SF_INBOX], "m", 1);
    uint32_t h[1] = { open_table(d, 0, tags, 1, true) };
    desk_rops(d, blob_of("\x1B\x00\x00", 3), h, 1);
    desk_mail(d, d->fid[SF_INBOX], "a", 2);
    r = desk_rops(d, blob_of("\x19\x00\x00\x04\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", 14), h, 1);
    CHECK_EC(head(&r, 0x19), ecNone);
    CHECK_INT(rd_u8(&r), 0);
    CHECK_INT(query(d, h[0], 0, true, 1, &r), 1);
    rd_u8(&r);
    CHECK_BYTES(rd_utf16z(&r), "6d 00");
    desk_end(d);
}

TEST(sorting_more_columns_than_there_may_be_is_too_complex)
{
    struct desk *d = desk_new();
    const uint32_t tags[] = { PidTagSubject };
    uint32_t h[1] = { open_table(d, 0, tags, 1, false) };
    struct wr w = wr_in(d->life, 1024);
    wr_bytes(&w, "\x13\x00\x00\x00", 4);
    wr_u16(&w, SORT_MAX_COLUMNS + 1);
    wr_u32(&w, 0);
    for (unsigned i = 0; i <= SORT_MAX_COLUMNS; i++) {
        wr_u32(&w, 0x60010003 + (i << 16));
        wr_u8(&w, 0);
    }
    wr_bytes(&w, "\x16\x00\x00", 3);
    struct rd r = desk_rops(d, wr_blob(&w), h, 1);
    REQUIRE_EC(d->error, ecNone);
    CHECK_EC(head(&r, 0x13), ecTooComplex);
    CHECK_EC(head(&r, 0x16), ecNone);
    desk_end(d);
}

/* A sort or restriction that cannot be had leaves the one before in force (OXCTABL R430, R445, R457). */
TEST(a_refused_definition_changes_nothing)
{
    struct desk *d = desk_new();
    const uint32_t tags[] = { PidTagSubject };
    struct rd r;
    desk_mail(d, d->fid[SF_INBOX], "b", 1);
    desk_mail(d, d->fid[SF_INBOX], "a", 2);
    uint32_t h[1] = { open_table(d, 0, tags, 1, true) };
    CHECK_INT(query(d, h[0], 0, true, 1, &r), 1);
    r = desk_rops(d, blob_of("\x13\x00\x00\x00\x01\x00\x01\x00\x01\x00\x1F\x00\x37\x00\x00", 15), h, 1);
    CHECK_EC(head(&r, 0x13), ecTooComplex);
    r = desk_rops(d, blob_of("\x14\x00\x00\x00\x09\x00\x04\x06\x03\x00\x17\x00\x03\x00\x17", 15), h, 1); /* cut short: not a restriction */
    CHECK_EC(d->error, ecRpcFormat);
    CHECK_INT(query(d, h[0], 0, true, 5, &r), 1);
    rd_u8(&r);
    CHECK_BYTES(rd_utf16z(&r), "62 00");
    desk_end(d);
}

/* Rows go out whole or not at all; one that is alone too large is an error of the ROP (OXCTABL R465, R466, R478). */
TEST(a_row_larger_than_an_answer)
{
    enum { WIDE = 100 };
    struct desk *d = desk_new();
    uint32_t tags[WIDE];
    struct propval v = pv_strn(PidTagSubject, repeated(d->life, "y", 255));
    struct rd r;
    add(d, false, &v, 1);
    for (size_t i = 0; i < WIDE; i++)
        tags[i] = PidTagSubject;
    uint32_t h[1] = { open_table(d, 0, tags, WIDE, false) };
    r = desk_rops(d, blob_of("\x15\x00\x00\x00\x01\x01\x00", 7), h, 1);
    CHECK_EC(head(&r, 0x15), ecBufferTooSmall);
    d->max_out = 0x1000;                                             /* the client could give more room: RopBufferTooSmall */
    r = desk_rops(d, blob_of("\x15\x00\x00\x00\x01\x01\x00", 7), h, 1);
    CHECK_INT(rd_u8(&r), 0xFF);
    desk_end(d);
}
