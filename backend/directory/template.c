/* template.c - display templates: rows that a client names by DN, by display type and by locale. */
#include "backend/directory/dialog.h"
#include "backend/directory/entry_int.h"
#include <strings.h>

enum { LANGUAGE = 0x3FF, TEMPLATE_MAX = 1 << 20 };

#define COLUMNS "t.row, t.purpose, t.type, t.lcid, t.name, t.address_type, e.dn, t.data, t.script FROM template t JOIN entry e ON e.row=t.row "

static struct blob column_blob(struct arena *a, sqlite3_stmt *q, int i)
{
    int n = sqlite3_column_bytes(q, i);
    return n > 0 ? blob_of(arena_dup(a, sqlite3_column_blob(q, i), (size_t)n), (size_t)n) : blob_of(NULL, 0);
}

static void from_row(sqlite3_stmt *q, struct arena *a, struct template *t)
{
    *t = (struct template){ .row = sqlite3_column_int64(q, 0), .purpose = (enum template_purpose)sqlite3_column_int(q, 1),
                            .type = (uint32_t)sqlite3_column_int64(q, 2), .lcid = (uint32_t)sqlite3_column_int64(q, 3),
                            .name = arena_strdup(a, (const char *)sqlite3_column_text(q, 4)),
                            .address_type = arena_strdup(a, (const char *)sqlite3_column_text(q, 5)),
                            .dn = arena_strdup(a, (const char *)sqlite3_column_text(q, 6)), .data = column_blob(a, q, 7), .script = column_blob(a, q, 8) };
}

static ec_t one(struct directory *d, sqlite3_stmt *q, struct arena *a, struct template *out)
{
    bool row;
    ec_t ec = q_row(q, &row);
    if (row)
        from_row(q, a, out);
    q_end(d, q);
    return ec != ecNone || row ? ec : EC(ecInvalidLocale);
}

/* --- asked for ------------------------------------------------------------------------------------------------------------------------------ */

/* The exact locale, else another of the same language, of several the smallest. */
ec_t template_find(struct directory *d, struct arena *a, enum template_purpose p, uint32_t type, uint32_t lcid, struct template *out)
{
    sqlite3_stmt *q = q_begin(d, "SELECT " COLUMNS "WHERE t.purpose=?1 AND t.type=?2 AND t.lcid & ?4 = ?3 & ?4 ORDER BY t.lcid<>?3, t.lcid LIMIT 1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int(q, 1, (int)p);
    sqlite3_bind_int64(q, 2, type);
    sqlite3_bind_int64(q, 3, lcid);
    sqlite3_bind_int(q, 4, LANGUAGE);
    return one(d, q, a, out);
}

ec_t template_by_dn(struct directory *d, struct arena *a, const char *dn, struct template *out)
{
    sqlite3_stmt *q = q_begin(d, "SELECT " COLUMNS "WHERE e.dn=?1");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, dn);
    return one(d, q, a, out);
}

ec_t template_creation(struct directory *d, struct arena *a, uint32_t lcid, struct template **out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, "SELECT " COLUMNS "WHERE t.purpose=1 AND t.lcid=?1 ORDER BY t.name");
    if (q == NULL)
        return EC(ecDiskError);
    size_t cap = 0;
    bool row;
    ec_t ec;
    *out = NULL;
    *n = 0;
    sqlite3_bind_int64(q, 1, lcid);
    while ((ec = q_row(q, &row)) == ecNone && row) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        from_row(q, a, &(*out)[(*n)++]);
    }
    q_end(d, q);
    return ec;
}

/* --- changed -------------------------------------------------------------------------------------------------------------------------------- */

static ec_t find_exact(struct directory *d, const struct template *t, int64_t *row)
{
    bool found;
    sqlite3_stmt *q = q_begin(d, "SELECT row FROM template WHERE purpose=?1 AND type=?2 AND lcid=?3");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int(q, 1, (int)t->purpose);
    sqlite3_bind_int64(q, 2, t->type);
    sqlite3_bind_int64(q, 3, t->lcid);
    ec_t ec = q_row(q, &found);
    *row = found ? sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec;
}

static ec_t insert_entry(struct directory *d, const struct template *t, int64_t *row)
{
    sqlite3_stmt *q = q_begin(d, "INSERT INTO entry(kind, hidden, dn, display_name, change) VALUES(33, 1, ?1, ?2, 0)");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, t->dn);
    q_text(q, 2, t->name);
    TRY(q_done(d, q));
    *row = sqlite3_last_insert_rowid(d->db);
    return ecNone;
}

static ec_t put(struct directory *d, struct template *t)
{
    TRY(find_exact(d, t, &t->row));
    if (t->row == 0)
        TRY(insert_entry(d, t, &t->row));
    sqlite3_stmt *q = q_begin(d, "INSERT OR REPLACE INTO template VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, t->row);
    sqlite3_bind_int(q, 2, (int)t->purpose);
    sqlite3_bind_int64(q, 3, t->type);
    sqlite3_bind_int64(q, 4, t->lcid);
    q_text(q, 5, t->name);
    q_text(q, 6, t->address_type);
    sqlite3_bind_blob(q, 7, t->data.n != 0 ? (const void *)t->data.p : "", (int)t->data.n, SQLITE_TRANSIENT);
    sqlite3_bind_blob(q, 8, t->script.n != 0 ? (const void *)t->script.p : "", (int)t->script.n, SQLITE_TRANSIENT);
    return q_done(d, q);
}

ec_t template_put(struct directory *d, struct arena *a, struct template *t)
{
    if (t->data.n > TEMPLATE_MAX || t->script.n > TEMPLATE_MAX || t->name == NULL || *t->name == '\0')
        return EC(ecInvalidParameter);
    t->address_type = t->address_type != NULL ? t->address_type : "";
    t->dn = arena_printf(a, "/o=%s/cn=%s/cn=%X/cn=%X", d->organization, t->purpose == TEMPLATE_DETAILS ? "Display-Templates" : "Address-Templates", t->lcid, t->type);
    TRY(tx_begin(d));
    return tx_end(d, put(d, t));
}

struct blob template_render(struct arena *a, const struct template *t, uint32_t code_page)
{
    struct blob out;
    return dialog_reencode(a, t->data, code_page, &out) ? out : t->data; /* an administrator's bytes of another kind go as they are */
}
