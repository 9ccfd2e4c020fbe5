/* header.h - the saved fields of a context as one tagged, versioned block. */
#ifndef CONTEXT_HEADER_H
#define CONTEXT_HEADER_H
#include "session/context/context.h"
#include "backend/base/rd.h"
#include "backend/directory/policy.h"
#include "backend/base/wr.h"

enum { HEADER_LAYOUT = CONTEXT_LAYOUT, HEADER_MAX = 1 << 20 };

/* Appends the block in a layout that this program knows. */
void header_save(struct wr *w, const struct context *c, unsigned layout);

/* Fills the saved fields of `out`, whose arena is set.  False for a damaged block, an unknown field, or a newer layout. */
bool header_load(struct blob b, struct context *out);

/* The layout that a block says it has; 0: not a header. */
unsigned header_layout(struct blob b);

/* "name=value" lines. */
void header_dump(struct arena *a, const struct context *c, void (*line)(void *ctx, const char *text), void *ctx);

/* LEB128, at most 10 bytes; used by the blocks of this room. */
void     header_put_var(struct wr *w, uint64_t v);
uint64_t header_get_var(struct rd *r);
#endif
