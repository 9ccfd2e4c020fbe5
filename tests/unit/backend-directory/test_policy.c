/* test_policy.c - switches, retention, organizations, the virtual directory, moved names: what holds for whom, in which process, since when. */
#include "backend/base/filetime.h"
#include "backend/directory/entry.h"
#include "backend/directory/policy.h"
#include "backend/directory/schema.h"
#include "tests/unit.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena *a; /* of the running test */
static struct config c;

static struct directory *fresh(const char *name)
{
    const char *why;
    a = a != NULL ? a : arena_new(1 << 24);
    c = (struct config){ .directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com",
                         .auth_cache = 300, .auth_fail_delay = 100 };
    struct directory *d = directory_open(&c, a, &why);
    REQUIRE(d != NULL);
    return d;
}

static void done(struct directory *d, struct directory *other)
{
    directory_close(d);
    directory_close(other);
    arena_free(a);
    a = NULL;
}

static struct person add(struct directory *d, const char *login)
{
    struct person p = { 0 };
    REQUIRE_EC(directory_add(d, a, &(struct person_new){ .login = login, .password = "x", .with_mailbox = true }, &p), ecNone);
    return p;
}

static struct policy policy(struct directory *d, const struct person *p)
{
    struct policy out = { .organization = "" };
    CHECK_EC(policy_of(d, a, p, &out), ecNone);
    return out;
}

/* The 12 rows of the articles: organization, mailbox, effective; blocking is a matter of its own. */
TEST(mailbox_overrides_organization)
{
    static const struct { bool org; enum tristate own; bool want; } row[] = {
        { true, TRI_NULL, true }, { true, TRI_TRUE, true }, { true, TRI_FALSE, false }, { false, TRI_NULL, false }, { false, TRI_TRUE, true },
        { false, TRI_FALSE, false },
    };
    struct directory *d = fresh("rows");
    struct person ana = add(d, "ana@example.com");
    for (size_t i = 0; i < 12; i++) {
        bool block = i >= 6;
        CHECK_EC(org_set_mapi_http(d, "demo", row[i % 6].org), ecNone);
        CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ row[i % 6].own, block, 0 }), ecNone);
        struct policy p = policy(d, &ana);
        CHECK_INT(p.mapi_http, row[i % 6].want);
        CHECK_INT(p.block_external, block);
        struct mailbox_policy own;
        CHECK_EC(mailbox_policy_get(d, "ana", &own), ecNone);
        CHECK_INT(own.mapi_http, row[i % 6].own);
        CHECK_INT(own.block_external, block);
    }
    CHECK_EC(mailbox_policy_set(d, "nobody", &(struct mailbox_policy){ .mapi_http = TRI_TRUE }), ecUnknownUser);
    done(d, NULL);
}

TEST(retention_comes_from_the_nearest)
{
    struct directory *d = fresh("retention");
    struct person ana = add(d, "ana@example.com"), eve = add(d, "eve@other.example");
    CHECK_INT(policy(d, &ana).retention_s, 0);
    CHECK_EC(org_set_retention(d, "Demo", 3600), ecNone);
    CHECK_INT(policy(d, &ana).retention_s, 3600);
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, false, 120 }), ecNone);
    CHECK_INT(policy(d, &ana).retention_s, 120);
    CHECK_INT(policy(d, &eve).retention_s, 3600);
    CHECK_EC(org_add(d, "Other"), ecNone);
    CHECK_EC(org_add_domain(d, "other", "Other.Example"), ecNone);
    CHECK_INT(policy(d, &eve).retention_s, 0);
    CHECK_STR(policy(d, &eve).organization, "Other");
    static const uint64_t bad[] = { 1, RETENTION_MIN_S - 1, RETENTION_MAX_S + 1, UINT64_MAX };
    for (size_t i = 0; i < 4; i++) {
        CHECK_EC(org_set_retention(d, "Demo", bad[i]), ecInvalidParameter);
        CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, false, bad[i] }), ecInvalidParameter);
    }
    CHECK_EC(org_set_retention(d, "Demo", RETENTION_MIN_S), ecNone);
    CHECK_EC(org_set_retention(d, "Demo", RETENTION_MAX_S), ecNone);
    CHECK_EC(org_set_retention(d, "Demo", 0), ecNone);
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ .mapi_http = TRI_NULL }), ecNone);
    CHECK_INT(policy(d, &ana).retention_s, 0);
    done(d, NULL);
}

