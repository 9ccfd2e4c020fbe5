/* test_transport.c - what the front decides by itself, through a real nginx: verbs, paths, headers, sizes, identity.  MS-OXCMAPIHTTP 2.2.2, 2.2.3, 3.2.5. */
#include "backend/base/filetime.h"
#include "tests/flow/walk.h"
#include <stdio.h>
#include <unistd.h>

static const uint8_t nothing[1];

struct caller { struct stack *st; struct arena *a; struct mapic c; struct mapic_reply r; };

static void begin(struct caller *k)
{
    k->st = stack_shared();
    k->a = arena_new(SIZE_MAX);
    stack_client(k->st, &k->c, &k->st->ana);
}

static void end(struct caller *k)
{
    mapic_close(&k->c);
    arena_free(k->a);
}

/* X-ResponseCode of a request; -1 none, -2 no answer. */
static int code(struct caller *k, const char *type, struct blob body, const struct mapic_odd *odd)
{
    const char *why = NULL;
    if (mapic_call(&k->c, k->a, type, body, odd, &k->r, &why))
        return k->r.code;
    fprintf(stderr, "%s: %s\n", type, why);
    return -2;
}

static const char *head(struct caller *k, const char *name)
{
    const char *v = http_header(&k->r.http, name);
    return v != NULL ? v : "";
}

#define CODE(k, type, want, ...) CHECK_INT(code((k), (type), blob_of(nothing, 0), &(struct mapic_odd){ __VA_ARGS__ }), (want))

/* A PING outside of any session works on both endpoints and sets no cookies. */
TEST(ping_on_both_endpoints)
{
    static const char *const paths[] = { "/mapi/emsmdb/", "/mapi/nspi/", "/mapi/emsmdb", "/MAPI/nspi/" };
    struct caller k;
    begin(&k);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        CODE(&k, "PING", 0, .path = paths[i]);
        CHECK_INT(k.r.http.status, 200);
        CHECK(k.r.processing && k.r.done);
        CHECK_INT(k.r.body.n, 0);
        CHECK_STR(head(&k, "Set-Cookie"), "");
        CHECK_STR(head(&k, "Content-Type"), "application/mapi-http");
        CHECK_STR(head(&k, "X-PendingPeriod"), "30000");
        CHECK(!k.r.http.chunked && k.r.http.content_length > 0);
    }
    end(&k);
}

TEST(headers_of_every_answer)
{
    struct caller k;
    begin(&k);
    CODE(&k, "PING", 0, .request_id = "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456");
    CHECK_STR(head(&k, "X-RequestId"), "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456");
    CHECK_STR(head(&k, "X-RequestType"), "PING");
    CHECK_STR(head(&k, "X-ResponseCode"), "0");
    CHECK(strncmp(head(&k, "X-ServerApplication"), "Exchange/15.20.", 15) == 0);
    CHECK(strchr(head(&k, "X-ClientInfo"), '{') != NULL);
    CHECK_STR(head(&k, "X-DeviceInfo"), "");
    CHECK_INT(k.r.extras, 2);
    CHECK_STR(k.r.extra[0].name, "X-StartTime");
    CHECK_STR(k.r.extra[1].name, "X-ElapsedTime");
    CHECK_INT(strlen(k.r.extra[0].value), 29);
    CODE(&k, "ping", 0, .extra = "X-DeviceInfo: middle box\r\nx-ms-cookieuri-requested: t\r\nx-featureversion: 1\r\nAccept: application/mapi-http\r\n");
    CHECK_STR(head(&k, "X-RequestType"), "ping"); /* as it was sent */
    CHECK_STR(head(&k, "X-DeviceInfo"), "");
    CODE(&k, "Nonsense", 5, .request_id = "e2ea6c1c-e61b-49e9-9cfb-38184f907552-7");
    CHECK_STR(head(&k, "X-RequestId"), "e2ea6c1c-e61b-49e9-9cfb-38184f907552-7");
    CHECK_STR(head(&k, "X-RequestType"), "Nonsense");
    CHECK(strncmp(head(&k, "X-ServerApplication"), "Exchange/15.20.", 15) == 0);
    end(&k);
}

