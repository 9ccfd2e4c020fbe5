/* Attachments and embedded messages: added, changed, deleted, read back, counted. */
#include "backend/store/large.h"
#include "backend/store/message.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;

static uint64_t inbox(void) { return mailbox_info(b.m)->fid[SF_INBOX]; }

static uint64_t save(uint64_t mid, const struct msg *over)
{
    if (!mailbox_writing(b.m))
        REQUIRE_EC(mailbox_write(b.m), ecNone);
    struct message_save s = { .fid = inbox(), .mid = mid, .over = over };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    return s.mid;
}

static struct attachment *add(struct msg *m, uint32_t num, const char *name, size_t size)
{
    struct attachment *att = msg_att_add(b.a, m, num);
    att->fresh = true;
    uint8_t *p = arena_alloc(b.a, size);
    memset(p, (int)('a' + num), size);
    props_set(b.a, &att->set, pv_str(PidTagAttachLongFilename, name));
    props_set(b.a, &att->set, pv_bin(PidTagAttachDataBinary, blob_of(p, size)));
    return att;
}

static struct propval of(const struct attachment *att, uint32_t tag)
{
    struct props out;
    REQUIRE_EC(attachment_props(b.m, att, &tag, 1, &out), ecNone);
    return out.v[0];
}

static int32_t number(uint64_t mid, uint32_t tag)
{
    struct props out;
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, &tag, 1, &out), ecNone);
    return prop_type(out.v[0].tag) == PtypBoolean ? out.v[0].v.b : out.v[0].v.i32;
}

static const char *str(struct propval v) { return prop_type(v.tag) == PtypString ? arena_str(b.a, v.v.s) : "(none)"; }

