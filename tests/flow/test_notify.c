/* test_notify.c - notifications through nginx, workers on two hosts and Redis: registered on one worker, caused on another, told on a third; none lost, none
 * twice, whoever dies. MS-OXCNOTIF. */
#include "backend/base/fault.h"
#include "backend/store/event.h"
#include "tests/client/notes.h"
#include "tests/flow/walk.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CREATED = 0x04, DELETED = 0x08, MODIFIED = 0x10, MOVED = 0x20, COPIED = 0x40, NEW_MAIL = 0x02, OUT_MAX = 0x10008 };
static const uint32_t columns[] = { PidTagMid, PidTagSubject };
static const struct actor owner = { ACTOR_OWNER, "" };

/* --- somebody else, by the store or by a session of his own -------------------------------------------------------------------------------- */
static uint64_t make_folder(struct stack *st, const char *name)
{
    struct arena *a = arena_new(1 << 28);
    struct mailbox *m;
    uint64_t fid;
    bool existed;
    REQUIRE_EC(mailbox_open(st->store, a, &st->ana.mailbox, &owner, &m), ecNone);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(folder_create(m, mailbox_info(m)->fid[SF_IPM_SUBTREE], name, NULL, false, true, &fid, &existed), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    return id_wire(REPLID_OWN, fid);
}

static uint64_t save(struct walk *w, uint64_t fid, const char *subject)
{
    uint32_t folder, message;
    uint64_t mid = 0;
    struct props set = { 0 };
    props_set(w->a, &set, pv_str(PidTagSubject, subject));
    MUST_STEP(w, step_open_folder(&w->s, fid, &folder));
    MUST_STEP(w, step_create_message(&w->s, folder, fid, &message));
    MUST_STEP(w, step_set_props(&w->s, message, &set, NULL));
    MUST_STEP(w, step_save_message(&w->s, message, 0x0A, &mid));
    MUST_STEP(w, step_release(&w->s, message));
    MUST_STEP(w, step_release(&w->s, folder));
    return mid;
}

static const struct notify_data *nth(const struct client_notes *n, size_t i)
{
    static const struct notify_data none;
    const struct client_note *c = n->first;
    while (c != NULL && i-- > 0)
        c = c->next;
    return c != NULL ? &c->data : &none;
}

static struct client_notes collect(struct walk *w)
{
    struct client_notes n = { 0 };
    MUST_STEP(w, step_collect_all(&w->s, OUT_MAX, &n));
    return n;
}

static uint32_t table_of(struct walk *w, uint64_t fid)
{
    uint32_t folder, table, rows, row;
    MUST_STEP(w, step_open_folder(&w->s, fid, &folder));
    MUST_STEP(w, step_contents(&w->s, folder, 0, &table, &rows));
    MUST_STEP(w, step_set_columns(&w->s, table, columns, 2));
    MUST_STEP(w, step_sort(&w->s, table, PidTagSubject, 0));
    MUST_STEP(w, step_position(&w->s, table, &row, &rows));
    return table;
}

/* --- three workers ----------------------------------------------------------------------------------------------------------------------------- */

TEST(registered_here_caused_there_told_elsewhere)
{
    struct stack *st = stack_shared();
    struct walk w, other;
    uint32_t sub, folder, drafts;
    uint64_t fid = make_folder(st, "Three workers");
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    w.c.route = stack_route[0];
    MUST_STEP(&w, step_register(&w.s, 0x7E, fid, 0, &sub));
    uint32_t table = table_of(&w, fid);
    w.c.route = stack_route[2];
    other.c.route = stack_route[1];
    uint64_t b = save(&other, fid, "b"), a = save(&other, fid, "a");
    struct client_notes n = collect(&w);
    CHECK_INT(n.n, 6);
    CHECK(nth(&n, 0)->handle == sub && nth(&n, 0)->flags == (CREATED | NOTIFY_M) && nth(&n, 0)->fid == fid && nth(&n, 0)->mid == b);
    CHECK(nth(&n, 1)->handle == sub && nth(&n, 1)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U) && nth(&n, 1)->total == 1);
    CHECK(nth(&n, 2)->handle == table && nth(&n, 2)->table_event == TABLE_ROW_ADDED && nth(&n, 2)->row.mid == b && nth(&n, 2)->after.mid == 0);
    CHECK(nth(&n, 5)->handle == table && nth(&n, 5)->table_event == TABLE_ROW_ADDED && nth(&n, 5)->row.mid == a && nth(&n, 5)->after.mid == 0);
    MUST_STEP(&other, step_open_folder(&other.s, fid, &folder));
    MUST_STEP(&other, step_open_folder(&other.s, other.s.fid[SF_DELETED_ITEMS], &drafts));
    MUST_STEP(&other, step_move_messages(&other.s, folder, drafts, &a, 1, false));
    MUST_STEP(&other, step_delete_messages(&other.s, folder, &b, 1, true));
    w.c.route = stack_route[3];
    n = collect(&w);
    CHECK_INT(n.n, 6);
    CHECK(nth(&n, 0)->flags == (MOVED | NOTIFY_M) && nth(&n, 0)->old_fid == fid && nth(&n, 0)->old_mid == a && nth(&n, 0)->fid == other.s.fid[SF_DELETED_ITEMS]);
    CHECK(nth(&n, 1)->handle == table && nth(&n, 1)->table_event == TABLE_ROW_DELETED && nth(&n, 1)->row.mid == a);
    w.c.route = stack_route[0];
    CHECK_INT(collect(&w).n, 0);
    STEP(&w, step_disconnect(&w.s));
    STEP(&other, step_disconnect(&other.s));
    walk_end(&w);
    walk_end(&other);
}

