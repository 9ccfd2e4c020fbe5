/* test_redis_ha.c - sessions go on, or end cleanly, when Redis servers die, stall, hand over or refuse; what was answered stays, once. */
#include "backend/base/filetime.h"
#include "tests/flow/redis_ha.h"
#include "tests/flow/redis_load.h"
#include "tests/flow/waiter.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE_US = 15000, BEFORE = 20, AFTER = 20 };

static struct stack *stack_on(struct ha *h, const char *more)
{
    return stack_start(&(struct stack_options){ .workers = 2, .redis = h->config, .config = more });
}

/* A page of a worker, asked as a supervisor does; the HTTP status. */
static int page(struct stack *st, struct arena *a, const char *route, const char *path, const char **text)
{
    struct mapic c;
    struct mapic_reply r;
    const char *why = NULL;
    stack_client(st, &c, &st->ana);
    c.user = NULL;
    c.mailbox_id = NULL;
    c.nturns = 0;
    c.route = route;
    struct mapic_odd odd = { .verb = "GET", .path = path };
    bool ok = mapic_call(&c, a, "PING", blob_of(NULL, 0), &odd, &r, &why);
    *text = ok ? arena_str(a, r.http.body) : "";
    mapic_close(&c);
    return ok ? r.http.status : -1;
}

/* Of both workers, which are of two hosts. */
static uint64_t metric(struct stack *st, const char *name)
{
    struct arena *a = arena_new((size_t)1 << 24);
    const char *text;
    uint64_t n = 0;
    for (unsigned i = 0; i < st->workers; i++) {
        REQUIRE(page(st, a, stack_route[i], "/metrics", &text) == 200);
        const char *at = strstr(text, arena_printf(a, "\nmapihttpd_%s ", name));
        REQUIRE(at != NULL);
        n += strtoull(strchr(at + 1, ' '), NULL, 10);
    }
    arena_free(a);
    return n;
}

static void await_ready(struct stack *st, bool ready, const char *word)
{
    char last[200] = "";
    for (int i = 0; i < 1000; i++) {
        struct arena *a = arena_new((size_t)1 << 24);
        const char *text = "";
        bool as_wanted = (page(st, a, stack_route[0], "/healthz", &text) == 200) == ready && strstr(text, word) != NULL;
        snprintf(last, sizeof last, "%s", text);
        arena_free(a);
        if (as_wanted)
            return;
        usleep(10000);
    }
    unit_check(false, __FILE__, __LINE__, "/healthz never said \"%s\" but: %s", word, last);
}

/* The workers' user was never refused anything: the rule in deploy/redis-users.acl has all that is needed. */
static void check_rights(struct ha *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->server[i].pid > 0 && !h->server[i].sentinel) {
            struct redis_value v = ha_say(h, i, "ACL LOG");
            unit_check(strstr((const char *)v.s.p, "mapihttpd") == NULL, __FILE__, __LINE__, "server %zu refused the workers: %.600s", i, (const char *)v.s.p);
        }
}

static void end(struct stack *st, struct ha *h)
{
    check_rights(h);
    stack_stop(st);
    ha_stop(h);
}

/* One request that changes nothing; its X-ResponseCode. */
static int look(struct walk *w, uint32_t message)
{
    struct propval v[1];
    uint32_t tag = PidTagSubject;
    step_get_props(&w->s, message, &tag, 1, v);
    return w->s.code;
}

static uint32_t begin_message(struct walk *w, uint32_t folder, const char *subject)
{
    uint32_t message;
    struct props p = { 0 };
    props_set(w->a, &p, pv_str(PidTagSubject, subject));
    MUST_STEP(w, step_create_message(&w->s, folder, w->s.fid[SF_INBOX], &message));
    MUST_STEP(w, step_set_props(&w->s, message, &p, NULL));
    return message;
}

