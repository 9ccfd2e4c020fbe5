/* policy.c - the tables of policies -> one snapshot in memory -> what holds for a person. */
#include "backend/base/log.h"
#include "backend/base/must.h"
#include "backend/directory/policy_int.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum { SNAPSHOT_CEILING = 256 << 20 };

/* --- taking it; under the lock ------------------------------------------------------------------------------------------------------------ */

/* Steps of a statement while the lock is held: q_begin would take it. */
static sqlite3_stmt *ask(struct directory *d, const char *sql)
{
    sqlite3_stmt *q = q_prepared(d, sql);
    if (q == NULL)
        log_line(LOGL_ERROR, "directory", "cannot prepare", "error", sqlite3_errmsg(d->db), NULL);
    return q;
}

static bool ask_number(struct directory *d, const char *sql, int64_t *out)
{
    sqlite3_stmt *q = ask(d, sql);
    bool row = false;
    if (q == NULL)
        return false;
    bool ok = q_row(q, &row) == ecNone && row;
    *out = ok ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    return ok;
}

static const char *text_at(struct arena *a, sqlite3_stmt *q, int i)
{
    const char *s = (const char *)sqlite3_column_text(q, i);
    return arena_strdup(a, s != NULL ? s : "");
}

static uint64_t seconds_at(sqlite3_stmt *q, int i)
{
    int64_t s = sqlite3_column_int64(q, i);
    return s < 0 ? 0 : (uint64_t)s;
}

/* Every row of a statement; ended. */
static bool each(struct directory *d, struct policies *s, const char *sql, void (*take)(struct directory *, struct policies *, sqlite3_stmt *))
{
    sqlite3_stmt *q = ask(d, sql);
    bool row = false;
    ec_t ec = ecNone;
    while (q != NULL && (ec = q_row(q, &row)) == ecNone && row)
        take(d, s, q);
    sqlite3_reset(q);
    return q != NULL && ec == ecNone;
}

struct caps { size_t org, domain, person, moved; };
static _Thread_local struct caps cap; /* of the arrays while they grow */

static void take_org(struct directory *d, struct policies *s, sqlite3_stmt *q)
{
    s->org = arena_grow(s->a, s->org, &cap.org, s->orgs, sizeof *s->org);
    int64_t row = sqlite3_column_int64(q, 0);
    s->org[s->orgs++] = (struct org_row){ row, row == 1 ? arena_strdup(s->a, d->organization) : text_at(s->a, q, 1),
                                          sqlite3_column_int(q, 2) != 0, seconds_at(q, 3) };
}

static void take_domain(struct directory *d, struct policies *s, sqlite3_stmt *q)
{
    (void)d;
    size_t org = 0;
    while (org + 1 < s->orgs && s->org[org].row != sqlite3_column_int64(q, 1))
        org++;
    s->domain = arena_grow(s->a, s->domain, &cap.domain, s->domains, sizeof *s->domain);
    s->domain[s->domains++] = (struct domain_row){ text_at(s->a, q, 0), org };
}

static void take_person(struct directory *d, struct policies *s, sqlite3_stmt *q)
{
    (void)d;
    bool null = sqlite3_column_type(q, 1) == SQLITE_NULL;
    s->person = arena_grow(s->a, s->person, &cap.person, s->persons, sizeof *s->person);
    s->person[s->persons++] = (struct person_row){ sqlite3_column_int64(q, 0), null ? TRI_NULL : sqlite3_column_int(q, 1) != 0 ? TRI_TRUE : TRI_FALSE,
                                                   sqlite3_column_int(q, 2) != 0, seconds_at(q, 3) };
}

static void take_moved(struct directory *d, struct policies *s, sqlite3_stmt *q)
{
    (void)d;
    s->moved = arena_grow(s->a, s->moved, &cap.moved, s->moved_n, sizeof *s->moved);
    s->moved[s->moved_n++] = (struct moved){ text_at(s->a, q, 0), text_at(s->a, q, 1), text_at(s->a, q, 2) };
}

static void take_vdir(struct directory *d, struct policies *s, sqlite3_stmt *q)
{
    (void)d;
    s->vdir = (struct vdir){ text_at(s->a, q, 0), text_at(s->a, q, 1), (unsigned)sqlite3_column_int(q, 2), (unsigned)sqlite3_column_int(q, 3) };
    s->layout = (unsigned)sqlite3_column_int(q, 4);
}

