/* nspi_special.c - the hierarchy of address lists, address creation templates, display templates, and where the endpoints are. */
#include "backend/base/utf.h"
#include "backend/directory/policy.h"
#include "backend/directory/template.h"
#include "session/nspi/nspi_row.h"

/* The values of those columns that an object has. */
static struct nspi_values values_of(struct nspi_object *o, const uint32_t *column, size_t n, uint16_t string_type)
{
    struct nspi_values row = { arena_array(o->c->a, struct propval, n), 0 };
    for (size_t i = 0; i < n; i++) {
        uint32_t tag = type_string(prop_type(column[i])) ? prop_retype(column[i], string_type) : column[i];
        nspi_value(o, tag, &row.v[row.n]);
        row.n += prop_type(row.v[row.n].tag) != PtypErrorCode;
    }
    return row;
}

/* --- the hierarchy (OXNSPI R1863-R1866) ------------------------------------------------------------------------------------------------------ */

static const uint32_t hierarchy_columns[] = {
    PidTagEntryId, PidTagContainerFlags, PidTagDepth, PidTagAddressBookContainerId, PidTagDisplayName, PidTagAddressBookIsMaster, PidTagAddressBookParentEntryId
};

static ec_t hierarchy(struct nspi_ctx *c)
{
    struct nspi_object *list = NULL;
    size_t n = 0;
    uint16_t string_type = (c->in->flags & UNICODE_STRINGS) != 0 ? PtypString : PtypString8;
    TRY(container_version(c->reader, &c->out->version));
    TRY(nspi_list_objects(c, &list, &n));
    if (c->in->has_version && c->in->version == c->out->version)
        n = 0; /* the client has these rows (R748) */
    c->out->has_version = c->out->has_table = true;
    c->out->table = arena_array(c->a, struct nspi_values, n);
    for (size_t i = 0; i < n; i++)
        c->out->table[i] = values_of(&list[i], hierarchy_columns, sizeof hierarchy_columns / sizeof hierarchy_columns[0], string_type);
    c->out->table_rows = n;
    return ecNone;
}

/* --- address creation templates --------------------------------------------------------------------------------------------------------------- */

static const uint32_t creation_columns[] = {
    PidTagDisplayName, PidTagAddressType, PidTagDisplayType, PidTagDepth, PidTagSelectable, PidTagInstanceKey, PidTagEntryId
};

static ec_t creation(struct nspi_ctx *c)
{
    struct template *t = NULL;
    size_t n = 0;
    TRY(template_creation(c->reader, c->a, c->in->stat.template_locale, &t, &n));
    c->out->has_table = true;
    c->out->table = arena_array(c->a, struct nspi_values, n);
    for (; c->out->table_rows < n; c->out->table_rows++) {
        struct nspi_object o;
        nspi_template_object(c, &t[c->out->table_rows], 0, &o);
        c->out->table[c->out->table_rows] = values_of(&o, creation_columns, sizeof creation_columns / sizeof creation_columns[0], PtypString8);
    }
    return ecNone;
}

/* OXNSPI 3.1.4.1.3 */
ec_t nspi_GetSpecialTable(struct nspi_ctx *c)
{
    c->out->code_page = c->in->stat.code_page;
    return (c->in->flags & CREATION_TEMPLATES) != 0 ? creation(c) : hierarchy(c);
}

/* --- display templates (OXNSPI 3.1.4.1.18) ----------------------------------------------------------------------------------------------------- */

ec_t nspi_GetTemplateInfo(struct nspi_ctx *c)
{
    struct template t;
    uint32_t type = c->in->arg[0], code_page = c->in->arg[1], lcid = c->in->arg[2];
    c->out->code_page = code_page;
    if (code_page == CP_WINUNICODE || !nspi_code_page_known(code_page))
        return EC(ecInvalidCodepage);
    if (c->in->has_dn)
        TRY(template_by_dn(c->env->directory, c->a, c->in->dn, &t));
    else
        TRY(template_find(c->env->directory, c->a, TEMPLATE_DETAILS, type, lcid, &t));
    struct nspi_values *v = &c->out->values;
    *v = (struct nspi_values){ arena_array(c->a, struct propval, 2), 0 };
    if ((c->in->flags & WITH_TEMPLATE) != 0)
        v->v[v->n++] = pv_bin(PidTagTemplateData, template_render(c->a, &t, code_page));
    if ((c->in->flags & WITH_SCRIPT) != 0)
        v->v[v->n++] = pv_bin(PidTagScriptData, t.script);
    c->out->has_values = true;
    return ecNone;
}

/* --- where the endpoints are (OXCMAPIHTTP 2.2.5.18, 2.2.5.19) ---------------------------------------------------------------------------------- */

/* A server's DN ends in "cn=<mailbox guid>@<domain>", perhaps with the database behind it; false: it names no mailbox. */
static bool mailbox_in_dn(struct arena *a, const char *dn, struct guid *mailbox)
{
    for (const char *p = strstr(dn, "/cn="); p != NULL; p = strstr(p + 1, "/cn=")) {
        size_t n = strcspn(p + 4, "@/");
        if (n == GUID_TEXT - 1 && guid_parse(arena_str(a, blob_of(p + 4, n)), mailbox))
            return true;
    }
    return false;
}

static ec_t url_for(struct nspi_ctx *c, const struct person *p, const char *endpoint)
{
    struct vdir v;
    char id[GUID_TEXT];
    const char *at = strrchr(p->smtp, '@');
    TRY(vdir_get(c->env->directory, c->a, &v));
    const char *base = *v.external_url != '\0' ? v.external_url : v.internal_url;
    if (*base == '\0' || !p->has_mailbox)
        return EC(ecNotFound);
    guid_text(&p->mailbox, id);
    c->out->url = arena_printf(c->a, "%s/%s/?MailboxId=%s@%s", base, endpoint, id, at != NULL ? at + 1 : "");
    return ecNone;
}

ec_t nspi_GetMailboxUrl(struct nspi_ctx *c)
{
    struct person p = *c->who;
    struct guid   mailbox;
    bool          known = false;
    if (mailbox_in_dn(c->a, c->in->text, &mailbox) && directory_by_mailbox(c->env->directory, c->a, &mailbox, &p) != ecNone)
        return EC(ecNotFound);
    TRY(org_knows(c->env->directory, c->a, c->who, &p, &known));
    if (!known)
        return EC(ecNotFound);
    return url_for(c, &p, "emsmdb");
}

ec_t nspi_GetAddressBookUrl(struct nspi_ctx *c) { return url_for(c, c->who, "nspi"); }
