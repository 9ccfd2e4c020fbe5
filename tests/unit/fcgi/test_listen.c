/* test_listen.c - what stands at the path of a socket: nothing, a socket, something else. */
#include "fcgi/listen.h"
#include "tests/unit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TEST(a_socket_is_replaced_and_only_its_owner_removes_it)
{
    struct arena *a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/listen.sock", unit_tmpdir()), *why = NULL;
    struct listen_place old, now;
    int one = listen_open(&old, path, a, &why), two = listen_open(&now, path, a, &why);
    REQUIRE(one >= 0 && two >= 0);
    listen_hide(&old);
    CHECK(access(path, F_OK) == 0);
    listen_hide(&now);
    CHECK(access(path, F_OK) != 0);
    close(one);
    close(two);
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
