/* test_nginxconf.c - the reader of nginx configurations: what it finds, and that no damaged text harms it. */
#include "deploy/mapictl/nginxconf.c"
#include "tests/mutate.h"
#include "tests/unit.h"

static const char sample[] =
    "user  www; # comment ; {\nhttp { gzip on; include \"a b.conf\";\n  map $x $y { default 'q;\\'{'; ~*^/a\\.b$ ${x}c; }\n"
    "  server { listen 443 ssl; gzip off; location ~ ^/mapi/ { fastcgi_read_timeout 2m; content_by_lua_block { if x then y = { 1 } end } } }\n}\n";

TEST(tree_and_inheritance)
{
    struct arena *a = arena_new(SIZE_MAX);
    const char *why = NULL;
    size_t n;
    struct directive *top = nginxconf_parse(a, blob_str(sample), &why);
    REQUIRE(top != NULL);
    const struct directive **v = nginxconf_all(a, top, "location", &n);
    REQUIRE(n == 1);
    CHECK_STR(nginxconf_word(v[0], 2, ""), "^/mapi/");
    CHECK_STR(nginxconf_word(nginxconf_effective(v[0], "gzip"), 1, ""), "off");
    CHECK_STR(nginxconf_word(nginxconf_effective(v[0], "user"), 1, ""), "www");
    CHECK(nginxconf_effective(v[0], "nothing") == NULL);
    v = nginxconf_all(a, top, "default", &n);
    REQUIRE(n == 1);
    CHECK_STR(nginxconf_word(v[0], 1, ""), "q;'{");
    v = nginxconf_all(a, top, "~*^/a\\.b$", &n);
    REQUIRE(n == 1);
    CHECK_STR(nginxconf_word(v[0], 1, ""), "${x}c");
    CHECK(nginxconf_parse(a, blob_of("a\0b;", 4), &why) == NULL);
    uint64_t x;
    CHECK(nginxconf_size("8m", &x) && x == 8u << 20);
    CHECK(nginxconf_size("0", &x) && x == 0);
    CHECK(nginxconf_seconds("2m", &x) && x == 120);
    CHECK(nginxconf_seconds("1500ms", &x) && x == 1);
    CHECK(!nginxconf_size("8x", &x) && !nginxconf_size("", &x) && !nginxconf_seconds("-1", &x));
    arena_free(a);
}

TEST(errors_name_the_line)
{
    static const struct { const char *text, *why; } bad[] = {
        { "a b", "line 1: a directive is not ended" }, { "a {\nb;\n", "line 3: a block is not closed" }, { "a;\n}\n", "line 2: a closing brace too many" },
        { "a 'b;\nc\n", "line 1: a quote is not closed" }, { "a;\n;", "line 2: a directive without a name" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena *a = arena_new(SIZE_MAX);
        const char *why = NULL;
        CHECK(nginxconf_parse(a, blob_str(bad[i].text), &why) == NULL);
        CHECK_STR(why, bad[i].why);
        arena_free(a);
    }
}

static void read_variant(void *ctx, struct blob variant)
{
    struct arena *a = arena_new(SIZE_MAX);
    const char *why = NULL;
    size_t n = 0;
    (void)ctx;
    struct directive *top = nginxconf_parse(a, variant, &why);
    unit_check((top != NULL) != (why != NULL), __FILE__, __LINE__, "a tree or a reason");
    if (top != NULL)
        nginxconf_all(a, top, "location", &n);
    arena_free(a);
}

TEST(damaged_text) { CHECK(mutate_all(blob_str(sample), read_variant, NULL) > 1000); }
