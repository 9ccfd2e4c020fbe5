/* steps.h - common steps of tests over rig.h: a message made, properties set and read. */
#ifndef UNIT_ROP_STEPS_H
#define UNIT_ROP_STEPS_H
#include "tests/unit/session-rop/rig.h"

enum {
    ROP_RELEASE = 0x01, ROP_OPEN_MESSAGE = 0x03, ROP_CREATE_MESSAGE = 0x06, ROP_GET_PROPS = 0x07, ROP_GET_ALL = 0x08, ROP_GET_LIST = 0x09,
    ROP_SET_PROPS = 0x0A, ROP_DELETE_PROPS = 0x0B, ROP_SAVE_MESSAGE = 0x0C, ROP_REMOVE_RCPTS = 0x0D, ROP_MODIFY_RCPTS = 0x0E, ROP_READ_RCPTS = 0x0F,
    ROP_RELOAD = 0x10, ROP_SET_READ = 0x11, ROP_GET_STATUS = 0x1F, ROP_SET_STATUS = 0x20, ROP_ATT_TABLE = 0x21, ROP_OPEN_ATT = 0x22, ROP_CREATE_ATT = 0x23,
    ROP_DELETE_ATT = 0x24, ROP_SAVE_ATT = 0x25, ROP_OPEN_STREAM = 0x2B, ROP_READ_STREAM = 0x2C, ROP_WRITE_STREAM = 0x2D, ROP_SEEK_STREAM = 0x2E,
    ROP_SET_SIZE = 0x2F, ROP_OPEN_EMBEDDED = 0x46, ROP_VALID_ATTS = 0x52, ROP_NAMES_FROM_IDS = 0x55, ROP_IDS_FROM_NAMES = 0x56, ROP_COMMIT_STREAM = 0x5D,
    ROP_STREAM_SIZE = 0x5E, ROP_QUERY_NAMES = 0x5F, ROP_SET_READS = 0x66, ROP_WRITE_COMMIT = 0x90, ROP_WRITE_EXTENDED = 0xA3
};

uint32_t make_message(struct rig *g);                                      /* in Drafts */
uint32_t open_message(struct rig *g, uint64_t mid, uint8_t mode);
uint64_t save_message(struct rig *g, uint32_t h);                          /* KeepOpenReadWrite; the MID as on the wire */
void set_text(struct rig *g, uint32_t h, uint32_t tag, const char *text);
void set_number(struct rig *g, uint32_t h, uint32_t tag, uint32_t v);
void delete_property(struct rig *g, uint32_t h, uint32_t tag);
/* The property, its error as PtypErrorCode; in the arena of the request. */
struct propval property(struct rig *g, uint32_t h, uint32_t tag);
const char *text_of(struct rig *g, uint32_t h, uint32_t tag);              /* NULL: an error instead */
void release(struct rig *g, uint32_t h);

uint32_t make_attachment(struct rig *g, uint32_t message, uint32_t *num);
uint32_t open_attachment(struct rig *g, uint32_t message, uint32_t num, uint8_t flags);
void save_attachment(struct rig *g, uint32_t h);
uint32_t open_embedded(struct rig *g, uint32_t attachment, uint8_t mode);

uint32_t open_stream(struct rig *g, uint32_t h, uint32_t tag, uint8_t mode, uint32_t *size);
void write_stream(struct rig *g, uint32_t h, struct blob b);
struct blob read_stream(struct rig *g, uint32_t h, uint16_t n);            /* in the arena of the request */
#endif
