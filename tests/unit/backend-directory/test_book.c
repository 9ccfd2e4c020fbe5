/* test_book.c - the address book in memory: order, positions, changes seen, who sees whom, names resolved. */
#include "backend/directory/book.h"
#include "backend/directory/policy.h"
#include "tests/unit.h"
#include <stdio.h>
#include <stdlib.h>

struct shelf {
    struct arena *a;
    struct config config;
    struct directory *d, *other;  /* other: as another process has it open */
    struct book *b;
    struct person who;
};

static void shelf(struct shelf *s, const char *name)
{
    const char *why = NULL;
    *s = (struct shelf){ .a = arena_new((size_t)1 << 30) };
    s->config = (struct config){ .directory = arena_printf(s->a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com",
                                 .auth_cache = 300, .auth_fail_delay = 100 };
    s->d = directory_open(&s->config, s->a, &why);
    s->other = directory_open(&s->config, s->a, &why);
    REQUIRE(s->d != NULL && s->other != NULL);
    REQUIRE_EC(directory_add(s->d, s->a, &(struct person_new){ .login = "me@example.com", .display_name = "Zoe Me", .password = "x", .with_mailbox = true }, &s->who), ecNone);
    s->b = book_of(s->d);
    REQUIRE(s->b != NULL);
}

static void shelf_end(struct shelf *s)
{
    directory_close(s->d);
    directory_close(s->other);
    arena_free(s->a);
}

static int64_t add(struct shelf *s, enum entry_kind kind, const char *name, const char *smtp, const char *given, const char *surname)
{
    struct entry e = { .kind = kind, .display_name = name, .smtp = smtp };
    if (given != NULL)
        props_set(s->a, &e.props, pv_str(PidTagGivenName, given));
    if (surname != NULL)
        props_set(s->a, &e.props, pv_str(PidTagSurname, surname));
    REQUIRE_EC(entry_add(s->other, s->a, &e), ecNone);
    return e.row;
}

static struct book_look look(struct shelf *s)
{
    struct book_look l;
    REQUIRE_EC(book_begin(s->b, &s->who, &l), ecNone);
    return l;
}

/* The names of a table, joined. */
static const char *names(struct shelf *s, int64_t list, enum book_sort sort, uint32_t lcid)
{
    struct book_look l = look(s);
    const struct book_view *v = NULL;
    const char *all = "";
    if (book_view(&l, list, sort, lcid, &v) == ecNone)
        for (size_t i = 0; i < book_count(v); i++) {
            struct entry e;
            CHECK_EC(entry_get(l.reader, s->a, book_row(v, i), &e), ecNone);
            all = arena_printf(s->a, "%s%s%s", all, i == 0 ? "" : ";", e.display_name);
        }
    book_done(&l);
    return all;
}

TEST(a_user_is_in_the_list_at_once)
{
    struct shelf s;
    shelf(&s, "once");
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Zoe Me");
    struct person p;
    REQUIRE_EC(directory_add(s.other, s.a, &(struct person_new){ .login = "ana@example.com", .display_name = "Ana", .password = "x" }, &p), ecNone);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Ana;Zoe Me");
    REQUIRE_EC(directory_add(s.d, s.a, &(struct person_new){ .login = "bob@example.com", .display_name = "Bob", .password = "x" }, &p), ecNone);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Ana;Bob;Zoe Me");
    CHECK_EC(directory_remove(s.other, "ana"), ecNone);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Bob;Zoe Me");
    shelf_end(&s);
}

/* OXNSPI R481, R1820: case, accents, width and kana do not count; in another locale symbols do not either (R482, R1823). */
TEST(order_of_letters)
{
    struct shelf s;
    shelf(&s, "letters");
    add(&s, ENTRY_USER, "\xc3\x84rger", "", NULL, NULL);      /* Aerger with umlaut */
    add(&s, ENTRY_USER, "arg", "", NULL, NULL);
    add(&s, ENTRY_USER, "Argon", "", NULL, NULL);
    add(&s, ENTRY_USER, "O'Hara", "", NULL, NULL);
    add(&s, ENTRY_USER, "Ohm", "", NULL, NULL);
    add(&s, ENTRY_USER, "Oha", "", NULL, NULL);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "arg;\xc3\x84rger;Argon;O'Hara;Oha;Ohm;Zoe Me");
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x407), "arg;\xc3\x84rger;Argon;Oha;O'Hara;Ohm;Zoe Me");
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x41D), "arg;Argon;Oha;O'Hara;Ohm;Zoe Me;\xc3\x84rger"); /* Swedish: behind z */
    /* hiragana, katakana, half width: the same, so they stand in the order of their rows; and a full-width Z */
    add(&s, ENTRY_USER, "\xe3\x82\xab" "1", "", NULL, NULL);
    add(&s, ENTRY_USER, "\xe3\x81\x8b" "0", "", NULL, NULL);
    add(&s, ENTRY_USER, "\xef\xbd\xb6" "2", "", NULL, NULL);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "arg;\xc3\x84rger;Argon;O'Hara;Oha;Ohm;Zoe Me;\xe3\x81\x8b" "0;\xe3\x82\xab" "1;\xef\xbd\xb6" "2");
    struct book_look l = look(&s);
    const struct book_view *v = NULL;
    REQUIRE_EC(book_view(&l, 0, BOOK_BY_NAME, 0x409, &v), ecNone);
    CHECK_INT(book_seek(v, blob_str("\xef\xbc\xba" "oe me")), 6);
    book_done(&l);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0xFFFFFFFF), names(&s, 0, BOOK_BY_NAME, 0));   /* unknown: the closest there is */
    shelf_end(&s);
}

