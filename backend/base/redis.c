/* redis.c - commands -> bytes to Redis -> replies in the arena; the only file that knows hiredis. */
#include "backend/base/redis.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { IDLE_MAX = 64, FORGET_MAX = 1000, RUN_ID = 41 };

struct redis_conn {
    struct redis *home;
    struct arena *a;              /* of the request that has it now */
    redisContext *c;              /* NULL: not connected */
    size_t        owed, unwanted; /* replies that will come; how many of the first are thrown away */
    uint64_t      asked;          /* clock_us() of the flush whose replies are awaited; 0: none */
    bool          gap;            /* a command of this pipeline could not be queued: the others must not go alone */
    char          run_id[RUN_ID];
    struct redis_conn *next;
};

struct redis {
    char            address[108], password[256];
    struct timeval  timeout;
    pthread_mutex_t lock;
    struct redis_conn *idle;      /* newest first, so that a small set stays busy */
    size_t          nidle;
    atomic_bool     down;         /* an outage was logged, its end was not */
};

const char *redis_why(enum redis_result r)
{
    static const char *const words[] = {
        "done", "the connection to Redis was lost", "Redis cannot be reached", "Redis is out of memory", "Redis is read-only", "Redis lost a script",
        "Redis is loading its data", "Redis refused the command",
    };
    return words[r];
}

struct redis *redis_new(const struct config *c)
{
    struct redis *r = calloc(1, sizeof *r);
    must(r != NULL);
    snprintf(r->address, sizeof r->address, "%s", c->redis);
    snprintf(r->password, sizeof r->password, "%s", c->redis_password);
    r->timeout = (struct timeval){ (time_t)(c->redis_timeout / 1000), (suseconds_t)(c->redis_timeout % 1000 * 1000) };
    pthread_mutex_init(&r->lock, NULL);
    /* hiredis writes without MSG_NOSIGNAL */
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
    return r;
}

static void disconnect(struct redis_conn *c)
{
    if (c->c != NULL)
        redisFree(c->c);
    c->c = NULL;
    c->owed = c->unwanted = 0;
}

static void conn_free(struct redis_conn *c)
{
    disconnect(c);
    free(c);
}

