/* sync.c - records -> rows that are added, changed or left alone; then their links; then what is gone. */
#include "backend/directory/source/sync.h"
#include "backend/base/must.h"
#include "backend/mapi/msg.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum { BATCH = 200, ARENA_EACH = 64 << 20, PROGRESS_EACH = 500 };

struct named { const char *name; int64_t row; };
struct wish { int64_t row; const char *key; const struct attr_link *link; size_t links; };

struct sync {
    struct sync_options o;
    struct arena *a;                            /* for all of the run */
    struct arena *each;                         /* of the record at hand */
    struct sync_count count;
    struct named *named; size_t nnamed, named_cap;  /* every record that has a row */
    struct wish  *wish; size_t wishes, wish_cap;
    size_t        in_batch;
    int64_t       next_dry;                     /* a dry run gives new objects rows that nobody has */
};

struct sync *sync_begin(struct arena *a, const struct sync_options *o)
{
    struct sync *s = arena_one(a, struct sync);
    *s = (struct sync){ .o = *o, .a = a, .next_dry = -1 };
    return s;
}

static void refuse(struct sync *s, const char *key, size_t line, const char *why)
{
    s->count.refused++;
    if (s->o.say != NULL)
        s->o.say(s->o.ctx, key, line, why);
}

/* --- batches ------------------------------------------------------------------------------------------------------------------------------ */

static ec_t batch_end(struct sync *s, ec_t ec)
{
    if (s->in_batch == 0)
        return ec;
    s->in_batch = 0;
    return entry_batch_end(s->o.directory, ec);
}

static ec_t batch_step(struct sync *s)
{
    if (s->o.dry_run)
        return ecNone;
    if (s->in_batch >= BATCH)
        TRY(batch_end(s, ecNone));
    if (s->in_batch++ != 0)
        return ecNone;
    ec_t ec = entry_batch(s->o.directory);
    if (ec != ecNone)
        s->in_batch = 0;
    return ec;
}

/* --- rows --------------------------------------------------------------------------------------------------------------------------------- */

static bool same_text(const char *x, const char *y) { return strcmp(x != NULL ? x : "", y != NULL ? y : "") == 0; }

static bool same_props(struct arena *a, const struct props *x, const struct props *y)
{
    struct wr p = wr_in(a, SIZE_MAX / 4), q = wr_in(a, SIZE_MAX / 4);
    props_pack(&p, x);
    props_pack(&q, y);
    return blob_eq(wr_blob(&p), wr_blob(&q));
}

static bool has_proxy(const struct entry *e, const char *proxy)
{
    for (size_t i = 0; i < e->proxies; i++)
        if (strcasecmp(e->proxy[i], proxy) == 0)
            return true;
    return false;
}

static bool same(struct arena *a, const struct entry *x, const struct entry *y)
{
    if (x->kind != y->kind || x->hidden != y->hidden || x->proxies != y->proxies || !same_text(x->display_name, y->display_name) ||
        !same_text(x->smtp, y->smtp) || !same_text(x->filter, y->filter) || !same_text(x->source, y->source) || !same_text(x->external, y->external))
        return false;
    for (size_t i = 0; i < x->proxies; i++)
        if (!has_proxy(y, x->proxy[i]))
            return false;
    return (x->dn == NULL || strcasecmp(x->dn, y->dn) == 0) && same_props(a, &x->props, &y->props);
}

/* The row that this record is about; ecNotFound: none yet. */
static ec_t find(struct sync *s, const struct entry *e, struct entry *was)
{
    ec_t ec = entry_by_external(s->o.directory, s->each, s->o.source, e->external, was);
    if (ec != ecNotFound || *e->smtp == '\0')
        return ec;
    TRY(entry_by_address(s->o.directory, s->each, e->smtp, was));
    if (*was->source == '\0' && was->kind == ENTRY_USER && strcasecmp(was->smtp, e->smtp) == 0)
        return ecNone;
    return EC(ecCollidingNames);
}

