/* conn.c - nginx's connections coming in: epoll, half requests, libfcgi's parser.  The only file that knows libfcgi. */
#include "fcgi/conn_int.h"
#include "fcgi/record.h"
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <errno.h>
#include <fcgiapp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    PEEK          = 16384,   /* parameters beyond this are read without having been seen whole */
    PEEK_AGAIN    = 10,      /* ms between two looks at half a request */
    PEEK_MOST     = 1000,    /* ms for the parameters to be whole */
    READ_STALL    = 1000,    /* ms that a read may wait, for a peer that stops within a request */
    BODY_MOST     = 15000,   /* ms for a whole body */
    ACCEPT_BATCH  = 64,
    ACCEPT_AGAIN  = 50,      /* ms after running out of descriptors */
    SPARE_LOOKS   = 500      /* ms after which an idle spare thread asks whether it is needed */
};

/* Tags of epoll that are not connections; a connection's is generation and descriptor. */
static const uint64_t TAG_LISTENER = UINT64_MAX, TAG_BELL = UINT64_MAX - 1;

static uint64_t tag_of(const struct conn *c) { return (uint64_t)c->generation << 32 | (uint32_t)c->fd; }

void conn_arm(struct conn *c, uint32_t events, int op)
{
    struct epoll_event e = { .events = events | EPOLLRDHUP | EPOLLONESHOT, .data.u64 = tag_of(c) };
    must(epoll_ctl(c->front->epoll, op, c->fd, &e) == 0);
}

/* --- ends and beginnings of connections ---------------------------------------------------------------------------- */

void conn_close_locked(struct conn *c)
{
    struct arena *a = c->arena, *early = c->early_arena, *piece = c->piece;
    bool was_busy = c->state != IDLE;
    struct front *f = c->front;
    int fd = c->fd;
    conn_source_end(c, false);
    c->state = FREE;
    c->arena = c->early_arena = c->piece = NULL;
    atomic_fetch_sub(&f->open, 1);
    if (was_busy)
        atomic_fetch_sub(&f->busy, 1);
    close(fd);
    arena_free(a);
    arena_free(early);
    arena_free(piece);
}

void conn_drop(struct conn *c)
{
    pthread_mutex_lock(&c->lock);
    conn_close_locked(c);
    pthread_mutex_unlock(&c->lock);
}

bool conn_take(struct conn *c, uint32_t generation, enum conn_state from)
{
    pthread_mutex_lock(&c->lock);
    bool ours = c->generation == generation && c->state == from;
    if (ours) {
        if (from == IDLE)
            atomic_fetch_add(&c->front->busy, 1);
        c->state = BUSY;
    }
    pthread_mutex_unlock(&c->lock);
    return ours;
}

void conn_wait(struct conn *c)
{
    pthread_mutex_lock(&c->lock);
    if (!atomic_load(&c->front->parting) || conn_asked(c)) {
        c->state = IDLE;
        atomic_fetch_sub(&c->front->busy, 1);
        if (atomic_load(&c->front->draining))
            conn_give_back_locked(c);
        conn_arm(c, EPOLLIN, EPOLL_CTL_MOD);
    } else {
        conn_close_locked(c);
    }
    pthread_mutex_unlock(&c->lock);
}

static void set_stall(int fd)
{
    struct timeval t = { READ_STALL / 1000, READ_STALL % 1000 * 1000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static void adopt(struct front *f, int fd)
{
    if ((size_t)fd >= f->conns) {
        close(fd);
        return;
    }
    struct conn *c = &f->conn[fd];
    set_stall(fd);
    pthread_mutex_lock(&c->lock);
    c->front = f;
    c->fd = fd;
    c->generation++;
    c->state = IDLE;
    c->looking_since = 0;
    c->id = 1; /* the one that nginx uses; until a request says it */
    c->given_back = false;
    c->arena = c->early_arena = c->piece = NULL;
    c->source.more = NULL;
    atomic_fetch_add(&f->open, 1);
    conn_arm(c, EPOLLIN, EPOLL_CTL_ADD);
    pthread_mutex_unlock(&c->lock);
}

static void arm_listener(struct front *f, int op)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = TAG_LISTENER };
    epoll_ctl(f->epoll, op, f->listener, &e);
}

static void accept_again(struct timer *t)
{
    struct front *f = (struct front *)((char *)t - offsetof(struct front, accept_timer));
    if (!atomic_load(&f->draining))
        arm_listener(f, EPOLL_CTL_MOD);
}

bool conn_accept(struct front *f, size_t most)
{
    for (size_t i = 0; i < most; i++) {
        int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC); /* blocking on purpose: libfcgi reads it */
        if (fd >= 0)
            adopt(f, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return false;
        else if (errno != ECONNABORTED && errno != EINTR)
            return true;
    }
    return true;
}

