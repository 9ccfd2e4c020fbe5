/* test_propval.c - every type on the wire and back, both widths of counts; sizes, order, copies, print; malformed values. */
#include "backend/mapi/action.h"
#include "backend/mapi/restriction.h"
#include "tests/unit/backend-mapi/wire.h"

#define TAG(type) PROP_TAG(0x6666, type)
#define MV(type)  PROP_TAG(0x6666, PtypMultipleFlag | (type))

/* Type, bytes with 16-bit counts, bytes with 32-bit counts (NULL: the same). */
static const struct { uint16_t type; const char *narrow, *wide; } types[] = {
    { PtypNull, "", NULL },
    { PtypInteger16, "fe ff", NULL },
    { PtypInteger32, "01 02 03 84", NULL },
    { PtypFloating32, "00 00 80 3f", NULL },
    { PtypFloating64, "00 00 00 00 00 00 f0 3f", NULL },
    { PtypCurrency, "10 27 00 00 00 00 00 00", NULL },
    { PtypFloatingTime, "00 00 00 00 00 00 15 40", NULL },
    { PtypErrorCode, "0f 01 04 80", NULL },
    { PtypBoolean, "01", NULL },
    { PtypInteger64, "ff ff ff ff ff ff ff ff", NULL },
    { PtypTime, "00 80 3e d5 de b1 9d 01", NULL },
    { PtypGuid, "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", NULL },
    { PtypString, "41 00 e4 00 3d d8 00 de 00 00", NULL },
    { PtypString, "00 00", NULL },
    { PtypBinary, "03 00 aa bb cc", "03 00 00 00 aa bb cc" },
    { PtypObject, "02 00 01 02", "02 00 00 00 01 02" },
    { PtypServerId, "02 00 01 02", NULL },
    { PtypRestriction, "08 1f 00 37 00", NULL },
    { PtypRestriction, "00 01 00 08 1f 00 37 00", "00 01 00 00 00 08 1f 00 37 00" },
    { PtypRuleAction, "01 00 09 00 0a 00 00 00 00 00 00 00 00", "01 00 00 00 09 00 00 00 0a 00 00 00 00 00 00 00 00" },
    { PtypMultipleFlag | PtypInteger16, "02 00 00 00 01 00 02 00", NULL },
    { PtypMultipleFlag | PtypInteger32, "02 00 00 00 01 00 00 00 ff ff ff ff", NULL },
    { PtypMultipleFlag | PtypFloating32, "01 00 00 00 00 00 80 3f", NULL },
    { PtypMultipleFlag | PtypFloating64, "01 00 00 00 00 00 00 00 00 00 f0 3f", NULL },
    { PtypMultipleFlag | PtypCurrency, "01 00 00 00 10 27 00 00 00 00 00 00", NULL },
    { PtypMultipleFlag | PtypFloatingTime, "01 00 00 00 00 00 00 00 00 00 15 40", NULL },
    { PtypMultipleFlag | PtypInteger64, "01 00 00 00 ff ff ff ff ff ff ff ff", NULL },
    { PtypMultipleFlag | PtypTime, "01 00 00 00 00 80 3e d5 de b1 9d 01", NULL },
    { PtypMultipleFlag | PtypGuid, "01 00 00 00 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", NULL },
    { PtypMultipleFlag | PtypString, "02 00 00 00 41 00 00 00 42 00 43 00 00 00", NULL },
    { PtypMultipleFlag | PtypBinary, "02 00 00 00 01 00 aa 00 00", "02 00 00 00 01 00 00 00 aa 00 00 00 00" },
    { PtypMultipleFlag | PtypBinary, "00 00 00 00", NULL },
    { PtypMultipleInstance | PtypString, "41 00 00 00", NULL },
    { PtypMultipleInstance | PtypInteger32, "05 00 00 00", NULL },
};
enum { TYPES = sizeof types / sizeof *types };

