/* test_stall.c - waits that nest are one, threads of no pool do not count, and a pool that is full says so. */
#include "backend/base/stall.h"
#include "tests/unit.h"

struct counted { unsigned begun, ended, most; };

static bool begun(void *ctx)
{
    struct counted *c = ctx;
    if (c->begun - c->ended >= c->most)
        return false;
    c->begun++;
    return true;
}

static void ended(void *ctx) { ((struct counted *)ctx)->ended++; }
static bool full(void *ctx) { const struct counted *c = ctx; return c->begun - c->ended >= c->most; }

TEST(waits_nest)
{
    struct counted c = { .most = 1 };
    const struct stall_pool p = { begun, ended, full, &c };
    CHECK(stall_begin() && !stall_full()); /* of no pool */
    stall_end();
    stall_join(&p);
    CHECK(stall_begin() && stall_begin());
    CHECK_INT(c.begun, 1);
    CHECK(!stall_full()); /* it is one of them itself */
    stall_end();
    CHECK_INT(c.ended, 0);
    stall_end();
    CHECK_INT(c.ended, 1);
    c.most = 0;
    CHECK(stall_full());
    CHECK(!stall_begin() && !stall_begin());
    CHECK(stall_full());
    stall_end();
    stall_end();
    CHECK_INT(c.begun, 1);
    CHECK_INT(c.ended, 1);
    stall_join(NULL);
}
