/* test_view_walk.c - positions that others pull the ground from under: rows deleted, moved in the order, added, while somebody pages through. */
#include "tests/unit/backend-store/viewkit.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 300, IDS = 4096 };

struct walk { uint64_t fid; struct kit_msg m[ROWS]; bool touched[ROWS], gone[ROWS]; unsigned seed; };

static void start(struct mbox *b, struct walk *w, unsigned seed)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->fid = kit_folder(b, "walk");
    REQUIRE_EC(mailbox_write(b->m), ecNone);
    for (size_t i = 0; i < ROWS; i++) {
        w->m[i] = (struct kit_msg){ .sender = "x", .time = (int64_t)(rand_r(&w->seed) % 90) };
        kit_save(b, w->fid, &w->m[i]);
    }
    REQUIRE_EC(mailbox_commit(b->m), ecNone);
}

/* Something happens to some row, or a row is added. */
static void disturb(struct mbox *b, struct walk *w)
{
    size_t i = (size_t)rand_r(&w->seed) % ROWS;
    if (rand_r(&w->seed) % 8 == 0) {
        struct kit_msg k = { .sender = "new", .time = (int64_t)(rand_r(&w->seed) % 90) };
        kit_save(b, w->fid, &k);
    } else if (w->gone[i]) {
        return;
    } else if (rand_r(&w->seed) % 8) {
        w->m[i].time = (int64_t)(rand_r(&w->seed) % 90);
        w->touched[i] = true;
        kit_save(b, w->fid, &w->m[i]);
    } else {
        w->gone[i] = true;
        kit_delete(b, w->fid, w->m[i].mid, true);
    }
}

static unsigned times_seen(const uint64_t *ids, size_t n, uint64_t mid)
{
    unsigned t = 0;
    for (size_t i = 0; i < n; i++)
        t += ids[i] == mid;
    return t;
}

/* Pages of random size, the position leaves the process after each (as it does between two requests). */
static void walk(struct mbox *b, struct walk *w, const struct table_def *d, bool forward)
{
    static uint64_t ids[IDS];
    static uint8_t kept[4096];
    struct table_pos pos = { .end = !forward };
    size_t n = 0, k;
    do {
        size_t want = 1 + (size_t)rand_r(&w->seed) % 9;
        struct view *v = kit_open(b, d);
        k = kit_ids(v, &pos, forward, want, ids + n);
        n += k;
        REQUIRE(pos.key.n <= sizeof kept && n + 16 < IDS);
        if (pos.key.n != 0)
            memcpy(kept, pos.key.p, pos.key.n);
        mbox_again(b);
        pos.key.p = kept;
        disturb(b, w);
        disturb(b, w);
    } while (k != 0);
    for (size_t i = 0; i < ROWS; i++)
        if (!w->touched[i] && !w->gone[i])
            CHECK_INT(times_seen(ids, n, w->m[i].mid), 1);
    memset(w->touched, 0, sizeof w->touched);
}

TEST_LIMIT(nothing_skipped_nothing_twice, 120)
{
    struct mbox b = mbox_new();
    static struct walk w;
    start(&b, &w, 5);
    struct table_def up = kit_table(w.fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, SORT_ASCENDING } });
    struct table_def down = kit_table(w.fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, SORT_DESCENDING } });
    for (int round = 0; round < 4; round++) {
        walk(&b, &w, &up, true);
        walk(&b, &w, &up, false);
        walk(&b, &w, &down, true);
        walk(&b, &w, &down, false);
    }
    kit_clean(&b);
    mbox_end(&b);
}

