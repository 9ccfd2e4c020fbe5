/* imported.h - which messages were imported before, so that an import can be run again. */
#ifndef STORE_IMPORTED_H
#define STORE_IMPORTED_H
#include "backend/store/store.h"

enum { IMPORT_KEY = 32 };

/* Notes a message by the digest of its bytes, in the open write transaction; *seen: it was noted before. */
ec_t imported_note(struct mailbox *m, const uint8_t key[IMPORT_KEY], bool *seen);
#endif
