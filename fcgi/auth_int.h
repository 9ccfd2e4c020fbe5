/* auth_int.h - what the schemes share. */
#ifndef FCGI_AUTH_INT_H
#define FCGI_AUTH_INT_H
#include "fcgi/auth.h"

/* One request on its way through a scheme. */
struct auth_try {
    const struct auth_env *e;
    struct arena          *a;
    const struct request  *rq;
    const char            *token;        /* behind the scheme's word */
    unsigned               methods;      /* that are offered */
    bool                   slow;         /* on a thread that may wait */
    struct auth_answer    *out;
    const char            *bearer_error; /* what goes into the Bearer challenge */
    bool                   no_negotiate; /* the client would only send the same again */
};

/* A scheme: AUTH_SLOW only if !slow. */
enum auth auth_by_basic(struct auth_try *t);
enum auth auth_by_negotiate(struct auth_try *t);
enum auth auth_by_bearer(struct auth_try *t);
enum auth auth_by_certificate(struct auth_try *t);

/* The table of the last second, for proofs that are the same each time; `until` (clock_ms) at most. */
bool auth_recall(const struct auth_try *t, const char *proof);
void auth_keep(const struct auth_try *t, const char *proof, uint64_t until);

/* auth_person.c: the person of a name from outside: the map's line for it (explicit), else whose login or address `name` is (NULL: only the map counts).
 * AUTH_OK, AUTH_NOBODY, AUTH_DOWN. */
enum auth auth_person(struct auth_try *t, enum auth_method m, const char *outside, const char *name);

/* auth_map.c: the file of config auth_map, read again when it changed.  NULL: no line for it. */
struct auth_map *auth_map_new(const char *path);
void auth_map_free(struct auth_map *m);
const char *auth_map_find(struct auth_map *m, struct arena *a, enum auth_method method, const char *outside);

/* auth_negotiate.c: the server's keys.  NULL with *why. */
struct auth_gss *auth_gss_new(const char *keytab, struct arena *a, const char **why);
void auth_gss_free(struct auth_gss *g);

/* auth_jwks.c: the issuer's keys, kept and fetched anew. */
struct jwks;
struct auth_jwks *auth_jwks_new(void);
void auth_jwks_free(struct auth_jwks *k);
/* The keys at hand, NULL: none yet.  Given back with auth_jwks_give. */
const struct jwks *auth_jwks_take(struct auth_jwks *k);
void auth_jwks_give(struct auth_jwks *k, const struct jwks *set);
/* Should this request fetch them?  At most one says yes in oauth_refresh seconds. `unknown`: a token names a key that is not there. */
bool auth_jwks_due(struct auth_jwks *k, const struct config *c, bool unknown);
/* Does so, for up to oauth_timeout ms; what is at hand stays if it fails. */
void auth_jwks_fetch(struct auth_jwks *k, const struct config *c);

/* auth_offer.c: the challenge of a 401. */
const char *auth_offer(const struct auth_try *t);
#endif
