/* message_rtf.c - RTF -> plain text, for clients that ask for the plain body of a message that has only RTF. */
#include "backend/base/rd.h"
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include "backend/store/message_rtf.h"
#include <string.h>

enum { DEPTH_MAX = 256 };

struct group { bool skip; unsigned uc; };

struct reading {
    struct arena *a;
    struct rd r;
    struct wr w;
    struct wr bytes;           /* of the code page, not converted yet: a character may have two */
    struct wr units;           /* UTF-16, not converted yet: a character may have two; one of both builders is empty */
    uint16_t  code_page;
    unsigned  depth, eat;      /* eat: characters that stand for the last \u */
    struct group g[DEPTH_MAX];
};

static struct group *top(struct reading *t) { return &t->g[t->depth]; }

static bool ascii(struct blob b)
{
    size_t i = 0;
    while (i < b.n && b.p[i] < 0x80)
        i++;
    return i == b.n;
}

static void settle(struct reading *t)
{
    struct blob b = wr_blob(&t->bytes);
    if (b.n != 0)
        wr_put(&t->w, ascii(b) ? b : utf8_from_codepage(t->a, t->code_page, b));
    if (t->units.n != 0)
        wr_put(&t->w, utf8_from_utf16(t->a, wr_blob(&t->units)));
    wr_rewind(&t->bytes, 0);
    wr_rewind(&t->units, 0);
}

static void put(struct reading *t, const char *s)
{
    settle(t);
    if (!top(t)->skip)
        wr_put(&t->w, blob_str(s));
}

static void put_byte(struct reading *t, uint8_t c)
{
    if (t->eat > 0) {
        t->eat--;
        return;
    }
    if (t->units.n != 0)
        settle(t);
    if (!top(t)->skip)
        wr_u8(&t->bytes, c);
}

static void put_unit(struct reading *t, int32_t n)
{
    if (t->bytes.n != 0)
        settle(t);
    if (!top(t)->skip)
        wr_u16(&t->units, (uint16_t)n);
    t->eat = top(t)->uc;
}

static const struct { const char *word, *text; } words_text[] = {
    { "par", "\r\n" }, { "line", "\r\n" }, { "row", "\r\n" }, { "sect", "\r\n" }, { "page", "\r\n" }, { "tab", "\t" }, { "cell", "\t" },
    { "emdash", "\xe2\x80\x94" }, { "endash", "\xe2\x80\x93" }, { "bullet", "\xe2\x80\xa2" }, { "lquote", "\xe2\x80\x98" }, { "rquote", "\xe2\x80\x99" },
    { "ldblquote", "\xe2\x80\x9c" }, { "rdblquote", "\xe2\x80\x9d" },
};
static const char *const words_skip[] = {
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr", "headerf", "footerl", "footerr", "footerf",
    "footnote", "listtable", "listoverridetable", "rsidtbl", "generator", "themedata", "datastore", "xmlnstbl",
};

static void word(struct reading *t, const char *name, bool has, int32_t n)
{
    for (size_t i = 0; i < sizeof words_text / sizeof *words_text; i++)
        if (strcmp(name, words_text[i].word) == 0)
            put(t, words_text[i].text);
    for (size_t i = 0; i < sizeof words_skip / sizeof *words_skip; i++)
        if (strcmp(name, words_skip[i]) == 0)
            top(t)->skip = true;
    if (strcmp(name, "u") == 0 && has)
        put_unit(t, n);
    else if (strcmp(name, "uc") == 0 && has)
        top(t)->uc = n >= 0 && n < 16 ? (unsigned)n : 1;
    else if (strcmp(name, "ansicpg") == 0 && n > 0 && n <= UINT16_MAX)
        t->code_page = (uint16_t)n;
    else if (strcmp(name, "bin") == 0 && n > 0)
        rd_blob(&t->r, (size_t)n < t->r.n ? (size_t)n : t->r.n);
}

static uint8_t peek(const struct reading *t) { return t->r.n != 0 ? *t->r.p : 0; }
static bool is_letter(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(uint8_t c)  { return c >= '0' && c <= '9'; }

static void control_word(struct reading *t)
{
    char name[32];
    size_t n = 0;
    for (; is_letter(peek(t)); rd_u8(&t->r))
        if (n < sizeof name - 1)
            name[n++] = (char)peek(t);
    name[n] = '\0';
    bool minus = peek(t) == '-', has = false;
    if (minus)
        rd_u8(&t->r);
    int32_t v = 0;
    for (; is_digit(peek(t)); has = true) {
        int32_t d = rd_u8(&t->r) - '0';
        v = v < 100000000 ? v * 10 + d : v;
    }
    if (peek(t) == ' ')
        rd_u8(&t->r);
    word(t, name, has, minus ? -v : v);
}

static int hex(uint8_t c) { return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

static void control(struct reading *t)
{
    uint8_t c = peek(t);
    if (is_letter(c)) {
        control_word(t);
        return;
    }
    rd_u8(&t->r);
    if (c == '\'') {
        int high = hex(rd_u8(&t->r)), low = hex(rd_u8(&t->r));
        if (high >= 0 && low >= 0)
            put_byte(t, (uint8_t)(high << 4 | low));
    } else if (c == '\\' || c == '{' || c == '}') {
        put_byte(t, c);
    } else if (c == '~') {
        put(t, " ");
    } else if (c == '_') {
        put(t, "-");
    } else if (c == '*') {
        top(t)->skip = true;
    } else if (c == '\r' || c == '\n') {
        put(t, "\r\n");
    }
}

static void open_group(struct reading *t)
{
    settle(t);
    if (t->depth + 1 == DEPTH_MAX) {
        rd_fail(&t->r, "nested too deep");
        return;
    }
    t->depth++;
    t->g[t->depth] = t->g[t->depth - 1];
    t->eat = 0;
}

static void close_group(struct reading *t)
{
    settle(t);
    t->depth -= t->depth > 0;
    t->eat = 0;
}

struct blob message_rtf_text(struct arena *a, struct blob rtf)
{
    struct reading *t = arena_one(a, struct reading);
    *t = (struct reading){ .a = a, .r = rd_blob_of(rtf), .w = wr_in(a, rtf.n * 3 + 16), .bytes = wr_in(a, rtf.n + 16), .units = wr_in(a, rtf.n + 16),
                            .code_page = 1252, .g = { { .uc = 1 } } };
    while (t->r.n != 0 && !arena_over(a)) {
        uint8_t c = rd_u8(&t->r);
        if (c == '\\')
            control(t);
        else if (c == '{')
            open_group(t);
        else if (c == '}')
            close_group(t);
        else if (c >= 0x20 || c == '\t')
            put_byte(t, c);
    }
    settle(t);
    return wr_blob(&t->w);
}
