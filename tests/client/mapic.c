/* mapic.c - requests out, cookies and meta tags in. */
#include "tests/client/mapic.h"
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

void mapic_init(struct mapic *c, const char *host, unsigned port, const char *user, const char *password)
{
    *c = (struct mapic){ .to = { .host = host, .port = port }, .user = user, .password = password, .path = "/mapi/emsmdb/",
                         .client_guid = guid_new(), .timeout_ms = 30000 };
}

void mapic_close(struct mapic *c)
{
    tls_close(c->conn);
    c->conn = NULL;
}

/* --- sending ----------------------------------------------------------------------------------------------------------------------------- */

static void header(struct wr *w, const struct mapic_odd *odd, const char *name, const char *value)
{
    if (value == NULL || (odd != NULL && odd->without != NULL && strcasecmp(odd->without, name) == 0))
        return;
    wr_put(w, blob_str(name));
    wr_put(w, blob_str(": "));
    wr_put(w, blob_str(value));
    wr_put(w, blob_str("\r\n"));
}

static const char *basic(struct arena *a, const char *user, const char *password)
{
    return arena_printf(a, "Basic %s", base64(a, blob_str(arena_printf(a, "%s:%s", user, password))));
}

static const char *cookies(const struct mapic *c, struct arena *a, const struct mapic_odd *odd)
{
    const char *context = odd != NULL && odd->context != NULL ? odd->context : c->context;
    const char *sequence = odd != NULL && odd->sequence != NULL ? odd->sequence : c->sequence;
    if (*context == '\0' && *sequence == '\0')
        return NULL;
    if (*context == '\0' || *sequence == '\0')
        return arena_printf(a, "%s=%s", *context != '\0' ? "MapiContext" : "MapiSequence", *context != '\0' ? context : sequence);
    return arena_printf(a, "MapiContext=%s; MapiSequence=%s", context, sequence);
}

static const char *request_line(const struct mapic *c, struct arena *a, const struct mapic_odd *odd)
{
    const char *verb = odd != NULL && odd->verb != NULL ? odd->verb : "POST", *path = odd != NULL && odd->path != NULL ? odd->path : c->path;
    if (c->mailbox_id == NULL)
        return arena_printf(a, "%s %s HTTP/1.1\r\n", verb, path);
    return arena_printf(a, "%s %s?MailboxId=%s HTTP/1.1\r\n", verb, path, c->mailbox_id);
}

static const char *route_of(struct mapic *c)
{
    return c->route != NULL || c->nturns == 0 ? c->route : c->turns[c->turn++ % c->nturns];
}

static struct blob request(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd)
{
    struct wr w = wr_in(a, body.n + 65536);
    char guid[GUID_TEXT];
    guid_text(&c->client_guid, guid);
    wr_put(&w, blob_str(request_line(c, a, odd)));
    header(&w, odd, "Host", c->to.port == (c->to.secure ? 443u : 80u) ? c->to.host : arena_printf(a, "%s:%u", c->to.host, c->to.port));
    header(&w, odd, "Content-Type", "application/mapi-http");
    header(&w, odd, "X-RequestType", type);
    header(&w, odd, "X-RequestId", odd != NULL && odd->request_id != NULL ? odd->request_id : arena_printf(a, "{%s}:%u", guid, ++c->counter));
    header(&w, odd, "X-ClientInfo", arena_printf(a, "{%s}:1", guid));
    header(&w, odd, "X-ClientApplication", "Outlook/15.20.4000.1000");
    header(&w, odd, "Content-Length", arena_printf(a, "%zu", body.n));
    if (c->user != NULL)
        header(&w, odd, "Authorization", basic(a, c->user, c->password));
    header(&w, odd, "Cookie", cookies(c, a, odd));
    header(&w, odd, "X-Test-Route", route_of(c));
    if (odd != NULL && odd->extra != NULL)
        wr_put(&w, blob_str(odd->extra));
    wr_put(&w, blob_str("\r\n"));
    wr_put(&w, body);
    return wr_blob(&w);
}

