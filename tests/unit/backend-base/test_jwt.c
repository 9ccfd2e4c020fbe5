/* test_jwt.c - key sets and bearer tokens: each algorithm, each defect, every truncation and bit flip. */
#include "tests/jose.h"
#include "tests/mutate.h"
#include "tests/unit.h"
#include "backend/base/jwt.h"

enum { NOW = 1800000000 };

#define GOOD "{\"iss\":\"https://idp.example.com/\",\"aud\":\"mapi\",\"exp\":1800000600,\"nbf\":1799999990,\"upn\":\"ana@example.com\",\"scp\":\"user mapi.access\"}"

static const struct jwt_rules rules = { "https://idp.example.com/", "other mapi", "mapi.access", "upn email", NOW, 60 };

static struct arena *a;
static struct jose rsa, ec, ps;
static struct jwks *set;

static void begin(void)
{
    const char *why = NULL;
    a = arena_new((size_t)1 << 30);
    rsa = jose_rsa(2048, "one", "RS256");
    ec = jose_ec("P-256", "two", "ES256");
    ps = jose_rsa(2048, "three", "PS256");
    const char *json = arena_printf(a, "{\"keys\":[%s,%s,%s,{\"kty\":\"oct\",\"kid\":\"no\",\"k\":\"AAAA\"}]}", jose_jwk(a, &rsa), jose_jwk(a, &ec), jose_jwk(a, &ps));
    set = jwks_parse(blob_str(json), &why);
    REQUIRE(set != NULL);
    CHECK_INT(jwks_count(set), 3);
}

static void end(void)
{
    jwks_free(set);
    jose_free(&rsa);
    jose_free(&ec);
    jose_free(&ps);
    arena_free(a);
}

static enum jwt check(const char *token)
{
    struct jwt_claims c;
    return jwt_check(set, a, token, &rules, &c);
}

static enum jwt says(const char *payload) { return check(jose_token(a, &ec, payload)); }

TEST(each_algorithm)
{
    struct jwt_claims c;
    begin();
    const struct jose *k[] = { &rsa, &ec, &ps };
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(jwt_check(set, a, jose_token(a, k[i], GOOD), &rules, &c), JWT_OK);
        REQUIRE(c.n == 1);
        CHECK_STR(c.claim[0].name, "upn");
        CHECK_STR(c.claim[0].value, "ana@example.com");
        CHECK_INT(c.expires, 1800000600);
    }
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"RS256\"}", GOOD)), JWT_OK); /* no key id: the keys of its kind are tried */
    end();
    static const struct { const char *curve, *alg; } more[] = { { "P-384", "ES384" }, { NULL, "RS384" }, { NULL, "RS512" }, { NULL, "PS384" }, { NULL, "PS512" } };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        const char *why;
        a = arena_new((size_t)1 << 30);
        struct jose j = more[i].curve != NULL ? jose_ec(more[i].curve, "k", more[i].alg) : jose_rsa(2048, "k", more[i].alg);
        set = jwks_parse(blob_str(arena_printf(a, "{\"keys\":[%s]}", jose_jwk(a, &j))), &why);
        REQUIRE(set != NULL);
        CHECK_INT(check(jose_token(a, &j, GOOD)), JWT_OK);
        jwks_free(set);
        jose_free(&j);
        arena_free(a);
    }
}

TEST(wrong_keys_and_algorithms)
{
    begin();
    struct jose other = jose_rsa(2048, "one", "RS256"), unknown = jose_rsa(2048, "four", "RS256"), cross = { ps.pkey, "three", "RS256" };
    CHECK_INT(check(jose_token(a, &other, GOOD)), JWT_SIGNATURE);
    CHECK_INT(check(jose_token(a, &unknown, GOOD)), JWT_UNKNOWN_KEY);
    CHECK_INT(check(jose_token(a, &cross, GOOD)), JWT_UNKNOWN_KEY); /* the set says PS256 for this key */
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"none\",\"kid\":\"one\"}", GOOD)), JWT_ALGORITHM);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"None\",\"kid\":\"one\"}", GOOD)), JWT_ALGORITHM);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"HS256\",\"kid\":\"one\"}", GOOD)), JWT_ALGORITHM);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"ES256\",\"kid\":\"one\"}", GOOD)), JWT_UNKNOWN_KEY);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"x\"],\"x\":1}", GOOD)), JWT_ALGORITHM);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"RS256\",\"kid\":1}", GOOD)), JWT_MALFORMED);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"one\"}", GOOD)), JWT_MALFORMED);
    CHECK_INT(check(jose_token_as(a, &rsa, "{\"kid\":\"one\"}", GOOD)), JWT_ALGORITHM);
    CHECK_INT(check(jose_token_as(a, &rsa, "[]", GOOD)), JWT_MALFORMED);
    /* an HMAC keyed with what is public */
    const char *text = arena_printf(a, "%s.%s", base64url(a, blob_str("{\"alg\":\"HS256\",\"kid\":\"one\"}")), base64url(a, blob_str(GOOD)));
    uint8_t key[SHA256] = { 0 }, mac[SHA256];
    crypto_hmac(key, blob_str(text), mac);
    CHECK_INT(check(arena_printf(a, "%s.%s", text, base64url(a, blob_of(mac, sizeof mac)))), JWT_ALGORITHM);
    jose_free(&other);
    jose_free(&unknown);
    end();
}

