/* stream.h - streams on properties, for the other ROPs: what was written and not committed, and what goes when an object is released. */
#ifndef ROP_STREAM_H
#define ROP_STREAM_H
#include "session/object/stream.h"
#include "session/rop/rop.h"

/* What was written to the streams of a message or attachment object becomes the value of their properties in its draft: it can be read at the same
 * handle at once, and goes along when that is saved (OXCPRPT R56401-R56404).  Before properties are read and before a save. */
ec_t stream_flush(struct rop_ctx *c, struct object *owner);

/* The property was set or deleted otherwise: what a stream on it has not committed is forgotten. */
ec_t stream_forget(struct rop_ctx *c, struct object *owner, uint32_t tag);

/* Before a stream, message or attachment object is released: a changed stream is committed (OXCPRPT R56405), what the object keeps in the staging area
 * is dropped.  Of other kinds: nothing.  An error is told to nobody: the object goes anyway. */
void stream_release(struct rop_ctx *c, struct object *x);
#endif
