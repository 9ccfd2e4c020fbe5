/* test_pcl.c - predecessor change lists (MS-OXCFXICS 2.2.2.3). */
#include "backend/mapi/pcl.h"
#include "tests/unit/backend-mapi/wire.h"

static const struct guid a = { { 1 } }, b = { { 2 } }, c = { { 3 } };

#define NS(n) n " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "

static struct blob add(struct blob old, const struct guid *g, uint64_t cn) { return pcl_add(arena, old, g, cn); }

/* OXCFXICS R169-R173: sorted by namespace, without padding. */
TEST(merging_keeps_the_order)
{
    fresh();
    struct blob p = add(add(add(blob_of(NULL, 0), &b, 5), &c, 7), &a, 9);
    CHECK_BYTES(p, "16 " NS("01") "00 00 00 00 00 09 16 " NS("02") "00 00 00 00 00 05 16 " NS("03") "00 00 00 00 00 07");
    CHECK_BLOB(add(p, &b, 4), p);
    CHECK_BLOB(add(p, &b, 5), p);
    CHECK_BYTES(add(p, &b, 0x100), "16 " NS("01") "00 00 00 00 00 09 16 " NS("02") "00 00 00 00 01 00 16 " NS("03") "00 00 00 00 00 07");
}

TEST(lists_out_of_order_and_malformed)
{
    fresh();
    struct blob mixed = hex("16 " NS("03") "00 00 00 00 00 07 16 " NS("01") "00 00 00 00 00 09");
    struct blob p = add(mixed, &a, 3);
    CHECK(pcl_contains(p, mixed) && pcl_contains(mixed, p));
    struct blob alone = add(blob_of(NULL, 0), &a, 3);
    CHECK_BLOB(add(hex("16 01 02"), &a, 3), alone);
    CHECK_BLOB(add(hex("10 " NS("01")), &a, 3), alone);
}

TEST(containment)
{
    fresh();
    struct blob none = blob_of(NULL, 0), p = add(add(none, &a, 5), &b, 7), q = add(p, &a, 6);
    CHECK(pcl_contains(p, p) && pcl_contains(q, p) && !pcl_contains(p, q));
    CHECK(pcl_contains(p, none) && !pcl_contains(none, p) && pcl_contains(none, none));
    struct blob r = add(p, &c, 1); /* q and r have each what the other has not */
    CHECK(!pcl_contains(q, r) && !pcl_contains(r, q));
    CHECK(!pcl_contains(hex("16 00"), none) && !pcl_contains(p, hex("16 00")));
}

static void use_anything(void *ctx, struct blob x)
{
    (void)ctx;
    fresh();
    struct blob p = pcl_add(arena, x, &b, 9);
    CHECK(pcl_contains(p, pcl_add(arena, blob_of(NULL, 0), &b, 9)));
    pcl_contains(x, p);
    pcl_contains(p, x);
}

TEST(damaged_bytes_stay_inside)
{
    static uint8_t keep[64];
    struct blob    x = unhex("16 " NS("01") "00 00 00 00 00 09 17 " NS("02") "00 00 00 00 00 05 01");
    memcpy(keep, x.p, x.n);
    mutate_all(blob_of(keep, x.n), use_anything, NULL);
}
