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

/* ecNone and the person, or ecLoginFailure.  Verified results are remembered for auth_cache seconds as a keyed digest, so that a repeated login
 * costs microseconds; a wrong password is never remembered as right, a change of password voids what is remembered (in all processes, at the latest
 * after a second).  An unknown user costs as much as a wrong password.  *delay_ms: how long the caller waits before it answers a failure (grows
 * with the failures of that user and address, bounded). */
ec_t directory_login(struct directory *d, struct arena *a, const char *name, const char *password, const char *addr, struct person *out, uint64_t *delay_ms);

/* Changes (mapictl). ecDuplicateObject / ecCollidingNames, ecUnknownUser, ecInvalidParameter. */
struct person_new { const char *login, *display_name, *password; uint32_t locale; bool with_mailbox; };
ec_t directory_add(struct directory *d, struct arena *a, const struct person_new *n, struct person *out);  /* gives DN and mailbox GUID */
ec_t directory_passwd(struct directory *d, const char *login, const char *password);
ec_t directory_remove(struct directory *d, const char *login);
ec_t directory_list(struct directory *d, struct arena *a, struct person **out, size_t *n);

/* May `who` log on to the mailbox of `whose`?  Full access granted by mapictl; folder permissions come on top in the store. */
ec_t directory_grant(struct directory *d, const char *owner_login, const char *delegate_login, bool full_access);
ec_t directory_has_access(struct directory *d, const char *owner_dn, const char *delegate_dn, bool *full_access);

/* One GUID per installation (ServerGuid of the address book). */
ec_t directory_server_guid(struct directory *d, struct guid *out);
#endif
