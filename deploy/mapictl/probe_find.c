/* probe_find.c - Autodiscover as Outlook asks it: an address -> where the mailbox is. MS-OXDSCLI. */
#include "deploy/mapictl/probe.h"

/* What stands between <name> and </name>; NULL: it is not there. */
static const char *element(struct arena *a, const char *text, const char *name)
{
    const char *at = strstr(text, arena_printf(a, "<%s>", name));
    if (at == NULL)
        return NULL;
    at += strlen(name) + 2;
    const char *end = strchr(at, '<');
    return end != NULL ? arena_str(a, blob_of(at, (size_t)(end - at))) : NULL;
}

static void take_mailbox(struct probe *p, const char *url)
{
    const char *at = url != NULL ? strstr(url, "MailboxId=") : NULL;
    if (at != NULL)
        p->client.mailbox_id = arena_str(p->c->a, blob_of(at + 10, strcspn(at + 10, "&<")));
}

bool probe_discover(struct probe *p)
{
    struct arena *a = p->c->a;
    static const struct mapic_odd outlook = { .path = "/autodiscover/autodiscover.xml", .extra = "X-MapiHttpCapability: 1\r\n", .keep_cookies = true };
    const char *body = arena_printf(a, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">"
                                       "<Request><EMailAddress>%s</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
                                       "</AcceptableResponseSchema></Request></Autodiscover>", p->login);
    struct mapic_reply r;
    const char *why = NULL, *known = p->client.mailbox_id;
    p->client.mailbox_id = NULL; /* whoever asks does not know it yet */
    probe_begin(p);
    bool answered = mapic_call(&p->client, a, "Autodiscover", blob_str(body), &outlook, &r, &why);
    p->client.mailbox_id = known;
    if (!answered)
        return probe_failed(p, "Autodiscover", why);
    if (r.http.status != 200)
        return probe_failed(p, "Autodiscover", arena_printf(a, "HTTP status %d", r.http.status));
    const char *text = arena_str(a, r.http.body), *block = strstr(text, "Type=\"mapiHttp\""), *dn = element(a, text, "LegacyDN");
    if (block == NULL)
        return probe_failed(p, "Autodiscover", "no mapiHttp block: MAPI over HTTP is off for this mailbox, or not offered here");
    const char *url = element(a, block, "InternalUrl");
    url = url != NULL ? url : element(a, block, "ExternalUrl");
    take_mailbox(p, url);
    p->dn = dn != NULL ? dn : p->dn;
    if (p->dn == NULL)
        return probe_failed(p, "Autodiscover", "no LegacyDN in the answer");
    return probe_told(p, "Autodiscover", ecNone, url != NULL ? url : "no URL");
}
