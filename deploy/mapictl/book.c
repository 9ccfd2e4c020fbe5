/* book.c - mapictl directory: objects of the address book, listed, shown, made, changed, resolved. */
#include "deploy/mapictl/bookentry.h"
#include <stdio.h>
#include <strings.h>

/* --- seen ------------------------------------------------------------------------------------------------------------------------------------ */

struct listing { struct ctl *c; json_t *list; bool any_kind; enum entry_kind kind; };

static bool list_one(void *ctx, struct arena *a, const struct entry *e)
{
    struct listing *l = ctx;
    (void)a;
    if (e->kind < ENTRY_CONTAINER && (l->any_kind || l->kind == e->kind))
        json_array_append_new(l->list, bookentry_brief(e));
    return true;
}

int cmd_directory_list(struct ctl *c)
{
    const char *kind = ctl_option(c, "--kind");
    struct listing l = { .c = c, .any_kind = kind == NULL };
    if (c->argc != 0)
        return ctl_usage(c);
    if (kind != NULL && !entry_kind_of_word(kind, &l.kind))
        return bookentry_no_kind(c, kind);
    l.list = json_array();
    ec_t ec = entry_each(ctl_directory(c), ctl_option(c, "--source"), list_one, &l);
    if (ec == ecNone)
        return ctl_table(c, "mid kind address name", l.list);
    json_decref(l.list);
    return ctl_ec(c, "directory", ec);
}

int cmd_directory_show(struct ctl *c)
{
    struct entry e;
    if (c->argc != 1)
        return ctl_usage(c);
    return bookentry_find(c, c->argv[0], &e) ? ctl_show(c, bookentry_full(c, &e)) : CTL_FAILED;
}

static ec_t resolve(struct ctl *c, const struct person *who, const char *text, json_t *list)
{
    int64_t row[2];
    size_t  n = 0;
    struct book *b = book_of(ctl_directory(c));
    struct book_look look;
    if (b == NULL)
        return EC(ecDiskError);
    TRY(book_begin(b, who, &look));
    ec_t ec = book_resolve(&look, c->a, 0, blob_str(text), row, &n);
    book_done(&look);
    for (size_t i = 0; ec == ecNone && i < n; i++) {
        struct entry e;
        if (entry_get(ctl_directory(c), c->a, row[i], &e) == ecNone)
            json_array_append_new(list, bookentry_brief(&e));
    }
    return ec;
}

/* As the named user sees it; without one, as the first organization does.  Of several, two are shown. */
int cmd_directory_resolve(struct ctl *c)
{
    struct person who = { .smtp = "" };
    const char *as = ctl_option(c, "--as");
    if (c->argc != 1)
        return ctl_usage(c);
    if (as != NULL && !ctl_person(c, as, &who))
        return CTL_FAILED;
    json_t *list = json_array();
    ec_t ec = resolve(c, &who, c->argv[0], list);
    size_t n = json_array_size(list);
    if (ec != ecNone) {
        json_decref(list);
        return ctl_ec(c, c->argv[0], ec);
    }
    ctl_table(c, "mid kind address name", list);
    if (!c->json && n != 1)
        fprintf(stderr, "mapictl: %s: %s\n", c->argv[0], n == 0 ? "nobody is found by this" : "more than one are found by this");
    return n == 1 ? CTL_OK : CTL_FAULT;
}

/* --- changed --------------------------------------------------------------------------------------------------------------------------------- */

/* "name=value" of each --set, as a source would tell it. */
static bool wishes(struct ctl *c, struct record *r)
{
    struct attr_map *m = bookentry_map(c);
    for (size_t i = 0; i < c->options; i++) {
        const char *text = c->option[i].value, *equals = strchr(text, '=');
        if (strcmp(c->option[i].name, "--set") != 0)
            continue;
        const char *name = equals != NULL ? arena_str(c->a, blob_of(text, (size_t)(equals - text))) : text;
        enum attr_form form = equals != NULL ? attr_form(m, name) : ATTR_UNKNOWN;
        if (form == ATTR_UNKNOWN || form == ATTR_BINARY || form == ATTR_BINARIES) {
            ctl_fail(c, text, form == ATTR_UNKNOWN ? "not of the form attribute=value with a known attribute (mapictl directory attributes)"
                                                   : "bytes come by directory import");
            return false;
        }
        record_add(c->a, r, name, blob_str(equals + 1));
    }
    return true;
}

static bool understood(struct ctl *c, const struct record *r, struct entry *out)
{
    struct attr_link *link;
    size_t links;
    const char *why = NULL;
    if (!attr_entry(bookentry_map(c), c->a, r, out, &link, &links, &why)) {
        ctl_fail(c, c->argv[0], why);
        return false;
    }
    if (links == 0)
        return true;
    ctl_fail(c, link_word(link[0].kind), "is a link: use --link and --unlink");
    return false;
}

/* "member=address" of --link and --unlink. */
static bool set_links(struct ctl *c, const struct entry *e)
{
    for (size_t i = 0; i < c->options; i++) {
        const char *text = c->option[i].value, *equals = strchr(text, '=');
        bool add = strcmp(c->option[i].name, "--link") == 0;
        enum link_kind k;
        struct entry other;
        if (!add && strcmp(c->option[i].name, "--unlink") != 0)
            continue;
        if (equals == NULL || !link_of_word(arena_str(c->a, blob_of(text, (size_t)(equals - text))), &k)) {
            ctl_fail(c, text, "not of the form link=object with a known link (member, manager, delegate, owner, accept, reject, root, parent-department, shown-in ...)");
            return false;
        }
        if (!bookentry_find(c, equals + 1, &other))
            return false;
        ec_t ec = add ? link_add(ctl_directory(c), k, e->row, other.row) : link_remove(ctl_directory(c), k, e->row, other.row);
        if (ec != ecNone) {
            ec == ecInvalidParameter ? ctl_fail(c, text, "this link does not join objects of these kinds, or closes a circle") : ctl_ec(c, text, ec);
            return false;
        }
    }
    return true;
}

