/* propval_int.h - what the files of property values share among themselves. */
#ifndef MAPI_PROPVAL_INT_H
#define MAPI_PROPVAL_INT_H
#include "backend/mapi/propval.h"

/* Bytes of a single value of the type on the wire and, where it is an element of an array, in memory; 0 if they vary. */
size_t type_fixed_size(uint16_t type);

/* A string as it can be said on the wire: up to its first NUL. */
static inline struct blob wire_text(struct blob s)
{
    const uint8_t *nul = s.n != 0 ? memchr(s.p, 0, s.n) : NULL;
    return nul != NULL ? blob_of(s.p, (size_t)(nul - s.p)) : s;
}
#endif
