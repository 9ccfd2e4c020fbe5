/* login_ldap.c - passwords checked by a directory server: the user's entry is found (a search as ldap_bind_dn, or a name by template), then bound as.
 *
 * Connections are kept, one list for searching and one for binding, no longer than the threads that check.  Several URIs are tried in turn; one that failed is
 * left alone for a while. */
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/base/wr.h"
#include "backend/directory/login_int.h"
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>

enum { URIS = 8, IDLE = 16, LEAVE_ALONE_MS = 15000 };

enum purpose { SEARCHING, BINDING };

struct ldap_pool {
    const struct config *config;
    pthread_mutex_t lock;
    char     uri[URIS][256];
    size_t   uris, good;             /* the one that served last */
    uint64_t down_until[URIS];
    struct { LDAP *ld[IDLE]; size_t n; } idle[2];
};

struct ldap_pool *login_ldap_new(const struct config *c)
{
    struct ldap_pool *p = calloc(1, sizeof *p);
    must(p != NULL);
    p->config = c;
    pthread_mutex_init(&p->lock, NULL);
    const char *all = c->ldap_uris != NULL ? c->ldap_uris : "";
    for (const char *u = all + strspn(all, " "); *u != '\0' && p->uris < URIS; u += strcspn(u, " "), u += strspn(u, " "))
        snprintf(p->uri[p->uris++], sizeof p->uri[0], "%.*s", (int)strcspn(u, " "), u);
    return p;
}

static void close_ld(LDAP *ld) { ldap_unbind_ext_s(ld, NULL, NULL); }

void login_ldap_free(struct ldap_pool *p)
{
    for (int k = 0; p != NULL && k < 2; k++)
        while (p->idle[k].n != 0)
            close_ld(p->idle[k].ld[--p->idle[k].n]);
    if (p != NULL)
        pthread_mutex_destroy(&p->lock);
    free(p);
}

/* --- connections --------------------------------------------------------------------------------------------------------------------------- */

static int bind_as(LDAP *ld, const char *dn, const char *password)
{
    struct berval secret = { strlen(password), (char *)(uintptr_t)password };
    return ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

static void set_up(const struct config *c, LDAP *ld)
{
    int three = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, client = 0;
    struct timeval t = { (time_t)(c->ldap_timeout / 1000), (suseconds_t)(c->ldap_timeout % 1000 * 1000) };
    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &three);
    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &t);
    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &t);
    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    if (*c->ldap_ca != '\0')
        ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, c->ldap_ca);
    ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client);
}

static LDAP *connect_to(const struct config *c, const char *uri, enum purpose why)
{
    LDAP *ld = NULL;
    int rc = ldap_initialize(&ld, uri);
    if (rc == LDAP_SUCCESS) {
        set_up(c, ld);
        rc = ldap_connect(ld);
    }
    if (rc == LDAP_SUCCESS && c->ldap_starttls && strncasecmp(uri, "ldap://", 7) == 0)
        rc = ldap_start_tls_s(ld, NULL, NULL);
    if (rc == LDAP_SUCCESS && why == SEARCHING && *c->ldap_bind_dn != '\0')
        rc = bind_as(ld, c->ldap_bind_dn, c->ldap_bind_password);
    if (rc == LDAP_SUCCESS)
        return ld;
    log_line(LOGL_ERROR, "directory", "the LDAP server does not serve", "path", uri, "error", ldap_err2string(rc), NULL);
    if (ld != NULL)
        close_ld(ld);
    return NULL;
}

/* Which to try as the k-th: from the one that served last; first those that did not fail lately, then all. */
static bool candidate(struct ldap_pool *p, size_t k, size_t *uri)
{
    pthread_mutex_lock(&p->lock);
    *uri = (p->good + k) % p->uris;
    bool now = (p->down_until[*uri] > clock_ms()) == (k >= p->uris);
    pthread_mutex_unlock(&p->lock);
    return now;
}

static LDAP *connect_any(struct ldap_pool *p, enum purpose why)
{
    for (size_t k = 0, uri; k < 2 * p->uris; k++) {
        if (!candidate(p, k, &uri))
            continue;
        LDAP *ld = connect_to(p->config, p->uri[uri], why);
        pthread_mutex_lock(&p->lock);
        p->down_until[uri] = ld != NULL ? 0 : clock_ms() + LEAVE_ALONE_MS;
        p->good = ld != NULL ? uri : p->good;
        pthread_mutex_unlock(&p->lock);
        if (ld != NULL)
            return ld;
    }
    return NULL;
}

struct ldap *login_ldap_connect(struct ldap_pool *p) { return p->uris != 0 ? connect_any(p, SEARCHING) : NULL; }

static LDAP *take(struct ldap_pool *p, enum purpose why)
{
    pthread_mutex_lock(&p->lock);
    LDAP *ld = p->idle[why].n != 0 ? p->idle[why].ld[--p->idle[why].n] : NULL;
    pthread_mutex_unlock(&p->lock);
    return ld;
}

static void give(struct ldap_pool *p, enum purpose why, LDAP *ld)
{
    pthread_mutex_lock(&p->lock);
    bool room = p->idle[why].n < IDLE;
    if (room)
        p->idle[why].ld[p->idle[why].n++] = ld;
    pthread_mutex_unlock(&p->lock);
    if (!room)
        close_ld(ld);
}

