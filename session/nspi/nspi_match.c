/* nspi_match.c - GetMatches: which objects of a list a restriction chooses, or which ones a property of an object refers to (MS-OXNSPI 3.1.4.1.10). */
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "backend/base/utf.h"
#include "backend/directory/source/refresh.h"
#include "session/nspi/nspi_row.h"
#include "session/nspi/nspi_slow.h"
#include "session/nspi/nspi_table.h"

enum { NAMES_MAX = 16, NAME_TAG = 0x3FF0 };  /* name resolutions in one restriction, and the ids that stand for them */
enum { PRINTABLE_KEY = 0x3FEF, CP_TELETEX = 20261 };

/* A restriction at work on one list. */
struct match {
    struct nspi_ctx *c;
    struct nspi_stat stat;
    int64_t          container;
    struct { int64_t *row; size_t n; } name[NAMES_MAX];  /* whom each resolved name can mean, ascending */
    size_t           names;
    struct nspi_object o;            /* the row that is looked at */
};

static const struct propval yes_value = { .tag = PROP_TAG(NAME_TAG, PtypBoolean), .v.b = true };
static const struct propval no_value = { .tag = PROP_TAG(NAME_TAG, PtypBoolean), .v.b = false };

/* --- names in restrictions ------------------------------------------------------------------------------------------------------------------- */

static const struct propval *anr_value(const struct restriction *r)
{
    if (r->kind == RES_PROPERTY && prop_id(r->property.tag) == prop_id(PidTagAnr) && r->property.relop == RELOP_EQ)
        return &r->property.value;
    if (r->kind == RES_CONTENT && prop_id(r->content.tag) == prop_id(PidTagAnr))
        return &r->content.value;
    return NULL;
}

/* PidTagAnr has no value that could be compared: whom the text can mean is found out once, and the restriction then asks whether a row is among them. */
static ec_t resolve_name(struct match *m, struct restriction *r, const struct propval *text)
{
    if (m->names == NAMES_MAX || type_single(prop_type(text->tag)) != PtypString || type_array(prop_type(text->tag)))
        return EC(ecTooComplex);
    size_t i = m->names++;
    TRY(book_matches(&m->c->look, m->c->a, m->container, text->v.s, NSPI_COUNT_MAX, &m->name[i].row, &m->name[i].n));
    *r = (struct restriction){ .kind = RES_PROPERTY };
    r->property.relop = RELOP_EQ;
    r->property.tag = PROP_TAG(NAME_TAG + i, PtypBoolean);
    r->property.value = yes_value;
    r->property.value.tag = r->property.tag;
    return ecNone;
}

/* The one property whose own type is PtypString8 is compared by its bytes, and the shorter value is the smaller one (OXNSPI R484, R488, R1601): binary keys of value
 * and wanted value sort so. */
static struct propval printable_key(struct arena *a, struct blob ascii)
{
    struct wr w = wr_in(a, sizeof(uint32_t) + ascii.n);
    for (unsigned shift = 32; shift != 0; shift -= 8)
        wr_u8(&w, (uint8_t)(ascii.n >> (shift - 8)));
    wr_put(&w, ascii);
    return pv_bin(PROP_TAG(PRINTABLE_KEY, PtypBinary), wr_blob(&w));
}

static bool compares_printable(const struct restriction *r)
{
    return r->kind == RES_PROPERTY && prop_unicode(r->property.tag) == PidTagAddressBookDisplayNamePrintable
        && prop_type(prop_unicode(r->property.value.tag)) == PtypString;
}

static ec_t resolve_names(struct match *m, struct restriction *r)
{
    const struct propval *text = anr_value(r);
    if (text != NULL)
        return resolve_name(m, r, text);
    if (compares_printable(r)) {
        r->property.value = printable_key(m->c->a, codepage_from_utf8(m->c->a, CP_TELETEX, r->property.value.v.s));
        r->property.tag = r->property.value.tag;
    }
    if (r->kind == RES_AND || r->kind == RES_OR)
        for (size_t i = 0; i < r->list.n; i++)
            TRY(resolve_names(m, &r->list.v[i]));
    if (r->kind == RES_NOT)
        return resolve_names(m, r->one.r);
    if (r->kind == RES_COMMENT && r->comment.r != NULL)
        return resolve_names(m, r->comment.r);
    return ecNone;
}

static bool among(const int64_t *row, size_t n, int64_t wanted)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (row[mid] < wanted)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && row[low] == wanted;
}

/* --- one row --------------------------------------------------------------------------------------------------------------------------------- */

