/* throttle.c - failed logins -> counters in Redis -> delays and locks.
 *
 * One hash per user with a field per address and one for all of them, one hash per address; all under one hash tag, so that they lie on one node of a
 * cluster.  A field is "failures guesses last until good tags" (ms of Redis's clock).  A tag is 16 bits of a digest of the password: enough to know the same
 * one again, too little to find it out. */
#include "backend/directory/throttle_int.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/base/wr.h"
#include <stdio.h>
#include <stdlib.h>

/* KEYS 1 the hash; ARGV 1 field, 2 tag, 3 limit of the field, 4 limit of "all" (-1: no such field), 5 window ms, 6 lock ms, 7 name of the hash,
 * 8 key of the index.  Gives {failures, reached}: how often this field failed, and whether a limit was reached now. */
static struct redis_script failed_script = { .text =
    "local t=redis.call('TIME') local now=t[1]*1000+math.floor(t[2]/1000)\n"
    "local window,lock=tonumber(ARGV[5]),tonumber(ARGV[6])\n"
    "local keep=math.max(window,lock)\n"
    "local function bump(f,limit,tag)\n"
    " local n,g,last,till,good,tags=0,0,0,0,0,''\n"
    " local v=redis.call('HGET',KEYS[1],f)\n"
    " if v then local a,b,c,d,e,w=string.match(v,'^(%d+) (%d+) (%d+) (%d+) (%d+) (%x*)$')\n"
    "  if a then n,g,last,till,good,tags=tonumber(a),tonumber(b),tonumber(c),tonumber(d),tonumber(e),w end end\n"
    " if now-last>window then n,g,tags=0,0,'' end\n"
    " local new=true\n"
    " if tag then for i=1,#tags,4 do if string.sub(tags,i,i+3)==tag then new=false end end end\n"
    " n=n+1\n"
    " if new then g=g+1 if tag then tags=string.sub(tags..tag,-32) end end\n"
    " local hit=limit>0 and g>=limit\n"
    " if hit then till=now+lock g=0 tags='' end\n"
    " redis.call('HSET',KEYS[1],f,string.format('%d %d %d %d %d %s',n,g,now,till,good,tags))\n"
    " redis.call('ZADD',ARGV[8],now+keep,ARGV[7]..' '..f)\n"
    " return n,hit,new\n"
    "end\n"
    "local n,hit,new=bump(ARGV[1],tonumber(ARGV[3]),ARGV[2])\n"
    "local all=tonumber(ARGV[4])\n"
    "if new and all>=0 then local _,h=bump('all',all,nil) hit=hit or h end\n"
    "if redis.call('HLEN',KEYS[1])>80 then local old,at=nil,now+1\n"
    " local v=redis.call('HGETALL',KEYS[1])\n"
    " for i=1,#v,2 do local last,good=string.match(v[i+1],'^%d+ %d+ (%d+) %d+ (%d+)')\n"
    "  local w=math.max(tonumber(last or 0),tonumber(good or 0))\n"
    "  if v[i]~='all' and v[i]~=ARGV[1] and w<at then old,at=v[i],w end end\n"
    " if old then redis.call('HDEL',KEYS[1],old) end end\n"
    "if redis.call('PTTL',KEYS[1])<keep then redis.call('PEXPIRE',KEYS[1],keep) end\n"
    "redis.call('ZREMRANGEBYSCORE',ARGV[8],'-inf',now) redis.call('ZREMRANGEBYRANK',ARGV[8],0,-10001) redis.call('PEXPIRE',ARGV[8],keep)\n"
    "return {n,hit and 1 or 0}\n" };

/* KEYS 1 the user's hash; ARGV 1 field, 2 trust ms, 3 name, 4 key of the index. */
static struct redis_script passed_script = { .text =
    "local t=redis.call('TIME') local now=t[1]*1000+math.floor(t[2]/1000)\n"
    "redis.call('HSET',KEYS[1],ARGV[1],string.format('0 0 0 0 %d ',now))\n"
    "redis.call('PEXPIRE',KEYS[1],ARGV[2]) redis.call('ZREM',ARGV[4],ARGV[3]..' '..ARGV[1])\n"
    "return 1\n" };

static pthread_once_t scripts_once = PTHREAD_ONCE_INIT;
static void init_scripts(void)
{
    redis_script_init(&failed_script);
    redis_script_init(&passed_script);
}