TEST(each_claim)
{
    begin();
#define CLAIMS(iss, aud, exp, nbf, scope) "{\"iss\":" iss ",\"aud\":" aud ",\"exp\":" exp ",\"nbf\":" nbf ",\"upn\":\"ana@example.com\",\"scope\":" scope "}"
#define ISS "\"https://idp.example.com/\""
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_OK);
    CHECK_INT(says(CLAIMS(ISS, "[\"x\",\"other\"]", "1800000001.5", "1800000000", "[\"mapi.access\"]")), JWT_OK);
    CHECK_INT(says(CLAIMS("\"https://idp.example.com\"", "\"mapi\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_ISSUER);
    CHECK_INT(says(CLAIMS("\"\"", "\"mapi\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_ISSUER);
    CHECK_INT(says(CLAIMS("7", "\"mapi\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_ISSUER);
    CHECK_INT(says(CLAIMS(ISS, "\"map\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_AUDIENCE);
    CHECK_INT(says(CLAIMS(ISS, "\"other mapi\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_AUDIENCE);
    CHECK_INT(says(CLAIMS(ISS, "[]", "1800000001", "1800000000", "\"mapi.access\"")), JWT_AUDIENCE);
    CHECK_INT(says(CLAIMS(ISS, "\"\"", "1800000001", "1800000000", "\"mapi.access\"")), JWT_AUDIENCE);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1799999941", "1799999000", "\"mapi.access\"")), JWT_OK);       /* within the skew */
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1799999940", "1799999000", "\"mapi.access\"")), JWT_EXPIRED);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1800009000", "1800000060", "\"mapi.access\"")), JWT_OK);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1800009000", "1800000061", "\"mapi.access\"")), JWT_NOT_YET);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "\"1800009000\"", "1800000000", "\"mapi.access\"")), JWT_MALFORMED);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1800009000", "null", "\"mapi.access\"")), JWT_MALFORMED);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1e300", "0", "\"mapi.access\"")), JWT_MALFORMED);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1800009000", "0", "\"mapi.acces\"")), JWT_SCOPE);
    CHECK_INT(says(CLAIMS(ISS, "\"mapi\"", "1800009000", "0", "{}")), JWT_SCOPE);
    CHECK_INT(says("{\"iss\":" ISS ",\"aud\":\"mapi\",\"scp\":\"mapi.access\"}"), JWT_MALFORMED); /* no end */
    CHECK_INT(says("[]"), JWT_MALFORMED);
    CHECK_INT(says("{"), JWT_MALFORMED);
    struct jwt_claims c;
    struct jwt_rules r = rules;
    r.scope = "";
    const char *mail = "{\"iss\":" ISS ",\"aud\":\"mapi\",\"exp\":1800009000,\"email\":\"ana@example.com\",\"upn\":\"\",\"email_verified\":%s}";
    CHECK_INT(jwt_check(set, a, jose_token(a, &ec, arena_printf(a, mail, "true")), &r, &c), JWT_OK);
    CHECK_INT(c.n, 1);
    CHECK_INT(jwt_check(set, a, jose_token(a, &ec, arena_printf(a, mail, "false")), &r, &c), JWT_OK);
    CHECK_INT(c.n, 0);
    end();
}

TEST(sets_that_are_none)
{
    static const char *const bad[] = { "", "x", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[1,null,{}]}",
                                       "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",                       /* 24 bits */
                                       "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
                                       "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}",
                                       "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}]}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = NULL;
        CHECK(jwks_parse(blob_str(bad[i]), &why) == NULL);
        CHECK(why != NULL);
    }
    a = arena_new((size_t)1 << 30);
    struct jose weak = jose_rsa(1024, "weak", "RS256");
    const char *why = NULL;
    CHECK(jwks_parse(blob_str(arena_printf(a, "{\"keys\":[%s]}", jose_jwk(a, &weak))), &why) == NULL);
    jose_free(&weak);
    arena_free(a);
}

static void broken_token(void *ctx, struct blob variant)
{
    size_t *good = ctx;
    struct arena *own = arena_new(1 << 20);
    struct jwt_claims c;
    if (memchr(variant.p, 0, variant.n) == NULL && jwt_check(set, own, arena_str(own, variant), &rules, &c) == JWT_OK)
        ++*good;
    arena_free(own);
}

/* Of all variants only the whole token is good. */
TEST(every_truncation_and_bit_flip_of_a_token)
{
    size_t good = 0;
    begin();
    mutate_all(blob_str(jose_token(a, &ec, GOOD)), broken_token, &good);
    CHECK_INT(good, 1);
    end();
}

static void broken_set(void *ctx, struct blob variant)
{
    const char *why = NULL;
    (void)ctx;
    struct jwks *k = jwks_parse(variant, &why);
    CHECK((k == NULL) == (why != NULL));
    jwks_free(k);
}

TEST(every_truncation_and_bit_flip_of_a_set)
{
    begin();
    mutate_all(blob_str(arena_printf(a, "{\"keys\":[%s]}", jose_jwk(a, &ec))), broken_set, NULL);
    end();
}