/* --- Sentinel ------------------------------------------------------------------------------------------------------------------------------------ */
TEST_LIMIT(master_killed_under_load, 60)
{
    struct ha *h = ha_sentinel();
    struct stack *st = stack_on(h, NULL);
    static struct load l;
    l = (struct load){ 0 };
    load_begin(&l, st, PAUSE_US);
    load_await(&l, BEFORE);
    ha_kill(h, 0);
    size_t next = ha_await_master(h, 0);
    load_await(&l, AFTER);
    ha_await(h, 3 - next, "INFO replication", "master_link_status:up"); /* the last one follows it */
    ha_kill(h, next);
    ha_await_master(h, next);
    load_await(&l, AFTER);
    load_end(&l);
    load_check(&l, "master killed, twice");
    CHECK(metric(st, "redis_failovers_total") >= 3); /* two, seen by two workers; one may have been asleep */
    CHECK(metric(st, "redis_reconnects_total") >= 1);
    CHECK(metric(st, "redis_seconds_count") > 100);
    await_ready(st, true, "ok");
    end(st, h);
}

/* Nobody waits for anything: the clients hear of it, repeat, or connect again, and still nothing is missing and nothing there twice. */
TEST_LIMIT(master_killed_without_patience, 60)
{
    struct ha *h = ha_sentinel();
    struct stack *st = stack_on(h, "redis_failover_wait = 0\nredis_wait_replicas = 0\n");
    static struct load l;
    l = (struct load){ 0 };
    load_begin(&l, st, PAUSE_US / 3);
    load_await(&l, BEFORE);
    ha_kill(h, 0);
    ha_await_master(h, 0);
    load_await(&l, AFTER);
    load_end(&l);
    load_check(&l, "master killed, nobody waits");
    CHECK(load_codes(&l, 1) >= 1);
    end(st, h);
}

/* It does not die, it hangs; and when it goes on it thinks for a moment that it is still the master. */
TEST_LIMIT(master_that_stalls_and_comes_back, 60)
{
    struct ha *h = ha_sentinel();
    struct stack *st = stack_on(h, NULL);
    static struct load l;
    l = (struct load){ 0 };
    load_begin(&l, st, 4 * PAUSE_US);
    load_await(&l, BEFORE);
    ha_signal(h, 0, SIGSTOP);
    ha_await_master(h, 0);
    load_await(&l, AFTER);
    ha_signal(h, 0, SIGCONT); /* the sentinels let it be for 8 s before they make it a replica */
    load_await(&l, AFTER);
    ha_await(h, 0, "INFO replication", "role:slave");
    load_await(&l, AFTER);
    load_end(&l);
    load_check(&l, "master stalled");
    CHECK(metric(st, "redis_failovers_total") >= 1);
    end(st, h);
}

/* What the replicas never got: a session of which one committed change is missing goes on by its journal; where something is missing that nobody has, it
 * ends with 10; and nothing is done twice. */
