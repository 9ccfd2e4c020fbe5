/* health.c - is the process alive, can it work? */
#include "fcgi/health.h"
#include "fcgi/metrics.h"
#include "backend/base/wr.h"
#include <unistd.h>

static const char *not_ready(struct session_env *e, struct front *f, struct arena *a)
{
    const char *redis = conn_draining(f) ? NULL : redis_unready(e->redis, a);
    struct guid server;
    return conn_draining(f)                                ? "draining\n"
         : redis != NULL                                   ? arena_printf(a, "redis: %s\n", redis)
         : directory_server_guid(e->directory, &server) != ecNone ? "the directory cannot be read\n"
         : access(e->config->store, R_OK | W_OK | X_OK) != 0 ? "the store's directory cannot be used\n"
                                                           : NULL;
}

bool health_answer(const char *path, struct session_env *e, struct front *f, struct arena *a, int *status, const char **type, struct blob *text)
{
    const char *words = "ok\n";
    *status = 200;
    *type = "text/plain; charset=utf-8";
    if (path == NULL)
        return false;
    if (strcmp(path, "/metrics") == 0) {
        *type = METRICS_TYPE;
        *text = metrics_text(e, a);
        return true;
    }
    bool live = strcmp(path, "/healthz/live") == 0, ready = strcmp(path, "/healthz") == 0 || strcmp(path, "/healthz/ready") == 0;
    if (ready && (words = not_ready(e, f, a)) != NULL)
        *status = 503;
    *text = blob_str(words != NULL ? words : "ok\n");
    return live || ready;
}
