/* redis_route.c - a slot -> the node that has it, as far as is known; one thread at a time finds out anew. */
#include "backend/base/redis_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/stall.h"

enum { DRAW_PAUSE = 1000, LOOK_PAUSE = 20 };

/* Any master: one that serves, if there is one. */
static struct redis_node *any(struct redis *r)
{
    struct redis_node *some = NULL;
    for (size_t i = 0; i < REDIS_NODES && r->node[i].used; i++) {
        struct redis_node *n = &r->node[i];
        if (n->master && (some == NULL || (!redis_node_well(some) && redis_node_well(n))))
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

/* Who goes to a server of a cluster that serves has nothing to do with the one that does not. */
static bool doubted(const struct redis *r, const struct redis_node *n)
{
    return r->moved || (r->doubt && (r->target.mode != REDIS_CLUSTER || !redis_node_well(n)));
}

/* `fresh`: only what nobody doubts. */
static struct redis_node *known(struct redis *r, int slot, bool fresh)
{
    pthread_mutex_lock(&r->lock);
    struct redis_node *n = r->known ? look_up(r, slot) : NULL;
    if (n != NULL && fresh && doubted(r, n))
        n = NULL;
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

/* Somebody else finds out: waited for, unless there is an old map, whose servers know better. */
static bool begin_finding(struct redis *r, bool is_mapped)
{
    if (pthread_mutex_trylock(&r->finding) == 0)
        return true;
    if (is_mapped)
        return false;
    stall_begin();
    pthread_mutex_lock(&r->finding);
    stall_end();
    return true;
}

/* Who waited while another thread found out takes what that one found; and many that wait for a failover do not ask for it all the time. */
static void find(struct redis *r, bool is_mapped)
{
    uint64_t before = atomic_load(&r->found);
    if ((is_mapped && clock_ms() - atomic_load(&r->looked) < LOOK_PAUSE) || !begin_finding(r, is_mapped))
        return;
    if (atomic_load(&r->found) == before)
        note(r, r->target.mode == REDIS_SENTINEL ? redis_sentinel_find(r) : redis_cluster_draw(r));
    atomic_store(&r->looked, clock_ms());
    pthread_mutex_unlock(&r->finding);
}

static bool mapped(struct redis *r)
{
    pthread_mutex_lock(&r->lock);
    bool yes = r->known && r->target.mode == REDIS_CLUSTER;
    pthread_mutex_unlock(&r->lock);
    return yes;
}

/* For who asks all masters a doubt about one is a doubt about the map. */
void redis_route_freshen(struct redis *r)
{
    pthread_mutex_lock(&r->lock);
    bool doubt = r->doubt || r->moved;
    pthread_mutex_unlock(&r->lock);
    if (doubt && r->target.mode == REDIS_CLUSTER)
        find(r, mapped(r));
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
    find(r, mapped(r));
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
        r->moved = true;
    pthread_mutex_unlock(&r->lock);
}