TEST_LIMIT(what_was_not_replicated_costs_sessions_and_nothing_else, 60)
{
    struct ha *h = ha_sentinel();
    struct stack *st = stack_on(h, NULL);
    struct walk idle, one, cursor, two, late;
    uint32_t inbox[3], message[3], handle;
    uint64_t mid;
    walk_begin(&idle, st, &st->ana);
    walk_begin(&one, st, &st->ana);
    walk_begin(&cursor, st, &st->bob);
    walk_begin(&two, st, &st->bob);
    struct walk *w[] = { &one, &cursor, &two };
    for (size_t i = 0; i < 3; i++) {
        MUST_STEP(w[i], step_open_folder(&w[i]->s, w[i]->s.fid[SF_INBOX], &inbox[i]));
        message[i] = begin_message(w[i], inbox[i], arena_printf(one.a, "Not replicated %zu", i));
    }
    ha_say(h, 0, "ACL SETUSER replica off");
    ha_say(h, 0, "CLIENT KILL TYPE replica");
    ha_await(h, 0, "INFO replication", "connected_slaves:0");
    MUST_STEP(&one, step_save_message(&one.s, message[0], 0x0A, &mid));
    MUST_STEP(&cursor, step_open_folder(&cursor.s, cursor.s.fid[SF_OUTBOX], &handle));
    MUST_STEP(&two, step_save_message(&two.s, message[2], 0x0A, &mid));
    uint32_t more = begin_message(&two, inbox[2], "Not replicated 3");
    MUST_STEP(&two, step_save_message(&two.s, more, 0x0A, &mid));
    walk_begin(&late, st, &st->ana);
    CHECK(metric(st, "redis_wait_timeouts_total") >= 1);
    ha_kill(h, 0);
    ha_await_master(h, 0);
    CHECK_INT(look(&idle, idle.s.logon), 0);
    CHECK_INT(look(&one, message[0]), 0);
    CHECK_INT(look(&cursor, message[1]), 10);
    CHECK_INT(look(&two, message[2]), 10);
    CHECK_INT(look(&late, late.s.logon), 10);
    for (unsigned i = 0; i < 4; i++)
        CHECK_INT(walk_count(st, i == 0 ? &st->ana : &st->bob, SF_INBOX, arena_printf(one.a, "Not replicated %u", i)), i != 1);
    STEP(&one, step_save_message(&one.s, message[0], 0x0A, &mid));
    MUST_STEP(&cursor, step_connect(&cursor.s, st->bob.dn));
    MUST_STEP(&cursor, step_logon(&cursor.s, st->bob.dn));
    struct walk *all[] = { &idle, &one, &cursor, &two, &late };
    for (size_t i = 0; i < 5; i++)
        walk_end(all[i]);
    end(st, h);
}

/* --- Cluster ------------------------------------------------------------------------------------------------------------------------------------- */
TEST_LIMIT(cluster_master_killed_under_load, 60)
{
    struct ha *h = ha_cluster();
    struct stack *st = stack_on(h, NULL);
    static struct load l;
    l = (struct load){ 0 };
    load_begin(&l, st, PAUSE_US);
    load_await(&l, BEFORE);
    ha_kill(h, 0);
    ha_await(h, 3, "INFO replication", "role:master");
    load_await(&l, AFTER);
    ha_kill(h, 1);
    ha_await(h, 4, "INFO replication", "role:master");
    load_await(&l, AFTER);
    load_end(&l);
    load_check(&l, "cluster: two masters killed");
    await_ready(st, true, "ok");
    CHECK(metric(st, "redis_failovers_total") >= 1);
    end(st, h);
}

/* A client that looks at its mailbox all the time, and how long it waited for that. */
struct looker { struct walk w; const struct person *who; pthread_t thread; atomic_bool *stop; atomic_uint n; unsigned failed, lost; uint64_t worst_ms; useconds_t pause_us; };

static void *keep_looking(void *ptr)
{
    struct looker *l = ptr;
    while (!atomic_load(l->stop)) {
        uint64_t began = clock_ms();
        int code = look(&l->w, l->w.s.logon);
        uint64_t ms = clock_ms() - began;
        l->lost += code == 10;
        l->failed += code != 0 && (code != 10 || step_connect(&l->w.s, l->who->dn) != ecNone || step_logon(&l->w.s, l->who->dn) != ecNone);
        l->worst_ms = ms > l->worst_ms ? ms : l->worst_ms;
        atomic_fetch_add(&l->n, 1);
        usleep(l->pause_us);
    }
    return NULL;
}

static void await_looks(struct looker *l, size_t clients, unsigned more)
{
    unsigned from[16];
    uint64_t began = clock_ms();
    for (size_t i = 0; i < clients; i++)
        from[i] = atomic_load(&l[i].n);
    for (size_t i = 0; i < clients; i++)
        while (atomic_load(&l[i].n) < from[i] + more && clock_ms() - began < 20000)
            usleep(2000);
}

