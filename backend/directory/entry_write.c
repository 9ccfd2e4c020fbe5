/* entry_write.c - objects of the address book, made, changed and removed. */
#include "backend/base/crypto.h"
#include "backend/directory/entry_int.h"
#include "backend/directory/filter.h"
#include "backend/mapi/msg.h"
#include <ctype.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 1024, DN_MAX = 256, RDN_MAX = 64, ADDRESS_MAX = 1200, PROPS_MAX = 4 << 20 };

/* --- what can be written -------------------------------------------------------------------------------------------------------------------- */

static const char *text_or_empty(const char *s) { return s != NULL ? s : ""; }

bool entry_plausible_address(const char *s)
{
    const char *at = strrchr(s, '@');
    if (*s == '\0')
        return true;
    if (at == NULL || at == s || at[1] == '\0' || strlen(s) > 320)
        return false;
    for (const char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == ':')
            return false;
    return true;
}

static bool plausible_proxy(const char *s)
{
    size_t scheme = strcspn(s, ":");
    return scheme > 0 && scheme <= 16 && s[scheme] == ':' && s[scheme + 1] != '\0' && strlen(s) <= ADDRESS_MAX;
}

static bool plausible_dn(const char *dn)
{
    if (dn[0] != '/' || strlen(dn) > DN_MAX)
        return false;
    for (const char *p = dn; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            return false;
    return true;
}

/* "/o=name" and nothing behind it (MS-OXOABK 2.2.1.1). */
static bool organization_dn(const char *dn)
{
    size_t n = strlen(dn);
    return strncasecmp(dn, "/o=", 3) == 0 && n > 3 && n <= 3 + RDN_MAX && strchr(dn + 1, '/') == NULL;
}

static ec_t check(struct arena *a, const struct entry *e)
{
    const char *why;
    size_t name = strlen(e->display_name);
    bool ok = name > 0 && name <= NAME_MAX_BYTES && e->kind < ENTRY_CONTAINER && entry_plausible_address(e->smtp) && (e->dn == NULL || plausible_dn(e->dn));
    for (size_t i = 0; ok && i < e->proxies; i++)
        ok = plausible_proxy(e->proxy[i]);
    for (size_t i = 0; ok && i < e->props.n; i++)
        ok = entry_prop_settable(e->props.v[i].tag) && !e->props.v[i].large;
    struct blob elsewhere = props_str(&e->props, PidTagAddressBookTargetAddress);
    ok = ok && (elsewhere.n == 0 || plausible_proxy(arena_str(a, elsewhere))) && (e->kind != ENTRY_ORGANIZATION || e->dn == NULL || organization_dn(e->dn));
    ok = ok && (*e->filter == '\0' || (e->kind == ENTRY_DYNAMIC && filter_parse(a, e->filter, &why) != NULL));
    return ok ? ecNone : EC(ecInvalidParameter);
}

static void normalize(struct arena *a, struct entry *e)
{
    e->display_name = text_or_empty(e->display_name);
    e->smtp = arena_lower(a, text_or_empty(e->smtp));
    e->filter = text_or_empty(e->filter);
    e->source = text_or_empty(e->source);
    e->external = text_or_empty(e->external);
    e->hidden |= e->kind == ENTRY_ORGANIZATION;
}

/* A DN as Exchange makes them: unguessable, never reused, with the begin of a name for human eyes. */
static const char *make_dn(struct directory *d, struct arena *a, const struct entry *e)
{
    uint8_t r[16];
    char    hex[33], name[21] = "";
    size_t  n = 0;
    if (e->kind == ENTRY_ORGANIZATION)
        return arena_printf(a, "/o=%s", policy_organization(d, a, e->smtp));
    crypto_random(r, sizeof r);
    for (size_t i = 0; i < sizeof r; i++)
        snprintf(hex + 2 * i, 3, "%02x", r[i]);
    for (const char *p = *e->smtp != '\0' ? e->smtp : e->display_name; *p != '\0' && *p != '@' && n < sizeof name - 1; p++)
        name[n++] = isalnum((unsigned char)*p) && (unsigned char)*p < 0x80 ? *p : strchr(".-", *p) != NULL ? *p : '_';
    return arena_printf(a, "/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=%s-%s", policy_organization(d, a, e->smtp), hex, name);
}

/* --- rows ----------------------------------------------------------------------------------------------------------------------------------- */

static ec_t next_change(struct directory *d, uint64_t *change)
{
    bool row;
    sqlite3_stmt *q = q_begin(d, "UPDATE setting SET value=value+1 WHERE key='book_version' RETURNING value");
    if (q == NULL)
        return EC(ecDiskError);
    ec_t ec = q_row(q, &row);
    *change = row ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
    while (ec == ecNone && row)
        ec = q_row(q, &row);
    q_end(d, q);
    return ec;
}

/* By the domain of its address; what has none, by its DN.  Who is nowhere belongs to the first. */
static ec_t find_org(struct directory *d, struct arena *a, const struct entry *e, uint32_t *org)
{
    const char *at = strrchr(e->smtp, '@');
    const char *name = strncasecmp(e->dn, "/o=", 3) == 0 ? arena_str(a, blob_of(e->dn + 3, strcspn(e->dn + 3, "/"))) : "";
    bool row;
    sqlite3_stmt *q = q_begin(d, at != NULL ? "SELECT organization FROM domain WHERE domain=?1" : "SELECT row FROM organization WHERE name=?1");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, at != NULL ? at + 1 : name);
    ec_t ec = q_row(q, &row);
    *org = row ? (uint32_t)sqlite3_column_int(q, 0) : 1;
    q_end(d, q);
    return ec;
}

