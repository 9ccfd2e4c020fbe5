/* test_status.c - the page for administrators: who may see it, what it shows, the button, many sessions, and how a browser renders it. */
#include "tests/flow/walk.h"
#include "backend/base/filetime.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t nothing[1];

static struct mapic browser(struct stack *st, const struct person *who)
{
    struct mapic c;
    stack_client(st, &c, who);
    c.mailbox_id = NULL;
    c.nturns = 0;
    return c;
}

static int get(struct mapic *c, struct arena *a, const char *path, const char **text)
{
    struct mapic_reply r;
    const char *why = NULL;
    REQUIRE(mapic_call(c, a, "PING", blob_of(nothing, 0), &(struct mapic_odd){ .verb = "GET", .path = path, .keep_cookies = true }, &r, &why));
    *text = arena_str(a, r.http.body);
    return r.http.status;
}

static int post(struct mapic *c, struct arena *a, const char *body)
{
    struct mapic_reply r;
    const char *why = NULL;
    REQUIRE(mapic_call(c, a, "PING", blob_str(body), &(struct mapic_odd){ .path = "/status/end", .keep_cookies = true }, &r, &why));
    return r.http.status;
}

/* What stands behind `words` up to a quote. */
static const char *behind(struct arena *a, const char *text, const char *words)
{
    const char *at = strstr(text, words);
    return at != NULL ? arena_str(a, blob_of(at + strlen(words), strcspn(at + strlen(words), "\""))) : "";
}

static int ping(struct walk *w)
{
    struct mapic_reply r;
    const char *why = NULL;
    return mapic_call(&w->c, w->a, "PING", blob_of(nothing, 0), NULL, &r, &why) ? r.code : -1;
}

