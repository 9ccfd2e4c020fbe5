/* block.c - the states of server objects: fetched by handle, changed in memory, listed in the directory. */
#include "session/context/context_int.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include "backend/store/large.h"

/* The directory is sorted by handle: numbers only grow. */
struct handle_entry *context_handle(struct context *c, uint32_t handle)
{
    size_t lo = 0, hi = c->handles;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c->handle[mid].handle < handle)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->handles && c->handle[lo].handle == handle ? &c->handle[lo] : NULL;
}

static struct block *block_at(struct context *c, uint32_t handle, unsigned slot)
{
    for (size_t i = 0; i < c->p->blocks; i++)
        if (c->p->block[i].handle == handle && c->p->block[i].slot == slot)
            return &c->p->block[i];
    return NULL;
}

/* Of the two places that begin brought along, the one that the directory names; or what this request put. */
struct block *block_find(struct context *c, uint32_t handle)
{
    const struct handle_entry *h = context_handle(c, handle);
    return h != NULL ? block_at(c, handle, h->slot) : NULL;
}

void block_add_raw(struct context *c, uint32_t handle, unsigned slot, struct blob state)
{
    struct context_private *p = c->p;
    p->block = arena_grow(c->a, p->block, &p->cap, p->blocks, sizeof *p->block);
    p->block[p->blocks++] = (struct block){ .handle = handle, .slot = (uint8_t)slot, .state = state };
}

/* --- fetching --------------------------------------------------------------------------------------------------------------------- */
const struct logon_entry *block_logon(const struct context *c, uint8_t logon_id)
{
    for (size_t i = 0; i < c->logons; i++)
        if (c->logon[i].logon_id == logon_id)
            return &c->logon[i];
    return NULL;
}

/* Through a lease of its own, that ends here: the request's own lease on that mailbox acts for somebody else. */
static bool fetch_staged(struct context *c, const struct handle_entry *h)
{
    const struct logon_entry *l = block_logon(c, h->logon_id);
    if (l == NULL)
        return false;
    struct arena  *a = arena_new(SYSTEM_ARENA);
    struct actor   system = { ACTOR_SYSTEM, NULL };
    struct mailbox *m;
    struct stage_key key = { .object = block_stage_key(h->handle, h->slot) };
    struct blob    b = { NULL, 0 };
    memcpy(key.context, c->id, CONTEXT_ID);
    ec_t ec = mailbox_open(c->p->env.store, a, &l->mailbox, &system, &m);
    if (ec == ecNone)
        ec = stage_read(m, &key, 0, h->size, &b);
    bool ok = ec == ecNone && b.n == h->size;
    c->p->unreachable |= ec != ecNone && ec != ecNotFound;
    if (ok)
        block_add_raw(c, h->handle, h->slot, arena_blob(c->a, b));
    arena_free(a);
    return ok;
}

static bool fetch_redis(struct context *c, struct handle_entry *const *want, size_t n)
{
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    args_blob(&x, blob_str("HMGET"));
    args_blob(&x, c->p->key);
    for (size_t i = 0; i < n; i++)
        args_blob(&x, field_object(c->a, want[i]->handle, want[i]->slot));
    if (redis_ask(c->p->redis, x.n, x.v, &v) != REDIS_DONE) {
        c->p->unreachable = true;
        return false;
    }
    if (v.type != REDIS_ARRAY || v.n != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (v.v[i].type != REDIS_STRING || v.v[i].s.n != want[i]->size)
            return false;
        block_add_raw(c, want[i]->handle, want[i]->slot, v.v[i].s);
    }
    return true;
}

bool context_fetch(struct context *c, const uint32_t *want, size_t n)
{
    struct handle_entry **missing = arena_array(c->a, struct handle_entry *, n);
    size_t nmissing = 0;
    for (size_t i = 0; i < n; i++) {
        struct handle_entry *h = context_handle(c, want[i]);
        if (h == NULL || h->size == 0 || block_find(c, h->handle) != NULL)
            continue;
        if (!h->staged)
            missing[nmissing++] = h;
        else if (!fetch_staged(c, h))
            return false;
    }
    return nmissing == 0 || fetch_redis(c, missing, nmissing);
}

bool context_unreachable(const struct context *c) { return c->p->unreachable; }

bool context_block(struct context *c, uint32_t handle, struct blob *out)
{
    const struct handle_entry *h = context_handle(c, handle);
    *out = blob_of(NULL, 0);
    if (h == NULL || !context_fetch(c, &handle, 1))
        return false;
    const struct block *b = block_find(c, handle);
    if (b != NULL)
        *out = b->state;
    return out->n == h->size;
}

/* --- changing ---------------------------------------------------------------------------------------------------------------------- */
ec_t context_add(struct context *c, uint8_t kind, uint8_t logon_id, uint32_t parent, uint32_t *out)
{
    struct context_private *p = c->p;
    if (c->next_handle < FIRST_HANDLE)
        c->next_handle = FIRST_HANDLE;
    if (c->handles >= p->env.config->handles_max || c->next_handle >= NO_HANDLE) {
        metric_add(METRIC_limit_handles, 1);
        return EC(ecServerBusy);
    }
    if (p->handle_cap == c->handles) {
        p->handle_cap = 2 * c->handles + 8;
        struct handle_entry *more = arena_array(c->a, struct handle_entry, p->handle_cap);
        for (size_t i = 0; i < c->handles; i++)
            more[i] = c->handle[i];
        c->handle = more;
    }
    *out = c->next_handle++;
    c->handle[c->handles++] = (struct handle_entry){ .handle = *out, .kind = kind, .logon_id = logon_id, .parent = parent };
    context_touch(c);
    return ecNone;
}

void context_put(struct context *c, uint32_t handle, struct blob state)
{
    struct handle_entry *h = context_handle(c, handle);
    struct block *b = block_find(c, handle);
    must(h != NULL);
    if (b != NULL && blob_eq(b->state, state))
        return;
    if (b == NULL || !b->dirty) {
        h->slot = h->size != 0 ? h->slot ^ 1 : 0;
        if (block_find(c, handle) == NULL)
            block_add_raw(c, handle, h->slot, state);
        b = block_find(c, handle);
        b->dirty = true;
    }
    b->state = state;
    h->size = (uint32_t)state.n;
    context_touch(c);
}

void context_drop(struct context *c, uint32_t handle)
{
    struct handle_entry *h = context_handle(c, handle);
    if (h == NULL)
        return;
    for (size_t i = (size_t)(h - c->handle) + 1; i < c->handles; i++)
        c->handle[i - 1] = c->handle[i];
    c->handles--;
    for (size_t i = 0; i < c->p->blocks; i++)
        if (c->p->block[i].handle == handle)
            c->p->block[i].dirty = false;
    context_touch(c);
}

void context_touch(struct context *c) { c->p->changed = true; }
