/* timer.h - one thread that calls back when a moment has come.
 *
 * A struct timer is part of what it belongs to and is zeroed before its first use.  fire() runs on the timer thread, must not block, and may set
 * its own timer again.  Setting and cancelling cost a lock and O(log n); the thread is woken only when the new moment is earlier than the one that
 * it sleeps for, so a timer that is usually cancelled before its time costs no wake-up. */
#ifndef FCGI_TIMER_H
#define FCGI_TIMER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timers;

struct timer {
    void   (*fire)(struct timer *t);
    uint64_t due;        /* clock_ms() */
    size_t   slot;       /* place in the heap + 1; 0 = not set */
};

/* Starts the thread; NULL if it cannot be started (errno).  timer_end stops it; what is still set never fires. */
struct timers *timer_begin(void);
void timer_end(struct timers *ts);

/* Sets, or moves to another moment.  A moment in the past fires at once. */
void timer_set(struct timers *ts, struct timer *t, uint64_t due, void (*fire)(struct timer *));

/* Afterwards fire() is not running and will not run.  Waits for a running one: the caller holds no lock that fire() takes.
 * Within fire() itself it only unsets. */
void timer_cancel(struct timers *ts, struct timer *t);
#endif
