/* rop.h - the ROPs as data, and what a handler gets.
 *
 * rop.def has one line per ROP of MS-OXCROPS; the ladder (rop.c) does for each what its line says, so that a handler is three paragraphs:
 * read everything, act, write the answer.  The ladder has read RopId, LogonId and the handle index (and OutputHandleIndex, ResponseHandleIndex where
 * the line says so), checked the minimum size, the logon, the kind of the object, and whether it may write; it opened the savepoint of a writing ROP.
 * It has written RopId, the handle index and a place for the ReturnValue.  A handler returns ecNone and has written the rest, or an error and
 * the ladder rewinds what it wrote (unless it set `keep_body`).  When the builder is full the ladder rolls the ROP back and answers RopBufferTooSmall.
 * A handler that latches its reader fails the whole Execute with ecRpcFormat. */
#ifndef ROP_ROP_H
#define ROP_ROP_H
#include "backend/store/message.h"
#include "session/context/context.h"
#include "session/object/object.h"
#include "session/session.h"

struct exec;                     /* one Execute: context, objects, mailboxes, output (execute.h) */

struct rop_ctx {
    struct arena   *a;
    struct exec    *x;
    struct rd      *in;
    struct wr      *out;
    struct pv_codec codec;       /* of this session: code page, counts of ROP buffers, the arena */
    struct object  *object;      /* behind the input handle, kind checked; NULL for RopLogon */
    struct object  *logon;       /* the logon object of it; NULL for RopLogon */
    struct mailbox *m;           /* lease on the logon's mailbox; NULL for RopLogon */
    struct context *context;
    uint8_t         logon_id, in_index, out_index, response_index;
    bool            keep_body;   /* the error answer has a body that the handler wrote */
    bool            partial;
    size_t          position;    /* of this ROP in the list */
};

/* The object that a ROP with an output handle makes: allocates the object and puts its handle into the handle table at out_index.  In the handler's last step. */
struct object *rop_output(struct rop_ctx *c, enum object_kind kind, ec_t *ec);

/* Another object of the same request by handle, e.g. the parent of an attachment; the same errors as object_get. */
struct object *rop_object(struct rop_ctx *c, uint32_t handle, ec_t *ec);

/* The handle at an index of the handle table; 0xFFFFFFFF if the index is outside. */
uint32_t rop_handle(struct rop_ctx *c, uint8_t index);

/* A line for the log and for mapictl decode: "flags=%02x columns=%zu". */
void rop_note(struct rop_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* rop.def: ROP(id, Name, kinds, flags, min, state, "document")
 *   kinds  object kinds that the input handle may have: K_LOGON | K_FOLDER ...; K_NONE: the ROP takes no object (Logon); K_ANY
 *   flags  OUT1 an OutputHandleIndex follows the InputHandleIndex; RESP a ResponseHandleIndex stands before it; WRITES the store changes (savepoint);
 *          TOUCHES the object changes only; NOREPLY no response; PACKS may be continued in further buffers (chained)
 *   min    bytes of the smallest request, RopId included
 *   state  DONE, or LATER (answers ecNotSupported; `skip_<Name>` in rop_skip.c knows how long its request is) */
enum {
    K_NONE = 0, K_ANY = 0xFFFFFFFF,
#define OBJECT(number, NAME, name) K_##NAME = 1u << number,
#include "session/object/object.def"
#undef OBJECT
    K_PROPS = K_LOGON | K_FOLDER | K_MESSAGE | K_ATTACHMENT
};
enum { OUT1 = 1, RESP = 2, WRITES = 4, NOREPLY = 8, PACKS = 16 };

struct rop_def {
    const char *name, *document;
    ec_t      (*run)(struct rop_ctx *);  /* NULL: LATER or not a request */
    bool      (*skip)(struct rd *);      /* LATER: moves behind the request */
    uint32_t    kinds;
    uint16_t    min;
    uint8_t     flags;
    bool        known;
};
const struct rop_def *rop_find(uint8_t id);      /* never NULL; !known: reserved */

/* Counters of this process by ROP: calls, errors, microseconds.  For metrics and the coverage test. */
struct rop_stat { uint64_t calls, errors, us; };
struct rop_stat rop_stat(uint8_t id);
#endif
