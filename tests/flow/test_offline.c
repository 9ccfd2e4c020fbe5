/* test_offline.c - the offline address book as clients download it through nginx: who may, whole and in ranges, through dead and draining workers, new generations
 * meanwhile, paths that are none.  MS-OXWOAB. */
#include "backend/base/filetime.h"
#include "backend/directory/policy.h"
#include "tests/client/oabc.h"
#include "tests/client/poxc.h"
#include "tests/flow/authkit.h"
#include "tests/flow/walk.h"
#include "session/nspi/nspi_offline.h"
#include "tests/jose.h"
#include "tests/oab.h"
#include "tests/offline_fill.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { FULL = 3000000 };
static const struct fill_file first[] = {
    { "book-data-1.lzx", OFFLINE_FULL, 0, FULL }, { "book-lng0409-1.lzx", OFFLINE_TEMPLATE, 0x0409, 700 }, { "book-lng0407-1.lzx", OFFLINE_TEMPLATE, 0x0407, 65536 },
};

struct visit { struct stack *st; struct arena *a; struct mapic c; struct mapic_reply r; const char *dir; struct offline_book book; };

static const char *directory_of(struct stack *st, struct arena *a, const struct person *who, struct offline_book *b)
{
    char guid[GUID_TEXT];
    REQUIRE_EC(offline_for(st->directory, a, who, b), ecNone);
    return arena_printf(a, "/oab/%s/", guid_text(&b->guid, guid));
}

static void visit_begin(struct visit *v, struct stack *st, const struct person *who)
{
    *v = (struct visit){ .st = st, .a = arena_new((size_t)1 << 30) };
    stack_client(st, &v->c, who);
    v->dir = directory_of(st, v->a, who, &v->book);
}

static void visit_end(struct visit *v)
{
    mapic_close(&v->c);
    arena_free(v->a);
}

/* No worker makes a generation of its own here. */
#define BY_HAND "offline_address_book_interval = 0\n"

static struct stack *begin(struct visit *v, unsigned workers, const char *config)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = workers, .config = config });
    visit_begin(v, st, &st->ana);
    fill_generation(st->config->directory, v->a, v->book.org, 1, first, 3);
    return st;
}

/* 0: no answer. */
static int ask(struct visit *v, const char *verb, const char *path, const char *headers)
{
    const char *why = NULL;
    return oabc_ask(&v->c, v->a, verb, path, headers, &v->r, &why) ? v->r.http.status : 0;
}

static int get(struct visit *v, const char *file, const char *headers) { return ask(v, "GET", arena_printf(v->a, "%s%s", v->dir, file), headers); }

static const char *header(struct visit *v, const char *name)
{
    const char *h = http_header(&v->r.http, name);
    return h != NULL ? h : "none";
}

/* The page does not say which worker made it. */
static void discover(struct visit *v, struct poxc_answer *out)
{
    const char *why = NULL;
    struct mapic c = v->c;
    c.conn = NULL;
    c.nturns = 0;
    c.mailbox_id = NULL;
    REQUIRE(poxc_call(&c, v->a, "ana@example.com", out, &why));
    mapic_close(&c);
}

/* --- the whole way -------------------------------------------------------------------------------------------------------------------------- */

static void fetch_all(struct visit *v, uint64_t piece)
{
    struct oabc_manifest m;
    struct blob all;
    const char *why = NULL;
    if (!oabc_manifest(&v->c, v->a, v->dir, &m, &why))
        fprintf(stderr, "manifest: %s\n", why);
    REQUIRE(v->c.status == 200 && m.n == 3 && oabc_full(&m) != NULL);
    for (size_t i = 0; i < m.n; i++) {
        unsigned resumes = 0;
        bool ok = oabc_download(&v->c, v->a, v->dir, &m.file[i], piece, &resumes, &all, &why);
        unit_check(ok, __FILE__, __LINE__, "%s: %s", m.file[i].name, why);
        CHECK(blob_eq(all, fill_bytes(v->a, m.file[i].name, (size_t)m.file[i].size)));
    }
}