bool mapic_send(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, const char **why)
{
    c->to.timeout_ms = c->timeout_ms;
    c->to.deadline = c->deadline;
    c->status = 0;
    c->code = -1;
    if (c->conn == NULL && (c->conn = tls_connect(&c->to, a, why)) == NULL)
        return false;
    tls_deadline(c->conn, c->deadline);
    struct blob bytes = request(c, a, type, body, odd);
    if (tls_write(c->conn, bytes.p, bytes.n))
        return true;
    *why = "cannot send";
    mapic_close(c);
    return false;
}

/* --- receiving --------------------------------------------------------------------------------------------------------------------------- */

static void keep_cookie(const char *set, const char *name, char *to, size_t room)
{
    size_t n = strlen(name);
    if (strncmp(set, name, n) != 0 || set[n] != '=')
        return;
    snprintf(to, room, "%.*s", (int)strcspn(set + n + 1, ";"), set + n + 1);
}

static void keep_cookies(struct mapic *c, const struct http_reply *r)
{
    for (size_t i = 0; i < r->headers; i++)
        if (strcasecmp(r->header[i].name, "Set-Cookie") == 0) {
            keep_cookie(r->header[i].value, "MapiContext", c->context, sizeof c->context);
            keep_cookie(r->header[i].value, "MapiSequence", c->sequence, sizeof c->sequence);
        }
}

/* A line ended by CRLF of the inner stream; false if there is none. */
static bool inner_line(struct rd *r, struct arena *a, char **out)
{
    for (size_t i = 0; i + 1 < r->n; i++)
        if (r->p[i] == '\r' && r->p[i + 1] == '\n') {
            *out = arena_str(a, rd_blob(r, i));
            rd_take(r, 2);
            return true;
        }
    return false;
}

static void inner_headers(struct rd *r, struct arena *a, struct mapic_reply *out)
{
    for (char *l; inner_line(r, a, &l) && *l != '\0'; ) {
        char *colon = strchr(l, ':');
        if (colon == NULL || out->extras == sizeof out->extra / sizeof out->extra[0])
            continue;
        *colon = '\0';
        const char *value = colon + 1 + strspn(colon + 1, " ");
        out->extra[out->extras++] = (struct http_header){ l, value };
        if (strcasecmp(l, "X-ResponseCode") == 0)
            out->code = (int)strtol(value, NULL, 10);
    }
}

static void inner_stream(struct arena *a, struct mapic_reply *out)
{
    struct rd r = rd_blob_of(out->http.body);
    char *l;
    while (r.n >= 4 && (memcmp(r.p, "PROC", 4) == 0 || memcmp(r.p, "PEND", 4) == 0 || memcmp(r.p, "DONE", 4) == 0) && inner_line(&r, a, &l)) {
        if (strcmp(l, "PROCESSING") == 0)
            out->processing = true;
        else if (strcmp(l, "PENDING") == 0)
            out->pending++;
        else {
            out->done = true;
            inner_headers(&r, a, out);
            break;
        }
    }
    out->body = rd_rest(&r);
}

static const char *worker_of(const struct http_reply *r)
{
    static const char *const names[] = { "X-Mapihttpd-Worker", "X-CalculatedBETarget", "X-ServerInfo", "X-DiagInfo" };
    const char *v = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && v == NULL; i++)
        v = http_header(r, names[i]);
    return v;
}

bool mapic_recv(struct mapic *c, struct arena *a, struct mapic_reply *out, const struct mapic_odd *odd, const char **why)
{
    *out = (struct mapic_reply){ .code = -1 };
    bool head = odd != NULL && odd->verb != NULL && strcmp(odd->verb, "HEAD") == 0;
    if (!(head ? http_read_head(c->conn, a, &out->http, why)
               : http_read(c->conn, a, &out->http, odd != NULL ? odd->piece : NULL, odd != NULL ? odd->ctx : NULL, why))) {
        mapic_close(c);
        return false;
    }
    const char *code = http_header(&out->http, "X-ResponseCode"), *worker = worker_of(&out->http);
    if (code != NULL)
        out->code = (int)strtol(code, NULL, 10);
    if (c->nturns > 1 && c->route == NULL && (worker == NULL || strcmp(worker, c->worker) == 0)) {
        *why = "the same worker answered twice in a row";
        return false;
    }
    snprintf(c->worker, sizeof c->worker, "%s", worker != NULL ? worker : "");
    if (odd == NULL || !odd->keep_cookies)
        keep_cookies(c, &out->http);
    inner_stream(a, out);
    c->status = out->http.status;
    c->code = out->code;
    if (!out->http.keep)
        mapic_close(c);
    return true;
}

