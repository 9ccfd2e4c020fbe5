/* reload.c - SIGHUP and SIGUSR1: files on disk -> the configuration in force, and logs under their names. */
#include "fcgi/reload.h"
#include "fcgi/access.h"
#include "backend/base/log.h"
#include <errno.h>

static enum log_level level_of(const char *name)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return (enum log_level)i;
    return LOGL_INFO;
}

bool reload_logs(const struct config *c, struct arena *a, const char **why)
{
    if (!access_open(c->access_log, c->access_json)) {
        *why = arena_printf(a, "access_log %s: %s", c->access_log, strerror(errno));
        return false;
    }
    if (!log_open(c->log, level_of(c->log_level), c->log_json)) {
        *why = arena_printf(a, "log %s: %s", c->log, strerror(errno));
        return false;
    }
    return true;
}

struct told { struct arena *a; const char *live, *later; };

static void told(void *ctx, const char *key, bool live)
{
    struct told *t = ctx;
    const char **list = live ? &t->live : &t->later;
    *list = *list == NULL ? key : arena_printf(t->a, "%s %s", *list, key);
}

static void refused(const struct server *s, struct arena *a, const char *why)
{
    const char *ignored;
    reload_logs(s->config, a, &ignored);
    log_line(LOGL_ERROR, "fcgi", "the configuration was not taken; the one before stays in force", "error", why, NULL);
    arena_free(a);
}

/* Configurations that were in force: requests and waits may still use them, so they stay as long as the process.  Only the main thread comes here. */
struct taken { struct taken *before; struct arena *a; };
static struct taken *taken;

static void keep(struct arena *a)
{
    struct taken *t = arena_one(a, struct taken);
    *t = (struct taken){ taken, a };
    taken = t;
}

void reload_config(struct server *s, const char *path)
{
    const char *why = "";
    struct arena *a = arena_new(SIZE_MAX);
    struct told t = { .a = a };
    const struct config *c = config_reload(a, path, s->config, told, &t, &why);
    if (c == NULL || !reload_logs(c, a, &why)) {
        refused(s, a, why);
        return;
    }
    if (t.later != NULL)
        log_line(LOGL_WARN, "fcgi", "changed, but needs a restart", "key", t.later, NULL);
    if (t.live == NULL) {
        log_line(LOGL_INFO, "fcgi", "configuration read again: nothing changed that can change now; logs reopened", NULL);
        arena_free(a);
        return;
    }
    keep(a);
    s->config = c;
    __atomic_store_n(&s->env->config, c, __ATOMIC_RELEASE); /* what is no request's: waits, background work */
    conn_configure(s->front, c);
    log_line(LOGL_INFO, "fcgi", "configuration read again; logs reopened", "key", t.live, NULL);
}
