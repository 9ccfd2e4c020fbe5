/* report.c - delivery status and disposition notifications -> report message classes (MS-OXCMAIL 2.2.3.6, RFC 3464, RFC 8098). */
#include "backend/mail/mail_int.h"
#include <strings.h>

/* The value of a field in the fields of a report part, in the arena; NULL if it is not there. */
static const char *field(struct arena *a, struct blob fields, const char *name)
{
    const char *text = arena_str(a, mail_text(a, fields, NULL));
    size_t n = strlen(name);
    for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL)
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *v = line + n + 1 + strspn(line + n + 1, " \t");
            return arena_str(a, blob_of(v, strcspn(v, "\r\n")));
        }
    return NULL;
}

struct outcome { const char *field, *value, *message_class; };

static const struct outcome outcomes[] = {
    { "Action", "failed", "REPORT.IPM.Note.NDR" },       { "Action", "delivered", "REPORT.IPM.Note.DR" },
    { "Action", "relayed", "REPORT.IPM.Note.Relayed.DR" }, { "Action", "expanded", "REPORT.IPM.Note.Expanded.DR" },
    { "Action", "delayed", "REPORT.IPM.Note.Delayed.DR" }, { "Disposition", "displayed", "REPORT.IPM.Note.IPNRN" },
    { "Disposition", "deleted", "REPORT.IPM.Note.IPNNRN" },
};

/* "automatic-action/MDN-sent-automatically; displayed": the disposition type is behind the semicolon. */
static const char *last_word(const char *value)
{
    const char *semicolon = strrchr(value, ';');
    value = semicolon != NULL ? semicolon + 1 : value;
    return value + strspn(value, " \t");
}

static void classify(struct mail *m, struct blob fields)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        const char *value = field(m->a, fields, outcomes[i].field);
        if (value != NULL && strncasecmp(last_word(value), outcomes[i].value, strlen(outcomes[i].value)) == 0) {
            m->message_class = outcomes[i].message_class;
            return;
        }
    }
}

void mail_report(struct mail *m, GMimeMultipart *report)
{
    for (int i = 0; i < g_mime_multipart_get_count(report); i++) {
        GMimeObject *part = g_mime_multipart_get_part(report, i);
        GMimeContentType *type = g_mime_object_get_content_type(part);
        if (!GMIME_IS_PART(part) || !(g_mime_content_type_is_type(type, "message", "delivery-status")
                                      || g_mime_content_type_is_type(type, "message", "disposition-notification")))
            continue;
        struct blob fields = mail_content(m->a, GMIME_PART(part));
        classify(m, fields);
        const char *original = field(m->a, fields, "Original-Message-ID"), *diagnosis = field(m->a, fields, "Diagnostic-Code");
        if (original != NULL)
            mail_set_str(m, PidTagInReplyToId, original);
        if (diagnosis != NULL)
            mail_set_str(m, PidTagSupplementaryInfo, diagnosis);
        return;
    }
}
