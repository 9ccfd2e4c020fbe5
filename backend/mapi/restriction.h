/* restriction.h - restrictions (MS-OXCDATA 2.12): decode, encode, evaluate, describe. */
#ifndef MAPI_RESTRICTION_H
#define MAPI_RESTRICTION_H
#include "backend/mapi/propval.h"

enum restriction_kind {
    RES_AND = 0x00, RES_OR = 0x01, RES_NOT = 0x02, RES_CONTENT = 0x03, RES_PROPERTY = 0x04, RES_COMPAREPROPS = 0x05,
    RES_BITMASK = 0x06, RES_SIZE = 0x07, RES_EXIST = 0x08, RES_SUBRESTRICTION = 0x09, RES_COMMENT = 0x0A, RES_COUNT = 0x0B,
    RES_NULL = 0xFF
};
enum { RELOP_LT, RELOP_LE, RELOP_GT, RELOP_GE, RELOP_EQ, RELOP_NE, RELOP_RE, RELOP_MEMBER_OF_DL = 0x64 };
enum { FL_FULLSTRING = 0, FL_SUBSTRING = 1, FL_PREFIX = 2, FL_IGNORECASE = 1, FL_IGNORENONSPACE = 2, FL_LOOSE = 4 };

struct restriction {
    enum restriction_kind kind;
    union {
        struct { size_t n; struct restriction *v; } list;                          /* AND, OR */
        struct { struct restriction *r; } one;                                     /* NOT */
        struct { uint16_t level, fuzzy; uint32_t tag; struct propval value; } content;
        struct { uint8_t relop; uint32_t tag; struct propval value; } property;
        struct { uint8_t relop; uint32_t tag1, tag2; } compare;
        struct { uint8_t relop; uint32_t tag, mask; } bitmask;                      /* relop 0: masked == 0, 1: != 0 */
        struct { uint8_t relop; uint32_t tag, size; } size;
        struct { uint32_t tag; } exist;
        struct { uint32_t subobject; struct restriction *r; } sub;                  /* PidTagMessageRecipients / ...Attachments */
        struct { size_t n; struct propval *v; struct restriction *r; } comment;     /* r may be NULL */
        struct { uint32_t count; struct restriction *r; } count;
    };
};

/* Reads one restriction; counts are 16 bits wide for PV_COUNTS_ROP and 32 for PV_COUNTS_WIDE.  Latches on malformed bytes, on nesting
 * deeper than RD_MAX_DEPTH, on an arena over its ceiling.  In c->a. */
struct restriction *restriction_read(struct rd *r, const struct pv_codec *c);
void restriction_write(struct wr *w, const struct pv_codec *c, const struct restriction *r);

/* What a restriction asks of a row.  `get` returns the value or NULL if the row has none (borrowed); `sub` runs `r` over each recipient
 * or attachment row of the message and returns how many match, 0 if there are none; `sub` may be NULL (matches nothing). */
struct res_row {
    void *ctx;
    const struct propval *(*get)(void *ctx, uint32_t tag);
    size_t (*sub)(void *ctx, uint32_t subobject, const struct restriction *r);
};

/* True if the row matches.  What the documents leave undefined is false: a property that the row does not have (or has only as an error,
 * or as a large value that is not loaded; RES_SIZE and RES_EXIST need no bytes), so RES_NOT of it is true.  A multi-valued property
 * matches if one of its values does (2.12.4-2.12.8), unless the restriction's own value is multi-valued.  RES_COUNT is a matter of the caller's loop and evaluates its inner restriction here. */
bool restriction_match(const struct restriction *r, const struct res_row *row);

/* ecNone, or what a server may refuse: ecTooComplex (RELOP_RE, RELOP_MEMBER_OF_DL, more than 1,000 nodes, a value of another type than the
 * property's, a subobject that is neither recipients nor attachments), ecInvalidParameter (no such operator or fuzzy level). */
ec_t restriction_check(const struct restriction *r);

/* Every property that it reads, for loading rows.  Adds to `out`. */
void restriction_tags(struct arena *a, const struct restriction *r, struct tags *out);

/* Readable text for decode and logs. In the arena. */
const char *restriction_print(struct arena *a, const struct restriction *r);
#endif
