/* test_wait.c - NotificationWait through nginx, workers on two hosts, Redis: parked, woken, ended. MS-OXCMAPIHTTP 2.2.4.4, 3.2.5.5. */
#include "backend/base/filetime.h"
#include "backend/event/bell.h"
#include "tests/flow/ctl.h"
#include "tests/flow/waiter.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In one installation waits last and PENDING is rare, so that only a ring can be what wakes; in the other all periods are short. */
static struct stack *kept[2];

static void stop_kept(void)
{
    for (size_t i = 0; i < 2; i++)
        if (kept[i] != NULL)
            stack_stop(kept[i]);
}

static struct stack *keep(size_t i, const char *config)
{
    if (kept[0] == NULL && kept[1] == NULL) {
        unit_tmpdir(); /* its clean-up must run after ours */
        atexit(stop_kept);
    }
    if (kept[i] == NULL)
        kept[i] = stack_start(&(struct stack_options){ .config = config });
    return kept[i];
}

static struct stack *long_waits(void) { return keep(0, "pending_period = 20000\nwait_max = 300\n"); }
static struct stack *short_waits(void) { return keep(1, "pending_period = 300\nwait_max = 3\nsession_retention = 1\naccess_log = -\nwaits_max = 3\n"); }

enum { NEW_MAIL = 0x02, CREATED = 0x04, DELETED = 0x08 };

/* RopRegisterNotification for the whole store. */
static uint32_t subscribe(struct walk *w, uint16_t types)
{
    struct mapic_rops r;
    struct mapic_result out;
    struct rop_head h;
    rops_init(&r, w->a);
    uint8_t in = rops_handle(&r, w->s.logon);
    rops_head(&r, 0x29, in);
    wr_u8(&r.list, rops_handle(&r, 0xFFFFFFFF));
    wr_u16(&r.list, types);
    wr_u8(&r.list, 1);
    return step_run(&w->s, &r, &out, &h);
}

static void begin(struct walk *w, struct stack *st, const struct person *who)
{
    walk_begin(w, st, who);
    MUST_STEP(w, subscribe(w, NEW_MAIL | CREATED));
}

/* A message by another session, on that worker. */
static void write_mail(struct stack *st, const struct person *who, const char *route, const char *subject)
{
    struct walk w;
    uint32_t folder, message;
    uint64_t mid;
    uint16_t problems;
    struct props set = { 0 };
    walk_begin(&w, st, who);
    w.c.route = route;
    props_set(w.a, &set, pv_str(PidTagSubject, subject));
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[4], &folder));
    MUST_STEP(&w, step_create_message(&w.s, folder, w.s.fid[4], &message));
    MUST_STEP(&w, step_set_props(&w.s, message, &set, &problems));
    MUST_STEP(&w, step_save_message(&w.s, message, 0, &mid));
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* The session's key: the cookie begins with its id, in base64url. */
static const char *key_of(struct arena *a, const struct mapic *c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *hex = arena_alloc(a, 40), *at = hex;
    uint32_t bits = 0;
    unsigned have = 0;
    for (const char *p = c->context; at < hex + 32 && *p != '\0' && strchr(digits, *p) != NULL; p++) {
        bits = bits << 6 | (uint32_t)(strchr(digits, *p) - digits);
        for (have += 6; have >= 4 && at < hex + 32; have -= 4)
            *at++ = "0123456789abcdef"[bits >> (have - 4) & 15];
    }
    return arena_printf(a, "mapi:{%s}", hex);
}

/* What a command says of it; `field` "": none. */
static int64_t in_redis(struct stack *st, const struct mapic *c, const char *command, const char *field)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = stack_redis(st);
    struct redis_conn *conn = redis_take(r, a);
    struct redis_value v = { .i = -100 };
    struct blob ask[] = { blob_str(command), blob_str(key_of(a, c)), blob_str(field) };
    int64_t n = conn != NULL && redis_cmd(conn, *field != '\0' ? 3 : 2, ask, &v) == REDIS_DONE ? v.i : -100;
    arena_free(a);
    redis_free(r);
    return n;
}

static bool becomes(struct stack *st, struct mapic *c, const char *command, const char *field, int64_t want)
{
    for (int i = 0; i < 2000; i++) {
        if (in_redis(st, c, command, field) == want)
            return true;
        usleep(1000);
    }
    return false;
}

