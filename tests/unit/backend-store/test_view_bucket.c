/* test_view_bucket.c - rows and counts of a stored view against an array, through splits and merges on both levels. */
#include "backend/store/store_int.h"
#include "backend/store/view_rank.h"
#include "tests/unit/backend-store/mbox.h"
#include <stdlib.h>

enum { VIEW = 77 };

/* Rows are numbers; their keys are big-endian with some equal ones, told apart by the id. */
struct row { uint32_t key; uint64_t id; };
struct model { struct row v[8192]; size_t n; };

static struct view_at at_of(const struct row *r, uint8_t buf[4])
{
    for (int i = 0; i < 4; i++)
        buf[i] = (uint8_t)(r->key >> (24 - 8 * i));
    return (struct view_at){ blob_of(buf, 4), r->id };
}

static int row_cmp(const struct row *a, const struct row *b)
{
    return a->key != b->key ? (a->key > b->key) - (a->key < b->key) : (a->id > b->id) - (a->id < b->id);
}

static size_t model_rank(const struct model *m, const struct row *r)
{
    size_t i = 0;
    while (i < m->n && row_cmp(&m->v[i], r) < 0)
        i++;
    return i;
}

static void model_add(struct model *m, struct row r)
{
    size_t i = model_rank(m, &r);
    memmove(&m->v[i + 1], &m->v[i], (m->n - i) * sizeof *m->v);
    m->v[i] = r;
    m->n++;
}

static void check_counts(struct mbox *b)
{
    const char *wrong;
    CHECK_EC(view_rank_check(b->m->db, VIEW, &wrong), ecNone);
    CHECK_STR(wrong != NULL ? wrong : "", "");
}

static void check_places(struct mbox *b, const struct model *m, unsigned *seed)
{
    uint8_t buf[4];
    uint64_t before, rows;
    struct row r = { (uint32_t)rand_r(seed) % 5000, (uint64_t)rand_r(seed) % 10000 };
    struct view_at at = at_of(&r, buf), got;
    bool there;
    CHECK_EC(view_rank_of(b->m->db, VIEW, &at, &before, &rows), ecNone);
    CHECK_INT(before, model_rank(m, &r));
    CHECK_INT(rows, m->n);
    size_t i = (size_t)rand_r(seed) % (m->n + 2);
    CHECK_EC(view_rank_row(b->m->db, VIEW, i, b->a, &got, &there), ecNone);
    CHECK_INT(there, i < m->n);
    if (there) {
        at = at_of(&m->v[i], buf);
        CHECK(view_at_cmp(&got, &at) == 0);
    }
}

TEST(random_rows)
{
    struct mbox b = mbox_new();
    static struct model m;
    unsigned seed = 3;
    uint8_t buf[4];
    m.n = 0;
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(view_bucket_start(b.m->db, VIEW), ecNone);
    for (uint64_t step = 1; step <= 12000; step++) {
        bool grow = step < 6000 ? rand_r(&seed) % 4 != 0 : rand_r(&seed) % 4 == 0;
        if (grow || m.n == 0) {
            struct row r = { (uint32_t)rand_r(&seed) % 5000, step };
            struct view_at at = at_of(&r, buf);
            model_add(&m, r);
            REQUIRE_EC(view_bucket_insert(b.m->db, VIEW, &at), ecNone);
        } else {
            size_t i = (size_t)rand_r(&seed) % m.n;
            struct view_at at = at_of(&m.v[i], buf);
            bool was;
            REQUIRE_EC(view_bucket_remove(b.m->db, VIEW, &at, &was), ecNone);
            CHECK(was);
            REQUIRE_EC(view_bucket_remove(b.m->db, VIEW, &at, &was), ecNone);
            CHECK(!was);
            memmove(&m.v[i], &m.v[i + 1], (m.n - i - 1) * sizeof *m.v);
            m.n--;
        }
        if (step % 10 == 0)
            check_places(&b, &m, &seed);
        if (step % 1000 == 0)
            check_counts(&b);
    }
    check_counts(&b);
    mailbox_abort(b.m);
    mbox_end(&b);
}

static int64_t number(struct mbox *b, const char *sql)
{
    DB_QUERY_TEXT(q, b->m->db, "TEST", sql);
    return db_row(&q) ? db_i64(&q, 0) : -1;
}

/* Enough for several buckets of level 2; then all go again. */
TEST_LIMIT(two_levels, 120)
{
    enum { N = 150000 };
    struct mbox b = mbox_new();
    struct arena *a = arena_new(256 << 20);
    struct view_at *at = arena_array(a, struct view_at, N);
    uint8_t *buf = arena_alloc(a, 4 * N);
    REQUIRE_EC(mailbox_write(b.m), ecNone);
    REQUIRE_EC(view_bucket_start(b.m->db, VIEW), ecNone);
    for (uint32_t i = 0; i < N; i++) {
        struct row r = { i * 7, i + 1 };
        at[i] = at_of(&r, buf + 4 * i);
    }
    for (size_t part = 0; part < 3; part++) { /* interleaved, so that later parts fall into full buckets */
        struct view_at *some = arena_array(a, struct view_at, N);
        size_t n = 0;
        for (size_t i = part; i < N; i += 3)
            some[n++] = at[i];
        REQUIRE_EC(view_bucket_insert_many(b.m->db, VIEW, some, n), ecNone);
    }
    check_counts(&b);
    CHECK(number(&b, "SELECT count(*) FROM view_bucket WHERE view = 77 AND level = 2") >= 3);
    CHECK(number(&b, "SELECT max(n) FROM view_bucket WHERE view = 77 AND level = 1") <= 512);
    for (size_t i = 0; i < 200; i++) {
        uint64_t before, rows, want = i * 749;
        struct view_at got;
        bool there;
        CHECK_EC(view_rank_of(b.m->db, VIEW, &at[want], &before, &rows), ecNone);
        CHECK_INT(before, want);
        CHECK_INT(rows, N);
        CHECK_EC(view_rank_row(b.m->db, VIEW, want, b.a, &got, &there), ecNone);
        CHECK(there && view_at_cmp(&got, &at[want]) == 0);
    }
    for (size_t i = 0; i < N; i++) {
        size_t j = i % 2 ? N - 1 - i / 2 : i / 2;
        bool was;
        REQUIRE_EC(view_bucket_remove(b.m->db, VIEW, &at[j], &was), ecNone);
        if (i % 30000 == 29999)
            check_counts(&b);
    }
    CHECK_INT(number(&b, "SELECT count(*) FROM view_row WHERE view = 77"), 0);
    CHECK_INT(number(&b, "SELECT count(*) FROM view_bucket WHERE view = 77"), 2);
    mailbox_abort(b.m);
    arena_free(a);
    mbox_end(&b);
}
