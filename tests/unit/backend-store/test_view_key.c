/* test_view_key.c - keys compare as values do: every type, both directions, several columns, locales, bounds and ranges. */
#include "backend/base/arena.h"
#include "backend/store/view_key.h"
#include "tests/unit.h"
#include <stdio.h>
#include <stdlib.h>

enum { LCID_EN = 0x0409, LCID_DE = 0x0407, LCID_SV = 0x041D, LCID_ES_TRAD = 0x040A };

static struct blob key_of(struct arena *a, uint32_t tag, uint8_t order, uint32_t lcid, const struct propval *v)
{
    struct view_key k = { .n = 0 };
    view_key_add(&k, &(struct sortcol){ tag, order }, view_collator(lcid), v);
    return arena_blob(a, view_key_blob(&k));
}

static int sign(int v) { return (v > 0) - (v < 0); }

/* v[0] < v[1] < ...; ascending and descending, missing lowest. */
static void check_rising(uint32_t tag, uint32_t lcid, const struct propval *v, size_t n)
{
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int want = sign((int)i - (int)j);
            CHECK_INT(sign(blob_cmp(key_of(a, tag, SORT_ASCENDING, lcid, &v[i]), key_of(a, tag, SORT_ASCENDING, lcid, &v[j]))), want);
            CHECK_INT(sign(blob_cmp(key_of(a, tag, SORT_DESCENDING, lcid, &v[i]), key_of(a, tag, SORT_DESCENDING, lcid, &v[j]))), -want);
        }
    for (size_t i = 0; i < n; i++) {
        CHECK(blob_cmp(key_of(a, tag, SORT_ASCENDING, lcid, NULL), key_of(a, tag, SORT_ASCENDING, lcid, &v[i])) < 0);
        CHECK(blob_cmp(key_of(a, tag, SORT_DESCENDING, lcid, NULL), key_of(a, tag, SORT_DESCENDING, lcid, &v[i])) > 0);
    }
    arena_free(a);
}

TEST(integers)
{
    uint32_t tag = PROP_TAG(0x6001, PtypInteger32);
    struct propval v[] = { pv_i32(tag, INT32_MIN), pv_i32(tag, -1), pv_i32(tag, 0), pv_i32(tag, 1), pv_i32(tag, 255), pv_i32(tag, 256), pv_i32(tag, INT32_MAX) };
    check_rising(tag, LCID_EN, v, sizeof v / sizeof *v);
    tag = PROP_TAG(0x6001, PtypInteger16);
    struct propval s[] = { pv_i16(tag, INT16_MIN), pv_i16(tag, -1), pv_i16(tag, 0), pv_i16(tag, 300), pv_i16(tag, INT16_MAX) };
    check_rising(tag, LCID_EN, s, sizeof s / sizeof *s);
    tag = PROP_TAG(0x6001, PtypInteger64);
    struct propval l[] = { pv_i64(tag, INT64_MIN), pv_i64(tag, -5), pv_i64(tag, 0), pv_i64(tag, 1ll << 40), pv_i64(tag, INT64_MAX) };
    check_rising(tag, LCID_EN, l, sizeof l / sizeof *l);
}

TEST(times_booleans_guids)
{
    uint32_t tag = PidTagMessageDeliveryTime;
    struct propval t[] = { pv_time(tag, 0), pv_time(tag, 1), pv_time(tag, 130000000000000000u), pv_time(tag, 0x7FFFFFFFFFFFFFFFu) };
    check_rising(tag, LCID_EN, t, sizeof t / sizeof *t);
    tag = PROP_TAG(0x6002, PtypBoolean);
    struct propval b[] = { pv_bool(tag, false), pv_bool(tag, true) };
    check_rising(tag, LCID_EN, b, 2);
    tag = PROP_TAG(0x6003, PtypGuid);
    struct propval g[] = { pv_guid(tag, (struct guid){ { 0 } }), pv_guid(tag, (struct guid){ { 0, 1 } }), pv_guid(tag, (struct guid){ { 0xFF } }) };
    check_rising(tag, LCID_EN, g, 3);
}

