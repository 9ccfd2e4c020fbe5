/* bookentry.h - objects of the address book as mapictl names, shows and spells them. */
#ifndef MAPICTL_BOOKENTRY_H
#define MAPICTL_BOOKENTRY_H
#include "backend/directory/book.h"
#include "backend/directory/source/attr.h"
#include "deploy/mapictl/ctl.h"

/* The object that an argument names: an address, a DN, a login, or a Minimal Entry ID (0x...).  False: told why. */
bool bookentry_find(struct ctl *c, const char *name, struct entry *out);

/* Says which kinds there are; CTL_FAILED. */
int bookentry_no_kind(struct ctl *c, const char *word);

/* One line of facts; all of it with properties and links. */
json_t *bookentry_brief(const struct entry *e);
json_t *bookentry_full(struct ctl *c, const struct entry *e);

/* Everything of an object as attributes and values, so that reading them again gives the same object. */
ec_t bookentry_record(struct ctl *c, const struct entry *e, struct record *out);

/* The names and meanings of installation and program; leaves on a bad book_ldap_map. */
struct attr_map *bookentry_map(struct ctl *c);
#endif
