/* http.c - status line, headers, body: by length, by chunks, or to the end. */
#include "tests/client/http.h"
#include "backend/base/wr.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct in { struct tls *t; struct arena *a; uint8_t buf[65536]; size_t at, end; const char *why; };

static bool fill(struct in *in)
{
    ssize_t n = tls_read(in->t, in->buf, sizeof in->buf);
    if (n <= 0) {
        in->why = n == 0 ? "the server closed the connection" : "no answer in time, or the connection broke";
        return false;
    }
    in->at = 0;
    in->end = (size_t)n;
    return true;
}

/* A line without its CRLF, or NULL. */
static char *line(struct in *in)
{
    struct wr w = wr_in(in->a, 65536);
    for (;;) {
        if (in->at == in->end && !fill(in))
            return NULL;
        uint8_t c = in->buf[in->at++];
        if (c == '\n')
            break;
        wr_u8(&w, c);
        if (w.full) {
            in->why = "a header line is too long";
            return NULL;
        }
    }
    size_t n = w.n > 0 && w.p[w.n - 1] == '\r' ? w.n - 1 : w.n;
    return arena_str(in->a, blob_of(w.p, n));
}

static bool take(struct in *in, struct wr *body, size_t n, http_piece piece, void *ctx)
{
    size_t start = body->n, want = n;
    while (n > 0) {
        if (in->at == in->end && !fill(in))
            return false;
        size_t some = in->end - in->at < n ? in->end - in->at : n;
        wr_bytes(body, in->buf + in->at, some);
        in->at += some;
        n -= some;
    }
    if (piece != NULL && !body->full)
        piece(ctx, blob_of(body->p + start, want));
    return !body->full;
}

static bool chunks(struct in *in, struct http_reply *r, struct wr *body, http_piece piece, void *ctx)
{
    for (;;) {
        char *size = line(in), *end;
        if (size == NULL)
            return false;
        unsigned long n = strtoul(size, &end, 16);
        if (end == size) {
            in->why = "a chunk without a size";
            return false;
        }
        if (n == 0)
            break;
        r->chunks++;
        if (!take(in, body, n, piece, ctx) || line(in) == NULL)
            return false;
    }
    for (char *l; (l = line(in)) != NULL; )
        if (*l == '\0')
            return true;
    return false;
}

static bool head(struct in *in, struct http_reply *r)
{
    char *l = line(in);
    int   minor;
    if (l == NULL)
        return false;
    if (sscanf(l, "HTTP/1.%d %d", &minor, &r->status) != 2) {
        in->why = "not an HTTP answer";
        return false;
    }
    r->content_length = -1;
    r->keep = true;
    while ((l = line(in)) != NULL && *l != '\0') {
        char *colon = strchr(l, ':');
        if (colon == NULL)
            continue;
        *colon = '\0';
        r->header = arena_grow(in->a, r->header, &r->cap, r->headers, sizeof *r->header);
        r->header[r->headers++] = (struct http_header){ l, colon + 1 + strspn(colon + 1, " ") };
    }
    return l != NULL;
}

const char *http_header(const struct http_reply *r, const char *name)
{
    for (size_t i = 0; i < r->headers; i++)
        if (strcasecmp(r->header[i].name, name) == 0)
            return r->header[i].value;
    return NULL;
}

static void framing(struct http_reply *r)
{
    const char *te = http_header(r, "Transfer-Encoding"), *cl = http_header(r, "Content-Length"), *c = http_header(r, "Connection");
    r->chunked = te != NULL && strcasecmp(te, "chunked") == 0;
    r->content_length = cl != NULL ? strtoll(cl, NULL, 10) : -1;
    r->keep = c == NULL || strcasecmp(c, "close") != 0;
}

static bool to_the_end(struct in *in, struct wr *body)
{
    do {
        wr_bytes(body, in->buf + in->at, in->end - in->at);
        in->at = in->end;
    } while (!body->full && fill(in));
    return !body->full;
}

bool http_read_head(struct tls *t, struct arena *a, struct http_reply *out, const char **why)
{
    struct in *in = arena_one(a, struct in);
    in->t = t;
    in->a = a;
    *out = (struct http_reply){ 0 };
    bool ok = head(in, out);
    if (ok)
        framing(out);
    *why = ok ? NULL : in->why;
    return ok;
}

bool http_read(struct tls *t, struct arena *a, struct http_reply *out, http_piece piece, void *ctx, const char **why)
{
    struct in *in = arena_one(a, struct in);
    struct wr body = wr_in(a, 64u << 20);
    in->t = t;
    in->a = a;
    *out = (struct http_reply){ 0 };
    bool ok = head(in, out);
    if (ok) {
        framing(out);
        ok = out->chunked ? chunks(in, out, &body, piece, ctx)
           : out->content_length >= 0 ? take(in, &body, (size_t)out->content_length, piece, ctx)
           : out->status == 204 || out->status == 304 || to_the_end(in, &body);
    }
    out->body = wr_blob(&body);
    *why = ok ? NULL : in->why != NULL ? in->why : "the answer is too large";
    return ok;
}