static const char *head(const struct waiter *w, const char *name)
{
    const char *v = http_header(&w->r.http, name);
    return v != NULL ? v : "";
}

static bool sets_cookie(const struct mapic_reply *r, const char *name)
{
    for (size_t i = 0; i < r->http.headers; i++)
        if (strcmp(r->http.header[i].name, "Set-Cookie") == 0 && strncmp(r->http.header[i].value, name, strlen(name)) == 0)
            return true;
    return false;
}

/* --- accepted or not --------------------------------------------------------------------------------------------------------------------- */

static int code_of(struct walk *w, struct blob body, const struct mapic_odd *odd)
{
    struct mapic c;
    struct mapic_reply r;
    const char *why;
    mapic_beside(&c, &w->c);
    bool ok = mapic_call(&c, w->a, "NotificationWait", body, odd, &r, &why);
    mapic_close(&c);
    return ok ? r.code : -2;
}

TEST(cookies_decide_and_the_body_last)
{
    struct stack *st = long_waits();
    struct walk w, other;
    walk_begin(&w, st, &st->ana);
    walk_begin(&other, st, &st->bob);
    struct blob body = mapic_wait_body(w.a, 0);
    CHECK_INT(code_of(&w, body, &(struct mapic_odd){ .context = "", .sequence = "" }), 13);
    CHECK_INT(code_of(&w, body, &(struct mapic_odd){ .context = "" }), 13);
    CHECK_INT(code_of(&w, body, &(struct mapic_odd){ .context = "Invalid cookie", .sequence = "Invalid cookie" }), 6);
    CHECK_INT(code_of(&other, body, &(struct mapic_odd){ .context = w.c.context }), 10); /* R1225 */
    CHECK_INT(code_of(&w, blob_of(body.p, 6), NULL), 12);
    CHECK_INT(code_of(&w, blob_of(body.p, 6), &(struct mapic_odd){ .context = "" }), 13);
    CHECK_INT(code_of(&other, blob_of(body.p, 6), &(struct mapic_odd){ .context = w.c.context }), 10);
    CHECK_INT(code_of(&w, body, &(struct mapic_odd){ .without = "X-RequestId" }), 7);
    struct mapic was = w.c;
    STEP(&w, step_disconnect(&w.s));
    CHECK_INT(code_of(&w, body, &(struct mapic_odd){ .context = was.context }), 10);
    STEP(&other, step_disconnect(&other.s));
    walk_end(&other);
    walk_end(&w);
}

/* --- its time ------------------------------------------------------------------------------------------------------------------------------ */

/* The worker's access log has a line of this request with these words. */
static bool logged(struct stack *st, const struct waiter *k, const char *words)
{
    char line[8192];
    bool found = false;
    for (int i = 0; i < 100 && !found; i++) {
        FILE *f = fopen(arena_printf(k->a, "%s/%s.log", st->dir, k->c.worker), "r");
        while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
            found = strstr(line, words) != NULL && strstr(line, "AuthenticatedUser=ana@example.com") != NULL && strstr(line, "EarlyHead=1") != NULL;
        if (f != NULL)
            fclose(f);
        usleep(10000);
    }
    return found;
}

