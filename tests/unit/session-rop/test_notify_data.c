/* test_notify_data.c - RopNotify byte by byte, each kind of notification; and damaged ones. MS-OXCNOTIF 2.2.1.4.1. */
#include "backend/store/event.h"
#include "session/rop/notify_data.h"
#include "tests/mutate.h"
#include "tests/unit.h"

enum { ARENA = 1 << 20 };
#define F "\x01\x00\x00\x00\x00\x00\x00\x05"
#define P "\x01\x00\x00\x00\x00\x00\x00\x04"
#define M "\x01\x00\x00\x00\x00\x00\x00\x99"
#define O "\x01\x00\x00\x00\x00\x00\x00\x08"
#define Q "\x01\x00\x00\x00\x00\x00\x00\x09"
#define N "\x01\x00\x00\x00\x00\x00\x00\x98"
#define HEAD "\x2A\x04\x03\x02\x01\x07"

static const uint32_t tags[] = { 0x0037001F, 0x0E080003 };
static uint64_t id(uint8_t n) { return 0x01 | (uint64_t)n << 56; }

/* All fields are given each time: those that a kind does not have are not written. */
static struct notify_data full(unsigned flags, unsigned table_event)
{
    return (struct notify_data){
        .handle = 0x01020304, .logon_id = 7, .flags = (uint16_t)flags, .table_event = (uint16_t)table_event, .row = { id(5), id(0x99), 3 },
        .after = { id(5), id(0x98), 2 }, .values = blob_of("\x00\x01", 2), .fid = id(5), .mid = id(0x99), .parent = id(4), .old_fid = id(8), .old_mid = id(0x98),
        .old_parent = id(9), .ntags = 2, .tags = tags, .total = 0x11, .unread = 0x22, .message_flags = 0x33, .unicode = true, .message_class = "IPM",
    };
}

static const struct { unsigned flags, table_event; const char *bytes; size_t n; const char *text; } forms[] = {
#define FORM(flags, event, bytes, text) { flags, event, HEAD bytes, sizeof(HEAD bytes) - 1, "handle=16909060 logon=7 " text }
    FORM(0x8002, 0, "\x02\x80" F M "\x33\0\0\0\1I\0P\0M\0\0\0", "flags=8002 new mail folder=5 message=99 class=IPM message flags=33"),
    FORM(0x8004, 0, "\x04\x80" F M "\2\0\x1F\0\x37\0\3\0\x08\x0E", "flags=8004 created folder=5 message=99 tags=2"),
    FORM(0x0004, 0, "\x04\x00" F P "\2\0\x1F\0\x37\0\3\0\x08\x0E", "flags=0004 created folder=5 parent=4 tags=2"),
    FORM(0xC004, 0, "\x04\xC0" F M P "\2\0\x1F\0\x37\0\3\0\x08\x0E", "flags=c004 created folder=5 message=99 parent=4 tags=2"),
    FORM(0x8008, 0, "\x08\x80" F M, "flags=8008 deleted folder=5 message=99"),
    FORM(0x0008, 0, "\x08\x00" F P, "flags=0008 deleted folder=5 parent=4"),
    FORM(0xC008, 0, "\x08\xC0" F M P, "flags=c008 deleted folder=5 message=99 parent=4"),
    FORM(0x8010, 0, "\x10\x80" F M "\2\0\x1F\0\x37\0\3\0\x08\x0E", "flags=8010 modified folder=5 message=99 tags=2"),
    FORM(0x0010, 0, "\x10\x00" F "\2\0\x1F\0\x37\0\3\0\x08\x0E", "flags=0010 modified folder=5 tags=2"),
    FORM(0x1010, 0, "\x10\x10" F "\2\0\x1F\0\x37\0\3\0\x08\x0E\x11\0\0\0", "flags=1010 modified folder=5 tags=2 total=17"),
    FORM(0x2010, 0, "\x10\x20" F "\2\0\x1F\0\x37\0\3\0\x08\x0E\x22\0\0\0", "flags=2010 modified folder=5 tags=2 unread=34"),
    FORM(0x3010, 0, "\x10\x30" F "\2\0\x1F\0\x37\0\3\0\x08\x0E\x11\0\0\0\x22\0\0\0", "flags=3010 modified folder=5 tags=2 total=17 unread=34"),
    FORM(0x8020, 0, "\x20\x80" F M O N, "flags=8020 moved folder=5 message=99 old folder=8 old message=98"),
    FORM(0x0020, 0, "\x20\x00" F P O Q, "flags=0020 moved folder=5 parent=4 old folder=8 old parent=9"),
    FORM(0xC020, 0, "\x20\xC0" F M P O N, "flags=c020 moved folder=5 message=99 parent=4 old folder=8 old message=98"),
    FORM(0x8040, 0, "\x40\x80" F M O N, "flags=8040 copied folder=5 message=99 old folder=8 old message=98"),
    FORM(0x0040, 0, "\x40\x00" F P O Q, "flags=0040 copied folder=5 parent=4 old folder=8 old parent=9"),
    FORM(0x0080, 0, "\x80\x00" F, "flags=0080 search complete folder=5"),
    FORM(0x0100, 1, "\0\1\1\0", "flags=0100 table changed"),
    FORM(0x8100, 1, "\0\x81\1\0", "flags=8100 table changed"),
    FORM(0x8100, 3, "\0\x81\3\0" F M "\3\0\0\0" F N "\2\0\0\0\2\0\0\1", "flags=8100 table row added folder=5 message=99 after=98 row=2 bytes"),
    FORM(0x8100, 4, "\0\x81\4\0" F M "\3\0\0\0", "flags=8100 table row deleted folder=5 message=99"),
    FORM(0x8100, 5, "\0\x81\5\0" F M "\3\0\0\0" F N "\2\0\0\0\2\0\0\1", "flags=8100 table row modified folder=5 message=99 after=98 row=2 bytes"),
    FORM(0x0100, 3, "\0\1\3\0" F F "\2\0\0\1", "flags=0100 table row added folder=5 after=5 row=2 bytes"),
    FORM(0x0100, 4, "\0\1\4\0" F, "flags=0100 table row deleted folder=5"),
    FORM(0x0100, 5, "\0\1\5\0" F F "\2\0\0\1", "flags=0100 table row modified folder=5 after=5 row=2 bytes"),
    FORM(0x0100, 7, "\0\1\7\0", "flags=0100 table restriction changed"),
    FORM(0x0400, 0, "\0\4", "flags=0400 unknown"),
};
enum { FORMS = sizeof forms / sizeof *forms };

