/* decode.h - bodies that are no ROP lists, printed field by field. */
#ifndef MAPICTL_DECODE_H
#define MAPICTL_DECODE_H
#include "backend/base/arena.h"
#include "backend/base/rd.h"

/* By its form: a UserDn where an Execute has its flags; PollsMax where an Execute has a zero. */
bool decode_is_connect(struct rd r, bool answer);

/* MS-OXCMAPIHTTP 2.2.4.1.1, 2.2.4.1.2.  False: not a whole body. */
bool decode_connect_request(struct arena *a, struct rd *r);
bool decode_connect_answer(struct arena *a, struct rd *r);

/* A failure body of any type: StatusCode, which is not 0, and the auxiliary buffer. */
bool decode_failure(struct arena *a, struct rd *r);

/* AuxiliaryBufferSize, AuxiliaryBuffer, and nothing behind it.  Absent altogether: true. */
bool decode_aux(struct arena *a, struct rd *r);
#endif
