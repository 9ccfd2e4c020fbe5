/* attr.c - names of attributes -> fields, properties and links of an entry. */
#include "backend/directory/source/attr.h"
#include "backend/base/crypto.h"
#include "backend/base/utf.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum field { NAME, SMTP, PROXY, DN, HIDDEN, KIND, FILTER, CLASS, GROUPTYPE, ROOMTYPE, KILOBYTES };
enum meaning { FIELD, PROP, LINK };

struct attr { const char *name; enum meaning meaning; uint32_t what; }; /* what: enum field, property tag, enum link_kind */

static const struct attr known[] = {
#define ATTR_FIELD(name, field) { name, FIELD, field },
#define ATTR_PROP(name, tag)    { name, PROP, tag },
#define ATTR_LINK(name, link)   { name, LINK, link },
#include "backend/directory/source/attr.def"
};
enum { KNOWN = sizeof known / sizeof known[0] };

static const struct { const char *name; enum entry_kind kind; unsigned weight; } classes[] = {
#define CLASS(name, kind, weight) { name, kind, weight },
#include "backend/directory/source/attr.def"
};
static const char *const field_names[] = { "name", "primary address", "addresses", "X500 address", "hidden", "kind", "filter", "object class",
                                           "group type", "room or equipment",
                                           "largest message [KiB]" };

struct attr_map { struct attr *own; size_t owns, cap; };

/* --- names ------------------------------------------------------------------------------------------------------------------------------ */

static bool find_in(const struct attr *v, size_t n, const char *name, struct attr *out)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(v[i].name, name) == 0) {
            *out = v[i];
            return true;
        }
    return false;
}

static bool find(const struct attr_map *m, const char *name, struct attr *out)
{
    if (find_in(m->own, m->owns, name, out) || find_in(known, KNOWN, name, out))
        return true;
    uint32_t tag = proptag_by_name(name);
    *out = (struct attr){ name, PROP, tag };
    return tag != 0 && entry_prop_settable(tag);
}

/* How early a name counts among those with the same meaning. */
static size_t turn_of(const struct attr_map *m, const char *name)
{
    for (size_t i = 0; i < m->owns; i++)
        if (strcasecmp(m->own[i].name, name) == 0)
            return i;
    for (size_t i = 0; i < KNOWN; i++)
        if (strcasecmp(known[i].name, name) == 0)
            return m->owns + i + 1;
    return m->owns; /* a property by its own name is meant */
}

static const char *word(struct arena *a, const char **p)
{
    *p += strspn(*p, ", \t");
    size_t n = strcspn(*p, ",= \t");
    const char *s = arena_str(a, blob_of(*p, n));
    *p += n;
    *p += strspn(*p, " \t");
    return s;
}

struct attr_map *attr_map(struct arena *a, const char *more, const char **why)
{
    struct attr_map *m = arena_one(a, struct attr_map);
    for (const char *p = more != NULL ? more : ""; *p != '\0'; p += strspn(p, ", \t")) {
        struct attr meaning;
        const char *left = word(a, &p);
        if (*p != '=') {
            *why = arena_printf(a, "\"%s\" is not of the form name=attribute", left);
            return NULL;
        }
        p++;
        const char *right = word(a, &p);
        if (!find(m, left, &meaning) || *right == '\0') {
            *why = arena_printf(a, "\"%s\" is no known name", left);
            return NULL;
        }
        m->own = arena_grow(a, m->own, &m->cap, m->owns, sizeof *m->own);
        m->own[m->owns++] = (struct attr){ right, meaning.meaning, meaning.what };
    }
    return m;
}

enum attr_form attr_form(const struct attr_map *m, const char *name)
{
    struct attr x;
    if (!find(m, name, &x))
        return ATTR_UNKNOWN;
    if (x.meaning == PROP && type_single(prop_type(x.what)) == PtypBinary)
        return type_array(prop_type(x.what)) ? ATTR_BINARIES : ATTR_BINARY;
    bool many = x.meaning == LINK || (x.meaning == FIELD && (x.what == PROXY || x.what == CLASS)) || (x.meaning == PROP && type_array(prop_type(x.what)));
    return many ? ATTR_TEXTS : ATTR_TEXT;
}

