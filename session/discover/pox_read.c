/* pox_read.c - the XML of an Autodiscover request -> the three texts that count.  MS-OXDSCLI 2.2.3.
 *
 * libxml2 calls us for each piece and builds nothing: no tree, no entities, no external subset, no network.  Whatever is not the one shape that the
 * document gives, is too deep or too long, or brings a DTD, ends the parsing. */
#include "session/discover/discover_int.h"
#include "backend/base/must.h"
#include "backend/base/wr.h"
#include <libxml/parser.h>
#include <pthread.h>

enum { DEPTH_MOST = 16, TEXT_MOST = 2048 };

#define OUTLOOK_REQUEST "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
#define MOBILE_REQUEST  "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"

struct reading {
    struct arena       *a;
    xmlParserCtxt      *parser;
    unsigned            depth;
    bool                bad, in_request;
    const char        **field;     /* of the open element; NULL: not one of ours */
    struct wr           text;
    struct pox_request *out;
};

static void refuse(struct reading *r)
{
    r->bad = true;
    xmlStopParser(r->parser);
}

static bool same(const xmlChar *a, const char *b) { return a != NULL && strcmp((const char *)a, b) == 0; }

static const char **field_of(struct reading *r, const xmlChar *name)
{
    return same(name, "EMailAddress") ? &r->out->address : same(name, "LegacyDN") ? &r->out->dn
         : same(name, "AcceptableResponseSchema") ? &r->out->schema : NULL;
}

static void start_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces, const xmlChar **namespace,
                          int attributes, int defaulted, const xmlChar **attribute)
{
    struct reading *r = ctx;
    (void)prefix, (void)namespaces, (void)namespace, (void)attributes, (void)defaulted, (void)attribute;
    if (++r->depth > DEPTH_MOST || r->field != NULL) {
        refuse(r);
    } else if (r->depth == 1) {
        if (!same(name, "Autodiscover") || (!same(uri, OUTLOOK_REQUEST) && !same(uri, MOBILE_REQUEST)))
            refuse(r);
    } else if (r->depth == 2) {
        r->in_request = same(name, "Request");
    } else if (r->depth == 3 && r->in_request && (r->field = field_of(r, name)) != NULL) {
        if (*r->field != NULL)
            refuse(r); /* twice */
        r->text = wr_in(r->a, TEXT_MOST);
    }
}

static const char *trimmed(struct arena *a, struct blob b)
{
    while (b.n != 0 && b.p[0] <= ' ')
        b = blob_of(b.p + 1, b.n - 1);
    while (b.n != 0 && b.p[b.n - 1] <= ' ')
        b.n--;
    return arena_str(a, b);
}

static void end_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reading *r = ctx;
    (void)name, (void)prefix, (void)uri;
    if (r->field != NULL)
        *r->field = trimmed(r->a, wr_blob(&r->text));
    r->field = NULL;
    r->depth--;
    r->in_request &= r->depth >= 2;
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

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC, .startElementNs = start_element, .endElementNs = end_element, .characters = characters, .cdataBlock = characters,
    .internalSubset = subset, .externalSubset = subset, .serror = silent,
};

bool pox_read(struct arena *a, struct blob body, struct pox_request *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, xmlInitParser);
    struct reading r = { .a = a, .out = out };
    xmlSAXHandler sax = handler;
    *out = (struct pox_request){ 0 };
    if (body.n < 4 || body.n > DISCOVER_BODY_MOST)
        return false;
    must((r.parser = xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL)) != NULL);
    xmlCtxtUseOptions(r.parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
    int rc = xmlParseChunk(r.parser, (const char *)body.p, (int)body.n, 1);
    bool ok = rc == 0 && r.parser->wellFormed && !r.bad;
    xmlFreeParserCtxt(r.parser);
    return ok;
}
