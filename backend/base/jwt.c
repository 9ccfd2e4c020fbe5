/* jwt.c - a signed token, keys and rules become claims or a refusal. */
#include "backend/base/jwt.h"
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include "backend/base/rd.h"
#include "backend/base/wr.h"
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

enum { KID = 256, RSA_LEAST = 2048, RSA_MOST = 16384, COORDINATE = 48 };

enum family { RSA_PKCS1, RSA_PSS, ELLIPTIC };

static const struct algorithm { const char *name, *digest, *curve; enum family family; size_t coordinate; } algorithms[] = {
    { "RS256", "SHA256", NULL, RSA_PKCS1, 0 },  { "RS384", "SHA384", NULL, RSA_PKCS1, 0 }, { "RS512", "SHA512", NULL, RSA_PKCS1, 0 },
    { "PS256", "SHA256", NULL, RSA_PSS, 0 },    { "PS384", "SHA384", NULL, RSA_PSS, 0 },   { "PS512", "SHA512", NULL, RSA_PSS, 0 },
    { "ES256", "SHA256", "P-256", ELLIPTIC, 32 }, { "ES384", "SHA384", "P-384", ELLIPTIC, 48 },
};

struct key {
    char      kid[KID];              /* "" = none */
    char      alg[8], curve[8];      /* "" = any of its kind; elliptic curve, "" = RSA */
    EVP_PKEY *pkey;
};

struct jwks { size_t n; struct key key[JWKS_KEYS]; };

const char *jwt_words(enum jwt r)
{
    static const char *const words[] = {
        "it is valid", "it is no signed token", "its algorithm is not accepted", "its key is not known", "its signature is wrong", "its issuer is another",
        "it is for another audience", "it has expired", "it is not valid yet", "it lacks the scope that is wanted",
    };
    return words[r];
}

/* --- keys -------------------------------------------------------------------------------------------------------------------------------- */

static const char *member(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *b)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *p = OSSL_PARAM_BLD_to_param(b);
    if (ctx == NULL || p == NULL || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, p) != 1)
        pkey = NULL;
    OSSL_PARAM_free(p);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *rsa_key(struct arena *a, const json_t *j)
{
    struct blob n, e;
    if (!base64url_decode(a, member(j, "n"), &n) || !base64url_decode(a, member(j, "e"), &e) || n.n > RSA_MOST / 8 + 1 || e.n == 0 || e.n > 8)
        return NULL;
    BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    must(bn != NULL && be != NULL && b != NULL);
    EVP_PKEY *pkey = NULL;
    if (BN_num_bits(bn) >= RSA_LEAST && BN_is_odd(bn) && BN_is_odd(be) && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) == 1
        && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) == 1)
        pkey = key_of("RSA", b);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn);
    BN_free(be);
    return pkey;
}

static EVP_PKEY *ec_key(struct arena *a, const json_t *j, const char *curve)
{
    struct blob x, y;
    size_t coordinate = strcmp(curve, "P-256") == 0 ? 32 : strcmp(curve, "P-384") == 0 ? 48 : 0;
    if (coordinate == 0 || !base64url_decode(a, member(j, "x"), &x) || !base64url_decode(a, member(j, "y"), &y) || x.n != coordinate || y.n != coordinate)
        return NULL;
    uint8_t point[1 + 2 * COORDINATE];
    struct wr w = wr_over(point, sizeof point);
    wr_u8(&w, POINT_CONVERSION_UNCOMPRESSED);
    wr_put(&w, x);
    wr_put(&w, y);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    must(b != NULL);
    EVP_PKEY *pkey = NULL;
    if (OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, w.n) == 1)
        pkey = key_of("EC", b); /* a point that is not on the curve is refused here */
    OSSL_PARAM_BLD_free(b);
    return pkey;
}

static bool add_key(struct jwks *k, const json_t *j)
{
    const char *use = member(j, "use"), *kid = member(j, "kid"), *alg = member(j, "alg"), *kty = member(j, "kty"), *curve = member(j, "crv");
    struct key *to = &k->key[k->n];
    if ((*use != '\0' && strcmp(use, "sig") != 0) || strlen(kid) >= KID || strlen(alg) >= sizeof to->alg)
        return false;
    struct arena *a = arena_new(1 << 20);
    bool rsa = strcmp(kty, "RSA") == 0;
    to->pkey = rsa ? rsa_key(a, j) : strcmp(kty, "EC") == 0 ? ec_key(a, j, curve) : NULL;
    arena_free(a);
    if (to->pkey == NULL)
        return false;
    memcpy(to->kid, kid, strlen(kid) + 1);
    memcpy(to->alg, alg, strlen(alg) + 1);
    memcpy(to->curve, rsa ? "" : curve, rsa ? 1 : strlen(curve) + 1);
    k->n++;
    return true;
}

