/* Messages saved, opened, read back: what the store makes of them. */
#include "backend/mapi/pcl.h"
#include "backend/mapi/rtfcp.h"
#include "backend/store/large.h"
#include "backend/store/message.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;

static uint64_t inbox(void) { return mailbox_info(b.m)->fid[SF_INBOX]; }

static struct propval one(uint64_t mid, uint32_t tag)
{
    struct props out;
    REQUIRE_EC(message_props(b.m, mid, inbox(), NULL, &tag, 1, &out), ecNone);
    return out.v[0];
}

static const char *text(uint64_t mid, uint32_t tag)
{
    struct propval v = one(mid, tag);
    return prop_type(v.tag) == PtypString && !v.large ? arena_str(b.a, v.v.s) : "(none)";
}

static int32_t number(uint64_t mid, uint32_t tag)
{
    struct propval v = one(mid, tag);
    return prop_type(v.tag) == PtypInteger32 ? v.v.i32 : prop_type(v.tag) == PtypBoolean ? v.v.b : -99;
}

static struct recipient *add_rcpt(struct msg *m, uint32_t row, uint8_t type, const char *name)
{
    struct recipient *r = msg_rcpt_add(b.a, m, row);
    r->type = type;
    props_set(b.a, &r->props, pv_str(PidTagDisplayName, name));
    return r;
}

static uint64_t save_new(struct msg *over, struct message_save *s)
{
    if (!mailbox_writing(b.m))
        REQUIRE_EC(mailbox_write(b.m), ecNone);
    s->fid = inbox();
    s->over = over;
    REQUIRE_EC(message_save(b.m, s), ecNone);
    return s->mid;
}

static struct msg letter(void)
{
    struct msg m = { 0 };
    props_set(b.a, &m.set, pv_str(PidTagSubject, "RE: Tea"));
    props_set(b.a, &m.set, pv_str(PidTagBody, "Five o'clock."));
    props_set(b.a, &m.set, pv_str(0x8001001F, "named"));
    add_rcpt(&m, 0, 1, "Grace");
    add_rcpt(&m, 1, 2, "Edsger");
    add_rcpt(&m, 2, 1, "Barbara");
    return m;
}

