/* test_msg.c - messages packed, unpacked, one value picked, changes applied; damaged bytes. */
#include "backend/mapi/msg.h"
#include "backend/mapi/restriction.h"
#include "tests/unit/backend-mapi/wire.h"

static struct propval large(uint32_t tag, uint8_t key, uint64_t size)
{
    struct propval v = { .tag = tag, .large = true, .v.large.size = size };
    memset(v.v.large.key, key, LARGE_KEY);
    return v;
}

static struct props some_props(void)
{
    struct props p = { 0 };
    props_set(arena, &p, pv_str(PidTagSubject, "Hello \xC3\xA4"));
    props_set(arena, &p, pv_i32(PidTagImportance, -2));
    props_set(arena, &p, pv_bool(PidTagHasAttachments, true));
    props_set(arena, &p, pv_i16(PROP_TAG(0x6601, PtypInteger16), -3));
    props_set(arena, &p, pv_time(PidTagClientSubmitTime, 0x01D0000000000001));
    props_set(arena, &p, pv_bin(PidTagSearchKey, hex("00 01 02 ff")));
    props_set(arena, &p, pv_guid(PROP_TAG(0x6602, PtypGuid), (struct guid){ { 1, 2, 3 } }));
    props_set(arena, &p, pv_str(PROP_TAG(0x6603, PtypString), ""));
    props_set(arena, &p, large(PidTagBody, 7, 1234567));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8001, PtypMultipleFlag | PtypString), "02 00 00 00 52 00 00 00 42 00 43 00 00 00"));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8002, PtypMultipleFlag | PtypInteger32), "02 00 00 00 05 00 00 00 07 00 00 00"));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8003, PtypMultipleFlag | PtypBinary), "02 00 00 00 01 00 aa 00 00"));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8004, PtypRestriction), "02 08 1f 00 37 00"));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8005, PtypRuleAction), "01 00 09 00 0a 00 00 00 00 00 00 00 00"));
    props_set(arena, &p, read_value(&rop, PROP_TAG(0x8006, PtypFloating64), "00 00 00 00 00 00 f0 3f"));
    props_set(arena, &p, pv_err(PidTagHtml, ecNotFound));
    return p;
}

static struct blob packed_props(const struct props *p)
{
    struct wr w = fresh_wr();
    props_pack(&w, p);
    CHECK(!w.full);
    return wr_blob(&w);
}

static bool same_value(const struct propval *a, const struct propval *b)
{
    if (a->tag != b->tag || a->large != b->large)
        return false;
    if (a->large)
        return memcmp(a->v.large.key, b->v.large.key, LARGE_KEY) == 0 && a->v.large.size == b->v.large.size;
    return blob_eq(write_tagged(&wide, a), write_tagged(&wide, b));
}

static void same_props(const struct props *a, const struct props *b)
{
    CHECK_INT(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct propval *v = props_find(b, a->v[i].tag);
        CHECK(v != NULL && same_value(&a->v[i], v));
    }
}

TEST(properties_round_trip)
{
    fresh();
    struct props p = some_props(), q;
    struct blob  b = packed_props(&p);
    REQUIRE(props_unpack(b, arena, &q));
    same_props(&p, &q);
    CHECK_BLOB(packed_props(&q), b);
}

TEST(no_properties_are_four_bytes)
{
    fresh();
    struct props   p = { 0 };
    struct propval v;
    struct blob    b = packed_props(&p);
    CHECK_BYTES(b, "70 01 00 00");
    CHECK(props_unpack(b, arena, &p) && p.n == 0);
    CHECK(!props_pick(b, arena, PidTagSubject, &v));
}

TEST(one_value_is_picked)
{
    fresh();
    struct props   p = some_props();
    struct blob    b = packed_props(&p);
    struct propval v;
    for (size_t i = 0; i < p.n; i++) {
        REQUIRE(props_pick(b, arena, p.v[i].tag, &v));
        CHECK(same_value(&v, &p.v[i]));
    }
    CHECK(props_pick(b, arena, PidTagSubject & 0xFFFF0000, &v)); /* by id */
    CHECK(!props_pick(b, arena, PidTagDisplayTo, &v));
    CHECK(!props_pick(b, arena, 0x00010003, &v));
    CHECK(!props_pick(b, arena, 0xFFFF0003, &v));
}

/* The layout is on disk: it may not change unnoticed. */
TEST(the_layout_is_what_it_was)
{
    fresh();
    struct props p = { 0 };
    props_set(arena, &p, pv_i32(PidTagImportance, 2));
    props_set(arena, &p, pv_str(PidTagSubject, "Hi"));
    CHECK_BYTES(packed_props(&p), "70 01 02 00  03 00 17 00 04 00 00 00  1f 00 37 00 06 00 00 00  02 00 00 00 48 69");
    struct msg m = { .set = p, .next_att = 3 };
    struct wr  w = fresh_wr();
    msg_pack(&w, &m);
    CHECK_BYTES(wr_blob(&w), "6d 01 00 00  01 1a 00 00 00  70 01 02 00 03 00 17 00 04 00 00 00 1f 00 37 00 06 00 00 00 02 00 00 00 48 69"
                             "  06 04 00 00 00 03 00 00 00");
}

