/* pox.c - an Autodiscover request -> where the mailbox is, where to ask instead, or why not.  MS-OXDSCLI 3.2.5, 2.2.4. */
#include "session/discover/discover_int.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define RESPONSE_SCHEMA "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define OUTLOOK_SCHEMA  "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

/* ErrorCode of MS-OXDSCLI 2.2.4.1.1.3.2. */
enum { NO_ADDRESS = 500, NO_OPTIONS = 501, BAD_REQUEST = 600, NO_PROVIDER = 601, SERVER_ERROR = 603 };

static const char *error_words(int code)
{
    return code == NO_ADDRESS ? "The e-mail address is not known here." : code == NO_OPTIONS ? "There is no mailbox for this e-mail address."
         : code == BAD_REQUEST ? "Invalid Request" : code == NO_PROVIDER ? "Provider is not available" : "The directory cannot be read now.";
}

static void page(struct discover_page *out, struct xml *x) { *out = (struct discover_page){ 200, "text/xml; charset=utf-8", xml_end(x) }; }

static struct xml *begin(const struct discover_call *c, const char *schema)
{
    struct xml *x = xml_new(c->a);
    xml_open(x, "Autodiscover", RESPONSE_SCHEMA);
    xml_open(x, "Response", schema);
    return x;
}

/* Requests that no provider took are answered outside of a provider's schema. */
static void answer_error(const struct discover_call *c, int code, struct discover_page *out)
{
    struct xml *x = begin(c, code >= BAD_REQUEST && code != SERVER_ERROR ? NULL : OUTLOOK_SCHEMA);
    uint64_t us = filetime_now() / 10;
    unsigned long long s = us / 1000000 % 86400;
    xml_open(x, "Error", NULL);
    xml_attribute(x, "Time", arena_printf(c->a, "%02llu:%02llu:%02llu.%07llu", s / 3600, s / 60 % 60, s % 60, (unsigned long long)(us % 1000000 * 10)));
    xml_attribute(x, "Id", arena_printf(c->a, "%u", (unsigned)(us & 0x7FFFFFFF)));
    xml_leaf(x, "ErrorCode", arena_printf(c->a, "%d", code));
    xml_leaf(x, "Message", error_words(code));
    xml_open(x, "DebugData", NULL);
    xml_close(x);
    xml_close(x);
    page(out, x);
}

/* For a domain the new one takes the old one's place in the address. */
static void answer_moved(const struct discover_call *c, const char *address, const struct moved *m, struct discover_page *out)
{
    struct xml *x = begin(c, OUTLOOK_SCHEMA);
    bool to_url = *m->url != '\0';
    const char *to = to_url ? m->url : m->address;
    if (!to_url && strchr(to, '@') == NULL)
        to = arena_printf(c->a, "%.*s@%s", (int)(strrchr(address, '@') - address), address, to);
    xml_open(x, "Account", NULL);
    xml_leaf(x, "Action", to_url ? "redirectUrl" : "redirectAddr");
    xml_leaf(x, to_url ? "RedirectUrl" : "RedirectAddr", to);
    page(out, x);
}

/* --- settings ------------------------------------------------------------------------------------------------------------------------------ */

struct settings {
    const struct discover_call *c;
    struct xml    *x;
    struct person  p;                /* whose mailbox */
    struct policy  policy;
    struct guid    deployment;
    struct place   mapi, offline;
    struct person *shared; size_t nshared; /* mailboxes that the client shall open beside */
};

static void put_endpoint(const struct settings *s, const char *element, const char *name)
{
    char guid[GUID_TEXT];
    const char *domain = strrchr(s->p.smtp, '@'), *urls[2] = { s->mapi.internal, s->mapi.external };
    domain = domain != NULL ? domain + 1 : "localhost";
    guid_text(&s->p.mailbox, guid);
    xml_open(s->x, element, NULL);
    for (int i = 0; i < 2; i++)
        if (*urls[i] != '\0')
            xml_leaf(s->x, i == 0 ? "InternalUrl" : "ExternalUrl", arena_printf(s->c->a, "%s/%s/?MailboxId=%s@%s", urls[i], name, guid, domain));
    xml_close(s->x);
}

