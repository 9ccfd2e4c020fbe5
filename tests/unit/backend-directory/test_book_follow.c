/* test_book_follow.c - the book in memory while others change the directory: looks on several threads, a look that rests, a refresh that breaks off in the middle. */
#include "backend/directory/book_int.h"
#include "tests/unit.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 200, WORDS_EACH = 8 };

struct shelf { struct arena *a; struct config config; struct directory *d, *other; struct person who; struct book *b; };

static void shelf_begin(struct shelf *s, const char *name)
{
    const char *why = NULL;
    *s = (struct shelf){ .a = arena_new((size_t)1 << 30) };
    s->config = (struct config){ .directory = arena_printf(s->a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com" };
    s->d = directory_open(&s->config, s->a, &why);
    s->other = directory_open(&s->config, s->a, &why);
    REQUIRE(s->d != NULL && s->other != NULL);
    REQUIRE_EC(directory_add(s->d, s->a, &(struct person_new){ .login = "me@example.com", .display_name = "Zoe Me", .password = "x" }, &s->who), ecNone);
    s->b = book_of(s->d);
    REQUIRE(s->b != NULL);
}

static void shelf_end(struct shelf *s)
{
    directory_close(s->d);
    directory_close(s->other);
    arena_free(s->a);
}

/* As another process does it. */
static int64_t add(struct shelf *s, const char *name)
{
    struct entry e = { .kind = ENTRY_CONTACT, .display_name = name, .smtp = "" };
    REQUIRE_EC(entry_add(s->other, s->a, &e), ecNone);
    return e.row;
}

static void add_many(struct shelf *s, unsigned n, const char *what)
{
    REQUIRE_EC(entry_batch(s->other), ecNone);
    for (unsigned i = 0; i < n; i++)
        add(s, arena_printf(s->a, "%s %04u", what, i));
    REQUIRE_EC(entry_batch_end(s->other, ecNone), ecNone);
}

static size_t meant(struct book_look *l, struct arena *a, const char *text)
{
    int64_t row[2];
    size_t  n = 9;
    CHECK_EC(book_resolve(l, a, 0, blob_str(text), row, &n), ecNone);
    return n;
}

/* --- a look that rests --------------------------------------------------------------------------------------------------------------------------- */

struct beside { struct shelf *s; ec_t ec; atomic_bool over; };

static void *look_beside(void *arg)
{
    struct beside *b = arg;
    struct book_look l;
    b->ec = book_begin(b->s->b, &b->s->who, &l);
    if (b->ec == ecNone)
        book_done(&l);
    atomic_store(&b->over, true);
    return NULL;
}

/* Somebody else brings the book up to date while this look rests. */
static ec_t rest_while_others_look(struct shelf *s, struct book_look *l)
{
    pthread_t t;
    struct beside b = { .s = s };
    REQUIRE(pthread_create(&t, NULL, look_beside, &b) == 0);
    while (!atomic_load(&b.over))
        book_pause(l);
    pthread_join(t, NULL);
    return b.ec;
}

/* The words are made by a look that began before the newest objects: they are in them all the same. */
TEST(words_made_by_an_old_look)
{
    struct shelf s;
    struct book_look l;
    struct guid g;
    shelf_begin(&s, "oldlook");
    REQUIRE_EC(book_begin(s.b, &s.who, &l), ecNone);
    REQUIRE_EC(directory_server_guid(l.reader, &g), ecNone);   /* from here on it sees this moment */
    add(&s, "Newcomer");
    CHECK_EC(rest_while_others_look(&s, &l), ecNone);
    CHECK_INT(meant(&l, s.a, "zoe"), 1);
    book_done(&l);
    REQUIRE_EC(book_begin(s.b, &s.who, &l), ecNone);
    CHECK_INT(meant(&l, s.a, "newcomer"), 1);
    book_done(&l);
    shelf_end(&s);
}

/* --- a refresh that breaks off ------------------------------------------------------------------------------------------------------------------- */

/* By who refreshes, between two steps of the database. */
static int breaks_off(void *book)
{
    return ((const struct book *)book)->n > 1000;
}

TEST(refresh_that_breaks_off)
{
    struct shelf s;
    struct book_look l;
    shelf_begin(&s, "breaks");
    for (unsigned i = 0; i < 50; i++)
        add(&s, arena_printf(s.a, "Old %02u", i));
    REQUIRE_EC(book_begin(s.b, &s.who, &l), ecNone);
    add_many(&s, 5000, "New");                                  /* so many that all is read anew */
    sqlite3_progress_handler(s.b->reader->db, 50, breaks_off, s.b);
    CHECK_EC(rest_while_others_look(&s, &l), ecDiskError);
    sqlite3_progress_handler(s.b->reader->db, 0, NULL, NULL);
    CHECK_INT(meant(&l, s.a, "zoe"), 1);                        /* this one goes on with what is there */
    CHECK_INT(meant(&l, s.a, "old"), 2);
    const struct book_view *v;
    CHECK_EC(book_view(&l, 0, BOOK_BY_NAME, 0x409, &v), ecNone);
    book_done(&l);
    REQUIRE_EC(book_begin(s.b, &s.who, &l), ecNone);
    CHECK_INT(meant(&l, s.a, "new 4999"), 1);
    CHECK_INT(meant(&l, s.a, "old 07"), 1);
    REQUIRE_EC(book_view(&l, 0, BOOK_BY_NAME, 0x409, &v), ecNone);
    CHECK_INT(book_count(v), 5051);
    book_done(&l);
    shelf_end(&s);
}

/* Fails at the step that was chosen, of those that the database goes. */
static int at_step(void *left) { return --*(int *)left == 0; }

static size_t listed(struct shelf *s, int64_t list)
{
    struct book_look l;
    const struct book_view *v = NULL;
    REQUIRE_EC(book_begin(s->b, &s->who, &l), ecNone);
    REQUIRE_EC(book_view(&l, list, BOOK_BY_NAME, 0x409, &v), ecNone);
    size_t n = book_count(v);
    book_done(&l);
    return n;
}

/* Whatever question fails while a list by a property is made or followed: at the next look it is whole. */
TEST(list_whose_questions_fail)
{
    enum { PEOPLE = 20, STEPS = 240 };
    struct shelf s;
    unsigned failures = 0;
    shelf_begin(&s, "kiel");
    struct container kiel = { .name = "Kiel", .filter = "PidTagLocality=Kiel" };
    REQUIRE_EC(container_add(s.other, s.a, &kiel), ecNone);
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct entry e = { .kind = ENTRY_CONTACT, .display_name = arena_printf(s.a, "Person %u", i), .smtp = "" };
        props_set(s.a, &e.props, pv_str(PidTagLocality, "Kiel"));
        REQUIRE_EC(entry_add(s.other, s.a, &e), ecNone);
    }
    for (int i = 1; i < STEPS; i++) {
        struct book_look l;
        const struct book_view *v = NULL;
        int left = i;
        struct entry e = { .kind = ENTRY_CONTACT, .display_name = arena_printf(s.a, "More %d", i), .smtp = "" };
        props_set(s.a, &e.props, pv_str(PidTagLocality, "Kiel"));
        REQUIRE_EC(entry_add(s.other, s.a, &e), ecNone);
        sqlite3_progress_handler(s.b->reader->db, 1, at_step, &left);
        bool ok = book_begin(s.b, &s.who, &l) == ecNone;
        if (ok) {
            ok = book_view(&l, kiel.row, BOOK_BY_NAME, 0x409, &v) == ecNone;
            book_done(&l);
        }
        sqlite3_progress_handler(s.b->reader->db, 0, NULL, NULL);
        failures += !ok;
        CHECK_INT(listed(&s, kiel.row), (size_t)(PEOPLE + i));
        if (i % 2 == 0)
            REQUIRE_EC(container_set(s.other, s.a, &kiel), ecNone); /* it is made anew */
    }
    CHECK(failures > STEPS / 4);
    shelf_end(&s);
}

/* --- many names in one look ----------------------------------------------------------------------------------------------------------------------- */

/* More words that many have than a look keeps: each pair is of one that it has kept for long and one that it has not seen. */
TEST(more_words_than_a_look_keeps)
{
    enum { OBJECTS = 3500 };
    static uint8_t has[OBJECTS][WORDS];
    struct shelf s;
    struct book_look l;
    shelf_begin(&s, "kept");
    srandom(7);
    REQUIRE_EC(entry_batch(s.other), ecNone);
    for (unsigned i = 0; i < OBJECTS; i++) {
        char name[WORDS_EACH * 6] = "";
        for (unsigned k = 0; k < WORDS_EACH; k++) {
            unsigned w = (unsigned)random() % WORDS;
            has[i][w] = 1;
            snprintf(name + strlen(name), sizeof name - strlen(name), "w%03u ", w);
        }
        add(&s, arena_strdup(s.a, name));
    }
    REQUIRE_EC(entry_batch_end(s.other, ecNone), ecNone);
    REQUIRE_EC(book_begin(s.b, &s.who, &l), ecNone);
    for (unsigned w = 0; w < WORDS; w++) {
        int64_t *row;
        size_t   n = 0, want = 0;
        unsigned with = w < 64 ? w : w - 64;
        const char *text = w < 64 ? arena_printf(s.a, "w%03u", w) : arena_printf(s.a, "w%03u w%03u", with, w);
        for (unsigned i = 0; i < OBJECTS; i++)
            want += has[i][w] & has[i][with];
        CHECK_EC(book_matches(&l, s.a, 0, blob_str(text), SIZE_MAX, &row, &n), ecNone);
        unit_check(n == want, __FILE__, __LINE__, "\"%s\": %zu, not %zu", text, n, want);
    }
    book_done(&l);
    shelf_end(&s);
}

/* --- several at once ------------------------------------------------------------------------------------------------------------------------------ */

enum { LOOKERS = 4, CHANGES = 40 };
struct looker { struct shelf *s; atomic_bool *over; unsigned looks, seen_less; };

/* Everybody finds whoever was there when he began; names, lists and words are made and followed by all of them together. */
static void *looker(void *arg)
{
    struct looker *k = arg;
    size_t before = 0;
    while (!atomic_load(k->over)) {
        struct arena *a = arena_new(1 << 24);
        struct book_look l;
        const struct book_view *v;
        int64_t *row;
        size_t   n = 0;
        if (book_begin(k->s->b, &k->s->who, &l) == ecNone) {
            bool ok = book_matches(&l, a, 0, blob_str("changing"), SIZE_MAX, &row, &n) == ecNone
                && book_view(&l, 0, k->looks % 2 != 0 ? BOOK_BY_NAME : BOOK_BY_PHONETIC, 0x409, &v) == ecNone;
            k->seen_less += !ok || n < before || n > book_count(v);
            before = n;
            book_pause(&l);
            k->seen_less += book_matches(&l, a, 0, blob_str("changing"), SIZE_MAX, &row, &n) != ecNone || n < before;
            book_done(&l);
        }
        k->looks++;
        arena_free(a);
    }
    return NULL;
}

TEST_LIMIT(looks_at_once, 60)
{
    struct shelf s;
    struct looker k[LOOKERS];
    pthread_t t[LOOKERS];
    atomic_bool over = false;
    shelf_begin(&s, "atonce");
    add_many(&s, 600, "Changing");
    for (unsigned i = 0; i < LOOKERS; i++) {
        k[i] = (struct looker){ .s = &s, .over = &over };
        REQUIRE(pthread_create(&t[i], NULL, looker, &k[i]) == 0);
    }
    for (unsigned i = 0; i < CHANGES; i++)
        add_many(&s, i == CHANGES / 2 ? 4200 : 1 + i % 5, "Changing");
    atomic_store(&over, true);
    for (unsigned i = 0; i < LOOKERS; i++) {
        pthread_join(t[i], NULL);
        CHECK(k[i].looks != 0);
        CHECK_INT(k[i].seen_less, 0);
    }
    shelf_end(&s);
}
