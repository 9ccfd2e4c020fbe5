/* idset.h - sets of ids and of change numbers, in memory and serialized (MS-OXCFXICS 2.2.2.4-2.2.2.6, 3.1.5.4).
 *
 * A globset is a list of ranges in ascending order that neither overlap nor touch.  An idset has one for each replica.  All in the arena. */
#ifndef MAPI_IDSET_H
#define MAPI_IDSET_H
#include "backend/base/guid.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"

struct idrange { uint64_t low, high; };       /* both inclusive, 48 bits */
struct globset { struct idrange *v; size_t n, cap; };

void globset_add(struct arena *a, struct globset *s, uint64_t low, uint64_t high);
void globset_remove(struct arena *a, struct globset *s, uint64_t low, uint64_t high);
bool globset_has(const struct globset *s, uint64_t gc);
void globset_union(struct arena *a, struct globset *to, const struct globset *from);

/* The highest value, 0 if the set is empty. */
uint64_t globset_max(const struct globset *s);

/* Reads commands up to and including End.  Latches on an unknown command, on a stack of the wrong height, on a range from high to low. */
void globset_read(struct rd *r, struct arena *a, struct globset *out);
void globset_write(struct wr *w, const struct globset *s);

/* Replicas are named by REPLID in transient sets (deletions, read states) and by GUID in what outlives a session (ICS state). */
enum idset_form { IDSET_REPLID, IDSET_GUID };
struct idset_part { uint16_t replid; struct guid replica; struct globset set; };
struct idset { struct idset_part *v; size_t n, cap; };

/* The set of a replica, made if it is not there; only the name of the form counts. */
struct globset *idset_by_replid(struct arena *a, struct idset *s, uint16_t replid);
struct globset *idset_by_guid(struct arena *a, struct idset *s, const struct guid *replica);

/* Reads to the end of the reader; a replica named twice is one.  Writes the parts that are not empty in the order of their names. */
void idset_read(struct rd *r, struct arena *a, enum idset_form form, struct idset *out);
void idset_write(struct wr *w, struct arena *a, enum idset_form form, const struct idset *s);
#endif
