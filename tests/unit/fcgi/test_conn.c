/* Connections: whole and half requests, stalled and vanished peers, waiting without a thread, and what we rely on in libfcgi. */
#include "tests/unit.h"
#include "tests/unit/fcgi/peer.h"
#include "backend/base/filetime.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static atomic_uint served;

static const char *param(char **params, const char *name)
{
    for (; *params != NULL; params++)
        if (strncmp(*params, name, strlen(name)) == 0 && (*params)[strlen(name)] == '=')
            return *params + strlen(name) + 1;
    return "";
}

static unsigned long number(char **params, const char *name) { return strtoul(param(params, name), NULL, 10); }

static void early(const void *ctx, struct wr *w) { wr_bytes(w, ctx, strlen(ctx)); }

/* The peer has its answer before the worker has put the connection back. */
static bool busy_becomes(struct rig *r, unsigned n)
{
    for (int i = 0; i < 1000 && conn_busy(r->front) != n; i++)
        peer_nap(1);
    return conn_busy(r->front) == n;
}

/* What the parameters say: EARLY=ms promises a head, SLEEP=ms works, AFTER=ms delays, BIG=n answers with n bytes; else an echo. */
static void handler(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large)
{
    struct blob piece[3] = { blob_str(too_large ? "large" : "ok "), blob_str(arena_strdup(a, param(params, "NAME"))), body };
    size_t count = 0, big = number(params, "BIG");
    (void)app;
    while (params[count] != NULL)
        count++;
    if (*param(params, "EARLY") != '\0')
        conn_promise(c, clock_ms() + number(params, "EARLY"), early, "head|");
    if (*param(params, "SLEEP") != '\0')
        peer_nap((long)number(params, "SLEEP"));
    if (*param(params, "COUNT") != '\0')
        piece[1] = blob_str(arena_printf(a, "%zu", count));
    if (big != 0)
        piece[2] = blob_of(arena_alloc(a, big), big);
    if (conn_settle(c))
        piece[0] = blob_str("rest");
    atomic_fetch_add(&served, 1);
    if (*param(params, "AFTER") != '\0')
        conn_answer_after(c, piece, 3, number(params, "AFTER"));
    else
        conn_answer(c, piece, 3);
}

static const struct conn_service service = { .serve = handler };

#define PARAMS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *ask(struct rig *r, int fd, struct blob request, unsigned ms)
{
    struct blob out;
    return peer_send(fd, request) && peer_answer(r->a, fd, ms, &out) ? arena_str(r->a, out) : NULL;
}

TEST(requests_on_a_kept_connection)
{
    struct rig r;
    rig_start(&r, 2, &service);
    int fd = peer_connect(&r);
    for (int i = 0; i < 50; i++)
        CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n:", "X="), blob_str("body")), 5000), "ok n:body");
    CHECK_INT(conn_open(r.front), 1);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_of(NULL, 0)), 5000), "ok n");
    close(fd);
    rig_stop(&r);
}

TEST(without_keep_the_connection_ends)
{
    struct rig r;
    rig_start(&r, 1, &service);
    int fd = peer_connect(&r);
    uint64_t before = clock_ms();
    CHECK_STR(ask(&r, fd, peer_request(r.a, false, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    CHECK(peer_closed(fd, 5000));
    CHECK(clock_ms() - before < 1000); /* libfcgi would have waited for our side for up to 2 s */
    CHECK_INT(conn_open(r.front), 0);
    close(fd);
    rig_stop(&r);
}

TEST(bodies_of_all_sizes)
{
    static const size_t sizes[] = { 0, 1, 8183, 8184, 8185, 65535, 65536, 300000 };
    struct rig r;
    rig_start(&r, 1, &service);
    int fd = peer_connect(&r);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct blob out;
        uint8_t *body = arena_alloc(r.a, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            body[k] = (uint8_t)(k * 31 + k / 256);
        REQUIRE(peer_send(fd, peer_request(r.a, true, PARAMS("NAME="), blob_of(body, sizes[i]))));
        REQUIRE(peer_answer(r.a, fd, 5000, &out));
        CHECK_INT(out.n, sizes[i] + 3);
        CHECK(out.n == sizes[i] + 3 && memcmp(out.p + 3, body, sizes[i]) == 0);
    }
    close(fd);
    rig_stop(&r);
}

TEST(a_body_that_is_too_large_is_read_to_its_end)
{
    struct rig r;
    rig_start(&r, 1, &service);
    r.config->request_max = 1000;
    int fd = peer_connect(&r);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_of(arena_alloc(r.a, 100000), 100000)), 5000), "largen");
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    close(fd);
    rig_stop(&r);
}

