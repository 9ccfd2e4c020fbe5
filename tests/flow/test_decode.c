/* test_decode.c - mapictl decode on what went over the wire: every request type of the address book as a client sent it and nginx brought the answer, found by its
 * type and, where its form allows, without. */
#include "backend/mapi/restriction.h"
#include "tests/flow/books.h"
#include "tests/flow/ctl.h"
#include <stdio.h>
#include <string.h>

#define ASK(...) (&(struct nspic_ask){ __VA_ARGS__ })

static bool has(struct ctl_run r, const char *what, const char *file, int line)
{
    return unit_check(r.rc == 0 && strstr(r.text, what) != NULL, file, line, "exit %d, \"%s\" is not in:\n%.3000s", r.rc, what, r.text);
}
#define HAS(r, what) has((r), (what), __FILE__, __LINE__)

static const char *save(struct stack *st, struct blob b)
{
    const char *path = arena_printf(st->a, "%s/decode.bin", st->dir);
    FILE *f = fopen(path, "wb");
    REQUIRE(f != NULL && (b.n == 0 || fwrite(b.p, 1, b.n, f) == b.n) && fclose(f) == 0);
    return path;
}

static struct ctl_run decode(struct stack *st, struct blob b, const char *options) { return ctl_run(st, arena_printf(st->a, "decode %s %s", save(st, b), options)); }

/* What all requests may be asked with, and what is to be seen of the request and of the answer. */
struct sample { const char *type; const struct nspic_ask *q; const char *asked, *answered; };

static void run(struct books *k, const struct sample *s)
{
    struct stack *st = stack_shared();
    struct blob body = nspic_body(k->b.a, s->type, s->q);
    REQUIRE(mapic_call(&k->b.c, k->b.a, s->type, body, NULL, &k->b.reply.http, &k->b.why));
    CHECK_INT(k->b.reply.http.code, 0);
    const char *type = arena_printf(st->a, "--type %s", s->type);
    struct ctl_run r = decode(st, body, type);
    HAS(r, arena_printf(st->a, "%s request\n", s->type));
    HAS(r, s->asked);
    r = decode(st, k->b.reply.http.http.body, type); /* as it came: PROCESSING, DONE, headers, body */
    HAS(r, arena_printf(st->a, "%s response: StatusCode 0, ErrorCode ", s->type));
    HAS(r, s->answered);
    HAS(decode(st, k->b.reply.http.body, arena_printf(st->a, "%s --response", type)), s->answered);
}

TEST_LIMIT(every_request_of_the_address_book_as_it_went_over_the_wire, 120)
{
    struct books k;
    books(&k);
    struct nspic_stat s = book_stat(), ana = s;
    uint32_t columns[] = { PidTagDisplayName, PidTagObjectType, PidTagTitle, PidTagEntryId };
    uint32_t ids[] = { k.ana, k.bob };
    const char *names[] = { "Ana", "nobody" }, *dns[] = { stack_shared()->ana.dn };
    struct restriction named = { .kind = RES_PROPERTY, .property = { RELOP_EQ, PidTagAnr, pv_str(PidTagAnr, "Ana") } };
    struct propval target = pv_str(PidTagDisplayName, "Bob");
    ana.current = k.ana;
    const struct sample v[] = {
        { "CompareMIds", ASK(.stat = &s, .mid = k.ana, .mid2 = k.bob), "MinimalId2", "Result                   -1" },
        { "DNToMId", ASK(.names = dns, .nnames = 1), "cn=Recipients", arena_printf(k.b.a, "0x%08x", k.ana) },
        { "GetMatches", ASK(.stat = &s, .filter = &named, .rows = 5, .tags = columns, .ntags = 2), "PidTagAnr==\"Ana\"", "0x3001001f PidTagDisplayName = \"Ana" },
        { "GetPropList", ASK(.mid = k.ana, .code_page = 1252, .flags = 1), "fSkipObjects", "PidTagEmailAddress" },
        { "GetProps", ASK(.stat = &ana, .tags = columns, .ntags = 4), "PidTagTitle", "permanent DT_MAILUSER" },
        { "GetSpecialTable", ASK(.stat = &s, .flags = 4), "NspiUnicodeStrings", "PidTagDisplayName = \"Global Address List\"" },
        { "GetTemplateInfo", ASK(.flags = 1, .type = 0, .code_page = 1252, .locale = 0x409), "TI_TEMPLATE", "PidTagTemplateData" },
        { "ModLinkAtt", ASK(.tag = PROP_TAG(0x8009, PtypObject), .mid = k.bob), "PidTagAddressBookMember", "ecAccessDenied" },
        { "ModProps", ASK(.stat = &ana, .tags = columns, .ntags = 1), "PropertyValues           (none)", "ecAccessDenied" },
        { "QueryRows", ASK(.stat = &s, .rows = 3, .tags = columns, .ntags = 3), "RowCount                 0x00000003 (3)", "row 3" },
        { "QueryColumns", ASK(.interface_flags = 0x80000000), "NspiUnicodeProptypes", "PidTagDisplayName" },
        { "ResolveNames", ASK(.stat = &s, .names = names, .nnames = 2, .tags = columns, .ntags = 1), "\"nobody\"", "MID_UNRESOLVED" },
        { "ResortRestriction", ASK(.stat = &s, .mids = ids, .nmids = 2), "2 ids", "2 ids" },
        { "SeekEntries", ASK(.stat = &s, .target = &target, .tags = columns, .ntags = 1), "PidTagDisplayName = \"Bob\"", "CurrentRec" },
        { "UpdateStat", ASK(.stat = &s, .wants_delta = true), "DeltaRequested           0x01 (true)", "Delta                    0" },
        { "GetMailboxUrl", ASK(.text = "/o=x"), "ServerDn                 \"/o=x\"", "ServerUrl" },
        { "GetAddressBookUrl", ASK(.text = "/o=x"), "UserDn                   \"/o=x\"", "ServerUrl" },
        { "Bind", ASK(.stat = &s), "MID_BEGINNING_OF_TABLE", "ServerGuid" },
        { "Unbind", ASK(.flags = 0), "Reserved", "UnbindSuccess" },
    };
    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++)
        run(&k, &v[i]);
    CHECK_INT(BOOK(&k.b, "Bind", ASK(.stat = &s)), 0);
    struct mapic_reply ping;
    REQUIRE(mapic_call(&k.b.c, k.b.a, "PING", blob_of(NULL, 0), NULL, &ping, &k.b.why));
    HAS(decode(stack_shared(), ping.http.body, "--type PING --response"), "PING response: no body");
    HAS(decode(stack_shared(), blob_of(NULL, 0), "--type ping"), "PING request: no body");
    books_end(&k);
}