/* As a client finds it: the URL of Autodiscover, the manifest, every file, at once and in ranges; each request perhaps at another worker. */
TEST(from_discovery_to_the_last_file)
{
    struct visit v;
    struct stack *st = begin(&v, 0, BY_HAND);
    struct poxc_answer p;
    discover(&v, &p);
    REQUIRE(p.offline[0] != NULL && p.offline[1] != NULL);
    CHECK_STR(p.offline[0], arena_printf(v.a, "https://127.0.0.1:%u%s", st->port, v.dir));
    CHECK_STR(p.offline[1], p.offline[0]); /* no virtual directory is set: one server for both sides */
    fetch_all(&v, 0);
    fetch_all(&v, 65536);
    fetch_all(&v, 999999);
    visit_end(&v);
    stack_stop(st);
}

static void make(struct visit *v, bool want)
{
    bool made;
    REQUIRE_EC(offline_make(v->st->directory, v->a, &nspi_offline_values, v->book.org, NULL, &made), ecNone);
    CHECK_INT(made, want);
}

/* Downloads the newest full file and takes it apart. */
static void take(struct visit *v, struct oabc_manifest *m, struct oab *out)
{
    struct blob all, inside;
    const char *why = NULL;
    unsigned resumes = 0;
    REQUIRE(oabc_manifest(&v->c, v->a, v->dir, m, &why) && oabc_full(m) != NULL);
    bool ok = oabc_download(&v->c, v->a, v->dir, oabc_full(m), 65536, &resumes, &all, &why);
    unit_check(ok, __FILE__, __LINE__, "%s", why);
    REQUIRE(ok && oab_open(v->a, all, &inside) && oab_read(v->a, inside, out));
    CHECK_INT(inside.n, oabc_full(m)->uncompressed);
    CHECK_INT(out->n, out->records);
    CHECK_INT(out->serial, out->crc);
}

static void check_person(struct visit *v, const struct oab *o, const struct person *p, bool there, const char *name)
{
    const struct oab_record *r = oab_of(o, p->dn);
    unit_check((r != NULL) == there, __FILE__, __LINE__, "%s", p->login);
    if (r != NULL && there) {
        CHECK_STR(arena_str(v->a, oab_string(r, PidTagDisplayName)), name);
        CHECK_STR(arena_str(v->a, oab_string(r, PidTagSmtpAddress)), p->smtp);
    }
}

static void check_templates(struct visit *v, const struct oabc_manifest *m)
{
    struct oab_template t[OAB_TEMPLATES];
    struct blob all, inside;
    const char *why = NULL;
    unsigned resumes = 0, seen = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (!m->file[i].is_template)
            continue;
        bool ok = oabc_download(&v->c, v->a, v->dir, &m->file[i], 0, &resumes, &all, &why);
        unit_check(ok && oab_open(v->a, all, &inside) && inside.n == m->file[i].uncompressed && oab_read_template(v->a, inside, t), __FILE__, __LINE__, "%s", m->file[i].name);
        CHECK(m->file[i].langid != 0);
        seen++;
    }
    CHECK(seen >= 2); /* languages */
}

/* What is downloaded is what the directory says of the own organization, and the next generation what it says then. */
TEST(what_is_in_it)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = BY_HAND });
    struct visit v;
    struct person eve;
    struct oabc_manifest m, next;
    struct oab o;
    ctl_must(st, "org add Other --domain other.example");
    REQUIRE_EC(directory_add(st->directory, st->a, &(struct person_new){ .login = "eve@other.example", .display_name = "Eve", .password = "x", .with_mailbox = true }, &eve), ecNone);
    visit_begin(&v, st, &st->ana);
    make(&v, true);
    take(&v, &m, &o);
    check_person(&v, &o, &st->ana, true, "Ana Example");
    check_person(&v, &o, &st->bob, true, "Bob Example");
    check_person(&v, &o, &eve, false, "");
    check_templates(&v, &m);
    CHECK_STR(m.id, arena_str(v.a, blob_of(v.dir + 5, GUID_TEXT - 1)));
    make(&v, false);
    ctl_must(st, "directory set bob@example.com --set displayName=Robert");
    make(&v, true);
    take(&v, &next, &o);
    CHECK(oabc_full(&next)->seq == oabc_full(&m)->seq + 1 && strcmp(oabc_full(&next)->name, oabc_full(&m)->name) != 0);
    check_person(&v, &o, &st->bob, true, "Robert");
    visit_end(&v);
    stack_stop(st);
}

/* --- heads, conditions, ranges --------------------------------------------------------------------------------------------------------------- */

