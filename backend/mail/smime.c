/* smime.c - messages that are signed or encrypted as a whole: one attachment holds all of it, so that signatures can still be checked (MS-OXOSMIME 2.1,
 * MS-OXCMAIL 2.2.3.5).  Other multipart/signed (PGP) is read like multipart/mixed. */
#include "backend/mail/mail_int.h"
#include <strings.h>

static bool is_pkcs7_mime(struct mail *m, const struct part *p)
{
    if (mail_is(p, "application/pkcs7-mime") || mail_is(p, "application/x-pkcs7-mime"))
        return true;
    const char *name = mail_is(p, "application/octet-stream") ? mail_filename(m->a, p) : NULL; /* RFC 8551 3.9 */
    return name != NULL && strlen(name) > 4 && strcasecmp(name + strlen(name) - 4, ".p7m") == 0;
}

static bool is_clear_signed(const struct part *p)
{
    const char *protocol = part_param(p, "protocol");
    return mail_is(p, "multipart/signed") && protocol != NULL
           && (strcasecmp(protocol, "application/pkcs7-signature") == 0 || strcasecmp(protocol, "application/x-pkcs7-signature") == 0);
}

/* The signed entity: its Content-Type and all of its content, in the line ends that were signed. */
static struct blob entity(struct arena *a, const struct part *p)
{
    struct blob type = part_head(p, "Content-Type"), content = mail_crlf(a, p->content);
    struct wr   w = wr_in(a, type.n * 2 + content.n + 64);
    wr_put(&w, blob_str("Content-Type:"));
    wr_put(&w, mail_crlf(a, type));
    wr_put(&w, blob_str("\r\n"));
    wr_put(&w, content);
    return wr_blob(&w);
}

/* The body is read from the signed part; its attachments are inside the whole. */
static void read_body(struct mail *m, const struct pieces *s, unsigned depth)
{
    struct msg *out = m->out, aside = { 0 };
    struct part first;
    if (s->n == 0)
        return;
    m->out = &aside;
    part_read(m->a, s->piece[0], false, "text/plain", m->charset, &first);
    mail_part(m, &first, depth + 1, FORM_ANY, false);
    m->out = out;
}

bool mail_smime(struct mail *m, const struct part *root, unsigned depth)
{
    struct pieces s;
    if (is_clear_signed(root) && part_split(m->a, root, PARTS_MAX, &s)) {
        m->message_class = "IPM.Note.SMIME.MultipartSigned";
        read_body(m, &s, depth);
        mail_attach_bytes(m, entity(m->a, root), "smime.p7m", "multipart/signed");
        return true;
    }
    if (is_pkcs7_mime(m, root)) {
        m->message_class = "IPM.Note.SMIME";
        mail_attach_bytes(m, part_content(m->a, root), "smime.p7m", mail_is_kind(root, "application/octet") ? "application/pkcs7-mime" : root->type);
        return true;
    }
    return false;
}
