/* bench.c - the pretended session layer: cookies in, one request, cookies out. */
#include "tests/unit/session-context/bench.h"
#include "backend/base/crypto.h"
#include "backend/store/large.h"
#include "session/context/cookie.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARENA = 256 << 20 };

/* In a worker process there is no test to fail. */
static bool in_worker;
#define NEED(cond)                                              \
    do {                                                        \
        bool ok_ = (cond);                                      \
        if (!in_worker)                                         \
            REQUIRE(ok_ && #cond);                              \
        else if (!ok_) {                                        \
            fprintf(stderr, "worker: %s failed\n", #cond);      \
            _exit(5);                                           \
        }                                                       \
    } while (0)
#define NEED_EC(got, want)                 \
    do {                                   \
        ec_t ec_ = (got);                  \
        if (in_worker)                     \
            NEED(ec_ == (want));           \
        else                               \
            REQUIRE_EC(ec_, want);         \
    } while (0)

static void write_secret(const char *path)
{
    uint8_t secret[32];
    crypto_random(secret, sizeof secret);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    NEED(fd >= 0 && write(fd, secret, sizeof secret) == sizeof secret);
    close(fd);
}

static struct guid new_mailbox(struct bench *b)
{
    struct mailbox_new n = { .id = guid_new(), .owner_dn = "/o=T/ou=T/cn=Recipients/cn=u", .display_name = "U", .smtp = "u@example.com", .locale = 0x409,
                             .quota_warn = -1, .quota_send = -1, .quota_receive = -1 };
    NEED_EC(mailbox_create(b->store, b->a, &n), ecNone);
    return n.id;
}

static void stop(void *ptr)
{
    struct bench *b = ptr;
    redis_free(b->env.redis);
    store_free(b->store);
    redis_server_kill(&b->server);
}

static void configure(struct bench *b, const char *dir)
{
    struct store_options o = { .driver = "sqlite", .pool_files = 32, .cache_kib = 256, .busy_ms = 2000 };
    const char *why = "";
    b->config = *config_load(b->a, NULL, &why);
    b->config.redis = arena_printf(b->a, "%s/redis.sock", dir);
    b->config.session_secret = arena_printf(b->a, "%s/secret", dir);
    b->config.store = o.path = arena_printf(b->a, "%s/mailboxes", dir);
    b->store = store_new(&o, b->a, &why);
    b->who = (struct person){ .login = "u@example.com", .smtp = "u@example.com", .dn = "/o=T/ou=T/cn=Recipients/cn=u", .display_name = "U", .has_mailbox = true,
                              .locale = 0x409 };
}

struct bench *bench_open(void)
{
    struct arena *a = arena_new(ARENA);
    struct bench *b = arena_one(a, struct bench);
    static unsigned count;
    const char *dir = arena_printf(a, "%s/%u", unit_tmpdir(), ++count);
    b->a = a;
    mkdir(dir, 0700);
    if (!redis_server_start(&b->server, dir))
        SKIP("no redis-server");
    configure(b, dir);
    write_secret(b->config.session_secret);
    NEED(b->store != NULL);
    b->env = bench_worker(b);
    arena_defer(a, stop, b);
    b->mailbox = b->who.mailbox = new_mailbox(b);
    b->second = new_mailbox(b);
    return b;
}

struct session_env bench_worker(struct bench *b)
{
    const char *why = "";
    struct cookie_keys *keys = cookie_keys_load(b->config.session_secret, b->a, &why);
    NEED(keys != NULL);
    return (struct session_env){ .config = &b->config, .redis = redis_new(&b->config), .store = b->store, .keys = keys };
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
    NEED(t.begin == BEGIN_RUN);
    t.c->user_dn = b->who.dn;
    t.c->client_app = "Outlook/16.0.1.2";
    t.c->logon = arena_one(t.a, struct logon_entry);
    t.c->logons = 1;
    uint32_t h;
    NEED_EC(context_add(t.c, 1, 0, 0xFFFFFFFF, &h), ecNone);
    *t.c->logon = (struct logon_entry){ .handle = h, .mailbox = b->mailbox, .owner = true, .mailbox_dn = b->who.dn };
    context_put(t.c, h, blob_str("logon"));
    NEED(bench_end(&t, k, "connected") == CONTEXT_DONE);
}

void bench_begin(const struct session_env *e, struct bench *b, const struct client *k, const char *body, const char *id, struct turn *t)
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
        NEED_EC(mailbox_open(b->store, t->a, &b->mailbox, &owner, &t->m), ecNone);
    NEED_EC(mailbox_write(t->m), ecNone);
    NEED_EC(stage_size(t->m, &key, &size), ecNone);
    NEED_EC(stage_write(t->m, &key, size, blob_str("x")), ecNone);
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
    NEED_EC(mailbox_open(b->store, a, &b->mailbox, &system, &m), ecNone);
    NEED_EC(stage_size(m, &key, &size), ecNone);
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
    NEED(r != NULL);
    for (char *w = strtok_r(arena_strdup(b->a, command), " ", &save); w != NULL && n < 16; w = strtok_r(NULL, " ", &save))
        argv[n++] = blob_str(w);
    NEED(redis_cmd(r, n, argv, &v) == REDIS_DONE);
    return v;
}

const char *bench_key(struct bench *b, const struct client *k)
{
    uint8_t id[CONTEXT_ID];
    NEED(cookie_read_context(b->env.keys, b->a, k->context, id) == COOKIE_GOOD);
    return (const char *)private_new(&b->env, b->a, id, NULL)->p->key.p;
}

int64_t bench_memory(struct bench *b, const struct client *k)
{
    return bench_redis(b, arena_printf(b->a, "MEMORY USAGE %s SAMPLES 0", bench_key(b, k))).i;
}

/* --- a worker of its own --------------------------------------------------------------------------------------------------------------- */
static const char *env_of(const char *name)
{
    const char *v = getenv(name);
    return v != NULL && v[0] != '\0' ? v : NULL;
}

/* Runs before the tests of a program that was started as a worker, and instead of them. */
__attribute__((constructor)) static void worker_main(void)
{
    const char *dir = getenv("BENCH_DIR");
    if (dir == NULL)
        return;
    struct bench *b = calloc(1, sizeof *b);
    struct client k = { 0 };
    struct turn t;
    in_worker = true;
    b->a = arena_new(ARENA);
    configure(b, dir);
    b->config.lock_lease = (uint64_t)strtoul(getenv("BENCH_LEASE"), NULL, 10);
    if (!guid_parse(getenv("BENCH_MAILBOX"), &b->mailbox))
        _exit(3);
    fault_init();
    b->env = bench_worker(b);
    snprintf(k.context, sizeof k.context, "%s", getenv("BENCH_CONTEXT"));
    snprintf(k.sequence, sizeof k.sequence, "%s", getenv("BENCH_SEQUENCE"));
    bench_begin(&b->env, b, &k, getenv("BENCH_BODY"), getenv("BENCH_ID"), &t);
    if (t.begin == BEGIN_RUN) {
        if (env_of("BENCH_EFFECT") != NULL)
            bench_effect(b, &t, env_of("BENCH_EFFECT"));
        if (env_of("BENCH_STATE") != NULL)
            context_put(t.c, 1, blob_str(env_of("BENCH_STATE")));
        if (bench_end(&t, &k, getenv("BENCH_BODY")) != CONTEXT_DONE)
            _exit(4);
    } else if (t.begin != BEGIN_ANSWER) {
        _exit(10 + (int)t.begin);
    } else {
        bench_take_cookies(&t, &k);
    }
    printf("%s %s\n", k.context, k.sequence);
    fflush(stdout);
    _exit(0);
}

static void worker_env(struct bench *b, const struct client *k, const char *body, const char *id, const char *effect, const char *state, const char *fault)
{
    char guid[GUID_TEXT], lease[24];
    snprintf(lease, sizeof lease, "%llu", (unsigned long long)b->config.lock_lease);
    setenv("BENCH_DIR", b->server.dir, 1);
    setenv("BENCH_LEASE", lease, 1);
    setenv("BENCH_MAILBOX", guid_text(&b->mailbox, guid), 1);
    setenv("BENCH_CONTEXT", k->context, 1);
    setenv("BENCH_SEQUENCE", k->sequence, 1);
    setenv("BENCH_BODY", body, 1);
    setenv("BENCH_ID", id, 1);
    setenv("BENCH_EFFECT", effect != NULL ? effect : "", 1);
    setenv("BENCH_STATE", state != NULL ? state : "", 1);
    setenv("MAPIHTTPD_FAULT", fault, 1);
}

bool bench_worker_process(struct bench *b, struct client *k, const char *body, const char *id, const char *effect, const char *state, const char *fault)
{
    int fd[2], status;
    char text[200] = "";
    NEED(pipe(fd) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], 1);
        close(fd[0]);
        close(fd[1]);
        worker_env(b, k, body, id, effect, state, fault);
        execl("/proc/self/exe", "worker", (char *)NULL);
        _exit(127);
    }
    close(fd[1]);
    ssize_t n = read(fd[0], text, sizeof text - 1);
    close(fd[0]);
    NEED(waitpid(pid, &status, 0) == pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || n <= 0)
        return false;
    return sscanf(text, "%79s %79s", k->context, k->sequence) == 2;
}

/* --- a client that tries, a server that is gone for a moment -------------------------------------------------------------------------- */

void bench_nap(unsigned ms) { nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL); }

void bench_stall(struct turn *t) { lease_end(&t->c->p->lease); } /* nobody renews its lock any more, as if the process stood still */

enum begin bench_try(struct bench *b, const struct client *k, const char *body, struct blob *answer)
{
    struct turn t;
    bench_begin(&b->env, b, k, body, NULL, &t);
    *answer = arena_blob(b->a, t.answer);
    enum begin got = t.begin;
    bench_leave(&t);
    return got;
}

void bench_check_state(struct bench *b, struct client *k, const char *want)
{
    struct turn t;
    struct blob s;
    bench_begin(&b->env, b, k, arena_printf(b->a, "look %llu", (unsigned long long)clock_us()), NULL, &t);
    REQUIRE(t.begin == BEGIN_RUN);
    CHECK(context_block(t.c, 1, &s));
    CHECK_BLOB(s, blob_str(want));
    REQUIRE(bench_end(&t, k, "") == CONTEXT_DONE);
}

void bench_restart(struct bench *b)
{
    redis_server_kill(&b->server);
    REQUIRE(redis_server_start(&b->server, b->server.dir));
}
