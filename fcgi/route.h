/* route.h - path and X-RequestType name a handler. */
#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H
#include "session/session.h"

enum endpoint_id {
#define ENDPOINT(name, path, cookie_path) ENDPOINT_##name,
#include "fcgi/route.def"
    ENDPOINTS
};
struct endpoint { const char *name, *path, *cookie_path; };

enum { ROUTE_CHUNKED = 1 };

/* A request of session.h; sets reply->code. */
typedef void route_handler(struct session_env *e, struct session_call *c, struct session_reply *r);

struct route {
    enum endpoint_id endpoint;
    const char      *type;
    route_handler   *run;
    unsigned         flags;
};

/* All routes; position = id, for counters. */
extern const struct route route_table[];
extern const size_t       route_count;

/* NULL: no such endpoint (code 3).  With or without a last slash, upper and lower case alike. */
const struct endpoint *route_endpoint(const char *path);

/* "emsmdb", "nspi": what its path ends in. */
const char *route_short(enum endpoint_id id);

/* NULL: this endpoint has no such request (code 5).  Upper and lower case alike, as header values of clients vary. */
const struct route *route_find(const struct endpoint *e, const char *type);
#endif
