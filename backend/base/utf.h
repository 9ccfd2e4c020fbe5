/* utf.h - character sets: UTF-8 inside, UTF-16LE and Windows code pages on the wire.
 *
 * UTF-8 inside is lossless for any 16-bit input: a lone surrogate becomes its three-byte form and goes back as it came.  Malformed UTF-8 from
 * other sources (mail, configuration) is cleaned with utf8_clean before it enters. */
#ifndef BASE_UTF_H
#define BASE_UTF_H
#include "backend/base/arena.h"

/* UTF-16LE bytes (an odd last byte is dropped) -> UTF-8 in the arena, NUL-terminated behind the blob. */
struct blob utf8_from_utf16(struct arena *a, struct blob utf16);
/* UTF-8 -> UTF-16LE in the arena, without terminator.  utf16_size gives its size in bytes alone; utf16_put writes it to p (that many bytes). */
struct blob utf16_from_utf8(struct arena *a, struct blob utf8);
size_t utf16_size(struct blob utf8);
void   utf16_put(uint8_t *p, struct blob utf8);

/* Bytes in a Windows code page (1252, 65001, 932 ...; unknown ones as 1252) <-> UTF-8; what cannot be mapped becomes '?'. */
struct blob utf8_from_codepage(struct arena *a, uint16_t code_page, struct blob bytes);
struct blob codepage_from_utf8(struct arena *a, uint16_t code_page, struct blob utf8);
bool codepage_known(uint16_t code_page);
/* Code page 20261, which ICU does not know (utf_teletex.c). */
struct blob utf8_from_teletex(struct arena *a, struct blob bytes);
struct blob teletex_from_utf8(struct arena *a, struct blob utf8);

/* Well-formed UTF-8 (surrogates allowed)?  utf8_clean replaces what is not by U+FFFD. */
bool utf8_valid(struct blob s);
struct blob utf8_clean(struct arena *a, struct blob s);

/* The longest prefix of at most `units` UTF-16 units that does not cut a character. */
struct blob utf8_cut(struct blob s, size_t units);

/* Simple case folding of Unicode (ICU), for comparisons; simple upper case. */
struct blob utf8_fold(struct arena *a, struct blob s);
struct blob utf8_upper(struct arena *a, struct blob s);

/* One character: the one at *i (< s.n), which moves behind it; a byte that is no text is U+FFFD.  Writes one to p (up to 4 bytes) and
 * returns its length.  Folds one. */
uint32_t utf8_next(struct blob s, size_t *i);
size_t   utf8_put(uint8_t *p, uint32_t c);
uint32_t utf_fold(uint32_t c);

/* Comparing without copies (utfmatch.c), in linear time.  `how`: character by character, or after folding the case, or after
 * taking characters apart and dropping what does not space (accents), or both. */
enum { UTF_EXACT = 0, UTF_FOLD = 1, UTF_BASE = 2 };
int  utf8_cmp(struct blob a, struct blob b, unsigned how);
bool utf8_starts(struct blob s, struct blob with, unsigned how);
bool utf8_contains(struct blob s, struct blob part, unsigned how);
/* The text as `how` sees it, in the arena: texts that are equal so give equal bytes. */
struct blob utf8_seen(struct arena *a, struct blob s, unsigned how);
#endif
