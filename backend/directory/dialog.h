/* dialog.h - the display templates that every installation has: details of each kind of object, the search dialog; in English and German.
 *
 * dialog.def is what they look like, dialog_<language>.def what stands in them; a new language is a file and a line in dialog.c. */
#ifndef DIRECTORY_DIALOG_H
#define DIRECTORY_DIALOG_H
#include "backend/directory/template.h"

/* Puts those that this program brings into the database, if it has older ones or none; an administrator's own are not touched. ecDiskError. */
ec_t dialog_install(struct directory *d, struct arena *a);

/* A template's bytes (TRowSet, MS-OXOABKT 2.2.2.1.1) with UTF-8 strings, in the arena; empty: there is no such dialog or language. */
struct blob dialog_bytes(struct arena *a, uint32_t type, uint32_t lcid);

/* The same template with its UTF-8 strings in a code page, in the arena.  False: these bytes are no such template. */
bool dialog_reencode(struct arena *a, struct blob bytes, uint32_t code_page, struct blob *out);
#endif
