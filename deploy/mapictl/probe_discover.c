/* probe_discover.c - Autodiscover as Outlook asks for it: who is it, and where are the two endpoints? */
#include "backend/directory/policy.h"
#include "deploy/mapictl/probe.h"

/* The servers that are asked in turn without --url: those of this installation's virtual directory, else where Outlook looks. */
static size_t candidates(struct probe *p, const char *out[2])
{
    struct vdir v;
    size_t n = 0;
    if (p->local && vdir_get(ctl_directory(p->c), p->a, &v) == ecNone) {
        if (*v.internal_url != '\0')
            out[n++] = v.internal_url;
        if (*v.external_url != '\0')
            out[n++] = v.external_url;
        return n;
    }
    const char *domain = strrchr(p->address, '@') + 1;
    out[n++] = arena_printf(p->a, "https://autodiscover.%s", domain);
    out[n++] = arena_printf(p->a, "https://%s", domain);
    return n;
}

static bool ask(struct probe *p, const struct tls_options *to, const char **why)
{
    probe_aim(p, &p->mail, to, POXC_PATH);
    return poxc_call(&p->mail, p->a, p->address, &p->found, why);
}

/* The first server that answers at all decides. */
static enum probe_outcome find(struct probe *p)
{
    const char *urls[2], *why = NULL, *errors = "";
    size_t n = candidates(p, urls);
    if (n == 0)
        return probe_fault(p, "no URL to ask: the virtual directory has none (mapictl vdir set --internal-url https://HOST/mapi), and --url was not given");
    for (size_t i = 0; i < n; i++) {
        struct tls_options to;
        if (!probe_url(p->a, urls[i], &to, NULL, &why))
            return probe_fault(p, why);
        if (ask(p, &to, &why)) {
            p->to = to;
            return PROBE_GOOD;
        }
        if (p->mail.status != 0)
            return probe_refused(p, &p->mail, STEP_LOST, why);
        errors = arena_printf(p->a, "%s%s%s", errors, i > 0 ? "; " : "", why);
    }
    return probe_refused(p, &p->mail, STEP_LOST, errors);
}

/* --- what the answer says ------------------------------------------------------------------------------------------------------------------ */

static bool place(struct probe *p, const char *const url[2], struct mapic *client, const char **why)
{
    struct tls_options to;
    const char *path;
    const char *use = url[0] != NULL && *url[0] != '\0' ? url[0] : url[1] != NULL ? url[1] : "";
    if (!probe_url(p->a, use, &to, &path, why))
        return false;
    probe_aim(p, client, p->given ? &p->to : &to, path);
    return true;
}

/* Without its query. */
static const char *short_url(struct probe *p, const char *url)
{
    return url != NULL && *url != '\0' ? arena_printf(p->a, "%.*s", (int)(strcspn(url, "?") < 100 ? strcspn(url, "?") : 100), url) : "none";
}

static enum probe_outcome take_places(struct probe *p)
{
    const struct poxc_answer *f = &p->found;
    const char *why = NULL;
    if (!place(p, f->mail, &p->mail, &why) || !place(p, f->book, &p->book, &why))
        return probe_fault(p, arena_printf(p->a, "an endpoint that cannot be used: %s", why));
    return probe_good(p, arena_printf(p->a, "internal %s, external %s", short_url(p, f->mail[0]), short_url(p, f->mail[1])));
}

static enum probe_outcome judge(struct probe *p)
{
    const struct poxc_answer *f = &p->found;
    if (f->error != NULL)
        return probe_fault(p, arena_printf(p->a, "ErrorCode %s: %s", f->error, f->message != NULL ? f->message : ""));
    if (f->redirect_url != NULL || f->redirect_address != NULL)
        return probe_fault(p, arena_printf(p->a, "the mailbox is elsewhere: ask %s", f->redirect_url != NULL ? f->redirect_url : f->redirect_address));
    if (f->dn != NULL && *f->dn != '\0')
        p->dn = f->dn;
    if (f->name != NULL && *f->name != '\0')
        p->name = f->name;
    if (f->smtp != NULL && strchr(f->smtp, '@') != NULL)
        p->address = f->smtp;
    if (!f->mapi)
        return probe_fault(p, "no mapiHttp block in the answer: MAPI over HTTP is switched off for this mailbox (mapictl mailbox show, org show)");
    return p->dn != NULL ? take_places(p) : probe_fault(p, "no LegacyDN in the answer");
}

/* With --url the endpoints can be tried though Autodiscover did not name them. */
static void try_anyway(struct probe *p)
{
    char guid[GUID_TEXT];
    const char *mail = "/mapi/emsmdb/", *book = "/mapi/nspi/";
    if (!p->given || p->dn == NULL) {
        p->broken[PROBE_MAILBOX] = p->broken[PROBE_BOOK] = true;
        return;
    }
    if (p->local) {
        const char *query = arena_printf(p->a, "?MailboxId=%s@%s", guid_text(&p->person.mailbox, guid), strrchr(p->address, '@') + 1);
        mail = arena_printf(p->a, "%s%s", mail, query);
        book = arena_printf(p->a, "%s%s", book, query);
    }
    probe_aim(p, &p->mail, &p->to, mail);
    probe_aim(p, &p->book, &p->to, book);
}

enum probe_outcome probe_discover(struct probe *p)
{
    const char *why = NULL;
    enum probe_outcome o = !p->given ? find(p) : ask(p, &p->to, &why) ? PROBE_GOOD : probe_refused(p, &p->mail, STEP_LOST, why);
    char worker[sizeof p->mail.worker];
    memcpy(worker, p->mail.worker, sizeof worker);
    if (o == PROBE_GOOD)
        o = judge(p);
    if (o == PROBE_FAULT)
        try_anyway(p);
    memcpy(p->mail.worker, worker, sizeof worker);
    return o;
}
