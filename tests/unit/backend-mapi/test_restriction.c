/* test_restriction.c - restrictions on the wire with both widths of counts, evaluated, refused, printed. */
#include "backend/mapi/restriction.h"
#include "tests/unit/backend-mapi/wire.h"

/* --- the wire --- */

static const struct { const char *narrow, *wide, *text; } good[] = {
    { "08 1f 00 37 00", NULL, "exists PidTagSubject" },
    { "02 08 1f 00 37 00", NULL, "not exists PidTagSubject" },
    { "00 02 00 08 1f 00 37 00 08 03 00 17 00", "00 02 00 00 00 08 1f 00 37 00 08 03 00 17 00",
      "(exists PidTagSubject and exists PidTagImportance)" },
    { "01 02 00 08 1f 00 37 00 08 03 00 17 00", "01 02 00 00 00 08 1f 00 37 00 08 03 00 17 00",
      "(exists PidTagSubject or exists PidTagImportance)" },
    { "00 00 00", "00 00 00 00 00", "(all)" },
    { "01 00 00", "01 00 00 00 00", "(none)" },
    { "03 01 00 01 00 1f 00 37 00 1f 00 37 00 61 00 00 00", NULL, "PidTagSubject~sub/case \"a\"" },
    { "04 04 03 00 17 00 03 00 17 00 02 00 00 00", NULL, "PidTagImportance==2" },
    { "05 02 40 00 06 0e 40 00 39 00", NULL, "PidTagMessageDeliveryTime>PidTagClientSubmitTime" },
    { "06 01 03 00 07 0e 01 00 00 00", NULL, "PidTagMessageFlags&1!=0" },
    { "07 02 1f 00 37 00 0a 00 00 00", NULL, "size PidTagSubject>10" },
    { "09 0d 00 12 0e 08 1f 00 37 00", NULL, "any PidTagMessageRecipients exists PidTagSubject" },
    { "0a 01 03 00 17 00 05 00 00 00 00", NULL, "comment(PidTagImportance=5 )" },
    { "0a 00 01 08 1f 00 37 00", NULL, "comment(exists PidTagSubject)" },
    { "0b 0a 00 00 00 08 1f 00 37 00", NULL, "first 10 exists PidTagSubject" },
    { "ff", NULL, "all" },
};

static struct restriction *read_with(const struct pv_codec *c, const char *bytes)
{
    struct blob         b = hex(bytes);
    struct rd           r = rd_blob_of(b);
    struct restriction *res = restriction_read(&r, c);
    REQUIRE(rd_done(&r));
    return res;
}

static struct blob write_with(const struct pv_codec *c, const struct restriction *r)
{
    struct wr w = fresh_wr();
    restriction_write(&w, c, r);
    return wr_blob(&w);
}

TEST(every_kind_both_ways)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fresh();
        const char         *wider = good[i].wide != NULL ? good[i].wide : good[i].narrow;
        struct restriction *r = read_with(&rop, good[i].narrow), *s = read_with(&wide, wider);
        CHECK_BYTES(write_with(&rop, r), good[i].narrow);
        CHECK_BYTES(write_with(&wide, r), wider);
        CHECK_BYTES(write_with(&rop, s), good[i].narrow);
        CHECK_STR(restriction_print(arena, r), good[i].text);
        CHECK_EC(restriction_check(r), ecNone);
    }
}

TEST(eight_bit_strings_become_unicode)
{
    fresh();
    struct restriction *r = read_with(&rop, "03 00 00 00 00 1e 00 37 00 1e 00 37 00 e4 00");
    CHECK_INT(r->content.tag, PidTagSubject);
    CHECK_BLOB(r->content.value.v.s, blob_str("\xC3\xA4"));
    CHECK_EC(restriction_check(r), ecNone);
}

TEST(malformed)
{
    static const char *const bad[] = { "", "0c", "00 01 00", "00 ff ff 08 1f 00 37 00", "02", "08 1f 00", "03 01 00 01 00 1f 00 37 00 1f 00 37 00 61 00",
                                       "0a 02 03 00 17 00 05 00 00 00 00", "04 04 03 00 17 00 99 00 17 00" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fresh();
        struct blob b = hex(bad[i]);
        struct rd   r = rd_blob_of(b);
        CHECK(restriction_read(&r, &rop) != NULL);
        CHECK(!rd_ok(&r));
    }
}

