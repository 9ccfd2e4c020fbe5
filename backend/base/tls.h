/* tls.h - a client's byte stream over TCP, plain or TLS: for probes and, later, for what the server sends out. */
#ifndef BASE_TLS_H
#define BASE_TLS_H
#include "backend/base/arena.h"
#include <sys/types.h>

struct tls;                     /* one connection */

struct tls_options {
    const char *host;           /* name or address */
    unsigned    port;
    bool        secure;         /* TLS 1.2 or newer */
    bool        verify;         /* certificate and name are checked; ca_file NULL: the system's */
    const char *ca_file;
    const char *cert_file, *key_file;  /* the client's own certificate (PEM), or NULL */
    unsigned    timeout_ms;     /* for connecting and for each read and write; 0: none */
    uint64_t    deadline;       /* by clock_ms(): finding the address, connecting, reading and writing end by then, however slowly the peer drips; 0: none */
};

/* NULL with *why in `a`.  Not tied to the arena: end it with tls_close. */
struct tls *tls_connect(const struct tls_options *o, struct arena *a, const char **why);
/* Bytes read (0: the peer closed), or -1. */
ssize_t tls_read(struct tls *t, void *p, size_t n);
/* All or false. */
bool tls_write(struct tls *t, const void *p, size_t n);
/* Another deadline for what comes. */
void tls_deadline(struct tls *t, uint64_t at);
/* The socket (non-blocking), for shutdown() and poll() by tests. */
int tls_fd(const struct tls *t);
void tls_close(struct tls *t);
#endif
