/* status.c - a request of an administrator -> the page, or the end of a session. */
#include "fcgi/status.h"
#include "fcgi/history.h"
#include "fcgi/serve.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { PER_PAGE = 100, TEXT = 200 };

bool status_path(const char *path)
{
    return path != NULL && (strcmp(path, "/status") == 0 || strcmp(path, "/status/") == 0 || strcmp(path, "/status/end") == 0);
}

/* --- forms ---------------------------------------------------------------------------------------------------------- */

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* Value of a field in "a=b&c=d", "" if it is not there, too long, or no text. */
static const char *form(struct arena *a, struct blob text, const char *name)
{
    size_t n = strlen(name);
    char *all = arena_str(a, text), out[TEXT];
    for (char *at = all; at != NULL && *at != '\0'; at = strchr(at, '&'), at += at != NULL) {
        if (strncmp(at, name, n) != 0 || at[n] != '=')
            continue;
        size_t length = 0;
        for (const char *p = at + n + 1; *p != '\0' && *p != '&'; p++) {
            int high = *p == '%' ? hex(p[1]) : -1, low = high >= 0 ? hex(p[2]) : -1;
            if (length + 1 >= sizeof out)
                return "";
            out[length++] = (char)(*p == '+' ? ' ' : low >= 0 ? high << 4 | low : *p);
            p += low >= 0 ? 2 : 0;
        }
        out[length] = '\0';
        struct blob value = blob_of(out, length);
        return utf8_valid(value) && memchr(out, 0, length) == NULL ? arena_str(a, value) : "";
    }
    return "";
}

static struct blob query_of(const struct request *rq) { return blob_str(rq->query != NULL ? rq->query : ""); }

/* --- who ------------------------------------------------------------------------------------------------------------ */

static bool is_admin(const char *admins, const char *login)
{
    size_t n = strlen(login);
    for (const char *at = admins; *at != '\0'; at += strcspn(at, " ,"), at += strspn(at, " ,"))
        if (strcspn(at, " ,") == n && n != 0 && strncasecmp(at, login, n) == 0)
            return true;
    return false;
}

static struct status_answer plain(int http, const char *words, struct arena *a)
{
    return (struct status_answer){ http, "Cache-Control: no-store\r\n", blob_str(arena_printf(a, "<!doctype html><title>mapihttpd</title><p>%s</p>\n", words)) };
}

/* --- the page ------------------------------------------------------------------------------------------------------- */

static int by_user(const void *a, const void *b)
{
    const struct session_info *x = a, *y = b;
    int c = strcmp(x->user, y->user);
    return c != 0 ? c : x->created_ms != y->created_ms ? (x->created_ms > y->created_ms ? 1 : -1) : strcmp(x->digest, y->digest);
}

/* Those whose user has the text in his name, in place; a key that SCAN gave twice stands there once. */
static size_t choose(struct session_info *v, size_t n, const char *filter, struct status_view *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcasestr(v[i].user, filter) == NULL || (kept != 0 && strcmp(v[kept - 1].digest, v[i].digest) == 0))
            continue;
        out->users += kept == 0 || strcmp(v[kept - 1].user, v[i].user) != 0;
        out->waits += v[i].waits;
        v[kept++] = v[i];
    }
    return kept;
}

static const char *mailbox_name(struct session_env *e, struct arena *a, const struct session_info *s)
{
    struct person p;
    if (s->mailboxes == 0)
        return "";
    const char *name = directory_by_mailbox(e->directory, a, &s->mailbox, &p) == ecNone ? p.smtp : "unknown";
    return s->mailboxes > 1 ? arena_printf(a, "%s and %zu more", name, s->mailboxes - 1) : name;
}

