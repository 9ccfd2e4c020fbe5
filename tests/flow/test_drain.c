/* test_drain.c - workers end and come again under load: no request is lost, refused or done twice; what is said when nobody is left. */
#include "backend/base/filetime.h"
#include "tests/flow/walk.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 3, CONNECTERS = 2, WAITERS = 3, CLIENTS = WRITERS + CONNECTERS + WAITERS, ROUNDS = 5 };

/* --- clients that go on whatever happens ---------------------------------------------------------------------------- */

struct load {
    struct stack *st;
    atomic_bool   stop;
    atomic_uint   saved, connected, waited, bad;
    bool          no_waits;
};

struct hand { struct load *l; unsigned number; };

static void bad(struct load *l, const char *what, const struct walk *w, uint32_t ec)
{
    atomic_fetch_add(&l->bad, 1);
    fprintf(stderr, "%s: %s %s (X-ResponseCode %d, worker %s)\n", what, ec == STEP_LOST ? "lost" : err_name(ec), w->s.why != NULL ? w->s.why : "",
            w->s.code, w->c.worker);
}

static void any_worker(struct walk *w, struct load *l)
{
    walk_init(w, l->st, &l->st->ana);
    w->c.nturns = 0; /* nginx chooses */
}

/* The first step that fails ends a client: its session is not what it was. */
#define GOES_WELL(call) do { uint32_t ec_ = (call); if (ec_ != ecNone) { bad(l, #call, &w, ec_); goto out; } } while (0)

static void *writer(void *arg)
{
    struct hand *h = arg;
    struct load *l = h->l;
    struct walk w;
    uint32_t inbox, message;
    uint64_t mid;
    any_worker(&w, l);
    GOES_WELL(step_connect(&w.s, l->st->ana.dn));
    GOES_WELL(step_logon(&w.s, l->st->ana.dn));
    GOES_WELL(step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    for (unsigned i = 0; !atomic_load(&l->stop); i++) {
        struct props set = { 0 };
        props_set(w.a, &set, pv_str(PidTagSubject, arena_printf(w.a, "Drain %u-%u", h->number, i)));
        GOES_WELL(step_create_message(&w.s, inbox, w.s.fid[SF_INBOX], &message));
        GOES_WELL(step_set_props(&w.s, message, &set, NULL));
        GOES_WELL(step_save_message(&w.s, message, 0x0A, &mid));
        atomic_fetch_add(&l->saved, 1);
        GOES_WELL(step_release(&w.s, message));
    }
out:
    walk_end(&w);
    return NULL;
}

static void *connecter(void *arg)
{
    struct hand *h = arg;
    struct load *l = h->l;
    struct walk w;
    any_worker(&w, l);
    while (!atomic_load(&l->stop)) {
        GOES_WELL(step_connect(&w.s, l->st->ana.dn));
        GOES_WELL(step_logon(&w.s, l->st->ana.dn));
        GOES_WELL(step_disconnect(&w.s));
        w.c.context[0] = w.c.sequence[0] = '\0';
        atomic_fetch_add(&l->connected, 1);
    }
out:
    walk_end(&w);
    return NULL;
}

/* A wait that ends early is one that ends well: EventPending 0, and the client waits again. */
static void *waiter(void *arg)
{
    static const uint8_t body[8];
    struct hand *h = arg;
    struct load *l = h->l;
    struct walk w;
    struct mapic_reply r;
    const char *why;
    any_worker(&w, l);
    GOES_WELL(step_connect(&w.s, l->st->ana.dn));
    GOES_WELL(step_logon(&w.s, l->st->ana.dn));
    while (!atomic_load(&l->stop)) {
        if (!mapic_call(&w.c, w.a, "NotificationWait", blob_of(body, sizeof body), NULL, &r, &why)) {
            w.s.why = why;
            w.s.code = -1;
            bad(l, "NotificationWait", &w, STEP_LOST);
            break;
        }
        if (r.code == 5) {
            l->no_waits = true;
            break;
        }
        struct rd b = rd_blob_of(r.body);
        uint32_t status = rd_u32(&b), error = rd_u32(&b);
        rd_u32(&b);
        if (r.code != 0 || !rd_ok(&b) || status != 0 || error != 0) {
            w.s.code = r.code;
            w.s.why = "the wait did not end well";
            bad(l, "NotificationWait", &w, error);
            break;
        }
        atomic_fetch_add(&l->waited, 1);
    }
out:
    walk_end(&w);
    return NULL;
}

static void load_begin(struct load *l, struct hand *h, pthread_t *t)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        h[i] = (struct hand){ l, i };
        REQUIRE(pthread_create(&t[i], NULL, i < WRITERS ? writer : i < WRITERS + CONNECTERS ? connecter : waiter, &h[i]) == 0);
    }
}

