/* test_sweeper.c - what the sweeper takes away, what it leaves, and that it can be stopped. */
#include "backend/base/filetime.h"
#include "backend/jobs/sweeper.h"
#include "backend/store/journal.h"
#include "backend/store/large.h"
#include "tests/unit.h"
#include <sys/stat.h>
#include <unistd.h>

static struct arena *a;
static struct store *store;
static struct directory *directory;
static struct person ana;
static const struct actor owner = { ACTOR_OWNER, "" };

static void setup(const char *name)
{
    static struct config c;
    const char *why = NULL, *dir;
    a = arena_new(1 << 26);
    dir = arena_printf(a, "%s/%s", unit_tmpdir(), name);
    REQUIRE(mkdir(dir, 0700) == 0);
    c = (struct config){ .directory = arena_printf(a, "%s/directory.db", dir), .organization = "Demo", .default_domain = "example.com" };
    directory = directory_open(&c, a, &why);
    store = store_new(&(struct store_options){ .driver = "sqlite", .path = dir, .pool_files = 4, .cache_kib = 512, .busy_ms = 2000 }, a, &why);
    REQUIRE(directory != NULL && store != NULL);
    REQUIRE_EC(directory_add(directory, a, &(struct person_new){ .login = "ana@example.com", .password = "x", .with_mailbox = true }, &ana), ecNone);
    REQUIRE_EC(mailbox_create(store, a, &(struct mailbox_new){ .id = ana.mailbox, .owner_dn = ana.dn, .display_name = "Ana", .smtp = ana.smtp,
                                                              .locale = 0x0409, .quota_warn = -1, .quota_send = -1, .quota_receive = -1 }), ecNone);
}

static void teardown(void)
{
    store_free(store);
    directory_close(directory);
    arena_free(a);
}

static void stage(uint8_t context)
{
    struct arena *b = arena_new(1 << 24);
    struct mailbox *m;
    struct stage_key k = { .context = { context }, .object = 7 };
    REQUIRE_EC(mailbox_open(store, b, &ana.mailbox, &owner, &m), ecNone);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(stage_write(m, &k, 0, blob_str("half written")), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(b);
}

static uint64_t staged(uint8_t context)
{
    struct arena *b = arena_new(1 << 24);
    struct mailbox *m;
    struct stage_key k = { .context = { context }, .object = 7 };
    uint64_t size = 99;
    REQUIRE_EC(mailbox_open(store, b, &ana.mailbox, &owner, &m), ecNone);
    REQUIRE_EC(stage_size(m, &k, &size), ecNone);
    arena_free(b);
    return size;
}

static bool only_one_lives(void *ctx, const uint8_t context[16])
{
    (void)ctx;
    return context[0] == 1;
}
static bool never(void *ctx) { (void)ctx; return false; }
static bool always(void *ctx) { (void)ctx; return true; }

TEST(staging_of_dead_sessions_goes_and_of_live_ones_stays)
{
    setup("dead");
    stage(1);
    stage(2);
    struct sweeper_options o = { .store = store, .directory = directory, .max_age_s = 0, .alive = only_one_lives };
    CHECK_INT(sweeper_round(&o, never, NULL), 0);
    CHECK_INT(staged(1), 12);
    CHECK_INT(staged(2), 0);
    teardown();
}

TEST(young_staging_stays_whoever_is_dead)
{
    setup("young");
    stage(2);
    struct sweeper_options o = { .store = store, .directory = directory, .max_age_s = 3600, .alive = only_one_lives };
    CHECK_INT(sweeper_round(&o, never, NULL), 0);
    CHECK_INT(staged(2), 12);
    teardown();
}

TEST(a_stopped_round_does_nothing)
{
    setup("stopped");
    stage(2);
    struct sweeper_options o = { .store = store, .directory = directory, .max_age_s = 0, .alive = only_one_lives };
    CHECK_INT(sweeper_round(&o, always, NULL), 0);
    CHECK_INT(staged(2), 12);
    teardown();
}

TEST(a_removed_mailbox_disturbs_nobody)
{
    setup("removed");
    REQUIRE_EC(mailbox_destroy(store, &ana.mailbox), ecNone);
    struct sweeper_options o = { .store = store, .directory = directory, .max_age_s = 0, .alive = only_one_lives };
    CHECK_INT(sweeper_round(&o, never, NULL), 0);
    teardown();
}

TEST(thread_sweeps_and_stops_at_once)
{
    setup("thread");
    stage(2);
    struct sweeper_options o = { .store = store, .directory = directory, .interval_s = 1, .max_age_s = 0, .alive = only_one_lives };
    struct sweeper *s = sweeper_start(&o);
    REQUIRE(s != NULL);
    for (int i = 0; i < 500 && staged(2) != 0; i++)
        usleep(10000);
    CHECK_INT(staged(2), 0);
    o.interval_s = 3600;
    struct sweeper *idle = sweeper_start(&o);
    sweeper_stop(s);
    uint64_t t = clock_ms();
    sweeper_stop(idle);
    CHECK(clock_ms() - t < 1000);
    teardown();
}
