/* test_pox.c - Autodiscover requests read, answered, broken: MS-OXDSCLI 2.2.3, 2.2.4, 3.2.5. */
#include "session/discover/discover_int.h"
#include "backend/directory/offline/offline.h"
#include "backend/base/wr.h"
#include "tests/mutate.h"
#include "tests/unit.h"
#include <stdio.h>

static struct arena *a;
static struct config config;
static struct directory *d;
static struct person ana, bob;

static struct person add(const char *login, const char *name, bool mailbox)
{
    struct person p = { 0 };
    REQUIRE_EC(directory_add(d, a, &(struct person_new){ .login = login, .display_name = name, .password = "x", .with_mailbox = mailbox }, &p), ecNone);
    return p;
}

static void begin(const char *name)
{
    const char *why;
    a = arena_new((size_t)1 << 28);
    struct config *c = config_load(a, NULL, &why);
    REQUIRE(c != NULL);
    config = *c;
    config.directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name);
    config.organization = "Demo";
    config.default_domain = "example.com";
    config.server_name = "mail.example.com";
    d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
    ana = add("ana@example.com", "Ana <& \"Co\">", true);
    bob = add("bob@example.com", "Bob", true);
}

static void end(void)
{
    directory_close(d);
    arena_free(a);
}

#define OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/"
#define REQUEST(inner) "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request>" inner "</Request></Autodiscover>"
#define SCHEMA "<AcceptableResponseSchema>" OUTLOOK "responseschema/2006a</AcceptableResponseSchema>"
#define MAIL(address) "<EMailAddress>" address "</EMailAddress>"

static const char *ask(const char *body, const struct person *who, const char *capability)
{
    struct discover_call c = { .a = a, .config = &config, .directory = d, .who = who, .method = "POST", .path = "/autodiscover/autodiscover.xml", .host = "10.0.0.1",
                               .capability = capability, .body = blob_str(body) };
    struct discover_page p = { 0 };
    const struct discover_route *r = discover_find("/AutoDiscover/AutoDiscover.XML");
    REQUIRE(r != NULL && r->authenticate);
    r->run(&c, &p);
    CHECK_INT(p.status, 200);
    CHECK_STR(p.type, "text/xml; charset=utf-8");
    return arena_str(a, p.text);
}

static bool has(const char *text, const char *want, int line)
{
    return unit_check(strstr(text, want) != NULL, __FILE__, line, "\"%s\" is not in:\n%s", want, text);
}
static bool lacks(const char *text, const char *what, int line)
{
    return unit_check(strstr(text, what) == NULL, __FILE__, line, "\"%s\" is in:\n%s", what, text);
}
#define HAS(text, want) has((text), (want), __LINE__)
#define LACKS(text, what) lacks((text), (what), __LINE__)

