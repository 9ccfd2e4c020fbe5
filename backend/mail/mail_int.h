/* mail_int.h - what the files of this room share: one conversion in progress. */
#ifndef MAIL_MAIL_INT_H
#define MAIL_MAIL_INT_H
#include "backend/mail/mail.h"
#include <gmime/gmime.h>

enum { PARTS_MAX = 1000, DEPTH_MAX = 32, EMBEDDED_MAX = 10, RECIPIENTS_MAX = 10000, XHEADERS_MAX = 60 };

struct mail {
    struct arena *a;
    const struct mail_options *o;
    struct msg   *out;
    GMimeMessage *g;
    unsigned      parts;         /* seen so far */
    unsigned      embedded;      /* how deep this message lies in others */
    /* the body as found */
    bool          have_text, have_html;
    struct blob   text;          /* UTF-8 */
    struct blob   html;          /* as it came, */
    uint16_t      html_page;     /* in this code page */
    const char   *message_class;
};

/* mail_in, for a message inside another one. */
bool mail_convert(struct arena *a, struct blob bytes, GMimeMessage *g, const struct mail_options *o, unsigned embedded, struct msg *out);

/* header.c: what the header lines say. */
void mail_headers(struct mail *m);
/* address.c: sender, receivers, recipient rows. */
void mail_addresses(struct mail *m);
/* body.c: the tree of parts -> body candidates and attachments. */
void mail_parts(struct mail *m);
/* body.c: body candidates -> properties. */
void mail_body(struct mail *m);
/* report.c: delivery and read reports. */
void mail_report(struct mail *m, GMimeMultipart *report);
/* attach.c */
struct attachment *mail_attach_bytes(struct mail *m, struct blob bytes, const char *name, const char *mime);
void mail_attach(struct mail *m, GMimeObject *part, bool related);

/* charset.c: text of a declared (NULL: none) charset -> UTF-8, never failing; the code page of a charset, 0 if it has none here. */
struct blob mail_text(struct arena *a, struct blob bytes, const char *charset);
uint16_t    mail_codepage(const char *charset);

/* Decoded content of a part, in the arena. */
struct blob mail_content(struct arena *a, GMimePart *part);
/* A string of GLib's -> the arena, cleaned; NULL stays NULL. */
const char *mail_str(struct arena *a, const char *s);
void mail_set_str(struct mail *m, uint32_t tag, const char *s);
#endif