/* --- an answer that is lost, a worker that dies ---------------------------------------------------------------------------------------------------- */

/* The request of `body` with these cookies once more. */
static bool repeat(struct walk *w, struct blob body, const char *id, const char *context, const char *sequence, struct client_notes *out, bool answers)
{
    struct mapic_reply reply;
    struct mapic_result got = { .error = UINT32_MAX };
    struct rop_head h;
    const char *why = NULL;
    struct mapic_odd odd = { .request_id = id, .context = context, .sequence = sequence };
    *out = (struct client_notes){ 0 };
    if (!mapic_call(&w->c, w->a, "Execute", body, &odd, &reply, &why) || reply.code != 0 || !mapic_decode(w->a, reply.body, &got) || got.error != ecNone)
        return false;
    if (answers && (!mapic_rop(&got, &h) || h.ec != ecNone))
        return false;
    if (answers) /* of RopSaveChangesMessage: handle index and message id */
        rd_blob(&got.rops, 9);
    return client_notes_read(w->a, &got.rops, out);
}

static void note_cookies(const struct walk *w, char context[512], char sequence[512])
{
    snprintf(context, 512, "%s", w->c.context);
    snprintf(sequence, 512, "%s", w->c.sequence);
}

/* The same request is told the same, and what happened meanwhile; the next one nothing of it again. */
TEST(an_answer_that_is_lost_is_told_again)
{
    struct stack *st = stack_shared();
    struct walk w, other;
    char context[512], sequence[512];
    const char *id = "{0f0f0f0f-2222-3333-4444-555555555555}:70";
    uint32_t sub;
    uint64_t fid = make_folder(st, "Lost answers");
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    MUST_STEP(&w, step_register(&w.s, CREATED, fid, 0, &sub));
    uint64_t first = save(&other, fid, "first"), second;
    struct mapic_rops r;
    rops_init(&r, w.a);
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, OUT_MAX);
    struct client_notes n;
    note_cookies(&w, context, sequence);
    REQUIRE(repeat(&w, body, id, context, sequence, &n, false));
    CHECK(n.n == 1 && nth(&n, 0)->mid == first);
    second = save(&other, fid, "second");
    w.c.route = stack_route[3];
    REQUIRE(repeat(&w, body, id, context, sequence, &n, false));
    CHECK(n.n == 2 && nth(&n, 0)->mid == first && nth(&n, 1)->mid == second);
    CHECK_INT(collect(&w).n, 0);
    walk_end(&w);
    walk_end(&other);
}

