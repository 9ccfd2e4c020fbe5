/* The order of the checks, and what each of them refuses. */
#include "tests/unit.h"
#include "fcgi/header.h"

#define GUID "E2EA6C1C-E61B-49E9-9CFB-38184F907552"

static struct request good(void)
{
    return (struct request){ .method = "POST", .path = "/mapi/emsmdb/", .host = "h", .content_length = "5", .content_type = "application/mapi-http",
                             .type = "Execute", .id = "{" GUID "}:1", .client_info = "{" GUID "}-5", .client_app = "Outlook/16.0.1.2" };
}

static enum xrc check(const struct request *rq)
{
    const struct endpoint *e;
    const struct route *route;
    const char *why = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    enum xrc code = header_check(rq, 100, a, &e, &route, &why);
    CHECK((code == XRC_SUCCESS) == (route != NULL && e != NULL) || code == XRC_TOO_LARGE);
    arena_free(a);
    return code;
}

TEST(a_good_request_passes)
{
    struct request rq = good();
    CHECK_INT(check(&rq), XRC_SUCCESS);
    rq.client_info = rq.client_app = NULL; /* known clients leave them out */
    CHECK_INT(check(&rq), XRC_SUCCESS);
    rq.content_length = NULL;
    rq.transfer_encoding = "Chunked";
    CHECK_INT(check(&rq), XRC_SUCCESS);
    rq.content_type = "application/octet-stream"; /* what Microsoft's connectivity analyzer sends */
    CHECK_INT(check(&rq), XRC_SUCCESS);
}

/* Every earlier fault hides every later one. */
TEST(order_of_checks)
{
    struct request rq = good();
    rq.content_length = "101";
    CHECK_INT(check(&rq), XRC_TOO_LARGE);
    rq.type = "Nonsense";
    CHECK_INT(check(&rq), XRC_INVALID_REQUEST_TYPE);
    rq.id = "nonsense";
    CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq.host = NULL;
    CHECK_INT(check(&rq), XRC_MISSING_HEADER);
    rq.path = "/mapi/other/";
    CHECK_INT(check(&rq), XRC_INVALID_PATH);
    rq.method = "GET";
    CHECK_INT(check(&rq), XRC_INVALID_VERB);
}

TEST(each_required_header)
{
    struct request rq = good(); rq.host = NULL;           CHECK_INT(check(&rq), XRC_MISSING_HEADER);
    rq = good();                rq.content_length = NULL; CHECK_INT(check(&rq), XRC_MISSING_HEADER);
    rq = good();                rq.content_type = NULL;   CHECK_INT(check(&rq), XRC_MISSING_HEADER);
    rq = good();                rq.type = NULL;           CHECK_INT(check(&rq), XRC_MISSING_HEADER);
    rq = good();                rq.id = NULL;             CHECK_INT(check(&rq), XRC_MISSING_HEADER);
}

TEST(syntax)
{
    char longest[HEADER_MOST + 2];
    memset(longest, 'a', sizeof longest);
    longest[HEADER_MOST + 1] = '\0';
    struct request rq = good(); rq.repeated = true;          CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.content_length = "-5";    CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.content_length = "5 ";    CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.client_info = longest;    CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.client_info = longest + 1; CHECK_INT(check(&rq), XRC_SUCCESS);
    rq = good();                rq.client_info = "a\001";    CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.client_app = "a\177";     CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.type = longest;           CHECK_INT(check(&rq), XRC_INVALID_HEADER);
    rq = good();                rq.type = "";                CHECK_INT(check(&rq), XRC_INVALID_REQUEST_TYPE);
    rq = good();                rq.id = "";                  CHECK_INT(check(&rq), XRC_INVALID_HEADER);
}

TEST(request_ids_of_the_field)
{
    CHECK(header_request_id("{" GUID "}:1"));
    CHECK(header_request_id(GUID ":123456"));
    CHECK(header_request_id("{" GUID "}-5"));
    CHECK(header_request_id("{" GUID "}"));
    CHECK(header_request_id("{e2ea6c1c-e61b-49e9-9cfb-38184f907552}:99999999999999999999"));
    CHECK(!header_request_id("{" GUID ":1"));
    CHECK(!header_request_id("E2EA6C1C-E61B"));
    CHECK(!header_request_id("{}:1"));
    CHECK(!header_request_id("{"));
    CHECK(!header_request_id(GUID ":\001"));
    CHECK(!header_request_id("X2EA6C1C-E61B-49E9-9CFB-38184F907552:1"));
}

TEST(sizes)
{
    struct request rq = good();
    rq.content_length = "100";
    CHECK_INT(check(&rq), XRC_SUCCESS);
    rq.content_length = "99999999999999999999999999999999";
    CHECK_INT(check(&rq), XRC_TOO_LARGE);
    rq.content_length = "00000000000000000000000000000001";
    CHECK_INT(check(&rq), XRC_SUCCESS);
    rq = good();
    rq.too_large = true; /* in chunks, without a length */
    CHECK_INT(check(&rq), XRC_TOO_LARGE);
}
