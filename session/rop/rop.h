/* rop.h - the ROPs as data, and what a handler gets.
 *
 * rop.def has one line per ROP of MS-OXCROPS; the ladder (rop.c) does for each what its line says, so that a handler is three paragraphs:
 * read everything, act, write the answer.  Before the first ROP runs the whole list was walked by the layouts of the table, so that a reserved
 * RopId or a list that cannot be parsed fails the Execute before anything happened.  For each ROP the ladder has read RopId, LogonId and the
 * handle indexes, checked the logon, the kind of the object, the destination, opened the savepoint of a writing ROP, and written RopId, the handle
 * index and a place for the ReturnValue.  c->in is a reader over exactly the rest of this request.  A handler returns ecNone and has written
 * the rest, or an error, and the ladder rewinds what it wrote (unless it set `keep_body`) and rolls back what it did to store, objects and handle
 * table; an error from a handler that set `partial` keeps what it did.  When the builder is full the ladder rolls the ROP back and
 * answers RopBufferTooSmall.  A handler that latches its reader fails the whole Execute with ecRpcFormat, and nothing of it happens. */
#ifndef ROP_ROP_H
#define ROP_ROP_H
#include "backend/base/config.h"
#include "backend/directory/directory.h"
#include "backend/store/message.h"
#include "session/context/context.h"
#include "session/object/object.h"

/* What ROPs have of the process. */
struct rop_env { const struct config *config; struct store *store; struct directory *directory; };

struct exec;                     /* one Execute: context, objects, mailboxes, output (execute.h) */
struct rop_def;

struct rop_ctx {
    struct arena   *a;
    struct exec    *x;
    const struct rop_def *op;
    struct rd      *in;
    struct wr      *out;
    struct pv_codec codec;       /* of this session: code page, counts of ROP buffers, the arena */
    struct object  *object;      /* behind the input handle, kind checked; NULL for RopLogon */
    struct object  *dest;        /* DEST: behind DestHandleIndex, kind checked the same way */
    const struct logon_entry *logon; /* the logon that the object belongs to; NULL for RopLogon */
    struct mailbox *m;           /* lease on its mailbox; NULL for RopLogon and RopRelease */
    struct context *context;
    uint8_t         logon_id, in_index, out_index, response_index, dest_index;
    bool            keep_body;   /* the error answer has a body that the handler wrote */
    bool            partial;     /* the error answer keeps the effects */
    size_t          position;    /* of this ROP in the list */
    /* PACKS: a ROP whose answer goes on in further buffers runs again with the same request.  `sent` units (rows, bytes) went out with earlier
     * buffers of this Execute; the handler sets `got` to what this answer carries and `more` if asked-for units may be left. */
    size_t          sent, got;
    bool            more;
    /* RopWriteStreamExtended whose data came in several packed buffers (OXCRPC R1649009): all of it joined, to be taken instead of the Data of the
     * request; p NULL: not packed. */
    struct blob     upload;
};

/* The object that a ROP with an output handle makes: allocates the object and puts its handle into the handle table at out_index.  In the handler's
 * last step before writing.  Its parent is the input object. */
struct object *rop_output(struct rop_ctx *c, enum object_kind kind, ec_t *ec);

/* Another object of the same request by handle, e.g. the parent of an attachment; the same errors as object_get. */
struct object *rop_object(struct rop_ctx *c, uint32_t handle, ec_t *ec);

/* Opens the write transaction and the savepoint of this ROP in the logon's mailbox, if they are not open (WRITES has done it). */
ec_t rop_write(struct rop_ctx *c);

/* The lease on the mailbox of another logon of the session (MoveCopyMessages between two mailboxes); for_writing: with the write transaction
 * and the savepoint of this ROP open in it. */
ec_t rop_mailbox(struct rop_ctx *c, uint8_t logon_id, bool for_writing, struct mailbox **out);

/* The handle at an index of the handle table; 0xFFFFFFFF if the index is outside. */
uint32_t rop_handle(struct rop_ctx *c, uint8_t index);

/* The key of this object's bytes in the staging area. */
struct stage_key;
void rop_stage_key(struct rop_ctx *c, uint32_t handle, struct stage_key *out);

/* A folder or message id of the wire as a counter of this mailbox; ecNotFound if it carries another replica id or none at all. */
ec_t rop_id(uint64_t wire, uint64_t *out);

/* Is this the only answer, and can the client offer no more room than it did?  Then RopBufferTooSmall would not help. */
bool rop_cannot_grow(const struct rop_ctx *c);

/* A line for the log and for mapictl decode: "flags=%02x columns=%zu". */
void rop_note(struct rop_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Columns of rop.def: see there. */
enum {
    K_NONE = 0, K_ANY = -1,
#define OBJECT(number, NAME, name) K_##NAME = 1 << number,
#include "session/object/object.def"
#undef OBJECT
    K_PROPS = K_LOGON | K_FOLDER | K_MESSAGE | K_ATTACHMENT
};
enum { OUT1 = 1, RESP = 2, DEST = 4, WRITES = 8, NOREPLY = 16, PACKS = 32, STOPS = 64, NULLS = 128 };
#define AS(id)  ((id) << 8)
#define TAIL(n) ((n) << 16)

enum rop_state { ROP_RESERVED, ROP_DONE, ROP_LATER, ROP_REPLY };

struct rop_def {
    const char *name, *layout, *document;
    ec_t      (*run)(struct rop_ctx *);  /* DONE */
    uint32_t    kinds, flags;
    enum rop_state state;
};
const struct rop_def *rop_find(uint8_t id);      /* never NULL; ROP_RESERVED: not in the table */

/* The handlers, by the table. */
#define ROP_DECLARE_DONE(name)  ec_t rop_##name(struct rop_ctx *c);
#define ROP_DECLARE_LATER(name)
#define ROP_DECLARE_REPLY(name)
#define ROP(id, name, kinds, flags, layout, state, document) ROP_DECLARE_##state(name)
#include "session/rop/rop.def"
#undef ROP

/* Moves behind the request that begins at r (RopId), by its layout; *id = its RopId.  False: reserved, or r latched (malformed). */
bool rop_skip(struct rd *r, struct arena *a, uint8_t *id);

/* Counters of this process by ROP: calls, errors, microseconds.  For metrics and the coverage test. */
struct rop_stat { uint64_t calls, errors, us; };
struct rop_stat rop_stat(uint8_t id);
#endif
