/* test_entry.c - objects of the address book: kept whole, found, linked, changed exactly once. */
#include "backend/directory/filter.h"
#include "backend/directory/template.h"
#include "tests/unit.h"
#include <sqlite3.h>

static struct arena *a;
static struct config config;

static struct directory *fresh(const char *name)
{
    const char *why = NULL;
    a = arena_new((size_t)64 << 20);
    config = (struct config){ .directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com" };
    struct directory *d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
    return d;
}

static void done(struct directory *d)
{
    directory_close(d);
    arena_free(a);
}

static int64_t add(struct directory *d, enum entry_kind kind, const char *name)
{
    struct entry e = { .kind = kind, .display_name = name };
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    return e.row;
}

TEST(kept_whole_and_found)
{
    struct directory *d = fresh("whole");
    const char *proxy[] = { "smtp:Alias@Example.com", "X500:/o=Old/cn=x", "smtp:anna@example.com" /* again */ };
    struct blob cert[2] = { blob_str("one"), blob_str("two") };
    struct propval certs = { .tag = PidTagUserX509Certificate };
    certs.v.mv.n = 2;
    certs.v.mv.bin = cert;
    struct entry e = { .kind = ENTRY_USER, .display_name = "Anna", .smtp = "Anna@Example.com", .proxy = proxy, .proxies = 3, .source = "csv", .external = "7" }, f;
    props_set(a, &e.props, pv_str(PidTagTitle, "Chief"));
    props_set(a, &e.props, certs);
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    CHECK(e.row > 0);
    CHECK(strncmp(e.dn, "/o=Demo/ou=", 11) == 0 && strstr(e.dn, "-anna") != NULL);
    CHECK_EC(entry_get(d, a, e.row, &f), ecNone);
    CHECK_STR(f.smtp, "anna@example.com");
    CHECK_INT(f.proxies, 2);
    CHECK_INT(props_find(&f.props, PidTagUserX509Certificate)->v.mv.n, 2);
    CHECK_BLOB(props_str(&f.props, PidTagTitle), blob_str("Chief"));
    CHECK_EC(entry_by_dn(d, a, e.dn, &f), ecNone);
    CHECK_EC(entry_by_dn(d, a, "/O=OLD/cn=X", &f), ecNone);
    CHECK_EC(entry_by_address(d, a, "ALIAS@example.com", &f), ecNone);
    CHECK_EC(entry_by_external(d, a, "csv", "7", &f), ecNone);
    CHECK_INT(f.row, e.row);
    CHECK_EC(entry_by_external(d, a, "ldap:x", "7", &f), ecNotFound);
    CHECK_EC(entry_by_external(d, a, "", "", &f), ecNotFound);
    /* a new DN: the old one leads to it (OXNSPI R386, R387) */
    const char *old = e.dn;
    e.dn = "/o=Demo/ou=x/cn=Recipients/cn=new";
    REQUIRE_EC(entry_set(d, a, &e), ecNone);
    CHECK_EC(entry_by_dn(d, a, old, &f), ecNone);
    CHECK_STR(f.dn, e.dn);
    CHECK_EC(entry_remove(d, e.row), ecNone);
    CHECK_EC(entry_get(d, a, e.row, &f), ecNotFound);
    CHECK_EC(entry_remove(d, e.row), ecNotFound);
    CHECK_EC(entry_by_address(d, a, "alias@example.com", &f), ecNotFound);
    CHECK(add(d, ENTRY_USER, "Next") > e.row); /* no number is used twice */
    done(d);
}

/* Which kinds each link joins (MS-OXOABK 2.2.7, 2.2.8), one row each; departments end somewhere. */
TEST(links_join_what_belongs_together)
{
    struct directory *d = fresh("joins");
    enum { PERSON, TEAM, GUARD, SALES, BOARD, FIRM, OBJECTS };
    static const enum entry_kind kinds[OBJECTS] = { ENTRY_CONTACT, ENTRY_GROUP, ENTRY_SECURITY, ENTRY_DEPARTMENT, ENTRY_DEPARTMENT, ENTRY_ORGANIZATION };
    static const struct { enum link_kind k; unsigned from, to; bool fits; } rows[] = {
        { LINK_ROOT, FIRM, TEAM, true }, { LINK_ROOT, FIRM, GUARD, true }, { LINK_ROOT, FIRM, BOARD, true }, { LINK_ROOT, FIRM, PERSON, false }, { LINK_ROOT, FIRM, FIRM, false },
        { LINK_ROOT, TEAM, BOARD, false }, { LINK_PARENT, SALES, BOARD, true }, { LINK_PARENT, BOARD, SALES, false }, { LINK_PARENT, SALES, SALES, false },
        { LINK_PARENT, SALES, TEAM, false }, { LINK_PARENT, TEAM, BOARD, false }, { LINK_PARENT, BOARD, FIRM, false }, { LINK_SHOWN_IN, PERSON, SALES, true },
        { LINK_SHOWN_IN, TEAM, SALES, true }, { LINK_SHOWN_IN, PERSON, TEAM, false }, { LINK_SHOWN_IN, SALES, BOARD, false }, { LINK_MEMBER, TEAM, PERSON, true },
        { LINK_MEMBER, TEAM, GUARD, true }, { LINK_MEMBER, TEAM, SALES, false }, { LINK_MEMBER, TEAM, FIRM, false }, { LINK_MANAGER, PERSON, TEAM, true },
    };
    int64_t row[OBJECTS], *found;
    size_t  n;
    for (unsigned i = 0; i < OBJECTS; i++)
        row[i] = add(d, kinds[i], "x");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        unit_check(link_add(d, rows[i].k, row[rows[i].from], row[rows[i].to]) == (rows[i].fits ? ecNone : ecInvalidParameter), __FILE__, __LINE__, "row %zu", i);
    CHECK_EC(link_list(d, a, LINK_ROOT, row[FIRM], false, &found, &n), ecNone);
    CHECK(n == 1 && found[0] == row[BOARD]); /* one, the last that was named */
    struct entry e = { .kind = ENTRY_ORGANIZATION, .display_name = "x", .dn = "/o=12345678901234567890123456789012345678901234567890123456789012345" };
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter); /* 65 characters */
    done(d);
}

