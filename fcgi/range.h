/* range.h - which part of a file does a request want, if any?  Preconditions and byte ranges (RFC 9110, sections 13 and 14).
 *
 * One range is served as such; several are answered with the whole, as a server may.  What is malformed is as if it had not been sent. */
#ifndef FCGI_RANGE_H
#define FCGI_RANGE_H
#include "fcgi/request.h"

struct range_file {
    uint64_t    size;
    const char *etag;              /* with its quotes; strong */
    time_t      modified;          /* 0: not known */
};

struct range_part {
    int         status;            /* 200, 206, 304, 412 (a precondition does not hold), 416 (nothing of it is there) */
    uint64_t    first, n;          /* bytes to send: of 200 all, of 206 the part, else none */
};
struct range_part range_decide(const struct request *rq, const struct range_file *f);
#endif