TEST(own_mailbox)
{
    begin("own");
    char guid[GUID_TEXT];
    guid_text(&ana.mailbox, guid);
    const char *t = ask(REQUEST(MAIL(" Ana@Example.com\n") SCHEMA), &ana, "1");
    HAS(t, "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">");
    HAS(t, "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">");
    HAS(t, "<DisplayName>Ana &lt;&amp; &quot;Co&quot;&gt;</DisplayName>");
    HAS(t, arena_printf(a, "<LegacyDN>%s</LegacyDN>", ana.dn));
    HAS(t, "<AutoDiscoverSMTPAddress>ana@example.com</AutoDiscoverSMTPAddress>");
    HAS(t, "<AccountType>email</AccountType>");
    HAS(t, "<Action>settings</Action>");
    HAS(t, "<Protocol Type=\"mapiHttp\" Version=\"1\">");
    HAS(t, arena_printf(a, "<InternalUrl>https://mail.example.com/mapi/emsmdb/?MailboxId=%s@example.com</InternalUrl>", guid));
    HAS(t, arena_printf(a, "<ExternalUrl>https://mail.example.com/mapi/nspi/?MailboxId=%s@example.com</ExternalUrl>", guid));
    LACKS(t, "EXCH");
    LACKS(t, "EXPR");
    LACKS(t, "EwsUrl");
    LACKS(t, "PublicFolderInformation");
    LACKS(t, "AlternativeMailbox");
    end();
}

TEST(capability_is_any_number_from_one)
{
    begin("capability");
    static const struct { const char *sent; bool offered; } row[] = {
        { "1", true }, { "2", true }, { " 1 ", true }, { "10", true }, { "01", true }, { NULL, false }, { "", false }, { "0", false }, { "-1", false }, { "x", false },
        { "1x", false }, { "00", false },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        const char *t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, row[i].sent);
        unit_check((strstr(t, "mapiHttp") != NULL) == row[i].offered, __FILE__, __LINE__, "\"%s\"", row[i].sent != NULL ? row[i].sent : "(none)");
        HAS(t, "<Action>settings</Action>");
        LACKS(t, "EXCH<");
    }
    end();
}

TEST(virtual_directory_and_blocking)
{
    begin("vdir");
    CHECK_EC(vdir_set(d, &(struct vdir){ "https://in.example/mapi", "https://out.example/m", 1, 1 }), ecNone);
    const char *t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "<InternalUrl>https://in.example/mapi/emsmdb/?MailboxId=");
    HAS(t, "<ExternalUrl>https://out.example/m/nspi/?MailboxId=");
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, true, 0 }), ecNone);
    t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "<InternalUrl>https://in.example/mapi/nspi/?MailboxId=");
    LACKS(t, "ExternalUrl");
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_FALSE, false, 0 }), ecNone);
    LACKS(ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1"), "mapiHttp");
    HAS(ask(REQUEST(MAIL("bob@example.com") SCHEMA), &ana, "1"), "mapiHttp");
    CHECK_EC(vdir_set(d, &(struct vdir){ "https://in.example/mapi", "", 1, 1 }), ecNone);
    LACKS(ask(REQUEST(MAIL("bob@example.com") SCHEMA), &bob, "1"), "ExternalUrl");
    CHECK_EC(vdir_set(d, &(struct vdir){ "", "https://out.example/mapi", 1, 1 }), ecNone);
    HAS(ask(REQUEST(MAIL("bob@example.com") SCHEMA), &bob, "1"), "<InternalUrl>https://out.example/mapi/emsmdb/");
    end();
}

/* Without a name in the configuration the client's own name of this server counts, if it is one. */
TEST(server_name_from_the_request)
{
    begin("host");
    static const struct { const char *host, *want; } row[] = { { "mail.example.com:8443", "https://mail.example.com:8443/mapi/" }, { "[::1]:1", "https://[::1]:1/mapi/" } };
    static const char *const bad[] = { "evil.example/\"><x", "a b", "", NULL, "x@y" };
    struct place p;
    struct discover_call call = { .a = a, .config = &config, .directory = d };
    config.server_name = "";
    for (size_t i = 0; i < 2; i++) {
        call.host = row[i].host;
        CHECK_EC(place_mapi(&call, &p), ecNone);
        CHECK_STR(arena_printf(a, "%s/", p.internal), row[i].want);
        CHECK_STR(p.internal, p.external);
    }
    for (size_t i = 0; i < 5; i++) {
        call.host = bad[i];
        CHECK_EC(place_mapi(&call, &p), ecNone);
        CHECK(bad[i] == NULL || *bad[i] == '\0' || strstr(p.internal, bad[i]) == NULL);
    }
    end();
}

TEST(shared_mailboxes_are_told_to_their_delegate)
{
    begin("shared");
    struct person team = add("team@example.com", "Team", true), off = add("off@example.com", "Off", false);
    (void)team, (void)off;
    CHECK_EC(directory_grant(d, "team", "ana", true), ecNone);
    CHECK_EC(directory_grant(d, "off", "ana", true), ecNone);
    const char *t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "<AlternativeMailbox>");
    HAS(t, "<Type>Delegate</Type>");
    HAS(t, "<SmtpAddress>team@example.com</SmtpAddress>");
    HAS(t, "<OwnerSmtpAddress>team@example.com</OwnerSmtpAddress>");
    LACKS(t, "off@example.com");
    LACKS(ask(REQUEST(MAIL("ana@example.com") SCHEMA), &bob, "1"), "AlternativeMailbox");
    HAS(ask(REQUEST(MAIL("team@example.com") SCHEMA), &ana, "1"), "<AutoDiscoverSMTPAddress>team@example.com");
    CHECK_EC(directory_grant(d, "team", "ana", false), ecNone);
    LACKS(ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1"), "AlternativeMailbox");
    end();
}