static unsigned count_sessions(struct ha *h, size_t at)
{
    struct redis_value keys = ha_say(h, at, "KEYS mapi:{*");
    unsigned n = 0;
    for (const char *key = strstr((const char *)keys.s.p, "mapi:{"); key != NULL; key = strstr(key + 1, "mapi:{"))
        n++;
    return n;
}

/* Sessions of server `at`, by trying: the keys tell where one came to lie. */
static void begin_lookers(struct ha *h, struct stack *st, size_t at, struct looker *l, size_t clients, useconds_t pause_us, atomic_bool *stop)
{
    for (size_t i = 0, tries = 0; i < clients && tries < 100; tries++) {
        unsigned before = count_sessions(h, at);
        l[i].who = tries % 2 == 0 ? &st->ana : &st->bob;
        walk_begin(&l[i].w, st, l[i].who);
        if (count_sessions(h, at) != before + 1) {
            walk_end(&l[i].w);
            continue;
        }
        l[i].stop = stop;
        l[i].pause_us = pause_us;
        i++;
    }
    for (size_t i = 0; i < clients; i++)
        REQUIRE(l[i].w.s.c != NULL && pthread_create(&l[i].thread, NULL, keep_looking, &l[i]) == 0);
}

/* While one master of a cluster is replaced, its sessions wait, more of them than there are threads; those of another master notice nothing. */
static void others_go_on(size_t first, void (*fail)(struct ha *h, size_t at), uint64_t most_ms, const char *how)
{
    enum { SICK = 8, SOUND = 2 };
    struct ha *h = ha_cluster();
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .redis = h->config, .config = "threads = 2\nredis_failover_wait = 10000\n" });
    static struct looker sick[SICK], sound[SOUND];
    atomic_bool stop = false;
    memset(sick, 0, sizeof sick);
    memset(sound, 0, sizeof sound);
    begin_lookers(h, st, first, sick, SICK, 1000, &stop);
    begin_lookers(h, st, 1, sound, SOUND, 5000, &stop);
    await_looks(sick, SICK, 5);
    for (size_t i = 0; i < SOUND; i++)
        sound[i].worst_ms = 0;
    uint64_t began = clock_ms();
    unsigned looks = atomic_load(&sound[0].n);
    fail(h, first);
    ha_await(h, first + 3, "INFO replication", "role:master");
    uint64_t gap = clock_ms() - began;
    looks = atomic_load(&sound[0].n) - looks;
    await_looks(sick, SICK, 3);
    atomic_store(&stop, true);
    uint64_t waited = 0;
    unsigned lost = 0;      /* its last words may not have reached the replica */
    for (size_t i = 0; i < SICK; i++) {
        pthread_join(sick[i].thread, NULL);
        lost += sick[i].lost;
        unit_check(sick[i].failed == 0, __FILE__, __LINE__, "%s: a session of the master that failed heard %u errors", how, sick[i].failed);
        waited = sick[i].worst_ms > waited ? sick[i].worst_ms : waited;
        walk_end(&sick[i].w);
    }
    for (size_t i = 0; i < SOUND; i++) {
        pthread_join(sound[i].thread, NULL);
        CHECK_INT(sound[i].failed + sound[i].lost, 0);
        unit_check(sound[i].worst_ms < most_ms, __FILE__, __LINE__, "%s: a session of a sound master waited %llu ms; the failover took %llu", how,
                   (unsigned long long)sound[i].worst_ms, (unsigned long long)gap);
        walk_end(&sound[i].w);
    }
    CHECK(waited > 500);
    CHECK(lost <= SICK / 2);
    unit_check(looks > gap / 50, __FILE__, __LINE__, "%s: %u looks at a sound master in %llu ms", how, looks, (unsigned long long)gap);
    printf("%s: replaced after %llu ms; its sessions waited up to %llu ms, those of another up to %llu and %llu ms, with %u looks meanwhile\n", how, (unsigned long long)gap,
           (unsigned long long)waited, (unsigned long long)sound[0].worst_ms, (unsigned long long)sound[1].worst_ms, looks);
    CHECK(metric(st, "spare_threads_total") >= 1);
    if (h->server[first].pid > 0)
        ha_signal(h, first, SIGCONT);
    end(st, h);
}

