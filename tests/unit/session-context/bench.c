/* bench.c - the pretended session layer: cookies in, one request, cookies out. */
#include "bench.h"
#include "backend/base/crypto.h"
#include "backend/store/large.h"
#include "session/context/cookie.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA = 256 << 20 };

static void write_secret(const char *path)
{
    uint8_t secret[32];
    crypto_random(secret, sizeof secret);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd >= 0 && write(fd, secret, sizeof secret) == sizeof secret);
    close(fd);
}

static struct guid new_mailbox(struct bench *b)
{
    struct mailbox_new n = { .id = guid_new(), .owner_dn = "/o=T/ou=T/cn=Recipients/cn=u", .display_name = "U", .smtp = "u@example.com", .locale = 0x409,
                             .quota_warn = -1, .quota_send = -1, .quota_receive = -1 };
    REQUIRE_EC(mailbox_create(b->store, b->a, &n), ecNone);
    return n.id;
}

static void stop(void *ptr)
{
    struct bench *b = ptr;
    redis_free(b->env.redis);
    store_free(b->store);
    redis_server_kill(&b->server);
}

struct bench *bench_open(void)
{
    struct arena *a = arena_new(ARENA);
    struct bench *b = arena_one(a, struct bench);
    static unsigned count;
    const char *why = "", *dir = arena_printf(a, "%s/%u", unit_tmpdir(), ++count);
    b->a = a;
    mkdir(dir, 0700);
    if (!redis_server_start(&b->server, dir))
        SKIP("no redis-server");
    b->config = *config_load(a, NULL, &why);
    b->config.redis = b->server.socket;
    b->config.session_secret = arena_printf(a, "%s/secret", dir);
    b->config.store = arena_printf(a, "%s/mailboxes", dir);
    write_secret(b->config.session_secret);
    struct store_options o = { .driver = "sqlite", .path = b->config.store, .pool_files = 32, .cache_kib = 256, .busy_ms = 2000 };
    b->store = store_new(&o, a, &why);
    REQUIRE(b->store != NULL);
    b->env = bench_worker(b);
    arena_defer(a, stop, b);
    b->mailbox = new_mailbox(b);
    b->second = new_mailbox(b);
    b->who = (struct person){ .login = "u@example.com", .smtp = "u@example.com", .dn = "/o=T/ou=T/cn=Recipients/cn=u", .display_name = "U", .has_mailbox = true,
                              .mailbox = b->mailbox, .locale = 0x409 };
    return b;
}

struct context_env bench_worker(struct bench *b)
{
    const char *why = "";
    struct cookie_keys *keys = cookie_keys_load(b->config.session_secret, b->a, &why);
    REQUIRE(keys != NULL);
    return (struct context_env){ &b->config, redis_new(&b->config), b->store, keys };
}

void bench_take_cookies(struct turn *t, struct client *k)
{
    snprintf(k->context, sizeof k->context, "%s", context_cookie(t->c));
    snprintf(k->sequence, sizeof k->sequence, "%s", context_sequence_cookie(t->c));
}

void bench_connect(struct bench *b, struct client *k)
{
    struct turn t = { .a = arena_new(ARENA) };
    struct begin_args args = { .who = &b->who, .type = "Connect", .request_id = "{g}:0", .context_cookie = k->context[0] != '\0' ? k->context : NULL };
    t.begin = context_create(&b->env, t.a, &args, &t.c, &t.why);
    REQUIRE(t.begin == BEGIN_RUN);
    t.c->user_dn = b->who.dn;
    t.c->client_app = "Outlook/16.0.1.2";
    t.c->logon = arena_one(t.a, struct logon_entry);
    t.c->logons = 1;
    uint32_t h;
    REQUIRE_EC(context_add(t.c, 1, 0, 0xFFFFFFFF, &h), ecNone);
    *t.c->logon = (struct logon_entry){ .handle = h, .mailbox = b->mailbox, .owner = true, .mailbox_dn = b->who.dn };
    context_put(t.c, h, blob_str("logon"));
    REQUIRE(bench_end(&t, k, "connected") == CONTEXT_DONE);
}

void bench_begin(const struct context_env *e, struct bench *b, const struct client *k, const char *body, const char *id, struct turn *t)
{
    static _Atomic unsigned counter;
    uint32_t handles[] = { 1, 2, 3 };
    *t = (struct turn){ .a = arena_new(ARENA) };
    struct begin_args args = { .who = &b->who, .context_cookie = k->context, .sequence_cookie = k->sequence, .type = "Execute", .body = blob_str(body),
                               .request_id = id != NULL ? id : arena_printf(t->a, "{g}:%u", ++counter), .handles = handles, .nhandles = 3 };
    t->begin = context_begin(e, t->a, &args, &t->c, &t->answer, &t->why);
}

static struct stage_key effect_key(const char *what)
{
    uint8_t sha[SHA256];
    struct stage_key key = { .object = 1 };
    crypto_sha256(blob_str(what), sha);
    memcpy(key.context, sha, sizeof key.context);
    return key;
}

void bench_effect(struct bench *b, struct turn *t, const char *what)
{
    struct actor owner = { ACTOR_OWNER, b->who.dn };
    struct stage_key key = effect_key(what);
    uint64_t size;
    if (t->m == NULL)
        REQUIRE_EC(mailbox_open(b->store, t->a, &b->mailbox, &owner, &t->m), ecNone);
    REQUIRE_EC(mailbox_write(t->m), ecNone);
    REQUIRE_EC(stage_size(t->m, &key, &size), ecNone);
    REQUIRE_EC(stage_write(t->m, &key, size, blob_str("x")), ecNone);
}

enum finish bench_end(struct turn *t, struct client *k, const char *answer)
{
    enum finish f = context_finish(t->c, &t->m, t->m != NULL ? 1 : 0, blob_str(answer));
    if (f == CONTEXT_DONE)
        bench_take_cookies(t, k);
    bench_leave(t);
    return f;
}

void bench_leave(struct turn *t)
{
    arena_free(t->a);
    t->a = NULL;
}

unsigned bench_effects(struct bench *b, const char *what)
{
    struct arena *a = arena_new(ARENA);
    struct actor system = { ACTOR_SYSTEM, NULL };
    struct stage_key key = effect_key(what);
    struct mailbox *m;
    uint64_t size = 0;
    REQUIRE_EC(mailbox_open(b->store, a, &b->mailbox, &system, &m), ecNone);
    REQUIRE_EC(stage_size(m, &key, &size), ecNone);
    arena_free(a);
    return (unsigned)size;
}

struct redis_value bench_redis(struct bench *b, const char *command)
{
    struct blob argv[16];
    size_t n = 0;
    struct redis_value v = { 0 };
    char *save = NULL;
    struct redis_conn *r = redis_take(b->env.redis, b->a);
    REQUIRE(r != NULL);
    for (char *w = strtok_r(arena_strdup(b->a, command), " ", &save); w != NULL && n < 16; w = strtok_r(NULL, " ", &save))
        argv[n++] = blob_str(w);
    REQUIRE(redis_cmd(r, n, argv, &v) == REDIS_DONE);
    return v;
}

const char *bench_key(struct bench *b, const struct client *k)
{
    uint8_t id[CONTEXT_ID];
    REQUIRE(cookie_read_context(b->env.keys, b->a, k->context, id) == COOKIE_GOOD);
    return (const char *)private_new(&b->env, b->a, id, NULL)->p->key.p;
}

int64_t bench_memory(struct bench *b, const struct client *k)
{
    return bench_redis(b, arena_printf(b->a, "MEMORY USAGE %s SAMPLES 0", bench_key(b, k))).i;
}
