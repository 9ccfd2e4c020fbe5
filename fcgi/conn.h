/* conn.h - the FastCGI connections of nginx: one request in, one answer out, no thread held by a peer that is slow or gone.
 *
 * Worker threads share one epoll, which holds the listening socket and every connection that waits for something.  libfcgi reads the request (its
 * header is included by conn.c only); answers are records of our own, so that the worker, the timer and a later waiting room write the same way:
 * never blocking.  What a full socket does not take at once is written when it can be, by whichever worker epoll gives it to.
 *
 * A connection belongs to one side at a time (worker, epoll, timer); its mutex and state decide.  A vanished peer never stops the work of a
 * request: it is noticed when the answer is written. */
#ifndef FCGI_CONN_H
#define FCGI_CONN_H
#include "fcgi/timer.h"
#include "backend/base/arena.h"
#include "backend/base/config.h"
#include "backend/base/wr.h"

struct front;
struct conn;

/* Who serves.  Called on a worker thread with the request's arena, its parameters ("NAME=value", NULL-terminated) and its body; `too_large`: the body
 * was longer than request_max and is not kept.  Parameters and body live until the function returns; it ends with conn_answer,
 * conn_answer_after, conn_answer_from, conn_park or conn_hold. */
struct conn_service {
    void  *app;
    void (*serve)(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large);
    /* Of parked requests (conn_park); must not block.  `parked`: it is parked now, and may be answered; `pending`: a PENDING line was written; `gone`: the peer
     * went away, the connection is no more.  The former two are called with the connection's lock held. */
    void (*parked)(void *parked);
    void (*pending)(void *parked);
    void (*gone)(void *parked);
};

/* Listens on the socket that the supervisor passed (LISTEN_FDS), else at config's `listen` (mode 0660; the socket file of a worker that is gone is
 * replaced atomically, that of one that lives is an error).  NULL with *why.  The timers must live until
 * conn_close_all returned. */
struct front *conn_listen(const struct config *c, struct timers *ts, const struct conn_service *s, struct arena *a, const char **why);

/* Another configuration from now on (request_max, arena_max, pending_period); both live as long as the front. */
void conn_configure(struct front *f, const struct config *c);

/* What a worker thread does, until conn_finish. */
void conn_work(struct front *f);

/* Draining, in this order (conn_drain.c says why).  conn_refuse: nobody can connect any more, who waits in the queue is still accepted; a socket that was
 * passed to us stays open for the next.  conn_retire: nginx is asked to give back its idle connections; the others it gives back with their answers,
 * of which those that were put off leave now.
 * conn_part: from now on a request that still comes is refused (X-ResponseCode 18), and connections end with their answer; conn_idle_close closes those
 * that bring nothing.  conn_busy counts the requests under way; conn_finish sends the workers home; conn_close_all frees everything after they
 * were joined. */
void     conn_refuse(struct front *f);
void     conn_retire(struct front *f);
void     conn_part(struct front *f);
void     conn_idle_close(struct front *f);
unsigned conn_busy(struct front *f);
void     conn_finish(struct front *f);
void     conn_close_all(struct front *f);
bool     conn_draining(const struct front *f);   /* since conn_refuse */
bool     conn_parting(const struct front *f);    /* since conn_part */
unsigned conn_open(struct front *f);         /* connections, idle ones included */
const char *conn_place(const struct front *f);   /* where it listens, for logs */

/* While a request runs: at the moment `due` (clock_ms) the timer thread calls early(ctx, w) for the first bytes of the answer and sends them, then
 * PENDING lines each pending_period.  `ctx` must stay unchanged until conn_settle.  conn_settle ends this; true: the early bytes went out (or
 * could not, the peer being gone), only the rest is to be answered. */
void conn_promise(struct conn *c, uint64_t due, void (*early)(const void *ctx, struct wr *w), const void *ctx);
bool conn_settle(struct conn *c);

/* The request needs work that a worker thread must not wait for.  Within `serve`: conn_hold, then the work is given away, and `serve` returns without an answer;
 * parameters die with it, arena and body stay.  Whoever did the work calls conn_resume, and a worker calls go_on(ctx), which answers (or holds again).
 * conn_unhold: it was not given away after all. */
void conn_hold(struct conn *c);
void conn_unhold(struct conn *c);
void conn_resume(struct conn *c, void (*go_on)(void *ctx), void *ctx);

/* The answer: pieces that lie in the request's arena or are static.  conn_answer_after sends it `ms` later without holding a thread (the pieces
 * are copied; at once when draining). */
void conn_answer(struct conn *c, const struct blob *piece, size_t n);
void conn_answer_after(struct conn *c, const struct blob *piece, size_t n, uint64_t ms);

/* An answer that never lies in memory whole (conn_source.c): `head`, then the pieces that more() gives.  The next one is asked for when the socket has taken the
 * one before, and other connections have their turn in between.  more() runs on a worker thread; *out lies in `a`, which dies when it was sent, and is static or in the
 * request's arena otherwise; empty: that was all; false: it cannot go on, and the connection breaks off, so that nobody takes the answer for whole.  So it does when
 * the front parts.  ended() is called once in any case, by any thread, and must not block; what the request has in its arena is there until then. */
struct conn_source {
    bool (*more)(void *ctx, struct arena *a, struct blob *out);
    void (*ended)(void *ctx, bool whole);
    void *ctx;
};
enum { CONN_PIECE_MOST = 256 << 10 };   /* bytes of a piece */
void conn_answer_from(struct conn *c, struct blob head, const struct conn_source *s);

/* Instead of an answer: the request waits, maybe for minutes, and holds nothing but its descriptor and number.  `head` (in the arena, at most 4096 bytes; empty if
 * the early bytes went out already) is sent at once, PENDING lines each pending_period.  Afterwards conn_unpark answers from any thread (the pieces are copied);
 * the ticket was taken before conn_park.  False: the peer is gone, and `gone` was or will be called. */
void     conn_park(struct conn *c, struct blob head, void *parked);
uint32_t conn_ticket(const struct conn *c);
bool     conn_unpark(struct conn *c, uint32_t ticket, const struct blob *piece, size_t n);
#endif
