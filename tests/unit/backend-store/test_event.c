/* test_event.c - events: in the transaction of their change, read in order, trimmed. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/event.h"
#include "backend/store/message.h"
#include "backend/store/store_int.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static void add(struct mbox *b, size_t n)
{
    uint32_t tags[] = { 0x0037001F, 0x0E070003 };
    for (size_t i = 0; i < n; i++) {
        struct event e = { .kind = EVENT_MODIFIED, .fid = 4, .mid = 100 + i, .total = 7, .unread = UINT32_MAX, .changed = { tags, 2, 2 },
                           .message_class = "IPM.Note", .flags = 3 };
        REQUIRE_EC(event_write(b->m, &e), ecNone);
    }
}

TEST(come_back_in_order)
{
    struct mbox b = mbox_new();
    uint64_t start, last;
    struct event e[10];
    size_t n;
    bool gap;
    REQUIRE_EC(event_last(b.m, &start), ecNone);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 5);
    REQUIRE_EC(event_last(b.m, &last), ecNone);
    CHECK_INT(last, start + 5);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    REQUIRE_EC(event_last(b.m, &last), ecNone);
    CHECK_INT(last, start + 5);
    REQUIRE_EC(event_read(b.m, start, 3, e, &n, &gap), ecNone);
    CHECK(n == 3 && !gap);
    CHECK_INT(e[0].seq, start + 1);
    CHECK_INT(e[0].mid, 100);
    CHECK_INT(e[0].kind, EVENT_MODIFIED);
    CHECK_INT(e[0].unread, UINT32_MAX);
    CHECK_INT(e[0].changed.n, 2);
    CHECK_INT(e[0].changed.v[1], 0x0E070003);
    CHECK_STR(e[0].message_class, "IPM.Note");
    REQUIRE_EC(event_read(b.m, e[2].seq, 10, e, &n, &gap), ecNone);
    CHECK(n == 2 && !gap);
    CHECK_INT(e[1].mid, 104);
    REQUIRE_EC(event_read(b.m, last, 10, e, &n, &gap), ecNone);
    CHECK(n == 0 && !gap);
    mbox_end(&b);
}

TEST(go_with_their_transaction)
{
    struct mbox b = mbox_new();
    uint64_t start, last;
    REQUIRE_EC(event_last(b.m, &start), ecNone);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 1);
    REQUIRE_EC(mailbox_savepoint(b.m), ecNone);
    add(&b, 2);
    REQUIRE_EC(mailbox_rollback(b.m), ecNone);
    REQUIRE_EC(event_last(b.m, &last), ecNone);
    CHECK_INT(last, start + 1);
    add(&b, 1);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 3);
    mailbox_abort(b.m);
    REQUIRE_EC(event_last(b.m, &last), ecNone);
    CHECK_INT(last, start + 2);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM event"), (long long)last);
    mbox_end(&b);
}

TEST(the_oldest_are_trimmed_and_the_gap_is_told)
{
    struct mbox b = mbox_new();
    uint64_t last;
    struct event e[2];
    size_t n;
    bool gap;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 5000);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    REQUIRE_EC(event_last(b.m, &last), ecNone);
    CHECK(mbox_sql(&b, "SELECT count(*) FROM event") < 4300);
    REQUIRE_EC(event_read(b.m, 0, 2, e, &n, &gap), ecNone);
    CHECK(n == 2 && gap);
    REQUIRE_EC(event_read(b.m, last - 1, 2, e, &n, &gap), ecNone);
    CHECK(n == 1 && !gap);
    mbox_exec(&b, "DELETE FROM event");
    REQUIRE_EC(event_read(b.m, last - 1, 2, e, &n, &gap), ecNone);
    CHECK(n == 0 && gap);
    mbox_end(&b);
}

TEST(old_ones_are_trimmed)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 10);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_exec(&b, "UPDATE event SET at = 5 WHERE mid < 104");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(event_trim(b.m), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM event WHERE mid < 104"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM event WHERE mid >= 104"), 6);
    mbox_end(&b);
}

/* Columns mean different things for different kinds: all that is given comes back. */
TEST(folders_that_move_name_both_parents)
{
    struct mbox b = mbox_new();
    uint64_t start;
    struct event e[4], moved = { .kind = EVENT_MOVED, .fid = 21, .old_fid = 21, .parent = 5, .old_parent = 9, .total = UINT32_MAX, .unread = UINT32_MAX };
    size_t n;
    bool gap;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(event_last(b.m, &start), ecNone);
    REQUIRE_EC(event_write(b.m, &moved), ecNone);
    moved.kind = EVENT_COPIED;
    moved.fid = 22;
    REQUIRE_EC(event_write(b.m, &moved), ecNone);
    REQUIRE_EC(event_write(b.m, &(struct event){ .kind = EVENT_SEARCH_COMPLETE, .fid = 30, .total = UINT32_MAX, .unread = UINT32_MAX }), ecNone);
    REQUIRE_EC(event_read(b.m, start, 4, e, &n, &gap), ecNone);
    REQUIRE(n == 3);
    CHECK(e[0].kind == EVENT_MOVED && e[0].fid == 21 && e[0].old_fid == 21 && e[0].parent == 5 && e[0].old_parent == 9 && e[0].changed.n == 0);
    CHECK(e[1].kind == EVENT_COPIED && e[1].fid == 22 && e[1].old_fid == 21 && e[1].parent == 5 && e[1].old_parent == 9);
    CHECK(e[2].kind == EVENT_SEARCH_COMPLETE && e[2].fid == 30);
    mbox_end(&b);
}

