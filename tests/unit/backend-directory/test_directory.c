/* test_directory.c - people: adding, finding, passwords, what is remembered and what is voided. */
#include "backend/base/filetime.h"
#include "backend/directory/directory.h"
#include "tests/unit.h"
#include <stdio.h>
#include <sqlite3.h>

static struct arena *a; /* of the running test */

static void done(void)
{
    arena_free(a);
    a = NULL;
}

static struct directory *fresh(const char *name, struct config *c)
{
    a = a != NULL ? a : arena_new(1 << 20);
    *c = (struct config){ .directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com",
                          .auth_cache = 300, .auth_fail_delay = 100 };
    const char *why;
    return directory_open(c, a, &why);
}

static ec_t add(struct directory *d, const char *login, const char *password, struct person *p)
{
    return directory_add(d, a, &(struct person_new){ .login = login, .display_name = "Ana Müller", .password = password, .with_mailbox = true }, p);
}

TEST(person_is_found_by_every_name)
{
    struct config c;
    struct directory *d = fresh("found", &c);
    REQUIRE(d != NULL);
    struct person p, q;
    REQUIRE_EC(add(d, "Ana@Example.COM", "s3cret", &p), ecNone);
    CHECK_STR(p.login, "ana@example.com");
    CHECK(p.has_mailbox);
    const char *names[] = { "ana@example.com", "ANA@example.com", "ana", "EXAMPLE\\ana", "EXAMPLE\\ana@example.com" };
    for (size_t i = 0; i < 5; i++) {
        CHECK_EC(directory_by_login(d, a, names[i], &q), ecNone);
        CHECK_INT(q.row, p.row);
    }
    CHECK_EC(directory_by_dn(d, a, p.dn, &q), ecNone);
    char *upper = arena_strdup(a, p.dn);
    for (char *s = upper; *s; s++)
        if (*s >= 'a' && *s <= 'z')
            *s = (char)(*s - 32);
    CHECK_EC(directory_by_dn(d, a, upper, &q), ecNone);
    CHECK_EC(directory_by_address(d, a, "Ana@example.com", &q), ecNone);
    CHECK_EC(directory_by_mailbox(d, a, &p.mailbox, &q), ecNone);
    CHECK_STR(q.display_name, "Ana Müller");
    CHECK_EC(directory_by_login(d, a, "bob", &q), ecUnknownUser);
    CHECK_EC(directory_by_dn(d, a, "/o=Demo", &q), ecUnknownUser);
    directory_close(d);
    done();
}

TEST(names_are_unique_and_plausible)
{
    struct config c;
    struct directory *d = fresh("unique", &c);
    struct person p;
    REQUIRE_EC(add(d, "ana@example.com", "x", &p), ecNone);
    CHECK_EC(add(d, "ANA@example.com", "x", &p), ecCollidingNames);
    const char *bad[] = { "", "@x", "a@", "a b@x", "a@b@c", "a<@x", "\\", "EXAMPLE\\" };
    for (size_t i = 0; i < 8; i++)
        CHECK_EC(add(d, bad[i], "x", &p), ecInvalidParameter);
    CHECK_EC(add(d, "eve@example.com", "", &p), ecInvalidParameter);
    struct person *all;
    size_t n;
    CHECK_EC(directory_list(d, a, &all, &n), ecNone);
    CHECK_INT(n, 1);
    directory_close(d);
    done();
}

