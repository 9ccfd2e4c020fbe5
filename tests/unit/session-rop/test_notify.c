/* test_notify.c - who is told what, when, and how often. MS-OXCNOTIF. */
#include "backend/store/fault/dbfault.h"
#include "session/context/watch.h"
#include "tests/unit/session-rop/notes.h"
#include <stdio.h>

enum { NEW_MAIL = 0x02, CREATED = 0x04, DELETED = 0x08, MODIFIED = 0x10, MOVED = 0x20, COPIED = 0x40, TABLE = 0x100 };
static const uint32_t columns[] = { PidTagSubject };

static struct desk *d;
static uint32_t logon;
static struct notes notes;

static void begin(void)
{
    d = desk_new();
    logon = notes_login(d);
}

static uint32_t inbox_table(uint8_t flags)
{
    uint32_t folder = notes_folder(d, logon, d->fid[SF_INBOX]);
    return notes_table(d, folder, false, flags, columns, 1);
}

static void told(size_t n)
{
    notes_poll(d, &notes);
    CHECK_INT(notes.n, n);
    CHECK(!notes.pending);
}

static const struct notify_data *note(size_t i) { return &notes.v[i < notes.n ? i : NOTES_MAX - 1]; }
static uint64_t wire(uint64_t gc) { return id_wire(REPLID_OWN, gc); }

/* --- a session that watches nothing, and one that begins ---------------------------------------------------------------------------------- */

TEST(who_watches_nothing_has_nothing_in_its_header)
{
    begin();
    uint32_t silent = inbox_table(0x10);
    notes_look(d, silent);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(0);
    CHECK(!notes_waiting(d));
    CHECK_INT(d->positions, 0);
    CHECK_INT(d->watches, 1); /* the table that a subscription might speak for */
    notes_release(d, silent);
    CHECK_INT(d->watches, 0);
    desk_end(d);
}

/* What happened before is not told (a new session begins with the present). */
TEST(watching_begins_now)
{
    begin();
    desk_mail(d, d->fid[SF_INBOX], "before", 1);
    notes_subscribe(d, logon, CREATED, 0, 0);
    told(0);
    desk_mail(d, d->fid[SF_INBOX], "between", 2);
    notes_subscribe(d, logon, CREATED, 0, 0); /* tells the first one of "between" */
    uint64_t mid = desk_mail(d, d->fid[SF_INBOX], "after", 3);
    CHECK(notes_waiting(d));
    told(2);
    CHECK(note(0)->handle != note(1)->handle && note(0)->mid == wire(mid) && note(1)->mid == wire(mid));
    CHECK(!notes_waiting(d));
    told(0);
    for (size_t i = 0; i < d->watches; i++)
        CHECK_INT(d->watch[i].since, 0);
    desk_end(d);
}

/* --- scopes (R52, R53) ------------------------------------------------------------------------------------------------------------------------ */

TEST(scopes)
{
    begin();
    uint64_t inbox = d->fid[SF_INBOX], drafts = d->fid[SF_DRAFTS], a = desk_mail(d, inbox, "a", 1), b = desk_mail(d, inbox, "b", 2);
    uint32_t folder = notes_subscribe(d, logon, CREATED | DELETED | MOVED | COPIED, inbox, 0), message = notes_subscribe(d, logon, 0x7E, inbox, a);
    desk_mail(d, drafts, "elsewhere", 3);
    told(0);
    notes_set(d, b, pv_str(PidTagSubject, "not watched"));
    told(0);
    notes_set(d, a, pv_str(PidTagSubject, "watched"));
    told(1);
    CHECK(note(0)->handle == message && note(0)->flags == (MODIFIED | NOTIFY_M) && note(0)->ntags == 0); /* R197, R199 */
    notes_move(d, inbox, drafts, b, true);
    told(1); /* copied from the folder */
    CHECK(note(0)->handle == folder && note(0)->flags == (COPIED | NOTIFY_M) && note(0)->old_fid == wire(inbox));
    uint64_t now = notes_move(d, inbox, drafts, a, false);
    told(2);
    CHECK(note(0)->handle == folder && note(1)->handle == message);
    CHECK(note(1)->flags == (MOVED | NOTIFY_M) && note(1)->old_mid == wire(a) && note(1)->mid == wire(now) && note(1)->fid == wire(drafts));
    uint64_t sub = notes_create_folder(d, inbox, "sub");
    told(1);
    CHECK(note(0)->flags == CREATED && note(0)->fid == wire(sub) && note(0)->parent == wire(inbox));
    notes_create_folder(d, sub, "below");
    told(0);
    desk_end(d);
}

