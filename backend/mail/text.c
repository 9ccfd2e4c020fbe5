/* text.c - text parts -> the body in its forms. */
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <strings.h>

enum { NATIVE_PLAIN = 1, NATIVE_HTML = 3, META_WITHIN = 2048, COMMAND_MAX = 64 };

bool mail_blank(struct blob s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] > ' ')
            return false;
    return true;
}

static bool is_attachment(const struct part *p, bool root)
{
    if (p->disposition != NULL && strcmp(p->disposition, "attachment") == 0)
        return true;
    return !root && part_disposition_param(p, "filename") != NULL;
}

/* --- HTML ---------------------------------------------------------------------------------------------------------------------------------- */

/* charset=... in the first lines, as <meta> has it; NULL: none. */
static const char *meta_charset(struct arena *a, struct blob html)
{
    size_t n = html.n < META_WITHIN ? html.n : META_WITHIN;
    for (size_t i = 0; i + 8 < n; i++)
        if (strncasecmp((const char *)html.p + i, "charset=", 8) == 0) {
            size_t at = i + 8, end;
            while (at < n && (html.p[at] == '"' || html.p[at] == '\'' || html.p[at] == ' '))
                at++;
            for (end = at; end < n && (g_ascii_isalnum(html.p[end]) || strchr("-_.:", html.p[end]) != NULL) && html.p[end] != 0; end++)
                ;
            const char *name = arena_str(a, blob_of(html.p + at, end - at));
            return mail_charset_known(name) ? name : NULL;
        }
    return NULL;
}

static bool has_c1(struct blob b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] >= 0x80 && b.p[i] < 0xA0)
            return true;
    return false;
}

/* More than a few characters that could not be kept: the part stays beside the text. */
static bool much(size_t lost, struct blob of) { return lost > of.n / 100; }

/* The bytes stay as they came if they are good in a code page that clients have; else they are converted. */
static unsigned take_html(struct mail *m, const struct part *p)
{
    struct blob raw = part_content(m->a, p);
    const char *charset = part_param(p, "charset");
    if (!mail_charset_known(charset))
        charset = meta_charset(m->a, raw);
    size_t   lost;
    uint16_t page = mail_codepage(charset);
    struct blob utf8 = mail_decode(m->a, raw, charset, &lost);
    if (mail_blank(raw))
        return FORM_BLANK;
    m->have_html = true;
    if (page == 28591 && has_c1(raw))
        page = 1252;
    bool other = page == 0 || page == 20127 || page == 65001 || lost != 0 || !codepage_known(page);
    if (!other && blob_eq(utf8, raw) && utf8.n != 0)
        other = true; /* plain ASCII, or UTF-8 under a wrong name */
    m->html = other ? utf8 : raw;
    m->html_page = other ? 65001 : page;
    if (much(lost, raw))
        mail_attach_bytes(m, raw, "text.html", p->type);
    return FORM_HTML;
}

/* --- plain, and what is nearly plain ------------------------------------------------------------------------------------------------------- */

/* text/enriched (RFC 1896) and text/richtext without their commands; the part itself is attached. */
static struct blob from_enriched(struct arena *a, struct blob s)
{
    struct wr w = wr_in(a, s.n + 1);
    bool in_param = false;
    for (size_t i = 0; i < s.n; ) {
        size_t near = s.n - i < COMMAND_MAX ? s.n - i : COMMAND_MAX;
        const uint8_t *close = s.p[i] == '<' ? memchr(s.p + i, '>', near) : NULL;
        if (s.p[i] == '<' && i + 1 < s.n && s.p[i + 1] == '<') {
            wr_u8(&w, '<');
            i += 2;
        } else if (close != NULL) {
            size_t n = (size_t)(close - (s.p + i)) + 1;
            if (n == 7 && strncasecmp((const char *)s.p + i, "<param>", 7) == 0)
                in_param = true;
            if (n == 8 && strncasecmp((const char *)s.p + i, "</param>", 8) == 0)
                in_param = false;
            if (n == 4 && strncasecmp((const char *)s.p + i, "<nl>", 4) == 0)
                wr_u8(&w, '\n');
            i += n;
        } else {
            if (!in_param)
                wr_u8(&w, s.p[i]);
            i++;
        }
    }
    return wr_blob(&w);
}

static unsigned take_plain(struct mail *m, const struct part *p, bool enriched)
{
    size_t lost;
    struct blob raw = part_content(m->a, p), s = mail_decode(m->a, raw, part_param(p, "charset"), &lost);
    m->text = enriched ? from_enriched(m->a, s) : s;
    m->have_text = true;
    if (enriched || much(lost, raw))
        mail_attach_bytes(m, raw, enriched ? "text.rtx" : "text.txt", p->type);
    return mail_blank(s) ? FORM_BLANK : FORM_TEXT;
}

/* A message that is one text of some unusual kind is read as plain text; kinds that are data are attached. */
static bool plain_enough(const struct part *p, bool root)
{
    static const char *const data[] = { "text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/csv", "text/rfc822-headers" };
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
        if (mail_is(p, data[i]))
            return false;
    return mail_is(p, "text/plain") || mail_is(p, "text/") || (root && mail_is_kind(p, "text/"));
}

unsigned mail_take_text(struct mail *m, const struct part *p, bool root, unsigned forms)
{
    bool enriched = mail_is(p, "text/enriched") || mail_is(p, "text/richtext");
    if (is_attachment(p, root))
        return FORM_NONE;
    if (mail_is(p, "text/html") && (forms & FORM_HTML))
        return take_html(m, p);
    if ((enriched || plain_enough(p, root)) && (forms & FORM_TEXT))
        return take_plain(m, p, enriched);
    return FORM_NONE;
}

void mail_body(struct mail *m)
{
    if (m->have_text)
        props_set(m->a, &m->out->set, pv_strn(PidTagBody, mail_crlf(m->a, m->text)));
    if (m->have_html)
        props_set(m->a, &m->out->set, pv_bin(PidTagHtml, m->html));
    props_set(m->a, &m->out->set, pv_i32(PidTagInternetCodepage, m->have_html ? m->html_page : 65001));
    if (m->have_text || m->have_html)
        props_set(m->a, &m->out->set, pv_i32(PidTagNativeBody, m->have_html ? NATIVE_HTML : NATIVE_PLAIN));
}
