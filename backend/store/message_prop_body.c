/* message_prop_body.c - the forms of a message body: what is stored, and one made from another when only that is there. MS-OXCMSG 2.2.1.58, 3.2.4.1. */
#include "backend/store/message_int.h"
#include "backend/store/message_rtf.h"
#include "backend/store/message_text.h"
#include "backend/base/utf.h"
#include "backend/mapi/rtfcp.h"

enum { NATIVE_UNDEFINED, NATIVE_TEXT, NATIVE_RTF, NATIVE_HTML };
enum { CP_UTF8 = 65001, MADE_MAX = 16 << 20 }; /* a body above this size is not converted */

/* An unsaved change of one form makes the stored ones of the others stale, as the save will (message_drop_stale_bodies). */
static bool stale(const struct message_src *s, uint32_t tag)
{
    static const uint32_t forms[] = { PidTagBody, PidTagHtml, PidTagRtfCompressed };
    bool written = false;
    for (size_t i = 0; s->over != NULL && i < 3; i++)
        written |= props_find(&s->over->set, forms[i]) != NULL;
    return written && props_find(&s->over->set, tag) == NULL;
}

static bool form(struct message_src *s, uint32_t tag, struct propval *out) { return !stale(s, tag) && message_plain(s, tag, out); }

static bool there(struct message_src *s, uint32_t tag)
{
    struct propval v;
    return form(s, tag, &v);
}

static uint16_t code_page(struct message_src *s)
{
    struct propval v;
    bool set = message_plain(s, PidTagInternetCodepage, &v) && prop_type(v.tag) == PtypInteger32;
    return set && v.v.i32 > 0 && v.v.i32 <= UINT16_MAX ? (uint16_t)v.v.i32 : CP_UTF8;
}

/* The stored value with its bytes; false if there is none or it is too large to convert. */
static bool bytes_of(struct message_src *s, uint32_t tag, struct propval *out)
{
    struct propval v;
    if (!form(s, tag, &v))
        return false;
    if (!v.large) {
        *out = v;
        return true;
    }
    if (v.v.large.size > MADE_MAX)
        return false;
    s->ec = large_load(s->m, &v, out);
    return s->ec == ecNone;
}

static bool html_utf8(struct message_src *s, struct blob *out)
{
    struct propval v;
    if (!bytes_of(s, PidTagHtml, &v))
        return false;
    *out = prop_type(v.tag) == PtypString ? v.v.s : utf8_from_codepage(s->a, code_page(s), v.v.bin);
    return prop_type(v.tag) == PtypString || prop_type(v.tag) == PtypBinary;
}

static bool rtf_text(struct message_src *s, struct blob *out)
{
    struct propval v;
    struct blob rtf;
    if (!bytes_of(s, PidTagRtfCompressed, &v) || prop_type(v.tag) != PtypBinary || !rtfcp_decompress(s->a, v.v.bin, &rtf))
        return false;
    *out = message_rtf_text(s->a, rtf);
    return true;
}

/* The plain text: as it is, else from HTML, else from RTF. */
static bool text_of(struct message_src *s, struct blob *out)
{
    struct propval v;
    struct blob html;
    if (bytes_of(s, PidTagBody, &v)) {
        *out = v.v.s;
        return prop_type(v.tag) == PtypString;
    }
    if (html_utf8(s, &html)) {
        *out = message_text_from_html(s->a, html);
        return true;
    }
    return rtf_text(s, out);
}

bool message_prop_native_body(struct message_src *s, uint32_t asked, struct propval *out)
{
    struct propval sync;
    if (form(s, asked, out))
        return true;
    bool rtf = there(s, PidTagRtfCompressed);
    bool in_sync = message_plain(s, PidTagRtfInSync, &sync) && prop_type(sync.tag) == PtypBoolean && sync.v.b;
    int32_t native = NATIVE_UNDEFINED;
    if (there(s, PidTagHtml) && !(rtf && in_sync))
        native = NATIVE_HTML;
    else if (rtf)
        native = NATIVE_RTF;
    else if (there(s, PidTagBody))
        native = NATIVE_TEXT;
    *out = pv_i32(PidTagNativeBody, native);
    return true;
}

bool message_prop_body_text(struct message_src *s, uint32_t asked, struct propval *out)
{
    struct blob text;
    if (form(s, asked, out))
        return true;
    if (!text_of(s, &text))
        return false;
    *out = pv_strn(PidTagBody, text);
    return true;
}

/* PidTagHtml (bytes in the code page of the message) and PidTagBodyHtml (a string) are one property in two types. */
bool message_prop_body_html(struct message_src *s, uint32_t asked, struct propval *out)
{
    struct propval v;
    struct blob html;
    uint16_t type = prop_type(prop_unicode(asked));
    bool stored = form(s, asked, &v);
    if (stored && (type == PtypUnspecified || type == prop_type(v.tag))) {
        *out = v;
        return true;
    }
    if (!stored) {
        struct blob text;
        if (!text_of(s, &text))
            return false;
        html = message_html_from_text(s->a, text);
    } else if (!html_utf8(s, &html)) {
        return false;
    }
    if (type == PtypString)
        *out = pv_strn(PidTagBodyHtml, html);
    else
        *out = pv_bin(PidTagHtml, code_page(s) == CP_UTF8 ? html : codepage_from_utf8(s->a, code_page(s), html));
    return true;
}

bool message_prop_body_rtf(struct message_src *s, uint32_t asked, struct propval *out) { return form(s, asked, out); }
