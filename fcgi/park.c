/* park.c - a wait between the connection that keeps its client and the session that ends it.
 *
 * Two ends may come at the same time: the session answers (park_ended), the client goes (park_gone).  The connection decides: whoever takes it out of its
 * parked state has the front's hold; the session's hold goes with its call, or when it says that there will be none. */
#include "fcgi/park.h"
#include "fcgi/metrics.h"
#include "fcgi/keep.h"
#include "fcgi/respond.h"
#include "fcgi/serve.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { REST_MOST = 512, END_ARENA = 1 << 20 };

struct park {
    struct conn         *conn;
    uint32_t             ticket;
    atomic_uint          holds;      /* the connection's and the session's */
    struct session_wait *wait;
    const struct route  *route;
    uint64_t             begun_us;
    time_t               begun;
    bool                 logged;
    char                 line[];     /* keep.h */
};

static void let_go(struct park *p)
{
    if (atomic_fetch_sub(&p->holds, 1) != 1)
        return;
    session_wait_free(p->wait);
    free(p);
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

static void note(const struct park *p, const struct session_reply *r, struct blob body, size_t out)
{
    struct kept k;
    uint64_t us = clock_us() - p->begun_us;
    metrics_count(p->route, (int)r->code, 200, us);
    if (!p->logged || !access_on())
        return;
    keep_unpack(p->line, &k);
    k.x.http = 200;
    k.x.code = (int)r->code;
    k.x.body = body;
    k.x.out = out;
    k.x.total_us = us;
    k.x.early = true;
    k.x.version = SERVE_VERSION;
    k.x.diagnosis = r->diagnosis;
    access_write(&k.x);
}

static void park_ended(void *park, const struct session_reply *reply)
{
    struct park *p = park;
    const struct request rq = { .begun = p->begun, .begun_us = p->begun_us };
    const struct respond r = { .rq = &rq, .reply = reply, .now_us = clock_us() };
    struct arena *a = arena_new(END_ARENA);
    struct wr w = wr_in(a, REST_MOST);
    respond_rest(&r, &w);
    const struct blob piece[2] = { wr_blob(&w), respond_body(&r, a) };
    if (conn_unpark(p->conn, p->ticket, piece, 2)) {
        note(p, reply, piece[1], piece[0].n + piece[1].n);
        let_go(p);
    }
    arena_free(a);
    let_go(p);
}

void park_gone(void *park)
{
    struct park *p = park;
    if (session_wait_leave(p->wait))
        let_go(p);
    let_go(p);
}

/* --- the beginning --------------------------------------------------------------------------------------------------- */

void park_parked(void *park)
{
    struct park *p = park;
    session_wait_park(p->wait, park_ended, p);
}

void park_pending(void *park) { session_wait_compare(((struct park *)park)->wait); }

void park_wait(struct conn *c, struct session_wait *w, const struct request *rq, const struct route *route, struct blob head, const struct access *x)
{
    size_t n = x != NULL ? keep_pack(x, NULL) : 0;
    struct park *p = malloc(sizeof *p + n); /* one per parked request, bounded by the descriptors */
    must(p != NULL);
    *p = (struct park){ .conn = c, .ticket = conn_ticket(c), .wait = w, .route = route, .begun_us = rq->begun_us, .begun = rq->begun, .logged = x != NULL };
    atomic_store(&p->holds, 2);
    if (x != NULL)
        keep_pack(x, p->line);
    conn_park(c, head, p);
}