static void stop_server(struct ha *h, size_t at) { ha_signal(h, at, SIGSTOP); }

TEST_LIMIT(cluster_shard_that_dies_holds_up_no_other, 60) { others_go_on(0, ha_kill, 500, "a master killed"); }
TEST_LIMIT(cluster_shard_that_hangs_holds_up_no_other, 60) { others_go_on(0, stop_server, 500, "a master stopped"); }
/* The one that knows of failed logins, {auth}: each client is asked who it is once a second, and a login takes two looks there. */
TEST_LIMIT(cluster_shard_of_logins_that_hangs_holds_up_no_other, 60) { others_go_on(2, stop_server, 1200, "the master of the logins stopped"); }

/* Slots of the sessions at server `at`, each once. */
static size_t slots_of_sessions(struct ha *h, size_t at, unsigned *out, size_t most)
{
    size_t n = 0;
    struct redis_value v = ha_say(h, at, "KEYS mapi:*");
    for (const char *key = strstr((const char *)v.s.p, "mapi:{"); key != NULL && n < most; key = strstr(key + 1, "mapi:{")) {
        unsigned slot = (unsigned)ha_say(h, at, arena_printf(h->a, "CLUSTER KEYSLOT %.*s", (int)strcspn(key, "\r"), key)).i;
        size_t i = 0;
        while (i < n && out[i] != slot)
            i++;
        if (i == n)
            out[n++] = slot;
    }
    return n;
}

TEST_LIMIT(cluster_slots_that_move_under_load, 60)
{
    struct ha *h = ha_cluster();
    struct stack *st = stack_on(h, NULL);
    static struct load l;
    unsigned slot[64];
    size_t moved = 0;
    ha_calm(h);
    l = (struct load){ 0 };
    load_begin(&l, st, PAUSE_US);
    load_await(&l, BEFORE);
    for (size_t from = 0; from < 3; from++)
        for (size_t i = 0, n = slots_of_sessions(h, from, slot, 64); i < n; i++, moved++)
            ha_migrate(h, from, 6, slot[i], slot[i], 100000);
    load_await(&l, AFTER);
    for (size_t i = 0, n = slots_of_sessions(h, 6, slot, 64); i < n; i++, moved++)
        ha_migrate(h, 6, i % 3, slot[i], slot[i], 100000);
    load_await(&l, AFTER);
    load_end(&l);
    load_check(&l, "cluster: slots moved");
    CHECK(moved >= 2 * LOAD_CLIENTS);
    CHECK_INT(load_codes(&l, 10), 0); /* nothing was lost, so no session is */
    CHECK_INT(load_connects(&l), LOAD_CLIENTS);
    CHECK(metric(st, "redis_redirects_total") >= 4);
    end(st, h);
}

