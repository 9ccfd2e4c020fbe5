/* tls_cert.c - a client's certificate becomes names and the time of its validity. */
#include "backend/base/tls_cert.h"
#include "backend/base/must.h"
#include "backend/base/utf.h"
#include "backend/base/wr.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool unescape(struct arena *a, const char *s, struct blob *out)
{
    struct wr w = wr_in(a, TLS_CERT_MOST);
    for (; *s != '\0' && !w.full; s++) {
        if (*s != '%') {
            wr_u8(&w, (uint8_t)*s);
            continue;
        }
        int high = hex(s[1]), low = high >= 0 ? hex(s[2]) : -1;
        if (low < 0)
            return false;
        wr_u8(&w, (uint8_t)(high << 4 | low));
        s += 2;
    }
    *out = wr_blob(&w);
    return !w.full && out->n != 0;
}

/* A name with a NUL or a line end within is no name: it could be taken for another one. */
static bool clean(struct blob b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] < 0x20 || b.p[i] == 0x7f)
            return false;
    return b.n != 0 && utf8_valid(b);
}

static void add(struct arena *a, enum tls_cert_kind kind, const ASN1_STRING *s, struct tls_cert *out)
{
    unsigned char *text = NULL;
    int n = s != NULL ? ASN1_STRING_to_UTF8(&text, s) : -1;
    struct blob b = blob_of(text, n > 0 ? (size_t)n : 0);
    if (out->n < TLS_CERT_NAMES && clean(b)) {
        out->name[out->n].kind = kind;
        out->name[out->n++].value = arena_str(a, b);
    }
    OPENSSL_free(text);
}

static void add_alternatives(struct arena *a, X509 *x, enum tls_cert_kind kind, struct tls_cert *out)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; all != NULL && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        if (kind == TLS_CERT_EMAIL && g->type == GEN_EMAIL)
            add(a, kind, g->d.rfc822Name, out);
        if (kind == TLS_CERT_UPN && g->type == GEN_OTHERNAME && OBJ_obj2nid(g->d.otherName->type_id) == NID_ms_upn
            && g->d.otherName->value->type == V_ASN1_UTF8STRING)
            add(a, kind, g->d.otherName->value->value.utf8string, out);
    }
    GENERAL_NAMES_free(all);
}

static void add_common_name(struct arena *a, X509 *x, struct tls_cert *out)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    int last = -1;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0; )
        last = at;
    if (last >= 0)
        add(a, TLS_CERT_CN, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)), out);
}

static bool seconds(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;
    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

bool tls_cert_read(struct arena *a, const char *escaped, struct tls_cert *out)
{
    struct blob pem;
    *out = (struct tls_cert){ .n = 0 };
    if (!unescape(a, escaped, &pem))
        return false;
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    must(b != NULL);
    X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
    BIO_free(b);
    bool ok = x != NULL && seconds(X509_get0_notBefore(x), &out->not_before) && seconds(X509_get0_notAfter(x), &out->not_after);
    if (ok) {
        add_alternatives(a, x, TLS_CERT_UPN, out);
        add_alternatives(a, x, TLS_CERT_EMAIL, out);
        add_common_name(a, x, out);
    }
    X509_free(x);
    return ok;
}
