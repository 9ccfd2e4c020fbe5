/* test_offline_format.c - bytes of offline address books: records by hand, what is cut, the container; read back by the tests' own reader. */
#include "backend/directory/offline/offline_format.h"
#include "tests/mutate.h"
#include "tests/oab.h"
#include "tests/unit.h"
#include <string.h>

static struct arena *a;

static struct blob record(const struct offline_column *c, const struct propval *v, size_t n)
{
    struct wr w = wr_in(a, OFFLINE_RECORD_MAX);
    offline_record(&w, a, c, v, n, NULL);
    CHECK(!w.full);
    return wr_blob(&w);
}

static struct blob one(uint32_t tag, struct propval v)
{
    const struct offline_column c = { tag, tag, 0 };
    return record(&c, &v, 1);
}

/* MS-OXOAB 2.9.6.1: in as few bytes as there are, those that do not fit into one with their number before. */
TEST(numbers)
{
    a = arena_new(1 << 24);
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0)), "06 00 00 00 80 00");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0x7F)), "06 00 00 00 80 7f");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0x80)), "07 00 00 00 80 81 80");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0xFF)), "07 00 00 00 80 81 ff");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0x100)), "08 00 00 00 80 82 00 01");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0x123456)), "09 00 00 00 80 83 56 34 12");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, 0x40000000)), "0a 00 00 00 80 84 00 00 00 40");
    CHECK_BYTES(one(PidTagDisplayType, pv_i32(PidTagDisplayType, -1)), "0a 00 00 00 80 84 ff ff ff ff");
    arena_free(a);
}

TEST(values_of_each_type)
{
    a = arena_new(1 << 24);
    CHECK_BYTES(one(PidTagSendRichInfo, pv_bool(PidTagSendRichInfo, true)), "06 00 00 00 80 01");
    CHECK_BYTES(one(PidTagSendRichInfo, pv_bool(PidTagSendRichInfo, false)), "06 00 00 00 80 00");
    CHECK_BYTES(one(PidTagTitle, pv_str(PidTagTitle, "J\xC3\xBCrgen")), "0d 00 00 00 80 4a c3 bc 72 67 65 6e 00");
    CHECK_BYTES(one(PROP_TAG(0x3003, PtypString8), pv_str(PidTagEmailAddress, "/o=D")), "0a 00 00 00 80 2f 6f 3d 44 00");
    CHECK_BYTES(one(PidTagUserCertificate, pv_bin(PidTagUserCertificate, unhex("01 00 ff"))), "09 00 00 00 80 03 01 00 ff");
    CHECK_BYTES(one(PidTagTitle, pv_str(PidTagTitle, "")), "05 00 00 00 00");                               /* an empty string is none */
    CHECK_BYTES(one(PidTagTitle, pv_err(PidTagTitle, ecNotFound)), "05 00 00 00 00");
    CHECK_BYTES(one(PidTagTitle, pv_i32(PROP_TAG(0x3A17, PtypInteger32), 7)), "05 00 00 00 00");            /* nor is one of another type */
    CHECK_BYTES(one(PidTagTitle, pv_strn(PidTagTitle, blob_of("a\0b", 3))), "07 00 00 00 80 61 00");
    struct blob s[] = { blob_str("smtp:a"), blob_str(""), blob_str("SMTP:A"), blob_str("x") };
    struct propval v = { .tag = PidTagAddressBookProxyAddresses };
    v.v.mv.n = 4;
    v.v.mv.s = s;
    CHECK_BYTES(one(PidTagAddressBookProxyAddresses, v), "0f 00 00 00 80 02 73 6d 74 70 3a 61 00 78 00");   /* each once, without case, none empty */
    struct blob b[] = { unhex("01"), unhex("02 03") };
    v.tag = PidTagUserX509Certificate;
    v.v.mv.n = 2;
    v.v.mv.s = b;
    CHECK_BYTES(one(PidTagUserX509Certificate, v), "0b 00 00 00 80 02 01 01 02 02 03");
    arena_free(a);
}

