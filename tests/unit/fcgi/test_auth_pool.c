/* test_auth_pool.c - work that waits: bounded, in turn by address, finished before the end. */
#include "tests/unit.h"
#include "fcgi/auth_pool.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

struct job { struct auth_work work; unsigned name; };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static unsigned order[64];
static atomic_uint ran;

static void run(struct auth_work *w)
{
    pthread_mutex_lock(&gate);
    order[atomic_fetch_add(&ran, 1)] = ((struct job *)w)->name;
    pthread_mutex_unlock(&gate);
}

static struct job job(const char *addr, unsigned name) { return (struct job){ { .run = run, .addr = addr }, name }; }

/* Nine of one address, then one of another and one of a third: those need not wait for the nine. */
TEST(in_turn_by_address)
{
    struct job j[12];
    ran = 0;
    struct auth_pool *p = auth_pool_start(1, 11);
    REQUIRE(p != NULL);
    pthread_mutex_lock(&gate);
    j[0] = job("first", 0); /* the thread stands with it before the gate */
    REQUIRE(auth_pool_put(p, &j[0].work));
    usleep(20000);
    for (unsigned i = 1; i < 10; i++) {
        j[i] = job("storm", i);
        REQUIRE(auth_pool_put(p, &j[i].work));
    }
    j[10] = job("a", 10);
    j[11] = job("b", 11);
    REQUIRE(auth_pool_put(p, &j[10].work));
    REQUIRE(auth_pool_put(p, &j[11].work));
    struct job more = job("c", 12);
    CHECK(!auth_pool_put(p, &more.work)); /* eleven wait */
    pthread_mutex_unlock(&gate);
    auth_pool_stop(p);
    CHECK_INT(ran, 12);
    static const unsigned want[] = { 0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9 };
    for (unsigned i = 0; i < 12; i++)
        CHECK_INT(order[i], want[i]);
}

TEST(several_threads)
{
    struct job j[50];
    ran = 0;
    struct auth_pool *p = auth_pool_start(4, 50);
    REQUIRE(p != NULL);
    for (unsigned i = 0; i < 50; i++) {
        j[i] = job("x", i);
        REQUIRE(auth_pool_put(p, &j[i].work));
    }
    auth_pool_stop(p);
    CHECK_INT(ran, 50);
    auth_pool_stop(NULL);
}