static void on_listener(struct front *f)
{
    if (conn_accept(f, ACCEPT_BATCH)) {
        if (!atomic_load(&f->draining))
            arm_listener(f, EPOLL_CTL_MOD);
        return;
    }
    log_line(LOGL_ERROR, "fcgi", "no more descriptors for connections", "error", strerror(errno), NULL);
    timer_set(f->timers, &f->accept_timer, clock_ms() + ACCEPT_AGAIN, accept_again);
}

/* --- one request --------------------------------------------------------------------------------------------------- */

/* Reads stdin to its end whatever its length, since what is left unread would be taken for the next request.  False: stalled or broken. */
static bool read_body(FCGX_Stream *in, struct wr *body)
{
    uint64_t until = clock_ms() + BODY_MOST;
    for (int byte; (byte = FCGX_GetChar(in)) != EOF; ) {
        wr_u8(body, (uint8_t)byte);
        wr_bytes(body, in->rdNext, (size_t)(in->stop - in->rdNext));
        in->rdNext = in->stop;
        if (clock_ms() > until)
            return false;
    }
    return FCGX_GetError(in) == 0;
}

/* libfcgi reads the parameters and the body.  `keepConnection` must be set or its implicit finish closes the descriptor, `detached` or a close waits up
 * to 2 s for the peer.  False: the connection is gone and the slot may be another's already. */
static bool read_request(struct conn *c, FCGX_Request *r, struct wr *body)
{
    struct front *f = c->front;
    r->ipcFd = c->fd;
    r->keepConnection = 1;
    r->detached = 1;
    pthread_mutex_lock(&c->lock);
    c->state = FREE; /* should libfcgi close it */
    pthread_mutex_unlock(&c->lock);
    if (FCGX_Accept_r(r) < 0) {
        atomic_fetch_sub(&f->open, 1);
        atomic_fetch_sub(&f->busy, 1);
        return false;
    }
    pthread_mutex_lock(&c->lock);
    c->state = BUSY;
    pthread_mutex_unlock(&c->lock);
    c->id = (uint16_t)r->requestId;
    c->keep = r->keepConnection != 0;
    if (FCGX_GetError(r->in) == 0 && read_body(r->in, body)) /* a stall between two parameters is told by the error only */
        return true;
    FCGX_Free(r, 0);
    r->ipcFd = -1;
    conn_drop(c);
    return false;
}

static void serve(struct front *f, struct conn *c, FCGX_Request *r)
{
    struct arena *a = arena_new(f->config->arena_max);
    struct wr body = wr_in(a, f->config->request_max);
    if (!read_request(c, r, &body)) {
        arena_free(a);
        return;
    }
    c->arena = a;
    c->early_rest = blob_of(NULL, 0);
    c->out = NULL;
    c->delay = c->looking_since = 0;
    c->settled = true;
    c->early_sent = c->broken = false;
    c->parked = NULL;
    bool held = false;
    c->held = &held;
    fault_arm();
    f->service.serve(f->service.app, c, a, r->envp, body.full ? blob_of(NULL, 0) : wr_blob(&body), body.full);
    log_context_clear();
    FCGX_Free(r, 0);
    r->ipcFd = -1;
    if (!held)
        conn_deliver(c);
}

/* --- events -------------------------------------------------------------------------------------------------------- */

static void look_again(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    pthread_mutex_lock(&c->lock);
    if (c->state == LOOKING) {
        c->state = IDLE;
        atomic_fetch_sub(&c->front->busy, 1);
        conn_arm(c, EPOLLIN, EPOLL_CTL_MOD);
    }
    pthread_mutex_unlock(&c->lock);
}

