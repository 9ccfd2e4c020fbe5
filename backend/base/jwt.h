/* jwt.h - bearer tokens: a set of public keys (JWKS, RFC 7517), and what a signed token (JWS compact, RFC 7515; JWT, RFC 7519) says if one of them signed it.
 *
 * The algorithm is the one that the token names out of a closed list of public-key signatures, and the key must be of that kind: "none" and MACs do not
 * exist here, so that a public key can never be taken for a secret.  Every text is hostile: an answer of enum jwt, never a crash. */
#ifndef BASE_JWT_H
#define BASE_JWT_H
#include "backend/base/arena.h"

enum { JWT_MOST = 32768, JWKS_MOST = 1 << 20, JWKS_KEYS = 64, JWT_CLAIMS = 8, JWT_AUDIENCES = 16 };

/* Immutable once made; shared by threads.  Keys of unknown kinds, for other uses than signing, or below 2048 bits (RSA) are left out. */
struct jwks;
struct jwks *jwks_parse(struct blob json, const char **why);   /* NULL with *why (static): no key set, or no usable key in it */
void jwks_free(struct jwks *k);
size_t jwks_count(const struct jwks *k);

enum jwt {
    JWT_OK,
    JWT_MALFORMED,     /* no three parts, no JSON, a claim of a wrong type */
    JWT_ALGORITHM,     /* not in the list, or critical headers that are not understood */
    JWT_UNKNOWN_KEY,   /* names a key that is not in the set: a newer set may have it */
    JWT_SIGNATURE,
    JWT_ISSUER, JWT_AUDIENCE, JWT_EXPIRED, JWT_NOT_YET,
    JWT_SCOPE          /* genuine, but without the scope that is wanted */
};
const char *jwt_words(enum jwt r);   /* static, without quotes or backslashes */

struct jwt_rules {
    const char *issuer;              /* exactly */
    const char *audience;            /* blank-separated; one of them */
    const char *scope;               /* "" = none wanted */
    const char *claims;              /* blank-separated names whose values are wanted, at most JWT_CLAIMS */
    int64_t     now, skew;           /* s */
};

struct jwt_claims {
    int64_t expires;                 /* s since 1970; always there */
    size_t  n;
    struct { const char *name, *value; } claim[JWT_CLAIMS];   /* those of rules->claims that are there as texts, in that order */
};

/* Strings of *out live in `a`.  A claim "email" counts only if the token does not say email_verified false. */
enum jwt jwt_check(const struct jwks *k, struct arena *a, const char *token, const struct jwt_rules *rules, struct jwt_claims *out);
#endif
