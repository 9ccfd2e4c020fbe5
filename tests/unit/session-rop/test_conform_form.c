/* test_conform_form.c - the form of answers that are errors, for every ROP that can be asked: RopId, handle index, ReturnValue, and nothing but what the
 * documents put behind them.  What is expected is written here from MS-OXCROPS, not taken from rop.def. */
#include "tests/unit/session-rop/desk.h"
#include "tests/unit/session-rop/layout.h"

enum { IN = 3, SECOND = 5, NOBODY = 0x00ABCDEF };

/* Answers name the OutputHandleIndex. */
static const uint8_t outputs[] = {
    0xFE, 0x02, 0x1C, 0x04, 0x05, 0x03, 0x06, 0x22, 0x23, 0x46, 0x21, 0x2B, 0x3B, 0x3E, 0x3F, 0x53, 0x4C, 0x4B, 0x4D, 0x69, 0x70, 0x72, 0x7E, 0x82, 0x29
};
/* Answers name the ResponseHandleIndex, which stands before the InputHandleIndex. */
static const uint8_t responses[] = { 0x0C, 0x11, 0x25 };
/* Requests with a DestHandleIndex. */
static const uint8_t destinations[] = { 0x33, 0x35, 0x36, 0x39, 0x67, 0x3A };
/* What stands behind the ReturnValue of an error: PartialCompletion, DataSize, WrittenSize, counts of bytes, the state of a transfer. */
static const struct { uint8_t id; size_t n; } tails[] = {
    { 0x1D, 1 }, { 0x1E, 1 }, { 0x33, 1 }, { 0x35, 1 }, { 0x36, 1 }, { 0x58, 1 }, { 0x66, 1 }, { 0x91, 1 }, { 0x92, 1 }, { 0x2C, 2 }, { 0x2D, 2 },
    { 0x90, 2 }, { 0xA3, 4 }, { 0x3A, 16 }, { 0x4E, 9 }, { 0x54, 9 }, { 0x9D, 13 }
};

static bool among(const uint8_t *v, size_t n, uint8_t id) { return memchr(v, id, n) != NULL; }
#define AMONG(v, id) among(v, sizeof(v), id)

static size_t tail_of(uint8_t id)
{
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        if (tails[i].id == id)
            return tails[i].n;
    return 0;
}

static void put_logon(struct wr *w, uint8_t index, const char *dn)
{
    wr_bytes(w, "\xFE\x00", 2);
    wr_u8(w, index);
    wr_bytes(w, "\x01\x00\x00\x00\x01\x00\x00\x00\x00", 9);
    wr_u16(w, (uint16_t)(strlen(dn) + 1));
    wr_bytes(w, dn, strlen(dn) + 1);
}

/* The ROP with its handle indexes, from its layout. */
static struct blob asked(struct desk *d, uint8_t id)
{
    struct blob b = layout_request(d->life, id);
    uint8_t *p = arena_dup(d->life, b.p, b.n);
    bool response = AMONG(responses, id);
    p[2] = response ? SECOND : IN;
    if (response || AMONG(outputs, id) || AMONG(destinations, id))
        p[3] = response ? IN : SECOND;
    return blob_of(p, b.n);
}

static bool can_be_asked(unsigned id)
{
    const struct rop_def *def = rop_find((uint8_t)id);
    return (def->state == ROP_DONE || def->state == ROP_LATER) && id != 0x01 && id != 0xFE;
}

/* A logon, the ROP, and RopGetAddressTypes: the answer of the ROP is between two that are known. */
static struct rd answer_of(struct desk *d, uint8_t id, uint32_t in, uint32_t second, struct blob rop)
{
    uint32_t table[6] = { NOBODY, NOBODY, NOBODY, in, NOBODY, second };
    struct wr w = wr_in(d->life, 8192);
    put_logon(&w, 0, d->ada.dn);
    wr_put(&w, rop);
    wr_bytes(&w, "\x49\x00\x00", 3);
    struct rd r = desk_rops(d, wr_blob(&w), table, 6);
    unit_check(d->error == ecNone && d->status == 0, __FILE__, __LINE__, "RopId %02x: the Execute fails with %s", id, err_name(d->error));
    rd_blob(&r, 166);
    return r;
}

