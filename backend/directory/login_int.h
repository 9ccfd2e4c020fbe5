/* login_int.h - where passwords are checked: the sources of config auth_passwords. */
#ifndef DIRECTORY_LOGIN_INT_H
#define DIRECTORY_LOGIN_INT_H
#include "backend/directory/directory_int.h"

enum answer {
    ANSWER_YES,
    ANSWER_NO,          /* wrong, or this source knows no such user */
    ANSWER_DOWN         /* it cannot tell now */
};

/* A question: `hash` is our own, NULL: no such person here; `login` canonical. */
struct question { struct directory *d; struct arena *a; const char *login, *password, *addr, *hash; };

enum answer login_own(const struct question *q);
enum answer login_ldap(const struct question *q);
enum answer login_pam(const struct question *q);

/* A template with %s (login), %u (its local part), %d (its domain), %% put together, each value passed through `escape`. */
const char *login_fill(struct arena *a, const char *template, const char *login, const char *(*escape)(struct arena *a, const char *value));

struct ldap_pool;
struct ldap_pool *login_ldap_new(const struct config *c);
void login_ldap_free(struct ldap_pool *p);
/* A new connection to a server that serves, bound as ldap_bind_dn, to be ended by ldap_unbind_ext_s; NULL (logged): none. */
struct ldap *login_ldap_connect(struct ldap_pool *p);
#endif