/* What users publish themselves (MS-OXNSPI R1268) stays where the source has none. */
static void keep_certificates(struct arena *a, struct entry *e, const struct entry *was)
{
    static const uint32_t own[] = { PidTagUserX509Certificate, PidTagAddressBookX509Certificate };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const struct propval *v = props_find(&was->props, own[i]);
        if (v != NULL && props_find(&e->props, own[i]) == NULL)
            props_set(a, &e->props, *v);
    }
}

/* What the source cannot know stays: DN and former DNs, addresses and certificates of a user who has a mailbox here. */
static void inherit(struct arena *a, struct entry *e, const struct entry *was)
{
    size_t cap = 0, n = e->proxies;
    const char **wider = NULL;
    e->row = was->row;
    e->dn = e->dn != NULL ? e->dn : was->dn;
    if (was->has_mailbox) {
        e->kind = was->kind;
        e->smtp = *e->smtp != '\0' ? e->smtp : was->smtp;
        keep_certificates(a, e, was);
    }
    for (size_t i = 0; i < n; i++) {
        wider = arena_grow(a, wider, &cap, i, sizeof *wider);
        wider[i] = e->proxy[i];
    }
    for (size_t i = 0; i < was->proxies; i++) {
        bool keep = strncasecmp(was->proxy[i], "x500:", 5) == 0 || was->has_mailbox;
        bool primary = strncasecmp(was->proxy[i], "smtp:", 5) == 0 && strcasecmp(was->proxy[i] + 5, e->smtp) == 0;
        if (!keep || primary || has_proxy(e, was->proxy[i]))
            continue;
        wider = arena_grow(a, wider, &cap, n, sizeof *wider);
        wider[n++] = was->proxy[i];
    }
    e->proxy = wider;
    e->proxies = n;
}

/* What entry_add would say of names that others have, without adding. */
static ec_t would_add(struct sync *s, const struct entry *e)
{
    struct entry other;
    ec_t ec = e->dn != NULL && *e->dn != '\0' ? entry_by_dn(s->o.directory, s->each, e->dn, &other) : ecNotFound;
    for (size_t i = 0; ec == ecNotFound && i < e->proxies; i++)
        if (strncasecmp(e->proxy[i], "smtp:", 5) == 0)
            ec = entry_by_address(s->o.directory, s->each, e->proxy[i] + 5, &other);
    return ec == ecNotFound ? ecNone : ec == ecNone ? EC(ecCollidingNames) : ec;
}

static ec_t store(struct sync *s, struct entry *e)
{
    struct entry was;
    ec_t ec = find(s, e, &was);
    if (ec == ecNotFound) {
        s->count.added++;
        e->row = s->next_dry--;
        return s->o.dry_run ? would_add(s, e) : entry_add(s->o.directory, s->each, e);
    }
    TRY(ec);
    inherit(s->each, e, &was);
    bool unchanged = same(s->each, e, &was);
    s->count.unchanged += unchanged;
    s->count.changed += !unchanged;
    return unchanged || s->o.dry_run ? ecNone : entry_set(s->o.directory, s->each, e);
}

/* --- records ------------------------------------------------------------------------------------------------------------------------------ */

static const char *folded(struct arena *a, const char *s)
{
    char *t = arena_strdup(a, s), *to = t;
    for (const char *p = t; *p != '\0'; p++) {
        if (*p == ' ' && to != t && (to[-1] == ',' || to[-1] == '='))
            continue; /* "cn=a, o=b" is "cn=a,o=b" */
        *to++ = (unsigned char)*p < 0x80 ? (char)tolower((unsigned char)*p) : *p;
    }
    *to = '\0';
    return t;
}