TEST(floats)
{
    uint32_t tag = PROP_TAG(0x6004, PtypFloating64);
    double d[] = { -1e300, -2.5, -1e-300, 0, 1e-300, 1, 1e300 };
    struct propval v[7] = { 0 };
    for (size_t i = 0; i < 7; i++)
        v[i] = (struct propval){ .tag = tag, .v.f64 = d[i] };
    check_rising(tag, LCID_EN, v, 7);
    struct arena *a = arena_new(1 << 16);
    struct propval minus = { .tag = tag, .v.f64 = -0.0 };
    CHECK_BLOB(key_of(a, tag, SORT_ASCENDING, LCID_EN, &minus), key_of(a, tag, SORT_ASCENDING, LCID_EN, &v[3]));
    arena_free(a);
}

TEST(binaries)
{
    uint32_t tag = PROP_TAG(0x6005, PtypBinary);
    struct propval v[] = {
        pv_bin(tag, blob_of("", 0)), pv_bin(tag, blob_of("\0", 1)), pv_bin(tag, blob_of("\0\0", 2)), pv_bin(tag, blob_of("\0\1", 2)),
        pv_bin(tag, blob_of("\1", 1)), pv_bin(tag, blob_of("\1\0", 2)), pv_bin(tag, blob_of("\1\0\xFF", 3)), pv_bin(tag, blob_of("\1\1", 2)),
        pv_bin(tag, blob_of("\xFF", 1)), pv_bin(tag, blob_of("\xFF\xFF", 2)),
    };
    check_rising(tag, LCID_EN, v, sizeof v / sizeof *v);
}

static void check_words(uint32_t lcid, const char *const *w, size_t n)
{
    struct propval v[32];
    for (size_t i = 0; i < n; i++)
        v[i] = pv_str(PidTagSubject, w[i]);
    check_rising(PidTagSubject, lcid, v, n);
}

TEST(strings_by_locale)
{
    check_words(LCID_EN, (const char *const[]){ "", "apple", "Zebra", "zoo" }, 4);
    check_words(LCID_DE, (const char *const[]){ "Of", "Öf", "Oz", "Zug" }, 4);
    check_words(LCID_SV, (const char *const[]){ "Of", "Zug", "Åf", "Äf", "Öf" }, 5);
    struct arena *a = arena_new(1 << 16);
    struct propval x = pv_str(PidTagSubject, "RE: Hello"), y = pv_str(PidTagSubject, "re: hello");
    CHECK_BLOB(key_of(a, PidTagSubject, 0, LCID_EN, &x), key_of(a, PidTagSubject, 0, LCID_EN, &y));
    CHECK_STR(view_collator_name(view_collator(0x0409)), view_collator_name(view_collator(0x0809)));
    CHECK(view_collator_named(view_collator_name(view_collator(LCID_SV))) == view_collator(LCID_SV));
    CHECK(view_collator_named("sv 1.2.3.4") == NULL);
    CHECK(view_collator(0xFFFFFFFFu) != NULL);
    arena_free(a);
}

/* Only the first 255 units of a string count. */
TEST(long_strings)
{
    struct arena *a = arena_new(1 << 20);
    char *s = arena_alloc(a, 2001), *t = arena_alloc(a, 2001);
    memset(s, 'a', 2000);
    memset(t, 'a', 2000);
    t[254] = 'b';
    struct propval x = pv_str(PidTagSubject, s), y = pv_str(PidTagSubject, t);
    CHECK(blob_cmp(key_of(a, PidTagSubject, 0, LCID_EN, &x), key_of(a, PidTagSubject, 0, LCID_EN, &y)) < 0);
    t[254] = 'a';
    t[255] = 'b';
    y = pv_str(PidTagSubject, t);
    CHECK_BLOB(key_of(a, PidTagSubject, 0, LCID_EN, &x), key_of(a, PidTagSubject, 0, LCID_EN, &y));
    arena_free(a);
}

