/* db.h - statements over a database connection: the contract between the logic of the store and its drivers.
 *
 * The store's logic is written once, in SQL statements with names; a driver (sqlite/, fault/) runs them.  A file declares its statements
 * at its top and uses them so:
 *
 *     STMT(FOLDER_NAME, "SELECT name, cn FROM folder WHERE fid = ?1");
 *
 *     DB_QUERY(q, m->db, FOLDER_NAME);
 *     db_put_i64(&q, (int64_t)fid);                 parameters in their order
 *     TRY(db_one(&q));                              ecNotFound: no row
 *     name = db_text(&q, 0, m->arena);              columns by number
 *
 * A statement is prepared once per connection and found again by the address of its constant.  A query ends with its block: it is reset then, so that
 * no read snapshot outlives it.  The same statement may run twice at a time (recursion); the second is prepared for that time.
 *
 * Errors latch in the query: a failed prepare or bind makes the next step fail, and once a step has failed all later ones fail.  ecServerBusy:
 * another process holds the write lock; ecDiskError: everything else (I/O, full, damaged, a broken constraint), logged where it is made
 * with the statement's name.  An error inside a transaction spoils it: db_commit then rolls back and fails.
 *
 * SQL is what SQLite and PostgreSQL both take wherever that costs nothing: ON CONFLICT, RETURNING, ?n parameters, no functions of one of them. */
#ifndef STORE_DB_H
#define STORE_DB_H
#include "backend/base/arena.h"
#include "backend/base/err.h"
#include "backend/base/guid.h"

struct stmt { const char *name, *sql; };
/* A column of whatever type: i of an integer, b of text or a blob. */
struct cell { bool null; int64_t i; struct blob b; };
#define STMT(name, text) static const struct stmt name = { #name, text }

/* Where a connection leads.  Strings are borrowed for the call. */
struct db_open { const char *dir; struct guid id; bool create; unsigned cache_kib, busy_ms; };

/* A driver.  `conn` and `st` are its own.  Calls on one connection come from one thread at a time. */
struct db_ops {
    const char *name;
    /* May the directory hold mailboxes?  Makes it if it is not there.  False with *why (static). */
    bool (*usable)(const char *dir, const char **why);
    /* ecNotFound: no such mailbox (and not `create`). */
    ec_t (*open)(const struct db_open *o, void **conn);
    void (*close)(void *conn);
    ec_t (*remove)(const char *dir, const struct guid *id);         /* ecNotFound */
    uint64_t (*stamp)(const char *dir, const struct guid *id);      /* mailbox_stamp of store.h; 0: cannot be told */
    bool (*current)(void *conn);                                    /* still the mailbox that the name leads to (not removed, not replaced) */
    ec_t (*script)(void *conn, const char *name, const char *sql);  /* statements without parameters and rows */
    ec_t (*version)(void *conn, int64_t *version);                  /* of the schema; 0 = none.  Part of the transaction */
    ec_t (*set_version)(void *conn, int64_t version);
    ec_t (*begin)(void *conn);                                      /* takes the write lock at once */
    ec_t (*begin_read)(void *conn);                                 /* what is read until rollback is of one moment */
    ec_t (*commit)(void *conn);                                     /* durable when it returns */
    ec_t (*rollback)(void *conn);
    ec_t (*savepoint)(void *conn);                                  /* one level */
    ec_t (*release)(void *conn);
    ec_t (*rollback_to)(void *conn);                                /* undoes and leaves the savepoint */
    /* The database's own check of its file; each finding is told to `say`. */
    ec_t (*check)(void *conn, void (*say)(void *ctx, const char *finding), void *ctx);
    int64_t (*changes)(void *conn);                                 /* rows written since the connection was opened */
    ec_t (*prepare)(void *conn, const struct stmt *s, void **st, bool *writes);
    void (*finalize)(void *st);
    /* Parameters count from 1, bytes are borrowed until reset. */
    ec_t (*bind_i64)(void *st, unsigned i, int64_t v);
    ec_t (*bind_text)(void *st, unsigned i, struct blob utf8);
    ec_t (*bind_blob)(void *st, unsigned i, struct blob b);
    ec_t (*bind_null)(void *st, unsigned i);
    ec_t (*step)(void *st, bool *row);
    void (*reset)(void *st);                                        /* also forgets the parameters */
    /* Columns count from 0, bytes are borrowed until the next step or reset. */
    bool        (*col_null)(void *st, unsigned i);
    int64_t     (*col_i64)(void *st, unsigned i);
    struct blob (*col_bytes)(void *st, unsigned i);                 /* text or blob; NULL: empty */
    struct cell (*col_cell)(void *st, unsigned i);
};

