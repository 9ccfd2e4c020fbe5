/* decode_capture.c - a captured file -> the body in it, its direction and its type. */
#include "deploy/mapictl/decode.h"
#include "backend/base/wr.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool begins(const struct rd *r, const char *word) { return r->n >= strlen(word) && memcmp(r->p, word, strlen(word)) == 0; }

/* Up to `end`, which is taken too. */
static struct blob take_until(struct rd *r, const char *end, const char *why)
{
    const uint8_t *at = r->n != 0 ? memmem(r->p, r->n, end, strlen(end)) : NULL;
    if (at == NULL) {
        rd_fail(r, why);
        return blob_of(NULL, 0);
    }
    struct blob b = rd_blob(r, (size_t)(at - r->p));
    rd_take(r, strlen(end));
    return b;
}

/* The value of a header; "" if it is not there. */
static const char *header(struct arena *a, struct blob head, const char *name)
{
    struct rd r = rd_blob_of(head);
    while (r.n > 0) {
        bool last = memmem(r.p, r.n, "\r\n", 2) == NULL;
        struct rd line = rd_blob_of(last ? rd_rest(&r) : take_until(&r, "\r\n", ""));
        struct blob key = memchr(line.p, ':', line.n) != NULL ? take_until(&line, ":", "") : blob_of(NULL, 0);
        if (key.n != strlen(name) || strncasecmp((const char *)key.p, name, key.n) != 0)
            continue;
        while (line.n > 0 && line.p[0] == ' ')
            rd_u8(&line);
        return arena_str(a, rd_rest(&line));
    }
    return "";
}

/* --- chunks (RFC 9112 7.1) ------------------------------------------------------------------------------------------------------------------ */

/* False: no chunk begins here. */
static bool chunk_size(struct rd *r, size_t *size)
{
    struct rd line = rd_blob_of(take_until(r, "\r\n", "a line of a chunk's size breaks off"));
    *size = 0;
    if (line.n == 0 || !isxdigit(line.p[0]))
        return false;
    while (line.n > 0 && isxdigit(line.p[0]) && *size < SIZE_MAX >> 8) {
        uint8_t c = rd_u8(&line);
        *size = *size * 16 + (size_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
}

/* What is there of the body, the part of a chunk that breaks off included. */
static void unchunk(struct arena *a, struct rd *r, struct blob *out)
{
    struct wr w = wr_in(a, r->n);
    size_t size = 1;
    while (rd_ok(r) && size != 0) {
        if (!chunk_size(r, &size)) {
            rd_fail(r, "no chunk where one must begin");
            break;
        }
        bool whole = size <= r->n;
        wr_put(&w, whole ? rd_blob(r, size) : rd_rest(r));
        if (!whole)
            rd_fail(r, "a chunk breaks off");
        if (size != 0)
            rd_take(r, 2);
    }
    *out = wr_blob(&w);
}

/* --- what it is ------------------------------------------------------------------------------------------------------------------------------ */

/* The head of an HTTP message, as tools save it; *chunked: how its body goes on. */
static void http_head(struct arena *a, struct rd *r, struct decode_capture *out, bool *chunked)
{
    bool request = begins(r, "POST ");
    *chunked = false;
    if (!request && !begins(r, "HTTP/1."))
        return;
    struct blob head = take_until(r, "\r\n\r\n", "the head of the message has no end");
    const char *first = arena_str(a, blob_of(head.p, head.n < 200 ? head.n : 200));
    out->told = true;
    out->answer = !request;
    out->type = header(a, head, "X-RequestType");
    out->book = request && strstr(first, "/mapi/nspi") != NULL;
    *chunked = strcasecmp(header(a, head, "Transfer-Encoding"), "chunked") == 0;
}

/* PROCESSING, any number of PENDING, DONE, some headers, an empty line. */
static void meta_tags(struct rd *r, struct decode_capture *out)
{
    if (!begins(r, "PROCESSING\r\n"))
        return;
    out->told = out->answer = true;
    take_until(r, "\r\n\r\n", "the lines after PROCESSING have no end");
}

bool decode_capture(struct arena *a, struct blob file, struct decode_capture *out, const char **why, size_t *at)
{
    struct rd r = rd_blob_of(file), body;
    struct blob bytes = blob_of(NULL, 0);
    bool chunked;
    *out = (struct decode_capture){ .type = "" };
    http_head(a, &r, out, &chunked);
    if (!chunked)
        meta_tags(&r, out);
    if (chunked)
        unchunk(a, &r, &bytes);
    else
        bytes = rd_rest(&r);
    body = rd_blob_of(bytes);
    if (chunked)
        meta_tags(&body, out);
    out->body = rd_rest(&body);
    *why = r.err != NULL ? r.err : body.err;
    *at = r.err != NULL && file.n != 0 ? (size_t)(r.p - file.p) : 0;
    return *why == NULL;
}
