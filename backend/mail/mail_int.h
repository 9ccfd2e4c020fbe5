/* mail_int.h - what the files of this room share: one conversion in progress. */
#ifndef MAIL_MAIL_INT_H
#define MAIL_MAIL_INT_H
#include "backend/mail/mail.h"
#include "backend/mail/part.h"

/* Bounds of one mail with all that is inside it.  What is beyond them is kept as it came, not looked into. */
enum { ATTACH_MHTML_REF = 4 };   /* PidTagAttachFlags */
enum { PARTS_MAX = 1000, DEPTH_MAX = 32, EMBEDDED_MAX = 10, RECIPIENTS_MAX = 10000, XHEADERS_MAX = 60 };

/* Forms of a body; FORM_BLANK: taken, but there is nothing in it, so the forms stay open. */
enum { FORM_NONE = 0, FORM_TEXT = 1, FORM_HTML = 2, FORM_ANY = 3, FORM_BLANK = 4 };

struct mail {
    struct arena *a;
    const struct mail_options *o;
    struct msg   *out;
    struct part  *root;
    unsigned     *parts;         /* seen so far, in embedded messages too */
    unsigned      embedded;      /* how deep this message lies in others */
    const char   *charset;       /* of the first part that names one we know: for raw 8-bit header lines */
    /* the body as found */
    bool          have_text, have_html;
    struct blob   text;          /* UTF-8 */
    struct blob   html;
    uint16_t      html_page;     /* its code page */
    const char   *message_class;
};

/* mail_in, for a message inside another one.  depth: of parts around it. */
void mail_convert(struct arena *a, struct blob bytes, const struct mail_options *o, unsigned *parts, unsigned embedded, unsigned depth, struct msg *out);

/* header.c: what the header lines say; an Internet date. */
bool mail_time(struct blob text, uint64_t *filetime);
void mail_headers(struct mail *m);
/* address.c: sender, receivers, recipient rows; one more recipient. */
void mail_addresses(struct mail *m);
struct recipient *mail_recipient(struct mail *m, const char *name, const char *address, uint8_t type);
/* body.c: the tree of parts -> body candidates and attachments; one part: returns the forms of the body that it took of those allowed. */
void mail_parts(struct mail *m, unsigned depth);
unsigned mail_part(struct mail *m, const struct part *p, unsigned depth, unsigned forms, bool related);
/* text.c: takes a text part as the body if it is one of `forms`; body candidates -> properties. */
unsigned mail_take_text(struct mail *m, const struct part *p, bool root, unsigned forms);
void mail_body(struct mail *m);
/* report.c: delivery and read reports. */
void mail_report(struct mail *m, const struct pieces *s);
/* smime.c: a message that is signed or encrypted as a whole; false: it is not. */
bool mail_smime(struct mail *m, const struct part *root, unsigned depth);
/* attach.c.  mail_attach_bytes borrows the bytes. */
struct attachment *mail_attach_bytes(struct mail *m, struct blob bytes, const char *name, const char *mime);
void mail_attach(struct mail *m, const struct part *p, unsigned depth, bool related);
const char *mail_filename(struct arena *a, const struct part *p);   /* as given; NULL: none */
/* inline.c: which attachments the HTML body shows. */
void mail_mark_inline(struct mail *m);

/* charset.c: text of a declared (NULL: none) charset -> UTF-8, never failing; how many bytes or characters could not be kept; the code page of a charset, 0: none. */
struct blob mail_text(struct arena *a, struct blob bytes, const char *charset);
struct blob mail_decode(struct arena *a, struct blob bytes, const char *charset, size_t *lost);
uint16_t    mail_codepage(const char *charset);
bool        mail_charset_known(const char *charset);

/* words.c: a header value -> one line of UTF-8; the same with encoded words decoded. */
const char *mail_line(struct arena *a, struct blob value, const char *charset);
const char *mail_words(struct arena *a, struct blob value, const char *charset);
const char *mail_decode_words(struct arena *a, const char *line);

/* Where the next line begins; does a header begin here; is the line at `at` (< b.n) empty. */
size_t mail_line_end(struct blob b, size_t at);
bool   mail_header_at(struct blob b, size_t at);
bool   mail_empty_line(struct blob b, size_t at);
/* Lines end in CRLF. */
struct blob mail_crlf(struct arena *a, struct blob s);
/* A string of GLib's -> the arena, cleaned; NULL stays NULL. */
const char *mail_str(struct arena *a, const char *s);
void mail_set_str(struct mail *m, uint32_t tag, const char *s);
bool mail_is(const struct part *p, const char *type);
bool mail_blank(struct blob s);
bool mail_is_kind(const struct part *p, const char *major);   /* "multipart/" */
#endif