/* The object and its links, or nothing of it. */
static bool written(struct ctl *c, struct entry *e, ec_t (*write)(struct directory *, struct arena *, struct entry *), const char *what)
{
    struct directory *d = ctl_directory(c);
    ec_t ec = entry_batch(d);
    if (ec == ecNone) {
        ec = write(d, c->a, e);
        bool linked = ec == ecNone && set_links(c, e);
        if (ec == ecNone && !linked) {
            entry_batch_end(d, EC(ecInvalidParameter));
            return false; /* who refused has said why */
        }
        ec = entry_batch_end(d, ec);
    }
    if (ec != ecNone)
        ctl_ec(c, what, ec);
    return ec == ecNone;
}

static bool asked(struct ctl *c, const char *attribute)
{
    size_t n = strlen(attribute);
    for (size_t i = 0; i < c->options; i++)
        if (strcmp(c->option[i].name, "--set") == 0 && strncasecmp(c->option[i].value, attribute, n) == 0 && c->option[i].value[n] == '=')
            return true;
    return false;
}

int cmd_directory_add(struct ctl *c)
{
    struct record r = { .key = "" };
    struct entry e;
    enum entry_kind kind;
    if (c->argc != 2)
        return ctl_usage(c);
    if (!entry_kind_of_word(c->argv[0], &kind) || kind >= ENTRY_CONTAINER)
        return bookentry_no_kind(c, c->argv[0]);
    if (*c->argv[1] == '\0')
        return ctl_fail(c, c->argv[0], "needs a name");
    record_add(c->a, &r, "kind", blob_str(c->argv[0]));
    record_add(c->a, &r, "displayName", blob_str(c->argv[1]));
    if (!wishes(c, &r) || !understood(c, &r, &e) || !written(c, &e, entry_add, c->argv[1]))
        return CTL_FAILED;
    return bookentry_find(c, e.dn, &e) ? ctl_show(c, bookentry_full(c, &e)) : CTL_FAILED;
}

/* What was asked for replaces what was there; addresses are added. */
static void merge(struct ctl *c, struct entry *e, const struct entry *wish)
{
    size_t cap = 0, n = e->proxies;
    const char **wider = NULL;
    e->display_name = asked(c, "displayName") ? wish->display_name : e->display_name;
    e->smtp = asked(c, "mail") ? wish->smtp : e->smtp;
    e->hidden = asked(c, "hidden") ? wish->hidden : e->hidden;
    e->filter = asked(c, "filter") ? wish->filter : e->filter;
    e->dn = asked(c, "legacyExchangeDN") ? wish->dn : e->dn;
    for (size_t i = 0; i < n + wish->proxies; i++) {
        wider = arena_grow(c->a, wider, &cap, i, sizeof *wider);
        wider[i] = i < n ? e->proxy[i] : wish->proxy[i - n];
    }
    e->proxy = wider;
    e->proxies = n + wish->proxies;
    props_copy(c->a, &e->props, &wish->props);
}

static bool unset(struct ctl *c, struct entry *e)
{
    for (size_t i = 0; i < c->options; i++) {
        if (strcmp(c->option[i].name, "--unset") != 0)
            continue;
        struct record r = { .key = "" };
        struct entry probe;
        record_add(c->a, &r, "displayName", blob_str("x"));
        record_add(c->a, &r, c->option[i].value, blob_str("1"));
        struct attr_link *link;
        size_t links;
        const char *why;
        if (!attr_entry(bookentry_map(c), c->a, &r, &probe, &link, &links, &why) || links != 0 || probe.props.n != 1) {
            ctl_fail(c, c->option[i].value, "is no property that can be taken away");
            return false;
        }
        props_del(&e->props, probe.props.v[0].tag);
    }
    return true;
}

int cmd_directory_set(struct ctl *c)
{
    struct record r = { .key = "" };
    struct entry e, wish;
    if (c->argc != 1 || c->options == 0)
        return ctl_usage(c);
    if (!bookentry_find(c, c->argv[0], &e))
        return CTL_FAILED;
    if (*e.source != '\0' && ctl_option(c, "--force") == NULL)
        return ctl_fail(c, c->argv[0], arena_printf(c->a, "is written by the source %s and would be changed back (--force)", e.source));
    if (!wishes(c, &r))
        return CTL_FAILED;
    record_add(c->a, &r, "cn", blob_str(e.display_name));
    record_add(c->a, &r, "kind", blob_str(entry_kind_word(e.kind)));
    if (!understood(c, &r, &wish) || !unset(c, &e))
        return CTL_FAILED;
    merge(c, &e, &wish);
    if (!written(c, &e, entry_set, c->argv[0]))
        return CTL_FAILED;
    return bookentry_find(c, e.dn, &e) ? ctl_show(c, bookentry_full(c, &e)) : CTL_FAILED;
}

int cmd_directory_remove_(struct ctl *c)
{
    struct entry e;
    if (c->argc != 1)
        return ctl_usage(c);
    if (!bookentry_find(c, c->argv[0], &e))
        return CTL_FAILED;
    if (e.has_mailbox)
        return ctl_fail(c, c->argv[0], "has a mailbox: mapictl user remove");
    ec_t ec = entry_remove(ctl_directory(c), e.row);
    return ec == ecNone ? ctl_show(c, json_pack("{s:s, s:b}", "dn", e.dn, "removed", 1)) : ctl_ec(c, c->argv[0], ec);
}
