/* test_board.c - counters of several processes: found again after a restart, summed, gauges of the dead forgotten, damaged files no harm. */
#include "backend/base/board.h"
#include "backend/base/metric.h"
#include "tests/unit.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *dir_of(struct arena *a)
{
    static unsigned n;
    return arena_printf(a, "%s/board%u", unit_tmpdir(), ++n);
}

/* A worker: counts, sets its gauge, then says so and ends when told (or is killed). */
static pid_t worker(const char *dir, const char *name, unsigned count, unsigned gauge, int *tell)
{
    int ready[2], go[2];
    REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte = 0;
        const char *why;
        struct arena *a = arena_new(SIZE_MAX);
        close(go[1]);
        if (!board_open(dir, name, a, &why))
            _exit(1);
        _Atomic uint64_t *c = board_series(BOARD_COUNTER, "requests{type=\"PING\"}", 1), *g = board_series(BOARD_GAUGE, "waits", 1);
        for (unsigned i = 0; i < count; i++)
            atomic_fetch_add(c, 1);
        atomic_store(g, gauge);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) < 0)
            _exit(1);
        _exit(0);
    }
    char byte;
    close(go[0]);
    REQUIRE(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    *tell = go[1];
    return pid;
}

struct sums { uint64_t requests, waits; unsigned series; };

static void add(void *ctx, const char *name, const uint64_t *cells, size_t n)
{
    struct sums *s = ctx;
    s->series++;
    if (n == 1 && strcmp(name, "requests{type=\"PING\"}") == 0)
        s->requests += cells[0];
    if (n == 1 && strcmp(name, "waits") == 0)
        s->waits += cells[0];
}

/* What another process of the host reads; this one has no board of its own. */
static struct sums sums_of(const char *dir)
{
    int out[2];
    struct sums s = { 0 };
    REQUIRE(pipe(out) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        const char *why;
        struct arena *a = arena_new(SIZE_MAX);
        if (!board_open(dir, "reader", a, &why))
            _exit(1);
        board_read(a, add, &s);
        _exit(write(out[1], &s, sizeof s) == sizeof s ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
    close(out[1]);
    CHECK_INT(read(out[0], &s, sizeof s), sizeof s);
    close(out[0]);
    return s;
}

static void end(pid_t pid, int tell, int signal)
{
    char byte = 0;
    if (signal != 0)
        kill(pid, signal);
    else
        CHECK_INT(write(tell, &byte, 1), 1);
    close(tell);
    waitpid(pid, NULL, 0);
}

TEST(summed_over_workers_and_restarts)
{
    struct arena *a = arena_new(SIZE_MAX);
    const char *dir = dir_of(a);
    int tell[3];
    pid_t one = worker(dir, "a0", 1000, 3, &tell[0]), two = worker(dir, "a1", 500, 4, &tell[1]);
    struct sums s = sums_of(dir);
    CHECK_INT(s.requests, 1500);
    CHECK_INT(s.waits, 7);
    end(one, tell[0], SIGKILL);
    s = sums_of(dir);
    CHECK_INT(s.requests, 1500); /* what it counted stays */
    CHECK_INT(s.waits, 4);       /* what it had is gone */
    one = worker(dir, "a0", 10, 1, &tell[0]);
    pid_t twin = worker(dir, "a0", 1, 1, &tell[2]); /* two processes of one place, as in a restart without a gap */
    s = sums_of(dir);
    CHECK_INT(s.requests, 1511);
    CHECK_INT(s.waits, 6);
    end(one, tell[0], 0);
    end(two, tell[1], 0);
    end(twin, tell[2], 0);
    CHECK_INT(sums_of(dir).waits, 0);
    unsigned gauges = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d)) != NULL; )
        gauges += strstr(e->d_name, ".gauges") != NULL;
    closedir(d);
    CHECK(gauges <= 1); /* the last reader's own */
    arena_free(a);
}

static struct blob slurp(struct arena *a, const char *path)
{
    uint8_t *p = arena_alloc(a, 1 << 19);
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    size_t n = fread(p, 1, 1 << 19, f);
    fclose(f);
    return blob_of(p, n);
}

static void spit(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    fwrite(p, 1, n, f);
    fclose(f);
}

