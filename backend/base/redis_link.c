/* redis_link.c - an address -> a connection that is made, encrypted, logged in and greeted; bytes to it and replies from it. */
#include "backend/base/redis_int.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include "backend/base/stall.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { WORDS = 8, SLOW_MS = 50 }; /* ms after which a wait for bytes counts as one that others should serve in */

static bool fail(char why[REDIS_WHY], const char *text)
{
    snprintf(why, REDIS_WHY, "%s", text);
    return false;
}

void redis_link_close(struct redis_link *l)
{
    if (l == NULL)
        return;
    if (l->c != NULL)
        redisFree(l->c);
    free(l);
}

bool redis_link_stale(const struct redis_link *l)
{
    char byte;
    return recv(l->c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* --- commands and replies ---------------------------------------------------------------------------------------------------------------- */
void redis_link_put(struct redis_link *l, size_t argc, const char **argv, const size_t *argn)
{
    must(redisAppendCommandArgv(l->c, (int)argc, argv, argn) == REDIS_OK);
    l->owed++;
}

bool redis_link_write(struct redis_link *l)
{
    for (int done = 0; done == 0; )
        if (redisBufferWrite(l->c, &done) != REDIS_OK)
            return false;
    return true;
}

/* The socket gives up after SLOW_MS, which costs those nothing that have their answer before.  What hiredis takes for an error then, is none yet. */
static bool only_slow(struct redis_link *l)
{
    if (l->c->err != REDIS_ERR_IO || (errno != EAGAIN && errno != EWOULDBLOCK))
        return false;
    l->c->err = 0;
    l->c->errstr[0] = '\0';
    return true;
}

static void *slow_reply(struct redis_link *l, uint64_t until)
{
    void *r = NULL;
    stall_begin();
    if (l->node != NULL)
        atomic_fetch_add(&l->node->late, 1);
    do
        errno = 0;
    while (redisGetReply(l->c, &r) != REDIS_OK && clock_ms() < until && only_slow(l));
    if (l->node != NULL)
        atomic_fetch_sub(&l->node->late, 1);
    stall_end();
    return r;
}

/* Who comes to those that wait already does not need SLOW_MS to find out. */
redisReply *redis_link_reply(struct redis_link *l)
{
    void *r = NULL;
    errno = 0;
    if (l->node != NULL && atomic_load_explicit(&l->node->late, memory_order_relaxed) != 0)
        r = slow_reply(l, clock_ms() + l->timeout_ms);
    else if (redisGetReply(l->c, &r) != REDIS_OK)
        r = l->timeout_ms > SLOW_MS && only_slow(l) ? slow_reply(l, clock_ms() + l->timeout_ms - SLOW_MS) : NULL;
    if (r != NULL)
        l->owed--;
    return r;
}

redisReply *redis_link_say(struct redis_link *l, const char *word, ...)
{
    const char *argv[WORDS];
    size_t argn[WORDS], argc = 0;
    va_list ap;
    va_start(ap, word);
    for (; word != NULL && argc < WORDS; word = va_arg(ap, const char *)) {
        argv[argc] = word;
        argn[argc++] = strlen(word);
    }
    va_end(ap);
    redis_link_put(l, argc, argv, argn);
    return redis_link_write(l) ? redis_link_reply(l) : NULL;
}

/* --- greeting ---------------------------------------------------------------------------------------------------------------------------- */
/* Value of a line "name:value" of INFO, cut to its room. */
static bool info_value(const char *info, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    for (const char *at = info; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL) {
        if (strncmp(at, name, n) != 0 || at[n] != ':')
            continue;
        snprintf(out, room, "%.*s", (int)strcspn(at + n + 1, "\r\n"), at + n + 1);
        return true;
    }
    return false;
}

static bool take_info(struct redis_link *l, const char *info)
{
    char id[48], role[16], limit[24];
    uint8_t digest[SHA256];
    if (!info_value(info, "run_id", id, sizeof id) || !info_value(info, "role", role, sizeof role) || !info_value(info, "maxmemory", limit, sizeof limit) ||
        !info_value(info, "maxmemory_policy", l->policy, sizeof l->policy))
        return false;
    crypto_sha256(blob_str(id), digest);
    memcpy(&l->run, digest, sizeof l->run);
    l->master = strcmp(role, "master") == 0;
    l->evicts = strcmp(limit, "0") != 0 && strcmp(l->policy, "noeviction") != 0;
    return true;
}

bool redis_link_greet(struct redis_link *l, char why[REDIS_WHY])
{
    redisReply *r = redis_link_say(l, "INFO", "server", "memory", "replication", NULL);
    if (r == NULL)
        return fail(why, l->c->errstr[0] != '\0' ? l->c->errstr : "no answer");
    bool ok = r->type == REDIS_REPLY_STRING && take_info(l, r->str);
    if (!ok)
        fail(why, r->type == REDIS_REPLY_ERROR ? r->str : "INFO does not say what is needed (Redis 7 or newer?)");
    freeReplyObject(r);
    return ok;
}

static bool log_in(struct redis *r, struct redis_link *l, enum redis_login login, char why[REDIS_WHY])
{
    const char *user = login == REDIS_SERVER ? r->user : r->sentinel_user, *password = login == REDIS_SERVER ? r->password : r->sentinel_password;
    if (password[0] == '\0' && user[0] == '\0')
        return true;
    redisReply *v = user[0] != '\0' ? redis_link_say(l, "AUTH", user, password, NULL) : redis_link_say(l, "AUTH", password, NULL);
    bool ok = v != NULL && v->type == REDIS_REPLY_STATUS;
    if (!ok)
        fail(why, v != NULL && v->type == REDIS_REPLY_ERROR ? v->str : "no answer to AUTH");
    if (v != NULL)
        freeReplyObject(v);
    return ok;
}

/* --- making one -------------------------------------------------------------------------------------------------------------------------- */
static struct timeval time_of(uint64_t ms) { return (struct timeval){ (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) }; }

/* A host that is there answers at once; one that is not lets the connection hang, and then others serve meanwhile. */
static redisContext *dial_host(const struct redis *r, const struct redis_address *at)
{
    redisContext *c = redisConnectWithTimeout(at->host, at->port, time_of(r->timeout_ms < SLOW_MS ? r->timeout_ms : SLOW_MS));
    if (c == NULL || c->err == 0 || errno != ETIMEDOUT || r->timeout_ms <= SLOW_MS)
        return c;
    redisFree(c);
    stall_begin();
    c = redisConnectWithTimeout(at->host, at->port, time_of(r->timeout_ms));
    stall_end();
    return c;
}

static redisContext *dial(const struct redis *r, const struct redis_address *at)
{
    redisContext *c = at->port == 0 ? redisConnectUnixWithTimeout(at->host, time_of(r->timeout_ms)) : dial_host(r, at);
    struct timeval slow = time_of(r->timeout_ms < SLOW_MS ? r->timeout_ms : SLOW_MS);
    if (c != NULL && c->err == 0 && redisSetTimeout(c, time_of(r->timeout_ms)) == REDIS_OK)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &slow, sizeof slow);
    return c;
}

struct redis_link *redis_link_open(struct redis *r, const struct redis_address *at, enum redis_login login, char why[REDIS_WHY])
{
    struct redis_link *l = calloc(1, sizeof *l);
    must(l != NULL);
    l->timeout_ms = r->timeout_ms;
    l->c = dial(r, at);
    bool ok = l->c != NULL && l->c->err == 0;
    if (!ok)
        fail(why, l->c != NULL ? l->c->errstr : "out of memory");
    if (ok && redis_tls_encrypt(r->tls, l->c, why) && log_in(r, l, login, why) && (login != REDIS_SERVER || redis_link_greet(l, why)))
        return l;
    redis_link_close(l);
    return NULL;
}

struct redis_link *redis_link_any(struct redis *r, char why[REDIS_WHY])
{
    struct redis_node *n = redis_route(r, -1);
    if (n == NULL) {
        fail(why, "no server is known that serves");
        return NULL;
    }
    struct redis_link *l = redis_link_open(r, &n->at, REDIS_SERVER, why);
    if (l == NULL)
        redis_node_failed(n); /* this process may have no other errand that would find out; the next attempt goes elsewhere */
    redis_node_drop(n);
    if (l == NULL || (r->target.mode == REDIS_SENTINEL && !l->master)) {
        if (l != NULL)
            fail(why, "the server is not a master any more");
        redis_route_doubt(r);
        redis_link_close(l);
        return NULL;
    }
    return l;
}
