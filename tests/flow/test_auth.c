/* test_auth.c - what a 401 offers, lock-outs over all workers, and a storm of wrong passwords that holds up nobody else. */
#include "tests/flow/authkit.h"
#include "backend/base/filetime.h"
#include "tests/jose.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *jwks_file(struct arena *a)
{
    struct jose k = jose_ec("P-256", "k", "ES256");
    const char *path = arena_printf(a, "%s/offer.jwks", unit_tmpdir());
    authkit_file(path, arena_printf(a, "{\"keys\":[%s]}", jose_jwk(a, &k)));
    jose_free(&k);
    return path;
}

/* --- what is offered --------------------------------------------------------------------------------------------------------------------- */

TEST(a_401_offers_what_the_virtual_directory_allows)
{
    struct arena *a = arena_new((size_t)1 << 24);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = arena_printf(a,
        "oauth_jwks = %s\noauth_issuer = https://idp.example.com/\noauth_audience = mapi\noauth_authorization_uri = https://idp.example.com/authorize\nauth_realm = Example\n", jwks_file(a)) });
    struct authkit k, outside;
    authkit_begin(&k, st);
    authkit_begin(&outside, st);
    outside.c.to.port = st->external_port;
    ctl_must(st, "vdir set --internal-methods basic");
    CHECK_INT(authkit_ping(&k, NULL), 401);
    CHECK_STR(authkit_offered(&k), "Basic");
    CHECK(authkit_challenge(&k, "realm=\"Example\", charset=\"UTF-8\""));
    ctl_must(st, "vdir set --internal-methods basic,negotiate,oauth,certificate --external-methods oauth");
    CHECK_INT(authkit_ping(&k, NULL), 401);
    CHECK_STR(authkit_offered(&k), "Bearer Basic"); /* there is no keytab */
    CHECK(authkit_challenge(&k, "authorization_uri=\"https://idp.example.com/authorize\""));
    CHECK(!authkit_challenge(&k, "error="));
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 200);
    CHECK_INT(authkit_ping(&outside, NULL), 401);
    CHECK_STR(authkit_offered(&outside), "Bearer");
    CHECK_INT(authkit_basic(&outside, "ana@example.com", "secret-ana"), 401);
    ctl_must(st, "vdir set --external-methods basic --internal-methods certificate");
    CHECK_INT(authkit_basic(&outside, "ana@example.com", "secret-ana"), 200);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 401); /* known a moment ago, but not in this way any more */
    CHECK_STR(authkit_offered(&k), "");
    authkit_end(&k);
    authkit_end(&outside);
    stack_stop(st);
    arena_free(a);
}

/* Outlook's first request has an empty Bearer; the connection must live on. */
TEST(empty_and_unknown_schemes_are_asked_again_on_the_same_connection)
{
    static const char *const odd[] = { "Bearer", "Bearer ", "bearer", "Negotiate", "Basic", "Basic !", "Digest username=\"ana\"", "NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==",
                                       "Negotiate TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==", "x", "Certificate x", "Bearer a.b.c" };
    struct stack *st = stack_shared();
    struct authkit k;
    authkit_begin(&k, st);
    CHECK_INT(authkit_ping(&k, NULL), 401);
    struct tls *first = k.c.conn;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        CHECK_INT(authkit_ping(&k, odd[i]), 401);
        CHECK_STR(authkit_offered(&k), "Basic");
        CHECK(k.c.conn == first && k.r.http.keep);
    }
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 200);
    CHECK(k.c.conn == first);
    authkit_end(&k);
}

TEST(headers_of_large_tickets_arrive)
{
    struct authkit k;
    authkit_begin(&k, stack_shared());
    char *large = arena_alloc(k.a, 60001);
    memset(large, 'A', 60000);
    large[44000] = '\0';
    CHECK_INT(authkit_ping(&k, arena_printf(k.a, "Negotiate %s", large)), 401);
    CHECK(http_header(&k.r.http, "X-ServerApplication") != NULL); /* the worker said it, not nginx */
    large[44000] = 'A';
    CHECK_INT(authkit_ping(&k, arena_printf(k.a, "Negotiate %s", large)), 400);
    authkit_end(&k);
}

