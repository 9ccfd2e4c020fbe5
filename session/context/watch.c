/* watch.c - subscriptions and watched tables in a context's header: kept, found, saved. */
#include "session/context/watch.h"
#include "session/context/context_int.h"
#include "session/context/header.h"
#include <inttypes.h>

enum { WATCH_MIN_BYTES = 8 };

/* --- packed ---------------------------------------------------------------------------------------------------------------------------------- */
static void put(struct wr *w, const struct watch *x)
{
    header_put_var(w, x->handle);
    wr_u8(w, x->logon_id);
    wr_u8(w, x->what);
    wr_u8(w, x->flags);
    header_put_var(w, x->types);
    header_put_var(w, x->fid);
    header_put_var(w, x->mid);
    header_put_var(w, x->since);
}

static void get(struct rd *r, struct watch *out)
{
    uint64_t handle = header_get_var(r);
    out->handle = (uint32_t)handle;
    out->logon_id = rd_u8(r);
    out->what = rd_u8(r);
    out->flags = rd_u8(r);
    uint64_t types = header_get_var(r);
    out->types = (uint16_t)types;
    out->fid = header_get_var(r);
    out->mid = header_get_var(r);
    out->since = header_get_var(r);
    if (handle >= NO_HANDLE || types > UINT16_MAX || out->what < WATCH_SUBSCRIPTION || out->what > WATCH_HIERARCHY || (out->flags & ~WATCH_FLAGS) != 0)
        rd_fail(r, "watch");
}

void watching_put(struct wr *w, const struct watching *v)
{
    if (!v->open) {
        wr_put(w, v->packed);
        return;
    }
    header_put_var(w, v->n);
    for (size_t i = 0; i < v->n; i++)
        put(w, &v->v[i]);
}

static bool unpack(struct arena *a, struct blob packed, struct watching *out)
{
    struct rd r = rd_blob_of(packed);
    out->n = packed.n != 0 ? rd_count(&r, header_get_var(&r), WATCH_MIN_BYTES) : 0;
    out->v = arena_array(a, struct watch, out->n);
    for (size_t i = 0; i < out->n && rd_ok(&r); i++)
        get(&r, &out->v[i]);
    return rd_done(&r);
}

struct watching *watches(struct context *c)
{
    struct watching *v = &c->watching;
    if (!v->open) {
        v->damaged = !unpack(c->a, v->packed, v);
        v->n = v->damaged ? 0 : v->n;
        v->open = true;
    }
    return v;
}

/* --- the list --------------------------------------------------------------------------------------------------------------------------- */
struct watch *watch_find(struct context *c, uint32_t handle)
{
    struct watching *v = watches(c);
    for (size_t i = 0; i < v->n; i++)
        if (v->v[i].handle == handle)
            return &v->v[i];
    return NULL;
}

bool watch_add(struct context *c, const struct watch *w)
{
    struct watching *v = watches(c);
    if (watch_find(c, w->handle) != NULL)
        return false;
    struct watch *more = arena_array(c->a, struct watch, v->n + 1);
    for (size_t i = 0; i < v->n; i++)
        more[i] = v->v[i];
    more[v->n++] = *w;
    v->v = more;
    context_touch(c);
    return true;
}

static bool watched(struct context *c, const struct guid *mailbox)
{
    const struct watching *v = watches(c);
    for (size_t i = 0; i < v->n; i++) {
        const struct logon_entry *l = (v->v[i].flags & WATCH_SILENT) == 0 ? block_logon(c, v->v[i].logon_id) : NULL;
        if (l != NULL && guid_eq(&l->mailbox, mailbox))
            return true;
    }
    return false;
}

static void drop_positions(struct context *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->positions; i++)
        if (watched(c, &c->position[i].mailbox))
            c->position[n++] = c->position[i];
    c->positions = n;
}

static void drop(struct context *c, bool (*goes)(struct context *c, const struct watch *w, uint32_t handle), uint32_t handle)
{
    struct watching *v = watches(c);
    struct watch *left = arena_array(c->a, struct watch, v->n);
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (!goes(c, &v->v[i], handle))
            left[n++] = v->v[i];
    if (n == v->n)
        return;
    v->v = left;
    v->n = n;
    context_touch(c);
}

static bool is_gone(struct context *c, const struct watch *w, uint32_t handle)
{
    (void)handle;
    return context_handle(c, w->handle) == NULL;
}

static bool is_named(struct context *c, const struct watch *w, uint32_t handle)
{
    (void)c;
    return w->handle == handle;
}

void watch_drop(struct context *c, uint32_t handle)
{
    drop(c, is_named, handle);
    c->watching.stale = true;
}

void watch_settle(struct context *c)
{
    if (!c->watching.stale)
        return;
    drop(c, is_gone, 0);
    drop_positions(c);
    c->watching.stale = false;
}

/* --- positions ---------------------------------------------------------------------------------------------------------------------------- */
struct position *watch_position(struct context *c, const struct guid *mailbox)
{
    for (size_t i = 0; i < c->positions; i++)
        if (guid_eq(&c->position[i].mailbox, mailbox))
            return &c->position[i];
    return NULL;
}

struct position *watch_position_set(struct context *c, const struct guid *mailbox, uint64_t seq)
{
    struct position *p = watch_position(c, mailbox);
    if (p == NULL) {
        struct position *more = arena_array(c->a, struct position, c->positions + 1);
        for (size_t i = 0; i < c->positions; i++)
            more[i] = c->position[i];
        c->position = more;
        p = &more[c->positions++];
        p->mailbox = *mailbox;
    }
    p->seq = seq;
    context_touch(c);
    return p;
}

bool watch_possible(const struct context *c) { return commit_layout(c) >= 2; }

/* --- for people ------------------------------------------------------------------------------------------------------------------------------ */
static const char *text_of(struct arena *a, const struct watch *x)
{
    static const char *const what[] = { "nothing", "subscription", "contents", "hierarchy" };
    return arena_printf(a, "%s handle %" PRIu32 " logon %u types %04x flags %02x folder %" PRIx64 " message %" PRIx64 " since %" PRIu64,
                        what[x->what <= WATCH_HIERARCHY ? x->what : 0], x->handle, x->logon_id, x->types, x->flags, x->fid, x->mid, x->since);
}

const char *watching_text(struct arena *a, const struct watching *v)
{
    struct watching all = *v;
    const char *s = "";
    if (!all.open && !unpack(a, all.packed, &all))
        return "damaged";
    for (size_t i = 0; i < all.n; i++)
        s = arena_printf(a, "%s%s%s", s, i != 0 ? ", " : "", text_of(a, &all.v[i]));
    return s;
}
