/* waits.c - the waiting room: who is in it, whose time is over, whose hold is to be renewed, and the threads that look. */
#include "session/wait.h"
#include "backend/base/filetime.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { HOLD_BATCH = 256, HOLD_EARLY = 1000, HOLD_ARENA = 16 << 20, DOWN_PAUSE = 1000 };

/* --- the table, with the lock held ------------------------------------------------------------------------------------------------------------ */

static struct wait_list *bucket(struct waits *ws, const uint8_t id[CONTEXT_ID])
{
    return &ws->hash[((size_t)id[0] << 8 | id[1]) % (sizeof ws->hash / sizeof ws->hash[0])];
}

static uint64_t user_hash(const char *login)
{
    uint64_t h = 14695981039346656037u;
    for (; *login != '\0'; login++)
        h = (h ^ (uint8_t)*login) * 1099511628211u;
    return h;
}

static void enqueue(struct session_wait *w)
{
    struct wait_tail *q = w->end != WAIT_GOES_ON || w->look ? &w->home->urgent : &w->home->idle;
    if (!w->parked || !w->here || w->busy || w->queued == q || w->queued == &w->home->urgent)
        return;
    if (w->queued != NULL)
        TAILQ_REMOVE(w->queued, w, in_queue);
    w->queued = q;
    TAILQ_INSERT_TAIL(q, w, in_queue);
    pthread_cond_signal(&w->home->work);
}

static void mark(struct session_wait *w, enum wait_end end)
{
    if (w->end == WAIT_GOES_ON)
        w->end = (uint8_t)end;
    enqueue(w);
}

/* Beyond waits_per_user the user's oldest wait ends, as one that a newer wait replaces. */
static void limit_user(struct waits *ws, struct session_wait *w)
{
    struct wait_list *l = &ws->of_user[w->user % WAIT_BUCKETS];
    struct session_wait *other, *oldest = NULL;
    uint64_t n = 0, most = ws->env->config->waits_per_user;
    LIST_INSERT_HEAD(l, w, same_user);
    if (most == 0)
        return;
    LIST_FOREACH(other, l, same_user)
        if (other->user == w->user && other->end == WAIT_GOES_ON) {
            oldest = other;
            n++;
        }
    if (n <= most)
        return;
    metric_add(METRIC_limit_waits, 1);
    mark(oldest, WAIT_ROOM);
}

static void take_out(struct session_wait *w)
{
    struct waits *ws = w->home;
    LIST_REMOVE(w, same_hash);
    LIST_REMOVE(w, same_user);
    TAILQ_REMOVE(&ws->deadlines, w, by_deadline);
    TAILQ_REMOVE(&ws->holds, w, by_hold);
    w->here = false;
    ws->n--;
}

/* --- marks, from any thread --------------------------------------------------------------------------------------------------------------------- */

void waits_rung(struct wait_ear *e, uint64_t seq)
{
    struct session_wait *w = e->wait;
    pthread_mutex_lock(&w->home->lock);
    if (seq > e->looked) {
        if (w->rung_us == 0 && seq != RING_UNKNOWN)
            w->rung_us = clock_us();
        w->look = true;
        enqueue(w);
    }
    pthread_mutex_unlock(&w->home->lock);
}

void waits_looked(struct wait_ear *e, uint64_t seq)
{
    pthread_mutex_lock(&e->wait->home->lock);
    if (seq > e->looked)
        e->looked = seq;
    pthread_mutex_unlock(&e->wait->home->lock);
}

void waits_saw(struct session_wait *w, uint64_t sequence)
{
    pthread_mutex_lock(&w->home->lock);
    w->sequence = sequence;
    pthread_mutex_unlock(&w->home->lock);
}

