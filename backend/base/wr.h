/* wr.h - the one bounded little-endian builder, born with its ceiling.
 *
 * Over a fixed buffer (wr_over) or growing in an arena (wr_in).  Writing beyond the ceiling sets `full` and writes
 * nothing of that piece; later writes are refused too, until wr_rewind.  For ROPs the ceiling is the client's and `full`
 * becomes RopBufferTooSmall.  Patching fields that were reserved earlier: wr_mark, then wr_patch_u16/u32. */
#ifndef BASE_WR_H
#define BASE_WR_H
#include "backend/base/arena.h"

struct wr { uint8_t *p; size_t n, cap, max; bool full; struct arena *a; };

static inline struct wr wr_over(void *p, size_t max) { return (struct wr){ p, 0, max, max, false, NULL }; }
static inline struct wr wr_in(struct arena *a, size_t max) { return (struct wr){ NULL, 0, 0, max, false, a }; }

static inline size_t wr_room(const struct wr *w) { return w->full ? 0 : w->max - w->n; }
static inline size_t wr_mark(const struct wr *w) { return w->n; }
static inline struct blob wr_blob(const struct wr *w) { return blob_of(w->p, w->n); }

/* Room for n bytes, or NULL with `full` set.  Valid until the next write (a growing builder may move). */
uint8_t *wr_need(struct wr *w, size_t n);

/* Forgets everything after `mark` and clears `full`. */
void wr_rewind(struct wr *w, size_t mark);

void wr_bytes(struct wr *w, const void *p, size_t n);
static inline void wr_put(struct wr *w, struct blob b) { wr_bytes(w, b.p, b.n); }

static inline void wr_le(struct wr *w, uint64_t v, size_t width)
{
    uint8_t *p = wr_need(w, width);
    for (size_t i = 0; p != NULL && i < width; i++, v >>= 8)
        p[i] = (uint8_t)v;
}
static inline void wr_u8(struct wr *w, uint8_t v)   { wr_le(w, v, 1); }
static inline void wr_u16(struct wr *w, uint16_t v) { wr_le(w, v, 2); }
static inline void wr_u32(struct wr *w, uint32_t v) { wr_le(w, v, 4); }
static inline void wr_u64(struct wr *w, uint64_t v) { wr_le(w, v, 8); }

/* Overwrites bytes written before; `at` + width must lie inside what was written. */
void wr_patch(struct wr *w, size_t at, uint64_t v, size_t width);
static inline void wr_patch_u8(struct wr *w, size_t at, uint8_t v)   { wr_patch(w, at, v, 1); }
static inline void wr_patch_u16(struct wr *w, size_t at, uint16_t v) { wr_patch(w, at, v, 2); }
static inline void wr_patch_u32(struct wr *w, size_t at, uint32_t v) { wr_patch(w, at, v, 4); }
#endif