TEST(parameters_beyond_what_is_peeked)
{
    struct rig r;
    rig_start(&r, 1, &service);
    int fd = peer_connect(&r);
    char *large = arena_alloc(r.a, 60001);
    memset(large, 'x', 60000);
    memcpy(large, "LARGE=", 6);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS(large, "COUNT=1", "A=b"), blob_str("!")), 5000), "ok 4!"); /* libfcgi adds FCGI_ROLE */
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    close(fd);
    rig_stop(&r);
}

/* One worker thread, many peers that stop within their parameters: others are served meanwhile, the stalled ones end. */
TEST(half_parameters_hold_nobody)
{
    enum { N = 8 };
    struct rig r;
    int stalled[N];
    rig_start(&r, 1, &service);
    struct blob request = peer_request(r.a, true, PARAMS("NAME=n", "A=bbbbbbbbbbbbbbbbbbbb"), blob_str("b"));
    for (size_t i = 0; i < N; i++) {
        stalled[i] = peer_connect(&r);
        REQUIRE(peer_send(stalled[i], blob_of(request.p, i * 7 + 1)));
    }
    peer_nap(50);
    int fd = peer_connect(&r);
    uint64_t before = clock_ms();
    CHECK_STR(ask(&r, fd, request, 5000), "ok nb");
    CHECK(clock_ms() - before < 500);
    REQUIRE(peer_send(stalled[0], blob_of(request.p + 1, request.n - 1))); /* this one was only slow */
    struct blob out;
    CHECK(peer_answer(r.a, stalled[0], 5000, &out));
    for (size_t i = 1; i < N; i++)
        CHECK(peer_closed(stalled[i], 3000));
    for (size_t i = 0; i < N; i++)
        close(stalled[i]);
    close(fd);
    rig_stop(&r);
}

TEST(byte_by_byte)
{
    struct rig r;
    rig_start(&r, 1, &service);
    struct blob request = peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), out;
    int fd = peer_connect(&r);
    for (size_t i = 0; i < request.n; i++) {
        REQUIRE(peer_send(fd, blob_of(request.p + i, 1)));
        peer_nap(2);
    }
    CHECK(peer_answer(r.a, fd, 5000, &out));
    close(fd);
    rig_stop(&r);
}

/* libfcgi returns such a request as complete, its parameters cut; only the error of its stream tells. */
TEST(a_stall_between_two_large_parameters_is_not_served)
{
    struct rig r;
    rig_start(&r, 1, &service);
    unsigned before = atomic_load(&served);
    char *large = arena_alloc(r.a, 20001);
    memset(large, 'x', 20000);
    memcpy(large, "LARGE=", 6);
    struct blob request = peer_request(r.a, true, PARAMS(large, "NAME=n"), blob_str("b"));
    int fd = peer_connect(&r);
    /* BEGIN 16, PARAMS head 8, lengths 1 + 4, LARGE 5, value 19994: the boundary of a name-value pair */
    REQUIRE(peer_send(fd, blob_of(request.p, 16 + 8 + 1 + 4 + 5 + 19994)));
    CHECK(peer_closed(fd, 4000));
    CHECK_INT(atomic_load(&served), before);
    close(fd);
    rig_stop(&r);
}

TEST(a_stall_within_the_body_is_not_served)
{
    struct rig r;
    rig_start(&r, 2, &service);
    unsigned before = atomic_load(&served);
    struct blob request = peer_request(r.a, true, PARAMS("NAME=n"), blob_of(arena_alloc(r.a, 5000), 5000));
    int fd = peer_connect(&r), gone = peer_connect(&r);
    REQUIRE(peer_send(fd, blob_of(request.p, request.n - 1000)));
    REQUIRE(peer_send(gone, blob_of(request.p, request.n - 1000)));
    close(gone);
    CHECK(peer_closed(fd, 4000));
    CHECK_INT(atomic_load(&served), before);
    close(fd);
    CHECK(busy_becomes(&r, 0));
    rig_stop(&r);
}

