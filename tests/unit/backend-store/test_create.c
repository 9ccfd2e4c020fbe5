/* test_create.c - a new mailbox: its folders, the pointers by which Outlook finds them, its properties. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/mapi/msg.h"
#include "backend/store/message.h"
#include "backend/store/special.h"

static struct propval prop(struct mbox *b, enum special_folder f, uint32_t tag)
{
    struct props p = { 0 };
    REQUIRE_EC(folder_props(b->m, mailbox_info(b->m)->fid[f], &tag, 1, &p), ecNone);
    REQUIRE(p.n == 1);
    return p.v[0];
}

static void names(struct blob id, struct mbox *b, enum special_folder f)
{
    struct entryid e;
    REQUIRE(entryid_parse(id, &e) == ENTRYID_FOLDER);
    CHECK_INT(e.fid, mailbox_info(b->m)->fid[f]);
    CHECK(guid_eq(&e.provider, &mailbox_info(b->m)->id));
    CHECK(guid_eq(&e.replica, &mailbox_info(b->m)->replica));
}

TEST(all_special_folders_are_there)
{
    struct mbox b = mbox_new();
    const struct mailbox_info *i = mailbox_info(b.m);
    for (unsigned f = 0; f < SF_COUNT; f++) {
        struct folder o;
        REQUIRE_EC(folder_open(b.m, i->fid[f], false, &o), ecNone);
        CHECK_INT(o.parent, i->fid[special[f].parent]);
        CHECK_INT(o.type, special[f].type);
        CHECK_INT(o.hidden, special[f].hidden);
        CHECK_BLOB(prop(&b, f, PidTagDisplayName).v.s, blob_str(special[f].english));
        struct propval class = prop(&b, f, PidTagContainerClass);
        if (special[f].class != NULL)
            CHECK_BLOB(class.v.s, blob_str(special[f].class));
        else
            CHECK_INT(prop_type(class.tag), PtypErrorCode);
        CHECK_INT(prop(&b, f, PidTagAttributeHidden).v.b, special[f].hidden);
    }
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(inbox_and_root_point_to_the_others)
{
    static const struct { uint32_t tag; enum special_folder f; } single[] = {
        { 0x36D00102, SF_CALENDAR }, { 0x36D10102, SF_CONTACTS }, { 0x36D20102, SF_JOURNAL }, { 0x36D30102, SF_NOTES },
        { 0x36D40102, SF_TASKS }, { 0x36D50102, SF_REMINDERS }, { 0x36D70102, SF_DRAFTS },
    };
    static const enum special_folder where[] = { SF_INBOX, SF_ROOT };
    struct mbox b = mbox_new();
    for (size_t w = 0; w < 2; w++) {
        for (size_t k = 0; k < sizeof single / sizeof *single; k++)
            names(prop(&b, where[w], single[k].tag).v.bin, &b, single[k].f);
        struct propval ren = prop(&b, where[w], PidTagAdditionalRenEntryIds), fb = prop(&b, where[w], PidTagFreeBusyEntryIds);
        REQUIRE(ren.v.mv.n == 5);
        names(ren.v.mv.bin[0], &b, SF_CONFLICTS);
        names(ren.v.mv.bin[1], &b, SF_SYNC_ISSUES);
        names(ren.v.mv.bin[2], &b, SF_LOCAL_FAILURES);
        names(ren.v.mv.bin[3], &b, SF_SERVER_FAILURES);
        names(ren.v.mv.bin[4], &b, SF_JUNK);
        REQUIRE(fb.v.mv.n == 4);
        names(fb.v.mv.bin[3], &b, SF_FREEBUSY_DATA);
    }
    mbox_end(&b);
}

TEST(additional_folders_are_persisted_blocks)
{
    struct mbox b = mbox_new();
    struct rd r = rd_blob_of(prop(&b, SF_INBOX, PidTagAdditionalRenEntryIdsEx).v.bin);
    static const enum special_folder want[] = { SF_CONVERSATION_ACTIONS, SF_QUICK_STEPS };
    static const uint16_t id[] = { 0x8006, 0x8007 };
    for (size_t k = 0; k < 2; k++) {
        CHECK_INT(rd_u16(&r), id[k]);
        struct rd block = rd_sub(&r, rd_u16(&r));
        CHECK_INT(rd_u16(&block), 1);
        names(rd_blob(&block, rd_u16(&block)), &b, want[k]);
        CHECK(rd_done(&block));
    }
    CHECK_INT(rd_u32(&r), 0);
    CHECK(rd_done(&r));
    mbox_end(&b);
}

TEST(german_names)
{
    struct mbox b = mbox_with("sqlite", 0x0407);
    CHECK_BLOB(prop(&b, SF_INBOX, PidTagDisplayName).v.s, blob_str("Posteingang"));
    CHECK_BLOB(prop(&b, SF_DELETED_ITEMS, PidTagDisplayName).v.s, blob_str("Gelöschte Elemente"));
    mbox_end(&b);
    b = mbox_with("sqlite", 0x0C07);  /* Austria */
    CHECK_BLOB(prop(&b, SF_DRAFTS, PidTagDisplayName).v.s, blob_str("Entwürfe"));
    mbox_end(&b);
    b = mbox_with("sqlite", 0x0411);
    CHECK_BLOB(prop(&b, SF_INBOX, PidTagDisplayName).v.s, blob_str("Inbox"));
    CHECK_INT(mailbox_info(b.m)->code_page, 932);
    mbox_end(&b);
}

