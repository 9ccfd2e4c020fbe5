/* probe.c - mapictl probe: one session as Outlook has it, step by step on one screen, if asked with the death of a worker in its middle. */
#include "backend/base/filetime.h"
#include "deploy/mapictl/probe.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint32_t columns[] = { PidTagNormalizedSubject, PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageSize,
                                    PidTagMessageFlags, PidTagMessageClass, PidTagFolderId, PidTagMid };
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 50 };

/* --- what is shown ----------------------------------------------------------------------------------------------------------------------- */

void probe_begin(struct probe *p) { p->step_started = clock_us(); }

bool probe_told(struct probe *p, const char *what, uint32_t ec, const char *detail)
{
    double ms = (double)(clock_us() - p->step_started) / 1000;
    const char *result = ec == ecNone ? "ok" : ec == STEP_LOST ? (p->s.why != NULL ? p->s.why : "no answer") : err_name(ec);
    const char *more = ec == STEP_LOST && p->s.code > 0 ? arena_printf(p->c->a, "X-ResponseCode %d", p->s.code) : detail;
    if (!p->c->json)
        printf("  %-9s %-38s %8.1f ms  %s%s%s\n", p->client.worker[0] != '\0' ? p->client.worker : "-", what, ms, result,
               more != NULL && *more != '\0' ? ": " : "", more != NULL ? more : "");
    if (ec != ecNone) {
        p->error = arena_printf(p->c->a, "%s: %s", what, result);
        p->exception = more != NULL ? more : "";
    }
    json_array_append_new(p->lines, json_pack("{s:s, s:s, s:f, s:s, s:s}", "step", what, "worker", p->client.worker, "ms", ms, "result", result,
                                              "detail", more != NULL ? more : ""));
    return ec == ecNone;
}

bool probe_failed(struct probe *p, const char *what, const char *why)
{
    p->s.why = why != NULL ? why : "no answer";
    p->s.code = -1;
    return probe_told(p, what, STEP_LOST, NULL);
}

/* --- steps ------------------------------------------------------------------------------------------------------------------------------- */

static bool log_on(struct probe *p)
{
    probe_begin(p);
    if (!probe_told(p, "Connect", step_connect(&p->s, p->dn), NULL))
        return false;
    probe_begin(p);
    if (!probe_told(p, "Logon", step_logon(&p->s, p->dn), p->dn))
        return false;
    probe_begin(p);
    return probe_told(p, "Open Inbox", step_open_folder(&p->s, p->s.fid[4], &p->inbox), NULL);
}

static bool read_page(struct probe *p, const char *what)
{
    struct propval *rows;
    uint16_t n = 0;
    probe_begin(p);
    uint32_t ec = step_query_rows(&p->s, p->table, true, PAGE, columns, COLUMNS, &rows, &n);
    const char *first = n > 0 && prop_type(rows[0].tag) == PtypString ? arena_str(p->c->a, rows[0].v.s) : "";
    return probe_told(p, what, ec, arena_printf(p->c->a, "%u rows, first \"%.30s\"", n, first));
}

static bool list(struct probe *p)
{
    uint32_t rows = 0;
    probe_begin(p);
    uint32_t ec = step_contents(&p->s, p->inbox, 0, &p->table, &rows);
    if (ec == ecNone)
        ec = step_set_columns(&p->s, p->table, columns, COLUMNS);
    if (!probe_told(p, "Contents table and columns", ec, arena_printf(p->c->a, "%u messages", rows)))
        return false;
    return read_page(p, "Read 50 rows");
}

static bool set_text(struct probe *p, uint32_t tag, const char *text)
{
    struct props set = { 0 };
    props_set(p->c->a, &set, pv_str(tag, text));
    uint16_t problems = 0;
    uint32_t ec = step_set_props(&p->s, p->message, &set, &problems);
    return probe_told(p, tag == PidTagSubject ? "Write its subject" : "Write its body", ec, problems != 0 ? "some properties were refused" : text);
}

static bool start_message(struct probe *p)
{
    probe_begin(p);
    if (!probe_told(p, "Begin a message", step_create_message(&p->s, p->inbox, p->s.fid[4], &p->message), NULL))
        return false;
    probe_begin(p);
    return set_text(p, PidTagSubject, p->subject);
}

static bool kill_worker(struct probe *p, const char *dir)
{
    char path[512], text[32] = "";
    probe_begin(p);
    snprintf(path, sizeof path, "%s/%s.pid", dir, p->client.worker);
    FILE *f = fopen(path, "r");
    bool got = f != NULL && fgets(text, sizeof text, f) != NULL;
    if (f != NULL)
        fclose(f);
    long pid = got ? strtol(text, NULL, 10) : 0;
    if (pid <= 1 || kill((pid_t)pid, SIGKILL) != 0)
        return probe_told(p, "Kill the worker", STEP_LOST, arena_printf(p->c->a, "no process by %s", path));
    p->killed = arena_strdup(p->c->a, p->client.worker);
    while (kill((pid_t)pid, 0) == 0)
        usleep(1000);
    return probe_told(p, "SIGKILL for this worker", ecNone, arena_printf(p->c->a, "process %ld is gone", pid));
}

static bool finish_message(struct probe *p)
{
    probe_begin(p);
    if (!set_text(p, PidTagBody, "Written on two workers."))
        return false;
    probe_begin(p);
    return probe_told(p, "Save the message", step_save_message(&p->s, p->message, 0x0A, &p->mid), NULL);
}

