/* mbox.c - a file of messages, each behind its "From " line.  The file is walked in place, so that one of many gigabytes takes no memory. */
#include "backend/mail/mail_int.h"

enum { FROM_LINE_MAX = 400 };

static bool digit_at(struct blob b, size_t i) { return b.p[i] >= '0' && b.p[i] <= '9'; }

/* "From sender date": whatever the form of the date, it has a time "12:34" and a year of four digits. */
static bool from_line(struct blob file, size_t at)
{
    if (file.n - at < 5 || memcmp(file.p + at, "From ", 5) != 0)
        return false;
    bool time = false, year = false;
    size_t digits = 0;
    for (size_t i = at; i < file.n && file.p[i] != '\n' && i - at < FROM_LINE_MAX; i++) {
        digits = digit_at(file, i) ? digits + 1 : 0;
        year |= digits == 4;
        time |= file.p[i] == ':' && i + 2 < file.n && digit_at(file, i - 1) && digit_at(file, i + 1) && digit_at(file, i + 2);
    }
    return time && year;
}

bool mbox_looks_so(struct blob file) { return file.n > 5 && from_line(file, 0); }

static bool empty_line_before(struct blob b, size_t at)
{
    return (at >= 2 && b.p[at - 2] == '\n') || (at >= 3 && b.p[at - 2] == '\r' && b.p[at - 3] == '\n');
}

/* A separator stands at the start of the file or behind an empty line. */
static size_t next_separator(struct blob file, size_t at)
{
    while (at < file.n) {
        const uint8_t *hit = memmem(file.p + at - 1, file.n - at + 1, "\nFrom ", 6);
        if (hit == NULL)
            return file.n;
        size_t line = (size_t)(hit - file.p) + 1;
        if (empty_line_before(file, line) && from_line(file, line))
            return line;
        at = line + 1;
    }
    return file.n;
}

/* The empty line before the next separator belongs to the mbox, not to the message. */
static struct blob without_last_empty_line(struct blob m)
{
    if (m.n >= 2 && m.p[m.n - 1] == '\n' && m.p[m.n - 2] == '\n')
        m.n -= 1;
    else if (m.n >= 4 && memcmp(m.p + m.n - 4, "\r\n\r\n", 4) == 0)
        m.n -= 2;
    return m;
}

bool mbox_next(struct blob file, size_t at, struct mbox_message *out, size_t *next)
{
    if (at >= file.n)
        return false;
    size_t start = mail_line_end(file, at);
    *next = start < file.n ? next_separator(file, start) : file.n;
    *out = (struct mbox_message){ without_last_empty_line(blob_of(file.p + start, *next - start)), at };
    return true;
}

/* One '>' is taken from lines that are ">From ", ">>From " ... */
struct blob mbox_unescaped(struct arena *a, struct blob m)
{
    if (m.n == 0 || memmem(m.p, m.n, ">From ", 6) == NULL)
        return m;
    uint8_t *out = arena_alloc(a, m.n);
    size_t   n = 0;
    for (size_t at = 0; at < m.n; ) {
        size_t end = mail_line_end(m, at), q = at;
        while (q < end && m.p[q] == '>')
            q++;
        at += q > at && end - q >= 5 && memcmp(m.p + q, "From ", 5) == 0 ? 1 : 0;
        memcpy(out + n, m.p + at, end - at);
        n += end - at;
        at = end;
    }
    return blob_of(out, n);
}

enum { MOZILLA_READ = 1, MOZILLA_REPLIED = 2, MOZILLA_MARKED = 4, MOZILLA_EXPUNGED = 8 };

bool mbox_flags(struct arena *a, struct blob message, struct mail_options *o)
{
    struct part p;
    part_heads(a, message, true, &p);
    const char *status = mail_line(a, part_head(&p, "Status"), NULL), *x = mail_line(a, part_head(&p, "X-Status"), NULL);
    unsigned long mozilla = strtoul(mail_line(a, part_head(&p, "X-Mozilla-Status"), NULL), NULL, 16);
    o->read |= strchr(status, 'R') != NULL || (mozilla & MOZILLA_READ);
    o->answered |= strchr(x, 'A') != NULL || (mozilla & MOZILLA_REPLIED);
    o->flagged |= strchr(x, 'F') != NULL || (mozilla & MOZILLA_MARKED);
    o->draft |= strchr(x, 'T') != NULL;
    return !(mozilla & MOZILLA_EXPUNGED);
}