/* A worker dies at `fault` while it tells: empty Execute, or one that saves a message (the answer then comes from the journal). */
static void teller_dies_at(enum fault fault, bool saves)
{
    struct stack *st = stack_shared();
    struct walk w, other;
    char context[512], sequence[512], arm[64];
    const char *id = "{0f0f0f0f-2222-3333-4444-555555555555}:71", *why = NULL;
    uint32_t sub, folder, message;
    uint64_t fid = make_folder(st, "Dying tellers");
    snprintf(arm, sizeof arm, "%s:1:kill", fault_name(fault));
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    w.c.route = other.c.route = stack_route[1];
    MUST_STEP(&w, step_register(&w.s, CREATED, fid, 0, &sub));
    MUST_STEP(&w, step_open_folder(&w.s, fid, &folder));
    MUST_STEP(&w, step_create_message(&w.s, folder, fid, &message));
    uint64_t first = save(&other, fid, "first");
    struct mapic_rops r;
    rops_init(&r, w.a);
    if (saves) {
        rops_head(&r, 0x0C, 0);
        wr_u8(&r.list, rops_handle(&r, message));
        wr_u8(&r.list, 0x0A);
    }
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, OUT_MAX);
    struct mapic_odd odd = { .request_id = id };
    struct mapic_reply reply;
    struct client_notes n = { 0 };
    stack_arm(st, 0, arm);
    mapic_close(&w.c);
    w.c.route = stack_route[0];
    note_cookies(&w, context, sequence);
    bool answered = mapic_send(&w.c, w.a, "Execute", body, &odd, &why) && mapic_recv(&w.c, w.a, &reply, &odd, &why);
    unit_check(stack_worker_ended(st, 0), __FILE__, __LINE__, "the worker died at %s", fault_name(fault));
    CHECK(!answered || reply.http.status != 200 || !reply.done || reply.code != 0);
    mapic_close(&w.c);
    w.c.route = stack_route[1];
    unit_check(repeat(&w, body, id, context, sequence, &n, saves), __FILE__, __LINE__, "the repeat after %s", fault_name(fault));
    unit_check(n.n == (saves ? 2 : 1) && nth(&n, 0)->mid == first, __FILE__, __LINE__, "%zu told after %s", n.n, fault_name(fault));
    unit_check(collect(&w).n == 0, __FILE__, __LINE__, "told again after %s", fault_name(fault));
    uint64_t next = save(&other, fid, "next");
    n = collect(&w);
    unit_check(n.n == 1 && nth(&n, 0)->mid == next, __FILE__, __LINE__, "told after %s", fault_name(fault));
    walk_end(&w);
    walk_end(&other);
    stack_arm(st, 0, NULL);
    stack_worker(st, 0);
}

TEST_LIMIT(whoever_dies_is_told_for_once, 240)
{
    static const enum fault of_redis[] = { FAULT_begin_sent, FAULT_begin_done, FAULT_commit_before, FAULT_commit_sent, FAULT_commit_redis, FAULT_answer_half };
    static const enum fault of_store[] = { FAULT_rop_before, FAULT_rop_after, FAULT_commit_before, FAULT_commit_journal, FAULT_commit_store, FAULT_commit_sent,
                                           FAULT_commit_redis, FAULT_answer_half };
    for (size_t i = 0; i < sizeof of_redis / sizeof *of_redis; i++)
        teller_dies_at(of_redis[i], false);
    for (size_t i = 0; i < sizeof of_store / sizeof *of_store; i++)
        teller_dies_at(of_store[i], true);
}

/* --- many at once ------------------------------------------------------------------------------------------------------------------------------------- */
enum { WRITERS = 3, EACH = 40 };
struct writer { struct stack *st; uint64_t fid, mid[EACH]; const char *route; pthread_t thread; };

static void *write_some(void *p)
{
    struct writer *me = p;
    struct walk w;
    walk_init(&w, me->st, &me->st->ana);
    w.c.route = me->route;
    if (step_connect(&w.s, me->st->ana.dn) == ecNone && step_logon(&w.s, me->st->ana.dn) == ecNone)
        for (unsigned i = 0; i < EACH; i++) {
            uint32_t message = 0;
            if (step_create_message(&w.s, w.s.logon, me->fid, &message) != ecNone || step_save_message(&w.s, message, 0x0A, &me->mid[i]) != ecNone)
                break;
            step_release(&w.s, message);
        }
    step_disconnect(&w.s);
    walk_end(&w);
    return NULL;
}

