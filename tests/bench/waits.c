/* waits.c - thousands of parked NotificationWaits: memory, processor time of a PENDING, from a change to the woken client, a burst of new mail.
 *
 * The clients are processes of this program that hold plain sockets; a session is made by three ordinary requests.  BENCH_WAITS: how many (10000), over
 * BENCH_WAIT_WORKERS worker processes (1). */
#include "backend/base/crypto.h"
#include "backend/base/filetime.h"
#include "backend/event/bell.h"
#include "backend/store/event.h"
#include "tests/bench/bench.h"
#include "tests/bench/cpu.h"
#include "tests/flow/walk.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOGINS = 50, ALONE = 300, BURST = 1000, ACTIVE = ALONE + BURST, PER_PROCESS = 15000, MAKERS = 4, PERIOD = 60000, IN_FLIGHT = 64, WRITERS = 4 };

/* What the clients' processes tell. */
struct told { _Atomic uint64_t done_us; };
struct board { atomic_uint parked, ended, lost; _Atomic uint64_t pendings; atomic_bool stop; struct told wait[]; };

struct farm {
    struct stack *s;
    struct arena *a;
    size_t        n, processes, next;
    struct board *board;
    struct person login[LOGINS], active[ACTIVE];
    const char  **request;           /* of wait i, whole */
    atomic_size_t made;
    atomic_uint   failed;
    pid_t         process[16];
    struct redis *redis;
};

/* --- clients -------------------------------------------------------------------------------------------------------------------------------- */

struct line { int fd; size_t i; bool parked; };

static bool open_line(const struct farm *f, struct line *l, int epoll)
{
    struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000002u + (uint32_t)(l->i / 20000)) };
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)f->s->port) };
    size_t n = strlen(f->request[l->i]) + 8; /* and a body of zeros */
    int small = 4096, later = 1;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later); /* else finding a free port takes longer and longer */
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = l };
    return l->fd >= 0 && bind(l->fd, (struct sockaddr *)&from, sizeof from) == 0 && connect(l->fd, (struct sockaddr *)&to, sizeof to) == 0 &&
           write(l->fd, f->request[l->i], n) == (ssize_t)n && epoll_ctl(epoll, EPOLL_CTL_ADD, l->fd, &e) == 0;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        n++;
    return n;
}

static void on_line(const struct farm *f, struct line *l, size_t *waiting)
{
    char text[8192];
    ssize_t n = recv(l->fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    text[n > 0 ? n : 0] = '\0';
    if (!l->parked && strstr(text, "PROCESSING") != NULL) {
        l->parked = true;
        --*waiting;
        atomic_fetch_add(&f->board->parked, 1);
    }
    atomic_fetch_add(&f->board->pendings, count(text, "PENDING\r\n"));
    if (n > 0 && strstr(text, "DONE\r\n") == NULL)
        return;
    if (n > 0)
        atomic_store(&f->board->wait[l->i].done_us, clock_us());
    else if (!l->parked)
        --*waiting;
    atomic_fetch_add(n > 0 ? &f->board->ended : &f->board->lost, 1);
    close(l->fd);
}

static _Noreturn void client_process(const struct farm *f, size_t first, size_t n)
{
    struct line *line = calloc(n, sizeof *line);
    int epoll = epoll_create1(0);
    struct epoll_event e[256];
    size_t opened = 0, waiting = 0;
    while (!atomic_load(&f->board->stop)) {
        for (; opened < n && waiting < IN_FLIGHT; opened++, waiting++) {
            line[opened] = (struct line){ .i = first + opened };
            if (!open_line(f, &line[opened], epoll)) {
                atomic_fetch_add(&f->board->lost, 1);
                waiting--;
            }
        }
        int got = epoll_wait(epoll, e, 256, opened < n ? 1 : 20);
        for (int k = 0; k < got; k++)
            on_line(f, e[k].data.ptr, &waiting);
    }
    _exit(0);
}

/* --- sessions --------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t subscribe(struct steps *s)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, s->a);
    rops_head(&r, 0x29, rops_handle(&r, s->logon));
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u16(&r.list, 0x0006); /* new mail, created */
    wr_u8(&r.list, 1);
    return step_run(s, &r, &out, &h);
}

