/* tls_server.c - a PEM file -> names and dates. */
#include "backend/base/tls_server.h"
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

struct tls_server_cert { X509 *x; };

static void free_cert(void *p) { X509_free(((struct tls_server_cert *)p)->x); }

struct tls_server_cert *tls_server_read(struct arena *a, const char *path, const char **why)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        *why = arena_printf(a, "%s: %s", path, strerror(errno));
        return NULL;
    }
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    if (x == NULL) {
        *why = arena_printf(a, "%s: there is no certificate in it", path);
        return NULL;
    }
    struct tls_server_cert *c = arena_one(a, struct tls_server_cert);
    c->x = x;
    arena_defer(a, free_cert, c);
    return c;
}

bool tls_server_covers(const struct tls_server_cert *c, const char *host)
{
    return X509_check_host(c->x, host, strlen(host), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 || X509_check_ip_asc(c->x, host, 0) == 1;
}

static int64_t seconds(const ASN1_TIME *t)
{
    struct tm tm;
    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int64_t tls_server_not_before(const struct tls_server_cert *c) { return seconds(X509_get0_notBefore(c->x)); }
int64_t tls_server_not_after(const struct tls_server_cert *c) { return seconds(X509_get0_notAfter(c->x)); }