/* --- several columns ---------------------------------------------------------------------------------------------------------------------- */
struct rec { bool has[3]; int32_t n; char s[8]; uint8_t b[4]; size_t nb; struct propval v[3]; };

static const struct propval *rec_get(void *ctx, uint32_t tag)
{
    struct rec *r = ctx;
    for (size_t i = 0; i < 3; i++)
        if (r->has[i] && r->v[i].tag == tag)
            return &r->v[i];
    return NULL;
}

enum { COL_N = PROP_TAG(0x6001, PtypInteger32), COL_S = PROP_TAG(0x6002, PtypString), COL_B = PROP_TAG(0x6003, PtypBinary) };

static void rec_random(struct rec *r, unsigned *seed)
{
    for (size_t i = 0; i < 3; i++)
        r->has[i] = rand_r(seed) % 4 != 0;
    r->n = rand_r(seed) % 3 - 1;
    for (size_t i = 0, n = (size_t)rand_r(seed) % 3; i < 8; i++)
        r->s[i] = i < n ? (rand_r(seed) % 2 ? 'a' : 'b') : '\0';
    r->nb = (size_t)rand_r(seed) % 4;
    for (size_t i = 0; i < 4; i++)
        r->b[i] = (uint8_t)(rand_r(seed) % 2 ? 0 : 0xFF);
    r->v[0] = pv_i32(COL_N, r->n);
    r->v[1] = pv_str(COL_S, r->s);
    r->v[2] = pv_bin(COL_B, blob_of(r->b, r->nb));
}

static int rec_cmp(const struct rec *x, const struct rec *y, const struct sortorder *s)
{
    for (size_t i = 0; i < s->n; i++) {
        size_t c = prop_id(s->col[i].tag) - 0x6001u;
        int d = (int)x->has[c] - (int)y->has[c];
        if (d == 0 && x->has[c])
            d = c == 0 ? sign(x->n - y->n) : c == 1 ? sign(strcmp(x->s, y->s)) : sign(blob_cmp(blob_of(x->b, x->nb), blob_of(y->b, y->nb)));
        if (d != 0)
            return s->col[i].order == SORT_DESCENDING ? -d : d;
    }
    return 0;
}

TEST(columns_in_mixed_directions)
{
    unsigned seed = 7;
    static struct view_key kx, ky;
    for (int round = 0; round < 20000; round++) {
        struct sortorder s = { .n = (uint16_t)(1 + rand_r(&seed) % 3) };
        uint32_t tags[3] = { COL_N, COL_S, COL_B };
        unsigned first = (unsigned)rand_r(&seed) % 3;
        for (size_t i = 0; i < s.n; i++)
            s.col[i] = (struct sortcol){ tags[(first + i) % 3], (uint8_t)(rand_r(&seed) % 2) };
        struct rec x, y;
        rec_random(&x, &seed);
        rec_random(&y, &seed);
        struct res_row rx = { &x, rec_get, NULL }, ry = { &y, rec_get, NULL };
        view_key_make(&kx, &s, view_collator(LCID_EN), &rx);
        view_key_make(&ky, &s, view_collator(LCID_EN), &ry);
        if (!CHECK_INT(sign(blob_cmp(view_key_blob(&kx), view_key_blob(&ky))), rec_cmp(&x, &y, &s)))
            return;
    }
}