/* Whatever stands in a file of another worker: it is read as far as it makes sense. */
TEST(damaged_files)
{
    struct arena *a = arena_new(SIZE_MAX);
    const char *dir = dir_of(a), *path = arena_printf(a, "%s/a0.counters", dir);
    int tell;
    pid_t pid = worker(dir, "a0", 7, 0, &tell);
    end(pid, tell, 0);
    struct blob whole = slurp(a, path);
    for (size_t n = 0; n < 120; n += 9) { /* truncated */
        spit(path, whole.p, n);
        CHECK(sums_of(dir).requests <= 7);
    }
    uint8_t *bytes = arena_dup(a, whole.p, whole.n);
    for (size_t bit = 0; bit < 64 * 8; bit += 9) { /* its head and its first entry */
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        spit(path, bytes, whole.n);
        sums_of(dir);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memset(bytes, 0xff, whole.n);
    spit(path, bytes, whole.n);
    CHECK_INT(sums_of(dir).requests, 0);
    pid = worker(dir, "a0", 2, 0, &tell); /* and is made anew by its own worker */
    end(pid, tell, 0);
    CHECK_INT(sums_of(dir).requests, 2);
    arena_free(a);
}

TEST(series)
{
    char name[BOARD_NAME + 2];
    _Atomic uint64_t *x = board_series(BOARD_COUNTER, "x{a=\"1\"}", 3);
    REQUIRE(x != NULL);
    CHECK(board_series(BOARD_COUNTER, "x{a=\"1\"}", 3) == x);
    CHECK(board_series(BOARD_COUNTER, "x{a=\"2\"}", 3) != x);
    CHECK(board_series(BOARD_COUNTER, "x{a=\"1\"}", 2) != x); /* another release's, of another form */
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(board_series(BOARD_COUNTER, name, 1) == NULL);
    CHECK(board_series(BOARD_COUNTER, "y", BOARD_CELLS + 1) == NULL);
    unsigned made = 0;
    for (; made < 100000; made++) { /* until there is no room; then the others still count */
        snprintf(name, sizeof name, "series%u", made);
        if (board_series(BOARD_GAUGE, name, 40) == NULL)
            break;
    }
    CHECK(made > 20 && made < 100000);
    atomic_fetch_add(x, 5);
    CHECK_INT(*x, 5);
}

static struct metric_value *value_of(struct arena *a, const char *name, const char *labels)
{
    size_t n;
    struct metric_value *v = metric_read(a, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].name, name) == 0 && strcmp(v[i].labels, labels) == 0)
            return &v[i];
    return NULL;
}

TEST(metrics_of_each_kind)
{
    struct arena *a = arena_new(SIZE_MAX);
    metric_add(METRIC_replays, 2);
    metric_add(METRIC_waits_parked, 5);
    metric_add(METRIC_waits_parked, -2);
    metric_spent_reset();
    metric_us(METRIC_store_seconds, 100);
    metric_us(METRIC_store_seconds, 101);
    metric_us(METRIC_store_seconds, 40000000);
    CHECK_INT(metric_spent(METRIC_store_seconds), 40000201);
    CHECK_INT(metric_spent(METRIC_redis_seconds), 0);
    struct metric_row *r = metric_row(METRIC_requests, "type=\"x\",code=\"0\""), *s = metric_row(METRIC_rop_seconds, "rop=\"OpenFolder\"");
    metric_row_add(r, 3);
    metric_row_us(METRIC_rop_seconds, s, 70);
    metric_row_us(METRIC_rop_seconds, s, 5);
    CHECK_INT(metric_row_cell(s, 0), 2);
    CHECK_INT(metric_row_cell(s, 1), 75);
    CHECK_INT(value_of(a, "replays", "")->n, 2);
    CHECK_INT(value_of(a, "waits_parked", "")->n, 3);
    struct metric_value *v = value_of(a, "store_seconds", "");
    CHECK_INT(v->n, 3);
    CHECK_INT(v->us, 40000201);
    CHECK_INT(v->bucket[0], 1);
    CHECK_INT(v->bucket[1], 1);
    CHECK_INT(v->bucket[METRIC_BOUNDS], 1);
    CHECK_INT(value_of(a, "requests", "type=\"x\",code=\"0\"")->n, 3);
    CHECK_INT(value_of(a, "rop_seconds", "rop=\"OpenFolder\"")->us, 75);
    arena_free(a);
}
