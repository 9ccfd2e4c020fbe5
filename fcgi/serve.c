/* serve.c - the road of a request through the front: health, identity, headers, session, answer, log line. */
#include "fcgi/serve.h"
#include "fcgi/access.h"
#include "fcgi/auth_pool.h"
#include "fcgi/download.h"
#include "fcgi/header.h"
#include "fcgi/health.h"
#include "fcgi/metrics.h"
#include "fcgi/park.h"
#include "fcgi/respond.h"
#include "fcgi/status.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include <stddef.h>

/* One request on its way. */
struct job {
    struct server         *server;
    struct session_env     env;        /* the server's, with the configuration that was in force when the request came */
    struct auth_env        auth;
    struct conn           *conn;
    struct arena          *a;
    struct request         rq;
    struct person          who;
    bool                   known;      /* `who` is set */
    struct auth_answer     id;         /* how that was found out */
    enum auth              outcome;    /* of a check that had to wait */
    struct auth_work       work;
    const struct endpoint *endpoint;
    const struct route    *route;
    const struct discover_route *page; /* a page of discovery: there is no endpoint then */
    bool                   download;   /* nor for a file of the offline address book */
    uint64_t               auth_us;
    uint64_t               begun_us;   /* of an answer that goes out in pieces */
    struct session_reply   early_reply;
    struct respond         early;      /* what the timer thread says; not changed while it may */
};

static const struct config *config_of(const struct job *j) { return j->env.config; }

