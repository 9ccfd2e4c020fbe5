/* script.c - arguments -> Lua in Redis -> answers; the layout of the control field on both sides. */
#include "session/context/script.h"
#include "backend/base/must.h"
#include <pthread.h>

enum { CONTROL_VERSION = 1, NOSCRIPTS = 3 };

/* What the texts of script.def begin with and are made of.  Each function that a text makes, and each variable in it, is rubbish for Lua's collector a moment later:
 * the scripts of every request do without. */
#define WORDS "local F,K,A,call='<BBBBBc16I8I8c32c8c16I8I8c8',KEYS[1],ARGV,redis.call\n"
#define LOADED WORDS                                                                                        \
    "local v=call('HMGET',K,'c','w','s')\n"                                                                \
    "local c,W,S,t=v[1],v[2],v[3],nil\n"                                                                   \
    "if c and #c==117 and c:byte(1)==1 then t={struct.unpack(F,c)} end\n"
#define NOW "local now=call('TIME') now=now[1]*1000+math.floor(now[2]/1000)\n"
#define STATE_OF(t) "struct.pack(F,unpack(" #t ",1,14))"
#define LIVE                                                                                               \
    "local last=math.max(now,t[13],t[2]>=4 and t[12] or 0)\n"                                              \
    "if W and #W==32 then local _,held=struct.unpack('<I8I8',W) last=math.max(last,held) end\n"            \
    "call('PEXPIRE',K,last-now+keep)\n"

#define FUNCTIONS WORDS                                                                                     \
    "local W,S\n"                                                                                          \
    "local function load() local v=call('HMGET',K,'c','w','s') local c=v[1] W,S=v[2],v[3]\n"               \
    " if not c or #c~=117 or c:byte(1)~=1 then return c,nil end return c,{struct.unpack(F,c)} end\n"        \
    "local function store(t) local c=" STATE_OF(t) " call('HSET',K,'c',c) return c end\n"                  \
    "local function clock() local t=call('TIME') return t[1]*1000+math.floor(t[2]/1000) end\n"             \
    "local function waits() if W and #W==32 then return struct.unpack('<I8I8c16',W) end end\n"             \
    "local function kept(keep,set)\n"                                                                      \
    " if not S or #S<24 then return keep end\n"                                                            \
    " local k=struct.unpack('<I8',S:sub(9,16))\n"                                                         \
    " if not set or k==keep then return k end\n"                                                           \
    " call('HSET',K,'s',S:sub(1,8)..struct.pack('<I8',keep)..S:sub(17)) return keep end\n"                 \
    "local function live(t,now,keep) local e,_,held=math.max(now,t[13],t[2]>=4 and t[12] or 0),waits()\n"  \
    " call('PEXPIRE',K,math.max(e,held or 0)-now+keep) end\n"                                              \
    "local function tell(to,number) local _,_,who=waits()\n"                                               \
    " if who then call('PUBLISH',to..who,string.format('%.0f:',number)..K) end end\n"

static struct redis_script scripts[] = {
#define SCRIPT(name, first, text) { first text, "" },
#include "session/context/script.def"
#undef SCRIPT
};

static void init_scripts(void)
{
    for (size_t i = 0; i < SCRIPT_COUNT; i++)
        redis_script_init(&scripts[i]);
}

static const struct redis_script *script_of(enum script s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_scripts);
    return &scripts[s];
}

void control_save(struct wr *w, const struct control *k)
{
    wr_u8(w, CONTROL_VERSION);
    wr_u8(w, k->state);
    wr_u8(w, k->was);
    wr_u8(w, k->flags);
    wr_u8(w, k->slot);
    wr_bytes(w, k->identity, IDENTITY);
    wr_u64(w, k->sequence);
    wr_u64(w, k->epoch);
    wr_bytes(w, k->digest, DIGEST);
    wr_bytes(w, k->request_id, REQUEST_ID);
    wr_bytes(w, k->token, TOKEN);
    wr_u64(w, k->deadline);
    wr_u64(w, k->busy_until);
    wr_bytes(w, k->run, RUN);
}

struct blob service_save(struct arena *a, uint64_t created_ms, uint64_t retention_ms, const char *where)
{
    struct wr w = wr_in(a, 24 + SERVED_MAX);
    wr_u64(&w, created_ms);
    wr_u64(&w, retention_ms);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    wr_bytes(&w, where, strnlen(where, SERVED_MAX));
    return wr_blob(&w);
}

