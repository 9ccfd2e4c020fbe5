/* entry_find.c - a DN or an address goes in, the row of whom it names comes out, without the object. */
#include "backend/directory/entry_int.h"

static ec_t find(struct directory *d, const char *sql, const char *text, int64_t *row)
{
    bool found = false;
    sqlite3_stmt *q = q_begin(d, sql);
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, text);
    ec_t ec = q_row(q, &found);
    *row = found ? sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec != ecNone || found ? ec : EC(ecNotFound);
}

ec_t entry_find_address(struct directory *d, const char *address, int64_t *row)
{
    return find(d, "SELECT entry FROM proxy WHERE address=?1", address, row);
}

ec_t entry_find_dn(struct directory *d, struct arena *a, const char *dn, int64_t *row)
{
    ec_t ec = find(d, "SELECT row FROM entry WHERE dn=?1", dn, row);
    return ec == ecNotFound ? entry_find_address(d, arena_printf(a, "x500:%s", dn), row) : ec;
}