/* By address and by DN, like an address that is nobody's; but a mailbox that was shared with a delegate. */
TEST(organizations_do_not_know_of_each_other)
{
    begin("organizations");
    CHECK_EC(org_add(d, "Other"), ecNone);
    CHECK_EC(org_add_domain(d, "Other", "other.example"), ecNone);
    struct person eve = add("eve@other.example", "Eve", true), kim = add("kim@other.example", "Kim", true);
    const char *by_dn = arena_printf(a, REQUEST("<LegacyDN>%s</LegacyDN>" SCHEMA), ana.dn);
    HAS(ask(REQUEST(MAIL("kim@other.example") SCHEMA), &eve, "1"), "<DisplayName>Kim<");
    HAS(ask(by_dn, &bob, "1"), "<AutoDiscoverSMTPAddress>ana@example.com<");
    const char *t[] = { ask(REQUEST(MAIL("ana@example.com") SCHEMA), &eve, "1"), ask(by_dn, &eve, "1"), ask(REQUEST(MAIL("eve@other.example") SCHEMA), &ana, "1") };
    for (size_t i = 0; i < 3; i++) {
        HAS(t[i], "<ErrorCode>500</ErrorCode>");
        LACKS(t[i], "DisplayName");
    }
    CHECK_EC(directory_grant(d, "ana", "eve@other.example", true), ecNone);
    HAS(ask(REQUEST(MAIL("ana@example.com") SCHEMA), &eve, "1"), "<AutoDiscoverSMTPAddress>ana@example.com<");
    LACKS(ask(REQUEST(MAIL("bob@example.com") SCHEMA), &eve, "1"), "DisplayName");
    (void)kim;
    end();
}

TEST(services_are_named_where_they_are_configured)
{
    begin("services");
    config.ews_internal_url = "https://in.example/ews/exchange.asmx";
    config.ews_external_url = "https://out.example/ews/exchange.asmx";
    config.oab_external_url = "https://out.example/oab/";
    config.owa_external_url = "https://out.example/web";
    config.public_folder_mailbox = "folders@example.com";
    const char *t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "<Type>EXHTTP</Type>");
    HAS(t, "<Server>in.example</Server>");
    HAS(t, "<EwsUrl>https://out.example/ews/exchange.asmx</EwsUrl>");
    HAS(t, "<OABUrl>https://out.example/oab/</OABUrl>");
    HAS(t, "<Type>WEB</Type>");
    HAS(t, "<OWAUrl>https://out.example/web</OWAUrl>");
    HAS(t, "<PublicFolderInformation>");
    HAS(t, "<SmtpAddress>folders@example.com</SmtpAddress>");
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, true, 0 }), ecNone);
    t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "in.example");
    LACKS(t, "out.example");
    end();
}

/* Our own: on the hosts of the endpoints, and only where these are. */
TEST(own_offline_address_book)
{
    begin("offline");
    struct offline_book book;
    char guid[GUID_TEXT];
    REQUIRE_EC(offline_for(d, a, &ana, &book), ecNone);
    guid_text(&book.guid, guid);
    const char *t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, arena_printf(a, "<OABUrl>https://mail.example.com/oab/%s/</OABUrl>", guid));
    HAS(t, "<Type>EXHTTP</Type>");
    HAS(t, "<Server>mail.example.com</Server>");
    HAS(t, "<SSL>On</SSL>");
    LACKS(t, "EwsUrl");
    LACKS(t, "ASUrl");
    CHECK_EC(vdir_set(d, &(struct vdir){ "https://in.example:8443/mapi", "https://out.example/prefix/mapi", METHOD_BASIC, METHOD_BASIC }), ecNone);
    t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, arena_printf(a, "<OABUrl>https://in.example:8443/oab/%s/</OABUrl>", guid));
    HAS(t, arena_printf(a, "<OABUrl>https://out.example/oab/%s/</OABUrl>", guid));
    CHECK_EC(vdir_set(d, &(struct vdir){ "https://in.example/mapi", "", METHOD_BASIC, METHOD_BASIC }), ecNone);
    t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    CHECK(strstr(t, "OABUrl") != NULL && strstr(strstr(t, "/OABUrl") + 7, "OABUrl") == NULL); /* not from outside */
    CHECK_EC(vdir_set(d, &(struct vdir){ "https://in.example/mapi", "https://out.example/mapi", METHOD_BASIC, METHOD_BASIC }), ecNone);
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, true, 0 }), ecNone);
    t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "https://in.example/oab/");
    LACKS(t, "out.example");
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_FALSE, false, 0 }), ecNone);
    LACKS(ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1"), "OABUrl");
    CHECK_EC(mailbox_policy_set(d, "ana", &(struct mailbox_policy){ TRI_NULL, false, 0 }), ecNone);
    config.oab_external_url = "https://elsewhere.example/oab/";
    t = ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1");
    HAS(t, "<OABUrl>https://elsewhere.example/oab/</OABUrl>");
    LACKS(t, guid);
    config.oab_external_url = "";
    config.offline_address_book = false;
    LACKS(ask(REQUEST(MAIL("ana@example.com") SCHEMA), &ana, "1"), "OABUrl");
    end();
}