/* The first property is the highest bit of the first byte (2.9.5). */
TEST(presence)
{
    a = arena_new(1 << 24);
    struct offline_column c[9];
    struct propval v[9];
    for (size_t i = 0; i < 9; i++) {
        c[i] = (struct offline_column){ PROP_TAG(0x6000 + i, PtypInteger32), 0, 0 };
        v[i] = i == 1 || i == 8 ? pv_i32(c[i].tag, (int32_t)i) : pv_err(c[i].tag, ecNotFound);
    }
    CHECK_BYTES(record(c, v, 9), "08 00 00 00 40 80 01 08");
    arena_free(a);
}

/* What does not fit is cut or left out, and named (2.9.2.2.1). */
TEST(what_is_too_long)
{
    a = arena_new((size_t)1 << 28);
    char *text = arena_alloc(a, 4000), *big = arena_alloc(a, OFFLINE_BINARY_MAX + 1);
    memset(text, 'x', 3999);
    text[3399] = '\xC3', text[3400] = '\xBC';                           /* the limit is in the middle of a character */
    struct blob many[1000];
    for (size_t i = 0; i < 1000; i++)
        many[i] = blob_str(arena_printf(a, "/o=Demo/ou=Exchange Administrative Group/cn=Recipients/cn=%08zu-and-so-on", i));
    struct propval members = { .tag = PROP_TAG(0x8009, PtypMultipleString) };
    members.v.mv.n = 1000;
    members.v.mv.s = many;
    const struct offline_column c[] = { { PidTagComment, 0, 0 }, { PidTagTitle, 0, 0 }, { PidTagUserCertificate, 0, 0 }, { PROP_TAG(0x8009, PtypMultipleString8), 0, 0 },
                                        { prop_retype(PidTagThumbnailPhoto, PtypObject), 0, 0 }, { prop_retype(PidTagAddressBookAuthorizedSenders, PtypObject), 0, 0 },
                                        { PidTagOfflineAddressBookTruncatedProperties, 0, 0 } };
    struct propval v[] = { pv_str(PidTagComment, text), pv_str(PidTagTitle, "whole"), pv_bin(PidTagUserCertificate, blob_of(big, OFFLINE_BINARY_MAX + 1)), members,
                           pv_bin(PidTagThumbnailPhoto, unhex("ff d8")), pv_err(PidTagAddressBookAuthorizedSenders, ecNotFound), { 0 } };
    struct wr w = wr_in(a, OFFLINE_RECORD_MAX);
    struct tags t;
    offline_record(&w, a, c, v, 7, &t);
    REQUIRE(t.n == 4);
    CHECK_INT(t.v[0], PidTagComment);
    CHECK_INT(t.v[1], PidTagUserCertificate);
    CHECK_INT(t.v[2], PROP_TAG(0x8009, PtypMultipleString8));
    CHECK_INT(t.v[3], prop_retype(PidTagThumbnailPhoto, PtypObject));
    struct wr f = wr_in(a, 1 << 26);
    struct wr rest = wr_in(a, 1 << 26);
    offline_meta(&rest, c, 0, c, 7, 0);
    wr_u32(&rest, 4); /* a header record of no properties */
    wr_put(&rest, wr_blob(&w));
    offline_header(&f, OFFLINE_VERSION_FULL, offline_crc(OFFLINE_CRC_BEGIN, wr_blob(&rest)), 1);
    wr_put(&f, wr_blob(&rest));
    struct oab o;
    REQUIRE(oab_read(a, wr_blob(&f), &o));
    CHECK_INT(oab_string(&o.record[0], PidTagComment).n, 3399);
    CHECK(blob_eq(oab_string(&o.record[0], PidTagTitle), blob_str("whole")));
    CHECK(oab_value(&o.record[0], PidTagUserCertificate) == NULL);
    const struct propval *m = oab_value(&o.record[0], PROP_TAG(0x8009, PtypMultipleString8));
    REQUIRE(m != NULL);
    CHECK_INT(m->v.mv.n, OFFLINE_MANY_MAX / (many[0].n + 1));
    CHECK(oab_shortened(&o.record[0], prop_retype(PidTagThumbnailPhoto, PtypObject)));
    CHECK(!oab_shortened(&o.record[0], PidTagTitle));
    arena_free(a);
}

