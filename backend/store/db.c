/* db.c - statements: found by the address of their constant, run, reset. Between the store's logic and a driver. */
#include "backend/store/db.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include <stdlib.h>

/* Prepared statements of a connection: open addressing by address.  They live as long as the connection. */
struct slot { const struct stmt *stmt; const char *sql; void *st; bool writes, busy; };
enum { SLOTS_START = 256 };

/* Statements that were put together: found by their text, the one used longest ago gives way. */
struct made { struct stmt stmt; struct slot slot; uint64_t used; };
enum { MADE = 64 };

struct db {
    const struct db_ops *ops;
    void        *conn;
    struct slot **slot;    /* by address: a slot stays where it is while the table grows */
    size_t       nslots, used;
    struct made  *made[MADE];
    uint64_t     clock;
    bool         writing;
    uint64_t     moment, moments; /* number of the hold that is on, 0: none; of those there were */
    bool         spoiled;  /* an error inside the transaction: it can only be rolled back */
    bool         failed;   /* a disk error at any time */
};

ec_t db_open(const struct db_ops *ops, const struct db_open *o, struct db **out)
{
    void *conn = NULL;
    TRY(ops->open(o, &conn));
    struct db *db = calloc(1, sizeof *db);
    must(db != NULL);
    *db = (struct db){ .ops = ops, .conn = conn, .nslots = SLOTS_START };
    db->slot = calloc(db->nslots, sizeof(struct slot *));
    must(db->slot != NULL);
    *out = db;
    return ecNone;
}

static void made_free(struct db *db, struct made *made)
{
    if (made == NULL)
        return;
    db->ops->finalize(made->slot.st);
    free((char *)made->stmt.sql);
    free(made);
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_rollback(db);
    for (size_t i = 0; i < MADE; i++)
        made_free(db, db->made[i]);
    for (size_t i = 0; i < db->nslots; i++)
        if (db->slot[i] != NULL) {
            db->ops->finalize(db->slot[i]->st);
            free(db->slot[i]);
        }
    db->ops->close(db->conn);
    free(db->slot);
    free(db);
}

bool db_current(struct db *db) { return db->ops->current(db->conn); }
bool db_failed(const struct db *db) { return db->failed; }
bool db_writing(const struct db *db) { return db->writing; }
int64_t db_changes(struct db *db) { return db->ops->changes(db->conn); }

static ec_t note(struct db *db, ec_t ec)
{
    if (ec != ecNone && db->writing)
        db->spoiled = true;
    if (ec == ecDiskError)
        db->failed = true;
    return ec;
}

ec_t db_script(struct db *db, const char *name, const char *sql) { return note(db, db->ops->script(db->conn, name, sql)); }
ec_t db_version(struct db *db, int64_t *version) { return note(db, db->ops->version(db->conn, version)); }
ec_t db_set_version(struct db *db, int64_t version) { return note(db, db->ops->set_version(db->conn, version)); }

ec_t db_check(struct db *db, void (*say)(void *ctx, const char *finding), void *ctx) { return note(db, db->ops->check(db->conn, say, ctx)); }

ec_t db_hold(struct db *db)
{
    if (db->writing || db->moment != 0)
        return ecNone;
    TRY(note(db, db->ops->begin_read(db->conn)));
    db->moment = ++db->moments;
    return ecNone;
}

void db_let_go(struct db *db)
{
    if (db->moment != 0)
        note(db, db->ops->rollback(db->conn));
    db->moment = 0;
}

uint64_t db_moment(const struct db *db) { return db->moment; }

ec_t db_snapshot(struct db *db)
{
    must(!db->writing);
    db_let_go(db);
    return note(db, db->ops->begin_read(db->conn));
}

void db_snapshot_end(struct db *db)
{
    must(!db->writing);
    note(db, db->ops->rollback(db->conn));
}

/* --- transactions ------------------------------------------------------------------------------------------------------ */
ec_t db_begin(struct db *db)
{
    must(!db->writing);
    db_let_go(db);
    TRY(note(db, db->ops->begin(db->conn)));
    db->writing = true;
    db->spoiled = false;
    return ecNone;
}