TEST(nesting_has_an_end)
{
    fresh();
    static uint8_t b[RD_MAX_DEPTH + 16];
    memset(b, RES_NOT, sizeof b);
    b[RD_MAX_DEPTH - 1] = RES_NULL;
    struct rd r = rd_over(b, RD_MAX_DEPTH);
    restriction_read(&r, &rop);
    CHECK(rd_done(&r));
    b[RD_MAX_DEPTH - 1] = RES_NOT;
    b[RD_MAX_DEPTH] = RES_NULL;
    r = rd_over(b, RD_MAX_DEPTH + 1);
    restriction_read(&r, &rop);
    CHECK(!rd_ok(&r));
}

/* --- refused --- */

TEST(what_a_server_may_refuse)
{
    static const struct { const char *bytes; ec_t ec; } t[] = {
        { "04 06 1f 00 37 00 1f 00 37 00 61 00 00 00", ecTooComplex },            /* RELOP_RE */
        { "04 64 02 01 ff 0f 02 01 ff 0f 00 00", ecTooComplex },                  /* RELOP_MEMBER_OF_DL */
        { "04 07 03 00 17 00 03 00 17 00 02 00 00 00", ecInvalidParameter },      /* no such operator */
        { "04 04 03 00 17 00 02 00 17 00 02 00", ecTooComplex },                  /* another type */
        { "03 03 00 00 00 1f 00 37 00 1f 00 37 00 00 00", ecInvalidParameter },   /* no such level */
        { "03 00 00 00 00 03 00 17 00 03 00 17 00 02 00 00 00", ecTooComplex },   /* content of a number */
        { "05 04 03 00 17 00 1f 00 37 00", ecTooComplex },                        /* two types */
        { "06 02 03 00 07 0e 01 00 00 00", ecInvalidParameter },
        { "09 0d 00 00 00 ff", ecTooComplex },                                    /* neither recipients nor attachments */
        { "02 00 01 00 0b 01 00 00 00 06 02 03 00 07 0e 01 00 00 00", ecInvalidParameter }, /* deep inside */
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        fresh();
        CHECK_EC(restriction_check(read_with(&rop, t[i].bytes)), t[i].ec);
    }
    fresh();
    static struct restriction many[1001];
    struct restriction        all = { .kind = RES_AND, .list = { 999, many } };
    for (size_t i = 0; i < 1001; i++)
        many[i].kind = RES_NULL;
    CHECK_EC(restriction_check(&all), ecNone);
    all.list.n = 1001;
    CHECK_EC(restriction_check(&all), ecTooComplex);
}

TEST(tags_that_it_reads)
{
    fresh();
    struct tags         t = { 0 };
    struct restriction *r = read_with(&rop, "00 05 00  08 1f 00 37 00  05 02 40 00 06 0e 40 00 39 00  02 06 01 03 00 07 0e 01 00 00 00"
                                            "  08 1f 00 37 00  09 0d 00 12 0e 08 03 00 17 00");
    restriction_tags(arena, r, &t);
    CHECK_INT(t.n, 4);
    CHECK(tags_has(&t, PidTagSubject) && tags_has(&t, PidTagMessageDeliveryTime) && tags_has(&t, PidTagClientSubmitTime) &&
          tags_has(&t, PidTagMessageFlags));
}

/* --- evaluated --- */

static size_t sub_calls;

static const struct propval *get(void *ctx, uint32_t tag) { return props_find(ctx, tag); }

static size_t sub(void *ctx, uint32_t subobject, const struct restriction *r)
{
    struct props   one = { 0 };
    struct res_row row = { &one, get, NULL };
    (void)ctx;
    sub_calls++;
    props_set(arena, &one, pv_str(PidTagDisplayName, "Alice"));
    return prop_id(subobject) == prop_id(PidTagMessageRecipients) && restriction_match(r, &row);
}

static struct props row_values(void)
{
    struct props p = { 0 };
    props_set(arena, &p, pv_str(PidTagSubject, "Gr\xC3\xBC\xC3\x9F" "e aus K\xC3\xB6ln"));
    props_set(arena, &p, pv_i32(PidTagImportance, 2));
    props_set(arena, &p, pv_i32(PidTagMessageFlags, 0x11));
    props_set(arena, &p, pv_bin(PidTagSearchKey, blob_str("abc")));
    props_set(arena, &p, pv_time(PidTagClientSubmitTime, 100));
    props_set(arena, &p, pv_time(PidTagMessageDeliveryTime, 200));
    props_set(arena, &p, pv_err(PidTagBody, ecNotFound));
    props_set(arena, &p, (struct propval){ .tag = PidTagHtml, .large = true, .v.large.size = 9000 });
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8001, PtypMultipleFlag | PtypString), "02 00 00 00 52 00 65 00 64 00 00 00 42 00 00 00"));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8002, PtypMultipleFlag | PtypInteger32), "02 00 00 00 05 00 00 00 07 00 00 00"));
    return p;
}

