/* conn_out.c - answers to nginx without blocking: whole ones, those that begin early and go on by the timer, those that are due later. */
#include "fcgi/conn_int.h"
#include "fcgi/record.h"
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/base/rd.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
    WRITE_STALL = 60000,     /* ms without progress until a connection is given up */
    EARLY_MOST  = 4096,      /* bytes of a head */
    VECTORS     = 64         /* of one write */
};

/* --- writing ------------------------------------------------------------------------------------------------------- */

enum sent { SENT, LATER, GONE };

static void advance(struct conn *c, size_t n)
{
    while (c->out_n != 0 && n >= c->out->iov_len) {
        n -= c->out->iov_len;
        c->out++;
        c->out_n--;
    }
    if (n != 0) {
        c->out->iov_base = (char *)c->out->iov_base + n;
        c->out->iov_len -= n;
    }
}

static enum sent send_out(struct conn *c)
{
    while (c->out_n != 0) {
        struct msghdr m = { .msg_iov = c->out, .msg_iovlen = c->out_n < VECTORS ? c->out_n : VECTORS };
        ssize_t n = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            advance(c, (size_t)n);
        else if (errno == EAGAIN)
            return LATER;
        else if (errno != EINTR)
            return GONE;
    }
    return SENT;
}

static void write_stalled(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    pthread_mutex_lock(&c->lock);
    if (c->state == WRITING)
        conn_close_locked(c);
    pthread_mutex_unlock(&c->lock);
}

void conn_give_up_locked(struct conn *c) { timer_set(c->front->timers, &c->timer, clock_ms(), write_stalled); }

void conn_write_later(struct conn *c)
{
    pthread_mutex_lock(&c->lock);
    c->state = WRITING;
    timer_set(c->front->timers, &c->timer, clock_ms() + WRITE_STALL, write_stalled);
    conn_arm(c, EPOLLOUT, EPOLL_CTL_MOD);
    pthread_mutex_unlock(&c->lock);
}

/* The end of a request's arena may wait for a Redis that fails (script_post).  nginx sends the next request, of whatever session, on this connection meanwhile. */
static void wait_and_free(struct conn *c)
{
    struct arena *a = c->arena, *early = c->early_arena, *piece = c->piece;
    c->arena = c->early_arena = c->piece = NULL;
    conn_wait(c);
    arena_free(a);
    arena_free(early);
    arena_free(piece);
}

/* By the owner (state BUSY): writes what there is, then the connection waits for room, for the next request, or ends. */
void conn_write_on(struct conn *c)
{
    switch (c->broken ? GONE : send_out(c)) {
    case LATER:
        conn_write_later(c);
        return;
    case SENT:
        if (conn_source_next(c))
            return;
        if (!c->keep)
            break;
        wait_and_free(c);
        return;
    case GONE:
        log_line(LOGL_DEBUG, "fcgi", "the peer went away before its answer", NULL);
        break;
    }
    conn_drop(c);
}

/* The vector holds half of the bytes, the process may end, the other half follows. */
static void send_half(struct conn *c)
{
    size_t total = 0, half = 0, n = 0;
    for (size_t i = 0; i < c->out_n; i++)
        total += c->out[i].iov_len;
    while (n < c->out_n && half + c->out[n].iov_len <= total / 2)
        half += c->out[n++].iov_len;
    struct msghdr m = { .msg_iov = c->out, .msg_iovlen = n };
    ssize_t sent = n != 0 ? sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    fault_point(FAULT_answer_half);
    if (sent > 0)
        advance(c, (size_t)sent);
}

/* --- the early head and PENDING, from the timer thread ------------------------------------------------------------- */

/* Sends what the socket takes now; returns the rest. */
static struct blob send_now(struct conn *c, struct blob bytes)
{
    ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        c->broken = true;
    struct rd r = rd_blob_of(bytes);
    rd_blob(&r, n > 0 ? (size_t)n : 0);
    return c->broken ? blob_of(NULL, 0) : rd_rest(&r);
}

void conn_send_early(struct conn *c, struct blob bytes)
{
    if (c->early_rest.n != 0)
        c->early_rest = send_now(c, c->early_rest);
    if (c->early_rest.n != 0 || c->broken)
        return;
    struct blob rest = send_now(c, bytes);
    if (rest.n == 0)
        return;
    if (c->early_arena == NULL)
        c->early_arena = arena_new(SIZE_MAX);
    c->early_rest = arena_blob(c->early_arena, rest);
}

