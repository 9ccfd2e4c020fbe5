/* conn_hold.c - a request that is answered later, by work on another thread first: in between it is nobody's, and then a worker's again. */
#include "fcgi/conn_int.h"
#include "backend/base/log.h"
#include <sys/epoll.h>

void conn_hold(struct conn *c) { *c->held = true; }
void conn_unhold(struct conn *c) { *c->held = false; }

/* The socket has room, since nginx has read every answer before: epoll gives the connection to a worker at once. */
void conn_resume(struct conn *c, void (*go_on)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&c->lock);
    c->go_on = go_on;
    c->go_on_ctx = ctx;
    c->state = READY;
    conn_arm(c, EPOLLOUT, EPOLL_CTL_MOD);
    pthread_mutex_unlock(&c->lock);
}

bool conn_hold_event(struct conn *c, uint32_t generation)
{
    bool held = false;
    if (!conn_take(c, generation, READY))
        return false;
    c->held = &held;
    c->go_on(c->go_on_ctx);
    log_context_clear();
    if (!held)
        conn_deliver(c);
    return true;
}