/* New mail is what arrives in the receive folder of its class, nothing else. */
TEST(new_mail_is_mail_that_arrives)
{
    begin();
    notes_subscribe(d, logon, NEW_MAIL, 0, 0);
    desk_mail(d, d->fid[SF_INBOX], "made", 1);
    desk_arrive(d, d->fid[SF_DRAFTS], "elsewhere", 2);
    told(0);
    uint64_t mid = desk_arrive(d, d->fid[SF_INBOX], "arrived", 3);
    told(1);
    CHECK(note(0)->mid == wire(mid) && note(0)->unicode && strcmp(note(0)->message_class, "IPM.Note") == 0);
    desk_end(d);
}

/* --- released ------------------------------------------------------------------------------------------------------------------------------------ */

TEST(what_is_released_is_not_told)
{
    begin();
    uint32_t s = notes_subscribe(d, logon, CREATED, 0, 0), t = inbox_table(0);
    notes_look(d, t);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(2);
    notes_release(d, s);
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    told(1);
    CHECK_INT(note(0)->handle, t);
    notes_release(d, t);
    CHECK_INT(d->watches, 0);
    CHECK_INT(d->positions, 0);
    notes_subscribe(d, logon, CREATED, 0, 0);
    notes_release(d, logon);
    CHECK_INT(d->watches, 0);
    desk_mail(d, d->fid[SF_INBOX], "c", 3);
    told(0);
    desk_end(d);
}

/* --- tables ---------------------------------------------------------------------------------------------------------------------------------------- */

/* OXCNOTIF R243, R272: a view is needed, and a reset takes it. */
TEST(a_table_without_a_view_is_not_told)
{
    begin();
    uint32_t t = inbox_table(0);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(0);
    notes_look(d, t);
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    told(1);
    CHECK(note(0)->handle == t && note(0)->table_event == TABLE_ROW_ADDED);
    notes_rop(d, 0x81, t, blob_of(NULL, 0), NULL);
    desk_mail(d, d->fid[SF_INBOX], "c", 3);
    told(0);
    notes_look(d, t);
    desk_mail(d, d->fid[SF_INBOX], "d", 4);
    told(1);
    CHECK_INT(note(0)->values.n, 1); /* no columns since the reset: an empty row */
    desk_end(d);
}

/* R246, R248 - R255: each of these ROPs makes a view. */
TEST(rops_that_make_a_view)
{
    static const struct { uint8_t rop; const char *args; size_t n; bool fails; } v[] = {
        { 0x5A, "\1\0\0\0\0\0\0\0", 8, true },                                                            /* CollapseRow */
        { 0x59, "\1\0\1\0\0\0\0\0\0\0", 10, true },                                                       /* ExpandRow */
        { 0x4F, "\0\x11\0\3\0\0\0\0\x1F\0\x37\0\x1F\0\x37\0z\0\0\0\0\0", 23, true },                        /* FindRow, not found */
        { 0x37, "", 0, false },                                                                             /* QueryColumnsAll */
        { 0x17, "", 0, false },                                                                             /* QueryPosition */
        { 0x15, "\0\1\1\0", 4, false },                                                                     /* QueryRows */
        { 0x18, "\0\0\0\0\0\1", 6, false },                                                                 /* SeekRow */
        { 0x1A, "\0\0\0\0\1\0\0\0", 8, false },                                                             /* SeekRowFractional */
    };
    begin();
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        uint32_t t = inbox_table(0), table[1] = { t };
        uint8_t q[64] = { v[i].rop };
        memcpy(q + 3, v[i].args, v[i].n);
        struct rd r = desk_rops(d, blob_of(q, 3 + v[i].n), table, 1);
        REQUIRE_EC(d->error, ecNone);
        rd_u16(&r);
        unit_check((rd_u32(&r) != ecNone) == v[i].fails, __FILE__, __LINE__, "rop %02x", v[i].rop);
        unit_check(d->watches == 1, __FILE__, __LINE__, "no view by rop %02x", v[i].rop);
        desk_mail(d, d->fid[SF_INBOX], "b", 2);
        told(1);
        notes_release(d, t);
    }
    desk_end(d);
}

