/* respond.c - an outcome becomes header lines and meta-tags. */
#include "fcgi/respond.h"
#include "fcgi/header.h"
#include "backend/base/filetime.h"
#include <stdio.h>

static void put(struct wr *w, const char *s) { wr_bytes(w, s, strlen(s)); }

static void put_number(struct wr *w, uint64_t v)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    wr_bytes(w, digits + at, sizeof digits - at);
}

static void line(struct wr *w, const char *name, const char *value)
{
    put(w, name);
    put(w, ": ");
    put(w, value);
    put(w, "\r\n");
}

static void number_line(struct wr *w, const char *name, uint64_t v)
{
    put(w, name);
    put(w, ": ");
    put_number(w, v);
    put(w, "\r\n");
}

static void range_line(struct wr *w, uint64_t first, uint64_t n, uint64_t size)
{
    put(w, "Content-Range: bytes ");
    put_number(w, first);
    put(w, "-");
    put_number(w, first + n - 1);
    put(w, "/");
    put_number(w, size);
    put(w, "\r\n");
}

static void unsatisfied_line(struct wr *w, uint64_t size)
{
    put(w, "Content-Range: bytes */");
    put_number(w, size);
    put(w, "\r\n");
}

/* What the client sent comes back as it was, unless it could break the header apart. */
static void echo(struct wr *w, const char *name, const char *value)
{
    if (value != NULL && header_plain(value))
        line(w, name, value);
}

static void set_cookie(const struct respond *r, struct wr *w, const char *name, const char *value)
{
    if (value == NULL || r->endpoint == NULL)
        return;
    put(w, "Set-Cookie: ");
    put(w, name);
    put(w, "=");
    put(w, value);
    put(w, "; path=");
    put(w, r->endpoint->cookie_path);
    put(w, r->rq->tls ? "; secure; HttpOnly\r\n" : "; HttpOnly\r\n"); /* over plain HTTP a secure cookie would silently disappear in the client */
}

/* Lines of every answer, good or bad. */
static void put_common(const struct respond *r, struct wr *w)
{
    line(w, "Cache-Control", "private");
    if (r->greeting != NULL)
        put(w, r->greeting);
    echo(w, "X-RequestType", r->rq->type);
    echo(w, "X-RequestId", r->rq->id);
    echo(w, "X-ClientInfo", r->rq->client_info);
    line(w, "X-ServerApplication", RESPOND_SERVER_APPLICATION);
    if (*r->config->worker_name != '\0')
        line(w, "X-Mapihttpd-Worker", r->config->worker_name);
}

static void put_head(const struct respond *r, struct wr *w, enum xrc code)
{
    line(w, "Content-Type", code == XRC_SUCCESS ? "application/mapi-http" : "text/html");
    put_common(r, w);
    number_line(w, "X-ResponseCode", code);
    if (code == XRC_SUCCESS)
        number_line(w, "X-PendingPeriod", r->config->pending_period);
    if (r->reply->expiration_ms >= 0)
        number_line(w, "X-ExpirationInfo", (uint64_t)r->reply->expiration_ms);
    set_cookie(r, w, REQUEST_CONTEXT_COOKIE, r->reply->context_cookie);
    set_cookie(r, w, REQUEST_SEQUENCE_COOKIE, r->reply->sequence_cookie);
}

void respond_early(const struct respond *r, struct wr *w)
{
    put_head(r, w, XRC_SUCCESS);
    put(w, "X-Accel-Buffering: no\r\n\r\nPROCESSING\r\n"); /* nginx passes each flush on at once */
}

static void put_done(const struct respond *r, struct wr *w)
{
    char date[HTTP_DATE];
    put(w, "DONE\r\n");
    line(w, "X-StartTime", http_date(r->rq->begun, date));
    number_line(w, "X-ElapsedTime", (r->now_us - r->rq->begun_us) / 1000);
}

void respond_rest(const struct respond *r, struct wr *w)
{
    put_done(r, w);
    if (r->reply->code != XRC_SUCCESS) {
        number_line(w, "X-ResponseCode", r->reply->code);
        line(w, "Content-Type", "text/html");
    }
    put(w, "\r\n");
}