bool service_load(struct arena *a, struct blob b, struct context_state *out)
{
    struct rd r = rd_blob_of(b);
    out->created_ms = rd_u64(&r);
    out->retention_ms = rd_u64(&r);
    out->moves = rd_u32(&r);
    out->pauses = rd_u32(&r);
    out->served_by = arena_str(a, rd_rest(&r));
    return rd_ok(&r);
}

static void get(struct rd *r, void *out, size_t n)
{
    struct blob b = rd_blob(r, n);
    if (b.n == n)
        memcpy(out, b.p, n);
}

bool control_load(struct blob b, struct control *out)
{
    struct rd r = rd_blob_of(b);
    if (rd_u8(&r) != CONTROL_VERSION)
        return false;
    out->state = rd_u8(&r);
    out->was = rd_u8(&r);
    out->flags = rd_u8(&r);
    out->slot = rd_u8(&r);
    get(&r, out->identity, IDENTITY);
    out->sequence = rd_u64(&r);
    out->epoch = rd_u64(&r);
    get(&r, out->digest, DIGEST);
    get(&r, out->request_id, REQUEST_ID);
    get(&r, out->token, TOKEN);
    out->deadline = rd_u64(&r);
    out->busy_until = rd_u64(&r);
    get(&r, out->run, RUN);
    return rd_done(&r) && out->state <= STATE_RECOVERING && out->was <= STATE_RECOVERING && out->slot <= 1;
}

/* --- calls -------------------------------------------------------------------------------------------------------------------- */
static bool load_all(struct redis_conn *r)
{
    for (size_t i = 0; i < SCRIPT_COUNT; i++)
        if (redis_load(r, script_of((enum script)i)) != REDIS_DONE)
            return false;
    redis_set_primed(r);
    return true;
}

/* The connection leads to the server that will be asked; what is said of the server is said of that one. */
static void prepare(struct redis_conn *r, const struct call *c)
{
    if (!redis_primed(r))
        load_all(r);
    if (c->run != NULL)
        redis_run(r, c->run);
}

static enum redis_result send(struct redis_conn *r, const struct call *c, const struct rings *rings, bool *waits)
{
    redis_forget(r);
    prepare(r, c);
    redis_queue_script(r, script_of(c->script), c->key, c->argc, c->argv);
    if (c->gets != 0)
        redis_queue(r, c->gets, c->get);
    for (size_t i = 0; rings != NULL && i < rings->n; i++)
        redis_queue(r, RING_WORDS, rings->v[i]);
    *waits = c->durable && redis_queue_wait(r);
    return redis_flush(r);
}

/* What was rung stands between the answer and the replicas' word. */
static enum redis_result confirmed(struct redis_conn *r, const struct rings *rings)
{
    struct redis_value v;
    for (size_t i = 0; rings != NULL && i < rings->n; i++)
        if (redis_next(r, &v) == REDIS_LOST)
            return REDIS_LOST;
    return redis_waited(r);
}

static enum redis_result once(struct redis_conn *r, const struct call *c, const struct rings *rings, struct redis_value *answer, struct redis_value *got)
{
    bool waits;
    enum redis_result res = send(r, c, rings, &waits);
    if (res != REDIS_DONE)
        return res;
    if (c->sent != FAULT_COUNT)
        fault_point(c->sent);
    res = redis_next(r, answer);
    if (res == REDIS_DONE && c->gets != 0)
        res = redis_next(r, got);
    if (res == REDIS_DONE && waits)
        res = confirmed(r, rings); /* lost with its server: the new one is asked, which may not have it */
    redis_forget(r);
    return res;
}

static enum redis_result again(struct redis_conn *r, const struct call *c, const struct rings *rings, struct redis_value *answer, struct redis_value *got)
{
    struct redis_patience p = { 0 };
    enum redis_result res = once(r, c, rings, answer, got);
    for (unsigned lost = 0; res != REDIS_DONE; res = once(r, c, rings, answer, got)) {
        bool more = res == REDIS_NOSCRIPT ? lost++ < NOSCRIPTS && load_all(r) : redis_again(r, res, &p);
        if (!more)
            return res;
    }
    return res;
}

enum redis_result script_call(struct redis_conn *r, const struct call *c, struct redis_value *answer, struct redis_value *got)
{
    return again(r, c, NULL, answer, got);
}

