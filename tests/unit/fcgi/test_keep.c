/* test_keep.c - what a parked request keeps for its log line comes back as it was. */
#include "fcgi/keep.h"
#include "tests/unit.h"
#include <stdlib.h>

static void same(const struct access *x, bool json)
{
    struct kept k;
    char before[ACCESS_LINE], after[ACCESS_LINE];
    size_t n = keep_pack(x, NULL);
    char *packed = malloc(n); /* exactly so long, for the sanitizer */
    CHECK_INT(keep_pack(x, packed), n);
    keep_unpack(packed, &k);
    k.x.http = x->http;
    k.x.code = x->code;
    k.x.body = x->body;
    k.x.out = x->out;
    k.x.redis_us = x->redis_us;
    k.x.store_us = x->store_us;
    k.x.total_us = x->total_us;
    k.x.early = x->early;
    k.x.version = x->version;
    k.x.diagnosis = x->diagnosis;
    access_line(x, json, before);
    access_line(&k.x, json, after);
    CHECK_STR(after, before);
    free(packed);
}

TEST(a_line_comes_back)
{
    struct request rq = { .method = "POST", .path = "/mapi/emsmdb/", .type = "NotificationWait", .id = "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:9",
                          .client_info = "{2EF33C39}:123", .client_app = "Outlook/16.0.1.2", .user_agent = "Microsoft Office/16", .addr = "192.0.2.7",
                          .server_id = "0123456789abcdef", .client_request_id = "", .body = blob_of(NULL, 8), .begun = 1763817000 };
    struct person who = { .login = "ana@example.com", .smtp = "Ana \"A\"@example.com", .has_mailbox = true, .mailbox = guid_new() };
    struct session_note note = { .mailboxes = "one,two", .sequence = 7 };
    struct access x = { .rq = &rq, .who = &who, .method = "Basic", .endpoint = "emsmdb", .http = 200, .code = 0, .body = blob_of("\0\0\0\0\0\0\0\0", 8), .out = 99,
                        .auth_us = 12, .total_us = 300000000, .early = true, .session = "00112233", .note = &note, .worker = "host/a0", .version = "0.1" };
    same(&x, false);
    same(&x, true);
    CHECK(keep_pack(&x, NULL) < 420);
    rq.client_app = NULL; /* then the browser's name is shown */
    same(&x, false);
    rq.user_agent = rq.client_info = rq.server_id = NULL;
    x.method = x.session = x.worker = NULL;
    note.mailboxes = NULL;
    same(&x, true);
    who.has_mailbox = false;
    same(&x, false);
    x.who = NULL;
    same(&x, false);
}
