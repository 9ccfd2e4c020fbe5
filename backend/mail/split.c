/* split.c - the content of a multipart -> the parts between its delimiters (RFC 2046 5.1). */
#include "backend/mail/mail_int.h"

enum { BOUNDARY_MAX = 1000 };

struct line { size_t at, end; bool last; };  /* a delimiter: from the line before's end to its own */

static bool blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Is the line at `at` "--boundary" or "--boundary--", blanks behind it forgiven? */
static bool is_delimiter(struct blob b, size_t at, struct blob boundary, struct line *out)
{
    if (b.n - at < boundary.n + 2 || memcmp(b.p + at, "--", 2) != 0 || memcmp(b.p + at + 2, boundary.p, boundary.n) != 0)
        return false;
    size_t i = at + 2 + boundary.n, end = mail_line_end(b, at);
    bool last = end - i >= 2 && memcmp(b.p + i, "--", 2) == 0;
    for (i += last ? 2 : 0; i < end; i++)
        if (!blank(b.p[i]))
            return false;
    *out = (struct line){ at, end, last };
    return true;
}

/* The next line that begins with "--" at or behind `at`; b.n: none. */
static size_t next_dashes(struct blob b, size_t at)
{
    if (b.n - at >= 2 && memcmp(b.p + at, "--", 2) == 0 && (at == 0 || b.p[at - 1] == '\n'))
        return at;
    const uint8_t *hit = b.n - at >= 3 ? memmem(b.p + at, b.n - at, "\n--", 3) : NULL;
    return hit != NULL ? (size_t)(hit - b.p) + 1 : b.n;
}

static bool next_delimiter(struct blob b, size_t at, struct blob boundary, struct line *out)
{
    for (at = next_dashes(b, at); at < b.n; at = next_dashes(b, mail_line_end(b, at)))
        if (is_delimiter(b, at, boundary, out))
            return true;
    return false;
}

/* Text between two places; the line end before a delimiter belongs to the delimiter. */
static struct blob between(struct blob b, size_t from, size_t to, bool delimiter)
{
    if (delimiter && to > from && b.p[to - 1] == '\n')
        to--;
    if (delimiter && to > from && b.p[to - 1] == '\r')
        to--;
    return blob_of(b.p + from, to > from ? to - from : 0);
}

/* A multipart whose boundary is not given, or not there: the first line of dashes with a header or an empty line behind it. */
static struct blob guessed_boundary(struct blob b)
{
    for (size_t at = next_dashes(b, 0); at < b.n; at = next_dashes(b, mail_line_end(b, at))) {
        size_t end = mail_line_end(b, at), text = end;
        while (text > at && blank(b.p[text - 1]))
            text--;
        if (text > at + 2 && text - at < BOUNDARY_MAX && end < b.n && (mail_header_at(b, end) || mail_empty_line(b, end)))
            return blob_of(b.p + at + 2, text - at - 2);
    }
    return blob_of(NULL, 0);
}

static struct blob given_boundary(const struct part *p)
{
    struct blob s = blob_str(part_param(p, "boundary"));
    while (s.n > 0 && blank(s.p[s.n - 1]))
        s.n--;
    return s.n < BOUNDARY_MAX ? s : blob_of(NULL, 0);
}

static void add(struct arena *a, struct pieces *s, struct blob piece)
{
    s->piece = arena_grow(a, s->piece, &s->cap, s->n, sizeof *s->piece);
    s->piece[s->n++] = piece;
}

static bool first_delimiter(struct blob b, const struct part *p, struct blob *boundary, struct line *out)
{
    *boundary = given_boundary(p);
    if (boundary->n != 0 && next_delimiter(b, 0, *boundary, out))
        return true;
    *boundary = guessed_boundary(b);
    return boundary->n != 0 && next_delimiter(b, 0, *boundary, out);
}

bool part_split(struct arena *a, const struct part *p, size_t max, struct pieces *out)
{
    struct blob b = p->content, boundary;
    struct line at, next;
    *out = (struct pieces){ 0 };
    if (b.n == 0 || !first_delimiter(b, p, &boundary, &at))
        return false;
    out->preamble = between(b, 0, at.at, true);
    while (!at.last) {
        if (out->n == max) {
            out->rest = between(b, at.at, b.n, false);
            return true;
        }
        bool more = next_delimiter(b, at.end, boundary, &next);
        add(a, out, between(b, at.end, more ? next.at : b.n, more));
        if (!more)
            return true;
        at = next;
    }
    out->epilogue = between(b, at.end, b.n, false);
    return true;
}
