/* test_switches.c - the administrator's switches on running sessions: MAPI over HTTP on and off, closed to the outside, how long a session is kept. */
#include "backend/base/filetime.h"
#include "backend/directory/policy.h"
#include "tests/flow/ctl.h"
#include "tests/flow/waiter.h"
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static struct mapic_reply send(struct walk *w, const char *type, const struct mapic_odd *odd)
{
    struct mapic_rops r;
    struct mapic_reply reply = { .code = -2 };
    const char *why = NULL;
    rops_init(&r, w->a);
    struct blob body = strcmp(type, "Execute") == 0 ? mapic_execute_body(w->a, rops_buffer(&r), 3, 0x10008)
                     : strcmp(type, "Connect") == 0 ? mapic_connect_body(w->a, w->who->dn) : blob_of(NULL, 0);
    if (!mapic_call(&w->c, w->a, type, body, odd, &reply, &why))
        fprintf(stderr, "%s: %s\n", type, why);
    return reply;
}
static int code(struct walk *w, const char *type) { return send(w, type, NULL).code; }

static long long number(json_t *j, const char *key) { return json_integer_value(json_object_get(j, key)); }

/* Sessions of a user, as mapictl lists them. */
static unsigned sessions(struct stack *st, const struct person *who)
{
    json_t *list = ctl_json(st, "session list", 0), *one;
    unsigned n = 0;
    size_t i;
    json_array_foreach(list, i, one)
        n += strcmp(json_string_value(json_object_get(one, "user")), who->login) == 0;
    json_decref(list);
    return n;
}

TEST(mailbox_that_is_switched_off)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk ana, bob;
    walk_begin(&ana, st, &st->ana);
    walk_begin(&bob, st, &st->bob);
    json_t *j = ctl_json(st, "mailbox set ana --mapi-http-enabled false", 0);
    CHECK(json_is_false(json_object_get(j, "effective_mapi_http_enabled")));
    CHECK_INT(number(j, "sessions_ended"), 1);
    json_decref(j);
    CHECK_INT(sessions(st, &st->ana), 0);
    CHECK_INT(sessions(st, &st->bob), 1);
    CHECK_INT(code(&ana, "Execute"), 16);
    CHECK_INT(code(&ana, "PING"), 16);
    CHECK_INT(code(&ana, "Connect"), 16);
    CHECK_INT(code(&bob, "Execute"), 0);
    ctl_must(st, "mailbox set ana --mapi-http-enabled null");
    CHECK_INT(code(&ana, "Execute"), 10);
    MUST_STEP(&ana, step_connect(&ana.s, st->ana.dn));
    /* nobody ends the session but its own next request */
    CHECK_EC(mailbox_policy_set(st->directory, "ana", &(struct mailbox_policy){ .mapi_http = TRI_FALSE }), ecNone);
    CHECK_INT(sessions(st, &st->ana), 1);
    CHECK_INT(code(&ana, "Execute"), 16);
    CHECK_INT(sessions(st, &st->ana), 0);
    CHECK_EC(mailbox_policy_set(st->directory, "ana", &(struct mailbox_policy){ .mapi_http = TRI_NULL }), ecNone);
    CHECK_INT(code(&ana, "Execute"), 10);
    walk_end(&ana);
    walk_end(&bob);
    stack_stop(st);
}

/* PENDING is rare here: only the end of its session can be what ends the wait. */
TEST(waiting_client_is_told_when_it_is_switched_off)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "pending_period = 60000\n" });
    struct walk ana, bob;
    struct waiter w = { 0 }, other = { 0 };
    walk_begin(&ana, st, &st->ana);
    walk_begin(&bob, st, &st->bob);
    waiter_start(&w, &ana.c, stack_route[1]);
    waiter_start(&other, &bob.c, stack_route[1]);
    REQUIRE(waiter_processing(&w) && waiter_processing(&other));
    ctl_must(st, "mailbox set ana --mapi-http-enabled false");
    waiter_end(&w);
    CHECK_INT(w.r.code, 10);
    CHECK(waiter_waits(&other, 100));
    CHECK_INT(code(&ana, "Connect"), 16);
    CHECK_INT(send(&ana, "NotificationWait", NULL).code, 16);
    waiter_break(&other);
    waiter_free(&w);
    waiter_free(&other);
    walk_end(&ana);
    walk_end(&bob);
    stack_stop(st);
}

