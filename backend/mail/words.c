/* words.c - values of header lines -> text: unfolded, raw 8-bit bytes understood, encoded words decoded. */
#include "backend/base/utf.h"
#include "backend/mail/mail_int.h"

static bool has_high(struct blob b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] >= 0x80)
            return true;
    return false;
}

/* Raw bytes beyond ASCII: UTF-8 if they are that, else of the charset of the message; raw ISO-2022-JP gives itself away. */
static struct blob raw_text(struct arena *a, struct blob s, const char *charset)
{
    if (s.n >= 3 && memmem(s.p, s.n, "\x1b$", 2) != NULL)
        return mail_text(a, s, "iso-2022-jp");
    if (!has_high(s))
        return s;
    return mail_text(a, s, charset != NULL && !utf8_valid(s) ? charset : NULL);
}

/* Raw bytes inside an encoded word are of its own charset: they are written as =XX, as they should have been. */
static struct blob with_clean_words(struct arena *a, struct blob s)
{
    static const char digit[] = "0123456789ABCDEF";
    if (!has_high(s) || memmem(s.p, s.n, "=?", 2) == NULL)
        return s;
    struct wr w = wr_in(a, s.n * 3);
    unsigned  marks = 0; /* question marks of the word so far: =? 1, charset ? 2, Q ? 3, text ?= */
    bool      quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : 0;
        if (marks == 3 && quoted && c >= 0x80) {
            wr_u8(&w, '=');
            wr_u8(&w, (uint8_t)digit[c >> 4]);
            c = (uint8_t)digit[c & 15];
        } else if (marks == 0 && c == '=' && next == '?')
            quoted = false;
        else if (c == '?' && (marks != 0 || (i > 0 && s.p[i - 1] == '='))) {
            quoted = marks == 1 ? (next | 0x20) == 'q' : quoted;
            marks = marks == 3 ? 0 : marks + 1;
        }
        wr_u8(&w, c);
    }
    return wr_blob(&w);
}

const char *mail_line(struct arena *a, struct blob value, const char *charset)
{
    struct wr w = wr_in(a, value.n + 1);
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] != '\r' && value.p[i] != '\n' && value.p[i] != 0)
            wr_u8(&w, value.p[i]);
    struct blob s = raw_text(a, with_clean_words(a, wr_blob(&w)), charset);
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return arena_str(a, s);
}

const char *mail_decode_words(struct arena *a, const char *line)
{
    if (strstr(line, "=?") == NULL)
        return line;
    char *decoded = g_mime_utils_header_decode_text(NULL, line);
    const char *s = mail_str(a, decoded != NULL ? decoded : line);
    g_free(decoded);
    return s;
}

const char *mail_words(struct arena *a, struct blob value, const char *charset) { return mail_decode_words(a, mail_line(a, value, charset)); }
