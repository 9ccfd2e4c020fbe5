/* test_bell.c - the doorbell over a real redis-server: who listens hears, who left does not, an outage ends with a look of everybody. */
#include "backend/event/bell.h"
#include "backend/base/filetime.h"
#include "tests/unit.h"
#include "tests/unit/session-context/redis_server.c"
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct listener { struct bell_ear ear; atomic_uint rings, unknown; _Atomic uint64_t last; };

struct rig { struct arena *a; struct redis_server server; struct config config; struct redis *redis; struct bell *bell; atomic_uint told, told_unknown; char word[64]; };

static void ring(struct bell_ear *e, uint64_t seq)
{
    struct listener *l = (struct listener *)((char *)e - offsetof(struct listener, ear));
    if (seq == RING_UNKNOWN) {
        atomic_fetch_add(&l->unknown, 1);
    } else {
        atomic_store(&l->last, seq);
        atomic_fetch_add(&l->rings, 1);
    }
}

static void told(void *ctx, const struct blob *message)
{
    struct rig *r = ctx;
    if (message == NULL) {
        atomic_fetch_add(&r->told_unknown, 1);
    } else {
        snprintf(r->word, sizeof r->word, "%.*s", (int)message->n, (const char *)message->p);
        atomic_fetch_add(&r->told, 1);
    }
}

static void start(struct rig *r)
{
    static unsigned number;
    const char *why = "", *dir = NULL;
    *r = (struct rig){ .a = arena_new(1 << 24) };
    dir = arena_printf(r->a, "%s/bell%u", unit_tmpdir(), ++number);
    mkdir(dir, 0700);
    if (!redis_server_start(&r->server, dir))
        SKIP("no redis-server");
    r->config = *config_load(r->a, NULL, &why);
    r->config.redis = r->server.socket;
    r->config.redis_timeout = 500;
    r->redis = redis_new(&r->config);
    r->bell = bell_new(&r->config, r->redis, told, r);
}

static void stop(struct rig *r)
{
    bell_free(r->bell);
    redis_free(r->redis);
    redis_server_kill(&r->server);
    arena_free(r->a);
}

static bool becomes(atomic_uint *v, unsigned want)
{
    for (int i = 0; i < 5000 && atomic_load(v) < want; i++)
        usleep(1000);
    return atomic_load(v) == want;
}

static struct listener listener(void) { return (struct listener){ .ear = { .ring = ring } }; }

TEST(who_listens_hears)
{
    struct rig r;
    start(&r);
    struct guid one = guid_new(), two = guid_new();
    struct listener a = listener(), b = listener(), c = listener();
    CHECK(bell_listen(r.bell, &one, &a.ear) != BELL_LIVE);
    CHECK(becomes(&a.unknown, 1));                  /* from here on it hears everything, and was told to look */
    CHECK_INT(bell_listen(r.bell, &one, &b.ear), BELL_LIVE);
    CHECK_INT(bell_listen(r.bell, &two, &c.ear), BELL_SOON);
    CHECK(becomes(&c.unknown, 1));
    bell_ring(r.redis, &r.config, &one, 41);
    bell_ring(r.redis, &r.config, &one, 42);
    CHECK(becomes(&a.rings, 2) && becomes(&b.rings, 2));
    CHECK_INT(atomic_load(&a.last), 42);
    CHECK_INT(atomic_load(&c.rings), 0);
    bell_ring(r.redis, &r.config, &two, UINT64_MAX / 2);
    CHECK(becomes(&c.rings, 1));
    CHECK(atomic_load(&c.last) == UINT64_MAX / 2);
    CHECK_INT(atomic_load(&b.unknown), 0);
    bell_leave(r.bell, &a.ear);
    bell_leave(r.bell, &a.ear);                     /* again: nothing */
    bell_ring(r.redis, &r.config, &one, 43);
    CHECK(becomes(&b.rings, 3));
    CHECK_INT(atomic_load(&a.rings), 2);
    bell_leave(r.bell, &b.ear);
    bell_leave(r.bell, &c.ear);
    stop(&r);
}

static int64_t subscribers(struct rig *r, const char *pattern)
{
    struct redis_value v = { 0 };
    struct arena *a = arena_new(1 << 22);
    struct redis_conn *c = redis_take(r->redis, a);
    const struct blob ask[] = { blob_str("PUBSUB"), blob_str("CHANNELS"), blob_str(pattern) };
    int64_t n = c != NULL && redis_cmd(c, 3, ask, &v) == REDIS_DONE ? (int64_t)v.n : -1;
    arena_free(a);
    return n;
}

