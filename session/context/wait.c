/* wait.c - the field w of a context: taken, renewed, left; and what others say of it. */
#include "session/context/wait.h"
#include "backend/base/log.h"
#include "backend/event/bell.h"
#include "session/context/context_int.h"
#include "session/context/cookie.h"

static struct args process_args(struct arena *a, const char *process)
{
    struct args x = { a, NULL, 0, 0 };
    args_bytes(&x, process, BELL_NAME);
    return x;
}

/* --- coming ------------------------------------------------------------------------------------------------------------------------------- */

static enum redis_result ask(struct context *c, const char *process, struct redis_value *v, struct redis_value *got)
{
    struct context_private *p = c->p;
    struct args x = { c->a, NULL, 0, 0 };
    const struct blob get[] = { blob_str("HMGET"), p->key, field_header(0), field_header(1) };
    args_bytes(&x, p->identity, IDENTITY);
    args_bytes(&x, process, BELL_NAME);
    args_blob(&x, blob_str(bell_prefix(c->a, p->env.config)));
    args_num(&x, (uint64_t)private_retention(c));
    args_num(&x, WAIT_HOLD_MS);
    struct call call = { SCRIPT_WAIT, p->key, x.v, x.n, get, sizeof get / sizeof *get, FAULT_COUNT, NULL, false };
    return private_connect(c) ? script_call(p->redis, &call, v, got) : REDIS_DOWN;
}

static bool understood(struct context *c, const struct redis_value *v, const struct redis_value *got, uint64_t *number)
{
    struct control k;
    if (v->type != REDIS_ARRAY || v->n != 3 || v->v[1].type != REDIS_STRING || v->v[2].type != REDIS_INT || got->type != REDIS_ARRAY || got->n != 2)
        return false;
    *number = (uint64_t)v->v[2].i;
    return control_load(v->v[1].s, &k) && private_load(c, &k, got->v[0].s, got->v[1].s);
}

enum begin context_wait(const struct session_env *e, struct arena *a, const struct begin_args *args, const char *process, struct context **out,
                        uint64_t *number, const char **why)
{
    uint8_t id[CONTEXT_ID];
    *out = NULL;
    if (args->context_cookie == NULL)
        return BEGIN_MISSING;
    enum cookie k = cookie_read_context(e->keys, a, args->context_cookie, id);
    if (k != COOKIE_GOOD)
        return k == COOKIE_OLD ? BEGIN_NOT_FOUND : BEGIN_FORGED;
    struct context *c = private_new(e, a, id, args);
    struct redis_value v, got;
    log_context("session", context_digest(a, id));
    enum redis_result res = ask(c, process, &v, &got);
    if (res != REDIS_DONE) {
        *why = redis_why(res);
        return BEGIN_DOWN;
    }
    if (!understood(c, &v, &got, number))
        return BEGIN_NOT_FOUND;
    *out = c;
    return BEGIN_RUN;
}

/* --- staying ------------------------------------------------------------------------------------------------------------------------------ */

static struct call hold_call(const struct session_env *e, struct arena *a, const char *process, const struct wait_hold *w, enum script script)
{
    struct args x = process_args(a, process);
    args_num(&x, w->number);
    args_num(&x, (uint64_t)w->retention_ms);
    args_num(&x, WAIT_HOLD_MS);
    return (struct call){ script, private_key(a, e->config->redis_prefix, w->id), x.v, x.n, NULL, 0, FAULT_COUNT, NULL, false };
}

static enum wait_held held(enum redis_result res, const struct redis_value *v, uint64_t *sequence)
{
    if (res != REDIS_DONE || v->type != REDIS_ARRAY || v->n == 0 || v->v[0].type != REDIS_INT)
        return WAIT_NOT_KNOWN;
    *sequence = v->n > 1 ? (uint64_t)v->v[1].i : 0;
    return v->v[0].i == 2 ? WAIT_HELD : v->v[0].i == 1 ? WAIT_REPLACED : WAIT_NO_CONTEXT;
}

void context_wait_hold(const struct session_env *e, struct arena *a, const char *process, struct wait_hold *v, size_t n)
{
    struct call *call = arena_array(a, struct call, n);
    enum redis_result *res = arena_array(a, enum redis_result, n);
    struct redis_value *answer = arena_array(a, struct redis_value, n);
    for (size_t i = 0; i < n; i++)
        call[i] = hold_call(e, a, process, &v[i], SCRIPT_HOLD);
    script_calls(e->redis, a, call, n, res, answer);
    for (size_t i = 0; i < n; i++)
        v[i].held = held(res[i], &answer[i], &v[i].sequence);
}

/* --- going -------------------------------------------------------------------------------------------------------------------------------- */

bool context_wait_end(const struct session_env *e, struct arena *a, const char *process, const struct wait_hold *w)
{
    struct call call = hold_call(e, a, process, w, SCRIPT_LEAVE);
    struct redis_conn *r = redis_take_now(e->redis, a, call.key);
    return r != NULL && script_post(r, a, &call);
}

void wait_tell_logons(struct context *c)
{
    struct context_private *p = c->p;
    size_t known = 0;
    for (size_t i = 0; i < c->logons; i++)
        for (size_t k = 0; k < p->nknown; k++)
            if (guid_eq(&c->logon[i].mailbox, &p->known[k])) {
                known++;
                break;
            }
    if (known == c->logons)
        return;
    struct args x = { c->a, NULL, 0, 0 };
    args_blob(&x, blob_str(bell_prefix(c->a, p->env.config)));
    struct call call = { SCRIPT_LOOK, p->key, x.v, x.n, NULL, 0, FAULT_COUNT, NULL, false };
    script_post(p->redis, c->a, &call);
}

/* "number:key", and a key ends with "{id}". */
bool context_wait_told(struct blob message, uint8_t id[CONTEXT_ID], uint64_t *number)
{
    enum { TAIL = 2 * CONTEXT_ID + 2 };
    uint64_t v = 0;
    size_t at = 0;
    for (; at < message.n && message.p[at] >= '0' && message.p[at] <= '9' && v < UINT64_MAX / 16; at++)
        v = v * 10 + (uint64_t)(message.p[at] - '0');
    if (at == 0 || at >= message.n || message.p[at] != ':' || message.n - at - 1 < TAIL)
        return false;
    *number = v;
    return private_id(blob_of(message.p + message.n - TAIL, TAIL), 0, id);
}
