/* Messages moved, copied and deleted: ids, tombstones, counters, events. */
#include "backend/store/event.h"
#include "backend/store/large.h"
#include "backend/store/message.h"
#include "backend/store/named.h"
#include "tests/unit/backend-store/mbox.h"

static struct mbox b;

static uint64_t sf(enum special_folder f) { return mailbox_info(b.m)->fid[f]; }

static uint64_t put(uint64_t fid, const char *subject, bool read, bool assoc)
{
    struct msg m = { 0 };
    props_set(b.a, &m.set, pv_str(PidTagSubject, subject));
    props_set(b.a, &m.set, pv_i32(PidTagMessageFlags, read ? 1 : 0));
    struct message_save s = { .fid = fid, .over = &m, .assoc = assoc };
    if (!mailbox_writing(b.m))
        REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    return s.mid;
}

static struct folder counts(uint64_t fid)
{
    struct folder f;
    REQUIRE_EC(folder_open(b.m, fid, false, &f), ecNone);
    return f;
}

static void check_counts(uint64_t fid, uint32_t total, uint32_t unread, uint32_t assoc)
{
    struct folder f = counts(fid);
    CHECK_INT(f.total, total);
    CHECK_INT(f.unread, unread);
    CHECK_INT(f.assoc, assoc);
}

static struct propval prop(uint64_t mid, uint64_t fid, uint32_t tag)
{
    struct props out;
    REQUIRE_EC(message_props(b.m, mid, fid, NULL, &tag, 1, &out), ecNone);
    return out.v[0];
}

static uint64_t only_message_of(uint64_t fid)
{
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    char *sql = arena_printf(b.a, "SELECT mid FROM message WHERE deleted = 0 AND fid = %llu", (unsigned long long)fid);
    uint64_t mid = (uint64_t)mbox_sql(&b, sql);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    return mid;
}

/* OXCFOLD 2.2.1.6; a moved message has a new id, the old one ends in a tombstone. */
TEST(moved_message_has_a_new_id)
{
    b = mbox_new();
    uint64_t mid = put(sf(SF_INBOX), "RE: a", false, false), stays = put(sf(SF_INBOX), "b", true, false);
    struct blob key = prop(mid, sf(SF_INBOX), PidTagSearchKey).v.bin;
    bool partial = false;
    REQUIRE_EC(messages_move(b.m, sf(SF_INBOX), sf(SF_DRAFTS), &mid, 1, &partial), ecNone);
    CHECK(!partial);
    check_counts(sf(SF_INBOX), 1, 0, 0);
    check_counts(sf(SF_DRAFTS), 1, 1, 0);
    struct message_info i;
    CHECK_EC(message_open(b.m, 0, mid, true, &i), ecNotFound);
    CHECK_EC(message_open(b.m, sf(SF_INBOX), stays, false, &i), ecNone);
    uint64_t now = only_message_of(sf(SF_DRAFTS));
    CHECK(now > mid);
    CHECK_STR(arena_str(b.a, prop(now, sf(SF_DRAFTS), PidTagSubject).v.s), "RE: a");
    CHECK_BLOB(prop(now, sf(SF_DRAFTS), PidTagSearchKey).v.bin, key);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, arena_printf(b.a, "SELECT count(*) FROM tombstone WHERE mid = %llu AND kind = 1", (unsigned long long)mid)), 1);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCPRT R51, R55 */
TEST(copy_is_a_message_of_its_own)
{
    b = mbox_new();
    uint64_t mid = put(sf(SF_INBOX), "a", false, false);
    struct propval key = prop(mid, sf(SF_INBOX), PidTagRecordKey), search = prop(mid, sf(SF_INBOX), PidTagSearchKey);
    bool partial = false;
    REQUIRE_EC(messages_copy(b.m, sf(SF_INBOX), sf(SF_DRAFTS), &mid, 1, &partial), ecNone);
    check_counts(sf(SF_INBOX), 1, 1, 0);
    check_counts(sf(SF_DRAFTS), 1, 1, 0);
    uint64_t copy = only_message_of(sf(SF_DRAFTS));
    CHECK(!blob_eq(prop(copy, sf(SF_DRAFTS), PidTagRecordKey).v.bin, key.v.bin));
    CHECK_BLOB(prop(copy, sf(SF_DRAFTS), PidTagSearchKey).v.bin, search.v.bin);
    REQUIRE_EC(messages_copy(b.m, sf(SF_INBOX), sf(SF_INBOX), &mid, 1, &partial), ecNone);
    check_counts(sf(SF_INBOX), 2, 2, 0);
    CHECK(!partial);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}

