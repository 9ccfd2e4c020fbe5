/* test_organization.c - a person has one organization, that of the primary address, in all that asks for it and by whatever name he logs on: switches, retention, Autodiscover,
 * the address book. */
#include "backend/directory/entry.h"
#include "tests/client/nspic.h"
#include "tests/flow/ctl.h"
#include "tests/flow/walk.h"
#include "tests/unit.h"
#include <stdio.h>

#define OUTLOOK "http://schemas.microsoft.com/exchange/autodiscover/outlook/"

/* Demo: ana (of the stack), olga (login olga@other.example, address olga@example.com).  Other: anna (login anna@example.com, address anna@other.example), eve. */
struct town { struct stack *st; struct arena *a; struct person anna, olga, eve; };

static struct person add(struct town *t, const char *login, const char *address)
{
    struct person p;
    struct entry e;
    REQUIRE_EC(directory_add(t->st->directory, t->st->a, &(struct person_new){ .login = login, .display_name = login, .password = "secret", .with_mailbox = true }, &p), ecNone);
    REQUIRE_EC(entry_get(t->st->directory, t->st->a, p.row, &e), ecNone);
    e.smtp = address;
    REQUIRE_EC(entry_set(t->st->directory, t->st->a, &e), ecNone);
    REQUIRE_EC(directory_by_login(t->st->directory, t->st->a, login, &p), ecNone);
    return p;
}

static void begin(struct town *t)
{
    t->st = stack_start(&(struct stack_options){ .workers = 2, .config = "session_retention = 700\n" });
    t->a = arena_new(1 << 24);
    ctl_must(t->st, "org add Other --domain other.example");
    ctl_must(t->st, "vdir set --internal-url https://in.example/mapi --external-url https://out.example/mapi");
    t->anna = add(t, "anna@example.com", "anna@other.example");
    t->olga = add(t, "olga@other.example", "olga@example.com");
    t->eve = add(t, "eve@other.example", "eve@other.example");
}

static void finish(struct town *t)
{
    arena_free(t->a);
    stack_stop(t->st);
}

/* A client that says who it is in this way. */
static struct mapic client(struct town *t, const char *login)
{
    struct mapic c;
    stack_client(t->st, &c, &t->anna);
    c.user = login;
    c.password = "secret";
    return c;
}

/* Connect: the X-ResponseCode, and X-ExpirationInfo. */
static int connects(struct town *t, const char *login, const struct person *p, const char **expiration)
{
    struct mapic c = client(t, login);
    struct mapic_reply r = { .code = -2 };
    const char *why = NULL;
    if (!mapic_call(&c, t->a, "Connect", mapic_connect_body(t->a, p->dn), NULL, &r, &why))
        fprintf(stderr, "Connect as %s: %s\n", login, why);
    const char *e = http_header(&r.http, "X-ExpirationInfo");
    *expiration = e != NULL ? arena_strdup(t->a, e) : "";
    mapic_close(&c);
    return r.code;
}

/* Autodiscover's answer for an address. */
static const char *discover(struct town *t, const char *login, const char *address)
{
    static const struct mapic_odd odd = { .path = "/autodiscover/autodiscover.xml", .extra = "X-MapiHttpCapability: 1\r\n", .keep_cookies = true };
    struct mapic c = client(t, login);
    struct mapic_reply r = { 0 };
    const char *why = NULL;
    c.mailbox_id = NULL;
    c.route = stack_route[0]; /* it is no session: which worker answers is not said */
    const char *body = arena_printf(t->a, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"" OUTLOOK "requestschema/2006\"><Request><EMailAddress>%s</EMailAddress>"
                                          "<AcceptableResponseSchema>" OUTLOOK "responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>", address);
    CHECK(mapic_call(&c, t->a, "Autodiscover", blob_str(body), &odd, &r, &why));
    mapic_close(&c);
    return arena_str(t->a, r.http.body);
}

