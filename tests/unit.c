/* unit.c - the runner: every registered test in a CUnit suite per file, with a time limit and a list of what ran. */
#include "tests/unit.h"
#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <ftw.h>

enum { NAME = 160, HEX_SLOTS = 8, HEX_MAX = 65536 };

static struct unit_test *tests, *current;
static jmp_buf           leave;
static unsigned          skipped;
static FILE             *ran;
static char              tmpdir[64];

void unit_register(struct unit_test *t)
{
    struct unit_test **at = &tests;
    while (*at != NULL)
        at = &(*at)->next;
    *at = t;
}

static const char *suite_of(const char *file, char out[NAME])
{
    const char *slash = strrchr(file, '/');
    snprintf(out, NAME, "%s", slash != NULL ? slash + 1 : file);
    char *dot = strrchr(out, '.');
    if (dot != NULL)
        *dot = '\0';
    return out;
}

bool unit_check(bool ok, const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, (unsigned)line, text, file, "", CU_FALSE);
    if (!ok)
        fprintf(stderr, "%s:%d: %s: %s\n", file, line, current != NULL ? current->name : "", text);
    return ok;
}

bool unit_int(long long got, long long want, const char *what, const char *file, int line)
{
    return unit_check(got == want, file, line, "%s is %lld (0x%llx), not %lld (0x%llx)", what, got, (unsigned long long)got, want,
                      (unsigned long long)want);
}

bool unit_str(const char *got, const char *want, const char *what, const char *file, int line)
{
    bool same = got != NULL && want != NULL ? strcmp(got, want) == 0 : got == want;
    return unit_check(same, file, line, "%s is \"%s\", not \"%s\"", what, got != NULL ? got : "(null)", want != NULL ? want : "(null)");
}

bool unit_ec(ec_t got, ec_t want, const char *what, const char *file, int line)
{
    return unit_check(got == want, file, line, "%s is %s (0x%08x, %s), not %s", what, err_name(got), got, err_place(), err_name(want));
}

static void dump(const char *title, struct blob b, size_t from)
{
    size_t start = from > 16 ? from - 16 : 0;
    fprintf(stderr, "    %s (%zu bytes) from %zu:", title, b.n, start);
    for (size_t i = start; i < b.n && i < start + 48; i++)
        fprintf(stderr, "%s%02x", i == from ? " >" : " ", b.p[i]);
    fputc('\n', stderr);
}

bool unit_bytes(struct blob got, struct blob want, const char *what, const char *file, int line)
{
    size_t n = 0;
    while (n < got.n && n < want.n && got.p[n] == want.p[n])
        n++;
    bool same = n == got.n && n == want.n;
    if (!unit_check(same, file, line, "%s differs at byte %zu", what, n)) {
        dump("got ", got, n);
        dump("want", want, n);
    }
    return same;
}

bool unit_hex(struct blob got, const char *hex, const char *what, const char *file, int line)
{
    return unit_bytes(got, unhex(hex), what, file, line);
}

struct blob unhex(const char *hex)
{
    static _Thread_local uint8_t *slot[HEX_SLOTS];
    static _Thread_local unsigned next;
    unsigned k = next++ % HEX_SLOTS;
    free(slot[k]);
    uint8_t *p = slot[k] = malloc(HEX_MAX);
    size_t n = 0;
    while (*hex != '\0' && n < HEX_MAX) {
        unsigned v;
        int used = 0;
        if (*hex == '#')
            hex += strcspn(hex, "\n");
        else if (sscanf(hex, "%2x%n", &v, &used) == 1 && used == 2) {
            p[n++] = (uint8_t)v;
            hex += 2;
        } else
            hex++;
    }
    return blob_of(p, n);
}

void unit_leave(void) { longjmp(leave, 1); }

void unit_skip(const char *why)
{
    skipped++;
    fprintf(stderr, "skipped %s: %s\n", current->name, why);
    longjmp(leave, 2);
}

static void too_long(int sig)
{
    (void)sig;
    static const char text[] = " ran over its time limit\n";
    ssize_t n = write(STDERR_FILENO, current->name, strlen(current->name));
    n = write(STDERR_FILENO, text, sizeof text - 1);
    (void)n;
    abort();
}

/* CUnit calls tests without an argument, so the one to run is found by name. */
static void run_current(void)
{
    CU_pTest  t = CU_get_current_test();
    CU_pSuite s = CU_get_current_suite();
    char suite[NAME];
    for (current = tests; current != NULL; current = current->next)
        if (strcmp(current->name, t->pName) == 0 && strcmp(suite_of(current->file, suite), s->pName) == 0)
            break;
    unsigned failures = CU_get_number_of_failures();
    alarm(current->seconds);
    int how = setjmp(leave);
    if (how == 0)
        current->run();
    alarm(0);
    if (ran != NULL) {
        fprintf(ran, "%s/%s %s\n", s->pName, current->name,
                how == 2 ? "skipped" : CU_get_number_of_failures() == failures ? "passed" : "failed");
        fflush(ran);
    }
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_tmpdir(void) { nftw(tmpdir, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

const char *unit_tmpdir(void)
{
    if (tmpdir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(tmpdir, sizeof tmpdir, "%s/mapihttpd-XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(tmpdir) == NULL) {
            perror("mkdtemp");
            exit(2);
        }
        if (getenv("UNIT_KEEP") == NULL)
            atexit(remove_tmpdir);
    }
    return tmpdir;
}

static void add_tests(const char *only)
{
    char suite[NAME], full[2 * NAME];
    for (struct unit_test *t = tests; t != NULL; t = t->next) {
        suite_of(t->file, suite);
        snprintf(full, sizeof full, "%s/%s", suite, t->name);
        if (only != NULL && strstr(full, only) == NULL)
            continue;
        CU_pSuite s = CU_get_suite(suite);
        if (s == NULL)
            s = CU_add_suite(suite, NULL, NULL);
        if (s == NULL || CU_add_test(s, t->name, run_current) == NULL) {
            fprintf(stderr, "unit: cannot add %s: %s\n", full, CU_get_error_msg());
            exit(2);
        }
    }
}

/* usage: PROGRAM [part of a test's full name] */
int main(int argc, char **argv)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    add_tests(argc > 1 ? argv[1] : NULL);
    const char *list = getenv("UNIT_RAN");
    ran = list != NULL ? fopen(list, "a") : NULL;
    signal(SIGALRM, too_long);
    CU_basic_set_mode(getenv("UNIT_VERBOSE") != NULL ? CU_BRM_VERBOSE : CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned n = CU_get_number_of_tests_run(), failed = CU_get_number_of_tests_failed();
    printf("unit: %u passed, %u failed, %u skipped\n", n - failed - skipped, failed, skipped);
    CU_cleanup_registry();
    return n == 0 || failed != 0;
}
