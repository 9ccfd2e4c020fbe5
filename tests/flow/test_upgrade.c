/* test_upgrade.c - workers of two releases share sessions: the newer writes what the older reads, until the layout is raised. */
#include "backend/directory/policy.h"
#include "tests/flow/walk.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The worker of a release that knows layout 1 only (make $(O)/mapihttpd-older). */
static const char *older_program(struct arena *a)
{
    struct stack st = { .a = a };
    const char *newer = stack_program(&st), *slash = strrchr(newer, '/');
    const char *older = arena_printf(a, "%.*s/mapihttpd-older", (int)(slash - newer), newer);
    return access(older, X_OK) == 0 ? older : NULL;
}

static void replace(struct stack *st, unsigned i, const char *program)
{
    stack_kill(st, i, SIGTERM);
    st->program[i] = program;
    stack_worker(st, i);
}

/* An installation that was made by the older release; worker 0 is still it, worker 1 has been upgraded. */
static struct stack *mixed(const char *older)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .created_by = older });
    replace(st, 0, older);
    return st;
}

static unsigned layout_of(struct stack *st)
{
    unsigned n = 0;
    CHECK_EC(policy_layout(st->directory, &n), ecNone);
    return n;
}

static void in_turns(struct walk *w)
{
    w->c.route = NULL;
    w->c.turns = stack_route;
    w->c.nturns = 2;
    w->c.worker[0] = '\0';
}

static void only(struct walk *w, unsigned worker)
{
    mapic_close(&w->c);
    w->c.nturns = 0;
    w->c.route = stack_route[worker];
}

static void write_one(struct walk *w, uint32_t inbox, const char *subject)
{
    uint32_t message;
    uint64_t mid;
    struct props set = { 0 };
    props_set(w->a, &set, pv_str(PidTagSubject, subject));
    MUST_STEP(w, step_create_message(&w->s, inbox, w->s.fid[SF_INBOX], &message));
    MUST_STEP(w, step_set_props(&w->s, message, &set, NULL));
    MUST_STEP(w, step_save_message(&w->s, message, 0x0A, &mid));
    MUST_STEP(w, step_release(&w->s, message));
}

/* Each row is read by another release than the one before. */
static void read_rows(struct walk *w, uint32_t inbox, unsigned n)
{
    uint32_t table, rows;
    MUST_STEP(w, step_contents(&w->s, inbox, 0, &table, &rows));
    CHECK_INT(rows, n);
    MUST_STEP(w, step_set_columns(&w->s, table, walk_columns, 4));
    for (unsigned i = 0; i <= n; i++) {
        struct propval *v;
        uint16_t got;
        MUST_STEP(w, step_query_rows(&w->s, table, true, 1, walk_columns, 4, &v, &got));
        CHECK_INT(got, i < n);
    }
    MUST_STEP(w, step_release(&w->s, table));
}

static uint32_t subscribe(struct walk *w)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h = { 0 };
    rops_init(&r, w->a);
    rops_head(&r, 0x29, rops_handle(&r, w->s.logon));
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u8(&r.list, 0x02);
    wr_u8(&r.list, 0);
    wr_u8(&r.list, 1);
    return step_run(&w->s, &r, &out, &h);
}

TEST_LIMIT(two_releases_share_sessions, 120)
{
    struct arena *a = arena_new(1 << 20);
    const char *older = older_program(a);
    if (older == NULL)
        SKIP("mapihttpd-older is not built");
    struct stack *st = mixed(older);
    struct walk w;
    uint32_t inbox;
    CHECK_INT(layout_of(st), 1);
    walk_init(&w, st, &st->ana);
    in_turns(&w);
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    for (unsigned i = 0; i < 5; i++)
        write_one(&w, inbox, arena_printf(w.a, "Mixed %u", i));
    read_rows(&w, inbox, 5);
    only(&w, 1);
    CHECK_EC(subscribe(&w), ecNotSupported); /* what the older one could not read is not begun */
    in_turns(&w);
    write_one(&w, inbox, "After that");
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, NULL), 6);
    CHECK_INT(walk_findings(st, &st->ana), 0);
    stack_stop(st);
    arena_free(a);
}

/* Output of mapictl with arguments, in the stack's configuration; *code: its exit code. */
static const char *mapictl(struct stack *st, const char *arguments, int *code)
{
    const char *worker = stack_program(st), *slash = strrchr(worker, '/');
    FILE *f = popen(arena_printf(st->a, "%.*s/mapictl --config %s/a.conf %s 2>&1", (int)(slash - worker), worker, st->dir, arguments), "r");
    REQUIRE(f != NULL);
    char *text = arena_alloc(st->a, 4096);
    text[fread(text, 1, 4095, f)] = '\0';
    int status = pclose(f);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return text;
}

static bool log_has(struct stack *st, const char *log, const char *words)
{
    char *text = arena_alloc(st->a, 262144);
    FILE *f = fopen(arena_printf(st->a, "%s/%s", st->dir, log), "r");
    REQUIRE(f != NULL);
    text[fread(text, 1, 262143, f)] = '\0';
    fclose(f);
    return strstr(text, words) != NULL;
}

/* The layout is raised though one worker is still old: it says so, its clients connect again, nothing that was written is lost. */
TEST_LIMIT(raising_the_layout, 120)
{
    struct arena *a = arena_new(1 << 20);
    const char *older = older_program(a);
    if (older == NULL)
        SKIP("mapihttpd-older is not built");
    struct stack *st = mixed(older);
    struct walk w;
    uint32_t inbox;
    int code;
    walk_init(&w, st, &st->ana);
    in_turns(&w);
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    write_one(&w, inbox, "Before");

    const char *said = mapictl(st, "--json layout show", &code);
    CHECK_INT(code, 0);
    CHECK(strstr(said, "\"written\": 1") != NULL);
    said = mapictl(st, arena_printf(a, "layout raise %d", CONTEXT_LAYOUT + 1), &code);
    CHECK_INT(code, 1);
    CHECK(strstr(said, "this release knows layouts up to") != NULL);
    mapictl(st, "layout raise", &code);
    CHECK_INT(code, 0);
    CHECK_INT(layout_of(st), CONTEXT_LAYOUT);
    said = mapictl(st, "layout raise 1", &code);
    CHECK_INT(code, 1);
    CHECK(strstr(said, "never lowered") != NULL);

    only(&w, 0);
    write_one(&w, inbox, "Still in the old layout"); /* nobody wrote a new one yet; the older goes on with its own */
    only(&w, 1);
    write_one(&w, inbox, "In the new layout");
    CHECK_EC(subscribe(&w), ecNone);
    only(&w, 0);
    uint32_t handle;
    CHECK_INT(step_open_folder(&w.s, w.s.fid[SF_INBOX], &handle), STEP_LOST);
    CHECK_INT(w.s.code, 10);
    CHECK(log_has(st, "a0.log", "a session of a newer release: this worker has not been upgraded"));

    only(&w, 1); /* as the client does: Connect with the old cookies */
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    replace(st, 0, NULL); /* upgraded */
    in_turns(&w);
    write_one(&w, inbox, "All new");
    read_rows(&w, inbox, 4);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    CHECK_INT(walk_findings(st, &st->ana), 0);
    stack_stop(st);
    arena_free(a);
}

TEST_LIMIT(a_new_installation_starts_with_the_newest_layout, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    CHECK_INT(layout_of(st), CONTEXT_LAYOUT);
    stack_stop(st);
}