struct throttle *throttle_new(const struct config *c, struct redis *r)
{
    struct throttle *t = calloc(1, sizeof *t);
    must(t != NULL);
    pthread_once(&scripts_once, init_scripts);
    t->config = c;
    t->redis = r;
    crypto_random(t->key, sizeof t->key);
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void throttle_free(struct throttle *t)
{
    if (t == NULL)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

enum { HURRY_MS = 300 };

/* All keys lie in one slot.  Who logs in does not wait for a failover, nor for a server that is silent: in a cluster that may be another than his session's. */
static struct redis_conn *take(struct throttle *t, struct arena *a)
{
    struct redis_conn *c = redis_take_now(t->redis, a, blob_str(throttle_index_key(t, a)));
    if (c != NULL)
        redis_hurry(c, HURRY_MS);
    return c;
}
static struct blob number(struct arena *a, uint64_t v) { return blob_str(arena_printf(a, "%llu", (unsigned long long)v)); }

/* --- looking ----------------------------------------------------------------------------------------------------------------------------- */

bool throttle_verdict(const struct slot_state *pair, const struct slot_state *user, const struct slot_state *address, uint64_t now_ms)
{
    if (pair->until_ms > now_ms)
        return true;
    bool trusted = pair->good_ms != 0 && now_ms < pair->good_ms + (uint64_t)TRUST_S * 1000;
    return !trusted && (user->until_ms > now_ms || address->until_ms > now_ms);
}

struct look { struct redis_value pair_and_user, address, time; };

static enum redis_result look(struct throttle *t, struct arena *a, struct redis_conn *c, const struct attempt *who, struct look *out)
{
    const char *net = throttle_network(a, who->addr);
    const struct blob now[] = { blob_str("TIME") };
    const struct blob pair[] = { blob_str("HMGET"), blob_str(throttle_user_key(t, a, who->login)), blob_str(net), blob_str(FIELD_ALL) };
    const struct blob whole[] = { blob_str("HGET"), blob_str(throttle_address_key(t, a, net)), blob_str(FIELD_ALL) };
    redis_queue(c, 4, pair);
    redis_queue(c, 3, whole);
    redis_queue(c, 1, now);
    enum redis_result r = redis_flush(c);
    if (r == REDIS_DONE && (r = redis_next(c, &out->pair_and_user)) == REDIS_DONE && (r = redis_next(c, &out->address)) == REDIS_DONE)
        r = redis_next(c, &out->time);
    return r;
}

static bool locked_in_redis(struct throttle *t, struct arena *a, struct redis_conn *c, const struct attempt *who, bool *locked)
{
    struct look v;
    struct redis_patience patience = { 0 };
    enum redis_result r;
    do
        r = look(t, a, c, who, &v);
    while (r != REDIS_DONE && redis_again(c, r, &patience));
    if (r != REDIS_DONE || v.pair_and_user.type != REDIS_ARRAY || v.pair_and_user.n != 2 || v.time.type != REDIS_ARRAY || v.time.n != 2)
        return false;
    struct slot_state p = throttle_parse(a, &v.pair_and_user.v[0]), u = throttle_parse(a, &v.pair_and_user.v[1]), d = throttle_parse(a, &v.address);
    *locked = throttle_verdict(&p, &u, &d, throttle_ms_of(a, &v.time));
    return true;
}

bool throttle_locked(struct throttle *t, struct arena *a, const struct attempt *who)
{
    bool locked;
    struct redis_conn *c = take(t, a);
    if (c != NULL && locked_in_redis(t, a, c, who, &locked))
        return locked;
    const char *net = throttle_network(a, who->addr);
    struct slot_state p = throttle_local_look(t, a, "pair", who->login, net), u = throttle_local_look(t, a, "user", who->login, ""),
                      d = throttle_local_look(t, a, "address", "", net);
    return throttle_verdict(&p, &u, &d, clock_ms());
}

/* --- counting ---------------------------------------------------------------------------------------------------------------------------- */

uint64_t throttle_delay(const struct throttle *t) { return t->config->auth_fail_delay; }

static uint16_t tag_of(struct arena *a, const char *login, const char *password)
{
    uint8_t sum[SHA256];
    struct wr w = wr_in(a, SIZE_MAX / 4);
    wr_bytes(&w, login, strlen(login) + 1);
    wr_bytes(&w, password, strlen(password));
    crypto_sha256(wr_blob(&w), sum);
    return (uint16_t)(sum[0] << 8 | sum[1]);
}

static bool run_script(struct redis_conn *c, const struct redis_script *s, const char *key, size_t argc, const struct blob *argv, struct redis_value *out)
{
    struct redis_patience patience = { 0 };
    for (unsigned loads = 0; ; ) {
        redis_queue_script(c, s, blob_str(key), argc, argv);
        enum redis_result r = redis_flush(c);
        if (r == REDIS_DONE && (r = redis_next(c, out)) == REDIS_DONE)
            return true;
        if (!(r == REDIS_NOSCRIPT ? loads++ < 2 && redis_load(c, s) == REDIS_DONE : redis_again(c, r, &patience)))
            return false;
    }
}

struct bump { const char *key, *field, *name; uint16_t tag; uint64_t limit; int64_t limit_all; };

static bool bump(struct throttle *t, struct arena *a, struct redis_conn *c, const struct bump *b, uint64_t *failures, bool *reached)
{
    const struct config *k = t->config;
    const struct blob argv[] = { blob_str(b->field), blob_str(arena_printf(a, "%04x", b->tag)), number(a, b->limit),
                                 blob_str(arena_printf(a, "%lld", (long long)b->limit_all)), number(a, k->auth_lock_window * 1000),
                                 number(a, k->auth_lock_time * 1000), blob_str(b->name), blob_str(throttle_index_key(t, a)) };
    struct redis_value v;
    if (!run_script(c, &failed_script, b->key, sizeof argv / sizeof argv[0], argv, &v) || v.type != REDIS_ARRAY || v.n != 2)
        return false;
    *failures = (uint64_t)v.v[0].i;
    *reached = *reached || v.v[1].i != 0;
    return true;
}

static bool fail_in_redis(struct throttle *t, struct arena *a, const struct attempt *who, uint16_t tag, uint64_t *failures, bool *reached)
{
    const char *net = throttle_network(a, who->addr);
    uint64_t ignored;
    struct redis_conn *c = take(t, a);
    const struct bump of_user = { throttle_user_key(t, a, who->login), net, throttle_user_name(a, who->login), tag, t->config->auth_lock_pair, (int64_t)t->config->auth_lock_user };
    const struct bump of_address = { throttle_address_key(t, a, net), FIELD_ALL, arena_printf(a, "@%s", net), tag, t->config->auth_lock_address, -1 };
    return c != NULL && bump(t, a, c, &of_user, failures, reached) && bump(t, a, c, &of_address, &ignored, reached);
}

static uint64_t fail_here(struct throttle *t, struct arena *a, const struct attempt *who, uint16_t tag, bool *reached)
{
    const char *net = throttle_network(a, who->addr);
    struct slot_state s, other;
    bool fresh, again;
    *reached = throttle_local_fail(t, a, "pair", who->login, net, tag, t->config->auth_lock_pair, &s, &fresh);
    if (fresh) {
        *reached = throttle_local_fail(t, a, "user", who->login, "", tag, t->config->auth_lock_user, &other, &again) || *reached;
        *reached = throttle_local_fail(t, a, "address", "", net, tag, t->config->auth_lock_address, &other, &again) || *reached;
    }
    return s.failures;
}

bool throttle_failed(struct throttle *t, struct arena *a, const struct attempt *who, const char *password, uint64_t *delay_ms)
{
    uint64_t failures = 1;
    bool reached = false;
    uint16_t tag = tag_of(a, who->login, password);
    if (!fail_in_redis(t, a, who, tag, &failures, &reached))
        failures = fail_here(t, a, who, tag, &reached);
    uint64_t doublings = failures == 0 ? 0 : failures - 1;
    *delay_ms = t->config->auth_fail_delay << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
    return reached;
}

void throttle_passed(struct throttle *t, struct arena *a, const struct attempt *who)
{
    const char *net = throttle_network(a, who->addr);
    const struct blob argv[] = { blob_str(net), number(a, (uint64_t)TRUST_S * 1000), blob_str(throttle_user_name(a, who->login)), blob_str(throttle_index_key(t, a)) };
    struct redis_value v;
    struct redis_conn *c = take(t, a);
    throttle_local_pass(t, a, "pair", who->login, net); /* should Redis be lost later */
    if (c != NULL)
        run_script(c, &passed_script, throttle_user_key(t, a, who->login), sizeof argv / sizeof argv[0], argv, &v);
}
