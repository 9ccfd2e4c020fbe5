/* context_int.h - what the files of this room share about a context in work. */
#ifndef CONTEXT_CONTEXT_INT_H
#define CONTEXT_CONTEXT_INT_H
#include "session/context/context.h"
#include "session/context/lease.h"
#include "session/context/script.h"

enum {
    FIRST_HANDLE = 1,
    NO_HANDLE    = 0x3FFFFFFF,       /* handles stay below: the bits above name spilled blocks in the staging area */
    SPILL_MIN    = 8 * 1024,         /* larger blocks go to the staging area */
    REDIS_MAX    = 256 * 1024,       /* hard ceiling of a block that has no mailbox to go to */
    SYSTEM_ARENA = 256 << 20
};

/* The state of one object as this request knows it. */
struct block {
    uint32_t    handle;
    uint8_t     slot;
    bool        dirty;               /* to be written by the commit */
    struct blob state;
};

struct context_private {
    struct session_env env;
    struct redis_conn *redis;
    struct blob    key;
    uint8_t        identity[IDENTITY], digest[DIGEST], request_id[REQUEST_ID], token[TOKEN];
    uint8_t        run[RUN], begun[RUN]; /* of the Redis that was asked last, and of the one that granted the lock */
    struct control control;          /* as begin left it */
    struct blob    current, other;   /* header blocks in Redis */
    struct block  *block; size_t blocks, cap;
    size_t         handle_cap;
    bool           fresh;            /* created by this request, not in Redis yet */
    bool           changed;
    bool           noted;            /* the field x is set */
    bool           unreachable;      /* a state could not be fetched now */
    uint64_t       head_due;         /* clock_ms() at which the head of the answer leaves, with a cookie that cannot say "ended"; 0: with the answer */
    bool           staged;           /* the saved header names states in the staging area */
    const char    *cookie, *sequence_cookie; uint64_t sequence_cookie_of; /* for the answer, once made */
    unsigned       layout;           /* that is written, once it was asked for; 0: not yet */
    uint64_t       ended, told;      /* COOKIE_ENDED, COOKIE_CLEAN: of this request, for the next cookie; of the one before, from the client's */
    struct guid   *known; size_t nknown; /* mailboxes that a takeover would ask: those of the saved header */
    struct lease   lease;
};

/* private.c: a context without state, its key, token and digests made. */
struct context *private_new(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], const struct begin_args *args);
struct blob private_key(struct arena *a, const char *prefix, const uint8_t id[CONTEXT_ID]);
bool  private_id(struct blob key, size_t prefix, uint8_t id[CONTEXT_ID]);  /* the id out of a key whose prefix is so long; false: no key of a context */
bool  private_connect(struct context *c);               /* takes a connection; false: none to be had */
void  private_new_token(struct context *c);
void  private_identity(const struct person *who, uint8_t out[IDENTITY]);
void  private_held(struct context *c);                  /* the lock is ours: renew it from now on; abandon it if the arena ends first */
void  private_let_go(struct context *c);                /* it is not ours any more */
void  private_reset(struct context *c);                 /* forgets what was loaded */
/* Header blocks of an HMGET "0", "1" -> the context's fields. False: damaged. */
bool  private_load(struct context *c, const struct control *k, struct blob zero, struct blob one);
enum begin private_unreadable(const struct context *c);       /* BEGIN_NOT_FOUND, and the log says why the header could not be loaded */
int64_t private_retention(const struct context *c);

/* block.c */
struct block *block_find(struct context *c, uint32_t handle);          /* as the directory names it; NULL: not here */
const struct logon_entry *block_logon(const struct context *c, uint8_t logon_id);
static inline uint32_t block_stage_key(uint32_t handle, unsigned slot) { return 0x80000000u | slot << 30 | handle; }
void block_add_raw(struct context *c, uint32_t handle, unsigned slot, struct blob state);

/* journals.c: the mailboxes whose journals know this context. Each call works on all of them; a mailbox that is gone is passed over. */
void journals_of(struct context *c, struct blob noted);    /* fills p->known from the header and the field x */
ec_t journals_fence(struct context *c, uint64_t epoch);
ec_t journals_newest(struct context *c, struct journal_row *out, bool *found, struct guid *where);
ec_t journals_close(struct context *c, uint64_t epoch);    /* nothing can be written any more; answers, deltas and staging are gone */

/* delta.c: what a journal row says about the context. */
struct delta { uint64_t from; uint8_t flags; uint8_t request_id[REQUEST_ID]; struct blob header; struct block *block; size_t blocks; };
struct blob delta_save(struct arena *a, const struct delta *d);
bool delta_load(struct arena *a, struct blob b, struct delta *out);

/* commit.c: the finish script. */
unsigned commit_layout(const struct context *c);           /* of the header that is written */
struct blob commit_header(struct context *c);              /* header block of the fields as they are */
void commit_pairs(struct context *c, struct blob header, unsigned slot, struct args *x); /* count, then header and dirty blocks that live in Redis */
void commit_trash(struct context *c, struct args *x);      /* names of blocks that neither the state before nor the new one needs */
enum redis_result commit_release(struct context *c, enum state s, bool wait);
void commit_yield(struct context *c);                      /* the lock's deadline is now: the next request recovers at once */

/* spill.c: states above SPILL_MIN go to the staging area; mailboxes that had no transaction yet get one and join the work. */
struct work { struct mailbox **m; size_t n, cap; };        /* mailboxes with an open transaction; m[0] decides */
ec_t spill_all(struct context *c, struct work *w);

/* look.c: a look at a context is an HMGET of these fields, its PTTL, and the TIME of its Redis.  look_take: ecNotFound: there is no such key; ecCorruptData:
 * it is there and cannot be read (damaged, or of a newer release), then only c->state is known. */
enum { LOOK_FIELDS = 5 };
void look_ask(struct blob key, struct blob get[LOOK_FIELDS + 2]);
uint64_t look_clock(const struct redis_value *time);   /* ms; 0: that is no time */
ec_t look_take(struct context *c, const struct redis_value *got, const struct redis_value *ttl, uint64_t now_ms);

/* wait.c: the request is finished; if it logged on to a mailbox that was not known before, the pending wait is told. */
void wait_tell_logons(struct context *c);

/* recover.c */
enum begin recover(struct context *c, const struct control *k, uint64_t number, const char **why); /* BEGIN_RUN: repaired, begin again */

/* destroy.c: the lock is ours (state RECOVERING or RUNNING). */
ec_t destroy_all(struct context *c);
ec_t destroy_by_id(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], struct blob identity); /* empty: anybody's */
#endif