static const char *request_of(struct farm *f, const struct mapic *c, size_t i)
{
    char guid[GUID_TEXT];
    const char *auth = base64(f->a, blob_str(arena_printf(f->a, "%s:%s", c->user, c->password)));
    return arena_printf(f->a,
                        "POST /mapi/emsmdb/?MailboxId=%s@example.com HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/mapi-http\r\nContent-Length: 8\r\n"
                        "Authorization: Basic %s\r\nX-RequestType: NotificationWait\r\nX-RequestId: {%s}:%zu\r\nX-ClientInfo: {%s}-%zu\r\n"
                        "X-ClientApplication: Outlook/16.0.4266.1001\r\nCookie: MapiContext=%s; MapiSequence=%s\r\n\r\n%c%c%c%c%c%c%c%c",
                        guid_text(&f->login[i % LOGINS].mailbox, guid), auth, guid_text(&c->client_guid, guid), i, guid, i, c->context, c->sequence, 1, 1, 1, 1, 1, 1, 1, 1);
}

static pthread_mutex_t arena_lock = PTHREAD_MUTEX_INITIALIZER;

static bool make_one(struct farm *f, size_t i)
{
    const struct person *who = &f->login[i % LOGINS], *whose = i < ACTIVE ? &f->active[i] : who;
    struct arena *a = arena_new((size_t)1 << 26);
    struct mapic c;
    struct steps s;
    mapic_init(&c, "127.0.0.1", f->s->port, who->login, "secret");
    steps_init(&s, &c, a);
    bool ok = step_connect(&s, who->dn) == ecNone && step_logon(&s, whose->dn) == ecNone && subscribe(&s) == ecNone;
    if (!ok && atomic_fetch_add(&f->failed, 1) == 0)
        fprintf(stderr, "session %zu: %s (code %d)\n", i, s.why != NULL ? s.why : "refused", s.code);
    mapic_close(&c);
    pthread_mutex_lock(&arena_lock);
    char *text = (char *)(uintptr_t)request_of(f, &c, i);
    pthread_mutex_unlock(&arena_lock);
    memset(text + strlen(text) - 8, 0, 8); /* Flags, no auxiliary buffer; its length is known */
    f->request[i] = text;
    arena_free(a);
    return ok;
}

static void *maker(void *p)
{
    struct farm *f = p;
    for (size_t i; (i = atomic_fetch_add(&f->made, 1)) < f->n; )
        make_one(f, i);
    return NULL;
}

static void make_person(struct farm *f, const char *login, const char *password, struct person *p)
{
    struct arena *a = arena_new(1 << 24);
    struct person made;
    REQUIRE_EC(directory_add(f->s->directory, a, &(struct person_new){ .login = login, .display_name = login, .password = password, .with_mailbox = true }, &made), ecNone);
    REQUIRE_EC(mailbox_create(f->s->store, a, &(struct mailbox_new){ .id = made.mailbox, .owner_dn = made.dn, .display_name = login, .smtp = made.smtp, .locale = 0x409,
                                                                    .quota_warn = -1, .quota_send = -1, .quota_receive = -1 }), ecNone);
    *p = (struct person){ .login = arena_strdup(f->a, made.login), .dn = arena_strdup(f->a, made.dn), .mailbox = made.mailbox };
    arena_free(a);
}

static void make_people(struct farm *f)
{
    for (unsigned i = 0; i < LOGINS; i++)
        make_person(f, arena_printf(f->a, "bench%u@example.com", i), "secret", &f->login[i]);
    for (unsigned i = 0; i < ACTIVE; i++) {
        make_person(f, arena_printf(f->a, "active%u@example.com", i), NULL, &f->active[i]);
        REQUIRE_EC(directory_grant(f->s->directory, f->active[i].login, f->login[i % LOGINS].login, true), ecNone);
    }
}

