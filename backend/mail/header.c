/* header.c - header lines -> properties: subject, dates, importance, threading, and the header block itself (MS-OXCMAIL 2.2.3). */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/mail/mail_int.h"
#include <stdlib.h>
#include <strings.h>

enum header_kind { KIND_TEXT, KIND_MSGID, KIND_TRUE };

static const struct { const char *name; uint32_t tag; enum header_kind kind; } headers[] = {
#define HEADER(name, tag, kind) { name, tag, KIND_##kind },
#include "backend/mail/header.def"
#undef HEADER
};

static const char *get(struct mail *m, const char *name) { return g_mime_object_get_header(GMIME_OBJECT(m->g), name); }

/* --- subject ----------------------------------------------------------------------------------------------------------------------------- */

/* A prefix is at most three letters, a colon and a blank (MS-OXCMSG 2.2.1.9); "Re: " is cut off, "Note: " is not. */
static size_t prefix_length(struct blob s)
{
    size_t n = 0, letters = 0;
    while (n < s.n && letters < 4 && s.p[n] != ':' && s.p[n] != ' ' && !(s.p[n] >= '0' && s.p[n] <= '9')) {
        letters += (s.p[n] & 0xC0) != 0x80;
        n++;
    }
    return letters >= 1 && letters <= 3 && n + 1 < s.n && s.p[n] == ':' && s.p[n + 1] == ' ' ? n + 2 : 0;
}

static void set_subject(struct mail *m)
{
    const char *subject = mail_str(m->a, g_mime_message_get_subject(m->g));
    struct blob s = blob_str(subject != NULL ? subject : "");
    size_t n = prefix_length(s);
    props_set(m->a, &m->out->set, pv_strn(PidTagSubject, s));
    struct blob topic = blob_of(s.p != NULL ? s.p + n : s.p, s.n - n);
    props_set(m->a, &m->out->set, pv_strn(PidTagConversationTopic, topic));
}

/* --- dates ------------------------------------------------------------------------------------------------------------------------------- */

static bool filetime_of(GDateTime *d, uint64_t *out)
{
    gint64 unix_time = d != NULL ? g_date_time_to_unix(d) : 0;
    if (d == NULL || unix_time < -11644473600ll || unix_time > 253402300799ll)
        return false;
    *out = filetime_from_unix((time_t)unix_time);
    return true;
}

/* The newest Received line ends in "; date". */
static bool received_time(struct mail *m, uint64_t *out)
{
    const char *line = get(m, "Received"), *semicolon = line != NULL ? strrchr(line, ';') : NULL;
    GDateTime *d = semicolon != NULL ? g_mime_utils_header_decode_date(semicolon + 1) : NULL;
    bool ok = filetime_of(d, out);
    if (d != NULL)
        g_date_time_unref(d);
    return ok;
}

static void set_dates(struct mail *m)
{
    uint64_t sent, delivered;
    bool have_sent = filetime_of(g_mime_message_get_date(m->g), &sent), have_delivered = received_time(m, &delivered);
    if (have_sent)
        props_set(m->a, &m->out->set, pv_time(PidTagClientSubmitTime, sent));
    if (!have_delivered)
        delivered = have_sent ? sent : m->o->now;
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

static void set_mapped(struct mail *m)
{
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const char *value = get(m, headers[i].name);
        if (value == NULL)
            continue;
        if (headers[i].kind == KIND_TRUE) {
            props_set(m->a, &m->out->set, pv_bool(headers[i].tag, true));
            continue;
        }
        char *decoded = g_mime_utils_header_decode_text(NULL, value);
        const char *s = mail_str(m->a, decoded != NULL ? decoded : value);
        g_free(decoded);
        s += strspn(s, " \t\r\n");
        size_t n = headers[i].kind == KIND_MSGID ? strcspn(s, " \t\r\n") : strlen(s);
        props_set(m->a, &m->out->set, pv_strn(headers[i].tag, blob_of(s, n)));
    }
}

/* X- lines as named properties of PS_INTERNET_HEADERS, so that rules and add-ins see them. */
static void set_x_headers(struct mail *m)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(m->g));
    int n = g_mime_header_list_get_count(list), taken = 0;
    for (int i = 0; i < n && taken < XHEADERS_MAX && m->o->named != NULL; i++) {
        GMimeHeader *h = g_mime_header_list_get_header_at(list, i);
        const char *name = g_mime_header_get_name(h), *value = g_mime_header_get_value(h);
        uint16_t id;
        if (strncasecmp(name, "X-", 2) != 0 || strlen(name) > 127 || value == NULL)
            continue;
        char *lower = arena_strdup(m->a, name);
        for (char *p = lower; *p != '\0'; p++)
            *p = g_ascii_tolower(*p);
        if (!m->o->named(m->o->ctx, &PS_INTERNET_HEADERS, 0, lower, &id))
            continue;
        mail_set_str(m, PROP_TAG(id, PtypString), value);
        taken++;
    }
}

static void set_header_block(struct mail *m)
{
    char *all = g_mime_object_get_headers(GMIME_OBJECT(m->g), NULL);
    if (all != NULL && *all != '\0')
        props_set(m->a, &m->out->set, pv_strn(PidTagTransportMessageHeaders, mail_text(m->a, arena_blob(m->a, blob_str(all)), NULL)));
    g_free(all);
}

void mail_headers(struct mail *m)
{
    set_subject(m);
    set_dates(m);
    set_importance(m);
    set_thread_index(m);
    set_mapped(m);
    set_x_headers(m);
    set_header_block(m);
}
