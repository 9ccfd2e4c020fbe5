/* Authorization headers: what they can mean, and what a directory says to it. */
#include "tests/unit.h"
#include "tests/mutate.h"
#include "fcgi/auth.h"
#include "backend/base/config.h"
#include "backend/base/crypto.h"

static bool basic(struct arena *a, const char *header, const char **name, const char **password)
{
    struct blob n, p;
    if (!auth_basic(a, header, &n, &p))
        return false;
    *name = arena_str(a, n);
    *password = arena_str(a, p);
    return true;
}

TEST(basic_headers)
{
    const char *n = NULL, *p = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    REQUIRE(basic(a, "Basic YWxpY2U6c2VjcmV0", &n, &p));
    CHECK_STR(n, "alice");
    CHECK_STR(p, "secret");
    REQUIRE(basic(a, "bAsIc   YWxpY2U6YTpiOmM=  ", &n, &p)); /* only the first colon parts */
    CHECK_STR(p, "a:b:c");
    REQUIRE(basic(a, "Basic YWxpY2U6", &n, &p));
    CHECK_STR(p, "");
    CHECK(!basic(a, "Basic", &n, &p));
    CHECK(!basic(a, "Basic ", &n, &p));
    CHECK(!basic(a, "Bearer", &n, &p));
    CHECK(!basic(a, "Bearer YWxpY2U6c2VjcmV0", &n, &p));
    CHECK(!basic(a, "Negotiate YWxpY2U6c2VjcmV0", &n, &p));
    CHECK(!basic(a, "", &n, &p));
    CHECK(!basic(a, "Basic YWxpY2U=", &n, &p));       /* no colon */
    CHECK(!basic(a, "Basic OnNlY3JldA==", &n, &p));   /* no name */
    CHECK(!basic(a, "Basic YQBiOmM=", &n, &p));       /* a NUL within */
    CHECK(!basic(a, "Basic !!!!", &n, &p));
    arena_free(a);
}

TEST(readings_of_umlauts)
{
    struct auth_reading r[2];
    struct arena *a = arena_new(SIZE_MAX);
    CHECK_INT(auth_readings(a, blob_str("alice"), blob_str("secret"), r), 1);
    CHECK_STR(r[0].password, "secret");
    CHECK_INT(auth_readings(a, blob_str("alice"), blob_str("p\xe4ss"), r), 1);
    CHECK_STR(r[0].password, "p\xc3\xa4ss");
    CHECK_INT(auth_readings(a, blob_str("alice"), blob_str("p\xc3\xa4ss"), r), 2);
    CHECK_STR(r[0].password, "p\xc3\xa4ss");
    CHECK_STR(r[1].password, "p\xc3\x83\xc2\xa4ss");
    CHECK_INT(auth_readings(a, blob_str("al\xef" "ce"), blob_str("\x80"), r), 1);
    CHECK_STR(r[0].name, "al\xc3\xaf" "ce");
    CHECK_STR(r[0].password, "\xe2\x82\xac"); /* the euro sign of Windows */
    arena_free(a);
}

static void one_variant(void *ctx, struct blob variant)
{
    struct blob n, p;
    struct auth_reading r[2];
    struct arena *a = arena_new(SIZE_MAX);
    (void)ctx;
    if (auth_basic(a, arena_str(a, variant), &n, &p)) {
        CHECK(n.n != 0);
        CHECK(auth_readings(a, n, p, r) <= 2);
    }
    arena_free(a);
}

TEST(every_broken_header)
{
    mutate_all(blob_str("Basic YWxpY2U6cMOkc3M6d8O2cmQ="), one_variant, NULL);
}

/* --- against a directory ------------------------------------------------------------------------------------------- */

static struct config *config_for(struct arena *a)
{
    const char *why = NULL;
    struct config *c = config_load(a, NULL, &why);
    REQUIRE(c != NULL);
    c->directory = arena_printf(a, "%s/directory.db", unit_tmpdir());
    c->default_domain = "example.com";
    c->auth_fail_delay = 100;
    return c;
}

static struct directory *people(struct config *c, struct arena *a)
{
    const char *why = NULL;
    struct person p;
    struct directory *d = directory_open(c, a, &why);
    REQUIRE(d != NULL);
    const struct person_new n = { .login = "alice@example.com", .display_name = "Alice", .password = "p\xc3\xa4ss", .locale = 0x409 };
    ec_t ec = directory_add(d, a, &n, &p);
    REQUIRE(ec == ecNone || ec == ecDuplicateObject || ec == ecCollidingNames);
    return d;
}

static enum auth try_login(struct config *c, struct directory *d, struct arena *a, const char *credentials, struct auth_answer *out)
{
    uint8_t text[256];
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(credentials), at = 0;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(uint8_t)credentials[i] << 16 | (i + 1 < n ? (uint32_t)(uint8_t)credentials[i + 1] << 8 : 0) |
                     (i + 2 < n ? (uint32_t)(uint8_t)credentials[i + 2] : 0);
        for (int k = 0; k < 4; k++)
            text[at++] = i + (size_t)k > n ? '=' : (uint8_t)digits[v >> (18 - 6 * k) & 63];
    }
    text[at] = '\0';
    struct request rq = { .tls = true, .addr = "192.0.2.1", .authorization = arena_printf(a, "Basic %s", (char *)text) };
    return auth_check(&(struct auth_env){ .config = c, .directory = d }, a, &rq, out);
}

