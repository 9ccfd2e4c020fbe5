/* container.c - address lists: their hierarchy, made, changed, removed. */
#include "backend/base/guid.h"
#include "backend/directory/book.h"
#include "backend/directory/entry_int.h"
#include "backend/directory/filter.h"

enum { CONTAINERS_MAX = 10000, DEPTH_MAX = 15, LIST_NAME_MAX = 255 };

static struct container global_list(void)
{
    return (struct container){ .row = 0, .name = "Global Address List", .dn = "/", .filter = "" };
}

/* --- asked for ------------------------------------------------------------------------------------------------------------------------------ */

static void from_row(sqlite3_stmt *q, struct arena *a, struct container *c)
{
    *c = (struct container){ .row = sqlite3_column_int64(q, 0), .parent = sqlite3_column_int64(q, 1),
                             .name = arena_strdup(a, (const char *)sqlite3_column_text(q, 2)), .filter = arena_strdup(a, (const char *)sqlite3_column_text(q, 3)),
                             .dn = arena_strdup(a, (const char *)sqlite3_column_text(q, 4)) };
}

static ec_t read_all(struct directory *d, struct arena *a, struct container **out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, "SELECT c.row, c.parent, c.name, c.filter, e.dn FROM container c JOIN entry e ON e.row=c.row ORDER BY c.parent, c.name COLLATE NOCASE, c.row");
    if (q == NULL)
        return EC(ecDiskError);
    size_t cap = 0;
    bool row;
    ec_t ec;
    *out = NULL;
    *n = 0;
    while ((ec = q_row(q, &row)) == ecNone && row && *n < CONTAINERS_MAX) {
        *out = arena_grow(a, *out, &cap, *n, sizeof **out);
        from_row(q, a, &(*out)[(*n)++]);
    }
    q_end(d, q);
    return ec;
}

/* Rows sorted by parent, put into the order of the hierarchy. */
static void place(const struct container *all, size_t n, int64_t parent, uint32_t depth, struct container *out, size_t *at)
{
    for (size_t i = 0; i < n; i++) {
        if (all[i].parent != parent)
            continue;
        size_t mine = (*at)++;
        out[mine] = all[i];
        out[mine].depth = depth;
        if (depth < DEPTH_MAX)
            place(all, n, all[i].row, depth + 1, out, at);
        out[mine].has_children = *at > mine + 1;
    }
}

ec_t container_list(struct directory *d, struct arena *a, struct container **out, size_t *n)
{
    struct container *all = NULL;
    size_t            count = 0, at = 1;
    TRY(read_all(d, a, &all, &count));
    *out = arena_array(a, struct container, count + 1);
    (*out)[0] = global_list();
    place(all, count, 0, 0, *out, &at);
    *n = at;
    return ecNone;
}

ec_t container_get(struct directory *d, struct arena *a, int64_t row, struct container *out)
{
    struct container *all = NULL;
    size_t n = 0;
    TRY(container_list(d, a, &all, &n));
    for (size_t i = 0; i < n; i++)
        if (all[i].row == row) {
            *out = all[i];
            return ecNone;
        }
    return EC(ecNotFound);
}

ec_t container_version(struct directory *d, uint32_t *out)
{
    bool row;
    sqlite3_stmt *q = q_begin(d, "SELECT value FROM setting WHERE key='hierarchy_version'");
    if (q == NULL)
        return EC(ecDiskError);
    ec_t ec = q_row(q, &row);
    *out = row ? (uint32_t)sqlite3_column_int64(q, 0) : 1;
    q_end(d, q);
    return ec;
}

/* --- changed -------------------------------------------------------------------------------------------------------------------------------- */

static ec_t check(struct arena *a, const struct container *c)
{
    const char *why;
    size_t n = c->name != NULL ? strlen(c->name) : 0;
    return n > 0 && n <= LIST_NAME_MAX && filter_parse(a, c->filter != NULL ? c->filter : "", &why) != NULL ? ecNone : EC(ecInvalidParameter);
}

/* Its number and DN are those of a row of `entry`, so that no object ever gets them. */
static ec_t insert_entry(struct directory *d, struct arena *a, struct container *c)
{
    struct guid g = guid_new();
    char        hex[33];
    for (size_t i = 0; i < sizeof g.b; i++)
        snprintf(hex + 2 * i, 3, "%02X", g.b[i]);
    c->dn = arena_printf(a, "/guid=%s", hex);
    sqlite3_stmt *q = q_begin(d, "INSERT INTO entry(kind, hidden, dn, display_name, change) VALUES(32, 1, ?1, ?2, 0)");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, c->dn);
    q_text(q, 2, c->name);
    TRY(q_done(d, q));
    c->row = sqlite3_last_insert_rowid(d->db);
    return ecNone;
}

static ec_t add(struct directory *d, struct arena *a, struct container *c)
{
    struct container parent = global_list();
    if (c->parent != 0 && container_get(d, a, c->parent, &parent) != ecNone)
        return EC(ecInvalidParameter);
    if (parent.depth + 1 > DEPTH_MAX)
        return EC(ecInvalidParameter);
    TRY(insert_entry(d, a, c));
    sqlite3_stmt *q = q_begin(d, "INSERT INTO container VALUES(?1,?2,?3,?4)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, c->row);
    sqlite3_bind_int64(q, 2, c->parent);
    q_text(q, 3, c->name);
    q_text(q, 4, c->filter != NULL ? c->filter : "");
    return q_done(d, q);
}

ec_t container_add(struct directory *d, struct arena *a, struct container *c)
{
    TRY(check(a, c));
    TRY(tx_begin(d));
    return tx_end(d, add(d, a, c));
}

static ec_t set(struct directory *d, const struct container *c)
{
    sqlite3_stmt *q = q_begin(d, "UPDATE container SET name=?2, filter=?3 WHERE row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, c->row);
    q_text(q, 2, c->name);
    q_text(q, 3, c->filter != NULL ? c->filter : "");
    int rc = sqlite3_step(q);
    bool none = sqlite3_changes(d->db) == 0;
    q_end(d, q);
    return rc == SQLITE_CONSTRAINT ? EC(ecCollidingNames) : rc != SQLITE_DONE ? EC(ecDiskError) : none ? EC(ecNotFound) : ecNone;
}

ec_t container_set(struct directory *d, struct arena *a, const struct container *c)
{
    TRY(check(a, c));
    TRY(tx_begin(d));
    return tx_end(d, set(d, c));
}

static ec_t remove_one(struct directory *d, int64_t row)
{
    sqlite3_stmt *q = q_begin(d, "DELETE FROM entry WHERE kind=32 AND row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, row);
    return q_done(d, q);
}

static ec_t remove_tree(struct directory *d, struct arena *a, int64_t row)
{
    struct container *all = NULL;
    size_t n = 0, i = 1;
    TRY(container_list(d, a, &all, &n));
    while (i < n && all[i].row != row)
        i++;
    if (i == n)
        return EC(ecNotFound);
    uint32_t depth = all[i].depth;
    do
        TRY(remove_one(d, all[i].row));
    while (++i < n && all[i].depth > depth);
    return ecNone;
}

ec_t container_remove(struct directory *d, int64_t row)
{
    struct arena *a = arena_new(1 << 22);
    ec_t ec = tx_begin(d);
    if (ec == ecNone)
        ec = tx_end(d, remove_tree(d, a, row));
    arena_free(a);
    return ec;
}
