/* redis_node.c - the servers that are known, each with a pool of idle connections. */
#include "backend/base/redis_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/stall.h"
#include <stdio.h>

enum { IDLE_MAX = 64, FORGET_MAX = 1000, LINE_MS = 2000 };

/* --- outages ------------------------------------------------------------------------------------------------------------------------------- */
/* Where some commands fail and others do not, an outage begins and ends with each request: a line is written every few seconds. */
void redis_outage(struct redis *r, const char *what, const struct redis_address *at)
{
    char text[300];
    if (atomic_load_explicit(&r->down, memory_order_relaxed) || atomic_exchange(&r->down, true))
        return;
    uint64_t now = clock_ms(), last = atomic_load(&r->lined);
    bool quiet = (last != 0 && now - last < LINE_MS) || !atomic_compare_exchange_strong(&r->lined, &last, now);
    atomic_store(&r->quiet, quiet);
    if (!quiet)
        log_line(LOGL_ERROR, "redis", "Redis does not serve", "error", what, "path", redis_address_text(at, text), NULL);
}

void redis_served(struct redis *r, struct redis_node *n)
{
    char text[300];
    if (atomic_load_explicit(&n->since, memory_order_relaxed) != 0)
        atomic_store(&n->since, 0);
    if (atomic_load_explicit(&n->hung, memory_order_relaxed) != 0)
        atomic_store(&n->hung, 0);
    if (atomic_load_explicit(&r->down, memory_order_relaxed) && atomic_exchange(&r->down, false) && !atomic_load(&r->quiet))
        log_line(LOGL_INFO, "redis", "Redis serves again", "path", redis_address_text(&n->at, text), NULL);
}

bool redis_node_well(const struct redis_node *n) { return atomic_load(&n->since) == 0 && atomic_load(&n->hung) == 0 && atomic_load(&n->late) == 0; }

void redis_node_failed(struct redis_node *n)
{
    uint64_t zero = 0;
    atomic_compare_exchange_strong(&n->since, &zero, clock_ms());
}

/* --- the table ----------------------------------------------------------------------------------------------------------------------------- */
void redis_node_hold(struct redis_node *n) { atomic_fetch_add_explicit(&n->lent, 1, memory_order_relaxed); }
void redis_node_drop(struct redis_node *n) { atomic_fetch_sub_explicit(&n->lent, 1, memory_order_relaxed); }

void redis_node_empty(struct redis_node *n)
{
    while (n->idle != NULL) {
        struct redis_link *l = n->idle;
        n->idle = l->next;
        redis_link_close(l);
    }
    n->nidle = 0;
}

/* A free entry, or one of a server that nobody needs any more: addresses come and go in the life of a process. */
static struct redis_node *vacant(struct redis *r)
{
    struct redis_node *old = NULL;
    for (size_t i = 0; i < REDIS_NODES; i++) {
        struct redis_node *n = &r->node[i];
        if (!n->used)
            return n;
        if (!n->master && atomic_load(&n->lent) == 0)
            old = n;
    }
    if (old != NULL)
        redis_node_empty(old);
    return old;
}

struct redis_node *redis_node_at(struct redis *r, const struct redis_address *at)
{
    for (size_t i = 0; i < REDIS_NODES && r->node[i].used; i++)
        if (redis_address_eq(&r->node[i].at, at))
            return &r->node[i];
    struct redis_node *n = vacant(r);
    if (n != NULL)
        *n = (struct redis_node){ .at = *at, .used = true };
    return n;
}

/* --- connections --------------------------------------------------------------------------------------------------------------------------- */
static struct redis_link *pop(struct redis *r, struct redis_node *n)
{
    pthread_mutex_lock(&r->lock);
    struct redis_link *l = n->idle;
    if (l != NULL) {
        n->idle = l->next;
        n->nidle--;
    }
    pthread_mutex_unlock(&r->lock);
    return l;
}

void redis_node_greeted(struct redis_link *l)
{
    char at[300];
    if (atomic_exchange(&l->node->evicts, l->evicts) != l->evicts && l->evicts)
        log_line(LOGL_ERROR, "redis", "this Redis drops sessions when its memory is full: maxmemory-policy must be noeviction", "path",
                 redis_address_text(&l->node->at, at), "value", l->policy, NULL);
}

/* It has let somebody wait in vain.  Until it answers again one at a time tries, and the others fail at once, or wait for another master: else each request
 * would wait for several timeouts. */
void redis_node_hung(struct redis_node *n)
{
    uint64_t none = 0; /* whoever tries at the moment is not disturbed: he says himself how it ended */
    atomic_compare_exchange_strong(&n->hung, &none, clock_ms());
}

/* *trial: this one tries, by a new connection, whose greeting tells; who is hasty leaves it to others for a while, since he has other servers to ask.  Nobody comes to
 * those that it keeps waiting already if no thread is left to serve others. */
static bool may_try(struct redis *r, struct redis_node *n, bool hasty, bool *trial)
{
    uint64_t until = atomic_load_explicit(&n->hung, memory_order_relaxed);
    *trial = until != 0;
    if (!*trial)
        return atomic_load_explicit(&n->late, memory_order_relaxed) == 0 || !stall_full();
    uint64_t now = clock_ms();
    return now >= until + (hasty ? r->timeout_ms : 0) && atomic_compare_exchange_strong(&n->hung, &until, now + 2 * r->timeout_ms);
}

static struct redis_link *open_new(struct redis *r, struct redis_node *n, bool trial)
{
    char why[REDIS_WHY] = "";
    uint64_t began = clock_ms();
    bool well = redis_node_well(n);
    if (!well)
        stall_begin();
    struct redis_link *l = redis_link_open(r, &n->at, REDIS_SERVER, why);
    if (!well)
        stall_end();
    if (l != NULL && r->target.mode == REDIS_SENTINEL && !l->master) {
        redis_link_close(l);
        l = NULL;
        snprintf(why, sizeof why, "it is not the master");
    }
    if (l != NULL) {
        l->node = n;
        redis_node_greeted(l);
        atomic_store(&n->hung, 0);
        return l;
    }
    bool hangs = clock_ms() - began > r->timeout_ms / 2;
    if (trial)
        atomic_store(&n->hung, hangs ? clock_ms() : 0);
    else if (hangs)
        redis_node_hung(n);
    redis_node_failed(n);
    redis_outage(r, why, &n->at);
    return NULL;
}

struct redis_link *redis_node_take(struct redis *r, struct redis_node *n, bool hasty)
{
    bool trial;
    if (!may_try(r, n, hasty, &trial))
        return NULL;
    for (struct redis_link *l; !trial && (l = pop(r, n)) != NULL; redis_link_close(l))
        if (!redis_link_stale(l))
            return l;
    if (hasty && r->target.mode == REDIS_CLUSTER && atomic_load(&n->late) != 0)
        return NULL; /* it would be greeted late, too */
    return open_new(r, n, trial);
}

void redis_node_give(struct redis *r, struct redis_link *l)
{
    struct redis_node *n = l->node;
    pthread_mutex_lock(&r->lock);
    bool keep = l->c->err == 0 && n->master && n->nidle < IDLE_MAX && l->unwanted < FORGET_MAX;
    if (keep) {
        l->next = n->idle;
        n->idle = l;
        n->nidle++;
    }
    pthread_mutex_unlock(&r->lock);
    if (!keep)
        redis_link_close(l);
}
