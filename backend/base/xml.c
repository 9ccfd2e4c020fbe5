/* xml.c - elements and texts -> an XML document in UTF-8. */
#include "backend/base/xml.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include <libxml/xmlwriter.h>

struct xml { struct arena *a; xmlBuffer *buffer; xmlTextWriter *writer; };

static void release(void *p)
{
    struct xml *x = p;
    if (x->writer != NULL)
        xmlFreeTextWriter(x->writer);
    xmlBufferFree(x->buffer);
}

struct xml *xml_new(struct arena *a)
{
    struct xml *x = arena_one(a, struct xml);
    x->a = a;
    must((x->buffer = xmlBufferCreate()) != NULL);
    must((x->writer = xmlNewTextWriterMemory(x->buffer, 0)) != NULL);
    arena_defer(a, release, x);
    xmlTextWriterSetIndent(x->writer, 1);
    xmlTextWriterStartDocument(x->writer, "1.0", "utf-8", NULL);
    return x;
}

/* What XML 1.0 has no way to say (control characters, U+FFFE, U+FFFF, halves of a surrogate pair, bytes that are no UTF-8) becomes question marks. */
static const xmlChar *fit(struct xml *x, const char *text)
{
    char *s = arena_strdup(x->a, text);
    bool valid = utf8_valid(blob_str(s));
    for (char *p = s; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x80 && !valid))
            *p = '?';
        else if (valid && ((c == 0xEF && (unsigned char)p[1] == 0xBF && (unsigned char)p[2] >= 0xBE) || (c == 0xED && (unsigned char)p[1] >= 0xA0)))
            p[0] = p[1] = p[2] = '?';
    }
    return (const xmlChar *)s;
}

void xml_dtd(struct xml *x, const char *name, const char *public_id, const char *system_id)
{
    xmlTextWriterWriteDTD(x->writer, (const xmlChar *)name, (const xmlChar *)public_id, (const xmlChar *)system_id, NULL);
}

void xml_open(struct xml *x, const char *name, const char *ns)
{
    xmlTextWriterStartElement(x->writer, (const xmlChar *)name);
    if (ns != NULL)
        xml_attribute(x, "xmlns", ns);
}

void xml_attribute(struct xml *x, const char *name, const char *value)
{
    xmlTextWriterWriteAttribute(x->writer, (const xmlChar *)name, fit(x, value));
}

void xml_text(struct xml *x, const char *text) { xmlTextWriterWriteString(x->writer, fit(x, text)); }

void xml_leaf(struct xml *x, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        xmlTextWriterWriteElement(x->writer, (const xmlChar *)name, fit(x, text));
}

void xml_close(struct xml *x) { xmlTextWriterEndElement(x->writer); }

struct blob xml_end(struct xml *x)
{
    xmlTextWriterEndDocument(x->writer);
    xmlFreeTextWriter(x->writer); /* flushes */
    x->writer = NULL;
    return arena_blob(x->a, blob_of(xmlBufferContent(x->buffer), (size_t)xmlBufferLength(x->buffer)));
}
