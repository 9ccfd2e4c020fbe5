/* discover_int.h - what the pages share: reading the query, places of services. */
#ifndef DISCOVER_DISCOVER_INT_H
#define DISCOVER_DISCOVER_INT_H
#include "backend/base/xml.h"
#include "backend/directory/policy.h"
#include "session/discover/discover.h"

enum { DISCOVER_BODY_MOST = 65536, ADDRESS_MOST = 320 };

#define PAGE(path, below, authenticate, handler) void handler(const struct discover_call *c, struct discover_page *out);
#include "session/discover/discover.def"
#undef PAGE

/* A plain text with a reason. */
void discover_refuse(struct discover_page *out, int status, const char *words);
/* Value of a parameter of the query, decoded; NULL: absent, or what it decodes to is no text. */
const char *discover_parameter(const struct discover_call *c, const char *name);
/* Percent-decoded; NULL: malformed, a NUL, not UTF-8, or longer than `most`. */
const char *discover_decode(struct arena *a, struct blob text, size_t most, bool plus_is_blank);
/* user@domain, as far as one can see. */
bool discover_is_address(const char *text);

/* place.c: where a service is, seen from inside and from outside; "" = not offered there. */
struct place { const char *internal, *external; };
/* The virtual directory, with defaults: one URL of two counts for the inside; none at all is this server under the name that the client used. */
ec_t place_mapi(const struct discover_call *c, struct place *out);
/* Our offline address book of a person's organization, on the servers of the endpoints; none if it is switched off, or he has none. */
ec_t place_offline(const struct discover_call *c, const struct person *p, const struct place *mapi, struct place *out);
/* https://host of this server, as the client reaches it. */
const char *place_server(const struct discover_call *c);
/* "host:port" of a configured service taken apart; false: not configured, or no such thing. */
bool place_host_port(struct arena *a, const char *text, const char **host, unsigned *port);

/* pox_read.c: the request of MS-OXDSCLI 2.2.3.  False: no such request. */
struct pox_request { const char *address, *dn, *schema; };              /* NULL: absent */
bool pox_read(struct arena *a, struct blob body, struct pox_request *out);
#endif
