/* client.h - which client is it, and does it speak MAPI over HTTP?  The support matrix of the articles as data. */
#ifndef SESSION_CLIENT_H
#define SESSION_CLIENT_H
#include "backend/base/blob.h"

enum client_way { CLIENT_MAPI, CLIENT_ANYWHERE, CLIENT_RPC, CLIENT_OTHER };
const char *client_way_words(enum client_way w);

enum { CLIENT_SERVERS = 5 };
extern const char *const client_servers[CLIENT_SERVERS];   /* "Exchange 2019" ... */

struct client {
    const char     *program;
    uint16_t        least[4];        /* version from which this row counts */
    const char     *product;
    enum client_way way[CLIENT_SERVERS];
};
extern const struct client client_table[];
extern const size_t        client_count;

/* The row for an X-ClientApplication ("Outlook/16.0.4266.1001") or a User-Agent that names a program with its version anywhere ("Microsoft Office/16.0
 * (Windows NT 10.0; Microsoft Outlook 16.0.4266; Pro)").  NULL: no client of the table.  `version` (may be NULL) gets what was read. */
const struct client *client_find(const char *text, uint16_t version[4]);

/* Does it speak MAPI over HTTP with this server? */
bool client_speaks(const struct client *c);
#endif
