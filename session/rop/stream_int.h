/* stream_int.h - the bytes of a stream, wherever they lie. */
#ifndef ROP_STREAM_INT_H
#define ROP_STREAM_INT_H
#include "session/rop/stream.h"

enum { STREAM_SMALL = 4096 };                  /* bytes kept in the state */
#define STREAM_MAX 0x80000000ull               /* largest stream and position (OXCPRPT 2.2.18.2, R582) */

/* Gives a new stream object its bytes. */
ec_t stream_place(struct rop_ctx *c, struct object *o, struct blob bytes);

/* Up to n bytes at the position; does not move it.  In the arena. */
ec_t stream_peek(struct rop_ctx *c, struct object *o, size_t n, struct blob *out);

/* Overwrites or appends at the position and moves it; cuts or fills with zeros.  ecTooBig beyond the limit of the mailbox. */
ec_t stream_put(struct rop_ctx *c, struct object *o, struct blob bytes);
ec_t stream_resize(struct rop_ctx *c, struct object *o, uint64_t size);

/* All of it as a value of the stream's property: text is decoded, long bytes become a large value. */
ec_t stream_value(struct rop_ctx *c, struct object *o, struct propval *out);

/* Sets the property of the owner. */
ec_t stream_commit(struct rop_ctx *c, struct object *o);
#endif