enum redis_result script_call_rings(struct redis_conn *r, const struct call *c, const struct rings *rings, struct redis_value *answer)
{
    return again(r, c, rings, answer, NULL);
}

/* --- many ------------------------------------------------------------------------------------------------------------------------- */
/* Those of c[] that nobody has asked yet and that this node has. */
static void ask_node(struct redis_conn *r, const struct call *c, size_t n, bool *asked, enum redis_result *res, struct redis_value *answer)
{
    size_t *mine = arena_array(redis_arena(r), size_t, n), count = 0;
    if (!redis_primed(r))
        load_all(r);
    for (size_t i = 0; i < n; i++) {
        if (asked[i] || !redis_leads_to(r, c[i].key))
            continue;
        asked[i] = true;
        mine[count++] = i;
        redis_queue_script(r, script_of(c[i].script), c[i].key, c[i].argc, c[i].argv);
    }
    enum redis_result sent = redis_flush(r);
    for (size_t i = 0; i < count; i++)
        res[mine[i]] = sent == REDIS_DONE ? redis_next(r, &answer[mine[i]]) : sent;
    redis_forget(r);
}

void script_calls(struct redis *home, struct arena *a, const struct call *c, size_t n, enum redis_result *res, struct redis_value *answer)
{
    bool *asked = arena_array(a, bool, n);
    for (size_t i = 0; i < n; i++) {
        struct redis_conn *r = asked[i] ? NULL : redis_take_now(home, a, c[i].key);
        if (r != NULL)
            ask_node(r, c, n, asked, res, answer);
        else if (!asked[i])
            res[i] = REDIS_DOWN;
    }
    for (size_t i = 0; i < n; i++) {
        bool mends = res[i] == REDIS_LOST || res[i] == REDIS_NOSCRIPT || res[i] == REDIS_MOVED; /* rare: one by one, each with its second chance */
        struct redis_conn *r = mends ? redis_take_now(home, a, c[i].key) : NULL;
        if (r != NULL)
            res[i] = script_call(r, &c[i], &answer[i], NULL);
    }
}

/* --- posted ones ------------------------------------------------------------------------------------------------------------------ */
struct post { struct redis_conn *r; struct call c; uint64_t trip; };

static void settle(void *ptr)
{
    struct post *p = ptr;
    struct redis_value v;
    struct redis_patience patience = { 0 };
    if (redis_trips(p->r) != p->trip)
        return; /* something else was asked behind it, and its reply passed over */
    enum redis_result res = redis_next(p->r, &v);
    redis_forget(p->r);
    if (res != REDIS_DONE && (res == REDIS_NOSCRIPT || redis_again(p->r, res, &patience)))
        script_call(p->r, &p->c, &v, NULL);
}

bool script_post(struct redis_conn *r, struct arena *a, const struct call *c)
{
    bool waits;
    if (send(r, c, NULL, &waits) != REDIS_DONE) {
        redis_forget(r);
        return false;
    }
    if (!redis_moves(r)) {
        redis_forget(r);
        return true;
    }
    struct post *p = arena_one(a, struct post);
    *p = (struct post){ r, *c, redis_trips(r) };
    arena_defer(a, settle, p);
    return true;
}

/* --- arguments and names ------------------------------------------------------------------------------------------------------- */
void args_blob(struct args *x, struct blob b)
{
    x->v = arena_grow(x->a, x->v, &x->cap, x->n, sizeof *x->v);
    x->v[x->n++] = b;
}

void args_bytes(struct args *x, const void *p, size_t n) { args_blob(x, blob_of(p, n)); }
/* A number and what follows it.  By hand, since a request has a dozen of these, and printf would be a tenth of an empty Execute. */
static struct blob digits(struct arena *a, uint64_t v, unsigned base, const char *tail)
{
    char   text[24];
    size_t n = strlen(tail), at = sizeof text - n;
    memcpy(text + at, tail, n);
    do
        text[--at] = "0123456789abcdef"[v % base];
    while ((v /= base) != 0);
    return arena_blob(a, blob_of(text + at, sizeof text - at));
}

void args_num(struct args *x, uint64_t v) { args_blob(x, digits(x->a, v, 10, "")); }

struct blob field_header(unsigned slot) { return blob_str(slot == 0 ? "0" : "1"); }

struct blob field_object(struct arena *a, uint32_t handle, unsigned slot)
{
    return digits(a, handle, 16, slot == 0 ? "a" : "b");
}