/* --- measures ----------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t redis_used(struct farm *f)
{
    struct arena *a = arena_new(1 << 20);
    struct redis_conn *c = redis_take(f->redis, a);
    const struct blob info[] = { blob_str("INFO"), blob_str("memory") };
    struct redis_value v = { 0 };
    const char *at = c != NULL && redis_cmd(c, 2, info, &v) == REDIS_DONE ? strstr(arena_str(a, v.s), "used_memory:") : NULL;
    uint64_t n = at != NULL ? strtoull(at + 12, NULL, 10) : 0;
    arena_free(a);
    return n;
}

struct sizes { uint64_t worker, nginx, redis; };

static struct sizes sizes_now(struct farm *f)
{
    struct sizes z = { 0, rss_kib(f->s->nginx) * 1024, redis_used(f) };
    for (unsigned i = 0; i < f->s->workers; i++)
        z.worker += rss_kib(f->s->worker[i]) * 1024;
    return z;
}

static bool until(atomic_uint *v, unsigned want, unsigned seconds)
{
    for (unsigned i = 0; i < seconds * 100 && atomic_load(v) < want; i++)
        usleep(10000);
    return atomic_load(v) >= want;
}

/* Waits [first, end), so many per process of clients. */
static void park_some(struct farm *f, size_t first, size_t end)
{
    for (; first < end; first += PER_PROCESS) {
        size_t n = end - first < PER_PROCESS ? end - first : PER_PROCESS;
        fflush(stdout);
        if ((f->process[f->processes++] = fork()) == 0)
            client_process(f, first, n);
    }
    if (!until(&f->board->parked, (unsigned)end, 300))
        printf("only %u of %zu waits were parked, %u lost\n", atomic_load(&f->board->parked), end, atomic_load(&f->board->lost));
}

/* First those of many mailboxes and a quarter of the others, which fill the caches of the store; then the rest shows what a wait itself takes. */
static void park_all(struct farm *f)
{
    size_t first = ACTIVE + (f->n - ACTIVE) / 4;
    park_some(f, 0, first);
    sleep(1);
    struct sizes a = sizes_now(f);
    uint64_t t = clock_us();
    park_some(f, first, f->n);
    t = clock_us() - t;
    sleep(1);
    struct sizes b = sizes_now(f);
    double n = (double)(f->n - first);
    printf("%zu waits parked in %u worker process(es): %.0f waits/s\n", f->n, f->s->workers, n * 1e6 / (double)t);
    printf("bytes per wait: worker %.0f, nginx %.0f, Redis %.0f\n", ((double)b.worker - (double)a.worker) / n, ((double)b.nginx - (double)a.nginx) / n,
           ((double)b.redis - (double)a.redis) / n);
}

static void pendings(struct farm *f)
{
    uint64_t nginx = cpu_ns(f->s->nginx), redis = cpu_ns(f->s->redis), worker = 0, n = atomic_load(&f->board->pendings), t = clock_us();
    for (unsigned i = 0; i < f->s->workers; i++)
        worker += cpu_ns(f->s->worker[i]);
    while (clock_us() - t < 1ull * PERIOD * 1000)
        usleep(100000);
    uint64_t after = 0;
    for (unsigned i = 0; i < f->s->workers; i++)
        after += cpu_ns(f->s->worker[i]);
    double lines = (double)(atomic_load(&f->board->pendings) - n), us = lines * 1000;
    printf("CPU us per PENDING (every %d s, with its comparison of positions and the renewals of the hold, every %d s): worker %.1f, nginx %.1f, Redis %.1f; %.0f lines in %.1f s\n", PERIOD / 1000, 10,
           (double)(after - worker) / us, (double)(cpu_ns(f->s->nginx) - nginx) / us, (double)(cpu_ns(f->s->redis) - redis) / us, lines, (double)(clock_us() - t) / 1e6);
}

static uint64_t mail_to(struct farm *f, const struct person *p)
{
    static const struct actor owner = { ACTOR_OWNER, "" };
    struct arena *a = arena_new((size_t)1 << 24);
    struct mailbox *m;
    struct msg over = { 0 };
    uint64_t seq = 0;
    REQUIRE_EC(mailbox_open(f->s->store, a, &p->mailbox, &owner, &m), ecNone);
    REQUIRE_EC(mailbox_write(m), ecNone);
    props_set(a, &over.set, pv_str(PidTagMessageClass, "IPM.Note"));
    props_set(a, &over.set, pv_str(PidTagSubject, "New mail"));
    REQUIRE_EC(message_save(m, &(struct message_save){ .fid = mailbox_info(m)->fid[SF_INBOX], .over = &over }), ecNone);
    REQUIRE(event_written(m, &seq));
    REQUIRE_EC(mailbox_commit(m), ecNone);
    arena_free(a);
    return seq;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *what, uint64_t *us, size_t n)
{
    if (n == 0)
        return;
    qsort(us, n, sizeof *us, by_value);
    printf("%s: p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, most %.1f ms (%zu)\n", what, (double)us[n / 2] / 1000, (double)us[n * 9 / 10] / 1000, (double)us[n * 99 / 100] / 1000,
           (double)us[n - 1] / 1000, n);
}

