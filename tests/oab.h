/* oab.h - offline address books as a client reads them: the container opened, the file taken apart (MS-OXOAB 2.2, 2.9, 2.11).
 *
 * Written from the documents and from no code of the server's, so that a mistake there is not made twice. */
#ifndef TESTS_OAB_H
#define TESTS_OAB_H
#include "backend/mapi/propval.h"

struct oab_column { uint32_t tag, flags; };
struct oab_table { struct oab_column *v; size_t n; };
/* Values under the tags of the table; strings of 8 bits are under their own tag. */
struct oab_record { struct propval *v; size_t n; };
struct oab {
    uint32_t version, serial, records;   /* as the head says */
    uint32_t crc;                        /* of what is behind the head */
    struct oab_table header, object;
    struct oab_record head;
    struct oab_record *record; size_t n;
};

/* The content of a container, every checksum and size compared; compressed blocks are opened by libmspack.  False: not one. */
bool oab_open(struct arena *a, struct blob container, struct blob *out);
/* All of it by libmspack, in memory; 0, or its error (MSPACK_ERR_...). */
int oab_open_mspack(struct arena *a, struct blob container, struct blob *out);

/* A full details file; false: malformed, or something is behind it. */
bool oab_read(struct arena *a, struct blob file, struct oab *out);
/* The value of a record under exactly this tag; NULL: it has none. */
const struct propval *oab_value(const struct oab_record *r, uint32_t tag);
struct blob oab_string(const struct oab_record *r, uint32_t tag);                        /* empty: none */
/* Who has this EX address (PidTagEmailAddress); NULL: nobody. */
const struct oab_record *oab_of(const struct oab *o, const char *dn);
/* Is the property (by its tag in the table) named as not whole? */
bool oab_shortened(const struct oab_record *r, uint32_t tag);

/* A display template file. */
struct oab_template { const char *dn, *name; struct blob data, script; };
enum { OAB_TEMPLATES = 7 };
bool oab_read_template(struct arena *a, struct blob file, struct oab_template out[OAB_TEMPLATES]);
#endif