/* R258; with a subscription to TableModified of its folder such a table speaks. */
TEST(a_table_opened_without_notifications)
{
    begin();
    uint32_t t = inbox_table(0x10);
    notes_look(d, t);
    uint32_t other = notes_subscribe(d, logon, TABLE, d->fid[SF_DRAFTS], 0);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(0);
    uint32_t s = notes_subscribe(d, logon, TABLE, d->fid[SF_INBOX], 0);
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    told(1);
    CHECK(note(0)->handle == t && note(0)->table_event == TABLE_ROW_ADDED);
    notes_release(d, s);
    desk_mail(d, d->fid[SF_INBOX], "c", 3);
    told(0);
    notes_release(d, other);
    desk_end(d);
}

TEST(associated_messages_have_tables_of_their_own)
{
    begin();
    uint32_t fai = inbox_table(0x02), normal = inbox_table(0);
    notes_look(d, fai);
    notes_look(d, normal);
    desk_mail(d, d->fid[SF_INBOX], "normal", 1);
    told(1);
    CHECK_INT(note(0)->handle, normal);
    struct arena *a = arena_new(1 << 28);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    struct msg msg = { 0 };
    props_set(a, &msg.set, pv_str(PidTagSubject, "view"));
    struct message_save s = { .fid = d->fid[SF_INBOX], .assoc = true, .over = &msg };
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(message_save(m, &s), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    told(1);
    CHECK_INT(note(0)->handle, fai);
    desk_end(d);
}

/* A change that the restriction does not look at is a change of the row, others may make it enter or leave. */
TEST(a_restricted_table)
{
    static const uint8_t has_b[] = { 0x03, 0x01, 0x00, 0x01, 0x00, 0x1F, 0x00, 0x37, 0x00, 0x1F, 0x00, 0x37, 0x00, 'b', 0, 0, 0 };
    begin();
    uint64_t inbox = d->fid[SF_INBOX], in = desk_mail(d, inbox, "abc", 1), out = desk_mail(d, inbox, "xyz", 2);
    uint32_t t = inbox_table(0);
    notes_restrict(d, t, blob_of(has_b, sizeof has_b));
    notes_look(d, t);
    notes_read(d, inbox, in, false);
    notes_read(d, inbox, out, false);
    told(1);
    CHECK(note(0)->table_event == TABLE_ROW_MODIFIED && note(0)->row.mid == wire(in));
    notes_set(d, out, pv_str(PidTagSubject, "b"));
    told(2); /* deleted, if anybody had it, and added */
    CHECK(note(0)->table_event == TABLE_ROW_DELETED && note(1)->table_event == TABLE_ROW_ADDED && note(1)->row.mid == wire(out));
    notes_set(d, in, pv_str(PidTagSubject, "a"));
    told(1);
    CHECK(note(0)->table_event == TABLE_ROW_DELETED && note(0)->row.mid == wire(in));
    desk_mail(d, inbox, "outside", 3);
    CHECK(notes_waiting(d)); /* it might have been inside */
    told(0);
    CHECK(!notes_waiting(d)); /* but nobody is woken for it twice */
    desk_end(d);
}

/* What came and went before anybody was told is not told. */
TEST(a_row_that_came_and_went)
{
    begin();
    uint32_t t = inbox_table(0);
    notes_look(d, t);
    uint64_t mid = desk_mail(d, d->fid[SF_INBOX], "short", 1);
    notes_delete(d, d->fid[SF_INBOX], mid);
    told(0);
    mid = desk_mail(d, d->fid[SF_INBOX], "one", 1);
    notes_set(d, mid, pv_str(PidTagSubject, "two"));
    notes_set(d, mid, pv_str(PidTagSubject, "three"));
    told(1); /* once, as it is now */
    CHECK(note(0)->table_event == TABLE_ROW_ADDED && memcmp(note(0)->values.p, "\0t\0h\0r", 6) == 0);
    desk_end(d);
}

TEST(instances_of_a_multivalue_are_told_as_a_whole)
{
    static const uint32_t keywords[] = { 0x6801301F }; /* PtypMultipleString with the instance bit */
    begin();
    uint32_t folder = notes_folder(d, logon, d->fid[SF_INBOX]), t = notes_table(d, folder, false, 0, keywords, 1);
    notes_look(d, t);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    told(1);
    CHECK(note(0)->flags == NOTIFY_TABLE && note(0)->table_event == TABLE_CHANGED);
    desk_end(d);
}

/* --- folders ------------------------------------------------------------------------------------------------------------------------------------- */

/* OXCFOLD SuppressesNotifications: others' changes only. */
TEST(a_hierarchy_table_that_is_not_told_of_its_own)
{
    static const uint32_t names[] = { PidTagDisplayName };
    begin();
    uint32_t folder = notes_folder(d, logon, d->fid[SF_INBOX]), t = notes_table(d, folder, true, 0x80, names, 1), u = notes_table(d, folder, true, 0, names, 1);
    notes_look(d, t);
    notes_look(d, u);
    struct rd r;
    notes_rop(d, 0x1C, folder, blob_of("\1\0\0\0own\0\0", 9), &r);
    rd_u64(&r);
    rd_u8(&r);
    notes_take(d, r, &notes);
    CHECK_INT(notes.n, 1);
    CHECK_INT(note(0)->handle, u);
    told(0);
    notes_create_folder(d, d->fid[SF_INBOX], "other");
    told(2);
    desk_end(d);
}

/* The counts of a folder are columns of its row. */
TEST(a_hierarchy_table_is_told_of_counts)
{
    static const uint32_t names[] = { PidTagDisplayName, PidTagContentCount, PidTagContentUnreadCount };
    begin();
    uint64_t ipm = d->fid[SF_IPM_SUBTREE];
    uint32_t folder = notes_folder(d, logon, ipm), t = notes_table(d, folder, true, 0, names, 3);
    notes_look(d, t);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(1);
    CHECK(note(0)->flags == NOTIFY_TABLE && note(0)->table_event == TABLE_ROW_MODIFIED && note(0)->row.fid == wire(d->fid[SF_INBOX]));
    CHECK(note(0)->after.fid != 0); /* not the first by name */
    desk_end(d);
}

/* --- many ------------------------------------------------------------------------------------------------------------------------------------------ */

static void many(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        desk_mail(d, d->fid[SF_INBOX], "many", i);
}

TEST(a_burst_is_one_table_changed)
{
    begin();
    uint32_t t = inbox_table(0), s = notes_subscribe(d, logon, CREATED, d->fid[SF_INBOX], 0);
    notes_look(d, t);
    many(100);
    notes_poll(d, &notes);
    CHECK_INT(notes.n, 101); /* the subscription hears of each */
    size_t of_table = 0;
    for (size_t i = 0; i < notes.n; i++) {
        of_table += notes.v[i].handle == t;
        CHECK(notes.v[i].handle == s || (notes.v[i].flags == NOTIFY_TABLE && notes.v[i].table_event == TABLE_CHANGED));
    }
    CHECK_INT(of_table, 1);
    told(0);
    desk_end(d);
}

/* More than a thousand messages at once have no event each: whoever asked for any hears of the folder, or of the message he watches. */
TEST_LIMIT(a_bulk_change_is_one_table_changed, 60)
{
    begin();
    uint64_t mid = desk_mail(d, d->fid[SF_INBOX], "watched", 1);
    many(1000);
    uint32_t folder = notes_folder(d, logon, d->fid[SF_INBOX]), t = notes_table(d, folder, false, 0, columns, 1), s = notes_subscribe(d, logon, DELETED, 0, 0);
    uint32_t one = notes_subscribe(d, logon, DELETED, d->fid[SF_INBOX], mid);
    notes_subscribe(d, logon, NEW_MAIL, 0, 0);
    notes_look(d, t);
    struct rd r;
    notes_rop(d, 0x58, folder, blob_of("\0\0", 2), &r);
    rd_u8(&r);
    notes_take(d, r, &notes);
    CHECK_INT(notes.n, 3);
    CHECK(note(0)->handle == s && note(0)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U) && note(0)->total == 0);
    CHECK(note(1)->handle == one && note(1)->flags == (DELETED | NOTIFY_M) && note(1)->mid == wire(mid));
    CHECK(note(2)->handle == t && note(2)->table_event == TABLE_CHANGED);
    told(0);
    desk_end(d);
}

