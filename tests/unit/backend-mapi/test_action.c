/* test_action.c - rule actions of standard and extended rules (MS-OXORULE 2.2.5). */
#include "backend/mapi/action.h"
#include "backend/mapi/entryid.h"
#include "tests/unit/backend-mapi/wire.h"

#define HEAD(type) type " 00 00 00 00 00 00 00 00 "
#define TEMPLATE   "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f "

/* OXORULE R231-R237, R294-R309, R322-R331, R338-R343, R739, R880, R943-R949, R966-R978, R992-R1002 */
static const struct { const char *bytes; bool wide; const char *text; } good[] = {
    { "01 00 11 00 " HEAD("01") "01 01 00 00 02 00 aa bb", false, "OP_MOVE" },
    { "01 00 00 00 16 00 00 00 " HEAD("02") "01 00 00 00 cc 04 00 00 00 01 02 03 04", true, "OP_COPY" },
    { "01 00 29 00 " HEAD("03") "01 00 00 00 00 00 00 05 01 00 00 00 00 00 00 06 " TEMPLATE, false, "OP_REPLY" },
    { "01 00 00 00 1f 00 00 00 " HEAD("04") "02 00 00 00 aa bb " TEMPLATE, true, "OP_OOF_REPLY" },
    { "01 00 0c 00 " HEAD("05") "01 02 03", false, "OP_DEFER_ACTION" },
    { "01 00 0d 00 " HEAD("06") "26 00 00 00", false, "OP_BOUNCE" },
    { "01 00 1a 00 " HEAD("08") "01 00 00 00 01 01 00 00 00 1f 00 01 30 41 00 00 00", false, "OP_DELEGATE" },
    { "01 00 11 00 " HEAD("09") "03 00 17 00 02 00 00 00", false, "OP_TAG" },
    { "02 00 09 00 " HEAD("0a") "09 00 " HEAD("0b"), false, "OP_DELETE, OP_MARK_AS_READ" },
    { "02 00 00 00 09 00 00 00 " HEAD("0a") "09 00 00 00 " HEAD("0b"), true, "OP_DELETE, OP_MARK_AS_READ" },
};

static struct rule_actions *read_with(const struct pv_codec *c, const char *bytes, bool *ok)
{
    struct blob          b = hex(bytes);
    struct rd            r = rd_blob_of(b);
    struct rule_actions *a = action_read(&r, c);
    *ok = rd_done(&r);
    return a;
}

TEST(every_action_both_ways)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fresh();
        bool                   ok;
        const struct pv_codec *c = good[i].wide ? &wide : &rop;
        struct rule_actions   *a = read_with(c, good[i].bytes, &ok);
        CHECK(ok);
        CHECK_STR(action_print(arena, a), good[i].text);
        struct wr w = fresh_wr();
        action_write(&w, c, a);
        CHECK_BYTES(wr_blob(&w), good[i].bytes);
    }
}

TEST(fields)
{
    fresh();
    bool                 ok;
    struct rule_actions *a = read_with(&rop, "01 00 29 00 03 02 00 00 00 07 00 00 00 01 00 00 00 00 00 00 05 01 00 00 00 00 00 00 06 " TEMPLATE, &ok);
    CHECK_INT(a->n, 1);
    CHECK_INT(a->v[0].flavor, ACTION_SERVER_TEXT);
    CHECK_INT(a->v[0].flags, 7);
    CHECK_INT(id_gc(a->v[0].reply.fid), 5);
    CHECK_INT(id_gc(a->v[0].reply.mid), 6);
    a = read_with(&rop, "01 00 1a 00 " HEAD("08") "01 00 00 00 01 01 00 00 00 1f 00 01 30 41 00 00 00", &ok);
    CHECK_INT(a->v[0].forward.n, 1);
    CHECK_INT(a->v[0].forward.v[0].n, 1);
    CHECK_BLOB(a->v[0].forward.v[0].v[0].v.s, blob_str("A"));
}

TEST(malformed)
{
    static const char *const bad[] = {
        "00 00",                                          /* no actions, R232 */
        "01 00 08 00 0a 00 00 00 00 00 00 00",            /* block shorter than its head */
        "01 00 0a 00 " HEAD("0a") "00",                   /* data where none belongs */
        "01 00 09 00 " HEAD("0c"),                        /* no such action */
        "01 00 11 00 " HEAD("01") "01 01 00 00 03 00 aa bb", /* folder leaves the block */
        "01 00 1e 00 " HEAD("07") "01 00 00 00 01 01 00 00 00 1f 00 01 30 41 00 42 00 00 00 00 00",
        "ff ff 09 00 " HEAD("0a"),
        "01 00 0d 00 " HEAD("07") "ff ff ff ff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fresh();
        bool ok;
        read_with(&rop, bad[i], &ok);
        CHECK(!ok);
    }
}

static void read_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    const struct pv_codec *codec[] = { &rop, &wide };
    for (size_t i = 0; i < 2; i++) {
        struct rd            r = rd_blob_of(b);
        struct rule_actions *a = action_read(&r, codec[i]);
        if (!rd_ok(&r))
            continue;
        struct wr w = fresh_wr(), w2 = fresh_wr();
        action_write(&w, codec[i], a);
        struct rd r2 = rd_blob_of(wr_blob(&w));
        action_write(&w2, codec[i], action_read(&r2, codec[i]));
        CHECK(rd_done(&r2));
        CHECK_BLOB(wr_blob(&w2), wr_blob(&w));
    }
}

TEST(damaged_bytes_stay_inside)
{
    static uint8_t keep[256];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fresh();
        struct blob b = hex(good[i].bytes);
        memcpy(keep, b.p, b.n);
        mutate_all(blob_of(keep, b.n), read_anything, NULL);
    }
}
