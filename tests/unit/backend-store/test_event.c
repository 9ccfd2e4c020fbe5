/* test_event.c - events: in the transaction of their change, read in order, trimmed. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/event.h"
#include "backend/store/store_int.h"
#include <stdio.h>

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
