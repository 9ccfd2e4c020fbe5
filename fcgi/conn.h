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
 * was longer than request_max and is not kept.  Parameters and body live until the function returns; it ends with conn_answer or
 * conn_answer_after. */
struct conn_service {
    void  *app;
    void (*serve)(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large);
};

/* Binds and listens at config's `listen` (mode 0660; an older socket file there is replaced atomically).  NULL with *why.  The timers must live until
 * conn_close_all returned. */
struct front *conn_listen(const struct config *c, struct timers *ts, const struct conn_service *s, struct arena *a, const char **why);

/* What a worker thread does, until conn_finish. */
void conn_work(struct front *f);

/* Draining.  nginx cannot be told that a connection will end: one that it reuses while we close it costs a request (502).  So conn_refuse takes the
 * socket away (what is in its queue is still accepted), connections that are used go on until nginx retires them, and conn_idle_close closes those on
 * which nothing happened for `idle_ms`; after conn_part every connection ends with its answer.  conn_busy counts the requests under way;
 * conn_finish sends the workers home; conn_close_all frees everything after they were joined. */
void     conn_refuse(struct front *f);
void     conn_idle_close(struct front *f, uint64_t idle_ms);
void     conn_part(struct front *f);
unsigned conn_busy(struct front *f);
void     conn_finish(struct front *f);
void     conn_close_all(struct front *f);
bool     conn_draining(const struct front *f);
unsigned conn_open(struct front *f);         /* connections, idle ones included */

/* While a request runs: at the moment `due` (clock_ms) the timer thread calls early(ctx, w) for the first bytes of the answer and sends them, then
 * PENDING lines each pending_period.  `ctx` must stay unchanged until conn_settle.  conn_settle ends this; true: the early bytes went out (or
 * could not, the peer being gone), only the rest is to be answered. */
void conn_promise(struct conn *c, uint64_t due, void (*early)(const void *ctx, struct wr *w), const void *ctx);
bool conn_settle(struct conn *c);

/* The answer: pieces that lie in the request's arena or are static.  conn_answer_after sends it `ms` later without holding a thread (the pieces
 * are copied; at once when draining). */
void conn_answer(struct conn *c, const struct blob *piece, size_t n);
void conn_answer_after(struct conn *c, const struct blob *piece, size_t n, uint64_t ms);
#endif
