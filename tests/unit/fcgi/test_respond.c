/* What goes to the client, byte by byte. */
#include "tests/unit.h"
#include "fcgi/respond.h"
#include "backend/base/config.h"

#define GUID "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}"

struct stage {
    struct arena        *a;
    struct config       *config;
    struct request       rq;
    struct session_reply reply;
    struct respond       r;
};

static struct stage stage(const char *type, bool chunked)
{
    const char *why = NULL;
    struct stage s = { .a = arena_new(SIZE_MAX) };
    s.config = config_load(s.a, NULL, &why);
    REQUIRE(s.config != NULL);
    s.rq = (struct request){ .type = type, .id = GUID ":1", .client_info = GUID "-5", .tls = true, .begun_us = 1000000, .begun = 1785616196 };
    s.reply = (struct session_reply){ .expiration_ms = 900000, .context_cookie = "ctx", .sequence_cookie = "seq", .body = blob_str("BODY") };
    s.r = (struct respond){ .config = s.config, .endpoint = route_endpoint("/mapi/emsmdb/"), .chunked = chunked, .now_us = 1012345 };
    return s;
}

static const char *text_of(struct stage *s, struct wr *w) { return arena_str(s->a, wr_blob(w)); }

static const char *whole(struct stage *s)
{
    struct wr w = wr_in(s->a, RESPOND_HEAD_MOST);
    s->r.rq = &s->rq;
    s->r.reply = &s->reply;
    struct blob body = respond_body(&s->r, s->a);
    respond_whole(&s->r, body, &w);
    wr_put(&w, body);
    return text_of(s, &w);
}

#define HEAD(type)                                                                                                        \
    "Content-Type: application/mapi-http\r\nCache-Control: private\r\nX-RequestType: " type "\r\nX-RequestId: " GUID ":1\r\n" \
    "X-ClientInfo: " GUID "-5\r\nX-ServerApplication: " RESPOND_SERVER_APPLICATION "\r\nX-ResponseCode: 0\r\n"               \
    "X-PendingPeriod: 30000\r\nX-ExpirationInfo: 900000\r\n"                                                                \
    "Set-Cookie: MapiContext=ctx; path=/mapi/emsmdb; secure; HttpOnly\r\n"                                                  \
    "Set-Cookie: MapiSequence=seq; path=/mapi/emsmdb; secure; HttpOnly\r\n"

TEST(fast_answer_with_length)
{
    struct stage s = stage("Connect", false);
    CHECK_STR(whole(&s), HEAD("Connect") "Content-Length: 87\r\n\r\n"
                         "PROCESSING\r\nDONE\r\nX-StartTime: Sat, 01 Aug 2026 20:29:56 GMT\r\nX-ElapsedTime: 12\r\n\r\nBODY");
    arena_free(s.a);
}

TEST(execute_has_no_length)
{
    struct stage s = stage("Execute", true);
    CHECK_STR(whole(&s), HEAD("Execute") "\r\n"
                         "PROCESSING\r\nDONE\r\nX-StartTime: Sat, 01 Aug 2026 20:29:56 GMT\r\nX-ElapsedTime: 12\r\n\r\nBODY");
    arena_free(s.a);
}

TEST(early_head_then_the_rest)
{
    struct stage s = stage("Execute", true);
    struct wr w = wr_in(s.a, RESPOND_HEAD_MOST), v = wr_in(s.a, RESPOND_HEAD_MOST);
    s.r.rq = &s.rq;
    s.r.reply = &s.reply;
    respond_early(&s.r, &w);
    CHECK_STR(text_of(&s, &w), HEAD("Execute") "X-Accel-Buffering: no\r\n\r\nPROCESSING\r\n");
    respond_rest(&s.r, &v);
    CHECK_STR(text_of(&s, &v), "DONE\r\nX-StartTime: Sat, 01 Aug 2026 20:29:56 GMT\r\nX-ElapsedTime: 12\r\n\r\n");
    arena_free(s.a);
}

/* MS-OXCMAPIHTTP R2229, R2230, R2232. */
TEST(late_failure)
{
    struct stage s = stage("Execute", true);
    struct wr w = wr_in(s.a, RESPOND_HEAD_MOST);
    s.reply.code = XRC_CONTEXT_NOT_FOUND;
    s.r.rq = &s.rq;
    s.r.reply = &s.reply;
    respond_rest(&s.r, &w);
    CHECK_STR(text_of(&s, &w), "DONE\r\nX-StartTime: Sat, 01 Aug 2026 20:29:56 GMT\r\nX-ElapsedTime: 12\r\nX-ResponseCode: 10\r\n"
                               "Content-Type: text/html\r\n\r\n");
    CHECK(memmem(respond_body(&s.r, s.a).p, respond_body(&s.r, s.a).n, "X-ResponseCode 10", 17) != NULL);
    arena_free(s.a);
}

TEST(failure_page)
{
    struct stage s = stage("Execute", true);
    s.reply = (struct session_reply){ .code = XRC_INVALID_HEADER, .expiration_ms = -1, .diagnosis = "<b>\"&" };
    s.rq.tls = false;
    const char *text = whole(&s);
    CHECK(strstr(text, "Content-Type: text/html\r\n") == text);
    CHECK(strstr(text, "\r\nX-ResponseCode: 4\r\n") != NULL);
    CHECK(strstr(text, "\r\nX-RequestId: " GUID ":1\r\n") != NULL);
    CHECK(strstr(text, "&lt;b&gt;&quot;&amp;</p>") != NULL);
    CHECK(strstr(text, "X-PendingPeriod") == NULL);
    CHECK(strstr(text, "X-ExpirationInfo") == NULL);
    CHECK(strstr(text, "Set-Cookie") == NULL);
    CHECK(strstr(text, "PROCESSING") == NULL);
    const char *body = strstr(text, "\r\n\r\n");
    char length[64];
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(body) - 4);
    CHECK(strstr(text, length) != NULL);
    arena_free(s.a);
}

