/* timer.c - a heap of moments, and the thread that sleeps until the first of them. */
#include "fcgi/timer.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct timers {
    pthread_mutex_t lock;
    pthread_cond_t  wake, done;      /* something earlier was set; a fire() has returned */
    pthread_t       thread;
    struct timer  **heap;
    size_t          n, cap;
    uint64_t        sleeps_until;    /* 0: the thread is awake and looks again by itself */
    struct timer   *running;
    bool            stop;
};

static void place(struct timers *ts, size_t i, struct timer *t)
{
    ts->heap[i] = t;
    t->slot = i + 1;
}

static void sift_up(struct timers *ts, size_t i, struct timer *t)
{
    while (i > 0 && ts->heap[(i - 1) / 2]->due > t->due) {
        place(ts, i, ts->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i, struct timer *t)
{
    for (size_t child; (child = 2 * i + 1) < ts->n; i = child) {
        if (child + 1 < ts->n && ts->heap[child + 1]->due < ts->heap[child]->due)
            child++;
        if (ts->heap[child]->due >= t->due)
            break;
        place(ts, i, ts->heap[child]);
    }
    place(ts, i, t);
}

static void take_out(struct timers *ts, struct timer *t)
{
    if (t->slot == 0)
        return;
    size_t i = t->slot - 1;
    struct timer *last = ts->heap[--ts->n];
    t->slot = 0;
    if (last == t)
        return;
    if (i > 0 && ts->heap[(i - 1) / 2]->due > last->due)
        sift_up(ts, i, last);
    else
        sift_down(ts, i, last);
}

static void put_in(struct timers *ts, struct timer *t)
{
    if (ts->n == ts->cap) { /* lives as long as the process, bounded by the number of connections */
        ts->cap = ts->cap != 0 ? 2 * ts->cap : 256;
        ts->heap = realloc(ts->heap, ts->cap * sizeof *ts->heap);
        must(ts->heap != NULL);
    }
    sift_up(ts, ts->n++, t);
}

void timer_set(struct timers *ts, struct timer *t, uint64_t due, void (*fire)(struct timer *))
{
    pthread_mutex_lock(&ts->lock);
    take_out(ts, t);
    t->due = due;
    t->fire = fire;
    put_in(ts, t);
    bool earlier = due < ts->sleeps_until;
    if (earlier)
        ts->sleeps_until = due;
    pthread_mutex_unlock(&ts->lock);
    if (earlier)
        pthread_cond_signal(&ts->wake);
}

void timer_cancel(struct timers *ts, struct timer *t)
{
    pthread_mutex_lock(&ts->lock);
    take_out(ts, t);
    while (ts->running == t && !pthread_equal(pthread_self(), ts->thread)) {
        pthread_cond_wait(&ts->done, &ts->lock);
        take_out(ts, t); /* fire() may have set it again */
    }
    pthread_mutex_unlock(&ts->lock);
}

static void sleep_until(struct timers *ts, uint64_t due)
{
    struct timespec at;
    uint64_t now = clock_ms(), left = due > now ? due - now : 0;
    ts->sleeps_until = due;
    if (due == UINT64_MAX) {
        pthread_cond_wait(&ts->wake, &ts->lock);
    } else {
        clock_gettime(CLOCK_MONOTONIC, &at);
        uint64_t ns = (uint64_t)at.tv_nsec + left % 1000 * 1000000;
        at.tv_sec += (time_t)(left / 1000 + ns / 1000000000);
        at.tv_nsec = (long)(ns % 1000000000);
        pthread_cond_timedwait(&ts->wake, &ts->lock, &at);
    }
    ts->sleeps_until = 0;
}

static void fire_first(struct timers *ts)
{
    struct timer *t = ts->heap[0];
    take_out(ts, t);
    ts->running = t;
    pthread_mutex_unlock(&ts->lock);
    t->fire(t);
    pthread_mutex_lock(&ts->lock);
    ts->running = NULL;
    pthread_cond_broadcast(&ts->done);
}

static void *timer_thread(void *arg)
{
    struct timers *ts = arg;
    pthread_mutex_lock(&ts->lock);
    while (!ts->stop) {
        if (ts->n == 0)
            sleep_until(ts, UINT64_MAX);
        else if (ts->heap[0]->due > clock_ms())
            sleep_until(ts, ts->heap[0]->due);
        else
            fire_first(ts);
    }
    pthread_mutex_unlock(&ts->lock);
    return NULL;
}

struct timers *timer_begin(void)
{
    struct timers *ts = calloc(1, sizeof *ts);
    must(ts != NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&ts->lock, NULL);
    pthread_cond_init(&ts->wake, &monotonic);
    pthread_cond_init(&ts->done, NULL);
    pthread_condattr_destroy(&monotonic);
    int failed = pthread_create(&ts->thread, NULL, timer_thread, ts);
    if (failed != 0) {
        free(ts);
        errno = failed;
        return NULL;
    }
    return ts;
}

void timer_end(struct timers *ts)
{
    pthread_mutex_lock(&ts->lock);
    ts->stop = true;
    pthread_mutex_unlock(&ts->lock);
    pthread_cond_signal(&ts->wake);
    pthread_join(ts->thread, NULL);
    free(ts->heap);
    free(ts);
}
