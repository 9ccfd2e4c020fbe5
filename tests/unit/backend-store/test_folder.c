/* Folders: made, opened, named, changed, deleted, emptied. */
#include "backend/mapi/pcl.h"
#include "backend/store/event.h"
#include "backend/store/message.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;

static uint64_t sf(enum special_folder f) { return mailbox_info(b.m)->fid[f]; }

static struct propval one(uint64_t fid, uint32_t tag)
{
    struct props out;
    REQUIRE_EC(folder_props(b.m, fid, &tag, 1, &out), ecNone);
    return out.v[0];
}

static const char *text(uint64_t fid, uint32_t tag)
{
    struct propval v = one(fid, tag);
    return prop_type(v.tag) == PtypString ? arena_str(b.a, v.v.s) : "(none)";
}

static uint64_t make(uint64_t parent, const char *name)
{
    uint64_t fid = 0;
    bool existed = true;
    if (!mailbox_writing(b.m))
        REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(folder_create(b.m, parent, name, NULL, false, false, &fid, &existed), ecNone);
    CHECK(!existed);
    return fid;
}

static uint64_t message_in(uint64_t fid, bool assoc)
{
    struct msg m = { 0 };
    props_set(b.a, &m.set, pv_str(PidTagSubject, "x"));
    props_set(b.a, &m.set, pv_i32(PidTagMessageFlags, 0));
    struct message_save s = { .fid = fid, .over = &m, .assoc = assoc };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    return s.mid;
}

static ec_t try_open(uint64_t fid, bool deleted_too)
{
    struct folder f;
    return folder_open(b.m, fid, deleted_too, &f);
}

