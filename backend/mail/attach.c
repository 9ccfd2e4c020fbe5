/* attach.c - a part that is not the body -> an attachment (MS-OXCMAIL 2.2.3.4). */
#include "backend/base/filetime.h"
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <strings.h>

enum { BY_VALUE = 1, EMBEDDED_MESSAGE = 5, NOT_RENDERED = -1, NAME_MAX_UNITS = 255, EXTENSION_MAX = 32 };

/* Numbers are given in order, so the list need not be searched for each. */
static struct attachment *fresh(struct mail *m)
{
    struct msg *out = m->out;
    out->att = arena_grow(m->a, out->att, &out->att_cap, out->natt, sizeof *out->att);
    struct attachment *t = &out->att[out->natt];
    t->num = (uint32_t)out->natt++;
    t->fresh = true;
    out->next_att = (uint32_t)out->natt;
    props_set(m->a, &t->set, pv_i32(PidTagRenderingPosition, NOT_RENDERED));
    return t;
}

/* --- names --------------------------------------------------------------------------------------------------------------------------------- */

/* The last path part, without what file systems and Outlook refuse. */
static const char *safe_name(struct arena *a, const char *name)
{
    const char *slash = strrchr(name, '/'), *back = strrchr(name, '\\');
    const char *last = slash != NULL && (back == NULL || slash > back) ? slash : back;
    if (last != NULL && last[1] != '\0')
        name = last + 1;
    char *s = arena_strdup(a, name);
    for (char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7F || strchr("/\\:*?\"<>|", *p) != NULL)
            *p = '_';
    return *s != '\0' ? s : "unnamed";
}

/* A name that is too long loses its middle, not its extension. */
static struct blob fitted(struct arena *a, const char *s, const char *dot)
{
    size_t tail = dot != NULL ? strlen(dot) : 0;
    if (tail == 0 || utf16_size(blob_str(s)) / 2 <= NAME_MAX_UNITS)
        return utf8_cut(blob_str(s), NAME_MAX_UNITS);
    struct blob head = utf8_cut(blob_of(s, (size_t)(dot - s)), NAME_MAX_UNITS - tail);
    return blob_str(arena_printf(a, "%.*s%s", (int)head.n, (const char *)head.p, dot));
}

static void set_name(struct mail *m, struct attachment *t, const char *name)
{
    const char *s = safe_name(m->a, name), *dot = strrchr(s, '.');
    if (dot != NULL && (dot == s || strlen(dot) > EXTENSION_MAX))
        dot = NULL;
    struct blob whole = fitted(m->a, s, dot);
    props_set(m->a, &t->set, pv_strn(PidTagAttachLongFilename, whole));
    props_set(m->a, &t->set, pv_strn(PidTagDisplayName, whole));
    if (dot != NULL)
        props_set(m->a, &t->set, pv_str(PidTagAttachExtension, dot));
}

/* A name for parts that have none: by what they are. */
static const char *made_up_name(struct mail *m, const char *mime)
{
    static const struct { const char *mime, *name; } names[] = {
        { "text/plain", "text.txt" }, { "text/html", "text.html" }, { "text/calendar", "calendar.ics" }, { "application/ms-tnef", "winmail.dat" },
        { "text/vcard", "contact.vcf" }, { "text/x-vcard", "contact.vcf" }, { "application/pkcs7-signature", "smime.p7s" },
        { "application/x-pkcs7-signature", "smime.p7s" }, { "application/pkcs7-mime", "smime.p7m" }, { "application/x-pkcs7-mime", "smime.p7m" },
        { "application/pgp-signature", "signature.asc" }, { "text/rfc822-headers", "headers.txt" }, { "message/delivery-status", "delivery-status.txt" },
        { "message/disposition-notification", "disposition-notification.txt" }, { "message/rfc822", "message.eml" }, { "message/partial", "partial.eml" },
        { "message/external-body", "external-body.txt" }, { "application/pdf", "document.pdf" }, { "image/png", "image.png" },
        { "image/jpeg", "image.jpg" }, { "image/gif", "image.gif" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].mime, mime) == 0)
            return names[i].name;
    return arena_printf(m->a, strncmp(mime, "text/", 5) == 0 ? "text%u.txt" : "part%u.dat", *m->parts);
}

/* GMime decodes RFC 2231, and RFC 2047 words that stand in one parameter; words that were cut into RFC 2231 pieces are decoded here. */
const char *mail_filename(struct arena *a, const struct part *p)
{
    const char *name = part_disposition_param(p, "filename");
    if (name == NULL || *name == '\0')
        name = part_param(p, "name");
    return name != NULL && *name != '\0' ? mail_decode_words(a, mail_str(a, name)) : NULL;
}