/* Small enough to be sorted for each request; grows over the limit and is a stored view then: positions mean the same (VIEW_SMALL). */
TEST(small_becomes_large)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "small"), ids[8];
    struct table_def d = kit_table(fid, 1, (struct sortcol[]){ { PidTagSenderName, SORT_ASCENDING } });
    char name[8];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "n%03d", i * 2);
        kit_save(&b, fid, &(struct kit_msg){ .sender = name, .time = i });
    }
    struct table_pos pos = { .end = false };
    struct view *v = kit_open(&b, &d);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE usual = 0"), 0);
    CHECK_EC(view_seek_to(v, 10, &pos), ecNone);
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "n%03d", i * 2 + 1);
        kit_save(&b, fid, &(struct kit_msg){ .sender = name, .time = i });
    }
    v = kit_open(&b, &d);
    CHECK_INT(mbox_sql(&b, "SELECT count(*) FROM view WHERE usual = 0"), 1);
    uint32_t row, rows;
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 20);
    CHECK_INT(rows, 60);
    CHECK_INT(kit_ids(v, &pos, true, 3, ids), 3);
    mbox_end(&b);
}

/* A row is followed where a change put it; gone rows leave their place behind (OXCTABL R182-R185, R506). */
TEST(bookmarks)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "marks"), ids[4];
    struct table_def d = kit_table(fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, SORT_ASCENDING } });
    struct kit_msg m[80];
    for (int i = 0; i < 80; i++) {
        m[i] = (struct kit_msg){ .sender = "x", .time = i * 10 };
        kit_save(&b, fid, &m[i]);
    }
    struct view *v = kit_open(&b, &d);
    struct table_pos pos, first = { .end = false }, end = { .end = true };
    bool there;
    uint32_t row, rows;
    CHECK_EC(view_seek_to(v, 20, &pos), ecNone);
    CHECK_EC(view_has(v, &pos, &there), ecNone);
    CHECK(there);
    m[20].time = 705;
    kit_save(&b, fid, &m[20]);
    CHECK_EC(view_has(v, &pos, &there), ecNone);
    CHECK(there);
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 20); /* where it was */
    CHECK_EC(view_follow(v, &pos, &there), ecNone);
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 70); /* where it is */
    kit_delete(&b, fid, m[20].mid, false);
    CHECK_EC(view_follow(v, &pos, &there), ecNone);
    CHECK(!there);
    CHECK_INT(kit_ids(v, &pos, true, 1, ids), 1);
    CHECK_INT(ids[0], m[71].mid);
    CHECK_EC(view_mark(v, &first), ecNone);
    CHECK_INT(first.id, m[0].mid);
    CHECK_EC(view_mark(v, &end), ecNone);
    CHECK(end.end);
    CHECK_EC(view_has(v, &end, &there), ecNone);
    CHECK(there);
    CHECK_EC(view_locate(v, m[5].mid, &pos, &there), ecNone);
    CHECK(there);
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 5);
    CHECK_EC(view_locate(v, 999999, &pos, &there), ecNone);
    CHECK(!there);
    mbox_end(&b);
}

/* Soft-deleted messages and FAI messages are not in the table of normal ones; FAI messages have their own. */
TEST(separate_tables)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "both");
    struct kit_msg m[60];
    for (int i = 0; i < 60; i++) {
        m[i] = (struct kit_msg){ .sender = i % 2 ? "x" : "y", .time = i, .assoc = i % 3 == 0 };
        kit_save(&b, fid, &m[i]);
    }
    struct table_def normal = kit_table(fid, 1, (struct sortcol[]){ { PidTagSenderName, SORT_ASCENDING } }), fai = normal, plain = kit_table(fid, 0, NULL);
    fai.assoc = plain.assoc = true;
    CHECK_INT(kit_count(kit_open(&b, &normal)), 40);
    CHECK_INT(kit_count(kit_open(&b, &fai)), 20);
    CHECK_INT(kit_count(kit_open(&b, &plain)), 20);
    for (int i = 0; i < 12; i++)
        kit_delete(&b, fid, m[i].mid, i % 2);
    CHECK_INT(kit_count(kit_open(&b, &normal)), 32);
    CHECK_INT(kit_count(kit_open(&b, &fai)), 16);
    kit_clean(&b);
    mbox_end(&b);
}
