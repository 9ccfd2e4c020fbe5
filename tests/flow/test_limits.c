/* test_limits.c - what one user may take: sessions, objects, bytes, waits, requests per second; and that nobody else is hurt. */
#include "tests/flow/walk.h"
#include "backend/base/filetime.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t nothing[1];

static long metric_of(struct stack *st, struct arena *a, const char *route, const char *name)
{
    struct mapic c;
    struct mapic_reply r;
    const char *why = NULL;
    stack_client(st, &c, &st->ana);
    c.user = NULL;
    c.mailbox_id = NULL;
    c.route = route;
    bool ok = mapic_call(&c, a, "PING", blob_of(nothing, 0), &(struct mapic_odd){ .verb = "GET", .path = "/metrics" }, &r, &why);
    mapic_close(&c);
    REQUIRE(ok);
    const char *text = arena_str(a, r.http.body), *at = strstr(text, arena_printf(a, "\nmapihttpd_%s ", name));
    return at != NULL ? strtol(strchr(at + 1, ' '), NULL, 10) : -1;
}

/* Of both hosts. */
static long metric(struct stack *st, struct arena *a, const char *name)
{
    return metric_of(st, a, "a0", name) + (st->workers > 1 ? metric_of(st, a, "b0", name) : 0);
}

static int ping(struct mapic *c, struct arena *a)
{
    struct mapic_reply r;
    const char *why = NULL;
    return mapic_call(c, a, "PING", blob_of(nothing, 0), NULL, &r, &why) ? r.code : -1;
}

/* --- sessions ------------------------------------------------------------------------------------------------------ */

static struct walk *connected(struct stack *st, struct arena *a, const struct person *who)
{
    struct walk *w = arena_one(a, struct walk);
    walk_init(w, st, who);
    MUST_STEP(w, step_connect(&w->s, who->dn));
    return w;
}

static uint32_t connect_error(struct stack *st, struct arena *a, const struct person *who, struct rd *rest)
{
    struct mapic c;
    struct mapic_reply r;
    const char *why = NULL;
    stack_client(st, &c, who);
    uint32_t ec = mapic_connect(&c, a, who->dn, &r, &why);
    CHECK_INT(r.http.status, 200);
    CHECK_INT(r.code, 0);
    *rest = rd_blob_of(r.body);
    rd_u32(rest), rd_u32(rest);
    mapic_close(&c);
    return ec;
}

/* A Connect beyond the limit ends the session that was idle longest, of this user, on whatever worker. */
TEST_LIMIT(the_session_idle_longest_makes_room, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .config = "sessions_per_user = 3\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk *bob = connected(st, a, &st->bob), *w[5];
    for (size_t i = 0; i < 3; i++)
        w[i] = connected(st, a, &st->ana);
    CHECK_INT(ping(&w[0]->c, a), 0); /* now w[1] is idle longest */
    usleep(20000);
    w[3] = connected(st, a, &st->ana);
    CHECK_INT(ping(&w[1]->c, a), 10);
    for (size_t i = 0; i < 4; i++)
        if (i != 1)
            CHECK_INT(ping(&w[i]->c, a), 0);
    CHECK_INT(ping(&bob->c, a), 0);
    CHECK_INT(metric(st, a, "limit_sessions_total"), 1);
    /* sessions that are gone make room by themselves: ended, expired */
    MUST_STEP(w[0], step_disconnect(&w[0]->s));
    w[4] = connected(st, a, &st->ana);
    CHECK_INT(ping(&w[2]->c, a), 0);
    CHECK_INT(ping(&w[3]->c, a), 0);
    CHECK_INT(metric(st, a, "limit_sessions_total"), 1);
    walk_end(bob);
    for (size_t i = 0; i < 5; i++)
        walk_end(w[i]);
    stack_stop(st);
    arena_free(a);
}

/* Contexts that expire leave the index as it is; the next Connect finds that they are gone. */
TEST_LIMIT(expired_sessions_do_not_count, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "sessions_per_user = 2\nsession_retention = 1\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk *w[4];
    for (size_t i = 0; i < 2; i++)
        w[i] = connected(st, a, &st->ana);
    for (int i = 0; i < 100 && ping(&w[1]->c, a) == 0; i++)
        usleep(1100000);
    for (size_t i = 2; i < 4; i++)
        w[i] = connected(st, a, &st->ana);
    CHECK_INT(metric(st, a, "limit_sessions_total"), 0);
    for (size_t i = 0; i < 4; i++)
        walk_end(w[i]);
    stack_stop(st);
    arena_free(a);
}