void attr_each(const struct attr_map *m, void (*fn)(void *ctx, const char *attribute, const char *meaning), void *ctx)
{
    for (size_t i = 0; i < m->owns + KNOWN; i++) {
        const struct attr *x = i < m->owns ? &m->own[i] : &known[i - m->owns];
        fn(ctx, x->name, x->meaning == FIELD ? field_names[x->what] : x->meaning == PROP ? proptag_name(x->what) : link_word((enum link_kind)x->what));
    }
}

/* --- values ----------------------------------------------------------------------------------------------------------------------------- */

struct making { const struct attr_map *m; struct arena *a; struct entry *e; const char *why; size_t name_turn; unsigned class; size_t *turn; size_t proxy_cap, turn_cap; bool security; };

static const char *text_of(struct making *k, struct blob v)
{
    size_t n = v.n;
    while (n != 0 && isspace(v.p[n - 1]))
        n--;
    struct blob clean = utf8_clean(k->a, blob_of(v.p, n));
    if (clean.n != 0 && memchr(clean.p, 0, clean.n) != NULL)
        k->why = "a text holds a NUL";
    return arena_str(k->a, clean);
}

static void put_address(struct making *k, const char *s, bool primary)
{
    if (*s == '\0' || !entry_plausible_address(s)) {
        k->why = arena_printf(k->a, "\"%.80s\" is no address", s);
        return;
    }
    s = arena_lower(k->a, s);
    if (primary && k->e->smtp == NULL) {
        k->e->smtp = s;
        return;
    }
    const char *shown = arena_printf(k->a, "smtp:%s", s);
    k->e->proxy = arena_grow(k->a, k->e->proxy, &k->proxy_cap, k->e->proxies, sizeof *k->e->proxy);
    k->e->proxy[k->e->proxies++] = shown;
}

/* "SMTP:" is the primary one, "smtp:" another, "X500:" a former DN; other systems' addresses are of no use here. */
static void put_proxy(struct making *k, const char *s)
{
    const char *colon = strchr(s, ':');
    const char *at = strchr(s, '@');
    if (colon == NULL || (at != NULL && at < colon)) {
        put_address(k, s, false);
    } else if (strncasecmp(s, "smtp:", 5) == 0) {
        put_address(k, colon + 1, strncmp(s, "SMTP:", 5) == 0);
    } else if (strncasecmp(s, "x500:", 5) == 0) {
        k->e->proxy = arena_grow(k->a, k->e->proxy, &k->proxy_cap, k->e->proxies, sizeof *k->e->proxy);
        k->e->proxy[k->e->proxies++] = arena_printf(k->a, "X500:%s", colon + 1);
    }
}

static void put_class(struct making *k, const char *s)
{
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcasecmp(classes[i].name, s) == 0 && classes[i].weight > k->class) {
            k->class = classes[i].weight;
            k->e->kind = classes[i].kind;
        }
}

enum { VALUES_MAX = 1000 }; /* of one property */
enum { KIND_TOLD = 100, RESOURCE = 50, GROUP_SECURITY = (int)0x80000000, DISPLAY_ROOM = 7, DISPLAY_EQUIPMENT = 8 };

static void put_kind(struct making *k, enum entry_kind kind, unsigned weight)
{
    k->e->kind = kind;
    k->class = weight;
}

static bool whole_number(const char *s, long *out)
{
    char *end;
    *out = strtol(s, &end, 10);
    return end != s && *end == '\0' && *out >= INT32_MIN && *out <= INT32_MAX;
}

static bool truth(const char *s) { return strcasecmp(s, "TRUE") == 0 || strcasecmp(s, "yes") == 0 || strcmp(s, "1") == 0; }