TEST(keys_are_bounded_and_never_empty)
{
    struct arena *a = arena_new(1 << 20);
    static struct view_key k;
    struct sortorder s = { .n = SORT_MAX_COLUMNS };
    char *text = arena_alloc(a, 4001);
    memset(text, 'q', 4000);
    struct rec r = { .has = { true, true, true } };
    r.v[1] = pv_str(COL_S, text);
    for (size_t i = 0; i < s.n; i++)
        s.col[i] = (struct sortcol){ COL_S, SORT_DESCENDING };
    struct res_row row = { &r, rec_get, NULL };
    view_key_make(&k, &s, view_collator(LCID_EN), &row);
    CHECK_INT(k.n, VIEW_KEY_MAX);
    s.n = 0;
    view_key_make(&k, &s, view_collator(LCID_EN), &row);
    CHECK_INT(k.n, 1);
    arena_free(a);
}

TEST(what_cannot_be_sorted)
{
    struct { uint32_t tag; uint8_t order; uint16_t categories; ec_t ec; } bad[] = {
        { PROP_TAG(0x6001, PtypObject), 0, 0, ecTooComplex }, { PROP_TAG(0x6001, PtypRestriction), 0, 0, ecTooComplex },
        { PROP_TAG(0x6001, PtypObject | PtypMultipleInstance), 0, 0, ecTooComplex }, { COL_N, 0, 1, ecTooComplex },
        { COL_N, SORT_MAX_CATEGORY, 0, ecTooComplex }, { COL_N, 3, 0, ecInvalidParameter }, { PROP_TAG(0x6001, 0x7777), 0, 0, ecInvalidParameter },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sortorder s = { .n = 1, .categories = bad[i].categories, .col = { { bad[i].tag, bad[i].order } } };
        CHECK_EC(view_key_check(&s), bad[i].ec);
    }
    struct sortorder s = { .n = 1, .col = { { PROP_TAG(0x6001, PtypString | PtypMultipleFlag), 0 } } };
    CHECK_EC(view_key_check(&s), ecNone);
}

/* --- ranges -------------------------------------------------------------------------------------------------------------------------------- */
static bool relation(uint8_t relop, int c)
{
    return relop == RELOP_LT ? c < 0 : relop == RELOP_LE ? c <= 0 : relop == RELOP_GT ? c > 0 : relop == RELOP_GE ? c >= 0 : c == 0;
}

TEST(ranges_of_relations)
{
    struct arena *a = arena_new(1 << 22);
    static struct view_key_range r;
    for (uint8_t order = 0; order < 2; order++)
        for (uint8_t relop = RELOP_LT; relop <= RELOP_EQ; relop++)
            for (int32_t x = -3; x <= 3; x++) {
                struct propval v = pv_i32(COL_N, x);
                struct sortcol col = { COL_N, order };
                REQUIRE(view_key_relation(&r, &col, view_collator(LCID_EN), relop, &v));
                for (int32_t y = -3; y <= 3; y++) {
                    struct propval w = pv_i32(COL_N, y);
                    CHECK_INT(view_key_within(&r, key_of(a, COL_N, order, LCID_EN, &w)), relation(relop, sign(y - x)));
                }
                CHECK(!view_key_within(&r, key_of(a, COL_N, order, LCID_EN, NULL)));
            }
    arena_free(a);
}

TEST(ranges_of_prefixes)
{
    const char *const in[] = { "ab", "ABC", "abzz", "Äb", "ab c" }, *const out[] = { "a", "aa", "ac", "b", "" };
    struct arena *a = arena_new(1 << 20);
    static struct view_key_range r;
    for (uint8_t order = 0; order < 2; order++) {
        REQUIRE(view_key_prefix(&r, &(struct sortcol){ PidTagSubject, order }, view_collator(LCID_DE), blob_str("ab")));
        for (size_t i = 0; i < 5; i++) {
            struct propval x = pv_str(PidTagSubject, in[i]), y = pv_str(PidTagSubject, out[i]);
            CHECK(view_key_within(&r, key_of(a, PidTagSubject, order, LCID_DE, &x)));
            CHECK(!view_key_within(&r, key_of(a, PidTagSubject, order, LCID_DE, &y)));
        }
        CHECK(!view_key_within(&r, key_of(a, PidTagSubject, order, LCID_DE, NULL)));
    }
    arena_free(a);
}
