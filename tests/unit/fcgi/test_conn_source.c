/* Answers in pieces: whole and broken off, slow peers and quick ones, peers that go, fronts that end. */
#include "tests/unit.h"
#include "tests/unit/fcgi/peer.h"
#include "backend/base/filetime.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_uint pieces, ended, ended_whole;

/* `left` bytes to come, the piece at which it fails (0: never). */
struct source { uint64_t at, size; unsigned piece, fails; };

static uint8_t byte_at(uint64_t i) { return (uint8_t)(i * 7 + i / 251); }

static bool more(void *ctx, struct arena *a, struct blob *out)
{
    struct source *s = ctx;
    uint64_t n = s->size - s->at < CONN_PIECE_MOST ? s->size - s->at : CONN_PIECE_MOST;
    uint8_t *p = arena_alloc(a, n);
    atomic_fetch_add(&pieces, n != 0);
    if (++s->piece == s->fails)
        return false;
    for (uint64_t i = 0; i < n; i++)
        p[i] = byte_at(s->at + i);
    s->at += n;
    *out = blob_of(p, n);
    return true;
}

static void over(void *ctx, bool whole)
{
    struct source *s = ctx;
    CHECK(!whole || s->at == s->size);
    atomic_fetch_add(&ended_whole, whole);
    atomic_fetch_add(&ended, 1);
}

static uint64_t number(char **params, const char *name)
{
    for (; *params != NULL; params++)
        if (strncmp(*params, name, strlen(name)) == 0 && (*params)[strlen(name)] == '=')
            return strtoull(*params + strlen(name) + 1, NULL, 10);
    return 0;
}

/* SIZE=n: so many bytes in pieces, FAILS=n: until the n-th; SMALL=1: a plain answer. */
static void handler(void *app, struct conn *c, struct arena *a, char **params, struct blob body, bool too_large)
{
    struct source *s = arena_one(a, struct source);
    const struct conn_source from = { more, over, s };
    struct blob small = blob_str("small");
    (void)app, (void)body, (void)too_large;
    *s = (struct source){ .size = number(params, "SIZE"), .fails = (unsigned)number(params, "FAILS") };
    if (number(params, "SMALL") != 0)
        conn_answer(c, &small, 1);
    else
        conn_answer_from(c, blob_str(arena_strdup(a, "head|")), &from);
}

static const struct conn_service service = { .serve = handler };

static void begin(struct rig *r, size_t threads)
{
    atomic_store(&pieces, 0);
    atomic_store(&ended, 0);
    atomic_store(&ended_whole, 0);
    rig_start(r, threads, &service);
}

static bool ask(struct rig *r, int fd, const char *first, const char *second)
{
    const char *params[] = { first, second, NULL };
    return peer_send(fd, peer_request(r->a, true, params, blob_of(NULL, 0)));
}

static bool all_ended(unsigned n)
{
    for (int i = 0; i < 5000 && atomic_load(&ended) != n; i++)
        peer_nap(1);
    return atomic_load(&ended) == n;
}

TEST(pieces_make_an_answer)
{
    static const uint64_t sizes[] = { 0, 1, CONN_PIECE_MOST - 1, CONN_PIECE_MOST, CONN_PIECE_MOST + 1, 5 * CONN_PIECE_MOST + 77 };
    struct rig r;
    begin(&r, 2);
    int fd = peer_connect(&r);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct blob out;
        REQUIRE(ask(&r, fd, arena_printf(r.a, "SIZE=%llu", (unsigned long long)sizes[i]), NULL) && peer_answer(r.a, fd, 5000, &out));
        CHECK_INT(out.n, sizes[i] + 5);
        bool same = out.n == sizes[i] + 5 && memcmp(out.p, "head|", 5) == 0;
        for (uint64_t k = 0; same && k < sizes[i]; k++)
            same = out.p[5 + k] == byte_at(k);
        CHECK(same);
        CHECK(all_ended((unsigned)i + 1));
        REQUIRE(ask(&r, fd, "SMALL=1", NULL) && peer_answer(r.a, fd, 5000, &out)); /* on the same connection */
        CHECK_STR(arena_str(r.a, out), "small");
    }
    CHECK_INT(atomic_load(&ended_whole), 6);
    CHECK_INT(conn_open(r.front), 1);
    close(fd);
    rig_stop(&r);
}

