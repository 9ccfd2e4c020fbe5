/* test_crypto.c - digests, MACs and keys by published vectors; password hashes; base64. */
#include "backend/base/crypto.h"
#include "tests/unit.h"
#include <stdio.h>

TEST(sha)
{
    uint8_t out[SHA256], sha1[SHA1_BYTES];
    crypto_sha256(blob_str("abc"), out);
    CHECK_BYTES(blob_of(out, SHA256), "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad");
    crypto_sha256(blob_of(NULL, 0), out);
    CHECK_BYTES(blob_of(out, SHA256), "e3b0c442 98fc1c14 9afbf4c8 996fb924 27ae41e4 649b934c a495991b 7852b855");
    crypto_sha1(blob_str("abc"), sha1);
    CHECK_BYTES(blob_of(sha1, SHA1_BYTES), "a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d");
    struct arena *a = arena_new(1 << 16);
    struct sha256 *h = sha256_new(a);
    sha256_add(h, blob_str("a"));
    sha256_add(h, blob_of(NULL, 0));
    sha256_add(h, blob_str("bc"));
    sha256_end(h, out);
    CHECK_BYTES(blob_of(out, SHA256), "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad");
    arena_free(a);
}

/* RFC 4231 test case 1: HMAC pads its key of 20 bytes with zeros. */
TEST(hmac)
{
    uint8_t key[SHA256] = { 0 }, out[SHA256];
    memset(key, 0x0b, 20);
    crypto_hmac(key, blob_str("Hi There"), out);
    CHECK_BYTES(blob_of(out, SHA256), "b0344c61d8db38535ca8afceaf0bf12b 881dc200c9833da726e9376c2e32cff7");
}

/* RFC 5869 A.3 has no salt and no info; ours always has an info, so the number and the text must separate keys, and equal ones agree. */
TEST(hkdf_separates)
{
    uint8_t k[6][SHA256];
    crypto_hkdf(blob_str("secret"), "cookie", 1, k[0]);
    crypto_hkdf(blob_str("secret"), "cookie", 2, k[1]);
    crypto_hkdf(blob_str("secret"), "cookies", 1, k[2]);
    crypto_hkdf(blob_str("secrets"), "cookie", 1, k[3]);
    crypto_hkdf(blob_str("secret"), "cookie", (uint64_t)1 << 56, k[4]);
    crypto_hkdf(blob_str("secret"), "cookie", 1, k[5]);
    CHECK(memcmp(k[0], k[5], SHA256) == 0);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = i + 1; j < 5; j++)
            CHECK(memcmp(k[i], k[j], SHA256) != 0);
    /* made with: openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:secret -kdfopt hexinfo:636f6f6b69650000000000000001 HKDF */
    CHECK_BYTES(blob_of(k[0], SHA256), "fa1946f7c8ba220ea8eb1020fbf224f1add3aebf95a18daa42c9e40f27299035");
}

TEST(random_and_equal)
{
    uint8_t x[40] = { 0 }, y[40] = { 0 };
    CHECK(crypto_equal(x, y, sizeof x));
    crypto_random(x, sizeof x);
    crypto_random(y, sizeof y);
    CHECK(!crypto_equal(x, y, sizeof x));
    memcpy(y, x, sizeof y);
    y[39] ^= 1;
    CHECK(!crypto_equal(x, y, sizeof x));
    CHECK(crypto_equal(x, y, 39));
}

TEST(passwords)
{
    struct arena *a = arena_new(1 << 20);
    const char *hash = password_hash(a, "gr\xc3\xbc\xc3\x9f""e"), *other = password_hash(a, "gr\xc3\xbc\xc3\x9f""e");
    CHECK(strncmp(hash, "$y$", 3) == 0);
    CHECK(strcmp(hash, other) != 0);
    CHECK(password_verify("gr\xc3\xbc\xc3\x9f""e", hash));
    CHECK(password_verify("gr\xc3\xbc\xc3\x9f""e", other));
    CHECK(!password_verify("gr\xc3\xbc\xc3\x9f", hash));
    CHECK(!password_verify("", hash));
    CHECK(!password_verify("x", ""));
    CHECK(!password_verify("x", "*0"));
    CHECK(!password_verify("x", "not a hash"));
    arena_free(a);
}

TEST(base64_forms)
{
    static const struct { const char *plain, *std, *url; } v[] = {
        { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xfb\xff\xfe", "+//+", "-__-" },
    };
    struct arena *a = arena_new(1 << 16);
    struct blob b;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        CHECK_STR(base64(a, blob_str(v[i].plain)), v[i].std);
        CHECK_STR(base64url(a, blob_str(v[i].plain)), v[i].url);
        CHECK(base64_decode(a, v[i].std, &b) && blob_eq(b, blob_str(v[i].plain)));
        CHECK(base64url_decode(a, v[i].url, &b) && blob_eq(b, blob_str(v[i].plain)));
    }
    static const char *const bad[] = { "Z", "Zg=", "Zg", "Zh==", "Zm9=", "Zg==Zg==", "====", "=", "Z===", "Zm9v\n", "Zm 9", "-__-", "Zm9vY" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!base64_decode(a, bad[i], &b));
    static const char *const bad_url[] = { "Z", "Zg==", "Zh", "Zm9", "+//+", "Zm9v ", "Zm9vY" };
    for (size_t i = 0; i < sizeof bad_url / sizeof *bad_url; i++)
        CHECK(!base64url_decode(a, bad_url[i], &b));
    arena_free(a);
}
