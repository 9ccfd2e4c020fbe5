/* save.h - SaveFlags of messages and attachments (MS-OXCMSG 2.2.3.3.1); other bits are ignored (R1906), clients set 0x08 along with them. */
#ifndef ROP_SAVE_H
#define ROP_SAVE_H
#include <stdbool.h>
#include <stdint.h>

enum { SAVE_READONLY = 0x01, SAVE_READWRITE = 0x02, SAVE_FORCE = 0x04, SAVE_FLAGS = 0x07 };

/* After a successful save. */
void save_access(uint8_t flags, bool *writable);
#endif
