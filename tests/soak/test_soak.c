/* test_soak.c - make soak: one seed after the other, for SOAK_SECONDS (600); SOAK_SEED=n runs that one only.  SOAK_CLIENTS, SOAK_ACTIONS: how much each does. */
#include "tests/soak/soak.h"
#include "backend/base/filetime.h"
#include "tests/unit.h"
#include <stdio.h>
#include <stdlib.h>

static unsigned number(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void tell(const struct soak_options *o, const struct soak_counts *n, unsigned faults, uint64_t ms)
{
    printf("seed %u: %u faults; %llu s, %u requests, %u sent again, %u answers thrown away; %u kills, %u stops, %u ends, %u hang-ups, Redis %u killed %u cut; "
           "%u refused, %u code 18, %u sessions lost with Redis\n",
           o->seed, faults, (unsigned long long)(ms / 1000), n->requests, n->repeats, n->answers_lost, n->kills, n->stops, n->terms, n->hang_ups,
           n->redis_kills, n->redis_cuts, n->refused, n->shut_out, n->lost);
    fflush(stdout);
}

TEST_LIMIT(soak, 1000000)
{
    struct soak_options o = { number("SOAK_SEED", (unsigned)clock_us()), number("SOAK_CLIENTS", 4), number("SOAK_ACTIONS", 150) };
    uint64_t until = clock_ms() + (uint64_t)number("SOAK_SECONDS", 600) * 1000;
    do {
        struct soak_counts n = { 0 };
        uint64_t begun = clock_ms();
        unsigned faults = soak_run(&o, &n);
        tell(&o, &n, faults, clock_ms() - begun);
        CHECK_INT(faults, 0);
        o.seed++;
    } while (clock_ms() < until && getenv("SOAK_SEED") == NULL);
}
