/* dbfault.c - a driver around the SQLite driver that fails when told so. */
#include "backend/store/fault/dbfault.h"
#include "backend/store/db.h"
#include <stdatomic.h>

static atomic_uint calls, fails;

void dbfault_arm(unsigned n)
{
    atomic_store(&fails, n);
    atomic_store(&calls, 0);
}

unsigned dbfault_calls(void) { return atomic_load(&calls); }

static ec_t fault(void)
{
    unsigned n = atomic_fetch_add(&calls, 1) + 1;
    return n == atomic_load(&fails) ? EC(ecDiskError) : ecNone;
}

static bool f_usable(const char *dir, const char **why) { return db_sqlite.usable(dir, why); }
static uint64_t f_stamp(const char *dir, const struct guid *id) { return db_sqlite.stamp(dir, id); }
static ec_t f_remove(const char *dir, const struct guid *id) { return db_sqlite.remove(dir, id); }
static void f_close(void *c) { db_sqlite.close(c); }
static bool f_current(void *c) { return db_sqlite.current(c); }
static ec_t f_check(void *c, void (*say)(void *ctx, const char *finding), void *ctx) { return db_sqlite.check(c, say, ctx); }
static ec_t f_rollback(void *c) { return db_sqlite.rollback(c); }
static int64_t f_changes(void *c) { return db_sqlite.changes(c); }
static void f_finalize(void *st) { db_sqlite.finalize(st); }
static ec_t f_bind_i64(void *st, unsigned i, int64_t v) { return db_sqlite.bind_i64(st, i, v); }
static ec_t f_bind_text(void *st, unsigned i, struct blob s) { return db_sqlite.bind_text(st, i, s); }
static ec_t f_bind_blob(void *st, unsigned i, struct blob b) { return db_sqlite.bind_blob(st, i, b); }
static ec_t f_bind_null(void *st, unsigned i) { return db_sqlite.bind_null(st, i); }
static void f_reset(void *st) { db_sqlite.reset(st); }
static bool f_col_null(void *st, unsigned i) { return db_sqlite.col_null(st, i); }
static int64_t f_col_i64(void *st, unsigned i) { return db_sqlite.col_i64(st, i); }
static struct blob f_col_bytes(void *st, unsigned i) { return db_sqlite.col_bytes(st, i); }
static struct cell f_col_cell(void *st, unsigned i) { return db_sqlite.col_cell(st, i); }

static ec_t f_open(const struct db_open *o, void **c)
{
    TRY(fault());
    return db_sqlite.open(o, c);
}

static ec_t f_script(void *c, const char *name, const char *sql)
{
    TRY(fault());
    return db_sqlite.script(c, name, sql);
}

static ec_t f_version(void *c, int64_t *v)
{
    TRY(fault());
    return db_sqlite.version(c, v);
}

static ec_t f_set_version(void *c, int64_t v)
{
    TRY(fault());
    return db_sqlite.set_version(c, v);
}

static ec_t f_begin(void *c)
{
    TRY(fault());
    return db_sqlite.begin(c);
}

static ec_t f_begin_read(void *c)
{
    TRY(fault());
    return db_sqlite.begin_read(c);
}

static ec_t f_commit(void *c)
{
    TRY(fault());
    return db_sqlite.commit(c);
}

static ec_t f_savepoint(void *c)
{
    TRY(fault());
    return db_sqlite.savepoint(c);
}

static ec_t f_release(void *c)
{
    TRY(fault());
    return db_sqlite.release(c);
}

static ec_t f_rollback_to(void *c)
{
    TRY(fault());
    return db_sqlite.rollback_to(c);
}

static ec_t f_prepare(void *c, const struct stmt *s, void **st, bool *writes)
{
    TRY(fault());
    return db_sqlite.prepare(c, s, st, writes);
}

static ec_t f_step(void *st, bool *row)
{
    *row = false;
    TRY(fault());
    return db_sqlite.step(st, row);
}

const struct db_ops db_fault = {
    .name = "fault", .usable = f_usable, .open = f_open, .close = f_close, .remove = f_remove, .stamp = f_stamp, .current = f_current,
    .script = f_script, .check = f_check, .version = f_version, .set_version = f_set_version,
    .begin = f_begin, .begin_read = f_begin_read, .commit = f_commit, .rollback = f_rollback, .savepoint = f_savepoint, .release = f_release, .rollback_to = f_rollback_to,
    .changes = f_changes, .prepare = f_prepare, .finalize = f_finalize,
    .bind_i64 = f_bind_i64, .bind_text = f_bind_text, .bind_blob = f_bind_blob, .bind_null = f_bind_null,
    .step = f_step, .reset = f_reset, .col_null = f_col_null, .col_i64 = f_col_i64, .col_bytes = f_col_bytes, .col_cell = f_col_cell,
};
