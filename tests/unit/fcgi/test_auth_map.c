/* test_auth_map.c - names from outside, line by line, whatever the file holds. */
#include "tests/unit.h"
#include "tests/mutate.h"
#include "fcgi/auth_int.h"
#include <stdio.h>
#include <unistd.h>

static const char *path(struct arena *a) { return arena_printf(a, "%s/map", unit_tmpdir()); }

static void write_map(struct arena *a, struct blob text)
{
    const char *fresh = arena_printf(a, "%s.new", path(a));
    FILE *f = fopen(fresh, "w");
    REQUIRE(f != NULL);
    fwrite(text.p, 1, text.n, f);
    fclose(f);
    REQUIRE(rename(fresh, path(a)) == 0);
}

static const char lines[] = "# comment\n\nkerberos  svc/host@EXAMPLE.COM\tana@example.com\noauth \"with blanks\" bob # and a comment\r\n"
                            "certificate Ana ana@example.com\nbasic x y\nkerberos only-two\nkerberos a b c\noauth \"open x\nkerberos last@X last@example.com";

TEST(lines_of_a_map)
{
    struct arena *a = arena_new(SIZE_MAX);
    write_map(a, blob_str(lines));
    struct auth_map *m = auth_map_new(path(a));
    CHECK_STR(auth_map_find(m, a, METHOD_NEGOTIATE, "svc/host@EXAMPLE.COM"), "ana@example.com");
    CHECK_STR(auth_map_find(m, a, METHOD_OAUTH, "with blanks"), "bob");
    CHECK_STR(auth_map_find(m, a, METHOD_CERTIFICATE, "Ana"), "ana@example.com");
    CHECK_STR(auth_map_find(m, a, METHOD_NEGOTIATE, "last@X"), "last@example.com");
    CHECK(auth_map_find(m, a, METHOD_OAUTH, "Ana") == NULL);
    CHECK(auth_map_find(m, a, METHOD_NEGOTIATE, "only-two") == NULL);
    CHECK(auth_map_find(m, a, METHOD_NEGOTIATE, "a") == NULL);
    CHECK(auth_map_find(m, a, METHOD_BASIC, "x") == NULL);
    auth_map_free(m);
    m = auth_map_new("/nonexistent/map");
    CHECK(auth_map_find(m, a, METHOD_OAUTH, "x") == NULL);
    auth_map_free(m);
    arena_free(a);
}

static void one(void *ctx, struct blob variant)
{
    struct arena *a = arena_new(SIZE_MAX);
    (void)ctx;
    write_map(a, variant);
    struct auth_map *m = auth_map_new(path(a));
    auth_map_find(m, a, METHOD_NEGOTIATE, "last@X");
    auth_map_free(m);
    arena_free(a);
}

TEST(every_broken_map)
{
    mutate_all(blob_str("oauth \"a b\" c # d\nkerberos last@X l@y"), one, NULL);
}
