/* auth.h - who is it?  HTTP Basic, Negotiate (Kerberos), Bearer tokens, client certificates; over TLS only unless the configuration says otherwise.
 *
 * Which of them are offered and accepted is what the virtual directory allows for the side from which the request came, as far as the configuration gives what
 * they need.  Nothing is kept between two requests: each brings its proof.  Credentials that do not do are always answered with 401. */
#ifndef FCGI_AUTH_H
#define FCGI_AUTH_H
#include "fcgi/known.h"
#include "fcgi/request.h"
#include "backend/directory/policy.h"
#include "backend/directory/throttle.h"

enum auth {
    AUTH_OK,
    AUTH_ABSENT,       /* nothing that could be checked was sent: ask for it (401) */
    AUTH_WRONG,        /* refused: 401 after delay_ms */
    AUTH_PLAIN,        /* plain HTTP: no scheme is offered, so every request is anonymous (code 8) */
    AUTH_NOBODY,       /* it is sure who it is, but there is no such person here (code 11) */
    AUTH_DOWN,         /* it cannot be told now: 503 */
    AUTH_BUSY,         /* too many wait for a check: 503 */
    AUTH_SLOW          /* auth_finish will tell, after a time that no worker thread should wait */
};

/* What is found out, in the arena of the request. */
struct auth_answer {
    struct person who;          /* AUTH_OK */
    const char   *scheme;       /* "Basic" ...: how, also when it failed; NULL: nothing was sent */
    const char   *name;         /* whom it names, as far as that was read; for logs */
    const char   *challenge;    /* 401: lines of the head, each with its end */
    const char   *greeting;     /* AUTH_OK: a line of the head, or NULL */
    uint64_t      delay_ms;
};

struct auth_map;
struct auth_pool;
struct auth_gss;
struct auth_jwks;

/* What the answer depends on, for the life of the process.  All but the first two may be NULL: then it is not there.  `config` may be exchanged. */
struct auth_env {
    const struct config *config;
    struct directory    *directory;
    struct known        *known;
    struct throttle     *throttle;
    struct auth_map     *map;
    struct auth_gss     *gss;
    struct auth_jwks    *jwks;
    struct auth_pool    *pool;       /* threads that may wait */
};

/* Makes all of it; false with *why: the configuration cannot work. */
bool auth_open(struct auth_env *e, const struct config *c, struct directory *d, struct redis *r, struct arena *a, const char **why);
void auth_close(struct auth_env *e);

/* auth_begin is quick: what it cannot tell so (AUTH_SLOW) auth_finish does, on a thread that may wait.  auth_check is both. */
enum auth auth_begin(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out);
enum auth auth_finish(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out);
enum auth auth_check(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out);

/* The bytes of an Authorization header of scheme Basic; false for another scheme or what is no base64 of "name:password". */
bool auth_basic(struct arena *a, const char *header, struct blob *name, struct blob *password);

/* What such bytes can mean: as UTF-8 where they are that, and as Windows-1252 where that differs (older clients).  0 to 2 pairs. */
struct auth_reading { const char *name, *password; };
size_t auth_readings(struct arena *a, struct blob name, struct blob password, struct auth_reading out[2]);
#endif
