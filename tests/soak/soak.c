/* soak.c - a stack, clients on threads of their own, and the main thread, which owns the processes: brings back what died, kills what it is told. */
#include "tests/soak/soak.h"
#include "backend/base/filetime.h"
#include "tests/unit.h"
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_US = 4000, WAKE_MS = 700 };

struct soak {
    struct stack  *stack;
    struct soak_counts *counts;
    unsigned       seed;
    struct soaker  client[SOAK_CLIENTS];
    pthread_t      thread[SOAK_CLIENTS];
    unsigned       clients, actions;
    atomic_uint    running, faults, term[STACK_WORKERS], kill_redis;
    atomic_bool    forgiven[SOAK_CLIENTS];
    pthread_mutex_t telling;
};

/* --- for the clients ------------------------------------------------------------------------------------------------ */

unsigned soak_roll(struct soaker *k, unsigned below)
{
    k->dice = k->dice * 1664525u + 1013904223u;
    return (unsigned)((uint64_t)k->dice * below >> 32);
}

void soak_fault(struct soaker *k, const char *fmt, ...)
{
    char text[2000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&k->soak->telling);
    fprintf(stderr, "soak: seed %u, client %u, request %u: %s\n", k->soak->seed, k->number, k->requests, text);
    pthread_mutex_unlock(&k->soak->telling);
    atomic_fetch_add(&k->soak->faults, 1);
}

void soak_arm(struct soaker *k, unsigned worker, const char *fault)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s.fault", k->soak->stack->dir, stack_route[worker]);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    ssize_t n = write(fd, fault, strlen(fault));
    (void)n;
    close(fd);
}

void soak_term(struct soaker *k, unsigned worker) { atomic_store(&k->soak->term[worker], 1); }
static bool early_heads(unsigned seed) { return seed % 3 == 2; }

void soak_kill_redis(struct soaker *k)
{
    for (unsigned i = 0; i < k->soak->clients; i++)
        atomic_store(&k->soak->forgiven[i], early_heads(k->soak->seed));
    atomic_store(&k->soak->kill_redis, 1);
}

bool soak_forgiven(struct soaker *k) { return atomic_exchange(&k->soak->forgiven[k->number], false); }
struct soak_counts *soak_counts(struct soaker *k) { return k->soak->counts; }
unsigned soak_port(const struct soaker *k) { return k->soak->stack->port; }
unsigned soak_workers(const struct soaker *k) { return k->soak->stack->workers; }
struct store *soak_store(const struct soaker *k) { return k->soak->stack->store; }

/* --- the end of a client -------------------------------------------------------------------------------------------- */

static void say(void *ctx, const char *finding) { soak_fault(ctx, "mailbox check: %s", finding); }

static void check_mailbox(struct soaker *k)
{
    static const struct actor owner = { ACTOR_OWNER, "" };
    struct arena *a = arena_new((size_t)1 << 28);
    struct mailbox *m;
    size_t findings = 0;
    const char *why = model_differs(a, soak_store(k), &k->who, &k->model);
    if (why != NULL)
        soak_fault(k, "mailbox and model differ: %s", why);
    ec_t ec = mailbox_open(soak_store(k), a, &k->who.mailbox, &owner, &m);
    if (ec == ecNone)
        ec = mailbox_check(m, say, k, &findings);
    if (ec != ecNone)
        soak_fault(k, "the mailbox cannot be checked: %s", err_name(ec));
    unsigned staged = model_staged(a, soak_store(k), &k->who);
    if (staged != 0)
        soak_fault(k, "%u rows are left in the staging area", staged);
    arena_free(a);
}

static void *client(void *arg)
{
    struct soaker *k = arg;
    for (unsigned i = 0; i <= k->soak->actions; i++) {
        k->a = arena_new((size_t)1 << 28);
        k->quiet = i == k->soak->actions; /* at the end the session, whatever it went through, must work */
        if (!k->quiet)
            soak_act(k);
        else if (soak_connect(k))
            for (size_t f = 0; f < SOAK_FOLDERS; f++)
                if (k->model.folder[f].there && !soak_look(k, f))
                    soak_fault(k, "the session cannot be used any more");
        if (k->quiet)
            soak_disconnect(k);
        mapic_close(&k->c);
        arena_free(k->a);
    }
    check_mailbox(k);
    atomic_fetch_sub(&k->soak->running, 1);
    return NULL;
}

/* --- the owner of the processes ------------------------------------------------------------------------------------- */

