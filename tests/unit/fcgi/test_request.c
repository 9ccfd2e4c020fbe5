/* Parameters of nginx become a struct. */
#include "tests/unit.h"
#include "fcgi/request.h"

TEST(parameters_are_read)
{
    char *params[] = { "REQUEST_METHOD=POST", "DOCUMENT_URI=/mapi/emsmdb/", "QUERY_STRING=MailboxId=a@b", "HTTPS=on", "REMOTE_ADDR=1.2.3.4",
                       "CONTENT_TYPE=application/mapi-http", "CONTENT_LENGTH=12", "HTTP_HOST=mail", "HTTP_X_REQUESTTYPE=Execute",
                       "HTTP_X_REQUESTID={A}:1", "HTTP_COOKIE=x=y; MapiContext=abc; MapiSequence=\"d=e\"", "HTTP_ACCEPT=a", "NOEQUALS", "=", NULL };
    struct request rq = { 0 };
    struct arena *a = arena_new(SIZE_MAX);
    request_read(&rq, a, params);
    CHECK_STR(rq.method, "POST");
    CHECK_STR(rq.path, "/mapi/emsmdb/");
    CHECK_STR(rq.query, "MailboxId=a@b");
    CHECK_STR(rq.type, "Execute");
    CHECK_STR(rq.id, "{A}:1");
    CHECK_STR(rq.context_cookie, "abc");
    CHECK_STR(rq.sequence_cookie, "d=e");
    CHECK(rq.tls && !rq.repeated && rq.client_info == NULL && rq.authorization == NULL);
    CHECK(rq.begun_us != 0);
    arena_free(a);
}

TEST(what_nginx_sends_empty_was_not_sent)
{
    char *params[] = { "CONTENT_TYPE=", "CONTENT_LENGTH=", "HTTP_X_REQUESTID=", "HTTPS=", NULL };
    struct request rq = { 0 };
    struct arena *a = arena_new(SIZE_MAX);
    request_read(&rq, a, params);
    CHECK(rq.content_type == NULL && rq.content_length == NULL && !rq.tls);
    CHECK_STR(rq.id, "");
    arena_free(a);
}

TEST(a_header_sent_twice_is_noticed)
{
    char *params[] = { "HTTP_X_REQUESTTYPE=PING", "HTTP_X_REQUESTTYPE=Execute", NULL }, *harmless[] = { "HTTP_ACCEPT=a", "HTTP_ACCEPT=b", NULL };
    struct request rq = { 0 }, rq2 = { 0 };
    struct arena *a = arena_new(SIZE_MAX);
    request_read(&rq, a, params);
    CHECK(rq.repeated);
    CHECK_STR(rq.type, "PING");
    request_read(&rq2, a, harmless);
    CHECK(!rq2.repeated);
    arena_free(a);
}

TEST(cookies)
{
    struct arena *a = arena_new(SIZE_MAX);
    CHECK_STR(request_cookie(a, "a=1;b=2 ; c = 3;d=\"4 5\";e=", "a"), "1");
    CHECK_STR(request_cookie(a, "a=1;b=2 ; c=3", "b"), "2");
    CHECK_STR(request_cookie(a, "a=1; a=2", "a"), "1");
    CHECK_STR(request_cookie(a, "d=\"4 5\"", "d"), "4 5");
    CHECK_STR(request_cookie(a, "e=", "e"), "");
    CHECK_STR(request_cookie(a, ";; ;x=\"", "x"), "\"");
    CHECK(request_cookie(a, "aa=1; b=a=3", "a") == NULL);
    CHECK(request_cookie(a, "a", "a") == NULL);
    CHECK(request_cookie(a, "", "a") == NULL);
    CHECK(request_cookie(a, NULL, "a") == NULL);
    arena_free(a);
}

/* Only nginx's own word counts; whoever is not said to be inside is outside. */
TEST(side_of_the_client)
{
    static const struct { const char *param; bool external; } row[] = {
        { "MAPI_SIDE=internal", false }, { "MAPI_SIDE=Internal", false }, { "MAPI_SIDE=external", true }, { "MAPI_SIDE=", true }, { "MAPI_SIDE=internalx", true },
        { "HTTP_MAPI_SIDE=internal", true }, { "HTTP_X_MAPI_SIDE=internal", true }, { "X=y", true },
    };
    struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct request rq = { 0 };
        char *params[] = { arena_strdup(a, row[i].param), NULL };
        request_read(&rq, a, params);
        unit_int(rq.external, row[i].external, row[i].param, __FILE__, __LINE__);
    }
    arena_free(a);
}