static void name_for_log(const struct job *j)
{
    log_context("req", j->rq.id);
    log_context("type", j->rq.type);
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static struct access line_of(const struct job *j, const struct session_reply *r, int http, int code, struct blob body, size_t out, bool early)
{
    uint64_t us = clock_us() - j->rq.begun_us;
    return (struct access){
        .rq = &j->rq, .who = j->known ? &j->who : NULL, .method = j->id.scheme, .endpoint = j->endpoint != NULL ? strrchr(j->endpoint->path, '/') + 1 : NULL, .http = http,
        .code = code, .body = body, .out = out, .auth_us = j->auth_us, .redis_us = metric_spent(METRIC_redis_seconds),
        .store_us = metric_spent(METRIC_store_seconds), .total_us = us, .early = early, .session = log_context_value("session"),
        .note = r != NULL ? &r->note : NULL, .worker = j->env.where, .version = SERVE_VERSION, .diagnosis = r != NULL ? r->diagnosis : NULL };
}

static void note(const struct job *j, const struct session_reply *r, int http, int code, struct blob body, size_t out, bool early)
{
    struct access x = line_of(j, r, http, code, body, out, early);
    metrics_count(j->route, code, http, x.total_us);
    if (access_on())
        access_write(&x);
}

static struct respond respond_of(const struct job *j, const struct session_reply *r)
{
    return (struct respond){ config_of(j), &j->rq, j->endpoint, j->route != NULL && (j->route->flags & ROUTE_CHUNKED) != 0, r, clock_us(), j->id.challenge, j->id.greeting };
}

static void answer_status(struct job *j, int status, const char *words, uint64_t delay_ms)
{
    const struct session_reply none = { .expiration_ms = -1 };
    struct respond r = respond_of(j, &none);
    struct wr w = wr_in(j->a, 4 * RESPOND_HEAD_MOST);
    respond_status(&r, status, words, &w);
    note(j, NULL, status, -1, blob_of(NULL, 0), w.n, false);
    struct blob piece = wr_blob(&w);
    if (delay_ms != 0)
        conn_answer_after(j->conn, &piece, 1, delay_ms);
    else
        conn_answer(j->conn, &piece, 1);
}

static void answer(struct job *j, const struct session_reply *reply)
{
    struct respond r = respond_of(j, reply);
    struct wr w = wr_in(j->a, RESPOND_HEAD_MOST);
    struct blob body = respond_body(&r, j->a);
    bool early = conn_settle(j->conn);
    if (early)
        respond_rest(&r, &w);
    else
        respond_whole(&r, body, &w);
    const struct blob piece[2] = { wr_blob(&w), body };
    note(j, reply, 200, (int)reply->code, body, piece[0].n + body.n, early);
    conn_answer(j->conn, piece, 2);
}

/* No answer yet: the client gets its head, and waits without us. */
static void park(struct job *j, struct session_wait *wait, const struct session_reply *so_far)
{
    struct respond r = respond_of(j, so_far);
    struct access x = line_of(j, so_far, 200, 0, blob_of(NULL, 0), 0, true);
    struct wr w = wr_in(j->a, RESPOND_HEAD_MOST);
    if (!conn_settle(j->conn))
        respond_early(&r, &w);
    park_wait(j->conn, wait, &j->rq, j->route, wr_blob(&w), access_on() ? &x : NULL);
}

static void answer_code(struct job *j, enum xrc code, const char *why)
{
    const struct session_reply r = { .code = code, .expiration_ms = -1, .diagnosis = why };
    answer(j, &r);
}

/* A page of discovery, for whoever it is for. */
static void answer_page(struct job *j)
{
    struct discover_call c = {
        .a = j->a, .who = j->known ? &j->who : NULL, .method = j->rq.method, .path = j->rq.path, .query = j->rq.query, .host = j->rq.host,
        .capability = j->rq.mapi_capability, .body = j->rq.body, .too_large = j->rq.too_large };
    struct discover_page page;
    struct wr w = wr_in(j->a, SIZE_MAX / 4);
    session_discover(&j->env, j->page, &c, &page);
    respond_text(page.status, page.type, page.text, &w);
    note(j, NULL, page.status, -1, blob_of(NULL, 0), w.n, false);
    struct blob piece = wr_blob(&w);
    conn_answer(j->conn, &piece, 1);
}

/* --- files of the offline address book ----------------------------------------------------------------------------- */

static void downloaded(void *job, int http, uint64_t out, const char *why)
{
    const struct job *j = job;
    struct access x = line_of(j, NULL, http, -1, blob_of(NULL, 0), (size_t)out, false);
    x.diagnosis = why;
    x.redis_us = x.store_us = 0; /* who ends it is not who began it */
    metrics_count(NULL, -1, http, j->begun_us - j->rq.begun_us);
    if (access_on())
        access_write(&x);
}

static void name_job(void *job)
{
    const struct job *j = job;
    name_for_log(j);
    log_context("user", j->who.login);
}

static void answer_download(struct job *j)
{
    const struct session_reply none = { .expiration_ms = -1 };
    struct download_job *d = arena_one(j->a, struct download_job);
    struct download_refusal refused;
    request_keep(&j->rq, j->a); /* the parameters are gone before the last piece */
    *d = (struct download_job){ .env = &j->env, .conn = j->conn, .a = j->a, .rq = &j->rq, .who = &j->who, .respond = respond_of(j, &none),
                                .done = downloaded, .name = name_job, .ctx = j };
    j->begun_us = clock_us();
    if (!download_answer(d, &refused))
        answer_status(j, refused.http, refused.words, 0);
}

static void answer_administrator(struct job *j)
{
    struct wr w = wr_in(j->a, SIZE_MAX / 4);
    struct status_answer s = status_answer(&j->env, j->server->front, j->a, &j->who, &j->rq);
    respond_html(s.http, s.head, s.html, &w);
    note(j, NULL, s.http, -1, blob_of(NULL, 0), w.n, false);
    struct blob piece = wr_blob(&w);
    conn_answer(j->conn, &piece, 1);
}

/* --- the road ------------------------------------------------------------------------------------------------------ */

static bool try_health(struct job *j)
{
    int status;
    const char *type;
    struct blob text;
    struct wr w = wr_in(j->a, SIZE_MAX / 4);
    if (!health_answer(j->rq.path, &j->env, j->server->front, j->a, &status, &type, &text))
        return false;
    respond_text(status, type, text, &w);
    struct blob piece = wr_blob(&w);
    conn_answer(j->conn, &piece, 1);
    return true;
}

/* Something else than the protocol of the endpoints: failures are told by the HTTP status. */
static bool is_page(const struct job *j) { return j->page != NULL || j->download; }

/* False: answered. */
static bool identified(struct job *j, enum auth auth)
{
    j->auth_us = clock_us() - j->rq.begun_us;
    j->who = j->id.who;
    j->known = auth == AUTH_OK;
    switch (auth) {
    case AUTH_OK:     log_context("user", j->who.login); return true;
    case AUTH_ABSENT: answer_status(j, 401, "Please authenticate.", 0); break;
    case AUTH_WRONG:  answer_status(j, 401, "These credentials do not do.", j->id.delay_ms); break;
    case AUTH_SLOW:
    case AUTH_DOWN:   answer_status(j, 503, "Users cannot be looked up now.", 0); break;
    case AUTH_BUSY:   answer_status(j, 503, "Too many logins at once.", 0); break;
    case AUTH_NOBODY:
    case AUTH_PLAIN:
        j->endpoint = route_endpoint(j->rq.path);
        if (is_page(j))
            answer_status(j, 403, auth == AUTH_PLAIN ? "Authentication needs TLS." : "No user of this server.", 0);
        else if (auth == AUTH_PLAIN)
            answer_code(j, XRC_ANONYMOUS, "authentication needs TLS");
        else
            answer_code(j, XRC_NO_PRIVILEGE, arena_printf(j->a, "%s is authenticated, but no user of this server", j->id.name));
        break;
    }
    return false;
}

static void write_early(const void *ctx, struct wr *w) { respond_early(ctx, w); }

/* The request is accepted: from now on a client that waits gets its head, then PENDING. */
static void accepted(void *front, const struct session_reply *so_far)
{
    struct job *j = front;
    j->early_reply = *so_far;
    j->early = respond_of(j, &j->early_reply);
    conn_promise(j->conn, j->rq.begun_us / 1000 + config_of(j)->head_delay, write_early, &j->early);
}

/* What the client calls itself: old ones and checkers have a User-Agent only. */
static const char *client_of(const struct request *rq)
{
    return rq->client_app != NULL || rq->user_agent == NULL || !header_plain(rq->user_agent) ? rq->client_app : rq->user_agent;
}

static void call_session(struct job *j)
{
    struct session_call c = {
        .a = j->a, .who = &j->who, .type = j->rq.type, .request_id = j->rq.id, .client_app = client_of(&j->rq),
        .context_cookie = j->rq.context_cookie, .sequence_cookie = j->rq.sequence_cookie, .body = j->rq.body,
        .external = j->rq.external, .head_due_ms = j->rq.begun_us / 1000 + config_of(j)->head_delay,
        .accepted = accepted, .front = j };
    struct session_reply r = { .expiration_ms = -1 };
    if (session_admit(&j->env, &c, &r))
        j->route->run(&j->env, &c, &r);
    if (c.wait != NULL)
        park(j, c.wait, &r);
    else
        answer(j, &r);
}

/* nginx delivers what Content-Length announced; a difference means that something between cut the body. */
static bool whole_body(const struct request *rq, struct arena *a)
{
    return rq->content_length == NULL || strcmp(rq->content_length, arena_printf(a, "%zu", rq->body.n)) == 0;
}

/* Once it is known who it is. */
static void go_on(struct job *j, enum auth auth)
{
    if (!identified(j, auth))
        return;
    if (j->page != NULL) {
        answer_page(j);
        return;
    }
    if (j->download) {
        answer_download(j);
        return;
    }
    if (status_path(j->rq.path)) {
        answer_administrator(j);
        return;
    }
    const char *why = NULL;
    enum xrc code = header_check(&j->rq, config_of(j)->request_max, j->a, &j->endpoint, &j->route, &why);
    if (code == XRC_SUCCESS && !whole_body(&j->rq, j->a)) {
        code = XRC_INVALID_BODY;
        why = "its length is not the one that was announced";
    }
    metric_add(METRIC_limit_request, code == XRC_TOO_LARGE);
    if (code != XRC_SUCCESS)
        answer_code(j, code, why);
    else
        call_session(j);
}

/* --- what a worker thread does not wait for ------------------------------------------------------------------------ */

static void checked(void *job)
{
    struct job *j = job;
    metric_spent_reset();
    name_for_log(j);
    go_on(j, j->outcome);
}

static void check(struct auth_work *w)
{
    struct job *j = (struct job *)((char *)w - offsetof(struct job, work));
    name_for_log(j);
    j->outcome = auth_finish(&j->auth, j->a, &j->rq, &j->id);
    log_context_clear();
    metric_us(METRIC_auth_check_seconds, clock_us() - j->rq.begun_us);
    conn_resume(j->conn, checked, j);
}

static void hand_over(struct job *j)
{
    request_keep(&j->rq, j->a);
    j->work = (struct auth_work){ .run = check, .addr = j->rq.addr != NULL ? j->rq.addr : "" };
    conn_hold(j->conn);
    if (auth_pool_put(j->auth.pool, &j->work))
        return; /* nothing here is ours any more */
    conn_unhold(j->conn);
    metric_add(METRIC_auth_overload, 1);
    go_on(j, AUTH_BUSY);
}

void serve_request(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large)
{
    struct job *j = arena_one(a, struct job);
    struct server *s = app;
    *j = (struct job){ .server = s, .env = *s->env, .auth = s->auth, .conn = c, .a = a, .rq = { .body = body, .too_large = too_large } };
    j->env.config = j->auth.config = s->config;
    metric_spent_reset();
    request_read(&j->rq, a, params);
    if (try_health(j))
        return;
    name_for_log(j);
    j->page = discover_find(j->rq.path);
    j->download = download_path(j->rq.path);
    if (j->page != NULL && !j->page->authenticate) {
        answer_page(j);
        return;
    }
    if (conn_parting(j->server->front)) { /* whoever brings it has not heard that this worker ends */
        j->endpoint = route_endpoint(j->rq.path);
        if (is_page(j)) {
            answer_status(j, 503, "Another worker or a later attempt will serve this request.", 0);
            return;
        }
        answer_code(j, XRC_SHUTTING_DOWN, "another worker or a later attempt will serve this request");
        return;
    }
    enum auth auth = auth_begin(&j->auth, a, &j->rq, &j->id);
    if (auth == AUTH_SLOW)
        hand_over(j);
    else
        go_on(j, auth);
}