/* Did the server understand and decide, so that the connection can be used again? */
static bool decided(int rc)
{
    return rc >= 0 && rc != LDAP_BUSY && rc != LDAP_UNAVAILABLE && rc != LDAP_OPERATIONS_ERROR;
}

/* Runs an operation on a kept connection, and once more on a new one should that be dead.  LDAP_SERVER_DOWN: nobody serves. */
static int with_server(struct ldap_pool *p, enum purpose why, int (*run)(LDAP *ld, void *ctx), void *ctx)
{
    for (LDAP *ld = take(p, why); ; ld = NULL) {
        bool kept = ld != NULL;
        if (!kept && (ld = connect_any(p, why)) == NULL)
            return LDAP_SERVER_DOWN;
        int rc = run(ld, ctx);
        if (decided(rc)) {
            give(p, why, ld);
            return rc;
        }
        close_ld(ld);
        if (!kept) {
            log_line(LOGL_ERROR, "directory", "the LDAP server failed", "error", ldap_err2string(rc), NULL);
            return LDAP_SERVER_DOWN;
        }
    }
}

/* --- finding and binding ------------------------------------------------------------------------------------------------------------------- */

static bool harmless(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_' || c == '@'; }

/* RFC 4514 and RFC 4515 both take \xx for any byte. */
static const char *escape(struct arena *a, const char *value)
{
    struct wr w = wr_in(a, SIZE_MAX / 4);
    char hex[4];
    for (const char *p = value; *p != '\0'; p++)
        if (harmless((unsigned char)*p))
            wr_u8(&w, (uint8_t)*p);
        else
            wr_bytes(&w, hex, (size_t)snprintf(hex, sizeof hex, "\\%02x", (unsigned)(unsigned char)*p));
    return arena_str(a, wr_blob(&w));
}

struct search { struct arena *a; const struct config *c; const char *filter, *dn; int found; };

static int run_search(LDAP *ld, void *ctx)
{
    struct search *s = ctx;
    char none[] = LDAP_NO_ATTRS, *attrs[] = { none, NULL };
    LDAPMessage *m = NULL;
    int rc = ldap_search_ext_s(ld, s->c->ldap_base, LDAP_SCOPE_SUBTREE, s->filter, attrs, 0, NULL, NULL, NULL, 2, &m);
    s->found = 0;
    for (LDAPMessage *e = m != NULL ? ldap_first_entry(ld, m) : NULL; e != NULL; e = ldap_next_entry(ld, e)) {
        char *dn = ldap_get_dn(ld, e);
        s->dn = dn != NULL ? arena_strdup(s->a, dn) : NULL;
        s->found += dn != NULL;
        ldap_memfree(dn);
    }
    ldap_msgfree(m);
    return rc;
}

struct user_bind { const char *dn, *password; };

static int run_bind(LDAP *ld, void *ctx)
{
    const struct user_bind *b = ctx;
    return bind_as(ld, b->dn, b->password);
}

/* The DN to bind as; NULL with the answer. */
static const char *find(struct ldap_pool *p, const struct question *q, enum answer *answer)
{
    const struct config *c = p->config;
    if (*c->ldap_dn != '\0')
        return login_fill(q->a, c->ldap_dn, q->login, escape);
    struct search s = { .a = q->a, .c = c, .filter = login_fill(q->a, c->ldap_filter, q->login, escape) };
    int rc = with_server(p, SEARCHING, run_search, &s);
    *answer = rc == LDAP_SUCCESS || rc == LDAP_NO_SUCH_OBJECT || rc == LDAP_SIZELIMIT_EXCEEDED ? ANSWER_NO : ANSWER_DOWN;
    if (rc == LDAP_SUCCESS && s.found == 1)
        return s.dn;
    if (s.found > 1)
        log_line(LOGL_WARN, "directory", "more than one LDAP entry for a user", "value", s.filter, NULL);
    else if (*answer == ANSWER_DOWN && rc != LDAP_SERVER_DOWN)
        log_line(LOGL_ERROR, "directory", "the LDAP search failed", "error", ldap_err2string(rc), NULL);
    return NULL;
}

enum answer login_ldap(const struct question *q)
{
    struct ldap_pool *p = q->d->ldap;
    enum answer answer = ANSWER_DOWN;
    const char *dn = p->uris != 0 ? find(p, q, &answer) : NULL;
    if (dn == NULL)
        return answer;
    struct user_bind b = { dn, q->password };
    int rc = with_server(p, BINDING, run_bind, &b);
    switch (rc) {
    case LDAP_SUCCESS:
        return ANSWER_YES;
    case LDAP_INVALID_CREDENTIALS: case LDAP_NO_SUCH_OBJECT: case LDAP_INVALID_DN_SYNTAX: case LDAP_INAPPROPRIATE_AUTH: case LDAP_UNWILLING_TO_PERFORM:
    case LDAP_CONSTRAINT_VIOLATION: case LDAP_INSUFFICIENT_ACCESS:
        return ANSWER_NO;
    default:
        return ANSWER_DOWN;
    }
}