TEST_LIMIT(only_administrators_see_and_end_sessions, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .config = "admins = \"nobody@example.com, ana@example.com\"\n" });
    struct arena *a = arena_new(SIZE_MAX);
    const char *page;
    struct walk w;
    struct mapic ana = browser(st, &st->ana), bob = browser(st, &st->bob), anonymous = browser(st, &st->ana);
    anonymous.user = NULL;
    walk_init(&w, st, &st->bob);
    static const struct mapic_odd hostile = { .without = "X-ClientApplication", .extra = "X-ClientApplication: <script>alert('1')</script>\"/1.2\r\n" };
    struct mapic_reply r;
    const char *why = NULL;
    REQUIRE(mapic_call(&w.c, a, "Connect", mapic_connect_body(a, st->bob.dn), &hostile, &r, &why) && r.code == 0);
    MUST_STEP(&w, step_logon(&w.s, st->bob.dn));
    CHECK_INT(get(&anonymous, a, "/status", &page), 401);
    CHECK(strstr(page, "bob@example.com") == NULL);
    CHECK_INT(get(&bob, a, "/status", &page), 403);
    CHECK(strstr(page, "End</button>") == NULL);
    CHECK_INT(get(&ana, a, "/status", &page), 200);
    CHECK(strstr(page, ">bob@example.com</td>") != NULL);
    CHECK(strstr(page, "<td>bob@example.com<small>") != NULL); /* the mailbox */
    CHECK(strstr(page, "<script") == NULL && strstr(page, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;") != NULL);
    CHECK(strstr(page, "<figure class=\"chart\" id=\"requests\">") != NULL && strstr(page, "<rect ") != NULL);
    CHECK(strstr(page, ">idle</span>") != NULL);
    const char *digest = behind(a, page, "name=\"session\" value=\""), *token = behind(a, page, "name=\"token\" value=\"");
    CHECK_INT(strlen(digest), 16);
    CHECK(strlen(token) > 16);
    /* what may not end it */
    CHECK_INT(get(&ana, a, arena_printf(a, "/status/end?session=%s&token=%s", digest, token), &page), 405);
    CHECK_INT(post(&ana, a, arena_printf(a, "session=%s", digest)), 403);
    CHECK_INT(post(&ana, a, arena_printf(a, "session=%s&token=", digest)), 403);
    CHECK_INT(post(&ana, a, arena_printf(a, "session=%s&token=%c%s", digest, *token == 'A' ? 'B' : 'A', token + 1)), 403);
    CHECK_INT(post(&ana, a, arena_printf(a, "session=0123456789abcdef&token=%s", token)), 403);
    CHECK_INT(post(&bob, a, arena_printf(a, "session=%s&token=%s", digest, token)), 403);
    CHECK_INT(ping(&w), 0);
    /* what does */
    CHECK_INT(post(&ana, a, arena_printf(a, "session=%s&token=%s", digest, token)), 303);
    CHECK_INT(ping(&w), 10);
    CHECK_INT(get(&ana, a, arena_printf(a, "/status?ended=%s", digest), &page), 200);
    CHECK(strstr(page, arena_printf(a, "Session %s has ended.", digest)) != NULL);
    CHECK(strstr(page, "No sessions.") != NULL);
    CHECK_INT(post(&ana, a, arena_printf(a, "session=%s&token=%s", digest, token)), 303); /* it is gone: told, not failed */
    CHECK_INT(get(&ana, a, "/status?ended=%3Cb%3E&user=%3Cb%3E%22&page=99999999999999999999", &page), 200);
    CHECK(strstr(page, "<b>\"") == NULL && strstr(page, "value=\"&lt;b&gt;&quot;\"") != NULL);
    mapic_close(&ana), mapic_close(&bob), mapic_close(&anonymous), mapic_close(&w.c);
    arena_free(w.a);
    stack_stop(st);
    arena_free(a);
}

/* Ten thousand sessions: a hundred a page, found by user. */
TEST_LIMIT(ten_thousand_sessions, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "admins = ana@example.com\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk w, other;
    const char *page;
    struct mapic ana = browser(st, &st->ana);
    walk_begin(&w, st, &st->ana);
    REQUIRE(system(arena_printf(a, "redis-cli -s %s/redis.sock eval \"local k=redis.call('KEYS','mapi:{*}')[1] for i=1,9999 do redis.call('COPY',k,string.format('mapi:{%%032x}',i)) end "
                                   "return 1\" 0 >/dev/null", st->dir)) == 0);
    walk_begin(&other, st, &st->bob);
    uint64_t from = clock_ms();
    CHECK_INT(get(&ana, a, "/status?page=100", &page), 200);
    fprintf(stderr, "the page of 10,001 sessions took %llu ms\n", (unsigned long long)(clock_ms() - from));
    CHECK(strstr(page, "<b>10001</b><span>sessions, all hosts") != NULL);
    CHECK(strstr(page, "page 100 of 101") != NULL && strstr(page, "href=\"/status?page=99\"") != NULL && strstr(page, "href=\"/status?page=101\"") != NULL);
    unsigned rows = 0;
    for (const char *at = page; (at = strstr(at, "<button>End</button>")) != NULL; at++)
        rows++;
    CHECK_INT(rows, 100);
    CHECK_INT(get(&ana, a, "/status?user=BOB", &page), 200);
    CHECK(strstr(page, "bob@example.com") != NULL && strstr(page, "<b>1</b><span>sessions") != NULL);
    mapic_close(&ana);
    walk_end(&w);
    walk_end(&other);
    stack_stop(st);
    arena_free(a);
}

TEST_LIMIT(without_redis, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "admins = ana@example.com\nredis_timeout = 500\n" });
    struct arena *a = arena_new(SIZE_MAX);
    const char *page;
    struct mapic ana = browser(st, &st->ana);
    stack_redis_stop(st);
    CHECK_INT(get(&ana, a, "/status", &page), 200);
    CHECK(strstr(page, "Redis does not answer") != NULL);
    mapic_close(&ana);
    stack_stop(st);
    arena_free(a);
}

/* --- in a browser ---------------------------------------------------------------------------------------------------- */

