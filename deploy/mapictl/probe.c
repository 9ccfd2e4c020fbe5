/* probe.c - mapictl probe: one session as Outlook has it, step by step on one screen, if asked with the death of a worker in its middle. */
#include "backend/base/filetime.h"
#include "deploy/mapictl/ctl.h"
#include "tests/client/nspic.h"
#include "tests/client/steps.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

struct probe {
    struct ctl    *c;
    struct person  who;
    struct mapic   client;
    struct steps   s;
    uint32_t       inbox, drafts, table, message;
    uint64_t       mid;
    char           subject[64];
    const char    *killed;           /* worker that was killed, NULL: none */
    json_t        *lines;
    uint64_t       step_started;
};

static const uint32_t columns[] = { PidTagNormalizedSubject, PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageSize,
                                    PidTagMessageFlags, PidTagMessageClass, PidTagFolderId, PidTagMid };
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 50 };

/* --- what is shown ----------------------------------------------------------------------------------------------------------------------- */

static void begin(struct probe *p) { p->step_started = clock_us(); }

static bool told(struct probe *p, const char *what, uint32_t ec, const char *detail)
{
    double ms = (double)(clock_us() - p->step_started) / 1000;
    const char *result = ec == ecNone ? "ok" : ec == STEP_LOST ? (p->s.why != NULL ? p->s.why : "no answer") : err_name(ec);
    const char *more = ec == STEP_LOST && p->s.code > 0 ? arena_printf(p->c->a, "X-ResponseCode %d", p->s.code) : detail;
    if (!p->c->json)
        printf("  %-9s %-38s %8.1f ms  %s%s%s\n", p->client.worker[0] != '\0' ? p->client.worker : "-", what, ms, result,
               more != NULL && *more != '\0' ? ": " : "", more != NULL ? more : "");
    json_array_append_new(p->lines, json_pack("{s:s, s:s, s:f, s:s, s:s}", "step", what, "worker", p->client.worker, "ms", ms, "result", result,
                                              "detail", more != NULL ? more : ""));
    return ec == ecNone;
}

/* --- steps ------------------------------------------------------------------------------------------------------------------------------- */

static bool log_on(struct probe *p)
{
    begin(p);
    if (!told(p, "Connect", step_connect(&p->s, p->who.dn), NULL))
        return false;
    begin(p);
    if (!told(p, "Logon", step_logon(&p->s, p->who.dn), p->who.dn))
        return false;
    begin(p);
    return told(p, "Open Inbox", step_open_folder(&p->s, p->s.fid[4], &p->inbox), NULL);
}

static bool read_page(struct probe *p, const char *what)
{
    struct propval *rows;
    uint16_t n = 0;
    begin(p);
    uint32_t ec = step_query_rows(&p->s, p->table, true, PAGE, columns, COLUMNS, &rows, &n);
    const char *first = n > 0 && prop_type(rows[0].tag) == PtypString ? arena_str(p->c->a, rows[0].v.s) : "";
    return told(p, what, ec, arena_printf(p->c->a, "%u rows, first \"%.30s\"", n, first));
}

static bool list(struct probe *p)
{
    uint32_t rows = 0;
    begin(p);
    uint32_t ec = step_contents(&p->s, p->inbox, 0, &p->table, &rows);
    if (ec == ecNone)
        ec = step_set_columns(&p->s, p->table, columns, COLUMNS);
    if (!told(p, "Contents table and columns", ec, arena_printf(p->c->a, "%u messages", rows)))
        return false;
    return read_page(p, "Read 50 rows");
}

static bool set_text(struct probe *p, uint32_t tag, const char *text)
{
    struct props set = { 0 };
    props_set(p->c->a, &set, pv_str(tag, text));
    uint16_t problems = 0;
    uint32_t ec = step_set_props(&p->s, p->message, &set, &problems);
    return told(p, tag == PidTagSubject ? "Write its subject" : "Write its body", ec, problems != 0 ? "some properties were refused" : text);
}

