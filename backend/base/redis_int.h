/* redis_int.h - what the redis*.c files share: nodes, connections, routes.  The one header that shows hiredis. */
#ifndef BASE_REDIS_INT_H
#define BASE_REDIS_INT_H
#include "backend/base/redis.h"
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>

enum { REDIS_SEEDS = 32, REDIS_NODES = 256, REDIS_SLOTS = 16384, REDIS_WHY = 256 };

/* --- addresses, redis_address.c ---------------------------------------------------------------------------------------------------------- */
enum redis_mode { REDIS_ONE, REDIS_SENTINEL, REDIS_CLUSTER };
struct redis_address { char host[256]; int port; };            /* port 0: host is the path of a Unix socket */
struct redis_target { enum redis_mode mode; char master[128]; struct redis_address seed[REDIS_SEEDS]; size_t seeds; };
bool redis_target_parse(const char *text, struct redis_target *out, char why[REDIS_WHY]);
/* "host:port", "[v6]:port", or host and port apart, as servers tell them; `n` bytes of host. */
bool redis_address_set(struct redis_address *out, const char *host, size_t n, long port);
bool redis_address_parse(const char *text, size_t n, struct redis_address *out);
bool redis_address_eq(const struct redis_address *a, const struct redis_address *b);
const char *redis_address_text(const struct redis_address *at, char out[300]);
unsigned redis_slot(struct blob key);                            /* of a cluster: CRC16 of the part in braces */

/* --- one connection, redis_link.c -------------------------------------------------------------------------------------------------------- */
struct redis_node;
struct redis_link {
    redisContext *c;
    size_t   owed, unwanted;      /* replies that will come; how many of the first are thrown away */
    uint64_t run;                 /* digest of its run id */
    uint64_t timeout_ms;          /* for a reply */
    bool     master, evicts;      /* what it said of itself when it was greeted: its role; a maxmemory-policy that drops keys */
    char     policy[32];
    struct redis_node *node;
    struct redis_link *next;      /* of the node's idle ones */
};
enum redis_login { REDIS_SERVER, REDIS_SENTINEL_LOGIN };
/* Connected and logged in; a server also greeted. NULL with *why. Anybody's thread; takes up to redis_timeout. */
struct redis_link *redis_link_open(struct redis *r, const struct redis_address *at, enum redis_login login, char why[REDIS_WHY]);
void redis_link_close(struct redis_link *l);
/* INFO once more: run, master, evicts, policy. */
bool redis_link_greet(struct redis_link *l, char why[REDIS_WHY]);
void redis_link_put(struct redis_link *l, size_t argc, const char **argv, const size_t *argn);
bool redis_link_write(struct redis_link *l);
redisReply *redis_link_reply(struct redis_link *l);               /* NULL: lost; l->c->errstr */
/* One command of words, NULL at the end; the raw reply, or NULL. */
redisReply *redis_link_say(struct redis_link *l, const char *word, ...) __attribute__((sentinel));
bool redis_link_stale(const struct redis_link *l);                /* closed by the server while it was idle */
/* For subscriptions: a connection outside the pools, greeted, to the master or, in a cluster, to any master (PUBLISH reaches all nodes).  The caller closes it. */
struct redis_link *redis_link_any(struct redis *r, char why[REDIS_WHY]);

/* --- TLS, redis_tls.c: *tls stays NULL where it is not wanted ------------------------------------------------------------------------------ */
bool redis_tls_begin(const struct config *c, void **tls, char why[REDIS_WHY]);
void redis_tls_end(void *tls);
bool redis_tls_encrypt(void *tls, redisContext *c, char why[REDIS_WHY]);

/* --- nodes and their connections, redis_node.c -------------------------------------------------------------------------------------------- */
struct redis_node {
    struct redis_address at;
    bool     used, master;        /* an entry in use; has slots, or is the master */
    _Atomic unsigned lent;        /* who holds it: it is not taken for another address meanwhile */
    struct redis_link *idle;      /* newest first, so that a small set stays busy */
    size_t   nidle;
    _Atomic uint64_t primed;      /* run of the server that redis_set_primed was called for */
    _Atomic uint64_t since;       /* clock_ms when it was seen not to serve; 0: serves */
    _Atomic uint64_t hung;        /* it was silent for the whole timeout: nobody tries before this; 0: it was not */
    _Atomic unsigned late;        /* replies that are waited for longer than usual now */
    _Atomic uint64_t tired;       /* its replicas are not waited for before this */
    atomic_bool      evicts;      /* it would drop keys when its memory is full */
};

