/* test_tls_cert.c - names out of client certificates. */
#include "tests/mutate.h"
#include "tests/unit.h"
#include "backend/base/must.h"
#include "backend/base/tls_cert.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static struct arena *a;

/* As nginx's $ssl_client_escaped_cert. */
static const char *escaped(struct blob b)
{
    char *out = arena_alloc(a, b.n * 3 + 1), *o = out;
    for (size_t i = 0; i < b.n; i++)
        o += snprintf(o, 4, (b.p[i] >= 'A' && b.p[i] <= 'Z') || (b.p[i] >= 'a' && b.p[i] <= 'z') ? "%c" : "%%%02X", b.p[i]);
    return out;
}

static const char *certificate(const char *cn, int cn_type, const char *alternatives)
{
    EVP_PKEY *k = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *n = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const uint8_t *)"first", -1, -1, 0);
    if (cn != NULL)
        X509_NAME_add_entry_by_txt(n, "CN", cn_type, (const uint8_t *)cn, -1, -1, 0);
    ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
    ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
    X509_set_pubkey(x, k);
    if (alternatives != NULL) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternatives);
        must(e != NULL);
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    X509_sign(x, k, EVP_sha256());
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(b, x);
    char *p = NULL;
    long size = BIO_get_mem_data(b, &p);
    const char *out = escaped(blob_of(p, (size_t)size));
    BIO_free(b);
    X509_free(x);
    EVP_PKEY_free(k);
    return out;
}

TEST(names_in_their_order)
{
    struct tls_cert c;
    a = arena_new((size_t)1 << 30);
    REQUIRE(tls_cert_read(a, certificate("Ana Müller", MBSTRING_UTF8, "DNS:x.example.com,email:ana@example.com,otherName:msUPN;UTF8:ana@corp.example"), &c));
    REQUIRE(c.n == 3);
    CHECK_INT(c.name[0].kind, TLS_CERT_UPN);
    CHECK_STR(c.name[0].value, "ana@corp.example");
    CHECK_INT(c.name[1].kind, TLS_CERT_EMAIL);
    CHECK_STR(c.name[1].value, "ana@example.com");
    CHECK_INT(c.name[2].kind, TLS_CERT_CN);
    CHECK_STR(c.name[2].value, "Ana Müller");
    CHECK_INT(c.not_before, 1700000000);
    CHECK_INT(c.not_after, 1900000000);
    REQUIRE(tls_cert_read(a, certificate("evil\n@example.com", MBSTRING_UTF8, NULL), &c));
    CHECK_INT(c.n, 0);
    CHECK(!tls_cert_read(a, "", &c));
    CHECK(!tls_cert_read(a, "%", &c));
    CHECK(!tls_cert_read(a, "%4", &c));
    CHECK(!tls_cert_read(a, "-----BEGIN%20CERTIFICATE-----", &c));
    arena_free(a);
}

static void one(void *ctx, struct blob variant)
{
    struct tls_cert c;
    struct arena *own = arena_new(1 << 20);
    (void)ctx;
    if (memchr(variant.p, 0, variant.n) == NULL)
        tls_cert_read(own, arena_str(own, variant), &c);
    arena_free(own);
}

TEST(every_broken_certificate)
{
    a = arena_new((size_t)1 << 30);
    mutate_all(blob_str(certificate("ana", MBSTRING_UTF8, "email:ana@example.com,otherName:msUPN;UTF8:ana@corp.example")), one, NULL);
    arena_free(a);
}
