/* report.c - delivery status and disposition notifications -> report message classes and their recipients (MS-OXCMAIL 2.2.3.7, RFC 3464, RFC 8098).
 *
 * The parts stay attached; here is only what a report message says about its original. */
#include "backend/mail/mail_int.h"
#include <strings.h>

struct outcome { const char *field, *value, *message_class; };

/* The first one that any recipient has decides. */
static const struct outcome outcomes[] = {
    { "Action", "failed", "REPORT.IPM.Note.NDR" },         { "Action", "delayed", "REPORT.IPM.Note.Delayed.DR" },
    { "Action", "relayed", "REPORT.IPM.Note.Relayed.DR" }, { "Action", "expanded", "REPORT.IPM.Note.Expanded.DR" },
    { "Action", "delivered", "REPORT.IPM.Note.DR" },       { "Disposition", "displayed", "REPORT.IPM.Note.IPNRN" },
    { "Disposition", "deleted", "REPORT.IPM.Note.IPNNRN" },
};
enum { OUTCOMES = sizeof outcomes / sizeof outcomes[0] };

static const char *field(struct mail *m, const struct part *block, const char *name) { return mail_words(m->a, part_head(block, name), m->charset); }

/* "automatic-action/MDN-sent-automatically; displayed", "rfc822; joe@example.com": what counts is behind the first semicolon. */
static const char *behind_type(const char *value)
{
    const char *semicolon = strchr(value, ';');
    value = semicolon != NULL ? semicolon + 1 : value;
    return value + strspn(value, " \t");
}

static size_t outcome_of(struct mail *m, const struct part *block)
{
    for (size_t i = 0; i < OUTCOMES; i++)
        if (strncasecmp(behind_type(field(m, block, outcomes[i].field)), outcomes[i].value, strlen(outcomes[i].value)) == 0)
            return i;
    return OUTCOMES;
}

static const char *address_of(struct mail *m, const struct part *block)
{
    const char *value = behind_type(field(m, block, "Original-Recipient"));
    if (*value == '\0')
        value = behind_type(field(m, block, "Final-Recipient"));
    size_t n = strlen(value);
    return n >= 2 && value[0] == '<' && value[n - 1] == '>' ? arena_str(m->a, blob_of(value + 1, n - 2)) : value;
}

/* "5.1.1" -> 511 */
static bool status_code(const char *s, int32_t *out)
{
    if (!g_ascii_isdigit(s[0]) || s[1] != '.' || !g_ascii_isdigit(s[2]) || s[3] != '.' || !g_ascii_isdigit(s[4]))
        return false;
    *out = (s[0] - '0') * 100 + (s[2] - '0') * 10 + (s[4] - '0');
    return true;
}

static void set_row(struct mail *m, struct props *p, uint32_t tag, const char *s)
{
    if (*s != '\0')
        props_set(m->a, p, pv_str(tag, s));
}

/* A block of fields that names a recipient. */
static void recipient(struct mail *m, const struct part *block)
{
    const char *address = address_of(m, block);
    struct recipient *r = *address != '\0' ? mail_recipient(m, address, address, 1) : NULL;
    int32_t code;
    if (r == NULL)
        return;
    set_row(m, &r->props, PidTagSupplementaryInfo, field(m, block, "Diagnostic-Code"));
    set_row(m, &r->props, PidTagRemoteMessageTransferAgent, behind_type(field(m, block, "Remote-MTA")));
    if (status_code(field(m, block, "Status"), &code))
        props_set(m->a, &r->props, pv_i32(PidTagNonDeliveryReportStatusCode, code));
}

/* Blocks of fields with empty lines between them. */
static void blocks(struct mail *m, struct blob fields)
{
    size_t best = OUTCOMES;
    for (struct blob left = fields; left.n > 0; ) {
        struct part block;
        part_heads(m->a, left, false, &block);
        size_t outcome = outcome_of(m, &block);
        best = outcome < best ? outcome : best;
        if (part_head(&block, "Action").n != 0)
            recipient(m, &block);
        const char *original = field(m, &block, "Original-Message-ID"), *diagnosis = field(m, &block, "Diagnostic-Code");
        if (*original != '\0')
            mail_set_str(m, PidTagInReplyToId, original);
        if (*diagnosis != '\0')
            mail_set_str(m, PidTagSupplementaryInfo, diagnosis);
        if (block.content.n == left.n)
            break; /* no fields here */
        left = block.content;
    }
    if (best < OUTCOMES)
        m->message_class = outcomes[best].message_class;
}

/* The returned message, or its header lines. */
static void original(struct mail *m, struct blob bytes)
{
    struct part o;
    uint64_t when;
    part_heads(m->a, bytes, true, &o);
    const char *subject = field(m, &o, "Subject"), *id = field(m, &o, "Message-ID");
    if (*subject != '\0')
        mail_set_str(m, PidTagOriginalSubject, subject);
    if (*id != '\0' && props_find(&m->out->set, PidTagInReplyToId) == NULL)
        mail_set_str(m, PidTagInReplyToId, id);
    if (mail_time(part_head(&o, "Date"), &when))
        props_set(m->a, &m->out->set, pv_time(PidTagOriginalSubmitTime, when));
}

void mail_report(struct mail *m, const struct pieces *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct part p;
        part_read(m->a, s->piece[i], false, "text/plain", NULL, &p);
        if (mail_is(&p, "message/delivery-status") || mail_is(&p, "message/global-delivery-status") || mail_is(&p, "message/disposition-notification"))
            blocks(m, part_content(m->a, &p));
        else if (mail_is(&p, "message/rfc822") || mail_is(&p, "text/rfc822-headers"))
            original(m, part_content(m->a, &p));
    }
}
