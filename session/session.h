/* session.h - the one door that the front sees: a request of an authenticated user in, a body and cookies out.
 *
 * The front authenticates, checks headers, and reads the body; everything about contexts, ROPs and mailboxes happens behind these calls.  A call
 * blocks until the work is done; as soon as the request is accepted (cookies checked, lock held) it calls `accepted` once, from the same thread,
 * with the part of the reply that the response head needs; the front may then send the head and keep the client waiting with PENDING from a timer. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H
#include "backend/base/arena.h"
#include "backend/base/config.h"
#include "backend/base/redis.h"
#include "backend/directory/directory.h"
#include "backend/store/store.h"
#include "session/context/context.h"
#include "session/discover/discover.h"
#include "session/offline/download.h"

enum xrc {
#define XRC(number, name, words) XRC_##name = number,
#include "session/xrc.def"
#undef XRC
};
const char *xrc_words(enum xrc code);

/* What all sessions of a process share (struct session_env, context.h).  NULL with *why: the secret cannot be read, the directory not opened ...  A Redis that is down is no reason. */
struct session_wait;
struct session_env *session_env_new(const struct config *c, struct arena *a, const char **why);

/* "host/worker" as administrators read it. */
const char *session_where(const struct config *c, struct arena *a);

/* What the workers of a host have in common (config host_dir), before threads are started.  False with *why: this process stays alone, and can serve. */
bool session_share(struct session_env *e, struct arena *a, const char **why);
void session_env_free(struct session_env *e);

/* Background work of a worker process (backend/jobs); what is switched off is NULL.  Stop it before session_env_free. */
struct session_jobs { struct sweeper *sweeper; struct refresher *refresher; struct offliner *offliner; };
struct session_jobs session_jobs_start(struct session_env *e);
void session_jobs_stop(struct session_jobs j);

/* What the log tells of a request beyond its answer; all may be NULL or 0. */
struct session_note {
    const char *mailboxes;       /* GUIDs of those that the session is logged on to, comma between them */
    uint64_t    sequence;        /* number of the request within its session */
    const char *rops;            /* those that ran, with access_rops */
    const char *client_mode;     /* "classic", "cached"; static */
};

struct session_reply {
    enum xrc    code;            /* the last word: what goes to X-ResponseCode, in the head or behind DONE */
    const char *context_cookie;  /* value for Set-Cookie, NULL: none */
    const char *sequence_cookie;
    int64_t     expiration_ms;   /* X-ExpirationInfo; -1: absent */
    struct blob body;            /* response body; for a code other than 0: empty */
    const char *diagnosis;       /* words for the text/html body of a failure, or NULL */
    struct session_note note;
};

struct session_call {
    struct arena        *a;
    const struct person *who;            /* authenticated */
    const char          *type;           /* X-RequestType as sent */
    const char          *request_id;     /* X-RequestId as sent */
    const char          *client_app;     /* X-ClientApplication or NULL */
    const char          *context_cookie, *sequence_cookie; /* NULL: not sent */
    struct blob          body;
    bool                 external;       /* it came in on a listener for the outside */
    uint64_t             head_due_ms;    /* clock_ms() at which the front sends the head of an accepted request, if it is not answered by then */
    uint64_t             retention_ms;   /* set by session_admit; 0: the configuration's */
    void               (*accepted)(void *front, const struct session_reply *so_far);
    void                *front;
    struct session_wait *wait;           /* out, of session_notification_wait: the answer comes later */
};

/* May this person use MAPI over HTTP now, from this side?  Before every request; keeps the person's retention in the call.  False: *r is the answer, and
 * where MAPI over HTTP is switched off (not: only from outside) the session that the cookies name has ended. */
bool session_admit(struct session_env *e, struct session_call *c, struct session_reply *r);

/* A page of discovery (Autodiscover and the like; discover_find names it).  The caller fills the call but for what the environment has. */
void session_discover(struct session_env *e, const struct discover_route *page, struct discover_call *c, struct discover_page *out);

