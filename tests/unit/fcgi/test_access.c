/* The access log: one line, values that cannot break out, no cookie in clear, as text and as JSON. */
#include "tests/unit.h"
#include "fcgi/access.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct { const char *name; bool number; const char *text; } columns[] = {
#define TEXT false
#define NUM true
#define COLUMN(name, kind, text) { #name, kind, text },
#include "fcgi/access.def"
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static struct request sample(void)
{
    return (struct request){ .method = "POST", .type = "Execute", .id = "{A}:1", .addr = "192.0.2.1", .client_app = "Outlook/16.0 (x)",
                             .context_cookie = "secret-cookie", .sequence_cookie = "secret-too", .cookie = "MapiContext=secret-cookie",
                             .authorization = "Basic secret", .begun = 1785616196, .body = blob_str("12345"), .client_request_id = "a\"b\\\n",
                             .server_id = "0123abcd", .client_info = "{B}:2", .path = "/mapi/emsmdb/" };
}

/* Every column has a value. */
static struct access full(struct request *rq, struct person *who, struct session_note *note)
{
    *rq = sample();
    *who = (struct person){ .login = "alice@example.com", .smtp = "alice@example.com", .has_mailbox = true };
    *note = (struct session_note){ .mailboxes = "g1,g2", .sequence = 17, .client_mode = "cached", .rops = "0x02:OpenFolder,0x15:QueryRows!0x480" };
    return (struct access){ .rq = rq, .who = who, .method = "Basic", .endpoint = "emsmdb", .http = 200, .code = 0,
                            .body = blob_of("\0\0\0\0\x0a\0\0\0", 8), .out = 99, .total_us = 1234, .auth_us = 5, .redis_us = 6, .store_us = 7,
                            .early = true, .session = "00112233aabbccdd", .note = note, .worker = "host/a0", .version = "0.1", .diagnosis = "no" };
}

TEST(columns_as_text)
{
    char line[ACCESS_LINE];
    struct request rq;
    struct person who;
    struct session_note note;
    struct access x = full(&rq, &who, &note);
    size_t n = access_line(&x, false, line);
    CHECK_INT(n, strlen(line));
    CHECK_STR(line, "DateTime=2026-08-01T20:29:56Z RequestId=0123abcd MapiRequestId={A}:1 ClientRequestId=\"a\\\"b\\\\\\x0a\" Endpoint=emsmdb "
                    "RequestType=Execute HttpStatusCode=200 ResponseCode=0 StatusCode=0x0 ReturnCode=0xa TotalRequestLatency=1234 AuthModuleLatency=5 "
                    "RedisLatency=6 StoreLatency=7 RequestBytes=5 ResponseBytes=99 EarlyHead=1 AuthenticatedUser=alice@example.com "
                    "AuthenticatedUserEmail=alice@example.com AuthenticationType=Basic MailboxId=g1,g2 ClientIP=192.0.2.1 "
                    "SessionCookie=00112233aabbccdd SequenceCookie=17 MapiClientInfo={B}:2 ClientSoftware=Outlook ClientSoftwareVersion=\"16.0 (x)\" ClientMode=cached "
                    "Worker=host/a0 ServerVersion=0.1 RopIds=0x02:OpenFolder,0x15:QueryRows!0x480 GenericErrors=no");
    CHECK(strstr(line, "secret") == NULL);
}

/* Each column of the table is written, in the table's order, under its name; numbers are numbers. */
TEST(columns_as_json)
{
    char line[ACCESS_LINE];
    struct request rq;
    struct person who;
    struct session_note note;
    struct access x = full(&rq, &who, &note);
    rq.method = "GET";
    access_line(&x, true, line);
    json_t *o = json_loads(line, 0, NULL);
    REQUIRE(o != NULL);
    CHECK_INT(json_object_size(o), COLUMNS);
    const char *at = line;
    for (size_t i = 0; i < COLUMNS; i++) {
        char quoted[80];
        snprintf(quoted, sizeof quoted, "\"%s\":", columns[i].name);
        const char *found = strstr(at, quoted);
        if (!unit_check(found != NULL, __FILE__, __LINE__, "%s stands where it should", columns[i].name))
            break;
        at = found;
        CHECK_INT(json_is_integer(json_object_get(o, columns[i].name)), columns[i].number);
    }
    CHECK_STR(json_string_value(json_object_get(o, "ClientRequestId")), "a\"b\\\n");
    json_decref(o);
}

