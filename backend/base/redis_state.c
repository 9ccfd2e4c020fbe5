/* redis_state.c - the settings, checked; and what the servers say of themselves: do they take writes, do they keep what they took. */
#include "backend/base/redis_int.h"
#include "backend/base/must.h"
#include <stdio.h>
#include <stdlib.h>

enum { CHECK_ARENA = 1 << 20 };

/* --- settings -------------------------------------------------------------------------------------------------------------------------------- */
static bool credentials_fit(const char *user, const char *password, const char *key, struct arena *a, const char **why)
{
    if (strlen(user) < sizeof ((struct redis *)0)->user && strlen(password) < sizeof ((struct redis *)0)->password && (user[0] == '\0' || password[0] != '\0'))
        return true;
    *why = arena_printf(a, "%s_user, %s_password: a name of at most 127 bytes and a password of at most 255 can be used, and a name needs a password", key, key);
    return false;
}

bool redis_config_check(const struct config *c, struct arena *a, const char **why)
{
    struct redis_target target;
    char text[REDIS_WHY] = "";
    void *tls = NULL;
    if (!redis_target_parse(c->redis, &target, text)) {
        *why = arena_printf(a, "redis: %s", text);
        return false;
    }
    if (c->redis_tls && target.mode == REDIS_ONE && target.seed[0].port == 0)
        snprintf(text, sizeof text, "a socket on this host needs none");
    else if (redis_tls_begin(c, &tls, text))
        text[0] = '\0';
    redis_tls_end(tls);
    if (text[0] != '\0') {
        *why = arena_printf(a, "redis_tls: %s", text);
        return false;
    }
    return credentials_fit(c->redis_user, c->redis_password, "redis", a, why) &&
           credentials_fit(c->redis_sentinel_user, c->redis_sentinel_password, "redis_sentinel", a, why);
}

/* --- one server -------------------------------------------------------------------------------------------------------------------------------- */
static struct redis_script probe = { "#!lua\nreturn 1\n", "" };
static void init_probe(void) { redis_script_init(&probe); }

/* A script that may write is refused as a write would be. */
static enum redis_result try_write(struct redis_conn *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct redis_value v;
    pthread_once(&once, init_probe);
    struct blob argv[] = { blob_str("EVALSHA"), blob_str(probe.sha), blob_str("0") };
    enum redis_result res = redis_ask(c, 3, argv, &v);
    if (res == REDIS_NOSCRIPT && (res = redis_load(c, &probe)) == REDIS_DONE)
        res = redis_ask(c, 3, argv, &v);
    return res;
}

/* What it says of itself now; there are no replies owed. */
static bool greet_again(struct redis_conn *c)
{
    char why[REDIS_WHY];
    if (c->link == NULL || !redis_link_greet(c->link, why))
        return false;
    redis_node_greeted(c->link);
    return true;
}

enum redis_result redis_refuses(struct redis_conn *c)
{
    enum redis_result res = try_write(c);
    if (res != REDIS_DONE || c->node == NULL || !atomic_load(&c->node->evicts))
        return res;
    return !greet_again(c) ? REDIS_LOST : c->link->evicts ? REDIS_EVICTS : REDIS_DONE;
}

/* --- all of them ------------------------------------------------------------------------------------------------------------------------------ */
static const char *unready_one(struct redis_conn *c, struct arena *a)
{
    char at[300];
    enum redis_result res = try_write(c);
    if (res == REDIS_DONE)
        res = !greet_again(c) ? REDIS_LOST : c->link->evicts ? REDIS_EVICTS : REDIS_DONE;
    if (res == REDIS_DONE)
        return NULL;
    return c->node == NULL ? redis_why(res) : arena_printf(a, "%s: %s", redis_address_text(&c->node->at, at), redis_why(res));
}

static bool has_all_slots(struct redis *r)
{
    bool all = true;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < REDIS_SLOTS && r->target.mode == REDIS_CLUSTER; i++)
        all = all && r->slot[i] != 0;
    pthread_mutex_unlock(&r->lock);
    return all;
}

const char *redis_unready(struct redis *r, struct arena *a)
{
    size_t i = 0, down = 0;
    const char *why = NULL;
    for (struct redis_conn *c; why == NULL && (c = redis_take_master(r, a, &i, &down)) != NULL; )
        why = unready_one(c, a);
    if (why == NULL && down != 0)
        why = redis_why(REDIS_DOWN);
    return why != NULL || has_all_slots(r) ? why : "slots of the Redis cluster are served by nobody";
}

/* --- at start --------------------------------------------------------------------------------------------------------------------------------- */
static bool keeps(const struct redis_link *l, const struct redis_address *at, struct arena *a, const char **why)
{
    char text[300];
    if (!l->evicts)
        return true;
    *why = arena_printf(a, "redis: %s drops sessions when its memory is full: maxmemory-policy is %s and must be noeviction", redis_address_text(at, text), l->policy);
    return false;
}

/* "slave0:ip=127.0.0.1,port=6380,state=..." */
static bool replica_of_line(const char *line, struct redis_address *out)
{
    const char *ip = strstr(line, ":ip="), *port = ip != NULL ? strstr(ip, ",port=") : NULL;
    return ip != NULL && port != NULL && redis_address_set(out, ip + 4, (size_t)(port - ip) - 4, strtol(port + 6, NULL, 10)) && out->port != 0;
}

static bool replicas_keep(struct redis_conn *c, struct arena *a, const char **why)
{
    struct blob info[] = { blob_str("INFO"), blob_str("replication") };
    struct redis_value v;
    struct redis_address at;
    char text[REDIS_WHY];
    if (redis_ask(c, 2, info, &v) != REDIS_DONE || v.type != REDIS_STRING)
        return true;
    bool ok = true;
    for (const char *line = strstr((const char *)v.s.p, "\nslave"); ok && line != NULL; line = strstr(line + 1, "\nslave")) {
        const char *one = arena_str(a, blob_of(line + 1, strcspn(line + 1, "\r\n")));
        struct redis_link *l = replica_of_line(one, &at) ? redis_link_open(c->home, &at, REDIS_SERVER, text) : NULL;
        ok = l == NULL || keeps(l, &at, a, why);
        redis_link_close(l);
    }
    return ok;
}

/* In an arena of its own: the connections go back with it. */
bool redis_start_check(struct redis *r, struct arena *a, const char **why)
{
    size_t i = 0, down = 0;
    bool ok = true;
    struct arena *own = arena_new(CHECK_ARENA);
    const char *reason = "";
    for (struct redis_conn *c; ok && (c = redis_take_master(r, own, &i, &down)) != NULL; )
        ok = c->link == NULL || (keeps(c->link, &c->node->at, own, &reason) && replicas_keep(c, own, &reason));
    if (!ok)
        *why = arena_strdup(a, reason);
    arena_free(own);
    return ok;
}
