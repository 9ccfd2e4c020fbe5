/* crypto.c - digests, MACs, keys and password hashes out of bytes. */
#include "backend/base/crypto.h"
#include "backend/base/must.h"
#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sys/random.h>

void crypto_random(void *out, size_t n)
{
    for (size_t got = 0; got < n; ) {
        ssize_t r = getrandom((uint8_t *)out + got, n - got, 0);
        must(r > 0 || errno == EINTR);
        got += r > 0 ? (size_t)r : 0;
    }
}

/* Fetched once: by its name OpenSSL would look it up under a lock at each use. */
static const EVP_MD *fetched;
static void fetch(void) { fetched = EVP_MD_fetch(NULL, "SHA2-256", NULL); }

static const EVP_MD *sha2(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch);
    must(fetched != NULL);
    return fetched;
}

static void digest(const EVP_MD *md, struct blob b, uint8_t *out)
{
    must(EVP_Digest(b.n != 0 ? (const void *)b.p : "", b.n, out, NULL, md, NULL) == 1);
}

void crypto_sha256(struct blob b, uint8_t out[SHA256]) { digest(sha2(), b, out); }
void crypto_sha1(struct blob b, uint8_t out[SHA1_BYTES]) { digest(EVP_sha1(), b, out); }

struct sha256 { EVP_MD_CTX *md; };

static void end_md(void *md) { EVP_MD_CTX_free(md); }

struct sha256 *sha256_new(struct arena *a)
{
    struct sha256 *h = arena_one(a, struct sha256);
    h->md = EVP_MD_CTX_new();
    must(h->md != NULL && EVP_DigestInit_ex(h->md, sha2(), NULL) == 1);
    arena_defer(a, end_md, h->md);
    return h;
}

void sha256_add(struct sha256 *h, struct blob b)
{
    must(b.n == 0 || EVP_DigestUpdate(h->md, b.p, b.n) == 1);
}

void sha256_end(struct sha256 *h, uint8_t out[SHA256])
{
    unsigned n = SHA256;
    must(EVP_DigestFinal_ex(h->md, out, &n) == 1);
}

void crypto_hmac(const uint8_t key[SHA256], struct blob b, uint8_t out[SHA256])
{
    unsigned n = SHA256;
    must(HMAC(sha2(), key, SHA256, b.n != 0 ? b.p : (const uint8_t *)"", b.n, out, &n) != NULL);
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
