/* org.c - organizations and their domains: asked for and changed. */
#include "backend/directory/policy_int.h"
#include <strings.h>

/* Copies out of the snapshot. */
static struct org org_copy(struct arena *a, const struct policies *s, size_t at)
{
    const struct org_row *r = &s->org[at];
    struct org o = { .name = arena_strdup(a, r->name), .mapi_http = r->mapi_http, .retention_s = r->retention_s };
    size_t cap = 0;
    for (size_t i = 0; i < s->domains; i++)
        if (s->domain[i].org == at) {
            o.domain = arena_grow(a, o.domain, &cap, o.domains, sizeof *o.domain);
            o.domain[o.domains++] = arena_strdup(a, s->domain[i].domain);
        }
    return o;
}

static bool org_at(const struct policies *s, const char *name, size_t *at)
{
    for (*at = 0; *at < s->orgs; ++*at)
        if (strcasecmp(s->org[*at].name, name) == 0)
            return true;
    return false;
}

ec_t org_list(struct directory *d, struct arena *a, struct org **out, size_t *n)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    *n = s->orgs;
    *out = arena_array(a, struct org, s->orgs);
    for (size_t i = 0; i < s->orgs; i++)
        (*out)[i] = org_copy(a, s, i);
    policies_done(d);
    return ecNone;
}

ec_t org_get(struct directory *d, struct arena *a, const char *name, struct org *out)
{
    const struct policies *s = policies_begin(d);
    size_t at;
    if (s == NULL)
        return EC(ecDiskError);
    bool found = org_at(s, name, &at);
    if (found)
        *out = org_copy(a, s, at);
    policies_done(d);
    return found ? ecNone : EC(ecNotFound);
}

ec_t org_of(struct directory *d, struct arena *a, const char *address, struct org *out)
{
    const struct policies *s = policies_begin(d);
    if (s == NULL)
        return EC(ecDiskError);
    *out = org_copy(a, s, policies_org_of(s, address));
    policies_done(d);
    return ecNone;
}

ec_t org_not_enabled(struct directory *d, struct arena *a, const char ***out, size_t *n)
{
    const struct policies *s = policies_begin(d);
    size_t cap = 0;
    *out = NULL;
    *n = 0;
    if (s == NULL)
        return EC(ecDiskError);
    for (size_t i = 0; i < s->orgs; i++)
        if (!s->org[i].mapi_http) {
            *out = arena_grow(a, *out, &cap, *n, sizeof **out);
            (*out)[(*n)++] = arena_strdup(a, s->org[i].name);
        }
    policies_done(d);
    return ecNone;
}

ec_t org_by_login(struct directory *d, struct arena *a, size_t most, const char ***out, size_t *n)
{
    sqlite3_stmt *q = q_begin(d, "SELECT p.login FROM person p JOIN entry e ON e.row=p.row WHERE e.org<>coalesce((SELECT organization FROM domain"
                                 " WHERE domain=substr(p.login, instr(p.login, '@') + 1)), 1) ORDER BY p.login");
    bool row = false;
    ec_t ec = q == NULL ? EC(ecDiskError) : ecNone;
    *out = arena_array(a, const char *, most);
    for (*n = 0; ec == ecNone && (ec = q_row(q, &row)) == ecNone && row; ++*n)
        if (*n < most)
            (*out)[*n] = arena_strdup(a, (const char *)sqlite3_column_text(q, 0));
    if (q != NULL)
        q_end(d, q);
    return ec;
}

/* --- changes ------------------------------------------------------------------------------------------------------------------------------- */

static ec_t row_of(struct directory *d, const char *name, int64_t *row)
{
    const struct policies *s = policies_begin(d);
    size_t at;
    if (s == NULL)
        return EC(ecDiskError);
    bool found = org_at(s, name, &at);
    if (found)
        *row = s->org[at].row;
    policies_done(d);
    return found ? ecNone : EC(ecNotFound);
}

/* What can stand behind o= in a DN, and on one line. */
static bool plausible_name(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > 64 || name[0] == ' ' || name[n - 1] == ' ')
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '/' || *p == '=')
            return false;
    return true;
}

ec_t org_add(struct directory *d, const char *name)
{
    int64_t row;
    if (!plausible_name(name))
        return EC(ecInvalidParameter);
    ec_t ec = row_of(d, name, &row);
    if (ec != ecNotFound)
        return ec == ecNone ? EC(ecCollidingNames) : ec;
    const struct bound v = { .text = name };
    return policies_change(d, "INSERT INTO organization(name) VALUES(?1)", &v, 1);
}

ec_t org_knows(struct directory *d, struct arena *a, const struct person *who, const struct person *whose, bool *yes)
{
    struct policy own, other;
    *yes = who->row == whose->row;
    if (*yes)
        return ecNone;
    TRY(policy_of(d, a, who, &own));
    TRY(policy_of(d, a, whose, &other));
    *yes = strcasecmp(own.organization, other.organization) == 0;
    return *yes ? ecNone : directory_has_access(d, whose->dn, who->dn, yes);
}

static ec_t change_domain(struct directory *d, const char *sql, const char *name, const char *domain)
{
    struct bound v[2] = { { 0 } };
    struct arena *a = arena_new(1 << 16);
    ec_t ec = policies_domain(a, domain, &v[0].text) ? row_of(d, name, &v[1].number) : EC(ecInvalidParameter);
    if (ec == ecNone)
        ec = policies_change(d, sql, v, 2);
    arena_free(a);
    return ec;
}

ec_t org_add_domain(struct directory *d, const char *name, const char *domain)
{
    return change_domain(d, "INSERT INTO domain(domain, organization) VALUES(?1, ?2)", name, domain);
}

ec_t org_drop_domain(struct directory *d, const char *name, const char *domain)
{
    return change_domain(d, "DELETE FROM domain WHERE domain=?1 AND organization=?2", name, domain);
}

ec_t org_set_mapi_http(struct directory *d, const char *name, bool on)
{
    struct bound v[2] = { { .number = on } };
    TRY(row_of(d, name, &v[1].number));
    return policies_change(d, "UPDATE organization SET mapi_http=?1 WHERE row=?2", v, 2);
}

ec_t org_set_retention(struct directory *d, const char *name, uint64_t s)
{
    struct bound v[2] = { { .number = (int64_t)s } };
    if (s != 0 && (s < RETENTION_MIN_S || s > RETENTION_MAX_S))
        return EC(ecInvalidParameter);
    TRY(row_of(d, name, &v[1].number));
    return policies_change(d, "UPDATE organization SET retention=?1 WHERE row=?2", v, 2);
}