TEST(pending_until_its_time_is_over)
{
    struct stack *st = short_waits();
    struct walk w;
    struct waiter k = { .flags = 0xFFFFFFFF };           /* R1368 */
    begin(&w, st, &st->ana);
    k.odd.sequence = "";                                  /* nor is the sequence cookie asked for */
    waiter_start(&k, &w.c, NULL);
    CHECK_INT(waiter_end(&k), 0);                         /* R1372 */
    CHECK(k.head - k.begun < 300);                        /* R1237 */
    CHECK(k.ended - k.begun >= 3000 && k.ended - k.begun < 4500); /* R1215, R1259 */
    CHECK(k.r.processing && k.r.done && k.r.http.chunked);
    CHECK(k.r.pending >= 7 && k.r.pending <= 10);
    CHECK_STR(head(&k, "X-ResponseCode"), "0");
    CHECK_STR(head(&k, "X-PendingPeriod"), "300");
    CHECK_STR(head(&k, "X-ExpirationInfo"), "1000");
    CHECK_STR(head(&k, "X-RequestType"), "NotificationWait");
    CHECK_STR(head(&k, "Content-Type"), "application/mapi-http");
    CHECK(sets_cookie(&k.r, "MapiContext=") && !sets_cookie(&k.r, "MapiSequence=")); /* R1261; the sequence is not its business */
    CHECK_INT(k.r.extras, 2);
    CHECK_STR(k.r.extra[0].name, "X-StartTime");
    CHECK_STR(k.r.extra[1].name, "X-ElapsedTime");
    CHECK(strtoul(k.r.extra[1].value, NULL, 10) >= 3000);
    CHECK_BYTES(k.r.body, "00000000 00000000 00000000 00000000"); /* R1369, R1373 */
    CHECK(logged(st, &k, "RequestType=NotificationWait HttpStatusCode=200 ResponseCode=0 StatusCode=0x0 ReturnCode=0x0 TotalRequestLatency=3"));
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* The retention is one second, the wait three: it stands still meanwhile and begins anew behind it, whatever other requests do (R1260, R1284). */
TEST(the_session_lives_as_long_as_its_wait)
{
    struct stack *st = short_waits();
    struct walk w;
    struct waiter k = { 0 };
    uint32_t folder;
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[1]);
    REQUIRE(waiter_processing(&k));
    STEP(&w, step_open_folder(&w.s, w.s.fid[4], &folder)); /* its end must not shorten the life */
    REQUIRE(waiter_waits(&k, 1500));
    CHECK(in_redis(st, &w.c, "PTTL", "") > 1000);
    CHECK_INT(waiter_end(&k), 0);
    REQUIRE(becomes(st, &w.c, "HEXISTS", "w", 0));
    int64_t left = in_redis(st, &w.c, "PTTL", "");
    CHECK(left > 700 && left <= 1000);
    STEP(&w, step_open_folder(&w.s, w.s.fid[5], &folder));
    waiter_free(&k);
    usleep(1100000);
    CHECK_INT(code_of(&w, mapic_wait_body(w.a, 0), NULL), 10); /* R1285 */
    walk_end(&w);
}

/* --- what wakes it ------------------------------------------------------------------------------------------------------------------------- */

/* An Execute without ROPs is answered with a RopNotify. */
static bool is_told(struct walk *w)
{
    struct mapic_rops r;
    struct mapic_result out;
    const char *why;
    rops_init(&r, w->a);
    return mapic_execute(&w->c, &r, NULL, &out, &why) && out.status == 0 && out.error == 0 && rd_u8(&out.rops) == 0x2A;
}

TEST(mail_by_another_session_ends_it_at_once)
{
    struct stack *st = long_waits();
    for (unsigned i = 0; i < 3; i++) {
        struct walk w;
        struct waiter k = { 0 };
        begin(&w, st, &st->ana);
        waiter_start(&k, &w.c, stack_route[i]);
        REQUIRE(waiter_processing(&k));
        REQUIRE(waiter_waits(&k, 50));
        uint64_t t = clock_ms();
        write_mail(st, &st->ana, stack_route[(i * 2 + 1) % 4], "Wake up");
        CHECK_INT(waiter_end(&k), 1);                     /* R1371 */
        CHECK(k.ended - t < 3000);
        CHECK_BYTES(k.r.body, "00000000 00000000 01000000 00000000");
        CHECK_INT(k.r.pending, 0);
        waiter_free(&k);
        CHECK(is_told(&w));                               /* R318: what happened comes with the next Execute, be it empty */
        STEP(&w, step_disconnect(&w.s));
        walk_end(&w);
    }
}

TEST(what_waits_already_is_told_at_once)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    begin(&w, st, &st->ana);
    walk_fill(st, &st->ana, SF_INBOX, "Silent", 1);       /* no bell rings for this one */
    waiter_start(&k, &w.c, NULL);
    CHECK_INT(waiter_end(&k), 1);
    CHECK(k.ended - k.begun < 2000);
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* Nobody rang: positions are compared when a PENDING is due. */
TEST(a_lost_ring_delays)
{
    struct stack *st = short_waits();
    struct walk w;
    struct waiter k = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, NULL);
    REQUIRE(waiter_pending(&k, 1));
    uint64_t t = clock_ms();
    walk_fill(st, &st->ana, SF_INBOX, "Silent", 1);
    CHECK_INT(waiter_end(&k), 1);
    CHECK(k.ended - t < 1000);
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* Events that the session is not told of do not wake it; nor do those of other mailboxes. */
TEST(only_what_is_told_wakes)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, subscribe(&w, DELETED));
    waiter_start(&k, &w.c, NULL);
    REQUIRE(waiter_processing(&k));
    write_mail(st, &st->ana, NULL, "Not asked for");
    write_mail(st, &st->bob, NULL, "Not mine");
    CHECK(waiter_waits(&k, 300));
    walk_end(&w);
    waiter_free(&k);
}

