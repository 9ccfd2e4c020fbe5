/* tls_cert.h - the names in a client's certificate, as nginx passes it on (PEM, URL-encoded) after it has verified the chain. */
#ifndef BASE_TLS_CERT_H
#define BASE_TLS_CERT_H
#include "backend/base/arena.h"

enum { TLS_CERT_MOST = 32768, TLS_CERT_NAMES = 8 };

enum tls_cert_kind { TLS_CERT_UPN, TLS_CERT_EMAIL, TLS_CERT_CN };   /* otherName 1.3.6.1.4.1.311.20.2.3; rfc822Name; the subject's last common name */

struct tls_cert {
    int64_t not_before, not_after;       /* s since 1970 */
    size_t  n;
    struct { enum tls_cert_kind kind; const char *value; } name[TLS_CERT_NAMES];   /* UTF-8 without control characters; UPNs, then mail names, then the CN */
};

/* False: no certificate can be read out of it.  Strings live in `a`. */
bool tls_cert_read(struct arena *a, const char *escaped, struct tls_cert *out);
#endif
