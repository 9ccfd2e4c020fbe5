/* import.c - how many messages per second `mapictl import` takes in: the demo mail many times over, in one mbox. */
#include "backend/base/filetime.h"
#include "tests/bench/bench.h"
#include "tests/unit.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 160 };

/* A mail as an mbox has it; the first line makes each a message of its own. */
static void append(FILE *out, const char *path, unsigned round)
{
    char line[4096];
    FILE *in = fopen(path, "r");
    REQUIRE(in != NULL);
    fprintf(out, "From bench@example.com Thu Jan  1 00:00:00 2026\nX-Round: %u\n", round);
    while (fgets(line, sizeof line, in) != NULL)
        fputs(line, out);
    fputs("\n", out);
    fclose(in);
}

static unsigned make_mbox(const char *to)
{
    glob_t mails;
    REQUIRE(glob("deploy/demo-mail/*.eml", 0, NULL, &mails) == 0);
    FILE *out = fopen(to, "w");
    REQUIRE(out != NULL);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < mails.gl_pathc; i++)
            append(out, mails.gl_pathv[i], round);
    fclose(out);
    unsigned n = ROUNDS * (unsigned)mails.gl_pathc;
    globfree(&mails);
    return n;
}

static double seconds(const struct timeval *t) { return (double)t->tv_sec + (double)t->tv_usec / 1e6; }

/* Through a pipe: the shell's exit code is the command's. */
static int run(struct stack *s, const char *mbox)
{
    char self[400], text[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    FILE *p = popen(arena_printf(s->a, "exec %s/mapictl --config %s/a.conf import bob %s 2>&1", self, s->dir, mbox), "r");
    REQUIRE(p != NULL);
    while (fgets(text, sizeof text, p) != NULL)
        ;
    return pclose(p);
}

void bench_import(struct stack *s)
{
    char *mbox = arena_printf(s->a, "%s/bench.mbox", s->dir);
    unsigned n = make_mbox(mbox);
    struct rusage before, after;
    getrusage(RUSAGE_CHILDREN, &before);
    uint64_t t = clock_ms();
    if (run(s, mbox) != 0)
        fprintf(stderr, "mapictl import failed\n");
    double wall = (double)(clock_ms() - t) / 1000;
    getrusage(RUSAGE_CHILDREN, &after);
    double cpu = seconds(&after.ru_utime) + seconds(&after.ru_stime) - seconds(&before.ru_utime) - seconds(&before.ru_stime);
    printf("\nImport: %u messages in %.1f s: %.0f messages/s, %.0f us of CPU each.\n", n, wall, n / wall, cpu * 1e6 / n);
}
