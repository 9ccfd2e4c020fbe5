/* test_metrics.c - /metrics: valid OpenMetrics, the numbers of all workers of a host, whoever is asked, through their death and restart. */
#include "tests/flow/walk.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t nothing[1];

static const char *get(struct stack *st, struct arena *a, const char *route)
{
    struct mapic c;
    struct mapic_reply r;
    const char *why = NULL;
    stack_client(st, &c, &st->ana);
    c.user = NULL;
    c.mailbox_id = NULL;
    c.route = route;
    bool ok = mapic_call(&c, a, "PING", blob_of(nothing, 0), &(struct mapic_odd){ .verb = "GET", .path = "/metrics" }, &r, &why);
    mapic_close(&c);
    REQUIRE(ok && r.http.status == 200);
    CHECK_STR(http_header(&r.http, "Content-Type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    return arena_str(a, r.http.body);
}

static double value(const char *text, const char *series)
{
    size_t n = strlen(series);
    for (const char *at = text; (at = strstr(at, series)) != NULL; at += n)
        if ((at == text || at[-1] == '\n') && at[n] == ' ')
            return strtod(at + n + 1, NULL);
    return -1;
}

/* --- the text format, by its specification -------------------------------------------------------------------------- */

struct parsed { char family[200], type[20], last_labels[400]; double bucket, le; unsigned samples, families; char seen[300][200]; };

static bool name_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '_' || s[i] == ':' || (i > 0 && s[i] >= '0' && s[i] <= '9')))
            return false;
    return n != 0;
}

/* a="b",c="d"} -> what stands behind it, or NULL; `le` if there is one. */
static const char *labels(const char *s, double *le)
{
    for (;;) {
        size_t n = strcspn(s, "=");
        if (!name_ok(s, n) || s[n + 1] != '"')
            return NULL;
        if (n == 2 && strncmp(s, "le", 2) == 0)
            *le = strncmp(s + n + 2, "+Inf", 4) == 0 ? HUGE_VAL : strtod(s + n + 2, NULL);
        for (s += n + 2; *s != '"'; s++) {
            if (*s == '\0' || *s == '\n')
                return NULL;
            if (*s == '\\' && strchr("\\\"n", *++s) == NULL)
                return NULL;
        }
        if (s[1] == '}')
            return s + 2;
        if (s[1] != ',')
            return NULL;
        s += 2;
    }
}

static const char *begin_family(struct parsed *p, const char *line)
{
    char name[200], type[20];
    if (sscanf(line, "# TYPE %199s %19s", name, type) != 2)
        return "a TYPE line that cannot be read";
    for (unsigned i = 0; i < p->families; i++)
        if (strcmp(p->seen[i], name) == 0)
            return "a family in two places";
    snprintf(p->seen[p->families++], 200, "%s", name);
    snprintf(p->family, sizeof p->family, "%s", name);
    snprintf(p->type, sizeof p->type, "%s", type);
    p->last_labels[0] = '\0';
    return p->families < 300 ? NULL : "too many families for this test";
}

static bool suffix_fits(const char *type, const char *suffix)
{
    static const struct { const char *type, *suffixes; } known[] = {
        { "counter", "_total" }, { "gauge", "" }, { "info", "_info" }, { "summary", "_count _sum" }, { "histogram", "_bucket _count _sum" },
    };
    for (size_t i = 0; i < 5; i++)
        if (strcmp(known[i].type, type) == 0)
            return *suffix == '\0' ? *known[i].suffixes == '\0' : strstr(known[i].suffixes, suffix) != NULL;
    return false;
}

/* Buckets rise to +Inf, and _count is that of +Inf. */
static const char *histogram(struct parsed *p, const char *suffix, double le, double v)
{
    if (strcmp(suffix, "_bucket") == 0) {
        bool first = p->le == HUGE_VAL || p->bucket < 0;
        if (!first && (le <= p->le || v < p->bucket))
            return "buckets that do not rise";
        p->le = le;
        p->bucket = v;
    } else if (strcmp(suffix, "_count") == 0) {
        if (p->le != HUGE_VAL || p->bucket != v)
            return "a count that is not that of +Inf";
    }
    return NULL;
}

static const char *sample(struct parsed *p, const char *line)
{
    char suffix[40];
    size_t n = strcspn(line, "{ "), f = strlen(p->family);
    double le = -1;
    if (!name_ok(line, n) || f == 0 || n < f || strncmp(line, p->family, f) != 0 || n - f >= sizeof suffix)
        return "a sample outside its family";
    snprintf(suffix, sizeof suffix, "%.*s", (int)(n - f), line + f);
    if (!suffix_fits(p->type, suffix))
        return "a sample that its type does not have";
    const char *at = line[n] == '{' ? labels(line + n + 1, &le) : line + n;
    char *end;
    if (at == NULL || *at != ' ')
        return "labels that cannot be read";
    double v = strtod(at + 1, &end);
    if (end == at + 1 || (*end != '\n' && *end != '\0') || isnan(v) || v < 0)
        return "a value that cannot be read";
    p->samples++;
    return strcmp(p->type, "histogram") == 0 ? histogram(p, suffix, le, v) : NULL;
}

