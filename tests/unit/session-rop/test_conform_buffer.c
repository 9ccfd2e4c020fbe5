/* test_conform_buffer.c - extended and auxiliary buffers of Execute, sentence by sentence. MS-OXCRPC 2.2.2.1, 3.1.4.2. */
#include "tests/unit/session-rop/desk.h"

/* RopLogon alone, as a ROP buffer. */
static struct blob logon_buffer(struct desk *d)
{
    uint32_t table[1] = { 0xFFFFFFFF };
    struct wr p = wr_in(d->life, 4096), out = wr_in(d->life, 4096);
    size_t dn = strlen(d->ada.dn) + 1;
    wr_u16(&p, (uint16_t)(2 + 14 + dn));
    wr_bytes(&p, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
    wr_u16(&p, (uint16_t)dn);
    wr_bytes(&p, d->ada.dn, dn);
    wr_u32(&p, table[0]);
    rpcext_wrap(&out, d->life, wr_blob(&p), RPCEXT_LAST);
    return wr_blob(&out);
}

static struct blob body(struct desk *d, struct blob buffer, struct blob aux)
{
    struct wr w = wr_in(d->life, 16384);
    wr_u32(&w, 3);
    wr_u32(&w, (uint32_t)buffer.n);
    wr_put(&w, buffer);
    wr_u32(&w, 0x10008);
    wr_u32(&w, (uint32_t)aux.n);
    wr_put(&w, aux);
    return wr_blob(&w);
}

/* One auxiliary block of a type whose fields are all `fill`. */
static struct blob aux_of(struct desk *d, uint8_t version, uint8_t type, uint8_t fill)
{
    struct wr p = wr_in(d->life, 256), w = wr_in(d->life, 256);
    wr_u16(&p, 4 + 60);
    wr_u8(&p, version);
    wr_u8(&p, type);
    for (int i = 0; i < 60; i++)
        wr_u8(&p, fill);
    rpcext_wrap(&w, d->life, wr_blob(&p), RPCEXT_LAST);
    return wr_blob(&w);
}

/* The answer without the time of the logon in it. */
static struct blob timeless(struct desk *d, struct blob answer)
{
    enum { LOGON_TIME = 16 + 8 + 2 + 6 + 1 + 104 + 1 + 16 + 2 + 16 };
    uint8_t *p = arena_dup(d->life, answer.p, answer.n);
    REQUIRE(answer.n > LOGON_TIME + 8);
    memset(p + LOGON_TIME, 0, 8);
    return blob_of(p, answer.n);
}

/* R1605, R1653, R1654, R1825 - R1835: what a client tells of itself changes no answer, whatever is in it. */
TEST(what_clients_tell_of_themselves_changes_no_answer)
{
    struct desk *d = desk_new();
    struct blob buffer = logon_buffer(d);
    d->dry = true;
    struct blob plain = timeless(d, desk_execute(d, body(d, buffer, blob_of(NULL, 0))));
    for (unsigned type = 0; type < 0x60; type++)
        for (uint8_t version = 1; version <= 2; version++)
            for (unsigned fill = 0; fill <= 0xFF; fill += 0xFF)
                CHECK_BLOB(timeless(d, desk_execute(d, body(d, buffer, aux_of(d, version, (uint8_t)type, (uint8_t)fill)))), plain);
    desk_end(d);
}

/* R33, R38, R46: a version of 0, and one size where nothing is compressed. */
TEST(heads_that_contradict_themselves)
{
    static const struct { size_t at; uint8_t value; } bends[] = { { 0, 1 }, { 1, 1 }, { 6, 1 }, { 7, 1 } };
    struct desk *d = desk_new();
    struct blob buffer = logon_buffer(d);
    REQUIRE(desk_open_answer(d, desk_execute(d, body(d, buffer, blob_of(NULL, 0)))));
    CHECK_EC(d->error, ecNone);
    for (size_t i = 0; i < sizeof bends / sizeof *bends; i++) {
        uint8_t *p = arena_dup(d->life, buffer.p, buffer.n);
        p[bends[i].at] = (uint8_t)(p[bends[i].at] ^ bends[i].value);
        REQUIRE(desk_open_answer(d, desk_execute(d, body(d, blob_of(p, buffer.n), blob_of(NULL, 0)))));
        CHECK_EC(d->error, ecRpcFormat);
    }
    desk_end(d);
}

/* R657 - R660, R668, R4852: the answer's size is that of its header and payload; both sizes of the header agree, and there is one header, the last. */
TEST(the_head_of_an_answer)
{
    struct desk *d = desk_new();
    struct rd r = rd_blob_of(desk_execute(d, body(d, logon_buffer(d), blob_of(NULL, 0))));
    CHECK_INT(rd_u32(&r), 0);
    CHECK_INT(rd_u32(&r), 0);
    CHECK_INT(rd_u32(&r), 0);
    uint32_t size = rd_u32(&r);
    CHECK(size <= 0x10008);
    CHECK_INT(rd_u16(&r), 0);
    CHECK_INT(rd_u16(&r), RPCEXT_LAST);
    CHECK_INT(rd_u16(&r), size - RPCEXT_HEADER);
    CHECK_INT(rd_u16(&r), size - RPCEXT_HEADER);
    CHECK_INT(rd_u16(&r), 2 + 166);
    rd_blob(&r, 166 + 4);
    CHECK_INT(rd_u32(&r), 0);
    CHECK(rd_done(&r));
    desk_end(d);
}
