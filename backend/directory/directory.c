/* directory.c - opening the directory database, and the questions that are asked of it. */
#include "backend/directory/dialog.h"
#include "backend/directory/login_int.h"
#include "backend/base/crypto.h"
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/directory/policy.h"
#include "backend/directory/schema.h"
#include <stdlib.h>

#define PERSON_COLUMNS "row, login, smtp, dn, display_name, mailbox, locale, disabled, hidden, password"

/* --- statements -------------------------------------------------------------------------------------------------------------------------- */

static void log_failure(struct directory *d, const char *what)
{
    log_line(LOGL_ERROR, "directory", what, "error", sqlite3_errmsg(d->db), NULL);
}

sqlite3_stmt *q_prepared(struct directory *d, const char *sql)
{
    size_t i = 0;
    while (i < STATEMENTS_MAX && d->statement[i].q != NULL && d->statement[i].sql != sql)
        i++;
    must(i < STATEMENTS_MAX);
    if (d->statement[i].q == NULL && sqlite3_prepare_v3(d->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &d->statement[i].q, NULL) == SQLITE_OK)
        d->statement[i].sql = sql;
    return d->statement[i].q;
}

sqlite3_stmt *q_begin(struct directory *d, const char *sql)
{
    pthread_mutex_lock(&d->lock);
    sqlite3_stmt *q = q_prepared(d, sql);
    if (q == NULL) {
        log_failure(d, "cannot prepare");
        pthread_mutex_unlock(&d->lock);
    }
    return q;
}

void q_text(sqlite3_stmt *q, int i, const char *s) { sqlite3_bind_text(q, i, s, -1, SQLITE_TRANSIENT); }

ec_t q_row(sqlite3_stmt *q, bool *row)
{
    int rc = sqlite3_step(q);
    *row = rc == SQLITE_ROW;
    if (*row || rc == SQLITE_DONE)
        return ecNone;
    log_line(LOGL_ERROR, "directory", "query failed", "error", sqlite3_errmsg(sqlite3_db_handle(q)), NULL);
    return EC(ecDiskError);
}

void q_end(struct directory *d, sqlite3_stmt *q)
{
    sqlite3_reset(q);
    sqlite3_clear_bindings(q);
    pthread_mutex_unlock(&d->lock);
}

ec_t q_done(struct directory *d, sqlite3_stmt *q)
{
    int  rc = sqlite3_step(q);
    ec_t ec = ecNone;
    if (rc == SQLITE_CONSTRAINT)
        ec = EC(ecCollidingNames);
    else if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
        log_failure(d, "change failed");
        ec = EC(ecDiskError);
    }
    q_end(d, q);
    return ec;
}

/* --- opening ----------------------------------------------------------------------------------------------------------------------------- */

static bool run(struct directory *d, const char *sql) { return sqlite3_exec(d->db, sql, NULL, NULL, NULL) == SQLITE_OK; }

