/* watch.c - subscriptions and watched tables in a context's header: kept, found, saved. */
#include "session/context/watch.h"
#include "session/context/context_int.h"
#include "session/context/header.h"
#include <inttypes.h>

enum { HANDLE_LIMIT = NO_HANDLE };

/* --- the list --------------------------------------------------------------------------------------------------------------------------- */
struct watch *watch_find(struct context *c, uint32_t handle)
{
    for (size_t i = 0; i < c->watches; i++)
        if (c->watch[i].handle == handle)
            return &c->watch[i];
    return NULL;
}

/* A fresh array for each: there are few, and the old one may be what an undone ROP goes back to. */
struct watch *watch_add(struct context *c, const struct watch *w)
{
    if (watch_find(c, w->handle) != NULL)
        return NULL;
    struct watch *more = arena_array(c->a, struct watch, c->watches + 1);
    for (size_t i = 0; i < c->watches; i++)
        more[i] = c->watch[i];
    c->watch = more;
    more[c->watches] = *w;
    context_touch(c);
    return &more[c->watches++];
}

static bool watched(struct context *c, const struct guid *mailbox)
{
    for (size_t i = 0; i < c->watches; i++) {
        const struct logon_entry *l = block_logon(c, c->watch[i].logon_id);
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
    size_t n = 0;
    for (size_t i = 0; i < c->watches; i++)
        if (!goes(c, &c->watch[i], handle))
            c->watch[n++] = c->watch[i];
    if (n == c->watches)
        return;
    c->watches = n;
    drop_positions(c);
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

void watch_drop_gone(struct context *c) { drop(c, is_gone, 0); }
void watch_drop(struct context *c, uint32_t handle) { drop(c, is_named, handle); }

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

/* --- saved ---------------------------------------------------------------------------------------------------------------------------------- */
void watch_put(struct wr *w, const struct watch *x)
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

void watch_get(struct rd *r, struct watch *out)
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
    if (handle >= HANDLE_LIMIT || types > UINT16_MAX || out->what < WATCH_SUBSCRIPTION || out->what > WATCH_HIERARCHY || (out->flags & ~WATCH_FLAGS) != 0)
        rd_fail(r, "watch");
}

const char *watch_text(struct arena *a, const struct watch *x)
{
    static const char *const what[] = { "nothing", "subscription", "contents", "hierarchy" };
    return arena_printf(a, "%s handle %" PRIu32 " logon %u types %04x flags %02x folder %" PRIx64 " message %" PRIx64 " since %" PRIu64,
                        what[x->what <= WATCH_HIERARCHY ? x->what : 0], x->handle, x->logon_id, x->types, x->flags, x->fid, x->mid, x->since);
}
