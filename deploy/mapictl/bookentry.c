/* bookentry.c - objects of the address book <-> words. */
#include "deploy/mapictl/bookentry.h"
#include "backend/base/crypto.h"
#include <stdlib.h>

static ec_t by_login(struct ctl *c, const char *name, struct entry *out)
{
    struct person p;
    TRY(directory_by_login(ctl_directory(c), c->a, name, &p));
    return entry_get(ctl_directory(c), c->a, p.row, out);
}

bool bookentry_find(struct ctl *c, const char *name, struct entry *out)
{
    struct directory *d = ctl_directory(c);
    char *end = NULL;
    unsigned long mid = strncmp(name, "0x", 2) == 0 ? strtoul(name, &end, 16) : 0;
    ec_t ec = end != NULL && *end == '\0' && mid >= MID_FIRST && mid <= INT32_MAX ? entry_get(d, c->a, (int64_t)mid - MID_FIRST, out)
            : *name == '/'             ? entry_by_dn(d, c->a, name, out)
            : strchr(name, '@') != NULL ? entry_by_address(d, c->a, name, out)
                                        : by_login(c, name, out);
    if (ec == ecUnknownUser || ec == ecNotFound || (ec == ecNone && out->kind >= ENTRY_CONTAINER))
        ctl_fail(c, name, "no such object (an address, a DN, a login or a Minimal Entry ID, 0x...)");
    else if (ec != ecNone)
        ctl_ec(c, name, ec);
    return ec == ecNone && out->kind < ENTRY_CONTAINER;
}

int bookentry_no_kind(struct ctl *c, const char *word)
{
    static const struct { unsigned number; const char *word; } kinds[] = {
#define KIND(number, NAME, word, object_type, display_type, display_type_ex) { number, word },
#include "backend/directory/entrykind.def"
    };
    const char *all = "";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].number < ENTRY_CONTAINER)
            all = arena_printf(c->a, "%s %s", all, kinds[i].word);
    return ctl_fail(c, word, arena_printf(c->a, "is no kind of object:%s", all));
}

struct attr_map *bookentry_map(struct ctl *c)
{
    const char *why = NULL;
    struct attr_map *m = attr_map(c->a, c->config->book_ldap_map, &why);
    if (m == NULL)
        exit(ctl_fail(c, "book_ldap_map", why));
    return m;
}

static json_t *text(struct blob s) { return json_stringn((const char *)s.p, s.n); }

json_t *bookentry_brief(const struct entry *e)
{
    char mid[16];
    snprintf(mid, sizeof mid, "0x%x", entry_mid(e->row));
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "mid", mid, "kind", entry_kind_word(e->kind), "name", e->display_name, "address", e->smtp, "hidden",
                     e->hidden, "source", *e->source != '\0' ? e->source : "administrator", "dn", e->dn);
}

/* --- properties --------------------------------------------------------------------------------------------------------------------------- */

static struct blob spelled(struct arena *a, const struct propval *v)
{
    switch (type_single(prop_type(v->tag))) {
    case PtypString:    return v->v.s;
    case PtypBinary:    return v->v.bin;
    case PtypInteger32: return blob_str(arena_printf(a, "%d", v->v.i32));
    case PtypBoolean:   return blob_str(v->v.b ? "TRUE" : "FALSE");
    default:            return blob_of(NULL, 0);
    }
}

static json_t *value_json(struct arena *a, const struct propval *v)
{
    bool bytes = type_single(prop_type(v->tag)) == PtypBinary;
    struct blob b = spelled(a, v);
    return bytes ? json_string(arena_printf(a, "%zu bytes", b.n)) : text(b);
}

static json_t *prop_json(struct arena *a, const struct propval *v)
{
    if (!type_array(prop_type(v->tag)))
        return value_json(a, v);
    const char *all = "";
    for (size_t i = 0; i < propval_count(v); i++) {
        struct propval one = propval_element(v, i);
        json_t *j = value_json(a, &one);
        all = arena_printf(a, "%s%s%s", all, i != 0 ? ", " : "", json_string_value(j) != NULL ? json_string_value(j) : "");
        json_decref(j);
    }
    return json_string(all);
}

/* --- links ---------------------------------------------------------------------------------------------------------------------------------- */

static const enum link_kind link_kinds[] = {
#define LINK(number, NAME, word, forward, back) LINK_##NAME,
#include "backend/directory/link.def"
};
enum { LINK_KINDS = sizeof link_kinds / sizeof link_kinds[0] };