TEST(without_keep_it_ends_with_the_last_piece)
{
    struct rig r;
    struct blob out;
    begin(&r, 1);
    int fd = peer_connect(&r);
    const char *params[] = { "SIZE=300000", NULL };
    REQUIRE(peer_send(fd, peer_request(r.a, false, params, blob_of(NULL, 0))) && peer_answer(r.a, fd, 5000, &out));
    CHECK_INT(out.n, 300005);
    CHECK(peer_closed(fd, 5000));
    CHECK_INT(atomic_load(&ended_whole), 1);
    close(fd);
    rig_stop(&r);
}

/* Neither a thread nor more than the piece that waits. */
TEST(who_reads_nothing_holds_one_piece)
{
    struct rig r;
    struct blob out;
    begin(&r, 1);
    int slow = peer_connect(&r), other = peer_connect(&r);
    REQUIRE(ask(&r, slow, "SIZE=100000000", NULL));
    for (int i = 0; i < 20; i++) {
        REQUIRE(ask(&r, other, "SMALL=1", NULL) && peer_answer(r.a, other, 5000, &out));
        peer_nap(5);
    }
    CHECK(atomic_load(&pieces) >= 1 && atomic_load(&pieces) < 8);
    CHECK_INT(atomic_load(&ended), 0);
    close(slow); /* it goes in the middle */
    CHECK(all_ended(1));
    CHECK_INT(atomic_load(&ended_whole), 0);
    CHECK(conn_busy(r.front) == 0);
    close(other);
    rig_stop(&r);
}

/* One thread serves somebody else between the pieces of a peer that takes them as fast as they come. */
TEST(others_have_their_turn_between_pieces)
{
    struct rig r;
    struct blob out;
    begin(&r, 1);
    int quick = peer_connect(&r), other = peer_connect(&r);
    REQUIRE(ask(&r, quick, "SIZE=30000000", NULL));
    unsigned before = 0, between = 0;
    char *sink = arena_alloc(r.a, 1 << 20);
    while (atomic_load(&pieces) < 100 && recv(quick, sink, 1 << 20, 0) > 0) {
        if (atomic_load(&pieces) == before)
            continue;
        REQUIRE(ask(&r, other, "SMALL=1", NULL) && peer_answer(r.a, other, 5000, &out));
        between += atomic_load(&ended) == 0;
        before = atomic_load(&pieces);
    }
    CHECK(between > 20);
    close(quick);
    CHECK(all_ended(1));
    close(other);
    rig_stop(&r);
}

TEST(a_source_that_fails_breaks_the_connection)
{
    struct rig r;
    struct blob out;
    begin(&r, 1);
    for (unsigned k = 1; k <= 4; k++) {
        int fd = peer_connect(&r);
        REQUIRE(ask(&r, fd, "SIZE=1000000", arena_printf(r.a, "FAILS=%u", k)));
        CHECK(!peer_answer(r.a, fd, 5000, &out)); /* no END_REQUEST */
        CHECK(peer_closed(fd, 5000));
        CHECK(all_ended(k));
        close(fd);
    }
    CHECK_INT(atomic_load(&ended_whole), 0);
    CHECK_INT(conn_open(r.front), 0);
    rig_stop(&r);
}

TEST(a_front_that_ends_finishes_what_goes_quickly)
{
    struct rig r;
    struct blob out;
    begin(&r, 2);
    int fd = peer_connect(&r);
    REQUIRE(ask(&r, fd, "SIZE=3000000", NULL));
    while (atomic_load(&pieces) == 0)
        peer_nap(1);
    conn_refuse(r.front);
    conn_retire(r.front);
    REQUIRE(peer_answer(r.a, fd, 5000, &out));
    CHECK_INT(out.n, 3000005);
    CHECK_INT(atomic_load(&ended_whole), 1);
    conn_part(r.front);
    conn_idle_close(r.front);
    close(fd);
    rig_stop(&r);
}

TEST(a_front_that_parts_breaks_off_what_is_drawn_out)
{
    struct rig r;
    begin(&r, 2);
    int fd = peer_connect(&r), fast = peer_connect(&r);
    REQUIRE(ask(&r, fd, "SIZE=50000000", NULL) && ask(&r, fast, "SIZE=50000000", NULL));
    while (atomic_load(&pieces) < 2)
        peer_nap(1);
    conn_refuse(r.front);
    conn_retire(r.front);
    conn_part(r.front);
    for (int i = 0; i < 5000 && conn_busy(r.front) != 0; i++) {
        conn_idle_close(r.front);
        peer_nap(1);
    }
    CHECK_INT(conn_busy(r.front), 0);
    CHECK(all_ended(2));
    CHECK_INT(atomic_load(&ended_whole), 0);
    close(fd);
    close(fast);
    rig_stop(&r);
}