static void check_range(struct visit *v, const char *range, int status, const char *content_range, uint64_t at, uint64_t n)
{
    struct blob all = fill_bytes(v->a, first[0].name, FULL);
    int got = get(v, first[0].name, arena_printf(v->a, "Range: %s\r\n", range));
    unit_check(got == status, __FILE__, __LINE__, "%s: %d", range, got);
    CHECK_STR(header(v, "Content-Range"), content_range);
    if (status < 300)
        CHECK(blob_eq(v->r.http.body, blob_of(all.p + at, n)));
    CHECK_STR(header(v, "Accept-Ranges"), "bytes");
}

static void check_head(struct visit *v, const char *file, size_t size, const char *type)
{
    const char *path = arena_printf(v->a, "%s%s", v->dir, file);
    CHECK_INT(ask(v, "GET", path, NULL), 200);
    CHECK_INT(v->r.http.body.n, v->r.http.content_length);
    const char *etag = header(v, "ETag"), *date = header(v, "Last-Modified");
    CHECK_INT(ask(v, "HEAD", path, "Range: bytes=0-1\r\n"), 200); /* ranges are for GET */
    CHECK(v->r.http.content_length > 0 && (size == 0 || v->r.http.content_length == (int64_t)size));
    CHECK_STR(header(v, "ETag"), etag);
    CHECK_INT(strlen(etag), 42);
    CHECK_STR(header(v, "Last-Modified"), date);
    CHECK_STR(date, "Tue, 14 Nov 2023 22:13:21 GMT");
    CHECK_STR(header(v, "Accept-Ranges"), "bytes");
    CHECK_STR(header(v, "Content-Type"), type);
    CHECK(strstr(header(v, "Cache-Control"), "private") != NULL);
    CHECK_INT(ask(v, "GET", path, arena_printf(v->a, "If-None-Match: %s\r\n", etag)), 304);
    CHECK_INT(v->r.http.body.n, 0);
    CHECK_STR(header(v, "ETag"), etag);
    CHECK_INT(ask(v, "HEAD", path, arena_printf(v->a, "If-None-Match: \"x\", W/%s\r\n", etag)), 304);
    CHECK_INT(ask(v, "GET", path, arena_printf(v->a, "If-Modified-Since: %s\r\n", date)), 304);
    CHECK_INT(ask(v, "GET", path, "If-None-Match: \"x\"\r\n"), 200);
    CHECK_INT(ask(v, "GET", path, arena_printf(v->a, "Range: bytes=5-9\r\nIf-Range: %s\r\n", etag)), 206);
    CHECK_INT(v->r.http.body.n, 5);
    CHECK_INT(ask(v, "GET", path, "Range: bytes=5-9\r\nIf-Range: \"x\"\r\n"), 200);
    CHECK_INT(ask(v, "GET", path, arena_printf(v->a, "Range: bytes=5-9\r\nIf-Unmodified-Since: %s\r\n", date)), 206);
    CHECK_INT(ask(v, "GET", path, "Range: bytes=5-9\r\nIf-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n"), 412);
    CHECK_INT(ask(v, "GET", path, "If-Match: \"x\"\r\n"), 412);
}

TEST(heads_conditions_and_ranges)
{
    struct visit v;
    struct stack *st = begin(&v, 2, BY_HAND);
    check_head(&v, first[0].name, FULL, "application/octet-stream");
    check_head(&v, first[1].name, 700, "application/octet-stream");
    check_head(&v, "oab.xml", 0, "text/xml; charset=utf-8");
    check_range(&v, "bytes=0-0", 206, "bytes 0-0/3000000", 0, 1);
    check_range(&v, "bytes=65535-65536", 206, "bytes 65535-65536/3000000", 65535, 2);
    check_range(&v, "bytes=100000-2000000", 206, "bytes 100000-2000000/3000000", 100000, 1900001);
    check_range(&v, "bytes=2999999-", 206, "bytes 2999999-2999999/3000000", 2999999, 1);
    check_range(&v, "bytes=-262145", 206, "bytes 2737855-2999999/3000000", 2737855, 262145);
    check_range(&v, "bytes=0-99999999999", 206, "bytes 0-2999999/3000000", 0, FULL);
    check_range(&v, "bytes=3000000-", 416, "bytes */3000000", 0, 0);
    check_range(&v, "bytes=-0", 416, "bytes */3000000", 0, 0);
    check_range(&v, "bytes=0-1,5-9", 200, "none", 0, FULL);
    check_range(&v, "bytes=9-5", 200, "none", 0, FULL);
    CHECK_INT(ask(&v, "POST", arena_printf(v.a, "%soab.xml", v.dir), NULL), 405);
    CHECK_STR(header(&v, "Allow"), "GET, HEAD");
    CHECK_INT(ask(&v, "PUT", arena_printf(v.a, "%sbook-data-1.lzx", v.dir), NULL), 405);
    visit_end(&v);
    stack_stop(st);
}