static void pending_due(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    uint8_t record[64];
    struct wr w = wr_over(record, sizeof record);
    record_stdout(&w, c->id, blob_str("PENDING\r\n"));
    pthread_mutex_lock(&c->lock);
    conn_send_early(c, wr_blob(&w));
    if (!c->broken)
        timer_set(c->front->timers, t, clock_ms() + c->front->config->pending_period, pending_due);
    pthread_mutex_unlock(&c->lock);
}

static void early_due(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    uint8_t head[EARLY_MOST], record[EARLY_MOST + RECORD_HEAD];
    struct wr h = wr_over(head, sizeof head), w = wr_over(record, sizeof record);
    pthread_mutex_lock(&c->lock);
    c->early(c->early_ctx, &h);
    must(!h.full); /* header values are bounded when they are checked */
    record_stdout(&w, c->id, wr_blob(&h));
    c->early_sent = true;
    conn_send_early(c, wr_blob(&w));
    timer_set(c->front->timers, t, clock_ms() + c->front->config->pending_period, pending_due);
    pthread_mutex_unlock(&c->lock);
}

void conn_promise(struct conn *c, uint64_t due, void (*early)(const void *ctx, struct wr *w), const void *ctx)
{
    c->early = early;
    c->early_ctx = ctx;
    c->settled = false;
    timer_set(c->front->timers, &c->timer, due, early_due);
}

bool conn_settle(struct conn *c)
{
    if (!c->settled)
        timer_cancel(c->front->timers, &c->timer);
    c->settled = true;
    return c->early_sent;
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static void keep_answer(struct conn *c, struct arena *a, const struct blob *piece, size_t n)
{
    must(c->out == NULL && c->state == BUSY);
    conn_settle(c);
    c->out = record_answer(a, c->id, piece, n, &c->out_n);
    if (c->early_rest.n == 0)
        return;
    struct iovec *v = arena_array(a, struct iovec, c->out_n + 2); /* first what the timer could not send */
    v[0] = (struct iovec){ (void *)(uintptr_t)c->early_rest.p, c->early_rest.n };
    for (size_t i = 0; i < c->out_n; i++)
        v[i + 1] = c->out[i];
    c->out = v;
    c->out_n++;
}

void conn_answer(struct conn *c, const struct blob *piece, size_t n)
{
    keep_answer(c, c->arena, piece, n);
}

void conn_answer_after(struct conn *c, const struct blob *piece, size_t n, uint64_t ms)
{
    struct arena *own = arena_new(SIZE_MAX); /* the request's may hold a large body meanwhile */
    struct blob *copy = arena_array(own, struct blob, n);
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_blob(own, piece[i]);
    keep_answer(c, own, copy, n);
    c->delay = atomic_load(&c->front->draining) ? 0 : ms;
    arena_free(c->arena);
    c->arena = own;
}

static void delay_over(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    if (conn_take(c, c->generation, DELAYED))
        conn_write_on(c);
}

static void delay(struct conn *c)
{
    pthread_mutex_lock(&c->lock);
    c->state = DELAYED;
    timer_set(c->front->timers, &c->timer, clock_ms() + (atomic_load(&c->front->draining) ? 0 : c->delay), delay_over);
    conn_arm(c, 0, EPOLL_CTL_MOD);
    pthread_mutex_unlock(&c->lock);
}

void conn_hurry_locked(struct conn *c) { timer_set(c->front->timers, &c->timer, clock_ms(), delay_over); }

void conn_give_back(struct conn *c, struct arena *a)
{
    struct wr w = wr_in(a, RECORD_HEAD);
    record_nothing(&w, c->id);
    c->out[c->out_n++] = (struct iovec){ w.p, w.n };
    c->given_back = true;
}

void conn_deliver(struct conn *c)
{
    if (c->parked != NULL) {
        conn_park_deliver(c);
        return;
    }
    must(c->out != NULL);
    if (c->keep && c->source.more == NULL && atomic_load(&c->front->draining))
        conn_give_back(c, c->arena);
    if (c->front->halves)
        send_half(c);
    if (c->delay != 0)
        delay(c);
    else
        conn_write_on(c);
}