extern const struct db_ops db_sqlite;   /* sqlite/ */
extern const struct db_ops db_fault;    /* fault/: db_sqlite, failing when told so */

/* --- a connection ----------------------------------------------------------------------------------------------------- */
struct db;

ec_t db_open(const struct db_ops *ops, const struct db_open *o, struct db **out);
void db_close(struct db *db);                /* rolls back what is open */
bool db_current(struct db *db);
bool db_failed(const struct db *db);         /* a disk error was seen: better not used again */
ec_t db_script(struct db *db, const char *name, const char *sql);
ec_t db_version(struct db *db, int64_t *version);
ec_t db_set_version(struct db *db, int64_t version);

/* Between the two all reads see the same moment, without keeping writers out.  Not inside a transaction. */
ec_t db_snapshot(struct db *db);
void db_snapshot_end(struct db *db);

/* The same for whoever reads much in a short time: a read lock is taken and given back once instead of at each statement.  Ends with db_let_go, or by itself
 * when a transaction or a snapshot begins. */
ec_t db_hold(struct db *db);
void db_let_go(struct db *db);
uint64_t db_moment(const struct db *db);     /* which of this connection's holds is on, 0: none.  What was read under a number is so under that number */

ec_t db_begin(struct db *db);
ec_t db_commit(struct db *db);               /* on an error everything is rolled back */
void db_rollback(struct db *db);             /* nothing happens without a transaction */
ec_t db_check(struct db *db, void (*say)(void *ctx, const char *finding), void *ctx);
bool db_writing(const struct db *db);
ec_t db_savepoint(struct db *db);
ec_t db_release(struct db *db);
ec_t db_rollback_to(struct db *db);
int64_t db_changes(struct db *db);

/* --- a query ---------------------------------------------------------------------------------------------------------- */
struct query {
    struct db *db;
    void    *st;
    void    *slot;       /* of the cache, or NULL: prepared for this query alone */
    ec_t     ec;
    unsigned param;      /* parameters given so far */
    bool     row, done;
};

/* Declares `q`, which ends with the block.  A statement that writes needs db_begin before. */
#define DB_QUERY(q, db, stmt) struct query q __attribute__((cleanup(db_end))) = db_query((db), &(stmt))
struct query db_query(struct db *db, const struct stmt *s);
/* The same for SQL that was put together at run time (columns asked for): found again by its text among the 64 used last.  `name` is static.  Never give
 * a struct stmt that is not a constant to db_query. */
#define DB_QUERY_TEXT(q, db, name, sql) struct query q __attribute__((cleanup(db_end))) = db_query_text((db), (name), (sql))
struct query db_query_text(struct db *db, const char *name, const char *sql);
void db_end(struct query *q);

/* The next parameter.  Bytes must stay as they are until the query ends.  A blob with p == NULL is an empty blob, not NULL. */
void db_put_i64(struct query *q, int64_t v);
void db_put_u64(struct query *q, uint64_t v);          /* below 2^63 */
void db_put_text(struct query *q, struct blob utf8);
void db_put_str(struct query *q, const char *utf8);    /* NULL: NULL */
void db_put_blob(struct query *q, struct blob b);
void db_put_guid(struct query *q, const struct guid *g);
void db_put_null(struct query *q);

/* Next row?  False: the end, or an error (db_ec). */
bool db_row(struct query *q);
ec_t db_ec(const struct query *q);
/* Runs a statement that gives no rows (or whose rows nobody wants). */
ec_t db_run(struct query *q);
/* The one row that is expected: ecNotFound if there is none. */
ec_t db_one(struct query *q);
/* Runs again with new parameters (bulk work): forgets the parameters, keeps the statement. */
void db_again(struct query *q);

/* Columns of the current row. */
bool        db_null(const struct query *q, unsigned i);
int64_t     db_i64(const struct query *q, unsigned i);
uint64_t    db_u64(const struct query *q, unsigned i);
bool        db_bool(const struct query *q, unsigned i);
struct blob db_bytes(const struct query *q, unsigned i);                       /* borrowed until the next row */
struct cell db_cell(const struct query *q, unsigned i);                        /* borrowed likewise; one call instead of three, for rows of many columns */
struct blob db_blob(const struct query *q, unsigned i, struct arena *a);       /* copied */
char       *db_text(const struct query *q, unsigned i, struct arena *a);       /* copied, NUL-terminated; NULL for NULL */
bool        db_guid(const struct query *q, unsigned i, struct guid *out);      /* false if it is not 16 bytes */
#endif
