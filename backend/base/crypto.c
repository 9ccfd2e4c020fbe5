/* crypto.c - digests, MACs, keys and password hashes out of bytes. */

/* SHA-256 by OpenSSL's direct calls, which it calls deprecated: its newer ones look an algorithm up under locks and allocate at each use, three quarters of
 * the cost of a digest of a cookie, and a request makes a dozen. */
#define OPENSSL_SUPPRESS_DEPRECATED
#define SHA256 openssl_sha256 /* here SHA256 is a size */
#include <openssl/sha.h>
#undef SHA256
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

void crypto_random(void *out, size_t n)
{
    for (size_t got = 0; got < n; ) {
        ssize_t r = getrandom((uint8_t *)out + got, n - got, 0);
        must(r > 0 || errno == EINTR);
        got += r > 0 ? (size_t)r : 0;
    }
}

void crypto_sha256(struct blob b, uint8_t out[SHA256])
{
    SHA256_CTX h;
    must(SHA256_Init(&h) == 1 && SHA256_Update(&h, b.n != 0 ? (const void *)b.p : "", b.n) == 1 && SHA256_Final(out, &h) == 1);
}

void crypto_sha1(struct blob b, uint8_t out[SHA1_BYTES])
{
    must(EVP_Digest(b.n != 0 ? (const void *)b.p : "", b.n, out, NULL, EVP_sha1(), NULL) == 1);
}

struct sha1 { SHA_CTX md; };

struct sha1 *sha1_new(struct arena *a)
{
    struct sha1 *h = arena_one(a, struct sha1);
    must(SHA1_Init(&h->md) == 1);
    return h;
}

void sha1_add(struct sha1 *h, struct blob b)
{
    must(b.n == 0 || SHA1_Update(&h->md, b.p, b.n) == 1);
}

void sha1_end(struct sha1 *h, uint8_t out[SHA1_BYTES]) { must(SHA1_Final(out, &h->md) == 1); }

struct sha256 { SHA256_CTX md; };

struct sha256 *sha256_new(struct arena *a)
{
    struct sha256 *h = arena_one(a, struct sha256);
    must(SHA256_Init(&h->md) == 1);
    return h;
}

void sha256_add(struct sha256 *h, struct blob b)
{
    must(b.n == 0 || SHA256_Update(&h->md, b.p, b.n) == 1);
}

void sha256_end(struct sha256 *h, uint8_t out[SHA256]) { must(SHA256_Final(out, &h->md) == 1); }

/* RFC 2104: digest of (key ^ mask, text), the key filled up with zeros to a block. */
static void keyed(const uint8_t key[SHA256], uint8_t mask, struct blob text, uint8_t out[SHA256])
{
    SHA256_CTX h;
    uint8_t block[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)((i < SHA256 ? key[i] : 0) ^ mask);
    must(SHA256_Init(&h) == 1 && SHA256_Update(&h, block, sizeof block) == 1);
    must((text.n == 0 || SHA256_Update(&h, text.p, text.n) == 1) && SHA256_Final(out, &h) == 1);
    OPENSSL_cleanse(block, sizeof block);
}

void crypto_hmac(const uint8_t key[SHA256], struct blob b, uint8_t out[SHA256])
{
    uint8_t inner[SHA256];
    keyed(key, 0x36, b, inner);
    keyed(key, 0x5C, blob_of(inner, sizeof inner), out);
}

/* RFC 5869 with one block of output: extract with a salt of zeros, expand with info = text, number (big-endian), 1. */
void crypto_hkdf(struct blob secret, const char *info, uint64_t number, uint8_t out[SHA256])
{
    uint8_t zero[SHA256] = { 0 }, prk[SHA256], text[128];
    size_t  n = strlen(info);
    must(n + 9 <= sizeof text);
    memcpy(text, info, n);
    for (size_t i = 0; i < 8; i++)
        text[n + i] = (uint8_t)(number >> (56 - 8 * i));
    text[n + 8] = 1;
    crypto_hmac(zero, secret, prk);
    crypto_hmac(prk, blob_of(text, n + 9), out);
    OPENSSL_cleanse(prk, sizeof prk);
}

bool crypto_equal(const void *a, const void *b, size_t n) { return CRYPTO_memcmp(a, b, n) == 0; }

const char *password_hash(struct arena *a, const char *password)
{
    char             *salt = arena_alloc(a, CRYPT_GENSALT_OUTPUT_SIZE);
    struct crypt_data *d = arena_one(a, struct crypt_data);
    uint8_t           random[32];
    crypto_random(random, sizeof random);
    must(crypt_gensalt_rn("$y$", 0, (const char *)random, sizeof random, salt, CRYPT_GENSALT_OUTPUT_SIZE) != NULL);
    const char *hash = crypt_rn(password, salt, d, sizeof *d);
    must(hash != NULL);
    char *copy = arena_strdup(a, hash);
    OPENSSL_cleanse(d, sizeof *d);
    return copy;
}

bool password_verify(const char *password, const char *hash)
{
    struct crypt_data d = { 0 };
    const char *got = crypt_rn(password, hash, &d, sizeof d);
    bool ok = got != NULL && strlen(got) == strlen(hash) && crypto_equal(got, hash, strlen(hash));
    OPENSSL_cleanse(&d, sizeof d);
    return ok;
}

/* --- base64 ------------------------------------------------------------------------------------------------------------ */
char *base64url(struct arena *a, struct blob b)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char    *out = arena_alloc(a, (b.n * 4 + 2) / 3 + 1);
    uint32_t v = 0;
    size_t   bits = 0, n = 0;
    for (size_t i = 0; i < b.n; i++) {
        v = (v << 8 | b.p[i]) & 0x3FFF;
        for (bits += 8; bits >= 6; bits -= 6)
            out[n++] = digit[v >> (bits - 6) & 63];
    }
    if (bits != 0)
        out[n] = digit[v << (6 - bits) & 63];
    return out;
}

static int digit_value(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == c62 ? 62 : c == c63 ? 63 : -1;
}

/* Leftover bits must be zero, so that one value has one text. */
static bool decode(struct arena *a, const char *text, size_t len, char c62, char c63, struct blob *out)
{
    uint8_t *p = arena_alloc(a, len / 4 * 3 + 3);
    uint32_t v = 0;
    size_t   bits = 0, n = 0;
    for (size_t i = 0; i < len; i++) {
        int d = digit_value(text[i], c62, c63);
        if (d < 0)
            return false;
        v = (v << 6 | (uint32_t)d) & 0x3FFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            p[n++] = (uint8_t)(v >> bits);
        }
    }
    *out = blob_of(p, n);
    return len % 4 != 1 && (v & ((1u << bits) - 1)) == 0;
}

bool base64url_decode(struct arena *a, const char *text, struct blob *out)
{
    return decode(a, text, strlen(text), '-', '_', out);
}

bool base64_decode(struct arena *a, const char *text, struct blob *out)
{
    size_t len = strlen(text);
    if (len % 4 != 0)
        return false;
    size_t pad = len != 0 && text[len - 1] == '=' ? (text[len - 2] == '=' ? 2 : 1) : 0;
    return decode(a, text, len - pad, '+', '/', out);
}
