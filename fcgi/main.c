/* main.c - the worker process: options, configuration, threads, signals. */
#include "fcgi/conn.h"
#include "fcgi/header.h"
#include "fcgi/metrics.h"
#include "fcgi/park.h"
#include "fcgi/reload.h"
#include "fcgi/supervisor.h"
#include "backend/base/board.h"
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/must.h"
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    DRAIN_MOST = 5000,      /* ms for nginx to give its connections back; a request that one brings meanwhile is served */
    DRAIN_LOOK = 20
};

static const char usage[] =
    "usage: mapihttpd [--config FILE] [--print-config] [--version] [--help]\n"
    "\n"
    "A worker of the MAPI over HTTP server: answers nginx on a Unix socket (FastCGI) until it gets SIGTERM or SIGINT, which lets the requests under\n"
    "way end.  SIGHUP reads the configuration again and reopens the logs, SIGUSR1 only reopens them.  A listening socket that systemd passes (LISTEN_FDS) is served instead of its own.\n"
    "\n"
    "  --config FILE    configuration; without it the defaults and the environment (MAPIHTTPD_KEY) count\n"
    "  --print-config   a commented configuration file with the defaults\n";

static int refuse(const char *why)
{
    fprintf(stderr, "mapihttpd: %s\n", why);
    return 1;
}

static void *worker(void *front)
{
    conn_work(front);
    return NULL;
}

/* Everything stops taking signals; this thread takes them one by one. */
static void hold_signals(sigset_t *ours)
{
    sigemptyset(ours);
    sigaddset(ours, SIGTERM);
    sigaddset(ours, SIGINT);
    sigaddset(ours, SIGHUP);
    sigaddset(ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, ours, NULL);
}

static void pause_ms(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&t, NULL);
}

static void reopen_logs(const struct config *c)
{
    const char *why;
    struct arena *a = arena_new(SIZE_MAX);
    if (reload_logs(c, a, &why))
        log_line(LOGL_INFO, "fcgi", "logs reopened", NULL);
    else
        log_line(LOGL_ERROR, "fcgi", "logs not reopened", "error", why, NULL);
    arena_free(a);
}

/* Until a signal to end. */
static void wait_for_end(const sigset_t *ours, struct server *s, const char *path)
{
    for (;;) {
        int signal = 0;
        if (sigwait(ours, &signal) != 0)
            continue;
        if (signal == SIGTERM || signal == SIGINT)
            return;
        if (signal == SIGHUP)
            reload_config(s, path);
        else
            reopen_logs(s->config);
    }
}

/* Nobody comes any more; who waits is sent home; nginx gives its connections back; what runs runs to its end. */
static void drain(struct front *f, struct session_env *e)
{
    log_line(LOGL_INFO, "fcgi", "draining", NULL);
    conn_refuse(f);
    session_waits_end(e);
    conn_retire(f);
    for (uint64_t until = clock_ms() + DRAIN_MOST; conn_open(f) != 0 && clock_ms() < until; )
        pause_ms(DRAIN_LOOK);
    conn_part(f);
    do {
        conn_idle_close(f);
        pause_ms(DRAIN_LOOK);
    } while (conn_busy(f) != 0);
    conn_finish(f);
}

static bool start_workers(struct front *f, pthread_t *thread, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pthread_create(&thread[i], NULL, worker, f) != 0)
            return false;
    return true;
}

/* What this worker counts stands beside what the other workers of the host count; before anything is counted. */
static void count_together(const struct config *c, struct arena *a)
{
    const char *why = "", *place = strchr(session_where(c, a), '/') + 1;
    if (*c->host_dir != '\0' && !board_open(c->host_dir, place, a, &why))
        log_line(LOGL_WARN, "fcgi", "host_dir cannot be used; this worker counts for itself", "error", why, NULL);
    metric_begin();
}

static int run(const struct config *c, const char *path, struct arena *a)
{
    const char *why = "";
    sigset_t ours;
    hold_signals(&ours);
    fault_init();
    if (!header_plain(c->worker_name))
        return refuse("worker_name: too long for a header, or no plain text");
    if (!reload_logs(c, a, &why))
        return refuse(why);
    count_together(c, a);
    struct server server = { .env = session_env_new(c, a, &why), .config = c };
    if (server.env == NULL || !redis_start_check(server.env->redis, a, &why))
        return refuse(why);
    if (!auth_open(&server.auth, c, server.env->directory, server.env->redis, a, &why))
        return refuse(why);
    session_share(server.env, a, &why);
    struct timers *timers = timer_begin();
    struct supervisor supervisor;
    supervisor_find(&supervisor, timers);
    struct conn_service service = { &server, serve_request, park_parked, park_pending, park_gone };
    if (timers == NULL || (server.front = conn_listen(c, timers, &service, a, &why)) == NULL)
        return refuse(timers == NULL ? strerror(errno) : why);
    metrics_start(server.front, timers, c);
    signal(SIGPIPE, SIG_IGN); /* after libfcgi has set its own */
    pthread_t *thread = arena_array(a, pthread_t, c->threads);
    if (!start_workers(server.front, thread, c->threads))
        return refuse("threads cannot be started");
    struct session_jobs jobs = session_jobs_start(server.env);
    log_line(LOGL_INFO, "fcgi", "serving", "path", conn_place(server.front), NULL);
    supervisor_ready(&supervisor);
    wait_for_end(&ours, &server, path);
    supervisor_stopping(&supervisor);
    drain(server.front, server.env);
    for (size_t i = 0; i < c->threads; i++)
        pthread_join(thread[i], NULL);
    timer_end(timers);
    supervisor_leave(&supervisor);
    conn_close_all(server.front);
    session_jobs_stop(jobs);
    auth_close(&server.auth);
    session_env_free(server.env);
    log_line(LOGL_INFO, "fcgi", "ended", NULL);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' }, { "print-config", no_argument, NULL, 'p' },
        { "version", no_argument, NULL, 'v' },      { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const char *path = NULL, *why = "";
    for (int o; (o = getopt_long(argc, argv, "c:", options, NULL)) != -1; ) {
        switch (o) {
        case 'c': path = optarg; break;
        case 'p': config_print(stdout); return fflush(stdout) != 0 || ferror(stdout) != 0;
        case 'v': puts("mapihttpd " SERVE_VERSION); return 0;
        case 'h': fputs(usage, stdout); return 0;
        default:  fputs(usage, stderr); return 2;
        }
    }
    if (optind != argc) {
        fprintf(stderr, "mapihttpd: unexpected argument \"%s\"\n%s", argv[optind], usage);
        return 2;
    }
    struct arena *a = arena_new(SIZE_MAX); /* as long as the process */
    const struct config *c = config_load(a, path, &why);
    int rc = c != NULL ? run(c, path, a) : refuse(why);
    arena_free(a);
    return rc;
}