static int version(struct directory *d)
{
    sqlite3_stmt *q = NULL;
    int v = -1;
    if (sqlite3_prepare_v2(d->db, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        v = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return v;
}

/* Under an immediate transaction, since several workers start at once. */
static bool migrate(struct directory *d, struct arena *a, const char **why)
{
    if (version(d) == DIRECTORY_VERSION)
        return true;
    if (!run(d, "BEGIN IMMEDIATE")) {
        *why = arena_strdup(a, sqlite3_errmsg(d->db));
        return false;
    }
    int v = version(d);
    bool ok = v >= 0 && v <= DIRECTORY_VERSION;
    if (v > DIRECTORY_VERSION)
        *why = arena_printf(a, "its schema is version %d, this program knows up to %d", v, DIRECTORY_VERSION);
    bool fresh = v == 0;
    for (; ok && v < DIRECTORY_VERSION; v++)
        ok = run(d, directory_schema[v]);
    if (ok && fresh) /* nobody older writes here */
        ok = run(d, arena_printf(a, "UPDATE setting SET value=%d WHERE key='context_layout'", CONTEXT_LAYOUT));
    ok = ok && run(d, arena_printf(a, "PRAGMA user_version=%d", DIRECTORY_VERSION)) && run(d, "COMMIT");
    if (!ok) {
        if (*why == NULL)
            *why = arena_strdup(a, sqlite3_errmsg(d->db));
        run(d, "ROLLBACK");
    }
    return ok;
}

/* Its one connection is used under our lock: the library's own mutexes and memory counters are only cost.  The mailboxes' driver says the same; the library
 * listens to the first. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Statements inside a transaction take the lock again. */
static void lock_init(pthread_mutex_t *m)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(m, &attr);
    pthread_mutexattr_destroy(&attr);
}

struct directory *directory_open(const struct config *c, struct arena *a, const char **why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);
    struct directory *d = calloc(1, sizeof *d);
    must(d != NULL);
    *why = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(c->directory, &d->db, flags, NULL) != SQLITE_OK) {
        *why = arena_printf(a, "%s: %s", c->directory, sqlite3_errmsg(d->db));
        sqlite3_close(d->db);
        free(d);
        return NULL;
    }
    sqlite3_busy_timeout(d->db, 5000);
    run(d, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
    if (!migrate(d, a, why)) {
        *why = arena_printf(a, "%s: %s", c->directory, *why);
        sqlite3_close(d->db);
        free(d);
        return NULL;
    }
    lock_init(&d->lock);
    pthread_mutex_init(&d->slots_lock, NULL);
    d->path = c->directory;
    d->organization = c->organization;
    d->default_domain = c->default_domain;
    d->config = c;
    crypto_random(d->key, sizeof d->key);
    d->login = calloc(LOGIN_SLOTS, sizeof *d->login);
    must(d->login != NULL);
    d->ldap = login_ldap_new(c);
    if (entry_words_refresh(d) != ecNone) {
        *why = arena_printf(a, "%s: the index of names cannot be made", c->directory);
        directory_close(d);
        return NULL;
    }
    if (dialog_install(d, a) != ecNone) {
        *why = arena_printf(a, "%s: the dialogs of the address book cannot be put in", c->directory);
        directory_close(d);
        return NULL;
    }
    return d;
}

void directory_close(struct directory *d)
{
    if (d == NULL)
        return;
    book_close(d->book);
    policies_free(d);
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(d->statement[i].q);
    sqlite3_close(d->db);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->slots_lock);
    free(d->login);
    login_ldap_free(d->ldap);
    free(d);
}

struct directory *reader_open(struct directory *d)
{
    struct directory *r = calloc(1, sizeof *r);
    must(r != NULL);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(d->path, &r->db, flags, NULL) != SQLITE_OK) {
        log_failure(r, "cannot be opened");
        sqlite3_close(r->db);
        free(r);
        return NULL;
    }
    sqlite3_busy_timeout(r->db, 5000);
    run(r, "PRAGMA query_only=ON;");
    lock_init(&r->lock);
    r->path = d->path;
    r->organization = d->organization;
    r->default_domain = d->default_domain;
    return r;
}

