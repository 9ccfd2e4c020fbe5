/* nspi_special.c - the hierarchy of address lists, address creation templates, display templates, and where the endpoints are. */
#include "backend/base/utf.h"
#include "backend/directory/policy.h"
#include "backend/directory/template.h"
#include "session/nspi/nspi_row.h"

enum { AB_RECIPIENTS = 1, AB_SUBCONTAINERS = 2, AB_UNMODIFIABLE = 8 };      /* OXOABK 2.2.2.1 */
enum { COLUMNS_MAX = 8 };

static struct nspi_values row_of(struct arena *a) { return (struct nspi_values){ arena_array(a, struct propval, COLUMNS_MAX), 0 }; }
static void add(struct nspi_values *row, struct propval v) { row->v[row->n++] = v; }

static void add_text(struct nspi_values *row, uint32_t tag, uint16_t type, const char *text)
{
    add(row, pv_str(prop_retype(tag, type), text));
    row->v[row->n - 1].tag = prop_retype(tag, type);
}

/* --- the hierarchy (OXNSPI R1863-R1866) ------------------------------------------------------------------------------------------------------ */

static const char *dn_of(const struct container *list, size_t n, int64_t row)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].row == row)
            return list[i].dn;
    return "/";
}

static struct nspi_values hierarchy_row(struct nspi_ctx *c, const struct container *list, size_t n, size_t i, uint16_t string_type)
{
    struct nspi_values row = row_of(c->a);
    const struct container *l = &list[i];
    add(&row, pv_bin(PidTagEntryId, nspi_permanent_id(c->a, DT_CONTAINER, l->dn)));
    add(&row, pv_i32(PidTagContainerFlags, AB_RECIPIENTS | AB_UNMODIFIABLE | (l->has_children ? AB_SUBCONTAINERS : 0)));
    add(&row, pv_i32(PidTagDepth, (int32_t)l->depth));
    add(&row, pv_i32(PidTagAddressBookContainerId, (int32_t)(l->row != 0 ? entry_mid(l->row) : 0)));
    add_text(&row, PidTagDisplayName, string_type, l->name);
    add(&row, pv_bool(PidTagAddressBookIsMaster, false));
    if (l->parent != 0)
        add(&row, pv_bin(PidTagAddressBookParentEntryId, nspi_permanent_id(c->a, DT_CONTAINER, dn_of(list, n, l->parent))));
    return row;
}

static ec_t hierarchy(struct nspi_ctx *c)
{
    struct container *list = NULL;
    size_t n = 0;
    uint16_t string_type = (c->in->flags & UNICODE_STRINGS) != 0 ? PtypString : PtypString8;
    TRY(container_version(c->reader, &c->out->version));
    TRY(container_list(c->reader, c->a, &list, &n));
    if (c->in->has_version && c->in->version == c->out->version)
        n = 0; /* the client has these rows (R748) */
    c->out->has_version = c->out->has_table = true;
    c->out->table = arena_array(c->a, struct nspi_values, n);
    for (; c->out->table_rows < n; c->out->table_rows++)
        c->out->table[c->out->table_rows] = hierarchy_row(c, list, n, c->out->table_rows, string_type);
    return ecNone;
}

/* --- address creation templates --------------------------------------------------------------------------------------------------------------- */

static struct nspi_values creation_row(struct nspi_ctx *c, const struct template *t)
{
    struct nspi_values row = row_of(c->a);
    uint32_t mid = entry_mid(t->row);
    add_text(&row, PidTagDisplayName, PtypString8, t->name);
    add_text(&row, PidTagAddressType, PtypString8, t->address_type);
    add(&row, pv_i32(PidTagDisplayType, DT_ADDRESS_TEMPLATE));
    add(&row, pv_i32(PidTagDepth, 0));
    add(&row, pv_bool(PidTagSelectable, true));
    add(&row, pv_bin(PidTagInstanceKey, blob_of(arena_dup(c->a, &mid, sizeof mid), sizeof mid)));
    add(&row, pv_bin(PidTagEntryId, nspi_permanent_id(c->a, DT_ADDRESS_TEMPLATE, t->dn)));
    return row;
}

static ec_t creation(struct nspi_ctx *c)
{
    struct template *t = NULL;
    size_t n = 0;
    TRY(template_creation(c->reader, c->a, c->in->stat.template_locale, &t, &n));
    c->out->has_table = true;
    c->out->table = arena_array(c->a, struct nspi_values, n);
    for (; c->out->table_rows < n; c->out->table_rows++)
        c->out->table[c->out->table_rows] = creation_row(c, &t[c->out->table_rows]);
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
    c->out->values = row_of(c->a);
    if ((c->in->flags & WITH_TEMPLATE) != 0)
        add(&c->out->values, pv_bin(PidTagTemplateData, template_render(c->a, &t, code_page)));
    if ((c->in->flags & WITH_SCRIPT) != 0)
        add(&c->out->values, pv_bin(PidTagScriptData, t.script));
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
