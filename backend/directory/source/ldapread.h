/* ldapread.h - the objects of a directory server (LDAP, Active Directory) -> records, a page at a time (RFC 2696).
 *
 * Server and credentials are those of password checks (config ldap_uris ...); what is read is config book_ldap_base, _filter, _page, _map.  Values that Active
 * Directory gives in ranges (member;range=0-1499) are fetched to their end. */
#ifndef SOURCE_LDAPREAD_H
#define SOURCE_LDAPREAD_H
#include "backend/base/config.h"
#include "backend/directory/source/attr.h"

struct ldapread {
    const struct config   *config;
    const struct attr_map *map;
    ec_t (*record)(void *ctx, const struct record *r);   /* r lives until the call returns */
    ec_t (*page)(void *ctx);                             /* behind each page, before the server is asked for the next */
    void  *ctx;
};
/* ecNone when all was read; what a call said; ecNetworkError with *why (in `a`): no server serves, or it refused. */
ec_t ldapread_all(struct arena *a, const struct ldapread *r, const char **why);

/* "member;range=0-1499" -> "member" and where the next range begins, 0: this was the last; an attribute without range: 0, its name without options. */
const char *ldapread_name(struct arena *a, const char *attribute, unsigned long *next);
#endif
