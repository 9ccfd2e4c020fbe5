/* entry.c - objects of the address book, read. */
#include "backend/directory/entry_int.h"
#include "backend/base/log.h"
#include "backend/mapi/msg.h"

static const struct kind { enum entry_kind kind; const char *word; uint32_t object_type, display_type, display_type_ex; } kinds[] = {
#define KIND(number, NAME, word, object_type, display_type, display_type_ex) { number, word, object_type, display_type, display_type_ex },
#include "backend/directory/entrykind.def"
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kind *kind_of(enum entry_kind k)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == k)
            return &kinds[i];
    return &kinds[0];
}

const char *entry_kind_word(enum entry_kind k) { return kind_of(k)->word; }
uint32_t entry_object_type(enum entry_kind k) { return kind_of(k)->object_type; }
uint32_t entry_display_type(enum entry_kind k) { return kind_of(k)->display_type; }
uint32_t entry_display_type_ex(enum entry_kind k) { return kind_of(k)->display_type_ex; }

bool entry_kind_of_word(const char *word, enum entry_kind *out)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].word, word) == 0) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

enum how { KEPT, CERT, GIVEN, MADE, LINK };
static const struct { uint32_t tag; enum how how; } abprops[] = {
#define ABPROP(name, how) { name, how },
#include "backend/directory/abprop.def"
};

bool entry_prop_settable(uint32_t tag)
{
    for (size_t i = 0; i < sizeof abprops / sizeof abprops[0]; i++)
        if (abprops[i].tag == tag)
            return abprops[i].how <= GIVEN;
    return false;
}

static const char *column(struct arena *a, sqlite3_stmt *q, int i)
{
    const char *s = (const char *)sqlite3_column_text(q, i);
    return s != NULL && *s != '\0' ? arena_strdup(a, s) : "";
}

static struct blob column_blob(struct arena *a, sqlite3_stmt *q, int i)
{
    int n = sqlite3_column_bytes(q, i);
    return n > 0 ? blob_of(arena_dup(a, sqlite3_column_blob(q, i), (size_t)n), (size_t)n) : blob_of(NULL, 0);
}

static void read_mailbox(sqlite3_stmt *q, int i, struct entry *e)
{
    e->has_mailbox = sqlite3_column_bytes(q, i) == (int)sizeof e->mailbox.b;
    if (e->has_mailbox)
        memcpy(e->mailbox.b, sqlite3_column_blob(q, i), sizeof e->mailbox.b);
}

bool entry_from_row(sqlite3_stmt *q, struct arena *a, struct entry *e)
{
    *e = (struct entry){ .row = sqlite3_column_int64(q, 0), .kind = (enum entry_kind)sqlite3_column_int(q, 1), .hidden = sqlite3_column_int(q, 2) != 0,
                         .dn = column(a, q, 3), .display_name = column(a, q, 4), .smtp = column(a, q, 5), .org = (uint32_t)sqlite3_column_int(q, 6),
                         .filter = column(a, q, 7), .source = column(a, q, 8), .external = column(a, q, 9),
                         .change = (uint64_t)sqlite3_column_int64(q, 10) };
    read_mailbox(q, 11, e);
    struct blob packed = column_blob(a, q, 12);
    return packed.n == 0 || props_unpack(packed, a, &e->props);
}

/* The one row of a statement that has been bound. */
static ec_t one(struct directory *d, sqlite3_stmt *q, struct arena *a, struct entry *out)
{
    bool found = false, sound = true;
    ec_t ec = q_row(q, &found);
    if (found)
        sound = entry_from_row(q, a, out);
    q_end(d, q);
    if (!sound)
        log_line(LOGL_WARN, "directory", "the properties of an object are damaged", "value", out->dn, NULL);
    return ec != ecNone || found ? ec : EC(ecNotFound);
}

ec_t entry_brief(struct directory *d, struct arena *a, int64_t row, struct entry *out)
{
    sqlite3_stmt *q = q_begin(d, ENTRY_SELECT "WHERE e.row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, row);
    return one(d, q, a, out);
}

ec_t entry_proxies(struct directory *d, struct arena *a, struct entry *e)
{
    sqlite3_stmt *q = q_begin(d, "SELECT shown FROM proxy WHERE entry=?1 AND address<>?2 ORDER BY address");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, e->row);
    q_text(q, 2, e->smtp);
    size_t cap = 0;
    bool row = false;
    ec_t ec;
    e->proxy = NULL;
    e->proxies = 0;
    while ((ec = q_row(q, &row)) == ecNone && row) {
        e->proxy = arena_grow(a, e->proxy, &cap, e->proxies, sizeof *e->proxy);
        e->proxy[e->proxies++] = column(a, q, 0);
    }
    q_end(d, q);
    return ec;
}

