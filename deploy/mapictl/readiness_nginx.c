/* readiness_nginx.c - nginx's settings and certificates against what the protocol and this configuration need. */
#include "backend/base/tls_server.h"
#include "backend/directory/policy.h"
#include "deploy/mapictl/readiness.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEXT_MOST = 8 << 20, SOON_DAYS = 21, HEADERS_KERBEROS = 16384 };

/* --- where it is --------------------------------------------------------------------------------------------------- */

static struct blob slurp(struct arena *a, FILE *f)
{
    char *text = arena_alloc(a, TEXT_MOST);
    return blob_of(text, fread(text, 1, TEXT_MOST, f));
}

static struct directive *read_nginx(struct readiness *r, const char *file, const char **why)
{
    FILE *f = file != NULL ? fopen(file, "r") : popen("nginx -T 2>/dev/null", "r");
    struct blob text = f != NULL ? slurp(r->a, f) : blob_of(NULL, 0);
    int rc = f == NULL ? -1 : file != NULL ? fclose(f) : pclose(f);
    if (f == NULL || rc != 0 || text.n == 0) {
        *why = file != NULL ? "the file cannot be read" : "`nginx -T` does not answer";
        return NULL;
    }
    struct directive *top = nginxconf_parse(r->a, text, why);
    if (top != NULL && file != NULL) {
        const char *slash = strrchr(file, '/');
        nginxconf_include(r->a, top, slash != NULL ? arena_str(r->a, blob_of(file, (size_t)(slash - file))) : ".");
    }
    return top;
}

/* A location that hands requests for a path with this word to FastCGI. */
static bool serves(const struct directive *location, const char *word)
{
    for (size_t i = 1; i < location->n; i++)
        if (strstr(location->words[i], word) != NULL)
            return nginxconf_effective(location, "fastcgi_pass") != NULL && nginxconf_effective(location, "fastcgi_pass")->parent == location;
    return false;
}

static const struct directive *server_of(const struct directive *location)
{
    while (location != NULL && (location->name == NULL || strcmp(location->name, "server") != 0))
        location = location->parent;
    return location;
}

static const char *name_of(const struct directive *server)
{
    for (const struct directive *d = server->first; d != NULL; d = d->next)
        if (strcmp(d->name, "server_name") == 0 && d->n > 1)
            return d->words[1];
    return nginxconf_word(nginxconf_effective(server, "listen"), 1, "?");
}

/* --- one setting each ---------------------------------------------------------------------------------------------- */

struct place { struct readiness *r; const struct directive *location, *server; const char *name; unsigned bad; };

static void complain(struct place *p, enum verdict v, const char *reason, const char *remedy)
{
    p->bad++;
    readiness_say(p->r, v, "nginx settings", arena_printf(p->r->a, "server %s: %s", p->name, reason), remedy);
}

static const char *effective(const struct place *p, const char *name, const char *dflt)
{
    return nginxconf_word(nginxconf_effective(p->location, name), 1, dflt);
}

static bool says(const struct place *p, const char *name, const char *value, const char *dflt) { return strcmp(effective(p, name, dflt), value) == 0; }

static bool mentions(const struct directive *d, const char *word)
{
    for (size_t i = 1; d != NULL && i < d->n; i++)
        if (strcmp(d->words[i], word) == 0)
            return true;
    return false;
}

