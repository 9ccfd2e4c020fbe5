/* test_large.c - large values: named by content, kept once, counted, swept. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/mapi/msg.h"
#include "backend/store/store_int.h"

static struct blob bytes(struct arena *a, size_t n, uint32_t seed)
{
    uint8_t *p = arena_alloc(a, n);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (uint8_t)(seed >> 24);
    }
    return blob_of(p, n);
}

TEST(the_same_bytes_are_kept_once)
{
    struct mbox b = mbox_new();
    struct large_ref r1, r2, r3;
    struct blob v = bytes(b.a, 200000, 1);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(large_put(b.m, v, &r1), ecNone);
    CHECK_EC(large_put(b.m, v, &r2), ecNone);
    CHECK_EC(large_put(b.m, blob_of(v.p, v.n - 1), &r3), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK(memcmp(&r1.key, &r2.key, LARGE_KEY) == 0);
    CHECK(memcmp(&r1.key, &r3.key, LARGE_KEY) != 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM large"), 2);
    CHECK_INT(mbox_sql(&b, "SELECT sum(length(bytes)) FROM large_piece"), 399999);
    mbox_end(&b);
}

TEST(any_window_reads)
{
    static const size_t size[] = { 0, 1, LARGE_PIECE - 1, LARGE_PIECE, LARGE_PIECE + 1, 3 * LARGE_PIECE };
    struct mbox b = mbox_new();
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        struct blob v = bytes(b.a, size[i], 7), got;
        struct large_ref r;
        REQUIRE_EC(mailbox_write(b.m), ecNone);
        REQUIRE_EC(large_put(b.m, v, &r), ecNone);
        REQUIRE_EC(mailbox_commit(b.m), ecNone);
        CHECK_INT(r.size, size[i]);
        CHECK_EC(large_read(b.m, &r, 0, SIZE_MAX, &got), ecNone);
        CHECK_BLOB(got, v);
        for (uint64_t at = 0; at < size[i]; at += 13007)
            for (size_t n = 1; n < 2 * LARGE_PIECE + 5; n = n * 3 + 1) {
                CHECK_EC(large_read(b.m, &r, at, n, &got), ecNone);
                size_t want = n < size[i] - at ? n : size[i] - at;
                CHECK(got.n == want && memcmp(got.p, v.p + at, want) == 0);
            }
        CHECK_EC(large_read(b.m, &r, size[i], 10, &got), ecNone);
        CHECK_INT(got.n, 0);
    }
    mbox_end(&b);
}

TEST(what_is_not_there)
{
    struct mbox b = mbox_new();
    struct large_ref r = { .size = 5 };
    struct blob got;
    CHECK_EC(large_read(b.m, &r, 0, 5, &got), ecNotFound);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(large_put(b.m, blob_str("hello"), &r), ecNone);
    r.size = 6;  /* a forged size */
    CHECK_EC(large_read(b.m, &r, 0, 6, &got), ecNotFound);
    CHECK_EC(large_count(b.m, &r, 1), ecNotFound);
    mbox_end(&b);
}

TEST(lost_pieces_are_damage)
{
    struct mbox b = mbox_new();
    struct large_ref r;
    struct blob got;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(large_put(b.m, bytes(b.a, 3 * LARGE_PIECE, 3), &r), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_exec(&b, "DELETE FROM large_piece WHERE n = 1");
    CHECK_EC(large_read(b.m, &r, 0, 10, &got), ecNone);
    CHECK_EC(large_read(b.m, &r, 0, 2 * LARGE_PIECE, &got), ecDiskError);
    mbox_exec(&b, "UPDATE large_piece SET bytes = x'00' WHERE n = 2");
    CHECK_EC(large_read(b.m, &r, 2 * LARGE_PIECE, 10, &got), ecDiskError);
    mbox_end(&b);
}

TEST(a_message_gives_its_large_values_away)
{
    struct mbox b = mbox_new();
    struct msg in = { 0 }, *m = arena_one(b.a, struct msg);
    char *text = arena_alloc(b.a, 10001);
    memset(text, 'x', 10000);
    props_set(b.a, &m->set, pv_str(PidTagSubject, "short"));
    props_set(b.a, &m->set, pv_str(PidTagBody, text));
    props_set(b.a, &m->set, pv_bin(PidTagRtfCompressed, bytes(b.a, LARGE_MIN, 9)));
    struct attachment *att = msg_att_add(b.a, m, 0);
    props_set(b.a, &att->set, pv_bin(PidTagAttachDataBinary, bytes(b.a, LARGE_MIN + 1, 9)));
    att->embedded = &in;
    props_set(b.a, &in.set, pv_str(PidTagBody, text));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(large_take(b.m, m), ecNone);
    CHECK(!props_find(&m->set, PidTagSubject)->large);
    CHECK(!props_find(&m->set, PidTagRtfCompressed)->large);
    const struct propval *body = props_find(&m->set, PidTagBody);
    CHECK(body->large && body->v.large.size == 20000);  /* strings are kept as UTF-16 */
    CHECK(props_find(&att->set, PidTagAttachDataBinary)->large);
    CHECK(props_find(&in.set, PidTagBody)->large);
    struct propval whole;
    REQUIRE_EC(large_load(b.m, body, &whole), ecNone);
    CHECK_BLOB(whole.v.s, blob_str(text));
    CHECK_EC(large_count_msg(b.m, m, 1), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM large"), 2);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 3);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(large_count_msg(b.m, m, -1), ecNone);
    CHECK_EC(large_count_msg(b.m, m, -1), ecDiskError);  /* never below zero */
    mbox_end(&b);
}