/* Worker and mapictl: each change of the one is seen by the next question of the other, and by itself. */
TEST(another_process_changes_it)
{
    struct directory *d = fresh("processes"), *other = fresh("processes");
    struct person ana = add(d, "ana@example.com");
    for (int i = 0; i < 20; i++) {
        bool on = i % 2 == 1;
        struct directory *by = i % 3 == 0 ? d : other;
        CHECK_EC(org_set_mapi_http(by, "Demo", on), ecNone);
        CHECK_INT(policy(d, &ana).mapi_http, on);
        CHECK_INT(policy(other, &ana).mapi_http, on);
        CHECK_EC(directory_passwd(other, "ana", i % 2 ? "y" : "z"), ecNone); /* changes the database, not the policies */
        CHECK_INT(policy(d, &ana).mapi_http, on);
    }
    done(d, other);
}

TEST(organizations_have_names_and_domains)
{
    struct directory *d = fresh("orgs");
    struct org *v, o;
    size_t n;
    REQUIRE_EC(org_list(d, a, &v, &n), ecNone);
    CHECK_INT(n, 1);
    CHECK_STR(v[0].name, "Demo");
    CHECK(v[0].mapi_http); /* a new installation enables it */
    CHECK_INT(v[0].domains, 0);
    CHECK_EC(org_add(d, "Other"), ecNone);
    CHECK_EC(org_add(d, "OTHER"), ecCollidingNames);
    CHECK_EC(org_add(d, "demo"), ecCollidingNames);
    static const char *const bad[] = { "", " x", "x ", "a/b", "a=b", "a\nb" };
    for (size_t i = 0; i < 6; i++)
        CHECK_EC(org_add(d, bad[i]), ecInvalidParameter);
    CHECK_EC(org_get(d, a, "nobody", &o), ecNotFound);
    CHECK_EC(org_add_domain(d, "nobody", "x.example"), ecNotFound);
    CHECK_EC(org_add_domain(d, "Other", "x.example"), ecNone);
    CHECK_EC(org_add_domain(d, "Demo", "X.example"), ecCollidingNames);
    static const char *const no_domain[] = { "", ".x", "x.", "x..y", "a b", "a@b", "a/b" };
    for (size_t i = 0; i < 7; i++)
        CHECK_EC(org_add_domain(d, "Other", no_domain[i]), ecInvalidParameter);
    REQUIRE_EC(org_get(d, a, "OTHER", &o), ecNone);
    REQUIRE(o.domains == 1);
    CHECK_STR(o.domain[0], "x.example");
    struct person p = add(d, "eve@x.example");
    CHECK(strncmp(p.dn, "/o=Other/", 9) == 0);
    CHECK_EC(org_of(d, a, "Somebody@X.EXAMPLE", &o), ecNone);
    CHECK_STR(o.name, "Other");
    CHECK_EC(org_drop_domain(d, "Demo", "x.example"), ecNotFound);
    CHECK_EC(org_drop_domain(d, "Other", "x.example"), ecNone);
    CHECK_STR(policy(d, &p).organization, "Demo");
    done(d, NULL);
}

/* What the readiness check asks. */
static void move(struct directory *d, int64_t row, const char *smtp)
{
    struct entry e;
    REQUIRE_EC(entry_get(d, a, row, &e), ecNone);
    e.smtp = smtp;
    REQUIRE_EC(entry_set(d, a, &e), ecNone);
}

/* The name and the person of each way to say who one is, and the organization that all of them lead to. */
static void belongs(struct directory *d, const char *const *login, const char *address, const char *dn, const char *organization, int line)
{
    struct person p[10];
    struct org o;
    struct entry e;
    size_t n = 0;
    bool knows = false;
    for (; *login != NULL; login++)
        unit_ec(directory_by_login(d, a, *login, &p[n++]), ecNone, *login, __FILE__, line);
    unit_ec(directory_by_address(d, a, address, &p[n++]), ecNone, address, __FILE__, line);
    unit_ec(directory_by_dn(d, a, dn, &p[n++]), ecNone, dn, __FILE__, line);
    unit_ec(directory_by_mailbox(d, a, &p[0].mailbox, &p[n]), ecNone, "mailbox", __FILE__, line);
    for (size_t i = 0; i <= n; i++) {
        struct policy one = { .organization = "" };
        CHECK_INT(p[i].row, p[0].row);
        CHECK_EC(policy_of(d, a, &p[i], &one), ecNone);
        unit_str(one.organization, organization, p[i].login, __FILE__, line);
    }
    REQUIRE_EC(entry_get(d, a, p[0].row, &e), ecNone); /* the address book says the same */
    REQUIRE_EC(org_of(d, a, e.smtp, &o), ecNone);
    unit_str(o.name, organization, e.smtp, __FILE__, line);
    CHECK_EC(org_knows(d, a, &p[0], &p[n], &knows), ecNone);
    CHECK(knows);
}
#define BELONGS(login, address, dn, organization) belongs(d, (const char *const[]) login, (address), (dn), (organization), __LINE__)
#define LOGINS(...) { __VA_ARGS__, NULL }

