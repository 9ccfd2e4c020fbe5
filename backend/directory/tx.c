/* tx.c - several statements as one change: the thread that begins has the directory until it ends. */
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/directory/directory_int.h"

static ec_t run(struct directory *d, const char *sql)
{
    int rc = sqlite3_exec(d->db, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return ecNone;
    log_line(LOGL_ERROR, "directory", "transaction failed", "stmt", sql, "error", sqlite3_errmsg(d->db), NULL);
    return EC(ecDiskError);
}

ec_t tx_begin(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    ec_t ec = run(d, d->tx == 0 ? "BEGIN IMMEDIATE" : "SAVEPOINT part");
    if (ec != ecNone) {
        pthread_mutex_unlock(&d->lock);
        return ec;
    }
    d->tx++;
    return ecNone;
}

ec_t tx_end(struct directory *d, ec_t ec)
{
    must(d->tx != 0);
    bool outer = --d->tx == 0;
    if (ec == ecNone)
        ec = run(d, outer ? "COMMIT" : "RELEASE part");
    if (ec != ecNone)
        sqlite3_exec(d->db, outer ? "ROLLBACK" : "ROLLBACK TO part; RELEASE part", NULL, NULL, NULL);
    pthread_mutex_unlock(&d->lock);
    return ec;
}
