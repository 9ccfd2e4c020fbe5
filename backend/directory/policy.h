/* policy.h - what the administrator has decided for an organization, a mailbox and the two endpoints, while workers run.
 *
 * Every worker sees a change at its next request: the answers come from a snapshot in memory that is taken again when the database says that it changed
 * (PRAGMA data_version), so that asking costs about a microsecond.  Strings live in the arena given.  ecDiskError: the directory cannot be read. */
#ifndef DIRECTORY_POLICY_H
#define DIRECTORY_POLICY_H
#include "backend/directory/directory.h"

/* A switch that a mailbox may leave to its organization ("null" in the articles on MapiHttpEnabled). */
enum tristate { TRI_NULL = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

/* How long an idle session may be kept at least and at most, whoever says so [s]. */
enum { RETENTION_MIN_S = 60, RETENTION_MAX_S = 2592000 };

/* What holds for one person: the mailbox's own value, else the organization's, else the server's. */
struct policy {
    const char *organization;
    bool        mapi_http;       /* MapiHttpEnabled */
    bool        block_external;  /* MAPIBlockOutlookExternalConnectivity */
    uint64_t    retention_s;     /* 0: nobody set one, the configuration's session_retention counts */
};
ec_t policy_of(struct directory *d, struct arena *a, const struct person *p, struct policy *out);

/* Organizations: each has a name (o= of the DNs that it gives) and domains.  A person belongs to one everywhere, whatever name he logs on with: that of his object in
 * the address book (entry.h), which is the one that has the domain of his primary address, else the configuration's `organization`, which is the first and
 * always there (a new name of it keeps its settings).  A domain that comes to another organization takes its people along; so does a new primary address.
 * Names are compared without case.  retention_s 0: the server's. */
struct org {
    const char *name;
    const char **domain; size_t domains;
    bool        mapi_http;
    uint64_t    retention_s;
};
ec_t org_list(struct directory *d, struct arena *a, struct org **out, size_t *n);
ec_t org_get(struct directory *d, struct arena *a, const char *name, struct org *out);   /* ecNotFound, as all that name one */
ec_t org_of(struct directory *d, struct arena *a, const char *address, struct org *out); /* by the domain of an address */
/* Users whose login has the domain of another organization than theirs, by login: the first `most` of *n.  Until this was so, policies followed the login. */
ec_t org_by_login(struct directory *d, struct arena *a, size_t most, const char ***out, size_t *n);
/* Organizations do not know of each other; a mailbox that was shared with somebody is known to him. */
ec_t org_knows(struct directory *d, struct arena *a, const struct person *who, const struct person *whose, bool *yes);
ec_t org_add(struct directory *d, const char *name);                                     /* enabled; ecCollidingNames, ecInvalidParameter */
ec_t org_add_domain(struct directory *d, const char *name, const char *domain);          /* ecCollidingNames: it has one already; ecInvalidParameter */
ec_t org_drop_domain(struct directory *d, const char *name, const char *domain);         /* ecNotFound: it is not this one's */
ec_t org_set_mapi_http(struct directory *d, const char *name, bool on);
ec_t org_set_retention(struct directory *d, const char *name, uint64_t s);               /* 0: the server's; ecInvalidParameter outside the bounds */

/* Does the readiness check warn (WarnMapiHttpNotEnabled)?  The organizations for which MAPI over HTTP is off; none: no warning. */
ec_t org_not_enabled(struct directory *d, struct arena *a, const char ***out, size_t *n);

/* A mailbox's own settings; retention_s 0: its organization's.  ecUnknownUser; ecInvalidParameter: retention outside the bounds. */
struct mailbox_policy { enum tristate mapi_http; bool block_external; uint64_t retention_s; };
ec_t mailbox_policy_get(struct directory *d, const char *login, struct mailbox_policy *out);
ec_t mailbox_policy_set(struct directory *d, const char *login, const struct mailbox_policy *p);

/* The virtual directory: where clients reach the endpoints, and how they may authenticate there.  A method that is allowed is offered where the
 * configuration gives it what it needs (a keytab, keys of token issuers ...). */
enum auth_method { METHOD_BASIC = 1, METHOD_NEGOTIATE = 2, METHOD_OAUTH = 4, METHOD_CERTIFICATE = 8 };
struct vdir {
    const char *internal_url, *external_url;   /* "https://host/mapi"; "" = none.  The endpoints are /emsmdb/ and /nspi/ below it. */
    unsigned    internal_methods, external_methods; /* enum auth_method */
};
ec_t vdir_get(struct directory *d, struct arena *a, struct vdir *out);
ec_t vdir_methods(struct directory *d, bool external, unsigned *out);  /* the same for one side, without the strings */
ec_t vdir_set(struct directory *d, const struct vdir *v);       /* ecInvalidParameter: no https URL, no method */

/* Domains and addresses whose mailboxes are elsewhere: what Autodiscover answers for them.  One of url (another server's Autodiscover) and address (the
 * client asks again with this one; for a domain: with its local part there, so "address" is a domain then) is set, the other is "". */
struct moved { const char *name, *url, *address; };
ec_t moved_find(struct directory *d, struct arena *a, const char *address, struct moved *out);  /* the address itself, else its domain; ecNotFound */
ec_t moved_list(struct directory *d, struct arena *a, struct moved **out, size_t *n);
ec_t moved_set(struct directory *d, const struct moved *m);     /* ecInvalidParameter */
ec_t moved_drop(struct directory *d, const char *name);         /* ecNotFound */

/* The newest layout of context blocks (context.def) that this release knows.  Tests build a worker of another release by -DCONTEXT_LAYOUT=n. */
#ifndef CONTEXT_LAYOUT
#define CONTEXT_LAYOUT 2
#endif

/* Layout of the context blocks that all hosts write; raised when every host runs a release that reads it, never lowered.  A new installation starts with the
 * newest one of the program that makes its directory. */
ec_t policy_layout(struct directory *d, unsigned *layout);
ec_t policy_layout_raise(struct directory *d, unsigned layout);  /* ecInvalidParameter: lower than now */
#endif