static size_t index_of(const uint64_t *seen, size_t n, uint64_t mid)
{
    for (size_t i = 0; i < n; i++)
        if (seen[i] == mid)
            return i;
    return n;
}

/* Three sessions write on three workers; a fourth hears of each message once, of each writer's in the order that he wrote them, in answers that are too small. */
TEST_LIMIT(none_is_lost_and_none_comes_twice, 60)
{
    struct stack *st = stack_shared();
    struct writer writer[WRITERS];
    struct walk w;
    uint32_t sub;
    uint64_t seen[WRITERS * EACH + 1] = { 0 };
    size_t n = 0;
    uint64_t fid = make_folder(st, "Many writers");
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_register(&w.s, CREATED, fid, 0, &sub));
    for (size_t i = 0; i < WRITERS; i++) {
        writer[i] = (struct writer){ .st = st, .fid = fid, .route = stack_route[i] };
        pthread_create(&writer[i].thread, NULL, write_some, &writer[i]);
    }
    uint64_t until = clock_ms() + 50000;
    while (n < WRITERS * EACH && clock_ms() < until) {
        struct client_notes notes = { 0 };
        stack_next_worker(&w.c);
        MUST_STEP(&w, step_collect(&w.s, 8 + 2 + 3 + 26 * 4, &notes));
        for (const struct client_note *c = notes.first; c != NULL && n <= WRITERS * EACH; c = c->next)
            seen[n++] = c->data.mid;
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writer[i].thread, NULL);
    CHECK_INT(n, WRITERS * EACH);
    CHECK_INT(collect(&w).n, 0);
    for (size_t i = 0; i < WRITERS; i++)
        for (size_t k = 0; k < EACH; k++) {
            CHECK(index_of(seen, n, writer[i].mid[k]) < n);
            CHECK(k == 0 || index_of(seen, n, writer[i].mid[k - 1]) < index_of(seen, n, writer[i].mid[k]));
        }
    walk_end(&w);
}

/* --- ends and beginnings -------------------------------------------------------------------------------------------------------------------------------- */

/* R334, R349: what does not fit is pending, whatever worker gives it. */
TEST(a_backlog_in_small_answers)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t sub;
    walk_begin(&w, st, &st->bob);
    MUST_STEP(&w, step_register(&w.s, CREATED, w.s.fid[SF_OUTBOX], 0, &sub));
    walk_fill(st, &st->bob, SF_OUTBOX, "Backlog", 200);
    size_t n = 0, answers = 0;
    struct client_notes notes = { .pending = true };
    for (; notes.pending && answers < 100; answers++) {
        notes = (struct client_notes){ 0 };
        stack_next_worker(&w.c);
        MUST_STEP(&w, step_collect(&w.s, 500, &notes));
        CHECK(notes.n > 0 || !notes.pending);
        n += notes.n;
    }
    CHECK_INT(n, 200);
    CHECK(answers > 10);
    walk_empty(st, &st->bob, SF_OUTBOX);
    walk_end(&w);
}

/* A new session begins with the present; the old one's subscriptions are gone with it. */
TEST(a_reconnect_begins_with_the_present)
{
    struct stack *st = stack_shared();
    struct walk w, other;
    uint32_t sub;
    uint64_t fid = make_folder(st, "Reconnect");
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    MUST_STEP(&w, step_register(&w.s, CREATED, fid, 0, &sub));
    save(&other, fid, "not told");
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    CHECK_INT(collect(&w).n, 0);
    MUST_STEP(&w, step_register(&w.s, CREATED, fid, 0, &sub));
    uint64_t mid = save(&other, fid, "told");
    struct client_notes n = collect(&w);
    CHECK(n.n == 1 && nth(&n, 0)->mid == mid && nth(&n, 0)->handle == sub);
    walk_end(&w);
    walk_end(&other);
}