/* Failures are HTTP 200 with a code, text/html and words. */
static void failure_form(struct caller *k)
{
    CHECK_INT(k->r.http.status, 200);
    CHECK_STR(head(k, "Content-Type"), "text/html");
    CHECK(k->r.http.body.n > 20 && k->r.http.content_length == (int64_t)k->r.http.body.n);
    CHECK(!k->r.processing);
    CHECK_STR(head(k, "Set-Cookie"), "");
}

TEST(verbs_and_paths)
{
    static const char *const verbs[] = { "GET", "PUT", "DELETE", "OPTIONS", "RPC_IN_DATA" };
    struct caller k;
    begin(&k);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        CODE(&k, "PING", 2, .verb = verbs[i]);
        failure_form(&k);
    }
    CODE(&k, "PING", 2, .verb = "GET", .path = "/mapi/other/"); /* the verb comes first */
    CODE(&k, "PING", 3, .path = "/mapi/other/");
    failure_form(&k);
    CODE(&k, "PING", 3, .path = "/mapi/emsmdb/more");
    CODE(&k, "PING", 3, .path = "/mapi/other/", .without = "X-RequestId"); /* the path before the headers */
    CODE(&k, "PING", 0, .path = "/mapi/x/../emsmdb/");
    end(&k);
}

TEST(required_headers)
{
    static const char *const required[] = { "Content-Type", "Content-Length", "X-RequestType", "X-RequestId" };
    struct caller k;
    begin(&k);
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        CODE(&k, "PING", 7, .without = required[i]);
        failure_form(&k);
    }
    CODE(&k, "Nonsense", 7, .without = "X-RequestId");       /* before the type */
    CODE(&k, "PING", 7, .without = "X-RequestId", .extra = "X-RequestType: PING\r\n"); /* before the syntax */
    CODE(&k, "PING", 0, .without = "X-ClientInfo");
    CODE(&k, "PING", 0, .without = "X-ClientApplication");
    end(&k);
}

TEST(header_syntax)
{
    char large[400];
    snprintf(large, sizeof large, "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:%0300d", 1);
    struct caller k;
    begin(&k);
    CODE(&k, "PING", 4, .request_id = "one");
    failure_form(&k);
    CODE(&k, "PING", 4, .request_id = "");
    CODE(&k, "PING", 4, .request_id = large);
    CHECK_STR(head(&k, "X-RequestId"), "");
    CODE(&k, "PING", 4, .extra = "X-RequestType: PING\r\n"); /* twice */
    CODE(&k, "Nonsense", 4, .request_id = "one");            /* before the type */
    CODE(&k, "PING", 0, .request_id = "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:1"); /* and again: ids are not checked to grow */
    CODE(&k, "PING", 0, .request_id = "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:1");
    end(&k);
}

TEST(request_types)
{
    struct caller k;
    begin(&k);
    CODE(&k, "Nonsense", 5, .path = NULL);
    failure_form(&k);
    CODE(&k, "", 5, .path = NULL);
    CODE(&k, "Bind", 5, .path = NULL);                      /* of the other endpoint */
    CODE(&k, "Execute", 5, .path = "/mapi/nspi/");
    CODE(&k, "CompareMinIds", 5, .path = "/mapi/nspi/");
    CODE(&k, "Bind", 12, .path = "/mapi/nspi/");            /* known, but not without a body */
    failure_form(&k);
    end(&k);
}

TEST(sizes)
{
    struct caller k;
    begin(&k);
    size_t most = k.st->config->request_max;
    void *large = arena_alloc(k.a, most + 1);
    CHECK_INT(code(&k, "PING", blob_of(large, most + 1), NULL), 9);
    failure_form(&k);
    CHECK_INT(code(&k, "PING", blob_of(large, most), NULL), 0);
    CHECK_INT(code(&k, "Nonsense", blob_of(large, most + 1), NULL), 5); /* the type before the size */
    CHECK_INT(code(&k, "PING", blob_of(nothing, 0), NULL), 0);
    end(&k);
}

/* A request in chunks has no Content-Length; its body is as good. */
TEST(chunked_requests)
{
    struct caller k;
    begin(&k);
    CHECK_INT(code(&k, "PING", blob_str("3\r\nabc\r\n0\r\n\r\n"),
                   &(struct mapic_odd){ .without = "Content-Length", .extra = "Transfer-Encoding: chunked\r\n" }), 0);
    end(&k);
}

