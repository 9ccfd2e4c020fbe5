/* mbox.c - a file of messages, each behind its "From " line. */
#include "backend/base/wr.h"
#include "backend/mail/mail.h"

/* "From sender date": a separator has a word and, somewhere behind it, a time or a year. */
static bool from_line(struct blob file, size_t at)
{
    if (file.n - at < 5 || memcmp(file.p + at, "From ", 5) != 0)
        return false;
    size_t end = at, digits = 0;
    while (end < file.n && file.p[end] != '\n' && end - at < 400)
        digits += file.p[end] >= '0' && file.p[end] <= '9', end++;
    return digits >= 4;
}

bool mbox_looks_so(struct blob file) { return file.n > 5 && from_line(file, 0); }

static size_t line_end(struct blob file, size_t at)
{
    const uint8_t *nl = at < file.n ? memchr(file.p + at, '\n', file.n - at) : NULL;
    return nl != NULL ? (size_t)(nl - file.p) + 1 : file.n;
}

/* A separator stands at the start of the file or behind an empty line. */
static size_t next_separator(struct blob file, size_t at)
{
    bool empty = true;
    for (; at < file.n; at = line_end(file, at)) {
        if (empty && from_line(file, at))
            return at;
        empty = file.p[at] == '\n' || (file.p[at] == '\r' && at + 1 < file.n && file.p[at + 1] == '\n');
    }
    return file.n;
}

/* One '>' is taken from lines that are ">From ", ">>From " ... */
static struct blob unescaped(struct arena *a, struct blob m)
{
    struct wr w = wr_in(a, m.n);
    for (size_t at = 0; at < m.n; ) {
        size_t end = line_end(m, at), q = at;
        while (q < end && m.p[q] == '>')
            q++;
        size_t skip = q > at && end - q >= 5 && memcmp(m.p + q, "From ", 5) == 0 ? 1 : 0;
        wr_bytes(&w, m.p + at + skip, end - at - skip);
        at = end;
    }
    return wr_blob(&w);
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

size_t mbox_each(struct arena *a, struct blob file, bool (*fn)(void *ctx, struct blob message, size_t offset), void *ctx)
{
    size_t count = 0;
    if (!mbox_looks_so(file))
        return 0;
    for (size_t at = 0; at < file.n; ) {
        size_t start = line_end(file, at), next = next_separator(file, start);
        struct blob message = unescaped(a, without_last_empty_line(blob_of(file.p + start, next - start)));
        count++;
        if (!fn(ctx, message, at))
            break;
        at = next;
    }
    return count;
}
