/* test_rtfcp.c - compressed RTF: the examples of MS-OXRTFCP 4, round trips, hostile input. */
#include "backend/mapi/rtfcp.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena *arena;
static void fresh(void) { arena_free(arena); arena = arena_new(1 << 24); }

static const char simple[] = "2d 00 00 00 2b 00 00 00 4c 5a 46 75 f1 c5 c7 a7 03 00 0a 00 72 63 70 67 31 32 35 42 32 0a f3 20 68 65 6c "
                             "09 00 20 62 77 05 b0 6c 64 7d 0a 80 0f a0";
static const char simple_text[] = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";
static const char crossing[] = "1a 00 00 00 1c 00 00 00 4c 5a 46 75 e2 d4 4b 51 41 00 04 20 57 58 59 5a 0d 6e 7d 01 0e b0";
static const char crossing_text[] = "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}";

TEST(examples_unpack)
{
    fresh();
    struct blob out;
    CHECK(rtfcp_decompress(arena, unhex(simple), &out));
    CHECK_BLOB(out, blob_str(simple_text));
    CHECK(rtfcp_decompress(arena, unhex(crossing), &out));
    CHECK_BLOB(out, blob_str(crossing_text));
    CHECK(rtfcp_decompress(arena, unhex("10 00 00 00 04 00 00 00 4d 45 4c 41 00 00 00 00 7b 72 74 66"), &out));
    CHECK_BLOB(out, blob_str("{rtf"));
}

TEST(examples_pack)
{
    fresh();
    CHECK_BYTES(rtfcp_compress(arena, blob_str(simple_text)), simple);
    CHECK_BYTES(rtfcp_compress(arena, blob_str(crossing_text)), crossing);
}

static void round_trip(struct blob b)
{
    struct blob packed = rtfcp_compress(arena, b), out;
    CHECK(rtfcp_decompress(arena, packed, &out));
    CHECK(blob_eq(out, b));
}

TEST(round_trips)
{
    static uint8_t      b[50000];
    static const size_t size[] = { 0, 1, 2, 3, 7, 8, 9, 16, 17, 100, 4095, 4096, 4097, 20000, sizeof b };
    for (unsigned how = 0; how < 4; how++) {
        uint32_t seed = how;
        for (size_t i = 0; i < sizeof b; i++) {
            seed = seed * 1664525 + 1013904223;
            b[i] = (uint8_t)(how == 0 ? seed >> 24 : how == 1 ? 'a' : how == 2 ? (seed >> 30) + 'a' : i < 4090 ? seed >> 24 : b[i - 4090]);
        }
        for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
            fresh();
            round_trip(blob_of(b, size[s]));
        }
    }
}

TEST(damage_is_seen)
{
    fresh();
    uint8_t bad[64];
    struct blob good = unhex(simple), out;
    memcpy(bad, good.p, good.n);
    bad[20] ^= 1; /* content without its checksum */
    CHECK(!rtfcp_decompress(arena, blob_of(bad, good.n), &out));
    CHECK(!rtfcp_decompress(arena, unhex("0c 00 00 00 ff ff ff ff 4c 5a 46 75 00 00 00 00"), &out)); /* claims 4 GiB */
    CHECK(!rtfcp_decompress(arena, unhex("0b 00 00 00 00 00 00 00 4c 5a 46 75 00 00 00 00"), &out)); /* size below its fields */
    CHECK(!rtfcp_decompress(arena, unhex("0c 00 00 00 00 00 00 00 41 42 43 44 00 00 00 00"), &out)); /* neither type */
}

static void unpack_anything(void *ctx, struct blob b)
{
    (void)ctx;
    struct blob out;
    fresh();
    (void)rtfcp_decompress(arena, b, &out);
    if (b.n <= 16)
        return;
    uint8_t *right = arena_dup(arena, b.p, b.n); /* with its checksum made right, behind which the rest is hostile too */
    uint32_t crc = rtfcp_crc(blob_of(right + 16, b.n - 16));
    right[0] = (uint8_t)(b.n - 4);
    for (int i = 0; i < 4; i++)
        right[12 + i] = (uint8_t)(crc >> 8 * i);
    (void)rtfcp_decompress(arena, blob_of(right, b.n), &out);
}

TEST(damaged_bytes_stay_inside)
{
    mutate_all(unhex(simple), unpack_anything, NULL);
    mutate_all(unhex(crossing), unpack_anything, NULL);
}