TEST(a_password_in_either_character_set)
{
    struct authkit k;
    struct stack *st = stack_shared();
    authkit_begin(&k, st);
    REQUIRE_EC(directory_passwd(st->directory, "bob@example.com", "g\xc3\xbcrtel"), ecNone);
    CHECK_INT(authkit_basic(&k, "bob@example.com", "g\xc3\xbcrtel"), 200);
    CHECK_INT(authkit_basic(&k, "bob@example.com", "g\xfcrtel"), 200);
    CHECK_INT(authkit_basic(&k, "bob@example.com", "gurtel"), 401);
    REQUIRE_EC(directory_passwd(st->directory, "bob@example.com", "secret-bob"), ecNone);
    authkit_end(&k);
}

/* --- changes count within a second, in every worker -------------------------------------------------------------------------------------- */

static void disable(struct stack *st, const char *login, int yes)
{
    sqlite3 *db;
    REQUIRE(sqlite3_open(st->config->directory, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    CHECK_INT(sqlite3_exec(db, arena_printf(st->a, "UPDATE person SET disabled=%d WHERE login='%s'", yes, login), NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void in_every_worker(struct authkit *k, const char *header, int status)
{
    for (unsigned i = 0; i < k->st->workers; i++) {
        k->c.route = stack_route[i];
        CHECK(authkit_becomes(k, header, status, 1500));
    }
    k->c.route = NULL;
}

TEST(a_new_password_and_a_disabled_user_count_at_once)
{
    struct stack *st = stack_start(NULL);
    struct authkit k;
    authkit_begin(&k, st);
    const char *old = authkit_basic_header(k.a, "ana@example.com", "secret-ana"), *new = authkit_basic_header(k.a, "ana@example.com", "other");
    in_every_worker(&k, old, 200);
    REQUIRE_EC(directory_passwd(st->directory, "ana@example.com", "other"), ecNone);
    in_every_worker(&k, old, 401);
    in_every_worker(&k, new, 200);
    disable(st, "ana@example.com", 1);
    in_every_worker(&k, new, 401);
    disable(st, "ana@example.com", 0);
    in_every_worker(&k, new, 200);
    authkit_end(&k);
    stack_stop(st);
}

/* --- lock-out ---------------------------------------------------------------------------------------------------------------------------- */

static json_t *entry_of(json_t *list, const char *login, const char *address)
{
    json_t *one;
    size_t i;
    json_array_foreach(list, i, one)
        if (strcmp(json_string_value(json_object_get(one, "login")), login) == 0 && strcmp(json_string_value(json_object_get(one, "address")), address) == 0)
            return one;
    return NULL;
}

static long long counted(struct stack *st, const char *login, const char *address, const char *what)
{
    json_t *list = ctl_json(st, "auth list", 0);
    long long n = json_integer_value(json_object_get(entry_of(list, login, address), what));
    json_decref(list);
    return n;
}

/* The sum of a counter over the hosts, of which any worker tells all. */
static unsigned long counter(struct authkit *k, const char *name)
{
    unsigned long sum = 0;
    const char *why = "", *key = arena_printf(k->a, "\nmapihttpd_%s_total ", name);
    for (unsigned i = 0; i < 2; i++) {
        struct mapic_odd odd = { .verb = "GET", .path = "/metrics" };
        k->c.route = stack_route[i];
        REQUIRE(mapic_call(&k->c, k->a, "PING", blob_of(NULL, 0), &odd, &k->r, &why));
        const char *at = strstr(arena_str(k->a, k->r.body), key);
        if (CHECK(at != NULL))
            sum += strtoul(at + strlen(key), NULL, 10);
    }
    k->c.route = NULL;
    return sum;
}

TEST(guesses_lock_out_in_every_worker)
{
    struct stack *st = stack_start(&(struct stack_options){ .config = "auth_lock_pair = 4\nauth_lock_time = 600\n" });
    struct authkit k;
    authkit_begin(&k, st);
    const char *right = authkit_basic_header(k.a, "ana@example.com", "secret-ana");
    CHECK_INT(authkit_ping(&k, right), 200);
    for (int i = 0; i < 9; i++) /* a client with an old password guesses nothing */
        CHECK_INT(authkit_basic(&k, "ana@example.com", "old password"), 401);
    CHECK_INT(authkit_ping(&k, right), 200);
    for (unsigned i = 0; i < 4; i++) { /* each at another worker */
        k.c.route = stack_route[i];
        CHECK_INT(authkit_basic(&k, "ana@example.com", arena_printf(k.a, "guess %u", i)), 401);
    }
    in_every_worker(&k, right, 401);
    CHECK(authkit_logged(&k, "a0.log", "locked out") || authkit_logged(&k, "b0.log", "locked out") || authkit_logged(&k, "a1.log", "locked out") || authkit_logged(&k, "b1.log", "locked out"));
    CHECK_INT(authkit_basic(&k, "bob@example.com", "secret-bob"), 200); /* another user at the same address */
    CHECK_INT(counter(&k, "auth_lockouts"), 1);
    CHECK(counter(&k, "auth_locked") >= 4);
    CHECK(counter(&k, "auth_failed_basic") >= 17);
    CHECK(counter(&k, "auth_ok_basic") >= 3);
    CHECK(counted(st, "ana@example.com", "127.0.0.1", "locked_s") > 500);
    CHECK_INT(counted(st, "ana@example.com", "*", "locked_s"), 0);
    CHECK_INT(counted(st, "*", "127.0.0.1", "locked_s"), 0);
    ctl_must(st, "auth unlock ana");
    in_every_worker(&k, right, 200);
    CHECK_INT(ctl_run(st, "auth unlock ana").rc, 0); /* the success is known */
    CHECK_INT(ctl_run(st, "auth unlock nobody").rc, 1);
    for (unsigned i = 0; i < 4; i++)
        CHECK_INT(authkit_basic(&k, "nobody@example.com", arena_printf(k.a, "guess %u", i)), 401);
    CHECK(counted(st, "nobody@example.com", "127.0.0.1", "locked_s") > 500); /* as if he existed */
    authkit_end(&k);
    stack_stop(st);
}

TEST(a_lock_ends_by_itself)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "auth_lock_pair = 2\nauth_lock_time = 2\n" });
    struct authkit k;
    authkit_begin(&k, st);
    const char *right = authkit_basic_header(k.a, "ana@example.com", "secret-ana");
    CHECK_INT(authkit_basic(&k, "ana@example.com", "a"), 401);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "b"), 401);
    CHECK_INT(authkit_ping(&k, right), 401);
    CHECK(authkit_becomes(&k, right, 200, 4000));
    authkit_end(&k);
    stack_stop(st);
}