TEST(every_type_both_ways)
{
    for (size_t i = 0; i < TYPES; i++) {
        fresh();
        CHECK(type_known(types[i].type));
        const char    *wider = types[i].wide != NULL ? types[i].wide : types[i].narrow;
        struct propval v = read_value(&rop, TAG(types[i].type), types[i].narrow);
        CHECK_INT(v.tag, TAG(types[i].type));
        CHECK_BYTES(write_value(&rop, types[i].type, &v), types[i].narrow);
        CHECK_BYTES(write_value(&wide, types[i].type, &v), wider);
        struct propval u = read_value(&wide, TAG(types[i].type), wider);
        CHECK_BYTES(write_value(&rop, types[i].type, &u), types[i].narrow);
        CHECK_INT(propval_cmp(&v, &u), 0);
        CHECK_INT(propval_size(&v), unhex(types[i].narrow).n);
        struct propval copy = propval_dup(arena, &v);
        CHECK_BYTES(write_value(&rop, types[i].type, &copy), types[i].narrow);
    }
}

TEST(every_type_with_its_type_written)
{
    for (size_t i = 0; i < TYPES; i++) {
        fresh();
        struct propval v = read_value(&rop, TAG(types[i].type), types[i].narrow), u;
        struct blob    b = write_value(&rop, PtypUnspecified, &v);
        struct rd      r = rd_blob_of(b);
        propval_read(&r, &rop, TAG(PtypUnspecified), &u);
        CHECK(rd_done(&r));
        CHECK_INT(u.tag, v.tag);
    }
}

TEST(values_in_memory)
{
    fresh();
    CHECK_INT(read_value(&rop, TAG(PtypInteger16), "fe ff").v.i16, -2);
    CHECK_INT(read_value(&rop, TAG(PtypBoolean), "02").v.b, 1);
    CHECK(read_value(&rop, TAG(PtypFloatingTime), "00 00 00 00 00 00 15 40").v.f64 == 5.25);
    CHECK_BLOB(read_value(&rop, TAG(PtypString), "e4 00 00 00").v.s, blob_str("\xC3\xA4"));
    struct propval mv = read_value(&rop, MV(PtypInteger32), "02 00 00 00 01 00 00 00 ff ff ff ff");
    CHECK_INT(mv.v.mv.n, 2);
    CHECK_INT(mv.v.mv.i32[1], -1);
    CHECK_INT(propval_count(&mv), 2);
    CHECK_INT(propval_element(&mv, 1).v.i32, -1);
}

TEST(eight_bit_strings_become_unicode_in_the_code_page_of_the_client)
{
    fresh();
    struct propval v = read_value(&rop, TAG(PtypString8), "e4 80 00");
    CHECK_INT(v.tag, TAG(PtypString));
    CHECK_BLOB(v.v.s, blob_str("\xC3\xA4\xE2\x82\xAC"));
    CHECK_BYTES(write_value(&rop, PtypString8, &v), "e4 80 00");
    struct pv_codec cyrillic = { arena, 1251, PV_COUNTS_ROP };
    CHECK_BLOB(read_value(&cyrillic, TAG(PtypString8), "cf 00").v.s, blob_str("\xD0\x9F"));
    struct propval mv = read_value(&rop, MV(PtypString8), "02 00 00 00 61 00 e4 00");
    CHECK_INT(mv.tag, MV(PtypString));
    CHECK_BYTES(write_value(&rop, PtypMultipleFlag | PtypString8, &mv), "02 00 00 00 61 00 e4 00");
    CHECK_BYTES(write_value(&rop, PtypMultipleFlag | PtypString, &mv), "02 00 00 00 61 00 00 00 e4 00 00 00");
}

TEST(a_string_ends_at_its_first_nul)
{
    fresh();
    struct propval v = pv_strn(TAG(PtypString), blob_of("ab\0cd", 5));
    CHECK_BYTES(write_value(&rop, PtypString, &v), "61 00 62 00 00 00");
    CHECK_BYTES(write_value(&rop, PtypString8, &v), "61 62 00");
    CHECK_INT(propval_size(&v), 6);
}

TEST(a_binary_that_its_count_cannot_say_is_not_cut)
{
    fresh();
    struct propval v = pv_bin(TAG(PtypBinary), blob_of(arena_alloc(arena, 65536), 65536));
    struct wr      w = fresh_wr();
    propval_write(&w, &rop, PtypBinary, &v);
    CHECK(w.full);
    CHECK_INT(write_value(&wide, PtypBinary, &v).n, 65540);
}

