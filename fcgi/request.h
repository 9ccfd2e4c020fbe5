/* request.h - the parameters of one request, read once into a struct. */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H
#include "backend/base/arena.h"
#include <time.h>

/* NULL: not sent.  An empty string was sent empty.  All borrow from the parameters or lie in the arena. */
struct request {
#define PARAM(field, name) const char *field;
#include "fcgi/request.def"
#undef PARAM
    const char *context_cookie, *sequence_cookie;    /* MapiContext and MapiSequence out of `cookie` */
    bool        tls;             /* the client's connection to nginx */
    bool        external;        /* it came in on a listener for the outside, or on one that does not say "internal" */
    bool        repeated;        /* one of the client's headers above came twice */
    struct blob body;
    bool        too_large;       /* the body was longer than request_max and is not here */
    uint64_t    begun_us;        /* clock_us() */
    time_t      begun;
};

#define REQUEST_CONTEXT_COOKIE  "MapiContext"
#define REQUEST_SEQUENCE_COOKIE "MapiSequence"

/* `params`: "NAME=value" strings, NULL at the end. */
void request_read(struct request *rq, struct arena *a, char *const *params);

/* Copies into the arena what borrows from the parameters. */
void request_keep(struct request *rq, struct arena *a);

/* Value of a cookie in "a=b; c=d", the first of that name, without surrounding quotes; NULL if absent. */
const char *request_cookie(struct arena *a, const char *cookies, const char *name);

/* Same word, upper and lower case alike (ASCII). */
bool request_same_word(const char *a, const char *b);
#endif