static struct blob written(struct arena *a, const struct notify_data *n)
{
    struct wr w = wr_in(a, 4096);
    notify_data_write(&w, a, n);
    CHECK(!w.full);
    return wr_blob(&w);
}

TEST(every_kind_byte_by_byte)
{
    struct arena *a = arena_new(ARENA);
    for (size_t i = 0; i < FORMS; i++) {
        struct notify_data n = full(forms[i].flags, forms[i].table_event), got;
        struct blob b = written(a, &n), want = blob_of(forms[i].bytes, forms[i].n);
        unit_check(blob_eq(b, want), __FILE__, __LINE__, "form %zu: %zu bytes, not %zu", i, b.n, want.n);
        struct rd r = rd_blob_of(want);
        CHECK(notify_data_read(&r, a, &got) && rd_done(&r));
        CHECK(blob_eq(written(a, &got), want));
        CHECK_STR(notify_data_text(a, &got), forms[i].text);
    }
    arena_free(a);
}

TEST(forms_of_their_own)
{
    struct arena *a = arena_new(ARENA);
    struct notify_data n = full(0x8002, 0), got;
    n.unicode = false; /* R225 */
    CHECK(blob_eq(written(a, &n), blob_of(HEAD "\x02\x80" F M "\x33\0\0\0\0IPM\0", 33)));
    n = full(0x8010, 0);
    n.ntags = NOTIFY_TAGS_NONE; /* R20303 */
    struct blob b = written(a, &n);
    CHECK(blob_eq(b, blob_of(HEAD "\x10\x80" F M "\xFF\xFF", 26)));
    struct rd r = rd_blob_of(b);
    CHECK(notify_data_read(&r, a, &got) && rd_done(&r) && got.ntags == NOTIFY_TAGS_NONE);
    r = rd_blob_of(blob_of("\x2B\0\0\0\0\0\2\0", 8));
    CHECK(!notify_data_read(&r, a, &got));
    arena_free(a);
}

static void damaged(void *ctx, struct blob b)
{
    struct arena *a = arena_new(ARENA);
    struct notify_data n;
    struct rd r = rd_blob_of(b);
    if (notify_data_read(&r, a, &n))
        notify_data_text(a, &n);
    CHECK(arena_used(a) < 65536);
    (*(unsigned *)ctx)++;
    arena_free(a);
}

TEST(every_truncation_and_bit_flip)
{
    unsigned n = 0;
    for (size_t i = 0; i < FORMS; i++)
        mutate_all(blob_of(forms[i].bytes, forms[i].n), damaged, &n);
    CHECK(n > 1000);
}
