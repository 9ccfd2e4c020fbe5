/* message_text.c - HTML -> text for clients that ask for the plain body of an HTML message, and text -> HTML for the others. */
#include "backend/store/message_text.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include <string.h>
#include <strings.h>

enum { NAME_MAX_ = 16 };

/* What a tag does to the text around it: lines = line ends before and after it. */
enum tag_act { ACT_NONE, ACT_BREAK, ACT_BLOCK, ACT_PARAGRAPH, ACT_ITEM, ACT_CELL, ACT_SKIP, ACT_PRE };
static const struct { const char *name; enum tag_act act; } tag_acts[] = {
    { "br", ACT_BREAK }, { "hr", ACT_BLOCK }, { "div", ACT_BLOCK }, { "tr", ACT_BLOCK }, { "table", ACT_BLOCK }, { "ul", ACT_BLOCK }, { "ol", ACT_BLOCK },
    { "blockquote", ACT_PARAGRAPH }, { "p", ACT_PARAGRAPH }, { "h1", ACT_PARAGRAPH }, { "h2", ACT_PARAGRAPH }, { "h3", ACT_PARAGRAPH },
    { "h4", ACT_PARAGRAPH }, { "li", ACT_ITEM }, { "td", ACT_CELL }, { "th", ACT_CELL }, { "script", ACT_SKIP }, { "style", ACT_SKIP },
    { "head", ACT_SKIP }, { "title", ACT_SKIP }, { "pre", ACT_PRE },
};

static const struct { const char *name; uint32_t cp; } references[] = {
    { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' }, { "nbsp", 0xA0 }, { "copy", 0xA9 }, { "reg", 0xAE },
    { "auml", 0xE4 }, { "ouml", 0xF6 }, { "uuml", 0xFC }, { "Auml", 0xC4 }, { "Ouml", 0xD6 }, { "Uuml", 0xDC }, { "szlig", 0xDF }, { "eacute", 0xE9 },
    { "egrave", 0xE8 }, { "agrave", 0xE0 }, { "ccedil", 0xE7 }, { "euro", 0x20AC }, { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "hellip", 0x2026 },
    { "lsquo", 0x2018 }, { "rsquo", 0x2019 }, { "ldquo", 0x201C }, { "rdquo", 0x201D }, { "bull", 0x2022 }, { "middot", 0xB7 }, { "laquo", 0xAB },
    { "raquo", 0xBB }, { "trade", 0x2122 }, { "zwnj", 0x200C }, { "shy", 0xAD },
};

struct text {
    struct wr w;
    unsigned  lines;      /* line ends owed before the next character */
    bool      blank, any; /* a blank owed; something was written */
    unsigned  pre;
};

static void put_cp(struct wr *w, uint32_t c)
{
    if (c < 0x80) {
        wr_u8(w, (uint8_t)c);
    } else if (c < 0x800) {
        wr_u8(w, (uint8_t)(0xC0 | c >> 6));
        wr_u8(w, (uint8_t)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        wr_u8(w, (uint8_t)(0xE0 | c >> 12));
        wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
        wr_u8(w, (uint8_t)(0x80 | (c & 0x3F)));
    } else {
        wr_u8(w, (uint8_t)(0xF0 | c >> 18));
        wr_u8(w, (uint8_t)(0x80 | (c >> 12 & 0x3F)));
        wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3F)));
        wr_u8(w, (uint8_t)(0x80 | (c & 0x3F)));
    }
}

static void flush(struct text *t)
{
    if (t->any)
        for (; t->lines > 0; t->lines--)
            wr_bytes(&t->w, "\r\n", 2);
    else
        t->lines = 0;
    t->any = true;
}

static void owe(struct text *t, unsigned lines)
{
    if (t->lines < lines)
        t->lines = lines;
    t->blank = false;
}

static void put_byte(struct text *t, uint8_t c)
{
    if (t->pre != 0 && c == '\n') {
        t->lines++;
        return;
    }
    bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
    if (space && (t->pre == 0 || c == '\r')) {
        t->blank |= t->lines == 0 && t->any && c != '\f';
        return;
    }
    if (t->blank && t->lines == 0 && t->any)
        wr_u8(&t->w, ' ');
    t->blank = false;
    flush(t);
    wr_u8(&t->w, c);
}

static enum tag_act act_of(const char *name)
{
    for (size_t i = 0; i < sizeof tag_acts / sizeof *tag_acts; i++)
        if (strcmp(name, tag_acts[i].name) == 0)
            return tag_acts[i].act;
    return ACT_NONE;
}

