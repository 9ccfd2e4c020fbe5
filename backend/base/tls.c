/* tls.c - connecting, and bytes through OpenSSL or straight through the socket.  The socket never blocks: whatever would, waits in await(). */
#include "backend/base/tls.h"
#include "backend/base/filetime.h"
#include "backend/base/must.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls { int fd; unsigned timeout_ms; uint64_t deadline; SSL_CTX *ctx; SSL *ssl; };

/* --- time ------------------------------------------------------------------------------------------------------------------------------ */

/* When an operation that begins now has to end; 0: never. */
static uint64_t until(unsigned timeout_ms, uint64_t deadline)
{
    uint64_t own = timeout_ms != 0 ? clock_ms() + timeout_ms : 0;
    return own == 0 || (deadline != 0 && deadline < own) ? deadline : own;
}

static int left(uint64_t end)
{
    uint64_t now = clock_ms();
    return end == 0 ? -1 : end <= now ? 0 : end - now > 3600000 ? 3600000 : (int)(end - now);
}

static bool await(int fd, short events, uint64_t end)
{
    struct pollfd p = { .fd = fd, .events = events };
    int rc;
    do
        rc = poll(&p, 1, left(end));
    while (rc < 0 && errno == EINTR);
    return rc > 0;
}

/* --- finding and dialling ---------------------------------------------------------------------------------------------------------------- */

struct lookup { struct gaicb job; struct addrinfo hint; char host[256], port[16]; };

/* The resolver has times of its own, so it runs beside; one that does not come back in time is left behind with its request. */
static int look_up_until(const struct tls_options *o, const char *port, struct addrinfo **list)
{
    struct lookup *l = calloc(1, sizeof *l);
    must(l != NULL);
    snprintf(l->host, sizeof l->host, "%s", o->host);
    snprintf(l->port, sizeof l->port, "%s", port);
    l->hint.ai_socktype = SOCK_STREAM;
    l->job = (struct gaicb){ .ar_name = l->host, .ar_service = l->port, .ar_request = &l->hint };
    struct gaicb *jobs[1] = { &l->job };
    int rc = getaddrinfo_a(GAI_NOWAIT, jobs, 1, NULL);
    for (int ms; rc == 0 && (rc = gai_error(&l->job)) == EAI_INPROGRESS && (ms = left(o->deadline)) > 0; rc = 0) {
        struct timespec some = { ms / 1000, (long)(ms % 1000) * 1000000 };
        gai_suspend((const struct gaicb *const *)jobs, 1, &some);
    }
    *list = l->job.ar_result;
    if (rc != EAI_INPROGRESS || gai_cancel(&l->job) == EAI_CANCELED)
        free(l);
    return rc;
}

static int look_up(const struct tls_options *o, const char *port, struct addrinfo **list)
{
    struct addrinfo hint = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    if (getaddrinfo(o->host, port, &hint, list) == 0)
        return 0;
    hint.ai_flags = 0;
    return o->deadline != 0 ? look_up_until(o, port, list) : getaddrinfo(o->host, port, &hint, list);
}

static bool connected(int fd, const struct addrinfo *to, uint64_t end)
{
    int failed = 0;
    socklen_t n = sizeof failed;
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return true;
    if (errno != EINPROGRESS && errno != EINTR)
        return false;
    if (!await(fd, POLLOUT, end))
        failed = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0)
        failed = errno;
    errno = failed;
    return failed == 0;
}