/* The waits that are parked are sent home by an event, so that their clients see `stop`. */
static void load_end(struct load *l, const pthread_t *t)
{
    atomic_store(&l->stop, true);
    for (unsigned i = 0; i < WRITERS + CONNECTERS; i++)
        pthread_join(t[i], NULL);
    for (unsigned i = 0; i < l->st->workers; i++) {
        stack_kill(l->st, i, SIGTERM);
        stack_worker(l->st, i);
    }
    for (unsigned i = WRITERS + CONNECTERS; i < CLIENTS; i++)
        pthread_join(t[i], NULL);
}

static void check_load(struct load *l)
{
    printf("%u saves, %u connects, %u waits%s, %u failed\n", l->saved, l->connected, l->waited, l->no_waits ? " (not built)" : "", l->bad);
    CHECK_INT(l->bad, 0);
    CHECK(l->saved > 20);
    CHECK(l->connected > 10);
    CHECK(l->no_waits || l->waited >= WAITERS);
    CHECK_INT(walk_count(l->st, &l->st->ana, SF_INBOX, NULL), l->saved); /* none lost, none twice */
    CHECK_INT(walk_findings(l->st, &l->st->ana), 0);
}

static unsigned restart(struct stack *st, unsigned i)
{
    uint64_t before = clock_ms();
    stack_kill(st, i, SIGTERM); /* returns when the process has ended */
    unsigned took = (unsigned)(clock_ms() - before);
    stack_worker(st, i);
    return took;
}

/* --- restarts ------------------------------------------------------------------------------------------------------- */

/* Each worker has its socket: they are restarted one after the other. */
TEST_LIMIT(workers_in_turn_lose_nothing, 120)
{
    struct load l = { .st = stack_start(&(struct stack_options){ .workers = 3 }) };
    struct hand h[CLIENTS];
    pthread_t t[CLIENTS];
    load_begin(&l, h, t);
    usleep(200000);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < l.st->workers; i++) {
            CHECK(restart(l.st, i) < 4000); /* not by the patience with peers that do not give connections back */
            usleep(50000);
        }
    load_end(&l, t);
    check_load(&l);
    stack_stop(l.st);
}

/* The socket stays: even all at once; requests wait in its queue until somebody is there again. */
TEST_LIMIT(workers_on_a_passed_socket_lose_nothing_even_all_at_once, 120)
{
    struct load l = { .st = stack_start(&(struct stack_options){ .workers = 2, .shared_socket = true }) };
    struct hand h[CLIENTS];
    pthread_t t[CLIENTS];
    load_begin(&l, h, t);
    usleep(200000);
    for (unsigned round = 0; round < ROUNDS; round++) {
        CHECK(restart(l.st, 0) < 4000);
        CHECK(restart(l.st, 1) < 4000);
        for (unsigned i = 0; i < 2; i++)
            kill(l.st->worker[i], SIGTERM);
        for (unsigned i = 0; i < 2; i++) {
            waitpid(l.st->worker[i], NULL, 0);
            l.st->worker[i] = 0;
        }
        usleep(50000); /* nobody is there */
        for (unsigned i = 0; i < 2; i++)
            stack_worker(l.st, i);
        usleep(50000);
    }
    load_end(&l, t);
    check_load(&l);
    stack_stop(l.st);
}

/* --- the last one --------------------------------------------------------------------------------------------------- */

/* While the only worker drains, a new request is told that the endpoint is shutting down (OXCMAPIHTTP 2.2.3.3.3, code 18); what runs ends well, and the
 * session goes on with the next worker. */
TEST_LIMIT(code_18_when_nobody_else_can_answer, 60)
{
    static const uint8_t nothing[1];
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct walk w;
    uint32_t inbox;
    struct mapic_reply reply;
    const char *why;
    walk_begin(&w, st, &st->ana);
    w.c.nturns = 0;
    struct mapic other = w.c;
    other.conn = NULL;
    struct mapic_rops r;
    rops_init(&r, w.a);
    rops_head(&r, 0x02, 0); /* RopOpenFolder */
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    struct blob body = mapic_execute_body(w.a, rops_buffer(&r), 3, 0x10008);
    stack_arm(st, 0, "begin_done:1:sleep=1500");
    REQUIRE(mapic_send(&w.c, w.a, "Execute", body, NULL, &why));
    usleep(300000);
    kill(st->worker[0], SIGTERM);
    usleep(300000);
    REQUIRE(mapic_call(&other, w.a, "PING", blob_of(nothing, 0), NULL, &reply, &why));
    CHECK_INT(reply.http.status, 200);
    CHECK_INT(reply.code, 18);
    CHECK_STR(http_header(&reply.http, "Content-Type"), "text/html");
    CHECK_STR(http_header(&reply.http, "X-RequestType"), "PING");
    CHECK(http_header(&reply.http, "X-RequestId") != NULL);
    const char *server = http_header(&reply.http, "X-ServerApplication");
    REQUIRE(mapic_recv(&w.c, w.a, &reply, NULL, &why));
    CHECK_STR(server, http_header(&reply.http, "X-ServerApplication")); /* nginx says what the workers say */
    CHECK(reply.done);
    CHECK(stack_worker_ended(st, 0));
    stack_worker(st, 0);
    STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    mapic_close(&other);
    walk_end(&w);
    stack_stop(st);
}

