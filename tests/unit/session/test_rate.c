/* test_rate.c - the bucket of a user: burst, long run, waiting times, many users, a table that others write, processes that share it. */
#include "session/rate.h"
#include "tests/unit.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t start = 1000000000;   /* us */

static struct rate *own(struct arena *a)
{
    const char *why;
    struct rate *r = rate_open(NULL, a, &why);
    REQUIRE(r != NULL);
    return r;
}

TEST(burst_then_rate)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct rate *r = own(a);
    for (unsigned i = 0; i < 10; i++)
        CHECK_INT(rate_take(r, "ana", 5, 10, start), 0);
    uint32_t ms = rate_take(r, "ana", 5, 10, start);
    CHECK(ms >= 200 && ms <= 201);
    CHECK_INT(rate_take(r, "bob", 5, 10, start), 0);
    CHECK(rate_take(r, "ana", 5, 10, start + 100000) != 0);   /* asking early costs nothing */
    CHECK_INT(rate_take(r, "ana", 5, 10, start + ms * 1000), 0);
    CHECK(rate_take(r, "ana", 5, 10, start + ms * 1000) != 0);
    unsigned taken = 0;
    for (uint64_t at = start + 1000000; at < start + 11000000; at += 10000)
        taken += rate_take(r, "ana", 5, 10, at) == 0;
    CHECK(taken >= 53 && taken <= 55); /* 10 s at 5, and the 4 of the second before */
    arena_free(a);
}

TEST(no_limit_and_the_largest)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct rate *r = own(a);
    for (unsigned i = 0; i < 1000; i++)
        CHECK_INT(rate_take(r, "ana", 0, 1, start), 0);
    for (unsigned i = 0; i < 1000; i++)
        CHECK_INT(rate_take(r, "ana", 1000000, 10000000, start), 0);
    CHECK_INT(rate_take(r, "bob", 1, 1, start), 0);
    uint32_t ms = rate_take(r, "bob", 1, 1, start);
    CHECK(ms >= 1000 && ms <= 1001);
    CHECK_INT(rate_take(r, "eve", 1000000, 1, start), 0);
    CHECK_INT(rate_take(r, "eve", 1000000, 1, start), 50); /* nobody is sent away for less */
    arena_free(a);
}

/* The clock of a restarted host, a limit that was made smaller: what is stored lies far ahead, and counts as one burst. */
TEST(a_moment_far_ahead)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct rate *r = own(a);
    for (unsigned i = 0; i < 5; i++)
        CHECK_INT(rate_take(r, "ana", 1, 5, start * 1000), 0);
    uint32_t ms = rate_take(r, "ana", 1, 5, start);
    CHECK(ms >= 1000 && ms <= 1001);
    CHECK_INT(rate_take(r, "ana", 1, 5, start + 6000000), 0);
    arena_free(a);
}

/* More users than places, and garbage in the table: some are not limited, nobody is locked out, nothing breaks. */
TEST(full_table)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct rate *r = own(a);
    char user[32];
    unsigned limited = 0;
    for (unsigned i = 0; i < 40000; i++) {
        snprintf(user, sizeof user, "user%u", i);
        CHECK_INT(rate_take(r, user, 1, 1, start), 0);
    }
    for (unsigned i = 0; i < 40000; i++) {
        snprintf(user, sizeof user, "user%u", i);
        limited += rate_take(r, user, 1, 1, start) != 0;
    }
    CHECK(limited > 8000 && limited <= 16384);
    memset(r, 0xff, 1 << 18);
    CHECK_INT(rate_take(r, "ana", 1, 1, start), 0);
    arena_free(a);
}

TEST(processes_share_it)
{
    struct arena *a = arena_new(SIZE_MAX);
    const char *why = NULL, *dir = arena_printf(a, "%s/host", unit_tmpdir());
    struct rate *r = rate_open(dir, a, &why);
    REQUIRE(r != NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rate *other = rate_open(dir, a, &why);
        unsigned taken = 0;
        for (unsigned i = 0; i < 1000 && other != NULL; i++)
            taken += rate_take(other, "ana", 1, 700, start) == 0;
        _exit(taken == 700 ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
    CHECK(rate_take(r, "ana", 1, 700, start) != 0);
    CHECK(rate_open("/nonexistent/dir/far/host", a, &why) == NULL);
    CHECK_STR(why, "/nonexistent/dir/far/host: No such file or directory");
    arena_free(a);
}
