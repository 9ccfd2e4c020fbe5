/* redis_ha.h - real redis-servers that replace each other: a master with replicas and three sentinels, or a cluster; and a TLS tunnel to a single one.
 *
 * They run by the files of deploy/ (redis-ha.conf, redis-users.acl, redis-sentinel.conf) with other ports and passwords, on free loopback ports, in a temporary
 * directory; they die with the test program and are stopped by pid. */
#ifndef FLOW_REDIS_HA_H
#define FLOW_REDIS_HA_H
#include "backend/base/redis.h"
#include <sys/types.h>

enum { HA_SERVERS = 12 };

struct ha_server { pid_t pid; unsigned port, bus; bool sentinel, cluster, started; char master[8]; };
struct ha {
    struct arena *a;
    char   dir[200];
    struct ha_server server[HA_SERVERS]; size_t n;
    const char *config;              /* lines of mapihttpd.conf for the workers: where, user, passwords */
};

/* One server without replicas; a master (0), replicas (1, 2) and sentinels (3, 4, 5); a cluster of three masters (0, 1, 2), the replica of each (3, 4, 5),
 * and an empty master (6).  All end the test if they do not come up.  Skips it where there is no redis-server. */
struct ha *ha_one(void);
struct ha *ha_sentinel(void);
struct ha *ha_cluster(void);
void ha_stop(struct ha *h);
/* From now on a cluster lets its servers be silent for 20 s instead of 1: for tests in which none fails, on a machine that may stand still for a second. */
void ha_calm(struct ha *h);

void ha_kill(struct ha *h, size_t i);                /* SIGKILL, and waits for its end */
void ha_start(struct ha *h, size_t i);               /* again, with the files it left */
void ha_signal(struct ha *h, size_t i, int signal);

/* One command of words parted by blanks to a server, as administrator; the answer in the arena. False: no answer, or an error. */
bool ha_try(struct ha *h, size_t i, struct redis_value *out, const char *command);
struct redis_value ha_say(struct ha *h, size_t i, const char *command);       /* ends the test if it fails */
/* Is `word` in the answer (a string)? */
bool ha_says(struct ha *h, size_t i, const char *command, const char *word);
/* Waits until ha_says, 15 s at most, then ends the test. */
void ha_await(struct ha *h, size_t i, const char *command, const char *word);
/* Waits until another than `old` is the master of the sentinels; its number. */
size_t ha_await_master(struct ha *h, size_t old);
/* Moves slots [first, last] from one master of a cluster to another as redis-cli does it, key by key. */
void ha_migrate(struct ha *h, size_t from, size_t to, unsigned first, unsigned last, unsigned pause_us);

/* A program of the harness, started and stopped like the servers (log: NAME.log in the directory). */
pid_t ha_spawn(struct ha *h, const char *name, char *const argv[]);
void  ha_end(pid_t *pid, int signal);
bool  ha_listens(unsigned port);
#endif
