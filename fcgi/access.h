/* access.h - one line per request, as key=value or JSON, with the columns that administrators of Exchange know (its MapiHttp\Mailbox logs; access.def).
 * Of cookies there are digests and numbers only. */
#ifndef FCGI_ACCESS_H
#define FCGI_ACCESS_H
#include "fcgi/request.h"
#include "session/session.h"

struct access {
    const struct request *rq;
    const struct person  *who;      /* NULL: not authenticated */
    const char           *method;   /* of authentication */
    const char           *endpoint; /* NULL: none */
    int                   http;     /* HTTP status */
    int                   code;     /* X-ResponseCode, -1 none */
    struct blob           body;     /* of the response, code 0: its first fields are StatusCode and ErrorCode */
    size_t                out;      /* bytes of the answer */
    uint64_t              auth_us, redis_us, store_us, total_us;
    bool                  early;    /* the head went out before the work was done */
    const char           *session;  /* digest, NULL: none */
    const struct session_note *note; /* what the session says about the request, or NULL */
    const char           *worker, *version, *diagnosis;
};

/* "" none, "-" standard output.  access_open again reopens the file under its name, or another, while others write.  False with errno: nothing changed. */
bool access_open(const char *path, bool json);
bool access_on(void);
void access_write(const struct access *x);

/* The line, without its end, into out[ACCESS_LINE]; a field that does not fit is left out.  For access_write and its test. */
enum { ACCESS_LINE = 4096 };
size_t access_line(const struct access *x, bool json, char out[ACCESS_LINE]);
#endif