/* Administration sees the sessions of all masters; channels and waits work whichever node has them. */
TEST_LIMIT(cluster_is_one_for_administrators, 60)
{
    enum { N = 12 };
    struct ha *h = ha_cluster();
    struct stack *st = stack_on(h, NULL);
    struct walk w[N];
    struct session_info *list;
    size_t n, on[3];
    const char *why = "";
    ha_calm(h);
    for (size_t i = 0; i < N; i++)
        walk_begin(&w[i], st, &st->ana);
    for (size_t i = 0; i < 3; i++)
        on[i] = (size_t)ha_say(h, i, "DBSIZE").i;
    CHECK(on[0] + on[1] + on[2] >= N);
    CHECK((on[0] != 0) + (on[1] != 0) + (on[2] != 0) >= 2);
    struct session_env *e = session_env_new(st->config, st->a, &why);
    REQUIRE(e != NULL);
    REQUIRE_EC(session_list(e, st->a, &list, &n), ecNone);
    CHECK_INT(n, N);
    for (size_t i = 0; i < n; i++)
        CHECK_EC(session_end(e, st->a, list[i].digest), ecNone);
    REQUIRE_EC(session_list(e, st->a, &list, &n), ecNone);
    CHECK_INT(n, 0);
    for (size_t i = 0; i < N; i++) {
        CHECK_INT(look(&w[i], w[i].s.logon), 10);
        walk_end(&w[i]);
    }
    session_env_free(e);
    end(st, h);
}

/* --- a Redis that refuses ---------------------------------------------------------------------------------------------------------------------------- */
struct refusal { const char *refuse, *restore, *words; bool begins; };

/* Running sessions hear code 1, a Connect is refused before it takes away the session that it would replace, /healthz says why, and the mailbox is as it was. */
static void refused(struct ha *h, struct stack *st, const struct refusal *r, const char *subject)
{
    struct walk w, other;
    uint32_t inbox, handle, ec;
    uint64_t mid;
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[SF_INBOX], &inbox));
    uint32_t message = begin_message(&w, inbox, subject);
    walk_init(&other, st, &st->bob);
    ha_say(h, 0, r->refuse);
    await_ready(st, false, r->words);
    CHECK_INT(step_open_folder(&w.s, w.s.fid[SF_OUTBOX], &handle), STEP_LOST);
    CHECK_INT(w.s.code, 1);
    CHECK_INT(look(&w, message), r->begins ? 0 : 1); /* what needs no memory goes on */
    uint64_t began = clock_ms();
    CHECK_INT(step_connect(&other.s, st->bob.dn), STEP_LOST);
    CHECK_INT(other.s.code, 1);
    CHECK_INT(step_connect(&w.s, st->ana.dn), STEP_LOST);
    CHECK_INT(w.s.code, 1);
    CHECK(clock_ms() - began < 1000);
    if (!r->begins) {
        CHECK_INT(step_save_message(&w.s, message, 0x0A, &mid), STEP_LOST);
        CHECK_INT(w.s.code, 1);
        CHECK_INT(walk_count(st, &st->ana, SF_INBOX, subject), 0);
    }
    CHECK_INT(walk_findings(st, &st->ana), 0);
    ha_say(h, 0, r->restore);
    await_ready(st, true, "ok");
    CHECK_INT(look(&w, message), 0);
    ec = step_save_message(&w.s, message, 0x0A, &mid);
    STEP(&w, ec);
    CHECK_INT(walk_count(st, &st->ana, SF_INBOX, subject), 1);
    STEP(&other, step_connect(&other.s, st->bob.dn));
    walk_end(&w);
    walk_end(&other);
}

TEST_LIMIT(redis_that_refuses_writes, 60)
{
    static const struct refusal all[] = {
        { "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 100mb", "out of memory", true },
        { "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read-only", false },
        { "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", "too few replicas", false },
        { "CONFIG SET save \"36000 1000000\"", "CONFIG SET stop-writes-on-bgsave-error no", "cannot write its files", false },
    };
    struct ha *h = ha_one();
    struct stack *st = stack_on(h, NULL);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (i == 3) { /* a directory lies where the dump would go */
            REQUIRE(mkdir(arena_printf(h->a, "%s/0/dump.rdb", h->dir), 0700) == 0);
            REQUIRE(close(open(arena_printf(h->a, "%s/0/dump.rdb/x", h->dir), O_CREAT | O_WRONLY, 0600)) == 0);
            ha_say(h, 0, "BGSAVE");
            ha_await(h, 0, "INFO persistence", "rdb_last_bgsave_status:err");
        }
        refused(h, st, &all[i], arena_printf(h->a, "Refused %zu", i));
    }
    end(st, h);
}