/* R334, R338, R347, R349; OXCROPS R452202, R453901, R453902: what does not fit comes with the next Executes, in order, each once. */
TEST(what_does_not_fit_is_pending)
{
    begin();
    notes_subscribe(d, logon, CREATED, d->fid[SF_INBOX], 0);
    notes_subscribe(d, logon, CREATED, 0, 0);
    uint64_t mid[20];
    for (unsigned i = 0; i < 20; i++)
        mid[i] = desk_mail(d, d->fid[SF_INBOX], "a", i);
    size_t n = 0, rounds = 0;
    for (bool more = true; more && rounds < 50; rounds++) {
        d->max_out = (uint32_t)(8 + 2 + 3 + 26 * (3 + rounds % 4) + rounds % 26); /* 26 bytes each */
        CHECK(notes_waiting(d));
        notes_poll(d, &notes);
        for (size_t i = 0; i < notes.n; i++, n++)
            CHECK(n < 40 && note(i)->mid == wire(mid[n / 2]));
        more = notes.pending;
        CHECK_INT(notes_waiting(d), more);
    }
    CHECK_INT(n, 40);
    CHECK(rounds > 6);
    desk_end(d);
}

/* A row that no answer has room for: the client reads it itself. */
TEST(a_row_that_never_fits)
{
    begin();
    uint32_t t = inbox_table(0);
    notes_look(d, t);
    char subject[200];
    memset(subject, 'x', sizeof subject - 1);
    subject[sizeof subject - 1] = 0;
    desk_mail(d, d->fid[SF_INBOX], subject, 1);
    d->max_out = 128;
    told(1);
    CHECK_INT(note(0)->table_event, TABLE_CHANGED);
    told(0);
    desk_end(d);
}