TEST(what_cannot_be_is_refused)
{
    struct directory *d = fresh("refused");
    struct entry e = { .kind = ENTRY_USER, .display_name = "" };
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter);
    e = (struct entry){ .kind = ENTRY_USER, .display_name = "x", .smtp = "no address" };
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter);
    e = (struct entry){ .kind = ENTRY_CONTAINER, .display_name = "x" };
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter);
    e = (struct entry){ .kind = ENTRY_USER, .display_name = "x", .dn = "nothing" };
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter);
    e = (struct entry){ .kind = ENTRY_USER, .display_name = "x" };
    props_set(a, &e.props, pv_i32(PidTagObjectType, 3));
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter);
    e = (struct entry){ .kind = ENTRY_DYNAMIC, .display_name = "x", .filter = "kind" };
    CHECK_EC(entry_add(d, a, &e), ecInvalidParameter);
    e = (struct entry){ .kind = ENTRY_USER, .display_name = "x", .smtp = "x@example.com" };
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    struct entry again = { .kind = ENTRY_CONTACT, .display_name = "y", .smtp = "x@example.com" };
    CHECK_EC(entry_add(d, a, &again), ecCollidingNames);
    again = (struct entry){ .kind = ENTRY_CONTACT, .display_name = "y", .dn = e.dn };
    CHECK_EC(entry_add(d, a, &again), ecCollidingNames);
    done(d);
}