static void bind_entry(sqlite3_stmt *q, struct arena *a, const struct entry *e)
{
    struct wr   w = wr_in(a, PROPS_MAX);
    const char *at = strrchr(e->smtp, '@');
    struct blob phonetic = props_str(&e->props, PidTagAddressBookPhoneticDisplayName);
    props_pack(&w, &e->props);
    sqlite3_bind_int64(q, 1, e->row);
    sqlite3_bind_int(q, 2, (int)e->kind);
    sqlite3_bind_int(q, 3, e->hidden);
    q_text(q, 4, e->dn);
    q_text(q, 5, e->display_name);
    sqlite3_bind_text(q, 6, phonetic.n != 0 ? (const char *)phonetic.p : "", (int)phonetic.n, SQLITE_TRANSIENT);
    q_text(q, 7, e->smtp);
    q_text(q, 8, at != NULL ? at + 1 : "");
    sqlite3_bind_int64(q, 9, e->org);
    q_text(q, 10, e->filter);
    q_text(q, 11, e->source);
    q_text(q, 12, e->external);
    sqlite3_bind_int64(q, 13, (int64_t)e->change);
    sqlite3_bind_blob(q, 14, w.p, (int)w.n, SQLITE_TRANSIENT);
}

static ec_t insert_row(struct directory *d, struct arena *a, struct entry *e)
{
    sqlite3_stmt *q = q_begin(d, "INSERT INTO entry(row, kind, hidden, dn, display_name, phonetic, smtp, domain, org, filter, source, external, change, props)"
                                 " VALUES(nullif(?1, 0),?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)");
    if (q == NULL)
        return EC(ecDiskError);
    bind_entry(q, a, e);
    TRY(q_done(d, q));
    e->row = sqlite3_last_insert_rowid(d->db);
    return ecNone;
}