TEST(ids_are_of_one_replica_and_distinct)
{
    struct mbox b = mbox_new();
    const struct mailbox_info *i = mailbox_info(b.m);
    CHECK(!guid_eq(&i->replica, &i->mapping) && !guid_eq(&i->replica, &i->id));
    for (unsigned f = 1; f < SF_COUNT; f++)
        CHECK(i->fid[f] != 0 && i->fid[f] != i->fid[f - 1]);
    CHECK_STR(i->display_name, "Ada Lovelace");
    CHECK_STR(i->smtp, "ada@example.com");
    CHECK_INT(i->quota_send, -1);
    mbox_end(&b);
}

TEST(an_unfinished_file_is_no_mailbox)
{
    struct mbox b = mbox_new();
    struct mailbox *m;
    struct arena *a = arena_new(1 << 20);
    struct mailbox_new n = { .id = guid_new(), .owner_dn = "/o=x", .display_name = "X", .smtp = "x@example.com", .locale = 0x409 };
    struct db *db = NULL;
    REQUIRE_EC(db_open(&db_sqlite, &(struct db_open){ b.o.path, n.id, true, 0, 100 }, &db), ecNone);
    db_close(db);
    CHECK_EC(mailbox_open(b.s, a, &n.id, mailbox_actor(b.m), &m), ecNotFound);
    CHECK_EC(mailbox_create(b.s, a, &n), ecNone);
    CHECK_EC(mailbox_open(b.s, a, &n.id, mailbox_actor(b.m), &m), ecNone);
    CHECK_EC(mailbox_create(b.s, a, &n), ecCollidingNames);
    arena_free(a);
    mbox_end(&b);
}

/* --- properties of the logon ------------------------------------------------------------------------------------------------ */
static struct propval logon(struct mbox *b, uint32_t tag)
{
    struct props p;
    REQUIRE_EC(mailbox_props(b->m, &tag, 1, &p), ecNone);
    REQUIRE(p.n == 1);
    return p.v[0];
}

TEST(logon_properties)
{
    struct mbox b = mbox_new();
    CHECK_INT(logon(&b, PidTagExtendedRuleSizeLimit).v.i32, 98304);
    CHECK(logon(&b, PidTagMaximumSubmitMessageSize).v.i32 > 0);
    CHECK_INT(logon(&b, PidTagProhibitSendQuota).v.i32, -1);
    CHECK_INT(logon(&b, PidTagProhibitReceiveQuota).v.i32, -1);
    CHECK_INT(logon(&b, PidTagStoreState).v.i32, 0);
    CHECK_INT(logon(&b, PidTagContentCount).v.i32, 0);
    CHECK_INT(logon(&b, PidTagMessageSizeExtended).v.i64, 0);
    CHECK_BLOB(logon(&b, PidTagMailboxOwnerName).v.s, blob_str("Ada Lovelace"));
    CHECK_BLOB(logon(&b, PidTagDisplayName).v.s, blob_str("Ada Lovelace"));
    CHECK_BLOB(logon(&b, PidTagMailboxOwnerEntryId).v.bin, entryid_addressbook(b.a, 0, mailbox_info(b.m)->owner_dn));
    CHECK_INT(logon(&b, PidTagLocaleId).v.i32, 0x409);
    CHECK_INT(logon(&b, PidTagSortLocaleId).v.i32, 0x409);
    CHECK(!logon(&b, PidTagOutOfOfficeState).v.b);
    CHECK_BLOB(logon(&b, PidTagSentMailSvrEID).v.bin, svreid(b.a, id_wire(REPLID_OWN, mailbox_info(b.m)->fid[SF_SENT_ITEMS]), 0, 0));
    CHECK_INT(logon(&b, PidTagSerializedReplidGuidMap).v.bin.n, 36);
    names(logon(&b, PidTagIpmSubtreeEntryId).v.bin, &b, SF_IPM_SUBTREE);
    CHECK_INT(prop_type(logon(&b, PidTagComment).tag), PtypErrorCode);
    CHECK_INT(prop_type(logon(&b, PidTagUserEntryId).tag), PtypErrorCode);
    CHECK_INT(prop_type(logon(&b, PidTagSubject).tag), PtypErrorCode);
    mbox_end(&b);
}