/* What other processes tell, on the bell's thread. */
static void told(void *ctx, const struct blob *message)
{
    struct waits *ws = ctx;
    uint8_t id[CONTEXT_ID];
    uint64_t number;
    if (message == NULL || !context_wait_told(*message, id, &number))
        return; /* what was missed is learnt when the hold is renewed */
    pthread_mutex_lock(&ws->lock);
    struct session_wait *w;
    LIST_FOREACH(w, bucket(ws, id), same_hash)
        if (memcmp(w->id, id, CONTEXT_ID) == 0) {
            w->look |= number == WAIT_TOLD_LOOK;
            if (number == WAIT_TOLD_LOOK)
                enqueue(w);
            else if (number == WAIT_TOLD_ENDED || number > w->number)
                mark(w, number == WAIT_TOLD_ENDED ? WAIT_SESSION : WAIT_NEWER);
        }
    pthread_mutex_unlock(&ws->lock);
}

/* --- the keeper ----------------------------------------------------------------------------------------------------------------------------------- */

struct batch { struct session_wait *w[HOLD_BATCH]; struct wait_hold hold[HOLD_BATCH]; size_t n; };

static void collect(struct waits *ws, uint64_t now, struct batch *b)
{
    b->n = 0;
    for (struct session_wait *w; b->n < HOLD_BATCH && (w = TAILQ_FIRST(&ws->holds)) != NULL && w->hold_due <= now + HOLD_EARLY; b->n++) {
        TAILQ_REMOVE(&ws->holds, w, by_hold);
        TAILQ_INSERT_TAIL(&ws->holds, w, by_hold);
        w->hold_due = now + WAIT_RENEW_MS;
        atomic_fetch_add(&w->refs, 1);
        b->w[b->n] = w;
        b->hold[b->n] = (struct wait_hold){ .number = w->number, .retention_ms = w->retention_ms };
        memcpy(b->hold[b->n].id, w->id, CONTEXT_ID);
    }
}

static void learn(struct session_wait *w, const struct wait_hold *h)
{
    if (!w->here)
        return;
    if (h->held == WAIT_REPLACED)
        mark(w, WAIT_NEWER);
    else if (h->held == WAIT_NO_CONTEXT)
        mark(w, WAIT_SESSION);
    else if (h->held == WAIT_HELD && h->sequence != w->sequence) { /* it may have logged on elsewhere */
        w->look = true;
        enqueue(w);
    }
}

/* With the lock held, which is released while Redis is asked. */
static void renew(struct waits *ws, struct batch *b)
{
    struct arena *a = arena_new(HOLD_ARENA);
    pthread_mutex_unlock(&ws->lock);
    context_wait_hold(ws->env, a, bell_name(ws->bell), b->hold, b->n);
    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < b->n; i++)
        learn(b->w[i], &b->hold[i]);
    pthread_mutex_unlock(&ws->lock);
    for (size_t i = 0; i < b->n; i++)
        waits_drop(b->w[i]);
    arena_free(a);
    pthread_mutex_lock(&ws->lock);
}

static void sleep_until(struct waits *ws, uint64_t due)
{
    uint64_t now = clock_ms(), left = due > now ? due - now : 0;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t ns = (uint64_t)at.tv_nsec + left % 1000 * 1000000;
    at.tv_sec += (time_t)(left / 1000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&ws->keeper_wake, &ws->lock, &at);
}

/* Both lists are in the order of their moments, since all waits last equally long. */
static void *keep(void *arg)
{
    struct waits *ws = arg;
    struct batch *b = calloc(1, sizeof *b);
    must(b != NULL);
    pthread_mutex_lock(&ws->lock);
    while (!ws->stop) {
        uint64_t now = clock_ms(), next = now + HOLD_EARLY;
        struct session_wait *w;
        TAILQ_FOREACH(w, &ws->deadlines, by_deadline) {
            if (w->deadline > now) {
                next = w->deadline < next ? w->deadline : next;
                break;
            }
            mark(w, WAIT_TIME);
        }
        w = TAILQ_FIRST(&ws->holds);
        if (w != NULL && w->hold_due <= now) {
            collect(ws, now, b);
            renew(ws, b);
        } else {
            next = w != NULL && w->hold_due < next ? w->hold_due : next;
            sleep_until(ws, next);
        }
    }
    pthread_mutex_unlock(&ws->lock);
    free(b);
    return NULL;
}

