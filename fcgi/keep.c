/* keep.c - an access-log line's strings <-> bytes. */
#include "fcgi/keep.h"

struct numbers { uint64_t auth_us, sequence; size_t body; time_t begun; struct guid mailbox; bool known, has_mailbox; };

enum { STRINGS = 16 };

/* All strings of a line that do not live as long as the process, and those that do where it costs less than to tell them apart. */
static void strings(struct kept *k, const char **v[STRINGS])
{
    const char **all[STRINGS] = { &k->rq.server_id, &k->rq.id, &k->rq.client_request_id, &k->rq.type, &k->rq.addr, &k->rq.client_info, &k->rq.client_app,
                                  &k->rq.user_agent, &k->who.login, &k->who.smtp, &k->x.method, &k->x.session, &k->note.mailboxes, &k->x.endpoint,
                                  &k->x.worker, &k->note.client_mode };
    memcpy(v, all, sizeof all);
}

static void fill(struct kept *k, const struct access *x)
{
    *k = (struct kept){ .x = *x, .rq = *x->rq };
    if (x->who != NULL)
        k->who = *x->who;
    if (x->note != NULL)
        k->note = *x->note;
    if (k->rq.client_app != NULL)
        k->rq.user_agent = NULL; /* not shown then */
}

/* A string is its bytes and NUL; NULL is one byte that no header holds. */
static const char absent[] = "\x01";

size_t keep_pack(const struct access *x, char *out)
{
    struct kept k;
    const char **v[STRINGS];
    fill(&k, x);
    strings(&k, v);
    const struct numbers n = { x->auth_us, k.note.sequence, x->rq->body.n, x->rq->begun, k.who.mailbox, x->who != NULL, k.who.has_mailbox };
    size_t at = sizeof n;
    if (out != NULL)
        memcpy(out, &n, sizeof n);
    for (size_t i = 0; i < STRINGS; i++) {
        const char *s = *v[i] != NULL ? *v[i] : absent;
        if (out != NULL)
            memcpy(out + at, s, strlen(s) + 1);
        at += strlen(s) + 1;
    }
    return at;
}

void keep_unpack(const char *packed, struct kept *out)
{
    const char **v[STRINGS], *at = packed + sizeof(struct numbers);
    struct numbers n;
    memcpy(&n, packed, sizeof n);
    *out = (struct kept){ .rq = { .method = "POST", .begun = n.begun, .body = blob_of(NULL, n.body) },
                          .who = { .has_mailbox = n.has_mailbox, .mailbox = n.mailbox }, .note = { .sequence = n.sequence } };
    strings(out, v);
    for (size_t i = 0; i < STRINGS; i++) {
        *v[i] = strcmp(at, absent) != 0 ? at : NULL;
        at += strlen(at) + 1;
    }
    out->x.rq = &out->rq;
    out->x.who = n.known ? &out->who : NULL;
    out->x.note = &out->note;
    out->x.auth_us = n.auth_us;
}
