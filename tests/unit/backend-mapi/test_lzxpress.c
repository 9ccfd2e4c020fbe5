/* test_lzxpress.c - plain LZ77: published examples, Outlook's own bytes, round trips of all kinds of data, hostile input. */
#include "backend/mapi/lzxpress.h"
#include "backend/base/rd.h"
#include "tests/mutate.h"
#include "tests/unit.h"
#include "tests/unit/backend-mapi/shared.h"

enum { MOST = 65536 };

static void unpacks_to(const char *packed, struct blob plain)
{
    static uint8_t out[MOST];
    CHECK(lzxpress_decompress(unhex(packed), out, plain.n));
    CHECK_BLOB(blob_of(out, plain.n), plain);
}

static const char alphabet_packed[] = "3f 00 00 00 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70 71 72 73 74 75 76 77 78 79 7a";
static const char abc_packed[] = "ff ff ff 1f 61 62 63 17 00 0f ff 26 01";

static struct blob abc_300(void)
{
    static uint8_t plain[300];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)("abc"[i % 3]);
    return blob_of(plain, sizeof plain);
}

TEST(examples_of_ms_xca)
{
    unpacks_to(alphabet_packed, blob_str("abcdefghijklmnopqrstuvwxyz"));
    unpacks_to(abc_packed, abc_300());
    uint8_t out[300];
    CHECK_BYTES(blob_of(out, lzxpress_compress(abc_300(), out)), abc_packed);
    CHECK_INT(lzxpress_compress(blob_str("abcdefghijklmnopqrstuvwxyz"), out), 0);
}

/* OXCRPC R937-R946: a match of each length behind one byte. */
TEST(lengths_as_the_document_codes_them)
{
    static const struct { size_t length; const char *packed; } t[] = {
        { 24, "ff ff ff 7f 61 07 00 0e" },
        { 25, "ff ff ff 7f 61 07 00 0f 00" },
        { 26, "ff ff ff 7f 61 07 00 0f 01" },
        { 279, "ff ff ff 7f 61 07 00 0f fe" },
        { 280, "ff ff ff 7f 61 07 00 0f ff 15 01" },
        { 281, "ff ff ff 7f 61 07 00 0f ff 16 01" },
    };
    static uint8_t plain[300], out[300];
    memset(plain, 'a', sizeof plain);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct blob run = blob_of(plain, t[i].length + 1);
        unpacks_to(t[i].packed, run);
        CHECK_BYTES(blob_of(out, lzxpress_compress(run, out)), t[i].packed);
    }
}

/* Lengths at every step of the coding: 3 bits, nibble, byte, u16; two long matches share a nibble byte. */
TEST(every_length_survives)
{
    static uint8_t plain[2000], out[2000], again[2000];
    for (size_t n = 3; n < 700; n++) {
        for (size_t i = 0; i < sizeof plain; i++)
            plain[i] = (uint8_t)(i * 167 + (i >> 8) * 13 + 1);
        memmove(plain + 300, plain + 7, n);
        memmove(plain + 300 + n, plain + 100, n > 200 ? 200 : n);
        size_t packed = lzxpress_compress(blob_of(plain, sizeof plain), out);
        if (packed == 0)
            continue;
        memset(again, 0, sizeof again);
        if (!lzxpress_decompress(blob_of(out, packed), again, sizeof again) || memcmp(plain, again, sizeof plain) != 0)
            CHECK_INT(n, -1);
    }
}

static uint32_t seed;
static uint32_t noise(void) { return seed = seed * 1664525 + 1013904223; }

static void fill(uint8_t *p, size_t n, int how)
{
    static const char *const word[] = { "Inbox ", "the ", "message ", "IPM.Note", "a", "\r\n", "Subject: ", "0123456789" };
    for (size_t i = 0; i < n; ) {
        const char *w = word[noise() >> 16 & 7];
        switch (how) {
        case 0: /* noise */
            p[i++] = (uint8_t)(noise() >> 24);
            break;
        case 1: /* text */
            for (; *w != 0 && i < n; w++)
                p[i++] = (uint8_t)*w;
            break;
        case 2: /* text as UTF-16 */
            for (; *w != 0 && i < n; w++, i++) {
                p[i++] = (uint8_t)*w;
                if (i < n)
                    p[i] = 0;
            }
            break;
        case 3: /* one byte */
            p[i++] = 0x20;
            break;
        case 4: /* period of about the window */
            p[i] = i < 8190 + n % 7 ? (uint8_t)(noise() >> 24) : p[i - (8190 + n % 7)];
            i++;
            break;
        default: /* few symbols */
            p[i++] = (uint8_t)(noise() >> 30);
            break;
        }
    }
}

