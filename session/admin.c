/* admin.c - sessions as administrators see them: a list, one in full, an end.  Ids appear as digests only. */
#include "session/object/object.h"
#include "session/client.h"
#include "session/context/cookie.h"
#include "session/session.h"
#include <stdio.h>
#include <time.h>

/* --- list -------------------------------------------------------------------------------------------------------------------------------- */

struct listing { struct session_env *env; struct arena *a; struct session_info *v; size_t n, cap; };

static uint32_t block_bytes(const struct context *c)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < c->handles; i++)
        sum += c->handle[i].size;
    return sum;
}

static void list_one(void *ctx, const struct context *c, int64_t ttl_ms, bool locked)
{
    struct listing *l = ctx;
    l->v = arena_grow(l->a, l->v, &l->cap, l->n, sizeof *l->v);
    struct session_info *s = &l->v[l->n++];
    snprintf(s->digest, sizeof s->digest, "%s", context_digest(l->a, c->id));
    s->user = arena_strdup(l->a, c->user);
    s->client = arena_strdup(l->a, c->client_app != NULL ? c->client_app : "");
    const struct client *client = client_find(s->client, NULL);
    s->product = client != NULL ? client->product : NULL;
    s->expires_ms = ttl_ms;
    s->idle_ms = c->state.idle_ms;
    s->created_ms = c->state.created_ms;
    s->moves = c->state.moves;
    s->pauses = c->state.pauses;
    s->served_by = arena_strdup(l->a, c->state.served_by);
    s->waits = c->state.waits;
    s->mailboxes = c->logons;
    s->mailbox = c->logons != 0 ? c->logon[0].mailbox : (struct guid){ { 0 } };
    s->sequence = c->sequence;
    s->handles = (uint32_t)c->handles;
    s->bytes = block_bytes(c);
    s->locked = locked;
}

ec_t session_list(struct session_env *e, struct arena *a, struct session_info **out, size_t *n)
{
    struct listing l = { .env = e, .a = a };
    TRY(context_scan(e, a, list_one, &l));
    *out = l.v;
    *n = l.n;
    return ecNone;
}

/* --- one --------------------------------------------------------------------------------------------------------------------------------- */

struct wanted { struct arena *a; const char *digest; uint8_t id[CONTEXT_ID]; bool found; };

static void match_one(void *ctx, const struct context *c, int64_t ttl_ms, bool locked)
{
    struct wanted *w = ctx;
    (void)ttl_ms, (void)locked;
    if (strcmp(context_digest(w->a, c->id), w->digest) != 0)
        return;
    memcpy(w->id, c->id, CONTEXT_ID);
    w->found = true;
}

static ec_t find(const struct session_env *env, struct arena *a, const char *digest, uint8_t id[CONTEXT_ID])
{
    struct wanted w = { .a = a, .digest = digest };
    TRY(context_scan(env, a, match_one, &w));
    memcpy(id, w.id, CONTEXT_ID);
    return w.found ? ecNone : EC(ecNotFound);
}

static const char *object_line(struct arena *a, struct context *c, const struct handle_entry *h)
{
    struct object x;
    struct blob   b;
    const char   *what = "its state cannot be read";
    if (h->staged)
        what = "state in the staging area";
    else if (context_block(c, h->handle, &b) && object_unpack(b, (enum object_kind)h->kind, a, &x))
        what = object_describe(a, &x);
    return arena_printf(a, "object 0x%08x %s, %u bytes, logon %u: %s", h->handle, object_kind_name((enum object_kind)h->kind), h->size, h->logon_id, what);
}

ec_t session_show(struct session_env *e, struct arena *a, const char *digest, void (*line)(void *ctx, const char *text), void *ctx)
{
    struct context *c;
    uint8_t id[CONTEXT_ID];
    char guid[GUID_TEXT];
    TRY(find(e, a, digest, id));
    TRY(context_peek(e, a, id, &c));
    line(ctx, arena_printf(a, "user %s, as %s", c->user, c->user_dn));
    line(ctx, arena_printf(a, "client %s, code page %u, locales 0x%04x sort 0x%04x", c->client_app != NULL ? c->client_app : "unknown", c->code_page,
                           c->lcid_string, c->lcid_sort));
    const struct context_state *s = &c->state;
    if (s->created_ms != 0)
        line(ctx, arena_printf(a, "made %lld s ago, resumed %u times after a pause, moved %u times to another worker, last served by %s",
                               (long long)(time(NULL) - (time_t)(s->created_ms / 1000)), s->pauses, s->moves, s->served_by));
    line(ctx, arena_printf(a, "%s, idle for %lld s, kept for %lld s", s->locked ? "a request runs" : s->waits ? "a NotificationWait is pending" : "nothing is pending",
                           (long long)s->idle_ms / 1000, (long long)s->expires_ms / 1000));
    line(ctx, arena_printf(a, "sequence %llu, next handle 0x%08x", (unsigned long long)c->sequence, c->next_handle));
    for (size_t i = 0; i < c->logons; i++)
        line(ctx, arena_printf(a, "logon %u: mailbox %s, %s", c->logon[i].logon_id, guid_text(&c->logon[i].mailbox, guid),
                               c->logon[i].owner ? "as its owner" : "as a delegate"));
    for (size_t i = 0; i < c->handles; i++)
        line(ctx, object_line(a, c, &c->handle[i]));
    return ecNone;
}

ec_t session_end(struct session_env *e, struct arena *a, const char *digest)
{
    uint8_t id[CONTEXT_ID];
    TRY(find(e, a, digest, id));
    return context_end(e, a, id);
}

const char *session_token(struct session_env *e, struct arena *a, const char *login, const char *what, unsigned ago)
{
    return cookie_token(e->keys, a, arena_printf(a, "%s\n%s", login, what), cookie_epoch() - ago);
}
