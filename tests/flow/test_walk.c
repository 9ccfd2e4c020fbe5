/* test_walk.c - one client through all of the house: log on, list, write, lose the worker, go on, read back. */
#include "tests/flow/walk.h"
#include <signal.h>
#include <stdio.h>

static void expect_page(struct walk *w, uint32_t table, unsigned from, unsigned n, const char *prefix)
{
    struct propval *rows;
    uint16_t got = 0;
    char want[64];
    MUST_STEP(w, step_query_rows(&w->s, table, true, (uint16_t)n, walk_columns, 4, &rows, &got));
    CHECK_INT(got, n);
    for (unsigned i = 0; i < got; i++) {
        snprintf(want, sizeof want, "%s %03u", prefix, from + i);
        CHECK_BLOB(rows[i * 4].v.s, blob_str(want));
    }
}

TEST(session_goes_on_when_its_worker_is_killed)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, table, rows, message;
    uint64_t mid;
    walk_empty(st, &st->ana, SF_INBOX);
    walk_fill(st, &st->ana, SF_INBOX, "Row", 120);
    walk_init(&w, st, &st->ana);
    w.c.route = stack_route[0];
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_contents(&w.s, inbox, 0, &table, &rows));
    CHECK_INT(rows, 120);
    MUST_STEP(&w, step_set_columns(&w.s, table, walk_columns, 4));
    MUST_STEP(&w, step_sort(&w.s, table, PidTagNormalizedSubject, 0));
    expect_page(&w, table, 0, 50, "Row");
    MUST_STEP(&w, step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message));
    struct props set = { 0 };
    props_set(w.a, &set, pv_str(PidTagSubject, "Half written"));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));
    CHECK_STR(w.c.worker, "a0");

    stack_kill(st, 0, SIGKILL);
    w.c.route = stack_route[1];
    expect_page(&w, table, 50, 50, "Row");
    CHECK_STR(w.c.worker, "b0");
    set = (struct props){ 0 };
    props_set(w.a, &set, pv_str(PidTagBody, "Finished elsewhere"));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));
    MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "Half written"), 1);

    uint32_t again, tags[] = { PidTagSubject, PidTagBody };
    struct propval v[2];
    MUST_STEP(&w, step_open_message(&w.s, w.s.fid[SF_INBOX], mid, 0, &again));
    MUST_STEP(&w, step_get_props(&w.s, again, tags, 2, v));
    CHECK_BLOB(v[0].v.s, blob_str("Half written"));
    CHECK_BLOB(v[1].v.s, blob_str("Finished elsewhere"));
    STEP(&w, step_disconnect(&w.s));
    CHECK_INT(step_release(&w.s, again), STEP_LOST);
    CHECK_INT(w.s.code, 10);
    walk_end(&w);
    stack_worker(st, 0);
    CHECK_INT(walk_findings(st, &st->ana), 0);
}

/* Every request of the session goes to another process than the one before, and each answer says so. */
static char last_worker[64];
static unsigned hops;
static void hop(struct mapic *c)
{
    if (c->worker[0] != '\0') {
        CHECK(strcmp(c->worker, last_worker) != 0);
        snprintf(last_worker, sizeof last_worker, "%s", c->worker);
        hops++;
    }
    stack_next_worker(c);
}

TEST_LIMIT(amnesia_no_worker_serves_two_requests_in_a_row, 120)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t inbox, table, rows, message, stream, size, attachment, num;
    uint64_t mid;
    walk_empty(st, &st->bob, SF_INBOX);
    walk_fill(st, &st->bob, SF_INBOX, "Row", 130);
    walk_init(&w, st, &st->bob);
    last_worker[0] = '\0';
    hops = 0;
    w.s.before = hop;
    MUST_STEP(&w, step_connect(&w.s, st->bob.dn));
    MUST_STEP(&w, step_logon(&w.s, st->bob.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_contents(&w.s, inbox, 0, &table, &rows));
    MUST_STEP(&w, step_set_columns(&w.s, table, walk_columns, 4));
    MUST_STEP(&w, step_sort(&w.s, table, PidTagNormalizedSubject, 0));
    for (unsigned at = 0; at < 130; at += 13)
        expect_page(&w, table, at, 13, "Row");

    MUST_STEP(&w, step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message));
    struct props set = { 0 };
    props_set(w.a, &set, pv_str(PidTagSubject, "Amnesia"));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, NULL));
    MUST_STEP(&w, step_create_attachment(&w.s, message, &attachment, &num));
    MUST_STEP(&w, step_open_stream(&w.s, attachment, PidTagAttachDataBinary, 2, &stream, &size));
    uint8_t *big = arena_alloc(w.a, 600000);
    for (size_t i = 0; i < 600000; i++)
        big[i] = (uint8_t)(i * 31 + (i >> 8));
    for (size_t at = 0; at < 600000; at += 30000) {
        uint16_t written = 0;
        MUST_STEP(&w, step_write_stream(&w.s, stream, blob_of(big + at, 30000), &written));
        CHECK_INT(written, 30000);
    }
    MUST_STEP(&w, step_commit_stream(&w.s, stream));
    set = (struct props){ 0 };
    props_set(w.a, &set, pv_str(PidTagAttachLongFilename, "big.bin"));
    props_set(w.a, &set, pv_i32(PidTagAttachMethod, 1));
    MUST_STEP(&w, step_set_props(&w.s, attachment, &set, NULL));
    MUST_STEP(&w, step_save_attachment(&w.s, message, attachment));
    MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));

    /* read it back, still hopping */
    uint32_t again;
    MUST_STEP(&w, step_open_message(&w.s, w.s.fid[SF_INBOX], mid, 0, &again));
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w.a);
    rops_head(&r, 0x22, rops_handle(&r, again));
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 0);
    wr_u32(&r.list, num);
    MUST_STEP(&w, step_run(&w.s, &r, &out, &h));
    MUST_STEP(&w, step_open_stream(&w.s, out.handle[1], PidTagAttachDataBinary, 0, &stream, &size));
    CHECK_INT(size, 600000);
    for (size_t at = 0; at < 600000; at += 30000) {
        struct blob piece;
        MUST_STEP(&w, step_read_stream(&w.s, stream, 30000, &piece));
        CHECK_BLOB(piece, blob_of(big + at, 30000));
    }
    STEP(&w, step_disconnect(&w.s));
    CHECK(hops > 60);
    walk_end(&w);
    CHECK_INT(walk_findings(st, &st->bob), 0);
}
