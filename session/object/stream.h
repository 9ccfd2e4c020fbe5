/* stream.h - an open stream on a property. */
#ifndef OBJECT_STREAM_H
#define OBJECT_STREAM_H
#include "backend/mapi/propval.h"
#include "session/object/object.h"

/* Where the bytes are: in the state, in a large value of the store, or in the staging area under this handle. */
enum stream_bytes { STREAM_INLINE, STREAM_LARGE, STREAM_STAGED };

struct obj_stream {
    uint32_t owner;              /* handle of the folder, message or attachment object */
    uint32_t tag;                /* as asked for: the type decides how strings are coded */
    uint16_t code_page;          /* PtypString8 */
    uint8_t  where;              /* enum stream_bytes */
    bool     writable;
    bool     changed;            /* written and not yet in the property of the owner */
    uint64_t size, position;     /* bytes, as on the wire (strings: UTF-16LE, or the code page for String8; no terminator) */
    struct blob bytes;           /* STREAM_INLINE: at most 4 KiB */
    struct large_ref large;      /* STREAM_LARGE */
};
#endif
