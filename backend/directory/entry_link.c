/* entry_link.c - who is a member of what, leads whom, may send for whom. */
#include "backend/directory/entry_int.h"
#include "backend/directory/filter.h"

static const struct link { enum link_kind kind; const char *word; uint32_t forward, back; } links[] = {
#define LINK(number, NAME, word, forward, back) { number, word, forward, back },
#include "backend/directory/link.def"
};
enum { LINKS = sizeof links / sizeof links[0] };

static const struct { enum link_kind kind; uint32_t forward; } also[] = {
#define LINK(number, NAME, word, forward, back)
#define LINK_ALSO(NAME, property) { LINK_##NAME, property },
#include "backend/directory/link.def"
};

const char *link_word(enum link_kind k)
{
    for (size_t i = 0; i < LINKS; i++)
        if (links[i].kind == k)
            return links[i].word;
    return "";
}

bool link_of_word(const char *word, enum link_kind *out)
{
    for (size_t i = 0; i < LINKS; i++)
        if (strcmp(links[i].word, word) == 0) {
            *out = links[i].kind;
            return true;
        }
    return false;
}

bool link_of_prop(uint32_t tag, enum link_kind *k, bool *back)
{
    for (size_t i = 0; i < LINKS; i++) {
        *back = links[i].back != 0 && prop_id(links[i].back) == prop_id(tag);
        if (*back || prop_id(links[i].forward) == prop_id(tag)) {
            *k = links[i].kind;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof also / sizeof also[0]; i++)
        if (prop_id(also[i].forward) == prop_id(tag)) {
            *k = also[i].kind;
            return true;
        }
    return false;
}

/* --- asked for ------------------------------------------------------------------------------------------------------------------------------ */

struct rows { struct arena *a; int64_t *v; size_t n, cap; };

static void rows_add(struct rows *r, int64_t row)
{
    r->v = arena_grow(r->a, r->v, &r->cap, r->n, sizeof *r->v);
    r->v[r->n++] = row;
}

static ec_t kept(struct directory *d, enum link_kind k, int64_t row, bool back, struct rows *r)
{
    sqlite3_stmt *q = q_begin(d, back ? "SELECT source FROM link WHERE target=?1 AND kind=?2 ORDER BY source"
                                      : "SELECT target FROM link WHERE source=?1 AND kind=?2 ORDER BY target");
    if (q == NULL)
        return EC(ecDiskError);
    bool found;
    ec_t ec;
    sqlite3_bind_int64(q, 1, row);
    sqlite3_bind_int(q, 2, (int)k);
    while ((ec = q_row(q, &found)) == ecNone && found)
        rows_add(r, sqlite3_column_int64(q, 0));
    q_end(d, q);
    return ec;
}

/* One row and what its filter says; the arena of a row is its own, since a filter may look at every property. */
static ec_t chosen(struct directory *d, const struct entry *group, const struct filter *f, struct rows *r)
{
    sqlite3_stmt *q = q_begin(d, ENTRY_SELECT "WHERE e.kind<32 AND e.hidden=0 AND e.org=?1 AND e.row<>?2 ORDER BY e.row");
    if (q == NULL)
        return EC(ecDiskError);
    bool found;
    ec_t ec;
    sqlite3_bind_int64(q, 1, group->org);
    sqlite3_bind_int64(q, 2, group->row);
    while ((ec = q_row(q, &found)) == ecNone && found) {
        struct arena *a = arena_new(1 << 22);
        struct entry e;
        if (entry_from_row(q, a, &e) && e.kind != ENTRY_DYNAMIC && !entry_is_structure(e.kind) && filter_match(f, &e))
            rows_add(r, e.row);
        arena_free(a);
    }
    q_end(d, q);
    return ec;
}

static ec_t dynamic_group(struct directory *d, struct arena *a, int64_t row, bool *is, struct entry *e)
{
    ec_t ec = entry_brief(d, a, row, e);
    *is = ec == ecNone && e->kind == ENTRY_DYNAMIC;
    return ec == ecNotFound ? ecNone : ec;
}

ec_t link_list(struct directory *d, struct arena *a, enum link_kind k, int64_t row, bool back, int64_t **out, size_t *n)
{
    struct rows  r = { .a = a };
    struct entry group;
    bool         dynamic = false;
    const char  *why;
    if (k == LINK_MEMBER && !back)
        TRY(dynamic_group(d, a, row, &dynamic, &group));
    const struct filter *f = dynamic ? filter_parse(a, group.filter, &why) : NULL;
    if (!dynamic)
        TRY(kept(d, k, row, back, &r));
    else if (f != NULL)
        TRY(chosen(d, &group, f, &r));
    *out = r.v;
    *n = r.n;
    return ecNone;
}

ec_t link_has(struct directory *d, enum link_kind k, int64_t source, int64_t target, bool *out)
{
    sqlite3_stmt *q = q_begin(d, "SELECT 1 FROM link WHERE source=?1 AND kind=?2 AND target=?3");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, source);
    sqlite3_bind_int(q, 2, (int)k);
    sqlite3_bind_int64(q, 3, target);
    ec_t ec = q_row(q, out);
    q_end(d, q);
    return ec;
}

