/* reply.c - results of the context room -> codes, cookies and words for the front. */
#include "session/reply.h"

struct begin_args reply_args(const struct session_call *c)
{
    return (struct begin_args){ .who = c->who, .context_cookie = c->context_cookie, .sequence_cookie = c->sequence_cookie, .type = c->type,
                                .request_id = c->request_id, .body = c->body, .head_due_ms = c->head_due_ms,
                                .retention_ms = c->retention_ms };
}

void reply_empty(struct session_reply *r) { *r = (struct session_reply){ .code = XRC_SUCCESS, .expiration_ms = -1 }; }

static const char *mailboxes_of(struct context *x)
{
    enum { SHOWN = 8 };
    char text[GUID_TEXT];
    const char *all = NULL;
    for (size_t i = 0; i < x->logons && i < SHOWN; i++) {
        guid_text(&x->logon[i].mailbox, text);
        if (all == NULL || strstr(all, text) == NULL)
            all = all != NULL ? arena_printf(x->a, "%s,%s", all, text) : arena_strdup(x->a, text);
    }
    return all;
}

void reply_context(struct session_reply *r, struct context *x)
{
    r->note.sequence = x->sequence;
    r->note.mailboxes = mailboxes_of(x);
    r->note.client_mode = x->client_mode == 1 ? "classic" : x->client_mode == 2 ? "cached" : NULL;
    r->context_cookie = context_cookie(x);
    r->sequence_cookie = context_sequence_cookie(x);
    r->expiration_ms = context_retention_ms(x);
}

void reply_refused(struct session_reply *r, enum begin b, struct context *x, const char *why)
{
    static const enum xrc code[] = {
        [BEGIN_RUN] = XRC_SUCCESS, [BEGIN_ANSWER] = XRC_SUCCESS, [BEGIN_MISSING] = XRC_MISSING_COOKIE, [BEGIN_FORGED] = XRC_INVALID_CONTEXT,
        [BEGIN_NOT_FOUND] = XRC_CONTEXT_NOT_FOUND, [BEGIN_SEQUENCE] = XRC_INVALID_SEQUENCE, [BEGIN_FULL] = XRC_UNKNOWN_FAILURE,
        [BEGIN_DOWN] = XRC_UNKNOWN_FAILURE
    };
    r->code = code[b];
    r->diagnosis = why;
    if (x != NULL)
        reply_context(r, x);
}

void reply_accepted(const struct session_call *c, struct session_reply *r, struct context *x)
{
    reply_context(r, x);
    if (c->accepted != NULL)
        c->accepted(c->front, r);
}

void reply_finished(struct session_reply *r, enum finish f, struct context *x, struct blob body)
{
    static const enum xrc code[] = {
        [CONTEXT_DONE] = XRC_SUCCESS, [CONTEXT_OVERTAKEN] = XRC_INVALID_SEQUENCE, [CONTEXT_FAILED] = XRC_UNKNOWN_FAILURE,
        [CONTEXT_GONE] = XRC_CONTEXT_NOT_FOUND
    };
    r->code = code[f];
    if (f == CONTEXT_DONE)
        r->body = body;
    else
        r->diagnosis = f == CONTEXT_FAILED ? "the changes could not be saved" : NULL;
    reply_context(r, x);
}
