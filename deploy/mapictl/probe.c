/* probe.c - mapictl probe: a session as Outlook has it, step by step, with time and result of each; if asked with the death of a worker in its middle. */
#include "deploy/mapictl/probe.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TIMEOUT_DEFAULT = 30, TIMEOUT_MOST = 600, PAUSE_DEFAULT = 1, PAUSE_MOST = 86400 };

static const struct step { enum probe_outcome (*run)(struct probe *p); const char *title; enum probe_part part; } steps[] = {
#define PROBE(fn, title, part) { probe_##fn, title, PROBE_##part },
#include "deploy/mapictl/probe.def"
#undef PROBE
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static void note_fault(struct probe *p, const struct step *st)
{
    p->broken[st->part] = true;
    if (p->error != NULL)
        return;
    p->error = arena_printf(p->a, "%s: %s", st->title, p->fault);
    p->first_exception = p->exception;
}

static void run(struct probe *p, const struct step *st)
{
    p->detail = p->fault = p->exception = NULL;
    if (st->part != PROBE_CLOSE && (p->hopeless || p->broken[st->part])) {
        if (st->run != probe_kill || p->kill_dir != NULL)
            probe_line(p, st->title, "", 0, "skipped");
        return;
    }
    probe_clock(p);
    p->mail.worker[0] = p->book.worker[0] = '\0';
    uint64_t begun = clock_us();
    enum probe_outcome o = st->run(p);
    if (o == PROBE_NONE)
        return;
    if (o == PROBE_FAULT)
        note_fault(p, st);
    probe_line(p, st->title, p->book.worker[0] != '\0' ? p->book.worker : p->mail.worker, (double)(clock_us() - begun) / 1000, o == PROBE_GOOD ? "ok" : "FAILED");
}

/* --- options ----------------------------------------------------------------------------------------------------------------------------- */

/* Seconds of an option, as milliseconds. */
static bool seconds(struct ctl *c, const char *option, unsigned usual, unsigned least, unsigned most, unsigned *out)
{
    const char *v = ctl_option(c, option);
    char *end = NULL;
    unsigned long n = v != NULL ? strtoul(v, &end, 10) : usual;
    *out = (unsigned)n * 1000;
    if (v == NULL || (*v >= '0' && *v <= '9' && *end == '\0' && n >= least && n <= most))
        return true;
    ctl_fail(c, option, arena_printf(c->a, "\"%s\" is not a number of seconds from %u to %u", v, least, most));
    return false;
}

/* On a host of the installation the directory knows who it is; elsewhere the server is asked. */
static void who(struct probe *p, const char *login)
{
    const char *file = p->c->config->directory;
    p->login = p->address = strchr(login, '@') != NULL || strchr(login, '\\') != NULL || *p->c->config->default_domain == '\0'
                                ? login : arena_printf(p->a, "%s@%s", login, p->c->config->default_domain);
    if (access(file, R_OK | W_OK) != 0 || directory_by_login(ctl_directory(p->c), p->a, login, &p->person) != ecNone)
        return;
    p->local = true;
    p->login = p->person.login;
    p->address = p->person.smtp;
    p->dn = p->person.dn;
    p->name = p->person.display_name;
}

static bool prepare(struct probe *p)
{
    struct ctl *c = p->c;
    const char *url = ctl_option(c, "--url"), *why;
    p->kill_dir = ctl_option(c, "--kill");
    p->given = url != NULL;
    if (p->given && !probe_url(c->a, url, &p->to, NULL, &why))
        return ctl_fail(c, url, why), false;
    if (!seconds(c, "--timeout", TIMEOUT_DEFAULT, 1, TIMEOUT_MOST, &p->timeout_ms) || !seconds(c, "--pause", PAUSE_DEFAULT, 0, PAUSE_MOST, &p->pause_ms))
        return false;
    who(p, c->argv[0]);
    if (strchr(p->address, '@') == NULL)
        return ctl_fail(c, p->address, "is not an address such as ana@example.com"), false;
    snprintf(p->subject, sizeof p->subject, PROBE_SUBJECT "%08x-%ld", (unsigned)clock_us() ^ (unsigned)getpid(), (long)time(NULL));
    return (p->password = ctl_password(c)) != NULL;
}

int cmd_probe(struct ctl *c)
{
    struct probe p = { .c = c, .a = c->a };
    if (c->argc != 1)
        return ctl_usage(c);
    if (!prepare(&p))
        return CTL_FAILED;
    signal(SIGPIPE, SIG_IGN);
    p.lines = json_array();
    p.start = filetime_now();
    if (!c->json)
        printf("  %-20s %-9s %12s  %s\n", "step", "worker", "time", "result");
    for (size_t i = 0; i < STEPS; i++)
        run(&p, &steps[i]);
    p.end = filetime_now();
    mapic_close(&p.mail);
    mapic_close(&p.book);
    return probe_report(&p);
}