static bool channels_become(struct rig *r, int64_t want)
{
    for (int i = 0; i < 3000 && subscribers(r, "mapi:bell:*") != want; i++)
        usleep(1000);
    return subscribers(r, "mapi:bell:*") == want;
}

/* One subscription per mailbox, as long as somebody listens to it; through growth of the table. */
TEST(channels_are_counted)
{
    enum { MANY = 2000 };
    struct rig r;
    start(&r);
    struct listener *l = arena_array(r.a, struct listener, MANY);
    struct guid *g = arena_array(r.a, struct guid, MANY);
    for (size_t i = 0; i < MANY; i++) {
        g[i] = i % 2 == 0 ? guid_new() : g[i - 1];
        l[i] = listener();
        bell_listen(r.bell, &g[i], &l[i].ear);
    }
    CHECK(channels_become(&r, MANY / 2));
    for (size_t i = 0; i < MANY; i += 2)
        bell_leave(r.bell, &l[i].ear);
    CHECK(becomes(&l[MANY - 1].unknown, 1));
    bell_ring(r.redis, &r.config, &g[MANY - 1], 7);
    CHECK(becomes(&l[MANY - 1].rings, 1));
    CHECK_INT(subscribers(&r, "mapi:bell:*"), MANY / 2);
    for (size_t i = 1; i < MANY; i += 2)
        bell_leave(r.bell, &l[i].ear);
    CHECK(channels_become(&r, 0));
    stop(&r);
}

TEST(an_outage_ends_with_a_look)
{
    struct rig r;
    start(&r);
    struct guid g = guid_new();
    struct listener a = listener(), b = listener();
    bell_listen(r.bell, &g, &a.ear);
    REQUIRE(becomes(&a.unknown, 1));
    redis_server_kill(&r.server);
    enum bell_state s = BELL_LIVE;
    for (int i = 0; i < 3000 && s != BELL_DOWN; i++) {
        s = bell_listen(r.bell, &g, &b.ear);
        if (s != BELL_DOWN)
            bell_leave(r.bell, &b.ear);
        usleep(1000);
    }
    CHECK_INT(s, BELL_DOWN);
    bell_ring(r.redis, &r.config, &g, 5);           /* no harm */
    REQUIRE(redis_server_start(&r.server, r.server.dir));
    CHECK(becomes(&a.unknown, 2) && becomes(&b.unknown, 1));
    CHECK_INT(atomic_load(&a.rings), 0);
    bell_ring(r.redis, &r.config, &g, 6);
    CHECK(becomes(&a.rings, 1) && becomes(&b.rings, 1));
    bell_leave(r.bell, &a.ear);
    bell_leave(r.bell, &b.ear);
    stop(&r);
}

static void publish(struct rig *r, const char *channel, struct blob message)
{
    struct arena *a = arena_new(1 << 20);
    struct redis_value v;
    struct redis_conn *c = redis_take(r->redis, a);
    const struct blob say[] = { blob_str("PUBLISH"), blob_str(channel), message };
    CHECK(c != NULL && redis_cmd(c, 3, say, &v) == REDIS_DONE);
    arena_free(a);
}

/* What comes over a channel can be anything. */
TEST(odd_messages)
{
    struct rig r;
    start(&r);
    struct guid g = guid_new();
    struct listener a = listener();
    char hex[33] = "";
    bell_listen(r.bell, &g, &a.ear);
    REQUIRE(becomes(&a.unknown, 1));
    for (size_t i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", g.b[i]);
    const char *channel = arena_printf(r.a, "mapi:bell:{%s}", hex);
    publish(&r, channel, blob_of("\0\xff", 2));
    publish(&r, channel, blob_of(NULL, 0));
    publish(&r, channel, blob_str("99999999999999999999999999"));
    publish(&r, channel, blob_str("-1"));
    CHECK(becomes(&a.unknown, 5));
    publish(&r, channel, blob_str("12"));
    CHECK(becomes(&a.rings, 1));
    publish(&r, arena_printf(r.a, "%s%s", bell_prefix(r.a, &r.config), bell_name(r.bell)), blob_str("hello"));
    CHECK(becomes(&r.told, 1));
    CHECK_STR(r.word, "hello");
    CHECK(atomic_load(&r.told_unknown) >= 1);
    bell_leave(r.bell, &a.ear);
    stop(&r);
}
