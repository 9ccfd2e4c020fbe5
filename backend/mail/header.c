/* header.c - header lines -> properties: subject, dates, importance, threading, and the header block itself (MS-OXCMAIL 2.2.3). */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <stdlib.h>
#include <strings.h>

enum header_kind { KIND_TEXT, KIND_MSGID, KIND_TRUE, KIND_TIME };
enum { DATE_MAX = 200, TOPIC_UNITS = 255, RECEIVED_MAX = 100 };

static const struct { const char *name; uint32_t tag; enum header_kind kind; } headers[] = {
#define HEADER(name, tag, kind) { name, tag, KIND_##kind },
#include "backend/mail/header.def"
#undef HEADER
};

/* The first line of this name; NULL: none. */
static const char *get(struct mail *m, const char *name)
{
    struct blob v = part_head(m->root, name);
    return v.p != NULL ? mail_line(m->a, v, m->charset) : NULL;
}

/* --- subject ----------------------------------------------------------------------------------------------------------------------------- */

/* A prefix is at most three letters, a colon and a blank (MS-OXCMSG 2.2.1.9); "Re: " is cut off, "Note: " is not. */
static size_t prefix_length(struct blob s)
{
    size_t n = 0, letters = 0;
    while (n < s.n && letters < 4 && (s.p[n] >= 0x80 || g_ascii_isalpha(s.p[n]))) {
        letters += (s.p[n] & 0xC0) != 0x80;
        n++;
    }
    return letters >= 1 && letters <= 3 && n + 1 < s.n && s.p[n] == ':' && s.p[n + 1] == ' ' ? n + 2 : 0;
}

static void set_subject(struct mail *m)
{
    struct blob s = blob_str(mail_words(m->a, part_head(m->root, "Subject"), m->charset));
    size_t n = prefix_length(s);
    props_set(m->a, &m->out->set, pv_strn(PidTagSubject, s));
    props_set(m->a, &m->out->set, pv_strn(PidTagConversationTopic, utf8_cut(blob_of(s.p + n, s.n - n), TOPIC_UNITS)));
}

/* --- dates ------------------------------------------------------------------------------------------------------------------------------- */

bool mail_time(struct blob text, uint64_t *out)
{
    char line[DATE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < text.n && n + 1 < sizeof line; i++)
        if (text.p[i] >= ' ' && text.p[i] < 0x7F)
            line[n++] = (char)text.p[i];
        else if (text.p[i] == '\t')
            line[n++] = ' ';
    line[n] = '\0';
    GDateTime *d = n != 0 ? g_mime_utils_header_decode_date(line) : NULL;
    if (d == NULL)
        return false;
    gint64 at = g_date_time_to_unix(d);
    g_date_time_unref(d);
    if (at < -11644473600ll || at > 253402300799ll)
        return false;
    *out = filetime_from_unix((time_t)at);
    return true;
}

/* The newest Received line that ends in "; date". */
static bool received_time(struct mail *m, uint64_t *out)
{
    struct blob line;
    size_t i = 0;
    for (unsigned tries = 0; tries < RECEIVED_MAX && part_next_head(m->root, "Received", &i, &line); tries++) {
        const uint8_t *semicolon = line.n != 0 ? memrchr(line.p, ';', line.n) : NULL;
        if (semicolon != NULL && mail_time(blob_of(semicolon + 1, line.n - (size_t)(semicolon + 1 - line.p)), out))
            return true;
    }
    return false;
}

/* Without a date of its own a message was sent when it arrived. */
static void set_dates(struct mail *m)
{
    uint64_t sent, delivered;
    bool have_sent = mail_time(part_head(m->root, "Date"), &sent), have_delivered = received_time(m, &delivered);
    if (!have_delivered)
        delivered = have_sent ? sent : m->o->now;
    props_set(m->a, &m->out->set, pv_time(PidTagClientSubmitTime, have_sent ? sent : delivered));
    props_set(m->a, &m->out->set, pv_time(PidTagMessageDeliveryTime, delivered));
}

/* --- importance and the like ------------------------------------------------------------------------------------------------------------- */

struct word { const char *text; int32_t value; };

static bool word_value(const char *s, const struct word *w, size_t n, int32_t *out)
{
    for (size_t i = 0; s != NULL && i < n; i++)
        if (strncasecmp(s + strspn(s, " \t"), w[i].text, strlen(w[i].text)) == 0) {
            *out = w[i].value;
            return true;
        }
    return false;
}
#define WORD(s, table, out) word_value((s), (table), sizeof(table) / sizeof(table)[0], (out))

static void set_importance(struct mail *m)
{
    static const struct word importance[] = { { "low", 0 }, { "normal", 1 }, { "high", 2 } };
    static const struct word x_priority[] = { { "1", 2 }, { "2", 2 }, { "3", 1 }, { "4", 0 }, { "5", 0 } };
    static const struct word priority[] = { { "urgent", 2 }, { "non-urgent", 0 }, { "normal", 1 } };
    static const struct word sensitivity[] = { { "personal", 1 }, { "private", 2 }, { "company-confidential", 3 } };
    int32_t v;
    if (WORD(get(m, "Importance"), importance, &v) || WORD(get(m, "X-Priority"), x_priority, &v) || WORD(get(m, "X-MSMail-Priority"), importance, &v)
        || WORD(get(m, "Priority"), priority, &v)) {
        props_set(m->a, &m->out->set, pv_i32(PidTagImportance, v));
        props_set(m->a, &m->out->set, pv_i32(PidTagPriority, v - 1));
    } else
        props_set(m->a, &m->out->set, pv_i32(PidTagImportance, 1));
    if (WORD(get(m, "Sensitivity"), sensitivity, &v))
        props_set(m->a, &m->out->set, pv_i32(PidTagSensitivity, v));
}

