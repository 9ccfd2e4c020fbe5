/* tls.c - connecting, and bytes through OpenSSL or straight through the socket. */
#include "backend/base/tls.h"
#include "backend/base/must.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls { int fd; SSL_CTX *ctx; SSL *ssl; };

static void set_timeouts(int fd, unsigned ms)
{
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000 };
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int dial(const struct tls_options *o, struct arena *a, const char **why)
{
    struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *list = NULL;
    char port[16];
    snprintf(port, sizeof port, "%u", o->port);
    int rc = getaddrinfo(o->host, port, &hint, &list), fd = -1;
    if (rc != 0) {
        *why = arena_printf(a, "%s: %s", o->host, gai_strerror(rc));
        return -1;
    }
    for (struct addrinfo *p = list; p != NULL && fd < 0; p = p->ai_next) {
        fd = socket(p->ai_family, p->ai_socktype | SOCK_CLOEXEC, p->ai_protocol);
        if (fd < 0)
            continue;
        set_timeouts(fd, o->timeout_ms);
        if (connect(fd, p->ai_addr, p->ai_addrlen) != 0) {
            *why = arena_printf(a, "%s port %s: %s", o->host, port, strerror(errno));
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static bool handshake(struct tls *t, const struct tls_options *o)
{
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (t->ctx == NULL || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
        return false;
    if (o->verify) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        int loaded = o->ca_file != NULL ? SSL_CTX_load_verify_locations(t->ctx, o->ca_file, NULL) : SSL_CTX_set_default_verify_paths(t->ctx);
        if (loaded != 1)
            return false;
    }
    if (o->cert_file != NULL && (SSL_CTX_use_certificate_chain_file(t->ctx, o->cert_file) != 1 || SSL_CTX_use_PrivateKey_file(t->ctx, o->key_file, SSL_FILETYPE_PEM) != 1))
        return false;
    t->ssl = SSL_new(t->ctx);
    return t->ssl != NULL && SSL_set_fd(t->ssl, t->fd) == 1 && SSL_set_tlsext_host_name(t->ssl, o->host) == 1
        && (!o->verify || SSL_set1_host(t->ssl, o->host) == 1) && SSL_connect(t->ssl) == 1;
}

struct tls *tls_connect(const struct tls_options *o, struct arena *a, const char **why)
{
    *why = "cannot connect";
    int fd = dial(o, a, why);
    if (fd < 0)
        return NULL;
    struct tls *t = calloc(1, sizeof *t);
    must(t != NULL);
    t->fd = fd;
    if (o->secure && !handshake(t, o)) {
        char text[200];
        ERR_error_string_n(ERR_get_error(), text, sizeof text);
        *why = arena_printf(a, "%s port %u: TLS: %s", o->host, o->port, text);
        tls_close(t);
        return NULL;
    }
    return t;
}

ssize_t tls_read(struct tls *t, void *p, size_t n)
{
    if (t->ssl == NULL) {
        ssize_t got;
        do
            got = recv(t->fd, p, n, 0);
        while (got < 0 && errno == EINTR);
        return got;
    }
    int got = SSL_read(t->ssl, p, n > 1 << 20 ? 1 << 20 : (int)n);
    return got > 0 ? got : SSL_get_error(t->ssl, got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

bool tls_write(struct tls *t, const void *p, size_t n)
{
    const uint8_t *b = p;
    while (n > 0) {
        ssize_t put = t->ssl != NULL ? SSL_write(t->ssl, b, n > 1 << 20 ? 1 << 20 : (int)n) : send(t->fd, b, n, MSG_NOSIGNAL);
        if (put <= 0) {
            if (t->ssl == NULL && errno == EINTR)
                continue;
            return false;
        }
        b += put;
        n -= (size_t)put;
    }
    return true;
}

int tls_fd(const struct tls *t) { return t->fd; }

void tls_close(struct tls *t)
{
    if (t == NULL)
        return;
    if (t->ssl != NULL) {
        SSL_shutdown(t->ssl);
        SSL_free(t->ssl);
    }
    SSL_CTX_free(t->ctx);
    close(t->fd);
    free(t);
}
