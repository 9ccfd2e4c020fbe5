/* lzxpress.h - what packs ROP buffers: plain LZ77 ("DIRECT2", MS-OXCRPC 3.1.4.1.1.2, MS-XCA 2.3-2.4), and obfuscation (3.1.4.1.2).
 *
 * The bytes are those behind an RPC_HEADER_EXT, whose Size is the compressed and SizeActual the plain size. */
#ifndef MAPI_LZXPRESS_H
#define MAPI_LZXPRESS_H
#include "backend/base/blob.h"

/* Unpacks `in` into exactly `n` bytes at `out`.  False if `in` is malformed, ends early or says more than n bytes; what is left over behind the
 * last byte is ignored, as clients pad.  Reads and writes nothing outside the two. */
bool lzxpress_decompress(struct blob in, uint8_t *out, size_t n);

/* Packs `in` into `out`, which has room for in.n bytes.  Returns the packed size, always less than in.n, or 0 if packing does not help
 * (`out` then holds nothing useful). */
size_t lzxpress_compress(struct blob in, uint8_t *out);

/* Obfuscates or clears n bytes in place (XOR with 0xA5). */
void lzxpress_xor(uint8_t *p, size_t n);
#endif