/* --- who ------------------------------------------------------------------------------------------------------------------------------------- */

static void expect_all(struct visit *v, int status, int line)
{
    static const char *const names[] = { "oab.xml", "book-data-1.lzx", "book-data-7.lzx" };
    for (size_t i = 0; i < 3; i++) {
        int want = status == 200 && i == 2 ? 404 : status, got = get(v, names[i], NULL);
        unit_check(got == want, __FILE__, line, "%s: %d", names[i], got);
    }
}
#define EXPECT(v, status) expect_all((v), (status), __LINE__)

TEST(who_may_have_it)
{
    struct visit v, stranger;
    struct stack *st = begin(&v, 2, BY_HAND);
    struct person eve;
    ctl_must(st, "org add Other --domain other.example");
    REQUIRE_EC(directory_add(st->directory, st->a, &(struct person_new){ .login = "eve@other.example", .display_name = "Eve", .password = "secret-eve", .with_mailbox = true },
                             &eve), ecNone);
    EXPECT(&v, 200);
    v.c.user = NULL;
    EXPECT(&v, 401);
    CHECK(strstr(header(&v, "WWW-Authenticate"), "Basic") != NULL);
    v.c.user = "ana@example.com";
    v.c.password = "wrong";
    EXPECT(&v, 401);
    v.c.password = "secret-ana";
    /* another organization's book is one that does not exist */
    visit_begin(&stranger, st, &eve);
    fill_generation(st->config->directory, v.a, stranger.book.org, 1, first, 1);
    stranger.c.user = "eve@other.example";
    stranger.c.password = "secret-eve";
    CHECK_INT(get(&stranger, "oab.xml", NULL), 200);
    stranger.dir = v.dir;
    EXPECT(&stranger, 404);
    struct blob foreign = stranger.r.http.body;
    stranger.dir = "/oab/00000000-0000-4000-8000-000000000000/";
    EXPECT(&stranger, 404);
    CHECK(blob_eq(foreign, stranger.r.http.body));
    /* the switches */
    ctl_must(st, "mailbox set ana --block-external true");
    v.c.to.port = st->external_port;
    mapic_close(&v.c);
    EXPECT(&v, 403);
    v.c.to.port = st->port;
    mapic_close(&v.c);
    EXPECT(&v, 200);
    ctl_must(st, "mailbox set ana --block-external false --mapi-http-enabled false");
    EXPECT(&v, 403);
    ctl_must(st, "mailbox set ana --mapi-http-enabled null");
    ctl_must(st, "org set --mapi-http-enabled false");
    EXPECT(&v, 403);
    ctl_must(st, "org set --mapi-http-enabled true");
    EXPECT(&v, 200);
    visit_end(&stranger);
    visit_end(&v);
    stack_stop(st);
}

TEST(switched_off_there_is_none)
{
    struct visit v;
    struct stack *st = begin(&v, 1, "offline_address_book = no\n");
    struct poxc_answer p;
    EXPECT(&v, 404);
    discover(&v, &p);
    CHECK(p.offline[0] == NULL);
    visit_end(&v);
    stack_stop(st);
}

/* Over plain HTTP nobody is asked for a password. */
TEST(plain_http_is_refused)
{
    struct visit v;
    struct stack *st = begin(&v, 1, BY_HAND);
    setenv("MAPIHTTPD_AUTH_PLAIN_HTTP", "no", 1);
    stack_kill(st, 0, SIGKILL);
    stack_worker(st, 0);
    unsetenv("MAPIHTTPD_AUTH_PLAIN_HTTP");
    EXPECT(&v, 403);
    CHECK_STR(header(&v, "WWW-Authenticate"), "none");
    visit_end(&v);
    stack_stop(st);
}

static const char *token_of(struct arena *a, const struct jose *key, const char *upn)
{
    return jose_token(a, key, arena_printf(a, "{\"iss\":\"idp\",\"aud\":\"mapi\",\"exp\":%lld,\"upn\":\"%s\"}", (long long)time(NULL) + 300, upn));
}

