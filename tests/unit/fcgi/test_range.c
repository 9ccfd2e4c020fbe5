/* Conditional requests and ranges: which part of a file is sent (RFC 9110, 13 and 14). */
#include "fcgi/range.h"
#include "tests/unit.h"
#include <stdio.h>

enum { SIZE = 1000 };
static const struct range_file file = { SIZE, "\"abc\"", 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct range_part get(const char *range) { return range_decide(&(struct request){ .method = "GET", .range = range }, &file); }

TEST(ranges)
{
    static const struct { const char *range; int status; uint64_t first, n; } v[] = {
        { NULL,                    200, 0, SIZE },
        { "bytes=0-0",             206, 0, 1 },
        { "bytes=0-999",           206, 0, 1000 },
        { "bytes=0-1000",          206, 0, 1000 },
        { "bytes=0-18446744073709551615", 206, 0, 1000 },
        { "bytes=0-99999999999999999999999", 206, 0, 1000 },
        { "bytes=500-",            206, 500, 500 },
        { "bytes=999-",            206, 999, 1 },
        { "bytes=-1",              206, 999, 1 },
        { "bytes=-1000",           206, 0, 1000 },
        { "bytes=-5000",           206, 0, 1000 },
        { "BYTES=5-9",             206, 5, 5 },
        { "bytes= 5-9 ",           206, 5, 5 },
        { "bytes=1000-",           416, 0, 0 },
        { "bytes=1000-1001",       416, 0, 0 },
        { "bytes=18446744073709551615-", 416, 0, 0 },
        { "bytes=99999999999999999999999-", 416, 0, 0 },
        { "bytes=-0",              416, 0, 0 },
        /* not one range: all of it */
        { "",                      200, 0, SIZE },
        { "bytes",                 200, 0, SIZE },
        { "bytes=",                200, 0, SIZE },
        { "bytes=-",               200, 0, SIZE },
        { "bytes=--5",             200, 0, SIZE },
        { "bytes=9-5",             200, 0, SIZE },
        { "bytes=5",               200, 0, SIZE },
        { "bytes=a-b",             200, 0, SIZE },
        { "bytes=5-9x",            200, 0, SIZE },
        { "bytes=+5-9",            200, 0, SIZE },
        { "bytes=0x5-9",           200, 0, SIZE },
        { "bytes 5-9",             200, 0, SIZE },
        { "rows=5-9",              200, 0, SIZE },
        { "bytes=0-1,5-9",         200, 0, SIZE },
        { "bytes=0-1, -5",         200, 0, SIZE },
    };
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        struct range_part p = get(v[i].range);
        unit_check(p.status == v[i].status && p.first == v[i].first && p.n == v[i].n, __FILE__, __LINE__, "%s: %d %llu+%llu", v[i].range, p.status,
                   (unsigned long long)p.first, (unsigned long long)p.n);
    }
}

TEST(ranges_are_for_get)
{
    CHECK_INT(range_decide(&(struct request){ .method = "HEAD", .range = "bytes=0-1" }, &file).status, 200);
    CHECK_INT(range_decide(&(struct request){ .method = "HEAD", .range = "bytes=0-1" }, &file).n, SIZE);
    CHECK_INT(range_decide(&(struct request){ .range = "bytes=0-1" }, &file).status, 200);
}

TEST(a_file_without_bytes)
{
    const struct range_file none = { 0, "\"e\"", 0 };
    CHECK_INT(range_decide(&(struct request){ .method = "GET" }, &none).status, 200);
    CHECK_INT(range_decide(&(struct request){ .method = "GET", .range = "bytes=0-" }, &none).status, 416);
    CHECK_INT(range_decide(&(struct request){ .method = "GET", .range = "bytes=-5" }, &none).status, 416);
}

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACT  "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER  "Mon, 07 Nov 1994 08:49:37 GMT"