static struct msg some_msg(void)
{
    struct msg m = { .set = some_props(), .rcpts_replaced = true, .next_att = 7 };
    tags_add(arena, &m.del, PidTagDisplayTo);
    struct recipient *r = msg_rcpt_add(arena, &m, 4);
    r->type = 1;
    r->code_page = 1252;
    props_set(arena, &r->props, pv_str(PidTagDisplayName, "Alice"));
    msg_rcpt_add(arena, &m, 9)->deleted = true;
    struct attachment *t = msg_att_add(arena, &m, 2);
    t->fresh = true;
    props_set(arena, &t->set, pv_str(PidTagAttachLongFilename, "a.txt"));
    props_set(arena, &t->set, large(PROP_TAG(0x3701, PtypBinary), 9, 99));
    tags_add(arena, &t->del, PidTagAttachFilename);
    t->embedded = arena_one(arena, struct msg);
    props_set(arena, &t->embedded->set, pv_str(PidTagSubject, "inner"));
    msg_att_add(arena, &m, 5)->deleted = true;
    return m;
}

static struct blob packed_msg(const struct msg *m)
{
    struct wr w = fresh_wr();
    msg_pack(&w, m);
    CHECK(!w.full);
    return wr_blob(&w);
}

TEST(messages_round_trip)
{
    fresh();
    struct msg  m = some_msg(), n;
    struct blob b = packed_msg(&m);
    REQUIRE(msg_unpack(b, arena, &n));
    CHECK_BLOB(packed_msg(&n), b);
    same_props(&m.set, &n.set);
    CHECK(n.rcpts_replaced);
    CHECK_INT(n.next_att, 7);
    CHECK(tags_has(&n.del, PidTagDisplayTo));
    CHECK_INT(n.nrcpt, 2);
    CHECK_INT(msg_rcpt(&n, 4)->type, 1);
    CHECK_INT(msg_rcpt(&n, 4)->code_page, 1252);
    CHECK_BLOB(props_str(&msg_rcpt(&n, 4)->props, PidTagDisplayName), blob_str("Alice"));
    CHECK(msg_rcpt(&n, 9)->deleted);
    CHECK(msg_rcpt(&n, 5) == NULL);
    CHECK_INT(n.natt, 2);
    CHECK(msg_att(&n, 2)->fresh && !msg_att(&n, 2)->deleted);
    CHECK(tags_has(&msg_att(&n, 2)->del, PidTagAttachFilename));
    CHECK_BLOB(props_str(&msg_att(&n, 2)->embedded->set, PidTagSubject), blob_str("inner"));
    CHECK(msg_att(&n, 5)->deleted && msg_att(&n, 3) == NULL);
}

TEST(recipients_round_trip)
{
    fresh();
    struct msg m = some_msg(), n = { .next_att = 3 };
    struct wr  w = fresh_wr();
    rcpts_pack(&w, &m);
    CHECK(rcpts_unpack(wr_blob(&w), arena, &n));
    CHECK_INT(n.nrcpt, 2);
    CHECK_INT(n.next_att, 3);
    CHECK_BLOB(props_str(&n.rcpt[0].props, PidTagDisplayName), blob_str("Alice"));
}

static void add_size(void *ctx, const struct large_ref *ref) { *(uint64_t *)ctx += ref->size; }

TEST(large_values_everywhere)
{
    fresh();
    struct msg m = some_msg();
    props_set(arena, &m.att[0].embedded->set, large(PidTagHtml, 1, 1000));
    uint64_t sum = 0;
    msg_each_large(&m, add_size, &sum);
    CHECK_INT(sum, 1234567 + 99 + 1000);
}

TEST(changes_applied)
{
    fresh();
    struct msg base = { 0 }, over = some_msg();
    props_set(arena, &base.set, pv_str(PidTagDisplayTo, "gone"));
    props_set(arena, &base.set, pv_str(PidTagSubject, "old"));
    props_set(arena, &base.set, pv_str(PidTagDisplayCc, "kept"));
    msg_rcpt_add(arena, &base, 1);
    msg_rcpt_add(arena, &base, 9);
    props_set(arena, &msg_att_add(arena, &base, 5)->set, pv_i32(PidTagAttachMethod, 1));
    props_set(arena, &msg_att_add(arena, &base, 6)->set, pv_i32(PidTagAttachMethod, 1));
    msg_apply(arena, &base, &over);
    CHECK(props_find(&base.set, PidTagDisplayTo) == NULL);
    CHECK_BLOB(props_str(&base.set, PidTagSubject), blob_str("Hello \xC3\xA4"));
    CHECK_BLOB(props_str(&base.set, PidTagDisplayCc), blob_str("kept"));
    CHECK_INT(base.nrcpt, 1); /* all were replaced */
    CHECK_INT(base.rcpt[0].row, 4);
    CHECK_INT(base.natt, 2);
    CHECK(msg_att(&base, 5) == NULL && msg_att(&base, 6) != NULL);
    CHECK_BLOB(props_str(&msg_att(&base, 2)->embedded->set, PidTagSubject), blob_str("inner"));
    CHECK_INT(base.next_att, 7);

    struct msg more = { 0 };
    struct attachment *t = msg_att_add(arena, &more, 2);
    t->embedded = arena_one(arena, struct msg);
    props_set(arena, &t->embedded->set, pv_str(PidTagDisplayTo, "x"));
    tags_add(arena, &t->embedded->del, PidTagSubject);
    msg_rcpt_add(arena, &more, 8);
    msg_apply(arena, &base, &more);
    CHECK_INT(base.nrcpt, 2);
    CHECK_INT(msg_att(&base, 2)->embedded->set.n, 1);
    CHECK_BLOB(props_str(&msg_att(&base, 2)->set, PidTagAttachLongFilename), blob_str("a.txt"));
}

