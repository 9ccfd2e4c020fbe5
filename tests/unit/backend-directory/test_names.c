/* test_names.c - a directory of random objects that keeps changing, and random names: what the book finds against a search by hand through every word of everybody. */
#include "backend/directory/book.h"
#include "backend/directory/policy.h"
#include "tests/unit.h"
#include <stdio.h>
#include <stdlib.h>

enum { PEOPLE = 2500, TOKENS = 8, WORDS = 40, TEXT = 200 };

/* An object as the test knows it. */
struct one {
    int64_t row;
    enum entry_kind kind;
    bool    hidden;
    int     domain;                    /* of its address; < 0: it has none */
    char    name[TEXT], given[40], surname[40], alias[40], office[24], smtp[80], proxy[80];
};

struct town {
    struct arena *a;
    struct config config;
    struct directory *d, *other;       /* other: as another process has it open */
    struct person who;
    struct one   *one;
    size_t        n;
    int64_t       list[4];             /* 0, rooms (few), contacts (many), an office (few, by a property) */
    bool          home;                /* the second domain belongs to our organization too */
    unsigned      serial;
};

static const char *const domains[] = { "example.com", "second.example", "third.example" };
static const char *const names[] = { "Anna", "anne", "An", "Bernd", "Ber", "Carl", "Ca", "M\xc3\xbcller", "Mul", "Meyer", "Mey", "Meyerling", "Zoe", "Li", "O'Hara", "(Sales)", "\"Bo\"" };
enum { NAMES = sizeof names / sizeof names[0] };

static unsigned dice(unsigned n) { return (unsigned)random() % n; }
static const char *any_name(void) { return names[dice(NAMES)]; }

static void invent(struct town *t, struct one *o)
{
    unsigned i = ++t->serial, number = dice(3) != 0 ? dice(40) : dice(4000);
    o->kind = dice(40) == 0 ? ENTRY_ROOM : dice(3) == 0 ? ENTRY_CONTACT : ENTRY_USER;
    o->hidden = dice(25) == 0;
    if (o->row == 0 || o->domain >= 0)                     /* who has had none stays so: his DN says where he belongs */
        o->domain = o->row == 0 && dice(8) == 0 ? -1 : (int)dice(3);
    snprintf(o->given, sizeof o->given, "%s", dice(6) != 0 ? any_name() : "");
    snprintf(o->surname, sizeof o->surname, "%s%u", any_name(), number);
    static const char *const forms[] = { "%1$s %2$s", "%1$s %2$s", "%2$s, %1$s", "%1$s Maria; %2$s" };
    snprintf(o->name, sizeof o->name, forms[dice(4)], o->given[0] != '\0' ? o->given : any_name(), o->surname);
    snprintf(o->alias, sizeof o->alias, dice(3) != 0 ? "user%u" : "", i);
    snprintf(o->office, sizeof o->office, dice(2) != 0 ? "%u/%u" : "", dice(12), dice(60));
    snprintf(o->smtp, sizeof o->smtp, o->domain < 0 ? "" : "u%u@%s", i, o->domain < 0 ? "" : domains[o->domain]);
    snprintf(o->proxy, sizeof o->proxy, dice(7) == 0 ? "smtp:%s%u@old.example" : "", names[dice(6)], i);
}

static void set_or_not(struct town *t, struct entry *e, uint32_t tag, const char *text)
{
    if (*text != '\0')
        props_set(t->a, &e->props, pv_str(tag, text));
}

static void write_one(struct town *t, struct one *o)
{
    const char *proxy = o->proxy;
    struct entry e = { .row = o->row, .kind = o->kind, .hidden = o->hidden, .display_name = o->name, .smtp = o->smtp, .proxy = &proxy, .proxies = o->proxy[0] != '\0' };
    set_or_not(t, &e, PidTagGivenName, o->given);
    set_or_not(t, &e, PidTagSurname, o->surname);
    set_or_not(t, &e, PidTagAccount, o->alias);
    set_or_not(t, &e, PidTagOfficeLocation, o->office);
    REQUIRE_EC(o->row == 0 ? entry_add(t->other, t->a, &e) : entry_set(t->other, t->a, &e), ecNone);
    o->row = e.row;
}

