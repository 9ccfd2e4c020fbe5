/* schema.c - schema/NNN.sql, run in order from the version that is there to the version that this program knows. */
#include "backend/store/schema.h"
#include "backend/base/log.h"
#include <stdio.h>

/* The next version is one more file and one more line here; a released file is never changed. */
#define SQL(...) #__VA_ARGS__ ";\n"
static const struct schema_step ours[] = {
    { "schema 001",
#include "backend/store/schema/001.sql"
    },
};
#undef SQL

enum { OURS = sizeof ours / sizeof *ours };

int64_t schema_version(void) { return OURS; }

static ec_t run_from(struct db *db, int64_t version, const struct schema_step *step, int64_t n)
{
    for (; version < n; version++)
        TRY(db_script(db, step[version].name, step[version].sql));
    return db_set_version(db, version);
}

ec_t schema_create(struct db *db)
{
    int64_t version;
    TRY(db_version(db, &version));
    return version != 0 ? EC(ecCollidingNames) : run_from(db, 0, ours, OURS);
}

static ec_t refuse(int64_t version, int64_t known)
{
    char has[24], knows[24];
    snprintf(has, sizeof has, "%lld", (long long)version);
    snprintf(knows, sizeof knows, "%lld", (long long)known);
    log_line(LOGL_ERROR, "store", "the mailbox has a newer schema than this program", "value", has, "version", knows, NULL);
    return EC(ecBadVersion);
}

static ec_t check(int64_t version, int64_t n)
{
    if (version == 0)
        return EC(ecNotFound);
    return version < 0 || version > n ? refuse(version, n) : ecNone;
}

/* Another process may have migrated between the two looks. */
static ec_t upgrade(struct db *db, const struct schema_step *step, int64_t n)
{
    int64_t version;
    TRY(db_version(db, &version));
    TRY(check(version, n));
    return run_from(db, version, step, n);
}

ec_t schema_migrate_by(struct db *db, const struct schema_step *step, int64_t n)
{
    int64_t version;
    TRY(db_version(db, &version));
    TRY(check(version, n));
    if (version == n)
        return ecNone;
    TRY(db_begin(db));
    ec_t ec = upgrade(db, step, n);
    if (ec != ecNone) {
        db_rollback(db);
        return ec;
    }
    return db_commit(db);
}

ec_t schema_migrate(struct db *db) { return schema_migrate_by(db, ours, OURS); }
