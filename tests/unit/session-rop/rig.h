/* rig.h - ROPs run against a real mailbox without Redis: each call is one request of one session.
 *
 * Between two requests nothing is kept but the packed blocks of the server objects and the mailbox on disk: every request unpacks what it needs, as
 * another worker would. */
#ifndef UNIT_ROP_RIG_H
#define UNIT_ROP_RIG_H
#include "session/rop/rop.h"
#include "tests/unit.h"

struct rig {
    struct arena   *life;           /* of what lasts */
    struct store   *store;
    struct config  *config;
    struct guid     mailbox;
    uint64_t        fid[SF_COUNT];
    uint8_t         id[16];
    struct handle_entry *handle; size_t handles;
    struct blob    *block;          /* by handle */
    size_t          nblock;
    uint32_t        next_handle;
    uint64_t        requests;
    size_t          room;           /* bytes of an answer */
    bool            room_max;       /* ... and the client can offer no more */
    struct arena   *a;              /* of the last request: answers live until the next */
    ec_t            failed;         /* of the last request as a whole */
    size_t          largest;        /* block so far */
    const char     *delegate;       /* DN of somebody else whose session it is; NULL: the owner's */
};

enum { RIG_LOGON = 1 };             /* handle of the logon object */

struct rig *rig_new(void);
struct rig *rig_with(const char *driver);                /* "fault": the store fails when it is told to */
void rig_end(struct rig *g);

/* Runs requests with this handle table; *out = the answers, table = handles after it. */
struct rd rig_run(struct rig *g, struct blob rops, uint32_t *table, size_t n);

/* One ROP on `in`; the first answer's head is read off: returns its ReturnValue, *body = the rest.  A ROP that makes an object: its handle in *made. */
ec_t rig_rop(struct rig *g, uint32_t in, uint8_t rop, struct blob args, struct rd *body, uint32_t *made);

/* Arguments: a format of b w d q (numbers by size, passed as uint64_t), s (a NUL-terminated ASCII string as UTF-16 with NUL), B (struct blob *). */
struct blob rig_args(struct rig *g, const char *fmt, ...);

/* The mailbox, to look at from outside, in the arena of the next request. */
struct mailbox *rig_mailbox(struct rig *g, struct arena *a);
uint64_t rig_wire(uint64_t gc);

/* rig_context.c: the context of a request, and what of it lasts. */
#define RIG_OWNER "/o=Demo/ou=First/cn=Recipients/cn=ada"
struct context *rig_context(struct rig *g, struct arena *a);
void rig_keep(struct rig *g, struct context *c);
#endif