TEST(nonsense_ends_the_connection)
{
    static const char *const nonsense[] = {
        "GET / HTTP/1.1\r\n\r\n-----------------------------------------------",
        "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x09\x01\x00\x00\x00\x00\x00",                    /* no such role */
    };
    struct rig r;
    rig_start(&r, 1, &service);
    for (size_t i = 0; i < 2; i++) {
        int fd = peer_connect(&r);
        REQUIRE(peer_send(fd, blob_of(nonsense[i], i == 0 ? strlen(nonsense[0]) : 16)));
        CHECK(peer_closed(fd, 4000));
        close(fd);
    }
    /* parameters that claim more than there is: CVE-2025-23016 */
    struct blob huge = unhex("01 01 00 01 00 08 00 00 00 01 01 00 00 00 00 00  01 04 00 01 00 08 00 00 ff ff ff ff ff ff ff ff  01 04 00 01 00 00 00 00");
    int fd = peer_connect(&r);
    REQUIRE(peer_send(fd, huge));
    CHECK(peer_closed(fd, 4000));
    close(fd);
    fd = peer_connect(&r);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    close(fd);
    rig_stop(&r);
}

TEST(early_head_pending_and_rest)
{
    struct rig r;
    rig_start(&r, 1, &service);
    r.config->pending_period = 100;
    int fd = peer_connect(&r);
    /* a busy machine may be late with the head and with each line, but not early */
    const char *text = ask(&r, fd, peer_request(r.a, true, PARAMS("EARLY=50", "SLEEP=820"), blob_of(NULL, 0)), 5000), *at;
    unsigned pending = 0;
    REQUIRE(text != NULL && strncmp(text, "head|", 5) == 0);
    for (at = text + 5; strncmp(at, "PENDING\r\n", 9) == 0; at += 9)
        pending++;
    unit_check(strcmp(at, "rest") == 0 && pending >= 1 && pending <= 7, __FILE__, __LINE__, "%s", text);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("EARLY=200", "NAME=fast"), blob_of(NULL, 0)), 5000), "ok fast");
    peer_nap(250); /* and no head afterwards */
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_of(NULL, 0)), 5000), "ok n");
    close(fd);
    rig_stop(&r);
}

/* A client that reads nothing while thousands of PENDING lines are due: they are dropped, never torn. */
TEST_LIMIT(early_bytes_into_a_full_socket, 30)
{
    struct rig r;
    rig_start(&r, 1, &service);
    r.config->pending_period = 1;
    int fd = peer_connect(&r);
    int small = 2048;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    REQUIRE(peer_send(fd, peer_request(r.a, true, PARAMS("EARLY=0", "SLEEP=3000"), blob_of(NULL, 0))));
    peer_nap(3200);
    struct blob out;
    REQUIRE(peer_answer(r.a, fd, 5000, &out));
    const char *text = arena_str(r.a, out);
    CHECK(strncmp(text, "head|", 5) == 0);
    size_t at = 5;
    while (strncmp(text + at, "PENDING\r\n", 9) == 0)
        at += 9;
    CHECK_STR(text + at, "rest");
    close(fd);
    rig_stop(&r);
}

/* One worker thread; the reader of 8 MB sleeps; others are served; then all of it arrives. */
TEST(an_answer_nobody_reads_holds_no_thread)
{
    struct rig r;
    struct blob out;
    rig_start(&r, 1, &service);
    int lazy = peer_connect(&r), fd = peer_connect(&r);
    REQUIRE(peer_send(lazy, peer_request(r.a, true, PARAMS("BIG=8000000"), blob_of(NULL, 0))));
    peer_nap(100);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 2000), "ok nb");
    CHECK(busy_becomes(&r, 1));
    REQUIRE(peer_answer(r.a, lazy, 10000, &out));
    CHECK_INT(out.n, 8000003);
    CHECK_STR(ask(&r, lazy, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 2000), "ok nb");
    close(lazy);
    lazy = peer_connect(&r);
    REQUIRE(peer_send(lazy, peer_request(r.a, true, PARAMS("BIG=8000000"), blob_of(NULL, 0))));
    peer_nap(50);
    close(lazy); /* goes away in the middle */
    peer_nap(50);
    CHECK(busy_becomes(&r, 0));
    close(fd);
    rig_stop(&r);
}

