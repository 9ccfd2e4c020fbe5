/* book_collate.h - names -> bytes that sort as the address book has to: by letters alone, without case, accents, width and kind of kana (MS-OXNSPI 2.2.1.6,
 * 3.1.4.3.5.1); in every locale but the default one symbols do not count either. */
#ifndef DIRECTORY_BOOK_COLLATE_H
#define DIRECTORY_BOOK_COLLATE_H
#include "backend/base/blob.h"

enum { LCID_DEFAULT = 0x0409, COLLATE_UNITS = 255, COLLATE_KEY = 1024 };

struct book_collator;

/* NULL never: an unknown locale gets the root collation.  Made once per collation, kept for the process, shared by all threads. */
const struct book_collator *book_collator(uint32_t lcid);

/* At most COLLATE_KEY bytes; returns how many.  Only the first COLLATE_UNITS units of a name count. */
size_t book_collate(const struct book_collator *c, struct blob utf8, uint8_t out[COLLATE_KEY]);
#endif
