/* conn_drain.c - the end of a front under load: nobody can connect any more, nginx gives its connections back, what is under way ends well.
 *
 * nginx (1.22) keeps idle connections and cannot be told that one will end: it takes one up, sends a request, and if we closed it at that moment the
 * request is lost (a POST counts as sent before its first byte is written, so it is not given to another worker).  Hence we never close first.  We
 * send a record that means nothing, an empty piece of STDERR: an idle connection on which something arrives is closed by nginx; one that it has just
 * taken up passes the record over and brings the request, which is served; one on which the record follows END_REQUEST is not kept. */
#include "fcgi/conn_int.h"
#include "fcgi/record.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE_MOST = 1000, QUEUE_AGAIN = 10 }; /* ms for descriptors to come free, for those who wait in the queue */

static void pause_ms(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

/* Who came before the end is served: a queue that is closed resets the connections in it, with the requests that nginx wrote already. */
static void accept_rest(struct front *f)
{
    uint64_t until = clock_ms() + QUEUE_MOST;
    while (!conn_accept(f, SIZE_MAX) && clock_ms() < until)
        pause_ms(QUEUE_AGAIN);
}

void conn_refuse(struct front *f)
{
    atomic_store(&f->draining, true);
    timer_cancel(f->timers, &f->accept_timer);
    epoll_ctl(f->epoll, EPOLL_CTL_DEL, f->listener, NULL);
    if (!f->place.passed) { /* what was passed to us belongs to others too: its queue waits for the next worker */
        shutdown(f->listener, SHUT_RD);  /* from here on a connect fails, and nginx goes to the next worker; the queue stays */
        listen_hide(&f->place);
        accept_rest(f);
    }
    close(f->listener);
}

void conn_give_back_locked(struct conn *c)
{
    uint8_t bytes[RECORD_HEAD];
    struct wr w = wr_over(bytes, sizeof bytes);
    record_nothing(&w, c->id);
    if (!c->given_back)
        c->given_back = send(c->fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof bytes;
}

static void each(struct front *f, enum conn_state state, void (*what)(struct conn *c))
{
    for (size_t i = 0; i < f->conns; i++) {
        struct conn *c = &f->conn[i];
        if (c->front == NULL)
            continue;
        pthread_mutex_lock(&c->lock);
        if (c->state == state)
            what(c);
        pthread_mutex_unlock(&c->lock);
    }
}

/* Answers that are put off so that guessing is slow do not hold up the end. */
void conn_retire(struct front *f)
{
    each(f, IDLE, conn_give_back_locked);
    each(f, DELAYED, conn_hurry_locked);
}

bool conn_asked(struct conn *c)
{
    char byte;
    shutdown(c->fd, SHUT_RD);
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void close_unless_asked(struct conn *c)
{
    if (!conn_asked(c))
        conn_close_locked(c);
}

void conn_part(struct front *f) { atomic_store(&f->parting, true); }

/* A download that a slow peer draws out does not hold up the end either. */
void conn_idle_close(struct front *f)
{
    each(f, IDLE, close_unless_asked);
    each(f, WRITING, conn_source_part_locked);
}

bool conn_draining(const struct front *f) { return atomic_load(&f->draining); }
bool conn_parting(const struct front *f) { return atomic_load(&f->parting); }
