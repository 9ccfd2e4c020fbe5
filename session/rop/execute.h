/* execute.h - one Execute: its body taken apart, its ROPs run against a context that is held, its answer put together.
 *
 * The session begins with execute_parse, which needs no context: it gives the handle table, so that the objects can be fetched, and says whether the body
 * can be read at all.  Then execute_run does the ROPs in memory and in open store transactions; nothing is durable until the caller has saved the
 * objects and finished the context; when the result says `failed` the caller abandons it instead. */
#ifndef ROP_EXECUTE_H
#define ROP_EXECUTE_H
#include "session/rop/rop.h"
#include "session/rop/rpcext.h"

enum { EXECUTE_NO_COMPRESSION = 1, EXECUTE_NO_XOR = 2, EXECUTE_CHAIN = 4 };
enum { ROPBUFFER_MAX = 0x40000, MAXROPOUT_MAX = 0x100000, AUX_MAX = 0x1008 };

/* A request body (MS-OXCMAPIHTTP 2.2.4.2.1). */
struct execute {
    bool        bad_body;        /* X-ResponseCode 12: the fields of the body are not all there */
    uint32_t    status;          /* != 0: StatusCode of a failure body, decided by the sizes alone */
    ec_t        error;           /* != 0: ErrorCode, decided by the form of the ROP buffer */
    uint32_t    flags, max_out;
    struct blob rops;            /* the RopsList of the first payload, borrowed or in the arena */
    uint32_t   *handle; size_t handles;
    struct blob *more; size_t nmore; /* RopsLists of further (packed) payloads */
    uint32_t    backoff_ms;      /* != 0, set by the caller: its ROPs are not run, the client is told to come again after this time */
};
void execute_parse(struct execute *q, struct arena *a, struct blob body);

struct execute_result {
    bool        failed;          /* nothing may happen: abandon the context, abort the mailboxes */
    bool        damaged;         /* an object of the context could not be read: X-ResponseCode 10 */
    struct mailbox **changed; size_t nchanged; /* open write transactions with changes in them */
    struct blob body;            /* of the response, valid also when failed */
    const char *rops;            /* "0x02:OpenFolder,0x15:QueryRows!0x80040102": what ran, for the access log; NULL: nothing, or not wanted */
};

/* Runs it.  The context's header may have changed afterwards (context_touch was called); the objects are packed into it. */
void execute_run(const struct rop_env *env, struct context *c, const struct execute *q, struct execute_result *out);

/* --- what the ladder works on ------------------------------------------------------------------------------------------------------- */

struct exec_lease { uint8_t logon_id; struct guid id; struct mailbox *m; bool savepoint; };

struct exec {
    const struct rop_env *env;
    struct arena   *a;
    struct context *context;
    struct objects *objects;
    struct pv_codec codec;
    uint32_t       *handle; size_t handles, handle_cap;
    struct exec_lease   *lease; size_t leases, lease_cap;
    struct wr       out;         /* the RopsList of the answer */
    size_t          ceiling;     /* of out, before anything is reserved for the requests that follow */
    bool            ceiling_max; /* the client can not offer more room */
    struct blob     upload;
    uint32_t        status;      /* the Execute fails with this StatusCode */
    ec_t            error;       /* ... or this ErrorCode */
    bool            damaged, full, stopped, trace;
    struct wr       ran;         /* what the access log says of them; no room: not wanted */
    char            note[256];
};

/* One request of the list. */
struct rop_request { uint8_t id; struct blob bytes; };

/* The list cut into requests; false (reserved RopId, malformed): nothing may run. */
bool rop_split(struct blob rops, struct arena *a, struct rop_request **out, size_t *n);

/* Runs the requests in order into x->out.  `packs`: where the last ROP stands if it can be continued, else NULL's op. */
struct rop_packs { bool possible; struct rop_request request; size_t sent; };
void rop_run(struct exec *x, const struct rop_request *v, size_t n, struct rop_packs *packs);

/* The last ROP once more, for the next buffer; false if it has nothing more to give. */
bool rop_continue(struct exec *x, struct rop_packs *packs);

/* Puts a handle into the table, which grows if need be (OXCROPS R4563). */
void exec_set_handle(struct exec *x, uint8_t index, uint32_t handle);

/* The logon of an id, or NULL. */
const struct logon_entry *exec_logon(const struct context *c, uint8_t logon_id);

/* Takes a logon and all its objects out of the context. */
void exec_forget_logon(struct exec *x, uint8_t logon_id);
#endif
