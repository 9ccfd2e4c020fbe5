/* test_proprow.c - property rows, standard and flagged (MS-OXCDATA 2.8.1). */
#include "backend/mapi/proprow.h"
#include "tests/unit/backend-mapi/wire.h"

static const uint32_t tags[] = { PidTagSubject, PidTagImportance, PROP_TAG(0x3001, PtypUnspecified) };
enum { TAGS = 3 };

static struct blob write_row(const uint32_t *t, size_t n, const struct props *p, size_t limit)
{
    struct wr w = fresh_wr();
    proprow_write(&w, &rop, t, n, p, limit);
    CHECK(!w.full);
    return wr_blob(&w);
}

static void read_row(const uint32_t *t, size_t n, struct blob b, struct propval *out)
{
    struct rd r = rd_blob_of(b);
    proprow_read(&r, &rop, t, n, out);
    CHECK(rd_done(&r));
}

static const char standard[] = "00 41 00 00 00 02 00 00 00 1f 00 42 00 00 00";

TEST(standard_row)
{
    fresh();
    struct props p = { 0 };
    props_set(arena, &p, pv_str(PidTagDisplayName, "B"));
    props_set(arena, &p, pv_i32(PidTagImportance, 2));
    props_set(arena, &p, pv_str(PidTagSubject, "A"));
    CHECK_BYTES(write_row(tags, TAGS, &p, 0), standard);
    struct propval v[TAGS];
    read_row(tags, TAGS, hex(standard), v);
    CHECK_BLOB(v[0].v.s, blob_str("A"));
    CHECK_INT(v[1].v.i32, 2);
    CHECK_INT(v[2].tag, PidTagDisplayName);
    CHECK_BYTES(write_row(tags, 0, &p, 0), "00");
}

/* OXCDATA R72-R81, R473-R479: 0 value, 1 absent, 0x0A error code. */
TEST(flagged_row)
{
    fresh();
    struct props p = { 0 };
    props_set(arena, &p, pv_str(PidTagSubject, "A"));
    CHECK_BYTES(write_row(tags, TAGS, &p, 0), "01 00 41 00 00 00 0a 0f 01 04 80 0a 00 0a 0f 01 04 80");
    props_set(arena, &p, pv_i64(PROP_TAG(0x0017, PtypInteger64), 2)); /* another type than asked for */
    props_set(arena, &p, pv_err(PidTagDisplayName, ecAccessDenied));
    CHECK_BYTES(write_row(tags, TAGS, &p, 0), "01 00 41 00 00 00 0a 0f 01 04 80 0a 00 0a 05 00 07 80");
    props_set(arena, &p, pv_i32(PidTagDisplayName & 0xFFFF0000, 0));
    p.v[2].tag = PROP_TAG(0x3001, PtypInteger32);
    CHECK_BYTES(write_row(tags, TAGS, &p, 0), "01 00 41 00 00 00 0a 0f 01 04 80 03 00 00 00 00 00 00");
    struct propval v[TAGS];
    read_row(tags, TAGS, hex("01 00 41 00 00 00 0a 0f 01 04 80 03 00 00 05 00 00 00"), v);
    CHECK_BLOB(v[0].v.s, blob_str("A"));
    CHECK_INT(v[1].tag, PROP_TAG(0x0017, PtypErrorCode));
    CHECK_INT(v[1].v.err, ecNotFound);
    CHECK_INT(v[2].tag, PROP_TAG(0x3001, PtypInteger32));
    CHECK_INT(v[2].v.i32, 5);
    read_row(tags, 1, hex("01 01"), v);
    CHECK_INT(v[0].v.err, ecNotFound);
}

TEST(an_error_of_none_is_still_an_error)
{
    fresh();
    struct props p = { 0 };
    props_set(arena, &p, pv_err(PidTagSubject, ecNone));
    props_set(arena, &p, pv_err(PidTagDisplayName, ecNone));
    static const uint32_t two[] = { PidTagSubject, PROP_TAG(0x3001, PtypUnspecified) };
    CHECK_BYTES(write_row(two, 2, &p, 0), "01 0a 0f 01 04 80 0a 00 0a 0f 01 04 80");
}

TEST(columns_in_eight_bits)
{
    fresh();
    static const uint32_t old[] = { 0x0037001E };
    struct props          p = { 0 };
    props_set(arena, &p, pv_str(PidTagSubject, "\xC3\xA4"));
    CHECK_BYTES(write_row(old, 1, &p, 0), "00 e4 00");
}

/* OXCDATA R2052 */
TEST(what_is_larger_than_the_limit)
{
    fresh();
    struct props p = { 0 };
    props_set(arena, &p, pv_str(PidTagSubject, "ABC"));
    props_set(arena, &p, pv_i32(PidTagImportance, 2));
    static const uint32_t two[] = { PidTagSubject, PidTagImportance };
    CHECK_BYTES(write_row(two, 2, &p, 8), "00 41 00 42 00 43 00 00 00 02 00 00 00");
    CHECK_BYTES(write_row(two, 2, &p, 7), "01 0a 0e 00 07 80 00 02 00 00 00");
    CHECK_BYTES(write_row(two, 2, &p, 1), "01 0a 0e 00 07 80 00 02 00 00 00"); /* numbers are never too large */
    props_set(arena, &p, (struct propval){ .tag = PidTagSubject, .large = true, .v.large.size = 5000 });
    CHECK_BYTES(write_row(two, 2, &p, 0), "01 0a 0e 00 07 80 00 02 00 00 00");
    static const uint32_t bin[] = { PidTagHtml };
    props_set(arena, &p, pv_bin(PidTagHtml, blob_of(arena_alloc(arena, 70000), 70000)));
    CHECK_BYTES(write_row(bin, 1, &p, 0), "01 0a 0e 00 07 80"); /* 16 bits cannot say it */
}

TEST(a_row_that_does_not_fit_says_so)
{
    fresh();
    struct props p = { 0 };
    props_set(arena, &p, pv_str(PidTagSubject, "A"));
    props_set(arena, &p, pv_i32(PidTagImportance, 2));
    props_set(arena, &p, pv_str(PidTagDisplayName, "B"));
    size_t whole = unhex(standard).n;
    for (size_t max = 0; max <= whole; max++) {
        struct wr w = wr_in(arena, max);
        proprow_write(&w, &rop, tags, TAGS, &p, 0);
        CHECK_INT(w.full, max < whole);
    }
    /* too large for limit and room alike: the error fits */
    uint8_t               b[6];
    struct wr             w = wr_over(b, sizeof b);
    static const uint32_t one[] = { PidTagSubject };
    props_set(arena, &p, pv_str(PidTagSubject, "0123456789"));
    proprow_write(&w, &rop, one, 1, &p, 10);
    CHECK_BYTES(wr_blob(&w), "01 0a 0e 00 07 80");
    CHECK(!w.full);
}

static void read_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    struct propval v[TAGS];
    struct rd      r = rd_blob_of(b);
    proprow_read(&r, &rop, tags, TAGS, v);
    if (!rd_ok(&r))
        return;
    struct props p = { 0 };
    for (size_t i = 0; i < TAGS; i++)
        props_set(arena, &p, v[i]);
    write_row(tags, TAGS, &p, 6);
}

TEST(damaged_bytes_stay_inside)
{
    mutate_all(unhex(standard), read_anything, NULL);
    mutate_all(unhex("01 00 41 00 00 00 0a 0f 01 04 80 03 00 00 05 00 00 00"), read_anything, NULL);
}
