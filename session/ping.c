/* ping.c - a PING: the context lives on; without a session nothing happens and nothing is wrong. MS-OXCMAPIHTTP R1248. */
#include "session/reply.h"

void session_ping(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct begin_args args = reply_args(c);
    const char *why = NULL, *cookie = NULL;
    int64_t retention = -1;
    reply_empty(r);
    if (c->context_cookie == NULL)
        return;
    enum begin b = context_ping(e, c->a, &args, &retention, &cookie, &why);
    if (b != BEGIN_RUN) {
        reply_refused(r, b, NULL, why);
        return;
    }
    r->context_cookie = cookie;
    r->sequence_cookie = context_own_sequence(e, c->a, &args); /* not rotated, but sent again with the others */
    r->expiration_ms = retention;
}