/* OXCMSG R16, R1239, R341-R343, R1141 */
TEST(new_message_has_what_the_store_makes)
{
    b = mbox_new();
    struct msg m = letter();
    struct message_save s = { 0 };
    uint64_t mid = save_new(&m, &s);
    REQUIRE(mid != 0);
    CHECK(s.cn != 0);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_STR(text(mid, PidTagSubject), "RE: Tea");
    CHECK_STR(text(mid, PidTagSubjectPrefix), "RE: ");
    CHECK_STR(text(mid, PidTagNormalizedSubject), "Tea");
    CHECK_STR(text(mid, PidTagBody), "Five o'clock.");
    CHECK_STR(text(mid, 0x8001001F), "named");
    CHECK_STR(text(mid, PidTagDisplayTo), "Grace; Barbara");
    CHECK_STR(text(mid, PidTagDisplayCc), "Edsger");
    CHECK_STR(text(mid, PidTagDisplayBcc), "");
    CHECK_STR(text(mid, PidTagMessageClass), "IPM.Note");
    CHECK_STR(text(mid, PidTagCreatorName), "Ada Lovelace");
    CHECK_INT(number(mid, PidTagImportance), 1);
    CHECK_INT(number(mid, PidTagSensitivity), 0);
    CHECK_INT(number(mid, PidTagHasAttachments), 0);
    CHECK_INT(number(mid, PidTagHasNamedProperties), 1);
    CHECK_INT(number(mid, PidTagMessageFlags), 0x40B); /* read, unmodified, unsent, ever read */
    CHECK_INT(number(mid, PidTagRead), 1);
    CHECK_INT(number(mid, PidTagNativeBody), 1);
    CHECK_INT(number(mid, PidTagAccess), 7);
    CHECK_INT(number(mid, PidTagObjectType), 5);
    CHECK(number(mid, PidTagMessageSize) > 50);
    CHECK_INT(one(mid, PidTagMessageSizeExtended).v.i64, number(mid, PidTagMessageSize));
    CHECK_INT(one(mid, PidTagMid).v.i64, (int64_t)id_wire(REPLID_OWN, mid));
    CHECK_INT(one(mid, PidTagFolderId).v.i64, (int64_t)id_wire(REPLID_OWN, inbox()));
    CHECK_INT(one(mid, PidTagSearchKey).v.bin.n, 16);
    CHECK_INT(one(mid, PidTagSourceKey).v.bin.n, 22);
    CHECK_INT(one(mid, PidTagRecordKey).v.bin.n, 22);
    struct entryid e;
    CHECK_INT(entryid_parse(one(mid, PidTagEntryId).v.bin, &e), ENTRYID_MESSAGE);
    CHECK(e.mid == mid && e.fid == inbox());
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCDATA: the type asked for has to fit. */
TEST(missing_and_wrongly_typed_properties)
{
    b = mbox_new();
    struct msg m = letter();
    uint64_t mid = save_new(&m, &(struct message_save){ 0 });
    struct { uint32_t tag; uint16_t type; } t[] = {
        { PidTagSenderName, PtypErrorCode }, { prop_retype(PidTagSubject, PtypInteger32), PtypErrorCode },
        { prop_retype(PidTagSubject, PtypString8), PtypString }, { prop_retype(PidTagSubject, PtypUnspecified), PtypString },
        { prop_retype(PidTagImportance, PtypInteger16), PtypErrorCode }, { PidTagMessageRecipients, PtypErrorCode }, { 0x8002001F, PtypErrorCode },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct propval v = one(mid, t[i].tag);
        CHECK_INT(prop_type(v.tag), t[i].type);
        CHECK(prop_id(v.tag) == prop_id(t[i].tag));
        if (t[i].type == PtypErrorCode)
            CHECK_EC(v.v.err, ecNotFound);
    }
    mbox_end(&b);
}

/* OXCMSG R333, R1477, R335 */
TEST(open_finds_only_what_is_there)
{
    b = mbox_new();
    struct msg m = letter();
    uint64_t mid = save_new(&m, &(struct message_save){ 0 });
    struct message_info i;
    REQUIRE_EC(message_open(b.m, inbox(), mid, false, &i), ecNone);
    CHECK(i.mid == mid && i.fid == inbox() && i.read && !i.assoc && !i.deleted);
    CHECK_INT(i.nrcpt, 3);
    CHECK_EC(message_open(b.m, 0, mid, false, &i), ecNone);
    CHECK_EC(message_open(b.m, mailbox_info(b.m)->fid[SF_OUTBOX], mid, false, &i), ecNotFound);
    CHECK_EC(message_open(b.m, inbox(), mid + 1000, false, &i), ecNotFound);
    bool partial = false;
    REQUIRE_EC(messages_delete(b.m, inbox(), &mid, 1, false, &partial), ecNone);
    CHECK_EC(message_open(b.m, inbox(), mid, false, &i), ecNotFound);
    REQUIRE_EC(message_open(b.m, inbox(), mid, true, &i), ecNone);
    CHECK(i.deleted);
    mbox_end(&b);
}

/* OXCMSG R519; OXCFXICS 2.2.1.2.8 */
TEST(second_save_changes_what_it_names)
{
    b = mbox_new();
    struct msg m = letter(), change = { 0 }, loaded;
    struct message_save s = { 0 };
    uint64_t mid = save_new(&m, &s), first = s.cn;
    struct blob list = one(mid, PidTagPredecessorChangeList).v.bin, key = one(mid, PidTagSearchKey).v.bin;
    props_set(b.a, &change.set, pv_str(PidTagNormalizedSubject, "Coffee"));
    props_set(b.a, &change.set, pv_i32(PidTagImportance, 2));
    tags_add(b.a, &change.del, 0x8001001F);
    msg_rcpt_add(b.a, &change, 1)->deleted = true;
    s = (struct message_save){ .mid = mid, .base_cn = first, .over = &change };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    CHECK(s.cn > first);
    CHECK_STR(text(mid, PidTagSubject), "RE: Coffee");
    CHECK_STR(text(mid, PidTagBody), "Five o'clock.");
    CHECK_STR(text(mid, 0x8001001F), "(none)");
    CHECK_STR(text(mid, PidTagDisplayCc), "");
    CHECK_STR(text(mid, PidTagDisplayTo), "Grace; Barbara");
    CHECK_INT(number(mid, PidTagImportance), 2);
    CHECK_INT(number(mid, PidTagMessageFlags), 0x409);
    CHECK_INT(number(mid, PidTagHasNamedProperties), 0);
    CHECK(pcl_contains(one(mid, PidTagPredecessorChangeList).v.bin, list));
    CHECK(!pcl_contains(list, one(mid, PidTagPredecessorChangeList).v.bin));
    CHECK_BLOB(one(mid, PidTagSearchKey).v.bin, key);
    REQUIRE_EC(message_load(b.m, mid, LOAD_ALL, &loaded), ecNone);
    CHECK_INT(loaded.nrcpt, 2);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCMSG R705, R724, R1053 */
TEST(later_save_of_the_same_version_is_refused)
{
    b = mbox_new();
    struct msg m = letter(), change = { 0 };
    struct message_save s = { 0 };
    uint64_t mid = save_new(&m, &s), opened = s.cn;
    props_set(b.a, &change.set, pv_i32(PidTagImportance, 2));
    REQUIRE_EC(message_save(b.m, &(struct message_save){ .mid = mid, .base_cn = opened, .over = &change }), ecNone);
    s = (struct message_save){ .mid = mid, .base_cn = opened, .over = &change };
    CHECK_EC(message_save(b.m, &s), ecObjectChanged);
    s.force = true;
    CHECK_EC(message_save(b.m, &s), ecNone);
    bool changed = false, partial = false;
    uint64_t cn = s.cn;
    REQUIRE_EC(messages_set_read(b.m, inbox(), &mid, 1, 0x04, &changed, &partial), ecNone);
    CHECK(changed);
    s = (struct message_save){ .mid = mid, .base_cn = cn, .over = &change };
    CHECK_EC(message_save(b.m, &s), ecNone); /* the read state is no conflict */
    REQUIRE_EC(messages_delete(b.m, inbox(), &mid, 1, true, &partial), ecNone);
    s = (struct message_save){ .mid = mid, .base_cn = s.cn, .over = &change };
    CHECK_EC(message_save(b.m, &s), ecObjectDeleted);
    struct props out;
    static const uint32_t tag = PidTagSubject;
    CHECK_EC(message_props(b.m, mid, inbox(), &change, &tag, 1, &out), ecObjectDeleted);
    CHECK_EC(message_props_all(b.m, mid, inbox(), &change, &out), ecObjectDeleted);
    mbox_end(&b);
}

TEST(unsaved_message_reads_as_its_overlay)
{
    b = mbox_new();
    struct msg m = letter();
    static const uint32_t tags[] = { PidTagSubject, PidTagDisplayTo, PidTagMessageFlags, PidTagImportance, PidTagEntryId, PidTagAccess, PidTagMessageClass, PidTagCreationTime };
    struct props out;
    REQUIRE_EC(message_props(b.m, 0, inbox(), &m, tags, 8, &out), ecNone);
    CHECK_STR(arena_str(b.a, out.v[0].v.s), "RE: Tea");
    CHECK_STR(arena_str(b.a, out.v[1].v.s), "Grace; Barbara");
    CHECK_INT(out.v[2].v.i32, 0x409);
    CHECK_INT(out.v[3].v.i32, 1);
    CHECK_INT(prop_type(out.v[4].tag), PtypErrorCode);
    CHECK_INT(out.v[5].v.i32, 3);
    CHECK_STR(arena_str(b.a, out.v[6].v.s), "IPM.Note");
    CHECK(out.v[7].v.i64 > 0);
    REQUIRE_EC(message_props_all(b.m, 0, inbox(), &m, &out), ecNone);
    CHECK(props_find(&out, PidTagNormalizedSubject) != NULL);
    CHECK(props_find(&out, 0x8001001F) != NULL);
    mbox_end(&b);
}

TEST(overlay_wins_over_what_is_stored)
{
    b = mbox_new();
    struct msg m = letter(), over = { 0 };
    uint64_t mid = save_new(&m, &(struct message_save){ 0 });
    props_set(b.a, &over.set, pv_str(PidTagSubject, "AW: Other"));
    tags_add(b.a, &over.del, PidTagBody);
    add_rcpt(&over, 7, 1, "Alan");
    static const uint32_t tags[] = { PidTagNormalizedSubject, PidTagBody, PidTagDisplayTo, 0x8001001F };
    struct props out;
    REQUIRE_EC(message_props(b.m, mid, inbox(), &over, tags, 4, &out), ecNone);
    CHECK_STR(arena_str(b.a, out.v[0].v.s), "Other");
    CHECK_INT(prop_type(out.v[1].tag), PtypErrorCode);
    CHECK_STR(arena_str(b.a, out.v[2].v.s), "Grace; Barbara; Alan");
    CHECK_STR(arena_str(b.a, out.v[3].v.s), "named");
    REQUIRE_EC(message_props_all(b.m, mid, inbox(), &over, &out), ecNone);
    CHECK(props_find(&out, PidTagBody) == NULL);
    CHECK(props_find(&out, PidTagEntryId) != NULL);
    mbox_end(&b);
}

TEST(large_values_are_apart_and_counted)
{
    b = mbox_new();
    struct msg m = letter();
    uint8_t *big = arena_alloc(b.a, 100000);
    memset(big, 'x', 100000);
    props_set(b.a, &m.set, pv_bin(PidTagHtml, blob_of(big, 100000)));
    uint64_t mid = save_new(&m, &(struct message_save){ 0 });
    struct propval v = one(mid, PidTagHtml), here;
    REQUIRE(v.large);
    CHECK_INT(v.v.large.size, 100000);
    REQUIRE_EC(large_load(b.m, &v, &here), ecNone);
    CHECK_BLOB(here.v.bin, blob_of(big, 100000));
    CHECK(number(mid, PidTagMessageSize) > 100000);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 1);
    mbox_again(&b);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    bool partial = false;
    uint64_t copy_to = mailbox_info(b.m)->fid[SF_DRAFTS];
    REQUIRE_EC(messages_copy(b.m, inbox(), copy_to, &mid, 1, &partial), ecNone);
    REQUIRE_EC(messages_delete(b.m, inbox(), &mid, 1, true, &partial), ecNone);
    CHECK(!partial);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT sum(refs) FROM large"), 1);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCMSG R1463 */
TEST(body_forms_follow_each_other)
{
    b = mbox_new();
    struct msg m = { 0 }, change = { 0 };
    props_set(b.a, &m.set, pv_bin(PidTagHtml, blob_str("<p>Tee &amp; Geb\xe4" "ck</p>")));
    props_set(b.a, &m.set, pv_i32(PidTagInternetCodepage, 1252));
    struct message_save s = { 0 };
    uint64_t mid = save_new(&m, &s);
    CHECK_STR(text(mid, PidTagBody), "Tee & Geb\xc3\xa4" "ck\r\n");
    CHECK_STR(text(mid, PidTagBodyHtml), "<p>Tee &amp; Geb\xc3\xa4" "ck</p>");
    CHECK_INT(number(mid, PidTagNativeBody), 3);
    props_set(b.a, &change.set, pv_str(PidTagBody, "plain"));
    static const uint32_t tags[] = { PidTagBody, PidTagNativeBody, PidTagHtml };
    struct props out;
    REQUIRE_EC(message_props(b.m, mid, inbox(), &change, tags, 3, &out), ecNone); /* before the save as after it */
    CHECK_STR(arena_str(b.a, out.v[0].v.s), "plain");
    CHECK_INT(out.v[1].v.i32, 1);
    CHECK(memmem(out.v[2].v.bin.p, out.v[2].v.bin.n, "plain", 5) != NULL);
    REQUIRE_EC(message_save(b.m, &(struct message_save){ .mid = mid, .over = &change }), ecNone);
    CHECK_INT(number(mid, PidTagNativeBody), 1);
    struct propval html = one(mid, PidTagHtml);
    REQUIRE(prop_type(html.tag) == PtypBinary);
    CHECK(memmem(html.v.bin.p, html.v.bin.n, "plain", 5) != NULL);
    mbox_end(&b);
}

TEST(text_of_an_rtf_body)
{
    b = mbox_new();
    struct msg m = { 0 };
    props_set(b.a, &m.set, pv_bin(PidTagRtfCompressed, rtfcp_compress(b.a, blob_str("{\\rtf1\\ansi {\\b Tea} at\\par five}"))));
    uint64_t mid = save_new(&m, &(struct message_save){ 0 });
    CHECK_STR(text(mid, PidTagBody), "Tea at\r\nfive");
    CHECK_INT(number(mid, PidTagNativeBody), 2);
    CHECK(one(mid, PidTagHtml).v.bin.n > 20);
    m.set.n = 0;
    props_set(b.a, &m.set, pv_bin(PidTagRtfCompressed, blob_str("no RTF")));
    CHECK_STR(text(save_new(&m, &(struct message_save){ 0 }), PidTagBody), "(none)");
    mbox_end(&b);
}

/* OXCMSG R19, R501, R502; R60 */
TEST(values_out_of_bounds_are_corrected)
{
    b = mbox_new();
    char name[400];
    memset(name, 'a', 399);
    name[399] = '\0';
    static const char *const bad[] = { "", "IPM.", "IPM.\xc3\xa4", NULL };
    for (size_t i = 0; i < 4; i++) {
        struct msg m = { 0 };
        props_set(b.a, &m.set, pv_str(PidTagMessageClass, bad[i] != NULL ? bad[i] : name));
        props_set(b.a, &m.set, pv_str(PidTagSubject, name));
        uint64_t mid = save_new(&m, &(struct message_save){ 0 });
        CHECK_STR(text(mid, PidTagMessageClass), "IPM.Note");
        CHECK_INT(strlen(text(mid, PidTagSubject)), 253);
    }
    mbox_end(&b);
}

/* OXCMSG R31, R516, R1078; OXCPRT R15 */
TEST(what_a_client_may_set)
{
    const struct { uint32_t tag; bool saved; ec_t ec; } t[] = {
        { PidTagSubject, true, ecNone }, { PidTagMessageFlags, false, ecNone }, { PidTagMessageFlags, true, ecAccessDenied },
        { PidTagHasAttachments, false, ecAccessDenied }, { PidTagMessageSize, true, ecAccessDenied }, { PidTagAccess, true, ecAccessDenied },
        { PidTagEntryId, true, ecAccessDenied }, { PidTagChangeKey, true, ecAccessDenied }, { PidTagMessageStatus, true, ecAccessDenied },
        { PidTagBody, true, ecNone }, { PidTagHtml, true, ecNone }, { PidTagBodyHtml, true, ecNone }, { 0x80010003, true, ecNone },
        { prop_retype(PidTagSubject, PtypString8), true, ecNone }, { prop_retype(PidTagImportance, PtypBoolean), true, ecNotSupported },
        { prop_retype(PidTagSenderName, PtypNull), true, ecNotSupported },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_EC(message_prop_settable(t[i].tag, t[i].saved), t[i].ec);
    CHECK_EC(attachment_prop_settable(PidTagAttachSize), ecAccessDenied);
    CHECK_EC(attachment_prop_settable(PidTagAttachDataBinary), ecNone);
}

TEST(full_mailbox_takes_no_more)
{
    b = mbox_new();
    mbox_exec(&b, "UPDATE info SET quota_receive = 1");
    mbox_again(&b);
    struct msg m = letter(), more = { 0 };
    struct message_save s = { 0 };
    uint64_t mid = save_new(&m, &s);
    uint8_t *big = arena_alloc(b.a, 2000);
    props_set(b.a, &more.set, pv_bin(0x80050102, blob_of(big, 2000)));
    s = (struct message_save){ .fid = inbox(), .over = &more };
    CHECK_EC(message_save(b.m, &s), ecQuotaExceeded);
    s = (struct message_save){ .mid = mid, .over = &(struct msg){ .next_att = 0 } };
    CHECK_EC(message_save(b.m, &s), ecNone); /* what makes it no larger is still taken */
    mbox_end(&b);
}

/* An import brings its own times and flags. */
TEST(import_keeps_times_and_flags)
{
    b = mbox_new();
    struct msg m = letter();
    props_set(b.a, &m.set, pv_time(PidTagCreationTime, 1000));
    props_set(b.a, &m.set, pv_time(PidTagLastModificationTime, 2000));
    props_set(b.a, &m.set, pv_i32(PidTagMessageFlags, 0x2020)); /* from me, Internet; unread */
    uint64_t mid = save_new(&m, &(struct message_save){ .keep_times = true });
    CHECK_INT(one(mid, PidTagCreationTime).v.i64, 1000);
    CHECK_INT(one(mid, PidTagLastModificationTime).v.i64, 2000);
    CHECK_INT(number(mid, PidTagMessageFlags), 0x2022);
    CHECK_INT(number(mid, PidTagRead), 0);
    struct folder f;
    REQUIRE_EC(folder_open(b.m, inbox(), false, &f), ecNone);
    CHECK_INT(f.total, 1);
    CHECK_INT(f.unread, 1);
    mbox_end(&b);
}

TEST(ids_that_a_caller_brings)
{
    b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    uint64_t id;
    REQUIRE_EC(mailbox_take_ids(b.m, 10, &id), ecNone);
    struct msg m = letter();
    struct message_save s = { .fid = inbox(), .mid = id + 3, .fresh = true, .over = &m };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    CHECK_INT(s.mid, id + 3);
    CHECK_EC(message_save(b.m, &s), ecDuplicateObject);
    s.mid = 1u << 30;
    CHECK_EC(message_save(b.m, &s), ecInvalidParameter);
    s = (struct message_save){ .fid = inbox(), .mid = id + 5, .over = &m };
    CHECK_EC(message_save(b.m, &s), ecObjectDeleted);
    s = (struct message_save){ .fid = 424242, .over = &m };
    CHECK_EC(message_save(b.m, &s), ecNotFound);
    s.fid = mailbox_info(b.m)->fid[SF_REMINDERS];
    CHECK_EC(message_save(b.m, &s), ecSearchFolder);
    mbox_end(&b);
}

/* OXCMSG R71 */
TEST(importance_is_one_of_three)
{
    b = mbox_new();
    static const struct { int32_t set, want; } t[] = { { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 1 }, { -1, 1 }, { 0x7fffffff, 1 } };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct msg m = { 0 };
        props_set(b.a, &m.set, pv_i32(PidTagImportance, t[i].set));
        CHECK_INT(number(save_new(&m, &(struct message_save){ 0 }), PidTagImportance), t[i].want);
    }
    mbox_end(&b);
}
