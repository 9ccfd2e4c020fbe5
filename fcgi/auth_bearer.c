/* auth_bearer.c - a signed token of the issuer that we trust becomes a person by its claims. */
#include "fcgi/auth_int.h"
#include "backend/base/filetime.h"
#include "backend/base/jwt.h"
#include <time.h>

/* Claims in the configuration's order; the first that the token has counts, whether or not it is somebody's. */
static enum auth find(struct auth_try *t, const struct jwt_claims *c)
{
    return c->n != 0 ? auth_person(t, METHOD_OAUTH, c->claim[0].value, c->claim[0].value) : AUTH_NOBODY;
}

static enum auth accepted(struct auth_try *t, const struct jwt_claims *c, const struct jwt_rules *rules)
{
    enum auth outcome = find(t, c);
    if (outcome == AUTH_OK)
        auth_keep(t, t->rq->authorization, clock_ms() + (uint64_t)(c->expires + rules->skew - rules->now) * 1000);
    return outcome;
}

static enum auth judge(struct auth_try *t, const struct jwks *set)
{
    const struct config *c = t->e->config;
    const struct jwt_rules rules = { c->oauth_issuer, c->oauth_audience, c->oauth_scope, c->oauth_claims, (int64_t)time(NULL), (int64_t)c->oauth_skew };
    struct jwt_claims claims;
    enum jwt r = jwt_check(set, t->a, arena_str(t->a, blob_of(t->token, strcspn(t->token, " \t"))), &rules, &claims);
    if (r == JWT_OK)
        return accepted(t, &claims, &rules);
    if (r == JWT_UNKNOWN_KEY && !t->slow && auth_jwks_due(t->e->jwks, c, true))
        return AUTH_SLOW;
    t->bearer_error = jwt_words(r);
    return AUTH_WRONG;
}

/* While newer keys are fetched for one request, the others go on with those at hand. */
enum auth auth_by_bearer(struct auth_try *t)
{
    struct auth_jwks *k = t->e->jwks;
    if (!t->slow && auth_recall(t, t->rq->authorization))
        return AUTH_OK;
    if (t->slow)
        auth_jwks_fetch(k, t->e->config);
    const struct jwks *set = auth_jwks_take(k);
    enum auth outcome = !t->slow && (set == NULL || auth_jwks_due(k, t->e->config, false)) ? AUTH_SLOW : set == NULL ? AUTH_DOWN : judge(t, set);
    auth_jwks_give(k, set);
    return outcome;
}
