/* test_nspi_limits.c - requests of the address book that take too long: rows so far, a clear error, and other sessions of the worker that do not notice. */
#include "backend/directory/entry.h"
#include "tests/flow/book.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })
enum { PEOPLE = 120, ALL = PEOPLE + 2, TOO_COMPLEX = (int)0x80040117 };
static const uint32_t name_tag[] = { PidTagDisplayName };
static const struct restriction has_name = { .kind = RES_EXIST, .exist.tag = PidTagDisplayName };

static struct stack *slow_stack(void)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "book_rows_time = 200\nbook_search_time = 200\n" });
    REQUIRE_EC(entry_batch(st->directory), ecNone);
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct entry e = { .kind = ENTRY_USER, .display_name = arena_printf(st->a, "Person %03u", i) };
        REQUIRE_EC(entry_add(st->directory, st->a, &e), ecNone);
    }
    REQUIRE_EC(entry_batch_end(st->directory, ecNone), ecNone);
    return st;
}

static uint32_t rows(struct book_client *b, struct nspic_stat *s)
{
    MUST_BOOK(b, "QueryRows", ASK(.stat = s, .rows = 1000, .tags = name_tag, .ntags = 1));
    *s = b->reply.stat;
    return (uint32_t)b->reply.rows;
}

TEST(rows_and_searches_end_in_time)
{
    struct stack *st = slow_stack();
    struct book_client b;
    struct nspic_stat s = book_stat();
    book_bound(&b, st, &st->ana);
    stack_arm(st, 0, "book_row:3:sleep=400");
    CHECK_INT(rows(&b, &s), 3);
    CHECK_INT(s.num_pos, 3);
    CHECK_INT(rows(&b, &s), ALL - 3);     /* the client asks again from there */
    s = book_stat();
    stack_arm(st, 0, "book_row:5:sleep=400");
    CHECK_INT(BOOK(&b, "GetMatches", ASK(.stat = &s, .filter = &has_name, .rows = 1000, .tags = name_tag, .ntags = 1)), (uint32_t)TOO_COMPLEX);
    CHECK_INT(b.reply.http.code, 0);
    MUST_BOOK(&b, "GetMatches", ASK(.stat = &s, .filter = &has_name, .rows = 1000, .tags = name_tag, .ntags = 1));
    CHECK_INT(b.reply.mids, ALL);
    book_client_end(&b);
    stack_stop(st);
}

struct reader { struct book_client b; uint32_t ec; atomic_bool done; };

static void *search(void *p)
{
    struct reader *r = p;
    struct nspic_stat s = book_stat();
    r->ec = BOOK(&r->b, "GetMatches", ASK(.stat = &s, .filter = &has_name, .rows = 1000));
    atomic_store(&r->done, true);
    return NULL;
}

/* The order has been taken: the worker is in the slow row. */
static bool armed(struct stack *st)
{
    char path[300], one;
    snprintf(path, sizeof path, "%s/a0.fault", st->dir);
    FILE *f = fopen(path, "r");
    bool yes = f != NULL && fread(&one, 1, 1, f) == 1;
    if (f != NULL)
        fclose(f);
    return yes;
}

/* One worker, one session in a row that takes 3 s: the requests of another session come and go meanwhile. */
TEST(others_do_not_wait_for_a_slow_search)
{
    struct stack *st = slow_stack();
    struct reader r = { .ec = 0 };
    struct book_client b;
    struct nspic_stat s = book_stat();
    pthread_t thread;
    const char *name = "Person 007";
    book_bound(&r.b, st, &st->ana);
    book_bound(&b, st, &st->bob);
    CHECK_INT(rows(&b, &s), ALL);
    stack_arm(st, 0, "book_row:2:sleep=3000");
    REQUIRE(pthread_create(&thread, NULL, search, &r) == 0);
    while (armed(st) && !atomic_load(&r.done))
        usleep(2000);
    s = book_stat();
    CHECK_INT(rows(&b, &s), ALL);
    s = book_stat();
    MUST_BOOK(&b, "ResolveNames", ASK(.stat = &s, .names = &name, .nnames = 1, .tags = name_tag, .ntags = 1));
    CHECK(b.reply.mids == 1 && b.reply.mid[0] == 2);
    MUST_BOOK(&b, "UpdateStat", ASK(.stat = &s));
    CHECK(!atomic_load(&r.done));
    pthread_join(thread, NULL);
    CHECK_INT(r.ec, (uint32_t)TOO_COMPLEX);
    book_client_end(&r.b);
    book_client_end(&b);
    stack_stop(st);
}