ec_t entry_get(struct directory *d, struct arena *a, int64_t row, struct entry *out)
{
    TRY(entry_brief(d, a, row, out));
    return entry_proxies(d, a, out);
}

ec_t entry_packed(struct directory *d, struct arena *a, int64_t row, struct blob *props)
{
    bool found = false;
    sqlite3_stmt *q = q_begin(d, "SELECT props FROM entry WHERE row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, row);
    ec_t ec = q_row(q, &found);
    if (found)
        *props = column_blob(a, q, 0);
    q_end(d, q);
    return ec != ecNone || found ? ec : EC(ecNotFound);
}

ec_t entry_origin(struct directory *d, struct arena *a, struct entry *e)
{
    bool found = false;
    sqlite3_stmt *q = q_begin(d, "SELECT e.source, e.external, p.mailbox FROM entry e LEFT JOIN person p ON p.row=e.row WHERE e.row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, e->row);
    ec_t ec = q_row(q, &found);
    if (found) {
        e->source = column(a, q, 0);
        e->external = column(a, q, 1);
        read_mailbox(q, 2, e);
    }
    q_end(d, q);
    return ec != ecNone || found ? ec : EC(ecNotFound);
}

static ec_t by_text(struct directory *d, struct arena *a, const char *sql, const char *x, const char *y, struct entry *out)
{
    sqlite3_stmt *q = q_begin(d, sql);
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, x);
    if (y != NULL)
        q_text(q, 2, y);
    TRY(one(d, q, a, out));
    return entry_proxies(d, a, out);
}

ec_t entry_by_dn(struct directory *d, struct arena *a, const char *dn, struct entry *out)
{
    ec_t ec = by_text(d, a, ENTRY_SELECT "WHERE e.dn=?1", dn, NULL, out);
    if (ec != ecNotFound)
        return ec;
    return by_text(d, a, ENTRY_SELECT "WHERE e.row=(SELECT entry FROM proxy WHERE address=?1)", arena_printf(a, "x500:%s", dn), NULL, out);
}

ec_t entry_by_address(struct directory *d, struct arena *a, const char *smtp, struct entry *out)
{
    return by_text(d, a, ENTRY_SELECT "WHERE e.row=(SELECT entry FROM proxy WHERE address=?1)", smtp, NULL, out);
}

ec_t entry_by_external(struct directory *d, struct arena *a, const char *source, const char *external, struct entry *out)
{
    return by_text(d, a, ENTRY_SELECT "WHERE e.source=?1 AND e.external=?2 AND e.external<>''", source, external, out);
}

/* Row by row with questions of their own, so that nobody waits for the whole list. */
static ec_t next_row(struct directory *d, const char *source, int64_t after, int64_t *row)
{
    sqlite3_stmt *q = q_begin(d, "SELECT row FROM entry WHERE row>?1 AND (?2 IS NULL OR source=?2) AND kind<32 ORDER BY row LIMIT 1");
    if (q == NULL)
        return EC(ecDiskError);
    bool found = false;
    sqlite3_bind_int64(q, 1, after);
    if (source != NULL)
        q_text(q, 2, source);
    ec_t ec = q_row(q, &found);
    *row = found ? sqlite3_column_int64(q, 0) : -1;
    q_end(d, q);
    return ec;
}

ec_t entry_each(struct directory *d, const char *source, bool (*fn)(void *ctx, struct arena *a, const struct entry *e), void *ctx)
{
    bool more = true;
    int64_t row = -1;
    ec_t ec;
    for (int64_t after = 0; (ec = next_row(d, source, after, &row)) == ecNone && row >= 0 && more; after = row) {
        struct arena *a = arena_new(1 << 22);
        struct entry e;
        ec = entry_get(d, a, row, &e);
        if (ec == ecNone)
            more = fn(ctx, a, &e);
        arena_free(a);
        if (ec != ecNone && ec != ecNotFound)
            break;
    }
    return ec == ecNotFound ? ecNone : ec;
}
