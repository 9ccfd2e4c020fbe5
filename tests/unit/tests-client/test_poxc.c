/* test_poxc.c - Autodiscover answers as a client reads them: whole, of other servers, broken. */
#include "tests/client/poxc.h"
#include "tests/mutate.h"
#include "tests/unit.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">" \
             "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">"
#define TAIL "</Response></Autodiscover>"
#define USER "<User><DisplayName>Ana &lt;&amp;&gt; <![CDATA[Co]]></DisplayName><LegacyDN>/o=Demo/cn=ana</LegacyDN><AutoDiscoverSMTPAddress>ana@example.com</AutoDiscoverSMTPAddress></User>"
#define ENDPOINT(element, name) "<" element "><InternalUrl>https://in/mapi/" name "/?MailboxId=1&amp;x=2</InternalUrl><ExternalUrl>https://out/mapi/" name "/</ExternalUrl></" element ">"

static const char good[] = HEAD USER "<Account><AccountType>email</AccountType><Action>settings</Action>"
    "<Protocol><Type>EXCH</Type><MailStore><InternalUrl>https://wrong/</InternalUrl></MailStore></Protocol>"
    "<Protocol Version=\"1\" Type=\"mapiHttp\">" ENDPOINT("MailStore", "emsmdb") ENDPOINT("AddressBook", "nspi") "</Protocol>"
    "<Protocol><Type>EXHTTP</Type><OABUrl>https://in/oab/1/</OABUrl></Protocol><Protocol><Type>EXHTTP</Type><OABUrl>https://out/oab/1/</OABUrl></Protocol>"
    "<Protocol Type=\"other\"><MailStore><ExternalUrl>https://wrong/</ExternalUrl></MailStore></Protocol></Account>" TAIL;

static struct arena *a;

TEST(answers_are_read)
{
    struct poxc_answer r;
    a = arena_new(SIZE_MAX);
    REQUIRE(poxc_read(a, blob_str(good), &r));
    CHECK(r.mapi && r.error == NULL && r.redirect_url == NULL && r.redirect_address == NULL);
    CHECK_STR(r.action, "settings");
    CHECK_STR(r.name, "Ana <&> Co");
    CHECK_STR(r.dn, "/o=Demo/cn=ana");
    CHECK_STR(r.smtp, "ana@example.com");
    CHECK_STR(r.mail[0], "https://in/mapi/emsmdb/?MailboxId=1&x=2");
    CHECK_STR(r.mail[1], "https://out/mapi/emsmdb/");
    CHECK_STR(r.book[0], "https://in/mapi/nspi/?MailboxId=1&x=2");
    CHECK_STR(r.book[1], "https://out/mapi/nspi/");
    CHECK_STR(r.offline[0], "https://in/oab/1/");
    CHECK_STR(r.offline[1], "https://out/oab/1/");
    REQUIRE(poxc_read(a, blob_str(HEAD "<Error Time=\"1\" Id=\"2\"><ErrorCode>500</ErrorCode><Message>not known</Message></Error>" TAIL), &r));
    CHECK_STR(r.error, "500");
    CHECK_STR(r.message, "not known");
    CHECK(!r.mapi && r.mail[0] == NULL);
    REQUIRE(poxc_read(a, blob_str(HEAD "<Account><Action>redirectAddr</Action><RedirectAddr>x@y</RedirectAddr></Account>" TAIL), &r));
    CHECK_STR(r.redirect_address, "x@y");
    arena_free(a);
}

TEST(what_is_no_answer_is_refused)
{
    struct poxc_answer r;
    a = arena_new(SIZE_MAX);
    static const char *const bad[] = { "", "no", "<html><body/></html>", "<Autodiscover>", "<Autodiscover><Response></Autodiscover>",
        "<!DOCTYPE Autodiscover [<!ENTITY x \"y\">]><Autodiscover><Response/></Autodiscover>", "<Autodiscover><Response>&nowhere;</Response></Autodiscover>",
        "<Autodiscover><a><b><c><d><e><f><g><h><i><j><k><l/></k></j></i></h></g></f></e></d></c></b></a></Autodiscover>" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        unit_check(!poxc_read(a, blob_str(bad[i]), &r), __FILE__, __LINE__, "%s", bad[i]);
    char *much = arena_alloc(a, 6001);
    memset(much, 'x', 6000);
    CHECK(!poxc_read(a, blob_str(arena_printf(a, HEAD "<User><LegacyDN>%s</LegacyDN></User>" TAIL, much)), &r));
    CHECK(poxc_read(a, blob_str(arena_printf(a, HEAD "<User><Other>%s</Other></User>" TAIL, much)), &r));
    arena_free(a);
}

TEST(addresses_are_written_as_text)
{
    a = arena_new(SIZE_MAX);
    CHECK(strstr(poxc_body(a, "a&b<c>@x"), "<EMailAddress>a&amp;b&lt;c&gt;@x</EMailAddress>") != NULL);
    arena_free(a);
}

static void read_one(void *ctx, struct blob b)
{
    struct arena *own = arena_new(SIZE_MAX);
    struct poxc_answer r;
    size_t *accepted = ctx;
    *accepted += poxc_read(own, b, &r);
    arena_free(own);
}

TEST(broken_answers)
{
    size_t accepted = 0, n = mutate_all(blob_str(good), read_one, &accepted);
    CHECK(accepted > 0 && accepted < n);
}