/* OXCMSG R16, R523, R228, R230, R234, R451 */
TEST(attachments_come_back)
{
    b = mbox_new();
    struct msg m = { 0 }, loaded;
    add(&m, 0, "letter of thanks.html", 100);
    add(&m, 1, "big.bin", 50000);
    uint64_t mid = save(0, &m);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_INT(number(mid, PidTagHasAttachments), 1);
    CHECK((number(mid, PidTagMessageFlags) & 0x10) != 0);
    CHECK(number(mid, PidTagMessageSize) > 50100);
    REQUIRE_EC(message_load(b.m, mid, LOAD_ATTS, &loaded), ecNone);
    REQUIRE(loaded.natt == 2);
    CHECK(loaded.next_att >= 2);
    const struct attachment *att = msg_att(&loaded, 0);
    CHECK_INT(of(att, PidTagAttachNumber).v.i32, 0);
    CHECK_INT(of(att, PidTagAttachMethod).v.i32, 1);
    CHECK_INT(of(att, PidTagRenderingPosition).v.i32, -1);
    CHECK_STR(str(of(att, PidTagDisplayName)), "letter of thanks.html");
    CHECK_STR(str(of(att, PidTagAttachExtension)), ".html");
    CHECK_STR(str(of(att, PidTagAttachFilename)), "letter o.htm");
    CHECK(of(att, PidTagCreationTime).v.i64 > 0);
    CHECK(of(att, PidTagAttachSize).v.i32 > 100 && of(att, PidTagAttachSize).v.i32 < 1000);
    CHECK_INT(prop_type(of(att, PidTagAttachContentId).tag), PtypErrorCode);
    att = msg_att(&loaded, 1);
    struct propval data = of(att, PidTagAttachDataBinary), here;
    REQUIRE(data.large);
    CHECK(of(att, PidTagAttachSize).v.i32 > 50000);
    REQUIRE_EC(large_load(b.m, &data, &here), ecNone);
    CHECK_INT(here.v.bin.n, 50000);
    CHECK_INT(here.v.bin.p[49999], 'b');
    struct props all;
    REQUIRE_EC(attachment_props_all(b.m, att, &all), ecNone);
    CHECK(props_find(&all, PidTagAttachSize) != NULL && props_find(&all, PidTagAttachDataBinary) != NULL);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCMSG R469, R1523 */
TEST(attachments_change_and_go)
{
    b = mbox_new();
    struct msg m = { 0 }, change = { 0 }, loaded;
    add(&m, 0, "a", 9000);
    add(&m, 1, "b", 9000);
    uint64_t mid = save(0, &m);
    struct attachment *att = msg_att_add(b.a, &change, 0);
    props_set(b.a, &att->set, pv_str(PidTagAttachLongFilename, "renamed"));
    msg_att_add(b.a, &change, 1)->deleted = true;
    struct props out;
    static const uint32_t has = PidTagHasAttachments;
    REQUIRE_EC(message_props(b.m, mid, inbox(), &change, &has, 1, &out), ecNone);
    CHECK(out.v[0].v.b);
    save(mid, &change);
    REQUIRE_EC(message_load(b.m, mid, LOAD_ATTS, &loaded), ecNone);
    REQUIRE(loaded.natt == 1);
    CHECK_STR(str(of(&loaded.att[0], PidTagAttachLongFilename)), "renamed");
    CHECK(of(&loaded.att[0], PidTagAttachDataBinary).large);
    change = (struct msg){ .next_att = 0 };
    msg_att_add(b.a, &change, 0)->deleted = true;
    REQUIRE_EC(message_props(b.m, mid, inbox(), &change, &has, 1, &out), ecNone);
    CHECK(!out.v[0].v.b); /* before the save */
    save(mid, &change);
    CHECK_INT(number(mid, PidTagHasAttachments), 0);
    CHECK((number(mid, PidTagMessageFlags) & 0x10) == 0);
    change = (struct msg){ .next_att = 0 };
    add(&change, 2, "third", 10);
    save(mid, &change);
    CHECK_INT(number(mid, PidTagHasAttachments), 1);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT coalesce(sum(refs), 0) FROM large"), 0);
    mbox_clean(&b);
    mbox_end(&b);
}

static struct msg *embedded_in(struct msg *m, uint32_t num, const char *subject)
{
    struct attachment *att = msg_att_add(b.a, m, num);
    att->fresh = true;
    props_set(b.a, &att->set, pv_i32(PidTagAttachMethod, 5));
    att->embedded = arena_one(b.a, struct msg);
    props_set(b.a, &att->embedded->set, pv_str(PidTagSubject, subject));
    return att->embedded;
}

TEST(embedded_messages_nest)
{
    b = mbox_new();
    struct msg m = { 0 }, loaded;
    struct msg *inner = embedded_in(&m, 0, "FW: inner");
    struct recipient *r = msg_rcpt_add(b.a, inner, 0);
    r->type = 1;
    props_set(b.a, &r->props, pv_str(PidTagDisplayName, "Grace"));
    struct msg *innermost = embedded_in(inner, 0, "innermost");
    add(innermost, 0, "deep", 20000);
    uint64_t mid = save(0, &m);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 1);
    mbox_again(&b);
    REQUIRE_EC(message_load(b.m, mid, LOAD_ATTS, &loaded), ecNone);
    REQUIRE(loaded.natt == 1 && loaded.att[0].embedded != NULL);
    static const uint32_t tags[] = { PidTagSubject, PidTagSubjectPrefix, PidTagDisplayTo, PidTagHasAttachments, PidTagMessageClass, PidTagEntryId, PidTagMessageSize };
    struct props out;
    REQUIRE_EC(embedded_props(b.m, loaded.att[0].embedded, tags, 7, &out), ecNone);
    CHECK_STR(str(out.v[0]), "FW: inner");
    CHECK_STR(str(out.v[1]), "FW: ");
    CHECK_STR(str(out.v[2]), "Grace");
    CHECK(out.v[3].v.b);
    CHECK_STR(str(out.v[4]), "IPM.Note");
    CHECK_INT(prop_type(out.v[5].tag), PtypErrorCode);
    CHECK(out.v[6].v.i32 > 20000);
    REQUIRE_EC(embedded_props_all(b.m, loaded.att[0].embedded, &out), ecNone);
    CHECK(props_find(&out, PidTagNormalizedSubject) != NULL);
    REQUIRE(loaded.att[0].embedded->natt == 1 && loaded.att[0].embedded->att[0].embedded != NULL);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    bool partial = false;
    REQUIRE_EC(messages_delete(b.m, inbox(), &mid, 1, true, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM attachment"), 0);
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(embedded_message_changes_by_overlay)
{
    b = mbox_new();
    struct msg m = { 0 }, change = { 0 }, loaded;
    add(embedded_in(&m, 0, "inner"), 0, "stays", 6000);
    uint64_t mid = save(0, &m);
    struct attachment *att = msg_att_add(b.a, &change, 0);
    att->embedded = arena_one(b.a, struct msg);
    props_set(b.a, &att->embedded->set, pv_str(PidTagBody, "new body"));
    save(mid, &change);
    REQUIRE_EC(message_load(b.m, mid, LOAD_ATTS, &loaded), ecNone);
    const struct msg *inner = loaded.att[0].embedded;
    REQUIRE(inner != NULL);
    CHECK_STR(arena_str(b.a, props_str(&inner->set, PidTagBody)), "new body");
    CHECK_STR(arena_str(b.a, props_str(&inner->set, PidTagSubject)), "inner");
    CHECK_INT(inner->natt, 1);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 1);
    mbox_clean(&b);
    mbox_end(&b);
}