/* --- gaps --------------------------------------------------------------------------------------------------------------------------------------------- */

static const struct notify_data *note_of(uint32_t handle, size_t nth)
{
    for (size_t i = 0; i < notes.n; i++)
        if (notes.v[i].handle == handle && nth-- == 0)
            return &notes.v[i];
    CHECK(!"no such notification");
    return &notes.v[NOTES_MAX - 1];
}

TEST(a_trimmed_gap_is_told)
{
    begin();
    uint64_t inbox = d->fid[SF_INBOX], kept = desk_mail(d, inbox, "kept", 1), gone = desk_mail(d, inbox, "gone", 2);
    uint32_t t = inbox_table(0), mail = notes_subscribe(d, logon, NEW_MAIL, 0, 0), whole = notes_subscribe(d, logon, CREATED, 0, 0);
    uint32_t folder = notes_subscribe(d, logon, MODIFIED | DELETED, inbox, 0), m1 = notes_subscribe(d, logon, MODIFIED, inbox, kept);
    uint32_t m2 = notes_subscribe(d, logon, DELETED, inbox, gone), table = notes_subscribe(d, logon, TABLE, 0, 0);
    notes_look(d, t);
    uint64_t newest = desk_arrive(d, inbox, "newest", 100);
    notes_delete(d, inbox, gone);
    notes_trim(d);
    CHECK(notes_waiting(d));
    told(6);
    CHECK_INT(note_of(t, 0)->table_event, TABLE_CHANGED);
    CHECK(note_of(mail, 0)->flags == (NEW_MAIL | NOTIFY_M) && note_of(mail, 0)->mid == wire(newest));
    CHECK(note_of(whole, 0)->flags == MODIFIED && note_of(whole, 0)->fid == wire(d->fid[SF_ROOT]));
    CHECK(note_of(folder, 0)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U) && note_of(folder, 0)->total == 2);
    CHECK(note_of(m1, 0)->flags == (MODIFIED | NOTIFY_M) && note_of(m1, 0)->mid == wire(kept));
    CHECK(note_of(m2, 0)->flags == (DELETED | NOTIFY_M) && note_of(m2, 0)->mid == wire(gone));
    (void)table;
    told(0);
    CHECK(!notes_waiting(d));
    desk_end(d);
}

