/* redis.c - commands -> bytes to the node that has the key -> replies in the arena; and whether to send them again. */
#include "backend/base/redis_int.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include "backend/base/stall.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 4, LOST_SENDS = 2, REDIRECTS = 16, REDIRECTS_AT_ONCE = 3, PAUSE_MS = 20, PAUSE_MAX_MS = 100, TIRED_MS = 1000, TELL_MS = 10000 };

const char *redis_why(enum redis_result r)
{
    static const char *const words[] = {
        "done", "the connection to Redis was lost", "Redis cannot be reached", "Redis is out of memory", "Redis is read-only", "Redis lost a script",
        "Redis is loading its data", "the key has moved in the Redis cluster", "the Redis cluster rearranges itself", "Redis cannot write its files",
        "Redis has too few replicas to take writes", "Redis does not allow it to this user",
        "Redis would drop sessions when its memory is full (maxmemory-policy is not noeviction)", "Redis refused the command",
    };
    return words[r];
}

/* --- the process's one ------------------------------------------------------------------------------------------------------------------------ */
struct redis *redis_new(const struct config *c)
{
    struct redis *r = calloc(1, sizeof *r);
    char why[REDIS_WHY];
    must(r != NULL && redis_target_parse(c->redis, &r->target, why));
    snprintf(r->user, sizeof r->user, "%s", c->redis_user);
    snprintf(r->password, sizeof r->password, "%s", c->redis_password);
    snprintf(r->sentinel_user, sizeof r->sentinel_user, "%s", c->redis_sentinel_user);
    snprintf(r->sentinel_password, sizeof r->sentinel_password, "%s", c->redis_sentinel_password);
    r->timeout_ms = c->redis_timeout;
    r->failover_ms = c->redis_failover_wait;
    r->wait_ms = c->redis_wait_timeout;
    r->wait_replicas = c->redis_wait_replicas[0] != 'a' ? (unsigned)(c->redis_wait_replicas[0] - '0') : r->target.mode != REDIS_ONE;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->finding, NULL);
    must(redis_tls_begin(c, &r->tls, why));
    if (r->target.mode == REDIS_ONE) {
        r->master = redis_node_at(r, &r->target.seed[0]);
        r->master->master = r->known = true;
    }
    /* hiredis writes without MSG_NOSIGNAL */
    struct sigaction old;
    if (sigaction(SIGPIPE, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
    return r;
}

void redis_free(struct redis *r)
{
    for (size_t i = 0; i < REDIS_NODES && r->node[i].used; i++)
        redis_node_empty(&r->node[i]);
    redis_tls_end(r->tls);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->finding);
    free(r);
}

static bool moves(const struct redis *r) { return r->target.mode != REDIS_ONE; }
bool redis_moves(const struct redis_conn *c) { return moves(c->home); }
uint64_t redis_trips(const struct redis_conn *c) { return c->trips; }

/* --- the connection of a lease ------------------------------------------------------------------------------------------------------------------- */
static void drop(struct redis_node **n)
{
    if (*n != NULL)
        redis_node_drop(*n);
    *n = NULL;
}

/* Back to the pool, what it still owes being of no interest; `broken`: not to be used again. */
static void part(struct redis_conn *c, bool broken)
{
    redis_forget(c);
    if (c->link != NULL && broken)
        redis_link_close(c->link);
    else if (c->link != NULL)
        redis_node_give(c->home, c->link);
    c->link = NULL;
    drop(&c->node);
}

static enum redis_result lost(struct redis_conn *c, const char *what)
{
    redis_node_failed(c->node);
    if (c->asked != 0 && clock_us() - c->asked > c->home->timeout_ms * 900)
        redis_node_hung(c->node);
    redis_outage(c->home, what, &c->node->at);
    c->was_lost = true;
    part(c, true);
    return REDIS_LOST;
}

static void pause_ms(uint64_t ms)
{
    struct timespec t = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
    nanosleep(&t, NULL);
}

