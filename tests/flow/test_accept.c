/* test_accept.c - a session under bad luck: a repeat that comes too early, Redis without memory or asleep, a mailbox file that is gone or damaged. */
#include "backend/base/filetime.h"
#include "backend/base/redis.h"
#include "tests/flow/walk.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct blob save_body(struct walk *w, struct mapic_rops *r, uint32_t message)
{
    rops_init(r, w->a);
    rops_head(r, 0x0C, 0);
    wr_u8(&r->list, rops_handle(r, message));
    wr_u8(&r->list, 0x0A);
    return mapic_execute_body(w->a, rops_buffer(r), 3, 0x10008);
}

static uint32_t begin_message(struct walk *w, const char *subject)
{
    uint32_t inbox, message;
    struct props p = { 0 };
    MUST_STEP(w, step_open_folder(&w->s, w->s.fid[SF_INBOX], &inbox));
    MUST_STEP(w, step_create_message(&w->s, inbox, w->s.fid[SF_INBOX], &message));
    props_set(w->a, &p, pv_str(PidTagSubject, subject));
    MUST_STEP(w, step_set_props(&w->s, message, &p, NULL));
    return message;
}

/* --- the same request again while it runs ------------------------------------------------------------------------------- */
struct sent { struct mapic c; struct arena *a; struct blob body, answer; int code; uint64_t ended; };

static void *send_it(void *ptr)
{
    struct sent *x = ptr;
    struct mapic_odd odd = { .request_id = "{11111111-2222-3333-4444-555555555555}:900", .keep_cookies = true };
    struct mapic_reply reply;
    const char *why = NULL;
    x->code = mapic_call(&x->c, x->a, "Execute", x->body, &odd, &reply, &why) ? reply.code : -2;
    x->answer = reply.body;
    x->ended = clock_ms();
    mapic_close(&x->c);
    return NULL;
}

/* The client lost its connection and repeats the request on another worker while the first still works: it waits, and gets the one answer. */
TEST_LIMIT(repeat_while_the_first_still_runs_gets_its_answer, 60)
{
    struct stack *st = stack_shared();
    struct walk w;
    struct mapic_rops r;
    struct sent x[2];
    pthread_t t[2];
    walk_begin(&w, st, &st->ana);
    struct blob body = save_body(&w, &r, begin_message(&w, "Repeated too early"));
    mapic_close(&w.c);
    stack_arm(st, 0, "rop_before:1:sleep=1500");
    uint64_t began = clock_ms();
    for (int i = 0; i < 2; i++) {
        x[i] = (struct sent){ .c = w.c, .a = arena_new(1 << 24), .body = body };
        x[i].c.route = stack_route[i];
        REQUIRE(pthread_create(&t[i], NULL, send_it, &x[i]) == 0);
        usleep(300000);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
        CHECK_INT(x[i].code, 0);
        CHECK(x[i].ended - began >= 1400);
    }
    CHECK_BLOB(x[1].answer, x[0].answer);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "Repeated too early"), 1);
    stack_arm(st, 0, NULL);
    arena_free(x[0].a);
    arena_free(x[1].a);
    walk_end(&w);
}

/* --- Redis -------------------------------------------------------------------------------------------------------------- */
static void set_maxmemory(struct stack *st, const char *bytes)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = stack_redis(st);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    struct blob words[] = { blob_str("CONFIG"), blob_str("SET"), blob_str("maxmemory"), blob_str(bytes) };
    REQUIRE(c != NULL && redis_cmd(c, 4, words, &v) == REDIS_DONE);
    arena_free(a);
    redis_free(r);
}

