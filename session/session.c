/* session.c - what all sessions of a process share, built from the configuration. */
#include "session/session.h"
#include "session/wait.h"
#include "session/context/context.h"
#include <stdio.h>
#include <sys/un.h>
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

/* A Unix socket's path has room for 107 bytes; a longer one would be cut and never answer. */
static bool redis_address_fits(const struct config *c, struct arena *a, const char **why)
{
    enum { ROOM = sizeof ((struct sockaddr_un *)0)->sun_path };
    if (strlen(c->redis) < ROOM && strlen(c->redis_password) < 256)
        return true;
    *why = arena_printf(a, "redis: an address of at most %d bytes and a password of at most 255 can be used", ROOM - 1);
    return false;
}

/* A worker is called as it was named, or after its socket. */
static const char *where(const struct config *c, struct arena *a)
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
    e->where = where(c, a);
    if (!redis_address_fits(c, a, why))
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

void session_env_free(struct session_env *e)
{
    waits_free(e->waits);
    redis_free(e->redis);
    store_free(e->store);
    directory_close(e->directory);
}
