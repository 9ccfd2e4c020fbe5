/* entry_turn.c - a client's change of the directory, exactly once: the turn is noted in the transaction that changes. */
#include "backend/directory/entry_int.h"
#include <time.h>

enum { DAY = 86400 };

static ec_t noted(struct directory *d, const struct entry_turn *t, bool *row, uint64_t *epoch, uint64_t *sequence)
{
    sqlite3_stmt *q = q_begin(d, "SELECT epoch, sequence FROM entry_turn WHERE context=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_blob(q, 1, t->context.p, (int)t->context.n, SQLITE_TRANSIENT);
    ec_t ec = q_row(q, row);
    *epoch = *row ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    *sequence = *row ? (uint64_t)sqlite3_column_int64(q, 1) : 0;
    q_end(d, q);
    return ec;
}

static ec_t note(struct directory *d, const struct entry_turn *t)
{
    sqlite3_stmt *q = q_begin(d, "INSERT OR REPLACE INTO entry_turn VALUES(?1,?2,?3,?4)");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_blob(q, 1, t->context.p, (int)t->context.n, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 2, (int64_t)t->epoch);
    sqlite3_bind_int64(q, 3, (int64_t)t->sequence);
    sqlite3_bind_int64(q, 4, (int64_t)time(NULL));
    return q_done(d, q);
}

/* A context that has not changed anything for a month is gone (RETENTION_MAX_S of policy.h). */
static ec_t forget(struct directory *d)
{
    sqlite3_stmt *q = q_begin(d, "DELETE FROM entry_turn WHERE made<?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, (int64_t)time(NULL) - 31 * DAY);
    return q_done(d, q);
}

ec_t entry_turn_begin(struct directory *d, const struct entry_turn *t, bool *repeat)
{
    uint64_t epoch = 0, sequence = 0;
    bool     row = false;
    *repeat = false;
    TRY(tx_begin(d));
    ec_t ec = noted(d, t, &row, &epoch, &sequence);
    if (ec == ecNone && row && (epoch > t->epoch || sequence > t->sequence))
        ec = EC(ecTimeout);
    *repeat = ec == ecNone && row && sequence == t->sequence;
    return ec != ecNone || *repeat ? tx_end(d, ec) : ecNone;
}

ec_t entry_turn_end(struct directory *d, const struct entry_turn *t, ec_t ec)
{
    if (ec == ecNone)
        ec = note(d, t);
    if (ec == ecNone)
        ec = forget(d);
    return tx_end(d, ec);
}