TEST(a_user_is_one_row)
{
    struct directory *d = fresh("one");
    struct person p, q;
    struct entry e;
    REQUIRE_EC(directory_add(d, a, &(struct person_new){ .login = "ana@example.com", .display_name = "Ana", .password = "x", .with_mailbox = true }, &p), ecNone);
    REQUIRE_EC(entry_get(d, a, p.row, &e), ecNone);
    CHECK_STR(e.dn, p.dn);
    CHECK(e.has_mailbox && guid_eq(&e.mailbox, &p.mailbox));
    e.display_name = "Ana Maria";
    const char *alias[] = { "smtp:ama@example.com" };
    e.proxy = alias;
    e.proxies = 1;
    REQUIRE_EC(entry_set(d, a, &e), ecNone);
    REQUIRE_EC(directory_by_address(d, a, "ama@example.com", &q), ecNone);
    CHECK_STR(q.display_name, "Ana Maria");
    e.smtp = "";
    CHECK_EC(entry_set(d, a, &e), ecInvalidParameter); /* a mailbox has an address */
    CHECK_EC(entry_remove(d, p.row), ecNone);
    CHECK_EC(directory_by_login(d, a, "ana", &q), ecUnknownUser);
    /* an address of a group is nobody's login */
    struct entry g = { .kind = ENTRY_GROUP, .display_name = "G", .smtp = "g@example.com" };
    REQUIRE_EC(entry_add(d, a, &g), ecNone);
    CHECK_EC(directory_by_address(d, a, "g@example.com", &q), ecUnknownUser);
    CHECK_EC(directory_add(d, a, &(struct person_new){ .login = "g@example.com", .password = "x" }, &q), ecCollidingNames);
    CHECK_EC(directory_by_login(d, a, "g@example.com", &q), ecUnknownUser);
    done(d);
}

TEST(links_both_ways)
{
    struct directory *d = fresh("links");
    int64_t g = add(d, ENTRY_GROUP, "G"), x = add(d, ENTRY_USER, "X"), y = add(d, ENTRY_USER, "Y"), *row;
    size_t n;
    bool is;
    CHECK_EC(link_add(d, LINK_MEMBER, g, x), ecNone);
    CHECK_EC(link_add(d, LINK_MEMBER, g, x), ecNone);   /* there already */
    CHECK_EC(link_add(d, LINK_MEMBER, g, y), ecNone);
    CHECK_EC(link_add(d, LINK_MEMBER, g, 4711), ecInvalidParameter);
    CHECK_EC(link_list(d, a, LINK_MEMBER, g, false, &row, &n), ecNone);
    CHECK(n == 2 && row[0] == x && row[1] == y);
    CHECK_EC(link_list(d, a, LINK_MEMBER, y, true, &row, &n), ecNone);
    CHECK(n == 1 && row[0] == g);
    CHECK_EC(link_remove(d, LINK_MEMBER, g, x), ecNone);
    CHECK_EC(link_remove(d, LINK_MEMBER, g, x), ecNone);
    CHECK_EC(link_has(d, LINK_MEMBER, g, x, &is), ecNone);
    CHECK(!is);
    CHECK_EC(link_add(d, LINK_MANAGER, x, y), ecNone);
    CHECK_EC(link_add(d, LINK_MANAGER, x, g), ecNone);  /* one at a time */
    CHECK_EC(link_list(d, a, LINK_MANAGER, x, false, &row, &n), ecNone);
    CHECK(n == 1 && row[0] == g);
    const int64_t both[] = { x, y };
    CHECK_EC(link_replace(d, LINK_OWNER, g, both, 2), ecNone);
    const int64_t none[] = { 4711 };
    CHECK_EC(link_replace(d, LINK_OWNER, g, none, 1), ecInvalidParameter);
    CHECK_EC(link_list(d, a, LINK_OWNER, g, false, &row, &n), ecNone);
    CHECK_INT(n, 2); /* nothing happened */
    CHECK_EC(entry_remove(d, y), ecNone);
    CHECK_EC(link_list(d, a, LINK_OWNER, g, false, &row, &n), ecNone);
    CHECK_INT(n, 1);
    done(d);
}