static void remember(struct sync *s, const struct record *r, int64_t row, const struct attr_link *link, size_t links)
{
    s->named = arena_grow(s->a, s->named, &s->named_cap, s->nnamed, sizeof *s->named);
    s->named[s->nnamed++] = (struct named){ folded(s->a, r->name), row };
    struct attr_link *copy = arena_array(s->a, struct attr_link, links);
    for (size_t i = 0; i < links; i++)
        copy[i] = (struct attr_link){ link[i].kind, folded(s->a, link[i].target) };
    s->wish = arena_grow(s->a, s->wish, &s->wish_cap, s->wishes, sizeof *s->wish);
    s->wish[s->wishes++] = (struct wish){ row, arena_strdup(s->a, r->key), copy, links };
}

static const char *words_of(ec_t ec)
{
    return ec == ecCollidingNames    ? "its address, DN or key belongs to another object"
         : ec == ecInvalidParameter ? "a value that an object cannot have"
                                    : NULL;
}

static ec_t record(struct sync *s, const struct record *r)
{
    struct entry e;
    struct attr_link *link;
    size_t links;
    const char *why = NULL;
    s->count.read++;
    if (!attr_entry(s->o.map, s->each, r, &e, &link, &links, &why) || *r->key == '\0') {
        refuse(s, r->key, r->line, why != NULL ? why : "nothing names it");
        return ecNone;
    }
    e.source = s->o.source;
    e.external = r->key;
    struct sync_count before = s->count;
    TRY(batch_step(s));
    ec_t ec = store(s, &e);
    if (words_of(ec) != NULL) {
        s->count = before;
        refuse(s, r->key, r->line, words_of(ec));
        return ecNone;
    }
    TRY(ec);
    remember(s, r, e.row, link, links);
    return ecNone;
}

ec_t sync_record(struct sync *s, const struct record *r)
{
    s->each = arena_new(ARENA_EACH);
    ec_t ec = record(s, r);
    arena_free(s->each);
    s->each = NULL;
    if (s->o.progress != NULL && s->count.read % PROGRESS_EACH == 0)
        s->o.progress(s->o.ctx, &s->count);
    return ec;
}

ec_t sync_pause(struct sync *s)
{
    TRY(batch_end(s, ecNone));
    return s->o.stop != NULL && s->o.stop(s->o.ctx) ? EC(ecTimeout) : ecNone;
}

/* --- links -------------------------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y) { return strcmp(((const struct named *)x)->name, ((const struct named *)y)->name); }
static int by_row(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* By its name in this run, else by what anybody may call it. */
static bool resolve(struct sync *s, const char *target, int64_t *row)
{
    struct named key = { target, 0 };
    const struct named *hit = s->nnamed != 0 ? bsearch(&key, s->named, s->nnamed, sizeof *s->named, by_name) : NULL;
    struct entry e;
    if (hit != NULL) {
        *row = hit->row;
        return true;
    }
    if (strncmp(target, "smtp:", 5) == 0)
        target += 5;
    ec_t ec = strchr(target, '@') != NULL ? entry_by_address(s->o.directory, s->each, target, &e) : entry_by_dn(s->o.directory, s->each, target, &e);
    *row = e.row;
    return ec == ecNone;
}

static ec_t link_kind_set(struct sync *s, const struct wish *w, enum link_kind k)
{
    int64_t *want = arena_array(s->each, int64_t, w->links), *have = NULL;
    size_t n = 0, had = 0, unique = 0;
    for (size_t i = 0; i < w->links; i++) {
        if (w->link[i].kind != k)
            continue;
        if (resolve(s, w->link[i].target, &want[n])) {
            n++;
            continue;
        }
        s->count.links_unknown++;
        if (s->o.say != NULL)
            s->o.say(s->o.ctx, w->key, 0, arena_printf(s->each, "%s: nobody is called %.200s", link_word(k), w->link[i].target));
    }
    if (s->o.dry_run)
        return ecNone;
    qsort(want, n, sizeof *want, by_row);
    for (size_t i = 0; i < n; i++)
        if (unique == 0 || want[unique - 1] != want[i])
            want[unique++] = want[i];
    TRY(link_list(s->o.directory, s->each, k, w->row, false, &have, &had));
    if (had == unique && (had == 0 || memcmp(have, want, had * sizeof *have) == 0))
        return ecNone;
    TRY(batch_step(s));
    ec_t ec = link_replace(s->o.directory, k, w->row, want, unique);
    if (ec != ecInvalidParameter)
        return ec;
    s->count.links_unknown += unique;
    if (s->o.say != NULL)
        s->o.say(s->o.ctx, w->key, 0, arena_printf(s->each, "%s: does not join objects of these kinds", link_word(k)));
    return ecNone;
}