static const char *name_of(struct ctl *c, int64_t row)
{
    struct entry e;
    if (entry_get(ctl_directory(c), c->a, row, &e) != ecNone)
        return NULL;
    return *e.smtp != '\0' ? e.smtp : e.dn;
}

static void put_links(struct ctl *c, const struct entry *e, bool back, json_t *o)
{
    for (size_t k = 0; k < LINK_KINDS; k++) {
        int64_t *row = NULL;
        size_t n = 0;
        const char *all = "";
        if (link_list(ctl_directory(c), c->a, link_kinds[k], e->row, back, &row, &n) != ecNone || n == 0)
            continue;
        for (size_t i = 0; i < n; i++) {
            const char *name = name_of(c, row[i]);
            all = name != NULL ? arena_printf(c->a, "%s%s%s", all, *all != '\0' ? ", " : "", name) : all;
        }
        json_object_set_new(o, arena_printf(c->a, "%s%s", link_word(link_kinds[k]), back ? " of" : ""), json_string(all));
    }
}

json_t *bookentry_full(struct ctl *c, const struct entry *e)
{
    char guid[GUID_TEXT];
    json_t *o = bookentry_brief(e);
    const char *all = "";
    for (size_t i = 0; i < e->proxies; i++)
        all = arena_printf(c->a, "%s%s%s", all, i != 0 ? ", " : "", e->proxy[i]);
    json_object_set_new(o, "proxies", json_string(all));
    if (e->has_mailbox)
        json_object_set_new(o, "mailbox", json_string(guid_text(&e->mailbox, guid)));
    if (*e->external != '\0')
        json_object_set_new(o, "key of source", json_string(e->external));
    if (e->kind == ENTRY_DYNAMIC)
        json_object_set_new(o, "filter", json_string(e->filter));
    for (size_t i = 0; i < e->props.n; i++) {
        const char *name = proptag_name(e->props.v[i].tag);
        if (name != NULL)
            json_object_set_new(o, name, prop_json(c->a, &e->props.v[i]));
    }
    put_links(c, e, false, o);
    put_links(c, e, true, o);
    return o;
}

/* --- as a source would tell it -------------------------------------------------------------------------------------------------------------- */

struct spelling { uint32_t tag; const char *name; };
static const struct spelling spellings[] = {
#define ATTR_PROP(name, tag) { tag, name },
#include "backend/directory/source/attr.def"
};

static const char *attribute_of(uint32_t tag)
{
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        if (prop_id(spellings[i].tag) == prop_id(tag))
            return spellings[i].name;
    return proptag_name(tag);
}

static void put_text(struct ctl *c, struct record *r, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        record_add(c->a, r, name, blob_str(value));
}

static void put_prop(struct ctl *c, struct record *r, const struct propval *v)
{
    const char *name = attribute_of(v->tag);
    if (name != NULL && !type_array(prop_type(v->tag)))
        record_add(c->a, r, name, spelled(c->a, v));
    for (size_t i = 0; name != NULL && type_array(prop_type(v->tag)) && i < propval_count(v); i++) {
        struct propval one = propval_element(v, i);
        record_add(c->a, r, name, spelled(c->a, &one));
    }
}

ec_t bookentry_record(struct ctl *c, const struct entry *e, struct record *out)
{
    *out = (struct record){ .key = *e->external != '\0' ? e->external : e->dn, .name = *e->smtp != '\0' ? e->smtp : e->dn };
    put_text(c, out, "kind", entry_kind_word(e->kind));
    put_text(c, out, "displayName", e->display_name);
    put_text(c, out, "mail", e->smtp);
    put_text(c, out, "legacyExchangeDN", e->dn);
    put_text(c, out, "hidden", e->hidden ? "TRUE" : "");
    put_text(c, out, "filter", e->filter);
    for (size_t i = 0; i < e->proxies; i++)
        put_text(c, out, "proxyAddresses", e->proxy[i]);
    for (size_t i = 0; i < e->props.n; i++)
        put_prop(c, out, &e->props.v[i]);
    for (size_t k = 0; k < LINK_KINDS; k++) {
        int64_t *row = NULL;
        size_t n = 0;
        if (e->kind == ENTRY_DYNAMIC && link_kinds[k] == LINK_MEMBER)
            continue;
        TRY(link_list(ctl_directory(c), c->a, link_kinds[k], e->row, false, &row, &n));
        for (size_t i = 0; i < n; i++)
            put_text(c, out, link_word(link_kinds[k]), name_of(c, row[i]));
    }
    return ecNone;
}
