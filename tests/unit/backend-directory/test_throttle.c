/* test_throttle.c - guesses, delays and locks: with a real Redis that several processes share, and without. */
#include "backend/base/filetime.h"
#include "backend/directory/throttle_int.h"
#include "tests/unit.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig { struct arena *a; struct config c; struct redis *r; struct throttle *t, *other; pid_t pid; };

static bool answers(const char *path)
{
    struct sockaddr_un u = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(u.sun_path, sizeof u.sun_path, "%s", path);
    bool ok = connect(fd, (struct sockaddr *)&u, sizeof u) == 0;
    close(fd);
    return ok;
}

static void redis_start(struct rig *g)
{
    g->pid = fork();
    if (g->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(open("/dev/null", O_WRONLY), 1);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", g->c.redis, "--dir", unit_tmpdir(), "--save", "", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !answers(g->c.redis); i++)
        usleep(10000);
    REQUIRE(answers(g->c.redis));
    usleep(50000);
}

static void begin(struct rig *g, bool redis, uint64_t pair, uint64_t user, uint64_t address)
{
    const char *why;
    *g = (struct rig){ .a = arena_new((size_t)1 << 26) };
    struct config *c = config_load(g->a, NULL, &why);
    REQUIRE(c != NULL);
    g->c = *c;
    g->c.redis = arena_printf(g->a, "%s/throttle.sock", unit_tmpdir());
    g->c.auth_fail_delay = 100;
    g->c.auth_lock_pair = pair;
    g->c.auth_lock_user = user;
    g->c.auth_lock_address = address;
    if (redis)
        redis_start(g);
    g->r = redis_new(&g->c);
    g->t = throttle_new(&g->c, g->r);
    g->other = throttle_new(&g->c, g->r);
}

static void end(struct rig *g)
{
    throttle_free(g->t);
    throttle_free(g->other);
    arena_free(g->a);
    redis_free(g->r);
    if (g->pid > 0) {
        kill(g->pid, SIGKILL);
        waitpid(g->pid, NULL, 0);
        unlink(g->c.redis);
    }
}

static bool locked(struct rig *g, struct throttle *t, const char *login, const char *addr) { return throttle_locked(t, g->a, &(struct attempt){ login, addr }); }
static void passed(struct rig *g, const char *login, const char *addr) { throttle_passed(g->t, g->a, &(struct attempt){ login, addr }); }
static uint64_t fail(struct rig *g, const char *login, const char *addr, const char *password, bool *reached)
{
    uint64_t delay = 0;
    bool hit = throttle_failed(g->t, g->a, &(struct attempt){ login, addr }, password, &delay);
    if (reached != NULL)
        *reached = hit;
    return delay;
}

static void delays_grow(struct rig *g)
{
    static const uint64_t want[] = { 100, 200, 400, 800, 1600, 1600, 1600 };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        CHECK_INT(fail(g, "ana@example.com", "192.0.2.1", "same", NULL), want[i]);
    CHECK_INT(fail(g, "ana@example.com", "192.0.2.2", "same", NULL), 100);
    CHECK(!locked(g, g->t, "ana@example.com", "192.0.2.1")); /* one guess */
    passed(g, "ana@example.com", "192.0.2.1");
    CHECK_INT(fail(g, "ana@example.com", "192.0.2.1", "same", NULL), 100);
}

static void pairs_lock(struct rig *g)
{
    bool hit;
    fail(g, "bob@example.com", "192.0.2.1", "1", &hit);
    fail(g, "bob@example.com", "192.0.2.1", "2", &hit);
    fail(g, "bob@example.com", "192.0.2.1", "2", &hit);
    CHECK(!hit && !locked(g, g->t, "bob@example.com", "192.0.2.1"));
    fail(g, "bob@example.com", "192.0.2.1", "3", &hit);
    CHECK(hit && locked(g, g->t, "bob@example.com", "192.0.2.1"));
    CHECK(!locked(g, g->t, "bob@example.com", "192.0.2.2"));
    CHECK(!locked(g, g->t, "eve@example.com", "192.0.2.1"));
}

TEST(delays_and_pairs_with_redis)
{
    struct rig g;
    begin(&g, true, 3, 0, 0);
    delays_grow(&g);
    pairs_lock(&g);
    CHECK(locked(&g, g.other, "bob@example.com", "192.0.2.1")); /* what one process counts, all know */
    end(&g);
}

TEST(delays_and_pairs_without_redis)
{
    struct rig g;
    begin(&g, false, 3, 0, 0);
    delays_grow(&g);
    pairs_lock(&g);
    CHECK(!locked(&g, g.other, "bob@example.com", "192.0.2.1"));
    end(&g);
}

static void users_and_addresses_lock(struct rig *g)
{
    bool hit = false;
    passed(g, "ana@example.com", "192.0.2.1");
    passed(g, "bob@example.com", "192.0.2.9");
    for (unsigned i = 0; i < 5; i++) /* from everywhere */
        fail(g, "ana@example.com", arena_printf(g->a, "198.51.100.%u", i), arena_printf(g->a, "%u", i), &hit);
    CHECK(hit);
    CHECK(locked(g, g->t, "ana@example.com", "203.0.113.1"));
    CHECK(!locked(g, g->t, "ana@example.com", "192.0.2.1")); /* where she works */
    for (unsigned i = 0; i < 8; i++) /* for everybody */
        fail(g, arena_printf(g->a, "user%u@example.com", i), "192.0.2.9", "Spring2026", &hit);
    CHECK(hit);
    CHECK(locked(g, g->t, "eve@example.com", "192.0.2.9"));
    CHECK(!locked(g, g->t, "bob@example.com", "192.0.2.9"));
    CHECK(!locked(g, g->t, "eve@example.com", "192.0.2.1"));
}

TEST(users_and_addresses_with_redis)
{
    struct rig g;
    begin(&g, true, 100, 5, 8);
    users_and_addresses_lock(&g);
    end(&g);
}

TEST(users_and_addresses_without_redis)
{
    struct rig g;
    begin(&g, false, 100, 5, 8);
    users_and_addresses_lock(&g);
    end(&g);
}

/* A customer has 2^64 addresses of IPv6. */
TEST(networks)
{
    struct rig g;
    bool hit;
    begin(&g, true, 2, 0, 0);
    fail(&g, "ana@example.com", "2001:db8:1:2::1", "1", &hit);
    fail(&g, "ana@example.com", "2001:db8:1:2:ffff::7", "2", &hit);
    CHECK(hit && locked(&g, g.t, "ana@example.com", "2001:db8:1:2:3:4:5:6"));
    CHECK(!locked(&g, g.t, "ana@example.com", "2001:db8:1:3::1"));
    CHECK(!locked(&g, g.t, "ana@example.com", "::ffff:192.0.2.1"));
    CHECK(!locked(&g, g.t, "ana@example.com", ""));
    end(&g);
}

static const struct throttle_entry *entry(const struct throttle_entry *v, size_t n, const char *login, const char *addr)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].login, login) == 0 && strcmp(v[i].addr, addr) == 0)
            return &v[i];
    return NULL;
}

