/* filter.c - the text of a filter becomes terms, and terms choose objects. */
#include "backend/directory/filter.h"
#include "backend/base/utf.h"
#include <inttypes.h>
#include <strings.h>

enum { TERMS_MAX = 16, TEXT_MAX = 2000 };

struct term {
    enum { TERM_KIND, TERM_DOMAIN, TERM_IS, TERM_BEGINS, TERM_HAS } what;
    uint64_t    kinds;      /* bits by number of kind */
    uint32_t    tag;
    struct blob value;
};
struct filter { struct term term[TERMS_MAX]; size_t n; };

static struct blob trimmed(struct blob s)
{
    while (s.n != 0 && s.p[0] == ' ')
        s = blob_of(s.p + 1, s.n - 1);
    while (s.n != 0 && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

static bool parse_kinds(struct arena *a, struct blob text, struct term *t, const char **why)
{
    t->what = TERM_KIND;
    for (size_t i = 0; i <= text.n; ) {
        size_t from = i;
        enum entry_kind k;
        while (i < text.n && text.p[i] != ',')
            i++;
        const char *word = arena_str(a, trimmed(blob_of(text.p + from, i - from)));
        if (!entry_kind_of_word(word, &k) || k >= ENTRY_CONTAINER) {
            *why = arena_printf(a, "\"%s\" is no kind of object", word);
            return false;
        }
        t->kinds |= UINT64_C(1) << k;
        i++;
    }
    return true;
}

static bool parse_property(struct arena *a, const char *name, struct blob value, struct term *t, const char **why)
{
    t->tag = proptag_by_name(name);
    if (t->tag == 0 || (!entry_prop_settable(t->tag) && t->tag != PidTagDisplayName && t->tag != PidTagSmtpAddress)) {
        *why = arena_printf(a, "\"%s\" is no property that an object has", name);
        return false;
    }
    bool star = value.n != 0 && value.p[value.n - 1] == '*';
    t->what = value.n == 1 && star ? TERM_HAS : star ? TERM_BEGINS : TERM_IS;
    t->value = star ? blob_of(value.p, value.n - 1) : value;
    return true;
}

static bool parse_term(struct arena *a, struct blob text, struct term *t, const char **why)
{
    const uint8_t *eq = text.n != 0 ? memchr(text.p, '=', text.n) : NULL;
    if (eq == NULL) {
        *why = arena_printf(a, "\"%s\" has no =", arena_str(a, text));
        return false;
    }
    size_t at = (size_t)(eq - text.p);
    const char *name = arena_str(a, trimmed(blob_of(text.p, at)));
    struct blob value = trimmed(blob_of(eq + 1, text.n - at - 1));
    if (strcmp(name, "kind") == 0)
        return parse_kinds(a, value, t, why);
    if (strcmp(name, "domain") == 0) {
        t->what = TERM_DOMAIN;
        t->value = value;
        return true;
    }
    return parse_property(a, name, value, t, why);
}

struct filter *filter_parse(struct arena *a, const char *text, const char **why)
{
    struct filter *f = arena_one(a, struct filter);
    struct blob    s = trimmed(arena_blob(a, blob_str(text)));
    if (s.n > TEXT_MAX) {
        *why = "too long";
        return NULL;
    }
    for (size_t i = 0; i < s.n; ) {
        const uint8_t *and = memmem(s.p + i, s.n - i, " & ", 3);
        size_t end = and != NULL ? (size_t)(and - s.p) : s.n;
        if (f->n == TERMS_MAX) {
            *why = arena_printf(a, "more than %d terms", TERMS_MAX);
            return NULL;
        }
        if (!parse_term(a, trimmed(blob_of(s.p + i, end - i)), &f->term[f->n++], why))
            return NULL;
        i = end + 3;
    }
    return f;
}

bool filter_needs_props(const struct filter *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->term[i].what != TERM_KIND)
            return true;
    return false;
}

static bool text_matches(const struct term *t, struct blob s)
{
    if (t->what == TERM_HAS)
        return s.n != 0;
    if (t->what == TERM_BEGINS)
        return utf8_starts(s, t->value, UTF_FOLD);
    return utf8_cmp(s, t->value, UTF_FOLD) == 0;
}

static bool value_matches(const struct term *t, const struct propval *v)
{
    char number[24];
    uint16_t type = type_single(prop_type(v->tag));
    if (t->what == TERM_HAS)
        return true;
    for (size_t i = 0; i < propval_count(v); i++) {
        struct propval one = type_array(prop_type(v->tag)) ? propval_element(v, i) : *v;
        if (type == PtypString && text_matches(t, one.v.s))
            return true;
        if (type == PtypInteger32 && snprintf(number, sizeof number, "%" PRId32, one.v.i32) > 0 && text_matches(t, blob_str(number)))
            return true;
        if (type == PtypBoolean && text_matches(t, blob_str(one.v.b ? "true" : "false")))
            return true;
    }
    return false;
}

static bool term_matches(const struct term *t, const struct entry *e)
{
    if (t->what == TERM_KIND)
        return e->kind < 64 && (t->kinds >> e->kind & 1) != 0;
    if (t->what == TERM_DOMAIN) {
        const char *at = strrchr(e->smtp, '@');
        return at != NULL && strlen(at + 1) == t->value.n && strncasecmp(at + 1, (const char *)t->value.p, t->value.n) == 0;
    }
    if (t->tag == PidTagDisplayName)
        return text_matches(t, blob_str(e->display_name));
    if (t->tag == PidTagSmtpAddress)
        return text_matches(t, blob_str(e->smtp));
    const struct propval *v = props_find(&e->props, t->tag);
    return v != NULL && value_matches(t, v);
}

bool filter_match(const struct filter *f, const struct entry *e)
{
    for (size_t i = 0; i < f->n; i++)
        if (!term_matches(&f->term[i], e))
            return false;
    return true;
}
