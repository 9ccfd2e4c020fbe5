/* layout.h - a request of any ROP made from its layout in rop.def. */
#ifndef UNIT_ROP_LAYOUT_H
#define UNIT_ROP_LAYOUT_H
#include "backend/base/arena.h"
#include "backend/base/rd.h"

/* RopId, LogonId 0, InputHandleIndex 0, a second index of 1 where there is one; counts of 2, conditions that hold, short texts.  In `a`. */
struct blob layout_request(struct arena *a, uint8_t id);
#endif
