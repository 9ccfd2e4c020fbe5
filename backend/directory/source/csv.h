/* csv.h - a table with a header line (RFC 4180) -> records.
 *
 * Columns are attributes (attr.h); `id` is the key of an object, without it the address (`mail`) is.  Fields are separated by the first of comma, semicolon
 * and tab that the header line has; several values of one attribute stand in one field, separated by |; bytes (photos, certificates) are base64.
 * References (member, manager) are addresses.  UTF-8, or Windows-1252 where it is not that. */
#ifndef SOURCE_CSV_H
#define SOURCE_CSV_H
#include "backend/directory/source/attr.h"
#include <stdio.h>

struct csv;
/* Reads the header line; NULL with *why: a column that is not known, named twice, or none that names the object.  `f` stays the caller's; the reader lives in `a`. */
struct csv *csv_open(FILE *f, const struct attr_map *m, struct arena *a, const char **why);
enum record_next csv_next(struct csv *c, struct arena *a, struct record *out, const char **why);

/* One line of such a table: fields quoted where they must be. */
void csv_write(FILE *f, const struct blob *field, size_t n);
#endif
