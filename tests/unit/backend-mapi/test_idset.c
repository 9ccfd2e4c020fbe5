/* test_idset.c - sets of ids (MS-OXCFXICS 2.2.2.4-2.2.2.6): arithmetic against a plain bitmap, coding, hostile commands. */
#include "backend/mapi/idset.h"
#include "tests/unit/backend-mapi/wire.h"

static struct globset read_set(const char *bytes, bool *ok)
{
    struct globset s;
    struct blob    b = hex(bytes);
    struct rd      r = rd_blob_of(b);
    globset_read(&r, arena, &s);
    *ok = rd_done(&r);
    return s;
}

static const char *text(const struct globset *s)
{
    char *t = arena_strdup(arena, "");
    for (size_t i = 0; i < s->n; i++)
        t = arena_printf(arena, "%s%s%llx-%llx", t, i != 0 ? " " : "", (unsigned long long)s->v[i].low, (unsigned long long)s->v[i].high);
    return t;
}

TEST(ranges_join_and_split)
{
    fresh();
    struct globset s = { 0 };
    globset_add(arena, &s, 5, 7);
    globset_add(arena, &s, 10, 12);
    globset_add(arena, &s, 1, 1);
    CHECK_STR(text(&s), "1-1 5-7 a-c");
    globset_add(arena, &s, 8, 9);
    CHECK_STR(text(&s), "1-1 5-c");
    globset_remove(arena, &s, 7, 8);
    CHECK_STR(text(&s), "1-1 5-6 9-c");
    globset_remove(arena, &s, 0, 5);
    CHECK_STR(text(&s), "6-6 9-c");
    globset_add(arena, &s, 0, 100);
    CHECK_STR(text(&s), "0-64");
    globset_remove(arena, &s, 0, 0xFFFFFFFFFFFF);
    CHECK_STR(text(&s), "");
    CHECK_INT(globset_max(&s), 0);
    globset_add(arena, &s, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFF);
    CHECK(globset_has(&s, 0xFFFFFFFFFFFF) && !globset_has(&s, 0));
}

TEST(as_a_bitmap_would)
{
    fresh();
    enum { N = 200 };
    bool           bit[N] = { false };
    struct globset s = { 0 };
    uint32_t       seed = 1;
    for (int step = 0; step < 3000; step++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t low = seed >> 8 & 127, high = low + (seed >> 16 & 15);
        bool     add = (seed >> 28 & 1) != 0;
        if (add)
            globset_add(arena, &s, low, high);
        else
            globset_remove(arena, &s, low, high);
        for (uint64_t i = low; i <= high; i++)
            bit[i] = add;
        for (uint64_t i = 0; i < N; i++)
            if (globset_has(&s, i) != bit[i])
                CHECK_INT(i, -1);
        for (size_t i = 1; i < s.n; i++)
            CHECK(s.v[i - 1].high + 1 < s.v[i].low);
    }
}

