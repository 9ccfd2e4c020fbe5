/* test_journal.c - one row per context, fenced by epoch and sequence. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/journal.h"

static const uint8_t context[CONTEXT_ID] = { 0xC0, 1 };

static struct journal_row row(uint64_t epoch, uint64_t seq)
{
    return (struct journal_row){ .epoch = epoch, .seq = seq, .digest = { 7 }, .delta = blob_str("delta"), .answer = blob_str("answer") };
}

static ec_t put(struct mbox *b, struct journal_row r)
{
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    ec_t ec = journal_put(b->m, context, &r);
    if (ec == ecNone)
        ec = mailbox_commit(b->m);
    else
        mailbox_abort(b->m);
    return ec;
}

TEST(comes_back_as_written)
{
    struct mbox b = mbox_new();
    struct journal_row r;
    CHECK_EC(journal_get(b.m, context, &r), ecNotFound);
    CHECK_EC(put(&b, row(3, 8)), ecNone);
    mbox_again(&b);
    REQUIRE_EC(journal_get(b.m, context, &r), ecNone);
    CHECK_INT(r.epoch, 3);
    CHECK_INT(r.seq, 8);
    CHECK_INT(r.digest[0], 7);
    CHECK(!r.running);
    CHECK_BLOB(r.delta, blob_str("delta"));
    CHECK_BLOB(r.answer, blob_str("answer"));
    CHECK_INT(r.cursor.n, 0);
    mbox_end(&b);
}

TEST(whoever_was_overtaken_writes_nothing)
{
    struct mbox b = mbox_new();
    CHECK_EC(put(&b, row(3, 8)), ecNone);
    CHECK_EC(put(&b, row(2, 9)), ecInvalidObject);  /* older lock */
    CHECK_EC(put(&b, row(3, 8)), ecInvalidObject);  /* same request again */
    CHECK_EC(put(&b, row(4, 7)), ecInvalidObject);  /* older request */
    CHECK_EC(put(&b, row(3, 9)), ecNone);
    CHECK_EC(put(&b, row(9, 10)), ecNone);
    mbox_end(&b);
}

TEST(a_bulk_operation_writes_its_row_again)
{
    struct mbox b = mbox_new();
    struct journal_row r = row(1, 1);
    r.running = true;
    r.cursor = blob_str("17");
    CHECK_EC(put(&b, r), ecNone);
    r.cursor = blob_str("18");
    CHECK_EC(put(&b, r), ecNone);
    CHECK_EC(put(&b, row(2, 1)), ecNone);  /* taken over and finished */
    CHECK_EC(put(&b, r), ecInvalidObject);
    mbox_end(&b);
}

TEST(a_fence_stops_older_locks)
{
    struct mbox b = mbox_new();
    struct journal_row r;
    CHECK_EC(journal_fence(b.m, context, 5), ecNone);  /* no row yet */
    CHECK_EC(journal_get(b.m, context, &r), ecNotFound);
    CHECK_EC(put(&b, row(4, 1)), ecInvalidObject);
    CHECK_EC(put(&b, row(5, 0)), ecNone);
    CHECK_EC(journal_fence(b.m, context, 9), ecNone);
    CHECK_EC(journal_fence(b.m, context, 2), ecNone);  /* never lowers it */
    REQUIRE_EC(journal_get(b.m, context, &r), ecNone);
    CHECK_INT(r.epoch, 9);
    CHECK_INT(r.seq, 0);
    CHECK_BLOB(r.answer, blob_str("answer"));
    CHECK_EC(put(&b, row(8, 2)), ecInvalidObject);
    CHECK_EC(put(&b, row(9, 2)), ecNone);
    mbox_end(&b);
}

TEST(goes_with_the_effects_of_its_request)
{
    struct mbox b = mbox_new();
    struct journal_row r = row(1, 1);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(journal_put(b.m, context, &r), ecNone);
    mailbox_abort(b.m);
    CHECK_EC(journal_get(b.m, context, &r), ecNotFound);
    CHECK_EC(put(&b, row(1, 1)), ecNone);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_EC(journal_drop(b.m, context), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_EC(journal_get(b.m, context, &r), ecNotFound);
    mbox_end(&b);
}

TEST(a_damaged_row_is_an_error)
{
    struct mbox b = mbox_new();
    struct journal_row r;
    CHECK_EC(put(&b, row(1, 1)), ecNone);
    mbox_exec(&b, "UPDATE journal SET digest = x'0102'");
    CHECK_EC(journal_get(b.m, context, &r), ecDiskError);
    mbox_end(&b);
}
