/* session.c - what all sessions of a process share, built from the configuration. */
#include "session/rate.h"
#include "session/session.h"
#include "session/wait.h"
#include "session/context/context.h"
#include <stdio.h>
#include <unistd.h>

const char *xrc_words(enum xrc code)
{
    switch (code) {
#define XRC(number, name, words) case XRC_##name: return words;
#include "session/xrc.def"
#undef XRC
    }
    return "unknown";
}

static struct store *open_store(const struct config *c, struct arena *a, const char **why)
{
    const struct store_options o = {
        .driver = c->store_driver,
        .path = c->store,
        .pool_files = (unsigned)c->store_pool,
        .cache_kib = (unsigned)c->store_cache,
        .busy_ms = (unsigned)c->store_busy,
    };
    return store_new(&o, a, why);
}

/* A worker is called as it was named, or after its socket. */
const char *session_where(const struct config *c, struct arena *a)
{
    char host[65] = "";
    const char *slash = strrchr(c->listen, '/'), *base = slash != NULL ? slash + 1 : c->listen;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "localhost");
    if (*c->worker_name != '\0')
        return arena_printf(a, "%s/%s", host, c->worker_name);
    return arena_printf(a, "%s/%.*s", host, (int)strcspn(base, "."), base);
}

struct session_env *session_env_new(const struct config *c, struct arena *a, const char **why)
{
    struct session_env *e = arena_one(a, struct session_env);
    e->config = c;
    e->where = session_where(c, a);
    if (!redis_config_check(c, a, why))
        return NULL;
    if ((e->keys = cookie_keys_load(c->session_secret, a, why)) == NULL)
        return NULL;
    if ((e->directory = directory_open(c, a, why)) == NULL)
        return NULL;
    if ((e->store = open_store(c, a, why)) == NULL) {
        directory_close(e->directory);
        return NULL;
    }
    e->redis = redis_new(c);
    e->waits = waits_new(e);
    return e;
}

void session_discover(struct session_env *e, const struct discover_route *page, struct discover_call *c, struct discover_page *out)
{
    c->config = e->config;
    c->directory = e->directory;
    page->run(c, out);
}

enum download_outcome session_download(struct session_env *e, struct download_call *c, struct download *out)
{
    c->config = e->config;
    c->directory = e->directory;
    return download_find(c, out);
}

ec_t session_download_read(struct session_env *e, struct arena *a, const struct download *f, uint64_t at, size_t n, struct blob *out)
{
    return download_read(e->directory, a, f, at, n, out);
}

bool session_share(struct session_env *e, struct arena *a, const char **why)
{
    const char *ignored, *dir = e->config->host_dir;
    struct rate *shared = *dir != '\0' ? rate_open(dir, a, why) : NULL;
    e->rate = shared != NULL ? shared : rate_open(NULL, a, &ignored);
    return shared != NULL || *dir == '\0';
}

void session_env_free(struct session_env *e)
{
    waits_free(e->waits);
    redis_free(e->redis);
    store_free(e->store);
    directory_close(e->directory);
}
