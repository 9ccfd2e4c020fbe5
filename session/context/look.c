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

/* Control, headers and time to live of one key, and the clock of Redis. */
static enum redis_result ask_view(struct context *c, struct redis_value *got, struct redis_value *ttl, struct redis_value *now)
{
    struct redis_conn *r = c->p->redis;
    struct redis_patience p = { 0 };
    struct blob get[] = { blob_str("HMGET"), c->p->key, blob_str("c"), field_header(0), field_header(1), blob_str("s"), blob_str("w") };
    struct blob pttl[] = { blob_str("PTTL"), c->p->key };
    struct blob time[] = { blob_str("TIME") };
    enum redis_result res;
    do {
        redis_queue(r, 7, get);
        redis_queue(r, 2, pttl);
        redis_queue(r, 1, time);
        res = redis_flush(r);
        if (res == REDIS_DONE && (res = redis_next(r, got)) == REDIS_DONE && (res = redis_next(r, ttl)) == REDIS_DONE)
            res = redis_next(r, now);
    } while (res != REDIS_DONE && redis_again(r, res, &p));
    redis_forget(r);
    return res;
}

/* ecNotFound: there is no such key; ecServerBusy: Redis does not tell; ecCorruptData: it is there and cannot be read (damaged, or of a newer release). */
static ec_t view(struct context *c, int64_t *ttl_ms, bool *locked)
{
    struct redis_value got, ttl, now;
    struct control k;
    if (ask_view(c, &got, &ttl, &now) != REDIS_DONE)
        return EC(ecServerBusy);
    if (got.type != REDIS_ARRAY || got.n != 5 || now.type != REDIS_ARRAY || now.n != 2 || ttl.type != REDIS_INT)
        return EC(ecCorruptData);
    if (ttl.i == -2)
        return EC(ecNotFound);
    if (!control_load(got.v[0].s, &k))
        return EC(ecCorruptData);
    uint64_t ms = strtoull((const char *)now.v[0].s.p, NULL, 10) * 1000 + strtoull((const char *)now.v[1].s.p, NULL, 10) / 1000;
    *ttl_ms = ttl.i;
    *locked = k.state >= STATE_RUNNING && k.deadline > ms;
    bool good = private_load(c, &k, got.v[1].s, got.v[2].s);
    stands(c, &got, ttl.i, ms, &k);
    return good ? ecNone : EC(ecCorruptData);
}

ec_t context_state(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct context_state *out)
{
    struct context *c = private_new(e, a, id, NULL);
    int64_t ttl;
    bool locked;
    if (!private_connect(c))
        return EC(ecServerBusy);
    ec_t ec = view(c, &ttl, &locked);
    *out = c->state;
    return ec;
}

ec_t context_peek(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct context **out)
{
    struct context *c = private_new(e, a, id, NULL);
    int64_t ttl;
    bool locked;
    if (!private_connect(c))
        return EC(ecServerBusy);
    TRY(view(c, &ttl, &locked));
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

/* In an arena of its own: there may be very many. */
static void show(const struct session_env *e, struct blob key, void (*each)(void *, const struct context *, int64_t, bool), void *ctx)
{
    uint8_t id[CONTEXT_ID] = { 0 };
    int64_t ttl;
    bool locked;
    if (!private_id(key, strlen(e->config->redis_prefix), id))
        return;
    struct arena *a = arena_new(SYSTEM_ARENA);
    struct context *c = private_new(e, a, id, NULL);
    if (private_connect(c) && view(c, &ttl, &locked) == ecNone)
        each(ctx, c, ttl, locked);
    arena_free(a);
}

static ec_t scan_one(const struct session_env *e, struct arena *a, struct redis_conn *r, void (*each)(void *ctx, const struct context *c, int64_t ttl_ms, bool locked),
                     void *ctx)
{
    struct blob cursor = blob_str("0"), pattern = blob_str(arena_printf(a, "%s{*}", e->config->redis_prefix));
    do {
        struct blob scan[] = { blob_str("SCAN"), cursor, blob_str("MATCH"), pattern, blob_str("COUNT"), blob_str("500") };
        struct redis_value v;
        if (redis_ask(r, 6, scan, &v) != REDIS_DONE || v.type != REDIS_ARRAY || v.n != 2 || v.v[0].type != REDIS_STRING || v.v[1].type != REDIS_ARRAY)
            return EC(ecServerBusy);
        cursor = v.v[0].s;
        for (size_t i = 0; i < v.v[1].n; i++)
            show(e, v.v[1].v[i].s, each, ctx);
    } while (!blob_eq(cursor, blob_str("0")));
    return ecNone;
}

/* Of a cluster all masters; one that cannot be asked makes the answer incomplete, so that there is none. */
ec_t context_scan(const struct session_env *e, struct arena *a, void (*each)(void *ctx, const struct context *c, int64_t ttl_ms, bool locked), void *ctx)
{
    size_t i = 0, down = 0, asked = 0;
    for (struct redis_conn *r; (r = redis_take_master(e->redis, a, &i, &down)) != NULL; asked++)
        TRY(scan_one(e, a, r, each, ctx));
    return down == 0 && asked != 0 ? ecNone : EC(ecServerBusy);
}