void respond_whole(const struct respond *r, struct blob body, struct wr *w)
{
    uint8_t tags[256];
    struct wr t = wr_over(tags, sizeof tags);
    if (r->reply->code == XRC_SUCCESS) {
        put(&t, "PROCESSING\r\n");
        put_done(r, &t);
        put(&t, "\r\n");
    }
    put_head(r, w, r->reply->code);
    if (!r->chunked || r->reply->code != XRC_SUCCESS)
        number_line(w, "Content-Length", t.n + body.n);
    put(w, "\r\n");
    wr_put(w, wr_blob(&t));
}

/* --- pages --------------------------------------------------------------------------------------------------------- */

static const char *escaped(struct arena *a, const char *text)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<': put(&w, "&lt;"); break;
        case '>': put(&w, "&gt;"); break;
        case '&': put(&w, "&amp;"); break;
        case '"': put(&w, "&quot;"); break;
        default:  wr_u8(&w, (uint8_t)*text); break;
        }
    }
    return arena_str(a, wr_blob(&w));
}

struct blob respond_body(const struct respond *r, struct arena *a)
{
    if (r->reply->code == XRC_SUCCESS)
        return r->reply->body;
    const char *words = xrc_words(r->reply->code), *more = r->reply->diagnosis;
    return blob_str(arena_printf(a, "<html><head><title>MAPI over HTTP</title></head><body><p>X-ResponseCode %d: %s%s%s</p></body></html>\r\n",
                                 (int)r->reply->code, words, more != NULL ? ": " : "", more != NULL ? escaped(a, more) : ""));
}

static const char *status_words(int status)
{
    switch (status) {
    case 200: return "200 OK";
    case 206: return "206 Partial Content";
    case 303: return "303 See Other";
    case 304: return "304 Not Modified";
    case 400: return "400 Bad Request";
    case 401: return "401 Unauthorized";
    case 403: return "403 Forbidden";
    case 404: return "404 Not Found";
    case 405: return "405 Method Not Allowed";
    case 412: return "412 Precondition Failed";
    case 416: return "416 Range Not Satisfiable";
    case 503: return "503 Service Unavailable";
    default:  return "500 Internal Server Error";
    }
}

/* A realm is a quoted string. */
static void put_challenge(const struct respond *r, struct wr *w)
{
    if (r->challenge != NULL) {
        put(w, r->challenge);
        return;
    }
    put(w, "WWW-Authenticate: Basic realm=\"");
    for (const char *p = r->config->auth_realm; *p != '\0'; p++)
        if (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
            wr_u8(w, (uint8_t)*p);
    put(w, "\", charset=\"UTF-8\"\r\n");
}

void respond_status(const struct respond *r, int status, const char *words, struct wr *w)
{
    line(w, "Status", status_words(status));
    line(w, "Content-Type", "text/html");
    put_common(r, w);
    if (status == 401)
        put_challenge(r, w);
    if (status == 405)
        line(w, "Allow", "GET, HEAD");
    if (status == 503)
        line(w, "Retry-After", "5");
    number_line(w, "Content-Length", strlen(words) + strlen("<html><body><p></p></body></html>\r\n"));
    put(w, "\r\n<html><body><p>");
    put(w, words);
    put(w, "</p></body></html>\r\n");
}

void respond_html(int status, const char *more, struct blob html, struct wr *w)
{
    line(w, "Status", status_words(status));
    line(w, "Content-Type", "text/html; charset=utf-8");
    put(w, more);
    number_line(w, "Content-Length", html.n);
    put(w, "\r\n");
    wr_put(w, html);
}

void respond_file(const struct respond *r, const struct respond_file *f, struct wr *w)
{
    char date[HTTP_DATE];
    line(w, "Status", status_words(f->part.status));
    put_common(r, w);
    if (f->changes)
        line(w, "Cache-Control", "no-cache");
    line(w, "ETag", f->etag);
    if (f->modified != 0)
        line(w, "Last-Modified", http_date(f->modified, date));
    line(w, "Accept-Ranges", "bytes");
    if (f->part.status == 206)
        range_line(w, f->part.first, f->part.n, f->size);
    if (f->part.status == 416)
        unsatisfied_line(w, f->size);
    if (f->part.n != 0)
        line(w, "Content-Type", f->type);
    if (f->part.status != 304)
        number_line(w, "Content-Length", f->part.n);
    put(w, "\r\n");
}

void respond_text(int status, const char *content_type, struct blob text, struct wr *w)
{
    line(w, "Status", status_words(status));
    line(w, "Content-Type", content_type);
    line(w, "Cache-Control", "no-store");
    number_line(w, "Content-Length", text.n);
    put(w, "\r\n");
    wr_put(w, text);
}