/* One organization per person, by the primary address, whatever the login looks like. */
TEST(a_person_has_one_organization)
{
    struct directory *d = fresh("one-org");
    struct person anna = add(d, "anna"), olga = add(d, "olga@other.example"), who;
    bool knows;
    const char **names;
    size_t n;
    CHECK_EC(org_add(d, "Other"), ecNone);
    CHECK_EC(org_add_domain(d, "Other", "other.example"), ecNone);
    BELONGS(LOGINS("anna", "ANNA", "CORP\\anna", "other.example\\anna", "anna@example.com"), "anna@example.com", anna.dn, "Demo");
    BELONGS(LOGINS("olga@other.example", "CORP\\Olga@Other.Example"), "olga@other.example", olga.dn, "Other");
    CHECK_EC(org_by_login(d, a, 5, &names, &n), ecNone);
    CHECK_INT(n, 0);
    move(d, anna.row, "anna@other.example");    /* the login says Demo, the address Other */
    move(d, olga.row, "olga@example.com");      /* and the other way round */
    BELONGS(LOGINS("anna", "CORP\\anna", "anna@example.com"), "anna@other.example", anna.dn, "Other");
    BELONGS(LOGINS("olga@other.example"), "olga@example.com", olga.dn, "Demo");
    CHECK_EC(org_by_login(d, a, 5, &names, &n), ecNone);
    REQUIRE(n == 2);
    CHECK_STR(names[0], "anna@example.com");
    CHECK_STR(names[1], "olga@other.example");
    CHECK_EC(org_by_login(d, a, 1, &names, &n), ecNone);
    CHECK_INT(n, 2);
    REQUIRE_EC(directory_by_login(d, a, "olga@other.example", &who), ecNone);
    REQUIRE_EC(directory_by_login(d, a, "anna", &anna), ecNone);
    CHECK_EC(org_knows(d, a, &anna, &who, &knows), ecNone);
    CHECK(!knows);
    /* each policy follows */
    CHECK_EC(org_set_mapi_http(d, "Other", false), ecNone);
    CHECK_EC(org_set_retention(d, "Other", 120), ecNone);
    CHECK(!policy(d, &anna).mapi_http && policy(d, &who).mapi_http);
    CHECK_INT(policy(d, &anna).retention_s, 120);
    CHECK_INT(policy(d, &who).retention_s, 0);
    CHECK_EC(mailbox_policy_set(d, "CORP\\anna", &(struct mailbox_policy){ TRI_TRUE, true, 300 }), ecNone);
    CHECK(policy(d, &anna).mapi_http && policy(d, &anna).block_external);
    CHECK_INT(policy(d, &anna).retention_s, 300);
    /* domains that move take people along, and a further address does not count */
    CHECK_EC(org_drop_domain(d, "Other", "other.example"), ecNone);
    BELONGS(LOGINS("anna"), "anna@other.example", anna.dn, "Demo");
    CHECK_EC(org_add_domain(d, "Other", "example.com"), ecNone);
    BELONGS(LOGINS("anna"), "anna@other.example", anna.dn, "Demo");
    BELONGS(LOGINS("olga@other.example"), "olga@example.com", olga.dn, "Other");
    struct entry e;
    REQUIRE_EC(entry_get(d, a, anna.row, &e), ecNone);
    const char *more[] = { "smtp:anna@example.com" };
    e.proxy = more;
    e.proxies = 1;
    REQUIRE_EC(entry_set(d, a, &e), ecNone);
    BELONGS(LOGINS("anna"), "anna@example.com", anna.dn, "Demo");
    done(d, NULL);
}