/* A scheme that is allowed for the endpoints is allowed here, and all are offered. */
TEST(by_a_token)
{
    struct arena *a = arena_new((size_t)1 << 26);
    struct jose key = jose_ec("P-256", "one", "ES256");
    const char *keys = arena_printf(a, "%s/offline.jwks", unit_tmpdir());
    authkit_file(keys, arena_printf(a, "{\"keys\":[%s]}", jose_jwk(a, &key)));
    struct visit v;
    struct stack *st = begin(&v, 1, arena_printf(a, BY_HAND "oauth_jwks = %s\noauth_issuer = idp\noauth_audience = mapi\n", keys));
    struct authkit k;
    authkit_begin(&k, st);
    const char *token = token_of(a, &key, "ana@example.com"), *stranger = token_of(a, &key, "nobody@example.com");
    CHECK_INT(authkit_ping(&k, NULL), 401);
    const char *offered = authkit_offered(&k);
    v.c.user = NULL;
    CHECK_INT(get(&v, "oab.xml", NULL), 401);
    k.r = v.r;
    CHECK_STR(authkit_offered(&k), offered);
    CHECK_INT(get(&v, "oab.xml", arena_printf(a, "Authorization: Bearer %s\r\n", token)), 200);
    CHECK_INT(get(&v, first[0].name, arena_printf(a, "Authorization: Bearer %s\r\nRange: bytes=7-\r\n", token)), 206);
    CHECK_INT(get(&v, "oab.xml", arena_printf(a, "Authorization: Bearer %sx\r\n", token)), 401);
    CHECK_INT(get(&v, "oab.xml", arena_printf(a, "Authorization: Bearer %s\r\n", stranger)), 403); /* genuine, but nobody here */
    ctl_must(st, "vdir set --internal-methods basic");
    CHECK_INT(get(&v, "oab.xml", arena_printf(a, "Authorization: Bearer %s\r\n", token)), 401);
    authkit_end(&k);
    visit_end(&v);
    stack_stop(st);
    jose_free(&key);
    arena_free(a);
}

/* --- what an administrator sees ---------------------------------------------------------------------------------------------------------------- */

static double counted(struct visit *v, const char *series)
{
    struct mapic c = v->c;
    struct mapic_reply r;
    const char *why = NULL, *at;
    c.conn = NULL;
    c.user = NULL;
    c.nturns = 0;
    bool ok = oabc_ask(&c, v->a, "GET", "/metrics", NULL, &r, &why);
    mapic_close(&c);
    REQUIRE(ok && r.http.status == 200);
    const char *text = arena_str(v->a, r.http.body), *line = arena_printf(v->a, "\n%s ", series);
    return (at = strstr(text, line)) != NULL ? strtod(at + strlen(line), NULL) : -1;
}

static const char *logged(struct visit *v, const char *path, const char *line)
{
    static char text[1 << 16];
    for (int i = 0; i < 200; i++) { /* a file's line comes when it has gone */
        FILE *f = fopen(path, "r");
        REQUIRE(f != NULL);
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
        if (strstr(text, line) != NULL)
            return line;
        usleep(10000);
    }
    return arena_printf(v->a, "not there: %s", text);
}

TEST(counted_and_logged)
{
    struct arena *a = arena_new(1 << 20);
    const char *path = arena_printf(a, "%s/offline.log", unit_tmpdir()), *line;
    struct visit v;
    struct stack *st = begin(&v, 1, arena_printf(a, BY_HAND "access_log = %s\n", path));
    CHECK_INT(get(&v, "oab.xml", NULL), 200);
    CHECK_INT(get(&v, first[0].name, "Range: bytes=100-299\r\n"), 206);
    CHECK_INT(get(&v, first[0].name, NULL), 200);
    CHECK_INT(ask(&v, "HEAD", arena_printf(v.a, "%s%s", v.dir, first[0].name), NULL), 200);
    CHECK_INT(get(&v, "none.lzx", NULL), 404);
    line = arena_printf(a, " Endpoint=%s%s Method=GET HttpStatusCode=206 ", v.dir, first[0].name);
    CHECK_STR(logged(&v, path, line), line);
    line = arena_printf(a, " Endpoint=%s%s Method=HEAD HttpStatusCode=200 ", v.dir, first[0].name);
    CHECK_STR(logged(&v, path, line), line);
    line = arena_printf(a, " Endpoint=%soab.xml Method=GET HttpStatusCode=200 ", v.dir);
    CHECK_STR(logged(&v, path, line), line);
    CHECK_STR(logged(&v, path, " ResponseBytes=200 AuthenticatedUser=ana@example.com "), " ResponseBytes=200 AuthenticatedUser=ana@example.com ");
    CHECK_STR(logged(&v, path, " ResponseBytes=3000000 AuthenticatedUser=ana@example.com "), " ResponseBytes=3000000 AuthenticatedUser=ana@example.com ");
    CHECK_INT((long)counted(&v, "mapihttpd_oab_manifests_total"), 1);
    CHECK_INT((long)counted(&v, "mapihttpd_oab_downloads_total"), 2);
    CHECK_INT((long)counted(&v, "mapihttpd_oab_bytes_total"), 3000200);
    CHECK_INT((long)counted(&v, "mapihttpd_oab_broken_total"), 0);
    visit_end(&v);
    stack_stop(st);
    arena_free(a);
}