static void begin_wait(struct walk *w)
{
    static const uint8_t body[8];
    const char *why = NULL;
    REQUIRE(mapic_send(&w->c, w->a, "NotificationWait", blob_of(body, 8), &(struct mapic_odd){ .keep_cookies = true }, &why));
}

/* All of them in use: the new one is refused, with the time of the next attempt, and nobody is thrown out. */
TEST_LIMIT(sessions_in_use_are_not_ended, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "sessions_per_user = 2\nwait_max = 5\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk *w[2];
    struct rd body;
    for (size_t i = 0; i < 2; i++) {
        w[i] = connected(st, a, &st->ana);
        begin_wait(w[i]);
    }
    for (int i = 0; i < 300 && metric(st, a, "waits_parked") < 2; i++)
        usleep(10000);
    CHECK_INT(connect_error(st, a, &st->ana, &body), 0x80040112);
    CHECK_INT(rd_u32(&body), 0);
    CHECK(rd_u32(&body) > 0 && rd_u32(&body) >= 1000); /* RetryCount, RetryDelay */
    CHECK_INT(connect_error(st, a, &st->bob, &body), ecNone);
    CHECK_INT(metric(st, a, "limit_sessions_total"), 1);
    for (size_t i = 0; i < 2; i++) {
        struct mapic_reply r;
        const char *why = NULL;
        CHECK(mapic_recv(&w[i]->c, w[i]->a, &r, &(struct mapic_odd){ .keep_cookies = true }, &why));
        CHECK_INT(r.code, 0);
        CHECK_INT(ping(&w[i]->c, a), 0);
        walk_end(w[i]);
    }
    stack_stop(st);
    arena_free(a);
}

/* --- waits --------------------------------------------------------------------------------------------------------- */

TEST_LIMIT(the_oldest_wait_of_a_user_ends, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "waits_per_user = 2\nwait_max = 60\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk *bob = connected(st, a, &st->bob), *w[3];
    struct mapic_reply r;
    const char *why = NULL;
    begin_wait(bob);
    for (size_t i = 0; i < 3; i++) {
        w[i] = connected(st, a, &st->ana);
        begin_wait(w[i]);
        for (int k = 0; i < 2 && k < 300 && metric(st, a, "waits_parked") < 2 + (long)i; k++)
            usleep(10000);
    }
    REQUIRE(mapic_recv(&w[0]->c, a, &r, &(struct mapic_odd){ .keep_cookies = true }, &why));
    CHECK_INT(r.code, 0);
    struct rd body = rd_blob_of(r.body);
    CHECK_INT(rd_u32(&body), 0);
    CHECK_INT(rd_u32(&body), 0);
    CHECK_INT(rd_u32(&body), 0); /* EventPending */
    CHECK_INT(ping(&w[0]->c, a), 0);
    CHECK_INT(metric(st, a, "waits_parked"), 3);
    CHECK_INT(metric(st, a, "limit_waits_total"), 1);
    walk_end(bob);
    for (size_t i = 0; i < 3; i++)
        walk_end(w[i]);
    stack_stop(st);
    arena_free(a);
}

/* --- requests per second ------------------------------------------------------------------------------------------- */

struct told { uint32_t status, error; bool backoff; uint32_t ms; uint8_t logon; };

/* An Execute that makes a folder, and what the answer says. */
static struct told make_folder(struct walk *w, const char *name, const struct mapic_odd *odd)
{
    struct mapic_rops q;
    struct mapic_result r;
    const char *why = NULL;
    uint32_t parent = w->s.logon;
    rops_init(&q, w->a);
    rops_head(&q, 0x02, rops_handle(&q, parent));                    /* OpenFolder: the IPM subtree */
    wr_u8(&q.list, rops_handle(&q, 0xFFFFFFFF));
    wr_u64(&q.list, w->s.fid[3]);
    wr_u8(&q.list, 0);
    rops_head(&q, 0x1C, 1);                                          /* CreateFolder */
    wr_u8(&q.list, rops_handle(&q, 0xFFFFFFFF));
    wr_u8(&q.list, 1), wr_u8(&q.list, 0), wr_u8(&q.list, 0), wr_u8(&q.list, 0);
    wr_bytes(&q.list, name, strlen(name) + 1);
    wr_u8(&q.list, 0);
    REQUIRE(mapic_execute(&w->c, &q, odd, &r, &why));
    CHECK_INT(r.reply.http.status, 200);
    CHECK_INT(r.reply.code, 0);
    struct told t = { .status = r.status, .error = r.error };
    if (r.status == 0 && r.rops.n != 0 && r.rops.p[0] == 0xF9) {
        t.backoff = true;
        rd_u8(&r.rops);
        t.logon = rd_u8(&r.rops);
        t.ms = rd_u32(&r.rops);
        CHECK_INT(rd_u8(&r.rops), 0);
        CHECK_INT(rd_u16(&r.rops), 0);
        CHECK_INT(r.rops.n, 0);
    }
    return t;
}

