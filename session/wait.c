/* wait.c - a NotificationWait: accepted, looked after, answered. MS-OXCMAPIHTTP 2.2.4.4, 3.2.5.5. */
#include "session/wait.h"
#include "backend/base/filetime.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include "backend/store/event.h"
#include "session/reply.h"
#include "session/rop/notify.h"
#include <stdlib.h>

enum { LOOK_ARENA = 64 << 20, END_ARENA = 1 << 20 };

static const struct actor system_actor = { ACTOR_SYSTEM, "" };

/* --- which mailboxes ------------------------------------------------------------------------------------------------------------------------ */

static bool hears(const struct session_wait *w, const struct guid *g)
{
    for (size_t i = 0; i < w->ears; i++)
        if (guid_eq(&w->ear[i].mailbox, g))
            return true;
    return false;
}

static size_t distinct(const struct context *c, struct guid out[LOGONS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < c->logons; i++) {
        size_t k = 0;
        while (k < n && !guid_eq(&out[k], &c->logon[i].mailbox))
            k++;
        if (k == n && n < LOGONS_MAX)
            out[n++] = c->logon[i].mailbox;
    }
    return n;
}

static void on_ring(struct bell_ear *ear, uint64_t seq)
{
    struct wait_ear *e = (struct wait_ear *)((char *)ear - offsetof(struct wait_ear, ear));
    waits_rung(e, seq);
}

void wait_deafen(struct session_wait *w)
{
    for (size_t i = 0; i < w->ears; i++)
        bell_leave(w->home->bell, &w->ear[i].ear);
    free(w->ear);
    w->ear = NULL;
    w->ears = 0;
}

enum bell_state wait_listen(struct session_wait *w, const struct context *c)
{
    struct guid mailbox[LOGONS_MAX];
    size_t n = distinct(c, mailbox), same = 0;
    enum bell_state worst = BELL_LIVE;
    while (same < n && hears(w, &mailbox[same]))
        same++;
    if (same == n && n == w->ears)
        return BELL_LIVE;
    wait_deafen(w);
    w->ear = calloc(n != 0 ? n : 1, sizeof *w->ear); /* one per mailbox of a wait; freed with it */
    must(w->ear != NULL);
    w->ears = n;
    for (size_t i = 0; i < n; i++) {
        w->ear[i] = (struct wait_ear){ .ear = { .ring = on_ring }, .wait = w, .mailbox = mailbox[i] };
        enum bell_state s = bell_listen(w->home->bell, &mailbox[i], &w->ear[i].ear);
        worst = s > worst ? s : worst;
    }
    return worst;
}

/* --- looking -------------------------------------------------------------------------------------------------------------------------------- */

/* False: it cannot be told now, or the mailbox is gone. */
static bool newest(const struct session_env *e, struct arena *a, const struct guid *mailbox, uint64_t *seq)
{
    struct mailbox *m;
    if (mailbox_open(e->store, a, mailbox, &system_actor, &m) != ecNone)
        return false;
    bool ok = event_last(m, seq) == ecNone;
    mailbox_close(m);
    return ok;
}

/* Is there anything new in its mailbox?  The stamp is older than what is read, so that it never covers more than was seen. */
static bool moved_one(struct session_wait *w, struct arena *a, struct wait_ear *e)
{
    uint64_t seq, stamp = mailbox_stamp(w->home->env->store, &e->mailbox);
    if ((stamp != 0 && stamp == e->stamp) || !newest(w->home->env, a, &e->mailbox, &seq))
        return false;
    if (seq > e->looked)
        return true;
    e->stamp = stamp;
    return false;
}

static bool moved(struct session_wait *w, struct arena *a)
{
    for (size_t i = 0; i < w->ears; i++)
        if (moved_one(w, a, &w->ear[i]))
            return true;
    return false;
}

/* Positions are taken before the look: what comes meanwhile is looked at again. */
static bool something(struct session_wait *w, struct arena *a, struct context *c)
{
    struct session_env *e = w->home->env;
    struct rop_env env = { .config = e->config, .store = e->store, .directory = e->directory };
    uint64_t *seq = arena_array(a, uint64_t, w->ears);
    bool waiting = false;
    metric_add(METRIC_waits_looked, 1);
    for (size_t i = 0; i < w->ears; i++) {
        w->ear[i].stamp = mailbox_stamp(e->store, &w->ear[i].mailbox);
        if (!newest(e, a, &w->ear[i].mailbox, &seq[i]))
            w->ear[i].stamp = seq[i] = 0;
    }
    if (notify_waiting(&env, c, &waiting) != ecNone) {
        for (size_t i = 0; i < w->ears; i++)
            w->ear[i].stamp = 0;
        return false; /* looked at again when the next PENDING is due */
    }
    for (size_t i = 0; i < w->ears && !waiting; i++)
        waits_looked(&w->ear[i], seq[i]);
    return waiting;
}

