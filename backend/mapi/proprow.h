/* proprow.h - rows of property values (MS-OXCDATA 2.8): StandardPropertyRow and FlaggedPropertyRow. */
#ifndef MAPI_PROPROW_H
#define MAPI_PROPROW_H
#include "backend/mapi/propval.h"


/* Writes a row for `n` tags.  A StandardPropertyRow if every value is there and fits, else a FlaggedPropertyRow with error codes
 * (missing: ecNotFound; wrong type: ecNotFound as well; `limit` != 0: a string, binary or multi-value larger than limit bytes on the
 * wire gives ecOutOfMemory, MS-OXCPRPT 2.2.2.1).  Columns of type PtypUnspecified are written with their type. */
void proprow_write(struct wr *w, const struct pv_codec *c, const uint32_t *tags, size_t n, const struct props *values, size_t limit);

/* The same with values[i] for tags[i]: a property may be asked for twice, with two types. */
void proprow_write_columns(struct wr *w, const struct pv_codec *c, const uint32_t *tags, const struct propval *values, size_t n, size_t limit);

/* Reads a row of either kind; missing and erroneous columns become PtypErrorCode values. out has n values in column order. */
void proprow_read(struct rd *r, const struct pv_codec *c, const uint32_t *tags, size_t n, struct propval *out);
#endif