struct redis {
    struct redis_target target;
    char            user[128], password[256], sentinel_user[128], sentinel_password[256];
    uint64_t        timeout_ms, failover_ms, wait_ms;
    unsigned        wait_replicas;
    void           *tls;
    pthread_mutex_t lock;         /* of nodes, pools, routes */
    struct redis_node node[REDIS_NODES];
    struct redis_node *master;    /* one Redis, Sentinel; NULL: not known */
    uint16_t        slot[REDIS_SLOTS]; /* cluster: node + 1, 0 = nobody */
    bool            known, doubt; /* there is a master, or a map; and it may be wrong for those whose server does not serve */
    bool            moved;        /* slots moved since the map was drawn: it may be wrong for anybody */
    uint64_t        drawn;        /* clock_ms of the last map */
    _Atomic uint64_t looked;      /* clock_ms when somebody found out last */
    pthread_mutex_t finding;      /* one thread asks sentinels or draws the map, the others wait for what it finds */
    _Atomic uint64_t found;       /* how often that was done */
    size_t          lucky;        /* the sentinel that answered last */
    _Atomic uint64_t since;       /* clock_ms when nobody was found; 0 */
    atomic_bool     down, quiet;  /* an outage began and did not end; no line told so */
    _Atomic uint64_t lined;       /* clock_ms of the last such line */
    _Atomic uint64_t told, untold;/* clock_ms of the last line about WAIT; what was counted since */
};

struct redis_node *redis_node_at(struct redis *r, const struct redis_address *at);  /* under the lock; NULL: too many */
void redis_node_hold(struct redis_node *n);
void redis_node_drop(struct redis_node *n);
bool redis_node_well(const struct redis_node *n);                 /* as far as is known it serves */
/* A connection: an idle one or a new one; NULL: it does not serve.  The caller holds the node as long as it has it. */
struct redis_link *redis_node_take(struct redis *r, struct redis_node *n, bool hasty);
void redis_node_give(struct redis *r, struct redis_link *l);      /* back to its pool; closes it if it is of no use */
void redis_node_failed(struct redis_node *n);
void redis_node_hung(struct redis_node *n);                       /* it let somebody wait for the whole timeout; redis_node_take tries with one at a time then */
void redis_node_greeted(struct redis_link *l);                    /* takes over what it said of itself */
void redis_node_empty(struct redis_node *n);                       /* closes the idle ones; under the lock */

/* What one request has: a connection now, and where to get the next one. */
struct redis_conn {
    struct redis      *home;
    struct arena      *a;
    int                slot;         /* of the key; -1: any master */
    struct redis_node *fixed, *ask;  /* held: this node and no other; the one that ASK named */
    struct redis_node *node;         /* held: of link */
    struct redis_link *link;         /* NULL: not connected */
    bool               gap;          /* a command of this pipeline could not be queued: the others must not go alone */
    bool               hasty;        /* does not wait for failovers */
    uint64_t           hurry_ms;     /* nor longer than this for a reply; 0: redis_timeout */
    bool               was_lost;
    uint64_t           trips;        /* pipelines sent */
    uint64_t           asked;        /* clock_us of the flush whose replies are awaited; 0: none */
};

/* --- who has what, redis_route.c, redis_sentinel.c, redis_cluster.c ------------------------------------------------------------------------ */
/* The node for a slot (-1: any master), held; or NULL.  Asks sentinels or seeds if it has to. */
struct redis_node *redis_route(struct redis *r, int slot);
void redis_route_moved(struct redis *r, unsigned slot, const struct redis_address *at);
void redis_route_doubt(struct redis *r);                          /* what is known may be wrong: find out at the next use */
void redis_route_freshen(struct redis *r);                        /* ... now, if anything of a cluster's map is in doubt */
bool redis_sentinel_find(struct redis *r);                        /* under `finding`: a master that serves -> r->master */
bool redis_cluster_draw(struct redis *r);                         /* likewise: r->slot */

/* One line when an outage begins, one when it ends. */
void redis_outage(struct redis *r, const char *what, const struct redis_address *at);
void redis_served(struct redis *r, struct redis_node *n);
#endif