/* --- what each change tells ------------------------------------------------------------------------------------------------------------------ */
static struct mbox box;
static uint64_t from;

static void expect(const char *what, size_t n, const struct event *want)
{
    struct event e[16];
    size_t got;
    bool gap;
    REQUIRE_EC(event_read(box.m, from, 16, e, &got, &gap), ecNone);
    REQUIRE_EC(event_last(box.m, &from), ecNone);
    unit_check(got == n, __FILE__, __LINE__, "%s: %zu events", what, got);
    for (size_t i = 0; i < n && i < got; i++)
        unit_check(e[i].kind == want[i].kind && e[i].fid == want[i].fid && e[i].mid == want[i].mid && e[i].old_fid == want[i].old_fid &&
                   e[i].old_mid == want[i].old_mid && e[i].parent == want[i].parent && e[i].total == want[i].total && e[i].unread == want[i].unread &&
                   e[i].assoc == want[i].assoc && e[i].bulk == want[i].bulk, __FILE__, __LINE__,
                   "%s, event %zu: kind %x folder %d message %d old %d parent %d total %d unread %d", what, i, e[i].kind, (int)e[i].fid, (int)e[i].mid,
                   (int)e[i].old_fid, (int)e[i].parent, (int)e[i].total, (int)e[i].unread);
}
#define EXPECT(what, ...) do { const struct event want_[] = { __VA_ARGS__ }; expect(what, sizeof want_ / sizeof *want_, want_); } while (0)
#define NOC .total = UINT32_MAX, .unread = UINT32_MAX

static uint64_t save(uint64_t mid, bool assoc, bool arrived)
{
    struct msg msg = { 0 };
    props_set(box.a, &msg.set, pv_str(PidTagMessageClass, "IPM.Note.Test"));
    if (mid == 0 && !assoc)
        props_set(box.a, &msg.set, pv_i32(PidTagMessageFlags, 0));
    struct message_save s = { .fid = box.m->info.fid[SF_INBOX], .mid = mid, .assoc = assoc, .arrived = arrived, .keep_times = true, .over = &msg };
    REQUIRE_EC(message_save(box.m, &s), ecNone);
    return s.mid;
}

