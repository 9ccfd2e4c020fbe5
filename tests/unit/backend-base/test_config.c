/* Configuration files, environment and defaults become a struct, or an error that names its place. */
#include "tests/unit.h"
#include "tests/mutate.h"
#include "backend/base/config.h"
#include "backend/base/arena.h"
#include <stdlib.h>
#include <unistd.h>

static const char *write_file(struct blob text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/test.conf", unit_tmpdir());
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    fwrite(text.p, 1, text.n, f);
    fclose(f);
    return path;
}

static struct config *load(struct arena *a, const char *text, const char **why)
{
    *why = NULL;
    return config_load(a, write_file(blob_str(text)), why);
}

TEST(defaults_load)
{
    const char *why = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = config_load(a, NULL, &why);
    REQUIRE(c != NULL);
    CHECK_STR(c->listen, "run/mapihttpd.sock");
    CHECK_INT(c->pending_period, 30000);
    CHECK(!c->auth_plain_http);
    arena_free(a);
}

TEST(file_overrides)
{
    const char *why;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = load(a, "\r\n# comment\nthreads=7 # seven\n  listen\t=\t/a b/c \r\nredis_password = \"a \\\"b\\\\ # c\" # x\nlog_json = yes\nauth_realm=a#b\n"
                               "worker_name =\naccess_log = # none\n", &why);
    REQUIRE(c != NULL);
    CHECK_INT(c->threads, 7);
    CHECK_STR(c->listen, "/a b/c");
    CHECK_STR(c->redis_password, "a \"b\\ # c");
    CHECK(c->log_json);
    CHECK_STR(c->auth_realm, "a#b");
    CHECK_STR(c->worker_name, "");
    CHECK_STR(c->access_log, "");
    arena_free(a);
}

static void refused(const char *text, const char *words)
{
    const char *why;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = load(a, text, &why);
    if (unit_check(c == NULL && why != NULL, __FILE__, __LINE__, "refused: %s", text))
        unit_check(strstr(why, words) != NULL, __FILE__, __LINE__, "\"%s\" says \"%s\"", why, words);
    arena_free(a);
}

TEST(errors_name_their_place)
{
    refused("threads = 4\n\nthread = 5\n", "test.conf:3: thread: there is no such key");
    refused("threads\n", ":1: threads: expected \"key = value\"");
    refused("threads = four\n", ":1: threads: \"four\" is not a number");
    refused("threads = -1\n", "is not a number");
    refused("threads = 0\n", "0 is out of range: 1 to 1024");
    refused("threads = 1025", "out of range");
    refused("threads = 99999999999999999999999\n", "too large");
    refused("threads = 18446744073709551616\n", "too large");
    refused("threads =\n", "a number is expected");
    refused("threads = 4\nthreads = 4\n", ":2: threads: the key was given before");
    refused("log_json = true\n", "neither yes nor no");
    refused("log_level = loud\n", "\"loud\" is not one of: error warn info debug");
    refused("log_level = err\n", "not one of");
    refused("listen = \"abc\n", "closing quote");
    refused("listen = \"abc\" def\n", "behind the closing quote");
    refused(" = x\n", "no such key");
    refused("listen = \xff\n", "UTF-8");
}

TEST(strange_files)
{
    const char *why = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    CHECK(config_load(a, write_file(blob_of("threads = 3\0\n", 13)), &why) == NULL);
    CHECK(why != NULL && strstr(why, "UTF-8 text") != NULL);
    CHECK(config_load(a, write_file(blob_of("", 0)), &why) != NULL);
    CHECK(config_load(a, "/nonexistent/file", &why) == NULL);
    CHECK(why != NULL && strstr(why, "/nonexistent/file: No such file") != NULL);
    CHECK(config_load(a, unit_tmpdir(), &why) == NULL);
    char *large = arena_alloc(a, (1 << 20) + 1);
    memset(large, '\n', (1 << 20) + 1);
    CHECK(config_load(a, write_file(blob_of(large, (1 << 20) + 1)), &why) == NULL);
    memset(large, 'x', 2000);
    memcpy(large, "listen = ", 9);
    CHECK(config_load(a, write_file(blob_of(large, 2000)), &why) == NULL);
    CHECK(strstr(why, "too long") != NULL);
    arena_free(a);
}