static int dial(const struct tls_options *o, struct arena *a, const char **why)
{
    struct addrinfo *list = NULL;
    char port[16];
    snprintf(port, sizeof port, "%u", o->port);
    int rc = look_up(o, port, &list), fd = -1, one = 1;
    if (rc != 0) {
        *why = arena_printf(a, "%s: DNS: %s", o->host, rc == EAI_INPROGRESS ? "no answer in time" : gai_strerror(rc));
        return -1;
    }
    for (struct addrinfo *p = list; p != NULL && fd < 0; p = p->ai_next) {
        fd = socket(p->ai_family, p->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, p->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (!connected(fd, p, until(o->timeout_ms, o->deadline))) {
            *why = arena_printf(a, "%s port %s: %s", o->host, port, strerror(errno));
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

/* --- TLS --------------------------------------------------------------------------------------------------------------------------------- */

/* After an operation of OpenSSL: is it to be tried again, once the socket is ready? */
static bool again(struct tls *t, int rc, uint64_t end)
{
    int e = SSL_get_error(t->ssl, rc);
    return (e == SSL_ERROR_WANT_READ && await(t->fd, POLLIN, end)) || (e == SSL_ERROR_WANT_WRITE && await(t->fd, POLLOUT, end));
}

static bool shake_hands(struct tls *t, const struct tls_options *o)
{
    uint64_t end = until(o->timeout_ms, o->deadline);
    int rc;
    ERR_clear_error();
    while ((rc = SSL_connect(t->ssl)) != 1)
        if (!again(t, rc, end))
            return false;
    return true;
}

static const char *prepare(struct tls *t, const struct tls_options *o)
{
    t->ctx = SSL_CTX_new(TLS_client_method());
    if (t->ctx == NULL || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1)
        return "TLS cannot be set up";
    if (o->verify) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        int loaded = o->ca_file != NULL ? SSL_CTX_load_verify_locations(t->ctx, o->ca_file, NULL) : SSL_CTX_set_default_verify_paths(t->ctx);
        if (loaded != 1)
            return "the CA certificates cannot be read";
    }
    if (o->cert_file != NULL && (SSL_CTX_use_certificate_chain_file(t->ctx, o->cert_file) != 1 || SSL_CTX_use_PrivateKey_file(t->ctx, o->key_file, SSL_FILETYPE_PEM) != 1))
        return "the client certificate or its key cannot be read";
    t->ssl = SSL_new(t->ctx);
    return t->ssl != NULL && SSL_set_fd(t->ssl, t->fd) == 1 && SSL_set_tlsext_host_name(t->ssl, o->host) == 1 && (!o->verify || SSL_set1_host(t->ssl, o->host) == 1)
         ? NULL : "TLS cannot be set up";
}

static const char *reason(const struct tls *t, struct arena *a)
{
    long bad = SSL_get_verify_result(t->ssl);
    unsigned long e = ERR_get_error();
    if (bad != X509_V_OK)
        return arena_printf(a, "certificate: %s", X509_verify_cert_error_string(bad));
    if (e == 0)
        return "no handshake: the server is silent or closed the connection";
    const char *words = ERR_reason_error_string(e);
    return words != NULL ? words : "no handshake";
}

struct tls *tls_connect(const struct tls_options *o, struct arena *a, const char **why)
{
    *why = "cannot connect";
    int fd = dial(o, a, why);
    if (fd < 0)
        return NULL;
    struct tls *t = calloc(1, sizeof *t);
    must(t != NULL);
    *t = (struct tls){ .fd = fd, .timeout_ms = o->timeout_ms, .deadline = o->deadline };
    const char *wrong = o->secure ? prepare(t, o) : NULL;
    if (o->secure && wrong == NULL && !shake_hands(t, o))
        wrong = reason(t, a);
    if (wrong == NULL)
        return t;
    *why = arena_printf(a, "%s port %u: TLS: %s", o->host, o->port, wrong);
    tls_close(t);
    return NULL;
}

/* --- bytes ------------------------------------------------------------------------------------------------------------------------------- */

static int at_once(size_t n) { return n > 1 << 20 ? 1 << 20 : (int)n; }

ssize_t tls_read(struct tls *t, void *p, size_t n)
{
    uint64_t end = until(t->timeout_ms, t->deadline);
    for (;;) {
        ERR_clear_error();
        ssize_t got = t->ssl != NULL ? SSL_read(t->ssl, p, at_once(n)) : recv(t->fd, p, n, 0);
        if (got > 0 || (got == 0 && t->ssl == NULL))
            return got;
        if (t->ssl != NULL ? again(t, (int)got, end) : errno == EINTR || (errno == EAGAIN && await(t->fd, POLLIN, end)))
            continue;
        return t->ssl != NULL && SSL_get_error(t->ssl, (int)got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
}

bool tls_write(struct tls *t, const void *p, size_t n)
{
    uint64_t end = until(t->timeout_ms, t->deadline);
    const uint8_t *b = p;
    while (n > 0) {
        ERR_clear_error();
        ssize_t put = t->ssl != NULL ? SSL_write(t->ssl, b, at_once(n)) : send(t->fd, b, n, MSG_NOSIGNAL);
        if (put > 0) {
            b += put;
            n -= (size_t)put;
        } else if (!(t->ssl != NULL ? again(t, (int)put, end) : errno == EINTR || (errno == EAGAIN && await(t->fd, POLLOUT, end))))
            return false;
    }
    return true;
}

int tls_fd(const struct tls *t) { return t->fd; }

void tls_deadline(struct tls *t, uint64_t at) { t->deadline = at; }

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