static ec_t update_row(struct directory *d, struct arena *a, const struct entry *e)
{
    sqlite3_stmt *q = q_begin(d, "UPDATE entry SET kind=?2, hidden=?3, dn=?4, display_name=?5, phonetic=?6, smtp=?7, domain=?8, org=?9, filter=?10, source=?11,"
                                 " external=?12, change=?13, props=?14 WHERE row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    bind_entry(q, a, e);
    return q_done(d, q);
}

static ec_t write_proxy(struct directory *d, int64_t row, const char *address, const char *shown)
{
    sqlite3_stmt *q = q_begin(d, "INSERT INTO proxy VALUES(?1,?2,?3)");
    if (q == NULL)
        return EC(ecDiskError);
    q_text(q, 1, address);
    sqlite3_bind_int64(q, 2, row);
    q_text(q, 3, shown);
    return q_done(d, q);
}

/* SMTP addresses are found without their scheme. */
static const char *proxy_key(struct arena *a, const char *shown)
{
    return arena_lower(a, strncasecmp(shown, "smtp:", 5) == 0 ? shown + 5 : shown);
}

/* The primary address alone is written in capitals (MS-OXOABK 2.2.3.23). */
static const char *further(struct arena *a, const char *shown)
{
    return strncasecmp(shown, "smtp:", 5) == 0 ? arena_printf(a, "smtp:%s", shown + 5) : shown;
}

static ec_t write_proxies(struct directory *d, struct arena *a, const struct entry *e)
{
    sqlite3_stmt *q = q_begin(d, "DELETE FROM proxy WHERE entry=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, e->row);
    TRY(q_done(d, q));
    if (*e->smtp != '\0')
        TRY(write_proxy(d, e->row, e->smtp, arena_printf(a, "SMTP:%s", e->smtp)));
    for (size_t i = 0; i < e->proxies; i++) {
        const char *key = proxy_key(a, e->proxy[i]);
        bool again = strcasecmp(key, e->smtp) == 0;
        for (size_t k = 0; k < i && !again; k++)
            again = strcasecmp(key, proxy_key(a, e->proxy[k])) == 0;
        if (!again)
            TRY(write_proxy(d, e->row, key, further(a, e->proxy[i])));
    }
    return ecNone;
}

/* A user's names stand in `person` too, which answers who logs on and who gets mail. */
static ec_t mirror_person(struct directory *d, const struct entry *e)
{
    sqlite3_stmt *q = q_begin(d, "UPDATE person SET smtp=?2, dn=?3, display_name=?4, hidden=?5 WHERE row=?1");
    if (q == NULL)
        return EC(ecDiskError);
    sqlite3_bind_int64(q, 1, e->row);
    q_text(q, 2, e->smtp);
    q_text(q, 3, e->dn);
    q_text(q, 4, e->display_name);
    sqlite3_bind_int(q, 5, e->hidden);
    return q_done(d, q);
}

static ec_t write_around(struct directory *d, struct arena *a, const struct entry *e)
{
    TRY(write_proxies(d, a, e));
    return entry_words_write(d, a, e);
}

/* --- the contract --------------------------------------------------------------------------------------------------------------------------- */

ec_t entry_batch(struct directory *d) { return tx_begin(d); }
ec_t entry_batch_end(struct directory *d, ec_t ec) { return tx_end(d, ec); }

static ec_t add(struct directory *d, struct arena *a, struct entry *e)
{
    TRY(next_change(d, &e->change));
    if (e->dn == NULL || *e->dn == '\0')
        e->dn = make_dn(d, a, e);
    TRY(find_org(d, a, e, &e->org));
    TRY(insert_row(d, a, e));
    return write_around(d, a, e);
}

ec_t entry_add(struct directory *d, struct arena *a, struct entry *e)
{
    normalize(a, e);
    TRY(check(a, e));
    e->row = 0;
    TRY(tx_begin(d));
    return tx_end(d, add(d, a, e));
}

/* The DN that it had leads to it for ever (MS-OXNSPI R386). */
static void keep_old_dn(struct arena *a, struct entry *e, const struct entry *was)
{
    if (strcasecmp(was->dn, e->dn) == 0)
        return;
    const char **v = arena_array(a, const char *, e->proxies + 1);
    for (size_t i = 0; i < e->proxies; i++)
        v[i] = e->proxy[i];
    v[e->proxies] = arena_printf(a, "X500:%s", was->dn);
    e->proxy = v;
    e->proxies++;
}

static ec_t set(struct directory *d, struct arena *a, struct entry *e)
{
    struct entry was;
    TRY(entry_brief(d, a, e->row, &was));
    if (was.kind >= ENTRY_CONTAINER)
        return EC(ecInvalidParameter);
    if (e->dn == NULL || *e->dn == '\0')
        e->dn = was.dn;
    if (was.has_mailbox && (*e->smtp == '\0' || e->kind == ENTRY_CONTACT || entry_is_group(e->kind) || entry_is_structure(e->kind)))
        return EC(ecInvalidParameter);
    keep_old_dn(a, e, &was);
    TRY(next_change(d, &e->change));
    TRY(find_org(d, a, e, &e->org));
    TRY(update_row(d, a, e));
    TRY(mirror_person(d, e));
    return write_around(d, a, e);
}

ec_t entry_set(struct directory *d, struct arena *a, struct entry *e)
{
    normalize(a, e);
    TRY(check(a, e));
    TRY(tx_begin(d));
    return tx_end(d, set(d, a, e));
}

ec_t entry_remove(struct directory *d, int64_t row)
{
    TRY(tx_begin(d));
    sqlite3_stmt *q = q_begin(d, "DELETE FROM entry WHERE row=?1 AND kind<32");
    ec_t ec = q == NULL ? EC(ecDiskError) : ecNone;
    if (q != NULL) {
        sqlite3_bind_int64(q, 1, row);
        int rc = sqlite3_step(q);
        ec = rc != SQLITE_DONE ? EC(ecDiskError) : sqlite3_changes(d->db) == 0 ? EC(ecNotFound) : ecNone;
        q_end(d, q);
    }
    return tx_end(d, ec);
}