TEST(what_each_change_of_messages_tells)
{
    box = mbox_new();
    uint64_t in = box.m->info.fid[SF_INBOX], ipm = box.m->info.fid[SF_IPM_SUBTREE], out = box.m->info.fid[SF_DRAFTS];
    bool changed = false, partial = false;
    uint32_t old;
    REQUIRE_EC(mailbox_write(box.m), ecNone);
    REQUIRE_EC(event_last(box.m, &from), ecNone);
    uint64_t a = save(0, false, true);
    EXPECT("arrived", { .kind = EVENT_CREATED, .fid = in, .mid = a, .parent = ipm, .total = 1, .unread = 1 }, { .kind = EVENT_NEW_MAIL, .fid = in, .mid = a, NOC });
    uint64_t f = save(0, true, true);
    EXPECT("associated", { .kind = EVENT_CREATED, .assoc = true, .fid = in, .mid = f, .parent = ipm, NOC });
    save(a, false, true);
    EXPECT("changed", { .kind = EVENT_MODIFIED, .fid = in, .mid = a, .parent = ipm, NOC });
    REQUIRE_EC(messages_set_read(box.m, in, &a, 1, 0, &changed, &partial), ecNone);
    EXPECT("read", { .kind = EVENT_MODIFIED, .fid = in, .mid = a, NOC }, { .kind = EVENT_MODIFIED, .fid = in, .parent = ipm, .total = 1, .unread = 0 });
    REQUIRE_EC(messages_set_read(box.m, in, &a, 1, 0, &changed, &partial), ecNone);
    expect("read already", 0, NULL);
    REQUIRE_EC(message_set_status(box.m, in, a, 1, 1, &old), ecNone);
    EXPECT("status", { .kind = EVENT_MODIFIED, .fid = in, .mid = a, NOC });
    REQUIRE_EC(messages_copy(box.m, in, out, &a, 1, &partial), ecNone);
    struct event e;
    size_t n;
    bool gap;
    REQUIRE_EC(event_read(box.m, from, 1, &e, &n, &gap), ecNone);
    EXPECT("copied", { .kind = EVENT_COPIED, .fid = out, .mid = e.mid, .old_fid = in, .old_mid = a, NOC }, { .kind = EVENT_MODIFIED, .fid = out, .parent = ipm, .total = 1 });
    REQUIRE_EC(messages_delete(box.m, in, &a, 1, false, &partial), ecNone);
    EXPECT("deleted", { .kind = EVENT_DELETED, .fid = in, .mid = a, NOC }, { .kind = EVENT_MODIFIED, .fid = in, .parent = ipm, .total = 0 });
    REQUIRE_EC(messages_delete(box.m, in, &f, 1, true, &partial), ecNone);
    EXPECT("associated deleted", { .kind = EVENT_DELETED, .assoc = true, .fid = in, .mid = f, NOC }, { .kind = EVENT_MODIFIED, .fid = in, .parent = ipm, NOC });
    a = save(0, false, false);
    REQUIRE_EC(event_last(box.m, &from), ecNone);
    REQUIRE_EC(folder_empty(box.m, in, false, true, &partial), ecNone);
    EXPECT("emptied", { .kind = EVENT_DELETED, .fid = in, .mid = a, NOC }, { .kind = EVENT_MODIFIED, .fid = in, .parent = ipm, .total = 0 });
    for (int i = 0; i < 1001; i++)
        save(0, false, false);
    REQUIRE_EC(event_last(box.m, &from), ecNone);
    REQUIRE_EC(folder_empty(box.m, in, false, true, &partial), ecNone);
    EXPECT("emptied of many", { .kind = EVENT_MODIFIED, .bulk = true, .fid = in, .parent = ipm, .total = 0 });
    mbox_end(&box);
}

TEST(an_event_in_its_parts)
{
    struct event part[EVENT_PARTS], e = { .seq = 7, .kind = EVENT_CREATED, .fid = 5, .mid = 99, .parent = 4, .total = 3, .unread = 2 };
    REQUIRE(event_parts(&e, part) == 2);
    CHECK(part[0].kind == EVENT_CREATED && part[0].mid == 99 && part[0].total == UINT32_MAX && part[0].seq == 7);
    CHECK(part[1].kind == EVENT_MODIFIED && part[1].mid == 0 && part[1].fid == 5 && part[1].parent == 4 && part[1].total == 3 && part[1].unread == 2 && part[1].seq == 7);
    e.total = e.unread = UINT32_MAX;
    CHECK_INT(event_parts(&e, part), 1);
    e = (struct event){ .kind = EVENT_MODIFIED, .fid = 5, .total = 3 };
    CHECK_INT(event_parts(&e, part), 1);
}

