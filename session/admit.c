/* admit.c - the administrator's switches at the door: who may come in, from which side, and whose sessions end. */
#include "backend/base/log.h"
#include "backend/directory/policy.h"
#include "session/reply.h"

static bool refuse(struct session_reply *r, enum xrc code, const char *why)
{
    r->code = code;
    r->diagnosis = why;
    return false;
}

bool session_admit(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct policy p;
    reply_empty(r);
    if (policy_of(e->directory, c->a, c->who, &p) != ecNone)
        return refuse(r, XRC_UNKNOWN_FAILURE, "the settings of this mailbox cannot be read now");
    c->retention_ms = p.retention_s * 1000;
    if (!p.mapi_http) {
        struct begin_args args = reply_args(c);
        context_discard(e, c->a, &args);
        return refuse(r, XRC_ENDPOINT_DISABLED, NULL);
    }
    if (p.block_external && c->external)
        return refuse(r, XRC_ENDPOINT_DISABLED, "this mailbox cannot be reached from outside");
    return true;
}

/* --- sessions that run when the switch is thrown ------------------------------------------------------------------------------------------- */

struct found { struct session_env *env; struct arena *a; uint8_t (*id)[CONTEXT_ID]; size_t n, cap; };

static void look(void *ctx, const struct context *c, int64_t ttl_ms, bool locked)
{
    struct found *f = ctx;
    struct person who;
    struct policy p;
    (void)ttl_ms, (void)locked;
    if (directory_by_login(f->env->directory, f->a, c->user, &who) != ecNone || policy_of(f->env->directory, f->a, &who, &p) != ecNone || p.mapi_http)
        return;
    f->id = arena_grow(f->a, f->id, &f->cap, f->n, sizeof *f->id);
    memcpy(f->id[f->n++], c->id, CONTEXT_ID);
}

ec_t session_end_disabled(struct session_env *e, struct arena *a, size_t *ended)
{
    struct found f = { .env = e, .a = a };
    *ended = 0;
    TRY(context_scan(e, a, look, &f));
    for (size_t i = 0; i < f.n; i++) {
        ec_t ec = context_end(e, a, f.id[i]);
        if (ec != ecNone && ec != ecNotFound)
            return ec;
        *ended += ec == ecNone;
    }
    return ecNone;
}