static bool start_message(struct probe *p)
{
    begin(p);
    if (!told(p, "Begin a message", step_create_message(&p->s, p->inbox, p->s.fid[4], &p->message), NULL))
        return false;
    begin(p);
    return set_text(p, PidTagSubject, p->subject);
}

static bool kill_worker(struct probe *p, const char *dir)
{
    char path[512], text[32] = "";
    begin(p);
    snprintf(path, sizeof path, "%s/%s.pid", dir, p->client.worker);
    FILE *f = fopen(path, "r");
    bool got = f != NULL && fgets(text, sizeof text, f) != NULL;
    if (f != NULL)
        fclose(f);
    long pid = got ? strtol(text, NULL, 10) : 0;
    if (pid <= 1 || kill((pid_t)pid, SIGKILL) != 0)
        return told(p, "Kill the worker", STEP_LOST, arena_printf(p->c->a, "no process by %s", path));
    p->killed = arena_strdup(p->c->a, p->client.worker);
    while (kill((pid_t)pid, 0) == 0)
        usleep(1000);
    return told(p, "SIGKILL for this worker", ecNone, arena_printf(p->c->a, "process %ld is gone", pid));
}

static bool finish_message(struct probe *p)
{
    begin(p);
    if (!set_text(p, PidTagBody, "Written on two workers."))
        return false;
    begin(p);
    return told(p, "Save the message", step_save_message(&p->s, p->message, 0x0A, &p->mid), NULL);
}

static bool read_back(struct probe *p)
{
    uint32_t tags[] = { PidTagSubject, PidTagBody }, message;
    struct propval v[2];
    begin(p);
    uint32_t ec = step_open_message(&p->s, p->s.fid[4], p->mid, 0, &message);
    if (ec == ecNone)
        ec = step_get_props(&p->s, message, tags, 2, v);
    bool same = ec == ecNone && prop_type(v[0].tag) == PtypString && blob_eq(v[0].v.s, blob_str(p->subject)) && prop_type(v[1].tag) == PtypString
             && blob_eq(v[1].v.s, blob_str("Written on two workers."));
    if (ec == ecNone && !same)
        ec = ecNotFound;
    return told(p, "Read it back", ec, same ? p->subject : "it is not what was written");
}

static bool tidy(struct probe *p)
{
    begin(p);
    if (!told(p, "Delete it again", step_delete_messages(&p->s, p->inbox, &p->mid, 1, true), NULL))
        return false;
    begin(p);
    return told(p, "Disconnect", step_disconnect(&p->s), NULL);
}

/* --- the address book ----------------------------------------------------------------------------------------------------------------------- */

static uint32_t ask(struct probe *p, struct mapic *book, const char *type, const struct nspic_ask *q, struct nspic_reply *r)
{
    p->s.why = NULL;
    uint32_t ec = nspic_call(book, p->c->a, type, q, NULL, r, &p->s.why);
    memcpy(p->client.worker, book->worker, sizeof p->client.worker); /* who is shown as the one that answered */
    p->s.code = r->http.code;
    return ec == UINT32_MAX ? STEP_LOST : ec;
}

static const char *text_of(struct probe *p, const struct nspic_row *row, uint32_t tag)
{
    const struct propval *v = nspic_find(row, tag);
    return v != NULL && type_string(prop_type(v->tag)) ? arena_str(p->c->a, v->v.s) : "";
}

