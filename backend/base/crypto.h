/* crypto.h - the only door to OpenSSL and libcrypt: random bytes, digests, MACs, key derivation, password hashes. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H
#include "backend/base/arena.h"

enum { SHA256 = 32, SHA1_BYTES = 20 };

void crypto_random(void *out, size_t n);                                   /* from the kernel; never fails */
void crypto_sha256(struct blob b, uint8_t out[SHA256]);
void crypto_sha1(struct blob b, uint8_t out[SHA1_BYTES]);                   /* where a protocol has it: Redis' names of scripts, files of offline address books */
struct sha1;                                                               /* running digest, in the arena */
struct sha1 *sha1_new(struct arena *a);
void sha1_add(struct sha1 *h, struct blob b);
void sha1_end(struct sha1 *h, uint8_t out[SHA1_BYTES]);
struct sha256;                                                             /* likewise */
struct sha256 *sha256_new(struct arena *a);
void sha256_add(struct sha256 *h, struct blob b);
void sha256_end(struct sha256 *h, uint8_t out[SHA256]);
void crypto_hmac(const uint8_t key[SHA256], struct blob b, uint8_t out[SHA256]);
void crypto_hkdf(struct blob secret, const char *info, uint64_t number, uint8_t out[SHA256]);
bool crypto_equal(const void *a, const void *b, size_t n);                 /* constant time */

/* yescrypt hash of a password ("$y$..."), in the arena; verify is constant time in the comparison. Memory-hard: ~30 ms each. */
const char *password_hash(struct arena *a, const char *password);
bool password_verify(const char *password, const char *hash);

/* base64url without padding, for cookies; decode returns false on anything else. base64 (standard) decode for HTTP Basic. */
char *base64(struct arena *a, struct blob b);
char *base64url(struct arena *a, struct blob b);
bool base64url_decode(struct arena *a, const char *text, struct blob *out);
bool base64_decode(struct arena *a, const char *text, struct blob *out);
#endif
