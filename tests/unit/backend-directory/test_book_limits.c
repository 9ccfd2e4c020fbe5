/* test_book_limits.c - the address book in memory when clients ask for every order of it, and when it cannot be read to its end. */
#include "backend/directory/book_int.h"
#include "tests/unit.h"
#include <sqlite3.h>
#include <unistd.h>

enum { PEOPLE = 5000, VIEWS_MOST = 64, EACH = 16, SPARE = 1 << 16 };

struct crowd { struct arena *a; struct config config; struct directory *d; struct book *b; struct person nobody; };

static void crowd(struct crowd *s, const char *name, unsigned people)
{
    const char *why = NULL;
    *s = (struct crowd){ .a = arena_new((size_t)1 << 30) };
    s->config = (struct config){ .directory = arena_printf(s->a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com" };
    s->d = directory_open(&s->config, s->a, &why);
    REQUIRE(s->d != NULL);
    REQUIRE_EC(entry_batch(s->d), ecNone);
    for (unsigned i = 0; i < people; i++) {
        struct entry e = { .kind = ENTRY_USER, .display_name = arena_printf(s->a, "Person %04u", i) };
        REQUIRE_EC(entry_add(s->d, s->a, &e), ecNone);
    }
    REQUIRE_EC(entry_batch_end(s->d, ecNone), ecNone);
    s->b = book_of(s->d);
    REQUIRE(s->b != NULL);
}

static void crowd_end(struct crowd *s)
{
    directory_close(s->d);
    arena_free(s->a);
}

/* The global address list in so many languages, each in both orders, in one look. */
static void ask_for_all(struct crowd *s, uint32_t languages, size_t people)
{
    struct book_look l;
    const struct book_view *v;
    REQUIRE_EC(book_begin(s->b, &s->nobody, &l), ecNone);
    for (uint32_t lcid = 0x400; lcid < 0x400 + languages; lcid++)
        for (int sort = BOOK_BY_NAME; sort <= BOOK_BY_PHONETIC; sort++) {
            CHECK_EC(book_view(&l, 0, (enum book_sort)sort, lcid, &v), ecNone);
            CHECK_INT(book_count(v), people);
        }
    book_done(&l);
}

static size_t items(const struct book *b)
{
    size_t n = 0;
    for (const struct book_view *v = b->view; v != NULL; v = v->next)
        n += v->n;
    return n;
}

TEST(orders_that_nobody_needs_are_forgotten)
{
    struct crowd s;
    struct book_look l;
    crowd(&s, "small", 10);
    ask_for_all(&s, 128, 10);
    CHECK(s.b->views > VIEWS_MOST);     /* else there are fewer collations in this ICU than the test needs */
    REQUIRE_EC(book_begin(s.b, &s.nobody, &l), ecNone);
    CHECK_INT(s.b->views, VIEWS_MOST);
    book_done(&l);
    ask_for_all(&s, 128, 10);
    crowd_end(&s);
}

TEST(orders_of_many_objects_are_fewer)
{
    struct crowd s;
    struct book_look l;
    crowd(&s, "large", PEOPLE);
    ask_for_all(&s, 40, PEOPLE);
    CHECK(s.b->views <= VIEWS_MOST);
    CHECK(items(s.b) > EACH * PEOPLE + SPARE);
    REQUIRE_EC(book_begin(s.b, &s.nobody, &l), ecNone);
    CHECK(items(s.b) <= EACH * PEOPLE + SPARE);
    CHECK(s.b->views > EACH);
    book_done(&l);
    crowd_end(&s);
}

static void run(struct crowd *s, const char *sql)
{
    sqlite3 *db;
    REQUIRE(sqlite3_open(s->config.directory, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void *begin_another(void *p)
{
    struct crowd *s = p;
    struct book_look l;
    CHECK(book_begin(s->b, &s->nobody, &l) != ecNone);
    return NULL;
}

static void check_look(struct crowd *s, struct book_look *l)
{
    const struct book_view *v = NULL;
    int64_t row[2] = { 0, 0 };
    size_t  n = 0;
    CHECK_EC(book_resolve(l, s->a, 0, blob_str("Person 4999"), row, &n), ecNone);
    CHECK_INT(n, 1);
    CHECK_EC(book_view(l, 0, BOOK_BY_NAME, 0x409, &v), ecNone);
    CHECK(v != NULL && book_count(v) == PEOPLE);
}

/* A look rests, somebody else's finds all objects changed and cannot read who is gone: the first goes on with what there is. */
TEST(a_look_goes_on_after_a_refresh_that_failed)
{
    struct crowd s;
    struct book_look l;
    pthread_t t;
    crowd(&s, "broken", PEOPLE);
    REQUIRE_EC(book_begin(s.b, &s.nobody, &l), ecNone);
    uint64_t version = s.b->version;
    check_look(&s, &l);
    run(&s, "UPDATE entry SET change=change+1000000; ALTER TABLE entry_gone RENAME TO lost");
    const struct book_entry *was = s.b->entry[0];
    REQUIRE(pthread_create(&t, NULL, begin_another, &s) == 0);
    for (int i = 0; i < 5000 && s.b->entry[0] == was; i++) {
        usleep(1000);
        book_pause(&l);
    }
    pthread_join(t, NULL);
    CHECK_INT(s.b->version, version);
    check_look(&s, &l);
    book_done(&l);
    run(&s, "ALTER TABLE lost RENAME TO entry_gone");
    REQUIRE_EC(book_begin(s.b, &s.nobody, &l), ecNone);
    check_look(&s, &l);
    book_done(&l);
    crowd_end(&s);
}
