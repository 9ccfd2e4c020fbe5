/* offline_lzx.h - LZXD, the compression of offline address books (MS-PATCH 2.6, MS-OXOAB 2.11), as far as it needs to be written.
 *
 * A block of at most OFFLINE_LZX_MAX bytes is compressed by itself, with a window of 2^17 bytes whatever its size, in frames of 32 KiB; each frame is one
 * verbatim block with codes of its own.  Matches end at frames. */
#ifndef OFFLINE_OFFLINE_LZX_H
#define OFFLINE_OFFLINE_LZX_H
#include "backend/base/wr.h"

enum { OFFLINE_LZX_MAX = 1 << 17 };

/* Tables for any number of blocks, some 1.5 MB in the arena. */
struct offline_lzx;
struct offline_lzx *offline_lzx_new(struct arena *a);

/* The block compressed, valid until the next; false: it does not become smaller. */
bool offline_lzx_block(struct offline_lzx *z, struct blob in, struct blob *out);

/* --- prefix codes (offline_huffman.c) --------------------------------------------------------------------------------------------------------- */
enum { HUFFMAN_SYMBOLS = 1024 };

/* Lengths of a complete prefix code of at least two symbols for these frequencies, none above `most`; 0: not used.  All 0 if no frequency is more. */
void huffman_lengths(const uint32_t *frequency, size_t n, unsigned most, uint8_t *length);
/* The codes that belong to lengths: shorter ones first, of the same length in the order of symbols. */
void huffman_codes(const uint8_t *length, size_t n, uint16_t *code);
#endif
