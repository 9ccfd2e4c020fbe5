/* test_discover.c - Autodiscover as clients ask for it, through nginx, from inside and outside: who is told what.  MS-OXDSCLI, and the articles' table of
 * switches. */
#include "backend/directory/policy.h"
#include "tests/flow/ctl.h"
#include "tests/flow/walk.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/"

static const char *request(struct arena *a, const char *address)
{
    return arena_printf(a, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request><EMailAddress>%s</EMailAddress>"
                           "<AcceptableResponseSchema>" OUTLOOK "responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>", address);
}

static const struct mapic_odd outlook = { .path = "/autodiscover/autodiscover.xml", .extra = "X-MapiHttpCapability: 1\r\n", .keep_cookies = true };

static struct http_reply call(struct mapic *c, struct arena *a, const char *body, const struct mapic_odd *odd)
{
    struct mapic_reply r = { 0 };
    const char *why = NULL;
    c->mailbox_id = NULL; /* whoever asks does not know it yet */
    if (!mapic_call(c, a, "Autodiscover", blob_str(body), odd, &r, &why))
        fprintf(stderr, "autodiscover: %s\n", why);
    return r.http;
}

static const char *pox(struct mapic *c, struct arena *a, const char *address)
{
    struct http_reply r = call(c, a, request(a, address), &outlook);
    CHECK_INT(r.status, 200);
    CHECK_STR(http_header(&r, "Content-Type"), "text/xml; charset=utf-8");
    return arena_str(a, r.body);
}

static int connects(struct walk *w, unsigned port)
{
    struct mapic c = w->c;
    struct mapic_reply r = { .code = -2 };
    const char *why = NULL;
    c.conn = NULL;
    c.context[0] = c.sequence[0] = '\0';
    c.to.port = port;
    mapic_call(&c, w->a, "Connect", mapic_connect_body(w->a, w->who->dn), NULL, &r, &why);
    mapic_close(&c);
    return r.code;
}

/* --- the twelve rows -------------------------------------------------------------------------------------------------------------------------- */

enum offer { MAPI_BOTH, MAPI_INTERNAL, ANYWHERE_BOTH, ANYWHERE_INTERNAL };
static const struct row { const char *org, *mailbox, *block; enum offer offer; } rows[12] = {
    { "true",  "null",  "false", MAPI_BOTH },     { "true",  "null",  "true", MAPI_INTERNAL },
    { "true",  "true",  "false", MAPI_BOTH },     { "true",  "true",  "true", MAPI_INTERNAL },
    { "true",  "false", "false", ANYWHERE_BOTH }, { "true",  "false", "true", ANYWHERE_INTERNAL },
    { "false", "null",  "false", ANYWHERE_BOTH }, { "false", "null",  "true", ANYWHERE_INTERNAL },
    { "false", "true",  "false", MAPI_BOTH },     { "false", "true",  "true", MAPI_INTERNAL },
    { "false", "false", "false", ANYWHERE_BOTH }, { "false", "false", "true", ANYWHERE_INTERNAL },
};

/* Where the articles say Outlook Anywhere there is an account without MAPI over HTTP, and no promise of a service that is not there. */
static void check_offer(const struct row *r, const char *text, const char *side)
{
    bool mapi = r->offer == MAPI_BOTH || r->offer == MAPI_INTERNAL, external = r->offer == MAPI_BOTH;
    const char *what = "org %s, mailbox %s, block %s, asked from %s: %s";
    const struct { const char *part; bool want; } part[] = {
        { "<Action>settings</Action>", true }, { "<Protocol Type=\"mapiHttp\" Version=\"1\">", mapi },
        { "<InternalUrl>https://in.example/mapi/emsmdb/?MailboxId=", mapi }, { "<InternalUrl>https://in.example/mapi/nspi/?MailboxId=", mapi },
        { "<ExternalUrl>https://out.example/mapi/emsmdb/?MailboxId=", external }, { "<ExternalUrl>https://out.example/mapi/nspi/?MailboxId=", external },
        { "out.example", external }, { "EXCH", false }, { "EXPR", false }, { "<Error", false },
    };
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        if ((strstr(text, part[i].part) != NULL) != part[i].want) {
            fprintf(stderr, what, r->org, r->mailbox, r->block, side, part[i].part);
            unit_check(false, __FILE__, __LINE__, "%s:\n%s", part[i].want ? " is missing" : " should not be there", text);
        }
}

