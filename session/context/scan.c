/* scan.c - all contexts, as administration sees them: a few hundred keys at a time, each batch in one pipeline and an arena of its own. */
#include "session/context/context_int.h"

enum { BATCH = 500, CURSOR = 32 };

typedef void each_context(void *ctx, const struct context *c, int64_t ttl_ms, bool locked);

struct scan { const struct session_env *env; each_context *each; void *ctx; char cursor[CURSOR]; };

static bool next_keys(struct scan *s, struct redis_conn *r, struct arena *a, struct redis_value *keys)
{
    struct redis_value v;
    const struct blob scan[] = { blob_str("SCAN"), blob_str(s->cursor), blob_str("MATCH"), blob_str(arena_printf(a, "%s{*}", s->env->config->redis_prefix)),
                                 blob_str("COUNT"), blob_str(arena_printf(a, "%d", BATCH)) };
    if (redis_ask(r, 6, scan, &v) != REDIS_DONE || v.type != REDIS_ARRAY || v.n != 2 || v.v[0].type != REDIS_STRING || v.v[1].type != REDIS_ARRAY
        || v.v[0].s.n >= CURSOR)
        return false;
    memcpy(s->cursor, v.v[0].s.p, v.v[0].s.n);
    s->cursor[v.v[0].s.n] = '\0';
    *keys = v.v[1];
    return true;
}

/* Keys that moved or went meanwhile are passed over. */
static bool look_at_keys(struct scan *s, struct redis_conn *r, struct arena *a, const struct redis_value *keys)
{
    struct redis_value now, *got = arena_array(a, struct redis_value, keys->n), *ttl = arena_array(a, struct redis_value, keys->n);
    const struct blob time[] = { blob_str("TIME") };
    redis_queue(r, 1, time);
    for (size_t i = 0; i < keys->n; i++) {
        struct blob get[LOOK_FIELDS + 2], pttl[] = { blob_str("PTTL"), keys->v[i].s };
        look_ask(keys->v[i].s, get);
        redis_queue(r, LOOK_FIELDS + 2, get);
        redis_queue(r, 2, pttl);
    }
    if (redis_flush(r) != REDIS_DONE || redis_next(r, &now) != REDIS_DONE)
        return false;
    for (size_t i = 0; i < keys->n; i++) {
        enum redis_result one = redis_next(r, &got[i]), two = redis_next(r, &ttl[i]);
        if (one == REDIS_LOST || two == REDIS_LOST)
            return false;
        if (one != REDIS_DONE || two != REDIS_DONE)
            ttl[i].type = REDIS_NIL;
    }
    for (size_t i = 0; i < keys->n; i++) {
        uint8_t id[CONTEXT_ID] = { 0 };
        if (!private_id(keys->v[i].s, strlen(s->env->config->redis_prefix), id))
            continue;
        struct context *c = private_new(s->env, a, id, NULL);
        if (look_take(c, &got[i], &ttl[i], look_clock(&now)) == ecNone)
            s->each(s->ctx, c, c->state.expires_ms, c->state.locked);
    }
    return true;
}

/* Of the first master at or behind `*master`; *next is the place behind it.  False: there is none. */
static bool batch(struct scan *s, size_t master, size_t *next, size_t *down, ec_t *ec)
{
    struct arena *a = arena_new(SYSTEM_ARENA);
    struct redis_value keys;
    struct redis_conn *r = redis_take_master(s->env->redis, a, &master, down);
    *next = master;
    if (r != NULL)
        *ec = next_keys(s, r, a, &keys) && (keys.n == 0 || look_at_keys(s, r, a, &keys)) ? ecNone : EC(ecServerBusy);
    arena_free(a);
    return r != NULL;
}

/* Of a cluster all masters; one that cannot be asked makes the answer incomplete, so that there is none. */
ec_t context_scan(const struct session_env *e, struct arena *a, each_context *each, void *ctx)
{
    struct scan s = { .env = e, .each = each, .ctx = ctx };
    (void)a;
    for (size_t master = 0, next = 0, down = 0;; master = next) {
        ec_t ec = ecNone;
        memcpy(s.cursor, "0", 2);
        do {
            if (!batch(&s, master, &next, &down, &ec))
                return down == 0 && master != 0 ? ecNone : EC(ecServerBusy);
            if (ec != ecNone || down != 0)
                return EC(ecServerBusy);
        } while (strcmp(s.cursor, "0") != 0);
    }
}