TEST(phonetic_order)
{
    struct shelf s;
    shelf(&s, "phonetic");
    struct entry e = { .kind = ENTRY_USER, .display_name = "Aaa" };
    props_set(s.a, &e.props, pv_str(PidTagAddressBookPhoneticDisplayName, "zzz"));
    REQUIRE_EC(entry_add(s.other, s.a, &e), ecNone);
    CHECK_STR(names(&s, 0, BOOK_BY_PHONETIC, 0x409), "Zoe Me;Aaa");
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Aaa;Zoe Me");
    shelf_end(&s);
}

TEST(hidden_and_foreign_objects_are_not_listed)
{
    struct shelf s;
    shelf(&s, "hidden");
    struct entry e = { .kind = ENTRY_USER, .display_name = "Ghost", .smtp = "ghost@example.com", .hidden = true };
    REQUIRE_EC(entry_add(s.other, s.a, &e), ecNone);
    REQUIRE_EC(org_add(s.other, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(s.other, "Other", "other.example"), ecNone);
    int64_t theirs = add(&s, ENTRY_USER, "Them", "them@other.example", NULL, NULL);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Zoe Me");
    struct book_look l = look(&s);
    enum entry_kind k;
    int64_t row[2];
    size_t  n;
    CHECK(book_exists(&l, e.row, &k));
    CHECK(!book_exists(&l, theirs, NULL));
    CHECK_EC(book_resolve(&l, s.a, 0, blob_str("Ghost"), row, &n), ecNone);
    CHECK_INT(n, 0);
    CHECK_EC(book_resolve(&l, s.a, 0, blob_str("ghost@example.com"), row, &n), ecNone); /* a whole address finds it */
    CHECK_INT(n, 1);
    CHECK_EC(book_resolve(&l, s.a, 0, blob_str("them@other.example"), row, &n), ecNone);
    CHECK_INT(n, 0);
    CHECK_EC(book_resolve(&l, s.a, 0, blob_str("Them"), row, &n), ecNone);
    CHECK_INT(n, 0);
    book_done(&l);
    /* the domain comes home, and its people with it */
    REQUIRE_EC(org_drop_domain(s.other, "Other", "other.example"), ecNone);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Them;Zoe Me");
    l = look(&s);
    CHECK_EC(book_resolve(&l, s.a, 0, blob_str("them"), row, &n), ecNone);
    CHECK_INT(n, 1);
    book_done(&l);
    shelf_end(&s);
}

TEST(lists_by_filter)
{
    struct shelf s;
    shelf(&s, "lists");
    struct container rooms = { .name = "Rooms", .filter = "kind=room,equipment" }, big = { .name = "Big", .filter = "kind=room & PidTagAddressBookRoomCapacity=100" };
    REQUIRE_EC(container_add(s.other, s.a, &rooms), ecNone);
    big.parent = rooms.row;
    REQUIRE_EC(container_add(s.other, s.a, &big), ecNone);
    struct container twice = { .name = "Rooms", .filter = "" }, wrong = { .name = "Wrong", .filter = "kind=house" }, orphan = { .name = "Orphan", .parent = 999 };
    CHECK_EC(container_add(s.other, s.a, &twice), ecCollidingNames);
    CHECK_EC(container_add(s.other, s.a, &wrong), ecInvalidParameter);
    CHECK_EC(container_add(s.other, s.a, &orphan), ecInvalidParameter);
    add(&s, ENTRY_ROOM, "Aquarium", "", NULL, NULL);
    struct entry hall = { .kind = ENTRY_ROOM, .display_name = "Hall" };
    props_set(s.a, &hall.props, pv_i32(PidTagAddressBookRoomCapacity, 100));
    REQUIRE_EC(entry_add(s.other, s.a, &hall), ecNone);
    CHECK_STR(names(&s, rooms.row, BOOK_BY_NAME, 0x409), "Aquarium;Hall");
    CHECK_STR(names(&s, big.row, BOOK_BY_NAME, 0x409), "Hall");
    props_set(s.a, &hall.props, pv_i32(PidTagAddressBookRoomCapacity, 20));
    REQUIRE_EC(entry_set(s.other, s.a, &hall), ecNone);
    CHECK_STR(names(&s, big.row, BOOK_BY_NAME, 0x409), "");
    struct container *all;
    size_t n;
    REQUIRE_EC(container_list(s.d, s.a, &all, &n), ecNone);
    REQUIRE(n == 3);
    CHECK_STR(all[0].dn, "/");
    CHECK(strncmp(all[1].dn, "/guid=", 6) == 0 && strlen(all[1].dn) == 38);
    CHECK_INT(all[1].depth, 0);
    CHECK_INT(all[2].depth, 1);
    CHECK(all[1].has_children && !all[2].has_children);
    uint32_t before, after;
    REQUIRE_EC(container_version(s.d, &before), ecNone);
    CHECK_EC(container_remove(s.other, rooms.row), ecNone);       /* and what is below it */
    REQUIRE_EC(container_version(s.d, &after), ecNone);
    CHECK(after > before);
    struct book_look l = look(&s);
    const struct book_view *v;
    CHECK_EC(book_view(&l, rooms.row, BOOK_BY_NAME, 0x409, &v), ecInvalidBookmark);
    CHECK_EC(book_view(&l, big.row, BOOK_BY_NAME, 0x409, &v), ecInvalidBookmark);
    book_done(&l);
    shelf_end(&s);
}

static void check_resolve(struct shelf *s, const char *text, size_t want, int64_t who, int line)
{
    struct book_look l = look(s);
    int64_t row[2] = { 0, 0 };
    size_t  n = 9;
    ec_t ec = book_resolve(&l, s->a, 0, blob_str(text), row, &n);
    book_done(&l);
    unit_check(ec == ecNone && n == want && (want != 1 || row[0] == who), __FILE__, line, "\"%s\": %zu, row %lld, not %zu, row %lld", text, n, (long long)row[0], want, (long long)who);
}
#define RESOLVES(text, row)  check_resolve(&s, text, 1, row, __LINE__)
#define AMBIGUOUS(text)      check_resolve(&s, text, 2, 0, __LINE__)
#define NOBODY(text)         check_resolve(&s, text, 0, 0, __LINE__)

/* OXNSPI 3.1.4.7 */
TEST(names_are_resolved)
{
    struct shelf s;
    shelf(&s, "resolve");
    int64_t anna = add(&s, ENTRY_USER, "M\xc3\xbcller, Anna", "anna.mueller@example.com", "Anna", "M\xc3\xbcller");
    int64_t ann = add(&s, ENTRY_USER, "Ann Lee", "ann@example.com", "Ann", "Lee");
    struct entry e = { .kind = ENTRY_CONTACT, .display_name = "Customer Care", .smtp = "care@customer.example" };
    const char *proxies[] = { "smtp:help@example.com", "X500:/o=Old/cn=care" };
    e.proxy = proxies;
    e.proxies = 2;
    props_set(s.a, &e.props, pv_str(PidTagAccount, "cc"));
    props_set(s.a, &e.props, pv_str(PidTagOfficeLocation, "12/344"));
    REQUIRE_EC(entry_add(s.other, s.a, &e), ecNone);
    NOBODY("");
    NOBODY("   ");
    NOBODY("x");
    RESOLVES("anna", anna);           /* exactly one has an attribute of this whole text */
    RESOLVES("ANNA", anna);
    RESOLVES("ann", ann);             /* both begin so, one is so */
    AMBIGUOUS("an");
    RESOLVES("=ann", ann);
    NOBODY("=an");
    RESOLVES("muller", anna);         /* accents do not count */
    RESOLVES("M\xc3\xbcll", anna);
    RESOLVES("anna mul", anna);       /* two words, in any order */
    RESOLVES("mul anna", anna);
    NOBODY("anna lee");
    RESOLVES("M\xc3\xbcller, A", anna);
    RESOLVES("anna.mueller@example.com", anna);
    RESOLVES("SMTP:anna.mueller@example.com", anna);
    NOBODY("SMTP:anna");
    RESOLVES("anna.mueller@", anna);
    RESOLVES("help@example.com", e.row);
    RESOLVES("cc", e.row);
    RESOLVES("12/3", e.row);          /* the office */
    RESOLVES("/o=Old/cn=care", e.row);
    RESOLVES("ex:/O=OLD/cn=Care", e.row);
    RESOLVES(e.dn, e.row);
    NOBODY("/o=Demo");
    NOBODY("EX:nonsense");
    /* a rename and a removal are known at once */
    e.display_name = "Kundendienst";
    REQUIRE_EC(entry_set(s.other, s.a, &e), ecNone);
    NOBODY("customer care");
    RESOLVES("kunden", e.row);
    REQUIRE_EC(entry_remove(s.other, ann), ecNone);
    RESOLVES("an", anna);
    shelf_end(&s);
}

TEST(all_matches_of_a_name)
{
    struct shelf s;
    shelf(&s, "matches");
    for (unsigned i = 0; i < 30; i++)
        add(&s, ENTRY_USER, arena_printf(s.a, "Sam %u Smith", i), "", "Sam", "Smith");
    struct book_look l = look(&s);
    int64_t *row;
    size_t   n;
    CHECK_EC(book_matches(&l, s.a, 0, blob_str("sam"), 1000, &row, &n), ecNone);
    CHECK_INT(n, 30);
    CHECK_EC(book_matches(&l, s.a, 0, blob_str("smi sam"), 1000, &row, &n), ecNone);
    CHECK_INT(n, 30);
    CHECK_EC(book_matches(&l, s.a, 0, blob_str("sam 12"), 1000, &row, &n), ecNone);
    CHECK_INT(n, 1);
    CHECK_EC(book_matches(&l, s.a, 0, blob_str("sam"), 29, &row, &n), ecTableTooBig);
    CHECK_EC(book_matches(&l, s.a, 0, blob_str(""), 10, &row, &n), ecNone);
    CHECK_INT(n, 0);
    CHECK_EC(book_matches(&l, s.a, 77, blob_str("sam"), 10, &row, &n), ecInvalidBookmark);
    book_done(&l);
    shelf_end(&s);
}

/* Words that many have, in any order, three of them; what a request may look through is bounded, and the next one starts anew. */
TEST(names_of_words_that_many_have)
{
    struct shelf s;
    shelf(&s, "common");
    REQUIRE_EC(entry_batch(s.other), ecNone);
    for (unsigned i = 0; i < 300; i++) {
        add(&s, ENTRY_USER, arena_printf(s.a, "Peter Alone%u", i), "", "Peter", NULL);
        add(&s, ENTRY_USER, arena_printf(s.a, "Alone%u Meyer", i), "", NULL, "Meyer");
        if (i % 2 == 0)
            add(&s, ENTRY_USER, arena_printf(s.a, "Peter Meyer %u", i), "", "Peter", "Meyer");
    }
    int64_t petra = add(&s, ENTRY_USER, "Petra Meyerling", "", "Petra", "Meyerling");
    REQUIRE_EC(entry_batch_end(s.other, ecNone), ecNone);
    struct book_look l = look(&s);
    int64_t *row, two[2];
    size_t   n;
    static const struct { const char *text; size_t n; } all[] = { { "mey pet", 151 }, { "peter meyer", 150 }, { "pet alone", 300 }, { "me pe 29", 5 }, { "peter meyr", 0 }, { "mey pet alone", 0 } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CHECK_EC(book_matches(&l, s.a, 0, blob_str(all[i].text), 1000, &row, &n), ecNone);
        unit_check(n == all[i].n, __FILE__, __LINE__, "\"%s\": %zu", all[i].text, n);
    }
    book_done(&l);
    AMBIGUOUS("mey pet");
    AMBIGUOUS("meyer peter");
    RESOLVES("petra mey", petra);
    NOBODY("peter meyr");
    NOBODY("mey pet alone");
    l = look(&s);
    l.spent = BOOK_SPENT_MAX / 1000 * 999;
    ec_t ec = ecNone;
    for (unsigned i = 0; i < 100000 && ec == ecNone; i++)
        ec = book_resolve(&l, s.a, 0, blob_str("alone peter mey"), two, &n);
    book_done(&l);
    CHECK_EC(ec, ecOutOfResources);
    RESOLVES("petra mey", petra);
    shelf_end(&s);
}

/* More words begin so than a single name is looked for among: a restriction still gets every object, and what else it asks decides. */
TEST(all_matches_of_a_name_that_many_words_begin_with)
{
    enum { PEOPLE = 240, WORDS = 90 };
    struct shelf s;
    shelf(&s, "many");
    REQUIRE_EC(entry_batch(s.other), ecNone);
    for (unsigned i = 0; i < PEOPLE; i++) {
        const char *name = "";
        for (unsigned k = 0; k < WORDS; k++)
            name = arena_printf(s.a, "%s sam%x", name, i * WORDS + k);
        add(&s, ENTRY_USER, name + 1, "", NULL, NULL);
    }
    int64_t last = add(&s, ENTRY_USER, "Samzzz Zurich", "", NULL, NULL);
    REQUIRE_EC(entry_batch_end(s.other, ecNone), ecNone);
    struct book_look l = look(&s);
    int64_t *row;
    size_t   n;
    CHECK_EC(book_matches(&l, s.a, 0, blob_str("sam"), 1000, &row, &n), ecNone);
    CHECK_INT(n, PEOPLE + 1);
    CHECK(n != 0 && row[n - 1] == last);
    book_done(&l);
    shelf_end(&s);
}

/* Whose row is gone sees nothing; an administrator, who is nobody, sees the first organization. */
TEST(who_was_removed_sees_nothing)
{
    struct shelf s;
    shelf(&s, "removed");
    int64_t stays = add(&s, ENTRY_USER, "Stays", "stays@example.com", NULL, NULL);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Stays;Zoe Me");
    REQUIRE_EC(directory_remove(s.other, "me@example.com"), ecNone);
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "");
    struct book_look l = look(&s);
    CHECK(!book_exists(&l, stays, NULL));
    book_done(&l);
    s.who.row = 0;
    CHECK_STR(names(&s, 0, BOOK_BY_NAME, 0x409), "Stays");
    shelf_end(&s);
}

