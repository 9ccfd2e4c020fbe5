/* slapd.h - a real LDAP server on a free loopback port, with its own configuration and database. */
#ifndef FLOW_SLAPD_H
#define FLOW_SLAPD_H
#include "backend/base/arena.h"
#include <sys/types.h>

struct slapd { struct arena *a; const char *dir; unsigned port; pid_t pid; };

/* Starts one with this LDIF under dc=example,dc=com (rootdn cn=admin,dc=example,dc=com, password "admin"), whom `access` lines of slapd.conf let read (NULL:
 * anybody), with StartTLS by a certificate of its own (dir/crt, for 127.0.0.1).  Skips the test if there is no slapd. */
void slapd_start(struct slapd *l, struct arena *a, const char *ldif, const char *access);
void slapd_certificate(struct slapd *l);               /* another one into dir/crt */
void slapd_run(struct slapd *l);                       /* again, after slapd_end */
void slapd_end(struct slapd *l);
void slapd_modify(struct slapd *l, const char *ldif);  /* changes, as for ldapmodify */
#endif
