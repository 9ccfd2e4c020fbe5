/* fuzz_headers.c - parameters of a request from any bytes: one per line ("HTTP_COOKIE=..."), through everything that reads headers, and back into an
 * answer that must be well-formed whatever was sent. */
#include "fcgi/auth.h"
#include "fcgi/header.h"
#include "fcgi/record.h"
#include "fcgi/respond.h"
#include "backend/base/must.h"
#include "backend/base/rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { PARAMS_MOST = 64 };

static void split(struct arena *a, struct blob text, char *params[PARAMS_MOST + 1])
{
    size_t n = 0;
    struct rd r = rd_blob_of(text);
    while (r.n != 0 && n < PARAMS_MOST) {
        const uint8_t *end = memchr(r.p, '\n', r.n);
        params[n++] = arena_str(a, rd_blob(&r, end != NULL ? (size_t)(end - r.p) : r.n));
        rd_blob(&r, r.n != 0);
    }
    params[n] = NULL;
}

/* Lines of printable bytes, then an empty one: nothing that came in can have made a line of its own. */
static void check_head(struct blob head)
{
    size_t lines = 0;
    const char *at = memmem(head.p, head.n, "\r\n\r\n", 4);
    must(at != NULL);
    for (const uint8_t *p = head.p; (const char *)p < at; p++) {
        must(*p >= 0x20 || *p == '\r' || *p == '\n');
        must((*p == '\r') == (p[1] == '\n'));
        lines += *p == '\n';
    }
    must(lines < 16);
}

static void answer(const struct config *c, struct request *rq, const struct endpoint *e, enum xrc code, const char *why, struct arena *a)
{
    struct session_reply reply = { .code = code, .expiration_ms = 1, .diagnosis = why, .context_cookie = "c", .sequence_cookie = "s" };
    struct respond r = { .config = c, .rq = rq, .endpoint = e, .reply = &reply, .now_us = rq->begun_us };
    struct wr w = wr_in(a, RESPOND_HEAD_MOST), v = wr_in(a, RESPOND_HEAD_MOST), u = wr_in(a, RESPOND_HEAD_MOST);
    respond_whole(&r, respond_body(&r, a), &w);
    respond_status(&r, 401, "words", &v);
    respond_early(&r, &u);
    must(!w.full && !v.full && !u.full);
    check_head(wr_blob(&w));
    check_head(wr_blob(&v));
    check_head(wr_blob(&u));
}

/* A part lies in the file, and its head says so. */
static void part(const struct config *c, struct request *rq, struct arena *a)
{
    const struct range_file f = { 1000, "\"0123456789abcdef\"", 784111777 };
    const struct session_reply none = { .expiration_ms = -1 };
    struct respond r = { .config = c, .rq = rq, .reply = &none };
    struct range_part p = range_decide(rq, &f);
    struct wr w = wr_in(a, RESPOND_HEAD_MOST);
    must(p.status == 200 || p.status == 206 || p.status == 304 || p.status == 412 || p.status == 416);
    must(p.first <= f.size && p.n <= f.size - p.first && (p.status != 200 || p.n == f.size) && (p.status != 206 || p.n != 0) && (p.status < 300 || p.n == 0));
    respond_file(&r, &(struct respond_file){ p, f.size, "text/xml", f.etag, f.modified, true }, &w);
    must(!w.full);
    check_head(wr_blob(&w));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const char *why = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    const struct config *c = config_load(a, NULL, &why);
    char *params[PARAMS_MOST + 1];
    struct request rq = { 0 };
    const struct endpoint *e = NULL;
    const struct route *route = NULL;
    struct blob name, password;
    struct auth_reading reading[2];
    split(a, blob_of(p, n), params);
    request_read(&rq, a, params);
    if (rq.authorization != NULL && auth_basic(a, rq.authorization, &name, &password))
        auth_readings(a, name, password, reading);
    why = NULL;
    enum xrc code = header_check(&rq, 65536, a, &e, &route, &why);
    must(code != XRC_SUCCESS || (e != NULL && route != NULL));
    answer(c, &rq, e, code, why, a);
    part(c, &rq, a);
    record_params_end(blob_of(p, n));
    arena_free(a);
    return 0;
}