/* A number of the worker's /metrics. */
static unsigned long metric(struct walk *w, const char *route, const char *name)
{
    struct mapic c;
    struct mapic_reply r;
    const char *why;
    mapic_beside(&c, &w->c);
    c.route = route;
    bool ok = mapic_call(&c, w->a, "PING", blob_of(NULL, 0), &(struct mapic_odd){ .verb = "GET", .path = "/metrics" }, &r, &why);
    mapic_close(&c);
    const char *at = ok ? strstr(arena_str(w->a, r.http.body), arena_printf(w->a, "\n%s ", name)) : NULL;
    return at != NULL ? strtoul(at + strlen(name) + 2, NULL, 10) : 0;
}

/* Many rings of a mailbox cost few looks. */
TEST(rings_coalesce)
{
    enum { RINGS = 500 };
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    struct redis *r = stack_redis(st);
    walk_begin(&w, st, &st->ana);
    MUST_STEP(&w, subscribe(&w, DELETED));
    waiter_start(&k, &w.c, stack_route[2]);
    REQUIRE(waiter_processing(&k));
    REQUIRE(waiter_waits(&k, 100));
    unsigned long looks = metric(&w, stack_route[2], "mapihttpd_waits_looked_total"), rings = metric(&w, stack_route[2], "mapihttpd_rings_received_total");
    CHECK_INT(metric(&w, stack_route[2], "mapihttpd_waits_parked"), 1);
    struct redis_conn *c = redis_take(r, w.a);
    REQUIRE(c != NULL);
    for (unsigned i = 0; i < RINGS; i++)
        redis_queue(c, 3, bell_command(w.a, st->config, &st->ana.mailbox, 1000000 + i));
    CHECK(redis_flush(c) == REDIS_DONE);
    for (int i = 0; i < 200 && metric(&w, stack_route[2], "mapihttpd_rings_received_total") < rings + RINGS; i++)
        usleep(10000);
    CHECK_INT(metric(&w, stack_route[2], "mapihttpd_rings_received_total"), rings + RINGS);
    CHECK(waiter_waits(&k, 100));
    looks = metric(&w, stack_route[2], "mapihttpd_waits_looked_total") - looks;
    CHECK(looks >= 1 && looks < RINGS / 4);
    redis_forget(c);
    walk_end(&w);
    redis_free(r);
    waiter_free(&k);
}

TEST(import_wakes)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(n > 0);
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    begin(&w, st, &st->ana);
    const char *mail = arena_printf(w.a, "%s/wake.eml", st->dir);
    FILE *f = fopen(mail, "w");
    REQUIRE(f != NULL);
    fprintf(f, "From: x@example.com\r\nTo: ana@example.com\r\nSubject: Imported %d\r\n\r\nBody\r\n", (int)getpid());
    fclose(f);
    waiter_start(&k, &w.c, NULL);
    REQUIRE(waiter_processing(&k));
    CHECK_INT(system(arena_printf(w.a, "%s/mapictl --config %s/a.conf import ana@example.com %s >%s/import.out 2>&1", self, st->dir, mail, st->dir)), 0);
    CHECK_INT(waiter_end(&k), 1);
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

TEST(all_sessions_of_a_mailbox_wake)
{
    enum { SESSIONS = 6 };
    struct stack *st = long_waits();
    struct walk w[SESSIONS];
    struct waiter k[SESSIONS] = { 0 };
    for (unsigned i = 0; i < SESSIONS; i++) {
        begin(&w[i], st, &st->ana);
        waiter_start(&k[i], &w[i].c, stack_route[i % 4]);
    }
    for (unsigned i = 0; i < SESSIONS; i++)
        CHECK(waiter_processing(&k[i]));
    write_mail(st, &st->ana, NULL, "For all");
    for (unsigned i = 0; i < SESSIONS; i++) {
        CHECK_INT(waiter_end(&k[i]), 1);
        waiter_free(&k[i]);
        STEP(&w[i], step_disconnect(&w[i].s));
        walk_end(&w[i]);
    }
}

