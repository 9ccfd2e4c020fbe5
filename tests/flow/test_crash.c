/* test_crash.c - a worker dies at each named place of a request that changes the mailbox; the client repeats the request: exactly once. */
#include "tests/flow/walk.h"
#include "backend/base/fault.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The save of a half-written message is sent to worker 0, which dies at `fault`; the same bytes with the same cookies go to worker 1. */
static void save_dies_at(const char *fault)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, message;
    char subject[64], arm[64];
    snprintf(subject, sizeof subject, "Dies at %s", fault);
    snprintf(arm, sizeof arm, "%s:1:kill", fault);
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message));
    struct props set = { 0 };
    props_set(w.a, &set, pv_str(PidTagSubject, subject));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));

    struct mapic_rops r;
    rops_init(&r, w.a);
    rops_head(&r, 0x0C, 0);
    wr_u8(&r.list, rops_handle(&r, message));
    wr_u8(&r.list, 0x0A);
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, 0x10008);
    struct mapic_reply reply;
    const char *why = NULL, *id = "{0f0f0f0f-2222-3333-4444-555555555555}:7";
    struct mapic_odd odd = { .request_id = id };
    stack_arm(st, 0, arm);
    mapic_close(&w.c);
    w.c.route = stack_route[0];
    char context[512], sequence[512];
    snprintf(context, sizeof context, "%s", w.c.context);
    snprintf(sequence, sizeof sequence, "%s", w.c.sequence);
    bool answered = mapic_send(&w.c, w.a, "Execute", body, &odd, &why) && mapic_recv(&w.c, w.a, &reply, &odd, &why);
    unit_check(stack_worker_ended(st, 0), __FILE__, __LINE__, "the worker died at %s", fault);
    CHECK(!answered || reply.http.status != 200 || !reply.done || reply.code != 0);

    mapic_close(&w.c);
    w.c.route = stack_route[1];
    struct mapic_odd again = { .request_id = id, .context = context, .sequence = sequence };
    REQUIRE(mapic_call(&w.c, w.a, "Execute", body, &again, &reply, &why));
    unit_int(reply.code, 0, fault, __FILE__, __LINE__);
    struct mapic_result out = { 0 };
    struct rop_head h = { 0 };
    CHECK(mapic_decode(w.a, reply.body, &out) && mapic_rop(&out, &h));
    CHECK_EC(h.ec, ecNone);
    CHECK_INT(h.id, 0x0C);
    unit_int(walk_count(st, &st->ana, SF_INBOX, subject), 1, fault, __FILE__, __LINE__);

    /* the session is whole: the next request works */
    struct propval v[1];
    uint32_t tag = PidTagSubject;
    STEP(&w, step_get_props(&w.s, message, &tag, 1, v));
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    stack_arm(st, 0, NULL);
    stack_worker(st, 0);
    CHECK_INT(walk_findings(st, &st->ana), 0);
}

/* Places that a good Execute does not pass; each has a test of its own below. */
static bool elsewhere(enum fault f)
{
    return f == FAULT_connect_created || f == FAULT_create_sent || f == FAULT_disconnect_done || f == FAULT_destroy_store || f == FAULT_recover_fenced
        || f == FAULT_book_begun || f == FAULT_book_changed || f == FAULT_book_row || f == FAULT_download_piece;
}

TEST_LIMIT(save_is_done_once_wherever_the_worker_dies, 240)
{
    for (enum fault f = 0; f < FAULT_COUNT; f++)
        if (!elsewhere(f))
            save_dies_at(fault_name(f));
}

/* The worker dies while it makes the session: nobody knows of it, the client connects again. */
static void connect_dies_at(const char *fault)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_init(&w, st, &st->bob);
    stack_arm(st, 0, fault);
    w.c.route = stack_route[0];
    CHECK(step_connect(&w.s, st->bob.dn) != ecNone);
    CHECK(stack_worker_ended(st, 0));
    mapic_close(&w.c);
    w.c.route = stack_route[1];
    MUST_STEP(&w, step_connect(&w.s, st->bob.dn));
    MUST_STEP(&w, step_logon(&w.s, st->bob.dn));
    walk_end(&w);
    stack_arm(st, 0, NULL);
    stack_worker(st, 0);
}

TEST(connect_whose_worker_dies_can_be_repeated)
{
    connect_dies_at("create_sent:1:kill");
    connect_dies_at("connect_created:1:kill");
}

/* The worker dies while it ends the session: after the repeat it is ended, and stays so. */
static void disconnect_dies_at(const char *fault)
{
    struct stack *st = stack_shared();
    struct walk w;
    char arm[64];
    walk_begin(&w, st, &st->bob);
    snprintf(arm, sizeof arm, "%s:1:kill", fault);
    stack_arm(st, 0, arm);
    mapic_close(&w.c);
    w.c.route = stack_route[0];
    CHECK_INT(step_disconnect(&w.s), STEP_LOST);
    unit_check(stack_worker_ended(st, 0), __FILE__, __LINE__, "the worker died at %s", fault);
    mapic_close(&w.c);
    w.c.route = stack_route[1];
    uint32_t ec = step_disconnect(&w.s);
    CHECK(ec == ecNone || w.s.code == 10);
    uint32_t inbox;
    CHECK_INT(step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox), STEP_LOST);
    CHECK_INT(w.s.code, 10);
    walk_end(&w);
    stack_arm(st, 0, NULL);
    stack_worker(st, 0);
}

