/* offliner.c - turn after turn, what changed in the address book comes into the files that clients download. */
#include "backend/jobs/offliner.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_S = 20, SWEEP_EVERY = 30, ARENA_MAX = 1 << 24 };

struct offliner {
    const struct config *config;
    struct directory    *directory;
    const struct offline_values *from;
    unsigned        turns;
    pthread_t       thread;
    pthread_mutex_t lock;
    pthread_cond_t  wake;
    atomic_bool     stop;
};

static bool stopping(void *p) { return atomic_load(&((struct offliner *)p)->stop); }

static bool sleep_unless_stopped(struct offliner *o)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += o->config->offline_address_book_interval < LOOK_S ? (time_t)o->config->offline_address_book_interval : LOOK_S;
    pthread_mutex_lock(&o->lock);
    while (!stopping(o) && pthread_cond_timedwait(&o->wake, &o->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&o->lock);
    return stopping(o);
}

static void make(struct offliner *o, uint32_t org)
{
    const struct offline_stop stop = { stopping, o };
    struct arena *a = arena_new(ARENA_MAX);
    bool made;
    ec_t ec = offline_make(o->directory, a, o->from, org, &stop, &made);
    if (ec != ecNone && !stopping(o))
        log_line(LOGL_WARN, "directory", "an offline address book was not made; it is tried again", "error", err_name(ec), NULL);
    arena_free(a);
}

/* All books that are due, one after the other.  Who died while he made one left pieces: they are looked for from time to time. */
static void turn(struct offliner *o)
{
    uint32_t org = 0;
    if (o->turns++ % SWEEP_EVERY == 0)
        offline_sweep(o->directory, offline_now());
    while (!stopping(o) && offline_next(o->directory, offline_now(), o->config->offline_address_book_interval * 1000, &org) == ecNone && org != 0)
        make(o, org);
}

static void *run(void *p)
{
    struct offliner *o = p;
    while (!sleep_unless_stopped(o))
        turn(o);
    return NULL;
}

struct offliner *offliner_start(const struct config *c, struct directory *d, const struct offline_values *from)
{
    if (!c->offline_address_book || c->offline_address_book_interval == 0)
        return NULL;
    struct offliner *o = calloc(1, sizeof *o);
    must(o != NULL);
    o->config = c;
    o->directory = d;
    o->from = from;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->wake, NULL);
    if (pthread_create(&o->thread, NULL, run, o) == 0)
        return o;
    free(o);
    return NULL;
}

void offliner_stop(struct offliner *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->lock);
    atomic_store(&o->stop, true);
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    pthread_join(o->thread, NULL);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
