/* test_stream.c - the answer as it arrives: chunks, PROCESSING, PENDING, DONE, additional headers, and clients that do not wait for it.
 * MS-OXCMAPIHTTP 2.2.2.2, 2.2.7, 3.2.5.2. */
#include "backend/base/filetime.h"
#include "tests/flow/walk.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One worker that is soon impatient, for all tests of this file. */
static struct stack *patient;
static void stop_patient(void) { stack_stop(patient); }

static struct stack *stack_pending(void)
{
    if (patient == NULL) {
        unit_tmpdir();
        patient = stack_start(&(struct stack_options){ .workers = 1, .config = "pending_period = 300\nhead_delay = 100\n" });
        atexit(stop_patient);
    }
    return patient;
}

/* What came, piece by piece: text of a chunk and when. */
struct pieces { size_t n; struct { char text[64]; size_t size; uint64_t ms; } at[64]; };

static void on_piece(void *ctx, struct blob piece)
{
    struct pieces *p = ctx;
    if (p->n == 64)
        return;
    size_t show = piece.n < 63 ? piece.n : 63;
    memcpy(p->at[p->n].text, piece.p, show);
    p->at[p->n].text[show] = '\0';
    p->at[p->n].size = piece.n;
    p->at[p->n++].ms = clock_ms();
}

static struct blob execute_body(struct walk *w, struct mapic_rops *r) { return mapic_execute_body(w->a, rops_buffer(r), 3, 0x10008); }

/* RopGetStoreState of the logon: something that a fault can hold up. */
static struct blob store_state(struct walk *w)
{
    struct mapic_rops r;
    rops_init(&r, w->a);
    rops_head(&r, 0x7B, rops_handle(&r, w->s.logon));
    return execute_body(w, &r);
}

static const char *head(const struct mapic_reply *r, const char *name)
{
    const char *v = http_header(&r->http, name);
    return v != NULL ? v : "";
}

static bool call(struct walk *w, const char *type, struct blob body, const struct mapic_odd *odd, struct mapic_reply *r)
{
    const char *why = NULL;
    return unit_check(mapic_call(&w->c, w->a, type, body, odd, r, &why), __FILE__, __LINE__, "%s: %s", type, why != NULL ? why : "");
}