static bool name_char(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

static uint8_t peek(const struct rd *r) { return r->n != 0 ? *r->p : 0; }

/* The name in lower case; a longer one than we know is cut, which matches none. */
static void read_name(struct rd *r, char out[NAME_MAX_])
{
    size_t n = 0;
    while (r->n != 0 && name_char(peek(r))) {
        uint8_t c = rd_u8(r);
        if (n < NAME_MAX_ - 1)
            out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    out[n] = '\0';
}

/* To behind the '>' of a tag; quoted attribute values may contain one. */
static void skip_attributes(struct rd *r)
{
    uint8_t quote = 0;
    while (r->n != 0) {
        uint8_t c = rd_u8(r);
        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return;
    }
}

static void skip_past(struct rd *r, const char *end)
{
    const void *at = r->n != 0 ? memmem(r->p, r->n, end, strlen(end)) : NULL;
    rd_blob(r, at != NULL ? (size_t)((const uint8_t *)at - r->p) + strlen(end) : r->n);
}

/* To the end tag of an element whose content is no text. */
static void skip_element(struct rd *r, const char *name)
{
    size_t n = strlen(name);
    while (r->n != 0) {
        if (r->n > n + 2 && r->p[0] == '<' && r->p[1] == '/' && strncasecmp((const char *)r->p + 2, name, n) == 0) {
            skip_attributes(r);
            return;
        }
        rd_u8(r);
    }
}

static void begin_tag(struct text *t, struct rd *r, const char *name)
{
    switch (act_of(name)) {
    case ACT_BREAK:     t->lines++; t->blank = false; break;
    case ACT_BLOCK:     owe(t, 1); break;
    case ACT_PARAGRAPH: owe(t, 2); break;
    case ACT_ITEM:      owe(t, 1); flush(t); wr_bytes(&t->w, "* ", 2); break;
    case ACT_CELL:      if (t->any && t->lines == 0) wr_u8(&t->w, '\t'); t->blank = false; break;
    case ACT_SKIP:      skip_element(r, name); break;
    case ACT_PRE:       owe(t, 1); t->pre++; break;
    case ACT_NONE:      break;
    }
}

static void end_tag(struct text *t, const char *name)
{
    switch (act_of(name)) {
    case ACT_BLOCK: case ACT_ITEM: owe(t, 1); break;
    case ACT_PARAGRAPH:            owe(t, 2); break;
    case ACT_PRE:                  owe(t, 1); t->pre -= t->pre > 0; break;
    default:                       break;
    }
}

static void tag(struct text *t, struct rd *r)
{
    char name[NAME_MAX_];
    if (r->n >= 3 && memcmp(r->p, "!--", 3) == 0) {
        skip_past(r, "-->");
    } else if (peek(r) == '!' || peek(r) == '?') {
        skip_past(r, ">");
    } else if (peek(r) == '/') {
        rd_u8(r);
        read_name(r, name);
        skip_attributes(r);
        end_tag(t, name);
    } else if (name_char(peek(r))) {
        read_name(r, name);
        skip_attributes(r);
        begin_tag(t, r, name);
    } else {
        put_byte(t, '<');
    }
}

static uint32_t numeric(struct rd *r)
{
    uint32_t v = 0, base = 10;
    if (peek(r) == 'x' || peek(r) == 'X') {
        rd_u8(r);
        base = 16;
    }
    for (uint8_t c; r->n != 0 && name_char(c = peek(r)) && v < 0x110000; rd_u8(r)) {
        uint32_t d = c <= '9' ? (uint32_t)c - '0' : (uint32_t)(c | 32) - 'a' + 10;
        if (d >= base)
            break;
        v = v * base + d;
    }
    return v;
}

static uint32_t named(struct rd *r)
{
    char name[NAME_MAX_];
    size_t n = 0;
    while (n < NAME_MAX_ - 1 && n < r->n && name_char(r->p[n])) {
        name[n] = (char)r->p[n];
        n++;
    }
    name[n] = '\0';
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (strcmp(name, references[i].name) == 0) {
            rd_blob(r, n);
            return references[i].cp;
        }
    return 0;
}

static void reference(struct text *t, struct rd *r)
{
    struct rd was = *r;
    uint32_t cp = 0;
    if (peek(r) == '#') {
        rd_u8(r);
        cp = numeric(r);
    } else {
        cp = named(r);
    }
    bool good = cp >= 0x20 && cp < 0x110000 && !(cp >= 0xD800 && cp < 0xE000);
    if (!good) {
        *r = was;
        put_byte(t, '&');
        return;
    }
    if (peek(r) == ';')
        rd_u8(r);
    if (cp < 0x80) {
        put_byte(t, (uint8_t)cp);
        return;
    }
    if (t->blank && t->lines == 0)
        wr_u8(&t->w, ' ');
    t->blank = false;
    flush(t);
    put_cp(&t->w, cp == 0xA0 ? ' ' : cp);
}

struct blob message_text_from_html(struct arena *a, struct blob html)
{
    struct rd r = rd_blob_of(html);
    struct text t = { .w = wr_in(a, html.n * 2 + 16) };
    while (r.n != 0 && !t.w.full && !arena_over(a)) {
        uint8_t c = rd_u8(&r);
        if (c == '<')
            tag(&t, &r);
        else if (c == '&')
            reference(&t, &r);
        else
            put_byte(&t, c);
    }
    if (t.any && t.lines != 0)
        wr_bytes(&t.w, "\r\n", 2);
    return wr_blob(&t.w);
}

struct blob message_html_from_text(struct arena *a, struct blob text)
{
    struct wr w = wr_in(a, text.n * 6 + 256);
    static const char head[] = "<html><head><meta charset=\"utf-8\"></head><body><pre style=\"white-space:pre-wrap\">";
    wr_bytes(&w, head, sizeof head - 1);
    for (struct rd r = rd_blob_of(text); r.n != 0; ) {
        uint8_t c = rd_u8(&r);
        if (c == '<')
            wr_bytes(&w, "&lt;", 4);
        else if (c == '>')
            wr_bytes(&w, "&gt;", 4);
        else if (c == '&')
            wr_bytes(&w, "&amp;", 5);
        else
            wr_u8(&w, c);
    }
    wr_bytes(&w, "</pre></body></html>\r\n", 22);
    return wr_blob(&w);
}