/* Against a plain list, sorted anew each time: random additions, renames, hiding, removal, seen by a book that only hears of them. */
struct model { int64_t row; char name[24]; bool hidden; };

static int by_name(const void *x, const void *y)
{
    const struct model *a = x, *b = y;
    int c = strcmp(a->name, b->name);
    return c != 0 ? c : (a->row > b->row) - (a->row < b->row);
}

static void check_model(struct shelf *s, struct model *m, size_t n)
{
    struct book_look l = look(s);
    const struct book_view *v = NULL;
    size_t at = 0, found;
    REQUIRE_EC(book_view(&l, 0, BOOK_BY_NAME, 0x409, &v), ecNone);
    qsort(m, n, sizeof *m, by_name);
    for (size_t i = 0; i < n; i++) {
        if (m[i].hidden) {
            CHECK(!book_find(&l, v, m[i].row, &found));
            continue;
        }
        CHECK(at < book_count(v) && book_row(v, at) == m[i].row);
        CHECK(book_find(&l, v, m[i].row, &found) && found == at);
        at++;
    }
    CHECK_INT(book_count(v), at + 1); /* and the one who looks */
    CHECK_INT(book_seek(v, blob_str("")), 0);
    CHECK_INT(book_seek(v, blob_str("zzzz")), book_count(v));
    book_done(&l);
}