/* --- a Redis that would drop sessions ---------------------------------------------------------------------------------------------------------------- */
static int start_worker(struct stack *st, char *out, size_t room)
{
    const char *worker = getenv("MAPIHTTPD");
    char self[400] = "";
    if (worker == NULL) {
        REQUIRE(readlink("/proc/self/exe", self, sizeof self - 11) > 0);
        snprintf(strrchr(self, '/'), 11, "/mapihttpd");
        worker = self;
    }
    FILE *f = popen(arena_printf(st->a, "MAPIHTTPD_LISTEN=%s/other.sock timeout 5 '%s' --config %s/a.conf 2>&1", st->dir, worker, st->dir), "r");
    REQUIRE(f != NULL);
    out[fread(out, 1, room - 1, f)] = '\0';
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_LIMIT(eviction_is_refused_at_start_and_noticed_later, 60)
{
    struct ha *h = ha_sentinel();
    struct stack *st = stack_on(h, NULL);
    struct walk w, other;
    static char said[65536];
    walk_begin(&w, st, &st->ana);
    ha_say(h, 2, "CONFIG SET maxmemory-policy volatile-lru"); /* a replica may be the next master */
    CHECK_INT(start_worker(st, said, sizeof said), 1);
    CHECK(strstr(said, "maxmemory-policy is volatile-lru and must be noeviction") != NULL && strstr(said, arena_printf(h->a, ":%u ", h->server[2].port)) != NULL);
    ha_say(h, 2, "CONFIG SET maxmemory-policy noeviction");
    ha_say(h, 0, "CONFIG SET maxmemory-policy allkeys-random");
    CHECK_INT(start_worker(st, said, sizeof said), 1);
    CHECK(strstr(said, "maxmemory-policy is allkeys-random") != NULL);
    await_ready(st, false, "maxmemory-policy");
    CHECK_INT(look(&w, w.s.logon), 0); /* who is there stays */
    walk_init(&other, st, &st->bob);
    other.c.route = stack_route[0];
    CHECK_INT(step_connect(&other.s, st->bob.dn), STEP_LOST);
    CHECK_INT(other.s.code, 1);
    ha_say(h, 0, "CONFIG SET maxmemory-policy noeviction");
    STEP(&other, step_connect(&other.s, st->bob.dn));
    await_ready(st, true, "ok");
    /* the one that takes over would: noticed when it is connected to */
    ha_say(h, 1, "CONFIG SET maxmemory-policy allkeys-lru");
    ha_say(h, 2, "CONFIG SET maxmemory-policy allkeys-lru");
    ha_kill(h, 0);
    size_t next = ha_await_master(h, 0);
    await_ready(st, false, "maxmemory-policy");
    CHECK_INT(look(&w, w.s.logon), 0);
    ha_say(h, next, "CONFIG SET maxmemory-policy noeviction");
    await_ready(st, true, "ok");
    walk_end(&w);
    walk_end(&other);
    end(st, h);
}

/* --- TLS through stunnel -------------------------------------------------------------------------------------------------------------------------------- */
static void shell(struct ha *h, char *command)
{
    char *argv[] = { "sh", "-c", command, NULL };
    int status;
    pid_t pid = ha_spawn(h, "shell", argv);
    REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_LIMIT(tls_through_stunnel, 60)
{
    if (access("/usr/bin/stunnel4", X_OK) != 0)
        SKIP("no stunnel");
    struct ha *h = ha_one();
    unsigned tls = stack_free_port(), plain = stack_free_port();
    shell(h, arena_printf(h->a, "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=redis.example.com "
                          "-addext subjectAltName=DNS:redis.example.com", h->dir));
    ha_say(h, 0, arena_printf(h->a, "CONFIG SET tls-cert-file %1$s/cert.pem tls-key-file %1$s/key.pem tls-ca-cert-file %1$s/cert.pem tls-auth-clients no "
                              "tls-port %2$u", h->dir, tls));
    ha_say(h, 0, "CONFIG SET masterauth x"); /* answers: the port is open */
    const char *conf = arena_printf(h->a, "%s/stunnel.conf", h->dir);
    FILE *f = fopen(conf, "w");
    REQUIRE(f != NULL);
    fprintf(f, "foreground = yes\npid =\n[redis]\nclient = yes\naccept = 127.0.0.1:%u\nconnect = 127.0.0.1:%u\nverifyChain = yes\nCAfile = %s/cert.pem\n"
            "checkHost = redis.example.com\n", plain, tls, h->dir);
    fclose(f);
    char *argv[] = { "stunnel4", (char *)conf, NULL };
    pid_t tunnel = ha_spawn(h, "stunnel", argv);
    for (int i = 0; i < 500 && !ha_listens(plain); i++)
        usleep(10000);
    h->config = arena_printf(h->a, "redis = 127.0.0.1:%u\nredis_user = mapihttpd\nredis_password = secret-workers\n", plain);
    struct stack *st = stack_on(h, NULL);
    static struct load l;
    l = (struct load){ 0 };
    load_begin(&l, st, PAUSE_US);
    load_await(&l, BEFORE);
    ha_end(&tunnel, SIGKILL); /* the tunnel breaks like a network does */
    tunnel = ha_spawn(h, "stunnel", argv);
    load_await(&l, AFTER);
    load_end(&l);
    load_check(&l, "stunnel");
    CHECK_INT(load_codes(&l, 10), 0);
    end(st, h);
    ha_end(&tunnel, SIGTERM);
}

/* --- waiting ------------------------------------------------------------------------------------------------------------------------------------------ */
static void save_one(struct walk *w, const char *subject)
{
    uint32_t inbox;
    uint64_t mid;
    MUST_STEP(w, step_open_folder(&w->s, w->s.fid[SF_INBOX], &inbox));
    uint32_t message = begin_message(w, inbox, subject);
    MUST_STEP(w, step_save_message(&w->s, message, 0x0A, &mid));
}

/* RopRegisterNotification: new and created messages of the whole store. */
static void watch(struct walk *w)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    rops_head(&r, 0x29, rops_handle(&r, w->s.logon));
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u16(&r.list, 0x06);
    wr_u8(&r.list, 1);
    MUST_STEP(w, step_run(&w->s, &r, &out, &h));
}

/* A parked wait is not disturbed by a failover, and hears afterwards what others do; in a cluster whichever node has which session. */
static void waits_through(struct ha *h, void (*fail)(struct ha *h))
{
    struct stack *st = stack_on(h, NULL);
    struct walk w, other;
    struct waiter p = { 0 };
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->ana);
    watch(&w);
    waiter_start(&p, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&p));
    fail(h);
    save_one(&other, "After the failover");
    CHECK_INT(waiter_end(&p), 1);
    CHECK_INT(p.r.code, 0);
    waiter_free(&p);
    walk_end(&w);
    walk_end(&other);
    end(st, h);
}

static void fail_master(struct ha *h)
{
    ha_kill(h, 0);
    ha_await_master(h, 0);
}

static void fail_all_masters_of_a_cluster(struct ha *h)
{
    for (size_t i = 0; i < 2; i++) { /* the third has to agree */
        ha_kill(h, i);
        ha_await(h, 3 + i, "INFO replication", "role:master");
    }
}

TEST_LIMIT(wait_that_outlives_a_master, 60) { waits_through(ha_sentinel(), fail_master); }
TEST_LIMIT(wait_that_outlives_nodes_of_a_cluster, 60) { waits_through(ha_cluster(), fail_all_masters_of_a_cluster); }
