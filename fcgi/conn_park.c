/* conn_park.c - a request that waits for minutes: neither thread nor arena, a place in epoll for the peer's end and one timer for PENDING. */
#include "fcgi/conn_int.h"
#include "fcgi/record.h"
#include "backend/base/filetime.h"
#include <sys/epoll.h>

enum { HEAD_MOST = 4096 };

/* --- the peer goes ------------------------------------------------------------------------------------------------- */

/* By whoever took it out of PARKED. */
static void gone(struct conn *c)
{
    void *parked = c->parked;
    c->parked = NULL;
    timer_cancel(c->front->timers, &c->timer);
    c->front->service.gone(parked);
    conn_drop(c);
}

bool conn_park_event(struct conn *c, uint32_t generation)
{
    bool ours = conn_take(c, generation, PARKED);
    if (ours)
        gone(c);
    return ours;
}

/* --- PENDING ------------------------------------------------------------------------------------------------------- */

static void set_next(struct conn *c, void (*fire)(struct timer *))
{
    uint64_t period = atomic_load(&c->front->config)->pending_period;
    timer_set(c->front->timers, &c->timer, clock_ms() + period, fire);
}

static void parked_due(struct timer *t)
{
    struct conn *c = (struct conn *)((char *)t - offsetof(struct conn, timer));
    uint8_t record[64];
    struct wr w = wr_over(record, sizeof record);
    bool broken = false;
    record_stdout(&w, c->id, blob_str("PENDING\r\n"));
    pthread_mutex_lock(&c->lock);
    uint32_t generation = c->generation;
    if (c->state == PARKED) {
        conn_send_early(c, wr_blob(&w));
        broken = c->broken;
        if (!broken) {
            set_next(c, parked_due);
            c->front->service.pending(c->parked);
        }
    }
    pthread_mutex_unlock(&c->lock);
    if (broken)
        conn_park_event(c, generation);
}

/* --- coming and going ---------------------------------------------------------------------------------------------- */

void conn_park(struct conn *c, struct blob head, void *parked)
{
    conn_settle(c);
    c->head = head;
    c->parked = parked;
}

/* The lock is held until the connection is PARKED: whoever ends the wait at once must find it so. */
void conn_park_deliver(struct conn *c)
{
    uint8_t record[HEAD_MOST + RECORD_HEAD];
    struct wr w = wr_over(record, sizeof record);
    if (c->head.n != 0)
        record_stdout(&w, c->id, c->head);
    arena_free(c->arena);
    c->arena = NULL;
    pthread_mutex_lock(&c->lock);
    if (w.n != 0)
        conn_send_early(c, wr_blob(&w));
    c->state = PARKED;
    set_next(c, parked_due);
    conn_arm(c, 0, EPOLL_CTL_MOD);
    c->front->service.parked(c->parked);
    pthread_mutex_unlock(&c->lock);
}

uint32_t conn_ticket(const struct conn *c) { return c->generation; }

bool conn_unpark(struct conn *c, uint32_t ticket, const struct blob *piece, size_t n)
{
    if (!conn_take(c, ticket, PARKED))
        return false;
    timer_cancel(c->front->timers, &c->timer);
    c->parked = NULL;
    c->arena = arena_new(SIZE_MAX);
    struct blob *copy = arena_array(c->arena, struct blob, n);
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_blob(c->arena, piece[i]);
    conn_answer(c, copy, n);
    conn_deliver(c);
    return true;
}