static bool matches(const char *bytes)
{
    struct props   p = row_values();
    struct res_row row = { &p, get, sub };
    return restriction_match(read_with(&rop, bytes), &row);
}

static bool subject(uint16_t level, uint16_t fuzzy, const char *text)
{
    struct props       p = row_values();
    struct res_row     row = { &p, get, NULL };
    struct restriction r = { .kind = RES_CONTENT, .content = { level, fuzzy, PidTagSubject, pv_str(PidTagSubject, text) } };
    return restriction_match(&r, &row);
}

TEST(content_levels)
{
    fresh();
    CHECK(subject(FL_FULLSTRING, 0, "Gr\xC3\xBC\xC3\x9F" "e aus K\xC3\xB6ln"));
    CHECK(!subject(FL_FULLSTRING, 0, "GR\xC3\x9C\xC3\x9F" "e aus K\xC3\xB6ln"));
    CHECK(subject(FL_FULLSTRING, FL_IGNORECASE, "GR\xC3\x9C\xC3\x9F" "e aus K\xC3\xB6ln"));
    CHECK(!subject(FL_FULLSTRING, FL_IGNORECASE, "Gruße aus Koln"));
    CHECK(subject(FL_FULLSTRING, FL_IGNORENONSPACE, "Gruße aus Koln"));
    CHECK(!subject(FL_FULLSTRING, FL_IGNORENONSPACE, "gruße aus Koln"));
    CHECK(subject(FL_FULLSTRING, FL_LOOSE, "gruße AUS koln"));
    CHECK(subject(FL_SUBSTRING, 0, "aus"));
    CHECK(!subject(FL_SUBSTRING, 0, "AUS"));
    CHECK(subject(FL_SUBSTRING, FL_IGNORECASE, "AUS K\xC3\x96"));
    CHECK(subject(FL_SUBSTRING, FL_LOOSE, "ko"));
    CHECK(subject(FL_PREFIX, 0, "Gr"));
    CHECK(!subject(FL_PREFIX, 0, "aus"));
    CHECK(subject(FL_PREFIX, FL_IGNORECASE, "gR\xC3\x9C"));
    CHECK(!subject(FL_FULLSTRING, FL_LOOSE, "gruße aus koln "));
    CHECK(subject(FL_SUBSTRING, 0, ""));
}

TEST(content_of_binaries_and_many_values)
{
    fresh();
    CHECK(matches("03 00 00 00 00 02 01 0b 30 02 01 0b 30 03 00 61 62 63"));
    CHECK(!matches("03 00 00 01 00 02 01 0b 30 02 01 0b 30 03 00 41 62 63"));
    CHECK(matches("03 01 00 00 00 02 01 0b 30 02 01 0b 30 01 00 62"));
    CHECK(matches("03 02 00 00 00 02 01 0b 30 02 01 0b 30 02 00 61 62"));
    CHECK(matches("03 00 00 01 00 1f 10 01 80 1f 00 01 80 72 00 65 00 64 00 00 00"));
    CHECK(!matches("03 00 00 00 00 1f 10 01 80 1f 00 01 80 72 00 65 00 64 00 00 00"));
    CHECK(matches("03 02 00 00 00 1f 30 01 80 1f 00 01 80 42 00 00 00"));
}

TEST(property_relations)
{
    fresh();
    CHECK(matches("04 04 03 00 17 00 03 00 17 00 02 00 00 00"));
    CHECK(!matches("04 05 03 00 17 00 03 00 17 00 02 00 00 00"));
    CHECK(matches("04 00 03 00 17 00 03 00 17 00 03 00 00 00"));
    CHECK(matches("04 01 03 00 17 00 03 00 17 00 02 00 00 00"));
    CHECK(!matches("04 02 03 00 17 00 03 00 17 00 02 00 00 00"));
    CHECK(matches("04 03 03 00 17 00 03 00 17 00 02 00 00 00"));
    CHECK(!matches("04 06 03 00 17 00 03 00 17 00 02 00 00 00"));
    /* one of many values is enough */
    CHECK(matches("04 04 03 10 02 80 03 00 02 80 07 00 00 00"));
    CHECK(!matches("04 04 03 10 02 80 03 00 02 80 06 00 00 00"));
    CHECK(matches("04 05 03 10 02 80 03 00 02 80 07 00 00 00"));
    /* whole arrays */
    CHECK(matches("04 04 03 10 02 80 03 10 02 80 02 00 00 00 05 00 00 00 07 00 00 00"));
    CHECK(!matches("04 04 03 10 02 80 03 10 02 80 01 00 00 00 05 00 00 00"));
    CHECK(matches("05 02 40 00 06 0e 40 00 39 00"));
    CHECK(!matches("05 00 40 00 06 0e 40 00 39 00"));
    CHECK(matches("06 01 03 00 07 0e 10 00 00 00"));
    CHECK(matches("06 00 03 00 07 0e 02 00 00 00"));
    CHECK(!matches("06 00 03 00 07 0e 01 00 00 00"));
}

