/* rpcext.h - extended buffers (MS-OXCRPC 2.2.2.1): chains of RPC_HEADER_EXT and payload, obfuscated and compressed as their flags say. */
#ifndef ROP_RPCEXT_H
#define ROP_RPCEXT_H
#include "backend/base/arena.h"
#include "backend/base/err.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"

enum { RPCEXT_COMPRESSED = 1, RPCEXT_XOR = 2, RPCEXT_LAST = 4, RPCEXT_HEADER = 8 };
enum { RPCEXT_PAYLOADS = 96 };           /* in one buffer at most (OXCRPC R969) */
enum { RPCEXT_PAYLOAD_MAX = 0x7FF8 };    /* what we send: header and payload together within 32 KB (OXCRPC R1628) */

/* Takes a chain apart; the payloads are borrowed from `b` if they are plain, else in the arena.  False: malformed. */
bool rpcext_unwrap(struct blob b, struct arena *a, struct blob **out, size_t *n);

/* Appends a payload with its header: compressed if `flags` has RPCEXT_COMPRESSED and that makes it smaller, obfuscated if it has RPCEXT_XOR and it was
 * not compressed; RPCEXT_LAST is copied.  Payloads are at most 64 KiB. */
void rpcext_wrap(struct wr *w, struct arena *a, struct blob payload, unsigned flags);
#endif