/* His own name, as Outlook resolves a recipient; then what the book says of him. */
static bool find_oneself(struct probe *p, struct mapic *book)
{
    static const uint32_t found[] = { PidTagInstanceKey, PidTagDisplayName, PidTagSmtpAddress }, details[] = { PidTagDisplayName, PidTagEmailAddress, PidTagSmtpAddress };
    struct nspic_stat s = { .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
    struct nspic_reply r;
    const char *name = p->who.smtp;
    begin(p);
    uint32_t ec = ask(p, book, "ResolveNames", &(struct nspic_ask){ .stat = &s, .names = &name, .nnames = 1, .tags = found, .ntags = 3 }, &r);
    if (ec == ecNone && (r.rows != 1 || r.row[0].v[0].v.bin.n != sizeof s.current))
        ec = ecNotFound;
    if (!told(p, "Resolve the own address", ec, ec == ecNone ? text_of(p, &r.row[0], PidTagDisplayName) : name))
        return false;
    struct rd key = rd_blob_of(r.row[0].v[0].v.bin);
    s.current = rd_u32(&key);
    begin(p);
    ec = ask(p, book, "GetProps", &(struct nspic_ask){ .stat = &s, .tags = details, .ntags = 3 }, &r);
    if (ec == ecNone && strcasecmp(text_of(p, &r.values, PidTagEmailAddress), p->who.dn) != 0)
        ec = ecNotFound;
    return told(p, "Read it in the address book", ec, ec == ecNone ? text_of(p, &r.values, PidTagEmailAddress) : "somebody else");
}

static bool address_book(struct probe *p)
{
    struct mapic book = p->client;
    struct nspic_stat s = { .code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409 };
    struct nspic_reply r;
    char   worker[sizeof p->client.worker];
    memcpy(worker, p->client.worker, sizeof worker);
    book.conn = NULL;
    book.context[0] = book.sequence[0] = '\0';
    nspic_init(&book);
    begin(p);
    bool ok = told(p, "Bind to the address book", ask(p, &book, "Bind", &(struct nspic_ask){ .stat = &s }, &r), NULL) && find_oneself(p, &book);
    if (ok) {
        begin(p);
        uint32_t ec = ask(p, &book, "Unbind", &(struct nspic_ask){ 0 }, &r);
        ok = told(p, "Unbind", ec == 1 ? ecNone : ec, NULL);
    }
    mapic_close(&book);
    memcpy(p->client.worker, worker, sizeof worker);
    return ok;
}

static bool walk(struct probe *p)
{
    const char *dir = ctl_option(p->c, "--kill");
    return log_on(p) && address_book(p) && list(p) && start_message(p) && (dir == NULL || kill_worker(p, dir)) && read_page(p, "Next rows from the same cursor")
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

int cmd_probe(struct ctl *c)
{
    struct probe p = { .c = c, .lines = json_array() };
    const char *url = ctl_option(c, "--url"), *password;
    struct tls_options to;
    if (c->argc != 1 || url == NULL)
        return ctl_usage(c);
    if (!target(c, url, &to))
        return ctl_fail(c, url, "not a URL such as https://mail.example.com");
    if (!ctl_person(c, c->argv[0], &p.who) || (password = ctl_password(c)) == NULL)
        return CTL_FAILED;
    mapic_init(&p.client, to.host, to.port, p.who.login, password);
    p.client.to = to;
    char guid[GUID_TEXT];
    p.client.mailbox_id = arena_printf(c->a, "%s@%s", guid_text(&p.who.mailbox, guid), strchr(p.who.login, '@') + 1);
    snprintf(p.subject, sizeof p.subject, "Probe %ld", (long)time(NULL));
    steps_init(&p.s, &p.client, c->a);
    if (!c->json)
        printf("  %-9s %-38s\n", "worker", "step");
    bool ok = walk(&p);
    mapic_close(&p.client);
    if (c->json)
        ctl_show(c, json_pack("{s:b, s:o}", "ok", ok, "steps", p.lines));
    else {
        json_decref(p.lines);
        if (ok && p.killed != NULL)
            printf("ok: the session went on without %s\n", p.killed);
        else
            puts(ok ? "ok: the session works" : "FAILED");
    }
    return ok ? CTL_OK : CTL_FAULT;
}