TEST(what_a_delegate_may_see)
{
    box = mbox_new();
    const char *dn = "/o=x/cn=bob";
    uint64_t in = box.m->info.fid[SF_INBOX], out = box.m->info.fid[SF_DRAFTS];
    REQUIRE_EC(mailbox_write(box.m), ecNone);
    REQUIRE_EC(permission_set(box.m, in, dn, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(mailbox_commit(box.m), ecNone);
    struct event moved = { .kind = EVENT_MOVED, .fid = in, .mid = 7, .old_fid = out, .old_mid = 6 }, e = moved;
    bool seen;
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(seen && e.kind == EVENT_MOVED);
    mbox_as(&box, ACTOR_DELEGATE, dn);
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(seen && e.kind == EVENT_CREATED && e.fid == in && e.mid == 7 && e.old_fid == 0 && e.old_mid == 0);
    e = (struct event){ .kind = EVENT_MOVED, .fid = out, .mid = 7, .old_fid = in, .old_mid = 6 };
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(seen && e.kind == EVENT_DELETED && e.fid == in && e.mid == 6);
    e = (struct event){ .kind = EVENT_COPIED, .fid = out, .mid = 7, .old_fid = in, .old_mid = 6 };
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(!seen);
    e = (struct event){ .kind = EVENT_COPIED, .fid = in, .parent = out, .old_fid = out, .old_parent = out };
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(seen && e.kind == EVENT_CREATED && e.old_fid == 0);
    e = (struct event){ .kind = EVENT_DELETED, .fid = 0x7777, .parent = in }; /* its permissions went with it */
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(seen);
    e = (struct event){ .kind = EVENT_DELETED, .fid = 0x7777, .parent = out };
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(!seen);
    e = (struct event){ .kind = EVENT_MODIFIED, .fid = out };
    REQUIRE_EC(event_seen(box.m, &e, &seen), ecNone);
    CHECK(!seen);
    mbox_end(&box);
}

static const char *file_of(struct mbox *b, const char *suffix)
{
    char text[GUID_TEXT];
    guid_text(&mailbox_info(b->m)->id, text);
    return arena_printf(b->a, "%s/%.2s/%s.db%s", b->s->o.path, text, text, suffix);
}

/* What was written lately says nothing yet. */
static void make_old(struct mbox *b, time_t when)
{
    const struct timespec at[2] = { { .tv_sec = when }, { .tv_sec = when } };
    CHECK_INT(utimensat(AT_FDCWD, file_of(b, ""), at, 0), 0);
    CHECK_INT(utimensat(AT_FDCWD, file_of(b, "-wal"), at, 0), 0);
}

TEST(a_stamp_stands_for_no_commit)
{
    struct mbox b = mbox_new();
    struct guid id = mailbox_info(b.m)->id, none = guid_new();
    time_t now = time(NULL);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 1);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK(mailbox_stamp(b.s, &id) == 0);             /* just now */
    make_old(&b, now - 100);
    uint64_t stamp = mailbox_stamp(b.s, &id), last;
    CHECK(stamp != 0);
    REQUIRE_EC(event_last(b.m, &last), ecNone);
    CHECK(mailbox_stamp(b.s, &id) == stamp);         /* reading is no commit */
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 1);
    mailbox_abort(b.m);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    add(&b, 1);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK(mailbox_stamp(b.s, &id) == 0);
    make_old(&b, now - 100);
    CHECK(mailbox_stamp(b.s, &id) != 0 && mailbox_stamp(b.s, &id) != stamp);
    make_old(&b, now + 100);                         /* a clock that was set back */
    CHECK(mailbox_stamp(b.s, &id) == 0);
    CHECK(mailbox_stamp(b.s, &none) == 0);
    mbox_end(&b);
}