/* What MS-OXOAB 2.9.2.2 and 2.9.4 ask of the table. */
TEST(the_table)
{
    const struct offline_column *c;
    size_t n = offline_columns(&c);
    REQUIRE(n > 60);
    CHECK_INT(c[0].tag, 0x3003001E);
    CHECK_INT(c[0].flags, OFFLINE_PRIMARY);
    CHECK_INT(c[1].tag, 0x39FE001F);
    CHECK_INT(c[1].flags, OFFLINE_PRIMARY | OFFLINE_ANR);
    CHECK_INT(c[n - 1].tag, 0x68051003);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            unit_check(prop_id(c[i].tag) != prop_id(c[j].tag), __FILE__, __LINE__, "%08x is there twice", c[i].tag);
    static const uint32_t needed[] = { 0x3001001F, 0x3A00001F, 0x3A11001F, 0x3A06001F, 0x800F101F, 0x3A19001F, 0x39000003, 0x0FFE0003, 0x3A40000B, 0x3A08001F,
                                       0x3A0A001F, 0x3A29001F, 0x3A27001F, 0x3A28001F, 0x3A2A001F, 0x3A26001F, 0x3A17001F, 0x3A16001F, 0x3A30001F, 0x3A18001F,
                                       0x8011001F, 0x3A09001F, 0x3A1B101F, 0x3A2F101F, 0x3A23001F, 0x3A1C001F, 0x3A2E001F, 0x3A21001F, 0x3004001F, 0x3A220102,
                                       0x3A701102, 0x8C6A1102, 0x8006001E, 0x39050003, 0x8009101E, 0x8008101E, 0x8CE20003, 0x8CE30003, 0x8C6D0102 };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        bool found = false;
        for (size_t j = 0; j < n; j++)
            found |= c[j].tag == needed[i];
        unit_check(found, __FILE__, __LINE__, "%08x is missing", needed[i]);
    }
}

/* --- the container ---------------------------------------------------------------------------------------------------------------------------- */

static ec_t take(void *ctx, struct blob b)
{
    wr_put(ctx, b);
    return ecNone;
}

static struct blob packed(struct blob file, size_t portion)
{
    struct wr w = wr_in(a, 1 << 26);
    struct offline_pack p;
    CHECK_EC(offline_pack_begin(&p, a, file.n, take, &w), ecNone);
    for (struct rd r = rd_blob_of(file); r.n != 0; )
        CHECK_EC(offline_pack_add(&p, rd_blob(&r, r.n < portion ? r.n : portion)), ecNone);
    CHECK_EC(offline_pack_end(&p), ecNone);
    return wr_blob(&w);
}

/* "123456789" has the well-known checksum, which is that of the documents inverted. */
TEST(checksum)
{
    struct blob all = blob_str("123456789"), first = blob_str("1234"), second = blob_str("56789");
    CHECK_INT(offline_crc(OFFLINE_CRC_BEGIN, all), 0xCBF43926u ^ 0xFFFFFFFFu);
    CHECK_INT(offline_crc_join(offline_crc(OFFLINE_CRC_BEGIN, first), offline_crc(0, second), second.n), offline_crc(OFFLINE_CRC_BEGIN, all));
}

TEST(a_small_container)
{
    a = arena_new(1 << 26);
    CHECK_BYTES(packed(blob_str("123456789"), 4), "03 00 00 00 01 00 00 00 00 00 02 00 09 00 00 00"
                                                  "00 00 00 00 09 00 00 00 09 00 00 00 d9 c6 0b 34 31 32 33 34 35 36 37 38 39");
    arena_free(a);
}

