/* test_view_build.c - views that are built at first use: in steps, interrupted, gone on with by others while messages change; dropped, swept. */
#include "backend/store/fault/dbfault.h"
#include "backend/store/store_int.h"
#include "backend/store/view_int.h"
#include "backend/store/view_own.h"
#include "tests/unit/backend-store/viewkit.h"
#include <stdio.h>
#include <time.h>

enum { MANY = 20000, FIRST = 1000000 };

static const struct sortcol by_name = { PidTagSenderName, SORT_ASCENDING }, by_time = { PidTagMessageDeliveryTime, SORT_ASCENDING };

static struct mbox many(const char *driver, uint64_t *fid)
{
    struct mbox b = mbox_with(driver, 0x0409);
    *fid = kit_folder(&b, "many");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(view_folder_removed(b.m, *fid), ecNone); /* its usual view knows nothing of what comes by SQL */
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    kit_bulk(&b, *fid, FIRST, MANY);
    mbox_again(&b);
    return b;
}

TEST(built_whole)
{
    uint64_t fid, id[3];
    struct mbox b = many("sqlite", &fid);
    struct table_def d = kit_table(fid, 1, &by_time);
    struct view *v = kit_open(&b, &d);
    struct table_pos pos;
    CHECK_INT(kit_count(v), MANY);
    for (uint32_t i = 0; i < MANY; i += 777) {
        CHECK_EC(view_seek_to(v, i, &pos), ecNone);
        CHECK_INT(kit_ids(v, &pos, true, 1, id), 1);
        CHECK_INT(id[0], FIRST + i);
    }
    kit_clean(&b);
    mbox_end(&b);
}

/* Inside the request's own transaction it is part of that. */
TEST(built_in_a_transaction)
{
    uint64_t fid;
    struct mbox b = many("sqlite", &fid);
    struct table_def d = kit_table(fid, 1, &by_time);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    CHECK_INT(kit_count(kit_open(&b, &d)), MANY);
    mailbox_abort(b.m);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE usual = 0"), 0);
    CHECK_INT(kit_count(kit_open(&b, &d)), MANY);
    mbox_end(&b);
}

static void change_some(struct mbox *b, uint64_t fid, uint64_t from)
{
    for (uint64_t i = 0; i < 40; i++) {
        struct kit_msg k = { .mid = FIRST + from + i * 97, .sender = "changed", .time = (int64_t)i };
        if (i % 3 == 0)
            kit_delete(b, fid, k.mid, i % 2);
        else
            kit_save(b, fid, &k);
    }
    kit_save(b, fid, &(struct kit_msg){ .sender = "added", .time = 5 });
}

static int64_t built(struct mbox *b) { return mbox_sql(b, "SELECT coalesce(max(built), 0) FROM view WHERE state = 0"); }

/* Fails somewhere in the second step, then in the third; messages on both sides of the mark change in between. */
TEST_LIMIT(interrupted, 120)
{
    uint64_t fid;
    struct mbox b = many("fault", &fid);
    struct table_def d = kit_table(fid, 1, &by_name);
    struct restriction r = kit_content(FL_SUBSTRING, 0, pv_str(PidTagSenderName, "7"));
    struct view *v;
    d.filter = &r;
    for (int round = 0; round < 2; round++) {
        int64_t before = built(&b);
        dbfault_arm(14000);
        CHECK_EC(view_open(b.m, &d, &v), ecDiskError);
        dbfault_arm(0);
        CHECK(built(&b) > before);
        mbox_again(&b);
        kit_clean(&b); /* what is built is right */
        change_some(&b, fid, (uint64_t)round * 500);
        change_some(&b, fid, 14000 + (uint64_t)round * 300);
        kit_clean(&b);
    }
    v = kit_open(&b, &d);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE state = 0"), 0);
    CHECK_INT(kit_count(v), mbox_sql(&b, "SELECT count(*) FROM message WHERE deleted = 0 AND sender_name LIKE '%7%'"));
    kit_clean(&b);
    mbox_end(&b);
}

/* --- a bounded number, least used first -------------------------------------------------------------------------------------------------------- */
static struct table_def odd_table(uint64_t fid, struct restriction *r, int i)
{
    struct table_def d = kit_table(fid, 1, &by_time);
    *r = kit_relation(RELOP_GE, pv_i32(KIT_INT, i));
    d.filter = r;
    return d;
}

