/* oabc.c - the manifest's XML without a tree; ranges one after the other until a file is whole. */
#include "tests/client/oabc.h"
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include <libxml/parser.h>
#include <stdlib.h>

enum { DEPTH_MOST = 3, TEXT_MOST = 256, MANIFEST_MOST = 4 << 20 };

/* --- the manifest ---------------------------------------------------------------------------------------------------------------------------- */

struct reading {
    struct arena         *a;
    xmlParserCtxt        *parser;
    struct oabc_manifest *out;
    size_t                cap;
    unsigned              depth, lists;
    bool                  bad;
    struct wr             text;
};

static void refuse(struct reading *r)
{
    r->bad = true;
    xmlStopParser(r->parser);
}

/* Attributes come in fives: name, prefix, namespace, begin and end of the value. */
static const char *value(struct arena *a, const xmlChar **v, int n, const char *name)
{
    for (int i = 0; i < n; i++, v += 5)
        if (strcmp((const char *)v[0], name) == 0)
            return arena_str(a, blob_of(v[3], (size_t)(v[4] - v[3])));
    return NULL;
}

static bool number(struct reading *r, const xmlChar **v, int n, const char *name, int base, uint64_t most, uint64_t *out)
{
    const char *text = value(r->a, v, n, name);
    char *end = NULL;
    *out = text != NULL && *text != '\0' && *text != '-' && *text != '+' && *text != ' ' ? strtoull(text, &end, base) : 0;
    return end != NULL && *end == '\0' && *out <= most;
}

