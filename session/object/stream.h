/* stream.h - an open stream on a property. */
#ifndef OBJECT_STREAM_H
#define OBJECT_STREAM_H
#include "backend/mapi/propval.h"
#include "session/object/object.h"

enum stream_bytes { STREAM_INLINE, STREAM_LARGE, STREAM_STAGED };

struct obj_stream {
    uint32_t owner;              /* handle of the folder, message or attachment object */
    uint32_t tag;
    uint8_t  mode;               /* OpenModeFlags */
    uint8_t  where;              /* enum stream_bytes: `bytes` here, a large value, or the staging area under this handle */
    bool     changed;            /* written and not committed */
    uint64_t size, position;     /* bytes, as on the wire (strings: UTF-16LE, or the code page for String8) */
    struct blob bytes;           /* STREAM_INLINE: at most 4 KiB */
    struct large_ref large;      /* STREAM_LARGE */
};
#endif