TEST(dynamic_members)
{
    struct directory *d = fresh("dynamic");
    struct entry g = { .kind = ENTRY_DYNAMIC, .display_name = "Rooms of A", .filter = "kind=room & PidTagOfficeLocation=A*" };
    REQUIRE_EC(entry_add(d, a, &g), ecNone);
    struct entry r = { .kind = ENTRY_ROOM, .display_name = "R" };
    props_set(a, &r.props, pv_str(PidTagOfficeLocation, "a12"));
    REQUIRE_EC(entry_add(d, a, &r), ecNone);
    add(d, ENTRY_ROOM, "S");
    add(d, ENTRY_USER, "U");
    int64_t *row;
    size_t n;
    CHECK_EC(link_list(d, a, LINK_MEMBER, g.row, false, &row, &n), ecNone);
    CHECK(n == 1 && row[0] == r.row);
    done(d);
}

TEST(a_turn_happens_once)
{
    struct directory *d = fresh("turn");
    int64_t g = add(d, ENTRY_GROUP, "G"), x = add(d, ENTRY_USER, "X"), *row;
    uint8_t id[16] = { 1 };
    struct entry_turn t = { blob_of(id, 16), 1, 5 }, later = { blob_of(id, 16), 1, 6 }, stale = { blob_of(id, 16), 0, 7 };
    bool repeat;
    size_t n;
    REQUIRE_EC(entry_turn_begin(d, &t, &repeat), ecNone);
    CHECK(!repeat);
    CHECK_EC(link_add(d, LINK_MEMBER, g, x), ecNone);
    CHECK_EC(entry_turn_end(d, &t, ecNone), ecNone);
    CHECK_EC(entry_turn_begin(d, &t, &repeat), ecNone);
    CHECK(repeat);
    /* a turn that fails leaves nothing, and may be tried again */
    REQUIRE_EC(entry_turn_begin(d, &later, &repeat), ecNone);
    CHECK_EC(link_remove(d, LINK_MEMBER, g, x), ecNone);
    CHECK_EC(entry_turn_end(d, &later, ecAccessDenied), ecAccessDenied);
    CHECK_EC(link_list(d, a, LINK_MEMBER, g, false, &row, &n), ecNone);
    CHECK_INT(n, 1);
    REQUIRE_EC(entry_turn_begin(d, &later, &repeat), ecNone);
    CHECK(!repeat);
    CHECK_EC(entry_turn_end(d, &later, ecNone), ecNone);
    CHECK_EC(entry_turn_begin(d, &stale, &repeat), ecTimeout); /* somebody with a newer lock was here */
    CHECK_EC(entry_turn_begin(d, &t, &repeat), ecTimeout);
    done(d);
}

TEST(templates_by_type_locale_and_dn)
{
    struct directory *d = fresh("templates");
    struct template en = { .purpose = TEMPLATE_DETAILS, .type = 0, .lcid = 0x409, .name = "User", .data = blob_str("en") }, de = en, t;
    de.lcid = 0x407;
    de.data = blob_str("de");
    REQUIRE_EC(template_put(d, a, &en), ecNone);
    REQUIRE_EC(template_put(d, a, &de), ecNone);
    CHECK_EC(template_find(d, a, TEMPLATE_DETAILS, 0, 0x407, &t), ecNone);
    CHECK_BLOB(t.data, blob_str("de"));
    CHECK_EC(template_find(d, a, TEMPLATE_DETAILS, 0, 0xC07, &t), ecNone);  /* Austrian German */
    CHECK_BLOB(t.data, blob_str("de"));
    CHECK_EC(template_find(d, a, TEMPLATE_DETAILS, 0, 0x40C, &t), ecInvalidLocale);
    CHECK_EC(template_find(d, a, TEMPLATE_DETAILS, 0x77, 0x407, &t), ecInvalidLocale);
    CHECK_EC(template_by_dn(d, a, en.dn, &t), ecNone);
    CHECK_BLOB(t.data, blob_str("en"));
    CHECK_EC(template_by_dn(d, a, "/o=x", &t), ecInvalidLocale);
    int64_t row = en.row;
    en.data = blob_str("new");
    REQUIRE_EC(template_put(d, a, &en), ecNone);
    CHECK_INT(en.row, row);
    CHECK_EC(template_by_dn(d, a, en.dn, &t), ecNone);
    CHECK_BLOB(t.data, blob_str("new"));
    done(d);
}

