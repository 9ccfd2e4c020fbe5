/* charset.c - bytes in whatever charset mail claims -> UTF-8; a wrong or unknown claim costs characters, never the text. */
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <errno.h>
#include <iconv.h>
#include <strings.h>

struct charset { const char *name; uint16_t page; const char *iconv; };

static const struct charset charsets[] = {
#define CHARSET(name, page, iconv) { name, page, iconv },
#include "backend/mail/charset.def"
#undef CHARSET
};

static const struct charset *find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof charsets / sizeof charsets[0]; i++)
        if (strcasecmp(charsets[i].name, name) == 0)
            return &charsets[i];
    return NULL;
}

uint16_t mail_codepage(const char *charset)
{
    const struct charset *c = find(charset);
    return c != NULL ? c->page : 0;
}

bool mail_charset_known(const char *charset) { return find(charset) != NULL; }

/* What cannot be converted becomes U+FFFD, byte by byte. */
static struct blob convert(struct arena *a, iconv_t cd, struct blob in, size_t *lost)
{
    struct wr w = wr_in(a, in.n * 4 + 64);
    char   out[4096], *src = (char *)in.p;
    size_t left = in.n;
    bool   more = true;
    while (more) {
        char  *dst = out;
        size_t room = sizeof out;
        more = left > 0;
        size_t rc = more ? iconv(cd, &src, &left, &dst, &room) : iconv(cd, NULL, NULL, &dst, &room); /* the last character may still be inside */
        int    why = errno;
        wr_bytes(&w, out, sizeof out - room);
        if (rc != (size_t)-1 || !more || w.full)
            continue;
        if (why != E2BIG || room == sizeof out) {
            wr_bytes(&w, "\xef\xbf\xbd", 3);
            ++*lost;
            src++;
            left = why == EINVAL ? 0 : left - 1;
        }
    }
    return wr_blob(&w);
}

struct tally { size_t good, bad; };  /* characters of more than one byte; bytes that are no UTF-8 */

static size_t sequence(struct blob s, size_t i)
{
    size_t n = s.p[i] >= 0xF0 && s.p[i] < 0xF5 ? 4 : s.p[i] >= 0xE0 && s.p[i] < 0xF0 ? 3 : s.p[i] >= 0xC2 && s.p[i] < 0xE0 ? 2 : 0;
    if (n == 0 || s.n - i < n)
        return 0;
    for (size_t k = 1; k < n; k++)
        if ((s.p[i + k] & 0xC0) != 0x80)
            return 0;
    return n;
}

static struct tally utf8_tally(struct blob s)
{
    struct tally t = { 0, 0 };
    for (size_t i = 0; i < s.n; ) {
        size_t n = s.p[i] < 0x80 ? 1 : sequence(s, i);
        t.good += n > 1;
        t.bad += n == 0;
        i += n != 0 ? n : 1;
    }
    return t;
}

/* No charset, an unknown one, or UTF-8: UTF-8 if most of what is beyond ASCII is that, else the most common 8-bit one. */
static struct blob guess(struct arena *a, struct blob bytes, size_t *lost)
{
    struct tally t = utf8_tally(bytes);
    if (t.bad == 0)
        return bytes;
    if (t.good <= t.bad)
        return utf8_from_codepage(a, 1252, bytes);
    *lost += t.bad;
    return utf8_clean(a, bytes);
}

/* Text of western 8-bit charsets is hardly ever good UTF-8 by chance; UTF-8 under a wrong name is common. */
static bool mislabelled(const struct charset *c, struct blob bytes)
{
    if (c->page != 28591 && c->page != 1252 && c->page != 28605)
        return false;
    struct tally t = utf8_tally(bytes);
    return t.good > 0 && t.bad == 0;
}

/* NULs end strings in the protocol; in text they are noise. */
static struct blob without_nul(struct arena *a, struct blob s, size_t *lost)
{
    if (s.n == 0 || memchr(s.p, 0, s.n) == NULL)
        return s;
    struct wr w = wr_in(a, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            wr_u8(&w, s.p[i]);
    *lost += s.n - w.n;
    return wr_blob(&w);
}

static struct blob without_mark(struct blob s)
{
    return s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0 ? blob_of(s.p + 3, s.n - 3) : s;
}

struct blob mail_decode(struct arena *a, struct blob bytes, const char *charset, size_t *lost)
{
    const struct charset *c = find(charset);
    if ((c == NULL || c->iconv == NULL) && bytes.n != 0 && memmem(bytes.p, bytes.n, "\x1b$", 2) != NULL)
        c = find("iso-2022-jp");
    iconv_t cd = c == NULL || c->iconv == NULL || mislabelled(c, bytes) ? (iconv_t)-1 : iconv_open("UTF-8", c->iconv);
    struct blob s;
    *lost = 0;
    if (cd == (iconv_t)-1)
        s = guess(a, bytes, lost);
    else {
        s = convert(a, cd, bytes, lost);
        iconv_close(cd);
    }
    return without_nul(a, utf8_clean(a, without_mark(s)), lost);
}

struct blob mail_text(struct arena *a, struct blob bytes, const char *charset)
{
    size_t lost;
    return mail_decode(a, bytes, charset, &lost);
}
