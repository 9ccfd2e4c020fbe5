/* utf.c - text on its way between the wire's UTF-16 and the UTF-8 inside.
 *
 * Every table row passes through here, so ASCII goes eight bytes at a time. */
#include "backend/base/utf.h"
#include <unicode/uchar.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are loaded and stored as UTF-16LE");

#define HIGH_BITS 0x8080808080808080ull
#define NOT_ASCII 0xFF80FF80FF80FF80ull
enum { REPLACEMENT = 0xFFFD };

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline bool is_high(uint32_t u) { return (u & 0xFC00) == 0xD800; }
static inline bool is_low(uint32_t u)  { return (u & 0xFC00) == 0xDC00; }

/* Bytes at the front of p that are ASCII, in whole words of eight and then one by one. */
static size_t ascii_run(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (n - i >= 8 && (load64(p + i) & HIGH_BITS) == 0)
        i += 8;
    while (i < n && p[i] < 0x80)
        i++;
    return i;
}

/* --- UTF-8 to UTF-16 --- */

static bool is_tail(struct blob s, size_t i) { return i < s.n && (s.p[i] & 0xC0) == 0x80; }

/* Bytes of the well-formed character at i (surrogates allowed), or 0. */
static size_t char_length(struct blob s, size_t i)
{
    uint8_t c = s.p[i];
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4 || !is_tail(s, i + 1))
        return 0;
    if (c < 0xE0)
        return 2;
    uint8_t d = s.p[i + 1];
    if ((c == 0xE0 && d < 0xA0) || (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F) || !is_tail(s, i + 2))
        return 0;
    if (c < 0xF0)
        return 3;
    return is_tail(s, i + 3) ? 4 : 0;
}

uint32_t utf8_next(struct blob s, size_t *i)
{
    const uint8_t *p = s.p + *i;
    size_t         n = char_length(s, *i);
    *i += n != 0 ? n : 1;
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3:
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    default:
        return REPLACEMENT;
    }
}

size_t utf16_size(struct blob utf8)
{
    size_t units = 0;
    for (size_t i = 0; i < utf8.n; ) {
        size_t run = ascii_run(utf8.p + i, utf8.n - i);
        units += run;
        i += run;
        while (i < utf8.n && utf8.p[i] >= 0x80)
            units += utf8_next(utf8, &i) > 0xFFFF ? 2 : 1;
    }
    return units * 2;
}

static inline uint8_t *put_unit(uint8_t *p, uint32_t u)
{
    p[0] = (uint8_t)u;
    p[1] = (uint8_t)(u >> 8);
    return p + 2;
}

/* Four ASCII bytes become four units in one word. */
static inline uint64_t spread(uint32_t four)
{
    uint64_t v = four;
    v = (v | v << 16) & 0x0000FFFF0000FFFFull;
    return (v | v << 8) & 0x00FF00FF00FF00FFull;
}

static uint8_t *put_ascii(uint8_t *out, const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (; n - i >= 8; i += 8, out += 16) {
        uint64_t eight = load64(p + i), wide[2] = { spread((uint32_t)eight), spread((uint32_t)(eight >> 32)) };
        memcpy(out, wide, sizeof wide);
    }
    for (; i < n; i++)
        out = put_unit(out, p[i]);
    return out;
}

void utf16_put(uint8_t *p, struct blob utf8)
{
    for (size_t i = 0; i < utf8.n; ) {
        size_t run = ascii_run(utf8.p + i, utf8.n - i);
        p = put_ascii(p, utf8.p + i, run);
        i += run;
        while (i < utf8.n && utf8.p[i] >= 0x80) {
            uint32_t c = utf8_next(utf8, &i);
            if (c > 0xFFFF)
                p = put_unit(p, 0xD7C0 + (c >> 10));
            p = put_unit(p, c > 0xFFFF ? 0xDC00 | (c & 0x3FF) : c);
        }
    }
}

struct blob utf16_from_utf8(struct arena *a, struct blob utf8)
{
    size_t   n = utf16_size(utf8);
    uint8_t *p = arena_alloc(a, n + 2);
    utf16_put(p, utf8);
    return blob_of(p, n);
}

/* --- UTF-16 to UTF-8 --- */

static inline uint32_t unit_at(struct blob s, size_t i) { return s.p[i] | (uint32_t)s.p[i + 1] << 8; }