/* --- the lookers ------------------------------------------------------------------------------------------------------------------------------------ */

/* With the lock held, which is released meanwhile. */
static void look_after(struct waits *ws, struct session_wait *w)
{
    bool look = w->look, compare = w->compare;
    enum wait_end end = w->end;
    w->look = w->compare = false;
    w->queued = NULL;
    w->busy = true;
    pthread_mutex_unlock(&ws->lock);
    if (end == WAIT_GOES_ON && (look || compare))
        end = wait_look(w, look);
    pthread_mutex_lock(&ws->lock);
    w->busy = false;
    if (end == WAIT_GOES_ON || w->end == WAIT_GONE)
        end = w->end;
    if (end == WAIT_GOES_ON) {
        if (!w->look)
            w->rung_us = 0;
        if (w->look || w->compare)
            enqueue(w);
        return;
    }
    w->end = (uint8_t)end;
    take_out(w);
    pthread_mutex_unlock(&ws->lock);
    metric_add(METRIC_waits_parked, -1);
    wait_finish(w, end);
    pthread_mutex_lock(&ws->lock);
}

static void *look(void *arg)
{
    struct waits *ws = arg;
    pthread_mutex_lock(&ws->lock);
    for (;;) {
        struct session_wait *w = TAILQ_FIRST(&ws->urgent);
        if (w == NULL)
            w = TAILQ_FIRST(&ws->idle);
        if (w != NULL) {
            TAILQ_REMOVE(w->queued, w, in_queue);
            look_after(ws, w);
        } else if (ws->stop) {
            break;
        } else {
            pthread_cond_wait(&ws->work, &ws->lock);
        }
    }
    pthread_mutex_unlock(&ws->lock);
    return NULL;
}

/* --- in and out ----------------------------------------------------------------------------------------------------------------------------------------- */

static size_t room(const struct config *c)
{
    struct rlimit l = { 0, 0 };
    if (c->waits_max != 0)
        return c->waits_max;
    getrlimit(RLIMIT_NOFILE, &l);
    return l.rlim_cur / 4 * 3;
}

/* With the first wait: the front has its descriptors by then. */
static void start(struct waits *ws)
{
    if (ws->started)
        return;
    ws->started = true;
    ws->most = room(ws->env->config);
    must(pthread_create(&ws->keeper, NULL, keep, ws) == 0);
    for (; ws->lookers < ws->env->config->wait_threads; ws->lookers++)
        must(pthread_create(&ws->looker[ws->lookers], NULL, look, ws) == 0);
}

struct session_wait *waits_enter(struct waits *ws, struct context *c, uint64_t number)
{
    struct session_wait *w = calloc(1, sizeof *w), *other; /* bounded by `most` */
    must(w != NULL);
    *w = (struct session_wait){ .home = ws, .number = number, .retention_ms = context_retention_ms(c), .sequence = c->sequence, .here = true };
    memcpy(w->id, c->id, CONTEXT_ID);
    w->user = user_hash(c->user);
    atomic_store(&w->refs, 2);
    uint64_t now = clock_ms();
    w->deadline = now + ws->env->config->wait_max * 1000 + 1; /* never a moment short */
    w->hold_due = now + WAIT_RENEW_MS;
    pthread_mutex_lock(&ws->lock);
    start(ws);
    LIST_FOREACH(other, bucket(ws, w->id), same_hash)
        if (memcmp(other->id, w->id, CONTEXT_ID) == 0)
            mark(other->number < number ? other : w, WAIT_NEWER);
    LIST_INSERT_HEAD(bucket(ws, w->id), w, same_hash);
    limit_user(ws, w);
    TAILQ_INSERT_TAIL(&ws->deadlines, w, by_deadline);
    TAILQ_INSERT_TAIL(&ws->holds, w, by_hold);
    if (++ws->n > ws->most)
        mark(TAILQ_FIRST(&ws->deadlines), WAIT_ROOM);
    pthread_mutex_unlock(&ws->lock);
    return w;
}