/* "OOF, AutoReply" -> bits (MS-OXCMAIL, X-Auto-Response-Suppress): which automatic answers the sender does not want. */
static void set_suppress(struct mail *m)
{
    static const struct word kinds[] = { { "DR", 1 }, { "NDR", 2 }, { "RN", 4 }, { "NRN", 8 }, { "OOF", 16 }, { "AutoReply", 32 }, { "All", -1 } };
    const char *s = get(m, "X-Auto-Response-Suppress");
    int32_t bits = 0;
    for (size_t n; s != NULL && *s != '\0'; s += n) {
        s += strspn(s, ", \t");
        n = strcspn(s, ", \t");
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (strlen(kinds[i].text) == n && strncasecmp(kinds[i].text, s, n) == 0)
                bits |= kinds[i].value;
    }
    if (bits != 0)
        props_set(m->a, &m->out->set, pv_i32(PidTagAutoResponseSuppress, bits));
}

static void set_thread_index(struct mail *m)
{
    const char *text = get(m, "Thread-Index");
    struct blob index;
    if (text == NULL)
        return;
    char *compact = arena_strdup(m->a, text), *to = compact;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p > ' ')
            *to++ = *p;
    *to = '\0';
    if (base64_decode(m->a, compact, &index) && index.n >= 22)
        props_set(m->a, &m->out->set, pv_bin(PidTagConversationIndex, index));
}

/* --- lines as they are ------------------------------------------------------------------------------------------------------------------- */

static void set_one(struct mail *m, uint32_t tag, enum header_kind kind, struct blob value)
{
    uint64_t when;
    if (kind == KIND_TRUE)
        props_set(m->a, &m->out->set, pv_bool(tag, true));
    else if (kind == KIND_TIME) {
        if (mail_time(value, &when))
            props_set(m->a, &m->out->set, pv_time(tag, when));
    } else {
        const char *s = mail_words(m->a, value, m->charset);
        size_t n = kind == KIND_MSGID ? strcspn(s, " \t") : strlen(s);
        if (n != 0)
            props_set(m->a, &m->out->set, pv_strn(tag, blob_of(s, n)));
    }
}

static void set_mapped(struct mail *m)
{
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct blob value = part_head(m->root, headers[i].name);
        if (value.p != NULL)
            set_one(m, headers[i].tag, headers[i].kind, value);
    }
}

static const char *lower(struct arena *a, struct blob name)
{
    char *s = arena_str(a, name);
    for (char *p = s; *p != '\0'; p++)
        *p = g_ascii_tolower(*p);
    return s;
}

/* Outlook's categories travel in Keywords. */
static void set_keywords(struct mail *m)
{
    uint16_t id;
    struct blob *v = NULL;
    size_t n = 0, cap = 0;
    const char *s = mail_words(m->a, part_head(m->root, "Keywords"), m->charset);
    if (*s == '\0' || m->o->named == NULL || !m->o->named(m->o->ctx, &PS_PUBLIC_STRINGS, 0, "Keywords", &id))
        return;
    for (size_t len; *s != '\0' && n < XHEADERS_MAX; s += len + (s[len] != '\0')) {
        s += strspn(s, " \t");
        len = strcspn(s, ",;");
        v = arena_grow(m->a, v, &cap, n, sizeof *v);
        if (len != 0)
            v[n++] = blob_of(s, len);
    }
    if (n == 0)
        return;
    struct propval p = { .tag = PROP_TAG(id, PtypMultipleFlag | PtypString) };
    p.v.mv.n = n;
    p.v.mv.s = v;
    props_set(m->a, &m->out->set, p);
}

/* X- lines as named properties of PS_INTERNET_HEADERS, so that rules and add-ins see them.  Names are a limited resource of a mailbox. */
static void set_x_headers(struct mail *m)
{
    unsigned taken = 0;
    for (size_t i = 0; i < m->root->nhead && taken < XHEADERS_MAX && m->o->named != NULL; i++) {
        const struct head *h = &m->root->head[i];
        uint16_t id;
        if (h->name.n < 3 || h->name.n >= PROPNAME_MAX || strncasecmp((const char *)h->name.p, "X-", 2) != 0)
            continue;
        taken++;
        if (m->o->named(m->o->ctx, &PS_INTERNET_HEADERS, 0, lower(m->a, h->name), &id))
            mail_set_str(m, PROP_TAG(id, PtypString), mail_line(m->a, h->value, m->charset));
    }
}

static void set_header_block(struct mail *m)
{
    if (m->root->nhead != 0)
        props_set(m->a, &m->out->set, pv_strn(PidTagTransportMessageHeaders, mail_crlf(m->a, mail_text(m->a, m->root->block, m->charset))));
}

void mail_headers(struct mail *m)
{
    set_subject(m);
    set_dates(m);
    set_importance(m);
    set_suppress(m);
    set_thread_index(m);
    set_mapped(m);
    set_keywords(m);
    set_x_headers(m);
    set_header_block(m);
}
