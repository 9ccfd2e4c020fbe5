/* The access log: one line, values that cannot break out, no cookie in clear. */
#include "tests/unit.h"
#include "fcgi/access.h"
#include <stdio.h>
#include <unistd.h>

static struct request sample(void)
{
    return (struct request){ .type = "Execute", .id = "{A}:1", .addr = "192.0.2.1", .client_app = "Outlook/16.0 (x)", .context_cookie = "secret-cookie",
                             .sequence_cookie = "secret-too", .begun = 1785616196, .body = blob_str("12345"), .client_request_id = "a\"b\\\n" };
}

TEST(columns)
{
    char line[ACCESS_LINE];
    struct request rq = sample();
    struct person who = { .login = "alice@example.com", .smtp = "alice@example.com", .has_mailbox = true };
    struct access x = { .rq = &rq, .who = &who, .endpoint = "MAILBOX", .http = 200, .code = 0, .body = blob_of("\0\0\0\0\x0a\0\0\0", 8), .out = 99,
                        .total_us = 1234, .auth_us = 5 };
    size_t n = access_line(&x, line);
    CHECK_INT(n, strlen(line));
    CHECK(strstr(line, "DateTime=2026-08-01T20:29:56Z RequestType=Execute HttpStatusCode=200 ResponseCode=0 StatusCode=0x0 ReturnCode=0xa "
                       "TotalRequestLatency=1234 AuthModuleLatency=5 RequestBytes=5 ResponseBytes=99 AuthenticatedUser=alice@example.com") == line);
    CHECK(strstr(line, " MailboxId=00000000-0000-0000-0000-000000000000 ") != NULL);
    CHECK(strstr(line, " ClientSoftware=\"Outlook/16.0 (x)\"") != NULL);
    CHECK(strstr(line, " ClientRequestId=\"a\\\"b\\\\\\x0a\"") != NULL);
    CHECK(strstr(line, "secret") == NULL);
    const char *digest = strstr(line, " SessionCookie=");
    REQUIRE(digest != NULL);
    CHECK_INT(strspn(digest + 15, "0123456789abcdef"), 16);
}

TEST(a_line_is_cut_between_fields)
{
    char line[ACCESS_LINE], large[ACCESS_LINE];
    memset(large, '\n', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    struct request rq = sample();
    rq.type = large;
    struct access x = { .rq = &rq, .http = 401, .code = -1 };
    access_line(&x, line);
    CHECK(strchr(line, '\n') == NULL);
    CHECK(strstr(line, "RequestType") == NULL);
    CHECK(strstr(line, "MapiRequestId={A}:1") != NULL);
    CHECK(strstr(line, "ResponseCode") == NULL);
}

TEST(reopened_after_rotation)
{
    char path[256], moved[300], line[64] = "";
    struct request rq = sample();
    struct access x = { .rq = &rq, .http = 200, .code = 0 };
    CHECK(!access_on());
    CHECK(access_open(""));
    CHECK(!access_on());
    CHECK(!access_open("/nonexistent/dir/access.log"));
    snprintf(path, sizeof path, "%s/access.log", unit_tmpdir());
    snprintf(moved, sizeof moved, "%s.1", path);
    REQUIRE(access_open(path) && access_on());
    access_write(&x);
    REQUIRE(rename(path, moved) == 0);
    REQUIRE(access_open(path));
    access_write(&x);
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    CHECK(fgets(line, sizeof line, f) != NULL);
    CHECK(strncmp(line, "DateTime=", 9) == 0);
    fclose(f);
}
