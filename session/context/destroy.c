/* destroy.c - the end of a context: journals closed, staging dropped, then the key. */
#include "session/context/context_int.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/event/bell.h"
#include "session/context/owner.h"

static ec_t drop(struct context *c)
{
    struct context_private *p = c->p;
    struct args x = { c->a, NULL, 0, 0 };
    struct redis_value v;
    args_bytes(&x, c->p->token, TOKEN);
    args_blob(&x, blob_str(bell_prefix(c->a, c->p->env.config)));
    struct call call = { SCRIPT_DROP, c->p->key, x.v, x.n, NULL, 0, FAULT_COUNT, p->run, true };
    enum redis_result res = script_call(c->p->redis, &call, &v, NULL);
    if (res != REDIS_DONE)
        return EC(ecServerBusy);
    if (v.type != REDIS_INT || v.i == 0)
        return EC(ecInvalidObject);
    metric_add(METRIC_sessions_ended, v.i == 1);
    owner_leave(&c->p->env, c->a, c->user, c->id);
    return ecNone;
}

/* Whoever may still run in it is fenced out first; if the last request ended properly nobody does. */
ec_t destroy_all(struct context *c)
{
    bool somebody = c->p->control.state == STATE_RECOVERING && c->p->control.was == STATE_RUNNING;
    TRY(journals_close(c, somebody ? c->epoch : 0));
    fault_point(FAULT_destroy_store);
    return drop(c);
}

enum finish context_destroy(struct context *c)
{
    if (c->p->fresh)
        return CONTEXT_DONE;
    ec_t ec = destroy_all(c);
    if (ec != ecNone && ec != ecInvalidObject) {
        log_line(LOGL_ERROR, "context", "a session could not be ended", "code", err_name(ec), "place", err_place(), NULL);
        context_abandon(c);
        return CONTEXT_FAILED;
    }
    private_let_go(c);
    fault_point(FAULT_disconnect_done);
    if (ec == ecInvalidObject && memcmp(c->p->begun, c->p->run, RUN) != 0)
        return CONTEXT_GONE;
    return ec == ecNone ? CONTEXT_DONE : CONTEXT_OVERTAKEN;
}

/* --- without its lock ----------------------------------------------------------------------------------------------------------------- */
static ec_t seize(struct context *c, struct blob identity, struct control *k, struct redis_value *got)
{
    struct args x = { c->a, NULL, 0, 0 }, get = { c->a, NULL, 0, 0 };
    struct redis_value v;
    args_blob(&x, identity);
    args_bytes(&x, c->p->token, TOKEN);
    args_num(&x, c->p->lease.lease_ms);
    args_blob(&get, blob_str("HMGET"));
    args_blob(&get, c->p->key);
    args_blob(&get, field_header(0));
    args_blob(&get, field_header(1));
    args_blob(&get, blob_str("x"));
    struct call call = { SCRIPT_SEIZE, c->p->key, x.v, x.n, get.v, get.n, FAULT_COUNT, NULL, false };
    if (script_call(c->p->redis, &call, &v, got) != REDIS_DONE)
        return EC(ecServerBusy);
    bool sane = v.type == REDIS_ARRAY && v.n == 2 && v.v[1].type == REDIS_STRING && got->type == REDIS_ARRAY && got->n == 3;
    return sane && control_load(v.v[1].s, k) ? ecNone : EC(ecNotFound);
}

ec_t destroy_by_id(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct blob identity)
{
    struct context *c = private_new(e, a, id, NULL);
    struct control k;
    struct redis_value got;
    if (!private_connect(c))
        return EC(ecServerBusy);
    TRY(seize(c, identity, &k, &got));
    if (!private_load(c, &k, got.v[0].s, got.v[1].s))
        return drop(c); /* unreadable: its mailboxes are not known; the sweep takes what it left there */
    journals_of(c, got.v[2].s);
    return destroy_all(c);
}

ec_t context_end(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID]) { return destroy_by_id(e, a, id, blob_of(NULL, 0)); }