/* --- beside other requests -------------------------------------------------------------------------------------------------------------------- */

TEST(executes_run_beside_it)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    uint32_t folder;
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    for (unsigned i = 0; i < 20; i++) {                   /* R1170: and none of them is out of sequence */
        w.c.route = stack_route[i % 4];
        MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[4 + i % 4], &folder));
    }
    CHECK(waiter_waits(&k, 50));
    write_mail(st, &st->ana, NULL, "Beside");
    CHECK_INT(waiter_end(&k), 1);
    MUST_STEP(&w, step_open_folder(&w.s, w.s.fid[4], &folder));
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* Nothing was logged on to when it was parked. */
TEST(a_logon_behind_it_counts)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    walk_init(&w, st, &st->ana);
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, subscribe(&w, NEW_MAIL | CREATED));
    uint64_t t = clock_ms();
    write_mail(st, &st->ana, NULL, "Later");
    CHECK_INT(waiter_end(&k), 1);
    CHECK(k.ended - t < 5000);                            /* before the next renewal of the hold would say so */
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* --- what ends it ------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_newer_wait_ends_the_older)
{
    struct stack *st = long_waits();
    static const unsigned where[][2] = { { 0, 0 }, { 0, 1 }, { 2, 0 } };
    for (size_t i = 0; i < sizeof where / sizeof where[0]; i++) {
        struct walk w;
        struct waiter old = { 0 }, new = { 0 };
        begin(&w, st, &st->ana);
        waiter_start(&old, &w.c, stack_route[where[i][0]]);
        REQUIRE(waiter_processing(&old));
        waiter_start(&new, &w.c, stack_route[where[i][1]]);
        REQUIRE(waiter_processing(&new));
        CHECK_INT(waiter_end(&old), 0);
        CHECK(old.ended - new.begun < 2000);
        CHECK(waiter_waits(&new, 50));
        CHECK_INT(in_redis(st, &w.c, "HEXISTS", "w"), 1); /* the end of the older left the newer's hold alone */
        write_mail(st, &st->ana, NULL, "For the newer");
        CHECK_INT(waiter_end(&new), 1);
        waiter_free(&old);
        waiter_free(&new);
        STEP(&w, step_disconnect(&w.s));
        walk_end(&w);
    }
}

/* With code 10 behind DONE (R2229, R1283): the session is gone whatever the head said. */
static void ends_with_10(struct waiter *k)
{
    CHECK_INT(waiter_end(k), WAITER_FAILED);
    CHECK(k->answered);
    CHECK_STR(head(k, "X-ResponseCode"), "0");
    CHECK(k->r.processing && k->r.done);
    CHECK_INT(k->r.code, 10);
    CHECK(k->r.body.n > 20);
    waiter_free(k);
}

TEST(disconnect_ends_it)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    w.c.route = stack_route[1];
    uint64_t t = clock_ms();
    STEP(&w, step_disconnect(&w.s));
    ends_with_10(&k);
    CHECK(clock_ms() - t < 2000);
    walk_end(&w);
}

TEST(reconnect_ends_it)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    w.c.route = stack_route[1];
    MUST_STEP(&w, step_connect(&w.s, st->ana.dn));        /* with the old cookies */
    ends_with_10(&k);
    struct waiter again = { 0 };
    MUST_STEP(&w, step_logon(&w.s, st->ana.dn));
    MUST_STEP(&w, subscribe(&w, CREATED));
    waiter_start(&again, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&again));
    write_mail(st, &st->ana, NULL, "After a reconnect");
    CHECK_INT(waiter_end(&again), 1);
    waiter_free(&again);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

TEST(a_lost_session_ends_it)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    struct arena *a = arena_new(1 << 20);
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, NULL);
    REQUIRE(waiter_processing(&k));
    struct redis *r = stack_redis(st);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v;
    struct blob flush[] = { blob_str("FLUSHALL") };
    REQUIRE(c != NULL && redis_cmd(c, 1, flush, &v) == REDIS_DONE);
    arena_free(a);
    redis_free(r);
    write_mail(st, &st->ana, NULL, "Look");               /* who looks finds nothing */
    ends_with_10(&k);
    walk_end(&w);
}

