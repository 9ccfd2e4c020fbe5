/* wait.h - the waiting room of a process: NotificationWaits that are parked, and what ends them.
 *
 * A wait is here from its acceptance to its end; no thread belongs to it.  The room's keeper thread renews its hold on the context (many in one write), and ends it when
 * its time is over; its lookers, a few threads of low priority, look at contexts and mailboxes when a bell rang, when a PENDING was due, or when the context was
 * changed.  Everything that happens to a wait is a mark on it and a place in the lookers' queue, so that many rings cost one look.
 *
 * Locks: bell, then room.  Neither is held while the front is called. */
#ifndef SESSION_WAIT_H
#define SESSION_WAIT_H
#include "backend/event/bell.h"
#include "session/context/wait.h"
#include "session/session.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

enum wait_end { WAIT_GOES_ON, WAIT_EVENT, WAIT_TIME, WAIT_NEWER, WAIT_SESSION, WAIT_GONE, WAIT_DRAIN, WAIT_ROOM };

/* One mailbox that the session has logged on to. */
struct wait_ear {
    struct bell_ear      ear;
    struct session_wait *wait;
    struct guid          mailbox;
    uint64_t             looked;     /* there was nothing to tell up to this event */
    uint64_t             stamp;      /* of the mailbox then */
};

TAILQ_HEAD(wait_tail, session_wait);

struct session_wait {
    struct waits     *home;
    atomic_uint       refs;          /* the room's and the front's */
    uint8_t           id[CONTEXT_ID];
    uint64_t          number;        /* of this wait in its context */
    int64_t           retention_ms;
    uint64_t          sequence;      /* of the last request of the context that is known of */
    uint64_t          deadline, hold_due;      /* clock_ms() */
    uint64_t          rung_us;       /* clock_us() of the first ring that was not looked after; 0 none */
    struct wait_ear  *ear; size_t ears;
    void            (*ended)(void *front, const struct session_reply *r);
    void             *front;
    uint64_t          user;          /* hash of the login */
    LIST_ENTRY(session_wait)  same_hash, same_user;
    TAILQ_ENTRY(session_wait) by_deadline, by_hold, in_queue;
    struct wait_tail *queued;        /* in which queue; NULL: none */
    uint8_t           end;           /* enum wait_end, decided */
    bool              parked, here, busy;
    bool              compare, look; /* marks for the lookers: positions; everything */
};

/* wait.c: what a looker does, without locks; the wait is its alone meanwhile. */
enum wait_end wait_look(struct session_wait *w, bool everything);
/* It is not in the room any more: the front is told, the context let go, one reference dropped. */
void wait_finish(struct session_wait *w, enum wait_end end);
/* Makes the ears those of the context's mailboxes; the worst answer of bell_listen. */
enum bell_state wait_listen(struct session_wait *w, const struct context *c);
void wait_deafen(struct session_wait *w);

/* --- waits.c ---------------------------------------------------------------------------------------------------------------------------------- */

enum { WAIT_BUCKETS = 8192, LOOKERS_MAX = 16 };

struct waits {
    struct session_env *env;
    struct bell    *bell;
    size_t          most;            /* beyond it the oldest is handed back */
    _Atomic uint64_t redis_again;    /* clock_ms() until which Redis is not asked for small things */
    pthread_mutex_t lock;
    pthread_cond_t  work, keeper_wake;
    LIST_HEAD(wait_list, session_wait) hash[WAIT_BUCKETS], of_user[WAIT_BUCKETS];
    struct wait_tail deadlines, holds;
    struct wait_tail urgent, idle;   /* for the lookers: those that something happened to; those whose positions are to be compared */
    size_t          n;
    bool            started, stop, draining;
    pthread_t       keeper, looker[LOOKERS_MAX];
    size_t          lookers;
};
struct waits *waits_new(struct session_env *e);
void          waits_free(struct waits *ws);      /* nobody is in it any more */
bool          waits_draining(struct waits *ws);

/* A new wait, known by its context from here on, with a reference for the room and one for the front. */
struct session_wait *waits_enter(struct waits *ws, struct context *c, uint64_t number);
void          waits_remove(struct session_wait *w);  /* before it was parked */
void          waits_drop(struct session_wait *w);

void          waits_rung(struct wait_ear *e, uint64_t seq);
void          waits_looked(struct wait_ear *e, uint64_t seq);             /* there was nothing to tell up to this event */
void          waits_saw(struct session_wait *w, uint64_t sequence);       /* this state of the context */

bool          waits_redis_serves(struct waits *ws);
void          waits_redis_served(struct waits *ws, bool served);
#endif