TEST(round_trips)
{
    static uint8_t      plain[MOST], again[MOST];
    static const size_t size[] = { 0, 1, 2, 3, 4, 12, 13, 14, 31, 32, 33, 63, 64, 65, 200, 1000, 4096, 8191, 8192, 8193, 32767, 65535, MOST };
    for (int how = 0; how < 6; how++)
        for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
            size_t   n = size[s];
            uint8_t *out = malloc(n + !n); /* of exactly its size, for the sanitizer */
            seed = (uint32_t)(how * 1000 + (int)n);
            fill(plain, n, how);
            size_t packed = lzxpress_compress(blob_of(plain, n), out);
            CHECK(packed < n || packed == 0);
            CHECK(packed != 0 || how == 0 || how == 4 || n < 200); /* what repeats gets smaller */
            if (packed != 0) {
                CHECK(lzxpress_decompress(blob_of(out, packed), again, n));
                CHECK(memcmp(plain, again, n) == 0);
            }
            free(out);
        }
}

TEST(a_match_may_not_leave_the_output)
{
    uint8_t out[400];
    CHECK(!lzxpress_decompress(unhex("ff ff ff ff 00 00"), out, 10));                   /* nothing before it */
    CHECK(!lzxpress_decompress(unhex("00 00 00 40 61 08 00"), out, 10));                /* ends early */
    CHECK(!lzxpress_decompress(unhex("ff ff ff 7f 61 08 00"), out, 10));                /* distance 2, one byte there */
    CHECK(!lzxpress_decompress(unhex("ff ff ff 7f 61 07 00 0f ff 15 00"), out, 400));   /* a u16 that a byte could have said */
    CHECK(!lzxpress_decompress(unhex("ff ff ff 7f 61 07 00 0f ff 00 00 ff ff ff ff"), out, 400));
    CHECK(!lzxpress_decompress(unhex(abc_packed), out, 299));                           /* more than the size says */
    CHECK(!lzxpress_decompress(unhex(abc_packed), out, 301));                           /* less */
    CHECK(!lzxpress_decompress(unhex(""), out, 1));
    CHECK(lzxpress_decompress(unhex(""), out, 0));
}

static void unpack_anything(void *ctx, struct blob b)
{
    size_t   n = *(size_t *)ctx;
    uint8_t *out = malloc(n);
    (void)lzxpress_decompress(b, out, n);
    free(out);
}

TEST(damaged_bytes_stay_inside)
{
    size_t n = 300;
    mutate_all(unhex(abc_packed), unpack_anything, &n);
    n = 26;
    mutate_all(unhex(alphabet_packed), unpack_anything, &n);
}

/* What EcDoRpcExt2 carried: context handle 20, flags u32, count of the buffer u32; then the buffer with its RPC_HEADER_EXT: version, flags
 * (1 compressed, 2 obfuscated), size, actual size; then what the file has behind it. */
static void outlook_buffer(const char *name)
{
    struct arena *a = arena_new(1 << 22);
    struct blob   file = shared_file(a, name);
    if (file.n == 0) {
        arena_free(a);
        SKIP("no vectors here");
    }
    struct rd call = rd_blob_of(file);
    rd_blob(&call, 24);
    struct rd r = rd_sub(&call, rd_u32(&call));
    rd_u16(&r);
    uint16_t    flags = rd_u16(&r), size = rd_u16(&r), actual = rd_u16(&r);
    struct blob body = rd_blob(&r, size);
    CHECK(rd_done(&r));
    uint8_t *packed = arena_dup(a, body.p, body.n), *plain = arena_alloc(a, actual);
    if (flags & 2)
        lzxpress_xor(packed, body.n);
    CHECK(flags & 1);
    CHECK(lzxpress_decompress(blob_of(packed, body.n), plain, actual));

    /* the ROP list's size and a whole number of handles */
    struct rd rops = rd_over(plain, actual);
    uint16_t  rop_size = rd_u16(&rops);
    CHECK(rop_size >= 2 && rop_size <= actual && (actual - rop_size) % 4 == 0);

    uint8_t *again = arena_alloc(a, actual), *unpacked = arena_alloc(a, actual);
    size_t   n = lzxpress_compress(blob_of(plain, actual), again);
    CHECK(n != 0 && n <= body.n + body.n / 8u);
    CHECK(lzxpress_decompress(blob_of(again, n), unpacked, actual) && memcmp(unpacked, plain, actual) == 0);
    size_t room = actual;
    mutate_all(blob_of(packed, body.n), unpack_anything, &room);
    arena_free(a);
}

TEST(outlook_modify_recipients) { outlook_buffer("vectors/lzxpress/001_Outlook_2007_in_ModifyRecipients_comp.dat"); }
TEST(outlook_table_operations)  { outlook_buffer("vectors/lzxpress/002_Outlook_2007_in_Tables_operations_comp.dat"); }

TEST(obfuscation_is_its_own_inverse)
{
    uint8_t b[] = { 0x00, 0xA5, 0xFF };
    lzxpress_xor(b, sizeof b);
    CHECK_BYTES(blob_of(b, sizeof b), "a5 00 5a");
    lzxpress_xor(b, sizeof b);
    CHECK_BYTES(blob_of(b, sizeof b), "00 a5 ff");
}
