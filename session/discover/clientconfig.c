/* clientconfig.c - settings for mail programs that speak IMAP and SMTP: the XML that Thunderbird looks for, the profile that Apple's devices install.
 * Only where such services are configured; nobody logs in for it, and it tells nothing about who exists. */
#include "session/discover/discover_int.h"
#include <string.h>

struct mail { const char *imap_host, *smtp_host; unsigned imap_port, smtp_port; bool imap, smtp; };

static struct mail mail_of(const struct discover_call *c)
{
    struct mail m = { 0 };
    m.imap = place_host_port(c->a, c->config->imap_server, &m.imap_host, &m.imap_port);
    m.smtp = place_host_port(c->a, c->config->smtp_server, &m.smtp_host, &m.smtp_port);
    return m;
}

/* Ports that are for TLS from the first byte (RFC 8314). */
static bool tls_port(unsigned port) { return port == 993 || port == 465; }

/* What both pages need; false: answered. */
static bool acceptable(const struct discover_call *c, bool configured, struct discover_page *out)
{
    if (!configured)
        discover_refuse(out, 404, "Mail services for such programs are not configured on this server.\n");
    else if (c->method == NULL || (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0))
        discover_refuse(out, 405, "Only GET is understood here.\n");
    else
        return true;
    return false;
}

/* --- Thunderbird --------------------------------------------------------------------------------------------------------------------------- */

static void put_server(struct arena *a, struct xml *x, const char *element, const char *type, const char *host, unsigned port)
{
    xml_open(x, element, NULL);
    xml_attribute(x, "type", type);
    xml_leaf(x, "hostname", host);
    xml_leaf(x, "port", arena_printf(a, "%u", port));
    xml_leaf(x, "socketType", tls_port(port) ? "SSL" : "STARTTLS");
    xml_leaf(x, "authentication", "password-cleartext");
    xml_leaf(x, "username", "%EMAILADDRESS%");
    xml_close(x);
}

void discover_autoconfig(const struct discover_call *c, struct discover_page *out)
{
    struct mail m = mail_of(c);
    const char *address = discover_parameter(c, "emailaddress"), *domain;
    if (!acceptable(c, m.imap || m.smtp, out))
        return;
    domain = address != NULL && discover_is_address(address) ? strrchr(address, '@') + 1 : "%EMAILDOMAIN%";
    struct xml *x = xml_new(c->a);
    xml_open(x, "clientConfig", NULL);
    xml_attribute(x, "version", "1.1");
    xml_open(x, "emailProvider", NULL);
    xml_attribute(x, "id", domain);
    xml_leaf(x, "domain", domain);
    xml_leaf(x, "displayName", c->config->organization);
    if (m.imap)
        put_server(c->a, x, "incomingServer", "imap", m.imap_host, m.imap_port);
    if (m.smtp)
        put_server(c->a, x, "outgoingServer", "smtp", m.smtp_host, m.smtp_port);
    *out = (struct discover_page){ 200, "text/xml; charset=utf-8", xml_end(x) };
}

/* --- Apple --------------------------------------------------------------------------------------------------------------------------------- */

static void put_text(struct xml *x, const char *key, const char *value)
{
    if (*value == '\0')
        return;
    xml_leaf(x, "key", key);
    xml_leaf(x, "string", value);
}

static void put_number(struct arena *a, struct xml *x, const char *key, unsigned value)
{
    xml_leaf(x, "key", key);
    xml_leaf(x, "integer", arena_printf(a, "%u", value));
}

static void put_yes(struct xml *x, const char *key)
{
    xml_leaf(x, "key", key);
    xml_open(x, "true", NULL);
    xml_close(x);
}

static void put_payload(const struct discover_call *c, struct xml *x, const char *type, const char *name, const char *id)
{
    char guid[GUID_TEXT];
    struct guid unique = guid_new();
    put_text(x, "PayloadType", type);
    put_text(x, "PayloadDisplayName", name);
    put_text(x, "PayloadIdentifier", id);
    put_text(x, "PayloadOrganization", c->config->organization);
    put_text(x, "PayloadUUID", guid_text(&unique, guid));
    put_number(c->a, x, "PayloadVersion", 1);
}

static void put_account(const struct discover_call *c, struct xml *x, const struct mail *m, const char *address, const char *id)
{
    xml_open(x, "dict", NULL);
    put_payload(c, x, "com.apple.mail.managed", address, arena_printf(c->a, "%s.mail", id));
    put_text(x, "EmailAccountDescription", address);
    put_text(x, "EmailAccountType", "EmailTypeIMAP");
    put_text(x, "EmailAddress", address);
    put_text(x, "IncomingMailServerAuthentication", "EmailAuthPassword");
    put_text(x, "IncomingMailServerHostName", m->imap_host);
    put_number(c->a, x, "IncomingMailServerPortNumber", m->imap_port);
    put_yes(x, "IncomingMailServerUseSSL");
    put_text(x, "IncomingMailServerUsername", address);
    put_text(x, "OutgoingMailServerAuthentication", "EmailAuthPassword");
    put_text(x, "OutgoingMailServerHostName", m->smtp_host);
    put_number(c->a, x, "OutgoingMailServerPortNumber", m->smtp_port);
    put_yes(x, "OutgoingMailServerUseSSL");
    put_text(x, "OutgoingMailServerUsername", address);
    put_yes(x, "OutgoingPasswordSameAsIncomingPassword");
    xml_close(x);
}

void discover_mobileconfig(const struct discover_call *c, struct discover_page *out)
{
    struct mail m = mail_of(c);
    const char *address = discover_parameter(c, "email");
    if (!acceptable(c, m.imap && m.smtp, out))
        return;
    if (address == NULL || !discover_is_address(address)) {
        discover_refuse(out, 400, "An e-mail address is needed: email.mobileconfig?email=user@example.com\n");
        return;
    }
    const char *id = arena_printf(c->a, "%s.%s", strrchr(address, '@') + 1, arena_str(c->a, blob_of(address, strcspn(address, "@"))));
    struct xml *x = xml_new(c->a);
    xml_dtd(x, "plist", "-//Apple//DTD PLIST 1.0//EN", "http://www.apple.com/DTDs/PropertyList-1.0.dtd");
    xml_open(x, "plist", NULL);
    xml_attribute(x, "version", "1.0");
    xml_open(x, "dict", NULL);
    put_payload(c, x, "Configuration", arena_printf(c->a, "Mail of %s", address), id);
    xml_leaf(x, "key", "PayloadContent");
    xml_open(x, "array", NULL);
    put_account(c, x, &m, address, id);
    *out = (struct discover_page){ 200, "application/x-apple-aspen-config; charset=utf-8", xml_end(x) };
}