static const struct propval *get(void *ctx, uint32_t tag)
{
    struct match *m = ctx;
    unsigned id = prop_id(tag);
    if (id >= NAME_TAG && id < NAME_TAG + m->names)
        return among(m->name[id - NAME_TAG].row, m->name[id - NAME_TAG].n, m->o.e.row) ? &yes_value : &no_value;
    struct propval *v = arena_one(m->o.c->a, struct propval);
    if (id == PRINTABLE_KEY) {
        nspi_value(&m->o, PidTagAddressBookDisplayNamePrintable, v);
        *v = prop_type(v->tag) == PtypString ? printable_key(m->o.c->a, v->v.s) : *v;
        return v;
    }
    nspi_value(&m->o, prop_type(tag) == PtypUnspecified ? nspi_native(tag) : prop_unicode(tag), v);
    return prop_type(v->tag) != PtypErrorCode ? v : NULL;
}

static ec_t matches(struct match *m, struct nspi_ctx *c, const struct restriction *r, int64_t row, bool *yes)
{
    const struct res_row as_row = { m, get, NULL };
    fault_point(FAULT_book_row);
    ec_t ec = nspi_object(c, entry_mid(row), FLAG_EPHEMERAL, &m->o);
    *yes = ec == ecNone && m->o.there && restriction_match(r, &as_row);
    return ec != ecNone ? ec : nspi_failed(&m->o);
}

/* --- all rows -------------------------------------------------------------------------------------------------------------------------------- */

struct found { uint32_t *mid; size_t n, cap; };

static ec_t found(struct nspi_ctx *c, struct found *f, int64_t row)
{
    if (f->n == c->in->arg[1] || f->n == NSPI_COUNT_MAX)
        return EC(ecTableTooBig);
    f->mid = arena_grow(c->a, f->mid, &f->cap, f->n, sizeof *f->mid);
    f->mid[f->n++] = entry_mid(row);
    return ecNone;
}

/* Only those whom a name means can match? */
static const struct restriction *driving_name(const struct match *m, const struct restriction *r)
{
    if (r->kind == RES_PROPERTY && prop_id(r->property.tag) >= NAME_TAG && prop_id(r->property.tag) < NAME_TAG + m->names)
        return r;
    for (size_t i = 0; r->kind == RES_AND && i < r->list.n; i++) {
        const struct restriction *d = driving_name(m, &r->list.v[i]);
        if (d != NULL)
            return d;
    }
    return NULL;
}

/* Values live in an arena of some rows, so that a long list takes no more than a short one.  One row can be dear: a dynamic group's members are searched for. */
static ec_t check_some(struct match *m, const struct restriction *r, const int64_t *row, size_t n, size_t *done, struct found *f)
{
    enum { MOST_MS = 100, MOST_BYTES = 8 << 20, ROW_BYTES = 64 << 20 };
    uint64_t since = clock_ms();
    struct nspi_ctx some = *m->c;
    ec_t ec = ecNone;
    some.a = arena_new(ROW_BYTES);
    for (*done = 0; *done < n && ec == ecNone && arena_used(some.a) < MOST_BYTES && clock_ms() - since < MOST_MS; ++*done) {
        bool yes = false;
        ec = matches(m, &some, r, row[*done], &yes);
        if (yes)
            ec = found(m->c, f, row[*done]);
    }
    arena_free(some.a);
    return ec;
}

struct search_time { uint64_t since; bool slow; };

/* A search that becomes long keeps a thread from others: not every one may. */
static ec_t check_time(const struct match *m, struct search_time *t)
{
    enum { SLOW_MS = 500 };
    const struct config *config = m->c->env->config;
    uint64_t took = clock_ms() - t->since;
    if (took > config->book_search_time)
        return EC(ecTooComplex);
    if (t->slow || took <= SLOW_MS)
        return ecNone;
    t->slow = nspi_slow_begin(m->c->who->row, (int64_t)config->threads);
    return t->slow ? ecNone : EC(ecTooComplex);
}

/* In steps, between which others who wait for the book go on. */
static ec_t check_rows(struct match *m, const struct restriction *r, const int64_t *row, size_t n, struct found *f)
{
    enum { STEP = 64 };
    struct search_time t = { .since = clock_ms() };
    ec_t ec = ecNone;
    for (size_t at = 0, done = 0; at < n && ec == ecNone; at += done) {
        ec = check_time(m, &t);
        if (ec == ecNone)
            ec = check_some(m, r, row + at, n - at < STEP ? n - at : STEP, &done, f);
        nspi_rest(m->c);
    }
    if (t.slow)
        nspi_slow_end(m->c->who->row);
    return ec;
}

/* The rows that can match, in the order of the table: those whom a name means, or all. */
static ec_t candidates(struct match *m, const struct restriction *r, enum book_sort sort, int64_t **row, size_t *n)
{
    const struct restriction *d = driving_name(m, r);
    const struct book_view *v = NULL;
    if (d != NULL) {
        size_t which = prop_id(d->property.tag) - NAME_TAG;
        *n = m->name[which].n;
        *row = arena_dup(m->c->a, m->name[which].row, *n * sizeof **row);
        book_order(&m->c->look, m->c->a, sort, m->c->in->stat.sort_locale, *row, n);
        return ecNone;
    }
    TRY(nspi_view(m->c, &m->stat, &v));
    *n = book_count(v);
    *row = arena_array(m->c->a, int64_t, *n);
    for (size_t i = 0; i < *n; i++)
        (*row)[i] = book_row(v, i);
    return ecNone;
}