TEST_LIMIT(execute_is_chunked_and_begins_with_processing, 120)
{
    struct walk w;
    struct mapic_reply r;
    struct pieces p = { 0 };
    walk_begin(&w, stack_pending(), &stack_pending()->ana);
    REQUIRE(call(&w, "Execute", store_state(&w), &(struct mapic_odd){ .piece = on_piece, .ctx = &p }, &r));
    CHECK(r.http.chunked && r.http.content_length < 0);
    CHECK_STR(head(&r, "Transfer-Encoding"), "chunked");
    CHECK(p.n >= 1 && strncmp(p.at[0].text, "PROCESSING\r\n", 12) == 0);
    CHECK_INT(r.code, 0);
    CHECK_STR(head(&r, "X-PendingPeriod"), "300");
    CHECK_STR(head(&r, "X-ExpirationInfo"), "900000");
    CHECK_STR(head(&r, "X-Accel-Buffering"), "");
    CHECK(r.body.n > 16);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* Connect and Disconnect: whole, with their length, with the cookies of the context, the context's first. */
TEST_LIMIT(connect_and_disconnect_have_a_length_and_cookies, 120)
{
    struct walk w;
    struct mapic_reply r;
    const char *why = NULL;
    walk_init(&w, stack_pending(), &stack_pending()->ana);
    CHECK_INT(mapic_connect(&w.c, w.a, w.who->dn, &r, &why), ecNone);
    for (int i = 0; i < 2; i++) {
        CHECK(!r.http.chunked && r.http.content_length == (int64_t)r.http.body.n);
        CHECK(r.processing && r.done);
        size_t cookies = 0;
        for (size_t k = 0; k < r.http.headers; k++) {
            if (strcmp(r.http.header[k].name, "Set-Cookie") != 0)
                continue;
            CHECK(strncmp(r.http.header[k].value, cookies == 0 ? "MapiContext=" : "MapiSequence=", cookies == 0 ? 12 : 13) == 0);
            CHECK(strstr(r.http.header[k].value, "; path=/mapi/emsmdb; HttpOnly") != NULL);
            cookies++;
        }
        CHECK_INT(cookies, 2);
        if (i == 0)
            REQUIRE(mapic_disconnect(&w.c, w.a, &r, &why));
    }
    walk_end(&w);
}

/* Chunk sizes include the CRLF of the tag: 12 and 9. */
TEST_LIMIT(pending_flows_while_a_rop_runs, 120)
{
    struct walk w;
    struct mapic_reply r;
    struct pieces p = { 0 };
    struct stack *st = stack_pending();
    walk_begin(&w, st, &st->ana);
    stack_arm(st, 0, "rop_before:1:sleep=1150");
    uint64_t began = clock_ms();
    REQUIRE(call(&w, "Execute", store_state(&w), &(struct mapic_odd){ .piece = on_piece, .ctx = &p }, &r));
    CHECK_INT(r.code, 0);
    CHECK_INT(r.pending, 3); /* at 100 + 300, 600, 900 ms */
    REQUIRE(p.n >= 5);
    CHECK_STR(p.at[0].text, "PROCESSING\r\n");
    CHECK_INT(p.at[0].size, 12);
    CHECK(p.at[0].ms - began < 300);
    for (size_t i = 1; i < 4; i++) {
        CHECK_STR(p.at[i].text, "PENDING\r\n");
        CHECK(p.at[i].ms - began >= 100 + i * 300 - 20 && p.at[i].ms - began < 100 + i * 300 + 200);
    }
    CHECK(strncmp(p.at[4].text, "DONE\r\nX-StartTime: ", 19) == 0);
    REQUIRE(r.extras == 2);
    CHECK_STR(r.extra[1].name, "X-ElapsedTime");
    CHECK(strtol(r.extra[1].value, NULL, 10) >= 1150);
    CHECK(r.body.n > 16);
    STEP(&w, step_disconnect(&w.s)); /* its cookies were good */
    walk_end(&w);
}

TEST_LIMIT(a_request_within_the_delay_has_no_early_head, 120)
{
    struct walk w;
    struct mapic_reply r;
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "head_delay = 60000\n" });
    walk_begin(&w, st, &st->ana);
    stack_arm(st, 0, "rop_before:1:sleep=50");
    REQUIRE(call(&w, "Execute", store_state(&w), NULL, &r));
    CHECK_INT(r.pending, 0);
    CHECK_INT(r.http.chunks, 1);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    stack_stop(st);
}

