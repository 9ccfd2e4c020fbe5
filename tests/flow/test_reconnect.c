/* test_reconnect.c - Connect with the cookies of an older session, whatever became of it: MS-OXCMAPIHTTP 3.1.5.7, 3.2.5.6 (R1277-R1280, R1329, R1195). */
#include "tests/flow/waiter.h"
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

enum { LARGE = 100000 };

static struct mapic_reply send(struct mapic *c, struct arena *a, const char *type, const char *dn, const struct mapic_odd *odd)
{
    struct mapic_rops r;
    struct mapic_reply reply = { .code = -2 };
    const char *why = NULL;
    rops_init(&r, a);
    struct blob body = strcmp(type, "Execute") == 0 ? mapic_execute_body(a, rops_buffer(&r), 3, 0x10008) : mapic_connect_body(a, dn);
    if (!mapic_call(c, a, type, body, odd, &reply, &why))
        fprintf(stderr, "%s: %s\n", type, why);
    return reply;
}

static int execute(struct walk *w, const struct mapic_odd *odd) { return send(&w->c, w->a, "Execute", NULL, odd).code; }

/* Rows in the staging area of ana's mailbox file. */
static int staged(struct stack *st)
{
    char guid[GUID_TEXT];
    sqlite3 *db;
    sqlite3_stmt *q = NULL;
    int n = -1;
    guid_text(&st->ana.mailbox, guid);
    REQUIRE(sqlite3_open(arena_printf(st->a, "%s/%.2s/%s.db", st->config->store, guid, guid), &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM stage", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        n = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static int64_t keys(struct stack *st)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = stack_redis(st);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v = { 0 };
    struct blob cmd[] = { blob_str("KEYS"), blob_str("mapi:{*}") };
    CHECK(c != NULL && redis_cmd(c, 2, cmd, &v) == REDIS_DONE);
    arena_free(a);
    redis_free(r);
    return (int64_t)v.n;
}

/* A draft with a body of LARGE bytes that is not saved: its bytes wait in the staging area. */
static void stage_something(struct walk *w)
{
    uint32_t message, stream, size;
    uint16_t written;
    uint8_t *bytes = arena_alloc(w->a, LARGE);
    uint32_t inbox;
    MUST_STEP(w, step_open_folder(&w->s, w->s.fid[SF_INBOX], &inbox));
    MUST_STEP(w, step_create_message(&w->s, inbox, w->s.fid[SF_INBOX], &message));
    MUST_STEP(w, step_open_stream(&w->s, message, PidTagBody, 2, &stream, &size));
    for (size_t at = 0; at < LARGE; at += 25000)
        MUST_STEP(w, step_write_stream(&w->s, stream, blob_of(bytes, 25000), &written));
}

TEST(a_live_session_is_destroyed_with_its_staged_bytes)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w;
    walk_begin(&w, st, &st->ana);
    stage_something(&w);
    CHECK(staged(st) > 0);
    CHECK_INT(keys(st), 1);
    struct mapic old = w.c;
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    CHECK(strcmp(old.context, w.c.context) != 0);
    CHECK(strcmp(old.sequence, w.c.sequence) != 0);
    CHECK_INT(staged(st), 0);
    CHECK_INT(keys(st), 1);
    CHECK_INT(execute(&w, &(struct mapic_odd){ .context = old.context, .sequence = old.sequence, .keep_cookies = true }), 10);
    CHECK_INT(execute(&w, NULL), 0);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, NULL), 0);
    CHECK_INT(walk_findings(st, &st->ana), 0);
    walk_end(&w);
    stack_stop(st);
}

/* The sequence cookie is neither needed nor looked at. */
TEST(the_sequence_cookie_is_ignored)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w, other;
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    char foreign[512], old[512];
    snprintf(foreign, sizeof foreign, "%s", other.c.sequence);
    snprintf(old, sizeof old, "%s", w.c.sequence);
    CHECK_INT(execute(&w, NULL), 0);
    const char *sequence[] = { "", "garbage", foreign, old };
    for (size_t i = 0; i < 4; i++) {
        char was[512];
        snprintf(was, sizeof was, "%s", w.c.context);
        unit_int(send(&w.c, w.a, "Connect", st->ana.dn, &(struct mapic_odd){ .sequence = sequence[i] }).code, 0, "Connect", __FILE__, __LINE__);
        CHECK(strcmp(was, w.c.context) != 0);
        CHECK_INT(execute(&w, NULL), 0);
        CHECK_INT(keys(st), 2); /* each replaced the one before */
    }
    CHECK_INT(execute(&other, NULL), 0);
    walk_end(&w);
    walk_end(&other);
    stack_stop(st);
}

