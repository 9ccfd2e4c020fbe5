/* test_park.c - requests that wait without thread and arena: head, PENDING, answer, the end of a peer, and several at the same moment. */
#include "tests/unit.h"
#include "tests/unit/fcgi/peer.h"
#include "fcgi/conn.h"
#include "backend/base/filetime.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* One parked request as its service sees it. */
struct waiting { struct conn *conn; uint32_t ticket; atomic_uint parked, pending, gone; };

static struct waiting waiting[256];
static atomic_uint    count;

static struct waiting *wait_of(void *p) { return p; }
static void on_parked(void *p) { atomic_fetch_add(&wait_of(p)->parked, 1); }
static void on_pending(void *p) { atomic_fetch_add(&wait_of(p)->pending, 1); }
static void on_gone(void *p) { atomic_fetch_add(&wait_of(p)->gone, 1); }

static void serve(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large)
{
    (void)app, (void)too_large;
    struct blob answer = blob_str("plain");
    while (*params != NULL && strncmp(*params, "PARK", 4) != 0)
        params++;
    if (*params == NULL) {
        conn_answer(c, &answer, 1);
        return;
    }
    struct waiting *w = &waiting[atomic_fetch_add(&count, 1)];
    w->conn = c;
    w->ticket = conn_ticket(c);
    conn_park(c, blob_str(arena_printf(a, "head%.*s|", (int)body.n, (const char *)body.p)), w);
}

static const struct conn_service service = { NULL, serve, on_parked, on_pending, on_gone };

static bool becomes(atomic_uint *v, unsigned want)
{
    for (int i = 0; i < 5000 && atomic_load(v) < want; i++)
        usleep(1000);
    return atomic_load(v) >= want;
}

static void begin(struct rig *r, uint64_t period)
{
    for (unsigned i = 0; i < atomic_load(&count); i++)
        waiting[i] = (struct waiting){ 0 };
    atomic_store(&count, 0);
    rig_start(r, 2, &service);
    r->config->pending_period = period;
}

#define PARAMS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct waiting *park(struct rig *r, int fd, const char *body)
{
    unsigned i = atomic_load(&count);
    REQUIRE(peer_send(fd, peer_request(r->a, true, PARAMS("PARK=1"), blob_str(body))));
    REQUIRE(becomes(&count, i + 1));
    REQUIRE(becomes(&waiting[i].parked, 1));
    return &waiting[i];
}

/* Content of the next record within ms; NULL: none came. */
static const char *record(struct rig *r, int fd, int ms)
{
    uint8_t head[8];
    struct pollfd p = { fd, POLLIN, 0 };
    if (poll(&p, 1, ms) != 1 || recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head)
        return NULL;
    size_t n = (size_t)head[4] << 8 | head[5];
    char *text = arena_alloc(r->a, n + 1);
    return n == 0 || recv(fd, text, n, MSG_WAITALL) == (ssize_t)n ? text : NULL;
}

static bool answer(struct waiting *w, const char *text)
{
    struct blob piece = blob_str(text);
    return conn_unpark(w->conn, w->ticket, &piece, 1);
}

TEST(head_pending_answer)
{
    struct rig r;
    struct blob out;
    begin(&r, 50);
    int fd = peer_connect(&r);
    for (unsigned i = 0; i < 3; i++) {                    /* on the same connection */
        struct waiting *w = park(&r, fd, "er");
        CHECK_STR(record(&r, fd, 1000), "header|");
        CHECK_STR(record(&r, fd, 1000), "PENDING\r\n");
        CHECK_STR(record(&r, fd, 1000), "PENDING\r\n");
        CHECK(becomes(&w->pending, 2));
        CHECK(answer(w, "done"));
        REQUIRE(peer_answer(r.a, fd, 1000, &out));
        CHECK(out.n >= 4 && memcmp(out.p + out.n - 4, "done", 4) == 0);
        CHECK(!answer(w, "again"));
        CHECK_INT(atomic_load(&w->gone), 0);
        REQUIRE(peer_send(fd, peer_request(r.a, true, PARAMS("X=1"), blob_of(NULL, 0))));
        REQUIRE(peer_answer(r.a, fd, 1000, &out));
        CHECK_BLOB(out, blob_str("plain"));
    }
    close(fd);
    rig_stop(&r);
}

TEST(the_end_of_a_peer)
{
    struct rig r;
    begin(&r, 60000);
    int fd = peer_connect(&r), other = peer_connect(&r);
    struct waiting *w = park(&r, fd, ""), *stays = park(&r, other, "");
    close(fd);
    CHECK(becomes(&w->gone, 1));
    CHECK(!answer(w, "nobody"));
    for (int i = 0; i < 1000 && conn_open(r.front) != 1; i++)
        usleep(1000);
    CHECK_INT(conn_open(r.front), 1);
    CHECK_INT(atomic_load(&stays->gone), 0);
    CHECK(answer(stays, "x"));
    close(other);
    rig_stop(&r);
}

/* A peer that does not read costs nobody anything: the lines that do not fit are left out, the answer waits for room. */
TEST(a_peer_that_does_not_read)
{
    struct rig r;
    struct blob out = { NULL, 0 };
    begin(&r, 10);
    int fd = peer_connect(&r), small = 2304, other = peer_connect(&r);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct waiting *w = park(&r, fd, ""), *quick = park(&r, other, "");
    char *large = arena_alloc(r.a, 400001);
    memset(large, 'x', 400000);
    CHECK(becomes(&w->pending, 20) && becomes(&quick->pending, 20));
    CHECK(answer(w, large));                              /* does not block */
    CHECK(answer(quick, "y"));
    REQUIRE(peer_answer(r.a, fd, 3000, &out));
    CHECK(out.n > 400000 && memcmp(out.p, "head|", 5) == 0 && out.p[out.n - 1] == 'x');
    close(fd);
    close(other);
    rig_stop(&r);
}

struct race { struct waiting *w; bool told; };

static void *answerer(void *p)
{
    struct race *x = p;
    x->told = answer(x->w, "late");
    return NULL;
}

/* The answer and the end of the peer at once: exactly one of them has it. */
TEST(answer_and_end_at_once)
{
    struct rig r;
    begin(&r, 5);
    for (unsigned i = 0; i < 200; i++) {
        int fd = peer_connect(&r);
        struct race x = { park(&r, fd, ""), false };
        pthread_t t;
        REQUIRE(pthread_create(&t, NULL, answerer, &x) == 0);
        if (i % 3 == 0)
            usleep(i % 50);
        close(fd);
        pthread_join(t, NULL);
        if (!x.told)
            CHECK(becomes(&x.w->gone, 1));
        CHECK_INT(atomic_load(&x.w->gone), !x.told);
    }
    for (int i = 0; i < 2000 && conn_open(r.front) != 0; i++)
        usleep(1000);
    CHECK_INT(conn_open(r.front), 0);
    CHECK_INT(conn_busy(r.front), 0);
    rig_stop(&r);
}