TEST(a_vanished_peer_does_not_stop_the_work)
{
    struct rig r;
    rig_start(&r, 1, &service);
    unsigned before = atomic_load(&served);
    r.config->pending_period = 10;
    int fd = peer_connect(&r);
    REQUIRE(peer_send(fd, peer_request(r.a, true, PARAMS("EARLY=10", "SLEEP=200"), blob_of(NULL, 0))));
    peer_nap(50);
    close(fd);
    fd = peer_connect(&r);
    CHECK_STR(ask(&r, fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    CHECK_INT(atomic_load(&served), before + 2);
    CHECK(busy_becomes(&r, 0));
    close(fd);
    rig_stop(&r);
}

TEST(delayed_answers_hold_no_thread)
{
    enum { N = 30 };
    struct rig r;
    int fd[N];
    struct blob out;
    rig_start(&r, 1, &service);
    uint64_t before = clock_ms();
    for (size_t i = 0; i < N; i++) {
        fd[i] = peer_connect(&r);
        REQUIRE(peer_send(fd[i], peer_request(r.a, true, PARAMS("AFTER=400", "NAME=x"), blob_str("b"))));
    }
    int quick = peer_connect(&r);
    CHECK_STR(ask(&r, quick, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    CHECK(clock_ms() - before < 400);
    close(fd[0]); /* leaves before its answer is due */
    for (size_t i = 1; i < N; i++) {
        REQUIRE(peer_answer(r.a, fd[i], 5000, &out));
        CHECK_STR(arena_str(r.a, out), "ok xb");
    }
    CHECK(clock_ms() - before >= 400);
    CHECK(clock_ms() - before < 1500);
    CHECK_STR(ask(&r, fd[1], peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    for (size_t i = 1; i < N; i++)
        close(fd[i]);
    close(quick);
    rig_stop(&r);
}

/* One empty STDERR record arrives. */
static bool nothing_follows(int fd)
{
    static const uint8_t record[8] = { 1, 7, 0, 1, 0, 0, 0, 0 };
    struct timeval patience = { 5, 0 };
    uint8_t got[8];
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return recv(fd, got, sizeof got, MSG_WAITALL) == (ssize_t)sizeof got && memcmp(got, record, sizeof got) == 0;
}

TEST(draining)
{
    struct rig r;
    struct blob out;
    rig_start(&r, 2, &service);
    int idle = peer_connect(&r), busy = peer_connect(&r);
    CHECK_STR(ask(&r, idle, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    REQUIRE(peer_send(busy, peer_request(r.a, true, PARAMS("SLEEP=300", "NAME=n"), blob_str("b"))));
    peer_nap(50);
    int queued = peer_connect(&r); /* in the queue, not yet accepted perhaps */
    REQUIRE(peer_send(queued, peer_request(r.a, true, PARAMS("NAME=q"), blob_str("b"))));
    conn_refuse(r.front);
    CHECK(access(r.path, F_OK) != 0);
    CHECK_INT(peer_connect(&r), -1);
    CHECK(conn_draining(r.front));
    REQUIRE(peer_answer(r.a, queued, 5000, &out));
    CHECK(!peer_closed(idle, 10));
    conn_retire(r.front);
    CHECK(nothing_follows(idle));
    CHECK(nothing_follows(queued));             /* behind its end: nginx would not keep the connection */
    CHECK(!peer_closed(idle, 10));              /* it is the peer that closes; a request that it sends instead is served */
    CHECK_STR(ask(&r, idle, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    CHECK(nothing_follows(idle));
    conn_part(r.front);
    conn_idle_close(r.front);
    CHECK(peer_closed(idle, 1000));
    CHECK(peer_closed(queued, 1000)); /* answered before or after the refusal, it does not stay */
    CHECK(busy_becomes(&r, 1));
    REQUIRE(peer_answer(r.a, busy, 5000, &out)); /* what was under way ends well */
    CHECK(nothing_follows(busy));
    CHECK(peer_closed(busy, 1000));
    CHECK_INT(conn_open(r.front), 0);
    close(idle), close(busy), close(queued);
    rig_stop(&r);
}

/* A request that is in the socket when everything idle is closed is not lost. */
TEST(a_request_that_crosses_the_close_is_answered)
{
    struct rig r;
    struct blob out;
    rig_start(&r, 1, &service);
    int busy = peer_connect(&r), late = peer_connect(&r);
    CHECK_STR(ask(&r, late, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b")), 5000), "ok nb");
    REQUIRE(peer_send(busy, peer_request(r.a, true, PARAMS("SLEEP=300", "NAME=n"), blob_str("b"))));
    peer_nap(50);
    CHECK(busy_becomes(&r, 1)); /* the only thread: nobody reads what comes now */
    conn_refuse(r.front);
    REQUIRE(peer_send(late, peer_request(r.a, true, PARAMS("NAME=l"), blob_str("b"))));
    conn_part(r.front);
    conn_idle_close(r.front);
    CHECK(!peer_send(late, blob_str("more")));
    REQUIRE(peer_answer(r.a, late, 5000, &out));
    CHECK_STR(arena_str(r.a, out), "ok lb");
    REQUIRE(peer_answer(r.a, busy, 5000, &out));
    close(busy), close(late);
    rig_stop(&r);
}

/* The next worker starts while the one before still drains: the path is free from the moment at which that one cannot be reached. */
TEST(a_socket_is_free_while_its_worker_drains)
{
    struct rig r, s;
    const char *why = "";
    rig_start(&r, 1, &service);
    rig_start(&s, 1, &service);
    s.config->listen = r.path;
    CHECK(conn_listen(s.config, s.timers, &service, s.a, &why) == NULL);
    CHECK(strstr(why, "a worker answers there already") != NULL);
    conn_refuse(r.front);
    struct front *second = conn_listen(s.config, s.timers, &service, s.a, &why);
    REQUIRE(second != NULL);
    int fd = peer_connect(&r);
    CHECK(fd >= 0);
    close(fd);
    conn_refuse(second);
    CHECK(access(r.path, F_OK) != 0);
    conn_close_all(second);
    rig_stop(&s);
    rig_stop(&r);
}

TEST(a_socket_that_cannot_be_had)
{
    struct rig r;
    const char *why = "";
    rig_start(&r, 1, &service);
    r.config->listen = "/nonexistent/dir/x.sock";
    CHECK(conn_listen(r.config, r.timers, &service, r.a, &why) == NULL);
    CHECK(strstr(why, "/nonexistent/dir/x.sock: No such file") != NULL);
    char *longest = arena_alloc(r.a, 301);
    memset(longest, 'x', 300);
    r.config->listen = longest;
    CHECK(conn_listen(r.config, r.timers, &service, r.a, &why) == NULL);
    CHECK(strstr(why, "path of a socket") != NULL);
    rig_stop(&r);
}

/* Out of descriptors: the queue waits, nothing spins, and goes on when there are some again. */
TEST(no_more_descriptors)
{
    struct rig r;
    struct rlimit before, low;
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct blob out;
    rig_start(&r, 2, &service);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", r.path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), probe = dup(fd);
    REQUIRE(fd >= 0 && probe >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    close(probe); /* the next descriptor would have this number */
    low = before;
    low.rlim_cur = (rlim_t)probe;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
    CHECK(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(peer_send(fd, peer_request(r.a, true, PARAMS("NAME=n"), blob_str("b"))));
    peer_nap(120);
    CHECK_INT(conn_open(r.front), 0);
    struct rusage start, later;
    getrusage(RUSAGE_SELF, &start);
    peer_nap(200);
    getrusage(RUSAGE_SELF, &later);
    CHECK((later.ru_utime.tv_sec - start.ru_utime.tv_sec) * 1000000 + later.ru_utime.tv_usec - start.ru_utime.tv_usec < 100000);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(peer_answer(r.a, fd, 5000, &out));
    close(fd);
    rig_stop(&r);
}

/* 100 connections, 4 threads, several requests each. */
TEST(many_at_once)
{
    enum { N = 100, ROUNDS = 20 };
    struct rig r;
    int fd[N];
    struct blob out;
    rig_start(&r, 4, &service);
    struct blob request = peer_request(r.a, true, PARAMS("NAME=n"), blob_str("body"));
    for (size_t i = 0; i < N; i++)
        fd[i] = peer_connect(&r);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++)
            REQUIRE(peer_send(fd[i], request));
        for (size_t i = 0; i < N; i++) {
            REQUIRE(peer_answer(r.a, fd[i], 5000, &out));
            CHECK_INT(out.n, 8);
        }
    }
    for (size_t i = 0; i < N; i++)
        close(fd[i]);
    rig_stop(&r);
}

/* --- requests that are given away for a while -------------------------------------------------------------------------------------------- */

struct held { struct conn *c; struct arena *a; const char *name; struct blob body; unsigned rounds; };

static void go_on(void *ctx);

static void *elsewhere(void *ctx)
{
    struct held *h = ctx;
    peer_nap(5);
    conn_resume(h->c, go_on, h);
    return NULL;
}

static void give_away(struct held *h)
{
    pthread_t t;
    conn_hold(h->c);
    REQUIRE(pthread_create(&t, NULL, elsewhere, h) == 0);
    pthread_detach(t);
}

static void go_on(void *ctx)
{
    struct held *h = ctx;
    if (h->rounds-- > 1) {
        give_away(h);
        return;
    }
    const struct blob piece[] = { blob_str("held "), blob_str(h->name), h->body };
    conn_answer(h->c, piece, 3);
}

/* ROUNDS=n is given away n times; 0: held and taken back. */
static void holder(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large)
{
    struct held *h = arena_one(a, struct held);
    (void)app, (void)too_large;
    *h = (struct held){ c, a, arena_strdup(a, param(params, "NAME")), body, (unsigned)number(params, "ROUNDS") };
    if (h->rounds != 0) {
        give_away(h);
        return;
    }
    conn_hold(c);
    conn_unhold(c);
    h->rounds = 1;
    go_on(h);
}

static const struct conn_service holding = { .serve = holder };

TEST(a_held_request_is_answered_later)
{
    struct rig r;
    rig_start(&r, 1, &holding);
    int fd = peer_connect(&r), other = peer_connect(&r);
    for (int i = 0; i < 20; i++) {
        REQUIRE(peer_send(fd, peer_request(r.a, true, PARAMS("NAME=a:", "ROUNDS=2"), blob_str("body"))));
        CHECK_STR(ask(&r, other, peer_request(r.a, true, PARAMS("NAME=b:", "ROUNDS=0"), blob_str("now")), 5000), "held b:now"); /* the only thread is free */
        struct blob out;
        REQUIRE(peer_answer(r.a, fd, 5000, &out));
        CHECK_BLOB(out, blob_str("held a:body"));
    }
    close(other);
    /* a peer that goes away meanwhile */
    REQUIRE(peer_send(fd, peer_request(r.a, true, PARAMS("NAME=a", "ROUNDS=3"), blob_str("body"))));
    peer_nap(2);
    close(fd);
    CHECK(busy_becomes(&r, 0));
    rig_stop(&r);
}

TEST(many_held_requests)
{
    enum { MANY = 40 };
    struct rig r;
    int fd[MANY];
    rig_start(&r, 3, &holding);
    for (int i = 0; i < MANY; i++)
        fd[i] = peer_connect(&r);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < MANY; i++)
            REQUIRE(peer_send(fd[i], peer_request(r.a, i % 2 != 0, PARAMS("NAME=x", i % 3 != 0 ? "ROUNDS=1" : "ROUNDS=3"), blob_of(NULL, 0))));
        for (int i = 0; i < MANY; i++) {
            struct blob out;
            CHECK(peer_answer(r.a, fd[i], 5000, &out) && blob_eq(out, blob_str("held x")));
            if (i % 2 == 0) {
                close(fd[i]);
                fd[i] = peer_connect(&r);
            }
        }
    }
    for (int i = 0; i < MANY; i++)
        close(fd[i]);
    rig_stop(&r);
}