/* The members of a dynamic group are what its filter says; the delegates of a user are what he says, unless the source says something. */
static bool left_alone(struct sync *s, const struct wish *w, enum link_kind k)
{
    struct entry e;
    bool said = false;
    if ((k != LINK_MEMBER && k != LINK_DELEGATE) || w->row <= 0 || entry_brief(s->o.directory, s->each, w->row, &e) != ecNone)
        return false;
    for (size_t i = 0; i < w->links; i++)
        said |= w->link[i].kind == k;
    return k == LINK_MEMBER ? e.kind == ENTRY_DYNAMIC : e.has_mailbox && !said;
}

static ec_t links_of(struct sync *s, const struct wish *w)
{
    static const enum link_kind kinds[] = {
#define LINK(number, NAME, word, forward, back) LINK_##NAME,
#include "backend/directory/link.def"
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!left_alone(s, w, kinds[i]))
            TRY(link_kind_set(s, w, kinds[i]));
    }
    return ecNone;
}

static ec_t links(struct sync *s)
{
    if (s->nnamed != 0)
        qsort(s->named, s->nnamed, sizeof *s->named, by_name);
    ec_t ec = ecNone;
    for (size_t i = 0; i < s->wishes && ec == ecNone; i++) {
        s->each = arena_new(ARENA_EACH);
        ec = links_of(s, &s->wish[i]);
        arena_free(s->each);
    }
    s->each = NULL;
    return ec;
}

/* --- what is gone ------------------------------------------------------------------------------------------------------------------------- */

struct gone { struct sync *s; int64_t *seen; size_t n; int64_t *row; size_t rows, cap; };

static bool look_for_gone(void *ctx, struct arena *a, const struct entry *e)
{
    struct gone *g = ctx;
    (void)a;
    if (g->n != 0 && bsearch(&e->row, g->seen, g->n, sizeof *g->seen, by_row) != NULL)
        return true;
    g->row = arena_grow(g->s->a, g->row, &g->cap, g->rows, sizeof *g->row);
    g->row[g->rows++] = e->row;
    return true;
}

static ec_t let_go(struct sync *s, int64_t row)
{
    struct entry e;
    TRY(entry_get(s->o.directory, s->each, row, &e));
    if (!e.has_mailbox)
        return entry_remove(s->o.directory, row);
    e.source = e.external = "";
    return entry_set(s->o.directory, s->each, &e);
}

static ec_t prune(struct sync *s)
{
    struct gone g = { .s = s, .seen = arena_array(s->a, int64_t, s->nnamed), .n = s->nnamed };
    for (size_t i = 0; i < s->nnamed; i++)
        g.seen[i] = s->named[i].row;
    qsort(g.seen, g.n, sizeof *g.seen, by_row);
    TRY(entry_each(s->o.directory, s->o.source, look_for_gone, &g));
    s->count.removed = g.rows;
    for (size_t i = 0; i < g.rows && !s->o.dry_run; i++) {
        s->each = arena_new(ARENA_EACH);
        ec_t ec = batch_step(s);
        ec = ec == ecNone ? let_go(s, g.row[i]) : ec;
        arena_free(s->each);
        TRY(ec);
    }
    return ecNone;
}

/* Nothing goes when a record was refused: what looks gone may be what could not be read. */
ec_t sync_end(struct sync *s, ec_t ec, struct sync_count *out)
{
    if (ec == ecNone)
        ec = links(s);
    if (ec == ecNone && s->o.prune && s->count.refused == 0)
        ec = prune(s);
    ec = batch_end(s, ec);
    *out = s->count;
    return ec;
}
