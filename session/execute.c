/* execute.c - an Execute: begin, the ROPs, finish. */
#include "backend/base/filetime.h"
#include "backend/base/metric.h"
#include "session/rate.h"
#include "session/reply.h"
#include "session/rop/execute.h"

/* Nothing of the request stays but its number; the answer says why. */
static void give_up(struct session_reply *r, struct context *x, enum xrc code, struct blob body)
{
    context_abandon(x);
    reply_context(r, x);
    r->code = code;
    r->body = body;
}

/* A user who is faster than he may be gets an answer that says when to come again; his session is as usable as before. */
static void limit_rate(const struct session_env *e, const struct session_call *c, struct execute *q)
{
    const struct config *k = e->config;
    if (e->rate == NULL || k->rate_per_user == 0 || q->rops.n == 0)
        return;
    q->backoff_ms = rate_take(e->rate, c->who->login, k->rate_per_user, k->rate_burst, clock_us());
    metric_add(METRIC_limit_rate, q->backoff_ms != 0);
}

static void run(struct session_env *e, const struct execute *q, struct session_reply *r, struct context *x)
{
    struct execute_result done;
    struct rop_env env = { e->config, e->store, e->directory };
    execute_run(&env, x, q, &done);
    r->note.rops = done.rops;
    if (done.damaged) {
        give_up(r, x, context_unreachable(x) ? XRC_UNKNOWN_FAILURE : XRC_CONTEXT_NOT_FOUND, blob_of(NULL, 0));
        return;
    }
    if (done.failed) {
        give_up(r, x, XRC_SUCCESS, done.body);
        return;
    }
    reply_finished(r, context_finish(x, done.changed, done.nchanged, done.body), x, done.body);
}

/* A body that cannot be read is told only after everything that the cookies decide (13, 6, 10, 15, then 12). */
void session_execute(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct execute q;
    struct begin_args args = reply_args(c);
    struct context *x = NULL;
    struct blob answer = { NULL, 0 };
    const char *why = NULL;
    reply_empty(r);
    execute_parse(&q, c->a, c->body);
    args.handles = q.handle;
    args.nhandles = q.handles;
    enum begin b = context_begin(e, c->a, &args, &x, &answer, &why);
    if (b == BEGIN_ANSWER) {
        reply_context(r, x);
        r->body = answer;
    } else if (b != BEGIN_RUN) {
        reply_refused(r, b, x, why);
    } else if (*x->user_dn == '\0') { /* a session of the address book */
        give_up(r, x, XRC_CONTEXT_NOT_FOUND, blob_of(NULL, 0));
    } else if (q.bad_body) {
        give_up(r, x, XRC_INVALID_BODY, blob_of(NULL, 0));
    } else {
        reply_accepted(c, r, x);
        limit_rate(e, c, &q);
        run(e, &q, r, x);
    }
}