/* A failover is waited for, but not by each request anew: what has been away for that long is away.  Nor by more requests than others can serve beside. */
static bool wait_on(struct redis_conn *c, const struct redis_node *n, uint64_t began, unsigned turn)
{
    struct redis *r = c->home;
    uint64_t since = n != NULL ? atomic_load(&n->since) : atomic_load(&r->since);
    redis_route_doubt(r);
    if (!moves(r) || c->hasty || c->fixed != NULL)
        return false;
    if (since == 0 || since > began)
        since = began;
    if (clock_ms() - since >= r->failover_ms)
        return false;
    uint64_t pause = PAUSE_MS + turn * PAUSE_MS;
    bool others = stall_begin();
    if (others)
        pause_ms(pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
    stall_end();
    return others;
}

static struct redis_node *way(struct redis_conn *c)
{
    struct redis_node *n = c->ask != NULL ? c->ask : c->fixed;
    if (n == NULL)
        return redis_route(c->home, c->slot);
    redis_node_hold(n);
    return n;
}

static bool connected(struct redis_conn *c)
{
    if (c->link != NULL)
        return true;
    uint64_t began = 0;
    for (unsigned turn = 0;; turn++) {
        struct redis_node *n = way(c);
        c->link = n != NULL ? redis_node_take(c->home, n, c->hasty && moves(c->home)) : NULL;
        if (c->link != NULL) {
            c->node = n;
            break;
        }
        drop(&c->ask);
        if (began == 0)
            began = clock_ms();
        bool more = wait_on(c, n, began, turn);
        drop(&n);
        if (!more)
            return false;
    }
    if (c->was_lost)
        metric_add(METRIC_redis_reconnects, 1);
    c->was_lost = false;
    return true;
}

static void give_back(void *ptr)
{
    struct redis_conn *c = ptr;
    part(c, false);
    drop(&c->ask);
    drop(&c->fixed);
}

static struct redis_conn *lease(struct redis *r, struct arena *a, int slot, struct redis_node *fixed, bool hasty)
{
    struct redis_conn *c = arena_one(a, struct redis_conn);
    *c = (struct redis_conn){ .home = r, .a = a, .slot = slot, .fixed = fixed, .hasty = hasty };
    if (!connected(c)) {
        give_back(c);
        return NULL;
    }
    arena_defer(a, give_back, c);
    return c;
}

static int slot_of(const struct redis *r, struct blob key) { return r->target.mode == REDIS_CLUSTER && key.n != 0 ? (int)redis_slot(key) : -1; }

struct redis_conn *redis_take_key(struct redis *r, struct arena *a, struct blob key) { return lease(r, a, slot_of(r, key), NULL, false); }
struct redis_conn *redis_take_now(struct redis *r, struct arena *a, struct blob key) { return lease(r, a, slot_of(r, key), NULL, true); }
struct redis_conn *redis_take(struct redis *r, struct arena *a) { return lease(r, a, -1, NULL, false); }

void redis_hurry(struct redis_conn *c, uint64_t ms) { c->hurry_ms = c->home->target.mode == REDIS_CLUSTER && ms < c->home->timeout_ms ? ms : 0; }

struct redis_conn *redis_take_master(struct redis *r, struct arena *a, size_t *i, size_t *down)
{
    if (*i == 0)
        redis_route_freshen(r);
    struct redis_node *n = *i == 0 ? redis_route(r, -1) : NULL; /* the map is there from now on */
    if (*i == 0 && n == NULL)
        ++*down;
    drop(&n);
    for (; *i < REDIS_NODES; ++*i) {
        pthread_mutex_lock(&r->lock);
        n = r->node[*i].used && r->node[*i].master ? &r->node[*i] : NULL;
        if (n != NULL)
            redis_node_hold(n);
        pthread_mutex_unlock(&r->lock);
        struct redis_conn *c = n != NULL ? lease(r, a, -1, n, true) : NULL;
        if (c != NULL) {
            ++*i;
            return c;
        }
        *down += n != NULL;
    }
    return NULL;
}

/* --- replies ------------------------------------------------------------------------------------------------------------ */
static enum redis_result classify(const char *text)
{
    static const struct { const char *prefix; enum redis_result r; } known[] = {
        { "OOM ", REDIS_OOM }, { "READONLY ", REDIS_READONLY_ }, { "MASTERDOWN ", REDIS_LATER }, { "NOSCRIPT ", REDIS_NOSCRIPT },
        { "LOADING ", REDIS_LOADING }, { "BUSY ", REDIS_LOADING }, { "MOVED ", REDIS_MOVED }, { "ASK ", REDIS_MOVED }, { "TRYAGAIN ", REDIS_LATER },
        { "CLUSTERDOWN ", REDIS_LATER }, { "MISCONF ", REDIS_UNSAVED }, { "NOREPLICAS ", REDIS_UNREPLICATED }, { "NOAUTH ", REDIS_DENIED },
        { "WRONGPASS ", REDIS_DENIED }, { "NOPERM ", REDIS_DENIED },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(text, known[i].prefix, strlen(known[i].prefix)) == 0)
            return known[i].r;
    return REDIS_REFUSED;
}

static bool convert(struct arena *a, const redisReply *r, unsigned depth, struct redis_value *out)
{
    *out = (struct redis_value){ .type = REDIS_NIL, .i = r->integer };
    if (depth > DEPTH)
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
    if (c->link == NULL)
        return NULL;
    c->link->timeout_ms = c->hurry_ms != 0 ? c->hurry_ms : c->home->timeout_ms;
    redisReply *r = redis_link_reply(c->link);
    if (r == NULL)
        lost(c, c->link->c->errstr[0] != '\0' ? c->link->c->errstr : "no reply");
    return r;
}

static bool skip(struct redis_conn *c)
{
    redisReply *r = reply(c);
    if (r == NULL)
        return false;
    if (r->type == REDIS_REPLY_ERROR && classify(r->str) != REDIS_MOVED) /* the rest of a pipeline that went elsewhere then */
        log_line(LOGL_WARN, "redis", "a command whose reply nobody waited for failed", "error", r->str, NULL);
    freeReplyObject(r);
    return true;
}

static bool skip_unwanted(struct redis_conn *c)
{
    while (c->link != NULL && c->link->unwanted > 0) {
        c->link->unwanted--;
        if (!skip(c))
            return false;
    }
    return c->ask == NULL || c->ask != c->node || skip(c); /* of the ASKING before each command */
}

/* "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381"; no host means the same one. */
static bool redirect(struct redis_conn *c, const char *text)
{
    struct redis *r = c->home;
    struct redis_address at;
    char *end;
    bool ask = text[0] == 'A';
    long slot = strtol(text + (ask ? 4 : 6), &end, 10);
    const char *host = end + (*end == ' '), *colon = strrchr(host, ':');
    bool ok = colon == host ? redis_address_set(&at, c->node->at.host, strlen(c->node->at.host), strtol(colon + 1, NULL, 10)) && at.port != 0
                            : redis_address_parse(host, strlen(host), &at);
    if (!ok || slot < 0 || slot >= REDIS_SLOTS || r->target.mode != REDIS_CLUSTER)
        return false;
    metric_add(METRIC_redis_redirects, 1);
    drop(&c->ask);
    if (!ask) {
        c->slot = (int)slot; /* who took a connection without saying for which key is led there, too */
        redis_route_moved(r, (unsigned)slot, &at);
        return true;
    }
    pthread_mutex_lock(&r->lock);
    c->ask = redis_node_at(r, &at);
    if (c->ask != NULL)
        redis_node_hold(c->ask);
    pthread_mutex_unlock(&r->lock);
    return c->ask != NULL;
}

static enum redis_result error(struct redis_conn *c, const char *text)
{
    enum redis_result res = classify(text);
    if (res == REDIS_NOSCRIPT || (res == REDIS_MOVED && redirect(c, text)))
        return res;
    if (res == REDIS_MOVED)
        res = REDIS_REFUSED;
    if (res == REDIS_READONLY_ || res == REDIS_LATER || res == REDIS_LOADING)
        redis_node_failed(c->node);
    redis_outage(c->home, text, &c->node->at);
    return res;
}

/* The last reply of a pipeline is there. */
static void trip_ends(struct redis_conn *c)
{
    if (c->asked == 0 || c->link->owed != 0)
        return;
    metric_us(METRIC_redis_seconds, clock_us() - c->asked);
    c->asked = 0;
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
    if (out->type == REDIS_ERROR)
        return error(c, (const char *)out->s.p);
    redis_served(c->home, c->node);
    return REDIS_DONE;
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
    if (c->ask != NULL && c->ask == c->node)
        redis_link_put(c->link, 1, (const char *[]){ "ASKING" }, (size_t[]){ 6 });
    redis_link_put(c->link, argc, p, n);
}

enum redis_result redis_flush(struct redis_conn *c)
{
    bool gap = c->gap;
    c->gap = false;
    if (gap || c->link == NULL)
        return REDIS_DOWN;
    c->trips++;
    c->asked = clock_us();
    return redis_link_write(c->link) ? REDIS_DONE : lost(c, c->link->c->errstr);
}

void redis_forget(struct redis_conn *c)
{
    if (c->link != NULL)
        c->link->unwanted = c->link->owed;
    c->asked = 0;
}

static enum redis_result once(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out)
{
    redis_forget(c);
    redis_queue(c, argc, argv);
    enum redis_result res = redis_flush(c);
    return res == REDIS_DONE ? redis_next(c, out) : res;
}

enum redis_result redis_ask(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out)
{
    struct redis_patience p = { 0 };
    enum redis_result res;
    do
        res = once(c, argc, argv, out);
    while (res != REDIS_DONE && redis_again(c, res, &p));
    return res;
}

enum redis_result redis_cmd(struct redis_conn *c, size_t argc, const struct blob *argv, struct redis_value *out)
{
    struct redis_patience p = { 0 };
    enum redis_result res;
    do
        res = once(c, argc, argv, out);
    while (res != REDIS_DONE && res != REDIS_LOST && redis_again(c, res, &p));
    return res;
}

/* --- once more ------------------------------------------------------------------------------------------------------------------------- */
bool redis_again(struct redis_conn *c, enum redis_result res, struct redis_patience *p)
{
    unsigned sent = p->sent++;
    if (p->since == 0)
        p->since = clock_ms();
    switch (res) {
    case REDIS_LOST:
        drop(&c->ask);
        if (c->hurry_ms != 0)
            return false;
        if (!moves(c->home))
            return sent < LOST_SENDS;
        redis_route_doubt(c->home);
        return sent == 0 || wait_on(c, NULL, p->since, sent);
    case REDIS_MOVED:
        part(c, false);
        if (sent >= REDIRECTS_AT_ONCE)
            pause_ms(PAUSE_MS);
        return sent < REDIRECTS;
    case REDIS_READONLY_:
    case REDIS_LOADING:
    case REDIS_LATER:
        if (!wait_on(c, c->node, p->since, sent))
            return false;
        drop(&c->ask);
        part(c, res == REDIS_READONLY_);
        return true;
    default:
        return false;
    }
}

/* --- confirmation by replicas ------------------------------------------------------------------------------------------------------------- */
bool redis_queue_wait(struct redis_conn *c)
{
    struct redis *r = c->home;
    if (r->wait_replicas == 0 || c->gap || c->link == NULL || clock_ms() < atomic_load(&c->node->tired))
        return false;
    struct blob wait[] = { blob_str("WAIT"), blob_str(arena_printf(c->a, "%u", r->wait_replicas)),
                           blob_str(arena_printf(c->a, "%llu", (unsigned long long)r->wait_ms)) };
    redis_queue(c, 3, wait);
    return true;
}

static void unconfirmed(struct redis_conn *c, int64_t replicas)
{
    struct redis *r = c->home;
    char at[300];
    uint64_t now = clock_ms(), told = atomic_load(&r->told), more = atomic_fetch_add(&r->untold, 1) + 1;
    atomic_store(&c->node->tired, now + TIRED_MS);
    metric_add(METRIC_redis_wait_timeouts, 1);
    if ((told != 0 && now - told < TELL_MS) || !atomic_compare_exchange_strong(&r->told, &told, now))
        return;
    atomic_fetch_sub(&r->untold, more);
    log_line(LOGL_WARN, "redis", "changes of sessions were not confirmed by enough replicas in time", "path", redis_address_text(&c->node->at, at), "value",
             arena_printf(c->a, "%lld of %u", (long long)replicas, r->wait_replicas), "count", arena_printf(c->a, "%llu", (unsigned long long)more), NULL);
}

enum redis_result redis_waited(struct redis_conn *c)
{
    struct redis_value v;
    enum redis_result res = redis_next(c, &v);
    if (res == REDIS_LOST)
        return res;
    if (res != REDIS_DONE || v.type != REDIS_INT || v.i < c->home->wait_replicas)
        unconfirmed(c, res == REDIS_DONE ? v.i : 0);
    return REDIS_DONE;
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
    return redis_ask(c, 3, load, &v);
}

/* --- who is at the other end ---------------------------------------------------------------------------------------------------------- */
void redis_run(struct redis_conn *c, uint8_t out[REDIS_RUN])
{
    memset(out, 0, REDIS_RUN);
    if (connected(c))
        memcpy(out, &c->link->run, REDIS_RUN);
}

bool redis_primed(struct redis_conn *c) { return connected(c) && atomic_load_explicit(&c->node->primed, memory_order_relaxed) == c->link->run; }

bool redis_leads_to(struct redis_conn *c, struct blob key)
{
    struct redis *r = c->home;
    if (r->target.mode != REDIS_CLUSTER)
        return true;
    pthread_mutex_lock(&r->lock);
    uint16_t n = r->slot[redis_slot(key)];
    pthread_mutex_unlock(&r->lock);
    return n != 0 && &r->node[n - 1] == c->node;
}

struct arena *redis_arena(const struct redis_conn *c) { return c->a; }

void redis_set_primed(struct redis_conn *c)
{
    if (c->link != NULL)
        atomic_store(&c->node->primed, c->link->run);
}