/* A download of the offline address book (download_path knows the paths), and a part of what was found.  The caller fills the call but for what the environment
 * has. */
enum download_outcome session_download(struct session_env *e, struct download_call *c, struct download *out);
ec_t session_download_read(struct session_env *e, struct arena *a, const struct download *f, uint64_t at, size_t n, struct blob *out);

/* Mailbox endpoint (MS-OXCMAPIHTTP 2.2.4), and PING of both. reply->code is always set. */
void session_connect(struct session_env *e, struct session_call *c, struct session_reply *r);
void session_execute(struct session_env *e, struct session_call *c, struct session_reply *r);
void session_disconnect(struct session_env *e, struct session_call *c, struct session_reply *r);
/* Address-book endpoint (2.2.5): every request but PING, by c->type. */
void session_book(struct session_env *e, struct session_call *c, struct session_reply *r);
void session_ping(struct session_env *e, struct session_call *c, struct session_reply *r);

/* --- NotificationWait (MS-OXCMAPIHTTP 2.2.4.4) --------------------------------------------------------------------------------------------
 *
 * It is the one request that does not block: if there is nothing to tell yet, c->wait is set, and no answer; the front keeps the client without a thread, and
 * parks the wait.  From then on `ended` is called once, by a thread of the session room, with the rest of the reply, unless session_wait_leave
 * came first.  The front owns the wait until session_wait_free. */
void session_notification_wait(struct session_env *e, struct session_call *c, struct session_reply *r);
void session_wait_park(struct session_wait *w, void (*ended)(void *front, const struct session_reply *r), void *front);
/* A PENDING was written: positions are compared, by another thread. */
void session_wait_compare(struct session_wait *w);
/* The client went away.  True: `ended` will not be called; false: it was, or is about to be. */
bool session_wait_leave(struct session_wait *w);
void session_wait_free(struct session_wait *w);
/* The process ends: all parked waits, and those that still come, end at once with EventPending 0. */
void session_waits_end(struct session_env *e);

/* Administration: what mapictl session shows.  One line of facts per context; ids are digests, never cookies. */
struct session_info {
    char        digest[17];      /* first 8 bytes of SHA-256 of the id, hex */
    const char *user, *client;
    const char *product;         /* what the support matrix (client.h) says of the client; NULL: it is not in it */
    int64_t     idle_ms, expires_ms;
    uint64_t    created_ms;      /* since 1970; 0: not known */
    uint32_t    moves, pauses;   /* how often another worker went on with it; how often it went on after a minute or more without a request */
    const char *served_by;       /* host and worker of the last request */
    struct guid mailbox;         /* of its first logon */
    size_t      mailboxes;       /* how many it is logged on to */
    uint64_t    sequence;
    uint32_t    handles, bytes;
    bool        locked, waits;   /* a request runs; a NotificationWait is pending */
};
/* How many sessions there are on all hosts; counted at most every ten seconds.  active_users: a request in the last two minutes, or a pending wait. */
struct session_census { uint64_t sessions, users, active_users; };
ec_t session_census(struct session_env *e, struct session_census *out);
ec_t session_list(struct session_env *e, struct arena *a, struct session_info **out, size_t *n);
ec_t session_show(struct session_env *e, struct arena *a, const char *digest, void (*line)(void *ctx, const char *text), void *ctx); /* each object described */
ec_t session_end(struct session_env *e, struct arena *a, const char *digest);
/* What a form must bring along to do something to `what` in the name of `login`: as of `ago` days before.  In `a`; equal on all hosts. */
const char *session_token(struct session_env *e, struct arena *a, const char *login, const char *what, unsigned ago);
/* Ends the sessions of everybody for whom MAPI over HTTP is switched off by now, waiting ones included; *ended counts them. */
ec_t session_end_disabled(struct session_env *e, struct arena *a, size_t *ended);
#endif
