/* test_listen.c - what stands at the path of a socket: nothing, a dead or living socket, something else; a socket that is passed. */
#include "fcgi/listen.h"
#include "tests/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(a_dead_socket_is_replaced_and_only_its_owner_removes_it)
{
    struct arena *a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/listen.sock", unit_tmpdir()), *why = NULL;
    struct listen_place old, now, third;
    int one = listen_open(&old, path, a, &why);
    REQUIRE(one >= 0);
    CHECK_INT(listen_open(&now, path, a, &why), -1); /* it lives */
    CHECK(why != NULL && strstr(why, "listen.sock: a worker answers there already") != NULL);
    close(one);
    int two = listen_open(&now, path, a, &why);
    REQUIRE(two >= 0);
    listen_hide(&old);
    CHECK(access(path, F_OK) == 0);
    shutdown(two, SHUT_RD); /* it drains: nobody can reach it */
    int three = listen_open(&third, path, a, &why);
    REQUIRE(three >= 0);
    listen_hide(&now);
    CHECK(access(path, F_OK) == 0);
    listen_hide(&third);
    CHECK(access(path, F_OK) != 0);
    close(two);
    close(three);
    arena_free(a);
}

/* A full queue is a worker that is there. */
TEST(a_busy_socket_is_not_replaced)
{
    struct arena *a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/busy.sock", unit_tmpdir()), *why = "";
    struct listen_place p, q;
    int fd = listen_open(&p, path, a, &why);
    REQUIRE(fd >= 0 && listen(fd, 0) == 0);
    CHECK_INT(listen_open(&q, path, a, &why), -1);
    CHECK_INT(listen_open(&q, path, a, &why), -1);
    CHECK_INT(listen_open(&q, path, a, &why), -1);
    CHECK(strstr(why, "answers there already") != NULL);
    close(fd);
    listen_hide(&p);
    arena_free(a);
}

static void pass(const char *fds)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", fds, 1);
}

TEST(a_passed_socket)
{
    struct arena *a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/passed.sock", unit_tmpdir()), *why = "";
    struct listen_place p, q;
    int was = fcntl(3, F_DUPFD_CLOEXEC, 100), fd = listen_open(&p, path, a, &why);
    REQUIRE(fd >= 0);
    CHECK_INT(listen_passed(&q, a, &why), LISTEN_NONE);
    setenv("LISTEN_PID", "1", 1); /* meant for another process */
    setenv("LISTEN_FDS", "1", 1);
    CHECK_INT(listen_passed(&q, a, &why), LISTEN_NONE);
    pass("2");
    CHECK_INT(listen_passed(&q, a, &why), -1);
    CHECK(strstr(why, "2 sockets were passed") != NULL);
    CHECK(getenv("LISTEN_FDS") == NULL);
    int null = open("/dev/null", O_RDONLY);
    REQUIRE(dup2(null, 3) == 3);
    pass("1");
    CHECK_INT(listen_passed(&q, a, &why), -1);
    CHECK(strstr(why, "no listening stream socket") != NULL);
    REQUIRE(dup2(fd, 3) == 3);
    pass("1");
    CHECK_INT(listen_passed(&q, a, &why), 3);
    CHECK(q.passed);
    CHECK((fcntl(3, F_GETFD) & FD_CLOEXEC) != 0);
    listen_hide(&q); /* not ours to remove */
    CHECK(access(path, F_OK) == 0);
    listen_hide(&p);
    close(3);
    if (was >= 0) {
        dup2(was, 3);
        close(was);
    }
    if (null != 3)
        close(null);
    if (fd != 3)
        close(fd);
    arena_free(a);
}

TEST(a_file_is_not_replaced)
{
    struct arena *a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/listen.db", unit_tmpdir()), *why = "";
    struct listen_place p;
    char text[8] = "";
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL && fputs("mail", f) >= 0 && fclose(f) == 0);
    CHECK(listen_open(&p, path, a, &why) == -1);
    CHECK(strstr(why, "listen.db: there is something that is not a socket") != NULL);
    f = fopen(path, "r");
    REQUIRE(f != NULL);
    CHECK(fgets(text, sizeof text, f) != NULL);
    fclose(f);
    CHECK_STR(text, "mail");
    CHECK(listen_open(&p, unit_tmpdir(), a, &why) == -1); /* nor a directory */
    arena_free(a);
}
