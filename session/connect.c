/* connect.c - a Connect: a user's distinguished name -> a new context. MS-OXCMAPIHTTP 2.2.4.1, MS-OXCRPC 3.1.4.1. */
#include "backend/base/filetime.h"
#include "backend/base/utf.h"
#include "session/reply.h"
#include "session/rop/auxbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { POLLS_MAX_MS = 60000, RETRY_COUNT = 6, RETRY_DELAY_MS = 10000, BODY_MAX = 65536, HOST = 256 };

struct request { const char *dn; uint32_t flags, code_page, lcid_sort, lcid_string, client_mode; struct blob aux; };

static bool request_read(struct session_call *c, struct request *q)
{
    struct rd r = rd_blob_of(c->body);
    q->dn = arena_str(c->a, rd_asciiz(&r));
    q->flags = rd_u32(&r);
    q->code_page = rd_u32(&r);
    q->lcid_sort = rd_u32(&r);
    q->lcid_string = rd_u32(&r);
    q->aux = rd_blob(&r, rd_u32(&r));
    return rd_ok(&r);
}

/* Only one's own name: whoever may see another's mailbox connects as himself and logs on to it (OXCRPC R4887, R600, R603, R596). */
static ec_t check_dn(struct session_env *e, const struct session_call *c, const char *dn)
{
    struct person p;
    if (*dn == 0)
        return EC(ecAccessDenied);
    ec_t ec = directory_by_dn(e->directory, c->a, dn, &p);
    if (ec != ecNone)
        return ec == ecUnknownUser ? ec : EC(ecLoginFailure);
    if (p.disabled || !p.has_mailbox)
        return EC(ecUnknownUser);
    return strcasecmp(p.dn, c->who->dn) == 0 ? ecNone : EC(ecLoginPerm);
}

/* "Outlook/16.0.4266.1001" -> four numbers; zeros if it is not of that form. */
static void version_read(const char *app, uint16_t out[4])
{
    const char *p = app != NULL ? strchr(app, '/') : NULL;
    for (size_t i = 0; p != NULL && i < 4; i++) {
        char *end;
        unsigned long v = strtoul(p + 1, &end, 10);
        out[i] = v <= UINT16_MAX ? (uint16_t)v : UINT16_MAX;
        p = end != p + 1 && *end == '.' ? end : NULL;
    }
}

static void context_fill(struct context *x, const struct session_call *c, const struct request *q)
{
    x->user_dn = arena_strdup(c->a, c->who->dn);
    x->flags = q->flags;
    x->code_page = q->code_page;
    x->lcid_sort = q->lcid_sort;
    x->lcid_string = q->lcid_string;
    x->client_mode = q->client_mode;
    x->client_app = c->client_app != NULL ? c->client_app : "";
    version_read(c->client_app, x->client_version);
    context_touch(x);
}

/* What clients write into their logs to tell the administrator where they were. */
static const char *session_text(const struct session_env *e, struct arena *a)
{
    char host[HOST] = "", when[HTTP_DATE];
    const char *name = e->config->server_name;
    if (*name == 0 && gethostname(host, sizeof host - 1) == 0)
        name = host;
    return arena_printf(a, "ClientAccessServer=%s,ConnectTime=%s", name, http_date(filetime_to_unix(filetime_now()), when));
}

/* The same shape whether the user was taken or not: an error has zeros and empty strings, but for the times of the next attempt. */
static struct blob body_write(const struct session_env *e, struct arena *a, ec_t ec, const char *display_name)
{
    struct wr w = wr_in(a, BODY_MAX);
    struct blob aux = ec == ecNone ? auxbuf_connect(a, session_text(e, a)) : blob_of(NULL, 0);
    wr_u32(&w, 0);
    wr_u32(&w, ec);
    bool again = ec == ecNone || ec == ecTooManySessions; /* who is refused for now is told when to come again */
    wr_u32(&w, ec == ecNone ? POLLS_MAX_MS : 0);
    wr_u32(&w, again ? RETRY_COUNT : 0);
    wr_u32(&w, again ? RETRY_DELAY_MS : 0);
    wr_u8(&w, 0); /* DnPrefix: nothing to prepend */
    wr_put(&w, utf16_from_utf8(a, utf8_cut(blob_str(display_name), BODY_MAX / 8)));
    wr_u16(&w, 0);
    wr_u32(&w, (uint32_t)aux.n);
    wr_put(&w, aux);
    return wr_blob(&w);
}

static struct blob body_failure(struct arena *a, uint32_t status)
{
    struct wr w = wr_in(a, 8);
    wr_u32(&w, status);
    wr_u32(&w, 0);
    return wr_blob(&w);
}

static void create(struct session_env *e, struct session_call *c, const struct request *q, struct session_reply *r)
{
    struct begin_args args = reply_args(c);
    struct context *x = NULL;
    const char *why = NULL;
    enum begin b = context_create(e, c->a, &args, &x, &why);
    if (b == BEGIN_FULL) {
        r->body = body_write(e, c->a, EC(ecTooManySessions), "");
        r->diagnosis = why;
        return;
    }
    if (b != BEGIN_RUN) {
        reply_refused(r, b, x, why);
        return;
    }
    context_fill(x, c, q);
    struct blob body = body_write(e, c->a, ecNone, x->display_name);
    enum finish f = context_finish(x, NULL, 0, body);
    if (f != CONTEXT_DONE) {
        r->code = XRC_UNKNOWN_FAILURE;
        r->diagnosis = "the session could not be created";
        return;
    }
    reply_accepted(c, r, x);
    r->body = body;
}

void session_connect(struct session_env *e, struct session_call *c, struct session_reply *r)
{
    struct request q;
    struct auxbuf_block *block;
    size_t blocks;
    reply_empty(r);
    if (!request_read(c, &q)) {
        r->code = XRC_INVALID_BODY;
        return;
    }
    enum auxbuf_fault fault = auxbuf_size(q.aux.n);
    auxbuf_read(q.aux, c->a, &block, &blocks);
    q.client_mode = auxbuf_client_mode(block, blocks); /* all else is information only */
    ec_t ec = fault == AUXBUF_ERROR ? EC(ecRpcFailed) : check_dn(e, c, q.dn);
    if (fault == AUXBUF_STATUS)
        r->body = body_failure(c->a, AUXBUF_BAD_STUB);
    else if (ec != ecNone)
        r->body = body_write(e, c->a, ec, "");
    else
        create(e, c, &q, r);
}