/* Other addresses cannot shut a user out of the one from which he works; nor can a neighbour behind the same address. */
TEST(where_he_logged_in_he_gets_in)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "auth_lock_pair = 100\nauth_lock_user = 3\nauth_lock_address = 5\n" });
    struct authkit k;
    authkit_begin(&k, st);
    const char *right = authkit_basic_header(k.a, "ana@example.com", "secret-ana"), *bob = authkit_basic_header(k.a, "bob@example.com", "secret-bob");
    CHECK_INT(authkit_ping(&k, right), 200);
    for (unsigned i = 0; i < 5; i++)
        CHECK_INT(authkit_basic(&k, "ana@example.com", arena_printf(k.a, "guess %u", i)), 401);
    CHECK(counted(st, "ana@example.com", "*", "locked_s") > 0);
    CHECK(counted(st, "*", "127.0.0.1", "locked_s") > 0);
    in_every_worker(&k, right, 200);
    in_every_worker(&k, bob, 401); /* he has never been here */
    ctl_must(st, "auth unlock --address 127.0.0.1");
    in_every_worker(&k, bob, 200);
    authkit_end(&k);
    stack_stop(st);
}

/* Without Redis each process counts for itself. */
TEST(locks_without_redis)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "auth_lock_pair = 3\nredis_timeout = 200\n" });
    struct authkit k;
    authkit_begin(&k, st);
    stack_redis_stop(st);
    for (unsigned i = 0; i < 3; i++)
        CHECK_INT(authkit_basic(&k, "ana@example.com", arena_printf(k.a, "guess %u", i)), 401);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 401);
    CHECK_INT(authkit_basic(&k, "bob@example.com", "secret-bob"), 200);
    authkit_end(&k);
    stack_stop(st);
}