enum wait_end wait_look(struct session_wait *w, bool everything)
{
    struct arena *a = arena_new(LOOK_ARENA);
    struct context *c;
    enum wait_end end = WAIT_GOES_ON;
    if (everything || moved(w, a)) {
        ec_t ec = context_peek(w->home->env, a, w->id, &c);
        if (ec == ecNone) {
            wait_listen(w, c);
            waits_saw(w, c->sequence);
            end = something(w, a, c) ? WAIT_EVENT : WAIT_GOES_ON;
        } else if (ec == ecNotFound) {
            end = WAIT_SESSION;
        }
    }
    arena_free(a);
    return end;
}

/* --- the end -------------------------------------------------------------------------------------------------------------------------------- */

static struct blob body_of(bool pending)
{
    /* StatusCode, ErrorCode, EventPending, AuxiliaryBufferSize (2.2.4.4.2) */
    static const uint8_t none[16] = { 0 }, some[16] = { [8] = 1 };
    return blob_of(pending ? some : none, 16);
}

/* A session that is gone is code 10, behind DONE if the head went out (R1283, R2229); everything else ends well. */
static struct session_reply reply_of(enum wait_end end)
{
    if (end == WAIT_SESSION)
        return (struct session_reply){ .code = XRC_CONTEXT_NOT_FOUND, .expiration_ms = -1 };
    return (struct session_reply){ .code = XRC_SUCCESS, .expiration_ms = -1, .body = body_of(end == WAIT_EVENT) };
}

static void count(const struct session_wait *w, enum wait_end end)
{
    static const enum metric of[] = { [WAIT_EVENT] = METRIC_waits_ended_event, [WAIT_TIME] = METRIC_waits_ended_time, [WAIT_NEWER] = METRIC_waits_ended_newer,
                                      [WAIT_SESSION] = METRIC_waits_ended_session, [WAIT_GONE] = METRIC_waits_ended_gone,
                                      [WAIT_DRAIN] = METRIC_waits_ended_drain, [WAIT_ROOM] = METRIC_waits_ended_room };
    metric_add(of[end], 1);
    if (end == WAIT_EVENT && w->rung_us != 0)
        metric_us(METRIC_wait_wake_seconds, clock_us() - w->rung_us);
}

/* The retention of the session begins now, unless another wait or nobody needs it. */
static void let_go(struct session_wait *w, enum wait_end end)
{
    struct wait_hold h = { .number = w->number, .retention_ms = w->retention_ms };
    if (end == WAIT_NEWER || end == WAIT_SESSION || !waits_redis_serves(w->home))
        return;
    memcpy(h.id, w->id, CONTEXT_ID);
    struct arena *a = arena_new(END_ARENA);
    waits_redis_served(w->home, context_wait_end(w->home->env, a, bell_name(w->home->bell), &h));
    arena_free(a);
}

void wait_finish(struct session_wait *w, enum wait_end end)
{
    struct session_reply r = reply_of(end);
    count(w, end);
    if (w->parked && end != WAIT_GONE)
        w->ended(w->front, &r);
    let_go(w, end);
    wait_deafen(w);
    waits_drop(w);
}

/* --- the request ---------------------------------------------------------------------------------------------------------------------------- */

/* Flags are ignored (R1368). */
static bool body_valid(struct blob body)
{
    struct rd r = rd_blob_of(body);
    rd_u32(&r);
    rd_blob(&r, rd_u32(&r));
    return rd_ok(&r);
}

/* A wait that cannot be read must not end the one before. */
static void refuse_body(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct begin_args args = reply_args(c);
    const char *why = NULL;
    enum begin b = context_ping(e, c->a, &args, &r->expiration_ms, &r->context_cookie, &why);
    if (b == BEGIN_RUN)
        r->code = XRC_INVALID_BODY;
    else
        reply_refused(r, b, NULL, why);
}

static void at_once(struct session_wait *w, enum wait_end end, struct session_reply *r)
{
    *r = (struct session_reply){ .code = XRC_SUCCESS, .context_cookie = r->context_cookie, .expiration_ms = r->expiration_ms, .body = body_of(end == WAIT_EVENT) };
    waits_remove(w);
    wait_finish(w, end);
    waits_drop(w);
}

void session_notification_wait(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct begin_args args = reply_args(c);
    struct context *x = NULL;
    uint64_t number = 0;
    const char *why = NULL;
    reply_empty(r);
    if (!body_valid(c->body)) {
        refuse_body(e, c, r);
        return;
    }
    enum begin b = context_wait(e, c->a, &args, bell_name(e->waits->bell), &x, &number, &why);
    if (b != BEGIN_RUN) {
        reply_refused(r, b, NULL, why);
        return;
    }
    r->context_cookie = context_cookie(x); /* no sequence cookie: it could overwrite a newer one */
    r->expiration_ms = context_retention_ms(x);
    struct session_wait *w = waits_enter(e->waits, x, number);
    if (c->accepted != NULL)
        c->accepted(c->front, r);
    if (waits_draining(e->waits)) {
        at_once(w, WAIT_DRAIN, r);
        return;
    }
    if (wait_listen(w, x) != BELL_SOON && something(w, c->a, x)) {
        at_once(w, WAIT_EVENT, r);
        return;
    }
    c->wait = w;
}