static int nibble(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static bool digest(const char *hex, uint8_t out[20])
{
    if (hex == NULL || strlen(hex) != 40)
        return false;
    for (size_t i = 0; i < 20; i++) {
        int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool file(struct reading *r, const char *element, const xmlChar **v, int n)
{
    struct oabc_file f = { .is_template = strcmp(element, "Template") == 0, .is_diff = strcmp(element, "Diff") == 0 };
    uint64_t seq, ver, lang = 0;
    const char *type = value(r->a, v, n, "type");
    if (!f.is_template && !f.is_diff && strcmp(element, "Full") != 0)
        return false;
    if (!number(r, v, n, "seq", 10, UINT32_MAX, &seq) || !number(r, v, n, "ver", 10, UINT32_MAX, &ver) || !number(r, v, n, "size", 10, UINT64_MAX, &f.size)
        || !number(r, v, n, "uncompressedsize", 10, UINT64_MAX, &f.uncompressed) || !digest(value(r->a, v, n, "SHA"), f.sha))
        return false;
    if (f.is_template && (type == NULL || (strcmp(type, "windows") != 0 && strcmp(type, "mac") != 0) || !number(r, v, n, "langid", 16, 0xFFFF, &lang)))
        return false;
    f.mac = type != NULL && strcmp(type, "mac") == 0;
    f.seq = (uint32_t)seq;
    f.ver = (uint32_t)ver;
    f.langid = (uint32_t)lang;
    r->out->file = arena_grow(r->a, r->out->file, &r->cap, r->out->n, sizeof f);
    r->out->file[r->out->n++] = f;
    r->text = wr_in(r->a, TEXT_MOST);
    return true;
}

static bool list(struct reading *r, const xmlChar **v, int n)
{
    struct oabc_manifest m = { .id = value(r->a, v, n, "id"), .dn = value(r->a, v, n, "dn"), .name = value(r->a, v, n, "name") };
    if (r->lists++ == 0)
        *r->out = m;
    return m.id != NULL && m.dn != NULL && m.name != NULL;
}

static void start_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces, const xmlChar **namespace,
                          int attributes, int defaulted, const xmlChar **attribute)
{
    struct reading *r = ctx;
    const char *element = (const char *)name;
    (void)prefix, (void)uri, (void)namespaces, (void)namespace, (void)defaulted;
    bool ok = r->depth == 0 ? strcmp(element, "OAB") == 0 : r->depth == 1 ? strcmp(element, "OAL") == 0 && list(r, attribute, attributes)
            : r->depth < DEPTH_MOST && file(r, element, attribute, attributes);
    r->depth++;
    if (!ok)
        refuse(r);
}

static void end_element(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct reading *r = ctx;
    (void)name, (void)prefix, (void)uri;
    if (r->depth-- != DEPTH_MOST || r->bad)
        return;
    r->out->file[r->out->n - 1].name = arena_str(r->a, wr_blob(&r->text));
    if (r->text.n == 0)
        refuse(r);
}

static void characters(void *ctx, const xmlChar *p, int n)
{
    struct reading *r = ctx;
    if (r->depth != DEPTH_MOST || r->bad)
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

bool oabc_read(struct arena *a, struct blob xml, struct oabc_manifest *out)
{
    xmlSAXHandler sax = { .initialized = XML_SAX2_MAGIC, .startElementNs = start_element, .endElementNs = end_element, .characters = characters,
                          .cdataBlock = characters, .internalSubset = subset, .externalSubset = subset, .serror = silent };
    struct reading r = { .a = a, .out = out };
    *out = (struct oabc_manifest){ 0 };
    if (xml.n < 4 || xml.n > MANIFEST_MOST)
        return false;
    must((r.parser = xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL)) != NULL);
    xmlCtxtUseOptions(r.parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    int rc = xmlParseChunk(r.parser, (const char *)xml.p, (int)xml.n, 1);
    bool ok = rc == 0 && r.parser->wellFormed && !r.bad && r.lists != 0;
    xmlFreeParserCtxt(r.parser);
    return ok;
}

const struct oabc_file *oabc_full(const struct oabc_manifest *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (!m->file[i].is_template && !m->file[i].is_diff)
            return &m->file[i];
    return NULL;
}

/* --- over the wire --------------------------------------------------------------------------------------------------------------------------- */

bool oabc_ask(struct mapic *c, struct arena *a, const char *verb, const char *path, const char *headers, struct mapic_reply *out, const char **why)
{
    struct mapic_odd odd = { .verb = verb, .path = path, .without = "Content-Type", .extra = headers, .keep_cookies = true };
    const char *mailbox = c->mailbox_id;
    c->mailbox_id = NULL;
    bool ok = mapic_call(c, a, NULL, blob_of(NULL, 0), &odd, out, why);
    c->mailbox_id = mailbox;
    return ok;
}

bool oabc_manifest(struct mapic *c, struct arena *a, const char *directory, struct oabc_manifest *out, const char **why)
{
    struct mapic_reply r;
    if (!oabc_ask(c, a, "GET", arena_printf(a, "%s" OABC_MANIFEST, directory), NULL, &r, why))
        return false;
    *why = c->status != 200 ? "the manifest was refused" : "the manifest is none";
    return c->status == 200 && oabc_read(a, r.http.body, out);
}

/* What holds for the whole download. */
struct job { struct mapic *c; struct arena *a; const char *path, *unchanged; const struct oabc_file *f; struct wr got; const char *why; };

static bool begin(struct job *j)
{
    struct mapic_reply r;
    if (!oabc_ask(j->c, j->a, "HEAD", j->path, NULL, &r, &j->why))
        return false;
    const char *etag = http_header(&r.http, "ETag"), *date = http_header(&r.http, "Last-Modified"), *ranges = http_header(&r.http, "Accept-Ranges");
    j->why = j->c->status != 200 ? "the file was refused" : r.http.content_length != (int64_t)j->f->size ? "the file has another length than the manifest says"
           : etag == NULL || date == NULL || ranges == NULL || strcmp(ranges, "bytes") != 0 ? "the file cannot be had in ranges" : NULL;
    if (j->why != NULL)
        return false;
    j->unchanged = arena_printf(j->a, "If-Range: %s\r\nIf-Unmodified-Since: %s\r\n", etag, date);
    return true;
}

/* The next range, or as much of it as came before the connection broke. */
static bool next(struct job *j, uint64_t piece, bool *broke)
{
    struct mapic_reply r = { .code = -1 };
    uint64_t at = j->got.n, n = piece != 0 && piece < j->f->size - at ? piece : j->f->size - at;
    const char *range = arena_printf(j->a, "Range: bytes=%llu-%llu\r\n%s", (unsigned long long)at, (unsigned long long)(at + n - 1), j->unchanged);
    *broke = !oabc_ask(j->c, j->a, "GET", j->path, range, &r, &j->why) || r.http.status >= 500;
    if (*broke)
        j->c->worker[0] = '\0'; /* it was not the one who answered last */
    if (*broke && r.http.status != 206)
        return true;
    if (r.http.status != 206) {
        j->why = "a range was refused";
        return false;
    }
    const char *said = http_header(&r.http, "Content-Range");
    const char *want = arena_printf(j->a, "bytes %llu-%llu/%llu", (unsigned long long)at, (unsigned long long)(at + n - 1), (unsigned long long)j->f->size);
    j->why = "another range came than was asked for";
    if (said == NULL || strcmp(said, want) != 0 || r.http.body.n > n || (!*broke && r.http.body.n != n))
        return false;
    wr_put(&j->got, r.http.body);
    return true;
}

bool oabc_download(struct mapic *c, struct arena *a, const char *directory, const struct oabc_file *f, uint64_t piece, unsigned *resumes, struct blob *out, const char **why)
{
    struct job j = { .c = c, .a = a, .path = arena_printf(a, "%s%s", directory, f->name), .f = f, .got = wr_in(a, f->size) };
    uint8_t sum[SHA1_BYTES];
    bool broke, ok = begin(&j);
    while (ok && j.got.n < f->size)
        ok = next(&j, piece, &broke) && (!broke || (*resumes)-- != 0);
    *why = j.why;
    *out = wr_blob(&j.got);
    if (!ok)
        return false;
    crypto_sha1(*out, sum);
    *why = "the file has another digest than the manifest says";
    return memcmp(sum, f->sha, sizeof sum) == 0;
}
