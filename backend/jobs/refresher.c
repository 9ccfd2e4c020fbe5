/* refresher.c - turn after turn, the directory server's objects come into the address book. */
#include "backend/jobs/refresher.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/directory/source/refresh.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_S = 5, ARENA_MAX = 1 << 30 };

struct refresher {
    const struct config *config;
    struct directory    *directory;
    pthread_t       thread;
    pthread_mutex_t lock;
    pthread_cond_t  wake;
    atomic_bool     stop;
};

static bool stopping(void *p) { return atomic_load(&((struct refresher *)p)->stop); }

static bool sleep_unless_stopped(struct refresher *r)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += r->config->book_ldap_refresh < LOOK_S ? (time_t)r->config->book_ldap_refresh : LOOK_S;
    pthread_mutex_lock(&r->lock);
    while (!stopping(r) && pthread_cond_timedwait(&r->wake, &r->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&r->lock);
    return stopping(r);
}

static void tell(struct arena *a, const struct sync_count *n)
{
    if (n->added + n->changed + n->removed + n->refused != 0)
        log_line(LOGL_INFO, "directory", "address book refreshed", "value",
                 arena_printf(a, "read %zu, added %zu, changed %zu, removed %zu, refused %zu", n->read, n->added, n->changed, n->removed, n->refused), NULL);
}

static void refused(void *ctx, const char *key, size_t line, const char *why)
{
    (void)ctx, (void)line;
    log_line(LOGL_WARN, "directory", "an object of the LDAP server is left out", "value", key, "error", why, NULL);
}

static void turn(struct refresher *r)
{
    struct timespec now;
    bool mine;
    struct sync_count n;
    const char *why;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (refresh_turn(r->directory, ms, r->config->book_ldap_refresh * 1000, &mine) != ecNone || !mine)
        return;
    struct arena *a = arena_new(ARENA_MAX);
    const struct sync_options o = { .say = refused, .stop = stopping, .ctx = r };
    if (refresh_now(r->directory, a, r->config, &o, &n, &why) == ecNone)
        tell(a, &n);
    else if (why != NULL && !stopping(r))
        log_line(LOGL_ERROR, "directory", "the address book was not refreshed", "error", why, NULL);
    arena_free(a);
}

static void *run(void *p)
{
    struct refresher *r = p;
    do
        turn(r);
    while (!sleep_unless_stopped(r));
    return NULL;
}

struct refresher *refresher_start(const struct config *c, struct directory *d)
{
    if (*c->book_ldap_base == '\0' || c->book_ldap_refresh == 0)
        return NULL;
    struct refresher *r = calloc(1, sizeof *r);
    must(r != NULL);
    r->config = c;
    r->directory = d;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    if (pthread_create(&r->thread, NULL, run, r) == 0)
        return r;
    free(r);
    return NULL;
}

void refresher_stop(struct refresher *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    atomic_store(&r->stop, true);
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
