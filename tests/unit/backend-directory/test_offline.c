/* test_offline.c - offline address books in the directory: generations, who makes them, what is left when a maker dies, who reads meanwhile. */
#include "backend/base/crypto.h"
#include "backend/directory/offline/offline.h"
#include "backend/directory/entry.h"
#include "backend/directory/policy.h"
#include "tests/oab.h"
#include "tests/unit.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *a;
static struct config config;
static const char *path;

static struct directory *open_again(void)
{
    const char *why = NULL;
    struct directory *d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
    return d;
}

static struct directory *fresh(const char *name)
{
    a = arena_new((size_t)1 << 30);
    path = arena_printf(a, "%s/offline-%s.db", unit_tmpdir(), name);
    config = (struct config){ .directory = path, .organization = "Demo", .default_domain = "example.com" };
    return open_again();
}

static void done(struct directory *d)
{
    directory_close(d);
    arena_free(a);
}

static int64_t add(struct directory *d, const char *name, const char *smtp)
{
    struct entry e = { .kind = ENTRY_CONTACT, .display_name = name, .smtp = smtp };
    REQUIRE_EC(entry_add(d, a, &e), ecNone);
    return e.row;
}

static int64_t sql(const char *what)
{
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    int64_t n = sqlite3_prepare_v2(db, what, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : -1;
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

/* --- values without the endpoint: names, addresses, a comment of any length --------------------------------------------------------------------- */

static size_t comment;                              /* bytes of PidTagComment, so that books become large */
static void (*in_the_middle)(void);                 /* called once, at the tenth object of the second time */
static unsigned asked;

struct look { struct directory *d; uint32_t org; };

static ec_t begin(struct directory *d, struct arena *arena, uint32_t org, void **look)
{
    struct look *l = arena_one(arena, struct look);
    *l = (struct look){ d, org };
    *look = l;
    asked = 0;
    return ecNone;
}

struct found { struct arena *arena; uint32_t org; int64_t *v; size_t n, cap; };

static bool each(void *ctx, struct arena *unused, const struct entry *e)
{
    struct found *f = ctx;
    (void)unused;
    if (e->org != f->org || e->hidden)
        return true;
    f->v = arena_grow(f->arena, f->v, &f->cap, f->n, sizeof *f->v);
    f->v[f->n++] = e->row;
    return true;
}

static ec_t rows(void *look, struct arena *arena, int64_t **row, size_t *n)
{
    struct look *l = look;
    struct found f = { .arena = arena, .org = l->org };
    TRY(entry_each(l->d, NULL, each, &f));
    *row = f.v;
    *n = f.n;
    return ecNone;
}

static ec_t values(void *look, struct arena *arena, int64_t row, const uint32_t *tag, size_t n, struct propval *out)
{
    struct look *l = look;
    struct entry e;
    if (++asked == 30 && in_the_middle != NULL) {
        void (*once)(void) = in_the_middle;
        in_the_middle = NULL;
        once();
    }
    TRY(entry_brief(l->d, arena, row, &e));
    for (size_t i = 0; i < n; i++) {
        out[i] = pv_err(tag[i], ecNotFound);
        if (tag[i] == PidTagEmailAddress)
            out[i] = pv_str(tag[i], e.dn);
        if (tag[i] == PidTagSmtpAddress && *e.smtp != '\0')
            out[i] = pv_str(tag[i], e.smtp);
        if (tag[i] == PidTagDisplayName)
            out[i] = pv_str(tag[i], e.display_name);
        if (tag[i] == PidTagComment && comment != 0) {
            char *text = arena_alloc(arena, comment + 1);
            uint32_t x = (uint32_t)row;
            for (size_t j = 0; j < comment; j++) /* that does not become much smaller */
                text[j] = (char)(' ' + ((x = x * 1664525 + 1013904223) >> 24) % 94);
            out[i] = pv_str(tag[i], text);
        }
    }
    return ecNone;
}

static ec_t root(void *look, struct arena *arena, const char **dn)
{
    (void)look, (void)arena;
    *dn = NULL;
    return ecNone;
}

static void end(void *look) { (void)look; }

static const struct offline_values from = { begin, rows, values, root, end };

static bool make(struct directory *d, uint32_t org)
{
    bool made;
    CHECK_EC(offline_make(d, a, &from, org, NULL, &made), ecNone);
    return made;
}

/* --- read back ---------------------------------------------------------------------------------------------------------------------------------- */

static struct offline_book book_of_org(struct directory *d, uint32_t org)
{
    struct offline_book b;
    REQUIRE_EC(offline_of(d, a, org, &b), ecNone);
    return b;
}

static struct blob whole(struct directory *d, const struct offline_file *f)
{
    struct wr w = wr_in(a, (size_t)f->size);
    for (uint64_t at = 0; at < f->size; ) {
        size_t n = f->size - at < 100000 ? (size_t)(f->size - at) : 100000;
        struct blob b = { 0 };
        REQUIRE_EC(offline_read(d, a, f, at, n, &b), ecNone);
        wr_put(&w, b);
        at += n;
    }
    return wr_blob(&w);
}

static struct blob plain(struct directory *d, const struct offline_file *f)
{
    uint8_t sha1[20];
    struct blob c = whole(d, f), out = { 0 };
    crypto_sha1(c, sha1);
    CHECK_BLOB(blob_of(f->sha1, 20), blob_of(sha1, 20));
    REQUIRE(oab_open(a, c, &out));
    CHECK_INT(out.n, f->uncompressed);
    return out;
}

static struct oab read_book(struct directory *d, uint32_t org)
{
    struct offline_book b = book_of_org(d, org);
    struct offline_file *f = NULL;
    struct oab o = { 0 };
    size_t n = 0;
    REQUIRE_EC(offline_files(d, a, &b, &f, &n), ecNone);
    REQUIRE(n == 3 && f[0].kind == OFFLINE_FULL);
    REQUIRE(oab_read(a, plain(d, &f[0]), &o));
    return o;
}

/* --- tests -------------------------------------------------------------------------------------------------------------------------------------- */

TEST(first_generation)
{
    struct directory *d = fresh("first");
    struct offline_book b = book_of_org(d, 1);
    char guid[GUID_TEXT];
    CHECK_INT(b.sequence, 0);
    CHECK_STR(b.organization, "Demo");
    CHECK(!make(d, 1)); /* of nobody */
    CHECK_INT(book_of_org(d, 1).sequence, 0);
    add(d, "Ana", "ana@example.org");
    add(d, "Bob", "bob@example.org");
    CHECK(make(d, 1));
    struct oab o = read_book(d, 1);
    CHECK_INT(o.n, 2);
    CHECK(blob_eq(oab_string(&o.head, PidTagOfflineAddressBookName), blob_str("\\Global Address List")));
    CHECK(blob_eq(oab_string(&o.head, PidTagOfflineAddressBookDistinguishedName), blob_str("/")));
    CHECK(blob_eq(oab_string(&o.head, PidTagOfflineAddressBookContainerGuid), blob_str(guid_text(&b.guid, guid))));
    CHECK_INT(oab_value(&o.head, PidTagOfflineAddressBookSequence)->v.i32, 1);
    CHECK(blob_eq(oab_string(&o.record[1], PidTagSmtpAddress), blob_str("bob@example.org")));
    b = book_of_org(d, 1);
    CHECK_INT(b.sequence, 1);
    CHECK_INT(b.objects, 2);
    CHECK(b.made != 0);
    done(d);
}

/* Nothing new: the same generation.  A change: the next one; the one before can still be read, the one before that not. */
TEST(generations)
{
    struct directory *d = fresh("generations");
    struct offline_file first, *f = NULL;
    struct offline_book b;
    size_t n = 0;
    add(d, "Ana", "ana@example.org");
    CHECK(make(d, 1));
    CHECK(!make(d, 1));
    b = book_of_org(d, 1);
    REQUIRE_EC(offline_files(d, a, &b, &f, &n), ecNone);
    first = f[0];
    struct blob before = whole(d, &first);
    int64_t bob = add(d, "Bob", "bob@example.org");
    CHECK(make(d, 1));
    b = book_of_org(d, 1);
    CHECK_INT(b.sequence, 2);
    CHECK_INT(read_book(d, 1).n, 2);
    struct offline_file again;
    REQUIRE_EC(offline_file(d, a, &b, first.name, &again), ecNone);
    CHECK_BLOB(whole(d, &again), before);
    REQUIRE_EC(entry_remove(d, bob), ecNone);
    CHECK(make(d, 1));
    b = book_of_org(d, 1);
    CHECK_EC(offline_file(d, a, &b, first.name, &again), ecNotFound);
    struct blob gone;
    CHECK_EC(offline_read(d, a, &first, 0, 10, &gone), ecNotFound);
    CHECK_INT(sql("SELECT count(DISTINCT row / 1048576) FROM offline_piece"), 6); /* two generations of three files */
    CHECK_INT(read_book(d, 1).n, 1);
    done(d);
}

/* Links and mailboxes are no change of a row, and count nevertheless; what others changed does not make a new generation. */
TEST(what_is_a_change)
{
    struct directory *d = fresh("change");
    uint32_t org = 0;
    int64_t ana = add(d, "Ana", "ana@example.org"), bob = add(d, "Bob", "bob@example.org");
    CHECK(make(d, 1));
    uint64_t later = offline_now() + 1000;
    REQUIRE_EC(offline_next(d, later, 500, &org), ecNone);
    CHECK_INT(org, 0);
    REQUIRE_EC(link_add(d, LINK_MANAGER, ana, bob), ecNone);
    REQUIRE_EC(offline_next(d, later, 500, &org), ecNone);
    CHECK_INT(org, 1);
    CHECK(!make(d, 1)); /* these values do not show links */
    REQUIRE_EC(offline_next(d, later + 600000, 500, &org), ecNone);
    CHECK_INT(org, 0);
    REQUIRE_EC(link_remove(d, LINK_MANAGER, ana, bob), ecNone);
    REQUIRE_EC(offline_next(d, later + 600000, 500, &org), ecNone);
    CHECK_INT(org, 1);
    done(d);
}

/* Of all workers one gets a book; not before the interval is over, but the first generation at once; again if that one dies. */
TEST(whose_turn_it_is)
{
    struct directory *d = fresh("turn"), *other = open_again();
    uint32_t mine = 0, his = 0;
    uint64_t now = offline_now(), hour = 3600000;
    add(d, "Ana", "ana@example.org");
    REQUIRE_EC(offline_next(d, now, hour, &mine), ecNone);
    REQUIRE_EC(offline_next(other, now, hour, &his), ecNone);
    CHECK_INT(mine, 1);
    CHECK_INT(his, 0);
    REQUIRE_EC(offline_next(other, now + 400000, hour, &his), ecNone); /* the first one died */
    CHECK_INT(his, 1);
    CHECK(make(other, 1));
    add(d, "Bob", "bob@example.org");
    now = offline_now();
    REQUIRE_EC(offline_next(d, now + 1000, hour, &mine), ecNone);
    CHECK_INT(mine, 0);
    REQUIRE_EC(offline_next(d, now + hour + 1000, hour, &mine), ecNone);
    CHECK_INT(mine, 1);
    directory_close(other);
    done(d);
}

TEST(organizations_apart)
{
    struct directory *d = fresh("apart");
    struct offline_book *b = NULL, found;
    size_t n = 0;
    REQUIRE_EC(org_add(d, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(d, "Other", "other.org"), ecNone);
    add(d, "Ana", "ana@example.org");
    add(d, "Zoe", "zoe@other.org");
    REQUIRE_EC(offline_books(d, a, 0, &b, &n), ecNone);
    REQUIRE(n == 2);
    CHECK_STR(b[1].organization, "Other");
    CHECK(memcmp(b[0].guid.b, b[1].guid.b, 16) != 0);
    CHECK(make(d, b[0].org));
    CHECK(make(d, b[1].org));
    struct oab first = read_book(d, b[0].org), second = read_book(d, b[1].org);
    CHECK_INT(first.n, 1);
    CHECK_INT(second.n, 1);
    CHECK(blob_eq(oab_string(&second.record[0], PidTagDisplayName), blob_str("Zoe")));
    REQUIRE_EC(offline_of(d, a, b[1].org, &found), ecNone);
    CHECK(guid_eq(&found.guid, &b[1].guid));
    struct person ana;
    REQUIRE_EC(directory_add(d, a, &(struct person_new){ .login = "eve@other.org", .password = "x" }, &ana), ecNone);
    REQUIRE_EC(offline_for(d, a, &ana, &found), ecNone);
    CHECK_INT(found.org, b[1].org);
    done(d);
}

/* Somebody without an internet address: then it is no primary key. */
TEST(not_everybody_has_an_address)
{
    struct directory *d = fresh("addresses");
    add(d, "Ana", "ana@example.org");
    CHECK(make(d, 1));
    struct oab o = read_book(d, 1);
    CHECK_INT(o.object.v[1].flags, 3);
    add(d, "Folder", "");
    CHECK(make(d, 1));
    o = read_book(d, 1);
    CHECK_INT(o.object.v[1].flags, 1);
    CHECK_INT(o.object.v[0].flags, 2);
    done(d);
}

/* --- while one is made --------------------------------------------------------------------------------------------------------------------------- */

static void many(struct directory *d, size_t n)
{
    REQUIRE_EC(entry_batch(d), ecNone);
    for (size_t i = 0; i < n; i++) {
        struct entry e = { .kind = ENTRY_CONTACT, .display_name = arena_printf(a, "Person %zu", i), .smtp = arena_printf(a, "p%zu@example.org", i) };
        REQUIRE_EC(entry_add(d, a, &e), ecNone);
    }
    REQUIRE_EC(entry_batch_end(d, ecNone), ecNone);
}

static struct directory *second;
static bool second_made;

static void another_makes(void)
{
    asked = 0;
    second_made = make(second, 1);
}

/* Two at once: the first to come out counts; the other sees that it has nothing new. */
TEST(two_makers)
{
    struct directory *d = fresh("two");
    second = open_again();
    many(d, 20);
    in_the_middle = another_makes;
    CHECK(!make(d, 1));
    CHECK(second_made);
    CHECK_INT(book_of_org(d, 1).sequence, 1);
    CHECK_INT(sql("SELECT count(*) FROM offline_file"), 3);
    CHECK_INT(sql("SELECT count(DISTINCT row / 1048576) FROM offline_piece"), 3);
    CHECK_INT(read_book(d, 1).n, 20);
    directory_close(second);
    done(d);
}

static void another_adds(void) { add(second, "Late", "late@example.org"); }

/* What comes in between is in the next one: this one holds together. */
TEST(changed_in_the_middle)
{
    struct directory *d = fresh("middle");
    second = open_again();
    many(d, 20);
    in_the_middle = another_adds;
    CHECK(make(d, 1));
    CHECK_INT(read_book(d, 1).n, 20);
    CHECK(make(d, 1));
    CHECK_INT(read_book(d, 1).n, 21);
    directory_close(second);
    done(d);
}

static bool at_once(void *ctx)
{
    (void)ctx;
    return true;
}

TEST(stopped)
{
    struct directory *d = fresh("stopped");
    bool made;
    many(d, 20);
    CHECK_EC(offline_make(d, a, &from, 1, &(struct offline_stop){ at_once, NULL }, &made), ecTimeout);
    CHECK(!made);
    CHECK_INT(book_of_org(d, 1).sequence, 0);
    CHECK_INT(sql("SELECT count(*) FROM offline_file"), 0);
    done(d);
}

/* Behind the first megabyte of the second time. */
static ec_t dies_later(void *look, struct arena *arena, int64_t row, const uint32_t *tag, size_t n, struct propval *out)
{
    if (asked == 3000)
        _exit(3);
    return values(look, arena, row, tag, n, out);
}

/* Killed in the middle of a large book: nobody sees anything of it, the generation before stays, and what it left goes when it was silent for long. */
TEST(a_maker_dies)
{
    struct directory *d = fresh("dies");
    many(d, 20);
    CHECK(make(d, 1));
    add(d, "New", "new@example.org");
    comment = 3000;
    REQUIRE_EC(entry_batch(d), ecNone);
    for (size_t i = 0; i < 2000; i++) {
        struct entry e = { .kind = ENTRY_CONTACT, .display_name = "More", .smtp = arena_printf(a, "more%zu@example.org", i) };
        REQUIRE_EC(entry_add(d, a, &e), ecNone);
    }
    REQUIRE_EC(entry_batch_end(d, ecNone), ecNone);
    directory_close(d);
    pid_t pid = fork();
    if (pid == 0) {
        struct offline_values dying = from;
        bool made;
        dying.values = dies_later;
        offline_make(open_again(), a, &dying, 1, NULL, &made);
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(WEXITSTATUS(status), 3);
    d = open_again();
    CHECK(sql("SELECT count(*) FROM offline_piece") > 6);
    CHECK_INT(sql("SELECT count(*) FROM offline_file WHERE sequence=0"), 1);
    CHECK_INT(book_of_org(d, 1).sequence, 1);
    comment = 0;
    CHECK_INT(read_book(d, 1).n, 20);
    REQUIRE_EC(offline_sweep(d, offline_now()), ecNone);
    CHECK_INT(sql("SELECT count(*) FROM offline_file WHERE sequence=0"), 1); /* perhaps it is only slow */
    REQUIRE_EC(offline_sweep(d, offline_now() + 700000), ecNone);
    CHECK_INT(sql("SELECT count(*) FROM offline_file"), 3);
    CHECK_INT(sql("SELECT count(*) FROM offline_piece"), 3);
    CHECK(make(d, 1));
    CHECK_INT(read_book(d, 1).n, 2021);
    done(d);
}

/* --- parts --------------------------------------------------------------------------------------------------------------------------------------- */

TEST(parts_of_files)
{
    struct directory *d = fresh("parts");
    struct offline_book b;
    struct offline_file *f = NULL;
    size_t n = 0;
    comment = 3000;
    many(d, 300); /* several pieces, several blocks */
    CHECK(make(d, 1));
    comment = 0;
    b = book_of_org(d, 1);
    REQUIRE_EC(offline_files(d, a, &b, &f, &n), ecNone);
    struct blob all = whole(d, &f[0]), part, other;
    CHECK(all.n > 500000);
    CHECK_INT(oab_open_mspack(a, all, &other), 0);
    CHECK_BLOB(other, plain(d, &f[0]));
    static const struct { uint64_t at; size_t n; } parts[] = { { 0, 1 }, { 65535, 1 }, { 65535, 2 }, { 65536, 65536 }, { 65530, 200000 }, { 131072, 0 }, { 1, 500000 } };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        REQUIRE_EC(offline_read(d, a, &f[0], parts[i].at, parts[i].n, &part), ecNone);
        CHECK_BLOB(part, blob_of(all.p + parts[i].at, parts[i].n));
    }
    CHECK_EC(offline_read(d, a, &f[0], f[0].size - 1, 1, &part), ecNone);
    CHECK_EC(offline_read(d, a, &f[0], f[0].size, 0, &part), ecNone);
    CHECK_EC(offline_read(d, a, &f[0], f[0].size, 1, &part), ecNotFound);
    CHECK_EC(offline_read(d, a, &f[0], UINT64_MAX, 2, &part), ecNotFound);
    CHECK_EC(offline_read(d, a, &f[0], 0, (1 << 20) + 1, &part), ecNotFound);
    CHECK_INT(sql("DELETE FROM offline_piece WHERE row % 1048576 = 2 RETURNING 1"), 1); /* a hole is not bridged */
    CHECK_EC(offline_read(d, a, &f[0], 100000, 100000, &part), ecNotFound);
    done(d);
}

/* --- properties of the list ----------------------------------------------------------------------------------------------------------------------- */

TEST(properties)
{
    struct directory *d = fresh("properties");
    struct props p = { 0 };
    add(d, "Ana", "ana@example.org");
    comment = 5000;
    CHECK(make(d, 1));
    comment = 0;
    REQUIRE_EC(offline_props(d, a, 1, &p), ecNone);
    CHECK(blob_eq(props_str(&p, PidTagOfflineAddressBookName), blob_str("\\Global Address List")));
    CHECK_INT(props_i32(&p, PidTagOfflineAddressBookSequence, 0), 1);
    CHECK_INT(props_i32(&p, PidTagOfflineAddressBookMessageClass, 0), 1);
    CHECK_INT(props_str(&p, PidTagOfflineAddressBookContainerGuid).n, 36);
    CHECK(blob_eq(props_str(&p, PidTagOfflineAddressBookDistinguishedName), blob_str("/")));
    const struct propval *t = props_find(&p, PidTagOfflineAddressBookTruncatedProperties);
    REQUIRE(t != NULL && t->v.mv.n == 1);
    CHECK_INT(t->v.mv.i32[0], PidTagComment);
    CHECK_EC(offline_props(d, a, 99, &p), ecNotFound);
    done(d);
}

/* --- display templates ------------------------------------------------------------------------------------------------------------------------------ */

TEST(templates)
{
    struct directory *d = fresh("templates");
    struct offline_book b;
    struct offline_file *f = NULL;
    size_t n = 0;
    add(d, "Ana", "ana@example.org");
    CHECK(make(d, 1));
    b = book_of_org(d, 1);
    REQUIRE_EC(offline_files(d, a, &b, &f, &n), ecNone);
    REQUIRE(n == 3);
    for (size_t i = 1; i < 3; i++) {
        struct oab_template t[OAB_TEMPLATES];
        CHECK_INT(f[i].kind, OFFLINE_TEMPLATE);
        CHECK_INT(f[i].lcid, i == 1 ? 0x0407 : 0x0409);
        CHECK(strstr(f[i].name, i == 1 ? "-lng0407-1.lzx" : "-lng0409-1.lzx") != NULL);
        REQUIRE(oab_read_template(a, plain(d, &f[i]), t));
        for (size_t j = 0; j < OAB_TEMPLATES; j++) {
            struct rd r = rd_blob_of(t[j].data);
            bool none = j == 4 || j == 5; /* an organization, a private distribution list */
            CHECK_INT(t[j].data.n == 0, none);
            CHECK_INT(*t[j].dn == '\0', none);
            CHECK(none || (rd_u32(&r) == 1 && rd_count(&r, rd_u32(&r), 36) > 3));
        }
    }
    done(d);
}

/* A database of the release before gets a book for each organization. */
TEST(an_older_directory)
{
    struct directory *d = fresh("older");
    REQUIRE_EC(org_add(d, "Other"), ecNone);
    directory_close(d);
    sql("DROP TABLE offline_piece");
    sql("DROP TABLE offline_file");
    sql("DROP TABLE offline_book");
    sql("DELETE FROM setting WHERE key='link_version'");
    sql("DROP TRIGGER offline_organization");
    sql("DROP TRIGGER offline_link_insert");
    sql("DROP TRIGGER offline_link_delete");
    sql("DROP TRIGGER offline_mailbox");
    sql("PRAGMA user_version=3");
    d = open_again();
    struct offline_book *b = NULL;
    size_t n = 0;
    REQUIRE_EC(offline_books(d, a, 0, &b, &n), ecNone);
    CHECK_INT(n, 2);
    done(d);
}