static void expect_neighbour(struct rd *r, uint8_t id)
{
    unit_check(rd_u8(r) == 0x49, __FILE__, __LINE__, "RopId %02x: its answer has another size", id);
    CHECK_INT(rd_u8(r), 0);
    CHECK_EC(rd_u32(r), ecNone);
}

static void expect_failure(struct desk *d, uint8_t id)
{
    struct rd r = answer_of(d, id, NOBODY, NOBODY, asked(d, id));
    uint8_t as = id == 0x1F ? 0x20 : id, index = AMONG(outputs, id) || AMONG(responses, id) ? SECOND : IN, got = rd_u8(&r), at = rd_u8(&r);
    ec_t ec = rd_u32(&r);
    unit_check(got == as, __FILE__, __LINE__, "RopId %02x answers as %02x", id, got);
    unit_check(at == index, __FILE__, __LINE__, "RopId %02x answers for handle %u", id, at);
    unit_check(ec == ecNullObject, __FILE__, __LINE__, "RopId %02x answers %s", id, err_name(ec));
    for (size_t i = tail_of(id); i > 0; i--)
        CHECK_INT(rd_u8(&r), 0);
    bool stops = id == 0x18 || id == 0x19 || id == 0x1B; /* OXCTABL R501, R510, R528 */
    if (stops)
        CHECK(rd_done(&r));
    else
        expect_neighbour(&r, id);
}

/* A handle that nobody has: ecNullObject (OXCROPS R457302). */
TEST(an_error_has_the_rop_the_index_and_the_code)
{
    struct desk *d = desk_new();
    unsigned n = 0;
    for (unsigned id = 0; id < 256; id++)
        if (can_be_asked(id)) {
            expect_failure(d, (uint8_t)id);
            n++;
        }
    CHECK(n > 110);
    desk_end(d);
}

/* RopLogon has no object; it fails for its name. */
TEST(a_refused_logon_has_the_index_and_the_code)
{
    struct desk *d = desk_new();
    uint32_t table[6] = { NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY };
    struct wr w = wr_in(d->life, 4096);
    put_logon(&w, 4, "/o=nobody");
    struct rd r = desk_rops(d, wr_blob(&w), table, 6);
    CHECK_INT(rd_u8(&r), 0xFE);
    CHECK_INT(rd_u8(&r), 4);
    CHECK_EC(rd_u32(&r), ecUnknownUser);
    CHECK(rd_done(&r));
    CHECK_INT(table[4], NOBODY);
    desk_end(d);
}

/* A source and no destination: 0x503, the DestHandleIndex in four bytes, then what errors of the ROP have. */
TEST(a_null_destination_is_named)
{
    for (size_t i = 0; i < sizeof destinations; i++) {
        uint8_t id = destinations[i];
        if (id == 0x3A) /* needs a stream: the next test */
            continue;
        struct desk *d = desk_new();
        uint32_t table[6] = { NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY };
        struct wr w = wr_in(d->life, 8192);
        put_logon(&w, 0, d->ada.dn);
        wr_bytes(&w, "\x02\x00\x00\x03", 4);
        wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_INBOX]));
        wr_u8(&w, 0);
        wr_put(&w, asked(d, id));
        wr_bytes(&w, "\x49\x00\x00", 3);
        struct rd r = desk_rops(d, wr_blob(&w), table, 6);
        rd_blob(&r, 166 + 8);
        CHECK_INT(rd_u8(&r), id);
        CHECK_INT(rd_u8(&r), IN);
        CHECK_EC(rd_u32(&r), ecNullDestinationObject);
        CHECK_INT(rd_u32(&r), SECOND);
        for (size_t k = tail_of(id); k > 0; k--)
            CHECK_INT(rd_u8(&r), 0);
        expect_neighbour(&r, id);
        desk_end(d);
    }
}

