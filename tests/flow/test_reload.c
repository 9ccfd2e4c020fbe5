/* test_reload.c - SIGHUP and SIGUSR1 while clients work: a new configuration is taken whole, a bad one not at all, and no request notices. */
#include "tests/flow/walk.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t nothing[1];

static const char *read_file(struct arena *a, const char *path)
{
    char *text = arena_alloc(a, 1 << 20);
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
        fclose(f);
    }
    return text;
}

static unsigned times(const char *text, const char *words)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
        n++;
    return n;
}

/* The file of host A or B as the stack wrote it, with these lines behind it; replaced in one step, as editors do. */
static void write_config(struct stack *st, struct arena *a, char host, const char *base, const char *lines)
{
    const char *path = arena_printf(a, "%s/%c.conf", st->dir, host), *temp = arena_printf(a, "%s.new", path);
    FILE *f = fopen(temp, "w");
    REQUIRE(f != NULL);
    fprintf(f, "%s%s", base, lines);
    fclose(f);
    REQUIRE(rename(temp, path) == 0);
}

/* Sends the signal and waits until the worker's log has one more line with these words. */
static bool signalled(struct stack *st, struct arena *a, unsigned worker, int signal, const char *words)
{
    const char *path = arena_printf(a, "%s/%s.log", st->dir, stack_route[worker]);
    unsigned before = times(read_file(a, path), words);
    kill(st->worker[worker], signal);
    for (int i = 0; i < 500; i++) {
        struct arena *own = arena_new(SIZE_MAX);
        bool more = times(read_file(own, path), words) > before;
        arena_free(own);
        if (more)
            return true;
        usleep(10000);
    }
    fprintf(stderr, "%s has no new \"%s\"\n", path, words);
    return false;
}

static long expiration(struct mapic *c, struct arena *a)
{
    struct mapic_reply r;
    const char *why = NULL;
    if (!mapic_call(c, a, "PING", blob_of(nothing, 0), NULL, &r, &why) || r.code != 0)
        return -1;
    const char *text = http_header(&r.http, "X-ExpirationInfo");
    return text != NULL ? strtol(text, NULL, 10) : -2;
}

/* --- a good file and bad ones -------------------------------------------------------------------------------------- */

TEST_LIMIT(a_file_is_taken_whole_or_not_at_all, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct arena *a = arena_new(SIZE_MAX);
    const char *base = read_file(a, arena_printf(a, "%s/a.conf", st->dir)), *log = arena_printf(a, "%s/a0.log", st->dir);
    struct walk w;
    walk_begin(&w, st, &st->ana);
    CHECK_INT(expiration(&w.c, a), 900000);
    write_config(st, a, 'a', base, "session_retention = 1234\nthreads = 3\n");
    CHECK(signalled(st, a, 0, SIGHUP, " key=\"session_retention\""));
    CHECK(strstr(read_file(a, log), " key=\"threads\"") != NULL);
    CHECK_INT(expiration(&w.c, a), 1234000);
    static const struct { const char *lines, *words; } bad[] = {
        { "session_retention = 77\nsession_retentoin = 5\n", "session_retentoin: there is no such key" },
        { "session_retention = 77\npending_period = 3\n", "pending_period: 3 is out of range: 10 to 300000 ms" },
        { "session_retention = 77\naccess_log = /nonexistent/dir/log\n", "access_log /nonexistent/dir/log: No such file" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_config(st, a, 'a', base, bad[i].lines);
        CHECK(signalled(st, a, 0, SIGHUP, bad[i].words));
        CHECK_INT(expiration(&w.c, a), 1234000);
    }
    CHECK(strstr(read_file(a, log), "the configuration was not taken; the one before stays in force") != NULL);
    REQUIRE(unlink(arena_printf(a, "%s/a.conf", st->dir)) == 0);
    CHECK(signalled(st, a, 0, SIGHUP, "No such file or directory"));
    CHECK_INT(expiration(&w.c, a), 1234000);
    write_config(st, a, 'a', base, "");
    CHECK(signalled(st, a, 0, SIGHUP, "configuration read again; logs reopened"));
    CHECK_INT(expiration(&w.c, a), 900000);
    walk_end(&w);
    stack_stop(st);
    arena_free(a);
}

/* The log takes another form, then another name, while the process runs. */
TEST_LIMIT(logs_change_their_form_and_name, 120)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    const char *base = read_file(a, arena_printf(a, "%s/a.conf", st->dir)), *one = arena_printf(a, "%s/one", st->dir), *two = arena_printf(a, "%s/two", st->dir);
    struct walk w;
    walk_begin(&w, st, &st->ana);
    write_config(st, a, 'a', base, arena_printf(a, "access_log = %s\naccess_rops = yes\n", one));
    CHECK(signalled(st, a, 0, SIGHUP, " key=\"access_log access_rops\""));
    uint32_t inbox;
    CHECK_INT(step_open_folder(&w.s, w.s.fid[4], &inbox), ecNone);
    const char *text = read_file(a, one);
    CHECK(strstr(text, " RopIds=0x02:OpenFolder GenericErrors") != NULL || strstr(text, " RopIds=0x02:OpenFolder\n") != NULL);
    CHECK(strstr(text, " SessionCookie=") != NULL && strstr(text, " SequenceCookie=") != NULL);
    CHECK(strstr(text, w.c.context) == NULL && strstr(text, w.c.sequence) == NULL);
    write_config(st, a, 'a', base, arena_printf(a, "access_log = %s\naccess_json = yes\n", two));
    CHECK(signalled(st, a, 0, SIGHUP, " key=\"access_log access_json access_rops\""));
    CHECK_INT(step_open_folder(&w.s, w.s.fid[4], &inbox), ecNone);
    CHECK_STR(read_file(a, one), text);
    text = read_file(a, two);
    CHECK(strncmp(text, "{\"DateTime\":\"", 13) == 0);
    CHECK(strstr(text, "RopIds") == NULL);
    REQUIRE(rename(two, one) == 0);
    CHECK(signalled(st, a, 0, SIGUSR1, "logs reopened pid="));
    CHECK_INT(step_open_folder(&w.s, w.s.fid[4], &inbox), ecNone);
    CHECK_STR(read_file(a, one), text);
    CHECK(strncmp(read_file(a, two), "{\"DateTime\":\"", 13) == 0);
    walk_end(&w);
    stack_stop(st);
    arena_free(a);
}

