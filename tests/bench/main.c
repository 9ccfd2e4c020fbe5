/* main.c - make bench: each scenario with 1, 8 and 32 sessions against a real stack; processor time of nginx, workers and Redis per request.
 *
 * environment: BENCH_SMALL=1 leaves out folders above 10,000 messages; BENCH_ONLY=part of a scenario's name; BENCH_SESSIONS=n and BENCH_TURNS=n measure that
 * number only; BENCH_WORKERS=1..4; BENCH_LDAP=1 fills the address book from a real LDAP server, BENCH_OFFLINE=1 makes an offline one of it; BENCH_AROUND=COMMAND is run as "COMMAND begin|end PID-OF-WORKER PID-OF-REDIS TURNS" around each measure, for profilers
 * (tests/bench/profile). */
#include "backend/base/filetime.h"
#include "backend/store/message.h"
#include "tests/bench/bench.h"
#include "tests/bench/cpu.h"
#include "tests/unit.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILL_BATCH = 5000, WARM = 100 };

/* --- folders ----------------------------------------------------------------------------------------------------------------------------- */

static uint64_t fill_folder(struct stack *s, const char *name, unsigned n)
{
    static const struct actor owner = { ACTOR_OWNER, "" };
    uint64_t fid = 0;
    bool existed;
    unsigned seed = 7;
    for (unsigned at = 0; at == 0 || at < n; at += FILL_BATCH) {
        struct arena *a = arena_new((size_t)1 << 32);
        struct mailbox *m;
        REQUIRE_EC(mailbox_open(s->store, a, &s->ana.mailbox, &owner, &m), ecNone);
        REQUIRE_EC(mailbox_write(m), ecNone);
        if (fid == 0)
            REQUIRE_EC(folder_create(m, mailbox_info(m)->fid[SF_IPM_SUBTREE], name, "", false, true, &fid, &existed), ecNone);
        for (unsigned i = at; i < n && i < at + FILL_BATCH; i++) {
            /* mail comes in the order of time, give or take some hours */
            uint64_t delivered = 133000000000000000ull + (uint64_t)i * 600000000 + (unsigned)rand_r(&seed) % 200 * 1200000000ull;
            struct msg over = { 0 };
            props_set(a, &over.set, pv_str(PidTagMessageClass, "IPM.Note"));
            props_set(a, &over.set, pv_str(PidTagSubject, arena_printf(a, "Subject %u of the benchmark", (unsigned)rand_r(&seed))));
            props_set(a, &over.set, pv_str(PidTagSenderName, arena_printf(a, "Sender %u", i % 50)));
            props_set(a, &over.set, pv_time(PidTagMessageDeliveryTime, delivered));
            props_set(a, &over.set, pv_str(PidTagBody, "A body of some length, as short mail has it: two or three lines of text, a greeting, a name."));
            struct message_save save = { .fid = fid, .over = &over };
            REQUIRE_EC(message_save(m, &save), ecNone);
        }
        REQUIRE_EC(mailbox_commit(m), ecNone);
        arena_free(a);
    }
    return fid;
}

uint64_t bench_folder(struct stack *s, unsigned messages)
{
    static struct { unsigned n; uint64_t fid; } made[8];
    size_t i = 0;
    while (made[i].n != 0 && made[i].n != messages)
        i++;
    if (made[i].n == 0) {
        uint64_t t = clock_ms();
        made[i].fid = fill_folder(s, arena_printf(s->a, "Bench %u", messages), messages);
        made[i].n = messages;
        printf("(folder of %u messages made in %.1f s, %.0f messages/s)\n", messages, (double)(clock_ms() - t) / 1000,
               (double)messages * 1000 / (double)(clock_ms() - t + 1));
    }
    return id_wire(REPLID_OWN, made[i].fid);
}

/* --- sessions ---------------------------------------------------------------------------------------------------------------------------- */

struct runner { struct bench_client b; const struct scenario *sc; pthread_t thread; unsigned failed; pthread_barrier_t *start; };

static void turns(struct runner *r, unsigned n, bool ready)
{
    struct bench_client *b = &r->b;
    for (unsigned i = 0; i < n; i++) {
        b->turn = b->s.a = arena_new((size_t)1 << 26);
        r->failed += !ready || !r->sc->once(b);
        arena_free(b->turn);
    }
    b->s.a = b->a;
}

/* The first turns are not measured: they find connections to be opened, statements to be prepared and caches to be filled. */
static void *session(void *p)
{
    struct runner *r = p;
    struct bench_client *b = &r->b;
    bool ready = step_connect(&b->s, b->stack->ana.dn) == ecNone && step_logon(&b->s, b->stack->ana.dn) == ecNone
              && (r->sc->prepare == NULL || r->sc->prepare(b));
    if (!ready)
        fprintf(stderr, "%s: cannot prepare: %s (code %d)\n", r->sc->name, b->s.why != NULL ? b->s.why : err_place(), b->s.code);
    turns(r, WARM, ready);
    pthread_barrier_wait(r->start);
    pthread_barrier_wait(r->start);
    turns(r, r->sc->turns, ready);
    pthread_barrier_wait(r->start);
    pthread_barrier_wait(r->start);
    step_disconnect(&b->s);
    mapic_close(&b->c);
    return NULL;
}

struct cost { uint64_t nginx, worker, redis, us; };

static struct cost now(struct stack *s)
{
    struct cost c = { .nginx = cpu_ns(s->nginx), .redis = cpu_ns(s->redis), .us = clock_us() };
    for (unsigned i = 0; i < s->workers; i++)
        c.worker += cpu_ns(s->worker[i]);
    return c;
}

static unsigned number_of(const char *name, unsigned otherwise)
{
    const char *v = getenv(name);
    return v != NULL ? (unsigned)strtoul(v, NULL, 10) : otherwise;
}

