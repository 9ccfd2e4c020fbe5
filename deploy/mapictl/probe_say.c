/* probe_say.c - outcomes of the probe's steps in words, for people and for programs. */
#include "deploy/mapictl/probe.h"
#include <stdio.h>

#define MONITOR "OutlookMapiHttp.Protocol\\OutlookMapiHttpSelfTestProbe"

static const struct { int status; const char *words; } statuses[] = {
    { 400, "the server or something before it does not understand the request" },
    { 401, "the login failed: user, password, or Basic is not offered here (mapictl vdir get)" },
    { 403, "refused: passwords are taken over TLS only, or something before the server forbids it" },
    { 404, "nothing answers at this path: is this the right server, and does nginx include mapihttpd.conf?" },
    { 413, "nginx's client_max_body_size is too small" },
    { 421, "this server does not serve the name" },
    { 429, "too many requests, or the user or address is locked out (mapictl auth list)" },
    { 500, "the server failed" },
    { 502, "nginx reaches no worker" },
    { 503, "the server is overloaded, not ready, or a service that it needs is away" },
    { 504, "the worker did not answer nginx in time" },
};

static const struct { int code; const char *words; } codes[] = {
#define XRC(number, name, words) { number, words },
#include "session/xrc.def"
#undef XRC
};

static const char *status_words(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return statuses[i].words;
    return "unexpected";
}

static const char *code_words(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == code)
            return codes[i].words;
    return "not known";
}

enum probe_outcome probe_good(struct probe *p, const char *detail)
{
    p->detail = detail;
    return PROBE_GOOD;
}

enum probe_outcome probe_fault(struct probe *p, const char *fault)
{
    p->fault = fault;
    return PROBE_FAULT;
}

enum probe_outcome probe_refused(struct probe *p, const struct mapic *client, uint32_t ec, const char *why)
{
    const char *ours = p->mail.to.secure ? "https" : "http";
    p->exception = arena_printf(p->a, "%s://%s:%u%s: HTTP %d, X-ResponseCode %d, %s%s", ours, client->to.host, client->to.port, client->path, client->status, client->code,
                                ec < STEP_LOST ? err_name((ec_t)ec) : "no error code", client->worker[0] != '\0' ? arena_printf(p->a, ", worker %s", client->worker) : "");
    p->hopeless |= client->status == 401;
    if (client->status == 0)
        return probe_fault(p, client->deadline <= clock_ms() ? arena_printf(p->a, "no answer within %u s%s%s", p->timeout_ms / 1000, why != NULL ? ": " : "", why != NULL ? why : "")
                              : why != NULL ? why : "no answer");
    if (client->status != 200)
        return probe_fault(p, arena_printf(p->a, "HTTP %d: %s", client->status, status_words(client->status)));
    if (client->code > 0)
        return probe_fault(p, arena_printf(p->a, "X-ResponseCode %d: %s", client->code, code_words(client->code)));
    return probe_fault(p, ec < STEP_LOST ? arena_printf(p->a, "error %s (0x%08X)", err_name((ec_t)ec), ec) : why != NULL ? why : "an answer that cannot be read");
}

enum probe_outcome probe_lost(struct probe *p, uint32_t ec) { return probe_refused(p, &p->mail, ec, p->s.why); }

void probe_line(struct probe *p, const char *step, const char *worker, double ms, const char *result)
{
    const char *more = p->fault != NULL ? p->fault : p->detail != NULL ? p->detail : "";
    if (!p->c->json) {
        printf("  %-20s %-9s %9.1f ms  %-7s %s\n", step, *worker != '\0' ? worker : "-", ms, result, more);
        fflush(stdout);
    }
    json_array_append_new(p->lines, json_pack("{s:s, s:s, s:f, s:s, s:s}", "step", step, "worker", worker, "ms", ms, "result", result, "detail", more));
}

static const char *when(struct probe *p, filetime_t t)
{
    time_t s = filetime_to_unix(t);
    struct tm tm;
    char text[40];
    gmtime_r(&s, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    return arena_printf(p->a, "%s.%03uZ", text, (unsigned)(t / 10000 % 1000));
}

static void verdict(const struct probe *p)
{
    if (p->error != NULL)
        puts("FAILED");
    else if (p->killed != NULL)
        printf("ok: the session went on without %s\n", p->killed);
    else
        puts("ok: the session works");
}

int probe_report(struct probe *p)
{
    const char *error = p->error != NULL ? p->error : "", *exception = p->first_exception != NULL ? p->first_exception : "";
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "MonitorIdentity", MONITOR, "StartTime", when(p, p->start), "EndTime", when(p, p->end),
                          "Result", p->error == NULL ? "Succeeded" : "Failed", "Error", error, "Exception", exception);
    if (p->c->json) {
        json_object_set_new(o, "ok", json_boolean(p->error == NULL));
        json_object_set_new(o, "WorkerBefore", json_string(p->before));
        json_object_set_new(o, "WorkerAfter", json_string(p->after));
        json_object_set_new(o, "steps", p->lines);
    } else {
        json_decref(p->lines);
        putchar('\n');
    }
    ctl_show(p->c, o);
    if (!p->c->json)
        verdict(p);
    return p->error == NULL ? CTL_OK : CTL_FAULT;
}
