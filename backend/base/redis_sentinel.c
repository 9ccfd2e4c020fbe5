/* redis_sentinel.c - the sentinels, one after the other -> the master that they name, if it really is one. */
#include "backend/base/redis_int.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include <stdio.h>
#include <stdlib.h>

static bool take_address(const redisReply *v, struct redis_address *out)
{
    if (v->type != REDIS_REPLY_ARRAY || v->elements != 2 || v->element[0]->type != REDIS_REPLY_STRING || v->element[1]->type != REDIS_REPLY_STRING)
        return false;
    return redis_address_set(out, v->element[0]->str, (size_t)v->element[0]->len, strtol(v->element[1]->str, NULL, 10)) && out->port != 0;
}

static bool ask(struct redis *r, const struct redis_address *sentinel, struct redis_address *out)
{
    char why[REDIS_WHY] = "";
    struct redis_link *l = redis_link_open(r, sentinel, REDIS_SENTINEL_LOGIN, why);
    redisReply *v = l != NULL ? redis_link_say(l, "SENTINEL", "get-master-addr-by-name", r->target.master, NULL) : NULL;
    bool ok = v != NULL && take_address(v, out);
    if (l != NULL && !ok)
        snprintf(why, sizeof why, "%.200s", v == NULL ? "the sentinel does not answer" : v->type == REDIS_REPLY_ERROR ? v->str : "the sentinel knows no such master");
    if (!ok)
        redis_outage(r, why, sentinel);
    if (v != NULL)
        freeReplyObject(v);
    redis_link_close(l);
    return ok;
}

static struct redis_node *node_at(struct redis *r, const struct redis_address *at)
{
    pthread_mutex_lock(&r->lock);
    struct redis_node *n = redis_node_at(r, at);
    if (n != NULL)
        redis_node_hold(n);
    pthread_mutex_unlock(&r->lock);
    return n;
}

static void enthrone(struct redis *r, struct redis_node *n)
{
    char was[300] = "", is[300];
    pthread_mutex_lock(&r->lock);
    struct redis_node *old = r->master;
    if (old != NULL && old != n) {
        old->master = false;
        redis_node_empty(old);
    }
    n->master = true;
    atomic_store(&n->since, 0);
    r->master = n;
    r->known = true;
    r->doubt = false;
    pthread_mutex_unlock(&r->lock);
    if (old == NULL || old == n)
        return;
    metric_add(METRIC_redis_failovers, 1);
    log_line(LOGL_WARN, "redis", "another master", "path", redis_address_text(&n->at, is), "value", redis_address_text(&old->at, was), NULL);
}

/* A sentinel that was cut off may still name the old one: only a server that calls itself a master is taken (redis_node_take). */
bool redis_sentinel_find(struct redis *r)
{
    for (size_t i = 0; i < r->target.seeds; i++) {
        size_t at = (r->lucky + i) % r->target.seeds;
        struct redis_address master;
        struct redis_node *n = ask(r, &r->target.seed[at], &master) ? node_at(r, &master) : NULL;
        if (n == NULL)
            continue;
        struct redis_link *l = redis_node_take(r, n, false);
        if (l != NULL) {
            enthrone(r, n);
            redis_node_give(r, l);
            r->lucky = at;
        }
        redis_node_drop(n);
        if (l != NULL)
            return true;
    }
    return false;
}
