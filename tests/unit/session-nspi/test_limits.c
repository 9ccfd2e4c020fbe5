/* test_limits.c - requests whose rows are dear: they end with the rows that they have or with a clear error, and nobody waits for them. */
#include "backend/base/fault.h"
#include "session/nspi/nspi_slow.h"
#include "tests/unit/session-nspi/rig.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOW_MS = 250, LIMIT_MS = 120, PEOPLE = 150, LISTED = PEOPLE + 4 };

static void start(struct rig *g, const char *name)
{
    rig_start(g, name);
    REQUIRE_EC(entry_batch(g->d), ecNone);
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct entry e = { .kind = ENTRY_USER, .display_name = arena_printf(g->life, "Person %03u", i) };
        REQUIRE_EC(entry_add(g->d, g->life, &e), ecNone);
    }
    REQUIRE_EC(entry_batch_end(g->d, ecNone), ecNone);
}

/* The n-th row that is begun from now on takes so long. */
static void slow_row(struct rig *g, unsigned n, int ms)
{
    setenv("MAPIHTTPD_FAULT", arena_printf(g->life, "book_row:%u:sleep=%d", n, ms), 1);
    fault_init();
}

static void put_stat(struct wr *w, uint32_t current)
{
    const struct nspi_stat s = { .current = current, .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
    wr_u32(w, 0);
    wr_u8(w, 0xFF);
    nspi_stat_write(w, &s);
}

/* PidTagDisplayName, and no auxiliary buffer. */
static void put_columns(struct wr *w)
{
    wr_u8(w, 0xFF);
    wr_u32(w, 1);
    wr_u32(w, PidTagDisplayName);
    wr_u32(w, 0);
}

struct rows { uint32_t current, n; char last[40]; };

static void read_rows(struct rig *g, struct rd *r, struct rows *out)
{
    if (!CHECK(rd_u8(r) != 0))
        return;
    CHECK_INT(rd_u32(r), 1);
    CHECK_INT(rd_u32(r), PidTagDisplayName);
    out->n = rd_u32(r);
    for (uint32_t i = 0; i < out->n; i++) {
        CHECK_INT(rd_u8(r), 0);
        struct propval v;
        const struct pv_codec codec = { g->a, 1252, PV_COUNTS_BOOK };
        propval_read(r, &codec, PidTagDisplayName, &v);
        snprintf(out->last, sizeof out->last, "%.*s", (int)v.v.s.n, (const char *)v.v.s.p);
    }
}

static struct rows query_rows(struct rig *g, uint32_t current, uint32_t count)
{
    struct arena *a = arena_new(1 << 20);
    struct wr   w = wr_in(a, 1 << 16);
    struct rows out = { 0 };
    struct nspi_stat s = { 0 };
    put_stat(&w, current);
    wr_u32(&w, 0);
    wr_u32(&w, count);
    put_columns(&w);
    struct rd r = rig_run(g, "QueryRows", wr_blob(&w));
    if (g->ec == ecNone && rd_u8(&r) != 0) {
        nspi_stat_read(&r, &s);
        read_rows(g, &r, &out);
    }
    out.current = s.current;
    arena_free(a);
    return out;
}

/* The rows so far, and a position from which the client goes on. */
TEST(rows_that_take_too_long)
{
    struct rig g;
    start(&g, "rows");
    struct rows whole = query_rows(&g, 0, 1000), part;
    CHECK_INT(whole.n, LISTED);
    CHECK_STR(whole.last, "Team");
    g.config.book_rows_time = LIMIT_MS;
    slow_row(&g, 4, SLOW_MS);
    part = query_rows(&g, 0, 1000);
    CHECK_EC(g.ec, ecNone);
    CHECK_INT(part.n, 4);
    part = query_rows(&g, part.current, 1000);
    CHECK_INT(part.n, LISTED - 4);
    CHECK_STR(part.last, whole.last);
    slow_row(&g, 1, SLOW_MS);                      /* one is always given: a client that asks again comes to the end */
    part = query_rows(&g, 0, 1000);
    CHECK_INT(part.n, 1);
    rig_end(&g);
}

static void resolve(struct rig *g, unsigned names)
{
    struct arena *a = arena_new(1 << 20);
    struct wr w = wr_in(a, 1 << 16);
    put_stat(&w, 0);
    wr_u8(&w, 0xFF);
    wr_u32(&w, 1);
    wr_u32(&w, PidTagDisplayName);
    wr_u8(&w, 0xFF);
    wr_u32(&w, names);
    for (unsigned i = 0; i < names; i++)
        wr_put(&w, rig_bytes(g, a, arena_printf(a, "u\"Person %03u\"", i)));
    wr_u32(&w, 0);
    rig_run(g, "ResolveNames", wr_blob(&w));
    arena_free(a);
}

/* A name without its row would be no answer: an error instead. */
TEST(names_whose_rows_take_too_long)
{
    struct rig g;
    start(&g, "names");
    resolve(&g, 10);
    CHECK_EC(g.ec, ecNone);
    g.config.book_rows_time = LIMIT_MS;
    slow_row(&g, 3, SLOW_MS);
    resolve(&g, 10);
    CHECK_EC(g.ec, ecOutOfResources);
    resolve(&g, 10);
    CHECK_EC(g.ec, ecNone);
    rig_end(&g);
}

/* Everybody who has a display name: no index knows that. */
static struct rows get_matches(struct rig *g)
{
    struct arena *a = arena_new(1 << 20);
    struct wr   w = wr_in(a, 1 << 16);
    struct rows out = { 0 };
    struct nspi_stat s = { 0 };
    put_stat(&w, 0);
    wr_u8(&w, 0);
    wr_u32(&w, 0);
    wr_u8(&w, 0xFF);
    wr_u8(&w, RES_EXIST);
    wr_u32(&w, PidTagDisplayName);
    wr_u8(&w, 0);
    wr_u32(&w, 1000);
    put_columns(&w);
    struct rd r = rig_run(g, "GetMatches", wr_blob(&w));
    if (g->ec == ecNone && rd_u8(&r) != 0) {
        nspi_stat_read(&r, &s);
        CHECK(rd_u8(&r) != 0);
        out.current = rd_u32(&r);         /* here: how many were found */
        rd_blob(&r, out.current * sizeof(uint32_t));
        read_rows(g, &r, &out);
    }
    arena_free(a);
    return out;
}

TEST(a_search_that_takes_too_long)
{
    struct rig g;
    start(&g, "search");
    struct rows found = get_matches(&g);
    CHECK_EC(g.ec, ecNone);
    CHECK(found.current == LISTED && found.n == LISTED);
    g.config.book_search_time = LIMIT_MS;
    slow_row(&g, 20, SLOW_MS);
    get_matches(&g);
    CHECK_EC(g.ec, ecTooComplex);
    found = get_matches(&g);              /* and the next one has all the time again */
    CHECK(g.ec == ecNone && found.n == LISTED);
    g.config.book_search_time = 30000;
    g.config.book_rows_time = LIMIT_MS;
    slow_row(&g, LISTED + 7, SLOW_MS);             /* the search is over, its rows begin: all are found, seven are shown */
    found = get_matches(&g);
    CHECK(g.ec == ecNone && found.current == LISTED && found.n == 7);
    rig_end(&g);
}

/* A search that has become long ends if another one of the person is going on, or if all who may are searching; a quick one does not mind. */
TEST(long_searches_leave_threads_to_others)
{
    enum { LONG_MS = 700 };
    struct rig g;
    start(&g, "long");
    const int64_t who[] = { g.ana.row, g.bob.row };
    for (int i = 0; i < 2; i++) {
        g.config.threads = i == 0 ? 4 : 2;
        REQUIRE(nspi_slow_begin(who[i], 4));
        get_matches(&g);
        CHECK_EC(g.ec, ecNone);
        slow_row(&g, 20, LONG_MS);
        get_matches(&g);
        CHECK_EC(g.ec, ecTooComplex);
        nspi_slow_end(who[i]);
    }
    slow_row(&g, 20, LONG_MS);
    CHECK_INT(get_matches(&g).n, LISTED);
    CHECK_EC(g.ec, ecNone);
    CHECK(nspi_slow_begin(g.ana.row, 1));          /* it is over */
    CHECK(!nspi_slow_begin(g.bob.row, 2));
    CHECK(nspi_slow_begin(g.bob.row, 3));
    CHECK(!nspi_slow_begin(g.ana.row, 64));
    nspi_slow_end(g.ana.row);
    nspi_slow_end(g.bob.row);
    rig_end(&g);
}

static void get_props(struct rig *g, uint32_t current, uint32_t tag, uint32_t times)
{
    struct arena *a = arena_new(1 << 20);
    struct wr w = wr_in(a, 1 << 16);
    put_stat(&w, current);
    wr_u8(&w, 0xFF);
    wr_u32(&w, times);
    for (uint32_t i = 0; i < times; i++)
        wr_u32(&w, tag);
    wr_u32(&w, 0);
    rig_run(g, "GetProps", wr_blob(&w));
    arena_free(a);
}

/* What is large, ten thousand times, takes no more memory than a request may. */
TEST(large_values_asked_for_again_and_again)
{
    enum { TIMES = 10000, CEILING = 64 << 20 };
    const uint32_t members = prop_retype(PidTagAddressBookMember, PtypMultipleString);
    struct rig g;
    start(&g, "large");
    for (unsigned i = 0; i < PEOPLE; i++)
        REQUIRE_EC(link_add(g.d, LINK_MEMBER, g.team, g.rooms + 1 + i), ecNone);
    get_props(&g, rig_mid(&g, "team"), members, 10);
    CHECK_EC(g.ec, ecNone);
    get_props(&g, rig_mid(&g, "team"), members, TIMES);
    CHECK_EC(g.ec, ecOutOfMemory);
    CHECK(arena_used(g.a) < CEILING + CEILING / 8);
    get_props(&g, rig_mid(&g, "team"), PidTagAddressBookMember, TIMES);  /* some of them errors would be half of the truth */
    CHECK(g.ec == ecNone || g.ec == ecOutOfMemory);
    CHECK(arena_used(g.a) < CEILING + CEILING / 8);
    rig_end(&g);
}

/* Somebody removes the last of the list and looks for himself while another reads. */
struct beside { struct rig *g; int64_t row; bool gone; };

static void *look_beside(void *p)
{
    struct beside *b = p;
    struct book_look l;
    CHECK_EC(entry_remove(b->g->d, b->row), ecNone);
    REQUIRE_EC(book_begin(book_of(b->g->d), &b->g->bob, &l), ecNone);
    b->gone = !book_exists(&l, b->row, NULL);
    book_done(&l);
    return NULL;
}

/* Who needs a newer state of the book waits for one row of another, not for all of them, whose table goes on in the newer state. */
TEST(others_go_on_between_dear_rows)
{
    struct rig g;
    pthread_t  thread;
    start(&g, "beside");
    struct rows whole = query_rows(&g, 0, 1000);
    CHECK_STR(whole.last, "Team");
    struct beside b = { &g, g.team, false };
    slow_row(&g, 2, 6 * SLOW_MS);
    REQUIRE(pthread_create(&thread, NULL, look_beside, &b) == 0);
    struct rows read = query_rows(&g, 0, 1000);
    pthread_join(thread, NULL);
    CHECK(b.gone);
    CHECK_INT(read.n, LISTED - 1);
    CHECK_STR(read.last, arena_printf(g.life, "Person %03u", PEOPLE - 1));
    rig_end(&g);
}
