/* desk.h - whole Execute requests against real mailboxes and a real directory, without Redis: a session at a desk.
 *
 * Two people, Ada and Bob, have mailboxes.  Between two requests nothing is kept but the packed objects, the logon map and the mailboxes on disk:
 * every request unpacks what it needs, as another worker would. */
#ifndef UNIT_ROP_DESK_H
#define UNIT_ROP_DESK_H
#include "backend/store/message.h"
#include "session/rop/execute.h"
#include "tests/unit.h"

struct desk_block { uint32_t handle; struct blob state; };

struct desk {
    struct arena  *life;                 /* of what lasts */
    struct config *config;
    struct rop_env env;
    struct person  ada, bob;
    const struct person *user;           /* whose session it is: Ada's */
    uint64_t       fid[SF_COUNT];        /* of Ada's mailbox */
    uint8_t        id[CONTEXT_ID];
    uint32_t       code_page, flags, max_out; /* of the requests to come */
    /* the session */
    struct logon_entry  *logon;  size_t logons;
    struct handle_entry *handle; size_t handles;
    struct desk_block   *block;  size_t blocks;
    uint32_t       next_handle;
    struct watch    *watch;    size_t watches;
    struct position *position; size_t positions;
    uint32_t       client_mode;
    unsigned       layout;               /* that headers are written in; 0: the newest */
    bool           dry;                  /* requests run and are thrown away */
    /* the last request */
    struct arena  *a;                    /* answers live until the next */
    struct execute_result result;
    uint32_t       status;
    ec_t           error;
    struct blob   *payload; size_t payloads; /* of the answer */
};

struct desk *desk_new(void);
struct desk *desk_with(const char *driver);  /* "fault": the store fails when it is told to */
void desk_end(struct desk *d);

/* A body as the client sent it -> the body of the answer. */
struct blob desk_execute(struct desk *d, struct blob body);

/* A ROP list with its handle table, plain -> the answers of the first payload; `table` takes the handles that come back (at most n). */
struct rd desk_rops(struct desk *d, struct blob rops, uint32_t *table, size_t n);

/* The session as it is now, as context_peek would give it. */
struct context *desk_look(struct desk *d, struct arena *a);

/* The answers that a body carries. */
bool desk_open_answer(struct desk *d, struct blob body);
struct rd desk_answer(struct desk *d, size_t payload, uint32_t *table, size_t n);

/* A mail into a folder of Ada's mailbox, by the store; returns its counter. `minute`: delivery time. */
uint64_t desk_mail(struct desk *d, uint64_t fid, const char *subject, unsigned minute);
/* The same, delivered: it is told as new mail. */
uint64_t desk_arrive(struct desk *d, uint64_t fid, const char *subject, unsigned minute);
struct mailbox *desk_mailbox(struct desk *d, struct arena *a, const struct person *whose);
#endif