static void add_some(struct town *t, size_t n)
{
    REQUIRE_EC(entry_batch(t->other), ecNone);
    for (size_t i = 0; i < n && t->n < 2 * PEOPLE; i++) {
        t->one[t->n] = (struct one){ 0 };
        invent(t, &t->one[t->n]);
        write_one(t, &t->one[t->n++]);
    }
    REQUIRE_EC(entry_batch_end(t->other, ecNone), ecNone);
}

static void change_some(struct town *t, size_t n)
{
    REQUIRE_EC(entry_batch(t->other), ecNone);
    for (size_t i = 0; i < n; i++) {
        struct one *o = &t->one[1 + dice((unsigned)t->n - 1)];
        invent(t, o);
        write_one(t, o);
    }
    REQUIRE_EC(entry_batch_end(t->other, ecNone), ecNone);
}

static void remove_some(struct town *t, size_t n)
{
    REQUIRE_EC(entry_batch(t->other), ecNone);
    for (size_t i = 0; i < n && t->n > 2; i++) {
        size_t at = 1 + dice((unsigned)t->n - 1);
        CHECK_EC(entry_remove(t->other, t->one[at].row), ecNone);
        t->one[at] = t->one[--t->n];
    }
    REQUIRE_EC(entry_batch_end(t->other, ecNone), ecNone);
}

static void move_domain(struct town *t)
{
    REQUIRE_EC((t->home ? org_add_domain : org_drop_domain)(t->other, "Other", domains[1]), ecNone);
    t->home = !t->home;
}

static void town(struct town *t, const char *name)
{
    const char *why = NULL;
    static const struct container lists[] = { { .name = "Rooms", .filter = "kind=room" }, { .name = "Contacts", .filter = "kind=contact" },
                                              { .name = "Office", .filter = "PidTagOfficeLocation=3/7" } };
    *t = (struct town){ .a = arena_new((size_t)1 << 31) };
    t->config = (struct config){ .directory = arena_printf(t->a, "%s/%s.db", unit_tmpdir(), name), .organization = "Demo", .default_domain = "example.com" };
    t->d = directory_open(&t->config, t->a, &why);
    t->other = directory_open(&t->config, t->a, &why);
    t->one = arena_array(t->a, struct one, 2 * PEOPLE);
    REQUIRE(t->d != NULL && t->other != NULL);
    srandom(20);
    REQUIRE_EC(directory_add(t->d, t->a, &(struct person_new){ .login = "me@example.com", .display_name = "Zoe Me", .password = "x" }, &t->who), ecNone);
    t->one[t->n++] = (struct one){ .row = t->who.row, .kind = ENTRY_USER, .name = "Zoe Me", .smtp = "me@example.com" };
    REQUIRE_EC(org_add(t->other, "Other"), ecNone);
    REQUIRE_EC(org_add_domain(t->other, "Other", domains[1]), ecNone);
    REQUIRE_EC(org_add_domain(t->other, "Other", domains[2]), ecNone);
    for (size_t i = 0; i < 3; i++) {
        struct container c = lists[i];
        REQUIRE_EC(container_add(t->other, t->a, &c), ecNone);
        t->list[i + 1] = c.row;
    }
    add_some(t, PEOPLE);
}

static void town_end(struct town *t)
{
    directory_close(t->d);
    directory_close(t->other);
    arena_free(t->a);
}

/* --- by hand ----------------------------------------------------------------------------------------------------------------------------------- */

