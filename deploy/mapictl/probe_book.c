/* probe_book.c - the address book as Outlook uses it: Bind, the own name resolved and read, Unbind. */
#include "deploy/mapictl/probe.h"
#include "tests/client/nspic.h"
#include <strings.h>

static uint32_t ask(struct probe *p, struct mapic *book, const char *type, const struct nspic_ask *q, struct nspic_reply *r)
{
    p->s.why = NULL;
    uint32_t ec = nspic_call(book, p->c->a, type, q, NULL, r, &p->s.why);
    memcpy(p->client.worker, book->worker, sizeof p->client.worker); /* who is shown as the one that answered */
    p->s.code = r->http.code;
    return ec == UINT32_MAX ? STEP_LOST : ec;
}

static const char *text_of(struct probe *p, const struct nspic_row *row, uint32_t tag)
{
    const struct propval *v = nspic_find(row, tag);
    return v != NULL && type_string(prop_type(v->tag)) ? arena_str(p->c->a, v->v.s) : "";
}

/* His own name, as Outlook resolves a recipient; then what the book says of him. */
static bool find_oneself(struct probe *p, struct mapic *book)
{
    static const uint32_t found[] = { PidTagInstanceKey, PidTagDisplayName, PidTagSmtpAddress }, details[] = { PidTagDisplayName, PidTagEmailAddress, PidTagSmtpAddress };
    struct nspic_stat s = { .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
    struct nspic_reply r;
    const char *name = p->login;
    probe_begin(p);
    uint32_t ec = ask(p, book, "ResolveNames", &(struct nspic_ask){ .stat = &s, .names = &name, .nnames = 1, .tags = found, .ntags = 3 }, &r);
    if (ec == ecNone && (r.rows != 1 || r.row[0].v[0].v.bin.n != sizeof s.current))
        ec = ecNotFound;
    if (!probe_told(p, "Resolve the own address", ec, ec == ecNone ? text_of(p, &r.row[0], PidTagDisplayName) : name))
        return false;
    struct rd key = rd_blob_of(r.row[0].v[0].v.bin);
    s.current = rd_u32(&key);
    probe_begin(p);
    ec = ask(p, book, "GetProps", &(struct nspic_ask){ .stat = &s, .tags = details, .ntags = 3 }, &r);
    if (ec == ecNone && strcasecmp(text_of(p, &r.values, PidTagEmailAddress), p->dn) != 0)
        ec = ecNotFound;
    return probe_told(p, "Read it in the address book", ec, ec == ecNone ? text_of(p, &r.values, PidTagEmailAddress) : "somebody else");
}

bool probe_book(struct probe *p)
{
    struct mapic book = p->client;
    struct nspic_stat s = { .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
    struct nspic_reply r;
    char   worker[sizeof p->client.worker];
    memcpy(worker, p->client.worker, sizeof worker);
    book.conn = NULL;
    book.context[0] = book.sequence[0] = '\0';
    nspic_init(&book);
    probe_begin(p);
    bool ok = probe_told(p, "Bind to the address book", ask(p, &book, "Bind", &(struct nspic_ask){ .stat = &s }, &r), NULL) && find_oneself(p, &book);
    if (ok) {
        probe_begin(p);
        uint32_t ec = ask(p, &book, "Unbind", &(struct nspic_ask){ 0 }, &r);
        ok = probe_told(p, "Unbind", ec == 1 ? ecNone : ec, NULL);
    }
    mapic_close(&book);
    memcpy(p->client.worker, worker, sizeof worker);
    return ok;
}