TEST(preconditions)
{
    static const struct { struct request rq; int status; } v[] = {
        { { .if_none_match = "\"abc\"" }, 304 }, { { .if_none_match = "W/\"abc\"" }, 304 }, { { .if_none_match = "\"x\", \"abc\"" }, 304 },
        { { .if_none_match = "\"x\",W/\"y\" , \"abc\" " }, 304 }, { { .if_none_match = "*" }, 304 }, { { .if_none_match = " * " }, 304 },
        { { .if_none_match = "\"x\"" }, 200 }, { { .if_none_match = "abc" }, 200 }, { { .if_none_match = "\"abc" }, 200 }, { { .if_none_match = "" }, 200 },
        { { .if_none_match = "\"a\"b\"c\"" }, 200 }, { { .if_none_match = "\"ABC\"" }, 200 }, { { .if_none_match = "\"abcd\"" }, 200 },
        { { .if_modified_since = EXACT }, 304 }, { { .if_modified_since = AFTER }, 304 }, { { .if_modified_since = BEFORE }, 200 },
        { { .if_modified_since = "yesterday" }, 200 }, { { .if_modified_since = EXACT "x" }, 200 }, { { .if_modified_since = "" }, 200 },
        { { .if_none_match = "\"x\"", .if_modified_since = AFTER }, 200 },      /* the tag counts */
        { { .if_match = "\"abc\"" }, 200 }, { { .if_match = "*" }, 200 }, { { .if_match = "\"x\"" }, 412 }, { { .if_match = "W/\"abc\"" }, 412 },
        { { .if_unmodified_since = EXACT }, 200 }, { { .if_unmodified_since = AFTER }, 200 }, { { .if_unmodified_since = BEFORE }, 412 },
        { { .if_unmodified_since = "nonsense" }, 200 }, { { .if_match = "\"abc\"", .if_unmodified_since = BEFORE }, 200 },
        { { .if_match = "\"x\"", .if_none_match = "\"abc\"" }, 412 },
        { { .range = "bytes=0-1", .if_unmodified_since = EXACT }, 206 },        /* as BITS asks */
        { { .range = "bytes=0-1", .if_unmodified_since = BEFORE }, 412 },
        { { .range = "bytes=0-1", .if_none_match = "\"abc\"" }, 304 },
        { { .range = "bytes=0-1", .if_range = "\"abc\"" }, 206 }, { { .range = "bytes=0-1", .if_range = "\"x\"" }, 200 },
        { { .range = "bytes=0-1", .if_range = "W/\"abc\"" }, 200 }, { { .range = "bytes=0-1", .if_range = EXACT }, 206 },
        { { .range = "bytes=0-1", .if_range = AFTER }, 200 }, { { .range = "bytes=0-1", .if_range = BEFORE }, 200 }, { { .range = "bytes=0-1", .if_range = "" }, 200 },
        { { .range = "bytes=5000-", .if_range = "\"x\"" }, 200 }, { { .range = "bytes=5000-", .if_range = "\"abc\"" }, 416 },
    };
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        struct request rq = v[i].rq;
        rq.method = "GET";
        struct range_part p = range_decide(&rq, &file);
        unit_check(p.status == v[i].status, __FILE__, __LINE__, "%zu: %d", i, p.status);
        CHECK_INT(p.n, p.status == 200 ? SIZE : p.status == 206 ? 2 : 0);
    }
}

/* Whose time is not known has no dates to compare. */
TEST(without_a_date)
{
    const struct range_file f = { SIZE, "\"abc\"", 0 };
    CHECK_INT(range_decide(&(struct request){ .method = "GET", .if_modified_since = AFTER }, &f).status, 200);
    CHECK_INT(range_decide(&(struct request){ .method = "GET", .if_unmodified_since = BEFORE }, &f).status, 200);
    CHECK_INT(range_decide(&(struct request){ .method = "GET", .range = "bytes=0-1", .if_range = EXACT }, &f).status, 200);
}