TEST(containers_are_opened_by_others)
{
    static const size_t sizes[] = { 1, 4095, OFFLINE_BLOCK - 1, OFFLINE_BLOCK, OFFLINE_BLOCK + 1, 3 * OFFLINE_BLOCK + 7 };
    a = arena_new((size_t)1 << 28);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *p = arena_alloc(a, sizes[i]);
        struct blob own, other;
        for (size_t j = 0; j < sizes[i]; j++)
            p[j] = (uint8_t)(j * 7 + j / 251);
        struct blob c = packed(blob_of(p, sizes[i]), 1000 + i);
        REQUIRE(oab_open(a, c, &own));
        CHECK(blob_eq(own, blob_of(p, sizes[i])));
        CHECK_INT(oab_open_mspack(a, c, &other), 0);
        CHECK(blob_eq(other, own));
    }
    arena_free(a);
}

/* --- compression ----------------------------------------------------------------------------------------------------------------------------- */

static uint32_t rnd(uint32_t *x) { return (*x = *x * 1664525 + 1013904223) >> 8; }

/* Bytes of a kind: noise of few or many values, copies of what was before from near and far, runs. */
static struct blob stuff(size_t n, uint32_t seed)
{
    uint8_t *p = arena_alloc(a, n + 1);
    uint32_t x = seed, values = 1 + rnd(&x) % (seed % 3 == 0 ? 256 : 20), copies = rnd(&x) % 100;
    for (size_t i = 0; i < n; ) {
        size_t k = 1 + rnd(&x) % (seed % 5 == 0 ? 2000 : 20);
        size_t back = i != 0 ? 1 + rnd(&x) % (seed % 2 == 0 ? i : i < 300 ? i : 300) : 0;
        bool copy = back != 0 && rnd(&x) % 100 < copies;
        for (; k > 0 && i < n; k--, i++)
            p[i] = (uint8_t)(copy ? p[i - back] : rnd(&x) % values);
    }
    return blob_of(p, n);
}

/* Whatever is compressed, libmspack opens it, and it is the same. */
TEST(compressed_blocks)
{
    static const size_t sizes[] = { 1, 2, 3, 31, 1000, 32767, 32768, 32769, 65536, 100000, OFFLINE_BLOCK - 1, OFFLINE_BLOCK, OFFLINE_BLOCK + 1, 300000 };
    size_t in = 0, out = 0;
    for (uint32_t seed = 0; seed < 280; seed++) {
        a = arena_new((size_t)1 << 28);
        struct blob b = stuff(sizes[seed % 14] - (seed > 200 && seed % 14 > 4 ? seed : 0), seed), c = packed(b, 1 << 20), opened, own;
        int error = oab_open_mspack(a, c, &opened);
        unit_check(error == 0 && blob_eq(opened, b), __FILE__, __LINE__, "seed %u, %zu bytes: %d", seed, b.n, error);
        unit_check(oab_open(a, c, &own) && blob_eq(own, b), __FILE__, __LINE__, "seed %u", seed);
        in += b.n;
        out += c.n;
        arena_free(a);
    }
    CHECK(out < in * 6 / 10);
}

/* One byte again and again, and text as it is in address books. */
TEST(how_small_it_becomes)
{
    a = arena_new((size_t)1 << 28);
    uint8_t *same = arena_alloc(a, OFFLINE_BLOCK);
    struct blob c = packed(blob_of(same, OFFLINE_BLOCK), 1 << 20), opened;
    CHECK(c.n < 700);
    CHECK_INT(oab_open_mspack(a, c, &opened), 0);
    CHECK(blob_eq(opened, blob_of(same, OFFLINE_BLOCK)));
    struct wr w = wr_in(a, 1 << 24);
    for (uint32_t i = 0; i < 5000; i++) {
        const char *one = arena_printf(a, "/o=Demo/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=user%u user%u@example.com User Number %u", i, i, i);
        wr_bytes(&w, one, strlen(one) + 1);
    }
    c = packed(wr_blob(&w), 1 << 20);
    CHECK(c.n < wr_mark(&w) / 10);
    CHECK_INT(oab_open_mspack(a, c, &opened), 0);
    CHECK(blob_eq(opened, wr_blob(&w)));
    arena_free(a);
}