void waits_remove(struct session_wait *w)
{
    pthread_mutex_lock(&w->home->lock);
    take_out(w);
    pthread_mutex_unlock(&w->home->lock);
}

void waits_drop(struct session_wait *w)
{
    if (atomic_fetch_sub(&w->refs, 1) == 1)
        free(w);
}

bool waits_draining(struct waits *ws)
{
    pthread_mutex_lock(&ws->lock);
    bool draining = ws->draining;
    pthread_mutex_unlock(&ws->lock);
    return draining;
}

/* A Redis that does not answer is not asked again for each of ten thousand waits that end. */
bool waits_redis_serves(struct waits *ws) { return clock_ms() >= atomic_load(&ws->redis_again); }
void waits_redis_served(struct waits *ws, bool served)
{
    if (!served)
        atomic_store(&ws->redis_again, clock_ms() + DOWN_PAUSE);
}

/* --- the front's side ------------------------------------------------------------------------------------------------------------------------------------- */

void session_wait_park(struct session_wait *w, void (*ended)(void *front, const struct session_reply *r), void *front)
{
    metric_add(METRIC_waits_parked, 1);
    pthread_mutex_lock(&w->home->lock);
    w->ended = ended;
    w->front = front;
    w->parked = true;
    if (w->end != WAIT_GOES_ON || w->look || w->compare)
        enqueue(w);
    pthread_mutex_unlock(&w->home->lock);
}

void session_wait_compare(struct session_wait *w)
{
    pthread_mutex_lock(&w->home->lock);
    if (w->here) {
        w->compare = true;
        enqueue(w);
    }
    pthread_mutex_unlock(&w->home->lock);
}

bool session_wait_leave(struct session_wait *w)
{
    pthread_mutex_lock(&w->home->lock);
    bool ours = w->here;
    if (ours) {
        w->end = WAIT_GONE; /* whatever else was decided: nobody is there to hear it */
        enqueue(w);
    }
    pthread_mutex_unlock(&w->home->lock);
    return ours;
}

void session_wait_free(struct session_wait *w) { waits_drop(w); }

void session_waits_end(struct session_env *e)
{
    struct session_wait *w;
    pthread_mutex_lock(&e->waits->lock);
    e->waits->draining = true;
    TAILQ_FOREACH(w, &e->waits->deadlines, by_deadline)
        mark(w, WAIT_DRAIN);
    pthread_mutex_unlock(&e->waits->lock);
}

/* --- beginning and end ----------------------------------------------------------------------------------------------------------------------------------------- */

struct waits *waits_new(struct session_env *e)
{
    struct waits *ws = calloc(1, sizeof *ws);
    pthread_condattr_t monotonic;
    must(ws != NULL);
    ws->env = e;
    ws->bell = bell_new(e->config, e->redis, told, ws);
    TAILQ_INIT(&ws->deadlines);
    TAILQ_INIT(&ws->holds);
    TAILQ_INIT(&ws->urgent);
    TAILQ_INIT(&ws->idle);
    pthread_mutex_init(&ws->lock, NULL);
    pthread_cond_init(&ws->work, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ws->keeper_wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return ws;
}

void waits_free(struct waits *ws)
{
    pthread_mutex_lock(&ws->lock);
    ws->stop = true;
    pthread_cond_broadcast(&ws->work);
    pthread_cond_broadcast(&ws->keeper_wake);
    pthread_mutex_unlock(&ws->lock);
    if (ws->started)
        pthread_join(ws->keeper, NULL);
    for (size_t i = 0; i < ws->lookers; i++)
        pthread_join(ws->looker[i], NULL);
    must(ws->n == 0);
    bell_free(ws->bell);
    pthread_mutex_destroy(&ws->lock);
    pthread_cond_destroy(&ws->work);
    pthread_cond_destroy(&ws->keeper_wake);
    free(ws);
}