/* --- hostile paths ----------------------------------------------------------------------------------------------------------------------------- */

TEST(paths_that_are_none)
{
    struct visit v;
    struct stack *st = begin(&v, 1, BY_HAND);
    char *dir = arena_str(v.a, blob_of(v.dir, strlen(v.dir) - 1)), *much = arena_alloc(v.a, 20001);
    memset(much, 'a', 20000);
    const char *const paths[] = {
        "/oab", "/oab/", dir, v.dir, "/oab/oab.xml", arena_printf(v.a, "%s/..", dir), arena_printf(v.a, "%s/../oab.xml", dir), arena_printf(v.a, "%s/../../etc/passwd", dir),
        arena_printf(v.a, "%s/%%2e%%2e/%%2e%%2e/etc/passwd", dir), arena_printf(v.a, "%s/%%2e%%2e%%2fsecret", dir), arena_printf(v.a, "%s/..%%5c..%%5csecret", dir),
        arena_printf(v.a, "%s/%%00oab.xml", dir), arena_printf(v.a, "%s/oab.xml%%00.lzx", dir), arena_printf(v.a, "%s/oab.xml/", dir), arena_printf(v.a, "%s/oab.xml;x", dir),
        arena_printf(v.a, "%s/%%252e%%252e/oab.xml", dir), arena_printf(v.a, "%s/%%ff%%fe.lzx", dir), arena_printf(v.a, "%s/book-data-1.lzx%%20", dir),
        arena_printf(v.a, "%s/%%27%%20OR%%201=1", dir), arena_printf(v.a, "%s/%.200s", dir, much), arena_printf(v.a, "/oab/%.300s/oab.xml", much),
        arena_printf(v.a, "%s/%s", dir, much), "/oab/%7b00000000-0000-4000-8000-000000000000%7d/oab.xml", "/oab/-/oab.xml", "/oab/../oab/../../oab.xml",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int got = ask(&v, "GET", paths[i], NULL);
        unit_check(got == 404 || got == 400, __FILE__, __LINE__, "%.100s: %d", paths[i], got);
    }
    /* what nginx takes out of a path is gone, and what a query says means nothing */
    CHECK_INT(ask(&v, "GET", arena_printf(v.a, "%s/x/../oab.xml?file=../secret", dir), NULL), 200);
    CHECK_INT(ask(&v, "GET", arena_printf(v.a, "%s/%%6fab.xml", dir), NULL), 200);
    CHECK_INT(ask(&v, "GET", arena_printf(v.a, "/OAB/%s/OAB.xml", dir + 5), NULL), 200);
    CHECK_INT(get(&v, "oab.xml", arena_printf(v.a, "Range: %.7000s\r\nIf-None-Match: %.7000s\r\n", much, much)), 200);
    visit_end(&v);
    stack_stop(st);
}

/* --- workers that go ----------------------------------------------------------------------------------------------------------------------------- */

/* The one that sends dies at its third piece; the rest comes from the other, and the whole has the digest of the manifest. */
TEST(a_worker_dies_in_the_middle)
{
    struct visit v;
    struct stack *st = begin(&v, 2, BY_HAND);
    struct oabc_manifest m;
    struct blob all;
    const char *why = NULL;
    unsigned resumes = 3;
    REQUIRE(oabc_manifest(&v.c, v.a, v.dir, &m, &why));
    v.c.turns = stack_route;
    v.c.nturns = 2;
    v.c.turn = 0;
    v.c.worker[0] = '\0';
    stack_arm(st, 1, "download_piece:3:kill");
    bool ok = oabc_download(&v.c, v.a, v.dir, oabc_full(&m), 0, &resumes, &all, &why); /* HEAD from the first, GET from the second */
    unit_check(ok, __FILE__, __LINE__, "%s", why);
    CHECK_INT(resumes, 2);
    CHECK(stack_worker_ended(st, 1));
    CHECK(blob_eq(all, fill_bytes(v.a, first[0].name, FULL)));
    stack_arm(st, 1, NULL);
    stack_worker(st, 1);
    visit_end(&v);
    stack_stop(st);
}

