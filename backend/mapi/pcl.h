/* pcl.h - predecessor change lists (MS-OXCFXICS 2.2.2.3): {size u8, XID} sorted by namespace GUID. */
#ifndef MAPI_PCL_H
#define MAPI_PCL_H
#include "backend/mapi/entryid.h"

/* The PCL `old` (may be empty) with the change {replica, cn} merged in.  In the arena. */
struct blob pcl_add(struct arena *a, struct blob old, const struct guid *replica, uint64_t cn);

/* Does `a` contain every change that `b` names?  Malformed lists contain nothing and are contained nowhere. */
bool pcl_contains(struct blob a, struct blob b);
#endif