void reader_close(struct directory *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(r->statement[i].q);
    sqlite3_close(r->db);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- questions --------------------------------------------------------------------------------------------------------------------------- */

static const char *column(struct arena *a, sqlite3_stmt *q, int i)
{
    const char *s = (const char *)sqlite3_column_text(q, i);
    return arena_strdup(a, s != NULL ? s : "");
}

static void person_from_row(sqlite3_stmt *q, struct arena *a, struct person *p)
{
    *p = (struct person){ .row = sqlite3_column_int64(q, 0), .login = column(a, q, 1), .smtp = column(a, q, 2), .dn = column(a, q, 3),
                          .display_name = column(a, q, 4), .locale = (uint32_t)sqlite3_column_int64(q, 6),
                          .disabled = sqlite3_column_int(q, 7) != 0, .hidden = sqlite3_column_int(q, 8) != 0 };
    p->has_mailbox = sqlite3_column_bytes(q, 5) == (int)sizeof p->mailbox.b;
    if (p->has_mailbox)
        memcpy(p->mailbox.b, sqlite3_column_blob(q, 5), sizeof p->mailbox.b);
}

static ec_t find(struct directory *d, struct arena *a, const char *sql, struct blob key, bool binary, struct person *out, const char **hash)
{
    sqlite3_stmt *q = q_begin(d, sql);
    if (q == NULL)
        return EC(ecDiskError);
    if (binary)
        sqlite3_bind_blob(q, 1, key.p, (int)key.n, SQLITE_TRANSIENT);
    else
        sqlite3_bind_text(q, 1, (const char *)key.p, (int)key.n, SQLITE_TRANSIENT);
    bool found;
    ec_t ec = q_row(q, &found);
    if (found) {
        person_from_row(q, a, out);
        if (hash != NULL)
            *hash = column(a, q, 9);
    }
    q_end(d, q);
    return found || ec != ecNone ? ec : EC(ecUnknownUser);
}

const char *login_canonical(const struct directory *d, struct arena *a, const char *name)
{
    const char *slash = strrchr(name, '\\'), *user = slash != NULL ? slash + 1 : name;
    if (*user == '\0' || strlen(user) > 320)
        return NULL;
    bool whole = strchr(user, '@') != NULL || d->default_domain[0] == '\0';
    return arena_lower(a, whole ? user : arena_printf(a, "%s@%s", user, d->default_domain));
}

ec_t person_with_hash(struct directory *d, struct arena *a, const char *login, struct person *out, const char **hash)
{
    return find(d, a, "SELECT " PERSON_COLUMNS " FROM person WHERE login=?1", blob_str(login), false, out, hash);
}

ec_t directory_by_login(struct directory *d, struct arena *a, const char *name, struct person *out)
{
    const char *login = login_canonical(d, a, name);
    if (login == NULL)
        return EC(ecUnknownUser);
    return person_with_hash(d, a, login, out, NULL);
}

ec_t directory_by_dn(struct directory *d, struct arena *a, const char *dn, struct person *out)
{
    return find(d, a, "SELECT " PERSON_COLUMNS " FROM person WHERE dn=?1", blob_str(dn), false, out, NULL);
}

ec_t directory_by_address(struct directory *d, struct arena *a, const char *smtp, struct person *out)
{
    const char *address = login_canonical(d, a, smtp);
    if (address == NULL)
        return EC(ecUnknownUser);
    return find(d, a, "SELECT " PERSON_COLUMNS " FROM person WHERE row=(SELECT entry FROM proxy WHERE address=?1)", blob_str(address),
                false, out, NULL);
}

ec_t directory_by_mailbox(struct directory *d, struct arena *a, const struct guid *mailbox, struct person *out)
{
    return find(d, a, "SELECT " PERSON_COLUMNS " FROM person WHERE mailbox=?1", blob_of(mailbox->b, 16), true, out, NULL);
}

/* All rows of a statement, which ends. */
static ec_t list(struct directory *d, struct arena *a, sqlite3_stmt *q, struct person **out, size_t *n)
{
    struct person *v = NULL;
    size_t cap = 0, i = 0;
    bool row;
    ec_t ec;
    while ((ec = q_row(q, &row)) == ecNone && row) {
        v = arena_grow(a, v, &cap, i, sizeof *v);
        person_from_row(q, a, &v[i++]);
    }
    q_end(d, q);
    *out = v;
    *n = i;
    return ec;
}

ec_t directory_list(struct directory *d, struct arena *a, struct person **out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, "SELECT " PERSON_COLUMNS " FROM person ORDER BY login");
    return q != NULL ? list(d, a, q, out, n) : EC(ecDiskError);
}

ec_t directory_shared_with(struct directory *d, struct arena *a, const struct person *delegate, struct person **out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, "SELECT " PERSON_COLUMNS " FROM person WHERE row IN (SELECT owner FROM delegate WHERE delegate=?1)"
                                 " AND mailbox IS NOT NULL AND disabled=0 AND row<>?1 ORDER BY login");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, delegate->row);
    return list(d, a, q, out, n);
}

ec_t directory_has_access(struct directory *d, const char *owner_dn, const char *delegate_dn, bool *full_access)
{
    sqlite3_stmt *q = q_begin(d, "SELECT 1 FROM delegate WHERE owner=(SELECT row FROM person WHERE dn=?1)"
                                 " AND delegate=(SELECT row FROM person WHERE dn=?2)");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, owner_dn);
    q_text(q, 2, delegate_dn);
    ec_t ec = q_row(q, full_access);
    q_end(d, q);
    return ec;
}

ec_t directory_server_guid(struct directory *d, struct guid *out)
{
    sqlite3_stmt *q = q_begin(d, "SELECT value FROM setting WHERE key='server_guid'");
    if (q == NULL)
        return EC(ecDiskError);
    bool row;
    bool ok = q_row(q, &row) == ecNone && row && sqlite3_column_bytes(q, 0) == (int)sizeof out->b;
    if (ok)
        memcpy(out->b, sqlite3_column_blob(q, 0), sizeof out->b);
    q_end(d, q);
    return ok ? ecNone : EC(ecDiskError);
}