/* OXCFOLD R586, R1246 */
TEST(what_cannot_be_moved_is_told)
{
    b = mbox_new();
    uint64_t mids[] = { 12345678, put(sf(SF_INBOX), "a", true, false) };
    bool partial = false;
    REQUIRE_EC(messages_move(b.m, sf(SF_INBOX), sf(SF_DRAFTS), mids, 2, &partial), ecNone);
    CHECK(partial);
    check_counts(sf(SF_DRAFTS), 1, 0, 0);
    CHECK_EC(messages_move(b.m, sf(SF_DRAFTS), sf(SF_REMINDERS), mids, 2, &partial), ecSearchFolder);
    CHECK_EC(messages_move(b.m, sf(SF_DRAFTS), 9999999, mids, 2, &partial), ecNotFound);
    mbox_end(&b);
}

TEST(soft_deleted_then_gone)
{
    b = mbox_new();
    uint64_t mids[] = { put(sf(SF_INBOX), "a", false, false), put(sf(SF_INBOX), "f", true, true), 424242 };
    bool partial = false;
    REQUIRE_EC(messages_delete(b.m, sf(SF_INBOX), mids, 3, false, &partial), ecNone);
    CHECK(!partial); /* what is gone already is no failure */
    check_counts(sf(SF_INBOX), 0, 0, 0);
    CHECK(prop_type(prop(mids[0], sf(SF_INBOX), PidTagDeletedOn).tag) == PtypTime);
    REQUIRE_EC(messages_delete(b.m, sf(SF_INBOX), mids, 3, false, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    struct mailbox_stat st;
    REQUIRE_EC(mailbox_stat(b.m, &st), ecNone);
    CHECK_INT(st.messages, 0);
    CHECK_INT(st.deleted_messages, 2);
    CHECK(st.deleted_bytes > 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM tombstone"), 2);
    mbox_clean(&b);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(messages_delete(b.m, sf(SF_INBOX), mids, 3, true, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    REQUIRE_EC(mailbox_stat(b.m, &st), ecNone);
    CHECK_INT(st.deleted_messages, 0);
    CHECK_INT(st.deleted_bytes, 0);
    CHECK_INT(st.bytes, 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM message_body"), 0);
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(events_tell_what_happened)
{
    b = mbox_new();
    uint64_t seq, mid = put(sf(SF_INBOX), "a", false, false);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    REQUIRE_EC(event_last(b.m, &seq), ecNone);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    bool partial = false, gap;
    REQUIRE_EC(messages_copy(b.m, sf(SF_INBOX), sf(SF_DRAFTS), &mid, 1, &partial), ecNone);
    REQUIRE_EC(messages_move(b.m, sf(SF_INBOX), sf(SF_DRAFTS), &mid, 1, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    struct event e[10];
    size_t n;
    REQUIRE_EC(event_read(b.m, seq, 10, e, &n, &gap), ecNone);
    REQUIRE(n == 5);
    CHECK(e[0].kind == EVENT_COPIED && e[0].fid == sf(SF_DRAFTS) && e[0].old_fid == sf(SF_INBOX) && e[0].old_mid == mid && e[0].mid != mid);
    CHECK(e[1].kind == EVENT_MODIFIED && e[1].fid == sf(SF_DRAFTS) && e[1].mid == 0 && e[1].total == 1 && e[1].unread == 1);
    CHECK(e[2].kind == EVENT_MOVED && e[2].old_mid == mid && e[2].mid != mid);
    CHECK(e[3].kind == EVENT_MODIFIED && e[3].fid == sf(SF_DRAFTS) && e[3].total == 2);
    CHECK(e[4].kind == EVENT_MODIFIED && e[4].fid == sf(SF_INBOX) && e[4].total == 0 && e[4].unread == 0);
    mbox_end(&b);
}

/* OXCPERM R126-R128, R121, R122 */
TEST(delegate_deletes_what_is_his)
{
    b = mbox_new();
    const char *dn = "/o=x/cn=bob";
    uint64_t fid = sf(SF_INBOX), owners = put(fid, "owner's", true, false);
    REQUIRE_EC(permission_set(b.m, fid, dn, RIGHT_FOLDER_VISIBLE | RIGHT_READ_ANY | RIGHT_CREATE | RIGHT_DELETE_OWNED | RIGHT_EDIT_OWNED), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_as(&b, ACTOR_DELEGATE, dn);
    uint64_t mids[] = { owners, put(fid, "his", true, false) };
    CHECK_INT(prop(owners, fid, PidTagAccess).v.i32, 2);
    CHECK_INT(prop(mids[1], fid, PidTagAccess).v.i32, 7);
    CHECK_STR(arena_str(b.a, prop(mids[1], fid, PidTagCreatorName).v.s), "bob");
    struct message_save s = { .mid = owners, .over = NULL };
    CHECK_EC(message_save(b.m, &s), ecAccessDenied);
    s.mid = mids[1];
    CHECK_EC(message_save(b.m, &s), ecNone);
    bool partial = false;
    REQUIRE_EC(messages_delete(b.m, fid, mids, 2, false, &partial), ecNone);
    CHECK(partial);
    check_counts(fid, 1, 0, 0);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_as(&b, ACTOR_DELEGATE, "/o=x/cn=eve");
    struct message_info i;
    CHECK_EC(message_open(b.m, fid, owners, false, &i), ecAccessDenied);
    struct props out;
    static const uint32_t tag = PidTagSubject;
    CHECK_EC(message_props(b.m, owners, fid, NULL, &tag, 1, &out), ecAccessDenied);
    CHECK_EC(message_load(b.m, owners, LOAD_ALL, &(struct msg){ .next_att = 0 }), ecAccessDenied);
    mbox_end(&b);
}

/* More messages than one batch. */
TEST(many_at_once)
{
    enum { N = 700 };
    b = mbox_new();
    uint64_t *mids = arena_array(b.a, uint64_t, N);
    for (int i = 0; i < N; i++)
        mids[i] = put(sf(SF_INBOX), "many", i % 2 == 0, false);
    bool partial = false, changed = false;
    size_t used = arena_used(b.a);
    REQUIRE_EC(messages_move(b.m, sf(SF_INBOX), sf(SF_DRAFTS), mids, N, &partial), ecNone);
    check_counts(sf(SF_DRAFTS), N, N / 2, 0);
    REQUIRE_EC(messages_set_read(b.m, sf(SF_DRAFTS), NULL, 0, 0, &changed, &partial), ecNone);
    CHECK(changed);
    check_counts(sf(SF_DRAFTS), N, 0, 0);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(folder_empty(b.m, sf(SF_DRAFTS), false, true, &partial), ecNone);
    CHECK(!partial);
    CHECK(arena_used(b.a) - used < N * 100); /* the lease's memory does not grow with the messages */
    check_counts(sf(SF_DRAFTS), 0, 0, 0);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_clean(&b);
    mbox_end(&b);
}


/* Another mailbox has other ids for the same names, and its own large values. */
TEST(copied_into_another_mailbox)
{
    b = mbox_new();
    struct mbox o = mbox_new();
    struct propname names[] = { { PROPNAME_STRING, PS_PUBLIC_STRINGS, 0, blob_str("Tea") }, { PROPNAME_LID, PSETID_Common, 0x8501, { NULL, 0 } } };
    uint16_t ids[2], there[2];
    bool missing, partial = false;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(mailbox_write(o.m), ecNone);
    REQUIRE_EC(named_ids(o.m, &names[1], 1, true, &there[1], &missing), ecNone); /* so that the numbers differ */
    REQUIRE_EC(named_ids(b.m, names, 2, true, ids, &missing), ecNone);
    struct msg m = { 0 };
    uint8_t *big = arena_alloc(b.a, 30000);
    memset(big, 'q', 30000);
    props_set(b.a, &m.set, pv_str(PROP_TAG(ids[0], PtypString), "Earl Grey"));
    props_set(b.a, &m.set, pv_str(PidTagSubject, "FW: both"));
    props_set(b.a, &m.set, pv_bin(PidTagHtml, blob_of(big, 30000)));
    struct attachment *att = msg_att_add(b.a, &m, 0);
    att->fresh = true;
    props_set(b.a, &att->set, pv_i32(PROP_TAG(ids[1], PtypInteger32), 7));
    struct message_save s = { .fid = sf(SF_INBOX), .over = &m };
    REQUIRE_EC(message_save(b.m, &s), ecNone);
    uint64_t mids[] = { s.mid, 555555 }, to = mailbox_info(o.m)->fid[SF_DRAFTS];
    REQUIRE_EC(messages_copy_to(b.m, sf(SF_INBOX), o.m, to, mids, 2, &partial), ecNone);
    CHECK(partial);
    REQUIRE_EC(mailbox_commit(o.m), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    uint64_t mid = (uint64_t)mbox_sql(&o, "SELECT max(mid) FROM message");
    REQUIRE_EC(named_ids(o.m, names, 2, false, there, &missing), ecNone);
    CHECK(!missing && there[0] != ids[0]);
    struct msg got;
    REQUIRE_EC(message_load(o.m, mid, LOAD_ALL, &got), ecNone);
    CHECK_STR(arena_str(o.a, props_str(&got.set, PROP_TAG(there[0], PtypString))), "Earl Grey");
    REQUIRE(got.natt == 1);
    CHECK_INT(props_i32(&got.att[0].set, PROP_TAG(there[1], PtypInteger32), 0), 7);
    const struct propval *html = props_find(&got.set, PidTagHtml);
    REQUIRE(html != NULL && html->large);
    struct propval here;
    REQUIRE_EC(large_load(o.m, html, &here), ecNone);
    CHECK_BLOB(here.v.bin, blob_of(big, 30000));
    mbox_clean(&o);
    mbox_clean(&b);
    mbox_end(&o);
    mbox_end(&b);
}