TEST(listed_and_unlocked)
{
    struct rig g;
    struct throttle_entry *v;
    size_t n;
    begin(&g, true, 2, 0, 3);
    fail(&g, "ana@example.com", "192.0.2.1", "1", NULL);
    fail(&g, "ana@example.com", "192.0.2.1", "2", NULL);
    fail(&g, "odd name\n@x", "192.0.2.1", "3", NULL);
    fail(&g, "@192.0.2.1", "192.0.2.2", "4", NULL);
    REQUIRE_EC(throttle_list(g.t, g.a, &v, &n), ecNone);
    const struct throttle_entry *e = entry(v, n, "ana@example.com", "192.0.2.1");
    REQUIRE(e != NULL);
    CHECK_INT(e->failures, 2);
    CHECK(e->locked_s > 890 && e->locked_s <= 900);
    CHECK(entry(v, n, "odd_name_@x", "192.0.2.1") != NULL);
    CHECK(entry(v, n, "_@192.0.2.1", "192.0.2.2") != NULL);
    e = entry(v, n, "", "192.0.2.1");
    REQUIRE(e != NULL);
    CHECK(e->locked_s > 0);
    CHECK_EC(throttle_unlock_user(g.t, g.a, "ana@example.com"), ecNone);
    CHECK(locked(&g, g.t, "ana@example.com", "192.0.2.1")); /* the address still is */
    CHECK_EC(throttle_unlock_address(g.t, g.a, "192.0.2.1"), ecNone);
    CHECK(!locked(&g, g.t, "ana@example.com", "192.0.2.1"));
    CHECK_EC(throttle_unlock_address(g.t, g.a, "192.0.2.1"), ecNotFound);
    REQUIRE_EC(throttle_list(g.t, g.a, &v, &n), ecNone);
    CHECK(entry(v, n, "ana@example.com", "192.0.2.1") == NULL);
    end(&g);
    begin(&g, false, 2, 0, 0);
    CHECK_EC(throttle_list(g.t, g.a, &v, &n), ecServerBusy);
    CHECK_EC(throttle_unlock_user(g.t, g.a, "ana@example.com"), ecServerBusy);
    end(&g);
}

/* What a user's hash holds is bounded, however many addresses an attacker has, and what is trusted stays. */
TEST(many_addresses_take_bounded_room)
{
    struct rig g;
    begin(&g, true, 10, 0, 0);
    passed(&g, "ana@example.com", "192.0.2.1");
    for (unsigned i = 0; i < 300; i++)
        fail(&g, "ana@example.com", arena_printf(g.a, "10.0.%u.%u", i / 250, i % 250), "x", NULL);
    struct redis_conn *c = redis_take(g.r, g.a);
    struct redis_value keys, v;
    const struct blob all[] = { blob_str("KEYS"), blob_str("mapi:{auth}:u:*") };
    REQUIRE(redis_cmd(c, 2, all, &keys) == REDIS_DONE && keys.n == 1);
    const struct blob len[] = { blob_str("HLEN"), keys.v[0].s }, ttl[] = { blob_str("PTTL"), keys.v[0].s };
    REQUIRE(redis_cmd(c, 2, len, &v) == REDIS_DONE);
    CHECK(v.i <= 80);
    REQUIRE(redis_cmd(c, 2, ttl, &v) == REDIS_DONE);
    CHECK(v.i > 0);
    end(&g);
}