void redis_free(struct redis *r)
{
    while (r->idle != NULL) {
        struct redis_conn *c = r->idle;
        r->idle = c->next;
        conn_free(c);
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- outages: one line when one begins, one when it ends -------------------------------------------------------------------- */
static void outage(struct redis *r, const char *what)
{
    if (!atomic_exchange(&r->down, true))
        log_line(LOGL_ERROR, "redis", "Redis does not serve", "error", what, "path", r->address, NULL);
}

static void served(struct redis *r)
{
    if (atomic_load_explicit(&r->down, memory_order_relaxed) && atomic_exchange(&r->down, false))
        log_line(LOGL_INFO, "redis", "Redis serves again", "path", r->address, NULL);
}

static enum redis_result lost(struct redis_conn *c, const char *what)
{
    outage(c->home, what);
    disconnect(c);
    return REDIS_LOST;
}

/* --- replies ------------------------------------------------------------------------------------------------------------ */
static enum redis_result classify(const char *text)
{
    static const struct { const char *prefix; enum redis_result r; } known[] = {
        { "OOM ", REDIS_OOM }, { "READONLY ", REDIS_READONLY_ }, { "MASTERDOWN ", REDIS_READONLY_ }, { "NOSCRIPT ", REDIS_NOSCRIPT },
        { "LOADING ", REDIS_LOADING }, { "BUSY ", REDIS_LOADING },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(text, known[i].prefix, strlen(known[i].prefix)) == 0)
            return known[i].r;
    return REDIS_REFUSED;
}

static bool convert(struct arena *a, const redisReply *r, unsigned depth, struct redis_value *out)
{
    *out = (struct redis_value){ .type = REDIS_NIL, .i = r->integer };
    if (depth > 4)
        return false;
    switch (r->type) {
    case REDIS_REPLY_INTEGER: out->type = REDIS_INT; return true;
    case REDIS_REPLY_NIL: return true;
    case REDIS_REPLY_STRING: out->type = REDIS_STRING; break;
    case REDIS_REPLY_STATUS: out->type = REDIS_STATUS_OK; break;
    case REDIS_REPLY_ERROR: out->type = REDIS_ERROR; break;
    case REDIS_REPLY_ARRAY:
        out->type = REDIS_ARRAY;
        out->n = r->elements;
        out->v = arena_array(a, struct redis_value, r->elements);
        for (size_t i = 0; i < r->elements; i++)
            if (!convert(a, r->element[i], depth + 1, &out->v[i]))
                return false;
        return true;
    default: return false;
    }
    /* with a NUL behind, for those who print it */
    out->s = blob_of(arena_str(a, blob_of(r->str, (size_t)r->len)), (size_t)r->len);
    return true;
}

/* One reply off the wire, or NULL with the connection lost. */
static redisReply *reply(struct redis_conn *c)
{
    void *r = NULL;
    if (c->c == NULL)
        return NULL;
    if (redisGetReply(c->c, &r) != REDIS_OK || r == NULL) {
        lost(c, c->c->errstr[0] != '\0' ? c->c->errstr : "no reply");
        return NULL;
    }
    c->owed--;
    return r;
}

/* The last reply of a pipeline is there. */
static void trip_ends(struct redis_conn *c)
{
    if (c->asked != 0 && c->owed == 0) {
        metric_us(METRIC_redis_seconds, clock_us() - c->asked);
        c->asked = 0;
    }
}

static bool skip_unwanted(struct redis_conn *c)
{
    for (; c->unwanted > 0; c->unwanted--) {
        redisReply *r = reply(c);
        if (r == NULL)
            return false;
        if (r->type == REDIS_REPLY_ERROR)
            log_line(LOGL_WARN, "redis", "a command whose reply nobody waited for failed", "error", r->str, NULL);
        freeReplyObject(r);
    }
    return true;
}

enum redis_result redis_next(struct redis_conn *c, struct redis_value *out)
{
    *out = (struct redis_value){ .type = REDIS_NIL };
    redisReply *r = skip_unwanted(c) ? reply(c) : NULL;
    if (r == NULL)
        return REDIS_LOST;
    trip_ends(c);
    bool ok = convert(c->a, r, 0, out);
    freeReplyObject(r);
    if (!ok)
        return lost(c, "a reply of no known form");
    enum redis_result res = out->type == REDIS_ERROR ? classify((const char *)out->s.p) : REDIS_DONE;
    if (res == REDIS_DONE)
        served(c->home);
    else if (res != REDIS_NOSCRIPT)
        outage(c->home, (const char *)out->s.p);
    return res;
}

/* --- connecting -------------------------------------------------------------------------------------------------------------- */
static redisContext *dial(const struct redis *r)
{
    const char *colon = strrchr(r->address, ':');
    if (colon == NULL || strchr(r->address, '/') != NULL)
        return redisConnectUnixWithTimeout(r->address, r->timeout);
    char host[sizeof r->address];
    snprintf(host, sizeof host, "%.*s", (int)(colon - r->address), r->address);
    return redisConnectWithTimeout(host, (int)strtol(colon + 1, NULL, 10), r->timeout);
}

static bool take_run_id(struct redis_conn *c, const struct redis_value *info)
{
    static const char key[] = "run_id:";
    const char *at = info->type == REDIS_STRING ? strstr((const char *)info->s.p, key) : NULL;
    if (at == NULL || strlen(at) < sizeof key - 1 + RUN_ID - 1)
        return false;
    memcpy(c->run_id, at + sizeof key - 1, RUN_ID - 1);
    return true;
}

static bool greet(struct redis_conn *c)
{
    struct redis_value v;
    if (c->home->password[0] != '\0') {
        struct blob auth[] = { blob_str("AUTH"), blob_str(c->home->password) };
        redis_queue(c, 2, auth);
        if (redis_flush(c) != REDIS_DONE || redis_next(c, &v) != REDIS_DONE)
            return false;
    }
    struct blob info[] = { blob_str("INFO"), blob_str("server") };
    redis_queue(c, 2, info);
    return redis_flush(c) == REDIS_DONE && redis_next(c, &v) == REDIS_DONE && take_run_id(c, &v);
}

static bool connected(struct redis_conn *c)
{
    if (c->c != NULL)
        return true;
    c->c = dial(c->home);
    if (c->c == NULL || c->c->err != 0) {
        outage(c->home, c->c != NULL ? c->c->errstr : "out of memory");
        disconnect(c);
        return false;
    }
    redisSetTimeout(c->c, c->home->timeout);
    if (!greet(c)) {
        disconnect(c);
        return false;
    }
    return true;
}

/* --- the pool ------------------------------------------------------------------------------------------------------------------- */
/* Has the server closed it while it was idle? */
static bool stale(const struct redis_conn *c)
{
    char byte;
    return c->c == NULL || recv(c->c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void give_back(void *ptr)
{
    struct redis_conn *c = ptr;
    struct redis *r = c->home;
    redis_forget(c);
    c->a = NULL;
    pthread_mutex_lock(&r->lock);
    bool keep = c->c != NULL && r->nidle < IDLE_MAX && c->unwanted < FORGET_MAX;
    if (keep) {
        c->next = r->idle;
        r->idle = c;
        r->nidle++;
    }
    pthread_mutex_unlock(&r->lock);
    if (!keep)
        conn_free(c);
}

static struct redis_conn *from_pool(struct redis *r)
{
    pthread_mutex_lock(&r->lock);
    struct redis_conn *c = r->idle;
    if (c != NULL) {
        r->idle = c->next;
        r->nidle--;
    }
    pthread_mutex_unlock(&r->lock);
    return c;
}

struct redis_conn *redis_take(struct redis *r, struct arena *a)
{
    struct redis_conn *c = from_pool(r);
    if (c == NULL) {
        c = calloc(1, sizeof *c);
        must(c != NULL);
        c->home = r;
    }
    c->a = a;
    if (stale(c))
        disconnect(c);
    if (!connected(c)) {
        conn_free(c);
        return NULL;
    }
    arena_defer(a, give_back, c);
    return c;
}

/* --- commands --------------------------------------------------------------------------------------------------------------------- */
void redis_queue(struct redis_conn *c, size_t argc, const struct blob *argv)
{
    c->gap = c->gap || !connected(c);
    if (c->gap)
        return;
    const char **p = arena_array(c->a, const char *, argc);
    size_t      *n = arena_array(c->a, size_t, argc);
    for (size_t i = 0; i < argc; i++) {
        p[i] = argv[i].n != 0 ? (const char *)argv[i].p : "";
        n[i] = argv[i].n;
    }
    must(redisAppendCommandArgv(c->c, (int)argc, p, n) == REDIS_OK);
    c->owed++;
}

enum redis_result redis_flush(struct redis_conn *c)
{
    bool gap = c->gap;
    c->gap = false;
    if (gap || c->c == NULL)
        return REDIS_DOWN;
    c->asked = clock_us();
    for (int done = 0; done == 0; )
        if (redisBufferWrite(c->c, &done) != REDIS_OK)
            return lost(c, c->c->errstr);
    return REDIS_DONE;
}

enum redis_result redis_cmd(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out)
{
    redis_queue(c, argc, argv);
    enum redis_result res = redis_flush(c);
    return res == REDIS_DONE ? redis_next(c, out) : res;
}

void redis_forget(struct redis_conn *c)
{
    c->unwanted = c->owed;
    c->asked = 0;
}

/* --- scripts ----------------------------------------------------------------------------------------------------------------------- */
void redis_script_init(struct redis_script *s)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t sha[SHA1_BYTES];
    crypto_sha1(blob_str(s->text), sha);
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        s->sha[2 * i] = hex[sha[i] >> 4];
        s->sha[2 * i + 1] = hex[sha[i] & 15];
    }
}

void redis_queue_script(struct redis_conn *c, const struct redis_script *s, struct blob key, size_t argc, const struct blob *argv)
{
    struct blob *all = arena_array(c->a, struct blob, argc + 4);
    all[0] = blob_str("EVALSHA");
    all[1] = blob_str(s->sha);
    all[2] = blob_str("1");
    all[3] = key;
    for (size_t i = 0; i < argc; i++)
        all[4 + i] = argv[i];
    redis_queue(c, argc + 4, all);
}

enum redis_result redis_load(struct redis_conn *c, const struct redis_script *s)
{
    struct redis_value v;
    struct blob load[] = { blob_str("SCRIPT"), blob_str("LOAD"), blob_str(s->text) };
    redis_forget(c);
    return redis_cmd(c, 3, load, &v);
}

const char *redis_run_id(struct redis_conn *c) { return c->run_id; }
