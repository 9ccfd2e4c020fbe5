/* change.c - what administrators change in the directory. */
#include "backend/base/crypto.h"
#include "backend/directory/directory_int.h"
#include "backend/directory/entry.h"

static bool plausible_login(const char *login)
{
    const char *at = strchr(login, '@');
    if (at == NULL || at == login || at[1] == '\0' || strchr(at + 1, '@') != NULL)
        return false;
    for (const char *p = login; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("\"<>\\,;:()[]", *p) != NULL)
            return false;
    return true;
}

/* The row of the address book gives number, DN and names (entry.h). */
static ec_t insert_person(struct directory *d, const struct person_new *n, const struct entry *e, const char *hash)
{
    sqlite3_stmt *q = q_begin(d, "INSERT INTO person(row, login, smtp, dn, display_name, password, mailbox, locale) VALUES(?1,?2,?2,?3,?4,?5,?6,?7)");
    if (q == NULL)
        return EC(ecDiskError);
    struct guid mailbox = guid_new();
    sqlite3_bind_int64(q, 1, e->row);
    q_text(q, 2, e->smtp);
    q_text(q, 3, e->dn);
    q_text(q, 4, e->display_name);
    q_text(q, 5, hash);
    if (n->with_mailbox)
        sqlite3_bind_blob(q, 6, mailbox.b, sizeof mailbox.b, SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 7, n->locale != 0 ? n->locale : 0x0409);
    return q_done(d, q);
}

static ec_t add(struct directory *d, struct arena *a, const struct person_new *n, const char *login, const char *hash)
{
    struct entry e = { .kind = ENTRY_USER, .smtp = login, .display_name = n->display_name != NULL && n->display_name[0] != '\0' ? n->display_name : login };
    size_t local = strcspn(login, "@");
    props_set(a, &e.props, pv_strn(PidTagAccount, blob_of(login, local)));
    TRY(entry_add(d, a, &e));
    return insert_person(d, n, &e, hash);
}

ec_t directory_add(struct directory *d, struct arena *a, const struct person_new *n, struct person *out)
{
    const char *login = login_canonical(d, a, n->login);
    if (login == NULL || !plausible_login(login) || (n->password != NULL && n->password[0] == '\0'))
        return EC(ecInvalidParameter);
    const char *hash = n->password != NULL ? password_hash(a, n->password) : LOGIN_NO_HASH;
    TRY(tx_begin(d));
    TRY(tx_end(d, add(d, a, n, login, hash)));
    return directory_by_login(d, a, login, out);
}

/* One change of one row named by a login; ecUnknownUser if there was none. */
static ec_t change(struct directory *d, const char *sql, const char *login, const char *value)
{
    struct arena *a = arena_new(1 << 16);
    const char *canonical = login_canonical(d, a, login);
    sqlite3_stmt *q = canonical != NULL ? q_begin(d, sql) : NULL;
    ec_t ec = canonical == NULL ? EC(ecUnknownUser) : q == NULL ? EC(ecDiskError) : ecNone;
    if (ec == ecNone) {
        q_text(q, 1, canonical);
        if (value != NULL)
            q_text(q, 2, value);
        int rc = sqlite3_step(q);
        if (rc != SQLITE_DONE)
            ec = rc == SQLITE_CONSTRAINT ? EC(ecCollidingNames) : EC(ecDiskError);
        else if (sqlite3_changes(d->db) == 0)
            ec = EC(ecUnknownUser);
        q_end(d, q);
    }
    arena_free(a);
    return ec;
}

ec_t directory_passwd(struct directory *d, const char *login, const char *password)
{
    if (password == NULL || password[0] == '\0')
        return EC(ecInvalidParameter);
    struct arena *a = arena_new(1 << 16);
    ec_t ec = change(d, "UPDATE person SET password=?2 WHERE login=?1", login, password_hash(a, password));
    arena_free(a);
    return ec;
}

ec_t directory_remove(struct directory *d, const char *login) { return change(d, "DELETE FROM person WHERE login=?1", login, NULL); }

ec_t directory_grant(struct directory *d, const char *owner_login, const char *delegate_login, bool full_access)
{
    struct arena *a = arena_new(1 << 16);
    struct person owner, delegate;
    ec_t ec = directory_by_login(d, a, owner_login, &owner);
    if (ec == ecNone)
        ec = directory_by_login(d, a, delegate_login, &delegate);
    sqlite3_stmt *q = NULL;
    if (ec == ecNone) {
        q = q_begin(d, full_access ? "INSERT OR REPLACE INTO delegate VALUES(?1,?2)" : "DELETE FROM delegate WHERE owner=?1 AND delegate=?2");
        ec = q == NULL ? EC(ecDiskError) : ecNone;
    }
    if (q != NULL) {
        sqlite3_bind_int64(q, 1, owner.row);
        sqlite3_bind_int64(q, 2, delegate.row);
        ec = q_done(d, q);
    }
    arena_free(a);
    return ec;
}
