/* private.c - the parts of a context in work: key, token, digests, connection, the lease of its lock. */
#include "session/context/context_int.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "session/context/cookie.h"
#include "session/context/header.h"

static char *hex(struct arena *a, const uint8_t *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    char *text = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digit[p[i] >> 4];
        text[2 * i + 1] = digit[p[i] & 15];
    }
    return text;
}

struct blob private_key(struct arena *a, const char *prefix, const uint8_t id[CONTEXT_ID])
{
    return blob_str(arena_printf(a, "%s{%s}", prefix, hex(a, id, CONTEXT_ID)));
}

static void cut_digest(struct blob b, uint8_t *out, size_t n)
{
    uint8_t all[SHA256];
    crypto_sha256(b, all);
    memcpy(out, all, n);
}

void private_identity(const struct person *who, uint8_t out[IDENTITY]) { cut_digest(blob_str(who->login), out, IDENTITY); }

static void digest_request(struct arena *a, const struct begin_args *args, struct context_private *p)
{
    struct sha256 *h = sha256_new(a);
    sha256_add(h, blob_of(args->type, strlen(args->type) + 1));
    sha256_add(h, args->body);
    sha256_end(h, p->digest);
    cut_digest(blob_str(args->request_id), p->request_id, REQUEST_ID);
}

void private_new_token(struct context *c)
{
    crypto_random(c->p->token, TOKEN);
    memcpy(c->p->lease.token, c->p->token, TOKEN);
}

struct context *private_new(const struct session_env *e, struct arena *a, const uint8_t id[CONTEXT_ID], const struct begin_args *args)
{
    struct context *c = arena_one(a, struct context);
    struct context_private *p = c->p = arena_one(a, struct context_private);
    c->a = a;
    memcpy(c->id, id, CONTEXT_ID);
    p->env = *e;
    p->key = private_key(a, e->config->redis_prefix, id);
    p->lease.redis = e->redis;
    p->lease.key = p->key;
    p->lease.lease_ms = e->config->lock_lease;
    p->lease.retention_ms = args != NULL && args->retention_ms != 0 ? args->retention_ms : e->config->session_retention * 1000;
    if (args != NULL) {
        private_identity(args->who, p->identity);
        if (args->type != NULL)
            digest_request(a, args, p);
    }
    private_new_token(c);
    return c;
}

int64_t private_retention(const struct context *c) { return (int64_t)c->p->lease.retention_ms; }
int64_t context_retention_ms(struct context *c) { return private_retention(c); }

bool private_connect(struct context *c)
{
    if (c->p->redis == NULL)
        c->p->redis = redis_take_key(c->p->env.redis, c->a, c->p->key);
    if (c->p->redis != NULL)
        redis_run(c->p->redis, c->p->run);
    return c->p->redis != NULL;
}

/* --- the lock -------------------------------------------------------------------------------------------------------------------- */
static void abandon_at_end(void *ptr)
{
    struct context *c = ptr;
    if (c->p->lease.link != NULL)
        context_abandon(c);
}

void private_held(struct context *c)
{
    lease_begin(&c->p->lease);
    arena_defer(c->a, abandon_at_end, c);
}

void private_let_go(struct context *c) { lease_end(&c->p->lease); }

bool context_lost(const struct context *c) { return !c->p->fresh && lease_lost(&c->p->lease); }

void private_reset(struct context *c)
{
    struct context clean = { .a = c->a, .p = c->p };
    memcpy(clean.id, c->id, CONTEXT_ID);
    *c = clean;
    c->p->blocks = c->p->nknown = 0;
}

/* --- the header --------------------------------------------------------------------------------------------------------------------- */
bool private_load(struct context *c, const struct control *k, struct blob zero, struct blob one)
{
    struct context_private *p = c->p;
    private_reset(c);
    p->control = *k;
    p->current = k->slot == 0 ? zero : one;
    p->other = k->slot == 0 ? one : zero;
    c->sequence = k->sequence;
    c->epoch = k->epoch;
    if (!header_load(p->current, c))
        return false;
    p->handle_cap = c->handles;
    p->staged = false;
    for (size_t i = 0; i < c->handles; i++)
        p->staged |= c->handle[i].staged;
    journals_of(c, blob_of(NULL, 0));
    return true;
}

enum begin private_unreadable(const struct context *c)
{
    unsigned layout = header_layout(c->p->current);
    if (layout > HEADER_LAYOUT)
        log_line(LOGL_ERROR, "context", "a session of a newer release: this worker has not been upgraded", "layout", arena_printf(c->a, "%u", layout), "version",
                 arena_printf(c->a, "%d", HEADER_LAYOUT), NULL);
    else
        log_line(LOGL_ERROR, "context", "damaged or unknown header", NULL);
    return BEGIN_NOT_FOUND;
}

/* --- cookies -------------------------------------------------------------------------------------------------------------------------- */
/* Made once each, but for the word that the request has ended, which a head that leaves before the answer cannot have. */
const char *context_cookie(struct context *c)
{
    if (c->p->cookie == NULL)
        c->p->cookie = cookie_context(c->p->env.keys, c->a, c->id, cookie_epoch());
    return c->p->cookie;
}

const char *context_sequence_cookie(struct context *c)
{
    struct context_private *p = c->p;
    uint64_t number = (c->sequence + 1) | (p->ended != 0 && commit_layout(c) >= 2 ? p->ended : 0); /* programs of layout 1 do not know the marks */
    if (p->sequence_cookie == NULL || p->sequence_cookie_of != number) {
        p->sequence_cookie = cookie_sequence(p->env.keys, c->a, c->id, number, cookie_epoch());
        p->sequence_cookie_of = number;
    }
    return p->sequence_cookie;
}

const char *context_digest(struct arena *a, const uint8_t id[CONTEXT_ID])
{
    uint8_t d[8];
    cut_digest(blob_of(id, CONTEXT_ID), d, sizeof d);
    return hex(a, d, sizeof d);
}
