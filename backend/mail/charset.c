/* charset.c - bytes in whatever charset mail claims -> UTF-8; a wrong or unknown claim costs characters, never the text. */
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"
#include <iconv.h>
#include <strings.h>

static const struct { const char *name; uint16_t page; } charsets[] = {
#define CHARSET(name, page) { name, page },
#include "backend/mail/charset.def"
#undef CHARSET
};

uint16_t mail_codepage(const char *charset)
{
    for (size_t i = 0; charset != NULL && i < sizeof charsets / sizeof charsets[0]; i++)
        if (strcasecmp(charsets[i].name, charset) == 0)
            return charsets[i].page;
    return 0;
}

/* What cannot be converted becomes U+FFFD, byte by byte. */
static struct blob convert(struct arena *a, iconv_t cd, struct blob in)
{
    struct wr w = wr_in(a, in.n * 4 + 64);
    char   out[4096], *src = (char *)in.p;
    size_t left = in.n;
    while (left > 0) {
        char  *dst = out;
        size_t room = sizeof out, before = left;
        size_t rc = iconv(cd, &src, &left, &dst, &room);
        wr_bytes(&w, out, sizeof out - room);
        if (rc == (size_t)-1 && room == sizeof out && left == before) {
            wr_bytes(&w, "\xef\xbf\xbd", 3);
            src++;
            left--;
            iconv(cd, NULL, NULL, NULL, NULL);
        }
    }
    return wr_blob(&w);
}

/* No charset, or an unknown one: UTF-8 if it is that, else the most common 8-bit one. */
static struct blob guess(struct arena *a, struct blob bytes)
{
    return utf8_valid(bytes) ? bytes : utf8_from_codepage(a, 1252, bytes);
}

/* NULs end strings in the protocol; in text they are noise. */
static struct blob without_nul(struct arena *a, struct blob s)
{
    if (s.n == 0 || memchr(s.p, 0, s.n) == NULL)
        return s;
    struct wr w = wr_in(a, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            wr_u8(&w, s.p[i]);
    return wr_blob(&w);
}

struct blob mail_text(struct arena *a, struct blob bytes, const char *charset)
{
    bool ascii = charset == NULL || strcasecmp(charset, "us-ascii") == 0 || strcasecmp(charset, "utf-8") == 0;
    iconv_t cd = ascii ? (iconv_t)-1 : iconv_open("UTF-8", charset);
    struct blob s;
    if (cd == (iconv_t)-1)
        s = guess(a, bytes);
    else {
        s = convert(a, cd, bytes);
        iconv_close(cd);
    }
    return without_nul(a, utf8_clean(a, s));
}