TEST(identity)
{
    struct caller k;
    begin(&k);
    int64_t kept = -1;
    k.c.user = NULL;
    CODE(&k, "Connect", -1, .path = NULL);
    CHECK_INT(k.r.http.status, 401);
    CHECK(strncmp(head(&k, "WWW-Authenticate"), "Basic realm=\"", 13) == 0);
    CHECK_STR(head(&k, "X-RequestType"), "Connect");
    CHECK(k.r.http.keep);
    kept = tls_fd(k.c.conn);
    CODE(&k, "PING", -1, .extra = "Authorization: Bearer\r\n"); /* Outlook's first request */
    CHECK_INT(k.r.http.status, 401);
    CODE(&k, "PING", -1, .extra = "Authorization: Negotiate YWJj\r\n");
    CHECK_INT(k.r.http.status, 401);
    CODE(&k, "Nonsense", -1, .path = "/mapi/other/", .verb = "GET"); /* before everything else */
    CHECK_INT(k.r.http.status, 401);
    k.c.user = "ana@example.com";
    CODE(&k, "PING", 0, .path = NULL);
    CHECK_INT(tls_fd(k.c.conn), kept); /* the same connection all the time */
    end(&k);
}

TEST(names_and_wrong_passwords)
{
    struct caller k;
    begin(&k);
    static const char *const good[] = { "ana@example.com", "ANA@Example.com", "ana", "EXAMPLE\\ana", "example.com\\ana" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        k.c.user = good[i];
        CODE(&k, "PING", 0, .path = NULL);
    }
    k.c.password = "wrong";
    uint64_t before = clock_ms();
    CODE(&k, "PING", -1, .path = NULL);
    CHECK_INT(k.r.http.status, 401);
    CHECK(clock_ms() - before >= k.st->config->auth_fail_delay);
    k.c.user = "nobody@example.com";
    CODE(&k, "PING", -1, .path = NULL);
    CHECK_INT(k.r.http.status, 401);
    CHECK_STR(head(&k, "X-ResponseCode"), "");
    end(&k);
}

/* --- odd connections ----------------------------------------------------------------------------------------------- */

TEST(half_requests_disturb_nobody)
{
    static const char part[] = "POST /mapi/emsmdb/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nX-RequestType: PING\r\n\r\nhalf";
    struct caller k;
    begin(&k);
    struct tls *t[20];
    const char *why = NULL;
    for (size_t i = 0; i < 20; i++) {
        t[i] = tls_connect(&(struct tls_options){ .host = "127.0.0.1", .port = k.st->port, .timeout_ms = 5000 }, k.a, &why);
        REQUIRE(t[i] != NULL && tls_write(t[i], part, i * 4 < sizeof part - 1 ? i * 4 + 1 : sizeof part - 1));
    }
    CODE(&k, "PING", 0, .path = NULL);
    for (size_t i = 0; i < 20; i++)
        tls_close(t[i]);
    CODE(&k, "PING", 0, .path = NULL);
    end(&k);
}

TEST(a_hundred_connections_at_once)
{
    enum { N = 100, ROUNDS = 5 };
    static struct mapic c[N];
    struct caller k;
    begin(&k);
    const char *why = NULL;
    for (size_t i = 0; i < N; i++)
        stack_client(k.st, &c[i], &k.st->ana);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++)
            REQUIRE(mapic_send(&c[i], k.a, "PING", blob_of(nothing, 0), NULL, &why));
        for (size_t i = 0; i < N; i++) {
            REQUIRE(mapic_recv(&c[i], k.a, &k.r, NULL, &why));
            CHECK_INT(k.r.code, 0);
        }
    }
    for (size_t i = 0; i < N; i++)
        mapic_close(&c[i]);
    end(&k);
}

TEST(one_connection_many_requests)
{
    struct caller k;
    begin(&k);
    CODE(&k, "PING", 0, .path = NULL);
    int fd = tls_fd(k.c.conn);
    for (int i = 0; i < 300; i++)
        CODE(&k, i % 3 == 0 ? "Nonsense" : "PING", i % 3 == 0 ? 5 : 0, .path = NULL);
    CHECK_INT(tls_fd(k.c.conn), fd);
    end(&k);
}
