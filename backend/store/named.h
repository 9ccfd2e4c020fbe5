/* named.h - named properties of a mailbox: names <-> ids 0x8000..0xFFFE. MS-OXCPRPT 2.2.12-14, 3.2.5.9 ff. */
#ifndef STORE_NAMED_H
#define STORE_NAMED_H
#include "backend/mapi/propname.h"
#include "backend/store/store.h"

/* ids[i] for names[i]; unknown ones are made if `create` (needs the write transaction) and the actor may (a delegate who can write
 * somewhere), else 0.  Names of PS_MAPI map to their LID.  ecOutOfMemory when all ids are used up (OXCPRPT R53502).
 * *missing: at least one id is 0. */
ec_t named_ids(struct mailbox *m, const struct propname *names, size_t n, bool create, uint16_t *ids, bool *missing);

/* Names for ids: below 0x8000 -> PS_MAPI with the id as LID; unknown -> kind PROPNAME_NONE. */
ec_t named_names(struct mailbox *m, const uint16_t *ids, size_t n, struct propname *out);

/* All named properties of the mailbox, or those of one set.  In the arena. */
ec_t named_list(struct mailbox *m, const struct guid *set, struct propname **names, uint16_t **ids, size_t *n);

/* Convenience for the store and mail conversion: the id of one name, made if need be inside a write transaction; outside one it is 0 if unknown. */
ec_t named_id(struct mailbox *m, const struct guid *set, uint32_t lid, const char *name, uint16_t *id);
#endif