TEST(logon_properties_that_only_the_server_sets)
{
    static const uint32_t tags[] = {
        0x0E9B0003, 0x666D0003, 0x666A0003, 0x666E0003, 0x340E0003, 0x36020003, 0x661B0102, 0x661C001F, 0x0E080003, 0x0E080014, 0x66190102, 0x66C30003
    };
    enum { N = sizeof tags / sizeof *tags };
    struct mbox b = mbox_new();
    struct props set = { 0 };
    ec_t problems[N];
    for (size_t i = 0; i < N; i++)
        props_set(b.a, &set, prop_type(tags[i]) == PtypInteger32 ? pv_i32(tags[i], 1) : prop_type(tags[i]) == PtypInteger64 ? pv_i64(tags[i], 1) :
                             prop_type(tags[i]) == PtypBinary ? pv_bin(tags[i], blob_str("x")) : pv_str(tags[i], "x"));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(mailbox_props_set(b.m, &set, problems), ecNone);
    for (size_t i = 0; i < set.n; i++)
        CHECK_EC(problems[i], ecAccessDenied);
    REQUIRE_EC(mailbox_props_del(b.m, tags, N, problems), ecNone);
    for (size_t i = 0; i < N; i++)
        CHECK_EC(problems[i], ecAccessDenied);
    CHECK(!mailbox_changed(b.m));
    mbox_end(&b);
}

TEST(logon_counts_follow_the_messages)
{
    struct mbox b = mbox_new();
    struct msg m = { 0 };
    struct message_save s = { .fid = mailbox_info(b.m)->fid[SF_INBOX], .over = &m };
    props_set(b.a, &m.set, pv_str(PidTagSubject, "x"));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    s = (struct message_save){ .fid = s.fid, .over = &m, .assoc = true };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    CHECK_INT(logon(&b, PidTagContentCount).v.i32, 1);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(logon(&b, PidTagContentCount).v.i32, 1);
    CHECK_INT(logon(&b, PidTagAssociatedContentCount).v.i32, 1);
    CHECK(logon(&b, PidTagMessageSize).v.i32 > 0);
    CHECK_INT(logon(&b, PidTagMessageSizeExtended).v.i64, logon(&b, PidTagMessageSize).v.i32);
    mbox_end(&b);
}

TEST(logon_properties_change)
{
    struct mbox b = mbox_new();
    struct props set = { 0 }, all;
    ec_t problems[8];
    props_set(b.a, &set, pv_str(PidTagComment, "mine"));
    props_set(b.a, &set, pv_bool(PidTagOutOfOfficeState, true));
    props_set(b.a, &set, pv_i32(PidTagProhibitSendQuota, 5));
    props_set(b.a, &set, pv_str(PROP_TAG(prop_id(PidTagLocaleId), PtypString), "wrong type"));
    props_set(b.a, &set, pv_str(PidTagDisplayName, "Ada"));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(mailbox_props_set(b.m, &set, problems), ecNone);
    CHECK_EC(problems[0], ecNone);
    CHECK_EC(problems[1], ecNone);
    CHECK_EC(problems[2], ecAccessDenied);
    CHECK_EC(problems[3], ecUnexpectedType);
    CHECK_EC(problems[4], ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_BLOB(logon(&b, PidTagComment).v.s, blob_str("mine"));
    CHECK(logon(&b, PidTagOutOfOfficeState).v.b);
    CHECK_INT(logon(&b, PidTagProhibitSendQuota).v.i32, -1);
    CHECK_BLOB(logon(&b, PidTagDisplayName).v.s, blob_str("Ada"));
    CHECK_BLOB(logon(&b, PidTagMailboxOwnerName).v.s, blob_str("Ada Lovelace"));
    REQUIRE_EC(mailbox_props_all(b.m, &all), ecNone);
    CHECK_BLOB(props_str(&all, PidTagComment), blob_str("mine"));
    CHECK_INT(props_i32(&all, PidTagProhibitSendQuota, 0), -1);
    uint32_t gone[] = { PidTagComment, PidTagSentMailSvrEID, PidTagStoreState, PidTagSubject, PidTagSortLocaleId };
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(mailbox_props_del(b.m, gone, 5, problems), ecNone);
    CHECK_EC(problems[0], ecNone);
    CHECK_EC(problems[1], ecNone);
    CHECK_EC(problems[2], ecAccessDenied);
    CHECK_EC(problems[3], ecNone);
    CHECK_INT(prop_type(logon(&b, PidTagComment).tag), PtypErrorCode);
    CHECK_INT(prop_type(logon(&b, PidTagSentMailSvrEID).tag), PtypErrorCode);
    CHECK_INT(logon(&b, PidTagSortLocaleId).v.err, ecNotFound);
    mbox_end(&b);
}

TEST(logon_properties_have_a_limit_and_an_owner)
{
    struct mbox b = mbox_new();
    struct props set = { 0 };
    ec_t problem;
    char *text = arena_alloc(b.a, 100001);
    memset(text, 'x', 100000);
    props_set(b.a, &set, pv_str(PidTagComment, text));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(mailbox_props_set(b.m, &set, &problem), ecTooBig);
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=bob");
    struct props theirs = { 0 };
    props_set(b.a, &theirs, pv_str(PidTagComment, "theirs"));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(mailbox_props_set(b.m, &theirs, &problem), ecNone);
    CHECK_EC(problem, ecAccessDenied);
    mbox_end(&b);
}
