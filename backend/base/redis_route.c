/* redis_route.c - a slot -> the node that has it, as far as is known; one thread at a time finds out anew. */
#include "backend/base/redis_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"

enum { DRAW_PAUSE = 1000 };

/* Any master: one that serves, if there is one. */
static struct redis_node *any(struct redis *r)
{
    struct redis_node *some = NULL;
    for (size_t i = 0; i < REDIS_NODES && r->node[i].used; i++) {
        struct redis_node *n = &r->node[i];
        if (n->master && (some == NULL || (atomic_load(&some->since) != 0 && atomic_load(&n->since) == 0)))
            some = n;
    }
    return some;
}

static struct redis_node *look_up(struct redis *r, int slot)
{
    if (r->target.mode != REDIS_CLUSTER)
        return r->master;
    if (slot < 0)
        return any(r);
    return r->slot[slot] != 0 ? &r->node[r->slot[slot] - 1] : NULL;
}

/* `fresh`: only what nobody doubts. */
static struct redis_node *known(struct redis *r, int slot, bool fresh)
{
    pthread_mutex_lock(&r->lock);
    struct redis_node *n = r->known && !(fresh && r->doubt) ? look_up(r, slot) : NULL;
    if (n != NULL)
        redis_node_hold(n);
    pthread_mutex_unlock(&r->lock);
    return n;
}

static void note(struct redis *r, bool found)
{
    uint64_t zero = 0;
    if (found)
        atomic_store(&r->since, 0);
    else
        atomic_compare_exchange_strong(&r->since, &zero, clock_ms());
    atomic_fetch_add(&r->found, 1);
}

/* Who waited while another thread found out takes what that one found. */
static void find(struct redis *r)
{
    uint64_t before = atomic_load(&r->found);
    pthread_mutex_lock(&r->finding);
    if (atomic_load(&r->found) == before)
        note(r, r->target.mode == REDIS_SENTINEL ? redis_sentinel_find(r) : redis_cluster_draw(r));
    pthread_mutex_unlock(&r->finding);
}

struct redis_node *redis_route(struct redis *r, int slot)
{
    if (r->target.mode == REDIS_ONE) {
        redis_node_hold(r->master);
        return r->master;
    }
    struct redis_node *n = known(r, slot, true);
    if (n != NULL)
        return n;
    find(r);
    return known(r, slot, r->target.mode == REDIS_SENTINEL); /* an old map is better than none: its nodes know better */
}

void redis_route_doubt(struct redis *r)
{
    if (r->target.mode == REDIS_ONE)
        return;
    pthread_mutex_lock(&r->lock);
    r->doubt = true;
    pthread_mutex_unlock(&r->lock);
}

/* One slot moved, so others may have too; but a migration moves them one after the other, and the map is not drawn for each. */
void redis_route_moved(struct redis *r, unsigned slot, const struct redis_address *at)
{
    pthread_mutex_lock(&r->lock);
    struct redis_node *n = slot < REDIS_SLOTS ? redis_node_at(r, at) : NULL;
    if (n != NULL) {
        n->master = true;
        r->slot[slot] = (uint16_t)(n - r->node + 1);
    }
    if (n == NULL || clock_ms() - r->drawn > DRAW_PAUSE)
        r->doubt = true;
    pthread_mutex_unlock(&r->lock);
}
