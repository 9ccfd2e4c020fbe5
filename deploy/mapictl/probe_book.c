/* probe_book.c - the address book: a session there, the own name, the own entry. */
#include "deploy/mapictl/probe.h"
#include <strings.h>

enum { UNBIND_SUCCESS = 1, RESOLVED = 2, AMBIGUOUS = 1 };

static const struct nspic_stat stat = { .code_page = 1252, .template_locale = 0x0409, .sort_locale = 0x0409 };

static uint32_t call(struct probe *p, const char *type, const struct nspic_ask *q, struct nspic_reply *r, const char **why)
{
    *why = NULL;
    uint32_t ec = nspic_call(&p->book, p->a, type, q, NULL, r, why);
    return ec == UINT32_MAX ? STEP_LOST : ec;
}

enum probe_outcome probe_bind(struct probe *p)
{
    struct nspic_reply r;
    const char *why;
    uint32_t ec = call(p, "Bind", &(struct nspic_ask){ .stat = &stat }, &r, &why);
    if (ec != ecNone)
        return probe_refused(p, &p->book, ec, why);
    char guid[GUID_TEXT];
    p->bound = true;
    return probe_good(p, arena_printf(p->a, "address book %s", guid_text(&r.guid, guid)));
}

static const char *text_of(struct probe *p, const struct nspic_row *row, uint32_t tag)
{
    const struct propval *v = nspic_find(row, tag);
    return v != NULL && (prop_type(v->tag) == PtypString || prop_type(v->tag) == PtypString8) ? arena_str(p->a, v->v.s) : "";
}

/* The name may be that of several; the address is not. */
enum probe_outcome probe_resolve(struct probe *p)
{
    static const uint32_t tags[] = { PidTagDisplayName, PidTagSmtpAddress };
    const char *names[] = { p->address, p->name != NULL && *p->name != '\0' ? p->name : p->address };
    struct nspic_reply r;
    const char *why;
    uint32_t ec = call(p, "ResolveNames", &(struct nspic_ask){ .stat = &stat, .tags = tags, .ntags = 2, .names = names, .nnames = 2 }, &r, &why);
    if (ec != ecNone)
        return probe_refused(p, &p->book, ec, why);
    if (!r.has_mids || r.mids != 2)
        return probe_fault(p, "an answer without a verdict for each name");
    if (r.mid[0] != RESOLVED || r.mid[1] == 0)
        return probe_fault(p, arena_printf(p->a, "\"%s\" is %s: is the mailbox hidden from the address book?", r.mid[0] != RESOLVED ? names[0] : names[1],
                                           r.mid[0] == AMBIGUOUS ? "ambiguous" : "not found"));
    const char *found = r.has_rows && r.rows > 0 ? text_of(p, &r.row[0], PidTagDisplayName) : "";
    return probe_good(p, arena_printf(p->a, "%s is \"%s\"%s", names[0], found, r.mid[1] == AMBIGUOUS ? "; others have this name too" : ""));
}

enum probe_outcome probe_props(struct probe *p)
{
    static const uint32_t tags[] = { PidTagDisplayName, PidTagSmtpAddress, PidTagAccount };
    struct nspic_reply r;
    const char *why;
    uint32_t ec = call(p, "DNToMId", &(struct nspic_ask){ .names = &p->dn, .nnames = 1 }, &r, &why);
    if (ec != ecNone)
        return probe_refused(p, &p->book, ec, why);
    if (!r.has_mids || r.mids != 1 || r.mid[0] == 0)
        return probe_fault(p, arena_printf(p->a, "%s has no entry", p->dn));
    struct nspic_stat own = stat;
    own.current = r.mid[0];
    ec = call(p, "GetProps", &(struct nspic_ask){ .stat = &own, .tags = tags, .ntags = 3 }, &r, &why);
    if (ec != ecNone)
        return probe_refused(p, &p->book, ec, why);
    const char *smtp = text_of(p, &r.values, PidTagSmtpAddress);
    return strcasecmp(smtp, p->address) == 0 ? probe_good(p, arena_printf(p->a, "\"%s\" <%s>", text_of(p, &r.values, PidTagDisplayName), smtp))
                                             : probe_fault(p, arena_printf(p->a, "the own entry has the address \"%s\"", smtp));
}

enum probe_outcome probe_unbind(struct probe *p)
{
    struct nspic_reply r;
    const char *why;
    if (!p->bound)
        return PROBE_NONE;
    uint32_t ec = call(p, "Unbind", &(struct nspic_ask){ .flags = 0 }, &r, &why);
    return ec == UNBIND_SUCCESS ? PROBE_GOOD : probe_refused(p, &p->book, ec, why);
}