TEST(organizations_that_are_off_are_named)
{
    struct directory *d = fresh("warn");
    const char **off;
    size_t n;
    CHECK_EC(org_not_enabled(d, a, &off, &n), ecNone);
    CHECK_INT(n, 0);
    CHECK_EC(org_set_mapi_http(d, "Demo", false), ecNone);
    CHECK_EC(org_not_enabled(d, a, &off, &n), ecNone);
    REQUIRE(n == 1);
    CHECK_STR(off[0], "Demo");
    done(d, NULL);
}

/* A database as the release before the switch made it: it served, it serves. */
TEST(an_older_installation_goes_on_serving)
{
    a = arena_new(1 << 24);
    sqlite3 *db;
    REQUIRE(sqlite3_open(arena_printf(a, "%s/older-policies.db", unit_tmpdir()), &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, directory_schema[0], NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "INSERT INTO person(login,smtp,dn,display_name,password,locale) VALUES('ana@example.com','ana@example.com','/o=Demo','Ana','x',7);"
                               "PRAGMA user_version=1", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct directory *d = fresh("older-policies");
    struct person ana;
    REQUIRE_EC(directory_by_login(d, a, "ana", &ana), ecNone);
    CHECK(policy(d, &ana).mapi_http);
    done(d, NULL);
}

/* A database of the first release with the switch, switched off, and a new name of the organization in the configuration: off it stays. */
TEST(an_installation_that_had_it_off_keeps_it_off)
{
    a = arena_new(1 << 24);
    sqlite3 *db;
    REQUIRE(sqlite3_open(arena_printf(a, "%s/off.db", unit_tmpdir()), &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, directory_schema[0], NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, directory_schema[1], NULL, NULL, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "UPDATE organization SET mapi_http=0; PRAGMA user_version=2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    const char *why, **off;
    size_t n;
    c = (struct config){ .directory = arena_printf(a, "%s/off.db", unit_tmpdir()), .organization = "New name", .default_domain = "example.com" };
    struct directory *d = directory_open(&c, a, &why);
    REQUIRE(d != NULL);
    CHECK_EC(org_not_enabled(d, a, &off, &n), ecNone);
    REQUIRE(n == 1);
    CHECK_STR(off[0], "New name");
    struct person ana = add(d, "ana@example.com");
    CHECK(!policy(d, &ana).mapi_http);
    done(d, NULL);
}

TEST(virtual_directory)
{
    struct directory *d = fresh("vdir");
    struct vdir v;
    unsigned m;
    REQUIRE_EC(vdir_get(d, a, &v), ecNone);
    CHECK_STR(v.internal_url, "");
    CHECK_STR(v.external_url, "");
    CHECK_INT(v.internal_methods, 15);
    CHECK_EC(vdir_set(d, &(struct vdir){ "https://in.example/mapi/", "https://mail.example.com:8443/mapi", METHOD_NEGOTIATE, METHOD_BASIC | METHOD_OAUTH }), ecNone);
    REQUIRE_EC(vdir_get(d, a, &v), ecNone);
    CHECK_STR(v.internal_url, "https://in.example/mapi");
    CHECK_STR(v.external_url, "https://mail.example.com:8443/mapi");
    CHECK_EC(vdir_methods(d, false, &m), ecNone);
    CHECK_INT(m, METHOD_NEGOTIATE);
    CHECK_EC(vdir_methods(d, true, &m), ecNone);
    CHECK_INT(m, METHOD_BASIC | METHOD_OAUTH);
    static const char *const bad[] = { "http://x/mapi", "https://", "https:///mapi", "https://x:/mapi", "https://x:99999999", "https://x:8a/", "https://a b/",
                                       "https://x/?a", "https://u@x/mapi", "https://x/#f", "x" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EC(vdir_set(d, &(struct vdir){ bad[i], "", 1, 1 }), ecInvalidParameter);
    CHECK_EC(vdir_set(d, &(struct vdir){ "", "", 0, 1 }), ecInvalidParameter);
    CHECK_EC(vdir_set(d, &(struct vdir){ "", "", 1, 16 }), ecInvalidParameter);
    done(d, NULL);
}

TEST(moved_names)
{
    struct directory *d = fresh("moved");
    struct moved m, *all;
    size_t n;
    CHECK_EC(moved_find(d, a, "ana@gone.example", &m), ecNotFound);
    CHECK_EC(moved_set(d, &(struct moved){ "Gone.Example", "https://other.example/autodiscover/autodiscover.xml", "" }), ecNone);
    CHECK_EC(moved_set(d, &(struct moved){ "ana@gone.example", "", "ana@here.example" }), ecNone);
    REQUIRE_EC(moved_find(d, a, "Ana@Gone.Example", &m), ecNone);
    CHECK_STR(m.address, "ana@here.example");
    REQUIRE_EC(moved_find(d, a, "bob@GONE.example", &m), ecNone);
    CHECK_STR(m.url, "https://other.example/autodiscover/autodiscover.xml");
    static const struct moved bad[] = {
        { "", "https://x/", "" }, { "x y", "https://x/", "" }, { "x.example", "", "" }, { "x.example", "https://x/", "y.example" }, { "x.example", "http://x/", "" },
        { "x.example", "", "a@b" }, { "a@b", "", "x.example" }, { "a@b", "", "A@B" }, { "@b", "https://x/", "" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EC(moved_set(d, &bad[i]), ecInvalidParameter);
    CHECK_EC(moved_set(d, &(struct moved){ "gone.example", "", "there.example" }), ecNone);
    REQUIRE_EC(moved_list(d, a, &all, &n), ecNone);
    CHECK_INT(n, 2);
    CHECK_EC(moved_drop(d, "gone.example"), ecNone);
    CHECK_EC(moved_drop(d, "gone.example"), ecNotFound);
    CHECK_EC(moved_find(d, a, "bob@gone.example", &m), ecNotFound);
    done(d, NULL);
}

TEST(layout_is_never_lowered)
{
    struct directory *d = fresh("layout"), *other = fresh("layout");
    unsigned layout;
    CHECK_EC(policy_layout(d, &layout), ecNone);
    CHECK_INT(layout, CONTEXT_LAYOUT); /* a new directory starts with the newest */
    CHECK_EC(policy_layout_raise(other, CONTEXT_LAYOUT + 1), ecNone);
    CHECK_EC(policy_layout(d, &layout), ecNone);
    CHECK_INT(layout, CONTEXT_LAYOUT + 1);
    CHECK_EC(policy_layout_raise(d, CONTEXT_LAYOUT), ecInvalidParameter);
    CHECK_EC(policy_layout_raise(d, CONTEXT_LAYOUT + 1), ecNone);
    CHECK_EC(policy_layout(other, &layout), ecNone);
    CHECK_INT(layout, CONTEXT_LAYOUT + 1);
    done(d, other);
}

/* 2000 mailboxes with settings of their own: asking stays cheap.  The bound is generous, since the machine may be busy. */
TEST(asking_costs_microseconds)
{
    struct directory *d = fresh("cost");
    struct person ana = add(d, "ana@example.com");
    sqlite3 *db;
    REQUIRE(sqlite3_open(c.directory, &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) INSERT INTO person(login,smtp,dn,display_name,"
                               "password,locale,block_external) SELECT 'u'||i||'@example.com','u'||i,'/o=Demo/cn='||i,'u','x',7,1 FROM n", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    enum { ASKED = 5000 };
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        struct arena *mine = arena_new(1 << 24);
        struct policy p;
        uint64_t t0 = clock_us();
        for (int i = 0; i < ASKED; i++)
            policy_of(d, mine, &ana, &p);
        uint64_t us = clock_us() - t0;
        best = us < best ? us : best;
        arena_free(mine);
    }
    unit_check(best < 25 * ASKED, __FILE__, __LINE__, "%llu ns each", (unsigned long long)(best * 1000 / ASKED));
    if (getenv("UNIT_TIMES") != NULL)
        printf("policy_of: %llu ns\n", (unsigned long long)(best * 1000 / ASKED));
    done(d, NULL);
}

TEST(a_directory_that_cannot_be_read_decides_nothing)
{
    struct directory *d = fresh("unreadable");
    struct person ana = add(d, "ana@example.com");
    sqlite3 *db;
    struct policy p;
    struct vdir v;
    struct org *o;
    size_t n;
    unsigned layout;
    REQUIRE(sqlite3_open(c.directory, &db) == SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, "ALTER TABLE organization RENAME TO lost; UPDATE setting SET value=value+1 WHERE key='policy_version'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    CHECK_EC(policy_of(d, a, &ana, &p), ecDiskError);
    CHECK_EC(vdir_get(d, a, &v), ecDiskError);
    CHECK_EC(org_list(d, a, &o, &n), ecDiskError);
    CHECK_EC(policy_layout(d, &layout), ecDiskError);
    CHECK_EC(org_set_mapi_http(d, "Demo", false), ecDiskError);
    done(d, NULL);
}
