/* context.h - one request's hold on a Session Context in Redis.
 *
 * context_begin takes the lock, consumes the sequence, and brings the header and the server objects that the request names, in one round trip.  The request
 * then reads and changes the struct and the object blocks in memory; context_finish makes mailboxes and context durable in the order that
 * keeps "exactly once" (store transaction with the journal row, then Redis, then unlock), context_abandon lets go without a change.
 * Everything lives in the arena of the request.  A damaged or unknown block is CONTEXT_NOT_FOUND for the client, never a crash.
 *
 * The struct's saved fields are in context.def. */
#ifndef CONTEXT_CONTEXT_H
#define CONTEXT_CONTEXT_H
#include "backend/store/journal.h"
#include "backend/base/redis.h"
#include "backend/directory/directory.h"

struct cookie_keys;

/* Keys from the secret file (HKDF, by epoch); NULL with *why if it is absent, short or readable by others. */
struct cookie_keys *cookie_keys_load(const char *path, struct arena *a, const char **why);

/* What lives as long as the process, shared by all threads: built by session_env_new (session.h) from the configuration. */
struct session_env {
    const struct config *config;         /* a reload exchanges it; a request has a copy of this struct with what was in force when it came */
    struct redis        *redis;
    struct store        *store;
    struct directory    *directory;
    struct cookie_keys  *keys;
    struct waits        *waits;          /* session/wait.h */
    struct rate         *rate;           /* rate.h; NULL: no limit of requests per second */
    const char          *where;          /* "host/worker", for administrators: who served a session last */
};

enum { LOGONS_MAX = 256 };
enum { CLIENT_CLASSIC = 1, CLIENT_CACHED = 2 };          /* ClientMode (MS-OXCRPC 2.2.2.2.4) */

/* A logon of this context (Logon Map): which mailbox LogonId n is.  */
struct logon_entry {
    uint8_t     logon_id;
    uint32_t    handle;
    uint8_t     logon_flags;
    uint32_t    open_flags;
    struct guid mailbox;
    bool        owner;           /* the context's user owns it, or has full access */
    const char *mailbox_dn;
};

/* What the header knows of a server object without its state. */
struct handle_entry {
    uint32_t handle;
    uint8_t  kind;               /* enum object_kind */
    uint8_t  logon_id;
    uint32_t parent;             /* handle of the object it was opened on; 0xFFFFFFFF none */
    uint32_t size;               /* bytes of its state */
    bool     staged;             /* the state lies in the store's staging area, not in Redis */
    uint8_t  slot;               /* which of its two places holds the state; the other keeps the one before, for a repeat */
};

struct position;                 /* watch.h */

/* What the context is told of; by watch.h only.  Most requests do not look at it: it stays packed until somebody does. */
struct watching { struct blob packed; bool open, damaged, stale; struct watch *v; size_t n; };

/* How a context stands, for administrators: from looks without its lock only. */
struct context_state {
    uint64_t    created_ms;      /* since 1970; 0: not known */
    uint64_t    retention_ms;    /* at its last request */
    uint32_t    moves, pauses;   /* how often another worker went on with it; how often it went on after a minute or more without a request */
    const char *served_by;       /* host and worker of the last request, "" if not known */
    bool        locked, waits;   /* a request runs; a NotificationWait is pending */
    int64_t     idle_ms, expires_ms;
};

struct context {
    struct arena *a;
    uint8_t       id[CONTEXT_ID];
    /* fixed at Connect */
    const char   *user;          /* login of the identity; a context answers to nobody else */
    const char   *user_dn;       /* UserDn of Connect */
    const char   *display_name;
    uint32_t      flags, code_page, lcid_sort, lcid_string;
    uint16_t      client_version[4];
    const char   *client_app;
    uint32_t      client_mode;   /* ClientMode of AUX_PERF_CLIENTINFO: 0 not told, 1 classic, 2 cached */
    /* changes with requests */
    struct logon_entry  *logon;  size_t logons;
    struct handle_entry *handle; size_t handles;
    uint32_t      next_handle;
    struct watching      watching;
    struct position     *position; size_t positions;  /* up to which event of each mailbox it was told */
    uint64_t      version;       /* number of the request that changed the context last */
    struct guid   journal;       /* mailbox with the journal row of the last request that changed a store; zeros: none */
    uint64_t      sequence;      /* number of this request */
    uint64_t      epoch;         /* of the lock that this request holds */
    struct context_state state;
    struct context_private *p;   /* the room's own: redis, dirty blocks, lock token, digest */
};

/* How a begin can end. */
enum begin {
    BEGIN_RUN,        /* the lock is ours, run it */
    BEGIN_ANSWER,     /* a repeat of a request that took effect: *answer is its body, the lock is already free */
    BEGIN_MISSING,    /* no cookie: code 13 */
    BEGIN_FORGED,     /* cookie not made by us: 6 */
    BEGIN_NOT_FOUND,  /* expired, ended, of another user, lost: 10 */
    BEGIN_SEQUENCE,   /* 15 */
    BEGIN_FULL,       /* a Connect or Bind: the user has as many sessions as he may, and uses all of them */
    BEGIN_DOWN        /* Redis or the store cannot answer now: *why */
};

