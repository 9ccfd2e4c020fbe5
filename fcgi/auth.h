/* auth.h - who is it?  HTTP Basic, over TLS only unless the configuration says otherwise. */
#ifndef FCGI_AUTH_H
#define FCGI_AUTH_H
#include "fcgi/known.h"
#include "fcgi/request.h"
#include "backend/directory/directory.h"

enum auth {
    AUTH_OK,
    AUTH_ABSENT,       /* nothing that could be checked was sent: ask for it (401) */
    AUTH_WRONG,        /* refused: 401 after *delay_ms */
    AUTH_PLAIN,        /* plain HTTP: no scheme is offered, so every request is anonymous (code 8) */
    AUTH_DOWN          /* the directory does not answer: 503 */
};
/* What the answer depends on, for the life of the process. `known` may be NULL: every request asks the directory. */
struct auth_env { const struct config *config; struct directory *directory; struct known *known; };

enum auth auth_check(const struct auth_env *e, struct arena *a, const struct request *rq, struct person *who, uint64_t *delay_ms);

/* The bytes of an Authorization header of scheme Basic; false for another scheme or what is no base64 of "name:password". */
bool auth_basic(struct arena *a, const char *header, struct blob *name, struct blob *password);

/* What such bytes can mean: as UTF-8 where they are that, and as Windows-1252 where that differs (older clients).  0 to 2 pairs. */
struct auth_reading { const char *name, *password; };
size_t auth_readings(struct arena *a, struct blob name, struct blob password, struct auth_reading out[2]);
#endif
