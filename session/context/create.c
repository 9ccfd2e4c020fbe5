/* create.c - a Connect -> a new context in place of the one that its cookie names. */
#include "session/context/context_int.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "session/context/cookie.h"
#include "session/context/owner.h"

/* Best effort: whatever the old cookie is, the Connect goes on (MS-OXCMAPIHTTP R1277, R1329, R1279). */
void context_discard(const struct session_env *e, struct arena *a, const struct begin_args *args)
{
    uint8_t id[CONTEXT_ID], identity[IDENTITY];
    if (args->context_cookie == NULL || cookie_read_context(e->keys, a, args->context_cookie, id) != COOKIE_GOOD)
        return;
    private_identity(args->who, identity);
    ec_t ec = destroy_by_id(e, a, id, blob_of(identity, IDENTITY));
    if (ec != ecNone && ec != ecNotFound)
        log_line(LOGL_WARN, "context", "a session that is replaced or refused could not be ended", "session", context_digest(a, id), NULL);
}

static bool has_room(const struct session_env *e, struct arena *a, const struct person *who, const uint8_t id[CONTEXT_ID])
{
    const char *ended = NULL;
    enum owner o = owner_enter(e, a, who, id, e->config->sessions_per_user, &ended);
    metric_add(METRIC_limit_sessions, o == OWNER_FULL || ended != NULL);
    if (ended != NULL)
        log_line(LOGL_INFO, "context", "a user has too many sessions: the one that was idle longest has ended", "value", ended, NULL);
    return o != OWNER_FULL; /* an index that does not answer stops nobody */
}

enum begin context_create(const struct session_env *e, struct arena *a, const struct begin_args *args, struct context **out, const char **why)
{
    uint8_t id[CONTEXT_ID];
    *out = NULL;
    crypto_random(id, sizeof id);
    struct context *c = private_new(e, a, id, args);
    log_context("session", context_digest(a, id));
    enum redis_result res = private_connect(c) ? redis_refuses(c->p->redis) : REDIS_DOWN;
    if (res != REDIS_DONE) { /* the session that this one would replace goes on */
        *why = redis_why(res);
        return BEGIN_DOWN;
    }
    memcpy(c->p->begun, c->p->run, RUN);
    context_discard(e, a, args);
    if (!has_room(e, a, args->who, id)) {
        *why = "this user has as many sessions as he may, and uses all of them";
        return BEGIN_FULL;
    }
    c->p->fresh = c->p->changed = true;
    c->epoch = 1;
    c->next_handle = FIRST_HANDLE;
    c->user = arena_strdup(a, args->who->login);
    c->display_name = arena_strdup(a, args->who->display_name != NULL ? args->who->display_name : "");
    *out = c;
    return BEGIN_RUN;
}
