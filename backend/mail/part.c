/* part.c - header lines of a message or part, and what Content-* says about it. */
#include "backend/mail/part.h"
#include "backend/mail/mail_int.h"
#include <strings.h>

enum { TYPE_MAX = 100 };

static struct blob from(struct blob b, size_t at) { return blob_of(at < b.n ? b.p + at : NULL, at < b.n ? b.n - at : 0); }

size_t mail_line_end(struct blob b, size_t at)
{
    const uint8_t *nl = at < b.n ? memchr(b.p + at, '\n', b.n - at) : NULL;
    return nl != NULL ? (size_t)(nl - b.p) + 1 : b.n;
}

/* Length of the name if a header begins at `at`, else 0; *value is where its value begins.  Blanks before the colon are forgiven. */
static size_t header_name(struct blob b, size_t at, size_t *value)
{
    size_t end = at;
    while (end < b.n && b.p[end] > ' ' && b.p[end] < 0x7F && b.p[end] != ':')
        end++;
    size_t colon = end;
    while (colon < b.n && (b.p[colon] == ' ' || b.p[colon] == '\t'))
        colon++;
    if (end == at || colon >= b.n || b.p[colon] != ':')
        return 0;
    *value = colon + 1;
    return end - at;
}

bool mail_header_at(struct blob b, size_t at)
{
    size_t value;
    return header_name(b, at, &value) != 0;
}

bool mail_empty_line(struct blob b, size_t at)
{
    return b.p[at] == '\n' || (b.p[at] == '\r' && (at + 1 == b.n || b.p[at + 1] == '\n'));
}

/* Behind all lines that begin with a blank: a folded value goes on. */
static size_t folded_end(struct blob b, size_t at)
{
    size_t end = mail_line_end(b, at);
    while (end < b.n && (b.p[end] == ' ' || b.p[end] == '\t'))
        end = mail_line_end(b, end);
    return end;
}

static size_t skip_envelope(struct blob b)
{
    bool from_line = (b.n > 5 && memcmp(b.p, "From ", 5) == 0) || (b.n > 6 && memcmp(b.p, ">From ", 6) == 0);
    return from_line && mail_header_at(b, mail_line_end(b, 0)) ? mail_line_end(b, 0) : 0;
}

void part_heads(struct arena *a, struct blob whole, bool envelope, struct part *out)
{
    size_t at = envelope ? skip_envelope(whole) : 0, value;
    *out = (struct part){ .whole = whole };
    while (at < whole.n && !mail_empty_line(whole, at)) {
        size_t name = header_name(whole, at, &value), end = folded_end(whole, at);
        if (name != 0) {
            out->head = arena_grow(a, out->head, &out->head_cap, out->nhead, sizeof *out->head);
            out->head[out->nhead++] = (struct head){ blob_of(whole.p + at, name), blob_of(whole.p + value, end > value ? end - value : 0) };
        } else if (out->nhead == 0 || !mail_header_at(whole, end))
            break;
        at = end;
    }
    out->block = blob_of(whole.p, at);
    out->content = from(whole, at < whole.n && mail_empty_line(whole, at) ? mail_line_end(whole, at) : at);
}

bool part_next_head(const struct part *p, const char *name, size_t *i, struct blob *value)
{
    size_t n = strlen(name);
    for (; *i < p->nhead; ++*i) {
        const struct head *h = &p->head[*i];
        if (h->name.n == n && strncasecmp((const char *)h->name.p, name, n) == 0) {
            *value = h->value;
            ++*i;
            return true;
        }
    }
    return false;
}

struct blob part_head(const struct part *p, const char *name)
{
    size_t i = 0;
    struct blob v = blob_of(NULL, 0);
    return part_next_head(p, name, &i, &v) ? v : blob_of(NULL, 0);
}

/* --- Content-* ---------------------------------------------------------------------------------------------------------------------------- */

static void unref(void *object) { g_object_unref(object); }

static void read_type(struct arena *a, struct part *p, const char *dflt, const char *charset)
{
    struct blob value = part_head(p, "Content-Type");
    p->type = dflt;
    if (value.n == 0)
        return;
    const char *line = mail_line(a, value, charset);
    if (memchr(line, '/', strcspn(line, ";")) == NULL)
        return; /* no type at all */
    p->ctype = g_mime_content_type_parse(NULL, line);
    if (p->ctype == NULL)
        return;
    arena_defer(a, unref, p->ctype);
    const char *major = g_mime_content_type_get_media_type(p->ctype), *minor = g_mime_content_type_get_media_subtype(p->ctype);
    if (major != NULL && minor != NULL && *major != '\0' && strlen(major) + strlen(minor) < TYPE_MAX)
        p->type = arena_lower(a, arena_printf(a, "%s/%s", major, minor));
}

static void read_disposition(struct arena *a, struct part *p, const char *charset)
{
    struct blob value = part_head(p, "Content-Disposition");
    if (value.n == 0)
        return;
    p->cdisp = g_mime_content_disposition_parse(NULL, mail_line(a, value, charset));
    if (p->cdisp == NULL)
        return;
    arena_defer(a, unref, p->cdisp);
    const char *word = g_mime_content_disposition_get_disposition(p->cdisp);
    p->disposition = word != NULL ? arena_lower(a, word) : NULL;
}

static enum transfer transfer_of(struct arena *a, const struct part *p)
{
    static const struct { const char *name; enum transfer t; } names[] = {
        { "base64", TRANSFER_BASE64 }, { "quoted-printable", TRANSFER_QP }, { "x-uuencode", TRANSFER_UU }, { "x-uue", TRANSFER_UU }, { "uuencode", TRANSFER_UU },
    };
    struct blob value = part_head(p, "Content-Transfer-Encoding");
    const char *word = mail_line(a, blob_of(value.p, value.n < TYPE_MAX ? value.n : TYPE_MAX), NULL);
    word += strspn(word, " \t\"'");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i].name);
        if (strncasecmp(word, names[i].name, n) == 0 && !g_ascii_isalnum(word[n]))
            return names[i].t;
    }
    return TRANSFER_PLAIN;
}

void part_read(struct arena *a, struct blob whole, bool envelope, const char *dflt, const char *charset, struct part *out)
{
    part_heads(a, whole, envelope, out);
    read_type(a, out, dflt, charset);
    read_disposition(a, out, charset);
    out->transfer = transfer_of(a, out);
}

const char *part_param(const struct part *p, const char *name)
{
    return p->ctype != NULL ? g_mime_content_type_get_parameter(p->ctype, name) : NULL;
}

const char *part_disposition_param(const struct part *p, const char *name)
{
    return p->cdisp != NULL ? g_mime_content_disposition_get_parameter(p->cdisp, name) : NULL;
}