static void check_sizes(struct place *p)
{
    const struct config *c = p->r->c->config;
    uint64_t body = 0, head = 0, seconds = 0;
    nginxconf_size(effective(p, "client_max_body_size", "1m"), &body);
    if (body != 0 && body < c->request_max)
        complain(p, FAIL, arena_printf(p->r->a, "client_max_body_size is %s, request_max %" PRIu64 " bytes: nginx's own 413 says nothing to Outlook",
                                       effective(p, "client_max_body_size", "1m (default)"), c->request_max), "client_max_body_size 8m;");
    nginxconf_seconds(effective(p, "fastcgi_read_timeout", "60s"), &seconds);
    if (seconds * 1000 <= c->pending_period)
        complain(p, FAIL, arena_printf(p->r->a, "fastcgi_read_timeout is %s: not longer than pending_period, %" PRIu64 " ms, so that waits are cut off",
                                       effective(p, "fastcgi_read_timeout", "60s (default)"), c->pending_period), "fastcgi_read_timeout 100s;");
    nginxconf_size(effective(p, "fastcgi_buffer_size", "4k"), &head);
    if (head < 4096)
        complain(p, WARN, "fastcgi_buffer_size is below 4k: the head with its cookies may not fit", "fastcgi_buffer_size 8k;");
    nginxconf_size(nginxconf_word(nginxconf_effective(p->server, "large_client_header_buffers"), 2, "8k"), &head);
    if (head < 8192 || (*c->kerberos_keytab != '\0' && head < HEADERS_KERBEROS))
        complain(p, WARN, "large_client_header_buffers is small: a Kerberos ticket or a token may not fit into a request's head",
                 "large_client_header_buffers 4 64k;");
}

static void check_streaming(struct place *p)
{
    if (mentions(nginxconf_effective(p->location, "fastcgi_ignore_headers"), "X-Accel-Buffering") && !says(p, "fastcgi_buffering", "off", "on"))
        complain(p, FAIL, "answers are buffered and X-Accel-Buffering is ignored: PROCESSING and PENDING do not reach the client in time",
                 "remove fastcgi_ignore_headers X-Accel-Buffering;");
    if (!says(p, "gzip", "off", "off"))
        complain(p, FAIL, "gzip is on: PROCESSING waits in the compressor", "gzip off;");
    if (says(p, "fastcgi_request_buffering", "off", "on"))
        complain(p, WARN, "fastcgi_request_buffering is off: slow clients hold worker threads", "fastcgi_request_buffering on;");
    if (says(p, "fastcgi_ignore_client_abort", "on", "off"))
        complain(p, FAIL, "fastcgi_ignore_client_abort is on: waits of clients that are gone stay", "fastcgi_ignore_client_abort off;");
    if (mentions(nginxconf_effective(p->location, "fastcgi_next_upstream"), "non_idempotent"))
        complain(p, FAIL, "fastcgi_next_upstream has non_idempotent: nginx may send a request twice at the same time", "fastcgi_next_upstream error timeout;");
    if (!says(p, "fastcgi_keep_conn", "on", "off"))
        complain(p, WARN, "fastcgi_keep_conn is off: each request makes a connection of its own", "fastcgi_keep_conn on; and keepalive 64; in the upstream");
}

static bool passes(const struct place *p, const char *param)
{
    for (const struct directive *b = p->location; b != NULL; b = b->parent) {
        bool any = false;
        for (const struct directive *d = b->first; d != NULL; d = d->next) {
            any |= strcmp(d->name, "fastcgi_param") == 0;
            if (strcmp(d->name, "fastcgi_param") == 0 && strcmp(nginxconf_word(d, 1, ""), param) == 0)
                return true;
        }
        if (any)
            return false; /* an inner level replaces all of the outer one */
    }
    return false;
}

static void check_params(struct place *p)
{
    static const struct { const char *param, *without; } needed[] = {
        { "REQUEST_METHOD", "nothing works" }, { "DOCUMENT_URI", "nothing works" }, { "CONTENT_LENGTH", "nothing works" }, { "CONTENT_TYPE", "nothing works" },
        { "HTTPS", "passwords are refused, since the worker does not know of the TLS" }, { "REMOTE_ADDR", "throttling and logs do not know the client" },
        { "QUERY_STRING", "the mailbox in the URL is not seen" },
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!passes(p, needed[i].param))
            complain(p, FAIL, arena_printf(p->r->a, "fastcgi_param %s is missing: %s", needed[i].param, needed[i].without),
                     "include deploy/nginx/mapihttpd.conf as it is shipped");
    if (!passes(p, "MAPI_SIDE"))
        complain(p, WARN, "fastcgi_param MAPI_SIDE is missing: every client is taken for an external one", "fastcgi_param MAPI_SIDE $mapi_side;");
}