struct begin_args {
    const struct person *who;
    const char    *context_cookie, *sequence_cookie;   /* NULL: not sent */
    const char    *type, *request_id;
    struct blob    body;                               /* digested together with the type */
    const uint32_t *handles; size_t nhandles;          /* of the request's handle table: their blocks come along */
    uint64_t       head_due_ms;                        /* clock_ms() at which the head of the answer leaves, if that takes longer; 0: with the answer */
    uint64_t       retention_ms;                       /* how long the session is kept from now on; 0: the configuration's */
};
/* *out is set for BEGIN_RUN, BEGIN_ANSWER and BEGIN_SEQUENCE (the latter two for their cookies only). */
enum begin context_begin(const struct session_env *e, struct arena *a, const struct begin_args *args, struct context **out, struct blob *answer, const char **why);

/* A new context for a Connect (it holds its lock like one that was begun; Redis has it from context_finish on).  args->context_cookie (NULL, expired,
 * forged or another user's: never an error) names the context that this Connect replaces: if it is live and the same user's, it is destroyed,
 * its staging and journals with it.  A sequence cookie is ignored. */
enum begin context_create(const struct session_env *e, struct arena *a, const struct begin_args *args, struct context **out, const char **why);

/* The same for a session that shall not go on: ends the one that args->context_cookie names, if it is live and the same user's. */
void context_discard(const struct session_env *e, struct arena *a, const struct begin_args *args);

/* Cookie values to send: the context's, and the sequence of the next request. */
const char *context_cookie(struct context *c);
const char *context_sequence_cookie(struct context *c);
int64_t     context_retention_ms(struct context *c);

/* --- server objects: bytes by handle ---------------------------------------------------------------------------------------------------- */
/* Entry of the directory, or NULL: no such handle. */
struct handle_entry *context_handle(struct context *c, uint32_t handle);
/* The state bytes; fetched now (one HMGET for all of `want` that are not here yet) or already here.  False: damaged or lost. */
bool context_fetch(struct context *c, const uint32_t *want, size_t n);
bool context_block(struct context *c, uint32_t handle, struct blob *out);
/* A state could not be fetched because Redis or the mailbox did not answer: nothing is damaged, a repeat may find it. */
bool context_unreachable(const struct context *c);
/* A new object: its handle number is deterministic (a repeat of the request gives the same).  *out = 0xFFFFFFFF never.  ecServerBusy beyond handles_max. */
ec_t context_add(struct context *c, uint8_t kind, uint8_t logon_id, uint32_t parent, uint32_t *out);
/* Replaces the state of an object; kept until context_finish.  Blocks above 8 KiB go to the staging area of `logon`'s mailbox there. */
void context_put(struct context *c, uint32_t handle, struct blob state);
/* Removes the object (not its children: MS-OXCROPS lets them live). */
void context_drop(struct context *c, uint32_t handle);

/* Marks header fields as changed (logons; user fields never change after Connect). */
void context_touch(struct context *c);

/* The journal's fence, the store, Redis, the lock.  `changed`: the mailboxes with an open write transaction that belong to this request (usually
 * none or one; of several the first decides: it holds the journal row and is committed first).  `answer` is the response body to replay.  Afterwards the lock is free and the cookies can be sent.
 * CONTEXT_DONE: all is durable.  CONTEXT_OVERTAKEN: another worker took the lock, nothing of ours happened.  CONTEXT_FAILED: the store refused,
 * rolled back, nothing happened.  When Redis fails after the store committed, the result is CONTEXT_DONE: the journal has it.
 * CONTEXT_GONE: Redis was replaced by one that does not know of this request; the session is lost with it (the client hears 10 and reconnects). */
enum finish { CONTEXT_DONE, CONTEXT_OVERTAKEN, CONTEXT_FAILED, CONTEXT_GONE };
enum finish context_finish(struct context *c, struct mailbox **changed, size_t n, struct blob answer);

/* Unlocks without any change but the consumed sequence number. */
void context_abandon(struct context *c);

/* Disconnect: everything of the context goes, staging and journals included. */
enum finish context_destroy(struct context *c);

/* PING: refreshes the retention.  BEGIN_RUN stands for "refreshed"; no lock is taken, no sequence consumed; *cookie = what to send back. */
enum begin context_ping(const struct session_env *e, struct arena *a, const struct begin_args *args, int64_t *retention_ms, const char **cookie, const char **why);
/* What a request that uses up no number sends back with it: the sequence cookie that it came with, if that is one of its context; else NULL. */
const char *context_own_sequence(const struct session_env *e, struct arena *a, const struct begin_args *args);

/* For long work: has the lock been lost (a timer renews it; the store's fence decides in the end)? */
bool context_lost(const struct context *c);

/* Administration: ends a context whoever has its lock; what runs in it comes to nothing.  ecNotFound, ecServerBusy. */
ec_t context_end(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID]);
/* A look without lock: header and all blocks as they are now (context_block); only reading is allowed.  ecNotFound: it is
 * certainly not there; ecServerBusy: Redis does not tell; ecCorruptData: there, but unreadable. */
ec_t context_peek(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct context **out);
/* The same without its objects.  *out is set when it is there, readable or not (ecCorruptData: idle_ms, expires_ms, locked and waits are not known). */
ec_t context_state(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct context_state *out);
/* First 8 bytes of SHA-256 of the id, hex: the name of a context in logs. */
const char *context_digest(struct arena *a, const uint8_t id[CONTEXT_ID]);

/* Scans (administration). */
ec_t context_scan(const struct session_env *e, struct arena *a, void (*each)(void *ctx, const struct context *c, int64_t ttl_ms, bool locked), void *ctx);
#endif