struct jwks *jwks_parse(struct blob json, const char **why)
{
    json_t *root = json.n <= JWKS_MOST ? json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, NULL) : NULL, *list = json_object_get(root, "keys"), *j;
    struct jwks *k = calloc(1, sizeof *k);
    size_t i;
    must(k != NULL);
    json_array_foreach(list, i, j)
        if (k->n < JWKS_KEYS)
            add_key(k, j);
    *why = root == NULL ? "it is no JSON" : !json_is_array(list) ? "it has no list of keys" : k->n == 0 ? "it has no key that can be used" : NULL;
    json_decref(root);
    if (*why == NULL)
        return k;
    jwks_free(k);
    return NULL;
}

void jwks_free(struct jwks *k)
{
    for (size_t i = 0; k != NULL && i < k->n; i++)
        EVP_PKEY_free(k->key[i].pkey);
    free(k);
}

size_t jwks_count(const struct jwks *k) { return k->n; }

/* --- signatures -------------------------------------------------------------------------------------------------------------------------- */

/* The token has two numbers of fixed length, OpenSSL wants them in DER. */
static unsigned char *der_of(struct blob signature, size_t coordinate, int *n)
{
    unsigned char *der = NULL;
    ECDSA_SIG *s = ECDSA_SIG_new();
    struct rd r = rd_blob_of(signature);
    struct blob left = rd_blob(&r, coordinate), right = rd_blob(&r, coordinate);
    BIGNUM *x = BN_bin2bn(left.p, (int)left.n, NULL), *y = BN_bin2bn(right.p, (int)right.n, NULL);
    must(s != NULL && x != NULL && y != NULL && ECDSA_SIG_set0(s, x, y) == 1);
    *n = i2d_ECDSA_SIG(s, &der);
    ECDSA_SIG_free(s);
    return der;
}

static bool verify(const struct key *k, const struct algorithm *alg, struct blob text, struct blob signature)
{
    EVP_PKEY_CTX *how = NULL; /* belongs to m */
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    unsigned char *der = NULL;
    bool ok = m != NULL && EVP_DigestVerifyInit_ex(m, &how, alg->digest, NULL, NULL, k->pkey, NULL) == 1;
    if (ok && alg->family == RSA_PSS)
        ok = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1;
    if (ok && alg->family == ELLIPTIC) {
        int n = 0;
        ok = signature.n == 2 * alg->coordinate && (der = der_of(signature, alg->coordinate, &n)) != NULL;
        signature = blob_of(der, n > 0 ? (size_t)n : 0);
    }
    ok = ok && EVP_DigestVerify(m, signature.p, signature.n, text.p, text.n) == 1;
    OPENSSL_free(der);
    EVP_MD_CTX_free(m);
    return ok;
}

static bool fits(const struct key *k, const struct algorithm *alg, const char *kid)
{
    const char *curve = alg->curve != NULL ? alg->curve : "";
    return strcmp(k->curve, curve) == 0 && (k->alg[0] == '\0' || strcmp(k->alg, alg->name) == 0) && (kid == NULL || strcmp(k->kid, kid) == 0);
}

/* A token without a key id is tried with the keys of its kind. */
static enum jwt signed_by(const struct jwks *set, const struct algorithm *alg, const char *kid, struct blob text, struct blob signature)
{
    enum { TRIES = 8 };
    size_t tried = 0;
    for (size_t i = 0; i < set->n && tried < TRIES; i++) {
        if (!fits(&set->key[i], alg, kid))
            continue;
        tried++;
        if (verify(&set->key[i], alg, text, signature))
            return JWT_OK;
    }
    return tried == 0 ? JWT_UNKNOWN_KEY : JWT_SIGNATURE;
}

/* --- what it says ------------------------------------------------------------------------------------------------------------------------ */

/* Is `word` one of a blank-separated list? */
static bool listed(const char *list, const char *word, size_t n)
{
    for (const char *p = list; *p != '\0'; p += strcspn(p, " ")) {
        p += strspn(p, " ");
        if (n != 0 && strcspn(p, " ") == n && strncmp(p, word, n) == 0)
            return true;
    }
    return false;
}

/* Does a claim, a text or a list of texts, hold a word for which `list` has an equal? */
static bool any_listed(const json_t *claim, const char *list)
{
    size_t i;
    json_t *j;
    if (json_is_string(claim))
        return listed(list, json_string_value(claim), json_string_length(claim));
    json_array_foreach(claim, i, j)
        if (json_is_string(j) && listed(list, json_string_value(j), json_string_length(j)))
            return true;
    return false;
}

/* Scopes come as blank-separated words of one text, or as a list. */
static bool has_scope(const json_t *claim, const char *scope)
{
    return (json_is_string(claim) && listed(json_string_value(claim), scope, strlen(scope))) || (json_is_array(claim) && any_listed(claim, scope));
}