/* --- a storm ----------------------------------------------------------------------------------------------------------------------------- */

enum { STORM = 60 };

struct guesser { struct stack *st; unsigned n; atomic_uint *statuses; };

static void *guess(void *arg)
{
    struct guesser *g = arg;
    struct authkit k;
    authkit_begin(&k, g->st);
    int status = authkit_basic(&k, arena_printf(k.a, "nobody%u@example.com", g->n), "wrong");
    atomic_fetch_add(&g->statuses[status == 401 ? 0 : status == 503 ? 1 : 2], 1);
    if (status == 503)
        atomic_fetch_add(&g->statuses[3], http_header(&k.r.http, "Retry-After") != NULL);
    authkit_end(&k);
    return NULL;
}

static void storm(struct stack *st, pthread_t *thread, struct guesser *g, atomic_uint *statuses)
{
    for (unsigned i = 0; i < STORM; i++) {
        g[i] = (struct guesser){ st, i, statuses };
        REQUIRE(pthread_create(&thread[i], NULL, guess, &g[i]) == 0);
    }
}

/* 60 wrong passwords take two threads a second and more; who is logged in does not notice, and a newcomer from elsewhere is not last. */
TEST(wrong_passwords_hold_up_nobody)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct authkit k;
    pthread_t thread[STORM];
    struct guesser g[STORM];
    atomic_uint statuses[4] = { 0, 0, 0, 0 };
    uint64_t worst = 0, pings = 0;
    authkit_begin(&k, st);
    const char *right = authkit_basic_header(k.a, "ana@example.com", "secret-ana");
    CHECK_INT(authkit_ping(&k, right), 200);
    storm(st, thread, g, statuses);
    while (atomic_load(&statuses[0]) + atomic_load(&statuses[1]) + atomic_load(&statuses[2]) < STORM && pings < 100000) {
        uint64_t before = clock_us();
        CHECK_INT(authkit_ping(&k, right), 200);
        uint64_t us = clock_us() - before;
        worst = us > worst ? us : worst;
        pings++;
    }
    for (unsigned i = 0; i < STORM; i++)
        pthread_join(thread[i], NULL);
    CHECK_INT(statuses[0], STORM);
    CHECK(pings > 50);
    if (!CHECK(worst < 400000))
        fprintf(stderr, "%llu pings, the slowest took %llu us\n", (unsigned long long)pings, (unsigned long long)worst);
    authkit_end(&k);
    stack_stop(st);
}

TEST(more_than_may_wait_are_told_to_come_again)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "auth_threads = 1\nauth_queue = 4\n" });
    pthread_t thread[STORM];
    struct guesser g[STORM];
    struct authkit k;
    atomic_uint statuses[4] = { 0, 0, 0, 0 };
    storm(st, thread, g, statuses);
    for (unsigned i = 0; i < STORM; i++)
        pthread_join(thread[i], NULL);
    CHECK(statuses[0] >= 4);
    CHECK(statuses[1] > 0);
    CHECK_INT(statuses[2], 0);
    CHECK_INT(statuses[3], statuses[1]);
    authkit_begin(&k, st);
    CHECK_INT(authkit_basic(&k, "ana@example.com", "secret-ana"), 200);
    authkit_end(&k);
    stack_stop(st);
}