static ec_t by_restriction(struct nspi_ctx *c, struct found *f)
{
    struct match m = { .c = c, .stat = c->in->stat };
    struct restriction *r = c->in->filter;
    const struct book_view *v = NULL;
    enum book_sort sort;
    int64_t *row = NULL;
    size_t   n = 0;
    if (m.stat.sort_type == SORT_NAME_RO || m.stat.sort_type == SORT_NAME_W) /* those of a list of links: the same order */
        m.stat.sort_type = SORT_NAME;
    if (!nspi_sort(m.stat.sort_type, &sort))
        return EC(ecGeneralFailure);
    TRY(nspi_container(m.stat.container, &m.container));
    if (book_exists(&c->look, m.container, NULL)) /* what the GetMatches before put there (R1146): no address list, so it is the global one */
        m.container = m.stat.container = 0;
    TRY(nspi_view(c, &m.stat, &v));
    TRY(resolve_names(&m, r));
    TRY(restriction_check(r));
    TRY(candidates(&m, r, sort, &row, &n));
    return check_rows(&m, r, row, n, f);
}

/* Those that ModLinkAtt changes, whoever asks (nspi_mod.c). */
static ec_t writable(struct nspi_ctx *c, enum link_kind k, bool back, int64_t row, enum entry_kind kind, bool *yes)
{
    struct entry e;
    *yes = !back && ((k == LINK_MEMBER && entry_is_group(kind)) || (k == LINK_DELEGATE && kind == ENTRY_USER));
    if (!*yes || k == LINK_DELEGATE)
        return ecNone;
    TRY(entry_brief(c->reader, c->a, row, &e));
    *yes = strcmp(e.source, REFRESH_SOURCE) != 0;
    return ecNone;
}

/* What an object is known by leads to itself; so does no property at all, which is how clients ask for the row of one object. */
static bool names_itself(uint32_t tag)
{
    static const uint32_t names[] = { PidTagDisplayName, PidTagEntryId, PidTagRecordKey, PidTagTemplateid, PidTagInstanceKey, PidTagEmailAddress,
                                      PidTagAddressBookObjectDistinguishedName, PidTagSmtpAddress };
    bool yes = prop_id(tag) == 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !yes; i++)
        yes = prop_id(names[i]) == prop_id(tag);
    return yes;
}

static ec_t itself(struct nspi_ctx *c, struct found *f, int64_t row)
{
    return c->in->stat.sort_type != SORT_NAME_W && names_itself(c->in->stat.container) ? found(c, f, row) : EC(ecNotSupported);
}

/* Without a restriction CurrentRec names the object, and ContainerID the property. */
static ec_t by_property(struct nspi_ctx *c, struct found *f)
{
    enum entry_kind kind = ENTRY_USER;
    enum link_kind k;
    bool     back, may = true;
    int64_t *row, from = (int64_t)c->in->stat.current - MID_FIRST;
    size_t   n = 0;
    if (!book_exists(&c->look, from, &kind))
        return EC(ecGeneralFailure);
    if (c->in->has_name)
        return EC(ecNotSupported);
    if (!link_of_prop(c->in->stat.container, &k, &back))
        return itself(c, f, from);
    if (c->in->stat.sort_type == SORT_NAME_W)
        TRY(writable(c, k, back, from, kind, &may));
    if (!may)
        return EC(ecNotSupported);
    TRY(nspi_links(c, k, from, back, &row, &n));
    book_order(&c->look, c->a, BOOK_BY_NAME, c->in->stat.sort_locale, row, &n);
    for (size_t i = 0; i < n; i++)
        TRY(found(c, f, row[i]));
    return ecNone;
}

ec_t nspi_GetMatches(struct nspi_ctx *c)
{
    struct found f = { 0 };
    if (c->in->has_mids && c->in->has_filter) /* reserved: a table inside a table is not searched */
        return EC(ecTooComplex);
    TRY(c->in->has_filter ? by_restriction(c, &f) : by_property(c, &f));
    c->out->has_mids = true;
    c->out->mid = f.mid;
    c->out->mids = f.n;
    c->out->has_stat = true;
    c->out->stat = c->in->stat;
    c->out->stat.container = c->in->stat.current; /* R1146 */
    if (!c->in->has_tags)
        return ecNone;
    nspi_columns(c);
    for (size_t i = 0; i < f.n && nspi_row(c, f.mid[i], FLAG_EPHEMERAL); i++)
        nspi_rest(c);
    return ecNone;
}