TEST(sizes)
{
    fresh();
    CHECK(matches("07 04 02 01 0b 30 03 00 00 00"));
    CHECK(matches("07 04 03 00 17 00 04 00 00 00"));
    CHECK(matches("07 02 02 01 13 10 e8 03 00 00"));             /* large, not loaded: its size is known */
    CHECK(matches("07 04 1f 10 01 80 02 00 00 00"));             /* "B" of two values */
    CHECK(!matches("07 04 1f 10 01 80 04 00 00 00"));
}

TEST(what_is_not_there)
{
    fresh();
    CHECK(!matches("08 1f 00 1a 0e"));
    CHECK(matches("02 08 1f 00 1a 0e"));                                      /* not exists */
    CHECK(!matches("08 1f 00 00 10"));                                        /* there only as an error */
    CHECK(matches("08 02 01 13 10"));                                         /* large: exists */
    CHECK(!matches("04 05 1f 00 1a 0e 1f 00 1a 0e 61 00 00 00"));             /* undefined: no */
    CHECK(matches("02 04 05 1f 00 1a 0e 1f 00 1a 0e 61 00 00 00"));
    CHECK(!matches("06 00 03 00 01 60 01 00 00 00"));
    CHECK(!matches("07 00 03 00 01 60 01 00 00 00"));
    CHECK(!matches("05 04 40 00 06 0e 40 00 01 60"));
    CHECK(!matches("03 01 00 00 00 1f 00 1a 0e 1f 00 1a 0e 00 00"));
}

TEST(trees)
{
    fresh();
    sub_calls = 0;
    CHECK(matches("00 00 00"));
    CHECK(!matches("01 00 00"));
    CHECK(matches("01 02 00 08 1f 00 1a 0e 08 1f 00 37 00"));
    CHECK(!matches("00 02 00 08 1f 00 1a 0e 08 1f 00 37 00"));
    CHECK(matches("0a 01 03 00 17 00 05 00 00 00 00"));
    CHECK(!matches("0a 00 01 08 1f 00 1a 0e"));
    CHECK(matches("0b 0a 00 00 00 08 1f 00 37 00"));
    CHECK(matches("09 0d 00 12 0e 03 02 00 01 00 1f 00 01 30 1f 00 01 30 61 00 6c 00 00 00"));
    CHECK(!matches("09 0d 00 12 0e 03 02 00 01 00 1f 00 01 30 1f 00 01 30 78 00 00 00"));
    CHECK(!matches("09 0d 00 13 0e ff"));
    CHECK(matches("02 09 0d 00 13 0e ff"));
    CHECK_INT(sub_calls, 4);
}

static void read_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    const struct pv_codec *codec[] = { &rop, &wide };
    for (size_t i = 0; i < 2; i++) {
        struct rd           r = rd_blob_of(b);
        struct restriction *res = restriction_read(&r, codec[i]);
        if (!rd_ok(&r))
            continue;
        struct props   p = row_values();
        struct res_row row = { &p, get, sub };
        struct tags    t = { 0 };
        restriction_check(res);
        restriction_match(res, &row);
        restriction_tags(arena, res, &t);
        restriction_print(arena, res);
        struct blob again = write_with(codec[i], res);
        struct rd   r2 = rd_blob_of(again);
        CHECK_BLOB(write_with(codec[i], restriction_read(&r2, codec[i])), again);
    }
}

TEST(damaged_bytes_stay_inside)
{
    static uint8_t keep[256];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fresh();
        struct blob b = hex(good[i].narrow);
        memcpy(keep, b.p, b.n);
        mutate_all(blob_of(keep, b.n), read_anything, NULL);
    }
}