TEST(organization_that_is_switched_off)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk ana, bob;
    walk_begin(&ana, st, &st->ana);
    walk_begin(&bob, st, &st->bob);
    ctl_must(st, "mailbox set bob --mapi-http-enabled true");
    json_t *j = ctl_json(st, "org set --mapi-http-enabled false", 0);
    CHECK_STR(json_string_value(json_object_get(j, "organization")), "Demo");
    CHECK_INT(number(j, "sessions_ended"), 1);
    json_decref(j);
    CHECK_INT(code(&ana, "Connect"), 16);
    CHECK_INT(code(&bob, "Execute"), 0);
    /* another organization by the domain of its people */
    ctl_must(st, "org add Other --domain example.com");
    CHECK_INT(code(&ana, "Connect"), 0);
    ctl_must(st, "org set Other --remove-domain example.com");
    CHECK_INT(code(&ana, "Connect"), 16);
    ctl_must(st, "org set Demo --mapi-http-enabled true");
    CHECK_INT(code(&ana, "Connect"), 0);
    walk_end(&ana);
    walk_end(&bob);
    stack_stop(st);
}

TEST(mailbox_that_is_closed_to_the_outside)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk in, out;
    walk_begin(&in, st, &st->ana);
    walk_init(&out, st, &st->ana);
    out.c.to.port = st->external_port;
    MUST_STEP(&out, step_connect(&out.s, st->ana.dn));
    ctl_must(st, "mailbox set ana --block-external true");
    CHECK_INT(code(&out, "Execute"), 16);
    CHECK_INT(code(&out, "Connect"), 16);
    /* what a client says of itself counts for nothing */
    static const struct mapic_odd says = { .extra = "MAPI_SIDE: internal\r\nMapi-Side: internal\r\nX-Mapi-Side: internal\r\n" };
    CHECK_INT(send(&out, "Connect", &says).code, 16);
    CHECK_INT(code(&in, "Execute"), 0);
    CHECK_INT(code(&in, "PING"), 0);
    ctl_must(st, "mailbox set ana --block-external false");
    CHECK_INT(code(&out, "Connect"), 0);
    walk_end(&in);
    walk_end(&out);
    stack_stop(st);
}

/* --- retention ------------------------------------------------------------------------------------------------------------------------------ */

static const char *expiration(struct walk *w, const char *type)
{
    struct mapic_reply r = send(w, type, NULL);
    CHECK_INT(r.code, 0);
    const char *v = http_header(&r.http, "X-ExpirationInfo");
    return v != NULL ? v : "absent";
}

/* The time to live of the only session, as Redis has it [ms]; -2: there is none. */
static int64_t time_to_live(struct stack *st)
{
    struct arena *a = arena_new(1 << 20);
    struct redis *r = stack_redis(st);
    struct redis_conn *c = redis_take(r, a);
    struct redis_value v = { 0 }, ttl = { .i = -2 };
    struct blob keys[] = { blob_str("KEYS"), blob_str("mapi:{*}") };
    CHECK(c != NULL && redis_cmd(c, 2, keys, &v) == REDIS_DONE && v.n <= 1);
    struct blob pttl[] = { blob_str("PTTL"), v.n != 0 ? v.v[0].s : blob_of(NULL, 0) };
    if (v.n != 0)
        CHECK(redis_cmd(c, 2, pttl, &ttl) == REDIS_DONE);
    int64_t ms = ttl.i;
    arena_free(a);
    redis_free(r);
    return ms;
}

static bool lives_about(struct stack *st, int64_t ms)
{
    int64_t t = time_to_live(st);
    return unit_check(t > ms - 5000 && t <= ms, __FILE__, __LINE__, "%lld ms to live, not %lld", (long long)t, (long long)ms);
}