/* OXCFOLD R54, R56, R1034, R1228 ff. */
TEST(new_folder_has_its_properties)
{
    b = mbox_new();
    uint64_t fid;
    bool existed;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(folder_create(b.m, sf(SF_CALENDAR), "Birthdays", "of friends", false, false, &fid, &existed), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_again(&b);
    CHECK_STR(text(fid, PidTagDisplayName), "Birthdays");
    CHECK_STR(text(fid, PidTagComment), "of friends");
    CHECK_STR(text(fid, PidTagContainerClass), "IPF.Appointment"); /* of its parent */
    CHECK_INT(one(fid, PidTagFolderType).v.i32, 1);
    CHECK_INT(one(fid, PidTagContentCount).v.i32, 0);
    CHECK_INT(one(fid, PidTagSubfolders).v.b, false);
    CHECK_INT(one(sf(SF_CALENDAR), PidTagSubfolders).v.b, true);
    CHECK_INT(one(fid, PidTagFolderFlags).v.i32, 5);
    CHECK_INT(one(sf(SF_FINDER), PidTagFolderFlags).v.i32, 4);
    CHECK_INT(one(fid, PidTagFolderId).v.i64, (int64_t)id_wire(REPLID_OWN, fid));
    CHECK_INT(one(fid, PidTagParentFolderId).v.i64, (int64_t)id_wire(REPLID_OWN, sf(SF_CALENDAR)));
    CHECK_INT(one(fid, PidTagAccess).v.i32, 0x3F);
    CHECK_INT(one(fid, PidTagRights).v.i32, RIGHTS_ALL);
    CHECK_INT(one(fid, PidTagSourceKey).v.bin.n, 22);
    struct entryid e;
    CHECK_INT(entryid_parse(one(fid, PidTagEntryId).v.bin, &e), ENTRYID_FOLDER);
    CHECK(e.fid == fid);
    CHECK_INT(prop_type(one(make(sf(SF_INBOX), "x"), PidTagComment).tag), PtypErrorCode);
    CHECK_INT(prop_type(one(fid, PidTagObjectType).tag), PtypErrorCode); /* OXCPRT R3801 */
    struct props all;
    REQUIRE_EC(folder_props_all(b.m, fid, &all), ecNone);
    CHECK(props_find(&all, PidTagDisplayName) != NULL && props_find(&all, PidTagContentCount) != NULL);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCFOLD R477, R1065, R481, R482, R483, R1072 */
TEST(names_are_unique_below_a_parent)
{
    b = mbox_new();
    uint64_t first = make(sf(SF_INBOX), "Projekte \xc3\x84"), fid = 0;
    bool existed = false;
    CHECK_EC(folder_create(b.m, sf(SF_INBOX), "PROJEKTE \xc3\xa4", NULL, false, false, &fid, &existed), ecCollidingNames);
    REQUIRE_EC(folder_create(b.m, sf(SF_INBOX), "PROJEKTE \xc3\xa4", NULL, false, true, &fid, &existed), ecNone);
    CHECK(existed && fid == first);
    CHECK_EC(folder_create(b.m, sf(SF_INBOX), "", NULL, false, false, &fid, &existed), ecInvalidParameter);
    CHECK_EC(folder_create(b.m, sf(SF_INBOX), "s", NULL, true, false, &fid, &existed), ecNotSupported);
    CHECK_EC(folder_create(b.m, 999999, "n", NULL, false, false, &fid, &existed), ecNotFound);
    make(sf(SF_OUTBOX), "Projekte \xc3\x84");
    bool partial;
    REQUIRE_EC(folder_delete(b.m, sf(SF_INBOX), first, 0, &partial), ecNone);
    make(sf(SF_INBOX), "Projekte \xc3\x84"); /* the name of a deleted one is free */
    CHECK_EC(folder_create(b.m, first, "in a deleted one", NULL, false, false, &fid, &existed), ecNotFound);
    mbox_end(&b);
}

TEST(properties_change_with_a_change_number)
{
    b = mbox_new();
    uint64_t fid = make(sf(SF_INBOX), "a");
    make(sf(SF_INBOX), "taken");
    struct folder before, after;
    struct props set = { 0 };
    ec_t problem[8];
    REQUIRE_EC(folder_open(b.m, fid, false, &before), ecNone);
    struct blob list = one(fid, PidTagPredecessorChangeList).v.bin;
    props_set(b.a, &set, pv_str(PidTagDisplayName, "Taken"));
    props_set(b.a, &set, pv_i32(PidTagContentCount, 7));
    props_set(b.a, &set, pv_str(PidTagContainerClass, "IPF.Note.X"));
    props_set(b.a, &set, pv_bool(PidTagAttributeHidden, true));
    props_set(b.a, &set, pv_str(0x8001001F, "own"));
    props_set(b.a, &set, pv_i32(prop_retype(PidTagComment, PtypInteger32), 1));
    REQUIRE_EC(folder_props_set(b.m, fid, &set, problem), ecNone);
    static const ec_t want[] = { ecCollidingNames, ecAccessDenied, ecNone, ecNone, ecNone, ecNotSupported };
    for (size_t i = 0; i < 6; i++)
        CHECK_EC(problem[i], want[i]);
    CHECK_STR(text(fid, PidTagDisplayName), "a");
    CHECK_STR(text(fid, PidTagContainerClass), "IPF.Note.X");
    CHECK_STR(text(fid, 0x8001001F), "own");
    CHECK(one(fid, PidTagAttributeHidden).v.b);
    REQUIRE_EC(folder_open(b.m, fid, false, &after), ecNone);
    CHECK(after.cn > before.cn && after.hidden);
    CHECK(pcl_contains(one(fid, PidTagPredecessorChangeList).v.bin, list));
    uint32_t gone[] = { 0x8001001F, PidTagDisplayName, PidTagContainerClass };
    REQUIRE_EC(folder_props_del(b.m, fid, gone, 3, problem), ecNone);
    CHECK_EC(problem[0], ecNone);
    CHECK_EC(problem[1], ecAccessDenied);
    CHECK_STR(text(fid, 0x8001001F), "(none)");
    CHECK_STR(text(fid, PidTagContainerClass), "(none)");
    set.n = 0;
    props_set(b.a, &set, pv_str(PidTagDisplayName, "A"));
    REQUIRE_EC(folder_props_set(b.m, fid, &set, problem), ecNone);
    CHECK_EC(problem[0], ecNone); /* its own name in another case */
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCFOLD R371, R1079, R816, R817, R1080, R1081 */
TEST(only_empty_folders_go_without_flags)
{
    b = mbox_new();
    uint64_t fid = make(sf(SF_INBOX), "a"), child = make(fid, "b");
    message_in(child, false);
    bool partial = false;
    REQUIRE_EC(folder_delete(b.m, sf(SF_INBOX), fid, DEL_MESSAGES, &partial), ecNone);
    CHECK(partial);
    REQUIRE_EC(folder_delete(b.m, fid, child, DEL_FOLDERS, &partial), ecNone);
    CHECK(partial);
    CHECK_EC(try_open(fid, false), ecNone);
    CHECK_EC(try_open(child, false), ecNone);
    REQUIRE_EC(folder_delete(b.m, sf(SF_INBOX), fid, DEL_MESSAGES | DEL_FOLDERS, &partial), ecNone);
    CHECK(!partial);
    CHECK_EC(try_open(fid, false), ecNotFound);
    CHECK_EC(try_open(fid, true), ecNone); /* softly */
    CHECK_EC(try_open(child, false), ecNotFound);
    CHECK(!one(sf(SF_INBOX), PidTagSubfolders).v.b);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCFOLD R497 */
TEST(hard_deleted_folder_is_gone)
{
    b = mbox_new();
    uint64_t fid = make(sf(SF_INBOX), "a"), child = make(fid, "b");
    message_in(child, false);
    message_in(fid, true);
    bool partial = false;
    REQUIRE_EC(folder_delete(b.m, sf(SF_INBOX), fid, DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE, &partial), ecNone);
    CHECK(!partial);
    CHECK_EC(try_open(fid, true), ecNotFound);
    CHECK_EC(try_open(child, true), ecNotFound);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM message"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM message_body"), 0);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCFOLD R503, R507, R2509 */
TEST(what_cannot_be_deleted)
{
    b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    bool partial = false;
    CHECK_EC(folder_delete(b.m, sf(SF_ROOT), sf(SF_ROOT), DEL_MESSAGES | DEL_FOLDERS, &partial), ecNotSupported);
    CHECK_EC(folder_delete(b.m, sf(SF_IPM_SUBTREE), sf(SF_INBOX), DEL_MESSAGES | DEL_FOLDERS, &partial), ecAccessDenied);
    CHECK_EC(folder_delete(b.m, sf(SF_IPM_SUBTREE), 424242, 0, &partial), ecNotFound);
    uint64_t fid = make(sf(SF_INBOX), "a");
    CHECK_EC(folder_delete(b.m, sf(SF_OUTBOX), fid, 0, &partial), ecNotFound);
    mbox_end(&b);
}

/* OXCFOLD R617, R618, R1129, R1248, R1249 */
TEST(emptied_folder_stays)
{
    b = mbox_new();
    uint64_t fid = make(sf(SF_INBOX), "a"), child = make(fid, "b");
    message_in(fid, false);
    message_in(fid, true);
    message_in(child, false);
    bool partial = true;
    REQUIRE_EC(folder_empty(b.m, fid, false, false, &partial), ecNone);
    CHECK(!partial);
    struct folder f;
    REQUIRE_EC(folder_open(b.m, fid, false, &f), ecNone);
    CHECK_INT(f.total, 0);
    CHECK_INT(f.unread, 0);
    CHECK_INT(f.assoc, 1);
    CHECK_INT(f.subfolders, 0);
    CHECK_EC(try_open(child, false), ecNotFound);
    CHECK_INT(one(fid, PidTagDeletedCountTotal).v.i32, 1);
    REQUIRE_EC(folder_empty(b.m, fid, true, true, &partial), ecNone);
    REQUIRE_EC(folder_open(b.m, fid, false, &f), ecNone);
    CHECK_INT(f.assoc, 0);
    CHECK_EC(folder_empty(b.m, sf(SF_ROOT), false, false, &partial), ecNotSupported);
    CHECK_EC(folder_empty(b.m, sf(SF_REMINDERS), false, false, &partial), ecNotSupported);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM message WHERE fid NOT IN (SELECT fid FROM folder)"), 0);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCFOLD R352 */
TEST(hierarchy_number_only_grows)
{
    b = mbox_new();
    uint64_t fid = make(sf(SF_INBOX), "a");
    int32_t n = one(fid, PidTagHierarchyChangeNumber).v.i32;
    for (int i = 0; i < 3; i++) {
        uint64_t child = make(fid, "b");
        CHECK(one(fid, PidTagHierarchyChangeNumber).v.i32 > n);
        n = one(fid, PidTagHierarchyChangeNumber).v.i32;
        bool partial;
        REQUIRE_EC(folder_delete(b.m, fid, child, DELETE_HARD_DELETE, &partial), ecNone);
        CHECK(one(fid, PidTagHierarchyChangeNumber).v.i32 > n);
        n = one(fid, PidTagHierarchyChangeNumber).v.i32;
    }
    mbox_end(&b);
}

TEST(nesting_is_bounded)
{
    b = mbox_new();
    uint64_t fid = sf(SF_INBOX);
    ec_t ec = ecNone;
    int depth = 0;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (; ec == ecNone && depth < 400; depth++) {
        bool existed;
        ec = folder_create(b.m, fid, "d", NULL, false, false, &fid, &existed);
    }
    CHECK_EC(ec, ecTooComplex);
    CHECK(depth > 150);
    bool partial;
    REQUIRE_EC(folder_empty(b.m, sf(SF_INBOX), false, true, &partial), ecNone);
    CHECK(!partial);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCPERM R103, R118, R119, R115 */
TEST(rights_of_a_delegate)
{
    b = mbox_new();
    uint64_t fid = make(sf(SF_INBOX), "a"), made = 0;
    const char *dn = "/o=x/cn=bob";
    REQUIRE_EC(permission_set(b.m, fid, dn, RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_as(&b, ACTOR_DELEGATE, dn);
    bool existed, partial;
    struct folder f;
    REQUIRE_EC(folder_open(b.m, fid, false, &f), ecNone);
    CHECK_INT(f.rights, RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY);
    CHECK_EC(folder_open(b.m, sf(SF_INBOX), false, &f), ecAccessDenied);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(folder_create(b.m, fid, "n", NULL, false, false, &made, &existed), ecAccessDenied);
    CHECK_EC(folder_delete(b.m, sf(SF_INBOX), fid, 0, &partial), ecAccessDenied);
    CHECK_EC(folder_empty(b.m, fid, false, false, &partial), ecAccessDenied);
    ec_t problem;
    struct props set = { 0 };
    props_set(b.a, &set, pv_str(PidTagDisplayName, "z"));
    CHECK_EC(folder_props_set(b.m, fid, &set, &problem), ecAccessDenied);
    mbox_as(&b, ACTOR_OWNER, "");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(permission_set(b.m, fid, dn, RIGHT_FOLDER_VISIBLE | RIGHT_CREATE_SUBFOLDER), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_as(&b, ACTOR_DELEGATE, dn);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(folder_create(b.m, fid, "n", NULL, false, false, &made, &existed), ecNone);
    REQUIRE_EC(folder_open(b.m, made, false, &f), ecNone);
    CHECK_INT(f.rights, RIGHTS_ALL); /* who makes a folder owns it */
    mbox_end(&b);
}

TEST(events_tell_of_folders)
{
    b = mbox_new();
    uint64_t seq;
    REQUIRE_EC(event_last(b.m, &seq), ecNone);
    uint64_t fid = make(sf(SF_INBOX), "a");
    bool partial, gap;
    REQUIRE_EC(folder_delete(b.m, sf(SF_INBOX), fid, 0, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    struct event e[8];
    size_t n;
    REQUIRE_EC(event_read(b.m, seq, 8, e, &n, &gap), ecNone);
    REQUIRE(n == 4); /* each time the parent, too: it has another number of subfolders */
    CHECK(e[0].kind == EVENT_MODIFIED && e[0].fid == sf(SF_INBOX) && e[0].parent == sf(SF_IPM_SUBTREE) && e[0].total == UINT32_MAX);
    CHECK(e[1].kind == EVENT_CREATED && e[1].fid == fid && e[1].mid == 0 && e[1].parent == sf(SF_INBOX));
    CHECK(e[2].kind == EVENT_MODIFIED && e[2].fid == sf(SF_INBOX));
    CHECK(e[3].kind == EVENT_DELETED && e[3].fid == fid && e[3].parent == sf(SF_INBOX));
    mbox_end(&b);
}
