/* look.c - contexts without their lock: keeping one alive, and what administration sees. */
#include "session/context/context_int.h"
#include "session/context/cookie.h"
#include "session/context/header.h"
#include <stdlib.h>

enum begin context_ping(const struct session_env *e, struct arena *a, const struct begin_args *args, int64_t *retention_ms, const char **cookie, const char **why)
{
    uint8_t id[CONTEXT_ID];
    if (args->context_cookie == NULL)
        return BEGIN_MISSING;
    enum cookie k = cookie_read_context(e->keys, a, args->context_cookie, id);
    if (k != COOKIE_GOOD)
        return k == COOKIE_OLD ? BEGIN_NOT_FOUND : BEGIN_FORGED;
    struct context *c = private_new(e, a, id, args);
    struct args x = { a, NULL, 0, 0 };
    struct redis_value v;
    args_bytes(&x, c->p->identity, IDENTITY);
    args_num(&x, c->p->lease.retention_ms);
    struct call call = { SCRIPT_PING, c->p->key, x.v, x.n, NULL, 0, FAULT_COUNT, NULL, false };
    enum redis_result res = private_connect(c) ? script_call(c->p->redis, &call, &v, NULL) : REDIS_DOWN;
    if (res != REDIS_DONE) {
        *why = redis_why(res);
        return BEGIN_DOWN;
    }
    if (v.type != REDIS_INT || v.i != 1)
        return BEGIN_NOT_FOUND;
    *retention_ms = private_retention(c);
    *cookie = context_cookie(c);
    return BEGIN_RUN;
}

const char *context_own_sequence(const struct session_env *e, struct arena *a, const struct begin_args *args)
{
    uint8_t  id[CONTEXT_ID];
    uint64_t number;
    if (args->context_cookie == NULL || args->sequence_cookie == NULL || cookie_read_context(e->keys, a, args->context_cookie, id) != COOKIE_GOOD)
        return NULL;
    return cookie_read_sequence(e->keys, a, args->sequence_cookie, id, &number) == COOKIE_GOOD ? args->sequence_cookie : NULL;
}

/* --- administration ----------------------------------------------------------------------------------------------------------------------- */
static void stands(struct context *c, const struct redis_value *got, int64_t ttl_ms, uint64_t now, const struct control *k)
{
    struct context_state *s = &c->state;
    struct rd wait = rd_blob_of(got->v[4].type == REDIS_STRING ? got->v[4].s : blob_of(NULL, 0));
    *s = (struct context_state){ .served_by = "" };
    if (got->v[3].type != REDIS_STRING || !service_load(c->a, got->v[3].s, s))
        *s = (struct context_state){ .served_by = "", .retention_ms = (uint64_t)private_retention(c) };
    rd_u64(&wait);
    s->waits = rd_u64(&wait) > now;
    s->locked = k->state >= STATE_RUNNING && k->deadline > now;
    s->expires_ms = ttl_ms;
    if (!s->waits && !s->locked && ttl_ms < (int64_t)s->retention_ms)
        s->idle_ms = (int64_t)s->retention_ms - ttl_ms;
}

void look_ask(struct blob key, struct blob get[LOOK_FIELDS + 2])
{
    const struct blob fields[LOOK_FIELDS] = { blob_str("c"), field_header(0), field_header(1), blob_str("s"), blob_str("w") };
    get[0] = blob_str("HMGET");
    get[1] = key;
    memcpy(get + 2, fields, sizeof fields);
}

/* Control, headers and time to live of one key, and the clock of Redis. */
static enum redis_result ask_view(struct context *c, struct redis_value *got, struct redis_value *ttl, struct redis_value *now)
{
    struct redis_conn *r = c->p->redis;
    struct redis_patience p = { 0 };
    struct blob get[LOOK_FIELDS + 2];
    struct blob pttl[] = { blob_str("PTTL"), c->p->key };
    struct blob time[] = { blob_str("TIME") };
    enum redis_result res;
    look_ask(c->p->key, get);
    do {
        redis_queue(r, LOOK_FIELDS + 2, get);
        redis_queue(r, 2, pttl);
        redis_queue(r, 1, time);
        res = redis_flush(r);
        if (res == REDIS_DONE && (res = redis_next(r, got)) == REDIS_DONE && (res = redis_next(r, ttl)) == REDIS_DONE)
            res = redis_next(r, now);
    } while (res != REDIS_DONE && redis_again(r, res, &p));
    redis_forget(r);
    return res;
}

uint64_t look_clock(const struct redis_value *now)
{
    if (now->type != REDIS_ARRAY || now->n != 2 || now->v[0].type != REDIS_STRING || now->v[1].type != REDIS_STRING)
        return 0;
    return strtoull((const char *)now->v[0].s.p, NULL, 10) * 1000 + strtoull((const char *)now->v[1].s.p, NULL, 10) / 1000;
}

ec_t look_take(struct context *c, const struct redis_value *got, const struct redis_value *ttl, uint64_t now)
{
    struct control k;
    if (got->type != REDIS_ARRAY || got->n != LOOK_FIELDS || now == 0 || ttl->type != REDIS_INT)
        return EC(ecCorruptData);
    if (ttl->i == -2)
        return EC(ecNotFound);
    if (!control_load(got->v[0].s, &k))
        return EC(ecCorruptData);
    bool good = private_load(c, &k, got->v[1].s, got->v[2].s);
    stands(c, got, ttl->i, now, &k);
    return good ? ecNone : EC(ecCorruptData);
}

static ec_t view(struct context *c)
{
    struct redis_value got, ttl, now;
    if (ask_view(c, &got, &ttl, &now) != REDIS_DONE)
        return EC(ecServerBusy);
    return look_take(c, &got, &ttl, look_clock(&now));
}

ec_t context_state(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct context_state *out)
{
    struct context *c = private_new(e, a, id, NULL);
    if (!private_connect(c))
        return EC(ecServerBusy);
    ec_t ec = view(c);
    *out = c->state;
    return ec;
}

ec_t context_peek(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct context **out)
{
    struct context *c = private_new(e, a, id, NULL);
    if (!private_connect(c))
        return EC(ecServerBusy);
    TRY(view(c));
    *out = c;
    return ecNone;
}

bool private_id(struct blob key, size_t prefix, uint8_t id[CONTEXT_ID])
{
    if (key.n != prefix + 2 * CONTEXT_ID + 2)
        return false;
    for (size_t i = 0; i < 2 * CONTEXT_ID; i++) {
        uint8_t ch = key.p[prefix + 1 + i];
        bool digit = ch >= '0' && ch <= '9';
        if (!digit && (ch < 'a' || ch > 'f'))
            return false;
        id[i / 2] = (uint8_t)(id[i / 2] << 4 | (digit ? ch - '0' : ch - 'a' + 10));
    }
    return true;
}