static bool take_all(struct directory *d, struct policies *s)
{
    cap = (struct caps){ 0 };
    return each(d, s, "SELECT row, name, mapi_http, retention FROM organization ORDER BY row", take_org) && s->orgs != 0 && s->org[0].row == 1
        && each(d, s, "SELECT domain, organization FROM domain ORDER BY domain", take_domain)
        && each(d, s, "SELECT row, mapi_http, block_external, retention FROM person WHERE mapi_http IS NOT NULL OR block_external<>0 OR retention<>0"
                      " ORDER BY row", take_person)
        && each(d, s, "SELECT name, url, address FROM moved ORDER BY name", take_moved)
        && each(d, s, "SELECT internal_url, external_url, internal_methods, external_methods,"
                      " (SELECT value FROM setting WHERE key='context_layout') FROM vdir", take_vdir)
        && s->vdir.internal_url != NULL;
}

/* All of it at one moment: another process may write between two of these statements. */
static struct policies *take(struct directory *d, int64_t data_version, int64_t version)
{
    struct arena *a = arena_new(SNAPSHOT_CEILING);
    struct policies *s = arena_one(a, struct policies);
    s->a = a;
    s->data_version = data_version;
    s->version = version;
    bool ok = sqlite3_exec(d->db, "SAVEPOINT policies", NULL, NULL, NULL) == SQLITE_OK && take_all(d, s);
    sqlite3_exec(d->db, "RELEASE policies", NULL, NULL, NULL);
    if (ok)
        return s;
    arena_free(a);
    return NULL;
}

void policies_free(struct directory *d)
{
    if (d->policies != NULL)
        arena_free(d->policies->a);
    d->policies = NULL;
}

/* data_version is another one after any change by another connection (sqlite.org, pragma data_version); most of these are not about policies, which
 * the counter tells.  The version is read before the tables: a change between the two is seen by the next question. */
struct policies *policies_now(struct directory *d)
{
    int64_t data_version, version;
    if (!ask_number(d, "PRAGMA data_version", &data_version))
        return NULL;
    if (d->policies != NULL && d->policies->data_version == data_version)
        return d->policies;
    if (!ask_number(d, "SELECT value FROM setting WHERE key='policy_version'", &version))
        return NULL;
    if (d->policies != NULL && d->policies->version == version) {
        d->policies->data_version = data_version;
        return d->policies;
    }
    struct policies *s = take(d, data_version, version);
    if (s == NULL)
        return NULL;
    policies_free(d);
    return d->policies = s;
}

struct policies *policies_begin(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    struct policies *s = policies_now(d);
    if (s == NULL)
        pthread_mutex_unlock(&d->lock);
    return s;
}

void policies_done(struct directory *d) { pthread_mutex_unlock(&d->lock); }

/* --- changing it -------------------------------------------------------------------------------------------------------------------------- */

/* data_version does not tell a connection of its own changes. */
static void forget(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    if (d->policies != NULL)
        d->policies->data_version = d->policies->version = -1;
    pthread_mutex_unlock(&d->lock);
}

ec_t policies_change(struct directory *d, const char *sql, const struct bound *v, size_t n)
{
    sqlite3_stmt *q = q_begin(d, sql);
    if (q == NULL)
        return EC(ecDiskError);
    for (size_t i = 0; i < n; i++) {
        if (v[i].null)
            sqlite3_bind_null(q, (int)i + 1);
        else if (v[i].text != NULL)
            q_text(q, (int)i + 1, v[i].text);
        else
            sqlite3_bind_int64(q, (int)i + 1, v[i].number);
    }
    int rc = sqlite3_step(q);
    bool none = rc == SQLITE_DONE && sqlite3_changes(d->db) == 0;
    q_end(d, q);
    forget(d);
    return none ? EC(ecNotFound) : rc == SQLITE_DONE ? ecNone : rc == SQLITE_CONSTRAINT ? EC(ecCollidingNames) : EC(ecDiskError);
}

/* --- names -------------------------------------------------------------------------------------------------------------------------------- */

bool policies_domain(struct arena *a, const char *text, const char **out)
{
    size_t n = strlen(text);
    if (n == 0 || n > 253 || text[0] == '.' || text[n - 1] == '.' || strstr(text, "..") != NULL)
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x80 && !isalnum(c) && c != '-' && c != '.')
            return false;
    }
    *out = arena_lower(a, text);
    return true;
}

bool policies_https(const char *url)
{
    if (strncasecmp(url, "https://", 8) != 0 || strlen(url) > 1000)
        return false;
    const char *host = url + 8;
    size_t n = strcspn(host, "/:");
    for (const char *p = host; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("\"<>?#@\\", *p) != NULL)
            return false;
    size_t port = host[n] == ':' ? strcspn(host + n + 1, "/") : 1;
    if (host[n] == ':' && strspn(host + n + 1, "0123456789") != port)
        return false;
    return n != 0 && port != 0 && port < 6;
}

static int by_domain(const void *key, const void *row) { return strcasecmp(key, ((const struct domain_row *)row)->domain); }

