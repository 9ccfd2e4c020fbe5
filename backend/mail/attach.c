/* attach.c - a part that is not the body -> an attachment (MS-OXCMAIL 2.2.3.4). */
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <strings.h>

enum { BY_VALUE = 1, EMBEDDED_MESSAGE = 5, MHTML_REF = 4, NOT_RENDERED = -1 };

static struct attachment *fresh(struct mail *m)
{
    struct attachment *t = msg_att_add(m->a, m->out, (uint32_t)m->out->natt);
    t->fresh = true;
    m->out->next_att = (uint32_t)m->out->natt;
    props_set(m->a, &t->set, pv_i32(PidTagRenderingPosition, NOT_RENDERED));
    return t;
}

/* The last path part, without what file systems and Outlook refuse. */
static const char *safe_name(struct arena *a, const char *name)
{
    const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
    if (slash != NULL && slash[1] != '\0')
        name = slash + 1;
    if (back != NULL && back > name && back[1] != '\0')
        name = back + 1;
    char *s = arena_strdup(a, name);
    for (char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || strchr("/\\:*?\"<>|", *p) != NULL)
            *p = '_';
    return *s != '\0' ? s : "unnamed";
}

static void set_name(struct mail *m, struct attachment *t, const char *name)
{
    const char *s = safe_name(m->a, name), *dot = strrchr(s, '.');
    struct blob whole = utf8_cut(blob_str(s), 255);
    props_set(m->a, &t->set, pv_strn(PidTagAttachLongFilename, whole));
    props_set(m->a, &t->set, pv_strn(PidTagAttachFilename, whole));
    props_set(m->a, &t->set, pv_strn(PidTagDisplayName, whole));
    if (dot != NULL && dot != s && strlen(dot) <= 32)
        props_set(m->a, &t->set, pv_str(PidTagAttachExtension, dot));
}

struct attachment *mail_attach_bytes(struct mail *m, struct blob bytes, const char *name, const char *mime)
{
    struct attachment *t = fresh(m);
    props_set(m->a, &t->set, pv_i32(PidTagAttachMethod, BY_VALUE));
    props_set(m->a, &t->set, pv_bin(PidTagAttachDataBinary, bytes));
    props_set(m->a, &t->set, pv_str(PidTagAttachMimeTag, mime));
    set_name(m, t, name);
    return t;
}

/* A name for parts that have none: by what they are. */
static const char *made_up_name(struct mail *m, const char *mime)
{
    static const struct { const char *mime, *name; } names[] = {
        { "text/plain", "text.txt" }, { "text/html", "text.html" }, { "text/calendar", "calendar.ics" }, { "application/ms-tnef", "winmail.dat" },
        { "application/pkcs7-signature", "smime.p7s" }, { "application/pkcs7-mime", "smime.p7m" }, { "text/rfc822-headers", "headers.txt" },
        { "message/delivery-status", "delivery-status.txt" }, { "image/png", "image.png" }, { "image/jpeg", "image.jpg" }, { "image/gif", "image.gif" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(names[i].mime, mime) == 0)
            return names[i].name;
    return arena_printf(m->a, "part%u.dat", m->parts);
}

/* GMime decodes RFC 2231 and 2047 names; a raw 8-bit one comes as it is. */
static const char *name_of(struct mail *m, GMimeObject *part, const char *mime)
{
    const char *name = GMIME_IS_PART(part) ? g_mime_part_get_filename(GMIME_PART(part)) : g_mime_object_get_content_type_parameter(part, "name");
    if (name == NULL || *name == '\0')
        return made_up_name(m, mime);
    char *decoded = g_mime_utils_header_decode_text(NULL, name);
    const char *s = mail_str(m->a, decoded != NULL ? decoded : name);
    g_free(decoded);
    return s;
}

static void set_inline(struct mail *m, struct attachment *t, GMimeObject *part, bool related)
{
    const char *id = g_mime_object_get_content_id(part), *location = g_mime_object_get_header(part, "Content-Location");
    const char *disposition = g_mime_object_get_disposition(part);
    if (id != NULL)
        props_set(m->a, &t->set, pv_str(PidTagAttachContentId, mail_str(m->a, id)));
    if (location != NULL)
        props_set(m->a, &t->set, pv_str(PidTagAttachContentLocation, mail_str(m->a, location)));
    bool attached = disposition != NULL && strcasecmp(disposition, "attachment") == 0;
    if (related && (id != NULL || location != NULL) && !attached) {
        props_set(m->a, &t->set, pv_i32(PidTagAttachFlags, MHTML_REF));
        props_set(m->a, &t->set, pv_bool(PidTagAttachmentHidden, true));
    }
}

static void attach_message(struct mail *m, GMimeMessagePart *part)
{
    GMimeMessage *g = g_mime_message_part_get_message(part);
    struct attachment *t = fresh(m);
    t->embedded = arena_one(m->a, struct msg);
    mail_convert(m->a, blob_of(NULL, 0), g, m->o, m->embedded + 1, t->embedded);
    const char *subject = g_mime_message_get_subject(g);
    props_set(m->a, &t->set, pv_i32(PidTagAttachMethod, EMBEDDED_MESSAGE));
    props_set(m->a, &t->set, pv_str(PidTagAttachMimeTag, "message/rfc822"));
    props_set(m->a, &t->set, pv_strn(PidTagDisplayName, utf8_cut(blob_str(subject != NULL ? mail_str(m->a, subject) : "message"), 255)));
}

static struct blob whole_part(struct arena *a, GMimeObject *part)
{
    GMimeStream *mem = g_mime_stream_mem_new();
    g_mime_object_write_to_stream(part, NULL, mem);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
    struct blob b = arena_blob(a, blob_of(bytes->data, bytes->len));
    g_object_unref(mem);
    return b;
}

void mail_attach(struct mail *m, GMimeObject *part, bool related)
{
    if (GMIME_IS_MESSAGE_PART(part) && g_mime_message_part_get_message(GMIME_MESSAGE_PART(part)) != NULL && m->embedded < EMBEDDED_MAX) {
        attach_message(m, GMIME_MESSAGE_PART(part));
        return;
    }
    GMimeContentType *type = g_mime_object_get_content_type(part);
    char *text = type != NULL ? g_mime_content_type_get_mime_type(type) : NULL;
    const char *mime = arena_strdup(m->a, text != NULL ? text : "application/octet-stream");
    g_free(text);
    struct blob bytes = GMIME_IS_PART(part) ? mail_content(m->a, GMIME_PART(part)) : whole_part(m->a, part);
    struct attachment *t = mail_attach_bytes(m, bytes, name_of(m, part, mime), mime);
    set_inline(m, t, part, related);
}
