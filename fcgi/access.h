/* access.h - one line per request, key=value, with the columns that administrators of Exchange know (its MapiHttp\Mailbox logs).
 * Cookies stand in it as digests only. */
#ifndef FCGI_ACCESS_H
#define FCGI_ACCESS_H
#include "fcgi/request.h"
#include "session/session.h"

struct access {
    const struct request *rq;
    const struct person  *who;      /* NULL: not authenticated */
    const char           *endpoint; /* NULL: none */
    int                   http;     /* HTTP status */
    int                   code;     /* X-ResponseCode, -1 none */
    struct blob           body;     /* of the response, code 0: its first fields are StatusCode and ErrorCode */
    size_t                out;      /* bytes of the answer */
    uint64_t              auth_us, total_us;
    bool                  early;    /* the head went out before the work was done */
};

/* "" none, "-" standard output.  access_open again (SIGHUP) reopens the file under its name.  False with errno. */
bool access_open(const char *path);
bool access_on(void);
void access_write(const struct access *x);

/* The line, without its end, into out[ACCESS_LINE]; cut at the end of a field.  For access_write and its test. */
enum { ACCESS_LINE = 2048 };
size_t access_line(const struct access *x, char out[ACCESS_LINE]);
#endif