TEST(password_is_verified_then_remembered_then_voided)
{
    struct config c;
    struct directory *d = fresh("login", &c), *other = fresh("login", &c);
    struct person p;
    REQUIRE_EC(add(d, "ana@example.com", "rätsel", &p), ecNone);
    uint64_t t0 = clock_us();
    CHECK_EC(directory_login(d, a, "ana", "rätsel", "127.0.0.1", &p), ecNone);
    uint64_t slow = clock_us() - t0;
    t0 = clock_us();
    CHECK_EC(directory_login(d, a, "ana", "rätsel", "127.0.0.1", &p), ecNone);
    uint64_t fast = clock_us() - t0;
    CHECK(fast < slow);
    CHECK_EC(directory_login(d, a, "ana", "raetsel", "127.0.0.1", &p), ecLoginFailure);
    /* another process changes it: void at once */
    CHECK_EC(directory_passwd(other, "ana", "neu"), ecNone);
    CHECK_EC(directory_login(d, a, "ana", "rätsel", "127.0.0.1", &p), ecLoginFailure);
    CHECK_EC(directory_login(d, a, "ana", "neu", "127.0.0.1", &p), ecNone);
    CHECK_EC(directory_remove(other, "ana"), ecNone);
    CHECK_EC(directory_login(d, a, "ana", "neu", "127.0.0.1", &p), ecLoginFailure);
    CHECK_EC(directory_passwd(d, "ana", "x"), ecUnknownUser);
    directory_close(d);
    directory_close(other);
    done();
}

TEST(delegates_are_granted_and_revoked)
{
    struct config c;
    struct directory *d = fresh("grant", &c);
    struct person ana, bob;
    bool full;
    REQUIRE_EC(add(d, "ana@example.com", "x", &ana), ecNone);
    REQUIRE_EC(add(d, "bob@example.com", "x", &bob), ecNone);
    CHECK_EC(directory_has_access(d, ana.dn, bob.dn, &full), ecNone);
    CHECK(!full);
    CHECK_EC(directory_grant(d, "ana", "bob", true), ecNone);
    CHECK_EC(directory_has_access(d, ana.dn, bob.dn, &full), ecNone);
    CHECK(full);
    CHECK_EC(directory_has_access(d, bob.dn, ana.dn, &full), ecNone);
    CHECK(!full);
    CHECK_EC(directory_grant(d, "ana", "bob", false), ecNone);
    CHECK_EC(directory_has_access(d, ana.dn, bob.dn, &full), ecNone);
    CHECK(!full);
    directory_close(d);
    done();
}

TEST(newer_schema_is_refused_with_both_versions)
{
    struct config c;
    struct directory *d = fresh("newer", &c);
    struct guid g1, g2;
    CHECK_EC(directory_server_guid(d, &g1), ecNone);
    directory_close(d);
    d = fresh("newer", &c);
    CHECK_EC(directory_server_guid(d, &g2), ecNone);
    CHECK(guid_eq(&g1, &g2));
    directory_close(d);
    sqlite3 *db;
    REQUIRE(sqlite3_open(c.directory, &db) == SQLITE_OK);
    sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
    sqlite3_close(db);
    const char *why = NULL;
    CHECK(directory_open(&c, a, &why) == NULL);
    CHECK(why != NULL && strstr(why, "version 99") != NULL);
    done();
}

/* A directory that cannot be asked says so: nobody is unknown, nobody is slowed down for a wrong password. */
TEST(a_query_that_fails_is_no_answer)
{
    struct config c;
    struct directory *d = fresh("broken", &c);
    struct person p, *all;
    struct guid g;
    size_t n;
    bool access;
    REQUIRE_EC(add(d, "ana@example.com", "x", &p), ecNone);
    sqlite3 *db;
    REQUIRE(sqlite3_open(c.directory, &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "ALTER TABLE person RENAME TO nobody; ALTER TABLE setting RENAME TO lost", NULL, NULL, NULL), SQLITE_OK);
    CHECK_EC(directory_login(d, a, "ana", "x", "127.0.0.1", &p), ecDiskError);
    CHECK_EC(directory_by_dn(d, a, "/o=Demo", &p), ecDiskError);
    CHECK_EC(directory_by_login(d, a, "ana", &p), ecDiskError);
    CHECK_EC(directory_has_access(d, "/o=a", "/o=b", &access), ecDiskError);
    CHECK_EC(directory_list(d, a, &all, &n), ecDiskError);
    CHECK_EC(directory_server_guid(d, &g), ecDiskError);
    sqlite3_close(db);
    directory_close(d);
    done();
}
