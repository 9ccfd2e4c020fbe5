/* guid.h - GUIDs in wire order (MS-DTYP 2.3.4.2: first three fields little-endian). */
#ifndef BASE_GUID_H
#define BASE_GUID_H
#include "backend/base/blob.h"

struct guid { uint8_t b[16]; };

enum { GUID_TEXT = 37 }; /* "00062004-0000-0000-c000-000000000046" and NUL */

/* A new random (version 4) GUID from the kernel's generator. */
struct guid guid_new(void);

/* Text form, lower case, no braces, into out[GUID_TEXT]; returns out. */
char *guid_text(const struct guid *g, char out[GUID_TEXT]);

/* Reads the text form, with or without braces, any case; false if it is not one. */
bool guid_parse(const char *s, struct guid *out);

static inline bool guid_eq(const struct guid *a, const struct guid *b) { return memcmp(a->b, b->b, 16) == 0; }
#endif
