/* transfer.c - content transfer encodings.  Bytes that the encoding does not allow are never dropped silently. */
#include "backend/mail/mail_int.h"

enum { SKIP = 64, PAD = 65, BAD = 66 };

static unsigned digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26u;
    if (c >= '0' && c <= '9')
        return c - '0' + 52u;
    if (c == '+' || c == '/')
        return c == '+' ? 62 : 63;
    return c == '=' ? PAD : c == ' ' || c == '\t' || c == '\r' || c == '\n' ? SKIP : BAD;
}

struct digits { uint8_t of[256]; };

static void all_digits(struct digits *t)
{
    for (unsigned c = 0; c < 256; c++)
        t->of[c] = (uint8_t)digit((uint8_t)c);
}

/* The first `stop` bytes decoded, strange ones left out.  Padding ends a group, not the text: several encoded pieces in a row are seen in the field. */
static struct blob from_base64(struct arena *a, const struct digits *t, struct blob in, size_t stop)
{
    uint8_t *out = arena_alloc(a, in.n / 4 * 3 + 4);
    uint32_t v = 0;
    size_t   n = 0;
    unsigned have = 0;
    for (size_t i = 0; i < stop; i++) {
        unsigned d = t->of[in.p[i]];
        if (d < 64) {
            v = v << 6 | d;
            if (++have == 4) {
                out[n++] = (uint8_t)(v >> 16);
                out[n++] = (uint8_t)(v >> 8);
                out[n++] = (uint8_t)v;
                have = 0;
            }
        }
        if ((d == PAD || i + 1 == stop) && have != 0) {
            if (have > 1)
                out[n++] = (uint8_t)(v << (24 - 6 * have) >> 16);
            if (have > 2)
                out[n++] = (uint8_t)(v << 6 >> 8);
            have = 0;
        }
    }
    return blob_of(out, n);
}

/* Where the first line begins that holds bytes foreign to base64; *bad counts all of them. */
static size_t clean_end(const struct digits *t, struct blob in, size_t *bad)
{
    size_t line = 0, end = in.n;
    *bad = 0;
    for (size_t i = 0; i < in.n; i++) {
        if (t->of[in.p[i]] == BAD && (*bad)++ == 0)
            end = line;
        if (in.p[i] == '\n')
            line = i + 1;
    }
    return end;
}

/* Text that goes on in the clear (the footer of a mailing list) keeps what is not encoded; other content leaves a few strange bytes out, as RFC 2045 6.8
 * says, and stays as it came if there are many. */
static struct blob base64_content(struct arena *a, struct blob in, bool text)
{
    struct digits t;
    all_digits(&t);
    size_t bad, end = clean_end(&t, in, &bad);
    if (bad == 0 || (!text && bad <= in.n / 100))
        return from_base64(a, &t, in, in.n);
    if (!text)
        return in;
    struct blob head = from_base64(a, &t, in, end);
    struct wr   w = wr_in(a, head.n + in.n - end);
    wr_put(&w, head);
    wr_bytes(&w, in.p + end, in.n - end);
    return wr_blob(&w);
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of a soft line break behind '=' at `at` (blanks before the line end are of the transport), 0: it is none. */
static size_t soft_break(struct blob in, size_t at)
{
    size_t i = at + 1;
    while (i < in.n && (in.p[i] == ' ' || in.p[i] == '\t' || in.p[i] == '\r'))
        i++;
    return i < in.n && in.p[i] == '\n' ? i + 1 - at : i == in.n ? in.n - at : 0;
}

/* An '=' that begins nothing stays. */
static struct blob from_quoted(struct arena *a, struct blob in)
{
    uint8_t *out = arena_alloc(a, in.n);
    size_t   n = 0;
    for (size_t i = 0; i < in.n; ) {
        size_t gone = in.p[i] == '=' ? soft_break(in, i) : 0;
        bool   code = in.p[i] == '=' && i + 2 < in.n && hex(in.p[i + 1]) >= 0 && hex(in.p[i + 2]) >= 0;
        if (gone == 0)
            out[n++] = (uint8_t)(code ? hex(in.p[i + 1]) << 4 | hex(in.p[i + 2]) : in.p[i]);
        i += gone != 0 ? gone : code ? 3 : 1;
    }
    return blob_of(out, n);
}

/* The lines of uuencode begin behind "begin MODE NAME". */
static struct blob uu_content(struct arena *a, struct blob in)
{
    for (size_t at = 0; at < in.n; at = mail_line_end(in, at))
        if (in.n - at > 6 && memcmp(in.p + at, "begin ", 6) == 0) {
            size_t start = mail_line_end(in, at);
            GMimeEncoding e;
            g_mime_encoding_init_decode(&e, GMIME_CONTENT_ENCODING_UUENCODE);
            char *out = arena_alloc(a, g_mime_encoding_outlen(&e, in.n - start) + 1);
            size_t n = g_mime_encoding_step(&e, (const char *)in.p + start, in.n - start, out);
            return n != 0 ? blob_of(out, n) : in;
        }
    return in;
}

struct blob part_content(struct arena *a, const struct part *p)
{
    if (p->content.n == 0)
        return p->content;
    switch (p->transfer) {
    case TRANSFER_BASE64: return base64_content(a, p->content, strncmp(p->type, "text/", 5) == 0);
    case TRANSFER_QP:     return from_quoted(a, p->content);
    case TRANSFER_UU:     return uu_content(a, p->content);
    default:              return p->content;
    }
}