/* --- under load ---------------------------------------------------------------------------------------------------- */

enum { CLIENTS = 4, ROUNDS = 12 };

struct load { struct stack *st; atomic_bool stop; atomic_uint good, bad; };

static bool one_round(struct walk *w, struct arena *a)
{
    uint32_t folder;
    if (step_open_folder(&w->s, w->s.fid[4], &folder) != ecNone || step_release(&w->s, folder) != ecNone)
        return false;
    long ms = expiration(&w->c, a);
    return ms == 900000 || (ms >= 500000 && ms < (500 + ROUNDS) * 1000l); /* values that some file had */
}

static void *load_on(void *arg)
{
    struct load *l = arg;
    struct walk w;
    walk_begin(&w, l->st, &l->st->ana);
    while (!atomic_load(&l->stop)) {
        struct arena *a = arena_new(SIZE_MAX), *was = w.s.a;
        w.s.a = a;
        atomic_fetch_add(one_round(&w, a) ? &l->good : &l->bad, 1);
        w.s.a = was;
        arena_free(a);
    }
    walk_end(&w);
    return NULL;
}

TEST_LIMIT(nobody_notices_a_reload, 120)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct load l = { .st = stack_start(NULL) };
    struct stack *st = l.st;
    const char *base[2] = { read_file(a, arena_printf(a, "%s/a.conf", st->dir)), read_file(a, arena_printf(a, "%s/b.conf", st->dir)) };
    pthread_t t[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        REQUIRE(pthread_create(&t[i], NULL, load_on, &l) == 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const char *lines = arena_printf(a, "session_retention = %u\nlog_json = %s\naccess_log = %s/access\naccess_json = %s\nrequest_max = %u\n", 500 + i,
                                         i % 2 != 0 ? "yes" : "no", st->dir, i % 3 == 0 ? "yes" : "no", 1000000 + i);
        for (unsigned h = 0; h < 2; h++)
            write_config(st, a, "ab"[h], base[h], lines);
        for (unsigned k = 0; k < st->workers; k++)
            CHECK(signalled(st, a, k, SIGHUP, "configuration read again; logs reopened"));
        for (unsigned before = l.good; l.good < before + CLIENTS && l.bad == 0; )
            usleep(1000);
    }
    atomic_store(&l.stop, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(t[i], NULL);
    CHECK(l.good >= ROUNDS * CLIENTS);
    CHECK_INT(l.bad, 0);
    /* every line is whole, whatever form it was written in */
    char *text = arena_strdup(a, read_file(a, arena_printf(a, "%s/access", st->dir)));
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL && end - text < (1 << 20) - 8192; line = end + 1) {
        *end = '\0';
        bool json = line[0] == '{' && end[-1] == '}', plain = strncmp(line, "DateTime=", 9) == 0;
        if (!unit_check(json || plain, __FILE__, __LINE__, "a whole line: %s", line))
            break;
    }
    stack_stop(st);
    arena_free(a);
}