TEST(filters_say_what_is_wrong)
{
    static const char *const bad[] = { "kind", "kind=", "kind=person", "PidTagNothing=1", "PidTagEntryId=1", "kind=user & ", "PidTagSubject=x" };
    static const char *const good[] = { "", "kind=user", "kind=user,room & PidTagTitle=*", "domain=example.com", "PidTagDisplayName=A*" };
    const char *why = NULL;
    a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        unit_check(filter_parse(a, bad[i], &why) == NULL, __FILE__, __LINE__, "%s", bad[i]);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        unit_check(filter_parse(a, good[i], &why) != NULL, __FILE__, __LINE__, "%s: %s", good[i], why);
    struct entry e = { .kind = ENTRY_USER, .display_name = "Ana", .smtp = "ana@example.com" };
    props_set(a, &e.props, pv_str(PidTagTitle, "Boss"));
    CHECK(filter_match(filter_parse(a, "kind=user & PidTagTitle=bo*", &why), &e));
    CHECK(filter_match(filter_parse(a, "domain=EXAMPLE.com & PidTagTitle=BOSS", &why), &e));
    CHECK(!filter_match(filter_parse(a, "PidTagTitle=bos", &why), &e));
    CHECK(!filter_match(filter_parse(a, "PidTagSurname=*", &why), &e));
    CHECK(!filter_match(filter_parse(a, "domain=ample.com", &why), &e));
    arena_free(a);
}

/* A directory of the release before: users keep their rows, addresses and switches, and are in the book. */
TEST(an_older_directory_is_taken_over)
{
    a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/old.db", unit_tmpdir());
    sqlite3 *db;
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "CREATE TABLE person(row INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE, smtp TEXT NOT NULL,"
                             " dn TEXT NOT NULL UNIQUE COLLATE NOCASE, display_name TEXT NOT NULL, password TEXT NOT NULL, mailbox BLOB UNIQUE,"
                             " locale INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0, hidden INTEGER NOT NULL DEFAULT 0);"
                             "CREATE TABLE address(address TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES person(row) ON DELETE CASCADE) WITHOUT ROWID;"
                             "CREATE TABLE delegate(owner INTEGER NOT NULL, delegate INTEGER NOT NULL, PRIMARY KEY(owner, delegate)) WITHOUT ROWID;"
                             "CREATE TABLE setting(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID; INSERT INTO setting VALUES('server_guid', randomblob(16));"
                             "INSERT INTO person(row, login, smtp, dn, display_name, password, locale) VALUES(3,'ana@example.com','ana@example.com','/o=Demo/cn=ana','Ana','*',1033),"
                             "(9,'gone@example.com','gone@example.com','/o=Demo/cn=gone','Gone','*',1033);"
                             "INSERT INTO address VALUES('ana@example.com',3),('a@example.com',3); DELETE FROM person WHERE row=9; PRAGMA user_version=1;",
                         NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    const char *why = NULL;
    config = (struct config){ .directory = path, .organization = "Demo", .default_domain = "example.com" };
    struct directory *d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
    struct entry e;
    CHECK_EC(entry_by_address(d, a, "a@example.com", &e), ecNone);
    CHECK_INT(e.row, 3);
    CHECK_STR(e.display_name, "Ana");
    CHECK(add(d, ENTRY_USER, "New") > 9); /* the numbers of those who are gone stay unused */
    done(d);
}