static void around(struct stack *s, const char *what, unsigned turns)
{
    const char *command = getenv("BENCH_AROUND");
    if (command != NULL && system(arena_printf(s->a, "%s %s %d %d %u", command, what, (int)s->worker[0], (int)s->redis, turns)) != 0)
        fprintf(stderr, "%s %s failed\n", command, what);
}

static void measure(struct stack *s, const struct scenario *as_is, unsigned sessions)
{
    struct scenario changed = *as_is, *sc = &changed;
    sc->turns = number_of("BENCH_TURNS", as_is->turns);
    struct runner *r = calloc(sessions, sizeof *r);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, sessions + 1);
    for (unsigned i = 0; i < sessions; i++) {
        r[i] = (struct runner){ .sc = sc, .start = &start, .b = { .stack = s, .a = arena_new((size_t)1 << 28), .seed = i + 1 } };
        stack_client(s, &r[i].b.c, &s->ana);
        steps_init(&r[i].b.s, &r[i].b.c, r[i].b.a);
        r[i].b.fid = sc->messages != 0 ? bench_folder(s, sc->messages) : 0;
        pthread_create(&r[i].thread, NULL, session, &r[i]);
    }
    pthread_barrier_wait(&start);
    around(s, "begin", sessions * sc->turns);
    struct cost a = now(s);
    pthread_barrier_wait(&start);
    pthread_barrier_wait(&start);
    struct cost b = now(s);
    around(s, "end", sessions * sc->turns);
    pthread_barrier_wait(&start);
    unsigned failed = 0;
    for (unsigned i = 0; i < sessions; i++) {
        pthread_join(r[i].thread, NULL);
        failed += r[i].failed;
        arena_free(r[i].b.a);
    }
    double n = (double)sessions * sc->turns * 1000;
    double nginx = (double)(b.nginx - a.nginx) / n, worker = (double)(b.worker - a.worker) / n, redis = (double)(b.redis - a.redis) / n;
    printf("| %-46s | %2u | %7.1f | %7.1f | %7.1f | %7.1f | %8.0f |%s\n", sc->name, sessions, nginx, worker, redis, nginx + worker + redis,
           n * 1000 / (double)(b.us - a.us), failed != 0 ? arena_printf(s->a, " %u FAILED", failed) : "");
    fflush(stdout);
    pthread_barrier_destroy(&start);
    free(r);
}

/* --- memory ------------------------------------------------------------------------------------------------------------------------------ */

static uint64_t redis_bytes(struct stack *s)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = stack_redis(s);
    struct redis_conn *c = redis_take(r, a);
    struct blob info[] = { blob_str("INFO"), blob_str("memory") };
    struct redis_value v = { 0 };
    uint64_t n = 0;
    if (c != NULL && redis_cmd(c, 2, info, &v) == REDIS_DONE) {
        const char *at = strstr(arena_str(a, v.s), "used_memory:");
        n = at != NULL ? strtoull(at + 12, NULL, 10) : 0;
    }
    arena_free(a);
    redis_free(r);
    return n;
}

static void memory(struct stack *s)
{
    enum { SESSIONS = 500 };
    struct arena *a = arena_new((size_t)1 << 28);
    struct mapic *c = arena_array(a, struct mapic, SESSIONS);
    uint64_t before = redis_bytes(s), workers = 0;
    unsigned on = 0;
    for (size_t i = 0; i < SESSIONS; i++) {
        struct steps st;
        stack_client(s, &c[i], &s->ana);
        steps_init(&st, &c[i], a);
        on += step_connect(&st, s->ana.dn) == ecNone && step_logon(&st, s->ana.dn) == ecNone;
        mapic_close(&c[i]);
    }
    for (unsigned i = 0; i < s->workers; i++)
        workers += rss_kib(s->worker[i]);
    printf("\nRedis: %.0f bytes per freshly logged-on session (%u sessions). Workers: %llu KiB RSS each, nginx %llu KiB, Redis %llu KiB.\n",
           (double)(redis_bytes(s) - before) / (on != 0 ? on : 1), on, (unsigned long long)(workers / s->workers),
           (unsigned long long)rss_kib(s->nginx), (unsigned long long)rss_kib(s->redis));
    arena_free(a);
}

/* The unit runner is the program's main; the benchmark is its one test. */
TEST_LIMIT(bench, 3600)
{
    const char *only = getenv("BENCH_ONLY");
    bool small = getenv("BENCH_SMALL") != NULL;
    unsigned sessions = number_of("BENCH_SESSIONS", 0);
    struct stack *s = stack_start(&(struct stack_options){ .workers = number_of("BENCH_WORKERS", 0), .as_deployed = true, .config = "offline_address_book_interval = 0\n" });
    printf("| %-46s | %2s | %7s | %7s | %7s | %7s | %8s |\n|---|---|---|---|---|---|---|\n", "request (CPU us each)", "n", "nginx", "worker", "redis", "sum", "req/s");
    for (size_t i = 0; i < scenarios_n; i++) {
        const struct scenario *sc = &scenarios[i];
        if ((only != NULL && strstr(sc->name, only) == NULL) || (small && sc->messages > 10000))
            continue;
        for (size_t k = 0; k < (sessions != 0 ? 1 : 3); k++)
            measure(s, sc, sessions != 0 ? sessions : (const unsigned[]){ 1, 8, 32 }[k]);
    }
    if (getenv("BENCH_AROUND") == NULL && (only == NULL || strstr("begin and commit", only) != NULL))
        bench_context(s);
    if (getenv("BENCH_AROUND") == NULL) {
        memory(s);
        bench_import(s);
    }
    stack_stop(s);
}