/* One change at a time, from the end of its commit to DONE at the client. */
static void alone(struct farm *f)
{
    uint64_t us[ALONE];
    size_t n = 0;
    for (size_t i = 0; i < ALONE; i++) {
        uint64_t seq = mail_to(f, &f->active[i]), t = clock_us();
        bell_ring(f->redis, f->s->config, &f->active[i].mailbox, seq);
        for (int k = 0; k < 300 && atomic_load(&f->board->wait[i].done_us) == 0; k++)
            usleep(10000);
        if (atomic_load(&f->board->wait[i].done_us) != 0)
            us[n++] = atomic_load(&f->board->wait[i].done_us) - t;
    }
    print_times("change to woken client, one at a time", us, n);
    if (n != ALONE)
        printf("%zu of %d were not woken within 3 s\n", ALONE - n, ALONE);
}

/* --- a burst beside Executes --------------------------------------------------------------------------------------------------------------------- */

struct worker_at { struct farm *f; atomic_bool stop; uint64_t us[100000]; size_t n; uint64_t begun[100000]; };

static void *executes(void *p)
{
    struct worker_at *w = p;
    struct bench_client b = { .stack = w->f->s, .a = arena_new((size_t)1 << 28), .seed = 7 };
    const struct scenario *sc = scenarios;
    while (strcmp(sc->name, "QueryRows 50x8, of 100") != 0)
        sc++;
    stack_client(w->f->s, &b.c, &w->f->s->ana);
    steps_init(&b.s, &b.c, b.a);
    b.fid = bench_folder(w->f->s, sc->messages);
    bool ok = step_connect(&b.s, w->f->s->ana.dn) == ecNone && step_logon(&b.s, w->f->s->ana.dn) == ecNone && sc->prepare(&b);
    while (ok && !atomic_load(&w->stop) && w->n < sizeof w->us / sizeof w->us[0]) {
        b.turn = b.s.a = arena_new((size_t)1 << 26);
        uint64_t t = clock_us();
        ok = sc->once(&b);
        w->begun[w->n] = t;
        w->us[w->n++] = clock_us() - t;
        arena_free(b.turn);
    }
    if (!ok)
        fprintf(stderr, "the Executes beside the burst failed\n");
    mapic_close(&b.c);
    return NULL;
}

static void print_between(struct worker_at *w, const char *what, uint64_t from, uint64_t to)
{
    uint64_t *us = calloc(w->n + 1, sizeof *us);
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        if (w->begun[i] + w->us[i] > from && w->begun[i] < to)
            us[n++] = w->us[i];
    print_times(what, us, n);
    free(us);
}

struct writer { struct farm *f; size_t first; uint64_t *seq; };

static void *write_some(void *p)
{
    struct writer *x = p;
    for (size_t i = x->first; i < BURST; i += WRITERS)
        x->seq[i] = mail_to(x->f, &x->f->active[ALONE + i]);
    return NULL;
}

