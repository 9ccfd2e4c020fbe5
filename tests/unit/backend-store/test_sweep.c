/* test_sweep.c - what nobody needs goes away, within the budget; the rest stays. */
#include "tests/unit/backend-store/mbox.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include "backend/store/store_int.h"

static struct journal_row row(void) { return (struct journal_row){ .epoch = 1, .seq = 1, .digest = { 1 } }; }

static struct mbox with_contexts(unsigned n)
{
    struct mbox b = mbox_new();
    struct journal_row r = row();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (unsigned i = 0; i < n; i++) {
        struct stage_key k = { { (uint8_t)(i + 1), (uint8_t)(i >> 8) }, i };
        REQUIRE_EC(stage_write(b.m, &k, 0, blob_str("x")), ecNone);
        REQUIRE_EC(journal_put(b.m, k.context, &r), ecNone);
    }
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    return b;
}

static bool odd(void *ctx, const uint8_t context[16])
{
    ++*(int *)ctx;
    return context[0] % 2 == 1;
}

static bool sweep(struct mbox *b, uint32_t age, unsigned budget)
{
    bool more = false;
    CHECK_EC(mailbox_sweep(b->m, NULL, NULL, age, budget, &more), ecNone);
    return more;
}

TEST(dead_contexts_go)
{
    struct mbox b = with_contexts(150);
    bool more;
    int asked = 0;
    CHECK_EC(mailbox_sweep(b.m, odd, &asked, 0, 100000, &more), ecNone);
    CHECK(!more);
    CHECK_INT(asked, 150);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage"), 75);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage_piece"), 75);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM journal"), 75);
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(without_asking_the_old_ones_go)
{
    struct mbox b = with_contexts(4);
    CHECK(!sweep(&b, 60, 1000));
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage"), 4);
    mbox_exec(&b, "UPDATE stage SET touched = 1 WHERE object < 2; UPDATE journal SET touched = 1 WHERE context < x'02'");
    CHECK(!sweep(&b, 60, 1000));
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage"), 3);  /* the journal of the second is young */
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM journal"), 3);
    mbox_end(&b);
}

TEST(the_budget_is_kept)
{
    struct mbox b = with_contexts(100);
    int rounds = 0;
    while (sweep(&b, 0, 30) && rounds < 1000)
        rounds++;
    CHECK(rounds >= 5 && rounds < 50);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM stage"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM journal"), 0);
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(large_values_without_reference_go)
{
    struct mbox b = mbox_new();
    struct large_ref r[3];
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (size_t i = 0; i < 3; i++)
        REQUIRE_EC(large_put(b.m, blob_of("abc", i + 1), &r[i]), ecNone);
    REQUIRE_EC(stage_pin(b.m, &(struct stage_key){ { 1 }, 1 }, &r[1], 1), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    int yes = 0;
    bool more;
    CHECK_EC(mailbox_sweep(b.m, odd, &yes, 60, 1000, &more), ecNone);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM large"), 3);  /* too young */
    CHECK_EC(mailbox_sweep(b.m, odd, &yes, 0, 1000, &more), ecNone);
    CHECK(!more);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM large"), 1);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM large_piece"), 1);
    mbox_clean(&b);
    mbox_end(&b);
}

TEST(old_tombstones_go)
{
    struct mbox b = mbox_new();
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (uint64_t i = 0; i < 20; i++)
        REQUIRE_EC(tombstone_add(b.m, TOMB_MESSAGE, 4, 1000 + i, counter_cn(b.m)), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    mbox_exec(&b, "UPDATE tombstone SET at = 1 WHERE mid < 1010");
    CHECK(sweep(&b, 0, 4));
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM tombstone"), 16);
    while (sweep(&b, 0, 4))
        ;
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM tombstone"), 10);
    mbox_end(&b);
}