/* Administrators find every column, and its meaning, in the page that they have. */
TEST(columns_are_documented)
{
    FILE *f = fopen("deploy/OPERATION.md", "r");
    char *page = calloc(1, 1 << 20), row[400];
    REQUIRE(f != NULL && page != NULL);
    page[fread(page, 1, (1 << 20) - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; i < COLUMNS; i++) {
        snprintf(row, sizeof row, "\n| %s | %s |", columns[i].name, columns[i].text);
        unit_check(strstr(page, row) != NULL, __FILE__, __LINE__, "deploy/OPERATION.md has the row%s", row);
    }
    free(page);
}

/* Bytes that are no text, in text and in JSON. */
TEST(hostile_values)
{
    char line[ACCESS_LINE];
    struct request rq = sample();
    rq.client_app = "Out\xff\x80look\t\x7f\"\\ x/1\r\nDateTime=forged";
    rq.user_agent = "x";
    struct access x = { .rq = &rq, .http = 200, .code = 6, .endpoint = "emsmdb" };
    access_line(&x, false, line);
    CHECK(strpbrk(line, "\r\n\t") == NULL);
    CHECK(strstr(line, " ClientSoftware=\"Out\\xff\\x80look\\x09\\x7f\\\"\\\\ x\" ClientSoftwareVersion=\"1\\x0d\\x0aDateTime=forged\"") != NULL);
    access_line(&x, true, line);
    json_error_t e;
    json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, &e);
    unit_check(o != NULL, __FILE__, __LINE__, "%s in %s", e.text, line);
    json_decref(o);
}

TEST(a_line_is_cut_between_fields)
{
    char line[ACCESS_LINE], large[ACCESS_LINE];
    memset(large, '\n', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    struct request rq = sample();
    rq.type = large;
    struct access x = { .rq = &rq, .http = 401, .code = -1 };
    for (int json = 0; json < 2; json++) {
        access_line(&x, json != 0, line);
        CHECK(strchr(line, '\n') == NULL);
        CHECK(strstr(line, "RequestType") == NULL);
        CHECK(strstr(line, "{A}:1") != NULL);
        CHECK(strstr(line, "ResponseCode") == NULL);
        json_t *o = json ? json_loads(line, 0, NULL) : NULL;
        CHECK_INT(o != NULL, json);
        json_decref(o);
    }
}

TEST(reopened_after_rotation)
{
    char path[256], moved[300], line[64] = "";
    struct request rq = sample();
    struct access x = { .rq = &rq, .http = 200, .code = 0 };
    CHECK(!access_on());
    CHECK(access_open("", false));
    CHECK(!access_on());
    CHECK(!access_open("/nonexistent/dir/access.log", false));
    CHECK(!access_on());
    snprintf(path, sizeof path, "%s/access.log", unit_tmpdir());
    snprintf(moved, sizeof moved, "%s.1", path);
    REQUIRE(access_open(path, false) && access_on());
    access_write(&x);
    REQUIRE(rename(path, moved) == 0);
    CHECK(!access_open("/nonexistent/dir/access.log", false));
    CHECK(access_on());
    REQUIRE(access_open(path, true));
    access_write(&x);
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    CHECK(fgets(line, sizeof line, f) != NULL);
    CHECK(strncmp(line, "{\"DateTime\":\"", 13) == 0);
    fclose(f);
    CHECK(access_open("", false));
    CHECK(!access_on());
}
