/* header.h - may this request be looked into?  The checks of the headers, in the order that clients and checkers expect. */
#ifndef FCGI_HEADER_H
#define FCGI_HEADER_H
#include "fcgi/request.h"
#include "fcgi/route.h"

enum { HEADER_MOST = 256 };    /* bytes of a value that is echoed or kept */

/* XRC_SUCCESS with endpoint and route, or the code of the first check that fails, with the words why.  *endpoint and *route are set as far as they were
 * found (NULL else).  Authentication comes before. */
enum xrc header_check(const struct request *rq, uint64_t request_max, struct arena *a, const struct endpoint **endpoint, const struct route **route,
                      const char **why);

/* The value can go into a response header unchanged: bounded, no control bytes. */
bool header_plain(const char *value);

/* "{GUID}:counter", with or without braces, whatever stands behind the GUID: some clients join the counter by a dash, some leave it out. */
bool header_request_id(const char *value);
#endif
