/* test_view_table.c - several tables over two folders that change all the time, against arrays that are simply sorted: count, position, seek, pages,
 * and walks that go on while others change the folder. */
#include "tests/unit/backend-store/viewkit.h"
#include <stdlib.h>

/* --- the model ------------------------------------------------------------------------------------------------------------------------------ */
enum { MSGS = 400 };
struct world { struct kit_msg m[2][MSGS]; size_t n[2]; unsigned seed; };

static const char *const names[] = { NULL, "Anna", "anna b", "Bert", "bo", "Cäsar", "caesar", "Zoe" };
static const char *const rcpts[] = { NULL, "Max", "Moritz", "Xaver" };

static int name_rank(const char *s)
{
    static const char *const sorted[] = { "Anna", "anna b", "Bert", "bo", "caesar", "Cäsar", "Zoe" }; /* ae before a with diaeresis followed by s */
    for (int i = 0; s != NULL && i < 7; i++)
        if (strcmp(sorted[i], s) == 0)
            return i + 1;
    return 0;
}

static int64_t column(const struct kit_msg *k, uint32_t tag)
{
    switch (tag) {
    case PidTagSenderName:          return name_rank(k->sender);
    case PidTagMessageDeliveryTime: return k->time;
    default:                        return k->has_number ? k->number : INT64_MIN;
    }
}

struct model_def { struct table_def def; bool (*in)(const struct kit_msg *k); };
static const struct sortorder *sort_by;

static int by_order(const void *a, const void *b)
{
    const struct kit_msg *x = a, *y = b;
    for (size_t i = 0; i < sort_by->n; i++) {
        int64_t p = column(x, sort_by->col[i].tag), q = column(y, sort_by->col[i].tag);
        if (p != q)
            return (p < q ? -1 : 1) * (sort_by->col[i].order == SORT_DESCENDING ? -1 : 1);
    }
    return (x->mid > y->mid) - (x->mid < y->mid);
}

static size_t model_rows(const struct world *w, size_t f, const struct model_def *d, struct kit_msg *out)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n[f]; i++)
        if (d->in == NULL || d->in(&w->m[f][i]))
            out[n++] = w->m[f][i];
    sort_by = &d->def.sort;
    qsort(out, n, sizeof *out, by_order);
    return n;
}

static bool is_a(const struct kit_msg *k)    { return k->sender != NULL && (k->sender[0] == 'A' || k->sender[0] == 'a'); }
static bool is_big(const struct kit_msg *k)  { return (k->has_number && k->number >= 2) || k->time < 0; }
static bool has_x(const struct kit_msg *k)   { return k->rcpt != NULL && strchr(k->rcpt, 'x') != NULL; }

enum { TABLES = 7 };
static void tables_of(uint64_t fid, struct model_def d[TABLES])
{
    static struct restriction a, ge, none, not_time, either[2], sub_inner, sub, big;
    const struct sortcol time_down = { PidTagMessageDeliveryTime, SORT_DESCENDING }, time_up = { PidTagMessageDeliveryTime, SORT_ASCENDING },
                         name_up = { PidTagSenderName, SORT_ASCENDING }, name_down = { PidTagSenderName, SORT_DESCENDING },
                         num_up = { KIT_INT, SORT_ASCENDING }, num_down = { KIT_INT, SORT_DESCENDING };
    a = kit_content(FL_PREFIX, FL_IGNORECASE, pv_str(PidTagSenderName, "a"));
    ge = kit_relation(RELOP_GE, pv_i32(KIT_INT, 2));
    none = kit_exist(PidTagMessageDeliveryTime);
    not_time = (struct restriction){ .kind = RES_NOT, .one = { &none } };
    either[0] = ge;
    either[1] = not_time;
    big = (struct restriction){ .kind = RES_OR, .list = { 2, either } };
    sub_inner = kit_content(FL_SUBSTRING, 0, pv_str(PidTagDisplayName, "x"));
    sub = (struct restriction){ .kind = RES_SUBRESTRICTION, .sub = { PidTagMessageRecipients, &sub_inner } };
    d[0] = (struct model_def){ kit_table(fid, 1, &time_down), NULL };
    d[1] = (struct model_def){ kit_table(fid, 2, (struct sortcol[]){ name_up, time_down }), NULL };
    d[2] = (struct model_def){ kit_table(fid, 3, (struct sortcol[]){ num_down, name_down, time_up }), NULL };
    d[3] = (struct model_def){ kit_table(fid, 1, &time_up), is_a };
    d[3].def.filter = &a;
    d[4] = (struct model_def){ kit_table(fid, 2, (struct sortcol[]){ name_down, num_up }), is_big };
    d[4].def.filter = &big;
    d[5] = (struct model_def){ kit_table(fid, 1, &num_up), has_x };
    d[5].def.filter = &sub;
    d[6] = (struct model_def){ kit_table(fid, 1, &name_down), NULL };
}

/* --- changes -------------------------------------------------------------------------------------------------------------------------------- */
static void random_values(struct world *w, struct kit_msg *k)
{
    k->sender = names[(size_t)rand_r(&w->seed) % 8];
    k->rcpt = rcpts[(size_t)rand_r(&w->seed) % 4];
    k->time = rand_r(&w->seed) % 10 == 0 ? -1 : rand_r(&w->seed) % 50;
    k->has_number = rand_r(&w->seed) % 3 != 0;
    k->number = rand_r(&w->seed) % 6 - 2;
}

