/* rtfcp.h - compressed RTF, the bytes of PidTagRtfCompressed (MS-OXRTFCP). */
#ifndef MAPI_RTFCP_H
#define MAPI_RTFCP_H
#include "backend/base/arena.h"

/* The RTF of a compressed (LZFu) or stored (MELA) value, in the arena; false if it is malformed or its checksum is wrong.  Bytes behind the
 * size that the header names are ignored.  Never allocates more than about nine times the input. */
bool rtfcp_decompress(struct arena *a, struct blob in, struct blob *out);

/* Compressed RTF, in the arena. */
struct blob rtfcp_compress(struct arena *a, struct blob rtf);

/* The checksum of the format: CRC-32 without its inversions. */
uint32_t rtfcp_crc(struct blob b);
#endif