/* Half a request must not hold a worker: the timer brings it back until it is whole or has had its time. */
static void look_later(struct conn *c)
{
    uint64_t now = clock_ms();
    if (c->looking_since == 0)
        c->looking_since = now;
    if (now - c->looking_since > PEEK_MOST) {
        conn_drop(c);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->state = LOOKING;
    timer_set(c->front->timers, &c->timer, now + PEEK_AGAIN, look_again);
    pthread_mutex_unlock(&c->lock);
}

static void on_readable(struct front *f, struct conn *c, uint32_t events, FCGX_Request *r)
{
    uint8_t seen[PEEK];
    ssize_t n = recv(c->fd, seen, sizeof seen, MSG_PEEK | MSG_DONTWAIT);
    if (n == (ssize_t)sizeof seen || (n > 0 && record_params_end(blob_of(seen, (size_t)n))))
        serve(f, c, r);
    else if (n > 0 && (events & (EPOLLRDHUP | EPOLLHUP)) == 0)
        look_later(c);
    else if (n < 0 && errno == EAGAIN)
        conn_wait(c);
    else
        conn_drop(c);
}

static void on_event(struct front *f, uint64_t tag, uint32_t events, FCGX_Request *r)
{
    struct conn *c = &f->conn[(uint32_t)tag];
    uint32_t generation = (uint32_t)(tag >> 32);
    if (conn_take(c, generation, IDLE)) {
        on_readable(f, c, events, r);
    } else if (conn_hold_event(c, generation)) {
        return;
    } else if (conn_take(c, generation, WRITING)) {
        timer_cancel(f->timers, &c->timer);
        conn_write_on(c);
    } else if (conn_park_event(c, generation)) {
        return;
    } else if (conn_take(c, generation, DELAYED)) { /* gone before its answer was due */
        timer_cancel(f->timers, &c->timer);
        conn_drop(c);
    }
}

static void next_event(struct front *f, int patience_ms, FCGX_Request *r)
{
    struct epoll_event e;
    if (epoll_wait(f->epoll, &e, 1, patience_ms) != 1)
        return;
    if (e.data.u64 == TAG_LISTENER)
        on_listener(f);
    else if (e.data.u64 != TAG_BELL)
        on_event(f, e.data.u64, e.events, r);
}

void conn_work(struct front *f)
{
    FCGX_Request r;
    FCGX_InitRequest(&r, -1, 0); /* no listening socket: a failure returns instead of blocking in accept */
    stall_join(&f->pool);
    while (!atomic_load(&f->finished))
        next_event(f, -1, &r);
}

void conn_work_spare(struct front *f)
{
    FCGX_Request r;
    FCGX_InitRequest(&r, -1, 0);
    stall_join(&f->pool);
    while (!conn_spare_over(f))
        next_event(f, SPARE_LOOKS, &r);
}

/* --- the front as a whole ------------------------------------------------------------------------------------------ */

static size_t descriptors_max(void)
{
    enum { ENOUGH = 1 << 20 };
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur > ENOUGH)
        return ENOUGH;
    l.rlim_cur = l.rlim_max < ENOUGH ? l.rlim_max : ENOUGH; /* shells give a thousand, and a client that waits takes one */
    if (setrlimit(RLIMIT_NOFILE, &l) != 0 && getrlimit(RLIMIT_NOFILE, &l) != 0)
        return ENOUGH;
    return (size_t)l.rlim_cur;
}

static bool watch(struct front *f, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event e = { .events = events, .data.u64 = tag };
    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

struct front *conn_listen(const struct config *c, struct timers *ts, const struct conn_service *s, struct arena *a, const char **why)
{
    struct front *f = arena_one(a, struct front);
    f->config = c;
    f->timers = ts;
    f->service = *s;
    conn_spare_begin(f);
    f->halves = getenv("MAPIHTTPD_FAULT") != NULL || getenv("MAPIHTTPD_FAULT_FILE") != NULL;
    if (FCGX_Init() != 0) {
        *why = "libfcgi does not start";
        return NULL;
    }
    f->listener = listen_passed(&f->place, a, why);
    if (f->listener == LISTEN_NONE)
        f->listener = listen_open(&f->place, c->listen, a, why);
    if (f->listener < 0)
        return NULL;
    f->conns = descriptors_max();
    f->conn = calloc(f->conns, sizeof *f->conn); /* lives as long as the process; untouched slots take no memory */
    must(f->conn != NULL);
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    f->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->epoll < 0 || f->bell < 0 || !watch(f, f->listener, EPOLLIN | EPOLLONESHOT, TAG_LISTENER) || !watch(f, f->bell, EPOLLIN, TAG_BELL)) {
        *why = arena_printf(a, "epoll: %s", strerror(errno));
        return NULL;
    }
    return f;
}

void conn_configure(struct front *f, const struct config *c) { atomic_store(&f->config, c); }

unsigned conn_busy(struct front *f) { return atomic_load(&f->busy); }
unsigned conn_open(struct front *f) { return atomic_load(&f->open); }
const char *conn_place(const struct front *f) { return f->place.path; }

void conn_finish(struct front *f)
{
    uint64_t one = 1;
    atomic_store(&f->finished, true);
    ssize_t n = write(f->bell, &one, sizeof one); /* nobody reads it: it wakes every worker */
    must(n == sizeof one);
    conn_spare_end(f);
}

void conn_close_all(struct front *f)
{
    conn_idle_close(f);
    close(f->epoll);
    close(f->bell);
    free(f->conn);
}