/* Codes of any frequencies are complete, and none is too long. */
TEST(prefix_codes)
{
    for (uint32_t seed = 0; seed < 300; seed++) {
        uint32_t x = seed, frequency[HUFFMAN_SYMBOLS], n = 2 + rnd(&x) % 527, most = 15 + seed % 2, seen = 0;
        uint8_t  length[HUFFMAN_SYMBOLS];
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            frequency[i] = seed % 3 == 0 ? (uint32_t)1 << (i < 24 ? i : 24) : rnd(&x) % 4 == 0 ? rnd(&x) % 1000 : 0;
            seen += frequency[i] != 0;
        }
        huffman_lengths(frequency, n, most, length);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(length[i] <= most && (frequency[i] == 0 || length[i] != 0));
            sum += length[i] != 0 ? (uint64_t)1 << (16 - length[i]) : 0;
        }
        CHECK_INT(sum, seen != 0 ? 65536 : 0);
    }
}

/* --- the tests' reader ------------------------------------------------------------------------------------------------------------------------ */

static struct blob small_file(void)
{
    const struct offline_column h[] = { { PidTagOfflineAddressBookName, 0, 0 }, { PidTagOfflineAddressBookSequence, 0, 0 } };
    const struct propval hv[] = { pv_str(PidTagOfflineAddressBookName, "\\Global Address List"), pv_i32(PidTagOfflineAddressBookSequence, 300) };
    const struct offline_column c[] = { { 0x3003001E, 0, OFFLINE_PRIMARY }, { PidTagDisplayName, 0, OFFLINE_ANR }, { PidTagDisplayType, 0, 0 },
                                        { PidTagAddressBookProxyAddresses, 0, 0 }, { PidTagUserCertificate, 0, 0 } };
    struct blob s[] = { blob_str("SMTP:ana@example.com"), blob_str("smtp:a@example.com") };
    struct propval v[] = { pv_str(PidTagEmailAddress, "/o=Demo/cn=ana"), pv_str(PidTagDisplayName, "Ana"), pv_i32(PidTagDisplayType, 6),
                           { .tag = PidTagAddressBookProxyAddresses }, pv_bin(PidTagUserCertificate, unhex("01 02 03")) };
    v[3].v.mv.n = 2;
    v[3].v.mv.s = s;
    struct wr rest = wr_in(a, 1 << 20), f = wr_in(a, 1 << 20);
    offline_meta(&rest, h, 2, c, 5, 0);
    offline_record(&rest, a, h, hv, 2, NULL);
    offline_record(&rest, a, c, v, 5, NULL);
    offline_record(&rest, a, c, v, 3, NULL);
    offline_header(&f, OFFLINE_VERSION_FULL, offline_crc(OFFLINE_CRC_BEGIN, wr_blob(&rest)), 2);
    wr_put(&f, wr_blob(&rest));
    return wr_blob(&f);
}

static void reads(void *ctx, struct blob b)
{
    struct arena *mine = arena_new(1 << 24);
    struct oab o;
    *(size_t *)ctx += oab_read(mine, b, &o);
    arena_free(mine);
}

/* The checksum sees every bit but those of the head that it does not cover; the reader sees these. */
TEST(nothing_changed_is_read)
{
    a = arena_new(1 << 26);
    size_t good = 0;
    struct blob f = small_file();
    struct oab o;
    REQUIRE(oab_read(a, f, &o));
    CHECK_INT(o.n, 2);
    CHECK_INT(oab_value(&o.head, PidTagOfflineAddressBookSequence)->v.i32, 300);
    mutate_all(f, reads, &good);
    CHECK_INT(good, 1);
    arena_free(a);
}
