/* auth.c - what a request brings along (a header, a certificate) becomes a person, a challenge, or work for a thread that may wait. */
#include "fcgi/auth_int.h"
#include "fcgi/auth_pool.h"
#include "backend/base/filetime.h"
#include "backend/base/log.h"
#include "backend/base/metric.h"
#include <errno.h>
#include <strings.h>

static const struct scheme {
    enum auth_method method;
    const char      *word, *name;
    enum metric      ok, failed;
} schemes[] = {
#define METHOD(id, word, name) { METHOD_##id, word, #name, METRIC_auth_ok_##name, METRIC_auth_failed_##name },
#include "fcgi/auth.def"
};

static enum auth (*const checks[])(struct auth_try *t) = { auth_by_negotiate, auth_by_bearer, auth_by_basic, auth_by_certificate };
enum { SCHEMES = sizeof schemes / sizeof schemes[0], CERTIFICATE = SCHEMES - 1 };
_Static_assert(sizeof checks / sizeof checks[0] == SCHEMES, "a check for each scheme of auth.def, in its order");

bool auth_open(struct auth_env *e, const struct config *c, struct directory *d, struct redis *r, struct arena *a, const char **why)
{
    *e = (struct auth_env){ .config = c, .directory = d };
    const char *wrong = login_unknown(a, c->auth_passwords);
    if (wrong != NULL) {
        *why = arena_printf(a, "auth_passwords: \"%s\" is not one of: own ldap pam", wrong);
        return false;
    }
    if (*c->oauth_jwks != '\0' && (*c->oauth_issuer == '\0' || *c->oauth_audience == '\0')) {
        *why = "oauth_jwks: tokens need oauth_issuer and oauth_audience too";
        return false;
    }
    if (*c->kerberos_keytab != '\0' && (e->gss = auth_gss_new(c->kerberos_keytab, a, why)) == NULL)
        return false;
    e->jwks = *c->oauth_jwks != '\0' ? auth_jwks_new() : NULL;
    e->map = *c->auth_map != '\0' ? auth_map_new(c->auth_map) : NULL;
    e->throttle = throttle_new(c, r);
    e->known = known_new();
    e->pool = auth_pool_start(c->auth_threads, c->auth_queue);
    if (e->pool == NULL)
        *why = arena_printf(a, "auth_threads: %s", strerror(errno));
    return e->pool != NULL;
}

void auth_close(struct auth_env *e)
{
    auth_pool_stop(e->pool);
    known_free(e->known);
    throttle_free(e->throttle);
    auth_map_free(e->map);
    auth_jwks_free(e->jwks);
    auth_gss_free(e->gss);
}

/* --- the last second --------------------------------------------------------------------------------------------------- */

bool auth_recall(const struct auth_try *t, const char *proof)
{
    return t->e->known != NULL && t->e->config->auth_cache != 0 && known_find(t->e->known, t->a, proof, t->rq->begun_us / 1000, &t->out->who);
}

void auth_keep(const struct auth_try *t, const char *proof, uint64_t until)
{
    uint64_t now = t->rq->begun_us / 1000;
    if (t->e->known != NULL && t->e->config->auth_cache != 0)
        known_keep(t->e->known, proof, until < now + KNOWN_MS ? until : now + KNOWN_MS, &t->out->who);
}

/* --- which scheme ------------------------------------------------------------------------------------------------------ */

static unsigned configured(const struct auth_env *e)
{
    return METHOD_BASIC | METHOD_CERTIFICATE | (e->gss != NULL ? METHOD_NEGOTIATE : 0u) | (e->jwks != NULL ? METHOD_OAUTH : 0u);
}

/* The scheme of the header, with t->token behind its word; without one that is offered and says something, the certificate that nginx has verified. */
static const struct scheme *scheme_of(struct auth_try *t)
{
    const char *header = t->rq->authorization != NULL ? t->rq->authorization : "";
    size_t n = strcspn(header, " \t");
    const char *rest = header + n + strspn(header + n, " \t");
    for (size_t i = 0; i < CERTIFICATE; i++)
        if ((t->methods & schemes[i].method) != 0 && strlen(schemes[i].word) == n && strncasecmp(schemes[i].word, header, n) == 0 && *rest != '\0') {
            t->token = rest;
            return &schemes[i];
        }
    bool verified = t->rq->tls && t->rq->client_cert != NULL && t->rq->client_verify != NULL && strcmp(t->rq->client_verify, "SUCCESS") == 0;
    return verified && (t->methods & METHOD_CERTIFICATE) != 0 ? &schemes[CERTIFICATE] : NULL;
}

/* --- what became of it ------------------------------------------------------------------------------------------------- */

/* One line per refusal, and one per login that was really checked; the lines of a guesser are bounded by his delays. */
static void audit(const struct auth_try *t, enum auth outcome)
{
    const char *name = t->out->name != NULL ? t->out->name : "", *addr = t->rq->addr != NULL ? t->rq->addr : "";
    if (outcome == AUTH_WRONG)
        log_line(LOGL_INFO, "auth", "login refused", "login", name, "addr", addr, "method", t->out->scheme, "error", t->bearer_error, NULL);
    else if (outcome == AUTH_NOBODY)
        log_line(LOGL_WARN, "auth", "authenticated, but nobody here", "login", name, "addr", addr, "method", t->out->scheme, NULL);
    else if (outcome == AUTH_OK && t->slow)
        log_line(LOGL_INFO, "auth", "login", "login", t->out->who.login, "addr", addr, "method", t->out->scheme, NULL);
}

static enum auth conclude(struct auth_try *t, const struct scheme *s, enum auth outcome)
{
    if (outcome == AUTH_SLOW)
        return outcome;
    if (s != NULL)
        metric_add(outcome == AUTH_OK ? s->ok : s->failed, 1);
    if (outcome == AUTH_NOBODY)
        metric_add(METRIC_auth_nobody, 1);
    audit(t, outcome);
    if (outcome == AUTH_ABSENT || outcome == AUTH_WRONG)
        t->out->challenge = auth_offer(t);
    uint64_t spent = clock_us() / 1000 - t->rq->begun_us / 1000;
    t->out->delay_ms = t->out->delay_ms > spent ? t->out->delay_ms - spent : 0; /* how long the check took is hidden in the delay */
    return outcome;
}

static enum auth run(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out, bool slow)
{
    struct auth_try t = { .e = e, .a = a, .rq = rq, .slow = slow, .out = out };
    unsigned allowed;
    *out = (struct auth_answer){ .scheme = NULL };
    if (!rq->tls && !e->config->auth_plain_http)
        return AUTH_PLAIN;
    if (vdir_methods(e->directory, rq->external, &allowed) != ecNone)
        return AUTH_DOWN;
    t.methods = allowed & configured(e);
    const struct scheme *s = scheme_of(&t);
    if (s == NULL)
        return conclude(&t, NULL, AUTH_ABSENT);
    out->scheme = s->word;
    return conclude(&t, s, checks[s - schemes](&t));
}

enum auth auth_begin(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out) { return run(e, a, rq, out, false); }
enum auth auth_finish(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out) { return run(e, a, rq, out, true); }

enum auth auth_check(const struct auth_env *e, struct arena *a, const struct request *rq, struct auth_answer *out)
{
    enum auth outcome = auth_begin(e, a, rq, out);
    return outcome == AUTH_SLOW ? auth_finish(e, a, rq, out) : outcome;
}
