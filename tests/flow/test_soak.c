/* test_soak.c - the soak (tests/soak), short: two seeds. */
#include "tests/soak/soak.h"
#include "tests/unit.h"
#include <stdio.h>

static void run(unsigned seed)
{
    struct soak_counts n = { 0 };
    CHECK_INT(soak_run(&(struct soak_options){ seed, 3, 25 }, &n), 0);
    printf("seed %u: %u requests, %u sent again, %u kills\n", seed, n.requests, n.repeats, n.kills);
    CHECK(n.requests > 100);
    CHECK(n.repeats > 5);
    CHECK(n.kills > 3);
}

TEST_LIMIT(exactly_once_under_fire_1, 120) { run(1); }
TEST_LIMIT(exactly_once_under_fire_2, 120) { run(20261123); }