/* The mail is there already; the bells of all mailboxes ring at once. */
static void burst(struct farm *f)
{
    uint64_t seq[BURST], us[BURST];
    size_t n = 0;
    struct writer x[WRITERS];
    pthread_t writer[WRITERS];
    struct worker_at *w = calloc(1, sizeof *w);
    pthread_t t;
    w->f = f;
    for (size_t i = 0; i < WRITERS; i++) {
        x[i] = (struct writer){ f, i, seq };
        pthread_create(&writer[i], NULL, write_some, &x[i]);
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writer[i], NULL);
    pthread_create(&t, NULL, executes, w);
    sleep(4);
    struct arena *a = arena_new((size_t)1 << 26);
    struct redis_conn *c = redis_take(f->redis, a);
    uint64_t rung = clock_us();
    for (size_t i = 0; c != NULL && i < BURST; i++)
        redis_queue(c, 3, bell_command(a, f->s->config, &f->active[ALONE + i].mailbox, seq[i]));
    if (c != NULL)
        redis_flush(c);
    uint64_t last = rung;
    until(&f->board->ended, ACTIVE, 30);
    for (size_t i = 0; i < BURST; i++) {
        uint64_t done = atomic_load(&f->board->wait[ALONE + i].done_us);
        if (done >= rung)
            us[n++] = done - rung;
        last = done > last ? done : last;
    }
    sleep(2);
    atomic_store(&w->stop, true);
    pthread_join(t, NULL);
    redis_forget(c);
    arena_free(a);
    print_times("burst to 1000 mailboxes: ring to woken client", us, n);
    print_between(w, "Execute (QueryRows 50x8) in the three seconds before", rung - 3000000, rung);
    print_between(w, "Execute while the burst is worked off", rung, last);
    free(w);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------------------ */

static unsigned number_of(const char *name, unsigned otherwise)
{
    const char *v = getenv(name);
    return v != NULL ? (unsigned)strtoul(v, NULL, 10) : otherwise;
}

/* nginx as its page in deploy/ advises for so many: two descriptors and two connections per wait. */
static void larger_nginx(struct farm *f)
{
    struct stack *s = f->s;
    const char *conf = arena_printf(f->a, "%s/nginx.conf", s->dir);
    stack_end(&s->nginx, SIGTERM);
    REQUIRE(system(arena_printf(f->a, "sed -i -E 's/worker_processes [0-9]+/worker_processes %zu/; s/worker_rlimit_nofile [0-9]+/worker_rlimit_nofile 20000/; "
                                      "s/worker_connections [0-9]+/worker_connections 19900/' %s", f->n / 9000 + 1, conf)) == 0);
    char *argv[] = { "nginx", "-p", s->dir, "-c", arena_strdup(f->a, conf), "-e", arena_printf(f->a, "%s/nginx.log", s->dir), NULL };
    s->nginx = stack_spawn(s, "nginx.out", argv, NULL);
    for (int i = 0; i < 500 && !stack_answers(s->port); i++)
        usleep(10000);
}

static void stop_clients(struct farm *f)
{
    atomic_store(&f->board->stop, true);
    for (size_t i = 0; i < f->processes; i++)
        waitpid(f->process[i], NULL, 0);
}

TEST_LIMIT(bench_waits, 3600)
{
    const char *only = getenv("BENCH_ONLY");
    if (only != NULL && strstr("waits", only) == NULL)
        SKIP("not asked for");
    struct farm f = { .a = arena_new((size_t)4 << 30), .n = number_of("BENCH_WAITS", 10000) };
    REQUIRE(f.n >= ACTIVE);
    f.s = stack_start(&(struct stack_options){ .workers = number_of("BENCH_WAIT_WORKERS", 1), .as_deployed = true,
                      .config = arena_printf(f.a, "pending_period = %d\nwait_max = 3600\nsessions_per_user = 0\nwaits_per_user = 0\nrate_per_user = 0\n", PERIOD) });
    size_t room = sizeof *f.board + f.n * sizeof f.board->wait[0];
    f.board = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(f.board != MAP_FAILED && f.n / PER_PROCESS + 3 < sizeof f.process / sizeof f.process[0]);
    f.request = arena_array(f.a, const char *, f.n);
    f.redis = stack_redis(f.s);
    larger_nginx(&f);
    uint64_t t = clock_ms();
    make_people(&f);
    printf("(%d mailboxes made in %.1f s)\n", LOGINS + ACTIVE, (double)(clock_ms() - t) / 1000);
    t = clock_ms();
    pthread_t thread[MAKERS];
    for (size_t i = 0; i < MAKERS; i++)
        pthread_create(&thread[i], NULL, maker, &f);
    for (size_t i = 0; i < MAKERS; i++)
        pthread_join(thread[i], NULL);
    printf("(%zu sessions made in %.1f s, %u failed)\n", f.n, (double)(clock_ms() - t) / 1000, atomic_load(&f.failed));
    park_all(&f);
    fflush(stdout);
    pendings(&f);
    fflush(stdout);
    alone(&f);
    fflush(stdout);
    burst(&f);
    stop_clients(&f);
    redis_free(f.redis);
    stack_stop(f.s);
    munmap(f.board, room);
    arena_free(f.a);
}
