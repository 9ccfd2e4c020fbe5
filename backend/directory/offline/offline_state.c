/* offline_state.c - which books are to be made, and whose turn it is. */
#include "backend/directory/offline/offline_int.h"

/* Another one makes all books anew: the bytes of the same objects are others now. */
enum { FORMAT = 1 };

static ec_t setting(struct directory *d, const char *key, int64_t *out)
{
    bool row;
    sqlite3_stmt *q = q_begin(d, "SELECT value FROM setting WHERE key=?1");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, key);
    ec_t ec = q_row(q, &row);
    *out = row ? sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec;
}

static uint32_t table_crc(struct arena *a)
{
    const struct offline_column *c;
    size_t n = offline_columns(&c);
    struct wr w = wr_in(a, 1 << 16);
    offline_meta(&w, c, 0, c, n, 0);
    return offline_crc(OFFLINE_CRC_BEGIN, wr_blob(&w));
}

ec_t offline_state(struct directory *d, struct arena *a, const char **out)
{
    int64_t book, link, dialogs;
    TRY(setting(d, "book_version", &book));
    TRY(setting(d, "link_version", &link));
    TRY(setting(d, "dialogs_version", &dialogs));
    *out = arena_printf(a, "%d %08x %lld %lld %lld", FORMAT, table_crc(a), (long long)book, (long long)link, (long long)dialogs);
    return ecNone;
}

ec_t offline_looked(struct directory *d, uint32_t org, const char *state)
{
    sqlite3_stmt *q = q_begin(d, "UPDATE offline_book SET state=?2, looked=?3, claimed=0 WHERE org=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, org);
    q_text(q, 2, state);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)offline_now());
    return q_done(d, q);
}

/* Times far ahead are of a clock that was wrong. */
#define DUE "state<>?1 AND (sequence=0 OR looked<=?2-?3 OR looked>?2+?3) AND (claimed<=?2 OR claimed>?2+?4)"

static void bind_due(sqlite3_stmt *q, const char *state, uint64_t now_ms, uint64_t interval_ms)
{
    q_text(q, 1, state);
    sqlite3_bind_int64(q, 2, (sqlite3_int64)now_ms);
    sqlite3_bind_int64(q, 3, (sqlite3_int64)interval_ms);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)OFFLINE_CLAIM);
}

static ec_t find_due(struct directory *d, const char *state, uint64_t now_ms, uint64_t interval_ms, uint32_t *org)
{
    sqlite3_stmt *q = q_begin(d, "SELECT org FROM offline_book WHERE " DUE " ORDER BY looked, org LIMIT 1");
    bool row;
    if (q == NULL)
        return EC(ecDiskError);
    bind_due(q, state, now_ms, interval_ms);
    ec_t ec = q_row(q, &row);
    *org = row ? (uint32_t)sqlite3_column_int64(q, 0) : 0;
    q_end(d, q);
    return ec;
}

/* One statement decides, so that two cannot both have it. */
static ec_t claim(struct directory *d, const char *state, uint64_t now_ms, uint64_t interval_ms, uint32_t *org)
{
    sqlite3_stmt *q = q_begin(d, "UPDATE offline_book SET claimed=?2+?4 WHERE org=?5 AND " DUE);
    if (q == NULL)
        return EC(ecDiskError);
    bind_due(q, state, now_ms, interval_ms);
    sqlite3_bind_int64(q, 5, *org);
    int  rc = sqlite3_step(q);
    bool mine = rc == SQLITE_DONE && sqlite3_changes(d->db) == 1;
    q_end(d, q);
    if (!mine)
        *org = 0;
    return rc == SQLITE_DONE ? ecNone : EC(ecDiskError);
}

ec_t offline_next(struct directory *d, uint64_t now_ms, uint64_t interval_ms, uint32_t *org)
{
    struct arena *a = arena_new(1 << 20);
    const char *state;
    *org = 0;
    ec_t ec = offline_state(d, a, &state);
    if (ec == ecNone)
        ec = find_due(d, state, now_ms, interval_ms, org);
    if (ec == ecNone && *org != 0)
        ec = claim(d, state, now_ms, interval_ms, org);
    arena_free(a);
    return ec;
}
