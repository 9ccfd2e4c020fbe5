/* refresher.h - a quiet thread per process that brings the address book up to date with the directory server; one process of all takes each turn. */
#ifndef JOBS_REFRESHER_H
#define JOBS_REFRESHER_H
#include "backend/base/config.h"
#include "backend/directory/directory.h"

struct refresher;

/* NULL: the configuration names no server (book_ldap_base), or no thread is to be had. Both arguments outlive it. */
struct refresher *refresher_start(const struct config *c, struct directory *d);
/* Ends it after the page that it is reading. NULL is allowed. */
void refresher_stop(struct refresher *r);
#endif