/* The answers to a gap may not fit either, and nobody gets his twice. */
TEST(a_gap_in_small_answers)
{
    uint32_t handle[12];
    unsigned heard[12] = { 0 };
    begin();
    for (size_t i = 0; i < 12; i++)
        handle[i] = notes_subscribe(d, logon, MODIFIED, d->fid[SF_INBOX], 0);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    notes_trim(d);
    desk_mail(d, d->fid[SF_INBOX], "c", 3);
    d->max_out = 100;
    for (unsigned rounds = 0; rounds < 60; rounds++) {
        notes_poll(d, &notes);
        for (size_t i = 0; i < notes.n; i++)
            for (size_t k = 0; k < 12; k++)
                heard[k] += notes.v[i].handle == handle[k];
        if (!notes.pending)
            break;
    }
    for (size_t k = 0; k < 12; k++) /* the gap, with all that is true now; whoever was owed after "c" heard of it with the gap */
        CHECK(heard[k] == 1 || heard[k] == 2);
    told(0);
    desk_end(d);
}

/* A mailbox that was put back to an older state counts from there again. */
TEST(a_mailbox_that_was_put_back)
{
    begin();
    uint32_t t = inbox_table(0), s = notes_subscribe(d, logon, MODIFIED, d->fid[SF_INBOX], 0);
    notes_look(d, t);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(2);
    d->position[0].seq += 1000;
    CHECK(notes_waiting(d));
    told(2);
    CHECK(note_of(t, 0)->table_event == TABLE_CHANGED && note_of(s, 0)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U));
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    told(2);
    told(0);
    desk_end(d);
}

/* --- rights ------------------------------------------------------------------------------------------------------------------------------------------------ */

