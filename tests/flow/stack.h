/* stack.h - a real installation in a temporary directory: redis-server, nginx, workers in two groups ("hosts"), a directory with users, mailboxes.
 *
 * Everything listens on sockets in the directory or free loopback ports, dies with the test program (PDEATHSIG) and is stopped by pid.  The header X-Test-Route
 * chooses the worker: "a0", "a1" (host A), "b0", "b1" (host B); without it nginx takes turns. */
#ifndef FLOW_STACK_H
#define FLOW_STACK_H
#include "backend/directory/directory.h"
#include "backend/store/store.h"
#include "session/session.h"
#include "tests/client/mapic.h"
#include <sys/types.h>

enum { STACK_WORKERS = 4 };

struct stack_options {
    unsigned    workers;           /* 1..4; 0: 4 */
    const char *config;            /* further lines of mapihttpd.conf, or NULL */
    const char *redis;             /* lines that say where another Redis is, instead of the stack's own; NULL: its own */
    unsigned    redis_maxmemory_mb;/* 0: none */
    bool        shared_socket;     /* the workers are passed one listening socket (LISTEN_FDS), which stays when they end; X-Test-Route chooses nothing */
    const char *nginx;             /* further text of nginx's http block (server blocks may `include locations.conf;`), or NULL */
    const char *created_by;        /* a worker program that makes the directory, by starting once; NULL: this process does */
    bool        as_deployed;       /* Redis by deploy/redis.conf, and no fault files: for measuring */
};

struct stack {
    struct arena *a;
    char   dir[200];
    pid_t  redis, nginx, worker[STACK_WORKERS];
    unsigned workers, port;        /* port: plain HTTP of nginx, for clients from inside */
    unsigned external_port;        /* the same for clients from outside */
    int    shared;                 /* the socket that is passed to the workers; 0: each has its own */
    int    passed;                 /* what stack_spawn passes; 0: nothing */
    const char *program[STACK_WORKERS]; /* what stack_worker starts as this worker; NULL: stack_program */
    struct config *config;
    struct store  *store;          /* this process's own door to the mailboxes, to look at what is really there */
    struct directory *directory;
    struct person ana, bob;        /* users ana@example.com / bob@example.com, password "secret-ana" / "secret-bob" */
};

/* Starts all of it, or ends the test.  Every test of a program may share one stack: stack_shared. */
struct stack *stack_start(const struct stack_options *o);
struct stack *stack_shared(void);
void stack_stop(struct stack *s);

extern const char *const stack_route[STACK_WORKERS];   /* "a0", "b0", "a1", "b1": neighbours are on different hosts */

void stack_kill(struct stack *s, unsigned worker, int signal);   /* SIGKILL waits for the end */
void stack_worker(struct stack *s, unsigned worker);             /* starts it (again), waits until it answers */
void stack_arm(struct stack *s, unsigned worker, const char *fault); /* "commit_store:1:kill"; NULL disarms */
bool stack_worker_ended(struct stack *s, unsigned worker);       /* reaps it if it died */
const char *stack_program(struct stack *s);                      /* the worker binary: $MAPIHTTPD, or the one beside the test program */
/* A process with its output in a file of the directory; it dies with the test program.  `env`: further "NAME=value", NULL-terminated, or NULL. */
pid_t stack_spawn(struct stack *s, const char *log, char *const argv[], char *const env[]);
unsigned stack_free_port(void);
bool stack_answers(unsigned port);                               /* somebody listens on this loopback port */
void stack_end(pid_t *pid, int signal);                          /* ends a process of stack_spawn, waits for its end */
void stack_redis_stop(struct stack *s);                          /* SIGKILL */
void stack_redis_start(struct stack *s);

/* A client of ana or bob; amnesia: each request goes to the next worker. */
void stack_client(struct stack *s, struct mapic *c, const struct person *who);
void stack_next_worker(struct mapic *c);

/* A connection to the stack's Redis for looking. */
struct redis *stack_redis(struct stack *s);
#endif
