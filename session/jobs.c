/* jobs.c - background work of a worker process, and what it must ask of the sessions. */
#include "backend/jobs/offliner.h"
#include "backend/jobs/refresher.h"
#include "backend/jobs/sweeper.h"
#include "session/context/context.h"
#include "session/nspi/nspi_offline.h"
#include "session/session.h"

enum { YOUNGEST = 3600 };

/* Redis that does not answer is no proof of death. */
static bool alive(void *ctx, const uint8_t id[CONTEXT_ID])
{
    struct session_env *e = ctx;
    struct arena *a = arena_new(1 << 24);
    struct context *c;
    ec_t ec = context_peek(e, a, id, &c);
    arena_free(a);
    return ec != ecNotFound;
}

static struct sweeper *sweep(struct session_env *e)
{
    uint64_t twice = 2 * e->config->session_retention;
    struct sweeper_options o = { .store = e->store, .directory = e->directory, .interval_s = (unsigned)e->config->sweep_interval,
                                 .max_age_s = twice > YOUNGEST ? (uint32_t)twice : YOUNGEST, .alive = alive, .ctx = e };
    return o.interval_s != 0 ? sweeper_start(&o) : NULL;
}

struct session_jobs session_jobs_start(struct session_env *e)
{
    return (struct session_jobs){ sweep(e), refresher_start(e->config, e->directory), offliner_start(e->config, e->directory, &nspi_offline_values) };
}

void session_jobs_stop(struct session_jobs j)
{
    sweeper_stop(j.sweeper);
    refresher_stop(j.refresher);
    offliner_stop(j.offliner);
}
