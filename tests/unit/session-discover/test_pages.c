/* test_pages.c - paths, the JSON form, Thunderbird's and Apple's files. */
#include "session/discover/discover_int.h"
#include "tests/unit.h"
#include <jansson.h>

static struct arena *a;
static struct config config;
static struct directory *d;

static void begin(const char *name)
{
    const char *why;
    a = arena_new((size_t)1 << 28);
    struct config *c = config_load(a, NULL, &why);
    REQUIRE(c != NULL);
    config = *c;
    config.directory = arena_printf(a, "%s/%s.db", unit_tmpdir(), name);
    config.server_name = "mail.example.com";
    d = directory_open(&config, a, &why);
    REQUIRE(d != NULL);
}

static void end(void)
{
    directory_close(d);
    arena_free(a);
}

static struct discover_page get(const char *method, const char *path, const char *query)
{
    struct discover_call c = { .a = a, .config = &config, .directory = d, .method = method, .path = path, .query = query };
    struct discover_page p = { 0 };
    const struct discover_route *r = discover_find(path);
    REQUIRE(r != NULL);
    CHECK(!r->authenticate);
    r->run(&c, &p);
    return p;
}

TEST(paths)
{
    static const char *const pages[] = { "/autodiscover/autodiscover.xml", "/Autodiscover/AutoDiscover.xml", "/autodiscover/autodiscover.json", "/AUTODISCOVER/AUTODISCOVER.JSON/v1.0/a@b",
                                         "/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml", "/email.mobileconfig" };
    static const char *const others[] = { "", "/", "/autodiscover", "/autodiscover/autodiscover.xml/", "/autodiscover/autodiscover.xmlx", "/autodiscover/autodiscover.jsonx", "/mapi/emsmdb",
                                          "/autodiscover/autodiscover.svc" };
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        unit_check(discover_find(pages[i]) != NULL, __FILE__, __LINE__, "%s", pages[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        unit_check(discover_find(others[i]) == NULL, __FILE__, __LINE__, "%s", others[i]);
    CHECK(discover_find(NULL) == NULL);
}

static void json(const char *path, const char *query, int status, const char *key, const char *value, int line)
{
    struct discover_page p = get("GET", path, query);
    unit_int(p.status, status, query, __FILE__, line);
    CHECK_STR(p.type, "application/json; charset=utf-8");
    json_t *j = json_loadb((const char *)p.text.p, p.text.n, 0, NULL);
    REQUIRE(j != NULL);
    unit_str(json_string_value(json_object_get(j, key)), value, query, __FILE__, line);
    json_decref(j);
}
#define JSON(path, query, status, key, value) json((path), (query), (status), (key), (value), __LINE__)

TEST(json_answers_and_errors)
{
    static const char path[] = "/autodiscover/autodiscover.json", xml[] = "https://mail.example.com/autodiscover/autodiscover.xml";
    begin("json");
    JSON(path, "Email=ana@example.com&Protocol=AutodiscoverV1", 200, "Url", xml);
    JSON(path, "email=ana%40example.com&protocol=autodiscoverv1", 200, "Protocol", "AutodiscoverV1");
    JSON("/autodiscover/autodiscover.json/v1.0/ana@example.com", "Protocol=AutodiscoverV1&RedirectCount=1", 200, "Url", xml);
    JSON("/Autodiscover/Autodiscover.json/v1.0/ana+tag@example.com", "Protocol=AutodiscoverV1", 200, "Url", xml);
    JSON(path, "Email=nobody@nowhere.example&Protocol=AutodiscoverV1", 200, "Url", xml); /* tells nothing about who exists */
    JSON(path, "Email=ana@example.com&Protocol=Ews", 400, "ErrorCode", "InvalidProtocol");
    JSON(path, "Email=ana@example.com&Protocol=ActiveSync", 400, "ErrorMessage", "The protocol is not offered here. Supported values: AutodiscoverV1.");
    JSON(path, "Email=ana@example.com", 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, "Email=ana@example.com&Protocol=", 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, "Protocol=AutodiscoverV1", 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, NULL, 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, "Email=%zz&Protocol=AutodiscoverV1", 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, "Email=%00&Protocol=AutodiscoverV1", 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, "Email=%ff%fe@x&Protocol=AutodiscoverV1", 400, "ErrorCode", "MandatoryParameterMissing");
    JSON(path, "Email=ana&Protocol=AutodiscoverV1", 400, "ErrorCode", "InvalidUserId");
    JSON(path, "Email=a%22b@c&Protocol=AutodiscoverV1", 400, "ErrorCode", "InvalidUserId");
    config.ews_external_url = "https://out.example/ews";
    JSON(path, "Email=ana@example.com&Protocol=EWS", 200, "Url", "https://out.example/ews");
    JSON(path, "Email=ana@example.com&Protocol=Rest", 400, "ErrorMessage", "The protocol is not offered here. Supported values: AutodiscoverV1,Ews.");
    CHECK_EC(moved_set(d, &(struct moved){ "far.example", "https://far.example/a.xml", "" }), ecNone);
    JSON(path, "Email=ana@far.example&Protocol=AutodiscoverV1", 200, "Url", "https://far.example/a.xml");
    CHECK_INT(get("POST", path, "Email=ana@example.com&Protocol=AutodiscoverV1").status, 405);
    end();
}

static bool has(struct discover_page p, const char *want, int line)
{
    const char *t = arena_str(a, p.text);
    return unit_check(strstr(t, want) != NULL, __FILE__, line, "\"%s\" is not in:\n%s", want, t);
}
#define HAS(p, want) has((p), (want), __LINE__)

TEST(mail_programs_are_told_what_is_configured)
{
    begin("mail");
    struct discover_page p = get("GET", "/mail/config-v1.1.xml", "emailaddress=ana%40example.com");
    CHECK_INT(p.status, 404);
    HAS(p, "not configured");
    CHECK_INT(get("GET", "/email.mobileconfig", "email=ana@example.com").status, 404);
    config.imap_server = "imap.example.com:993";
    p = get("GET", "/.well-known/autoconfig/mail/config-v1.1.xml", "emailaddress=ana%40example.com");
    CHECK_INT(p.status, 200);
    HAS(p, "<hostname>imap.example.com</hostname>");
    HAS(p, "<socketType>SSL</socketType>");
    HAS(p, "<domain>example.com</domain>");
    CHECK_INT(get("GET", "/email.mobileconfig", "email=ana@example.com").status, 404); /* both are needed there */
    config.smtp_server = "smtp.example.com:587";
    p = get("GET", "/mail/config-v1.1.xml", NULL);
    HAS(p, "<outgoingServer type=\"smtp\">");
    HAS(p, "<socketType>STARTTLS</socketType>");
    HAS(p, "%EMAILDOMAIN%");
    p = get("GET", "/email.mobileconfig", "email=ana@example.com");
    CHECK_INT(p.status, 200);
    CHECK_STR(p.type, "application/x-apple-aspen-config; charset=utf-8");
    HAS(p, "-//Apple//DTD PLIST 1.0//EN");
    HAS(p, "<key>IncomingMailServerHostName</key>");
    HAS(p, "<integer>587</integer>");
    CHECK_INT(get("GET", "/email.mobileconfig", "email=ana").status, 400);
    CHECK_INT(get("GET", "/email.mobileconfig", NULL).status, 400);
    CHECK_INT(get("POST", "/mail/config-v1.1.xml", NULL).status, 405);
    static const char *const bad[] = { "imap.example.com", ":993", "imap.example.com:", "imap.example.com:0", "imap.example.com:70000", "a b:993", "x:99x" };
    config.smtp_server = "";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config.imap_server = bad[i];
        unit_int(get("GET", "/mail/config-v1.1.xml", NULL).status, 404, bad[i], __FILE__, __LINE__);
    }
    end();
}
