/* Callbacks at their moments, and no callback after its cancelling. */
#include "tests/unit.h"
#include "fcgi/timer.h"
#include "backend/base/filetime.h"
#include <stdatomic.h>
#include <time.h>

struct one { struct timer t; atomic_int fired; uint64_t at; struct timers *ts; unsigned again; };

static void fire(struct timer *t)
{
    struct one *o = (struct one *)t;
    o->at = clock_ms();
    atomic_fetch_add(&o->fired, 1);
    if (o->again != 0 && o->again-- != 0)
        timer_set(o->ts, t, o->at + 5, fire);
}

static void nap(long ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static void wait_fired(struct one *o, int n)
{
    for (int i = 0; i < 2000 && atomic_load(&o->fired) < n; i++)
        nap(1);
}

TEST(fires_in_order_and_on_time)
{
    enum { N = 200 };
    static struct one o[N];
    struct timers *ts = timer_begin();
    REQUIRE(ts != NULL);
    uint64_t now = clock_ms();
    for (size_t i = 0; i < N; i++)
        timer_set(ts, &o[i].t, now + 20 + i * 37 % N, fire);
    for (size_t i = 0; i < N; i++)
        wait_fired(&o[i], 1);
    for (size_t i = 0; i < N; i++) {
        CHECK_INT(o[i].fired, 1);
        CHECK(o[i].at >= now + 20 + i * 37 % N);
    }
    timer_end(ts);
}

TEST(the_past_fires_at_once_and_wakes_a_sleeper)
{
    struct one late = { 0 }, soon = { 0 };
    struct timers *ts = timer_begin();
    timer_set(ts, &late.t, clock_ms() + 100000, fire);
    nap(20);
    timer_set(ts, &soon.t, 1, fire);
    wait_fired(&soon, 1);
    CHECK_INT(soon.fired, 1);
    CHECK_INT(late.fired, 0);
    timer_end(ts); /* late never fires */
}

TEST(cancelled_ones_do_not_fire)
{
    enum { N = 100 };
    static struct one o[N];
    struct timers *ts = timer_begin();
    uint64_t now = clock_ms();
    for (size_t i = 0; i < N; i++)
        timer_set(ts, &o[i].t, now + 60 + i % 7, fire);
    for (size_t i = 0; i < N; i += 3)
        timer_cancel(ts, &o[i].t);
    timer_cancel(ts, &o[0].t); /* again: nothing */
    nap(120);
    for (size_t i = 0; i < N; i++)
        CHECK_INT(o[i].fired, i % 3 != 0);
    timer_end(ts);
}

TEST(sets_itself_again_and_is_cancelled_while_running)
{
    struct one o = { .again = 100000 };
    struct timers *ts = o.ts = timer_begin();
    timer_set(ts, &o.t, clock_ms(), fire);
    wait_fired(&o, 5);
    timer_cancel(ts, &o.t);
    int n = o.fired;
    CHECK(n >= 5);
    nap(30);
    CHECK_INT(o.fired, n);
    timer_end(ts);
}

TEST(moved_to_another_moment)
{
    struct one o = { 0 };
    struct timers *ts = timer_begin();
    timer_set(ts, &o.t, clock_ms() + 100000, fire);
    timer_set(ts, &o.t, clock_ms() + 10, fire);
    wait_fired(&o, 1);
    CHECK_INT(o.fired, 1);
    timer_set(ts, &o.t, clock_ms() + 10, fire);
    timer_set(ts, &o.t, clock_ms() + 100000, fire);
    nap(40);
    CHECK_INT(o.fired, 1);
    timer_end(ts);
}