/* --- a peer that is not nginx: it keeps its connection though it was asked for it, and brings a request when the time for that is over -------------- */

static void put_record(struct wr *w, uint8_t type, struct blob content)
{
    const uint8_t head[8] = { 1, type, 0, 1, (uint8_t)(content.n >> 8), (uint8_t)content.n, 0, 0 };
    wr_bytes(w, head, sizeof head);
    wr_put(w, content);
}

static int reach(struct stack *st, const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%.90s/%.10s.sock", st->dir, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

TEST_LIMIT(code_18_for_a_peer_that_comes_too_late, 60)
{
    static const uint8_t begin[8] = { 0, 1, 1 };
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    uint8_t first[64], rest[64];
    struct wr a = wr_over(first, sizeof first), b = wr_over(rest, sizeof rest);
    int fd = reach(st, "a0");
    put_record(&a, 1, blob_of(begin, sizeof begin));
    put_record(&a, 4, blob_of(NULL, 0));
    put_record(&a, 5, blob_str("b"));
    a.n--;                                     /* its one byte comes later: until then a worker thread reads */
    wr_u8(&b, 'b');
    put_record(&b, 5, blob_of(NULL, 0));
    kill(st->worker[0], SIGTERM);
    usleep(4600000);
    CHECK(send(fd, first, a.n, MSG_NOSIGNAL) == (ssize_t)a.n);
    usleep(700000);                            /* the five seconds are over */
    CHECK(send(fd, rest, b.n, MSG_NOSIGNAL) == (ssize_t)b.n);
    char text[4096];
    size_t n = 0;
    for (ssize_t got; n < sizeof text - 1 && (got = recv(fd, text + n, sizeof text - 1 - n, 0)) > 0; )
        n += (size_t)got;
    CHECK(memmem(text, n, "X-ResponseCode: 18\r\n", 20) != NULL);
    close(fd);
    CHECK(stack_worker_ended(st, 0));
    stack_stop(st);
}

static void *guess(void *arg)
{
    struct mapic *c = arg;
    struct arena *a = arena_new(SIZE_MAX);
    struct mapic_reply r = { 0 };
    const char *why = NULL;
    c->password = "a guess";
    mapic_call(c, a, "PING", blob_of(NULL, 0), NULL, &r, &why);
    CHECK_INT(r.http.status, 401);
    arena_free(a);
    return NULL;
}

static bool refused(const struct stack *st)
{
    char line[1000];
    FILE *f = fopen(arena_printf(st->a, "%s/a0.log", st->dir), "r");
    bool found = false;
    while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
        found = strstr(line, "login refused") != NULL;
    if (f != NULL)
        fclose(f);
    return found;
}

TEST_LIMIT(an_answer_that_was_put_off_does_not_hold_the_end, 60)
{
    setenv("MAPIHTTPD_AUTH_FAIL_DELAY", "30000", 1);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    unsetenv("MAPIHTTPD_AUTH_FAIL_DELAY");
    struct mapic c;
    pthread_t t;
    stack_client(st, &c, &st->ana);
    REQUIRE(pthread_create(&t, NULL, guess, &c) == 0);
    for (int i = 0; i < 1000 && !refused(st); i++)
        usleep(10000);
    REQUIRE(refused(st));
    uint64_t begun = clock_ms();
    stack_kill(st, 0, SIGTERM);
    pthread_join(t, NULL);
    CHECK(clock_ms() - begun < 10000);
    mapic_close(&c);
    stack_stop(st);
}

/* A request that was given to a worker which then died is no "shutting down": it may have begun. */
TEST_LIMIT(a_death_within_a_request_is_no_code_18, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct walk w;
    uint32_t inbox;
    walk_begin(&w, st, &st->ana);
    w.c.nturns = 0;
    stack_arm(st, 0, "begin_done:1:kill");
    CHECK_INT(step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox), STEP_LOST);
    CHECK_INT(w.s.code, -1);
    walk_end(&w);
    stack_stop(st);
}

/* --- sockets and the supervisor --------------------------------------------------------------------------------------- */