ec_t db_commit(struct db *db)
{
    must(db->writing);
    ec_t ec = db->spoiled ? EC(ecDiskError) : note(db, db->ops->commit(db->conn));
    if (ec != ecNone) {
        db_rollback(db);
        return ec;
    }
    db->writing = false;
    return ecNone;
}

void db_rollback(struct db *db)
{
    if (!db->writing)
        return;
    db->writing = false;
    note(db, db->ops->rollback(db->conn));
}

ec_t db_savepoint(struct db *db)
{
    must(db->writing);
    return note(db, db->ops->savepoint(db->conn));
}

ec_t db_release(struct db *db)
{
    must(db->writing);
    return note(db, db->ops->release(db->conn));
}

ec_t db_rollback_to(struct db *db)
{
    must(db->writing);
    return note(db, db->ops->rollback_to(db->conn));
}

/* --- the cache --------------------------------------------------------------------------------------------------------- */
static size_t place(const struct db *db, const struct stmt *s)
{
    size_t i = ((uintptr_t)s >> 4) * 0x9E3779B97F4A7C15u >> 40 & (db->nslots - 1);
    while (db->slot[i] != NULL && db->slot[i]->stmt != s)
        i = (i + 1) & (db->nslots - 1);
    return i;
}

static void grow(struct db *db)
{
    struct slot **old = db->slot;
    size_t n = db->nslots;
    db->nslots *= 2;
    db->slot = calloc(db->nslots, sizeof(struct slot *));
    must(db->slot != NULL);
    for (size_t i = 0; i < n; i++)
        if (old[i] != NULL)
            db->slot[place(db, old[i]->stmt)] = old[i];
    free(old);
}

/* The statement's slot, prepared if need be; NULL with *ec. */
static struct slot *slot_of(struct db *db, const struct stmt *s, ec_t *ec)
{
    size_t i = place(db, s);
    if (db->slot[i] != NULL) {
        must(db->slot[i]->sql == s->sql);  /* a struct stmt that is not a constant */
        return db->slot[i];
    }
    void *st = NULL;
    bool writes = false;
    *ec = note(db, db->ops->prepare(db->conn, s, &st, &writes));
    if (*ec != ecNone)
        return NULL;
    if (++db->used > db->nslots / 2) {
        grow(db);
        i = place(db, s);
    }
    db->slot[i] = calloc(1, sizeof(struct slot));
    must(db->slot[i] != NULL);
    *db->slot[i] = (struct slot){ s, s->sql, st, writes, false };
    return db->slot[i];
}

static struct made *made_find(struct db *db, const char *sql, size_t *place_for)
{
    uint64_t least = UINT64_MAX;
    *place_for = MADE;
    for (size_t i = 0; i < MADE; i++) {
        struct made *made = db->made[i];
        if (made != NULL && strcmp(made->stmt.sql, sql) == 0)
            return made;
        uint64_t used = made != NULL ? made->used : 0;
        if ((made == NULL || !made->slot.busy) && used < least) {
            least = used;
            *place_for = i;
        }
    }
    return NULL;
}

/* The slot of a text; NULL with *ec. */
static struct slot *made_slot(struct db *db, const char *name, const char *sql, ec_t *ec)
{
    size_t at;
    struct made *made = made_find(db, sql, &at);
    if (made == NULL) {
        must(at < MADE);
        struct stmt s = { name, sql };
        void *st = NULL;
        bool writes = false;
        *ec = note(db, db->ops->prepare(db->conn, &s, &st, &writes));
        if (*ec != ecNone)
            return NULL;
        made_free(db, db->made[at]);
        db->made[at] = made = calloc(1, sizeof *made);
        must(made != NULL);
        made->stmt = (struct stmt){ name, strdup(sql) };
        must(made->stmt.sql != NULL);
        made->slot = (struct slot){ &made->stmt, made->stmt.sql, st, writes, false };
    }
    made->used = ++db->clock;
    return &made->slot;
}

/* --- a query ----------------------------------------------------------------------------------------------------------- */
static void start(struct query *q, struct slot *slot)
{
    struct db *db = q->db;
    if (slot == NULL)
        return;
    must(db->writing || !slot->writes);
    if (slot->busy) {
        bool writes;
        q->ec = note(db, db->ops->prepare(db->conn, slot->stmt, &q->st, &writes));
        return;
    }
    slot->busy = true;
    q->slot = slot;
    q->st = slot->st;
}