static void check_format(struct arena *a, const char *text)
{
    struct parsed *p = arena_one(a, struct parsed);
    p->le = HUGE_VAL;
    p->bucket = -1;
    const char *why = NULL, *line = text;
    for (; why == NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strchr(line, '\n') == NULL)
            why = "no line end";
        else if (strcmp(line, "# EOF\n") == 0)
            break;
        else if (strncmp(line, "# TYPE ", 7) == 0)
            why = begin_family(p, line);
        else if (strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# UNIT ", 7) == 0)
            why = strncmp(line + 7, p->family, strlen(p->family)) == 0 && line[7 + strlen(p->family)] == ' ' ? NULL : "words about another family";
        else
            why = sample(p, line);
        if (why != NULL)
            break;
    }
    unit_check(why == NULL, __FILE__, __LINE__, "%s: %.120s", why != NULL ? why : "", line);
    CHECK_STR(line, "# EOF\n");
    CHECK(p->families > 40 && p->samples > 60);
}

/* --- the numbers ----------------------------------------------------------------------------------------------------- */

TEST_LIMIT(a_host_counts_as_one, 120)
{
    struct stack *st = stack_start(NULL);
    struct arena *a = arena_new(SIZE_MAX);
    struct walk w;
    walk_begin(&w, st, &st->ana);
    w.c.nturns = 0;
    for (unsigned i = 0; i < 20; i++) {
        uint32_t h;
        w.c.route = i % 2 != 0 ? "a0" : "a1";
        CHECK_INT(step_open_folder(&w.s, w.s.fid[4], &h), ecNone);
        CHECK_INT(step_release(&w.s, h), ecNone);
    }
    const char *one = get(st, a, "a0"), *two = get(st, a, "a1"), *other = get(st, a, "b0");
    check_format(a, one);
    check_format(a, other);
    static const char execute[] = "mapihttpd_requests_total{endpoint=\"emsmdb\",type=\"Execute\",code=\"0\"}";
    double n = value(one, execute);
    CHECK(n >= 40 && n <= 41); /* the Logon may have gone elsewhere */
    CHECK_INT(value(two, execute), n);
    CHECK(value(other, execute) < 2);
    CHECK_INT(value(one, "mapihttpd_request_seconds_count{endpoint=\"emsmdb\",type=\"Execute\"}"), n);
    CHECK(value(one, "mapihttpd_rop_seconds_count{rop=\"OpenFolder\"}") >= 20);
    CHECK(value(one, "mapihttpd_rop_seconds_sum{rop=\"OpenFolder\"}") > 0);
    CHECK(value(one, "mapihttpd_resumed_elsewhere_total") >= 19);
    CHECK_INT(value(one, "mapihttpd_workers"), 2);
    CHECK(value(one, "mapihttpd_redis_seconds_count") >= 40);
    CHECK_INT(value(one, "mapihttpd_connection_count"), 1);
    CHECK_INT(value(other, "mapihttpd_user_count"), 1);
    CHECK_INT(value(other, "mapihttpd_active_user_count"), 1);
    CHECK(value(one, "mapihttpd_averaged_latency_seconds") > 0);
    walk_end(&w);
    /* a worker dies: its gauges go, what it counted stays; its successor goes on with it */
    stack_kill(st, 0, SIGKILL);
    const char *after = get(st, a, "a1");
    CHECK_INT(value(after, execute), n);
    CHECK_INT(value(after, "mapihttpd_workers"), 1);
    stack_worker(st, 0);
    struct mapic c;
    struct mapic_reply r;
    const char *why = NULL;
    stack_client(st, &c, &st->ana);
    c.route = "a0";
    CHECK(mapic_call(&c, a, "PING", blob_of(nothing, 0), NULL, &r, &why));
    mapic_close(&c);
    double pings = value(after, "mapihttpd_requests_total{endpoint=\"emsmdb\",type=\"PING\",code=\"0\"}");
    after = get(st, a, "a0");
    check_format(a, after);
    CHECK_INT(value(after, execute), n);
    CHECK_INT(value(after, "mapihttpd_requests_total{endpoint=\"emsmdb\",type=\"PING\",code=\"0\"}"), (pings > 0 ? pings : 0) + 1);
    CHECK_INT(value(after, "mapihttpd_workers"), 2);
    stack_stop(st);
    arena_free(a);
}

/* Without Redis there are no numbers of sessions, and all others. */
TEST_LIMIT(without_redis, 120)
{
    struct stack *st = stack_start(&(struct stack_options){ .workers = 1, .config = "redis_timeout = 500\n" });
    struct arena *a = arena_new(SIZE_MAX);
    stack_redis_stop(st);
    const char *text = get(st, a, "a0");
    check_format(a, text);
    CHECK_INT(value(text, "mapihttpd_connection_count"), -1);
    CHECK_INT(value(text, "mapihttpd_workers"), 1);
    stack_stop(st);
    arena_free(a);
}

/* The names that administrators of Exchange look for, and all others, stand in their page. */
TEST(documented)
{
    static const char *const names[] = {
#define COUNTER(name, help) "mapihttpd_" #name "_total",
#define COUNTERS(name, help) "mapihttpd_" #name "_total",
#define GAUGE(name, help) "mapihttpd_" #name,
#define TIMER(name, help) "mapihttpd_" #name,
#define TIMERS(name, help) "mapihttpd_" #name,
#define SUMMARIES(name, help) "mapihttpd_" #name,
#include "backend/base/metric.def"
        "mapihttpd_connection_count", "mapihttpd_user_count", "mapihttpd_active_user_count", "mapihttpd_averaged_latency_seconds",
    };
    FILE *f = fopen("deploy/OPERATION.md", "r");
    char *page = calloc(1, 1 << 20), word[200];
    REQUIRE(f != NULL && page != NULL);
    page[fread(page, 1, (1 << 20) - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(word, sizeof word, "| `%s` |", names[i]);
        unit_check(strstr(page, word) != NULL, __FILE__, __LINE__, "deploy/OPERATION.md names %s", names[i]);
    }
    free(page);
}