/* Without case and the one accent that is used here; spaces around it go. */
static void plain(char *out, size_t cap, const char *s, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n && k + 1 < cap; i++) {
        bool umlaut = i + 1 < n && (unsigned char)s[i] == 0xC3;
        char c = umlaut ? 'u' : s[i];
        i += umlaut;
        if (c != ' ' || (k != 0 && out[k - 1] != ' '))
            out[k++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    while (k != 0 && out[k - 1] == ' ')
        k--;
    out[k] = '\0';
}

struct bag { char w[WORDS][TEXT]; size_t n; };

static void bag_add(struct bag *b, const char *s, size_t n)
{
    plain(b->w[b->n], TEXT, s, n);
    b->n += b->w[b->n][0] != '\0';
}

static void bag_of(const struct one *o, struct bag *b)
{
    b->n = 0;
    const char *whole[] = { o->name, o->given, o->surname, o->alias, o->office, o->smtp, strchr(o->proxy, ':') != NULL ? strchr(o->proxy, ':') + 1 : "" };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        bag_add(b, whole[i], strlen(whole[i]));
    for (const char *p = o->name; *p != '\0'; p += *p != '\0') {
        size_t n = strcspn(p, " ,;()\"");
        bag_add(b, p, n);
        p += n;
    }
}

static bool bag_has(const struct bag *b, const char *text, bool whole)
{
    for (size_t i = 0; i < b->n; i++)
        if (whole ? strcmp(b->w[i], text) == 0 : strncmp(b->w[i], text, strlen(text)) == 0)
            return true;
    return false;
}

static bool ours(const struct town *t, const struct one *o) { return o->domain <= 0 || (o->domain == 1 && t->home); }

static bool in_list(const struct town *t, const struct one *o, size_t list)
{
    return ours(t, o) && !o->hidden && (list == 0 || (list == 1 && o->kind == ENTRY_ROOM) || (list == 2 && o->kind == ENTRY_CONTACT) || (list == 3 && strcmp(o->office, "3/7") == 0));
}

static bool has_address(const struct one *o, const char *address) { return strcasecmp(o->smtp, address) == 0 || (o->proxy[0] != '\0' && strcasecmp(o->proxy + 5, address) == 0); }

struct hand { size_t whole, begin, tokens, matches; int64_t whole_row, begin_row, tokens_row, address_row; };

/* Everybody is asked for the whole text, its begin, and each of its tokens. */
static void search_by_hand(const struct town *t, size_t list, const char *text, struct hand *h)
{
    static struct bag b;
    char   token[TOKENS][TEXT];
    size_t tokens = 0;
    *h = (struct hand){ 0 };
    for (const char *p = text; *p != '\0' && tokens < TOKENS; p += *p != '\0') {
        size_t n = strcspn(p, " ,;");
        if (n != 0)
            snprintf(token[tokens++], TEXT, "%.*s", (int)n, p);
        p += n;
    }
    for (size_t i = 0; i < t->n; i++) {
        const struct one *o = &t->one[i];
        if (strchr(text, '@') != NULL && has_address(o, text) && (list == 0 ? ours(t, o) : in_list(t, o, list)))
            h->address_row = o->row;
        if (!in_list(t, o, list))
            continue;
        bag_of(o, &b);
        bool begins = bag_has(&b, text, false), all = tokens > 1;
        for (size_t k = 0; k < tokens && all; k++)
            all = bag_has(&b, token[k], false);
        if (bag_has(&b, text, true) && ++h->whole == 1)
            h->whole_row = o->row;
        if (begins && ++h->begin == 1)
            h->begin_row = o->row;
        if (all && ++h->tokens == 1)
            h->tokens_row = o->row;
        h->matches += begins || all;
    }
}

static size_t by_hand(const struct hand *h, bool exact, int64_t *row)
{
    size_t n = exact ? h->whole : h->address_row != 0 ? 1 : h->whole == 1 ? 1 : h->begin != 0 ? h->begin : h->tokens;
    *row = exact ? h->whole_row : h->address_row != 0 ? h->address_row : h->whole == 1 ? h->whole_row : h->begin != 0 ? h->begin_row : h->tokens_row;
    return n > 2 ? 2 : n;
}

/* --- names as people type them ------------------------------------------------------------------------------------------------------------------ */

static const char *begin_of(char *out, size_t cap, const char *s)
{
    size_t n = strlen(s);
    n = dice(3) == 0 ? n : n < 2 ? n : 1 + dice((unsigned)n);
    while (n != 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
        n++;
    snprintf(out, cap, "%.*s", (int)n, s);
    return out;
}

static void type_name(const struct town *t, char *out, size_t cap)
{
    char x[TEXT], y[TEXT], z[TEXT];
    const struct one *o = &t->one[dice((unsigned)t->n)], *p = dice(3) == 0 ? &t->one[dice((unsigned)t->n)] : o;
    switch (dice(10)) {
    case 0: snprintf(out, cap, "%s", o->name); break;
    case 1: snprintf(out, cap, "%s", begin_of(x, sizeof x, o->name)); break;
    case 2: snprintf(out, cap, "%s", begin_of(x, sizeof x, dice(2) != 0 ? o->alias : o->office)); break;
    case 3: snprintf(out, cap, "%s", dice(2) != 0 ? o->smtp : o->proxy[0] != '\0' ? o->proxy + 5 : "nobody@example.com"); break;
    case 4: snprintf(out, cap, "%.1s %.2s", o->surname, any_name()); break;
    case 5: snprintf(out, cap, "%s %s", begin_of(x, sizeof x, o->surname), begin_of(y, sizeof y, p->office)); break;
    case 6: snprintf(out, cap, "%s,%s; %s", begin_of(x, sizeof x, p->given), begin_of(y, sizeof y, o->surname), begin_of(z, sizeof z, o->alias)); break;
    case 7: snprintf(out, cap, "%u/ %s", dice(12), begin_of(x, sizeof x, any_name())); break;
    case 8: snprintf(out, cap, "user u %.2s", any_name()); break;
    default: snprintf(out, cap, "%s %s", begin_of(x, sizeof x, o->surname), begin_of(y, sizeof y, o->given)); break;
    }
}

static void check_name(struct town *t, struct book_look *l, struct arena *a, size_t list, const char *typed)
{
    char text[TEXT];
    struct hand h;
    int64_t row[2] = { 0, 0 }, want_row, *all = NULL;
    size_t  n = 9, m = 0;
    plain(text, sizeof text, typed, strlen(typed));
    search_by_hand(t, list, text, &h);
    for (unsigned exact = 0; exact < 2; exact++) {
        size_t want = by_hand(&h, exact != 0, &want_row);
        ec_t ec = book_resolve(l, a, t->list[list], blob_str(arena_printf(a, "%s%s", exact != 0 ? "=" : "", typed)), row, &n);
        unit_check(ec == ecNone && n == (*text != '\0' ? want : 0) && (n != 1 || row[0] == want_row), __FILE__, __LINE__, "list %zu, \"%s\"%s: %zu, row %lld, not %zu, row %lld", list, typed,
                   exact != 0 ? " exactly" : "", n, (long long)row[0], want, (long long)want_row);
    }
    CHECK_EC(book_matches(l, a, t->list[list], blob_str(typed), SIZE_MAX, &all, &m), ecNone);
    size_t want = *text == '\0' ? 0 : h.address_row != 0 ? 1 : h.matches;
    bool ascending = true;
    for (size_t i = 1; i < m; i++)
        ascending = ascending && all[i - 1] < all[i];
    unit_check(m == want && ascending, __FILE__, __LINE__, "list %zu, all of \"%s\": %zu, not %zu", list, typed, m, want);
}

static void check_names(struct town *t, struct book *b, unsigned n)
{
    char typed[TEXT];
    struct book_look l;
    struct arena *a = arena_new(1 << 26);
    REQUIRE_EC(book_begin(b, &t->who, &l), ecNone);
    for (unsigned i = 0; i < n; i++) {
        type_name(t, typed, sizeof typed);
        check_name(t, &l, a, i % 3 == 0 ? 1 + dice(3) : 0, typed);
        if (i % 16 == 15)
            book_pause(&l);
    }
    book_done(&l);
    arena_free(a);
}

TEST_LIMIT(names_against_a_search_by_hand, 120)
{
    enum { STEPS = 24, EACH = 50 };
    struct town t;
    town(&t, "town");
    struct book *b = book_of(t.d);
    REQUIRE(b != NULL);
    check_names(&t, b, 4 * EACH);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned n = 1 + dice(step % 4 == 3 ? 200 : 6);   /* enough in the end that what changed is taken into the list of all */
        change_some(&t, n);
        add_some(&t, dice(n + 1));
        remove_some(&t, dice(n + 1));
        if (step % 8 == 5)
            move_domain(&t);
        check_names(&t, b, EACH);
    }
    change_some(&t, 4200);                                 /* all is made anew */
    check_names(&t, b, 2 * EACH);
    change_some(&t, 5);
    check_names(&t, b, EACH);
    check_names(&t, book_of(t.other), 2 * EACH);           /* who has not followed finds the same */
    town_end(&t);
}