static const char *chromium(void)
{
    static const char *const places[] = { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" };
    for (size_t i = 0; i < 3; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static const char *run(struct arena *a, const char *command)
{
    FILE *f = popen(command, "r");
    REQUIRE(f != NULL);
    char *text = arena_alloc(a, 1 << 20);
    text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
    pclose(f);
    return text;
}

/* Width and height of a PNG; its bytes if it is one. */
static bool png_size(struct arena *a, const char *path, uint32_t *width, uint32_t *height, size_t *bytes)
{
    uint8_t *p = arena_alloc(a, 8 << 20);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return false;
    *bytes = fread(p, 1, 8 << 20, f);
    fclose(f);
    if (*bytes < 24 || memcmp(p, "\x89PNG\r\n\x1a\n", 8) != 0)
        return false;
    *width = (uint32_t)p[16] << 24 | (uint32_t)p[17] << 16 | (uint32_t)p[18] << 8 | p[19];
    *height = (uint32_t)p[20] << 24 | (uint32_t)p[21] << 16 | (uint32_t)p[22] << 8 | p[23];
    return true;
}

static void begin_wait(struct walk *w)
{
    static const uint8_t body[8];
    const char *why = NULL;
    REQUIRE(mapic_send(&w->c, w->a, "NotificationWait", blob_of(body, 8), &(struct mapic_odd){ .keep_cookies = true }, &why));
}

/* The page has no script, and its policy allows none.  The picture is no blank sheet, and has the size of the window. */
TEST_LIMIT(rendered_by_chromium, 120)
{
    if (chromium() == NULL)
        SKIP("chromium is not installed");
    struct stack *st = stack_start(&(struct stack_options){ .config = "admins = ana@example.com\n" });
    struct arena *a = arena_new(SIZE_MAX);
    struct walk w[5];
    for (size_t i = 0; i < 5; i++) {
        uint32_t inbox;
        walk_begin(&w[i], st, i < 3 ? &st->ana : &st->bob);
        for (unsigned k = 0; k < 6; k++) {
            w[i].c.route = stack_route[(i + k) % 4];
            CHECK_INT(step_open_folder(&w[i].s, w[i].s.fid[4], &inbox), ecNone);
        }
        if (i % 2 == 0)
            begin_wait(&w[i]);
    }
    const char *keep = getenv("STATUS_SCREENSHOT"), *dir = arena_printf(a, "%s/browser", st->dir);
    const char *shot = keep != NULL ? keep : arena_printf(a, "%s/shot.png", dir);
    REQUIRE(mkdir(dir, 0700) == 0);
    const char *common = arena_printf(a, "HOME=%s timeout 60 %s --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking "
                                         "--disable-component-update --user-data-dir=%s/profile --window-size=1280,900", dir, chromium(), dir);
    const char *url = arena_printf(a, "http://ana%%40example.com:secret-ana@127.0.0.1:%u/status", st->port);
    const char *dom = run(a, arena_printf(a, "%s --dump-dom '%s' 2>/dev/null", common, url));
    static const char *const seen[] = { "<h1>mapihttpd</h1>", "ana@example.com", "bob@example.com", "id=\"tiles\"", "id=\"requests\"", "id=\"latency\"", "id=\"failures\"",
                                        "<rect ", ">waits</span>", ">idle</span>", "<button>End</button>", "Last served by" };
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        unit_check(strstr(dom, seen[i]) != NULL, __FILE__, __LINE__, "the browser shows %s", seen[i]);
    run(a, arena_printf(a, "%s --screenshot=%s '%s' 2>/dev/null", common, shot, url));
    uint32_t width = 0, height = 0;
    size_t bytes = 0;
    CHECK(png_size(a, shot, &width, &height, &bytes));
    CHECK_INT(width, 1280);
    CHECK_INT(height, 900);
    CHECK(bytes > 25000); /* a blank sheet of this size has a few thousand */
    for (size_t i = 0; i < 5; i++) {
        mapic_close(&w[i].c);
        arena_free(w[i].a);
    }
    stack_stop(st);
    arena_free(a);
}