TEST(changes_against_a_model)
{
    enum { MOST = 200, STEPS = 400 };
    struct shelf s;
    struct model m[MOST];
    size_t n = 0;
    shelf(&s, "model");
    srandom(7);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t at = n != 0 ? (size_t)random() % n : 0;
        long what = random() % 5;
        if (n == 0 || (what <= 1 && n < MOST)) {
            snprintf(m[n].name, sizeof m[n].name, "a%c%c", (int)('a' + random() % 3), (int)('a' + random() % 26));
            m[n].hidden = false;
            m[n].row = add(&s, ENTRY_USER, m[n].name, "", NULL, NULL);
            n++;
        } else if (what == 2) {
            CHECK_EC(entry_remove(s.other, m[at].row), ecNone);
            m[at] = m[--n];
        } else {
            struct entry e;
            REQUIRE_EC(entry_get(s.other, s.a, m[at].row, &e), ecNone);
            snprintf(m[at].name, sizeof m[at].name, "a%c%c", (int)('a' + random() % 3), (int)('a' + random() % 26));
            m[at].hidden = what == 3 && random() % 2 != 0;
            e.display_name = m[at].name;
            e.hidden = m[at].hidden;
            CHECK_EC(entry_set(s.other, s.a, &e), ecNone);
        }
        if (step % 7 == 0)
            check_model(&s, m, n);
    }
    check_model(&s, m, n);
    shelf_end(&s);
}