static int notice_socket(struct stack *st, const char **path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval patience = { 5, 0 };
    *path = arena_printf(st->a, "%s/supervisor", st->dir);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", *path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static const char *notice(struct stack *st, int fd)
{
    char text[64];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return arena_strdup(st->a, text);
}

TEST_LIMIT(the_supervisor_is_told, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    const char *path;
    int fd = notice_socket(st, &path);
    char *argv[] = { (char *)stack_program(st), "--config", arena_printf(st->a, "%s/b.conf", st->dir), NULL };
    char *env[] = { arena_printf(st->a, "MAPIHTTPD_LISTEN=%s/watched.sock", st->dir), arena_printf(st->a, "NOTIFY_SOCKET=%s", path), "WATCHDOG_USEC=100000", NULL };
    pid_t pid = stack_spawn(st, "watched.log", argv, env);
    CHECK_STR(notice(st, fd), "READY=1");
    CHECK(access(arena_printf(st->a, "%s/watched.sock", st->dir), F_OK) == 0);
    CHECK_STR(notice(st, fd), "WATCHDOG=1");
    CHECK_STR(notice(st, fd), "WATCHDOG=1");
    kill(pid, SIGTERM);
    const char *last = notice(st, fd);
    while (strcmp(last, "WATCHDOG=1") == 0)
        last = notice(st, fd);
    CHECK_STR(last, "STOPPING=1");
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fd);
    stack_stop(st);
}

/* Output of a worker that is started with the socket of another. */
TEST_LIMIT(a_second_worker_on_a_living_socket_is_refused, 60)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct arena *a = arena_new(1 << 20);
    const char *command = arena_printf(a, "MAPIHTTPD_LISTEN=%s/a0.sock %s --config %s/a.conf 2>&1", st->dir, stack_program(st), st->dir);
    FILE *f = popen(command, "r");
    REQUIRE(f != NULL);
    char *text = arena_alloc(a, 4096);
    text[fread(text, 1, 4095, f)] = '\0';
    int status = pclose(f);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK(strstr(text, "a0.sock: a worker answers there already") != NULL);
    struct walk w;
    walk_init(&w, st, &st->ana);
    w.c.nturns = 0;
    STEP(&w, step_connect(&w.s, st->ana.dn)); /* the first one serves as before */
    walk_end(&w);
    stack_kill(st, 0, SIGKILL); /* it leaves its socket file */
    CHECK(access(arena_printf(a, "%s/a0.sock", st->dir), F_OK) == 0);
    char *argv[] = { (char *)stack_program(st), "--config", arena_printf(a, "%s/a.conf", st->dir), NULL };
    const char *path;
    int fd = notice_socket(st, &path);
    char *env[] = { arena_printf(a, "MAPIHTTPD_LISTEN=%s/a0.sock", st->dir), arena_printf(a, "NOTIFY_SOCKET=%s", path), NULL };
    st->worker[0] = stack_spawn(st, "a0.log", argv, env);
    CHECK_STR(notice(st, fd), "READY=1");
    close(fd);
    stack_stop(st);
    arena_free(a);
}

/* --- the units ------------------------------------------------------------------------------------------------------- */

/* A copy that names our binary, since verify looks for it; instances of templates. */
static void copy_unit(struct arena *a, const char *name, const char *as, const char *dir, const char *program)
{
    char line[1024];
    FILE *from = fopen(arena_printf(a, "deploy/systemd/%s", name), "r"), *to = fopen(arena_printf(a, "%s/%s", dir, as), "w");
    REQUIRE(from != NULL && to != NULL);
    while (fgets(line, sizeof line, from) != NULL) {
        if (strncmp(line, "ExecStart=", 10) == 0)
            fprintf(to, "ExecStart=%s\n", program);
        else
            fputs(line, to);
    }
    fclose(from);
    REQUIRE(fclose(to) == 0);
}

TEST(systemd_units_are_valid)
{
    if (system("systemd-analyze --version >/dev/null 2>&1") != 0)
        SKIP("systemd-analyze is not there");
    struct arena *a = arena_new(1 << 20);
    struct stack st = { .a = a };
    const char *dir = arena_printf(a, "%s/units", unit_tmpdir()), *program = stack_program(&st);
    REQUIRE(mkdir(dir, 0755) == 0);
    copy_unit(a, "mapihttpd@.service", "mapihttpd@a.service", dir, program);
    copy_unit(a, "mapihttpd-shared@.service", "mapihttpd-shared@1.service", dir, program);
    copy_unit(a, "mapihttpd.socket", "mapihttpd.socket", dir, program);
    FILE *f = popen(arena_printf(a, "cd %s && systemd-analyze verify ./mapihttpd@a.service ./mapihttpd-shared@1.service ./mapihttpd.socket 2>&1", dir), "r");
    REQUIRE(f != NULL);
    char *text = arena_alloc(a, 4096);
    text[fread(text, 1, 4095, f)] = '\0';
    CHECK_INT(pclose(f), 0);
    CHECK_STR(text, "");
    arena_free(a);
}
