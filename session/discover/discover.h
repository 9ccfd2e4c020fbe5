/* discover.h - the pages by which a client finds its mailbox: Autodiscover (MS-OXDSCLI), its JSON form, and what other mail programs ask for.
 *
 * Pure but for the directory: a request in, a page out.  Everything lives in the arena of the call. */
#ifndef DISCOVER_DISCOVER_H
#define DISCOVER_DISCOVER_H
#include "backend/base/arena.h"
#include "backend/base/config.h"
#include "backend/directory/directory.h"

/* Texts are NULL where the client did not send them. */
struct discover_call {
    struct arena        *a;
    const struct config *config;
    struct directory    *directory;
    const struct person *who;         /* authenticated; NULL on a page that does not ask */
    const char          *method, *path, *query, *host;
    const char          *capability;  /* X-MapiHttpCapability */
    struct blob          body;
    bool                 too_large;   /* the body was larger than the front keeps */
};

struct discover_page { int status; const char *type; struct blob text; };

/* A page of discover.def; `authenticate`: only for somebody who logged in. */
struct discover_route { const char *path; bool below, authenticate; void (*run)(const struct discover_call *c, struct discover_page *out); };

/* NULL: not a page of discovery.  Upper and lower case alike. */
const struct discover_route *discover_find(const char *path);
#endif