static void put_prop(struct making *k, uint32_t tag, size_t turn, struct blob v);

/* The address book tells it in bytes; what is more than it can tell is no limit. */
static void put_kilobytes(struct making *k, size_t turn, const char *s)
{
    long n;
    if (whole_number(s, &n) && n > 0 && n <= INT32_MAX / 1024)
        put_prop(k, PidTagAddressBookDeliveryContentLength, turn, blob_str(arena_printf(k->a, "%ld", n * 1024)));
}

static void put_field(struct making *k, enum field f, size_t turn, struct blob v)
{
    const char *s = text_of(k, v);
    enum entry_kind kind;
    if (*s == '\0')
        return;
    switch (f) {
    case NAME:
        if (turn < k->name_turn) {
            k->e->display_name = s;
            k->name_turn = turn;
        }
        break;
    case SMTP:      put_address(k, s, true); break;
    case PROXY:     put_proxy(k, s); break;
    case DN:        k->e->dn = s; break;
    case HIDDEN:    k->e->hidden = truth(s); break;
    case KILOBYTES: put_kilobytes(k, turn, s); break;
    case FILTER:    k->e->filter = s; break;
    case CLASS:     put_class(k, s); break;
    case GROUPTYPE: k->security = (strtol(s, NULL, 10) & GROUP_SECURITY) != 0; break;
    case ROOMTYPE:
        if (strtol(s, NULL, 10) == DISPLAY_ROOM || strtol(s, NULL, 10) == DISPLAY_EQUIPMENT)
            put_kind(k, strtol(s, NULL, 10) == DISPLAY_ROOM ? ENTRY_ROOM : ENTRY_EQUIPMENT, RESOURCE);
        break;
    case KIND:
        if (!entry_kind_of_word(arena_lower(k->a, s), &kind) || kind == ENTRY_CONTAINER || kind == ENTRY_TEMPLATE)
            k->why = arena_printf(k->a, "\"%.40s\" is no kind of object", s);
        else
            put_kind(k, kind, KIND_TOLD);
        break;
    }
}

/* An address elsewhere has its type in front (MS-OXOABK 2.2.3.22). */
static struct propval text_value(struct making *k, uint32_t tag, const char *s)
{
    const char *at = strchr(s, '@'), *colon = strchr(s, ':');
    bool bare = tag == PidTagAddressBookTargetAddress && at != NULL && (colon == NULL || at < colon);
    return pv_str(prop_retype(tag, PtypString), bare ? arena_printf(k->a, "SMTP:%s", s) : s);
}

static bool value_of(struct making *k, uint32_t tag, struct blob v, struct propval *out)
{
    long number;
    switch (type_single(prop_type(tag))) {
    case PtypString: {
        const char *s = text_of(k, v);
        *out = text_value(k, tag, s);
        return *s != '\0' && k->why == NULL;
    }
    case PtypInteger32:
        if (!whole_number(text_of(k, v), &number))
            return false;
        *out = pv_i32(tag, (int32_t)number);
        return true;
    case PtypBoolean:
        *out = pv_bool(tag, truth(text_of(k, v)));
        return true;
    case PtypBinary:
        *out = pv_bin(prop_retype(tag, PtypBinary), arena_blob(k->a, v));
        return v.n != 0;
    default: return false;
    }
}

