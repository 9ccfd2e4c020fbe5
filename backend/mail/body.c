/* body.c - the tree of MIME parts -> the body in its forms, and attachments (MS-OXCMAIL 2.2.3.3). */
#include "backend/mail/mail_int.h"
#include <strings.h>

enum { NATIVE_PLAIN = 1, NATIVE_HTML = 3 };

static void part_in(struct mail *m, GMimeObject *part, unsigned depth, bool related);

static bool is_attachment(GMimeObject *part)
{
    const char *disposition = g_mime_object_get_disposition(part);
    return disposition != NULL && strcasecmp(disposition, "attachment") == 0;
}

static const char *charset_of(GMimeObject *part) { return g_mime_object_get_content_type_parameter(part, "charset"); }

static void take_html(struct mail *m, GMimePart *part)
{
    const char *charset = charset_of(GMIME_OBJECT(part));
    struct blob raw = mail_content(m->a, part);
    m->html_page = mail_codepage(charset);
    m->html = raw;
    /* a charset that Outlook has no number for: the bytes are converted instead */
    if (m->html_page == 0 || m->html_page == 20127) {
        m->html = mail_text(m->a, raw, charset);
        m->html_page = 65001;
    }
    m->have_html = true;
}

/* Text that the body does not have yet becomes the body; more of the same kind is attached. */
static bool take_body(struct mail *m, GMimeObject *part)
{
    GMimeContentType *type = g_mime_object_get_content_type(part);
    if (!GMIME_IS_PART(part) || is_attachment(part) || g_mime_part_get_filename(GMIME_PART(part)) != NULL)
        return false;
    if (g_mime_content_type_is_type(type, "text", "plain") && !m->have_text) {
        m->text = mail_text(m->a, mail_content(m->a, GMIME_PART(part)), charset_of(part));
        m->have_text = true;
        return true;
    }
    if (g_mime_content_type_is_type(type, "text", "html") && !m->have_html) {
        take_html(m, GMIME_PART(part));
        return true;
    }
    return false;
}

/* multipart/signed stays whole beside the body that is read from it, so that its signature can still be checked. */
static void signed_in(struct mail *m, GMimeMultipart *multi, unsigned depth)
{
    GMimeStream *mem = g_mime_stream_mem_new();
    g_mime_object_write_to_stream(GMIME_OBJECT(multi), NULL, mem);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(mem));
    struct blob whole = arena_blob(m->a, blob_of(bytes->data, bytes->len));
    g_object_unref(mem);
    m->message_class = "IPM.Note.SMIME.MultipartSigned";
    if (g_mime_multipart_get_count(multi) > 0) {
        struct msg *out = m->out, shown = *out;
        m->out = &shown; /* the parts' attachments are inside the whole; only the body is taken */
        part_in(m, g_mime_multipart_get_part(multi, 0), depth + 1, false);
        shown.att = out->att;
        shown.natt = out->natt;
        shown.att_cap = out->att_cap;
        shown.next_att = out->next_att;
        *out = shown;
        m->out = out;
    }
    mail_attach_bytes(m, whole, "smime.p7m", "multipart/signed");
}

static void multipart_in(struct mail *m, GMimeMultipart *multi, unsigned depth, bool related)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multi));
    bool inside = related || g_mime_content_type_is_type(type, "multipart", "related");
    int n = g_mime_multipart_get_count(multi);
    if (depth == 0 && g_mime_content_type_is_type(type, "multipart", "signed")) {
        signed_in(m, multi, depth);
        return;
    }
    if (depth == 0 && g_mime_content_type_is_type(type, "multipart", "report"))
        mail_report(m, multi);
    for (int i = 0; i < n; i++)
        part_in(m, g_mime_multipart_get_part(multi, i), depth + 1, inside);
}

static void part_in(struct mail *m, GMimeObject *part, unsigned depth, bool related)
{
    if (part == NULL)
        return;
    if (++m->parts > PARTS_MAX || depth > DEPTH_MAX) {
        if (m->parts <= PARTS_MAX + 1)
            mail_attach(m, part, false); /* kept as it came, not looked into */
        return;
    }
    GMimeContentType *type = g_mime_object_get_content_type(part);
    if (GMIME_IS_MULTIPART(part))
        multipart_in(m, GMIME_MULTIPART(part), depth, related);
    else if (!take_body(m, part)) {
        if (depth == 0 && (g_mime_content_type_is_type(type, "application", "pkcs7-mime") || g_mime_content_type_is_type(type, "application", "x-pkcs7-mime")))
            m->message_class = "IPM.Note.SMIME";
        mail_attach(m, part, related);
    }
}

void mail_parts(struct mail *m) { part_in(m, g_mime_message_get_mime_part(m->g), 0, false); }

/* Lines end in CRLF inside MAPI. */
static struct blob crlf(struct arena *a, struct blob s)
{
    struct wr w = wr_in(a, s.n * 2 + 1);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
            wr_u8(&w, '\r');
        wr_u8(&w, s.p[i]);
    }
    return wr_blob(&w);
}

void mail_body(struct mail *m)
{
    if (m->have_text)
        props_set(m->a, &m->out->set, pv_strn(PidTagBody, crlf(m->a, m->text)));
    if (m->have_html) {
        props_set(m->a, &m->out->set, pv_bin(PidTagHtml, m->html));
        props_set(m->a, &m->out->set, pv_i32(PidTagInternetCodepage, m->html_page));
    } else
        props_set(m->a, &m->out->set, pv_i32(PidTagInternetCodepage, 65001));
    props_set(m->a, &m->out->set, pv_i32(PidTagNativeBody, m->have_html ? NATIVE_HTML : NATIVE_PLAIN));
}