static bool moment(const json_t *claims, const char *name, int64_t *out)
{
    static const double most = 1e15;
    const json_t *j = json_object_get(claims, name);
    double d = json_number_value(j);
    bool ok = json_is_number(j) && d > -most && d < most;
    *out = ok ? (int64_t)d : 0;
    return ok;
}

static enum jwt check_times(const json_t *claims, const struct jwt_rules *r, struct jwt_claims *out)
{
    int64_t from;
    if (!moment(claims, "exp", &out->expires))
        return JWT_MALFORMED;
    if (out->expires <= r->now - r->skew)
        return JWT_EXPIRED;
    if (json_object_get(claims, "nbf") == NULL)
        return JWT_OK;
    if (!moment(claims, "nbf", &from))
        return JWT_MALFORMED;
    return from > r->now + r->skew ? JWT_NOT_YET : JWT_OK;
}

static void take_claims(const json_t *claims, struct arena *a, const char *wanted, struct jwt_claims *out)
{
    for (const char *p = wanted + strspn(wanted, " "); *p != '\0' && out->n < JWT_CLAIMS; p += strcspn(p, " "), p += strspn(p, " ")) {
        const char *name = arena_str(a, blob_of(p, strcspn(p, " ")));
        const json_t *j = json_object_get(claims, name);
        if (!json_is_string(j) || json_string_length(j) == 0 || (strcmp(name, "email") == 0 && json_is_false(json_object_get(claims, "email_verified"))))
            continue;
        out->claim[out->n].name = name;
        out->claim[out->n++].value = arena_strdup(a, json_string_value(j)); /* texts with a NUL within are no JSON here */
    }
}

static enum jwt check_claims(const json_t *claims, struct arena *a, const struct jwt_rules *r, struct jwt_claims *out)
{
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    enum jwt times = check_times(claims, r, out);
    if (times != JWT_OK)
        return times;
    if (issuer == NULL || *issuer == '\0' || strcmp(issuer, r->issuer) != 0)
        return JWT_ISSUER;
    if (!any_listed(json_object_get(claims, "aud"), r->audience))
        return JWT_AUDIENCE;
    if (*r->scope != '\0' && !has_scope(json_object_get(claims, "scope"), r->scope) && !has_scope(json_object_get(claims, "scp"), r->scope))
        return JWT_SCOPE;
    take_claims(claims, a, r->claims, out);
    return JWT_OK;
}

/* --- the token --------------------------------------------------------------------------------------------------------------------------- */

/* header.payload.signature; `text` is what was signed. */
static bool split(struct arena *a, const char *token, struct blob part[3], struct blob *text)
{
    size_t n[3], at = 0, whole = strlen(token);
    if (whole > JWT_MOST)
        return false;
    for (int i = 0; i < 3; i++, at++) {
        n[i] = strcspn(token + at, ".");
        if (n[i] == 0 || !base64url_decode(a, arena_str(a, blob_of(token + at, n[i])), &part[i]))
            return false;
        at += n[i];
        if (token[at] != (i < 2 ? '.' : '\0'))
            return false;
    }
    *text = blob_of(token, n[0] + 1 + n[1]);
    return true;
}

static json_t *object_of(struct blob text)
{
    json_t *j = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(j))
        return j;
    json_decref(j);
    return NULL;
}

static enum jwt check_signature(const struct jwks *k, struct blob head, struct blob text, struct blob signature)
{
    json_t *h = object_of(head);
    if (h == NULL)
        return JWT_MALFORMED;
    const json_t *id = json_object_get(h, "kid");
    const struct algorithm *alg = NULL;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(member(h, "alg"), algorithms[i].name) == 0)
            alg = &algorithms[i];
    enum jwt r = alg == NULL || json_object_get(h, "crit") != NULL || json_object_get(h, "b64") != NULL ? JWT_ALGORITHM
               : id != NULL && !json_is_string(id)                                                      ? JWT_MALFORMED
                                                                                                        : signed_by(k, alg, json_string_value(id), text, signature);
    json_decref(h);
    return r;
}

enum jwt jwt_check(const struct jwks *k, struct arena *a, const char *token, const struct jwt_rules *rules, struct jwt_claims *out)
{
    struct blob part[3], text;
    *out = (struct jwt_claims){ 0 };
    if (!split(a, token, part, &text))
        return JWT_MALFORMED;
    enum jwt r = check_signature(k, part[0], text, part[2]);
    if (r != JWT_OK)
        return r;
    json_t *claims = object_of(part[1]);
    if (claims == NULL)
        return JWT_MALFORMED;
    r = check_claims(claims, a, rules, out);
    json_decref(claims);
    return r;
}