/* OXCFXICS R199-R218, R1956-R1992, R1994-R2014 */
TEST(commands)
{
    static const struct { const char *bytes, *ranges; } good[] = {
        { "00", "" },
        { "52 00 00 00 00 00 01 00 00 00 00 00 05 00", "1-5" },
        { "05 00 00 00 00 01 52 02 05 50 00", "102-105" },
        { "05 00 00 00 00 01 42 02 05 50 00", "102-103 105-105" },       /* 2, and bits 0 and 2: 3 and 5 */
        { "05 00 00 00 00 01 42 10 ff 50 00", "110-118" },
        { "05 00 00 00 00 01 01 02 01 05 50 00", "102-102 105-105" },     /* six bytes are a value and go by themselves */
        { "06 00 00 00 00 00 07 00", "7-7" },
        { "02 00 00 03 00 00 01 52 02 05 50 52 00 00 02 00 00 00 03 00 50 00", "102-105 200-300" },
        { "52 00 00 00 00 00 07 00 00 00 00 00 09 52 00 00 00 00 00 01 00 00 00 00 00 06 00", "1-9" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        fresh();
        bool           ok;
        struct globset s = read_set(good[i].bytes, &ok);
        CHECK(ok);
        CHECK_STR(text(&s), good[i].ranges);
        struct wr w = fresh_wr();
        globset_write(&w, &s);
        struct rd      r = rd_blob_of(wr_blob(&w));
        struct globset t;
        globset_read(&r, arena, &t);
        CHECK(rd_done(&r));
        CHECK_STR(text(&t), good[i].ranges);
    }
}

TEST(bad_commands)
{
    static const char *const bad[] = {
        "", "52 00 00", "50 00", "07 00", "43 00",
        "05 00 00 00 00 01 00",             /* End with bytes on the stack */
        "05 00 00 00 00 01 02 01 02 50 00", /* seven bytes */
        "04 00 00 00 00 42 02 05 50 00",    /* bitmask on four bytes, R2003 */
        "42 02 05 00",
        "05 00 00 00 00 01 42 fe 04 50 00", /* bitmask over the end of the byte */
        "05 00 00 00 00 01 52 05 02 50 00", /* from high to low, R214 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fresh();
        bool           ok;
        struct globset s = read_set(bad[i], &ok);
        CHECK(!ok);
        CHECK_INT(s.n, 0);
    }
}

TEST(written_form)
{
    fresh();
    struct globset s = { 0 };
    struct wr      w = fresh_wr();
    globset_add(arena, &s, 0x101, 0x101);
    globset_write(&w, &s);
    CHECK_BYTES(wr_blob(&w), "05 00 00 00 00 01 52 01 01 50 00");
    globset_add(arena, &s, 0x205, 0x307);
    w = fresh_wr();
    globset_write(&w, &s);
    CHECK_BYTES(wr_blob(&w), "04 00 00 00 00 52 01 01 01 01 52 02 05 03 07 50 00");
}

TEST(sets_of_several_replicas)
{
    fresh();
    struct idset      s = { 0 }, t;
    const struct guid g1 = { { 1 } }, g2 = { { 2 } };
    globset_add(arena, idset_by_guid(arena, &s, &g2), 2, 2);
    globset_add(arena, idset_by_guid(arena, &s, &g1), 1, 1);
    idset_by_guid(arena, &s, &(struct guid){ { 3 } });
    struct wr w = fresh_wr();
    idset_write(&w, arena, IDSET_GUID, &s);
    CHECK_BYTES(wr_blob(&w), "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 00 00 00 00 00 52 01 01 50 00 "
                             "02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 00 00 00 00 00 52 02 02 50 00");
    struct rd r = rd_blob_of(wr_blob(&w));
    idset_read(&r, arena, IDSET_GUID, &t);
    CHECK(rd_done(&r));
    CHECK_INT(t.n, 2);
    CHECK(globset_has(idset_by_guid(arena, &t, &g2), 2) && !globset_has(idset_by_guid(arena, &t, &g1), 2));

    struct blob twice = hex("01 00 06 00 00 00 00 00 07 00 05 00 00 01 00 06 00 00 00 00 00 08 00");
    r = rd_blob_of(twice);
    idset_read(&r, arena, IDSET_REPLID, &t);
    CHECK(rd_done(&r));
    CHECK_INT(t.n, 2);
    CHECK_STR(text(idset_by_replid(arena, &t, 1)), "7-8");
}

static void read_anything(void *ctx, struct blob b)
{
    (void)ctx;
    for (int form = IDSET_REPLID; form <= IDSET_GUID; form++) {
        fresh();
        struct idset s, t;
        struct rd    r = rd_blob_of(b);
        idset_read(&r, arena, (enum idset_form)form, &s);
        if (!rd_ok(&r))
            continue;
        struct wr w = fresh_wr(), w2 = fresh_wr();
        idset_write(&w, arena, (enum idset_form)form, &s);
        struct rd r2 = rd_blob_of(wr_blob(&w));
        idset_read(&r2, arena, (enum idset_form)form, &t);
        CHECK(rd_done(&r2));
        idset_write(&w2, arena, (enum idset_form)form, &t);
        CHECK_BLOB(wr_blob(&w2), wr_blob(&w));
    }
}

TEST(damaged_bytes_stay_inside)
{
    static uint8_t keep[128];
    struct blob b = unhex("01 00 02 00 00 03 00 00 01 52 02 05 50 52 00 00 02 00 00 00 03 00 50 00 02 00 05 00 00 00 00 01 42 02 05 01 09 50 00");
    memcpy(keep, b.p, b.n);
    mutate_all(blob_of(keep, b.n), read_anything, NULL);
    b = unhex("01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 05 00 00 00 00 00 52 01 01 50 00");
    memcpy(keep, b.p, b.n);
    mutate_all(blob_of(keep, b.n), read_anything, NULL);
}