/* A client that takes its time: the request, and as much of the answer as it is asked for. */
static struct tls *slow_begin(struct visit *v, const char *file, const char *route)
{
    const char *why = NULL;
    struct tls *t = tls_connect(&v->c.to, v->a, &why);
    REQUIRE(t != NULL);
    const char *request = arena_printf(v->a, "GET %s%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Test-Route: %s\r\nAuthorization: Basic %s\r\n\r\n", v->dir, file, route,
                                       base64(v->a, blob_str("ana@example.com:secret-ana")));
    REQUIRE(tls_write(t, request, strlen(request)));
    return t;
}

static size_t slow_read(struct tls *t, uint8_t *to, size_t n)
{
    size_t got = 0;
    for (ssize_t some; got < n && (some = tls_read(t, to + got, n - got)) > 0; )
        got += (size_t)some;
    return got;
}

/* Peak of a process' own memory [KiB]. */
static long peak(pid_t pid)
{
    char line[256], path[64];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    REQUIRE(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    fclose(f);
    return kib;
}

#ifdef __SANITIZE_ADDRESS__
enum { MEMORY_KIB = 500 << 10 };  /* what was freed stays there for a while */
#else
enum { MEMORY_KIB = 16 << 10 };
#endif
enum { LARGE = 40000000, SLOW = 6 };
static const struct fill_file large[] = { { "large-data-2.lzx", OFFLINE_FULL, 0, LARGE } };

/* nginx has it all long before they have: the worker, with one thread, serves others, needs little memory, and can end. */
TEST_LIMIT(slow_clients_of_a_large_file, 60)
{
    struct visit v;
    struct stack *st = begin(&v, 2, BY_HAND "threads = 1\n");
    struct tls *slow[SLOW];
    uint8_t *some = arena_alloc(v.a, LARGE + 4096);
    fill_generation(st->config->directory, v.a, v.book.org, 2, large, 1);
    v.c.route = stack_route[0];
    CHECK_INT(get(&v, large[0].name, "Range: bytes=0-299999\r\n"), 206);
    long before = peak(st->worker[0]);
    uint64_t longest = 0, started = clock_ms();
    for (size_t i = 0; i < SLOW; i++) {
        slow[i] = slow_begin(&v, large[0].name, stack_route[0]);
        CHECK_INT(slow_read(slow[i], some, 1000), 1000);
    }
    for (size_t i = 0; i < 20; i++) {
        uint64_t at = clock_us();
        CHECK_INT(get(&v, "oab.xml", NULL), 200);
        longest = clock_us() - at > longest ? clock_us() - at : longest;
    }
    long grown = peak(st->worker[0]) - before;
    if (getenv("UNIT_MEASURE") != NULL)
        fprintf(stderr, "%d slow clients: others wait %llu us at most, the worker's peak grew by %ld KiB\n", SLOW, (unsigned long long)longest, grown);
    CHECK(grown < MEMORY_KIB); /* of SLOW * LARGE = 240 MB */
    CHECK(longest < 2000000);
    stack_kill(st, 0, SIGTERM); /* waits for its end: nothing of it is held up by who reads nothing */
    CHECK(clock_ms() - started < 20000);
    struct blob all = fill_bytes(v.a, large[0].name, LARGE);
    for (size_t i = 0; i < SLOW; i++) {
        size_t n = 1000 + slow_read(slow[i], some + 1000, LARGE + 3096);
        const uint8_t *body = i + 1 == SLOW ? memmem(some, n, "\r\n\r\n", 4) : NULL; /* the last one's first bytes are still there */
        CHECK(n > LARGE && n < LARGE + 1000);
        CHECK(i + 1 != SLOW || (body != NULL && n - (size_t)(body + 4 - some) == LARGE && memcmp(body + 4, all.p, LARGE) == 0));
        tls_close(slow[i]);
    }
    stack_worker(st, 0);
    visit_end(&v);
    stack_stop(st);
}

/* A front that keeps nothing for slow clients: then the worker waits for them, without a thread, and when it ends they go on at another. */
static const char *unbuffered(struct arena *a, unsigned port)
{
    return arena_printf(a, "server { listen 127.0.0.1:%u; location / { fastcgi_pass $mapi; fastcgi_keep_conn on; fastcgi_param REQUEST_METHOD $request_method;"
                           " fastcgi_param DOCUMENT_URI $document_uri; fastcgi_param REMOTE_ADDR $remote_addr; fastcgi_param MAPI_SIDE internal; fastcgi_max_temp_file_size 0; } }", port);
}

TEST_LIMIT(a_worker_ends_in_the_middle, 60)
{
    struct arena *a = arena_new(1 << 20);
    unsigned port = stack_free_port();
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = BY_HAND "threads = 1\n", .nginx = unbuffered(a, port) });
    struct visit v;
    visit_begin(&v, st, &st->ana);
    fill_generation(st->config->directory, v.a, v.book.org, 2, large, 1);
    uint8_t *got = arena_alloc(v.a, LARGE + 4096);
    v.c.to.port = port;
    v.c.route = stack_route[0];
    struct tls *slow = slow_begin(&v, large[0].name, stack_route[0]);
    size_t n = slow_read(slow, got, 1000);
    for (size_t i = 0; i < 10; i++) /* its only thread is free */
        CHECK_INT(get(&v, "oab.xml", NULL), 200);
    CHECK((long)counted(&v, "mapihttpd_oab_downloads_total") == 0);
    uint64_t begun = clock_ms();
    stack_kill(st, 0, SIGTERM);
    CHECK(clock_ms() - begun < 20000);
    n += slow_read(slow, got + n, LARGE + 4096 - n);
    tls_close(slow);
    const uint8_t *body = memmem(got, n, "\r\n\r\n", 4);
    REQUIRE(body != NULL);
    struct blob all = fill_bytes(v.a, large[0].name, LARGE), part = blob_of(body + 4, n - (size_t)(body + 4 - got));
    CHECK(part.n > 0 && part.n < LARGE && memcmp(part.p, all.p, part.n) == 0);
    v.c.route = stack_route[1];
    mapic_close(&v.c);
    CHECK_INT(get(&v, large[0].name, arena_printf(v.a, "Range: bytes=%zu-\r\n", part.n)), 206);
    CHECK(blob_eq(v.r.http.body, blob_of(all.p + part.n, LARGE - part.n)));
    stack_worker(st, 0);
    visit_end(&v);
    stack_stop(st);
    arena_free(a);
}