/* An HTTP message has its type in its head; for programs; and a body that breaks off. */
TEST(messages_json_and_faults)
{
    struct stack *st = stack_shared();
    struct arena *a = arena_new(1 << 20);
    struct nspic_stat s = book_stat();
    uint32_t column = PidTagDisplayName;
    struct blob body = nspic_body(a, "QueryRows", ASK(.stat = &s, .rows = 3, .tags = &column, .ntags = 1));
    struct wr w = wr_in(a, 1 << 16);
    const char *head = "POST /mapi/nspi/?MailboxId=x HTTP/1.1\r\nX-RequestType: QueryRows\r\n\r\n";
    wr_bytes(&w, head, strlen(head));
    wr_put(&w, body);
    HAS(decode(st, wr_blob(&w), ""), "QueryRows request\n");
    HAS(decode(st, body, "--code-page 1251"), "(by its form; --type says otherwise)\nQueryRows request\n");
    json_t *j = ctl_json(st, arena_printf(a, "decode %s", save(st, wr_blob(&w))), 0);
    CHECK_STR(json_string_value(json_object_get(j, "type")), "QueryRows");
    CHECK_STR(json_string_value(json_object_get(j, "direction")), "request");
    CHECK(json_is_true(json_object_get(j, "whole")) && json_object_get(j, "error") == NULL);
    json_decref(j);
    j = ctl_json(st, arena_printf(a, "decode %s", save(st, blob_of(wr_blob(&w).p, w.n - 7))), 1);
    CHECK(json_is_false(json_object_get(j, "whole")));
    CHECK_INT(json_integer_value(json_object_get(j, "offset")), (long long)body.n - 8);
    CHECK(json_array_size(json_object_get(j, "lines")) > 10);
    CHECK(strstr(json_string_value(json_object_get(j, "error")), "in Columns (from byte 49): count exceeds data") != NULL);
    json_decref(j);
    struct ctl_run r = decode(st, blob_of(body.p, 20), "--type QueryRows");
    CHECK_INT(r.rc, 1);
    CHECK(strstr(r.text, "    ContainerID            0x00000000 (0)\n    CurrentRec") != NULL);
    CHECK(strstr(r.text, "QueryRows request cannot be read further at byte 17 of 20, in STAT, Delta (from byte 17): it ends here") != NULL);
    r = decode(st, nspic_body(a, "GetMailboxUrl", ASK(.text = "/o=x")), "");
    CHECK(r.rc == 1 && strstr(r.text, "say which by --type: GetMailboxUrl GetAddressBookUrl") != NULL);
    CHECK_INT(decode(st, body, "--type Bogus").rc, 1);
    CHECK_INT(decode(st, body, "--code-page 99999").rc, 1);
    CHECK_INT(decode(st, blob_of(NULL, 0), "").rc, 1);
    arena_free(a);
}