/* OXCROPS R4541, R4542, R4514: the workers of a host count together; the answer is RopBackoff alone, nothing was done, and after its time the session goes on. */
TEST_LIMIT(too_many_executes_are_put_off, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .config = "rate_per_user = 4\nrate_burst = 8\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk w;
    walk_begin(&w, st, &st->ana);
    bool amnesia = getenv("FLOW_AMNESIA") != NULL;
    unsigned done = 0;
    struct told t = { 0 };
    for (unsigned i = 0; i < 40 && !t.backoff; i++) {
        if (!amnesia)
            w.c.route = i % 2 != 0 ? "a0" : "a1";
        t = make_folder(&w, arena_printf(a, "F%u", i), NULL);
        done += !t.backoff;
    }
    REQUIRE(t.backoff);
    unsigned last = done;
    CHECK(done >= 7 && (amnesia || done <= 12)); /* the Logon was one, too; some come back meanwhile */
    CHECK(t.ms >= 50 && t.ms <= 1000);
    CHECK_INT(t.logon, 0);
    CHECK(metric(st, a, "limit_rate_total") >= 1);
    struct walk bob;
    walk_begin(&bob, st, &st->bob); /* others are not slower */
    walk_end(&bob);
    usleep(t.ms * 1000 + 1000);
    if (!amnesia) {
        t = make_folder(&w, arena_printf(a, "F%u", last), NULL); /* it was not made before: the name is free */
        CHECK(!t.backoff && t.error == ecNone);
    }
    usleep(2000000);
    uint32_t root, table, rows;
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[3], &root));
    MUST_STEP(&w, step_hierarchy(&w.s, root, 0, &table, &rows));
    walk_end(&w);
    stack_stop(st);
    arena_free(a);
}

/* OXCROPS R4543: a client that is too old for RopBackoff, or does not say how old it is. */
TEST_LIMIT(old_clients_hear_6BB, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "rate_per_user = 2\nrate_burst = 2\n" });
    struct arena *a = arena_new(SIZE_MAX);
    static const struct mapic_odd old = { .without = "X-ClientApplication", .extra = "X-ClientApplication: Outlook/12.0.4228.0000\r\n" };
    struct walk w;
    struct mapic_reply reply;
    const char *why = NULL;
    walk_init(&w, st, &st->ana);
    struct blob body = mapic_connect_body(a, st->ana.dn);
    REQUIRE(mapic_call(&w.c, a, "Connect", body, &old, &reply, &why));
    REQUIRE(reply.code == 0);
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    struct told t = { 0 };
    for (unsigned i = 0; i < 40 && t.status == 0; i++)
        t = make_folder(&w, arena_printf(a, "F%u", i), NULL);
    CHECK_INT(t.status, 0x6BB);
    usleep(600000);
    uint32_t inbox;
    CHECK_INT(step_open_folder(&w.s, w.s.fid[4], &inbox), ecNone);
    walk_end(&w);
    stack_stop(st);
    arena_free(a);
}

/* --- objects and bytes --------------------------------------------------------------------------------------------- */

TEST_LIMIT(objects_and_bytes_are_counted, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "handles_max = 16\nrequest_max = 65536\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk w;
    uint32_t h, ec = ecNone;
    walk_begin(&w, st, &st->ana);
    for (unsigned i = 0; i < 16 && ec == ecNone; i++)
        ec = step_open_folder(&w.s, w.s.fid[4], &h);
    CHECK_INT(ec, ecServerBusy);
    CHECK_INT(metric(st, a, "limit_handles_total"), 1);
    CHECK_INT(step_release(&w.s, h), ecNone);
    CHECK_INT(step_open_folder(&w.s, w.s.fid[4], &h), ecNone);
    struct mapic_reply r;
    const char *why = NULL;
    REQUIRE(mapic_call(&w.c, a, "Execute", blob_of(arena_alloc(a, 70000), 70000), NULL, &r, &why));
    CHECK_INT(r.code, 9);
    CHECK_INT(metric(st, a, "limit_request_total"), 1);
    CHECK_INT(step_release(&w.s, h), ecNone);
    walk_end(&w);
    stack_stop(st);
    arena_free(a);
}
