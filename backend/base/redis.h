/* redis.h - the only door to hiredis: where the data is (one Redis, Sentinel, Cluster), pooled connections, pipelines, scripts, errors told apart.
 *
 * A process has one struct redis.  redis_take_key lends a connection to the node that has a key, for the length of a request, and takes it back when the arena
 * ends.  Replies live in the arena.  Whoever finds that a pipeline did not work asks redis_again whether to send it whole once more: it looks for the new
 * master, follows a slot that moved, waits while a failover goes on, and ends that after `redis_failover_wait`.  So what is sent must be idempotent. */
#ifndef BASE_REDIS_H
#define BASE_REDIS_H
#include "backend/base/arena.h"
#include "backend/base/config.h"

struct redis;
struct redis_conn;

enum redis_type { REDIS_NIL, REDIS_INT, REDIS_STRING, REDIS_STATUS_OK, REDIS_ARRAY, REDIS_ERROR };
struct redis_value { enum redis_type type; int64_t i; struct blob s; size_t n; struct redis_value *v; };

/* What went wrong: the command may or may not have run (LOST), it did not run (the others). */
enum redis_result {
    REDIS_DONE,
    REDIS_LOST,
    REDIS_DOWN,        /* cannot be reached */
    REDIS_OOM,
    REDIS_READONLY_,   /* a replica, or a master that lost its office */
    REDIS_NOSCRIPT,
    REDIS_LOADING,
    REDIS_MOVED,       /* MOVED or ASK: redis_again knows where to */
    REDIS_LATER,       /* TRYAGAIN, CLUSTERDOWN, MASTERDOWN: a cluster that rearranges itself */
    REDIS_UNSAVED,     /* MISCONF: it cannot write its own files */
    REDIS_UNREPLICATED,/* NOREPLICAS: fewer replicas than its min-replicas-to-write */
    REDIS_DENIED,      /* NOAUTH, WRONGPASS, NOPERM */
    REDIS_EVICTS,      /* it takes writes, but would drop sessions when memory is short */
    REDIS_REFUSED
};
const char *redis_why(enum redis_result r);   /* in words, static */

/* Can these settings be used?  False with the reason. */
bool redis_config_check(const struct config *c, struct arena *a, const char **why);

/* `c` has passed redis_config_check. Connects to nobody yet. */
struct redis *redis_new(const struct config *c);
void redis_free(struct redis *r);

/* NULL if no connection can be had now (logged once per outage, not per request). redis_take: to the master, in a cluster to any; commands that name a key
 * then follow a redirection if they go by redis_cmd, redis_ask or redis_again. */
struct redis_conn *redis_take_key(struct redis *r, struct arena *a, struct blob key);
struct redis_conn *redis_take(struct redis *r, struct arena *a);
/* The same for who cannot wait: neither this call nor what is done with the connection waits for a failover.  An empty key: any. */
struct redis_conn *redis_take_now(struct redis *r, struct arena *a, struct blob key);
/* In a cluster, for what stands before requests of all its servers: from now on a reply that takes longer counts as lost, and nothing is sent again. */
void redis_hurry(struct redis_conn *c, uint64_t ms);
/* One to each master, one after the other, until the call returns NULL: i = 0, 1, ...; *down counts those that cannot be reached and were passed over. */
struct redis_conn *redis_take_master(struct redis *r, struct arena *a, size_t *i, size_t *down);

/* One command, binary-safe: argv/argn. Result and, for REDIS_DONE, the value.  Follows redirections; after a lost connection redis_cmd does not send
 * the command again, redis_ask does (for what only reads). */
enum redis_result redis_cmd(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out);
enum redis_result redis_ask(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out);

/* Pipelining: redis_queue any number, then redis_flush writes them in one write; redis_next reads the replies in order. */
void redis_queue(struct redis_conn *c, size_t argc, const struct blob *argv);
enum redis_result redis_flush(struct redis_conn *c);
enum redis_result redis_next(struct redis_conn *c, struct redis_value *out);

/* How long one caller has been trying; zero-initialized before its first attempt. */
struct redis_patience { unsigned sent; uint64_t since; };
/* After a result that is not REDIS_DONE: shall the whole pipeline be sent again?  If so the connection leads where it should by then; the replies still owed
 * are forgotten.  May wait, up to redis_failover_wait in all.  Not for NOSCRIPT (redis_load), and false for what no second attempt mends. */
bool redis_again(struct redis_conn *c, enum redis_result res, struct redis_patience *p);

/* The replies that are still owed are not wanted: they are read and thrown away before the next ones. */
void redis_forget(struct redis_conn *c);

/* Confirmation by replicas: queues a WAIT behind the pipeline if the configuration wants it (redis_wait_replicas); true: one more reply comes, and redis_waited
 * reads it.  Too few replicas in time is counted and logged, and REDIS_DONE; and the node's replicas are not waited for again within a second. */
bool redis_queue_wait(struct redis_conn *c);
enum redis_result redis_waited(struct redis_conn *c);

/* A script, named by the SHA-1 of its text; static storage, zero-initialized but for the text.  Queued as EVALSHA with one key; after
 * REDIS_NOSCRIPT: redis_load, then the whole pipeline again. */
struct redis_script { const char *text; char sha[41]; };
void redis_script_init(struct redis_script *s);
void redis_queue_script(struct redis_conn *c, const struct redis_script *s, struct blob key, size_t argc, const struct blob *argv);
enum redis_result redis_load(struct redis_conn *c, const struct redis_script *s);

/* The server at the other end, connecting if need be (all zeros or false if that fails): a digest of its run id, which a restart or a failover changes; and a
 * note that this process may leave about the server (scripts are loaded), which is gone with it. */
enum { REDIS_RUN = 8 };
void redis_run(struct redis_conn *c, uint8_t out[REDIS_RUN]);
bool redis_primed(struct redis_conn *c);
void redis_set_primed(struct redis_conn *c);

/* Can another server take this one's place while we run (Sentinel, Cluster)?  And how many pipelines this lease has sent. */
bool redis_moves(const struct redis_conn *c);
uint64_t redis_trips(const struct redis_conn *c);
/* As far as is known: does the server at the other end have this key?  And the arena of the lease. */
bool redis_leads_to(struct redis_conn *c, struct blob key);
struct arena *redis_arena(const struct redis_conn *c);

/* --- state of the servers, redis_state.c ----------------------------------------------------------------------------------------------- */
/* Does this server take writes now?  REDIS_DONE, or OOM, READONLY, ... as it would answer one. */
enum redis_result redis_refuses(struct redis_conn *c);
/* What keeps this installation from working well, in words; NULL: nothing.  Asks each master: reachable, takes writes, and evicts no keys. */
const char *redis_unready(struct redis *r, struct arena *a);
/* At start: false with the reason if a server that can be reached would evict keys; replicas are asked too.  Unreachable ones pass. */
bool redis_start_check(struct redis *r, struct arena *a, const char **why);
#endif