static void take_sessions(struct session_env *e, struct arena *a, struct status_view *v, unsigned long page)
{
    struct session_info *all;
    size_t n;
    if (session_list(e, a, &all, &n) != ecNone)
        return;
    v->reachable = true;
    if (n != 0)
        qsort(all, n, sizeof *all, by_user);
    v->all = choose(all, n, v->filter, v);
    v->pages = v->all != 0 ? (v->all + PER_PAGE - 1) / PER_PAGE : 1;
    v->page = page < 1 ? 1 : page > v->pages ? v->pages : page;
    size_t from = (v->page - 1) * PER_PAGE;
    v->session = all + from;
    v->sessions = v->all - from < PER_PAGE ? v->all - from : PER_PAGE;
    const char **mailbox = arena_array(a, const char *, v->sessions), **token = arena_array(a, const char *, v->sessions);
    for (size_t i = 0; i < v->sessions; i++) {
        mailbox[i] = mailbox_name(e, a, &v->session[i]);
        token[i] = session_token(e, a, v->admin, v->session[i].digest, 0);
    }
    v->mailbox = mailbox;
    v->token = token;
}

static void take_host(struct arena *a, struct status_view *v)
{
    size_t n;
    const struct metric_value *m = metric_read(a, &n);
    for (size_t i = 0; i < n; i++) {
        v->workers = m[i].metric == METRIC_workers ? (uint64_t)m[i].n : v->workers;
        v->waits_here = m[i].metric == METRIC_waits_parked ? (uint64_t)m[i].n : v->waits_here;
        v->connections = m[i].metric == METRIC_connections ? (uint64_t)m[i].n : v->connections;
    }
    struct history_sum *hour = arena_array(a, struct history_sum, HISTORY_MINUTES);
    history_read(a, hour);
    v->hour = hour;
}

static struct status_answer show(struct session_env *e, struct front *f, struct arena *a, const struct person *who, const struct request *rq)
{
    struct blob q = query_of(rq);
    const char *ended = form(a, q, "ended"), *failed = form(a, q, "failed");
    struct status_view v = { .version = SERVE_VERSION, .worker = e->where, .admin = who->login, .draining = conn_draining(f), .now_ms = (int64_t)time(NULL) * 1000,
                             .filter = form(a, q, "user"), .ended = strlen(ended) == 16 && strspn(ended, "0123456789abcdef") == 16 ? ended : NULL,
                             .failed = *failed != '\0' ? "The session could not be ended: it has ended by itself, or Redis does not answer." : NULL,
                             .page = 1, .pages = 1 };
    take_sessions(e, a, &v, strtoul(form(a, q, "page"), NULL, 10));
    take_host(a, &v);
    return (struct status_answer){ 200, arena_printf(a, "Cache-Control: no-store\r\nContent-Security-Policy: %s\r\nX-Content-Type-Options: nosniff\r\n"
                                                        "X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n", status_policy(a)), status_page(a, &v) };
}

/* --- the button ------------------------------------------------------------------------------------------------------ */

static struct status_answer end(struct session_env *e, struct arena *a, const struct person *who, const struct request *rq)
{
    const char *digest = form(a, rq->body, "session"), *token = form(a, rq->body, "token");
    bool good = strlen(digest) == 16 && strspn(digest, "0123456789abcdef") == 16
             && (strcmp(token, session_token(e, a, who->login, digest, 0)) == 0 || strcmp(token, session_token(e, a, who->login, digest, 1)) == 0);
    if (!good)
        return plain(403, "This form is too old, or was not made by the status page. Load the page again.", a);
    ec_t ec = session_end(e, a, digest);
    log_line(LOGL_WARN, "fcgi", "an administrator ended a session", "value", digest, "user", who->login, "code", err_name(ec), NULL);
    return (struct status_answer){ 303, arena_printf(a, "Cache-Control: no-store\r\nLocation: /status?%s=%s\r\n", ec == ecNone ? "ended" : "failed", digest),
                                   blob_str("") };
}

struct status_answer status_answer(struct session_env *e, struct front *f, struct arena *a, const struct person *who, const struct request *rq)
{
    bool post = rq->method != NULL && strcmp(rq->method, "POST") == 0, get = rq->method != NULL && strcmp(rq->method, "GET") == 0;
    bool button = strcmp(rq->path, "/status/end") == 0;
    if (!is_admin(e->config->admins, who->login))
        return plain(403, "This page is for administrators (configuration key admins).", a);
    if (button ? !post : !get)
        return plain(405, "This cannot be asked in this way.", a);
    return button ? end(e, a, who, rq) : show(e, f, a, who, rq);
}