struct query db_query(struct db *db, const struct stmt *s)
{
    struct query q = { .db = db };
    start(&q, slot_of(db, s, &q.ec));
    return q;
}

struct query db_query_text(struct db *db, const char *name, const char *sql)
{
    struct query q = { .db = db };
    start(&q, made_slot(db, name, sql, &q.ec));
    return q;
}

void db_end(struct query *q)
{
    struct slot *slot = q->slot;
    if (slot != NULL) {
        q->db->ops->reset(q->st);
        slot->busy = false;
    } else if (q->st != NULL) {
        q->db->ops->finalize(q->st);
    }
    q->st = q->slot = NULL;
    q->row = false;
    q->done = true;
}

#define PUT(q, call)                         \
    do {                                     \
        if ((q)->ec == ecNone)               \
            (q)->ec = note((q)->db, (call)); \
    } while (0)

void db_put_i64(struct query *q, int64_t v)           { PUT(q, q->db->ops->bind_i64(q->st, ++q->param, v)); }
void db_put_u64(struct query *q, uint64_t v)          { db_put_i64(q, (int64_t)v); }
void db_put_text(struct query *q, struct blob utf8)   { PUT(q, q->db->ops->bind_text(q->st, ++q->param, utf8)); }
void db_put_blob(struct query *q, struct blob b)      { PUT(q, q->db->ops->bind_blob(q->st, ++q->param, b)); }
void db_put_null(struct query *q)                     { PUT(q, q->db->ops->bind_null(q->st, ++q->param)); }
void db_put_guid(struct query *q, const struct guid *g) { db_put_blob(q, blob_of(g->b, sizeof g->b)); }

void db_put_str(struct query *q, const char *utf8)
{
    if (utf8 != NULL)
        db_put_text(q, blob_str(utf8));
    else
        db_put_null(q);
}

bool db_row(struct query *q)
{
    q->row = false;
    if (q->ec != ecNone || q->done)
        return false;
    q->ec = note(q->db, q->db->ops->step(q->st, &q->row));
    q->done = !q->row;
    return q->row;
}

ec_t db_ec(const struct query *q) { return q->ec; }

ec_t db_run(struct query *q)
{
    while (db_row(q))
        ;
    return q->ec;
}

ec_t db_one(struct query *q)
{
    if (db_row(q))
        return ecNone;
    return q->ec != ecNone ? q->ec : EC(ecNotFound);
}

void db_again(struct query *q)
{
    if (q->st != NULL)
        q->db->ops->reset(q->st);
    q->param = 0;
    q->row = q->done = false;
}

/* --- columns ----------------------------------------------------------------------------------------------------------- */
bool db_null(const struct query *q, unsigned i)
{
    must(q->row);
    return q->db->ops->col_null(q->st, i);
}

int64_t db_i64(const struct query *q, unsigned i)
{
    must(q->row);
    return q->db->ops->col_i64(q->st, i);
}

uint64_t db_u64(const struct query *q, unsigned i) { return (uint64_t)db_i64(q, i); }
bool db_bool(const struct query *q, unsigned i)    { return db_i64(q, i) != 0; }

struct blob db_bytes(const struct query *q, unsigned i)
{
    must(q->row);
    return q->db->ops->col_bytes(q->st, i);
}

struct cell db_cell(const struct query *q, unsigned i)
{
    must(q->row);
    return q->db->ops->col_cell(q->st, i);
}

struct blob db_blob(const struct query *q, unsigned i, struct arena *a) { return arena_blob(a, db_bytes(q, i)); }

char *db_text(const struct query *q, unsigned i, struct arena *a)
{
    return db_null(q, i) ? NULL : arena_str(a, db_bytes(q, i));
}

bool db_guid(const struct query *q, unsigned i, struct guid *out)
{
    struct blob b = db_bytes(q, i);
    if (b.n != sizeof out->b)
        return false;
    memcpy(out->b, b.p, sizeof out->b);
    return true;
}