size_t policies_org_of(const struct policies *s, const char *address)
{
    const char *at = strrchr(address, '@');
    const struct domain_row *r = at == NULL || s->domains == 0 ? NULL : bsearch(at + 1, s->domain, s->domains, sizeof *s->domain, by_domain);
    return r != NULL ? r->org : 0;
}

/* --- what holds for a person ---------------------------------------------------------------------------------------------------------------- */

/* The organization of a person's object in the address book, now: persons are remembered for a while, switches count at once. */
static bool org_of_row(struct directory *d, const struct policies *s, int64_t row, size_t *at)
{
    *at = 0;
    if (s->orgs == 1)
        return true;
    sqlite3_stmt *q = ask(d, "SELECT org FROM entry WHERE row=?1");
    bool found = false;
    if (q == NULL)
        return false;
    sqlite3_bind_int64(q, 1, row);
    ec_t    ec = q_row(q, &found);
    int64_t org = found ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    for (size_t i = 0; i < s->orgs; i++)
        if (s->org[i].row == org)
            *at = i;
    return ec == ecNone;
}

static int by_row(const void *key, const void *row)
{
    int64_t k = *(const int64_t *)key, r = ((const struct person_row *)row)->row;
    return k < r ? -1 : k > r;
}

ec_t policy_of(struct directory *d, struct arena *a, const struct person *p, struct policy *out)
{
    static const struct person_row none = { .mapi_http = TRI_NULL };
    const struct policies *s = policies_begin(d);
    size_t at;
    if (s == NULL)
        return EC(ecDiskError);
    if (!org_of_row(d, s, p->row, &at)) {
        policies_done(d);
        return EC(ecDiskError);
    }
    const struct org_row *o = &s->org[at];
    const struct person_row *own = s->persons == 0 ? NULL : bsearch(&p->row, s->person, s->persons, sizeof *s->person, by_row);
    own = own != NULL ? own : &none;
    *out = (struct policy){ .organization = arena_strdup(a, o->name),
                            .mapi_http = own->mapi_http == TRI_NULL ? o->mapi_http : own->mapi_http == TRI_TRUE,
                            .block_external = own->block_external,
                            .retention_s = own->retention_s != 0 ? own->retention_s : o->retention_s };
    policies_done(d);
    return ecNone;
}

const char *policy_organization(struct directory *d, struct arena *a, const char *address)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return arena_strdup(a, d->organization);
    const char *name = arena_strdup(a, s->org[policies_org_of(s, address)].name);
    policies_done(d);
    return name;
}

/* --- the mailbox's own --------------------------------------------------------------------------------------------------------------------- */

ec_t mailbox_policy_get(struct directory *d, const char *login, struct mailbox_policy *out)
{
    struct arena *a = arena_new(1 << 16);
    struct person p;
    ec_t ec = directory_by_login(d, a, login, &p);
    arena_free(a);
    if (ec != ecNone)
        return ec;
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    const struct person_row *own = s->persons == 0 ? NULL : bsearch(&p.row, s->person, s->persons, sizeof *s->person, by_row);
    *out = own != NULL ? (struct mailbox_policy){ own->mapi_http, own->block_external, own->retention_s } : (struct mailbox_policy){ .mapi_http = TRI_NULL };
    policies_done(d);
    return ecNone;
}

static bool retention_fits(uint64_t s) { return s == 0 || (s >= RETENTION_MIN_S && s <= RETENTION_MAX_S); }

ec_t mailbox_policy_set(struct directory *d, const char *login, const struct mailbox_policy *m)
{
    struct person p;
    if (!retention_fits(m->retention_s))
        return EC(ecInvalidParameter);
    struct arena *a = arena_new(1 << 16);
    ec_t ec = directory_by_login(d, a, login, &p);
    arena_free(a);
    if (ec != ecNone)
        return ec;
    const struct bound v[] = { { .number = p.row }, { .number = m->mapi_http == TRI_TRUE, .null = m->mapi_http == TRI_NULL },
                               { .number = m->block_external }, { .number = (int64_t)m->retention_s } };
    ec = policies_change(d, "UPDATE person SET mapi_http=?2, block_external=?3, retention=?4 WHERE row=?1", v, 4);
    return ec == ecNotFound ? EC(ecUnknownUser) : ec;
}

/* --- the layout of context blocks ---------------------------------------------------------------------------------------------------------- */

ec_t policy_layout(struct directory *d, unsigned *layout)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    *layout = s->layout;
    policies_done(d);
    return ecNone;
}

ec_t policy_layout_raise(struct directory *d, unsigned layout)
{
    const struct bound v = { .number = layout };
    ec_t ec = policies_change(d, "UPDATE setting SET value=?1 WHERE key='context_layout' AND value<=?1", &v, 1);
    return ec == ecNotFound ? EC(ecInvalidParameter) : ec;
}
