/* redis.h - the only door to hiredis: pooled connections, pipelined commands, scripts, errors told apart.
 *
 * A process has one struct redis; redis_take lends a connection for the length of a request and gives it back when the arena ends.  Replies live in
 * the arena.  After a lost connection the next command on the same lease connects again, so that a caller may send its whole pipeline once more. */
#ifndef BASE_REDIS_H
#define BASE_REDIS_H
#include "backend/base/arena.h"
#include "backend/base/config.h"

struct redis;
struct redis_conn;

enum redis_type { REDIS_NIL, REDIS_INT, REDIS_STRING, REDIS_STATUS_OK, REDIS_ARRAY, REDIS_ERROR };
struct redis_value { enum redis_type type; int64_t i; struct blob s; size_t n; struct redis_value *v; };

/* What went wrong: the command may or may not have run (LOST), it did not run (the others). */
enum redis_result { REDIS_DONE, REDIS_LOST, REDIS_DOWN, REDIS_OOM, REDIS_READONLY_, REDIS_NOSCRIPT, REDIS_LOADING, REDIS_REFUSED };
const char *redis_why(enum redis_result r);   /* in words, static */

struct redis *redis_new(const struct config *c);
void redis_free(struct redis *r);

/* NULL if no connection can be had now (logged once per outage, not per request). */
struct redis_conn *redis_take(struct redis *r, struct arena *a);

/* One command, binary-safe: argv/argn. Result and, for REDIS_DONE, the value. */
enum redis_result redis_cmd(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out);

/* Pipelining: redis_queue any number, then redis_flush writes them in one write; redis_next reads the replies in order. */
void redis_queue(struct redis_conn *c, size_t argc, const struct blob *argv);
enum redis_result redis_flush(struct redis_conn *c);
enum redis_result redis_next(struct redis_conn *c, struct redis_value *out);

/* The replies that are still owed are not wanted: they are read and thrown away before the next ones. */
void redis_forget(struct redis_conn *c);

/* A script, named by the SHA-1 of its text; static storage, zero-initialized but for the text.  Queued as EVALSHA with one key; after
 * REDIS_NOSCRIPT: redis_load, then the whole pipeline again. */
struct redis_script { const char *text; char sha[41]; };
void redis_script_init(struct redis_script *s);
void redis_queue_script(struct redis_conn *c, const struct redis_script *s, struct blob key, size_t argc, const struct blob *argv);
enum redis_result redis_load(struct redis_conn *c, const struct redis_script *s);

/* run id of the server that this connection talks to (from INFO at connect). */
const char *redis_run_id(struct redis_conn *c);
#endif
