/* reply.h - what the requests of a session have in common: how a begin ends for the client, and what a reply carries. */
#ifndef SESSION_REPLY_H
#define SESSION_REPLY_H
#include "session/context/context.h"
#include "session/session.h"

struct begin_args  reply_args(const struct session_call *c);

/* Empty: no cookies, no expiration. */
void reply_empty(struct session_reply *r);

/* Cookies and expiration of a context. */
void reply_context(struct session_reply *r, struct context *x);

/* The code for a begin that did not let the request run; `x` may be NULL. */
void reply_refused(struct session_reply *r, enum begin b, struct context *x, const char *why);

/* The request is accepted: cookies into the reply, and the front may send the head. */
void reply_accepted(const struct session_call *c, struct session_reply *r, struct context *x);

/* After context_finish or context_destroy: the code, and the body if it took effect. */
void reply_finished(struct session_reply *r, enum finish f, struct context *x, struct blob body);
#endif
