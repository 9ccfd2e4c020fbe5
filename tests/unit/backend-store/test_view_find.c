/* test_view_find.c - searches: by key, by id, row by row; forward and backward; against looking at every row. */
#include "tests/unit/backend-store/viewkit.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 400, BATCHES = 3000 };

struct ground { struct mbox b; uint64_t fid; uint64_t id[ROWS]; struct kit_msg m[ROWS]; size_t n; };

static const char *const words[] = { "alpha", "Alpine", "beta", "Bérénice", "berenice x", "delta", "", "zulu" };

static void start(struct ground *g)
{
    unsigned seed = 9;
    *g = (struct ground){ .b = mbox_new() };
    g->fid = kit_folder(&g->b, "find");
    REQUIRE_EC(mailbox_write(g->b.m), ecNone);
    for (size_t i = 0; i < ROWS; i++) {
        g->m[i] = (struct kit_msg){ .sender = words[(size_t)rand_r(&seed) % 8], .time = rand_r(&seed) % 100, .has_number = rand_r(&seed) % 2,
                                    .number = rand_r(&seed) % 9, .rcpt = i % 50 == 7 ? "Max" : NULL };
        if (i % 40 == 3)
            g->m[i].sender = NULL;
        kit_save(&g->b, g->fid, &g->m[i]);
    }
    REQUIRE_EC(mailbox_commit(g->b.m), ecNone);
}

/* The rows in the table's order. */
static struct view *rows_of(struct ground *g, const struct table_def *d)
{
    struct view *v = kit_open(&g->b, d);
    struct table_pos pos = { .end = false };
    g->n = kit_ids(v, &pos, true, ROWS, g->id);
    return v;
}

static const struct kit_msg *msg_of(const struct ground *g, uint64_t mid)
{
    for (size_t i = 0; i < ROWS; i++)
        if (g->m[i].mid == mid)
            return &g->m[i];
    return NULL;
}

typedef bool (*match_fn)(const struct kit_msg *k);

static size_t expected(const struct ground *g, size_t at, bool forward, match_fn match)
{
    if (forward) {
        while (at < g->n && !match(msg_of(g, g->id[at])))
            at++;
        return at;
    }
    while (at > 0 && !match(msg_of(g, g->id[at - 1])))
        at--;
    return at > 0 ? at - 1 : g->n;
}

static void check_find(struct ground *g, struct view *v, const struct restriction *r, match_fn match)
{
    for (size_t at = 0; at <= g->n; at += 13)
        for (int forward = 0; forward < 2; forward++) {
            struct table_pos pos = { .end = false };
            size_t want = expected(g, at, forward, match);
            uint32_t row = 0, rows;
            CHECK_EC(view_seek_to(v, (uint32_t)at, &pos), ecNone);
            ec_t ec = view_find(v, &pos, forward, r);
            CHECK_EC(ec, want == g->n ? ecNotFound : ecNone);
            CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
            if (!CHECK_INT(row, want == g->n ? (at < g->n ? at : g->n) : want))
                return;
        }
}

static bool at_least_50(const struct kit_msg *k) { return k->time >= 50; }
static bool below_20(const struct kit_msg *k)    { return k->time < 20; }
static bool is_33(const struct kit_msg *k)       { return k->time == 33; }
static bool never(const struct kit_msg *k)       { return k->time == 1000; }
static bool number_5(const struct kit_msg *k)    { return k->has_number && k->number == 5; }
static bool both(const struct kit_msg *k)        { return at_least_50(k) && number_5(k); }
static bool to_max(const struct kit_msg *k)      { return k->rcpt != NULL; }
static bool name_is(const struct kit_msg *k, const char *s) { return k->sender != NULL && strcmp(k->sender, s) == 0; }
static bool is_beta(const struct kit_msg *k)     { return name_is(k, "beta"); }
static bool from_c(const struct kit_msg *k)      { return name_is(k, "delta") || name_is(k, "zulu"); }
static bool up_to_bera(const struct kit_msg *k)  { return name_is(k, "") || name_is(k, "alpha") || name_is(k, "Alpine"); }
static bool ber(const struct kit_msg *k)         { return name_is(k, "Bérénice") || name_is(k, "berenice x"); }
static bool ber_exact(const struct kit_msg *k)   { return name_is(k, "berenice x"); }

TEST_LIMIT(by_relation_on_the_sort_column, 120)
{
    static struct ground g;
    start(&g);
    struct { uint8_t relop; int64_t time; match_fn match; } c[] = { { RELOP_GE, 50, at_least_50 }, { RELOP_LT, 20, below_20 }, { RELOP_EQ, 33, is_33 }, { RELOP_EQ, 1000, never } };
    for (uint8_t order = 0; order < 2; order++) {
        struct table_def d = kit_table(g.fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, order } });
        struct view *v = rows_of(&g, &d);
        CHECK_INT(g.n, ROWS);
        for (size_t i = 0; i < 4; i++) {
            struct restriction r = kit_relation(c[i].relop, pv_time(PidTagMessageDeliveryTime, (uint64_t)c[i].time));
            check_find(&g, v, &r, c[i].match);
        }
    }
    mbox_end(&g.b);
}

