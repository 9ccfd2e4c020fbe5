/* test_propname.c - property names and sets (MS-OXCDATA 2.6.1), sort orders (2.13). */
#include "backend/mapi/propname.h"
#include "backend/mapi/sortorder.h"
#include "tests/unit/backend-mapi/wire.h"

static const struct { const char *text; const struct guid *set; } sets[] = {
#define PROPSET(name, text) { text, &name },
#include "backend/mapi/propset.def"
#undef PROPSET
};

TEST(sets_are_their_text)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char text[GUID_TEXT];
        CHECK_STR(guid_text(sets[i].set, text), sets[i].text);
    }
}

#define COMMON "08 20 06 00 00 00 00 00 c0 00 00 00 00 00 00 46 "

/* OXCDATA R17-R30 */
TEST(names_both_ways)
{
    static const char *const good[] = { "00 " COMMON "10 85 00 00", "01 " COMMON "06 61 00 e4 00 00 00", "ff " COMMON };
    struct propname n[3];
    fresh();
    for (size_t i = 0; i < 3; i++) {
        struct blob b = hex(good[i]);
        struct rd   r = rd_blob_of(b);
        propname_read(&r, arena, &n[i]);
        CHECK(rd_done(&r));
        CHECK(guid_eq(&n[i].set, &PSETID_Common));
        struct wr w = fresh_wr();
        propname_write(&w, arena, &n[i]);
        CHECK_BYTES(wr_blob(&w), good[i]);
    }
    CHECK_INT(n[0].lid, 0x8510);
    CHECK_BLOB(n[1].name, blob_str("a\xC3\xA4"));
    CHECK(propname_eq(&n[0], &n[0]) && propname_eq(&n[1], &n[1]) && !propname_eq(&n[0], &n[1]));
    struct propname other = n[1];
    other.name = blob_str("A\xC3\xA4");
    CHECK(!propname_eq(&n[1], &other));
    other = n[0];
    other.set = PS_MAPI;
    CHECK(!propname_eq(&n[0], &other));
}

TEST(a_name_is_cut_to_what_its_size_can_say)
{
    fresh();
    static char long_name[300];
    memset(long_name, 'x', sizeof long_name);
    struct propname n = { .kind = PROPNAME_STRING, .name = blob_of(long_name, sizeof long_name) };
    struct wr       w = fresh_wr();
    propname_write(&w, arena, &n);
    struct rd r = rd_blob_of(wr_blob(&w));
    propname_read(&r, arena, &n);
    CHECK(rd_done(&r));
    CHECK_INT(n.name.n, PROPNAME_MAX);
}

TEST(malformed_names)
{
    static const char *const bad[] = { "", "02 " COMMON, "00 " COMMON "10 85 00", "01 " COMMON "05 61 00 00 00", "01 " COMMON "04 61 00 62 00",
                                       "01 " COMMON "00" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fresh();
        struct propname n;
        struct blob     b = hex(bad[i]);
        struct rd       r = rd_blob_of(b);
        propname_read(&r, arena, &n);
        CHECK(!rd_ok(&r));
        CHECK_INT(n.kind, PROPNAME_NONE);
    }
}

static const char sort_bytes[] = "02 00 01 00 01 00 1f 00 70 00 00 40 00 06 0e 01";

TEST(sort_orders_both_ways)
{
    fresh();
    struct sortorder s;
    struct blob      b = hex(sort_bytes);
    struct rd        r = rd_blob_of(b);
    sortorder_read(&r, &s);
    CHECK(rd_done(&r));
    CHECK_INT(s.n, 2);
    CHECK_INT(s.categories, 1);
    CHECK_INT(s.expanded, 1);
    CHECK_INT(s.col[0].tag, PidTagConversationTopic);
    CHECK_INT(s.col[1].tag, PidTagMessageDeliveryTime);
    CHECK_INT(s.col[1].order, SORT_DESCENDING);
    struct wr w = fresh_wr();
    sortorder_write(&w, &s);
    CHECK_BYTES(wr_blob(&w), sort_bytes);
}

/* The example of MS-OXCTABL 4.3: a category on the instances of a multi-value, then the newest first. */
TEST(sort_order_of_the_document)
{
    fresh();
    struct sortorder s;
    struct blob      b = hex("02 00 01 00 01 00 1f 30 08 80 00 40 00 06 0e 01");
    struct rd        r = rd_blob_of(b);
    sortorder_read(&r, &s);
    CHECK(rd_done(&r));
    CHECK_INT(s.categories, 1);
    CHECK_INT(s.expanded, 1);
    CHECK_INT(s.col[0].tag, 0x8008301F);
    CHECK_INT(s.col[0].order, SORT_ASCENDING);
    CHECK_INT(s.col[1].tag, PidTagMessageDeliveryTime);
    CHECK_INT(s.col[1].order, SORT_DESCENDING);
}

TEST(too_many_sort_columns)
{
    fresh();
    uint8_t b[6 + 5 * 17] = { 17 };
    struct sortorder s;
    struct rd        r = rd_over(b, sizeof b);
    sortorder_read(&r, &s);
    CHECK(!rd_ok(&r));
    CHECK_INT(s.n, 0);
    b[0] = 16;
    r = rd_over(b, sizeof b);
    sortorder_read(&r, &s);
    CHECK(rd_ok(&r));
    CHECK_INT(s.n, 16);
}

static void read_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    struct propname  n;
    struct sortorder s;
    struct rd        r = rd_blob_of(b);
    propname_read(&r, arena, &n);
    r = rd_blob_of(b);
    sortorder_read(&r, &s);
    struct wr w = fresh_wr();
    sortorder_write(&w, &s);
}

TEST(damaged_bytes_stay_inside)
{
    mutate_all(unhex("01 " COMMON "06 61 00 e4 00 00 00"), read_anything, NULL);
    mutate_all(unhex("00 " COMMON "10 85 00 00"), read_anything, NULL);
    mutate_all(unhex(sort_bytes), read_anything, NULL);
}
