/* sqlite.c - the SQLite driver: one file per mailbox, write-ahead log, every commit fsynced. */
#include "backend/store/sqlite/sqlite.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- errors ------------------------------------------------------------------------------------------------------------- */
ec_t sqlite_error(struct sqlite *c, int rc, const char *what)
{
    char code[16];
    if (rc == SQLITE_OK)
        return ecNone;
    int xrc = c->db != NULL ? sqlite3_extended_errcode(c->db) : rc;
    bool busy = (rc & 0xFF) == SQLITE_BUSY || (rc & 0xFF) == SQLITE_LOCKED;
    snprintf(code, sizeof code, "%d", xrc);
    log_line(busy ? LOGL_WARN : LOGL_ERROR, "store", busy ? "mailbox is locked" : "database error", "stmt", what, "code", code,
             "error", c->db != NULL ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc), "path", c->path, NULL);
    return busy ? EC(ecServerBusy) : EC(ecDiskError);
}

/* --- a connection ------------------------------------------------------------------------------------------------------- */
/* A connection is used by one thread at a time, so the library's own mutexes and its global memory counters are only cost. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static ec_t exec(struct sqlite *c, const char *what, const char *sql)
{
    return sqlite_error(c, sqlite3_exec(c->db, sql, NULL, NULL, NULL), what);
}

/* SQLite answers with the mode that it took, which is another one where it cannot have WAL. */
static ec_t write_ahead(struct sqlite *c)
{
    sqlite3_stmt *st = NULL;
    bool wal = false;
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA journal_mode = WAL", -1, &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(st, 0);
        wal = mode != NULL && strcmp(mode, "wal") == 0;
        rc = SQLITE_OK;
    }
    ec_t ec = sqlite_error(c, rc, "journal mode");
    sqlite3_finalize(st);
    if (ec == ecNone && !wal) {
        log_line(LOGL_ERROR, "store", "no write-ahead log here", "path", c->path, NULL);
        return EC(ecDiskError);
    }
    return ec;
}