TEST(order_of_any_rows)
{
    struct shelf s;
    shelf(&s, "rows");
    int64_t c = add(&s, ENTRY_USER, "Carl", "", NULL, NULL), b = add(&s, ENTRY_USER, "Berta", "", NULL, NULL);
    int64_t row[] = { c, 4711, s.who.row, b, -3 };
    size_t  n = 5;
    struct book_look l = look(&s);
    book_order(&l, s.a, BOOK_BY_NAME, 0x409, row, &n);
    CHECK_INT(n, 3);
    CHECK(row[0] == b && row[1] == c && row[2] == s.who.row);
    CHECK(book_compare(&l, BOOK_BY_NAME, 0x409, b, blob_str("carl")) < 0);
    CHECK(book_compare(&l, BOOK_BY_NAME, 0x409, c, blob_str("CARL")) == 0);
    book_done(&l);
    REQUIRE_EC(org_add(s.other, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(s.other, "Other", "other.example"), ecNone);
    int64_t theirs = add(&s, ENTRY_USER, "Dora", "dora@other.example", NULL, NULL);
    l = look(&s);
    CHECK(book_compare(&l, BOOK_BY_NAME, 0x409, theirs, blob_str("aaa")) < 0); /* as if there were no name */
    book_done(&l);
    shelf_end(&s);
}