/* --- changed -------------------------------------------------------------------------------------------------------------------------------- */

static ec_t statement(struct directory *d, const char *sql, enum link_kind k, int64_t source, int64_t target)
{
    sqlite3_stmt *q = q_begin(d, sql);
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, source);
    sqlite3_bind_int(q, 2, (int)k);
    if (target != 0)
        sqlite3_bind_int64(q, 3, target);
    return q_done(d, q);
}

static ec_t kind_of(struct directory *d, int64_t object, enum entry_kind *kind)
{
    bool row;
    sqlite3_stmt *q = q_begin(d, "SELECT kind FROM entry WHERE row=?1 AND kind<32");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, object);
    ec_t ec = q_row(q, &row);
    *kind = row ? (enum entry_kind)sqlite3_column_int(q, 0) : ENTRY_USER;
    q_end(d, q);
    return ec != ecNone || row ? ec : EC(ecInvalidParameter);
}

/* A hierarchy is made of departments or of groups, never of both (MS-OXOABK 2.2.8); people belong to either. */
static bool fits(enum link_kind k, enum entry_kind source, enum entry_kind target)
{
    switch (k) {
    case LINK_ROOT:     return source == ENTRY_ORGANIZATION && (target == ENTRY_DEPARTMENT || entry_is_group(target));
    case LINK_PARENT:   return source == ENTRY_DEPARTMENT && target == ENTRY_DEPARTMENT;
    case LINK_SHOWN_IN: return !entry_is_structure(source) && target == ENTRY_DEPARTMENT;
    case LINK_MEMBER:   return !entry_is_structure(target);
    default:            return true;
    }
}

/* Who goes down from department to department must come to an end. */
static ec_t below(struct directory *d, int64_t upper, int64_t lower, bool *yes)
{
    sqlite3_stmt *q = q_begin(d, "WITH RECURSIVE up(row) AS (SELECT ?1 UNION SELECT l.target FROM link l JOIN up ON l.source=up.row AND l.kind=?2)"
                                 " SELECT 1 FROM up WHERE row=?3");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, lower);
    sqlite3_bind_int(q, 2, LINK_PARENT);
    sqlite3_bind_int64(q, 3, upper);
    ec_t ec = q_row(q, yes);
    q_end(d, q);
    return ec;
}

static ec_t check(struct directory *d, enum link_kind k, int64_t source, int64_t target)
{
    enum entry_kind from, to;
    bool circle = false;
    TRY(kind_of(d, source, &from));
    TRY(kind_of(d, target, &to));
    if (k == LINK_PARENT)
        TRY(below(d, source, target, &circle));
    return fits(k, from, to) && !circle ? ecNone : EC(ecInvalidParameter);
}

static ec_t add(struct directory *d, enum link_kind k, int64_t source, int64_t target)
{
    TRY(check(d, k, source, target));
    if (k == LINK_MANAGER || k == LINK_ROOT)
        TRY(statement(d, "DELETE FROM link WHERE source=?1 AND kind=?2", k, source, 0));
    return statement(d, "INSERT OR IGNORE INTO link VALUES(?1,?2,?3)", k, source, target);
}

ec_t link_add(struct directory *d, enum link_kind k, int64_t source, int64_t target)
{
    TRY(tx_begin(d));
    return tx_end(d, add(d, k, source, target));
}

ec_t link_remove(struct directory *d, enum link_kind k, int64_t source, int64_t target)
{
    return statement(d, "DELETE FROM link WHERE source=?1 AND kind=?2 AND target=?3", k, source, target);
}

static ec_t replace(struct directory *d, enum link_kind k, int64_t source, const int64_t *target, size_t n)
{
    TRY(statement(d, "DELETE FROM link WHERE source=?1 AND kind=?2", k, source, 0));
    for (size_t i = 0; i < n; i++)
        TRY(add(d, k, source, target[i]));
    return ecNone;
}

ec_t link_replace(struct directory *d, enum link_kind k, int64_t source, const int64_t *target, size_t n)
{
    TRY(tx_begin(d));
    return tx_end(d, replace(d, k, source, target, n));
}