TEST_LIMIT(disconnect_whose_worker_dies_ends_the_session, 60)
{
    disconnect_dies_at(fault_name(FAULT_destroy_store));
    disconnect_dies_at(fault_name(FAULT_disconnect_done));
}

TEST(repeat_of_an_answered_save_gets_the_same_answer)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, message;
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message));
    struct props set = { 0 };
    props_set(w.a, &set, pv_str(PidTagSubject, "Answered twice"));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));
    struct mapic_rops r;
    rops_init(&r, w.a);
    rops_head(&r, 0x0C, 0);
    wr_u8(&r.list, rops_handle(&r, message));
    wr_u8(&r.list, 0x0A);
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, 0x10008);
    struct mapic_odd odd = { .request_id = "{aaaaaaaa-2222-3333-4444-555555555555}:9", .keep_cookies = true };
    struct mapic_reply one, two;
    const char *why;
    w.c.route = stack_route[0];
    mapic_close(&w.c);
    REQUIRE(mapic_call(&w.c, w.a, "Execute", body, &odd, &one, &why));
    mapic_close(&w.c);
    w.c.route = stack_route[1];
    REQUIRE(mapic_call(&w.c, w.a, "Execute", body, &odd, &two, &why));
    CHECK_INT(one.code, 0);
    CHECK_INT(two.code, 0);
    CHECK_BLOB(two.body, one.body);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "Answered twice"), 1);
    walk_end(&w);
}

TEST(repeat_of_a_page_gives_the_same_rows)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, table, rows;
    walk_empty(st, &st->bob, SF_INBOX);
    walk_fill(st, &st->bob, SF_INBOX, "Row", 40);
    walk_begin(&w, st, &st->bob);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_contents(&w.s, inbox, 0, &table, &rows));
    MUST_STEP(&w, step_set_columns(&w.s, table, walk_columns, 4));
    struct mapic_rops r;
    rops_init(&r, w.a);
    rops_head(&r, 0x15, rops_handle(&r, table));
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 1);
    wr_u16(&r.list, 10);
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, 0x10008);
    struct mapic_odd keep = { .request_id = "{bbbbbbbb-2222-3333-4444-555555555555}:3", .keep_cookies = true };
    struct mapic_odd take = { .request_id = keep.request_id };
    struct mapic_reply one, two, three;
    const char *why;
    REQUIRE(mapic_call(&w.c, w.a, "Execute", body, &keep, &one, &why));
    stack_next_worker(&w.c);
    mapic_close(&w.c);
    REQUIRE(mapic_call(&w.c, w.a, "Execute", body, &take, &two, &why));
    CHECK_BLOB(two.body, one.body);
    take.request_id = "{bbbbbbbb-2222-3333-4444-555555555555}:4";
    REQUIRE(mapic_call(&w.c, w.a, "Execute", body, &take, &three, &why));
    CHECK_INT(three.code, 0);
    CHECK(!blob_eq(three.body, one.body)); /* the next ten rows: none skipped, none twice */
    uint32_t row, all;
    STEP(&w, step_position(&w.s, table, &row, &all));
    CHECK_INT(row, 20);
    walk_end(&w);
}

TEST_LIMIT(stopped_worker_that_wakes_up_changes_nothing, 90)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "lock_lease = 1500\n" });
    struct walk w;
    uint32_t inbox, message;
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message));
    struct props set = { 0 };
    props_set(w.a, &set, pv_str(PidTagSubject, "Overtaken"));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));
    struct mapic_rops r;
    rops_init(&r, w.a);
    rops_head(&r, 0x0C, 0);
    wr_u8(&r.list, rops_handle(&r, message));
    wr_u8(&r.list, 0x0A);
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, 0x10008);
    struct mapic_odd odd = { .request_id = "{cccccccc-2222-3333-4444-555555555555}:1", .keep_cookies = true };
    struct mapic_reply reply;
    const char *why;
    stack_arm(st, 0, "begin_done:1:stop"); /* not inside its write transaction: SQLite's lock would keep every other writer out until it goes on */
    struct mapic first = w.c;
    first.conn = NULL;
    first.route = stack_route[0];
    REQUIRE(mapic_send(&first, w.a, "Execute", body, &odd, &why));
    usleep(300000);
    struct mapic second = w.c;
    second.conn = NULL;
    second.route = stack_route[1];
    second.timeout_ms = 20000;
    REQUIRE(mapic_call(&second, w.a, "Execute", body, &odd, &reply, &why)); /* waits for the lease, takes over */
    unit_check(reply.code == 0, __FILE__, __LINE__, "X-ResponseCode %d: %.200s", reply.code, arena_str(w.a, reply.body));
    stack_kill(st, 0, SIGCONT);
    usleep(800000);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "Overtaken"), 1);
    CHECK_INT(walk_findings(st, &st->ana), 0);
    mapic_close(&first);
    mapic_close(&second);
    walk_end(&w);
    stack_stop(st);
}