TEST(truth_table)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk in, out;
    walk_init(&in, st, &st->ana);
    walk_init(&out, st, &st->ana);
    out.c.to.port = st->external_port;
    ctl_must(st, "vdir set --internal-url https://in.example/mapi --external-url https://out.example/mapi");
    for (size_t i = 0; i < 12; i++) {
        const struct row *r = &rows[i];
        bool mapi = r->offer == MAPI_BOTH || r->offer == MAPI_INTERNAL;
        ctl_must(st, arena_printf(st->a, "org set --mapi-http-enabled %s", r->org));
        ctl_must(st, arena_printf(st->a, "mailbox set ana --mapi-http-enabled %s --block-external %s", r->mailbox, r->block));
        check_offer(r, pox(&in.c, in.a, "ana@example.com"), "inside");
        check_offer(r, pox(&out.c, out.a, "ana@example.com"), "outside");
        /* and what is not offered is not served either */
        CHECK_INT(connects(&in, st->port), mapi ? 0 : 16);
        CHECK_INT(connects(&in, st->external_port), r->offer == MAPI_BOTH ? 0 : 16);
    }
    walk_end(&in);
    walk_end(&out);
    stack_stop(st);
}

/* --- who asks, and how ----------------------------------------------------------------------------------------------------------------------- */

TEST(nobody_is_told_without_logging_in)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_init(&w, st, &st->ana);
    w.c.user = NULL;
    struct http_reply r = call(&w.c, w.a, request(w.a, "ana@example.com"), &outlook);
    CHECK_INT(r.status, 401);
    CHECK(http_header(&r, "WWW-Authenticate") != NULL);
    struct mapic_odd bearer = outlook;
    bearer.extra = "X-MapiHttpCapability: 1\r\nAuthorization: Bearer \r\n";
    CHECK_INT(call(&w.c, w.a, request(w.a, "ana@example.com"), &bearer).status, 401);
    w.c.user = "ana@example.com";
    w.c.password = "wrong";
    CHECK_INT(call(&w.c, w.a, request(w.a, "ana@example.com"), &outlook).status, 401);
    w.c.password = "secret-ana";
    CHECK(strstr(pox(&w.c, w.a, "ana@example.com"), "mapiHttp") != NULL);
    CHECK(strstr(pox(&w.c, w.a, "bob@example.com"), "<AutoDiscoverSMTPAddress>bob@example.com<") != NULL); /* anybody's, once one is known */
    walk_end(&w);
}

TEST(the_answer_leads_to_a_session)
{
    struct stack *st = stack_shared();
    struct walk w;
    char guid[GUID_TEXT];
    walk_init(&w, st, &st->ana);
    const char *t = pox(&w.c, w.a, "ana@example.com"), *url = strstr(t, "<InternalUrl>");
    REQUIRE(url != NULL);
    const char *expected = arena_printf(w.a, "<InternalUrl>https://127.0.0.1:%u/mapi/emsmdb/?MailboxId=%s@example.com</InternalUrl>", st->port, guid_text(&st->ana.mailbox, guid));
    unit_check(strncmp(url, expected, strlen(expected)) == 0, __FILE__, __LINE__, "%.200s\nis not\n%s", url, expected);
    const char *path = strstr(url, "/mapi/");
    struct mapic_odd odd = { .path = arena_str(w.a, blob_of(path, strcspn(path, "<"))) };
    struct mapic_reply r;
    const char *why = NULL;
    REQUIRE(mapic_call(&w.c, w.a, "Connect", mapic_connect_body(w.a, st->ana.dn), &odd, &r, &why));
    CHECK_INT(r.code, 0);
    walk_end(&w);
}

TEST(paths_verbs_and_headers)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_init(&w, st, &st->ana);
    static const char *const paths[] = { "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml", "/AUTODISCOVER/AUTODISCOVER.XML" };
    for (size_t i = 0; i < 3; i++) {
        struct mapic_odd odd = outlook;
        odd.path = paths[i];
        struct http_reply r = call(&w.c, w.a, request(w.a, "ana@example.com"), &odd);
        CHECK_INT(r.status, 200);
        CHECK(strstr(arena_str(w.a, r.body), "mapiHttp") != NULL);
    }
    struct mapic_odd none = { .path = outlook.path, .keep_cookies = true }, two = { .path = outlook.path, .extra = "X-MapiHttpCapability: 2\r\n", .keep_cookies = true };
    CHECK(strstr(arena_str(w.a, call(&w.c, w.a, request(w.a, "ana@example.com"), &none).body), "mapiHttp") == NULL);
    CHECK(strstr(arena_str(w.a, call(&w.c, w.a, request(w.a, "ana@example.com"), &two).body), "Version=\"1\"") != NULL);
    struct mapic_odd get = { .verb = "GET", .path = outlook.path, .keep_cookies = true };
    CHECK(strstr(arena_str(w.a, call(&w.c, w.a, "", &get).body), "<ErrorCode>600</ErrorCode>") != NULL);
    char *much = arena_alloc(w.a, 3000001);
    memset(much, ' ', 3000000);
    CHECK(strstr(arena_str(w.a, call(&w.c, w.a, much, &outlook).body), "<ErrorCode>600</ErrorCode>") != NULL);
    CHECK(strstr(pox(&w.c, w.a, "nobody@example.com"), "<ErrorCode>500</ErrorCode>") != NULL);
    CHECK(strstr(pox(&w.c, w.a, "ana@example.com"), "mapiHttp") != NULL);
    walk_end(&w);
}

