/* sweeper.c - mailbox after mailbox, a bounded step at a time. */
#include "backend/jobs/sweeper.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { STEP_ROWS = 500, STEP_PAUSE_MS = 20, ARENA_MAX = 64 << 20 };

struct sweeper {
    struct sweeper_options o;
    pthread_t       thread;
    pthread_mutex_t lock;
    pthread_cond_t  wake;
    bool            stop;
};

/* --- a round ----------------------------------------------------------------------------------------------------------------------------- */

static ec_t sweep_step(const struct sweeper_options *o, const struct person *p, bool *more)
{
    static const struct actor system = { ACTOR_SYSTEM, "" };
    struct arena *a = arena_new(ARENA_MAX);
    struct mailbox *m;
    ec_t ec = mailbox_open(o->store, a, &p->mailbox, &system, &m);
    if (ec == ecNone)
        ec = mailbox_sweep(m, o->alive, o->ctx, o->max_age_s, STEP_ROWS, more);
    arena_free(a);
    return ec;
}

static void pause_ms(long ms) { nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL); }

/* A mailbox that is busy or was removed in the meantime is left to the next round. */
static bool sweep_mailbox(const struct sweeper_options *o, const struct person *p, bool (*stop)(void *), void *ctx)
{
    bool more = true;
    while (more && !stop(ctx)) {
        ec_t ec = sweep_step(o, p, &more);
        if (ec != ecNone) {
            if (ec != ecNotFound && ec != ecServerBusy)
                log_line(LOGL_WARN, "jobs", "mailbox not swept", "user", p->login, "error", err_name(ec), NULL);
            return ec == ecNotFound;
        }
        if (more)
            pause_ms(STEP_PAUSE_MS);
    }
    return true;
}

size_t sweeper_round(const struct sweeper_options *o, bool (*stop)(void *ctx), void *stop_ctx)
{
    struct arena *a = arena_new(ARENA_MAX);
    struct person *v = NULL;
    size_t n = 0, failed = 0;
    if (directory_list(o->directory, a, &v, &n) != ecNone)
        failed++;
    for (size_t i = 0; i < n && !stop(stop_ctx); i++)
        failed += v[i].has_mailbox && !sweep_mailbox(o, &v[i], stop, stop_ctx);
    arena_free(a);
    return failed;
}

/* --- the thread -------------------------------------------------------------------------------------------------------------------------- */

static bool stopping(void *p)
{
    struct sweeper *s = p;
    pthread_mutex_lock(&s->lock);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static bool sleep_unless_stopped(struct sweeper *s, unsigned seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&s->lock);
    while (!s->stop && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
        ;
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static void *run(void *p)
{
    struct sweeper *s = p;
    uint32_t random;
    crypto_random(&random, sizeof random);
    unsigned first = random % (s->o.interval_s + 1);
    while (!sleep_unless_stopped(s, first)) {
        sweeper_round(&s->o, stopping, s);
        first = s->o.interval_s;
    }
    return NULL;
}

struct sweeper *sweeper_start(const struct sweeper_options *o)
{
    struct sweeper *s = calloc(1, sizeof *s);
    must(s != NULL);
    s->o = *o;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    if (pthread_create(&s->thread, NULL, run, s) == 0)
        return s;
    free(s);
    return NULL;
}

void sweeper_stop(struct sweeper *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