/* The number that the client sends is the newest form of this block that it knows; ours is the first (MS-OXDSCLI 2.2.2.1). */
static bool wants_mapi(const struct discover_call *c)
{
    const char *v = c->capability;
    while (v != NULL && (*v == ' ' || *v == '0'))
        v++;
    return v != NULL && *v >= '1' && *v <= '9' && v[strspn(v, "0123456789 ")] == '\0';
}

static void put_mapi(const struct settings *s)
{
    if (!wants_mapi(s->c) || !s->policy.mapi_http)
        return;
    xml_open(s->x, "Protocol", NULL);
    xml_attribute(s->x, "Type", "mapiHttp");
    xml_attribute(s->x, "Version", "1");
    put_endpoint(s, "MailStore", "emsmdb");
    put_endpoint(s, "AddressBook", "nspi");
    xml_close(s->x);
}

/* Web services and the offline address book, for one side. */
static void put_services(const struct settings *s, const char *ews, const char *oab)
{
    const char *url = *ews != '\0' ? ews : oab, *host = strstr(url, "://");
    if (*url == '\0')
        return;
    host = host != NULL ? host + 3 : url;
    xml_open(s->x, "Protocol", NULL);
    xml_leaf(s->x, "Type", "EXHTTP");
    xml_leaf(s->x, "Server", arena_str(s->c->a, blob_of(host, strcspn(host, ":/"))));
    xml_leaf(s->x, "SSL", strncasecmp(url, "https:", 6) == 0 ? "On" : "Off");
    xml_leaf(s->x, "ASUrl", ews);
    xml_leaf(s->x, "EwsUrl", ews);
    xml_leaf(s->x, "OOFUrl", ews);
    xml_leaf(s->x, "OABUrl", oab);
    xml_leaf(s->x, "ServerExclusiveConnect", "On");
    xml_close(s->x);
}

static void put_web(const struct settings *s)
{
    const struct config *g = s->c->config;
    const char *urls[2] = { g->owa_internal_url, s->policy.block_external ? "" : g->owa_external_url };
    if (*urls[0] == '\0' && *urls[1] == '\0')
        return;
    xml_open(s->x, "Protocol", NULL);
    xml_leaf(s->x, "Type", "WEB");
    for (int i = 0; i < 2; i++)
        if (*urls[i] != '\0') {
            xml_open(s->x, i == 0 ? "Internal" : "External", NULL);
            xml_leaf(s->x, "OWAUrl", urls[i]);
            xml_close(s->x);
        }
    xml_close(s->x);
}

static void put_shared(const struct settings *s)
{
    for (size_t i = 0; i < s->nshared; i++) {
        xml_open(s->x, "AlternativeMailbox", NULL);
        xml_leaf(s->x, "Type", "Delegate");
        xml_leaf(s->x, "DisplayName", s->shared[i].display_name);
        xml_leaf(s->x, "SmtpAddress", s->shared[i].smtp);
        xml_leaf(s->x, "OwnerSmtpAddress", s->shared[i].smtp);
        xml_close(s->x);
    }
}

static void put_user(const struct settings *s)
{
    char deployment[GUID_TEXT];
    xml_open(s->x, "User", NULL);
    xml_leaf(s->x, "DisplayName", s->p.display_name);
    xml_leaf(s->x, "LegacyDN", s->p.dn);
    xml_leaf(s->x, "AutoDiscoverSMTPAddress", s->p.smtp);
    xml_leaf(s->x, "DeploymentId", guid_text(&s->deployment, deployment));
    xml_close(s->x);
}

static void put_account(const struct settings *s)
{
    const struct config *g = s->c->config;
    xml_open(s->x, "Account", NULL);
    xml_leaf(s->x, "AccountType", "email");
    xml_leaf(s->x, "Action", "settings");
    xml_leaf(s->x, "MicrosoftOnline", "False");
    put_mapi(s);
    put_services(s, g->ews_internal_url, s->offline.internal);
    if (!s->policy.block_external)
        put_services(s, g->ews_external_url, s->offline.external);
    put_web(s);
    put_shared(s);
    if (*g->public_folder_mailbox != '\0') {
        xml_open(s->x, "PublicFolderInformation", NULL);
        xml_leaf(s->x, "SmtpAddress", g->public_folder_mailbox);
        xml_close(s->x);
    }
    xml_close(s->x);
}