TEST(retention_changes_at_the_next_request)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2, .config = "session_retention = 700\n" });
    struct walk w;
    walk_begin(&w, st, &st->ana);
    CHECK_STR(expiration(&w, "Execute"), "700000");
    ctl_must(st, "org set Demo --retention 3600");
    lives_about(st, 700000); /* not before the next request */
    CHECK_STR(expiration(&w, "Execute"), "3600000");
    lives_about(st, 3600000);
    ctl_must(st, "mailbox set ana --retention 120");
    CHECK_STR(expiration(&w, "PING"), "120000");
    lives_about(st, 120000);
    ctl_must(st, "mailbox set ana --retention 86400");
    CHECK_STR(expiration(&w, "Connect"), "86400000");
    lives_about(st, 86400000);
    ctl_must(st, "mailbox set ana --retention default");
    CHECK_STR(expiration(&w, "Execute"), "3600000");
    ctl_must(st, "org set --retention default");
    CHECK_STR(expiration(&w, "Execute"), "700000");
    lives_about(st, 700000);
    walk_end(&w);
    stack_stop(st);
}

/* Shorter than an administrator may ask for, so that the test need not wait a minute. */
static void retention_ms(struct stack *st, unsigned seconds)
{
    sqlite3 *db;
    REQUIRE(sqlite3_open(st->config->directory, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    CHECK_INT(sqlite3_exec(db, arena_printf(st->a, "UPDATE person SET retention=%u WHERE login='ana@example.com'", seconds), NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

TEST(a_session_ends_by_the_retention_of_its_mailbox)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w;
    walk_begin(&w, st, &st->ana);
    lives_about(st, 900000);
    retention_ms(st, 1);
    CHECK_STR(expiration(&w, "Execute"), "1000");
    for (int i = 0; i < 300 && time_to_live(st) != -2; i++)
        usleep(10000);
    CHECK_INT(code(&w, "Execute"), 10);
    walk_end(&w);
    stack_stop(st);
}

/* The clock of a session stands still while its request is pending, whatever the retention (MS-OXCMAPIHTTP R1217). */
TEST(a_pending_request_outlives_the_retention)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 2 });
    struct walk w;
    walk_begin(&w, st, &st->ana);
    retention_ms(st, 1);
    w.c.route = stack_route[0];
    stack_arm(st, 0, "begin_done:1:sleep=2500");
    uint64_t t0 = clock_ms();
    CHECK_INT(code(&w, "Execute"), 0);
    CHECK(clock_ms() - t0 >= 2400);
    CHECK_INT(code(&w, "Execute"), 0);
    stack_arm(st, 0, NULL);
    walk_end(&w);
    stack_stop(st);
}

/* --- mapictl --------------------------------------------------------------------------------------------------------------------------------- */

TEST(bad_values_are_told_with_what_is_allowed)
{
    static const struct { const char *arguments, *words; } row[] = {
        { "org set --retention 59", "60 to 2592000" }, { "org set --retention 2592001", "60 to 2592000" }, { "org set --retention -1", "60 to 2592000" },
        { "org set --retention 99999999999999999999", "60 to 2592000" }, { "mailbox set ana --retention 1h", "60 to 2592000" },
        { "mailbox set ana --retention ''", "60 to 2592000" },
        { "org set --mapi-http-enabled null", "true false" }, { "mailbox set ana --mapi-http-enabled maybe", "true false null" },
        { "mailbox set ana --block-external null", "true false" }, { "mailbox set nobody --block-external true", "no such user" },
        { "org set Nowhere --mapi-http-enabled true", "no such organization" }, { "org show Nowhere", "no such organization" },
        { "org add Demo", "exists already" }, { "org add a/b", "not a valid name" }, { "org set --domain 'a b'", "not a valid name" },
        { "org set --remove-domain x.example", "is not a domain of this organization" }, { "mailbox show nobody", "no such user" },
        { "vdir set --internal-url http://x/mapi", "https://" }, { "vdir set --external-url https://x/mapi?y", "https://" },
        { "vdir set --internal-methods basic,ntlm", "basic negotiate oauth certificate" }, { "vdir set --external-methods ''", "basic negotiate oauth certificate" },
        { "moved set gone.example --url http://x/", "https URL" }, { "moved set gone.example --address a@b", "https URL" }, { "moved remove gone.example", "not found" },
    };
    static const char *const usage[] = { "org set", "org add", "org show a b", "org list x", "mailbox set ana", "mailbox set --retention 60", "mailbox show", "vdir set",
                                         "vdir get x", "moved set x.example", "moved remove", "org set --colour red" };
    struct stack *st = stack_shared();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct ctl_run r = ctl_run(st, row[i].arguments);
        unit_int(r.rc, 1, row[i].arguments, __FILE__, __LINE__);
        unit_check(strstr(r.text, row[i].words) != NULL, __FILE__, __LINE__, "%s: %s", row[i].arguments, r.text);
        json_t *j = ctl_json(st, row[i].arguments, 1);
        CHECK(json_is_string(json_object_get(j, "error")));
        json_decref(j);
    }
    for (size_t i = 0; i < sizeof usage / sizeof usage[0]; i++)
        unit_int(ctl_run(st, usage[i]).rc, 2, usage[i], __FILE__, __LINE__);
}