TEST(a_client_that_went_is_noticed)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    CHECK_INT(in_redis(st, &w.c, "HEXISTS", "w"), 1);
    waiter_break(&k);
    CHECK(becomes(st, &w.c, "HEXISTS", "w", 0));          /* its retention runs again */
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* A wait that came before the retention was changed must not bring the old one back when it ends: the client was told the new one. */
TEST(what_was_announced_beside_a_wait_is_kept)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 };
    uint32_t folder;
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    ctl_must(st, "mailbox set ana --retention 86400");
    STEP(&w, step_open_folder(&w.s, w.s.fid[4], &folder));
    waiter_break(&k);
    REQUIRE(becomes(st, &w.c, "HEXISTS", "w", 0));
    int64_t left = in_redis(st, &w.c, "PTTL", "");
    CHECK(left > 86000000 && left <= 86400000);
    ctl_must(st, "mailbox set ana --retention default");
    STEP(&w, step_disconnect(&w.s));
    waiter_free(&k);
    walk_end(&w);
}

/* waits_max: who waits longest is sent home, and asks again. */
TEST(too_many_end_the_oldest)
{
    enum { MANY = 4 };
    struct stack *st = short_waits();
    struct walk w[MANY];
    struct waiter k[MANY] = { 0 };
    for (unsigned i = 0; i < MANY; i++) {
        begin(&w[i], st, &st->ana);
        waiter_start(&k[i], &w[i].c, stack_route[2]);
        REQUIRE(waiter_processing(&k[i]));
    }
    CHECK_INT(waiter_end(&k[0]), 0);
    CHECK(k[0].ended - k[0].begun < 2500);                /* its time was not over */
    for (unsigned i = 1; i < MANY; i++) {
        CHECK_INT(waiter_end(&k[i]), 0);
        CHECK(k[i].ended - k[i].begun >= 3000);
    }
    for (unsigned i = 0; i < MANY; i++) {
        waiter_free(&k[i]);
        walk_end(&w[i]);
    }
}

/* --- faults -------------------------------------------------------------------------------------------------------------------------------------- */

TEST(a_killed_worker_leaves_a_session_that_waits_elsewhere)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 }, again = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    stack_kill(st, 0, SIGKILL);
    CHECK_INT(waiter_end(&k), WAITER_FAILED);
    CHECK(!k.answered || !k.r.done);
    CHECK(in_redis(st, &w.c, "PTTL", "") <= 30000 + 900000); /* nobody renews it: it expires in time */
    waiter_start(&again, &w.c, stack_route[1]);
    REQUIRE(waiter_processing(&again));
    stack_worker(st, 0);
    write_mail(st, &st->ana, stack_route[3], "Elsewhere");
    CHECK_INT(waiter_end(&again), 1);
    waiter_free(&k);
    waiter_free(&again);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

/* What happened while Redis was away is found as soon as the channels are listened to again. */
TEST(redis_restarts_during_a_wait)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 }, again = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    REQUIRE(waiter_waits(&k, 50));
    stack_redis_stop(st);
    walk_fill(st, &st->ana, SF_INBOX, "Unheard", 1);
    CHECK(waiter_waits(&k, 200));
    stack_redis_start(st);
    CHECK_INT(waiter_end(&k), 1);
    waiter_free(&k);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
    begin(&w, st, &st->ana);
    waiter_start(&again, &w.c, stack_route[0]);           /* and rings are heard again */
    REQUIRE(waiter_processing(&again));
    write_mail(st, &st->ana, NULL, "Heard");
    CHECK_INT(waiter_end(&again), 1);
    waiter_free(&again);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}

TEST(a_worker_that_ends_hands_its_waits_back)
{
    struct stack *st = long_waits();
    struct walk w;
    struct waiter k = { 0 }, again = { 0 };
    begin(&w, st, &st->ana);
    waiter_start(&k, &w.c, stack_route[0]);
    REQUIRE(waiter_processing(&k));
    stack_kill(st, 0, SIGTERM);
    CHECK_INT(waiter_end(&k), 0);
    CHECK(k.r.done);
    waiter_start(&again, &w.c, NULL);                     /* any other */
    REQUIRE(waiter_processing(&again));
    stack_worker(st, 0);
    write_mail(st, &st->ana, NULL, "After the end");
    CHECK_INT(waiter_end(&again), 1);
    CHECK(strcmp(again.c.worker, "a0") != 0);
    waiter_free(&k);
    waiter_free(&again);
    STEP(&w, step_disconnect(&w.s));
    walk_end(&w);
}