static void is_malformed(const struct pv_codec *c, uint32_t tag, const char *bytes)
{
    struct propval v;
    struct blob    b = hex(bytes);
    struct rd      r = rd_blob_of(b);
    size_t         before = arena_used(arena);
    propval_read(&r, c, tag, &v);
    CHECK(!rd_ok(&r));
    CHECK_INT(v.v.i64, 0);
    CHECK(arena_used(arena) - before < 4096);
}

TEST(malformed_values)
{
    fresh();
    is_malformed(&rop, TAG(PtypInteger32), "01 02 03");
    is_malformed(&rop, TAG(PtypString), "41 00 42 00");
    is_malformed(&rop, TAG(PtypString), "41 00 00");
    is_malformed(&rop, TAG(PtypString8), "41");
    is_malformed(&rop, TAG(PtypBinary), "04 00 aa bb cc");
    is_malformed(&wide, TAG(PtypBinary), "ff ff ff ff aa");
    is_malformed(&rop, MV(PtypInteger32), "ff ff ff 3f 01 00 00 00");
    is_malformed(&rop, MV(PtypGuid), "01 00 00 00 00");
    is_malformed(&rop, MV(PtypString), "ff ff ff ff 41 00 00 00");
    is_malformed(&wide, MV(PtypBinary), "02 00 00 00 00 00 00 00");
    is_malformed(&rop, TAG(0x0099), "00 00 00 00");
    is_malformed(&rop, MV(PtypBoolean), "01 00 00 00 01");
    is_malformed(&rop, TAG(0x2003), "00 00 00 00");
    is_malformed(&rop, TAG(PtypUnspecified), "00 00 00 00");
    is_malformed(&rop, TAG(PtypUnspecified), "03 00 00 00");
}

TEST(counts_inside_counts_do_not_multiply)
{
    /* 120 ORs, each claiming as many children as there are bytes left */
    fresh();
    static uint8_t b[4096];
    for (size_t i = 0; i < 120; i++) {
        b[3 * i] = RES_OR;
        b[3 * i + 1] = (uint8_t)(3600 & 0xFF);
        b[3 * i + 2] = (uint8_t)(3600 >> 8);
    }
    b[360] = 0x77;
    struct rd r = rd_over(b, sizeof b);
    restriction_read(&r, &rop);
    CHECK(!rd_ok(&r));
    CHECK(arena_used(arena) < 1 << 20);
}

TEST(lists_of_values_replace_what_repeats)
{
    fresh();
    struct blob  b = hex("03 00  03 00 01 66 05 00 00 00  0b 00 02 66 01  1e 00 01 66 41 00");
    struct rd    r = rd_blob_of(b);
    struct props p;
    props_read(&r, &rop, &p);
    CHECK(rd_done(&r));
    CHECK_INT(p.n, 2);
    CHECK_BLOB(props_str(&p, 0x66010000), blob_str("A"));
    CHECK_INT(props_i32(&p, 0x66010003, 7), 7);
    CHECK_INT(props_bool(&p, 0x6602000B, false), true);
}

TEST(fits)
{
    fresh();
    struct propval s = pv_str(TAG(PtypString), "x"), n = pv_i32(TAG(PtypInteger32), 1);
    struct propval mv = read_value(&rop, MV(PtypString), "00 00 00 00");
    CHECK(propval_fits(&s, PtypString) && propval_fits(&s, PtypString8) && propval_fits(&s, PtypUnspecified));
    CHECK(propval_fits(&s, PtypMultipleInstance | PtypString));
    CHECK(!propval_fits(&s, PtypBinary) && !propval_fits(&n, PtypInteger64) && !propval_fits(&s, PtypMultipleFlag | PtypString));
    CHECK(propval_fits(&mv, PtypMultipleFlag | PtypString8) && !propval_fits(&mv, PtypString) && !propval_fits(&mv, PtypMultipleInstance | PtypString));
}

static int order(struct propval a, struct propval b) { return propval_cmp(&a, &b); }