/* What needs memory fails with a code and changes nothing, what was committed was a success, and the next request finds the session at once. */
TEST_LIMIT(redis_without_memory_costs_no_session, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .as_deployed = true });
    struct walk w, other;
    uint32_t inbox, handle, tag = PidTagSubject;
    uint64_t mid;
    struct propval v[1];
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    uint32_t message = begin_message(&w, "Without memory");
    walk_init(&other, st, &st->bob);
    set_maxmemory(st, "1");
    CHECK_INT(step_connect(&other.s, st->bob.dn), STEP_LOST);
    CHECK_INT(other.s.code, 1);
    CHECK_INT(step_open_folder(&w.s, w.s.fid[SF_OUTBOX], &handle), STEP_LOST);
    CHECK_INT(w.s.code, 1);
    STEP(&w, step_get_props(&w.s, message, &tag, 1, v)); /* reading goes on */
    uint32_t ec = step_save_message(&w.s, message, 0x0A, &mid);
    set_maxmemory(st, "0");
    uint64_t began = clock_ms();
    if (ec == STEP_LOST)
        MUST_STEP(&w, step_save_message(&w.s, message, 0x0A, &mid));
    STEP(&w, step_get_props(&w.s, message, &tag, 1, v));
    CHECK(clock_ms() - began < 3000); /* not the lease's 10 s */
    STEP(&w, step_open_folder(&w.s, w.s.fid[SF_OUTBOX], &handle));
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, "Without memory"), 1);
    STEP(&other, step_connect(&other.s, st->bob.dn));
    walk_end(&w);
    walk_end(&other);
    stack_stop(st);
}

/* --- the mailbox file ---------------------------------------------------------------------------------------------------- */
static const char *file_of(struct stack *st, const struct person *who)
{
    char guid[GUID_TEXT];
    guid_text(&who->mailbox, guid);
    return arena_printf(st->a, "%s/%.2s/%s.db", st->config->store, guid, guid);
}

static void move_files(struct stack *st, const char *path, const char *from, const char *to)
{
    static const char *const parts[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < 3; i++)
        rename(arena_printf(st->a, "%s%s%s", path, parts[i], from), arena_printf(st->a, "%s%s%s", path, parts[i], to));
}

static bool log_has(struct stack *st, const char *worker, const char *text)
{
    static char all[1 << 20];
    FILE *f = fopen(arena_printf(st->a, "%s/%s.log", st->dir, worker), "r");
    size_t n = f != NULL ? fread(all, 1, sizeof all - 1, f) : 0;
    all[n] = '\0';
    if (f != NULL)
        fclose(f);
    return strstr(all, text) != NULL;
}

/* A mailbox that is away answers so, others do not notice, and it is there again when its file is. */
TEST_LIMIT(mailbox_file_that_is_gone_and_comes_back, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w, other;
    uint32_t inbox;
    const char *path = file_of(st, &st->bob);
    walk_begin(&w, st, &st->bob);
    walk_begin(&other, st, &st->ana);
    REQUIRE(access(path, F_OK) == 0);
    move_files(st, path, "", ".away");
    uint32_t ec = step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox);
    CHECK(ec != ecNone && (ec != STEP_LOST || w.s.code == 1));
    STEP(&other, step_open_folder(&other.s, other.s.fid[SF_INBOX], &inbox));
    MUST_STEP(&w, step_connect(&w.s, st->bob.dn));
    CHECK(step_logon(&w.s, st->bob.dn) != ecNone);
    CHECK(access(path, F_OK) != 0); /* nobody made an empty one */
    CHECK(log_has(st, "a0", "a mailbox has no file") || log_has(st, "b0", "a mailbox has no file"));
    move_files(st, path, ".away", "");
    MUST_STEP(&w, step_logon(&w.s, st->bob.dn));
    STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    CHECK_INT(walk_findings(st, &st->bob), 0);
    walk_end(&w);
    walk_end(&other);
    stack_stop(st);
}

TEST_LIMIT(mailbox_file_full_of_garbage, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w, other;
    uint32_t inbox;
    const char *path = file_of(st, &st->bob);
    stack_kill(st, 0, SIGTERM);
    stack_kill(st, 1, SIGTERM);
    move_files(st, path, "", ".away");
    FILE *f = fopen(path, "wb");
    REQUIRE(f != NULL);
    for (unsigned i = 0; i < 100000; i++)
        fputc((int)(i * i >> 3) & 0xFF, f);
    REQUIRE(fclose(f) == 0);
    stack_worker(st, 0);
    stack_worker(st, 1);
    walk_init(&w, st, &st->bob);
    MUST_STEP(&w, step_connect(&w.s, st->bob.dn));
    CHECK(step_logon(&w.s, st->bob.dn) != ecNone);
    walk_begin(&other, st, &st->ana);
    STEP(&other, step_open_folder(&other.s, other.s.fid[SF_INBOX], &inbox));
    for (unsigned i = 0; i < 2; i++)
        CHECK(kill(st->worker[i], 0) == 0);
    walk_end(&w);
    walk_end(&other);
    stack_stop(st);
}
