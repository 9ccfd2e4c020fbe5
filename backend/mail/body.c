/* body.c - the tree of MIME parts: which of them is the body, all others are attachments (MS-OXCMAIL 2.2.3.3). */
#include "backend/mail/mail_int.h"
#include <strings.h>

bool mail_is(const struct part *p, const char *type) { return strcmp(p->type, type) == 0; }
bool mail_is_kind(const struct part *p, const char *major) { return strncmp(p->type, major, strlen(major)) == 0; }

static unsigned piece_in(struct mail *m, const struct part *around, struct blob bytes, unsigned depth, unsigned forms, bool related)
{
    struct part p;
    part_read(m->a, bytes, false, mail_is(around, "multipart/digest") ? "message/rfc822" : "text/plain", m->charset, &p);
    return mail_part(m, &p, depth + 1, forms, related);
}

/* There is no room for piece `i` and those behind it: they stay together as they came. */
static bool no_room(struct mail *m, const struct part *p, struct pieces *s, size_t i)
{
    if (*m->parts < PARTS_MAX)
        return false;
    size_t gone = (size_t)(s->piece[i].p - p->content.p);
    s->rest = blob_of(s->piece[i].p, p->content.n - gone);
    s->epilogue = blob_of(NULL, 0);
    s->n = i;
    return true;
}

/* The forms of one body: each part may give one that is still open; the rest is attached. */
static unsigned alternative(struct mail *m, const struct part *p, struct pieces *s, unsigned depth, unsigned forms)
{
    unsigned taken = FORM_NONE;
    for (size_t i = 0; i < s->n && !no_room(m, p, s, i); i++)
        taken |= piece_in(m, p, s->piece[i], depth, forms & ~taken, false);
    return taken;
}

static bool same_id(const char *a, const char *b)
{
    size_t n = strlen(a), k = strlen(b);
    if (n >= 2 && a[0] == '<' && a[n - 1] == '>')
        a++, n -= 2;
    if (k >= 2 && b[0] == '<' && b[k - 1] == '>')
        b++, k -= 2;
    return n == k && n != 0 && memcmp(a, b, n) == 0;
}

/* The part that the others belong to: the one that "start" names, else the first. */
static size_t related_root(struct mail *m, const struct part *p, const struct pieces *s)
{
    const char *start = part_param(p, "start");
    for (size_t i = 0; start != NULL && i < s->n; i++) {
        struct part q;
        part_heads(m->a, s->piece[i], false, &q);
        if (same_id(start, mail_line(m->a, part_head(&q, "Content-ID"), NULL)))
            return i;
    }
    return 0;
}

static unsigned related(struct mail *m, const struct part *p, struct pieces *s, unsigned depth, unsigned forms)
{
    size_t root = related_root(m, p, s);
    unsigned taken = s->n != 0 ? piece_in(m, p, s->piece[root], depth, forms, false) : FORM_NONE;
    for (size_t i = 0; i < s->n && !no_room(m, p, s, i); i++)
        if (i != root)
            piece_in(m, p, s->piece[i], depth, FORM_NONE, true);
    return taken;
}

/* mixed and all that is not known: the first text is the body. */
static unsigned mixed(struct mail *m, const struct part *p, struct pieces *s, unsigned depth, unsigned forms, bool inside)
{
    unsigned taken = FORM_NONE;
    for (size_t i = 0; i < s->n && !no_room(m, p, s, i); i++)
        taken |= piece_in(m, p, s->piece[i], depth, taken == FORM_NONE ? forms : FORM_NONE, inside);
    return taken;
}

static bool is_text(struct blob b)
{
    size_t i = 0;
    while (i < b.n && (b.p[i] <= ' ' || b.p[i] == '-'))
        i++;
    return i < b.n;
}

/* Text before the first part is for readers without MIME; if it does not say so, or is long, it is more than that. */
static void keep_outside(struct mail *m, const struct pieces *s)
{
    enum { USUAL_MAX = 400 };
    struct blob b = s->preamble;
    bool usual = b.n < USUAL_MAX && b.n != 0 && (memmem(b.p, b.n, "MIME", 4) != NULL || memmem(b.p, b.n, "multi-part", 10) != NULL);
    if (is_text(b) && !usual)
        mail_attach_bytes(m, b, "preamble.txt", "text/plain");
    if (s->rest.n != 0)
        mail_attach_bytes(m, s->rest, "more-parts.txt", "application/octet-stream");
    if (is_text(s->epilogue))
        mail_attach_bytes(m, s->epilogue, "epilogue.txt", "text/plain");
}

static unsigned multipart(struct mail *m, const struct part *p, unsigned depth, unsigned forms, bool inside)
{
    struct pieces s;
    unsigned taken;
    if (!part_split(m->a, p, PARTS_MAX - *m->parts, &s)) {
        struct part plain = *p; /* no delimiter anywhere: it is text */
        plain.type = "text/plain";
        plain.transfer = TRANSFER_PLAIN;
        return mail_part(m, &plain, depth, forms, inside);
    }
    if (p == m->root && mail_is(p, "multipart/report"))
        mail_report(m, &s);
    if (mail_is(p, "multipart/alternative"))
        taken = alternative(m, p, &s, depth, forms);
    else if (mail_is(p, "multipart/related"))
        taken = related(m, p, &s, depth, forms);
    else
        taken = mixed(m, p, &s, depth, forms, inside);
    keep_outside(m, &s);
    return taken;
}

/* A part that is neither body nor anything: no bytes, or blanks in a text without a name. */
static bool is_nothing(struct mail *m, const struct part *p)
{
    if (p->content.n == 0 && p->nhead == 0)
        return true;
    return mail_is(p, "text/plain") && mail_filename(m->a, p) == NULL && mail_blank(part_content(m->a, p));
}

unsigned mail_part(struct mail *m, const struct part *p, unsigned depth, unsigned forms, bool inside)
{
    if (depth > DEPTH_MAX || *m->parts >= PARTS_MAX) {
        mail_attach_bytes(m, p->whole, "deep.eml", "application/octet-stream");
        return FORM_NONE;
    }
    ++*m->parts;
    const char *charset = part_param(p, "charset");
    if (m->charset == NULL && mail_charset_known(charset))
        m->charset = charset;
    if (mail_is_kind(p, "multipart/"))
        return multipart(m, p, depth, forms, inside);
    unsigned taken = mail_take_text(m, p, p == m->root, forms);
    if (taken == FORM_NONE && !is_nothing(m, p))
        mail_attach(m, p, depth, inside);
    return taken & FORM_ANY;
}

void mail_parts(struct mail *m, unsigned depth)
{
    if (!mail_smime(m, m->root, depth))
        mail_part(m, m->root, depth, FORM_ANY, false);
}
