/* disconnect.c - a Disconnect: everything of the context goes. MS-OXCMAPIHTTP 2.2.4.3, 3.2.5.4. */
#include "session/reply.h"

/* Auxiliary buffer only, or no body at all (MS-OXCMAPIHTTP R1165, R301). */
static bool body_valid(struct blob body)
{
    struct rd r = rd_blob_of(body);
    if (body.n == 0)
        return true;
    rd_blob(&r, rd_u32(&r));
    return rd_ok(&r);
}

static struct blob body_write(struct arena *a)
{
    struct wr w = wr_in(a, 12);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

void session_disconnect(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct begin_args args = reply_args(c);
    struct context *x = NULL;
    struct blob answer = { NULL, 0 };
    const char *why = NULL;
    reply_empty(r);
    enum begin b = context_begin(e, c->a, &args, &x, &answer, &why);
    if (b == BEGIN_ANSWER) {
        reply_context(r, x);
        r->body = answer;
    } else if (b != BEGIN_RUN) {
        reply_refused(r, b, x, why);
    } else if (!body_valid(c->body)) {
        context_abandon(x);
        reply_context(r, x);
        r->code = XRC_INVALID_BODY;
    } else {
        reply_accepted(c, r, x);
        reply_finished(r, context_destroy(x), x, body_write(c->a));
    }
}
