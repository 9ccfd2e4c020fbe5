/* redis_cluster.c - CLUSTER SLOTS of any node that answers -> the map of slots. */
#include "backend/base/redis_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include <stdio.h>

enum { ASK_MOST = 250 }; /* ms for one of several nodes to answer */

/* [host or nil, port, id, ...]: no host means the one that was asked. */
static bool take_node(const redisReply *v, const struct redis_address *asked, struct redis_address *out)
{
    if (v->type != REDIS_REPLY_ARRAY || v->elements < 2 || v->element[1]->type != REDIS_REPLY_INTEGER || v->element[1]->integer <= 0 || v->element[1]->integer > 65535)
        return false;
    const redisReply *host = v->element[0];
    if (host->type == REDIS_REPLY_NIL || (host->type == REDIS_REPLY_STRING && host->len == 0))
        return redis_address_set(out, asked->host, strlen(asked->host), (long)v->element[1]->integer);
    return host->type == REDIS_REPLY_STRING && strcmp(host->str, "?") != 0 && redis_address_set(out, host->str, (size_t)host->len, (long)v->element[1]->integer);
}

/* One element: first slot, last slot, master, replicas. */
static bool range_valid(const redisReply *v)
{
    return v->type == REDIS_REPLY_ARRAY && v->elements >= 3 && v->element[0]->type == REDIS_REPLY_INTEGER && v->element[1]->type == REDIS_REPLY_INTEGER &&
           v->element[0]->integer >= 0 && v->element[0]->integer <= v->element[1]->integer && v->element[1]->integer < REDIS_SLOTS;
}

static void draw_range(struct redis *r, const redisReply *v, const struct redis_address *asked)
{
    struct redis_address at;
    struct redis_node *n = range_valid(v) && take_node(v->element[2], asked, &at) ? redis_node_at(r, &at) : NULL;
    if (n == NULL)
        return;
    n->master = true;
    for (long long s = v->element[0]->integer; s <= v->element[1]->integer; s++)
        r->slot[s] = (uint16_t)(n - r->node + 1);
}

/* Under the lock. Who had slots and has none any more lost them to somebody. */
static unsigned draw(struct redis *r, const redisReply *v, const struct redis_address *asked)
{
    bool was[REDIS_NODES];
    unsigned deposed = 0;
    for (size_t i = 0; i < REDIS_NODES; i++) {
        was[i] = r->node[i].master;
        r->node[i].master = false;
    }
    memset(r->slot, 0, sizeof r->slot);
    for (size_t i = 0; i < v->elements; i++)
        draw_range(r, v->element[i], asked);
    for (size_t i = 0; i < REDIS_NODES; i++)
        if (was[i] && !r->node[i].master) {
            redis_node_empty(&r->node[i]);
            deposed++;
        }
    r->known = true;
    r->doubt = r->moved = false;
    r->drawn = clock_ms();
    return deposed;
}

/* The map of one node; false: that one cannot tell. */
static bool ask(struct redis *r, struct redis_node *n)
{
    struct redis_link *l = redis_node_take(r, n, true);
    if (l == NULL)
        return false;
    if (l->timeout_ms > ASK_MOST)
        l->timeout_ms = ASK_MOST; /* another one knows it, too */
    for (l->unwanted = l->owed; l->unwanted > 0; l->unwanted--) {
        redisReply *old = redis_link_reply(l);
        if (old == NULL)
            break;
        freeReplyObject(old);
    }
    redisReply *v = l->c->err == 0 ? redis_link_say(l, "CLUSTER", "SLOTS", NULL) : NULL;
    bool ok = v != NULL && v->type == REDIS_REPLY_ARRAY && v->elements != 0;
    unsigned deposed = 0;
    pthread_mutex_lock(&r->lock);
    if (ok)
        deposed = draw(r, v, &n->at);
    pthread_mutex_unlock(&r->lock);
    if (!ok)
        redis_outage(r, v == NULL ? "no answer to CLUSTER SLOTS" : v->type == REDIS_REPLY_ERROR ? v->str : "the node knows no slots", &n->at);
    if (v != NULL)
        freeReplyObject(v);
    else
        redis_node_failed(n);
    l->timeout_ms = r->timeout_ms;
    redis_node_give(r, l);
    metric_add(METRIC_redis_failovers, deposed);
    if (deposed != 0)
        log_line(LOGL_WARN, "redis", "slots have other masters", NULL);
    return ok;
}

static bool ask_seed(struct redis *r, const struct redis_address *at)
{
    pthread_mutex_lock(&r->lock);
    struct redis_node *n = redis_node_at(r, at);
    if (n != NULL)
        redis_node_hold(n);
    pthread_mutex_unlock(&r->lock);
    bool ok = n != NULL && ask(r, n);
    if (n != NULL)
        redis_node_drop(n);
    return ok;
}

/* The masters of the map that serve, or those that do not. */
static bool ask_masters(struct redis *r, bool serving)
{
    bool ok = false;
    for (size_t i = 0; i < REDIS_NODES && !ok; i++) {
        struct redis_node *n = &r->node[i];
        pthread_mutex_lock(&r->lock);
        bool wanted = n->used && n->master && redis_node_well(n) == serving;
        if (wanted)
            redis_node_hold(n);
        pthread_mutex_unlock(&r->lock);
        ok = wanted && ask(r, n);
        if (wanted)
            redis_node_drop(n);
    }
    return ok;
}

bool redis_cluster_draw(struct redis *r)
{
    if (ask_masters(r, true))
        return true;
    for (size_t i = 0; i < r->target.seeds; i++)
        if (ask_seed(r, &r->target.seed[i]))
            return true;
    return ask_masters(r, false);
}