/* The character at byte i of UTF-16LE of even length; a lone surrogate is itself. */
static uint32_t next16(struct blob s, size_t *i)
{
    uint32_t u = unit_at(s, *i);
    *i += 2;
    if (is_high(u) && *i < s.n) {
        uint32_t low = unit_at(s, *i);
        if (is_low(low)) {
            *i += 2;
            return 0x10000 + ((u & 0x3FF) << 10) + (low & 0x3FF);
        }
    }
    return u;
}

/* Does the word at byte i hold four ASCII units? */
static inline bool four_ascii(struct blob s, size_t i) { return s.n - i >= 8 && (load64(s.p + i) & NOT_ASCII) == 0; }

static size_t size_from_utf16(struct blob s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; ) {
        if (four_ascii(s, i)) {
            i += 8;
            n += 4;
            continue;
        }
        uint32_t c = next16(s, &i);
        n += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return n;
}

size_t utf8_put(uint8_t *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (uint8_t)c;
        return 1;
    }
    size_t tails = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    p[0] = (uint8_t)(lead[tails] | c >> 6 * tails);
    for (size_t k = 1; k <= tails; k++)
        p[k] = (uint8_t)(0x80 | (c >> 6 * (tails - k) & 0x3F));
    return tails + 1;
}

struct blob utf8_from_utf16(struct arena *a, struct blob utf16)
{
    utf16.n &= ~(size_t)1;
    size_t   n = size_from_utf16(utf16);
    uint8_t *out = arena_alloc(a, n + 1), *p = out;
    for (size_t i = 0; i < utf16.n; ) {
        if (four_ascii(utf16, i)) {
            uint64_t v = load64(utf16.p + i);
            v = (v | v >> 8) & 0x0000FFFF0000FFFFull;
            uint32_t four = (uint32_t)(v | v >> 16);
            memcpy(p, &four, sizeof four);
            p += 4;
            i += 8;
            continue;
        }
        p += utf8_put(p, next16(utf16, &i));
    }
    return blob_of(out, n);
}

/* --- whole texts --- */

bool utf8_valid(struct blob s)
{
    for (size_t i = 0; i < s.n; ) {
        i += ascii_run(s.p + i, s.n - i);
        if (i == s.n)
            break;
        size_t n = char_length(s, i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

struct blob utf8_clean(struct arena *a, struct blob s)
{
    if (utf8_valid(s))
        return s;
    size_t n = 0;
    for (size_t i = 0; i < s.n; ) {
        size_t here = char_length(s, i);
        i += here != 0 ? here : 1;
        n += here != 0 ? here : 3;
    }
    uint8_t *out = arena_alloc(a, n + 1), *p = out;
    for (size_t i = 0; i < s.n; )
        p += utf8_put(p, utf8_next(s, &i));
    return blob_of(out, n);
}

struct blob utf8_cut(struct blob s, size_t units)
{
    if (s.n <= units)
        return s; /* a unit takes at least one byte */
    size_t i = 0;
    while (i < s.n) {
        size_t   next = i;
        uint32_t c = utf8_next(s, &next);
        size_t   need = c > 0xFFFF ? 2 : 1;
        if (need > units)
            break;
        units -= need;
        i = next;
    }
    return blob_of(s.p, i);
}

/* A mapping of each character to one other. */
static struct blob map_chars(struct arena *a, struct blob s, uint32_t (*map)(uint32_t))
{
    s = utf8_clean(a, s);
    uint8_t *out = arena_alloc(a, s.n + s.n / 2 + 1), *p = out; /* two bytes become at most three, others never more */
    for (size_t i = 0; i < s.n; )
        p += utf8_put(p, map(utf8_next(s, &i)));
    return blob_of(out, (size_t)(p - out));
}

uint32_t utf_fold(uint32_t c)
{
    if (c < 0x80)
        return c - 'A' < 26 ? c + 32 : c;
    return (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT);
}

static uint32_t upper(uint32_t c)
{
    if (c < 0x80)
        return c - 'a' < 26 ? c - 32 : c;
    return (uint32_t)u_toupper((UChar32)c);
}

struct blob utf8_fold(struct arena *a, struct blob s)  { return map_chars(a, s, utf_fold); }
struct blob utf8_upper(struct arena *a, struct blob s) { return map_chars(a, s, upper); }