static void look_after_worker(struct soak *s, unsigned i)
{
    struct stack *st = s->stack;
    if (st->worker[i] > 0 && atomic_exchange(&s->term[i], 0) != 0)
        kill(st->worker[i], SIGTERM);
    if (st->worker[i] > 0 && waitpid(st->worker[i], NULL, WNOHANG) == st->worker[i]) {
        st->worker[i] = 0;
        stack_worker(st, i);
    }
}

static void look_after_redis(struct soak *s)
{
    if (atomic_exchange(&s->kill_redis, 0) == 0)
        return;
    stack_redis_stop(s->stack);
    stack_redis_start(s->stack);
}

static void look_after(struct soak *s)
{
    uint64_t wake = clock_ms();
    while (atomic_load(&s->running) != 0) {
        for (unsigned i = 0; i < s->stack->workers; i++)
            look_after_worker(s, i);
        look_after_redis(s);
        if (clock_ms() - wake > WAKE_MS) {
            for (unsigned i = 0; i < s->stack->workers; i++)
                if (s->stack->worker[i] > 0)
                    kill(s->stack->worker[i], SIGCONT);
            wake = clock_ms();
        }
        usleep(LOOK_US);
    }
}

/* --- beginning ------------------------------------------------------------------------------------------------------ */

static void add_person(struct soak *s, struct soaker *k)
{
    struct stack *st = s->stack;
    struct person *p = &k->who;
    const char *login = arena_printf(st->a, "soak%u@example.com", k->number);
    snprintf(k->password, sizeof k->password, "secret-%u", k->number);
    REQUIRE_EC(directory_add(st->directory, st->a, &(struct person_new){ .login = login, .display_name = login, .password = k->password,
                                                                        .with_mailbox = true }, p), ecNone);
    REQUIRE_EC(mailbox_create(st->store, st->a, &(struct mailbox_new){ .id = p->mailbox, .owner_dn = p->dn, .display_name = p->display_name, .smtp = p->smtp,
                                                                      .locale = p->locale, .quota_warn = -1, .quota_send = -1, .quota_receive = -1 }), ecNone);
}

static void begin_client(struct soak *s, unsigned i)
{
    struct soaker *k = &s->client[i];
    char guid[GUID_TEXT], mailbox[GUID_TEXT];
    *k = (struct soaker){ .soak = s, .number = i, .dice = s->seed * 2654435761u + i * 40503u + 12345u };
    add_person(s, k);
    mapic_init(&k->c, "127.0.0.1", s->stack->port, k->who.login, k->password);
    k->c.mailbox_id = arena_printf(s->stack->a, "%s@example.com", guid_text(&k->who.mailbox, mailbox));
    snprintf(k->guid, sizeof k->guid, "{%s}", guid_text(&k->c.client_guid, guid));
    k->redis = stack_redis(s->stack);
    snprintf(k->model.folder[0].name, SOAK_NAME, "Inbox");
    k->model.folder[0].there = true;
}

/* Short leases are overtaken while their holders live, long ones make repeats wait. */
static const char *config_of(unsigned seed)
{
    static const char *const leases[] = { "lock_lease = 300\nsweep_interval = 1\n", "lock_lease = 700\n",
                                          "lock_lease = 1500\nhead_delay = 0\npending_period = 50\n" };
    return leases[seed % 3];
}

unsigned soak_run(const struct soak_options *o, struct soak_counts *counts)
{
    static struct soak soak;
    struct soak *s = &soak;
    memset(s, 0, sizeof *s);
    s->counts = counts;
    s->seed = o->seed;
    s->clients = o->clients < SOAK_CLIENTS ? o->clients : SOAK_CLIENTS;
    s->actions = o->actions;
    pthread_mutex_init(&s->telling, NULL);
    s->stack = stack_start(&(struct stack_options){ .workers = 3, .config = config_of(o->seed) });
    for (unsigned i = 0; i < s->clients; i++)
        begin_client(s, i);
    atomic_store(&s->running, s->clients);
    for (unsigned i = 0; i < s->clients; i++)
        REQUIRE(pthread_create(&s->thread[i], NULL, client, &s->client[i]) == 0);
    look_after(s);
    for (unsigned i = 0; i < s->clients; i++) {
        pthread_join(s->thread[i], NULL);
        redis_free(s->client[i].redis);
    }
    unsigned faults = s->faults;
    if (faults != 0)
        fprintf(stderr, "soak: seed %u: %u faults; SOAK_SEED=%u repeats it; directory %s\n", s->seed, faults, s->seed, s->stack->dir);
    stack_stop(s->stack);
    return faults;
}