TEST(cookies_by_endpoint_and_transport)
{
    struct stage s = stage("PING", false);
    s.rq.tls = false;
    s.reply.sequence_cookie = NULL;
    s.r.endpoint = route_endpoint("/mapi/nspi/");
    CHECK(strstr(whole(&s), "Set-Cookie: MapiContext=ctx; path=/mapi/nspi; HttpOnly\r\n") != NULL);
    CHECK(strstr(whole(&s), "MapiSequence") == NULL);
    arena_free(s.a);
}

TEST(nothing_is_echoed_that_could_break_a_header)
{
    char large[600];
    memset(large, 'a', sizeof large);
    large[sizeof large - 1] = '\0';
    struct stage s = stage("PING\r\nX-Evil: 1", false);
    s.rq.id = "a\nb";
    s.rq.client_info = large;
    const char *text = whole(&s);
    CHECK(strstr(text, "X-Evil") == NULL);
    CHECK(strstr(text, "X-RequestId") == NULL);
    CHECK(strstr(text, "X-ClientInfo") == NULL);
    arena_free(s.a);
}

static const char *status(struct stage *s, int code)
{
    struct wr w = wr_in(s->a, RESPOND_HEAD_MOST);
    s->r.rq = &s->rq;
    s->r.reply = &s->reply;
    respond_status(&s->r, code, "words", &w);
    return text_of(s, &w);
}

TEST(unauthorized)
{
    struct stage s = stage("Connect", false);
    s.config->auth_realm = "our \"mail\"\r\n\\";
    const char *text = status(&s, 401);
    CHECK(strncmp(text, "Status: 401 Unauthorized\r\n", 26) == 0);
    CHECK(strstr(text, "\r\nWWW-Authenticate: Basic realm=\"our mail\", charset=\"UTF-8\"\r\n") != NULL);
    CHECK(strstr(text, "X-ResponseCode") == NULL);
    CHECK(strstr(text, "Set-Cookie") == NULL);
    CHECK(strstr(text, "\r\nContent-Length: 40\r\n\r\n<html><body><p>words</p></body></html>\r\n") != NULL);
    CHECK(strstr(status(&s, 503), "Retry-After: 5\r\n") != NULL);
    CHECK(strstr(status(&s, 503), "WWW-Authenticate") == NULL);
    arena_free(s.a);
}

TEST(worker_name_only_when_set)
{
    struct stage s = stage("PING", false);
    CHECK(strstr(whole(&s), "X-Mapihttpd-Worker") == NULL);
    s.config->worker_name = "w1";
    CHECK(strstr(whole(&s), "\r\nX-Mapihttpd-Worker: w1\r\n") != NULL);
    arena_free(s.a);
}

/* The largest values that the checks let through fit into the head that the timer writes. */
TEST(largest_head_fits)
{
    char large[257];
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    struct stage s = stage(large, true);
    s.rq.id = s.rq.client_info = large;
    s.config->worker_name = s.reply.context_cookie = s.reply.sequence_cookie = large;
    struct wr w = wr_in(s.a, RESPOND_HEAD_MOST);
    s.r.rq = &s.rq;
    s.r.reply = &s.reply;
    respond_early(&s.r, &w);
    CHECK(!w.full);
    arena_free(s.a);
}

/* X-ServerApplication has the form that clients match. */
TEST(server_application_form)
{
    const char *v = RESPOND_SERVER_APPLICATION;
    CHECK(strncmp(v, "Exchange/15.20.", 15) == 0 && strlen(v) == 23 && v[19] == '.');
    CHECK_INT(strspn(v + 15, "0123456789"), 4);
    CHECK_INT(strspn(v + 20, "0123456789"), 3);
}

static const char *file_head(struct stage *s, struct range_part part, bool changes, time_t modified)
{
    struct wr w = wr_in(s->a, RESPOND_HEAD_MOST);
    s->r = (struct respond){ .config = s->config, .rq = &s->rq, .reply = &s->reply };
    s->rq = (struct request){ 0 };
    respond_file(&s->r, &(struct respond_file){ part, 1000, "application/octet-stream", "\"ab\"", modified, changes }, &w);
    return text_of(s, &w);
}

TEST(heads_of_files)
{
    struct stage s = stage("", false);
#define COMMON(status, more) "Status: " status "\r\nCache-Control: private\r\nX-ServerApplication: " RESPOND_SERVER_APPLICATION "\r\n" more "ETag: \"ab\"\r\n"
#define DATED "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nAccept-Ranges: bytes\r\n"
    CHECK_STR(file_head(&s, (struct range_part){ 200, 0, 1000 }, false, 784111777),
              COMMON("200 OK", "") DATED "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n");
    CHECK_STR(file_head(&s, (struct range_part){ 206, 10, 5 }, false, 784111777),
              COMMON("206 Partial Content", "") DATED "Content-Range: bytes 10-14/1000\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\n");
    CHECK_STR(file_head(&s, (struct range_part){ .status = 416 }, false, 784111777),
              COMMON("416 Range Not Satisfiable", "") DATED "Content-Range: bytes */1000\r\nContent-Length: 0\r\n\r\n");
    CHECK_STR(file_head(&s, (struct range_part){ .status = 412 }, false, 784111777), COMMON("412 Precondition Failed", "") DATED "Content-Length: 0\r\n\r\n");
    CHECK_STR(file_head(&s, (struct range_part){ .status = 304 }, true, 0), COMMON("304 Not Modified", "Cache-Control: no-cache\r\n") "Accept-Ranges: bytes\r\n\r\n");
    arena_free(s.a);
}
