/* ldif.h - an LDIF file (RFC 2849) -> records: content records only; what changes (changetype) is refused, as is a value by URL. */
#ifndef SOURCE_LDIF_H
#define SOURCE_LDIF_H
#include "backend/directory/source/record.h"
#include <stdio.h>

struct ldif { FILE *f; size_t line; char *held; size_t cap; };   /* zeroed but for f; ldif_done frees what it holds */

enum record_next ldif_next(struct ldif *l, struct arena *a, struct record *out, const char **why);
void ldif_done(struct ldif *l);
#endif