static void check_http(struct place *p)
{
    bool tls = false, two = false;
    for (const struct directive *d = p->server->first; d != NULL; d = d->next) {
        tls |= strcmp(d->name, "listen") == 0 && mentions(d, "ssl");
        two |= (strcmp(d->name, "listen") == 0 && mentions(d, "http2")) || (strcmp(d->name, "http2") == 0 && strcmp(nginxconf_word(d, 1, ""), "on") == 0);
    }
    if (two)
        complain(p, FAIL, "HTTP/2 is on: the protocol needs the chunked answers of HTTP/1.1", "no http2 on this server");
    if (!tls && !p->r->c->config->auth_plain_http)
        complain(p, WARN, "no TLS on this server: nobody can log in here", "listen 443 ssl;");
}

static void check_upstream(struct place *p, const struct directive *top)
{
    size_t n;
    const char *pass = effective(p, "fastcgi_pass", "");
    const struct directive **all = nginxconf_all(p->r->a, top, "upstream", &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(nginxconf_word(all[i], 1, ""), pass) != 0)
            continue;
        bool keep = false, fails = false;
        for (const struct directive *d = all[i]->first; d != NULL; d = d->next) {
            keep |= strcmp(d->name, "keepalive") == 0;
            fails |= strcmp(d->name, "server") == 0 && !mentions(d, "max_fails=0");
        }
        if (!keep)
            complain(p, WARN, arena_printf(p->r->a, "upstream %s has no keepalive", pass), "keepalive 64;");
        if (fails)
            complain(p, WARN, arena_printf(p->r->a, "a server of upstream %s lacks max_fails=0: a worker that restarts is left out for a while", pass),
                     "max_fails=0 on each server line");
    }
}

/* Our own offline address book is served beside the endpoints. */
static void check_offline(struct place *p)
{
    const struct config *c = p->r->c->config;
    const char *remedy = "include deploy/nginx/mapihttpd.conf as it is shipped";
    size_t n, i = 0;
    if (!c->offline_address_book || *c->oab_internal_url != '\0' || *c->oab_external_url != '\0')
        return;
    const struct directive **all = nginxconf_all(p->r->a, p->server, "location", &n);
    while (i < n && !serves(all[i], "oab"))
        i++;
    if (i == n) {
        complain(p, WARN, "no location hands /oab/ to FastCGI: clients cannot download the offline address book that Autodiscover names", remedy);
        return;
    }
    struct place oab = *p;
    oab.location = all[i];
    if (says(&oab, "fastcgi_buffering", "off", "on") || says(&oab, "fastcgi_max_temp_file_size", "0", "1024m"))
        complain(p, WARN, "/oab/ is not buffered in files: downloads of slow clients hold connections of the workers", remedy);
    if (!says(&oab, "gzip", "off", "off"))
        complain(p, WARN, "gzip is on for /oab/: downloads cannot go on where they broke off", remedy);
}

/* --- certificates -------------------------------------------------------------------------------------------------- */

static const char *host_of(struct arena *a, const char *url)
{
    const char *at = strstr(url, "://");
    return at != NULL ? arena_str(a, blob_of(at + 3, strcspn(at + 3, ":/"))) : NULL;
}

static void check_dates(struct readiness *r, const char *path, const struct tls_server_cert *c)
{
    int64_t now = (int64_t)time(NULL), left = tls_server_not_after(c) - now;
    if (tls_server_not_before(c) > now)
        readiness_say(r, FAIL, "certificate", arena_printf(r->a, "%s is not valid yet", path), "check the clock, or wait");
    else if (left <= 0)
        readiness_say(r, FAIL, "certificate", arena_printf(r->a, "%s has expired", path), "renew it and reload nginx");
    else if (left < SOON_DAYS * 86400)
        readiness_say(r, WARN, "certificate", arena_printf(r->a, "%s expires in %" PRId64 " days", path, left / 86400), "renew it");
    else
        readiness_say(r, GOOD, "certificate", arena_printf(r->a, "%s is valid for %" PRId64 " days", path, left / 86400), "");
}

