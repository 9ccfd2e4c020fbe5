/* owner.c - a user's new session -> his index of sessions, within the limit. */
#include "session/context/owner.h"
#include "backend/base/log.h"
#include "session/context/context_int.h"
#include <stdio.h>
#include <time.h>

enum { MEMBERS_MAX = 4096, KEEP_S = 2592000 };   /* an index that nobody touched for 30 days names nothing that lives */

struct index { const struct session_env *env; struct arena *a; struct redis_conn *redis; struct blob key; };

static struct blob key_of(const struct session_env *e, struct arena *a, const char *login)
{
    char hex[2 * IDENTITY + 1];
    uint8_t identity[IDENTITY];
    private_identity(&(struct person){ .login = login }, identity);
    for (size_t i = 0; i < IDENTITY; i++)
        snprintf(hex + 2 * i, 3, "%02x", identity[i]);
    return blob_str(arena_printf(a, "%suser{%s}", e->config->redis_prefix, hex));
}

static bool open_index(struct index *x, const struct session_env *e, struct arena *a, const char *login)
{
    *x = (struct index){ .env = e, .a = a, .key = key_of(e, a, login) };
    x->redis = redis_take_key(e->redis, a, x->key);
    return x->redis != NULL;
}

static void take_out(struct index *x, const uint8_t id[CONTEXT_ID])
{
    const struct blob rem[] = { blob_str("ZREM"), x->key, blob_of(id, CONTEXT_ID) };
    struct redis_value v;
    redis_cmd(x->redis, 3, rem, &v);
}

/* Adds it; how many there are with it, or -1. */
static int64_t add(struct index *x, const uint8_t id[CONTEXT_ID])
{
    struct redis_value v[3] = { { 0 } };
    const char *now = arena_printf(x->a, "%lld", (long long)time(NULL)), *keep = arena_printf(x->a, "%d", KEEP_S);
    const struct blob zadd[] = { blob_str("ZADD"), x->key, blob_str(now), blob_of(id, CONTEXT_ID) };
    const struct blob card[] = { blob_str("ZCARD"), x->key };
    const struct blob expire[] = { blob_str("EXPIRE"), x->key, blob_str(keep) };
    struct redis_patience p = { 0 };
    enum redis_result res;
    do {
        redis_queue(x->redis, 4, zadd);
        redis_queue(x->redis, 2, card);
        redis_queue(x->redis, 3, expire);
        res = redis_flush(x->redis);
        for (size_t i = 0; i < 3 && res == REDIS_DONE; i++)
            res = redis_next(x->redis, &v[i]);
    } while (res != REDIS_DONE && redis_again(x->redis, res, &p));
    redis_forget(x->redis);
    return res == REDIS_DONE && v[1].type == REDIS_INT ? v[1].i : -1;
}

/* --- full ------------------------------------------------------------------------------------------------------------------------------- */

struct oldest { bool found; uint8_t id[CONTEXT_ID]; int64_t idle_ms; };

/* What became of one of them: gone ones are taken out of the index, of the idle ones the longest is remembered.  False: gone. */
static bool look_at(struct index *x, const uint8_t id[CONTEXT_ID], struct oldest *o)
{
    struct context_state s;
    ec_t ec = context_state(x->env, x->a, id, &s);
    if (ec == ecNotFound) {
        take_out(x, id);
        return false;
    }
    if (ec == ecNone && !s.locked && !s.waits && (!o->found || s.idle_ms > o->idle_ms)) {
        o->found = true;
        o->idle_ms = s.idle_ms;
        memcpy(o->id, id, CONTEXT_ID);
    }
    return true;
}

/* Looks at all but the new one; how many are left of them, or -1. */
static int64_t look(struct index *x, const uint8_t mine[CONTEXT_ID], struct oldest *o)
{
    int64_t left = 0;
    struct redis_value v;
    const char *most = arena_printf(x->a, "%d", MEMBERS_MAX);
    const struct blob range[] = { blob_str("ZRANGE"), x->key, blob_str("0"), blob_str(most) };
    if (redis_ask(x->redis, 4, range, &v) != REDIS_DONE || v.type != REDIS_ARRAY)
        return -1;
    for (size_t i = 0; i < v.n; i++)
        if (v.v[i].type == REDIS_STRING && v.v[i].s.n == CONTEXT_ID && memcmp(v.v[i].s.p, mine, CONTEXT_ID) != 0)
            left += look_at(x, v.v[i].s.p, o);
    return left;
}

static enum owner make_room(struct index *x, const uint8_t mine[CONTEXT_ID], uint64_t max, const char **ended)
{
    struct oldest o;
    do {
        o = (struct oldest){ .found = false };
        int64_t left = look(x, mine, &o);
        if (left < 0)
            return OWNER_DOWN;
        if ((uint64_t)left < max)
            return OWNER_ROOM;
        if (!o.found) {
            take_out(x, mine);
            return OWNER_FULL;
        }
        *ended = context_digest(x->a, o.id);
    } while (context_end(x->env, x->a, o.id) == ecNone);
    return OWNER_DOWN;
}

enum owner owner_enter(const struct session_env *e, struct arena *a, const struct person *who, const uint8_t id[CONTEXT_ID], uint64_t max, const char **ended)
{
    struct index x;
    *ended = NULL;
    if (!open_index(&x, e, a, who->login))
        return OWNER_DOWN;
    int64_t n = add(&x, id);
    if (n < 0)
        return OWNER_DOWN;
    return max == 0 || (uint64_t)n <= max ? OWNER_ROOM : make_room(&x, id, max, ended);
}

void owner_leave(const struct session_env *e, struct arena *a, const char *login, const uint8_t id[CONTEXT_ID])
{
    struct index x;
    if (login != NULL && open_index(&x, e, a, login))
        take_out(&x, id);
}