/* The head of a slow request that is not chunked otherwise is chunked, too. */
TEST_LIMIT(codes_of_the_session_are_in_the_head, 120)
{
    struct walk w;
    struct mapic_reply r;
    struct stack *st = stack_pending();
    walk_begin(&w, st, &st->ana);
    struct mapic_odd none = { .context = "", .sequence = "", .keep_cookies = true };
    REQUIRE(call(&w, "Execute", store_state(&w), &none, &r));
    CHECK_INT(r.code, 13);
    CHECK_STR(head(&r, "X-ResponseCode"), "13");
    CHECK_STR(head(&r, "Content-Type"), "text/html");
    CHECK(!r.processing && !r.http.chunked);
    static const uint8_t cut[] = { 3, 0, 0, 0, 100, 0, 0, 0 }; /* RopBufferSize 100, and nothing behind it */
    REQUIRE(call(&w, "Execute", blob_of(cut, sizeof cut), NULL, &r));
    CHECK_INT(r.code, 12);
    REQUIRE(call(&w, "Execute", store_state(&w), NULL, &r)); /* and the session goes on */
    CHECK_INT(r.code, 0);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* Redis dies while the ROP runs: nothing can be kept, and the head with code 0 is out already.  The code behind DONE is the last word. */
TEST_LIMIT(a_failure_after_the_head_comes_behind_done, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "head_delay = 50\n" });
    struct walk w;
    struct mapic_rops r;
    struct mapic_reply reply;
    const char *why = NULL;
    walk_begin(&w, st, &st->ana);
    rops_init(&r, w.a);
    rops_head(&r, 0x02, rops_handle(&r, w.s.logon)); /* OpenFolder: a new handle, which must be kept */
    wr_u8(&r.list, rops_handle(&r, UINT32_MAX));
    wr_u64(&r.list, w.s.fid[4]);
    wr_u8(&r.list, 0);
    stack_arm(st, 0, "rop_before:1:sleep=800");
    REQUIRE(mapic_send(&w.c, w.a, "Execute", execute_body(&w, &r), NULL, &why));
    usleep(300000);
    stack_redis_stop(st);
    REQUIRE(mapic_recv(&w.c, w.a, &reply, NULL, &why));
    CHECK_INT(reply.http.status, 200);
    CHECK_STR(head(&reply, "X-ResponseCode"), "0");
    CHECK(reply.processing && reply.done);
    CHECK_INT(reply.code, 1);
    REQUIRE(reply.extras == 4);
    CHECK_STR(reply.extra[2].name, "X-ResponseCode");
    CHECK_STR(reply.extra[3].name, "Content-Type");
    CHECK_STR(reply.extra[3].value, "text/html");
    CHECK(strstr(arena_str(w.a, reply.body), "X-ResponseCode 1: ") != NULL);
    walk_end(&w);
    stack_stop(st);
}

/* --- clients that do not wait -------------------------------------------------------------------------------------- */

static void save_and_vanish(struct walk *w, const char *subject, unsigned wait_ms)
{
    uint32_t inbox, message;
    uint16_t problems;
    struct props p = { 0 };
    struct mapic_rops r;
    const char *why = NULL;
    MUST_STEP(w, step_open_folder(&w->s, w->s.fid[4], &inbox));
    MUST_STEP(w, step_create_message(&w->s, inbox, w->s.fid[4], &message));
    props_set(w->a, &p, pv_str(PidTagSubject, subject));
    MUST_STEP(w, step_set_props(&w->s, message, &p, &problems));
    rops_init(&r, w->a);
    uint8_t index = rops_handle(&r, message);
    rops_head(&r, 0x0C, index); /* SaveChangesMessage: response index, handle index, flags */
    wr_u8(&r.list, index);
    wr_u8(&r.list, 0x0A);
    stack_arm(w->stack, 0, "rop_before:1:sleep=600");
    REQUIRE(mapic_send(&w->c, w->a, "Execute", execute_body(w, &r), NULL, &why));
    usleep(wait_ms * 1000);
    mapic_close(&w->c); /* the connection is gone while the ROP sleeps */
}

/* The ROPs run, the store commits, whoever is there to hear it or not; with an early head and without. */
TEST_LIMIT(a_vanished_client_stops_nothing, 120)
{
    struct stack *st = stack_pending();
    for (unsigned i = 0; i < 2; i++) {
        struct walk w;
        struct mapic_reply r;
        const char *subject = i == 0 ? "Vanished early" : "Vanished late";
        walk_begin(&w, st, &st->ana);
        save_and_vanish(&w, subject, i == 0 ? 20 : 300);
        usleep(1000000);
        CHECK_INT(walk_count(st, &st->ana, SF_INBOX, subject), 1);
        /* the worker is well, and so is everybody else's session */
        struct walk other;
        walk_begin(&other, st, &st->bob);
        STEP(&other, step_disconnect(&other.s));
        const char *why = NULL;
        CHECK(mapic_call(&w.c, w.a, "PING", blob_of("", 0), NULL, &r, &why));
        CHECK_INT(r.code, 0);
        walk_end(&w);
        walk_end(&other);
    }
}
