/* script.h - the control field of a context, and the Lua functions that are the only writers of it.
 *
 * A context is one Redis hash.  Its fields:
 *     c         control: lock, sequence, identity digest (struct control, 117 bytes); read and written by the scripts only
 *     0, 1      header blocks: the current one (control.slot) and the one before the last change
 *     <h>a <h>b state of the object with handle h (hex): the place named by its directory entry, and the one before its last change
 *     x         mailboxes (GUIDs) that the running request changes though no saved logon names them
 *     s         for administrators: created (u64, ms), retention (u64, ms), how often another worker went on with it, how often it went on after a pause (u32),
 *               host and worker of the last request (struct service)
 *     w         the NotificationWait that is pending: number, held until (u64, ms), name of its process (16); see wait.h
 * Whatever changes is written to the other place, and the control field then says which is current, so that the state before the last request stays
 * until the next one ("a repeat restores it and runs again") and nothing has to move. */
#ifndef CONTEXT_SCRIPT_H
#define CONTEXT_SCRIPT_H
#include "backend/base/fault.h"
#include "backend/base/rd.h"
#include "backend/base/redis.h"
#include "backend/base/wr.h"
#include "session/context/context.h"

enum { TOKEN = 16, IDENTITY = 16, REQUEST_ID = 8, RUN = REDIS_RUN, CONTROL_BYTES = 117 };

/* How the last begun request stands. */
enum state {
    STATE_CLEAN,      /* ended, changed nothing */
    STATE_CHANGED,    /* ended, changed the context only */
    STATE_STORED,     /* ended, changed a store: its answer is in the journal */
    STATE_ABANDONED,  /* ended without effect and without a proper answer */
    STATE_RUNNING,    /* the lock is held, or was when its holder died */
    STATE_RECOVERING  /* somebody finds out what happened to it */
};
enum { FLAG_IDS_CHANGE = 1 }; /* request ids of this context were seen to change; bits 1 and 2: workers that died in the last request; bit 3: a repeat took its
                              * effect back and has not had it anew */

struct control {
    uint8_t  state, was;                   /* was: what a recovery found */
    uint8_t  flags, slot;
    uint8_t  identity[IDENTITY];
    uint64_t sequence, epoch;              /* of the last begun request; of the lock */
    uint8_t  digest[DIGEST], request_id[REQUEST_ID], token[TOKEN];
    uint64_t deadline, busy_until;         /* ms, Redis' clock */
    uint8_t  run[RUN];                     /* digest of the run id of the Redis that wrote this */
};
void control_save(struct wr *w, const struct control *k);
bool control_load(struct blob b, struct control *out);

/* The field s.  Whoever does not know it leaves it alone. */
enum { SERVED_MAX = 64 };
struct blob service_save(struct arena *a, uint64_t created_ms, uint64_t retention_ms, const char *where);
bool service_load(struct arena *a, struct blob b, struct context_state *out);

enum script {
#define SCRIPT(name, flags, text) SCRIPT_##name,
#include "session/context/script.def"
#undef SCRIPT
    SCRIPT_COUNT
};

/* A script, and HMGET fields that are asked for behind it in the same write. */
struct call {
    enum script        script;
    struct blob        key;
    const struct blob *argv; size_t argc;
    const struct blob *get;  size_t gets;
    enum fault         sent;                /* fault point between sending and reading; FAULT_COUNT: none */
    uint8_t           *run;                 /* RUN bytes that some of argv point to: made the run of the server that is asked, at each attempt; NULL: none */
    bool               durable;             /* replicas shall confirm it (redis_wait_replicas) */
};
/* *got: the array of the HMGET.  A script that Redis lost is loaded, a lost connection made anew, a key that moved and a new master are found, and all is sent
 * once more: the scripts are idempotent per token. */
enum redis_result script_call(struct redis_conn *r, const struct call *c, struct redis_value *answer, struct redis_value *got);
/* The same, and behind it commands of three words that go along in the same write; nobody waits for their replies. */
enum { RING_WORDS = 3 };
struct rings { const struct blob *v[LOGONS_MAX]; size_t n; };
enum redis_result script_call_rings(struct redis_conn *r, const struct call *c, const struct rings *rings, struct redis_value *answer);
/* Calls of many contexts, without HMGETs, in one write for each node that has some of them; how each ended.  Nobody waits for a failover. */
void script_calls(struct redis *home, struct arena *a, const struct call *c, size_t n, enum redis_result *res, struct redis_value *answer);
/* Sends and does not wait; false if it could not even be sent.  Where servers change (Sentinel, Cluster) the reply is looked at when the arena ends, that is
 * when the client has its answer, and the call made again if it failed: it lives, like its arguments, in the arena `a`. */
bool script_post(struct redis_conn *r, struct arena *a, const struct call *c);

/* Arguments as Redis wants them. */
struct args { struct arena *a; struct blob *v; size_t n, cap; };
void args_blob(struct args *x, struct blob b);
void args_bytes(struct args *x, const void *p, size_t n);
void args_num(struct args *x, uint64_t v);

/* Names of fields; arena or static. */
struct blob field_header(unsigned slot);
struct blob field_object(struct arena *a, uint32_t handle, unsigned slot);
#endif