/* Somebody else's session is not ended by naming it, and the Connect is no worse for it. */
TEST(a_foreign_session_stays)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk ana, bob;
    walk_begin(&ana, st, &st->ana);
    walk_init(&bob, st, &st->bob);
    stage_something(&ana);
    int rows = staged(st);
    struct mapic_odd odd = { .context = ana.c.context, .sequence = ana.c.sequence };
    CHECK_INT(send(&bob.c, bob.a, "Connect", st->bob.dn, &odd).code, 0);
    CHECK(strcmp(ana.c.context, bob.c.context) != 0);
    CHECK_INT(keys(st), 2);
    CHECK_INT(staged(st), rows);
    CHECK_INT(execute(&ana, NULL), 0);
    CHECK_INT(execute(&bob, NULL), 0);
    walk_end(&ana);
    walk_end(&bob);
    stack_stop(st);
}

TEST(what_is_no_cookie_of_ours_is_no_error)
{
    struct stack *st = stack_shared();
    struct walk w;
    walk_begin(&w, st, &st->ana);
    char bent[512], cut[512];
    snprintf(bent, sizeof bent, "%s", w.c.context);
    bent[5] = bent[5] == 'A' ? 'B' : 'A';
    snprintf(cut, sizeof cut, "%.*s", (int)strlen(w.c.context) / 2, w.c.context);
    const char *context[] = { bent, cut, "Invalid cookie", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    for (size_t i = 0; i < 5; i++) {
        struct mapic c = w.c;
        c.conn = NULL;
        unit_int(send(&c, w.a, "Connect", st->ana.dn, &(struct mapic_odd){ .context = context[i], .sequence = context[i] }).code, 0, context[i], __FILE__, __LINE__);
        CHECK_INT(send(&c, w.a, "Execute", NULL, NULL).code, 0);
        mapic_close(&c);
    }
    CHECK_INT(execute(&w, NULL), 0); /* none of them named this one */
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

TEST(an_expired_or_ended_session_is_no_error)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "session_retention = 1\n" });
    struct walk w;
    walk_begin(&w, st, &st->ana);
    char context[512], sequence[512];
    for (int i = 0; i < 300 && keys(st) != 0; i++)
        usleep(10000);
    CHECK_INT(keys(st), 0);
    CHECK_INT(send(&w.c, w.a, "Connect", st->ana.dn, NULL).code, 0);
    CHECK_INT(execute(&w, NULL), 0);
    snprintf(context, sizeof context, "%s", w.c.context);
    snprintf(sequence, sizeof sequence, "%s", w.c.sequence);
    STEP(&w, step_disconnect(&w.s));
    CHECK_INT(send(&w.c, w.a, "Connect", st->ana.dn, &(struct mapic_odd){ .context = context, .sequence = sequence }).code, 0);
    CHECK_INT(execute(&w, NULL), 0);
    walk_end(&w);
    stack_stop(st);
}

/* --- while something of the old session still runs ------------------------------------------------------------------------------------------- */

struct running { struct mapic c; struct walk *w; uint32_t message; int code; uint32_t ec; };
static void *save(void *p)
{
    struct running *x = p;
    struct arena *a = arena_new(1 << 24);
    struct steps s = x->w->s;
    uint64_t mid;
    s.c = &x->c;
    s.a = a;
    x->ec = step_save_message(&s, x->message, 0x0A, &mid);
    x->code = s.code;
    arena_free(a);
    return NULL;
}

/* The client gave a request up and connects anew while a worker still has it: it comes to nothing, since its context is gone. */
TEST(a_request_of_the_old_session_comes_to_nothing)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w;
    struct running x = { .w = &w };
    uint32_t inbox;
    pthread_t t;
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &x.message));
    stack_arm(st, 0, "begin_done:1:sleep=1500");
    x.c = w.c;
    x.c.conn = NULL;
    x.c.turns = NULL;
    x.c.route = stack_route[0];
    pthread_create(&t, NULL, save, &x);
    usleep(400000);
    w.c.route = stack_route[1];
    CHECK_INT(send(&w.c, w.a, "Connect", st->ana.dn, NULL).code, 0);
    pthread_join(t, NULL);
    CHECK(x.ec != ecNone);
    unit_check(x.code == 10 || x.code == 15, __FILE__, __LINE__, "the overtaken request got code %d", x.code);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, NULL), 0);
    CHECK_INT(keys(st), 1);
    CHECK_INT(execute(&w, NULL), 0);
    stack_arm(st, 0, NULL);
    mapic_close(&x.c);
    walk_end(&w);
    stack_stop(st);
}

/* The wait of the old session ends with it, on whatever worker it is parked (MS-OXCMAPIHTTP R1277); the new session's own is another one. */
TEST(a_parked_wait_of_the_old_session_ends)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "pending_period = 60000\n" });
    struct walk w;
    struct waiter old = { 0 }, new = { 0 };
    walk_begin(&w, st, &st->ana);
    waiter_start(&old, &w.c, stack_route[1]);
    REQUIRE(waiter_processing(&old));
    w.c.route = stack_route[0];
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    waiter_end(&old);
    CHECK_INT(old.r.code, 10);
    waiter_start(&new, &w.c, stack_route[1]);
    REQUIRE(waiter_processing(&new));
    CHECK(waiter_waits(&new, 100));
    CHECK_INT(execute(&w, NULL), 0);
    waiter_break(&new);
    waiter_free(&old);
    waiter_free(&new);
    walk_end(&w);
    stack_stop(st);
}
