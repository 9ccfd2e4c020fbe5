/* refresh.c - the directory server's objects -> sync; and whose turn it is. */
#include "backend/directory/source/refresh.h"
#include "backend/directory/directory_int.h"
#include "backend/directory/source/ldapread.h"

static ec_t take(void *ctx, const struct record *r) { return sync_record(ctx, r); }
static ec_t pause_sync(void *ctx) { return sync_pause(ctx); }

ec_t refresh_now(struct directory *d, struct arena *a, const struct config *c, const struct sync_options *o, struct sync_count *out, const char **why)
{
    struct sync_options own = o != NULL ? *o : (struct sync_options){ 0 };
    *out = (struct sync_count){ 0 };
    *why = NULL;
    own.directory = d;
    own.source = REFRESH_SOURCE;
    own.prune = true;
    if ((own.map = attr_map(a, c->book_ldap_map, why)) == NULL)
        return EC(ecInvalidParameter);
    struct sync *s = sync_begin(a, &own);
    const struct ldapread r = { c, own.map, take, pause_sync, s };
    ec_t ec = ldapread_all(a, &r, why), ended = sync_end(s, ec, out);
    return ec != ecNone ? ec : ended;
}

/* One statement decides, so that two hosts cannot both win.  A turn far ahead is of a clock that was wrong. */
ec_t refresh_turn(struct directory *d, uint64_t now_ms, uint64_t interval_ms, bool *mine)
{
    sqlite3_stmt *q = q_begin(d, "INSERT INTO setting VALUES('book_refresh_due', ?2) ON CONFLICT(key) DO UPDATE SET value=?2 WHERE value<=?1 OR value>?2"
                                 " RETURNING value");
    *mine = false;
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, (sqlite3_int64)now_ms);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)(now_ms + interval_ms));
    bool row;
    ec_t ec = q_row(q, &row);
    *mine = row;
    while (ec == ecNone && row)
        ec = q_row(q, &row);
    q_end(d, q);
    return ec;
}
