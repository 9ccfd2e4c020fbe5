/* mapic.h - a small MAPI over HTTP client: cookies and sequence kept as Outlook keeps them, and able to send broken things on purpose.
 *
 * Used by the flow tests, the benchmark and `mapictl probe`.  One struct mapic is one client with one connection, which it opens when needed.
 * Replies live in the arena given to each call. */
#ifndef CLIENT_MAPIC_H
#define CLIENT_MAPIC_H
#include "backend/base/guid.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include "tests/client/http.h"

struct mapic {
    struct tls_options to;
    const char *user, *password;        /* NULL user: no Authorization header */
    const char *mailbox_id;             /* value of ?MailboxId= */
    const char *path;                   /* default "/mapi/emsmdb/" */
    struct tls *conn;
    char        context[512], sequence[512]; /* cookies, "" = none */
    struct guid client_guid;
    unsigned    counter;                /* of X-RequestId */
    const char *route;                  /* value of the test header that chooses the worker, NULL: any */
    /* Amnesia: requests without a route of their own take these in turn, and an answer by the worker of the answer before is a lost one. */
    const char *const *turns; size_t nturns, turn;
    char        worker[64];             /* who answered last (X-Mapihttpd-Worker, or what other servers call it); "": does not say */
    int         status, code;           /* of the last answer: HTTP, X-ResponseCode (-1: none); 0, -1: there was no answer */
    unsigned    resends, resent;        /* mapic_call sends a request that nobody answered (no connection, HTTP 502) again so often, as Outlook does; how often it did */
    unsigned    timeout_ms;
    uint64_t    deadline;               /* by clock_ms(), for all that is sent and received; 0: none */
};

struct mapic_reply {
    struct http_reply http;
    int         code;                   /* the last X-ResponseCode: head or behind DONE; -1: none */
    bool        processing, done;       /* meta tags seen */
    unsigned    pending;
    struct http_header extra[8]; size_t extras; /* additional headers behind DONE */
    struct blob body;                   /* behind the additional headers; without meta tags the whole body */
};

void mapic_init(struct mapic *c, const char *host, unsigned port, const char *user, const char *password);
void mapic_close(struct mapic *c);      /* drops the connection, keeps the cookies */

/* What a request may do differently from a good client. */
struct mapic_odd {
    const char *verb;                   /* NULL: POST; the answer to HEAD has no body */
    const char *path;
    const char *without;                /* name of a header to leave out */
    const char *request_id;             /* NULL: {guid}:n */
    const char *extra;                  /* raw header lines, each ended by CRLF */
    const char *context, *sequence;     /* cookie values to send instead; "" = do not send */
    bool        keep_cookies;           /* do not take over the cookies of the answer */
    http_piece  piece; void *ctx;
};

/* Sends; false if the connection cannot be had.  Then mapic_recv once.  mapic_call does both and, if a kept connection was closed by the server
 * before a byte of the answer, once again on a new one. */
bool mapic_send(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, const char **why);
bool mapic_recv(struct mapic *c, struct arena *a, struct mapic_reply *out, const struct mapic_odd *odd, const char **why);
bool mapic_call(struct mapic *c, struct arena *a, const char *type, struct blob body, const struct mapic_odd *odd, struct mapic_reply *out, const char **why);

/* Bodies. */
struct blob mapic_connect_body(struct arena *a, const char *user_dn);
struct blob mapic_execute_body(struct arena *a, struct blob rop_buffer, uint32_t flags, uint32_t max_out);

/* --- a list of ROPs and its handle table ---------------------------------------------------------------------------------------------- */
struct mapic_rops { struct arena *a; struct wr list; uint32_t handle[256]; size_t handles; };
void rops_init(struct mapic_rops *r, struct arena *a);
uint8_t rops_handle(struct mapic_rops *r, uint32_t handle);    /* its index; 0xFFFFFFFF for a place to be filled */
/* Head of a ROP: RopId, LogonId 0, index.  The caller appends the rest to r->list. */
void rops_head(struct mapic_rops *r, uint8_t id, uint8_t index);
/* The buffer with RPC_HEADER_EXT (plain). */
struct blob rops_buffer(struct mapic_rops *r);

/* An Execute and its answer, all extended buffers decoded. */
struct mapic_result {
    struct mapic_reply reply;
    uint32_t status, error;             /* StatusCode, ErrorCode; error 0xFFFFFFFF if the body was short */
    struct rd rops;                     /* responses of the first payload */
    struct blob payload[100]; size_t payloads;  /* ROP lists of chained payloads */
    uint32_t handle[256]; size_t handles;
};
bool mapic_execute(struct mapic *c, struct mapic_rops *r, const struct mapic_odd *odd, struct mapic_result *out, const char **why);
/* Decodes the body of an Execute answer; false if it is malformed. */
bool mapic_decode(struct arena *a, struct blob body, struct mapic_result *out);

/* Reads the head of the next ROP response: id, index and ReturnValue.  False at the end or on malformed bytes. */
struct rop_head { uint8_t id, index; uint32_t ec; };
bool mapic_rop(struct mapic_result *r, struct rop_head *out);

/* --- whole steps, one request each: ecNone or the first error ------------------------------------------------------------------------- */
struct mapic_error { const char *what; uint32_t ec; int code; };    /* for messages */
uint32_t mapic_connect(struct mapic *c, struct arena *a, const char *user_dn, struct mapic_reply *out, const char **why);
/* A NotificationWait runs beside the session's other requests, so it has a connection of its own: mapic_beside makes that client out of the session's, with its cookies as
 * they are now.  Closed like any other. */
void mapic_beside(struct mapic *out, const struct mapic *session);
struct blob mapic_wait_body(struct arena *a, uint32_t flags);
/* EventPending of its answer; false: it is not a success body (the reply's code says why). */
bool mapic_event_pending(const struct mapic_reply *r, uint32_t *pending);
bool mapic_disconnect(struct mapic *c, struct arena *a, struct mapic_reply *out, const char **why);
#endif