/* Damaged or hostile files: no functions or virtual tables from the schema, cells checked before they are used. */
static ec_t settings(struct sqlite *c, const struct db_open *o)
{
    char cache[64];
    sqlite3_busy_timeout(c->db, (int)o->busy_ms);
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    snprintf(cache, sizeof cache, "PRAGMA cache_size = -%u", o->cache_kib != 0 ? o->cache_kib : 2048);
    TRY(exec(c, "pragma", "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                          "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA journal_size_limit = 16777216"));
    TRY(exec(c, "pragma", cache));
    return write_ahead(c);
}

/* Runs one of the fixed statements; *value (if wanted) is its first column. */
static ec_t fixed(struct sqlite *c, enum sqlite_fixed f, int64_t *value)
{
    static const char *const sql[FIXED_COUNT] = {
        [FIXED_BEGIN] = "BEGIN IMMEDIATE", [FIXED_READ] = "BEGIN", [FIXED_COMMIT] = "COMMIT", [FIXED_ROLLBACK] = "ROLLBACK", [FIXED_SAVEPOINT] = "SAVEPOINT s",
        [FIXED_RELEASE] = "RELEASE s", [FIXED_ROLLBACK_TO] = "ROLLBACK TO s", [FIXED_VERSION] = "PRAGMA user_version",
    };
    int rc = SQLITE_OK;
    if (c->fixed[f] == NULL)
        rc = sqlite3_prepare_v3(c->db, sql[f], -1, SQLITE_PREPARE_PERSISTENT, &c->fixed[f], NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(c->fixed[f]);
    if (rc == SQLITE_ROW && value != NULL)
        *value = sqlite3_column_int64(c->fixed[f], 0);
    ec_t ec = rc == SQLITE_ROW || rc == SQLITE_DONE ? ecNone : sqlite_error(c, rc, sql[f]);
    sqlite3_reset(c->fixed[f]);
    return ec;
}

static void conn_close(void *conn)
{
    struct sqlite *c = conn;
    for (int i = 0; i < FIXED_COUNT; i++)
        sqlite3_finalize(c->fixed[i]);
    sqlite3_close_v2(c->db);
    free(c);
}

/* Absence is told from everything else before SQLite sees the file, so that only real trouble is logged. */
static ec_t conn_file(struct sqlite *c, const struct db_open *o)
{
    struct stat st;
    if (!sqlite_path(c->path, o->dir, &o->id))
        return EC(ecNotFound);
    if (o->create)
        TRY(sqlite_touch(c->path));
    if (stat(c->path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return EC(ecNotFound);
        log_line(LOGL_ERROR, "store", "cannot reach mailbox file", "path", c->path, "error", strerror(errno), NULL);
        return EC(ecDiskError);
    }
    c->dev = st.st_dev;
    c->ino = st.st_ino;
    return ecNone;
}

static ec_t conn_open(const struct db_open *o, void **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    struct sqlite *c = calloc(1, sizeof *c);
    must(c != NULL);
    ec_t ec = conn_file(c, o);
    if (ec == ecNone)
        ec = sqlite_error(c, sqlite3_open_v2(c->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), "open");
    if (ec == ecNone)
        ec = settings(c, o);
    if (ec != ecNone) {
        conn_close(c);
        return ec;
    }
    *out = c;
    return ecNone;
}

static bool conn_current(void *conn)
{
    struct sqlite *c = conn;
    struct stat st;
    return stat(c->path, &st) == 0 && st.st_dev == c->dev && st.st_ino == c->ino;
}

static ec_t conn_script(void *conn, const char *name, const char *sql) { return exec(conn, name, sql); }

static ec_t conn_version(void *conn, int64_t *version) { return fixed(conn, FIXED_VERSION, version); }

static ec_t conn_set_version(void *conn, int64_t version)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %lld", (long long)version);
    return exec(conn, "set version", sql);
}

static ec_t conn_check(void *conn, void (*say)(void *ctx, const char *finding), void *ctx)
{
    struct sqlite *c = conn;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA integrity_check", -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(st, 0);
        if (text == NULL || strcmp(text, "ok") != 0)
            say(ctx, text != NULL ? text : "integrity_check");
        rc = SQLITE_OK;
    }
    ec_t ec = rc == SQLITE_DONE ? ecNone : sqlite_error(c, rc, "integrity_check");
    sqlite3_finalize(st);
    return ec;
}

static ec_t conn_begin(void *conn)     { return fixed(conn, FIXED_BEGIN, NULL); }
static ec_t conn_begin_read(void *conn) { return fixed(conn, FIXED_READ, NULL); }
static ec_t conn_commit(void *conn)    { return fixed(conn, FIXED_COMMIT, NULL); }
static ec_t conn_savepoint(void *conn) { return fixed(conn, FIXED_SAVEPOINT, NULL); }
static ec_t conn_release(void *conn)   { return fixed(conn, FIXED_RELEASE, NULL); }

static ec_t conn_rollback_to(void *conn)
{
    TRY(fixed(conn, FIXED_ROLLBACK_TO, NULL));
    return fixed(conn, FIXED_RELEASE, NULL);
}

/* Some errors (disk full, I/O) have rolled back already. */
static ec_t conn_rollback(void *conn)
{
    struct sqlite *c = conn;
    return sqlite3_get_autocommit(c->db) ? ecNone : fixed(c, FIXED_ROLLBACK, NULL);
}

static int64_t conn_changes(void *conn) { return sqlite3_total_changes64(((struct sqlite *)conn)->db); }

/* --- statements ---------------------------------------------------------------------------------------------------------- */
struct prepared { sqlite3_stmt *st; struct sqlite *c; const char *name; };

static ec_t st_prepare(void *conn, const struct stmt *s, void **out, bool *writes)
{
    struct sqlite *c = conn;
    sqlite3_stmt *st = NULL;
    TRY(sqlite_error(c, sqlite3_prepare_v3(c->db, s->sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL), s->name));
    struct prepared *p = calloc(1, sizeof *p);
    must(p != NULL);
    *p = (struct prepared){ st, c, s->name };
    *writes = !sqlite3_stmt_readonly(st);
    *out = p;
    return ecNone;
}

static void st_finalize(void *st)
{
    struct prepared *p = st;
    sqlite3_finalize(p->st);
    free(p);
}

static ec_t bind_i64(void *st, unsigned i, int64_t v)
{
    struct prepared *p = st;
    return sqlite_error(p->c, sqlite3_bind_int64(p->st, (int)i, v), p->name);
}

static ec_t bind_text(void *st, unsigned i, struct blob s)
{
    struct prepared *p = st;
    return sqlite_error(p->c, sqlite3_bind_text64(p->st, (int)i, s.p != NULL ? (const char *)s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8), p->name);
}

static ec_t bind_blob(void *st, unsigned i, struct blob b)
{
    struct prepared *p = st;
    return sqlite_error(p->c, sqlite3_bind_blob64(p->st, (int)i, b.p != NULL ? (const void *)b.p : "", b.n, SQLITE_STATIC), p->name);
}

static ec_t bind_null(void *st, unsigned i)
{
    struct prepared *p = st;
    return sqlite_error(p->c, sqlite3_bind_null(p->st, (int)i), p->name);
}

static ec_t st_step(void *st, bool *row)
{
    struct prepared *p = st;
    int rc = sqlite3_step(p->st);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ecNone : sqlite_error(p->c, rc, p->name);
}

static void st_reset(void *st)
{
    struct prepared *p = st;
    sqlite3_reset(p->st);
    sqlite3_clear_bindings(p->st);
}

static bool col_null(void *st, unsigned i)   { return sqlite3_column_type(((struct prepared *)st)->st, (int)i) == SQLITE_NULL; }
static int64_t col_i64(void *st, unsigned i) { return sqlite3_column_int64(((struct prepared *)st)->st, (int)i); }

static struct blob col_bytes(void *st, unsigned i)
{
    sqlite3_stmt *s = ((struct prepared *)st)->st;
    const void *p = sqlite3_column_blob(s, (int)i);  /* before the size: it may convert */
    return blob_of(p, p != NULL ? (size_t)sqlite3_column_bytes(s, (int)i) : 0);
}

static struct cell col_cell(void *st, unsigned i)
{
    sqlite3_value *v = sqlite3_column_value(((struct prepared *)st)->st, (int)i);
    int type = sqlite3_value_type(v);
    if (type == SQLITE_NULL || type == SQLITE_INTEGER)
        return (struct cell){ .null = type == SQLITE_NULL, .i = sqlite3_value_int64(v) };
    const void *p = sqlite3_value_blob(v); /* before the size: it may convert */
    return (struct cell){ .b = blob_of(p, p != NULL ? (size_t)sqlite3_value_bytes(v) : 0) };
}

const struct db_ops db_sqlite = {
    .name = "sqlite", .usable = sqlite_usable, .open = conn_open, .close = conn_close, .remove = sqlite_remove, .stamp = sqlite_stamp, .current = conn_current,
    .script = conn_script, .check = conn_check, .version = conn_version, .set_version = conn_set_version,
    .begin = conn_begin, .begin_read = conn_begin_read, .commit = conn_commit, .rollback = conn_rollback,
    .savepoint = conn_savepoint, .release = conn_release, .rollback_to = conn_rollback_to, .changes = conn_changes,
    .prepare = st_prepare, .finalize = st_finalize, .bind_i64 = bind_i64, .bind_text = bind_text, .bind_blob = bind_blob, .bind_null = bind_null,
    .step = st_step, .reset = st_reset, .col_null = col_null, .col_i64 = col_i64, .col_bytes = col_bytes, .col_cell = col_cell,
};
