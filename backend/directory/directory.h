/* directory.h - who exists: users, their passwords, mailboxes, and the settings of the organization.
 *
 * One contract, with the own database (SQLite) as the source that exists today.  Thread-safe; strings live in the arena given. */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H
#include "backend/base/arena.h"
#include "backend/base/config.h"
#include "backend/base/err.h"
#include "backend/base/guid.h"

struct directory;

/* A user with a mailbox, or without (has_mailbox false). */
struct person {
    int64_t     row;           /* directory row id, never reused */
    const char *login;         /* canonical: lower-case user@domain */
    const char *smtp;          /* primary address */
    const char *dn;            /* legacyExchangeDN: /o=.../ou=.../cn=Recipients/cn=... */
    const char *display_name;
    bool        has_mailbox, disabled, hidden;
    struct guid mailbox;
    uint32_t    locale;
};

/* Opens, creating or migrating it; NULL with *why. */
struct directory *directory_open(const struct config *c, struct arena *a, const char **why);
void directory_close(struct directory *d);

/* Finds by login, by any address, by DN (case-insensitive), by mailbox GUID.  ecUnknownUser. */
ec_t directory_by_login(struct directory *d, struct arena *a, const char *name, struct person *out);   /* user@domain, DOMAIN\user, bare user */
ec_t directory_by_dn(struct directory *d, struct arena *a, const char *dn, struct person *out);
ec_t directory_by_address(struct directory *d, struct arena *a, const char *smtp, struct person *out);
ec_t directory_by_mailbox(struct directory *d, struct arena *a, const struct guid *mailbox, struct person *out);

/* Is this the password?  ecNone and the person; ecLoginFailure; ecUnknownUser: a source outside (config auth_passwords) says yes, but nobody here has that name;
 * ecServerBusy, ecDiskError: it cannot be told now.  Slow (a memory-hard hash, a directory server ...), and an unknown user costs as much as a wrong password.
 * What was verified is remembered as a keyed digest for auth_cache seconds (what a source outside said: auth_external_cache), so that a repeated login
 * costs microseconds; a wrong password is never remembered as right; a change of the own password and a disabled user count at once, in all processes.
 * `addr`: the client's, for the sources. */
ec_t directory_login(struct directory *d, struct arena *a, const char *name, const char *password, const char *addr, struct person *out);
/* The part of it that is quick: ecNone if remembered, ecNotFound if directory_login must be asked, ecDiskError. */
ec_t directory_login_quick(struct directory *d, struct arena *a, const char *name, const char *password, struct person *out);
/* The first word of a list like config auth_passwords that is no source; NULL: all are. */
const char *login_unknown(struct arena *a, const char *words);
/* The canonical form of what a client sends as a name: lower case, with a domain.  NULL: it cannot be a name. */
const char *directory_login_name(const struct directory *d, struct arena *a, const char *name);

/* Changes (mapictl). ecDuplicateObject / ecCollidingNames, ecUnknownUser, ecInvalidParameter. */
/* password NULL: none of our own, a source outside knows it. */
struct person_new { const char *login, *display_name, *password; uint32_t locale; bool with_mailbox; };
ec_t directory_add(struct directory *d, struct arena *a, const struct person_new *n, struct person *out);  /* gives DN and mailbox GUID */
ec_t directory_passwd(struct directory *d, const char *login, const char *password);
ec_t directory_remove(struct directory *d, const char *login);
ec_t directory_list(struct directory *d, struct arena *a, struct person **out, size_t *n);

/* May `who` log on to the mailbox of `whose`?  Full access granted by mapictl; folder permissions come on top in the store. */
ec_t directory_grant(struct directory *d, const char *owner_login, const char *delegate_login, bool full_access);
/* The mailboxes to which this person has full access besides his own, by login; disabled users are left out. */
ec_t directory_shared_with(struct directory *d, struct arena *a, const struct person *delegate, struct person **out, size_t *n);
ec_t directory_has_access(struct directory *d, const char *owner_dn, const char *delegate_dn, bool *full_access);

/* One GUID per installation (ServerGuid of the address book). */
ec_t directory_server_guid(struct directory *d, struct guid *out);
#endif