/* --- what is known about it ---------------------------------------------------------------------------------------------------------------- */

static const char *without_brackets(struct arena *a, const char *s)
{
    size_t n = strlen(s);
    return n >= 2 && s[0] == '<' && s[n - 1] == '>' ? arena_str(a, blob_of(s + 1, n - 2)) : s;
}

static void set_text(struct mail *m, struct attachment *t, uint32_t tag, const char *s)
{
    if (s != NULL && *s != '\0')
        props_set(m->a, &t->set, pv_str(tag, s));
}

static void set_time(struct mail *m, struct attachment *t, uint32_t tag, const char *text)
{
    uint64_t when;
    if (text != NULL && mail_time(blob_str(text), &when))
        props_set(m->a, &t->set, pv_time(tag, when));
}

/* Content-Disposition of a part inside multipart/related: MS-OXCMAIL's mark that the part belongs to the HTML. */
static void set_origin(struct mail *m, struct attachment *t, const struct part *p, bool related)
{
    struct blob location = part_head(p, "Content-Location");
    bool attached = p->disposition != NULL && strcmp(p->disposition, "attachment") == 0;
    set_text(m, t, PidTagAttachContentId, without_brackets(m->a, mail_line(m->a, part_head(p, "Content-ID"), NULL)));
    set_text(m, t, PidTagAttachContentLocation, mail_line(m->a, location, m->charset));
    set_time(m, t, PidTagCreationTime, part_disposition_param(p, "creation-date"));
    set_time(m, t, PidTagLastModificationTime, part_disposition_param(p, "modification-date"));
    if (related && location.n != 0 && !attached) {
        props_set(m->a, &t->set, pv_i32(PidTagAttachFlags, ATTACH_MHTML_REF));
        props_set(m->a, &t->set, pv_bool(PidTagAttachmentHidden, true));
    }
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

/* --- messages ------------------------------------------------------------------------------------------------------------------------------ */

static bool is_message(const struct part *p) { return mail_is(p, "message/rfc822") || mail_is(p, "message/global") || mail_is(p, "message/news"); }

/* False if it does not begin like a message; then it is kept as it came. */
static bool attach_message(struct mail *m, const struct part *p, unsigned depth, bool related)
{
    struct blob bytes = part_content(m->a, p);
    while (bytes.n > 0 && mail_empty_line(bytes, 0))
        bytes = blob_of(bytes.p + mail_line_end(bytes, 0), bytes.n - mail_line_end(bytes, 0));
    bool from_line = bytes.n > 5 && memcmp(bytes.p, "From ", 5) == 0;
    if (bytes.n == 0 || !(from_line || mail_header_at(bytes, 0)))
        return false;
    struct msg *inner = arena_one(m->a, struct msg);
    mail_convert(m->a, bytes, m->o, m->parts, m->embedded + 1, depth + 1, inner);
    struct attachment *t = fresh(m);
    t->embedded = inner;
    props_set(m->a, &t->set, pv_i32(PidTagAttachMethod, EMBEDDED_MESSAGE));
    props_set(m->a, &t->set, pv_str(PidTagAttachMimeTag, p->type));
    const char *name = mail_filename(m->a, p);
    struct blob subject = props_str(&inner->set, PidTagSubject);
    if (name != NULL)
        set_name(m, t, name);
    if (subject.n != 0 || name == NULL)
        props_set(m->a, &t->set, pv_strn(PidTagDisplayName, utf8_cut(subject.n != 0 ? subject : blob_str("message"), NAME_MAX_UNITS)));
    set_origin(m, t, p, related);
    return true;
}

void mail_attach(struct mail *m, const struct part *p, unsigned depth, bool related)
{
    if (is_message(p) && m->embedded < EMBEDDED_MAX && depth < DEPTH_MAX && attach_message(m, p, depth, related))
        return;
    /* what these two say stands in their header lines */
    bool whole = mail_is(p, "message/external-body") || mail_is(p, "message/partial");
    const char *name = mail_filename(m->a, p);
    if (name == NULL) {
        const char *description = mail_words(m->a, part_head(p, "Content-Description"), m->charset);
        name = *description != '\0' && strchr(description, '.') != NULL ? description : made_up_name(m, p->type);
    }
    struct attachment *t = mail_attach_bytes(m, whole ? p->whole : part_content(m->a, p), name, p->type);
    if (mail_is_kind(p, "text/"))
        set_text(m, t, PidTagTextAttachmentCharset, mail_str(m->a, part_param(p, "charset")));
    set_origin(m, t, p, related);
}