TEST(few_are_kept)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "few");
    struct restriction r;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (int i = 0; i < 50; i++)
        kit_save(&b, fid, &(struct kit_msg){ .sender = "x", .time = i, .number = i, .has_number = true });
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    for (int i = 0; i < 40; i++) {
        struct table_def d = odd_table(fid, &r, i);
        CHECK_INT(kit_count(kit_open(&b, &d)), 50 - i);
    }
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE state < 2 AND usual = 0"), VIEW_KEEP);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE state = 2"), 40 - VIEW_KEEP);
    /* an open table whose view was dropped meanwhile is opened again */
    struct table_def d = odd_table(fid, &r, 0);
    struct view *v = kit_open(&b, &d);
    mbox_exec(&b, "UPDATE view SET state = 2, def = NULL WHERE usual = 0");
    CHECK_INT(kit_count(v), 50);
    kit_clean(&b);
    mbox_end(&b);
}

TEST(swept)
{
    uint64_t fid;
    struct mbox b = many("sqlite", &fid);
    struct table_def d = kit_table(fid, 1, &by_name);
    bool more = true;
    kit_open(&b, &d);
    mbox_exec(&b, "UPDATE view SET used = 5 WHERE usual = 0");
    int steps = 0;
    for (; more && steps < 100; steps++) {
        REQUIRE_EC(mailbox_write(b.m), ecNone);
        REQUIRE_EC(view_sweep(b.m, 3600, 1000, &more), ecNone);
        REQUIRE_EC(mailbox_commit(b.m), ecNone);
    }
    CHECK(steps >= 20 && steps < 25);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view_row"), 0);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE usual = 0"), 0);
    CHECK_INT(kit_count(kit_open(&b, &d)), MANY);
    mbox_end(&b);
}

/* The time of use is written once an hour. */
TEST(use_is_noted)
{
    uint64_t fid;
    struct mbox b = many("sqlite", &fid);
    struct table_def d = kit_table(fid, 1, &by_name);
    kit_open(&b, &d);
    mbox_exec(&b, "UPDATE view SET used = used - 3000 WHERE usual = 0");
    int64_t used = mbox_sql(&b, "SELECT used FROM view WHERE usual = 0");
    kit_open(&b, &d);
    CHECK_INT(mbox_sql(&b, "SELECT used FROM view WHERE usual = 0"), used);
    mbox_exec(&b, "UPDATE view SET used = used - 1000 WHERE usual = 0");
    kit_open(&b, &d);
    CHECK(mbox_sql(&b, "SELECT used FROM view WHERE usual = 0") >= (int64_t)time(NULL) - 10);
    mbox_end(&b);
}

/* A view whose collation is of another library version is not used, and not kept up to date. */
TEST(stale_collation)
{
    uint64_t fid;
    struct mbox b = many("sqlite", &fid);
    struct table_def d = kit_table(fid, 1, &by_name);
    kit_open(&b, &d);
    mbox_exec(&b, "UPDATE view SET def = CAST(replace(CAST(def AS TEXT), 'root', 'r00t') AS BLOB) WHERE usual = 0");
    mbox_again(&b);
    kit_save(&b, fid, &(struct kit_msg){ .sender = "new", .time = 1 });
    CHECK_INT(kit_count(kit_open(&b, &d)), MANY + 1);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE usual = 0"), 2);
    kit_clean(&b);
    mbox_end(&b);
}

/* Whole folder emptied and deleted. */
TEST(emptied)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "empty");
    struct table_def d = kit_table(fid, 1, &by_name);
    bool partial = false;
    for (int i = 0; i < 60; i++)
        kit_save(&b, fid, &(struct kit_msg){ .sender = "x", .time = i });
    CHECK_INT(kit_count(kit_open(&b, &d)), 60);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(folder_empty(b.m, fid, true, false, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    CHECK_INT(kit_count(kit_open(&b, &d)), 0);
    kit_save(&b, fid, &(struct kit_msg){ .sender = "y", .time = 1 });
    CHECK_INT(kit_count(kit_open(&b, &d)), 1);
    kit_clean(&b);
    mbox_end(&b);
}

static void count_finding(void *ctx, const char *finding) { *(size_t *)ctx += finding != NULL; }

/* What the check is there for: a row lost, a row too many, a count off. */
TEST(damage_is_found)
{
    static const char *const damage[] = {
        "DELETE FROM view_row WHERE id = (SELECT max(id) FROM view_row)",
        "INSERT INTO view_row (view, key, id) SELECT view, x'0200', 7 FROM view_row LIMIT 1", "UPDATE view_bucket SET n = n + 1 WHERE level = 2 AND n > 0",
        "UPDATE view_row SET key = x'0299' WHERE id = (SELECT max(id) FROM view_row)",
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        struct mbox b = mbox_new();
        uint64_t fid = kit_folder(&b, "damaged");
        size_t said = 0, findings = 0;
        for (int k = 0; k < 5; k++)
            kit_save(&b, fid, &(struct kit_msg){ .sender = "x", .time = k });
        kit_clean(&b);
        mbox_exec(&b, damage[i]);
        CHECK_EC(view_check(b.m, count_finding, &said, &findings), ecNone);
        CHECK(findings > 0 && said == findings);
        mbox_end(&b);
    }
}

/* A change that the view cannot follow costs the view, not the change. */
TEST(lost_track)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "lost");
    struct table_def d = kit_table(fid, 0, NULL);
    struct kit_msg k[40];
    for (int i = 0; i < 40; i++) {
        k[i] = (struct kit_msg){ .sender = "x", .time = i };
        kit_save(&b, fid, &k[i]);
    }
    mbox_exec(&b, "DELETE FROM view_row");
    mbox_again(&b);
    k[3].time = 50;
    kit_save(&b, fid, &k[3]);
    CHECK_INT(kit_count(kit_open(&b, &d)), 40);
    kit_clean(&b);
    mbox_end(&b);
}