TEST(environment_wins)
{
    const char *why;
    struct arena *a = arena_new(SIZE_MAX);
    setenv("MAPIHTTPD_THREADS", "9", 1);
    setenv("MAPIHTTPD_LOG_JSON", "yes", 1);
    struct config *c = load(a, "threads = 3\nlog_json = no\n", &why);
    REQUIRE(c != NULL);
    CHECK_INT(c->threads, 9);
    CHECK(c->log_json);
    setenv("MAPIHTTPD_THREADS", "many", 1);
    CHECK(load(a, "", &why) == NULL);
    CHECK(why != NULL && strstr(why, "MAPIHTTPD_THREADS: threads: \"many\"") != NULL);
    unsetenv("MAPIHTTPD_THREADS");
    unsetenv("MAPIHTTPD_LOG_JSON");
    arena_free(a);
}

static char *printed(struct arena *a)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    config_print(f);
    fclose(f);
    char *copy = arena_strdup(a, text);
    free(text);
    return copy;
}

/* What is printed loads, and gives the defaults, key by key. */
TEST(printed_file_is_the_defaults)
{
    const char *why = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = load(a, printed(a), &why), *d = config_load(a, NULL, &why);
    REQUIRE(c != NULL && d != NULL);
#define CONFIG(name, type, dflt, unit, text) CHECK_STR(config_text(a, c, #name), config_text(a, d, #name)); CHECK_STR(config_text(a, d, #name), dflt);
#include "backend/base/config.def"
#undef CONFIG
    CHECK(config_text(a, c, "nonsense") == NULL);
    arena_free(a);
}

TEST(shipped_file_is_the_printed_one)
{
    static char text[65536];
    struct arena *a = arena_new(SIZE_MAX);
    FILE *f = fopen("deploy/mapihttpd.conf", "r");
    REQUIRE(f != NULL);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    CHECK_STR(text, printed(a));
    arena_free(a);
}

static void one_variant(void *ctx, struct blob variant)
{
    const char *why = NULL;
    struct arena *a = arena_new(SIZE_MAX);
    (void)ctx;
    if (config_load(a, write_file(variant), &why) == NULL)
        CHECK(why != NULL);
    arena_free(a);
}

TEST(every_broken_file)
{
    mutate_all(blob_str("threads = 4\nlisten = \"a\\\"b\" # c\nlog_json=no\n#x\n"), one_variant, NULL);
}

static void list(void *ctx, const char *key, bool live)
{
    char *text = ctx;
    snprintf(text + strlen(text), 200 - strlen(text), "%s%s ", key, live ? "" : "!");
}

/* Live keys take their new value, the others keep the one in force and are named each time; an error changes nothing. */
TEST(reload)
{
    const char *why;
    char told[200] = "";
    struct arena *a = arena_new(SIZE_MAX);
    struct config *c = load(a, "threads = 3\nsession_retention = 100\nlog_json = yes\nlog = /a\nredis = /x\n", &why);
    REQUIRE(c != NULL);
    const char *path = write_file(blob_str("threads = 5\nsession_retention = 200\nlog = /b\nredis = /y\n"));
    struct config *d = config_reload(a, path, c, list, told, &why);
    REQUIRE(d != NULL);
    CHECK_STR(told, "threads! session_retention redis! log log_json ");
    CHECK_INT(d->threads, 3);
    CHECK_INT(d->session_retention, 200);
    CHECK_STR(d->redis, "/x");
    CHECK_STR(d->log, "/b");
    CHECK(!d->log_json);
    CHECK_INT(c->session_retention, 100);
    told[0] = '\0';
    REQUIRE(config_reload(a, path, d, list, told, &why) != NULL);
    CHECK_STR(told, "threads! redis! ");
    told[0] = '\0';
    CHECK(config_reload(a, write_file(blob_str("session_retention = 300\nnonsense = 1\n")), d, list, told, &why) == NULL);
    CHECK(strstr(why, "test.conf:2: nonsense: there is no such key") != NULL);
    CHECK_STR(told, "");
    arena_free(a);
}