/* OXCTABL R534: what people type to jump in a sorted list. */
TEST_LIMIT(by_string_on_the_sort_column, 120)
{
    static struct ground g;
    start(&g);
    struct restriction r[] = {
        kit_relation(RELOP_GE, pv_str(PidTagSenderName, "c")), kit_relation(RELOP_LE, pv_str(PidTagSenderName, "BERA")), kit_equal(pv_str(PidTagSenderName, "Beta")),
        kit_content(FL_PREFIX, FL_IGNORECASE | FL_IGNORENONSPACE, pv_str(PidTagSenderName, "ber")), kit_content(FL_PREFIX, 0, pv_str(PidTagSenderName, "ber")),
        kit_content(FL_FULLSTRING, FL_IGNORECASE, pv_str(PidTagSenderName, "BETA")),
    };
    static const match_fn match[] = { from_c, up_to_bera, is_beta, ber, ber_exact, is_beta };
    for (uint8_t order = 0; order < 2; order++) {
        struct table_def d = kit_table(g.fid, 2, (struct sortcol[]){ { PidTagSenderName, order }, { PidTagMessageDeliveryTime, SORT_ASCENDING } });
        struct view *v = rows_of(&g, &d);
        for (size_t i = 0; i < sizeof r / sizeof *r; i++)
            check_find(&g, v, &r[i], match[i]);
    }
    mbox_end(&g.b);
}

TEST_LIMIT(row_by_row, 120)
{
    static struct ground g;
    start(&g);
    struct restriction five = kit_equal(pv_i32(KIT_INT, 5)), late = kit_relation(RELOP_GE, pv_time(PidTagMessageDeliveryTime, 50)), pair[2] = { late, five };
    struct restriction and = { .kind = RES_AND, .list = { 2, pair } }, max = kit_content(FL_FULLSTRING, 0, pv_str(PidTagDisplayName, "Max"));
    struct restriction sub = { .kind = RES_SUBRESTRICTION, .sub = { PidTagMessageRecipients, &max } };
    struct restriction prefix = kit_content(FL_PREFIX, FL_IGNORECASE | FL_LOOSE, pv_str(PidTagSenderName, "BER"));
    for (uint8_t order = 0; order < 2; order++) {
        struct table_def d = kit_table(g.fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, order } });
        struct view *v = rows_of(&g, &d);
        check_find(&g, v, &five, number_5);
        check_find(&g, v, &and, both);
        check_find(&g, v, &sub, to_max);
        check_find(&g, v, &prefix, ber);
    }
    mbox_end(&g.b);
}

/* An entry id or MID names one row: no row is looked at but that. */
TEST(by_id)
{
    static struct ground g;
    start(&g);
    struct table_def d = kit_table(g.fid, 1, (struct sortcol[]){ { PidTagSenderName, SORT_ASCENDING } });
    struct view *v = rows_of(&g, &d);
    const struct mailbox_info *info = mailbox_info(g.b.m);
    struct blob entry = entryid_message(g.b.a, &info->id, &info->replica, g.fid, g.id[222]);
    struct restriction r[] = { kit_equal(pv_i64(PidTagMid, (int64_t)id_wire(REPLID_OWN, g.id[222]))), kit_equal(pv_bin(PidTagEntryId, entry)),
                               kit_equal(pv_i64(PidTagInstID, (int64_t)id_wire(REPLID_OWN, g.id[222]))) };
    struct restriction nobody = kit_equal(pv_bin(PidTagEntryId, blob_of("nonsense", 8)));
    for (size_t i = 0; i < 3; i++) {
        struct table_pos pos = { .end = false };
        uint32_t row, rows;
        CHECK_EC(view_find(v, &pos, true, &r[i]), ecNone);
        CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
        CHECK_INT(row, 222);
        CHECK_EC(view_find(v, &pos, true, &r[i]), ecNone);
        CHECK_EC(view_find(v, &pos, false, &r[i]), ecNotFound);
        pos = (struct table_pos){ .end = true };
        CHECK_EC(view_find(v, &pos, true, &r[i]), ecNotFound);
        CHECK_EC(view_find(v, &pos, false, &r[i]), ecNone);
        CHECK_EC(view_find(v, &pos, false, &nobody), ecNotFound);
    }
    mbox_end(&g.b);
}

/* Many batches. */
TEST(far_away)
{
    struct mbox b = mbox_new();
    uint64_t fid = kit_folder(&b, "far");
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    for (int i = 0; i < BATCHES; i++)
        kit_save(&b, fid, &(struct kit_msg){ .sender = "s", .time = i, .has_number = true, .number = i == 2900 || i == 20 });
    REQUIRE_EC(mailbox_commit(b.m), ecNone);
    struct table_def d = kit_table(fid, 1, (struct sortcol[]){ { PidTagMessageDeliveryTime, SORT_ASCENDING } });
    struct restriction r = kit_equal(pv_i32(KIT_INT, 1)), bad = { .kind = RES_PROPERTY, .property = { RELOP_RE, KIT_INT, pv_i32(KIT_INT, 1) } };
    struct view *v = kit_open(&b, &d);
    struct table_pos pos;
    uint32_t row, rows;
    CHECK_EC(view_seek_to(v, 21, &pos), ecNone);
    CHECK_EC(view_find(v, &pos, true, &r), ecNone);
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 2900);
    CHECK_EC(view_find(v, &pos, false, &r), ecNone);
    CHECK_EC(view_position(v, &pos, &row, &rows), ecNone);
    CHECK_INT(row, 20);
    CHECK_EC(view_find(v, &pos, false, &r), ecNotFound);
    CHECK_EC(view_find(v, &pos, true, &bad), ecTooComplex);
    mbox_end(&b);
}