TEST(what_is_set_is_shown)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    ctl_must(st, "org add Other --domain Other.Example");
    ctl_must(st, "org set Other --retention 600 --domain two.example");
    json_t *j = ctl_json(st, "org show other", 0);
    CHECK_INT(json_array_size(json_object_get(j, "domains")), 2);
    CHECK_INT(number(j, "retention_s"), 600);
    CHECK(json_is_true(json_object_get(j, "mapi_http_enabled")));
    json_decref(j);
    j = ctl_json(st, "org list", 0);
    CHECK_INT(json_array_size(j), 2);
    json_decref(j);
    CHECK(strstr(ctl_run(st, "org show Other").text, "other.example two.example") != NULL);
    ctl_must(st, "mailbox set ana --block-external true --retention 61");
    j = ctl_json(st, "mailbox show ana", 0);
    CHECK(json_is_null(json_object_get(j, "mapi_http_enabled")));
    CHECK(json_is_true(json_object_get(j, "effective_mapi_http_enabled")));
    CHECK(json_is_true(json_object_get(j, "block_external")));
    CHECK_INT(number(j, "effective_retention_s"), 61);
    json_decref(j);
    ctl_must(st, "vdir set --internal-url https://in.example/mapi/ --external-methods oauth,basic");
    j = ctl_json(st, "vdir get", 0);
    CHECK_STR(json_string_value(json_object_get(j, "internal_url")), "https://in.example/mapi");
    CHECK(json_is_null(json_object_get(j, "external_url")));
    CHECK_INT(json_array_size(json_object_get(j, "internal_methods")), 4);
    CHECK_INT(json_array_size(json_object_get(j, "external_methods")), 2);
    json_decref(j);
    CHECK(strstr(ctl_run(st, "vdir get").text, "basic,oauth") != NULL);
    ctl_must(st, "vdir set --internal-url none");
    ctl_must(st, "moved set gone.example --address here.example");
    CHECK(strstr(ctl_run(st, "moved list").text, "here.example") != NULL);
    ctl_must(st, "moved remove gone.example");
    stack_stop(st);
}

TEST(clients_of_the_matrix)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1 });
    struct walk w;
    json_t *j = ctl_json(st, "clients", 0);
    CHECK(json_array_size(j) >= 8);
    CHECK_STR(json_string_value(json_object_get(json_array_get(j, 0), "Exchange 2013")), "Outlook Anywhere");
    json_decref(j);
    j = ctl_json(st, "clients Outlook/15.0.4420.1017", 0);
    CHECK_STR(json_string_value(json_object_get(j, "product")), "Outlook 2013 without SP1");
    CHECK(json_is_false(json_object_get(j, "mapi_http")));
    json_decref(j);
    j = ctl_json(st, "clients 'Evolution 3'", 0);
    CHECK(json_is_null(json_object_get(j, "product")));
    json_decref(j);
    CHECK(strstr(ctl_run(st, "clients").text, "Outlook 2010 SP2 with KB2956191 and KB2965295") != NULL);
    walk_begin(&w, st, &st->ana);
    j = ctl_json(st, "session list", 0);
    CHECK_STR(json_string_value(json_object_get(json_array_get(j, 0), "product")), "Outlook 2013 SP1");
    json_decref(j);
    /* a client that has a User-Agent only */
    static const struct mapic_odd agent = { .without = "X-ClientApplication",
                                            .extra = "User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.4266; Pro)\r\n" };
    CHECK_INT(send(&w, "Connect", &agent).code, 0);
    j = ctl_json(st, "session list", 0);
    CHECK_STR(json_string_value(json_object_get(json_array_get(j, 0), "product")), "Outlook 2016, 2019, 2021, 2024, Microsoft 365");
    json_decref(j);
    walk_end(&w);
    stack_stop(st);
}
