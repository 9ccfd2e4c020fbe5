/* test_readiness.c - mapictl readiness: good settings are called good, each bad one is found, named, and told how to mend. */
#include "tests/flow/walk.h"
#include "backend/directory/policy.h"
#include <jansson.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program(struct arena *a)
{
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    return arena_printf(a, "%s/mapictl", self);
}

static const char *slurp(struct arena *a, const char *path)
{
    char *text = arena_alloc(a, 1 << 18);
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    text[fread(text, 1, (1 << 18) - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void spit(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    REQUIRE(f != NULL);
    fputs(text, f);
    fclose(f);
}

static const char *replaced(struct arena *a, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (at == NULL) {
        fprintf(stderr, "\"%s\" is not in the configuration\n", from);
        REQUIRE(at != NULL);
    }
    return arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* The configuration as shipped, all in one text. */
static const char *shipped(struct arena *a, const char *dir)
{
    const char *text = strstr(slurp(a, "deploy/nginx/nginx.conf.in"), "\nworker_processes"); /* behind its explanation, which has the same words */
    REQUIRE(text != NULL);
    static const struct { const char *word, *value; } put[] = {
        { "@PROCESSES@", "2" }, { "@HTTPS@", "127.0.0.1:8443" }, { "@HTTP@", "8080" }, { "@WORKERS@", "server unix:/x/a.sock max_fails=0;" },
    };
    for (size_t i = 0; i < sizeof put / sizeof put[0]; i++)
        while (strstr(text, put[i].word) != NULL)
            text = replaced(a, text, put[i].word, put[i].value);
    while (strstr(text, "include @DEPLOY@/nginx/mapihttpd.conf;") != NULL)
        text = replaced(a, text, "include @DEPLOY@/nginx/mapihttpd.conf;", slurp(a, "deploy/nginx/mapihttpd.conf"));
    while (strstr(text, "@DIR@") != NULL)
        text = replaced(a, text, "@DIR@", dir);
    return text;
}

static int readiness(struct stack *st, struct arena *a, const char *arguments, json_t **out)
{
    FILE *f = popen(arena_printf(a, "%s --json --config %s/a.conf readiness %s", program(a), st->dir, arguments), "r");
    REQUIRE(f != NULL);
    char *text = arena_alloc(a, 1 << 18);
    text[fread(text, 1, (1 << 18) - 1, f)] = '\0';
    int status = pclose(f);
    *out = json_loads(text, 0, NULL);
    if (*out == NULL)
        fprintf(stderr, "readiness said: %s\n", text);
    REQUIRE(*out != NULL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A line with this verdict whose reason has these words. */
static bool told(json_t *o, const char *verdict, const char *words)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(o, "checks"), i, line)
        if (strcmp(json_string_value(json_object_get(line, "verdict")), verdict) == 0
            && (strstr(json_string_value(json_object_get(line, "reason")), words) != NULL || strcmp(json_string_value(json_object_get(line, "check")), words) == 0))
            return *verdict == 'o' || *json_string_value(json_object_get(line, "remedy")) != '\0';
    return false;
}

static void make_certificate(struct arena *a, const char *dir, const char *names, int days)
{
    REQUIRE(system(arena_printf(a, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days %d -subj /CN=x -addext subjectAltName=%s "
                                   "-keyout %s/tls.key -out %s/tls.crt 2>/dev/null", days, names, dir, dir)) == 0);
}

static void expire_certificate(struct arena *a, const char *dir)
{
    spit(arena_printf(a, "%s/ca.conf", dir),
         arena_printf(a, "[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\nnew_certs_dir=%s\nserial=%s/serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n", dir, dir, dir));
    spit(arena_printf(a, "%s/index.txt", dir), "");
    spit(arena_printf(a, "%s/serial", dir), "01\n");
    REQUIRE(system(arena_printf(a, "cd %s && openssl req -new -key tls.key -subj /CN=mail.example.com -out x.csr 2>/dev/null && openssl ca -batch -selfsign -notext -in x.csr "
                                   "-keyfile tls.key -out tls.crt -startdate 20200101000000Z -enddate 20200201000000Z -config ca.conf >/dev/null 2>&1", dir)) == 0);
}

static struct stack *stack_ready(struct arena *a)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    REQUIRE_EC(vdir_set(st->directory, &(struct vdir){ .internal_url = "https://mail.corp.example.com/mapi", .external_url = "https://mail.example.com/mapi",
                                                      .internal_methods = METHOD_BASIC, .external_methods = METHOD_BASIC }), ecNone);
    make_certificate(a, st->dir, "DNS:*.example.com,DNS:mail.corp.example.com", 400);
    return st;
}

TEST_LIMIT(good_and_bad_nginx, 120)
{
    static const struct { const char *from, *to, *verdict, *words; } bad[] = {
        { "client_max_body_size 8m;", "client_max_body_size 1m;", "fail", "client_max_body_size is 1m" },
        { "client_max_body_size 8m;", "", "fail", "client_max_body_size is 1m (default)" },
        { "fastcgi_read_timeout 100s;", "fastcgi_read_timeout 30s;", "fail", "fastcgi_read_timeout is 30s" },
        { "gzip off;", "gzip on;", "fail", "gzip is on" },
        { "fastcgi_ignore_client_abort off;", "fastcgi_ignore_client_abort on;", "fail", "fastcgi_ignore_client_abort is on" },
        { "fastcgi_next_upstream error timeout;", "fastcgi_next_upstream error non_idempotent;", "fail", "non_idempotent" },
        { "fastcgi_keep_conn on;", "fastcgi_keep_conn off;", "warn", "fastcgi_keep_conn is off" },
        { "fastcgi_request_buffering on;", "fastcgi_request_buffering off;", "warn", "fastcgi_request_buffering is off" },
        { "gzip off;", "gzip off; fastcgi_ignore_headers X-Accel-Buffering;", "fail", "X-Accel-Buffering is ignored" },
        { "fastcgi_param HTTPS ", "fastcgi_param OTHER ", "fail", "fastcgi_param HTTPS is missing" },
        { "fastcgi_param MAPI_SIDE ", "fastcgi_param OTHER ", "warn", "fastcgi_param MAPI_SIDE is missing" },
        { "listen 127.0.0.1:8443 ssl;", "listen 127.0.0.1:8443 ssl http2;", "fail", "HTTP/2 is on" },
        { "a.sock max_fails=0;", "a.sock;", "warn", "lacks max_fails=0" },
        { "keepalive 64;", "", "warn", "has no keepalive" },
        { "location ~* ^/oab/ {", "location ~* ^/other/ {", "warn", "no location hands /oab/" },
        { "fastcgi_max_temp_file_size 128m;", "fastcgi_max_temp_file_size 0;", "warn", "/oab/ is not buffered" },
        { "fastcgi_buffering on;", "fastcgi_buffering off;", "warn", "/oab/ is not buffered" },
        { "fastcgi_buffers 8 64k;", "gzip on; fastcgi_buffers 8 64k;", "warn", "gzip is on for /oab/" },
        { "worker_connections 4096;", "worker_connections 512;", "warn", "worker_connections is 512" },
        { "tls.crt;", "gone.crt;", "fail", "gone.crt: No such file" },
        { "fastcgi_pass mapihttpd;", "return 404;", "fail", "no location hands /mapi/" },
        { "http {", "http {{", "fail", "not looked at: line " },
    };
    struct arena *a = arena_new(SIZE_MAX);
    struct stack *st = stack_ready(a);
    const char *good = shipped(a, st->dir), *path = arena_printf(a, "%s/shipped.conf", st->dir), *option = arena_printf(a, "--nginx %s", path);
    json_t *o;
    spit(path, good);
    CHECK_INT(readiness(st, a, option, &o), 0);
    CHECK(json_is_true(json_object_get(o, "ready")));
    CHECK_INT(json_integer_value(json_object_get(o, "faults")), 0);
    CHECK(told(o, "ok", "as they should be"));
    CHECK(told(o, "ok", "internal URL: a certificate covers mail.corp.example.com"));
    CHECK(told(o, "ok", "external URL: a certificate covers mail.example.com"));
    CHECK(told(o, "ok", "is valid for 399 days") || told(o, "ok", "is valid for 400 days"));
    CHECK(told(o, "ok", "MapiHttpEnabled"));
    CHECK(told(o, "ok", "answers, takes writes, and evicts nothing"));
    CHECK(told(o, "ok", "append-only file"));
    CHECK(told(o, "ok", "fingerprint"));
    json_decref(o);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        spit(path, replaced(a, good, bad[i].from, bad[i].to));
        int rc = readiness(st, a, option, &o);
        unit_check(told(o, bad[i].verdict, bad[i].words), __FILE__, __LINE__, "%s is called %s: %s", bad[i].to, bad[i].verdict, bad[i].words);
        CHECK_INT(rc, strcmp(bad[i].verdict, "fail") == 0 ? 3 : 0);
        json_decref(o);
    }
    stack_stop(st);
    arena_free(a);
}

TEST_LIMIT(switches_and_certificates, 120)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct stack *st = stack_ready(a);
    const char *path = arena_printf(a, "%s/shipped.conf", st->dir), *option = arena_printf(a, "--nginx %s", path);
    json_t *o;
    spit(path, shipped(a, st->dir));
    make_certificate(a, st->dir, "DNS:mail.example.com", 10);
    REQUIRE_EC(org_set_mapi_http(st->directory, "Demo", false), ecNone);
    CHECK_INT(readiness(st, a, option, &o), 3);
    CHECK(told(o, "warn", "WarnMapiHttpNotEnabled"));
    CHECK(told(o, "fail", "internal URL: no certificate of nginx covers mail.corp.example.com"));
    CHECK(told(o, "ok", "external URL: a certificate covers mail.example.com"));
    CHECK(told(o, "warn", "expires in 9 days") || told(o, "warn", "expires in 10 days"));
    json_decref(o);
    expire_certificate(a, st->dir);
    readiness(st, a, option, &o);
    CHECK(told(o, "fail", "has expired"));
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}

TEST_LIMIT(host_and_redis, 120)
{
    struct arena *a = arena_new(SIZE_MAX);
    struct stack *st = stack_ready(a);
    const char *path = arena_printf(a, "%s/shipped.conf", st->dir), *option = arena_printf(a, "--nginx %s", path);
    const char *secret = arena_printf(a, "%s/secret", st->dir);
    json_t *o;
    spit(path, shipped(a, st->dir));
    REQUIRE(chmod(secret, 0644) == 0);
    stack_redis_stop(st);
    CHECK_INT(readiness(st, a, option, &o), 3);
    CHECK(told(o, "fail", "session secret"));
    CHECK(told(o, "fail", "Redis"));
    json_decref(o);
    REQUIRE(chmod(secret, 0600) == 0);
    stack_redis_start(st);
    REQUIRE(system(arena_printf(a, "redis-cli -s %s/redis.sock config set maxmemory 100mb maxmemory-policy allkeys-lru >/dev/null; "
                                   "redis-cli -s %s/redis.sock config set appendonly no >/dev/null", st->dir, st->dir)) == 0);
    CHECK_INT(readiness(st, a, option, &o), 3);
    CHECK(told(o, "fail", "allkeys-lru") || told(o, "fail", "Redis"));
    CHECK(told(o, "warn", "neither append-only file nor replica"));
    CHECK(told(o, "ok", "clock against Redis"));
    CHECK(!told(o, "fail", "session secret"));
    json_decref(o);
    for (unsigned i = 0; i < st->workers; i++)
        stack_kill(st, i, SIGTERM);
    readiness(st, a, option, &o);
    CHECK(told(o, "warn", "no worker of this host runs"));
    json_decref(o);
    stack_stop(st);
    arena_free(a);
}