static void grant(uint64_t fid, uint32_t rights)
{
    struct arena *a = arena_new(1 << 28);
    struct mailbox *m = desk_mailbox(d, a, &d->ada);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(permission_set(m, fid, d->bob.dn, rights), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
}

TEST(a_delegate_is_told_what_he_may_see)
{
    d = desk_new();
    uint64_t inbox = d->fid[SF_INBOX], drafts = d->fid[SF_DRAFTS];
    grant(inbox, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    d->user = &d->bob;
    logon = notes_login(d);
    notes_subscribe(d, logon, 0x7E, 0, 0);
    desk_mail(d, drafts, "hidden", 1);
    notes_create_folder(d, drafts, "hidden");
    told(0);
    uint64_t mid = desk_mail(d, inbox, "seen", 2);
    told(2);
    CHECK(note(0)->flags == (CREATED | NOTIFY_M) && note(1)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U));
    uint64_t there = notes_move(d, inbox, drafts, mid, false); /* out of sight */
    told(2);
    CHECK(note(0)->flags == (DELETED | NOTIFY_M) && note(0)->mid == wire(mid) && note(0)->fid == wire(inbox));
    uint64_t back = notes_move(d, drafts, inbox, there, false);
    told(2);
    CHECK(note(0)->flags == (CREATED | NOTIFY_M) && note(0)->mid == wire(back));
    grant(inbox, RIGHT_FOLDER_VISIBLE);
    notes_set(d, back, pv_str(PidTagSubject, "not any more"));
    desk_mail(d, inbox, "not any more", 3);
    told(1); /* the folder's count, which he sees */
    CHECK_INT(note(0)->flags, MODIFIED | NOTIFY_T | NOTIFY_U);
    desk_end(d);
}

TEST(a_delegate_cannot_subscribe_to_what_he_may_not_see)
{
    d = desk_new();
    grant(d->fid[SF_INBOX], RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE);
    uint64_t hidden = desk_mail(d, d->fid[SF_DRAFTS], "hidden", 1);
    d->user = &d->bob;
    logon = notes_login(d);
    for (int i = 0; i < 2; i++) {
        uint32_t table[2] = { logon, 0xFFFFFFFF };
        uint8_t bytes[32];
        struct wr w = wr_over(bytes, sizeof bytes);
        wr_bytes(&w, "\x29\0\0\1\x7E\0\0", 7);
        wr_u64(&w, wire(d->fid[SF_DRAFTS]));
        wr_u64(&w, i == 0 ? 0 : wire(hidden));
        struct rd r = desk_rops(d, wr_blob(&w), table, 2);
        rd_u16(&r);
        CHECK_EC(rd_u32(&r), ecAccessDenied);
        CHECK_INT(table[1], 0xFFFFFFFF);
    }
    CHECK_INT(d->watches, 0);
    desk_end(d);
}

/* --- limits and undoing ---------------------------------------------------------------------------------------------------------------------------------------- */

/* Subscriptions are server objects and count as such. */
TEST(there_are_not_more_subscriptions_than_handles)
{
    begin();
    d->config->handles_max = 16;
    ec_t ec = ecNone;
    unsigned n = 0;
    for (; n < 100 && ec == ecNone; n++) {
        uint32_t table[2] = { logon, 0xFFFFFFFF };
        struct rd r = desk_rops(d, blob_of("\x29\0\0\1\x7E\0\1", 7), table, 2);
        rd_u16(&r);
        ec = rd_u32(&r);
    }
    CHECK_EC(ec, ecServerBusy);
    CHECK_INT(d->watches, 15);
    desk_end(d);
}

/* A ROP that is undone for want of room leaves no watch. */
TEST(a_first_look_that_is_undone)
{
    begin();
    uint32_t table[1] = { inbox_table(0) };
    desk_mail(d, d->fid[SF_INBOX], "a subject that is too long for an answer of so few bytes as there may be", 1);
    d->max_out = 100;
    struct rd r = desk_rops(d, blob_of("\x15\0\0\0\1\1\0", 7), table, 1);
    CHECK_EC(d->error, ecNone);
    CHECK_INT(rd_u8(&r), 0xFF);
    CHECK_INT(d->watches, 0);
    d->max_out = 0x10008;
    desk_rops(d, blob_of("\x15\0\0\0\1\1\0", 7), table, 1);
    CHECK_INT(d->watches, 1);
    desk_end(d);
}

/* Own changes are told with the answer to the ROP that made them, behind it. */
TEST(own_changes_are_told_at_once)
{
    begin();
    uint32_t folder = notes_folder(d, logon, d->fid[SF_INBOX]);
    notes_subscribe(d, logon, CREATED, 0, 0);
    struct rd r;
    notes_rop(d, 0x1C, folder, blob_of("\1\0\0\0own\0\0", 9), &r);
    rd_u64(&r);
    rd_u8(&r);
    notes_take(d, r, &notes);
    CHECK_INT(notes.n, 1);
    CHECK(note(0)->flags == CREATED && note(0)->parent == wire(d->fid[SF_INBOX]));
    CHECK(!notes_waiting(d));
    told(0);
    desk_end(d);
}

/* Requests that come to nothing move nothing on. */
TEST(a_request_that_failed_told_nobody)
{
    begin();
    notes_subscribe(d, logon, CREATED, 0, 0);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    d->dry = true;
    told(1);
    d->dry = false;
    told(1);
    told(0);
    desk_end(d);
}

/* While sessions are written as older programs read them nothing can be watched: subscriptions are refused, tables keep silent, and speak from the first look
 * after that is over. */
TEST(a_session_in_the_older_layout)
{
    begin();
    d->layout = 1;
    uint32_t t = inbox_table(0);
    notes_ec(d, 0x29, logon, blob_of("\x7E\0\1", 3), ecNotSupported);
    notes_look(d, t);
    CHECK_INT(d->watches, 0);
    desk_mail(d, d->fid[SF_INBOX], "a", 1);
    told(0);
    d->layout = 0;
    notes_look(d, t);
    notes_subscribe(d, logon, CREATED, 0, 0);
    desk_mail(d, d->fid[SF_INBOX], "b", 2);
    told(2);
    desk_end(d);
}

/* --- the store fails at each call in turn ------------------------------------------------------------------------------------------------------------------------ */

/* What could not be told is told by the next Execute; a request fails for it only if its own transaction is broken, and then nothing of it happened. */
TEST(a_store_that_fails_while_it_is_asked)
{
    d = desk_with("fault");
    logon = notes_login(d);
    uint32_t folder = notes_folder(d, logon, d->fid[SF_INBOX]), t = notes_table(d, folder, false, 0, columns, 1);
    notes_look(d, t);
    notes_subscribe(d, logon, 0x7E, d->fid[SF_INBOX], 0);
    unsigned failed = 0;
    for (unsigned call = 1; call < 200; call++) {
        uint64_t mid = desk_mail(d, d->fid[SF_INBOX], "a", call);
        dbfault_arm(call);
        notes_poll(d, &notes);
        bool passed = dbfault_calls() < call;
        dbfault_arm(0);
        failed += notes.n == 0;
        if (notes.n == 0)
            notes_poll(d, &notes);
        unit_check(notes.n == 3 && note(0)->handle == t && note(0)->row.mid == wire(mid) && note(1)->mid == wire(mid), __FILE__, __LINE__,
                   "%zu told after call %u", notes.n, call);
        if (passed)
            break;
    }
    CHECK(failed > 3);
    told(0);
    desk_end(d);
}

/* An answer that goes on in further buffers is not interrupted: what is to be told comes with the next Execute. */
TEST(a_packed_answer_is_not_interrupted)
{
    begin();
    uint32_t t = inbox_table(0), s = notes_subscribe(d, logon, CREATED, d->fid[SF_INBOX], 0), table[1] = { t };
    char subject[251];
    memset(subject, 'x', sizeof subject - 1);
    subject[sizeof subject - 1] = 0;
    for (unsigned i = 0; i < 100; i++)
        desk_mail(d, d->fid[SF_INBOX], subject, i);
    d->flags |= EXECUTE_CHAIN;
    d->max_out = 0x18000;
    desk_rops(d, blob_of("\x15\0\0\0\1\xFF\xFF", 7), table, 1);
    CHECK(d->payloads > 1);
    for (size_t i = 0; i < d->payloads; i++) {
        struct rd r = desk_answer(d, i, table, 1);
        CHECK_INT(rd_u8(&r), 0x15);
        rd_u8(&r);
        CHECK_EC(rd_u32(&r), ecNone);
        rd_u8(&r);
        size_t rows = rd_u16(&r);
        CHECK_INT(r.n, rows * 503); /* rows, and nothing behind them */
    }
    told(100);
    CHECK_INT(note(0)->handle, s);
    desk_end(d);
}