/* Bob in Ana's mailbox: the folder that he may read, and not a word of others. */
TEST(a_delegate_through_nginx)
{
    struct stack *st = stack_shared();
    struct walk bob, ana;
    uint32_t sub;
    uint64_t shared = make_folder(st, "Shared with Bob"), own = make_folder(st, "Not shared");
    struct arena *a = arena_new(1 << 28);
    struct mailbox *m;
    REQUIRE_EC(mailbox_open(st->store, a, &st->ana.mailbox, &owner, &m), ecNone);
    REQUIRE_EC(mailbox_write(m), ecNone);
    REQUIRE_EC(permission_set(m, id_gc(shared), st->bob.dn, RIGHT_READ_ANY | RIGHT_FOLDER_VISIBLE), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    walk_init(&bob, st, &st->bob);
    MUST_STEP(&bob, step_connect(&bob.s, st->bob.dn));
    MUST_STEP(&bob, step_logon(&bob.s, st->ana.dn));
    walk_begin(&ana, st, &st->ana);
    MUST_STEP(&bob, step_register(&bob.s, 0x7E, 0, 0, &sub));
    CHECK_EC(step_register(&bob.s, 0x7E, own, 0, &sub), ecAccessDenied);
    save(&ana, own, "hidden");
    uint64_t mid = save(&ana, shared, "seen");
    struct client_notes n = collect(&bob);
    CHECK_INT(n.n, 2);
    CHECK(nth(&n, 0)->flags == (CREATED | NOTIFY_M) && nth(&n, 0)->mid == mid && nth(&n, 0)->fid == shared);
    CHECK(nth(&n, 1)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U) && nth(&n, 1)->fid == shared);
    walk_end(&bob);
    walk_end(&ana);
}

static int import(struct walk *w, const char *mail)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    const char *path = arena_printf(w->a, "%s/new.eml", w->stack->dir);
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL && fputs(mail, f) >= 0);
    fclose(f);
    return system(arena_printf(w->a, "%s/mapictl --config %s/a.conf import %s %s >>%s/import.log 2>&1", self, w->stack->dir, w->who->login, path, w->stack->dir));
}

/* Imported mail is new mail, whoever brought it. */
TEST(imported_mail_is_told)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t sub;
    walk_begin(&w, st, &st->bob);
    MUST_STEP(&w, step_register(&w.s, NEW_MAIL, 0, 0, &sub));
    CHECK_INT(import(&w, "From: a@example.com\nTo: bob@example.com\nSubject: New\n\nBody\n"), 0);
    struct client_notes n = collect(&w);
    CHECK_INT(n.n, 1);
    CHECK(nth(&n, 0)->flags == (NEW_MAIL | NOTIFY_M) && nth(&n, 0)->fid == w.s.fid[SF_INBOX] && (nth(&n, 0)->message_flags & 1) == 0);
    CHECK_STR(nth(&n, 0)->message_class, "IPM.Note");
    walk_end(&w);
}

/* More happened than is kept: the table is to be read again, the folder was modified. */
TEST_LIMIT(a_gap_through_nginx, 60)
{
    struct stack *st = stack_shared();
    struct walk w;
    uint32_t sub;
    bool changed, partial;
    uint64_t fid = make_folder(st, "Gap");
    walk_begin(&w, st, &st->ana);
    uint64_t mid = save(&w, fid, "touched"), gc = id_gc(mid);
    MUST_STEP(&w, step_register(&w.s, CREATED, fid, 0, &sub));
    uint32_t table = table_of(&w, fid);
    struct arena *a = arena_new(1 << 30);
    struct mailbox *m;
    REQUIRE_EC(mailbox_open(st->store, a, &st->ana.mailbox, &owner, &m), ecNone);
    REQUIRE_EC(mailbox_write(m), ecNone);
    for (unsigned i = 0; i < 2200; i++)
        REQUIRE_EC(messages_set_read(m, id_gc(fid), &gc, 1, i % 2 == 0 ? 4 : 0, &changed, &partial), ecNone);
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    struct client_notes n = collect(&w);
    CHECK_INT(n.n, 2);
    for (size_t i = 0; i < 2; i++)
        CHECK(nth(&n, i)->handle == table ? nth(&n, i)->table_event == TABLE_CHANGED
                                          : nth(&n, i)->handle == sub && nth(&n, i)->flags == (MODIFIED | NOTIFY_T | NOTIFY_U) && nth(&n, i)->total == 1);
    CHECK_INT(collect(&w).n, 0);
    walk_end(&w);
}
