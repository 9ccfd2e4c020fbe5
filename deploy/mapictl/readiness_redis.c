/* readiness_redis.c - what Redis must be like for sessions to be kept: reachable, new enough, never evicting, on disk, on the same clock. */
#include "deploy/mapictl/readiness.h"
#include <stdlib.h>
#include <time.h>

enum { NEEDED_MAJOR = 7, CLOCK_WARN_MS = 2000, CLOCK_FAIL_MS = 60000 };

static const char *field(struct arena *a, const char *info, const char *key)
{
    const char *at = strstr(info, arena_printf(a, "\n%s:", key));
    if (at == NULL)
        return "";
    at = strchr(at, ':') + 1;
    return arena_str(a, blob_of(at, strcspn(at, "\r\n")));
}

static const char *ask_info(struct redis_conn *c, struct arena *a)
{
    struct redis_value v;
    const struct blob info[] = { blob_str("INFO"), blob_str("everything") };
    return redis_ask(c, 2, info, &v) == REDIS_DONE && v.type == REDIS_STRING ? arena_printf(a, "\n%s", (const char *)v.s.p) : NULL;
}

static void check_version(struct readiness *r, const char *info)
{
    const char *version = field(r->a, info, "redis_version");
    if (strtol(version, NULL, 10) < NEEDED_MAJOR)
        readiness_say(r, FAIL, "Redis version", arena_printf(r->a, "%s: sessions need script flags, which came with 7.0", version), "a newer Redis (Debian 12 has 7.0)");
    else
        readiness_say(r, GOOD, "Redis version", version, "");
}

static void check_persistence(struct readiness *r, const char *info)
{
    bool log = strcmp(field(r->a, info, "aof_enabled"), "1") == 0, replicas = strcmp(field(r->a, info, "connected_slaves"), "0") != 0;
    const char *bad = strcmp(field(r->a, info, "aof_last_write_status"), "ok") != 0 ? "the append-only file cannot be written" : NULL;
    if (log && bad != NULL)
        readiness_say(r, FAIL, "Redis persistence", bad, "look at Redis' disk and log");
    else if (log || replicas)
        readiness_say(r, GOOD, "Redis persistence", log ? "append-only file" : "replicas", "");
    else
        readiness_say(r, WARN, "Redis persistence", "neither append-only file nor replica: a restart of Redis ends all sessions (clients reconnect; no mail is lost)",
                      "appendonly yes, see deploy/redis.conf");
}

static void check_clock(struct readiness *r, struct redis_conn *c)
{
    struct redis_value v;
    struct timespec now;
    const struct blob time[] = { blob_str("TIME") };
    if (redis_ask(c, 1, time, &v) != REDIS_DONE || v.type != REDIS_ARRAY || v.n != 2)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    long long ours = now.tv_sec * 1000ll + now.tv_nsec / 1000000;
    long long theirs = strtoll((const char *)v.v[0].s.p, NULL, 10) * 1000 + strtoll((const char *)v.v[1].s.p, NULL, 10) / 1000, off = ours - theirs;
    const char *text = arena_printf(r->a, "this host is %lld ms %s Redis", off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
    enum verdict verdict = llabs(off) >= CLOCK_FAIL_MS ? FAIL : llabs(off) >= CLOCK_WARN_MS ? WARN : GOOD;
    readiness_say(r, verdict, "clock against Redis", text, verdict == GOOD ? "" : "NTP on all hosts: Redis is the clock that they share");
}

void readiness_redis(struct readiness *r)
{
    const char *why = NULL;
    if (!redis_config_check(r->c->config, r->a, &why)) {
        readiness_say(r, FAIL, "Redis", why, "the redis keys of the configuration");
        return;
    }
    struct redis *redis = redis_new(r->c->config);
    struct arena *a = arena_new((size_t)1 << 28); /* connections go back before the pool ends */
    why = redis_unready(redis, a);
    struct redis_conn *c = redis_take(redis, a);
    const char *info = c != NULL ? ask_info(c, a) : NULL;
    if (why != NULL)
        readiness_say(r, FAIL, "Redis", arena_strdup(r->a, why), "sessions cannot be kept; see deploy/redis.conf (maxmemory-policy noeviction) and Redis' log");
    else
        readiness_say(r, GOOD, "Redis", "answers, takes writes, and evicts nothing", "");
    if (info != NULL) {
        check_version(r, info);
        check_persistence(r, info);
        check_clock(r, c);
    }
    arena_free(a);
    redis_free(redis);
}