static bool read_back(struct probe *p)
{
    uint32_t tags[] = { PidTagSubject, PidTagBody }, message;
    struct propval v[2];
    probe_begin(p);
    uint32_t ec = step_open_message(&p->s, p->s.fid[4], p->mid, 0, &message);
    if (ec == ecNone)
        ec = step_get_props(&p->s, message, tags, 2, v);
    bool same = ec == ecNone && prop_type(v[0].tag) == PtypString && blob_eq(v[0].v.s, blob_str(p->subject)) && prop_type(v[1].tag) == PtypString
             && blob_eq(v[1].v.s, blob_str("Written on two workers."));
    if (ec == ecNone && !same)
        ec = ecNotFound;
    return probe_told(p, "Read it back", ec, same ? p->subject : "it is not what was written");
}

static bool tidy(struct probe *p)
{
    probe_begin(p);
    if (!probe_told(p, "Delete it again", step_delete_messages(&p->s, p->inbox, &p->mid, 1, true), NULL))
        return false;
    probe_begin(p);
    return probe_told(p, "Disconnect", step_disconnect(&p->s), NULL);
}

static bool walk(struct probe *p)
{
    const char *dir = ctl_option(p->c, "--kill");
    return probe_discover(p) && log_on(p) && probe_book(p) && list(p) && probe_wait(p) && start_message(p) && probe_pause(p) && (dir == NULL || kill_worker(p, dir)) && read_page(p, "Next rows from the same cursor")
        && finish_message(p) && read_back(p) && tidy(p);
}

/* --- where to -------------------------------------------------------------------------------------------------------------------------- */

/* http[s]://host[:port] */
static bool target(struct ctl *c, const char *url, struct tls_options *to)
{
    bool secure = strncmp(url, "https://", 8) == 0;
    if (!secure && strncmp(url, "http://", 7) != 0)
        return false;
    const char *host = url + (secure ? 8 : 7);
    size_t n = strcspn(host, ":/");
    char *end = NULL;
    unsigned long port = host[n] == ':' ? strtoul(host + n + 1, &end, 10) : secure ? 443 : 80;
    *to = (struct tls_options){ .host = arena_str(c->a, blob_of(host, n)), .port = (unsigned)port, .secure = secure,
                                .verify = secure, .ca_file = ctl_option(c, "--ca") };
    return n != 0 && port != 0 && port < 65536;
}

/* As Exchange's Test-OutlookConnectivity names it. */
static const char monitor[] = "OutlookMapiHttp.Protocol\\OutlookMapiHttpSelfTestProbe";

static const char *when(struct arena *a)
{
    char text[40];
    struct tm tm;
    time_t now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return arena_strdup(a, text);
}

static void conclude(struct probe *p, const char *start, bool ok)
{
    struct ctl *c = p->c;
    const char *end = when(c->a), *result = ok ? "Succeeded" : "Failed", *error = ok ? "" : p->error != NULL ? p->error : "", *exception = ok || p->exception == NULL ? "" : p->exception;
    if (c->json) {
        ctl_show(c, json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "ok", ok, "MonitorIdentity", monitor, "StartTime", start, "EndTime", end, "Result", result, "Error", error,
                              "Exception", exception, "steps", p->lines));
        return;
    }
    json_decref(p->lines);
    printf("MonitorIdentity  %s\nStartTime        %s\nEndTime          %s\nResult           %s\nError            %s\nException        %s\n", monitor, start, end, result, error, exception);
    if (ok && p->killed != NULL)
        printf("ok: the session went on without %s\n", p->killed);
    else
        puts(ok ? "ok: the session works" : "FAILED");
}

/* A login that the directory here does not know is one of another server: Autodiscover names its mailbox. */
static void find_here(struct probe *p, const char *login)
{
    struct person who;
    char guid[GUID_TEXT];
    p->login = login;
    if (directory_by_login(ctl_directory(p->c), p->c->a, login, &who) != ecNone)
        return;
    p->login = who.login;
    p->dn = who.dn;
    p->client.mailbox_id = arena_printf(p->c->a, "%s@%s", guid_text(&who.mailbox, guid), strchr(who.login, '@') + 1);
}

int cmd_probe(struct ctl *c)
{
    struct probe p = { .c = c, .lines = json_array() };
    const char *url = ctl_option(c, "--url"), *password, *start = when(c->a);
    struct tls_options to;
    if (c->argc != 1 || url == NULL)
        return ctl_usage(c);
    if (!target(c, url, &to))
        return ctl_fail(c, url, "not a URL such as https://mail.example.com");
    find_here(&p, c->argv[0]);
    if (strchr(p.login, '@') == NULL)
        return ctl_fail(c, p.login, "no such user here; of another server: the whole address");
    if ((password = ctl_password(c)) == NULL)
        return CTL_FAILED;
    const char *mailbox_id = p.client.mailbox_id;
    mapic_init(&p.client, to.host, to.port, p.login, password);
    p.client.to = to;
    p.client.mailbox_id = mailbox_id;
    snprintf(p.subject, sizeof p.subject, "Probe %ld", (long)time(NULL));
    steps_init(&p.s, &p.client, c->a);
    if (!c->json)
        printf("  %-9s %-38s\n", "worker", "step");
    bool ok = walk(&p);
    mapic_close(&p.client);
    conclude(&p, start, ok);
    return ok ? CTL_OK : CTL_FAULT;
}
