/* poxc.c - the request as text; the answer's XML piece by piece, without a tree, entities or a DTD: the few texts that a client needs. */
#include "tests/client/poxc.h"
#include "backend/base/must.h"
#include <libxml/parser.h>
#include <stddef.h>

#define SCHEMA "http://schemas.microsoft.com/exchange/autodiscover/outlook/"

enum { DEPTH_MOST = 12, TEXT_MOST = 4096, ANSWER_MOST = 1 << 20 };

/* Where a text stands below Autodiscover/Response; `mapi`: only inside the mapiHttp block. */
#define ACCOUNT "Account/"
#define FIELD(path, member, mapi) { path, offsetof(struct poxc_answer, member), mapi }
static const struct field { const char *path; size_t at; bool mapi; } fields[] = {
    FIELD("Error/ErrorCode", error, false),              FIELD("Error/Message", message, false),
    FIELD("User/DisplayName", name, false),              FIELD("User/LegacyDN", dn, false),
    FIELD("User/AutoDiscoverSMTPAddress", smtp, false),  FIELD(ACCOUNT "Action", action, false),
    FIELD(ACCOUNT "RedirectUrl", redirect_url, false),   FIELD(ACCOUNT "RedirectAddr", redirect_address, false),
    FIELD(ACCOUNT "Protocol/MailStore/InternalUrl", mail[0], true),   FIELD(ACCOUNT "Protocol/MailStore/ExternalUrl", mail[1], true),
    FIELD(ACCOUNT "Protocol/OABUrl", offline[0], false),
    FIELD(ACCOUNT "Protocol/AddressBook/InternalUrl", book[0], true), FIELD(ACCOUNT "Protocol/AddressBook/ExternalUrl", book[1], true),
};

struct reading {
    struct arena       *a;
    xmlParserCtxt      *parser;
    struct poxc_answer *out;
    const char         *open[DEPTH_MOST];
    unsigned            depth;
    bool                bad, in_mapi;
    const struct field *field;         /* of the open element, NULL: not one of ours */
    struct wr           text;
};

static void refuse(struct reading *r)
{
    r->bad = true;
    xmlStopParser(r->parser);
}

static const struct field *field_of(struct reading *r)
{
    const char *path = "";
    for (unsigned i = 2; i < r->depth; i++)
        path = arena_printf(r->a, "%s%s%s", path, i > 2 ? "/" : "", r->open[i]);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i].path, path) == 0 && (r->in_mapi || !fields[i].mapi))
            return &fields[i];
    return NULL;
}

/* Attributes come in fives: name, prefix, namespace, begin and end of the value. */
static bool is_mapi(const xmlChar **v, int n)
{
    for (int i = 0; i < n; i++, v += 5)
        if (strcmp((const char *)v[0], "Type") == 0)
            return v[4] - v[3] == 8 && memcmp(v[3], "mapiHttp", 8) == 0;
    return false;
}

static void start_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces, const xmlChar **namespace,
                          int attributes, int defaulted, const xmlChar **attribute)
{
    struct reading *r = ctx;
    (void)prefix, (void)uri, (void)namespaces, (void)namespace, (void)defaulted;
    if (r->depth == DEPTH_MOST || (r->depth == 0 && strcmp((const char *)name, "Autodiscover") != 0)) {
        refuse(r);
        return;
    }
    r->open[r->depth++] = arena_strdup(r->a, (const char *)name);
    if (r->depth == 4 && strcmp((const char *)name, "Protocol") == 0) {
        r->in_mapi = is_mapi(attribute, attributes);
        r->out->mapi |= r->in_mapi;
    }
    r->field = field_of(r);
    r->text = wr_in(r->a, TEXT_MOST);
}

static void end_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reading *r = ctx;
    (void)name, (void)prefix, (void)uri;
    if (r->field != NULL) {
        const char **to = (const char **)(void *)((char *)r->out + r->field->at);
        if (*to != NULL && to == &r->out->offline[0])
            to++;
        if (*to == NULL)
            *to = arena_str(r->a, wr_blob(&r->text));
    }
    r->field = NULL;
    r->in_mapi &= r->depth > 4;
    r->depth--;
}

static void characters(void *ctx, const xmlChar *p, int n)
{
    struct reading *r = ctx;
    if (r->field == NULL)
        return;
    wr_bytes(&r->text, p, (size_t)n);
    if (r->text.full)
        refuse(r);
}

static void subset(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    refuse(ctx);
}

static void silent(void *ctx, xmlErrorPtr error) { (void)ctx, (void)error; }

bool poxc_read(struct arena *a, struct blob xml, struct poxc_answer *out)
{
    xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC, .startElementNs = start_element, .endElementNs = end_element, .characters = characters,
                          .cdataBlock = characters, .internalSubset = subset, .externalSubset = subset, .serror = silent };
    struct reading r = { .a = a, .out = out };
    *out = (struct poxc_answer){ 0 };
    if (xml.n < 4 || xml.n > ANSWER_MOST)
        return false;
    must((r.parser = xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL)) != NULL);
    xmlCtxtUseOptions(r.parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    int rc = xmlParseChunk(r.parser, (const char *)xml.p, (int)xml.n, 1);
    bool ok = rc == 0 && r.parser->wellFormed && !r.bad;
    xmlFreeParserCtxt(r.parser);
    return ok;
}

const char *poxc_body(struct arena *a, const char *address)
{
    struct wr w = wr_in(a, 8192);
    for (const char *p = address; *p != '\0'; p++) {
        const char *as = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : NULL;
        wr_bytes(&w, as != NULL ? as : p, as != NULL ? strlen(as) : 1);
    }
    return arena_printf(a, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"" SCHEMA "requestschema/2006\"><Request><EMailAddress>%s</EMailAddress>"
                           "<AcceptableResponseSchema>" SCHEMA "responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>", arena_str(a, wr_blob(&w)));
}

bool poxc_call(struct mapic *c, struct arena *a, const char *address, struct poxc_answer *out, const char **why)
{
    static const struct mapic_odd odd = { .path = POXC_PATH, .without = "Content-Type", .extra = "Content-Type: text/xml; charset=utf-8\r\nX-MapiHttpCapability: 1\r\n", .keep_cookies = true };
    struct mapic_reply r;
    *why = NULL;
    if (!mapic_call(c, a, "Autodiscover", blob_str(poxc_body(a, address)), &odd, &r, why))
        return false;
    if (c->status == 200 && poxc_read(a, r.http.body, out))
        return true;
    *why = c->status == 200 ? "the answer is no Autodiscover answer" : "refused";
    return false;
}