/* What the administrator names instead of our own counts for both sides. */
static ec_t gather_offline(struct settings *s)
{
    const struct config *g = s->c->config;
    s->offline = (struct place){ g->oab_internal_url, g->oab_external_url };
    bool other = *s->offline.internal != '\0' || *s->offline.external != '\0';
    return other || !s->policy.mapi_http ? ecNone : place_offline(s->c, &s->p, &s->mapi, &s->offline);
}

/* Everything that is asked of the directory.  Shared mailboxes are told to their delegate, not to everybody who asks for the delegate's settings. */
static ec_t gather(struct settings *s)
{
    const struct discover_call *c = s->c;
    TRY(policy_of(c->directory, c->a, &s->p, &s->policy));
    TRY(place_mapi(c, &s->mapi));
    TRY(directory_server_guid(c->directory, &s->deployment));
    if (s->policy.block_external)
        s->mapi.external = "";
    TRY(gather_offline(s));
    return c->who != NULL && c->who->row == s->p.row ? directory_shared_with(c->directory, c->a, &s->p, &s->shared, &s->nshared) : ecNone;
}

/* --- the decision -------------------------------------------------------------------------------------------------------------------------- */

/* Organizations do not know of each other, as in the address book; a mailbox that was shared with a delegate is known to him. */
static ec_t known_to(const struct discover_call *c, const struct person *p)
{
    bool known = false;
    if (c->who == NULL)
        return ecNone;
    TRY(org_knows(c->directory, c->a, c->who, p, &known));
    return known ? ecNone : EC(ecUnknownUser);
}

/* The DN counts where both are there (3.2.5). */
static ec_t find(const struct discover_call *c, const struct pox_request *q, struct person *out)
{
    bool by_dn = q->dn != NULL && *q->dn != '\0';
    TRY(by_dn ? directory_by_dn(c->directory, c->a, q->dn, out) : directory_by_address(c->directory, c->a, q->address, out));
    return known_to(c, out);
}

static bool has_name(const struct pox_request *q)
{
    return (q->dn != NULL && *q->dn != '\0') || (q->address != NULL && discover_is_address(q->address));
}

static void answer(const struct discover_call *c, const struct pox_request *q, struct discover_page *out)
{
    struct settings s = { .c = c };
    struct moved m;
    ec_t found = find(c, q, &s.p);
    const char *address = found == ecNone ? s.p.smtp : q->dn == NULL || *q->dn == '\0' ? q->address : "";
    ec_t moved = moved_find(c->directory, c->a, address, &m);
    if (moved == ecNone && strchr(address, '@') != NULL) {
        answer_moved(c, address, &m, out);
    } else if (found == ecUnknownUser && moved == ecNotFound) {
        answer_error(c, NO_ADDRESS, out);
    } else if (found != ecNone || moved != ecNotFound) {
        answer_error(c, SERVER_ERROR, out);
    } else if (!s.p.has_mailbox || s.p.disabled) {
        answer_error(c, NO_OPTIONS, out);
    } else if (gather(&s) != ecNone) {
        answer_error(c, SERVER_ERROR, out);
    } else {
        s.x = begin(c, OUTLOOK_SCHEMA);
        put_user(&s);
        put_account(&s);
        page(out, s.x);
    }
}

void discover_pox(const struct discover_call *c, struct discover_page *out)
{
    struct pox_request q;
    if (c->method == NULL || strcmp(c->method, "POST") != 0 || c->too_large || !pox_read(c->a, c->body, &q) || q.schema == NULL)
        answer_error(c, BAD_REQUEST, out);
    else if (strcasecmp(q.schema, OUTLOOK_SCHEMA) != 0)
        answer_error(c, NO_PROVIDER, out);
    else if (!has_name(&q))
        answer_error(c, BAD_REQUEST, out);
    else
        answer(c, &q, out);
}
