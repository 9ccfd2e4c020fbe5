/* jose.h - keys, key sets and signed tokens for tests, made with OpenSSL. */
#ifndef TESTS_JOSE_H
#define TESTS_JOSE_H
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

struct jose { EVP_PKEY *pkey; const char *kid, *alg; };

static inline struct jose jose_rsa(unsigned bits, const char *kid, const char *alg) { return (struct jose){ EVP_RSA_gen(bits), kid, alg }; }
static inline struct jose jose_ec(const char *curve, const char *kid, const char *alg) { return (struct jose){ EVP_EC_gen(curve), kid, alg }; }

static inline const char *jose_number(struct arena *a, const struct jose *k, const char *name, size_t least)
{
    BIGNUM *n = NULL;
    must(EVP_PKEY_get_bn_param(k->pkey, name, &n) == 1);
    size_t size = (size_t)BN_num_bytes(n) > least ? (size_t)BN_num_bytes(n) : least;
    uint8_t *p = arena_alloc(a, size);
    must(BN_bn2binpad(n, p, (int)size) == (int)size);
    BN_free(n);
    return base64url(a, blob_of(p, size));
}

/* {"kty":...}: the public key as a member of a set. */
static inline const char *jose_jwk(struct arena *a, const struct jose *k)
{
    if (EVP_PKEY_is_a(k->pkey, "RSA"))
        return arena_printf(a, "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"%s\",\"alg\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}", k->kid, k->alg,
                            jose_number(a, k, OSSL_PKEY_PARAM_RSA_N, 0), jose_number(a, k, OSSL_PKEY_PARAM_RSA_E, 0));
    size_t size = (size_t)(EVP_PKEY_get_bits(k->pkey) + 7) / 8;
    return arena_printf(a, "{\"kty\":\"EC\",\"kid\":\"%s\",\"alg\":\"%s\",\"crv\":\"P-%d\",\"x\":\"%s\",\"y\":\"%s\"}", k->kid, k->alg,
                        EVP_PKEY_get_bits(k->pkey), jose_number(a, k, OSSL_PKEY_PARAM_EC_PUB_X, size), jose_number(a, k, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

/* Signature of `text` as `alg` has it. */
static inline struct blob jose_signature(struct arena *a, const struct jose *k, const char *alg, const char *text)
{
    EVP_PKEY_CTX *how = NULL;
    EVP_MD_CTX *m = EVP_MD_CTX_new();
    size_t n = 1024;
    uint8_t *out = arena_alloc(a, n);
    must(EVP_DigestSignInit_ex(m, &how, strstr(alg, "384") != NULL ? "SHA384" : strstr(alg, "512") != NULL ? "SHA512" : "SHA256", NULL, NULL, k->pkey, NULL) == 1);
    if (alg[0] == 'P')
        must(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 && EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1);
    must(EVP_DigestSign(m, out, &n, (const uint8_t *)text, strlen(text)) == 1);
    EVP_MD_CTX_free(m);
    if (alg[0] != 'E')
        return blob_of(out, n);
    const uint8_t *der = out;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
    int size = (EVP_PKEY_get_bits(k->pkey) + 7) / 8;
    uint8_t *raw = arena_alloc(a, 2 * (size_t)size);
    must(s != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, size) == size && BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + size, size) == size);
    ECDSA_SIG_free(s);
    return blob_of(raw, 2 * (size_t)size);
}

/* header.payload.signature by the key, whatever the header says. */
static inline const char *jose_token_as(struct arena *a, const struct jose *k, const char *header, const char *payload)
{
    const char *text = arena_printf(a, "%s.%s", base64url(a, blob_str(header)), base64url(a, blob_str(payload)));
    return arena_printf(a, "%s.%s", text, base64url(a, jose_signature(a, k, k->alg, text)));
}

static inline const char *jose_token(struct arena *a, const struct jose *k, const char *payload)
{
    return jose_token_as(a, k, arena_printf(a, "{\"typ\":\"JWT\",\"alg\":\"%s\",\"kid\":\"%s\"}", k->alg, k->kid), payload);
}

static inline void jose_free(struct jose *k) { EVP_PKEY_free(k->pkey); }
#endif