/* Is somebody in the address book that this person sees? */
static bool sees(struct town *t, const char *login, const char *dn)
{
    struct mapic c = client(t, login);
    struct nspic_reply r;
    const char *why = NULL;
    const struct nspic_stat s = { .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
    nspic_init(&c);
    uint32_t bound = nspic_call(&c, t->a, "Bind", &(struct nspic_ask){ .stat = &s }, NULL, &r, &why);
    unit_check(bound == 0, __FILE__, __LINE__, "Bind as %s: %s", login, why != NULL ? why : "");
    CHECK_INT(nspic_call(&c, t->a, "DNToMId", &(struct nspic_ask){ .names = &dn, .nnames = 1 }, NULL, &r, &why), 0);
    mapic_close(&c);
    return r.mids == 1 && r.mid[0] != 0;
}

static const char *organization(struct town *t, const char *login)
{
    json_t *j = ctl_json(t->st, arena_printf(t->a, "mailbox show '%s'", login), 0);
    const char *name = arena_strdup(t->a, json_string_value(json_object_get(j, "organization")));
    json_decref(j);
    return name;
}

/* Everything, for one way to log on. */
static void check(struct town *t, const char *login, const struct person *p, bool other, int line)
{
    const char *mine = other ? "Other" : "Demo", *strange = other ? "Demo" : "Other", *end, *address = p->smtp;
    unit_str(organization(t, login), mine, login, __FILE__, line);
    unit_int(connects(t, login, p, &end), 0, login, __FILE__, line);
    unit_str(end, "700000", login, __FILE__, line);
    ctl_must(t->st, arena_printf(t->a, "org set %s --mapi-http-enabled false --retention 120", strange));
    unit_int(connects(t, login, p, &end), 0, login, __FILE__, line); /* the other one's policies are not his */
    unit_str(end, "700000", login, __FILE__, line);
    unit_check(strstr(discover(t, login, address), "mapiHttp") != NULL, __FILE__, line, "%s: nothing is offered", login);
    ctl_must(t->st, arena_printf(t->a, "org set %s --mapi-http-enabled true --retention default", strange));
    ctl_must(t->st, arena_printf(t->a, "org set %s --retention 3600", mine));
    unit_int(connects(t, login, p, &end), 0, login, __FILE__, line);
    unit_str(end, "3600000", login, __FILE__, line);
    ctl_must(t->st, arena_printf(t->a, "org set %s --mapi-http-enabled false", mine));
    unit_int(connects(t, login, p, &end), 16, login, __FILE__, line);
    unit_check(strstr(discover(t, login, address), "mapiHttp") == NULL, __FILE__, line, "%s: it is offered", login);
    ctl_must(t->st, arena_printf(t->a, "org set %s --mapi-http-enabled true --retention default", mine));
    unit_check(sees(t, login, t->eve.dn) == other && sees(t, login, t->st->ana.dn) == !other, __FILE__, line, "%s sees the other organization", login);
    unit_check((strstr(discover(t, login, "eve@other.example"), "mapiHttp") != NULL) == other, __FILE__, line, "%s is told of the other organization", login);
    unit_check((strstr(discover(t, login, "ana@example.com"), "mapiHttp") != NULL) == !other, __FILE__, line, "%s is told of the other organization", login);
}
#define IS(login, person, other) check(&t, (login), (person), (other), __LINE__)

TEST_LIMIT(every_policy_by_the_address_whatever_the_login, 120)
{
    struct town t;
    begin(&t);
    IS("anna", &t.anna, true);
    IS("CORP\\anna", &t.anna, true);
    IS("Anna@Example.Com", &t.anna, true);
    IS("olga@other.example", &t.olga, false);
    IS("eve@other.example", &t.eve, true);
    finish(&t);
}

/* A domain that moves, and a new primary address, at the next request of sessions that run. */
TEST_LIMIT(moves_count_at_the_next_request, 60)
{
    struct town t;
    struct walk w;
    begin(&t);
    walk_init(&w, t.st, &t.anna);
    w.c.user = "CORP\\anna";
    w.c.password = "secret";
    MUST_STEP(&w, step_connect(&w.s, t.anna.dn));
    ctl_must(t.st, "org set Other --mapi-http-enabled false --remove-domain other.example"); /* his sessions go on: the domain is Demo's now */
    CHECK_STR(organization(&t, "anna"), "Demo");
    MUST_STEP(&w, step_connect(&w.s, t.anna.dn));
    CHECK(sees(&t, "anna", t.st->ana.dn) && sees(&t, "anna", t.eve.dn));
    ctl_must(t.st, "org set Other --domain other.example");
    CHECK_STR(organization(&t, "anna"), "Other");
    CHECK(step_connect(&w.s, t.anna.dn) != ecNone);
    CHECK_INT(w.s.code, 16);
    ctl_must(t.st, "directory set anna@other.example --set mail=anna@example.com");
    CHECK_STR(organization(&t, "anna"), "Demo");
    MUST_STEP(&w, step_connect(&w.s, t.anna.dn));
    walk_end(&w);
    finish(&t);
}

/* What an upgrade changed is shown to the administrator. */
TEST(who_belongs_elsewhere_than_his_login_says)
{
    struct town t;
    begin(&t);
    const char *text = ctl_run(t.st, "readiness").text;
    CHECK(strstr(text, "2 users belong to another organization than the domain of their login: anna@example.com olga@other.example") != NULL);
    ctl_must(t.st, "directory set anna@other.example --set mail=anna@example.com");
    ctl_must(t.st, "directory set olga@example.com --set mail=olga@other.example");
    CHECK(strstr(ctl_run(t.st, "readiness").text, "belong to another organization") == NULL);
    finish(&t);
}
