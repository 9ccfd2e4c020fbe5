/* fuzz_jwt.c - bearer tokens, key sets and client certificates from any bytes: first byte chooses.  A token's parts are signed here when they are readable,
 * so that claims behind a good signature are reached too. */
#include "backend/base/jwt.h"
#include "backend/base/tls_cert.h"
#include "backend/base/wr.h"
#include "tests/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const struct jwt_rules rules = { "i", "a b", "", "upn email sub", 1800000000, 60 };

static void signed_claims(struct arena *a, struct blob claims)
{
    static struct jose key;
    static struct jwks *set;
    struct jwt_claims c;
    const char *why;
    if (set == NULL) {
        key = jose_ec("P-256", "k", "ES256");
        set = jwks_parse(blob_str(arena_printf(a, "{\"keys\":[%s]}", jose_jwk(a, &key))), &why);
    }
    if (jwt_check(set, a, jose_token(a, &key, arena_str(a, claims)), &rules, &c) == JWT_OK)
        must(c.n <= JWT_CLAIMS && c.expires > 1800000000 - 61);
    must(jwt_check(set, a, arena_str(a, claims), &rules, &c) != JWT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct arena *a = arena_new(SIZE_MAX);
    struct blob rest = blob_of(p + 1, n - 1);
    struct tls_cert cert;
    const char *why;
    if (p[0] % 3 == 0)
        signed_claims(a, rest);
    else if (p[0] % 3 == 1)
        jwks_free(jwks_parse(rest, &why));
    else
        tls_cert_read(a, arena_str(a, rest), &cert);
    arena_free(a);
    return 0;
}