/* --- generations ------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_new_generation_during_a_download)
{
    static const struct fill_file second[] = { { "book-data-2.lzx", OFFLINE_FULL, 0, 100 } }, third[] = { { "book-data-3.lzx", OFFLINE_FULL, 0, 100 } };
    struct visit v;
    struct stack *st = begin(&v, 2, BY_HAND);
    struct blob all = fill_bytes(v.a, first[0].name, FULL);
    CHECK_INT(get(&v, first[0].name, "Range: bytes=0-999999\r\n"), 206);
    const char *unchanged = arena_printf(v.a, "If-Range: %s\r\nIf-Unmodified-Since: %s\r\n", header(&v, "ETag"), header(&v, "Last-Modified"));
    CHECK_INT(get(&v, "oab.xml", NULL), 200);
    const char *manifest = header(&v, "ETag");
    fill_generation(st->config->directory, v.a, v.book.org, 2, second, 1);
    CHECK_INT(get(&v, first[0].name, arena_printf(v.a, "Range: bytes=1000000-\r\n%s", unchanged)), 206);
    CHECK(blob_eq(v.r.http.body, blob_of(all.p + 1000000, FULL - 1000000)));
    CHECK_INT(get(&v, "oab.xml", arena_printf(v.a, "If-None-Match: %s\r\n", manifest)), 200);
    CHECK(strstr(arena_str(v.a, v.r.http.body), "book-data-2.lzx") != NULL && strstr(arena_str(v.a, v.r.http.body), "book-data-1.lzx") == NULL);
    CHECK_INT(get(&v, second[0].name, NULL), 200);
    fill_generation(st->config->directory, v.a, v.book.org, 3, third, 1);
    CHECK_INT(get(&v, first[0].name, arena_printf(v.a, "Range: bytes=1000000-\r\n%s", unchanged)), 404);
    CHECK_INT(get(&v, second[0].name, NULL), 200);
    visit_end(&v);
    stack_stop(st);
}
