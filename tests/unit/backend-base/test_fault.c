/* test_fault.c - a process that is told where to die, stop or sleep. */
#include "backend/base/fault.h"
#include "backend/base/filetime.h"
#include "tests/unit.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Status of a child that passes commit_store three times under an order. */
static int passes(const char *order, const char *file)
{
    pid_t pid = fork();
    if (pid == 0) {
        setenv("MAPIHTTPD_FAULT", order, 1);
        if (file != NULL)
            setenv("MAPIHTTPD_FAULT_FILE", file, 1);
        fault_init();
        for (int i = 1; i <= 3; i++) {
            fault_arm();
            fault_point(FAULT_begin_done);
            fault_point(FAULT_commit_store);
        }
        _exit(7);
    }
    int status = 0;
    REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return status;
}

TEST(orders)
{
    int s = passes("commit_store:2:kill", NULL);
    CHECK(WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL);
    s = passes("commit_store:1:stop", NULL);
    CHECK(WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP);
    uint64_t start = clock_ms();
    s = passes("commit_store:3:sleep=50", NULL);
    CHECK(WIFEXITED(s) && clock_ms() - start >= 50);
    static const char *const none[] = { "", "commit_store:4:kill", "no_such_place:1:kill", "commit_store", "commit_store:1", ":1:kill", "commit_stor:1:kill", "commit_store:1:dance" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        s = passes(none[i], NULL);
        CHECK(WIFEXITED(s) && WEXITSTATUS(s) == 7);
    }
}

TEST(order_file_is_emptied_when_it_fired)
{
    char path[200], text[40] = "x";
    snprintf(path, sizeof path, "%s/fault", unit_tmpdir());
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    fputs("commit_store:1:kill\n", f);
    fclose(f);
    int s = passes("", path);
    CHECK(WIFSIGNALED(s));
    f = fopen(path, "r");
    CHECK(f != NULL && fgets(text, sizeof text, f) == NULL);
    fclose(f);
    s = passes("", path);
    CHECK(WIFEXITED(s));
}

TEST(names)
{
    CHECK_STR(fault_name(FAULT_commit_store), "commit_store");
    CHECK_STR(fault_name(FAULT_COUNT), "?");
}