/* RopCopyToStream the same, with a stream to copy from. */
TEST(a_null_destination_of_a_stream)
{
    struct desk *d = desk_new();
    uint32_t table[6] = { NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY };
    struct wr w = wr_in(d->life, 8192);
    put_logon(&w, 0, d->ada.dn);
    wr_bytes(&w, "\x06\x00\x00\x01\xFF\x0F", 6);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_DRAFTS]));
    wr_bytes(&w, "\x00\x2B\x00\x01\x03\x02\x01\x13\x10\x02", 10);
    wr_put(&w, asked(d, 0x3A));
    struct rd r = desk_rops(d, wr_blob(&w), table, 6);
    rd_blob(&r, 166 + 7 + 10);
    CHECK_INT(rd_u8(&r), 0x3A);
    CHECK_INT(rd_u8(&r), IN);
    CHECK_EC(rd_u32(&r), ecNullDestinationObject);
    CHECK_INT(rd_u32(&r), SECOND);
    CHECK_INT(rd_u64(&r), 0);
    CHECK_INT(rd_u64(&r), 0);
    CHECK(rd_done(&r));
    desk_end(d);
}

/* --- objects of another kind (OXCTABL R45, R57, R88, R614 ..., OXCFOLD R473, R495, R509 ..., OXCSTOR R239, R280, R325) ------------------------------- */

static const uint8_t of_tables[] = { 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x37, 0x38, 0x4F, 0x59, 0x5A, 0x81, 0x89 };
static const uint8_t of_folders[] = { 0x02, 0x04, 0x05, 0x1C, 0x1D, 0x1E, 0x33, 0x58, 0x91, 0x92 };
static const uint8_t of_streams[] = { 0x2C, 0x2D, 0x2E, 0x2F, 0x5D, 0x5E, 0x90, 0xA3 };
static const uint8_t of_logons[] = { 0x26, 0x27, 0x43, 0x44, 0x45, 0x49, 0x68, 0x7B, 0x7F };

/* A folder at index 3, or if `table` a table of its messages. */
static uint32_t put_object(struct desk *d, bool table)
{
    uint32_t places[6] = { NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY };
    struct wr w = wr_in(d->life, 4096);
    put_logon(&w, 0, d->ada.dn);
    wr_bytes(&w, "\x02\x00\x00\x03", 4);
    wr_u64(&w, id_wire(REPLID_OWN, d->fid[SF_INBOX]));
    wr_bytes(&w, "\x00\x05\x00\x03\x04\x00", 6);
    desk_rops(d, wr_blob(&w), places, 6);
    REQUIRE_EC(d->error, ecNone);
    return places[table ? 4 : 3];
}

static void expect_not_supported(struct desk *d, uint8_t id, uint32_t handle)
{
    uint32_t places[6] = { NOBODY, NOBODY, NOBODY, handle, NOBODY, NOBODY };
    struct rd r = desk_rops(d, asked(d, id), places, 6);
    CHECK_INT(rd_u8(&r), id);
    rd_u8(&r);
    ec_t ec = rd_u32(&r);
    unit_check(ec == ecNotSupported, __FILE__, __LINE__, "RopId %02x answers %s", id, err_name(ec));
    CHECK_INT(r.n, tail_of(id));
}

TEST(an_object_of_another_kind_is_not_supported)
{
    struct desk *d = desk_new();
    uint32_t folder = put_object(d, false);
    for (size_t i = 0; i < sizeof of_tables; i++)
        expect_not_supported(d, of_tables[i], folder);
    for (size_t i = 0; i < sizeof of_streams; i++)
        expect_not_supported(d, of_streams[i], folder);
    for (size_t i = 0; i < sizeof of_logons; i++)
        expect_not_supported(d, of_logons[i], folder);
    uint32_t table = put_object(d, true);
    for (size_t i = 0; i < sizeof of_folders; i++)
        expect_not_supported(d, of_folders[i], table);
    desk_end(d);
}