TEST(order_of_values)
{
    fresh();
    double nan = 0.0 / (double)(int)arena_used(arena); /* 0/0 */
    CHECK(order(pv_i32(TAG(PtypInteger32), -1), pv_i32(TAG(PtypInteger32), 1)) < 0);
    CHECK(order(pv_i64(TAG(PtypInteger64), INT64_MIN), pv_i64(TAG(PtypInteger64), INT64_MAX)) < 0);
    CHECK(order(pv_time(TAG(PtypTime), 0x8000000000000000), pv_time(TAG(PtypTime), 1)) > 0);
    CHECK(order(pv_str(TAG(PtypString), "\xC3\x84" "b"), pv_str(TAG(PtypString), "\xC3\xA4" "B")) == 0);
    CHECK(order(pv_str(TAG(PtypString), "abc"), pv_str(TAG(PtypString), "ABD")) < 0);
    CHECK(order(pv_bool(TAG(PtypBoolean), false), pv_bool(TAG(PtypBoolean), true)) < 0);
    CHECK(order(pv_bin(TAG(PtypBinary), blob_str("a")), pv_bin(TAG(PtypBinary), blob_str("ab"))) < 0);
    struct propval x = { .tag = TAG(PtypFloating64), .v.f64 = nan }, y = { .tag = TAG(PtypFloating64), .v.f64 = 1 };
    CHECK(order(x, x) == 0 && order(x, y) > 0 && order(y, x) < 0);
    struct propval a = read_value(&rop, MV(PtypInteger32), "01 00 00 00 05 00 00 00");
    struct propval b = read_value(&rop, MV(PtypInteger32), "02 00 00 00 05 00 00 00 00 00 00 00");
    CHECK(order(a, b) < 0 && order(b, a) > 0 && order(a, a) == 0);
    CHECK(order(pv_i32(TAG(PtypInteger32), 1), pv_str(TAG(PtypString), "1")) < 0);
}

TEST(printing)
{
    fresh();
    struct propval v = pv_str(PidTagSubject, "a \"b\"\n");
    CHECK_STR(propval_print(arena, &v), "PidTagSubject=\"a \\\"b\\\"\\x0a\"");
    v = pv_err(PidTagSubject, ecNotFound);
    CHECK_STR(propval_print(arena, &v), "PidTagSubject=ecNotFound(0x8004010F)");
    v = pv_time(PidTagMessageDeliveryTime, 116444736000000000ull);
    CHECK_STR(propval_print(arena, &v), "PidTagMessageDeliveryTime=1970-01-01T00:00:00Z");
    v = pv_bin(PROP_TAG(0x8001, PtypBinary), blob_str("ab"));
    CHECK_STR(propval_print(arena, &v), "0x80010102=6162 (2 bytes)");
    v = (struct propval){ .tag = PidTagBody, .large = true, .v.large.size = 5000 };
    CHECK_STR(propval_print(arena, &v), "PidTagBody=(5000 bytes, not loaded)");
    v = read_value(&rop, PROP_TAG(0x8002, PtypMultipleFlag | PtypInteger32), "02 00 00 00 05 00 00 00 00 00 00 00");
    CHECK_STR(propval_print(arena, &v), "0x80021003={5, 0}");
    char text[200];
    memset(text, 'x', sizeof text);
    v = pv_strn(PidTagSubject, blob_of(text, sizeof text));
    CHECK_INT(strlen(propval_print(arena, &v)), strlen("PidTagSubject=\"\"...") + 60);
}

static void read_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    const struct pv_codec *codec[] = { &rop, &wide };
    for (size_t i = 0; i < 2; i++) {
        struct rd      r = rd_blob_of(b);
        struct propval v;
        propval_read_tagged(&r, codec[i], &v);
        if (!rd_ok(&r))
            continue;
        propval_print(arena, &v);
        /* what was read can be written and read again */
        struct blob    again = write_tagged(codec[i], &v);
        struct rd      r2 = rd_blob_of(again);
        struct propval u;
        propval_read_tagged(&r2, codec[i], &u);
        CHECK(rd_done(&r2));
        CHECK_INT(propval_cmp(&v, &u), 0);
    }
}

TEST(damaged_values_stay_inside)
{
    for (size_t i = 0; i < TYPES; i++) {
        fresh();
        struct propval v = read_value(&rop, TAG(types[i].type), types[i].narrow);
        struct blob    narrow = write_tagged(&rop, &v), wider = write_tagged(&wide, &v);
        static uint8_t keep[2][256];
        memcpy(keep[0], narrow.p, narrow.n);
        memcpy(keep[1], wider.p, wider.n);
        mutate_all(blob_of(keep[0], narrow.n), read_anything, NULL);
        mutate_all(blob_of(keep[1], wider.n), read_anything, NULL);
    }
}