/* A multi-value takes all that come; a single value the first of the attribute that stands first in the list. */
static void put_prop(struct making *k, uint32_t tag, size_t turn, struct blob v)
{
    struct propval one;
    struct props *p = &k->e->props;
    if (v.n == 0 || !value_of(k, tag, v, &one))
        return;
    size_t at = 0;
    while (at < p->n && prop_id(p->v[at].tag) != prop_id(tag))
        at++;
    if (at == p->n) {
        k->turn = arena_grow(k->a, k->turn, &k->turn_cap, at, sizeof *k->turn);
        k->turn[at] = turn;
        props_set(k->a, p, type_array(prop_type(tag)) ? (struct propval){ .tag = tag } : one);
    } else if (!type_array(prop_type(tag))) {
        if (turn >= k->turn[at])
            return;
        k->turn[at] = turn;
        p->v[at] = one;
    }
    if (!type_array(prop_type(tag)))
        return;
    struct propval *mv = &p->v[at];
    if (mv->v.mv.n == VALUES_MAX) {
        k->why = arena_printf(k->a, "more than %d values", VALUES_MAX);
        return;
    }
    struct blob *wider = arena_array(k->a, struct blob, mv->v.mv.n + 1);
    for (size_t i = 0; i < mv->v.mv.n; i++)
        wider[i] = mv->v.mv.s[i];
    wider[mv->v.mv.n++] = one.v.s;
    mv->v.mv.s = wider;
}

/* --- the whole -------------------------------------------------------------------------------------------------------------------------- */

static int by_tag(const void *x, const void *y)
{
    uint32_t a = ((const struct propval *)x)->tag, b = ((const struct propval *)y)->tag;
    return (a > b) - (a < b);
}

static int by_text(const void *x, const void *y) { return strcasecmp(*(const char *const *)x, *(const char *const *)y); }

static void tidy_proxies(struct entry *e)
{
    size_t n = 0;
    qsort(e->proxy, e->proxies, sizeof *e->proxy, by_text);
    for (size_t i = 0; i < e->proxies; i++) {
        bool primary = e->smtp != NULL && strncasecmp(e->proxy[i], "smtp:", 5) == 0 && strcasecmp(e->proxy[i] + 5, e->smtp) == 0;
        if (!primary && (n == 0 || strcasecmp(e->proxy[n - 1], e->proxy[i]) != 0))
            e->proxy[n++] = e->proxy[i];
    }
    e->proxies = n;
}

static void tidy(struct making *k)
{
    struct entry *e = k->e;
    if (e->props.n != 0)
        qsort(e->props.v, e->props.n, sizeof *e->props.v, by_tag);
    if (e->kind == ENTRY_GROUP && k->security)
        e->kind = ENTRY_SECURITY;
    if (e->smtp == NULL && e->proxies != 0 && strncasecmp(e->proxy[0], "smtp:", 5) == 0)
        e->smtp = e->proxy[0] + 5;
    e->smtp = e->smtp != NULL ? e->smtp : "";
    e->filter = e->filter != NULL ? e->filter : "";
    if (e->proxies != 0)
        tidy_proxies(e);
    if (e->display_name == NULL)
        e->display_name = *e->smtp != '\0' ? e->smtp : NULL;
    if (e->display_name == NULL && k->why == NULL)
        k->why = "it has neither a name nor an address";
}

bool attr_entry(const struct attr_map *m, struct arena *a, const struct record *r, struct entry *out, struct attr_link **link, size_t *links, const char **why)
{
    size_t cap = 0;
    *out = (struct entry){ .kind = ENTRY_CONTACT };
    *link = NULL;
    *links = 0;
    struct making k = { .m = m, .a = a, .e = out, .name_turn = SIZE_MAX };
    for (size_t i = 0; i < r->n && k.why == NULL; i++) {
        struct attr x;
        if (!find(m, r->v[i].name, &x))
            continue;
        size_t turn = turn_of(m, r->v[i].name);
        if (x.meaning == FIELD) {
            put_field(&k, (enum field)x.what, turn, r->v[i].value);
        } else if (x.meaning == PROP) {
            put_prop(&k, x.what, turn, r->v[i].value);
        } else if (r->v[i].value.n != 0) {
            *link = arena_grow(a, *link, &cap, *links, sizeof **link);
            (*link)[(*links)++] = (struct attr_link){ (enum link_kind)x.what, text_of(&k, r->v[i].value) };
        }
    }
    tidy(&k);
    *why = k.why;
    return k.why == NULL;
}