TEST(lists)
{
    fresh();
    struct props p = some_props();
    size_t       n = p.n;
    props_del(&p, PidTagImportance);
    props_del(&p, PidTagDisplayTo);
    CHECK_INT(p.n, n - 1);
    CHECK(props_find(&p, PidTagImportance) == NULL);
    CHECK_INT(props_i32(&p, PidTagImportance, 5), 5);
    CHECK_INT(props_i64(&p, PidTagClientSubmitTime, 0), 0x01D0000000000001);
    CHECK_BYTES(props_bin(&p, PidTagSearchKey), "00 01 02 ff");
    CHECK_INT(props_str(&p, PidTagBody).n, 0); /* large: not here */
    struct tags t = { 0 };
    tags_add(arena, &t, PidTagSubject);
    tags_add(arena, &t, 0x0037001E);
    CHECK_INT(t.n, 1);
    tags_del(&t, PidTagSubject);
    CHECK_INT(t.n, 0);
}

TEST(too_deep_is_refused)
{
    fresh();
    struct msg m = { 0 }, *at = &m, out;
    for (int i = 0; i < RD_MAX_DEPTH + 2; i++) {
        struct attachment *t = msg_att_add(arena, at, 1);
        at = t->embedded = arena_one(arena, struct msg);
    }
    CHECK(!msg_unpack(packed_msg(&m), arena, &out));
}

TEST(other_versions_are_refused)
{
    fresh();
    struct props p;
    struct msg   m;
    CHECK(!props_unpack(hex("70 02 00 00"), arena, &p));
    CHECK(!msg_unpack(hex("6d 02 00 00"), arena, &m));
    CHECK(!msg_unpack(hex("6d 01 00 00 0a 00 00 00 00"), arena, &m));                               /* unknown section */
    CHECK(!msg_unpack(hex("6d 01 00 00 06 04 00 00 00 03 00 00 00 06 04 00 00 00 03 00 00 00"), arena, &m)); /* twice */
    CHECK(!props_unpack(hex("70 01 02 00  1f 00 37 00 02 00 00 00  03 00 17 00 06 00 00 00  48 69 02 00 00 00"), arena, &p)); /* order */
    CHECK(!props_unpack(hex("70 01 01 00  1f 00 37 00 02 00 00 00  48 69 6a"), arena, &p));          /* left over */
    CHECK(!props_unpack(hex("70 01 01 00  03 00 17 00 04 00 00 80  02 00 00 00"), arena, &p));       /* a large number */
}

static void unpack_anything(void *ctx, struct blob b)
{
    (void)ctx;
    fresh();
    struct msg     m, m2;
    struct propval v;
    struct props   p, p2;
    if (msg_unpack(b, arena, &m)) {
        struct blob again = packed_msg(&m);
        CHECK(msg_unpack(again, arena, &m2));
        CHECK_BLOB(packed_msg(&m2), again);
    }
    if (props_unpack(b, arena, &p)) {
        struct blob again = packed_props(&p);
        CHECK(props_unpack(again, arena, &p2));
        CHECK_BLOB(packed_props(&p2), again);
    }
    rcpts_unpack(b, arena, &m);
    props_pick(b, arena, PidTagSubject, &v);
    props_pick(b, arena, PROP_TAG(0x8003, 0), &v);
}

TEST(damaged_bytes_stay_inside)
{
    fresh();
    static uint8_t keep[3][4096];
    struct msg     m = some_msg();
    struct wr      w = fresh_wr();
    struct blob    whole = packed_msg(&m), props = packed_props(&m.set);
    rcpts_pack(&w, &m);
    struct blob all[] = { whole, props, wr_blob(&w) };
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(all[i].n <= sizeof keep[i]);
        memcpy(keep[i], all[i].p, all[i].n);
        all[i].p = keep[i];
    }
    for (size_t i = 0; i < 3; i++)
        mutate_all(all[i], unpack_anything, NULL);
}