TEST(names_and_passwords_as_clients_send_them)
{
    struct auth_answer out;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = config_for(a);
    struct directory *d = people(c, a);
    CHECK_INT(try_login(c, d, a, "alice@example.com:p\xc3\xa4ss", &out), AUTH_OK);
    CHECK_STR(out.who.login, "alice@example.com");
    CHECK_STR(out.scheme, "Basic");
    CHECK_INT(try_login(c, d, a, "alice@example.com:p\xe4ss", &out), AUTH_OK);
    CHECK_INT(try_login(c, d, a, "ALICE@Example.COM:p\xc3\xa4ss", &out), AUTH_OK);
    CHECK_INT(try_login(c, d, a, "alice:p\xc3\xa4ss", &out), AUTH_OK);
    CHECK_INT(try_login(c, d, a, "EXAMPLE\\alice:p\xc3\xa4ss", &out), AUTH_OK);
    CHECK_INT(try_login(c, d, a, "alice@example.com:wrong", &out), AUTH_WRONG);
    CHECK_STR(out.challenge, "WWW-Authenticate: Basic realm=\"mapihttpd\", charset=\"UTF-8\"\r\n");
    CHECK_INT(try_login(c, d, a, "bob@example.com:p\xc3\xa4ss", &out), AUTH_WRONG);
    CHECK_INT(try_login(c, d, a, "alice@example.com:", &out), AUTH_WRONG);
    directory_close(d);
    arena_free(a);
}

TEST(only_over_tls)
{
    struct auth_answer out;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = config_for(a);
    struct directory *d = people(c, a);
    struct request rq = { .tls = false, .authorization = "Basic YWxpY2U6c2VjcmV0" };
    CHECK_INT(auth_check(&(struct auth_env){ .config = c, .directory = d }, a, &rq, &out), AUTH_PLAIN);
    c->auth_plain_http = true;
    CHECK_INT(auth_check(&(struct auth_env){ .config = c, .directory = d }, a, &rq, &out), AUTH_WRONG);
    rq.authorization = NULL;
    CHECK_INT(auth_check(&(struct auth_env){ .config = c, .directory = d }, a, &rq, &out), AUTH_ABSENT);
    rq.authorization = "Bearer"; /* Outlook's first request */
    CHECK_INT(auth_check(&(struct auth_env){ .config = c, .directory = d }, a, &rq, &out), AUTH_ABSENT);
    directory_close(d);
    arena_free(a);
}

/* --- the last second ----------------------------------------------------------------------------------------------- */

TEST(known_for_a_second)
{
    struct person out, alice = { .row = 7, .login = "alice@example.com", .smtp = "a@example.com", .dn = "/o=X/cn=alice", .display_name = "Alice",
                                 .has_mailbox = true, .locale = 0x409 };
    struct arena *a = arena_new(SIZE_MAX);
    struct known *k = known_new();
    CHECK(!known_find(k, a, "Basic abc", 5000, &out));
    known_keep(k, "Basic abc", 5000 + KNOWN_MS, &alice);
    REQUIRE(known_find(k, a, "Basic abc", 5000 + KNOWN_MS - 1, &out));
    CHECK_INT(out.row, 7);
    CHECK(out.has_mailbox && out.locale == 0x409);
    CHECK_STR(out.login, "alice@example.com");
    CHECK_STR(out.smtp, "a@example.com");
    CHECK_STR(out.dn, "/o=X/cn=alice");
    CHECK_STR(out.display_name, "Alice");
    CHECK(!known_find(k, a, "Basic abc", 5000 + KNOWN_MS, &out));
    CHECK(!known_find(k, a, "Basic abd", 5000, &out));
    CHECK(!known_find(k, a, "Basic ab", 5000, &out));
    char *large = arena_alloc(a, 2000);
    memset(large, 'x', 1999);
    alice.display_name = large;
    known_keep(k, "Basic abc", 7000, &alice);
    CHECK(!known_find(k, a, "Basic abc", 6000, &out));
    known_free(k);
    arena_free(a);
}

/* A new password counts after a second at the latest, without the table at once; auth_cache = 0 asks each time. */
TEST(known_logins_ask_the_directory_again)
{
    struct auth_answer out;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = config_for(a);
    struct directory *d = people(c, a);
    struct auth_env e = { .config = c, .directory = d, .known = known_new() };
    struct request rq = { .tls = true, .authorization = "Basic YWxpY2U6cMOkc3M=", .begun_us = 10000000 };
    CHECK_INT(auth_check(&e, a, &rq, &out), AUTH_OK);
    REQUIRE_EC(directory_passwd(d, "alice@example.com", "new"), ecNone);
    CHECK_INT(auth_check(&e, a, &rq, &out), AUTH_OK);
    c->auth_cache = 0;
    CHECK_INT(auth_check(&e, a, &rq, &out), AUTH_WRONG);
    c->auth_cache = 300;
    rq.begun_us += KNOWN_MS * 1000;
    CHECK_INT(auth_check(&e, a, &rq, &out), AUTH_WRONG);
    CHECK_INT(auth_check(&e, a, &rq, &out), AUTH_WRONG); /* a refusal is not remembered */
    REQUIRE_EC(directory_passwd(d, "alice@example.com", "p\xc3\xa4ss"), ecNone);
    known_free(e.known);
    directory_close(d);
    arena_free(a);
}