TEST(what_is_granted_and_moved)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "ews_external_url = https://out.example/ews\npublic_folder_mailbox = folders@example.com\n"
                                                                                   "imap_server = imap.example.com:993\n" });
    struct walk w;
    walk_init(&w, st, &st->bob);
    CHECK(strstr(pox(&w.c, w.a, "bob@example.com"), "AlternativeMailbox") == NULL);
    ctl_must(st, "user grant ana bob");
    const char *t = pox(&w.c, w.a, "bob@example.com");
    CHECK(strstr(t, "<AlternativeMailbox>") != NULL && strstr(t, "<SmtpAddress>ana@example.com</SmtpAddress>") != NULL);
    CHECK(strstr(t, "<EwsUrl>https://out.example/ews</EwsUrl>") != NULL);
    CHECK(strstr(t, "<SmtpAddress>folders@example.com</SmtpAddress>") != NULL);
    ctl_must(st, "moved set gone.example --address example.com");
    ctl_must(st, "moved set far.example --url https://far.example/autodiscover/autodiscover.xml");
    CHECK(strstr(pox(&w.c, w.a, "ana@gone.example"), "<RedirectAddr>ana@example.com</RedirectAddr>") != NULL);
    CHECK(strstr(pox(&w.c, w.a, "ana@far.example"), "<RedirectUrl>https://far.example/") != NULL);
    w.c.user = NULL;
    struct mapic_odd get = { .verb = "GET", .path = "/autodiscover/autodiscover.json?Email=ana@far.example&Protocol=AutodiscoverV1", .keep_cookies = true };
    struct http_reply r = call(&w.c, w.a, "", &get);
    CHECK_INT(r.status, 200);
    CHECK_STR(http_header(&r, "Content-Type"), "application/json; charset=utf-8");
    CHECK(strstr(arena_str(w.a, r.body), "https://far.example/autodiscover/autodiscover.xml") != NULL);
    get.path = "/Autodiscover/Autodiscover.json/v1.0/ana%40example.com?Protocol=Ews";
    CHECK(strstr(arena_str(w.a, call(&w.c, w.a, "", &get).body), "https://out.example/ews") != NULL);
    get.path = "/autodiscover/autodiscover.json/v1.0/ana@example.com?Protocol=Nonsense";
    CHECK_INT(call(&w.c, w.a, "", &get).status, 400);
    get.path = "/mail/config-v1.1.xml?emailaddress=ana%40example.com";
    r = call(&w.c, w.a, "", &get);
    CHECK_INT(r.status, 200);
    CHECK(strstr(arena_str(w.a, r.body), "imap.example.com") != NULL);
    get.path = "/.well-known/autoconfig/mail/config-v1.1.xml";
    CHECK_INT(call(&w.c, w.a, "", &get).status, 200);
    get.path = "/email.mobileconfig?email=ana@example.com";
    CHECK_INT(call(&w.c, w.a, "", &get).status, 404); /* there is no SMTP server */
    walk_end(&w);
    stack_stop(st);
}

TEST(another_organization_is_not_told)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct walk w;
    struct person eve;
    ctl_must(st, "org add Other --domain other.example");
    REQUIRE_EC(directory_add(st->directory, st->a, &(struct person_new){ .login = "eve@other.example", .display_name = "Eve", .password = "secret-eve", .with_mailbox = true },
                             &eve), ecNone);
    walk_init(&w, st, &st->ana);
    CHECK(strstr(pox(&w.c, w.a, "eve@other.example"), "<ErrorCode>500</ErrorCode>") != NULL);
    w.c.user = "eve@other.example";
    w.c.password = "secret-eve";
    CHECK(strstr(pox(&w.c, w.a, "eve@other.example"), "mapiHttp") != NULL);
    CHECK(strstr(pox(&w.c, w.a, "ana@example.com"), "<ErrorCode>500</ErrorCode>") != NULL);
    ctl_must(st, "user grant ana eve@other.example");
    CHECK(strstr(pox(&w.c, w.a, "ana@example.com"), "<AutoDiscoverSMTPAddress>ana@example.com<") != NULL);
    walk_end(&w);
    stack_stop(st);
}

/* Over plain HTTP nobody is asked for a password. */
TEST(plain_http_is_refused)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "" });
    setenv("MAPIHTTPD_AUTH_PLAIN_HTTP", "no", 1);
    stack_kill(st, 0, SIGKILL);
    stack_worker(st, 0);
    unsetenv("MAPIHTTPD_AUTH_PLAIN_HTTP");
    struct walk w;
    walk_init(&w, st, &st->ana);
    struct http_reply r = call(&w.c, w.a, request(w.a, "ana@example.com"), &outlook);
    CHECK_INT(r.status, 403);
    CHECK(http_header(&r, "WWW-Authenticate") == NULL);
    walk_end(&w);
    stack_stop(st);
}
