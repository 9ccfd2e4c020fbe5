/* auth_pool.c - work queued by client address, taken in turn. */
#include "fcgi/auth_pool.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 5 };

struct auth_pool {
    pthread_mutex_t   lock;
    pthread_cond_t    bell;
    struct auth_work *first;         /* in no order: the lowest turn is next */
    size_t            n, most, threads;
    uint64_t          turn;          /* of the one that was taken last */
    bool              ending;
    pthread_t         thread[];
};

/* Fair queueing: a work's turn is one behind the last of its address that waits, and not before the present one. */
static uint64_t turn_of(const struct auth_pool *p, const char *addr)
{
    uint64_t turn = p->turn;
    for (const struct auth_work *w = p->first; w != NULL; w = w->next)
        if (w->turn >= turn && strcmp(w->addr, addr) == 0)
            turn = w->turn + 1;
    return turn;
}

/* Of equal turns the one that came first, which is the last in the list. */
static struct auth_work *take(struct auth_pool *p)
{
    struct auth_work **best = NULL;
    for (struct auth_work **at = &p->first; *at != NULL; at = &(*at)->next)
        if (best == NULL || (*at)->turn <= (*best)->turn)
            best = at;
    if (best == NULL)
        return NULL;
    struct auth_work *w = *best;
    *best = w->next;
    p->n--;
    p->turn = w->turn;
    return w;
}

static void *work(void *arg)
{
    struct auth_pool *p = arg;
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE); /* of this thread alone */
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct auth_work *w = take(p);
        if (w != NULL) {
            pthread_mutex_unlock(&p->lock);
            metric_add(METRIC_auth_waiting, -1);
            w->run(w);
            pthread_mutex_lock(&p->lock);
        } else if (p->ending) {
            break;
        } else {
            pthread_cond_wait(&p->bell, &p->lock);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct auth_pool *auth_pool_start(size_t threads, size_t most)
{
    struct auth_pool *p = calloc(1, sizeof *p + threads * sizeof p->thread[0]);
    must(p != NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->bell, NULL);
    p->most = most;
    for (; p->threads < threads; p->threads++) {
        int rc = pthread_create(&p->thread[p->threads], NULL, work, p);
        if (rc != 0) {
            auth_pool_stop(p);
            errno = rc;
            return NULL;
        }
    }
    return p;
}

void auth_pool_stop(struct auth_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->bell);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->bell);
    free(p);
}

bool auth_pool_put(struct auth_pool *p, struct auth_work *w)
{
    pthread_mutex_lock(&p->lock);
    bool room = p->n < p->most;
    if (room) {
        w->turn = turn_of(p, w->addr);
        w->next = p->first;
        p->first = w;
        p->n++;
        metric_add(METRIC_auth_waiting, 1);
        pthread_cond_signal(&p->bell);
    }
    pthread_mutex_unlock(&p->lock);
    return room;
}
