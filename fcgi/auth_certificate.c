/* auth_certificate.c - a client certificate that nginx has verified becomes a person by the names in it. */
#include "fcgi/auth_int.h"
#include "backend/base/filetime.h"
#include "backend/base/tls_cert.h"
#include <time.h>

static bool kind_of(const char *word, size_t n, enum tls_cert_kind *out)
{
    static const struct { const char *word; enum tls_cert_kind kind; } known[] = { { "upn", TLS_CERT_UPN }, { "email", TLS_CERT_EMAIL }, { "cn", TLS_CERT_CN } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].word) == n && strncmp(known[i].word, word, n) == 0) {
            *out = known[i].kind;
            return true;
        }
    return false;
}

/* Names of the kinds that the configuration wants, in its order; the first that is somebody's counts. */
static enum auth find(struct auth_try *t, const struct tls_cert *c)
{
    const char *words = t->e->config->certificate_names;
    enum auth outcome = AUTH_NOBODY;
    for (const char *p = words + strspn(words, " "); *p != '\0'; p += strcspn(p, " "), p += strspn(p, " ")) {
        enum tls_cert_kind kind;
        bool is = kind_of(p, strcspn(p, " "), &kind);
        for (size_t i = 0; is && i < c->n && outcome == AUTH_NOBODY; i++)
            if (c->name[i].kind == kind)
                outcome = auth_person(t, METHOD_CERTIFICATE, c->name[i].value, c->name[i].value);
    }
    return outcome;
}

/* A connection can outlive the certificate that it began with. */
enum auth auth_by_certificate(struct auth_try *t)
{
    struct tls_cert c;
    const char *proof = arena_printf(t->a, "Certificate %s", t->rq->client_cert);
    int64_t now = (int64_t)time(NULL);
    if (auth_recall(t, proof))
        return AUTH_OK;
    if (!tls_cert_read(t->a, t->rq->client_cert, &c) || now < c.not_before || now > c.not_after)
        return AUTH_ABSENT;
    enum auth outcome = find(t, &c);
    if (outcome == AUTH_OK)
        auth_keep(t, proof, clock_ms() + (uint64_t)(c.not_after - now) * 1000);
    return outcome;
}