static void gone(struct world *w, size_t f, size_t i)
{
    w->m[f][i] = w->m[f][--w->n[f]];
}

static void change(struct mbox *b, struct world *w, const uint64_t fid[2], bool grow)
{
    size_t f = (size_t)rand_r(&w->seed) % 4 == 0;
    unsigned what = (unsigned)rand_r(&w->seed) % 10;
    if (w->n[f] == 0 || (what < (grow ? 5u : 2u) && w->n[f] < MSGS)) {
        struct kit_msg k = { .mid = 0 };
        random_values(w, &k);
        kit_save(b, fid[f], &k);
        w->m[f][w->n[f]++] = k;
        return;
    }
    size_t i = (size_t)rand_r(&w->seed) % w->n[f];
    struct kit_msg *k = &w->m[f][i];
    if (what < 7) {
        random_values(w, k);
        kit_save(b, fid[f], k);
    } else if (what == 9 && w->n[!f] < MSGS) {
        bool partial = false;
        REQUIRE_EC(mailbox_write(b->m), ecNone);
        REQUIRE_EC(messages_delete(b->m, fid[f], &k->mid, 1, rand_r(&w->seed) % 2, &partial), ecNone);
        mailbox_abort(b->m); /* nothing happened after all */
    } else {
        kit_delete(b, fid[f], k->mid, rand_r(&w->seed) % 2);
        gone(w, f, i);
    }
}

/* --- comparing -------------------------------------------------------------------------------------------------------------------------------- */
static void check_page(struct view *v, const struct kit_msg *row, size_t n, unsigned *seed)
{
    uint64_t got[16];
    uint32_t number, rows;
    int32_t moved, delta = rand_r(seed) % 41 - 20;
    struct table_pos pos = { .end = false }, same;
    size_t at = (size_t)rand_r(seed) % (n + 2), k;
    CHECK_EC(view_seek_to(v, (uint32_t)at, &pos), ecNone);
    CHECK_EC(view_position(v, &pos, &number, &rows), ecNone);
    at = at < n ? at : n;
    CHECK_INT(number, at);
    CHECK_INT(rows, n);
    CHECK_INT(pos.end, at == n);
    same = pos;
    k = kit_ids(v, &same, true, 9, got);
    CHECK_INT(k, n - at < 9 ? n - at : 9);
    for (size_t i = 0; i < k && i < n - at; i++)
        CHECK_INT(got[i], row[at + i].mid);
    CHECK_INT(same.end, at + k == n);
    same = pos;
    k = kit_ids(v, &same, false, 9, got);
    CHECK_INT(k, at < 9 ? at : 9);
    for (size_t i = 0; i < k && i < at; i++)
        CHECK_INT(got[i], row[at - 1 - i].mid);
    CHECK_INT(!same.end && same.key.n == 0, at == k);
    int64_t want = (int64_t)at + delta;
    want = want < 0 ? 0 : want > (int64_t)n ? (int64_t)n : want;
    CHECK_EC(view_seek(v, &pos, delta, &moved), ecNone);
    CHECK_INT(moved, want - (int64_t)at);
    CHECK_EC(view_position(v, &pos, &number, &rows), ecNone);
    CHECK_INT(number, want);
}

static void check_whole(struct view *v, const struct kit_msg *row, size_t n)
{
    uint64_t got[7];
    size_t at = 0, k;
    struct table_pos pos = { .end = false };
    while ((k = kit_ids(v, &pos, true, 7, got)) != 0)
        for (size_t i = 0; i < k; i++, at++)
            if (!CHECK(at < n && got[i] == row[at].mid))
                return;
    CHECK_INT(at, n);
    CHECK(pos.end);
    while ((k = kit_ids(v, &pos, false, 7, got)) != 0)
        for (size_t i = 0; i < k; i++)
            if (!CHECK(at > 0 && got[i] == row[--at].mid))
                return;
    CHECK_INT(at, 0);
}

static void check_tables(struct mbox *b, struct world *w, size_t f, const struct model_def d[TABLES], bool whole)
{
    static struct kit_msg row[MSGS];
    for (size_t t = 0; t < TABLES; t++) {
        size_t n = model_rows(w, f, &d[t], row);
        struct view *v = kit_open(b, &d[t].def);
        CHECK_INT(kit_count(v), n);
        check_page(v, row, n, &w->seed);
        if (whole)
            check_whole(v, row, n);
    }
}

static void run(unsigned seed, int steps)
{
    struct mbox b = mbox_new();
    static struct world w;
    struct model_def d[2][TABLES];
    uint64_t fid[2] = { kit_folder(&b, "one"), kit_folder(&b, "two") };
    memset(&w, 0, sizeof w);
    w.seed = seed;
    tables_of(fid[0], d[0]);
    tables_of(fid[1], d[1]);
    for (int step = 1; step <= steps; step++) {
        change(&b, &w, fid, step < steps * 2 / 3);
        if (step % 10 == 0) {
            check_tables(&b, &w, step % 20 == 0, d[step % 20 == 0], step % 100 == 0);
            mbox_again(&b);
        }
    }
    kit_clean(&b);
    mbox_end(&b);
}

TEST_LIMIT(tables_follow_changes, 120) { run(11, 3000); }
