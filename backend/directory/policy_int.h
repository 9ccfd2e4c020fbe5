/* policy_int.h - the snapshot of all policies, for the files of this room that answer from it. */
#ifndef DIRECTORY_POLICY_INT_H
#define DIRECTORY_POLICY_INT_H
#include "backend/directory/directory_int.h"
#include "backend/directory/policy.h"

struct org_row { int64_t row; const char *name; bool mapi_http; uint64_t retention_s; };
struct domain_row { const char *domain; size_t org; };
struct person_row { int64_t row; enum tristate mapi_http; bool block_external; uint64_t retention_s; };

/* In an arena of its own, replaced as a whole.  org[0] is the configuration's; domains are sorted by name, persons (those with a setting) by row. */
struct policies {
    struct arena      *a;
    int64_t            data_version, version;
    struct org_row    *org;    size_t orgs;
    struct domain_row *domain; size_t domains;
    struct person_row *person; size_t persons;
    struct moved      *moved;  size_t moved_n;
    struct vdir        vdir;
    unsigned           layout;
};

/* Locks the directory and gives the snapshot as it is now; NULL (not locked): the directory cannot be read.  End with policies_done. */
struct policies *policies_begin(struct directory *d);
void policies_done(struct directory *d);

/* One change by a statement with these values (text, or numbers where text is NULL): ecNone, ecNotFound if no row changed, ecCollidingNames. The next
 * question is answered from a new snapshot. */
struct bound { const char *text; int64_t number; bool null; };
ec_t policies_change(struct directory *d, const char *sql, const struct bound *v, size_t n);

/* Position of the organization that has the domain of this address. */
size_t policies_org_of(const struct policies *s, const char *address);

/* "example.com": letters, digits, hyphens, dots and what is not ASCII; *out is its lower case in `a`. */
bool policies_domain(struct arena *a, const char *text, const char **out);
/* "https://host[:port][/path]" without query and fragment. */
bool policies_https(const char *url);
#endif
