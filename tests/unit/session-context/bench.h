/* bench.h - one Redis, one store with a mailbox, and requests of a pretended session layer, for the tests of this room. */
#ifndef TESTS_CONTEXT_BENCH_H
#define TESTS_CONTEXT_BENCH_H
#include "tests/unit/session-context/redis_server.h"
#include "session/context/context_int.h"
#include "tests/unit.h"

struct bench {
    struct arena *a;                 /* of the whole test */
    struct config config;
    struct redis_server server;
    struct session_env env;          /* what a worker has */
    struct store *store;
    struct guid   mailbox, second;
    struct person who;
};
struct bench *bench_open(void);      /* skips the test where there is no redis-server */
struct session_env bench_worker(struct bench *b);  /* another worker: own Redis pool, same store */

/* A session as its client sees it. */
struct client { char context[80], sequence[80]; };

/* Connect with one logon on b->mailbox (handle 1). */
void bench_connect(struct bench *b, struct client *k);
/* Begins the request `body`; X-RequestId is a counter unless given. */
struct turn { struct arena *a; struct context *c; enum begin begin; struct blob answer; const char *why; struct mailbox *m; };
void bench_begin(const struct session_env *e, struct bench *b, const struct client *k, const char *body, const char *id, struct turn *t);
/* An effect in the mailbox, in the request's transaction; bench_effects counts them. */
void bench_effect(struct bench *b, struct turn *t, const char *what);
/* Ends it: commit with `answer`; the client takes the new cookies. */
enum finish bench_end(struct turn *t, struct client *k, const char *answer);
void bench_take_cookies(struct turn *t, struct client *k);
void bench_leave(struct turn *t);    /* the arena ends */

/* A worker process of its own (this program, started anew): one request `body` with an effect in the mailbox (unless NULL) and the state of object 1
 * replaced (unless NULL), dying at `fault` ("commit_store:1:kill", or ""). True: it ended well, and k has the new cookies. */
bool bench_worker_process(struct bench *b, struct client *k, const char *body, const char *id, const char *effect, const char *state, const char *fault);

/* How often the effect `what` happened in the mailbox. */
unsigned bench_effects(struct bench *b, const char *what);
/* One command to Redis, words parted by blanks. */
struct redis_value bench_redis(struct bench *b, const char *command);
/* Name of the session's hash. */
const char *bench_key(struct bench *b, const struct client *k);
/* Redis bytes of the session. */
int64_t bench_memory(struct bench *b, const struct client *k);

void bench_nap(unsigned ms);
/* Nobody renews its lock any more, as if the process stood still. */
void bench_stall(struct turn *t);
/* Begins and lets go: how it was answered. */
enum begin bench_try(struct bench *b, const struct client *k, const char *body, struct blob *answer);
/* A request finds the state of the first object to be this. */
void bench_check_state(struct bench *b, struct client *k, const char *want);
/* Redis is killed and comes back with what it had on disk. */
void bench_restart(struct bench *b);
#endif
