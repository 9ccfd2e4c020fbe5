/* test_skip.c - layouts of all ROPs: every request of the table can be walked, and what cannot be parsed or is reserved fails before anything runs. */
#include "tests/mutate.h"
#include "tests/unit/session-rop/desk.h"
#include "tests/unit/session-rop/layout.h"

/* Each request skips to its last byte and not one less. */
TEST(every_request_of_the_table_can_be_walked)
{
    struct arena *a = arena_new(16 << 20);
    for (unsigned id = 0; id < 256; id++) {
        const struct rop_def *d = rop_find((uint8_t)id);
        if (d->state != ROP_DONE && d->state != ROP_LATER)
            continue;
        struct blob b = layout_request(a, (uint8_t)id);
        for (size_t n = 0; n <= b.n; n++) {
            uint8_t got;
            struct rd r = rd_over(b.p, n);
            bool ok = rop_skip(&r, a, &got);
            unit_check(ok == (n == b.n) && (!ok || r.n == 0), __FILE__, __LINE__, "%s: %zu of %zu bytes", d->name, n, b.n);
        }
    }
    arena_free(a);
}

static size_t lists_that_split;
static void split(void *ctx, struct blob b)
{
    struct arena *a = arena_new(16 << 20);
    struct rop_request *v;
    size_t n;
    (void)ctx;
    lists_that_split += rop_split(b, a, &v, &n);
    arena_free(a);
}

TEST(bent_requests_do_no_harm)
{
    struct arena *a = arena_new(16 << 20);
    for (unsigned id = 0; id < 256; id++)
        if (rop_find((uint8_t)id)->state == ROP_DONE || rop_find((uint8_t)id)->state == ROP_LATER)
            mutate_all(layout_request(a, (uint8_t)id), split, NULL);
    CHECK(lists_that_split > 0);
    arena_free(a);
}

/* Not known, or known from answers only (OXCROPS R18, R180001): ErrorCode 0x4B6, and the ROP before it did not run. */
TEST(a_reserved_rop_fails_all_before_anything_ran)
{
    static const uint8_t reserved[] = { 0x00, 0x28, 0x2A, 0x3C, 0x62, 0x6E, 0x83, 0xF9, 0xFD, 0xFF };
    struct desk *d = desk_new();
    for (size_t i = 0; i < sizeof reserved; i++) {
        uint32_t table[1] = { 0xFFFFFFFF };
        struct wr w = wr_in(d->life, 4096);
        wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
        wr_u16(&w, (uint16_t)(strlen(d->ada.dn) + 1));
        wr_bytes(&w, d->ada.dn, strlen(d->ada.dn) + 1);
        wr_u8(&w, reserved[i]);
        wr_u16(&w, 0);
        uint64_t logons = rop_stat(0xFE).calls;
        desk_rops(d, wr_blob(&w), table, 1);
        CHECK_EC(d->error, ecRpcFormat);
        CHECK_INT(d->result.body.n, 20);
        CHECK_INT(rop_stat(0xFE).calls, logons);
        CHECK_INT(d->logons, 0);
    }
    desk_end(d);
}

/* What is not built yet answers for itself with the form that its errors have. */
TEST(rops_that_come_later_answer_and_disturb_nobody)
{
    struct desk *d = desk_new();
    for (unsigned id = 0; id < 256; id++) {
        const struct rop_def *def = rop_find((uint8_t)id);
        if (def->state != ROP_LATER)
            continue;
        struct wr w = wr_in(d->life, 4096);
        uint32_t table[2] = { 0xFFFFFFFF, 0xFFFFFFFF };
        wr_bytes(&w, "\xFE\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", 12);
        wr_u16(&w, (uint16_t)(strlen(d->ada.dn) + 1));
        wr_bytes(&w, d->ada.dn, strlen(d->ada.dn) + 1);
        wr_put(&w, layout_request(d->life, (uint8_t)id));
        wr_bytes(&w, "\x49\x00\x00", 3);
        struct rd r = desk_rops(d, wr_blob(&w), table, 2);
        REQUIRE_EC(d->error, ecNone);
        rd_blob(&r, 166);
        CHECK_INT(rd_u8(&r), id);
        rd_u8(&r);
        ec_t ec = rd_u32(&r);
        unit_check(ec == (ec_t)ecNotSupported || (ec == (ec_t)ecNullDestinationObject && (def->flags & DEST) != 0) || ec == (ec_t)ecNullObject, __FILE__,
                   __LINE__, "%s answers %s", def->name, err_name(ec));
        rd_blob(&r, (def->flags >> 16) + (ec == (ec_t)ecNullDestinationObject ? 4 : 0));
        CHECK_INT(rd_u8(&r), 0x49);
        CHECK_INT(r.n, 5 + 2 + 2 + 8);
    }
    desk_end(d);
}
