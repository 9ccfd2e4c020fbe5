/* book.c - requests of the address-book endpoint: the session around them. MS-OXCMAPIHTTP 2.2.5, MS-OXNSPI 3.1.4.1. */
#include "session/nspi/nspi.h"
#include "session/reply.h"

static struct nspi_ctx context_of(struct session_env *e, struct session_call *c, struct nspi_env *env, struct nspi_args *q, struct nspi_answer *out)
{
    *env = (struct nspi_env){ e->config, e->directory };
    return (struct nspi_ctx){ .a = c->a, .env = env, .who = c->who, .in = q, .out = out,
                              .codec = { c->a, nspi_code_page(q->stat.code_page), PV_COUNTS_BOOK } };
}

/* The answer to a Bind that was taken or not: the same shape. */
static struct blob bind_body(struct session_env *e, struct session_call *c, const struct nspi_def *d, ec_t ec)
{
    struct nspi_answer out = { .delta = INT32_MIN };
    if (ec == ecNone && directory_server_guid(e->directory, &out.guid) != ecNone)
        ec = EC(ecGeneralFailure);
    return nspi_write(c->a, d, ec, &out);
}

/* An address-book session has no mailbox user: that tells it from the other kind. */
static void context_fill(struct context *x, const struct session_call *c, const struct nspi_args *q)
{
    x->user_dn = "";
    x->flags = q->flags;
    x->code_page = q->stat.code_page;
    x->lcid_sort = q->stat.sort_locale;
    x->client_app = c->client_app != NULL ? c->client_app : "";
    context_touch(x);
}

static void bind_session(struct session_env *e, struct session_call *c, struct session_reply *r, const struct nspi_def *d)
{
    struct nspi_args   q;
    struct begin_args  args = reply_args(c);
    struct context    *x = NULL;
    const char        *why = NULL;
    if (!nspi_read(c->a, d, 0, c->body, &q)) {
        r->code = XRC_INVALID_BODY;
        return;
    }
    ec_t ec = nspi_bind_check(&q);
    struct blob body = bind_body(e, c, d, ec);
    if (ec != ecNone) {
        r->body = body;
        return;
    }
    enum begin b = context_create(e, c->a, &args, &x, &why);
    if (b != BEGIN_RUN) {
        reply_refused(r, b, x, why);
        return;
    }
    context_fill(x, c, &q);
    enum finish f = context_finish(x, NULL, 0, body);
    if (f != CONTEXT_DONE) {
        r->code = XRC_UNKNOWN_FAILURE;
        r->diagnosis = "the session could not be created";
        return;
    }
    reply_accepted(c, r, x);
    r->body = body;
}

static void give_up(struct session_reply *r, struct context *x, enum xrc code)
{
    context_abandon(x);
    reply_context(r, x);
    r->code = code;
}

static void unbind(struct session_call *c, struct session_reply *r, struct context *x, const struct nspi_def *d)
{
    static const struct nspi_answer nothing = { .delta = INT32_MIN };
    reply_accepted(c, r, x);
    enum finish f = context_destroy(x);
    reply_finished(r, f == CONTEXT_FAILED ? CONTEXT_DONE : f, x, nspi_write(c->a, d, f == CONTEXT_DONE ? UNBIND_SUCCESS : UNBIND_FAILURE, &nothing));
}

static void run(struct session_env *e, struct session_call *c, struct session_reply *r, struct context *x, const struct nspi_def *d)
{
    struct nspi_env    env;
    struct nspi_args   q;
    struct nspi_answer out;
    if (!nspi_read(c->a, d, x->code_page, c->body, &q)) {
        give_up(r, x, XRC_INVALID_BODY);
        return;
    }
    if ((d->flags & ENDS) != 0) {
        unbind(c, r, x, d);
        return;
    }
    reply_accepted(c, r, x);
    struct nspi_ctx n = context_of(e, c, &env, &q, &out);
    n.turn = (struct entry_turn){ blob_of(x->id, sizeof x->id), x->epoch, x->sequence };
    struct blob body = nspi_run(&n, d);
    reply_finished(r, context_finish(x, NULL, 0, body), x, body);
}

/* Clients keep the cookies that they have over these, so no number is used up. */
static void aside(struct session_env *e, struct session_call *c, struct session_reply *r, const struct nspi_def *d)
{
    struct begin_args  args = reply_args(c);
    struct nspi_env    env;
    struct nspi_args   q;
    struct nspi_answer out;
    const char *why = NULL, *cookie = NULL;
    int64_t     retention = -1;
    enum begin b = c->context_cookie == NULL ? BEGIN_MISSING : context_ping(e, c->a, &args, &retention, &cookie, &why);
    if (b != BEGIN_RUN) {
        reply_refused(r, b, NULL, why);
        return;
    }
    r->context_cookie = cookie;
    r->sequence_cookie = context_own_sequence(e, c->a, &args);
    r->expiration_ms = retention;
    if (!nspi_read(c->a, d, 0, c->body, &q)) {
        r->code = XRC_INVALID_BODY;
        return;
    }
    struct nspi_ctx n = context_of(e, c, &env, &q, &out);
    r->body = nspi_run(&n, d);
}

void session_book(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    const struct nspi_def *d = nspi_find(c->type);
    struct begin_args args = reply_args(c);
    struct context *x = NULL;
    struct blob answer = { NULL, 0 };
    const char *why = NULL;
    reply_empty(r);
    if (d == NULL) {
        r->code = XRC_INVALID_REQUEST_TYPE;
        return;
    }
    if ((d->flags & (OPENS | ASIDE)) != 0) {
        ((d->flags & OPENS) != 0 ? bind_session : aside)(e, c, r, d);
        return;
    }
    enum begin b = context_begin(e, c->a, &args, &x, &answer, &why);
    if (b == BEGIN_ANSWER) {
        reply_context(r, x);
        r->body = answer;
    } else if (b != BEGIN_RUN) {
        reply_refused(r, b, x, why);
    } else if (*x->user_dn != '\0') { /* of the mailbox endpoint */
        give_up(r, x, XRC_CONTEXT_NOT_FOUND);
    } else {
        run(e, c, r, x, d);
    }
}
