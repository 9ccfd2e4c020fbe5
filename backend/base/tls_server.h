/* tls_server.h - the certificate file of a server (nginx), as far as its administrator must know it. */
#ifndef BASE_TLS_SERVER_H
#define BASE_TLS_SERVER_H
#include "backend/base/arena.h"

struct tls_server_cert;

/* The first certificate of a PEM file, in the arena.  NULL with *why. */
struct tls_server_cert *tls_server_read(struct arena *a, const char *path, const char **why);

bool    tls_server_covers(const struct tls_server_cert *c, const char *host);   /* as a client would check it: names, wildcards, addresses */
int64_t tls_server_not_before(const struct tls_server_cert *c);                 /* s since 1970 */
int64_t tls_server_not_after(const struct tls_server_cert *c);
#endif
