/* unit.h - CUnit made bearable: tests register themselves, checks print what they saw.
 *
 *     TEST(page_from_the_middle) { CHECK_INT(position, 25); CHECK_BYTES(row, "00 1f 00"); }
 *
 * The suite is the file's name; the test's full name is "file/test" (the ledger names tests so).  A failed CHECK is counted and
 * the test goes on; REQUIRE ends it.  SKIP("why") ends a test and is reported as skipped, never as passed.  A test that runs longer than
 * its time limit (60 s; flow tests set their own) is killed and fails the run.  Each program lists what ran in $UNIT_RAN. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H
#include "backend/base/blob.h"
#include "backend/base/err.h"
#include <setjmp.h>

struct unit_test { const char *file, *name; void (*run)(void); unsigned seconds; struct unit_test *next; };
void unit_register(struct unit_test *t);

#define TEST(name) TEST_LIMIT(name, 60)
#define TEST_LIMIT(name_, limit)                                                                             \
    static void test_##name_(void);                                                                          \
    __attribute__((constructor)) static void register_##name_(void)                                          \
    {                                                                                                        \
        static struct unit_test t = { __FILE__, #name_, test_##name_, limit, NULL };                         \
        unit_register(&t);                                                                                   \
    }                                                                                                        \
    static void test_##name_(void)

bool unit_check(bool ok, const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool unit_int(long long got, long long want, const char *what, const char *file, int line);
bool unit_str(const char *got, const char *want, const char *what, const char *file, int line);
bool unit_bytes(struct blob got, struct blob want, const char *what, const char *file, int line);
bool unit_hex(struct blob got, const char *hex, const char *what, const char *file, int line);
bool unit_ec(ec_t got, ec_t want, const char *what, const char *file, int line);
_Noreturn void unit_leave(void);
_Noreturn void unit_skip(const char *why);

#define CHECK(cond)            unit_check((cond), __FILE__, __LINE__, "%s", #cond)
#define CHECK_INT(got, want)   unit_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want)   unit_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_BLOB(got, want)  unit_bytes((got), (want), #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, hex)  unit_hex((got), (hex), #got, __FILE__, __LINE__)
#define CHECK_EC(got, want)    unit_ec((got), (want), #got, __FILE__, __LINE__)
#define REQUIRE(cond)          do { if (!CHECK(cond)) unit_leave(); } while (0)
#define REQUIRE_EC(got, want)  do { if (!CHECK_EC(got, want)) unit_leave(); } while (0)
#define SKIP(why)              unit_skip(why)

/* Bytes of "0a 1b ..." with blanks, line ends and # comments to the end of a line; static storage of the thread, overwritten
 * after 8 more calls; at most 64 KiB. */
struct blob unhex(const char *hex);

/* A new empty directory, removed with all in it when the program ends well.  Static storage. */
const char *unit_tmpdir(void);
#endif
