/* utf_teletex.c - T.61, the 8-bit code page of old directories (20261): letters with accents are two bytes, the accent first. */
#include "backend/base/utf.h"
#include <unicode/unorm2.h>

enum { ASCII_END = 0x80, ACCENTS = 0xC1, ACCENTS_END = 0xD0, NO_CHARACTER = 0xFFFD }; /* as ICU has it for bytes of other code pages; it sorts behind all others */

/* The combining character of each accent byte from 0xC1 on; 0: none. */
static const uint16_t accent[ACCENTS_END - ACCENTS] = { 0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x307, 0x308, 0, 0x30A, 0x327, 0, 0x30B, 0x328, 0x30C };

/* The characters that are one byte: byte, character. */
static const struct { uint8_t byte; uint16_t c; } single[] = {
    { 0xA1, 0xA1 }, { 0xA2, 0xA2 }, { 0xA3, 0xA3 }, { 0xA5, 0xA5 }, { 0xA7, 0xA7 }, { 0xA8, 0xA4 }, { 0xAB, 0xAB }, { 0xB0, 0xB0 }, { 0xB1, 0xB1 }, { 0xB2, 0xB2 },
    { 0xB3, 0xB3 }, { 0xB4, 0xD7 }, { 0xB5, 0xB5 }, { 0xB6, 0xB6 }, { 0xB7, 0xB7 }, { 0xB8, 0xF7 }, { 0xBB, 0xBB }, { 0xBC, 0xBC }, { 0xBD, 0xBD }, { 0xBE, 0xBE },
    { 0xBF, 0xBF }, { 0xE0, 0x2126 }, { 0xE1, 0xC6 }, { 0xE2, 0x110 }, { 0xE3, 0xAA }, { 0xE4, 0x126 }, { 0xE6, 0x132 }, { 0xE7, 0x13F }, { 0xE8, 0x141 }, { 0xE9, 0xD8 },
    { 0xEA, 0x152 }, { 0xEB, 0xBA }, { 0xEC, 0xDE }, { 0xED, 0x166 }, { 0xEE, 0x14A }, { 0xEF, 0x149 }, { 0xF0, 0x138 }, { 0xF1, 0xE6 }, { 0xF2, 0x111 }, { 0xF3, 0xF0 },
    { 0xF4, 0x127 }, { 0xF5, 0x131 }, { 0xF6, 0x133 }, { 0xF7, 0x140 }, { 0xF8, 0x142 }, { 0xF9, 0xF8 }, { 0xFA, 0x153 }, { 0xFB, 0xDF }, { 0xFC, 0xFE }, { 0xFD, 0x167 },
    { 0xFE, 0x14B }, { 0xA0, 0xA0 }
};
enum { SINGLES = sizeof single / sizeof single[0] };

static uint32_t single_of(uint8_t byte)
{
    for (size_t i = 0; i < SINGLES; i++)
        if (single[i].byte == byte)
            return single[i].c;
    return NO_CHARACTER;
}

/* A letter and the accent that stood before it as one character. */
static uint32_t composed(uint8_t accent_byte, uint8_t letter)
{
    UErrorCode          err = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&err);
    uint16_t            mark = accent[accent_byte - ACCENTS];
    UChar32             c = U_SUCCESS(err) && mark != 0 && letter < ASCII_END ? unorm2_composePair(nfc, letter, mark) : -1;
    return c >= 0 ? (uint32_t)c : letter < ASCII_END ? letter : NO_CHARACTER;
}

struct blob utf8_from_teletex(struct arena *a, struct blob bytes)
{
    uint8_t *p = arena_alloc(a, 4 * bytes.n + 1), *end = p;
    for (size_t i = 0; i < bytes.n; i++) {
        uint8_t b = bytes.p[i];
        if (b < ASCII_END)
            end += utf8_put(end, b);
        else if (b >= ACCENTS && b < ACCENTS_END && i + 1 < bytes.n)
            end += utf8_put(end, composed(b, bytes.p[++i]));
        else
            end += utf8_put(end, single_of(b));
    }
    return blob_of(p, (size_t)(end - p));
}

/* One byte, or an accent and a letter; a question mark for what is neither. */
static size_t put(uint8_t *p, uint32_t c)
{
    UErrorCode          err = U_ZERO_ERROR;
    UChar               part[8];
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&err);
    int32_t             n = U_SUCCESS(err) ? unorm2_getRawDecomposition(nfd, (UChar32)c, part, 8, &err) : -1;
    for (size_t i = 0; i < SINGLES; i++)
        if (single[i].c == c) {
            p[0] = single[i].byte;
            return 1;
        }
    for (unsigned i = 0; n == 2 && part[0] < ASCII_END && i < ACCENTS_END - ACCENTS; i++)
        if (accent[i] == part[1]) {
            p[0] = (uint8_t)(ACCENTS + i);
            p[1] = (uint8_t)part[0];
            return 2;
        }
    p[0] = '?';
    return 1;
}

struct blob teletex_from_utf8(struct arena *a, struct blob utf8)
{
    uint8_t *p = arena_alloc(a, 2 * utf8.n + 1), *end = p;
    for (size_t i = 0; i < utf8.n; ) {
        uint32_t c = utf8_next(utf8, &i);
        if (c < ASCII_END)
            *end++ = (uint8_t)c;
        else
            end += put(end, c);
    }
    return blob_of(p, (size_t)(end - p));
}