struct certificates { struct tls_server_cert **v; size_t n, cap; };

static void read_certificates(struct readiness *r, const struct directive *server, struct certificates *all)
{
    for (const struct directive *b = server; b != NULL; b = b->parent) {
        bool any = false;
        for (const struct directive *d = b->first; d != NULL; d = d->next) {
            if (strcmp(d->name, "ssl_certificate") != 0 || d->n < 2)
                continue;
            const char *why;
            struct tls_server_cert *c = tls_server_read(r->a, d->words[1], &why);
            any = true;
            if (c == NULL) {
                readiness_say(r, FAIL, "certificate", why, "ssl_certificate names the PEM file of the chain");
                continue;
            }
            check_dates(r, d->words[1], c);
            all->v = arena_grow(r->a, all->v, &all->cap, all->n, sizeof(struct tls_server_cert *));
            all->v[all->n++] = c;
        }
        if (any)
            return;
    }
}

static void check_url(struct readiness *r, const char *which, const char *url, const struct certificates *all)
{
    const char *host = host_of(r->a, url);
    if (host == NULL)
        return;
    for (size_t i = 0; i < all->n; i++)
        if (tls_server_covers(all->v[i], host)) {
            readiness_say(r, GOOD, "certificate name", arena_printf(r->a, "%s URL: a certificate covers %s", which, host), "");
            return;
        }
    readiness_say(r, FAIL, "certificate name", arena_printf(r->a, "%s URL: no certificate of nginx covers %s", which, host),
                  "a certificate with this name, or mapictl vdir set");
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

static void check_place(struct readiness *r, const struct directive *location, const struct directive *top)
{
    struct place p = { .r = r, .location = location, .server = server_of(location) };
    if (p.server == NULL)
        return;
    p.name = name_of(p.server);
    check_sizes(&p);
    check_streaming(&p);
    check_params(&p);
    check_http(&p);
    check_upstream(&p, top);
    check_offline(&p);
    if (p.bad == 0)
        readiness_say(r, GOOD, "nginx settings", arena_printf(r->a, "server %s: as they should be", p.name), "");
}

static void check_workers(struct readiness *r, const struct directive *top)
{
    size_t n;
    const struct directive **v = nginxconf_all(r->a, top, "worker_connections", &n);
    unsigned long most = n != 0 ? strtoul(nginxconf_word(v[0], 1, "512"), NULL, 10) : 512;
    if (most < 4096)
        readiness_say(r, WARN, "nginx connections", arena_printf(r->a, "worker_connections is %lu: a waiting Outlook takes two", most),
                      "worker_connections 131072; worker_rlimit_nofile 262144;");
    else
        readiness_say(r, GOOD, "nginx connections", arena_printf(r->a, "worker_connections is %lu", most), "");
}

void readiness_nginx(struct readiness *r, const char *file)
{
    const char *why = NULL;
    size_t n, found = 0;
    struct vdir v;
    struct certificates all = { 0 };
    const struct directive *top = read_nginx(r, file, &why), **locations;
    if (top == NULL) {
        readiness_say(r, file != NULL ? FAIL : WARN, "nginx settings", arena_printf(r->a, "not looked at: %s", why), "as root, or: nginx -T >FILE; mapictl readiness --nginx FILE");
        return;
    }
    locations = nginxconf_all(r->a, top, "location", &n);
    for (size_t i = 0; i < n; i++)
        if (serves(locations[i], "mapi")) {
            check_place(r, locations[i], top);
            if (server_of(locations[i]) != NULL)
                read_certificates(r, server_of(locations[i]), &all);
            found++;
        }
    if (found == 0) {
        readiness_say(r, FAIL, "nginx settings", "no location hands /mapi/ to FastCGI", "include deploy/nginx/mapihttpd.conf in the server block");
        return;
    }
    check_workers(r, top);
    if (vdir_get(ctl_directory(r->c), r->a, &v) != ecNone)
        return;
    check_url(r, "internal", v.internal_url, &all);
    check_url(r, "external", v.external_url, &all);
}