static void error(const char *body, int code, int line)
{
    const char *t = ask(body, &ana, "1");
    has(t, arena_printf(a, "<ErrorCode>%d</ErrorCode>", code), line);
    has(t, "<Error Time=\"", line);
    has(t, "<Message>", line);
    lacks(t, "<Account>", line);
}

TEST(errors_have_their_numbers)
{
    begin("errors");
    add("plain@example.com", "No mailbox", false);
    error(REQUEST(MAIL("nobody@example.com") SCHEMA), 500, __LINE__);
    error(REQUEST(MAIL("ana@elsewhere.example") SCHEMA), 500, __LINE__);
    error(REQUEST("<LegacyDN>/o=Demo/cn=nobody</LegacyDN>" SCHEMA), 500, __LINE__);
    error(REQUEST(MAIL("plain@example.com") SCHEMA), 501, __LINE__);
    error(REQUEST(MAIL("ana@example.com") "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema>"),
          601, __LINE__);
    error(REQUEST(MAIL("ana@example.com") "<AcceptableResponseSchema></AcceptableResponseSchema>"), 601, __LINE__);
    static const char *const bad[] = {
        "", "x", "<a/>", "<Autodiscover/>", REQUEST(""), REQUEST(MAIL("ana@example.com")), REQUEST(SCHEMA), REQUEST(MAIL("") SCHEMA), REQUEST(MAIL("ana") SCHEMA),
        REQUEST(MAIL("a b@example.com") SCHEMA), REQUEST(MAIL("ana@example.com") MAIL("bob@example.com") SCHEMA), REQUEST(MAIL("<x/>") SCHEMA),
        REQUEST(MAIL("ana@example.com") SCHEMA) "<x/>", REQUEST(MAIL("ana@example.com" SCHEMA)),
        "<Autodiscover xmlns=\"urn:other\"><Request>" MAIL("ana@example.com") SCHEMA "</Request></Autodiscover>",
        "<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Other>" MAIL("ana@example.com") SCHEMA "</Other></Autodiscover>",
        REQUEST(MAIL("&unknown;") SCHEMA), REQUEST(MAIL("\xff\xfe@example.com") SCHEMA),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        error(bad[i], 600, __LINE__);
    end();
}

/* No DTD, whatever is in it: no entity is ever looked up or multiplied, no file read, no host asked. */
TEST(documents_with_a_dtd_are_refused)
{
    begin("dtd");
    static const char *const bad[] = {
        "<!DOCTYPE Autodiscover SYSTEM \"file:///etc/passwd\">", "<!DOCTYPE Autodiscover [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE Autodiscover [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY e \"&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>",
        "<!DOCTYPE Autodiscover>", "<!DOCTYPE Autodiscover PUBLIC \"x\" \"http://127.0.0.1:1/x.dtd\" [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/\"> %p;]>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error(arena_printf(a, "%s<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request>" MAIL("ana@example.com") SCHEMA "</Request></Autodiscover>", bad[i]), 600, __LINE__);
        error(arena_printf(a, "%s<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request>" MAIL("&e;") SCHEMA "</Request></Autodiscover>", bad[i]), 600, __LINE__);
    }
    end();
}

TEST(deep_and_long_documents_are_refused)
{
    begin("deep");
    struct wr w = wr_in(a, 1 << 20);
    wr_bytes(&w, "<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request>", strlen("<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request>"));
    for (int i = 0; i < 5000; i++)
        wr_bytes(&w, "<a>", 3);
    error(arena_str(a, wr_blob(&w)), 600, __LINE__);
    char *long_text = arena_alloc(a, 70001);
    memset(long_text, 'a', 70000);
    error(arena_printf(a, REQUEST(MAIL("%s@example.com") SCHEMA), long_text), 600, __LINE__);
    long_text[3000] = '\0';
    error(arena_printf(a, REQUEST(MAIL("%s@example.com") SCHEMA), long_text), 600, __LINE__);
    end();
}

TEST(dn_counts_before_the_address)
{
    begin("dn");
    const char *t = ask(arena_printf(a, REQUEST(MAIL("ana@example.com") "<LegacyDN>%s</LegacyDN>" SCHEMA), bob.dn), &ana, "1");
    HAS(t, "bob@example.com");
    LACKS(t, "ana@example.com");
    t = ask(REQUEST(MAIL("ana@example.com") "<LegacyDN></LegacyDN>" SCHEMA), &ana, "1");
    HAS(t, "ana@example.com");
    end();
}

TEST(moved_names_are_sent_on)
{
    begin("moved");
    CHECK_EC(moved_set(d, &(struct moved){ "gone.example", "", "here.example" }), ecNone);
    CHECK_EC(moved_set(d, &(struct moved){ "far.example", "https://far.example/autodiscover/autodiscover.xml", "" }), ecNone);
    CHECK_EC(moved_set(d, &(struct moved){ "bob@example.com", "", "bob@new.example" }), ecNone);
    const char *t = ask(REQUEST(MAIL("x.y@gone.example") SCHEMA), &ana, "1");
    HAS(t, "<Action>redirectAddr</Action>");
    HAS(t, "<RedirectAddr>x.y@here.example</RedirectAddr>");
    t = ask(REQUEST(MAIL("x@far.example") SCHEMA), &ana, "1");
    HAS(t, "<Action>redirectUrl</Action>");
    HAS(t, "<RedirectUrl>https://far.example/autodiscover/autodiscover.xml</RedirectUrl>");
    LACKS(t, "Protocol");
    t = ask(REQUEST(MAIL("bob@example.com") SCHEMA), &bob, "1");
    HAS(t, "<RedirectAddr>bob@new.example</RedirectAddr>");
    HAS(ask(arena_printf(a, REQUEST("<LegacyDN>%s</LegacyDN>" SCHEMA), bob.dn), &bob, "1"), "bob@new.example");
    end();
}

TEST(other_encodings_and_writings)
{
    begin("writings");
    static const uint8_t utf16[] = { 0xFF, 0xFE };
    const char *plain = "<Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request>" MAIL("ana@example.com") SCHEMA "</Request></Autodiscover>";
    struct wr w = wr_in(a, 65536);
    wr_bytes(&w, utf16, 2);
    for (const char *p = plain; *p != '\0'; p++)
        wr_u16(&w, (uint8_t)*p);
    struct pox_request q;
    REQUIRE(pox_read(a, wr_blob(&w), &q));
    CHECK_STR(q.address, "ana@example.com");
    REQUIRE(pox_read(a, blob_str("\xEF\xBB\xBF<x:Autodiscover xmlns:x='" OUTLOOK "requestschema/2006'><!-- c --><x:Request><x:EMailAddress><![CDATA[a@b]]></x:EMailAddress>"
                                 "<Unknown><Deep/></Unknown></x:Request></x:Autodiscover>"), &q));
    CHECK_STR(q.address, "a@b");
    REQUIRE(pox_read(a, blob_str(REQUEST(MAIL("o&apos;x&#64;b.example") SCHEMA)), &q));
    CHECK_STR(q.address, "o'x@b.example");
    end();
}

static void once(void *ctx, struct blob variant)
{
    struct pox_request q;
    struct arena *mine = arena_new(1 << 20);
    size_t *accepted = ctx;
    *accepted += pox_read(mine, variant, &q);
    arena_free(mine);
}

TEST(every_truncation_and_bit_flip)
{
    size_t accepted = 0, n = mutate_all(blob_str(REQUEST(MAIL("ana@example.com") "<LegacyDN>/o=Demo/cn=x</LegacyDN>" SCHEMA)), once, &accepted);
    CHECK(n > 2000);
    CHECK(accepted > 0 && accepted < n);
}

/* A name with what XML cannot say does not break the answer. */
TEST(hostile_names_stay_inside_their_element)
{
    begin("names");
    add("eve@example.com", "x</DisplayName><Evil>\x01\x02\xEF\xBF\xBF\xED\xA0\x80", true);
    const char *t = ask(REQUEST(MAIL("eve@example.com") SCHEMA), &ana, "1");
    HAS(t, "<DisplayName>x&lt;/DisplayName&gt;&lt;Evil&gt;???\?\?\?\?\?</DisplayName>");
    end();
}

TEST(a_directory_that_cannot_be_read_is_an_internal_error)
{
    begin("down");
    directory_close(d);
    FILE *f = fopen(config.directory, "r+");
    REQUIRE(f != NULL);
    const char *why;
    d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
    char zeros[4096] = { 0 };
    for (int i = 0; i < 64; i++)
        fwrite(zeros, 1, sizeof zeros, f);
    fclose(f);
    error(REQUEST(MAIL("ana@example.com") SCHEMA), 603, __LINE__);
    end();
}
