/* conn_int.h - a connection from the inside: its states, and who may do what in them.  For the files conn*.c only. */
#ifndef FCGI_CONN_INT_H
#define FCGI_CONN_INT_H
#include "fcgi/conn.h"
#include "fcgi/listen.h"
#include "backend/base/stall.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

enum conn_state {
    FREE,
    IDLE,                    /* epoll waits for a request */
    LOOKING,                 /* half a request was seen, the timer looks again */
    BUSY,                    /* a worker has it, or who works for it (conn_hold) */
    READY,                   /* that work is done, a worker is to go on */
    DELAYED,                 /* the timer will send its answer */
    WRITING,                 /* epoll waits for room in the socket */
    PARKED                   /* its client waits: the service will answer, or the peer goes (conn_park.c) */
};

struct conn {
    pthread_mutex_t lock;
    struct front *_Atomic front;     /* set once: NULL in a slot that no connection had yet */
    int             fd;
    enum conn_state state;
    uint32_t        generation;      /* tells an event of this connection from one of its predecessor with the same number */
    uint16_t        id;              /* FastCGI request id */
    bool            keep, settled, early_sent, broken;
    bool            given_back;      /* nginx was asked to close it */
    uint64_t        looking_since;
    struct timer    timer;
    bool           *held;            /* of the worker that serves: it was given away, and is not the worker's any more */
    void          (*go_on)(void *ctx);
    void           *go_on_ctx;
    void          (*early)(const void *ctx, struct wr *w);
    const void     *early_ctx;
    struct arena   *arena;           /* of the request; then of the answer until it is sent */
    struct arena   *early_arena;     /* what the timer could not send */
    struct blob     early_rest;
    struct iovec   *out;             /* the answer, advanced as it goes */
    size_t          out_n;
    uint64_t        delay;
    struct conn_source source;       /* more pieces of the answer come from there; more NULL: none */
    struct arena   *piece;           /* of the piece that is being sent */
    void           *parked;          /* of the service; NULL: the request is to be answered */
    struct blob     head;            /* what a parked request is sent first; in its arena */
};

struct front {
    const struct config *_Atomic config;
    struct timers       *timers;
    struct conn_service  service;
    int                  epoll, listener, bell;
    struct conn         *conn;       /* by descriptor */
    size_t               conns;
    struct listen_place  place;
    struct timer         accept_timer;
    atomic_uint          busy, open;
    atomic_bool          draining, parting, finished;
    bool                 halves;     /* tests stop a worker in the middle of an answer */
    struct stall_pool    pool;       /* of the worker threads, conn_spare.c */
    atomic_uint          stalled, spares; /* worker threads that wait for a server that is failing; threads that serve in their place, or did lately */
    _Atomic uint64_t     stalled_at; /* clock_ms when the last such wait ended */
};

/* Arms the descriptor for one event; `op` as for epoll_ctl. */
void conn_arm(struct conn *c, uint32_t events, int op);

/* Takes the connection for the caller (it becomes BUSY) if it is in `from`; FREE and stale events fail here. */
bool conn_take(struct conn *c, uint32_t generation, enum conn_state from);

/* By the owner: back to epoll for the next request, or closed.  conn_close_locked: with the lock held; nothing of the slot may be used afterwards,
 * since the descriptor can be another connection's at once. */
void conn_wait(struct conn *c);
void conn_drop(struct conn *c);
void conn_close_locked(struct conn *c);

/* conn.c: takes up to `most` connections out of the listener's queue.  False when descriptors have run out, true when the queue is empty. */
bool conn_accept(struct front *f, size_t most);

/* conn_drain.c: asks nginx, once, to close this connection rather than to use it again.  conn_asked: the peer is kept from writing more; did it
 * write a request before? */
void conn_give_back_locked(struct conn *c);
bool conn_asked(struct conn *c);

/* conn_hold.c, by epoll: goes on with a request that was held; false: it was not. */
bool conn_hold_event(struct conn *c, uint32_t generation);

/* By the owner, after the request: sends the answer that was given (at once or when it is due), then the connection waits for room, for the next
 * request, or ends.  conn_write_on goes on after there was no room. */
void conn_deliver(struct conn *c);
/* What follows the end of an answer tells nginx not to keep the connection (conn_drain.c); `a` lives until it is sent. */
void conn_give_back(struct conn *c, struct arena *a);
void conn_write_on(struct conn *c);
/* conn_source.c, by the owner: all that there was of an answer in pieces is sent; false: that was no such answer, or its last piece.  conn_source_end: by who closes
 * the connection or has sent the last piece, once.  conn_source_part_locked: the peer is to get the rest elsewhere. */
bool conn_source_next(struct conn *c);
void conn_source_end(struct conn *c, bool whole);
void conn_source_part_locked(struct conn *c);
/* Epoll brings the connection back when there is room in the socket; or it has waited for that long enough. */
void conn_write_later(struct conn *c);
void conn_give_up_locked(struct conn *c);
/* An answer that is due later is due now. */
void conn_hurry_locked(struct conn *c);

/* With the lock held: sends what the socket takes now, without blocking.  What does not fit is kept; while something is kept, nothing is added. */
void conn_send_early(struct conn *c, struct blob bytes);

/* conn_spare.c.  conn_spare_over, by a spare thread between two requests: it is not needed any more, and touches the front never again.  conn_spare_end waits until all
 * have gone; after conn_finish. */
void conn_spare_begin(struct front *f);
bool conn_spare_over(struct front *f);
void conn_spare_end(struct front *f);
void conn_work_spare(struct front *f);

/* conn_park.c, by the owner: conn_deliver of a request that is parked.  By epoll: the end of a peer; false: it is not parked. */
void conn_park_deliver(struct conn *c);
bool conn_park_event(struct conn *c, uint32_t generation);
#endif