static bool call_once(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, struct mapic_reply *out, const char **why)
{
    bool kept = c->conn != NULL;
    if (mapic_send(c, a, type, body, odd, why) && mapic_recv(c, a, out, odd, why))
        return true;
    /* only a connection that was idle before may have been closed by the server's idle timer */
    return kept && out->http.status == 0 && mapic_send(c, a, type, body, odd, why) && mapic_recv(c, a, out, odd, why);
}

bool mapic_call(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, struct mapic_reply *out,
                const char **why)
{
    for (unsigned left = c->resends;; left--, c->resent++) {
        bool ok = call_once(c, a, type, body, odd, out, why);
        if ((ok && out->http.status != 502) || left == 0 || (c->deadline != 0 && clock_ms() >= c->deadline))
            return ok;
        mapic_close(c);
        usleep(50000);
    }
}

/* --- bodies ------------------------------------------------------------------------------------------------------------------------------ */

struct blob mapic_connect_body(struct arena *a, const char *user_dn)
{
    struct wr w = wr_in(a, 65536);
    wr_bytes(&w, user_dn, strlen(user_dn) + 1);
    wr_u32(&w, 0);              /* Flags */
    wr_u32(&w, 1252);           /* DefaultCodePage */
    wr_u32(&w, 0x0409);         /* LcidSort */
    wr_u32(&w, 0x0409);         /* LcidString */
    wr_u32(&w, 0);              /* AuxiliaryBufferSize */
    return wr_blob(&w);
}

struct blob mapic_execute_body(struct arena *a, struct blob rop_buffer, uint32_t flags, uint32_t max_out)
{
    struct wr w = wr_in(a, rop_buffer.n + 64);
    wr_u32(&w, flags);
    wr_u32(&w, (uint32_t)rop_buffer.n);
    wr_put(&w, rop_buffer);
    wr_u32(&w, max_out);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

uint32_t mapic_connect(struct mapic *c, struct arena *a, const char *user_dn, struct mapic_reply *out, const char **why)
{
    if (!mapic_call(c, a, "Connect", mapic_connect_body(a, user_dn), NULL, out, why))
        return UINT32_MAX;
    struct rd r = rd_blob_of(out->body);
    uint32_t status = rd_u32(&r), error = rd_u32(&r);
    *why = out->code != 0 ? "Connect was refused" : NULL;
    return out->code != 0 || !rd_ok(&r) ? UINT32_MAX : status != 0 ? status : error;
}

bool mapic_disconnect(struct mapic *c, struct arena *a, struct mapic_reply *out, const char **why)
{
    static const uint8_t no_aux[4];
    return mapic_call(c, a, "Disconnect", blob_of(no_aux, sizeof no_aux), NULL, out, why);
}

/* --- NotificationWait ------------------------------------------------------------------------------------------------------------------- */

void mapic_beside(struct mapic *out, const struct mapic *session)
{
    *out = *session;
    out->conn = NULL;
    out->counter += 1000000; /* X-RequestIds of its own */
    out->nturns = 0;
}

struct blob mapic_wait_body(struct arena *a, uint32_t flags)
{
    struct wr w = wr_in(a, 8);
    wr_u32(&w, flags);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

bool mapic_event_pending(const struct mapic_reply *r, uint32_t *pending)
{
    struct rd body = rd_blob_of(r->body);
    uint32_t status = rd_u32(&body), error = rd_u32(&body);
    *pending = rd_u32(&body);
    rd_blob(&body, rd_u32(&body));
    return r->code == 0 && rd_done(&body) && status == 0 && error == 0;
}