/* The disk fails at every call in turn: an error, and everything is right afterwards. */
static ec_t use_table(struct mbox *b, const struct table_def *d, const struct restriction *r)
{
    struct view *v;
    struct table_pos pos;
    uint32_t row, rows;
    int32_t moved;
    bool there;
    TRY(view_open(b->m, d, &v));
    TRY(view_seek_to(v, 20, &pos));
    TRY(view_position(v, &pos, &row, &rows));
    TRY(view_seek(v, &pos, 5, &moved));
    TRY(view_follow(v, &pos, &there));
    TRY(view_find(v, &pos, true, r));
    return view_count(v, &rows);
}

TEST_LIMIT(every_call_fails_once, 120)
{
    struct mbox b = mbox_with("fault", 0x0409);
    uint64_t fid = kit_folder(&b, "faults");
    struct table_def d = kit_table(fid, 1, &by_name);
    struct restriction r = kit_equal(pv_i32(KIT_INT, 45));
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (int i = 0; i < 50; i++)
        kit_save(&b, fid, &(struct kit_msg){ .sender = "x", .time = i, .number = i, .has_number = true });
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    unsigned n = 1;
    for (bool failed = true; failed && n < 1000; n++) {
        mbox_exec(&b, "UPDATE view SET state = 2, def = NULL WHERE usual = 0");
        mbox_again(&b);
        dbfault_arm(n);
        ec_t ec = use_table(&b, &d, &r);
        failed = dbfault_calls() >= n;
        dbfault_arm(0);
        CHECK_EC(ec, failed ? ecDiskError : ecNone);
        CHECK(!mailbox_writing(b.m));
    }
    CHECK(n > 50 && n < 1000);
    mbox_again(&b);
    CHECK_EC(use_table(&b, &d, &r), ecNone);
    kit_clean(&b);
    mbox_end(&b);
}

/* Wrong counts: the table is built again, for whoever reads and for whoever writes. */
TEST(wrong_counts_heal)
{
    static const char *const damage[] = { "DELETE FROM view_bucket WHERE level = 1 AND", "DELETE FROM view_bucket WHERE level = 2 AND",
                                          "UPDATE view_bucket SET n = n + 1000 WHERE", "DELETE FROM view_bucket WHERE" };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        struct mbox b = mbox_new();
        uint64_t fid = kit_folder(&b, "wrong"), id[2];
        struct table_def d = kit_table(fid, 0, NULL);
        struct table_pos pos = { .end = false };
        uint32_t row, rows;
        for (int k = 0; k < 40; k++)
            kit_save(&b, fid, &(struct kit_msg){ .sender = "x", .time = k });
        mbox_exec(&b, arena_printf(b.a, "%s view IN (SELECT id FROM view WHERE fid = %llu)", damage[i], (unsigned long long)fid));
        mbox_again(&b);
        struct view *v = kit_open(&b, &d);
        ec_t ec = view_seek_to(v, 900, &pos);
        CHECK(ec == ecNone);
        if (i != 2) { /* counts that are only too high go unnoticed until somebody steps on them */
            CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
            CHECK_INT(kit_ids(v, &(struct table_pos){ .end = false }, true, 2, id), 2);
        }
        mbox_exec(&b, arena_printf(b.a, "%s view IN (SELECT id FROM view WHERE fid = %llu)", damage[i], (unsigned long long)fid));
        mbox_again(&b);
        for (int k = 0; k < 30; k++)
            kit_save(&b, fid, &(struct kit_msg){ .sender = "x", .time = k });
        v = kit_open(&b, &d);
        CHECK_EC(view_position(v, &(struct table_pos){ .end = true }, &row, &rows), ecNone);
        kit_clean(&b);
        CHECK_INT(rows, 70);
        mbox_end(&b);
    }
}
