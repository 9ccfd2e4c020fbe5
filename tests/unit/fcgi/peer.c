/* peer.c - FastCGI from the web server's side, record by record. */
#include "tests/unit/fcgi/peer.h"
#include "tests/unit.h"
#include "backend/base/filetime.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void peer_nap(long ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL); }

static void *work(void *front)
{
    conn_work(front);
    return NULL;
}

void rig_start(struct rig *r, size_t threads, const struct conn_service *s)
{
    static unsigned number;
    const char *why = "";
    r->a = arena_new(SIZE_MAX);
    r->config = config_load(r->a, NULL, &why);
    REQUIRE(r->config != NULL);
    snprintf(r->path, sizeof r->path, "%s/%u.sock", unit_tmpdir(), ++number);
    r->config->listen = r->path;
    r->timers = timer_begin();
    r->front = conn_listen(r->config, r->timers, s, r->a, &why);
    REQUIRE(r->timers != NULL && r->front != NULL);
    r->threads = threads;
    pthread_t *t = arena_array(r->a, pthread_t, threads);
    for (size_t i = 0; i < threads; i++)
        REQUIRE(pthread_create(&t[i], NULL, work, r->front) == 0);
    r->thread = t;
}

void rig_stop(struct rig *r)
{
    conn_finish(r->front);
    for (size_t i = 0; i < r->threads; i++)
        pthread_join(((pthread_t *)r->thread)[i], NULL);
    timer_end(r->timers);
    conn_close_all(r->front);
    arena_free(r->a);
}

int peer_connect(const struct rig *r)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s", r->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void put_record(struct wr *w, uint8_t type, struct blob content)
{
    const uint8_t head[8] = { 1, type, 0, 1, (uint8_t)(content.n >> 8), (uint8_t)content.n, 0, 0 };
    wr_bytes(w, head, sizeof head);
    wr_put(w, content);
}

static void put_stream(struct wr *w, uint8_t type, struct blob all)
{
    for (size_t at = 0; at < all.n; ) {
        size_t n = all.n - at < 65535 ? all.n - at : 65535;
        put_record(w, type, blob_of(all.p + at, n));
        at += n;
    }
    put_record(w, type, blob_of(NULL, 0));
}

static void put_length(struct wr *w, size_t n)
{
    if (n < 128)
        wr_u8(w, (uint8_t)n);
    else
        for (int shift = 24; shift >= 0; shift -= 8)
            wr_u8(w, (uint8_t)(n >> shift | (shift == 24 ? 0x80 : 0)));
}

struct blob peer_request(struct arena *a, bool keep, const char *const *params, struct blob body)
{
    struct wr w = wr_in(a, SIZE_MAX / 4), p = wr_in(a, SIZE_MAX / 4);
    const uint8_t begin[8] = { 0, 1, keep, 0, 0, 0, 0, 0 };
    put_record(&w, 1, blob_of(begin, sizeof begin));
    for (; *params != NULL; params++) {
        const char *equals = strchr(*params, '=');
        put_length(&p, (size_t)(equals - *params));
        put_length(&p, strlen(equals + 1));
        wr_bytes(&p, *params, (size_t)(equals - *params));
        wr_bytes(&p, equals + 1, strlen(equals + 1));
    }
    put_stream(&w, 4, wr_blob(&p));
    put_stream(&w, 5, body);
    return wr_blob(&w);
}

bool peer_send(int fd, struct blob b)
{
    while (b.n != 0) {
        ssize_t n = send(fd, b.p, b.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        b = blob_of(b.p + n, b.n - (size_t)n);
    }
    return true;
}

static bool readable(int fd, uint64_t until)
{
    struct pollfd p = { fd, POLLIN, 0 };
    uint64_t now = clock_ms();
    return now < until && poll(&p, 1, (int)(until - now)) == 1;
}

static bool read_exactly(int fd, void *out, size_t n, uint64_t until)
{
    for (size_t at = 0; at < n; ) {
        if (!readable(fd, until))
            return false;
        ssize_t got = read(fd, (char *)out + at, n - at);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

bool peer_answer(struct arena *a, int fd, unsigned ms, struct blob *out)
{
    uint64_t until = clock_ms() + ms;
    struct wr w = wr_in(a, SIZE_MAX / 4);
    uint8_t head[8], content[65536];
    while (read_exactly(fd, head, 8, until)) {
        size_t n = (size_t)head[4] << 8 | head[5];
        if (!read_exactly(fd, content, n + head[6], until))
            return false;
        if (head[1] == 3) {
            *out = wr_blob(&w);
            return true;
        }
        if (head[1] == 6)
            wr_bytes(&w, content, n);
    }
    return false;
}

bool peer_closed(int fd, unsigned ms)
{
    char byte;
    return readable(fd, clock_ms() + ms) && recv(fd, &byte, 1, 0) <= 0;
}
